//! Deals, as far as the role reaches: operators see their own and those whose lead came by a line they stand in.

use axum::{extract::State, http::StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{contacts::present, pipelines::problem};
use crate::{
    api::{
        Json, Path, Query,
        auth::Caller,
        page::{Cursor, Page, PageQuery},
        problem::{Problem, Result},
        right::{self, May, on, to},
    },
    app::App,
    company::store as companies,
    contact::sight,
    db::entity::deal,
    deal::{
        store::{self, Change, Filter, Place, Total},
        view::{self, DealView, MoveView},
    },
    lead::store as leads,
    line,
    operator::rights::{self, Action},
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_deals, create_deal))
        .routes(routes!(deal_totals))
        .routes(routes!(get_deal, update_deal, delete_deal))
        .routes(routes!(list_deal_moves))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct ListQuery {
    /// A pipeline.
    pipeline: Option<String>,
    /// A stage; the deals then stand by when they came into it, the last first.
    stage: Option<String>,
    /// `open`, `won` or `lost`.
    state: Option<String>,
    /// A responsible operator; `me` is the caller.
    operator: Option<String>,
    /// A contact.
    contact: Option<String>,
    /// A company.
    company: Option<String>,
    /// The lead they came of.
    lead: Option<String>,
    /// The line that lead came by, by id or key.
    line: Option<String>,
    /// A tag.
    tag: Option<String>,
    /// Words of the title, of the contact's and of the company's name, all of them, in any order, each as any part of
    /// a word; beginnings of words when none has three letters.
    q: Option<String>,
}

impl ListQuery {
    /// What to narrow to; `None` when nothing can be found.
    async fn filter(self, app: &App, caller: &Caller) -> Result<Option<Filter>> {
        let line_id = match self.line {
            Some(word) => match line::store::find(app.db.read(), &word).await {
                Ok(row) => Some(row.id),
                Err(_) => return Ok(None),
            },
            None => None,
        };
        let me = |word: String| {
            if word == "me" {
                caller.operator.id.clone()
            } else {
                word
            }
        };
        Ok(Some(Filter {
            pipeline_id: self.pipeline,
            stage_id: self.stage,
            state: self.state,
            operator_id: self.operator.map(me),
            contact_id: self.contact,
            company_id: self.company,
            lead_id: self.lead,
            line_id,
            tag: self.tag.filter(|tag| !tag.trim().is_empty()),
            text: self.q,
        }))
    }
}

/// Deals, newest first, as far as the caller sees them.
#[utoipa::path(get, path = "/api/v1/deals", tag = "deals", params(ListQuery, PageQuery),
    responses((status = 200, body = Page<DealView>)))]
async fn list_deals(
    State(app): State<App>,
    May(caller, _): May<on::Deal, to::View>,
    Query(query): Query<ListQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<DealView>>> {
    let limit = page.limit()?;
    let after: Option<Place> = page.after()?;
    let Some(filter) = query.filter(&app, &caller).await? else {
        return Ok(Json(Page::whole(Vec::new())));
    };
    let (rows, next) = store::list(app.db.read(), &caller.scope, &filter, after.as_ref(), limit).await?;
    let items = view::views(app.db.read(), rows).await?;
    Ok(Json(Page {
        items,
        next_cursor: next.as_ref().map(Cursor::encode),
    }))
}

/// How many deals are in each stage and what they are worth, by currency; stages without deals are left out. Takes
/// what the list takes.
#[utoipa::path(get, path = "/api/v1/deals/totals", tag = "deals", params(ListQuery),
    responses((status = 200, body = Page<Total>)))]
async fn deal_totals(
    State(app): State<App>,
    May(caller, _): May<on::Deal, to::View>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Total>>> {
    let Some(filter) = query.filter(&app, &caller).await? else {
        return Ok(Json(Page::whole(Vec::new())));
    };
    let totals = store::totals(app.db.read(), &caller.scope, &filter).await?;
    Ok(Json(Page::whole(totals)))
}

/// One deal.
#[utoipa::path(get, path = "/api/v1/deals/{id}", tag = "deals", params(("id" = String, Path, description = "`dea_…`")),
    responses((status = 200, body = DealView)))]
async fn get_deal(
    State(app): State<App>,
    May(caller, _): May<on::Deal, to::View>,
    Path(id): Path<String>,
) -> Result<Json<DealView>> {
    let row = seen(&app, &caller, Action::View, &id).await?;
    show(&app, row).await.map(Json)
}

/// The deal, when the caller sees it and may do this to it.
pub(super) async fn seen(app: &App, caller: &Caller, action: Action, id: &str) -> Result<deal::Model> {
    let row = store::find(app.db.read(), &caller.scope, id)
        .await?
        .ok_or_else(|| Problem::not_found("deal"))?;
    if let Some(eyes) = right::narrower(&caller.scope, rights::Object::Deal, action)?
        && store::find(app.db.read(), &eyes, id).await?.is_none()
    {
        return Err(Problem::no_right(rights::Object::Deal, action));
    }
    Ok(row)
}

pub(super) async fn show(app: &App, row: deal::Model) -> Result<DealView> {
    let mut views = view::views(app.db.read(), vec![row]).await?;
    views.pop().ok_or_else(|| Problem::not_found("deal"))
}

/// The stages a deal came through, in their order.
#[utoipa::path(get, path = "/api/v1/deals/{id}/moves", tag = "deals",
    params(("id" = String, Path, description = "`dea_…`")), responses((status = 200, body = Page<MoveView>)))]
async fn list_deal_moves(
    State(app): State<App>,
    May(caller, _): May<on::Deal, to::View>,
    Path(id): Path<String>,
) -> Result<Json<Page<MoveView>>> {
    seen(&app, &caller, Action::View, &id).await?;
    let moves = store::moves(app.db.read(), &id).await?;
    Ok(Json(Page::whole(moves.into_iter().map(MoveView::from).collect())))
}

/// An amount of money: a decimal text ("1500.00"), or a number.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Amount {
    /// As it is answered.
    Text(String),
    /// As programs write whole numbers; its digits are taken as they stand.
    Number(serde_json::Number),
}

impl Amount {
    pub(super) fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }
}

/// A deal about to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DealIn {
    /// What it is about.
    title: String,
    /// What it is worth; not known when absent.
    #[schema(value_type = Option<String>)]
    amount: Option<Amount>,
    /// The currency (ISO 4217); that of the pipeline when absent.
    currency: Option<String>,
    /// The pipeline; the first one when absent.
    pipeline_id: Option<String>,
    /// The stage; the pipeline's first open one when absent.
    stage_id: Option<String>,
    /// Whom it is made with.
    contact_id: Option<String>,
    /// Which company it is made with.
    company_id: Option<String>,
    /// The lead it came of.
    lead_id: Option<String>,
    /// The responsible operator; the caller when absent.
    operator_id: Option<String>,
    /// Why it is lost: words, or the id of a reason. Required in a lost stage.
    loss_reason: Option<String>,
    /// Custom fields.
    #[schema(value_type = Option<Object>)]
    fields: Option<Map<String, Value>>,
    /// Words it is found by; they are kept in small letters.
    tags: Option<Vec<String>>,
}

/// Makes a deal.
#[utoipa::path(post, path = "/api/v1/deals", tag = "deals", request_body = DealIn,
    responses((status = 201, body = DealView)))]
async fn create_deal(
    State(app): State<App>,
    May(caller, _): May<on::Deal, to::Edit>,
    Json(body): Json<DealIn>,
) -> Result<(StatusCode, Json<DealView>)> {
    check_lead(&app, &caller, body.lead_id.as_deref()).await?;
    check_people(
        &app,
        &caller,
        body.contact_id.as_deref(),
        body.company_id.as_deref(),
    )
    .await?;
    let new = Change {
        title: Some(body.title),
        amount: body.amount.map(|amount| Some(amount.text())),
        currency: body.currency,
        pipeline_id: body.pipeline_id,
        stage_id: body.stage_id,
        contact_id: body.contact_id.map(Some),
        company_id: body.company_id.map(Some),
        lead_id: body.lead_id.map(Some),
        operator_id: body.operator_id.map(Some),
        loss_reason: body.loss_reason.map(Some),
        fields: body.fields,
        tags: body.tags,
        version: None,
    };
    let mut write = app.db.write().await?;
    let row = store::create(&mut write, new, Some(&caller.operator.id), app.clock.now())
        .await
        .map_err(|error| problem(error, "deal"))?;
    write.commit().await?;
    Ok((StatusCode::CREATED, Json(show(&app, row).await?)))
}

/// A lead opens the sight of its deal to those of its line: only who sees it may name it.
async fn check_lead(app: &App, caller: &Caller, id: Option<&str>) -> Result<()> {
    let Some(id) = id else { return Ok(()) };
    match leads::find(app.db.read(), &caller.scope, id).await? {
        Some(_) => Ok(()),
        None => Err(Problem::invalid("lead_id", "there is no such lead")),
    }
}

/// A deal opens the sight of whom it is made with to its owner: only who sees them may name them.
async fn check_people(
    app: &App,
    caller: &Caller,
    contact: Option<&str>,
    company: Option<&str>,
) -> Result<()> {
    if let Some(id) = contact
        && sight::find(app.db.read(), &caller.scope, id).await?.is_none()
    {
        return Err(Problem::invalid(
            "contact_id",
            "there is no such contact, or you may not see it",
        ));
    }
    if let Some(id) = company
        && companies::find(app.db.read(), &caller.scope, id).await?.is_none()
    {
        return Err(Problem::invalid(
            "company_id",
            "there is no such company, or you may not see it",
        ));
    }
    Ok(())
}

/// What to change; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DealPatch {
    /// What it is about.
    title: Option<String>,
    /// What it is worth; null when it is not known.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    amount: Option<Option<Amount>>,
    /// The currency (ISO 4217).
    currency: Option<String>,
    /// The pipeline; without a stage, the deal begins in its first one.
    pipeline_id: Option<String>,
    /// The stage it moves to.
    stage_id: Option<String>,
    /// Whom it is made with; null for nobody.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    contact_id: Option<Option<String>>,
    /// Which company it is made with; null for none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    company_id: Option<Option<String>>,
    /// The lead it came of; null for none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    lead_id: Option<Option<String>>,
    /// The responsible operator; null clears it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    operator_id: Option<Option<String>>,
    /// Why it is lost: words, or the id of a reason. Required to move into a lost stage.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    loss_reason: Option<Option<String>>,
    /// Custom fields to set; a null removes one.
    #[schema(value_type = Option<Object>)]
    fields: Option<Map<String, Value>>,
    /// All its tags; they are kept in small letters.
    tags: Option<Vec<String>>,
    /// The version the change was made from; 409 when it is not the present one.
    version: Option<i64>,
}

/// Changes a deal. A move to another stage is kept with its time.
#[utoipa::path(patch, path = "/api/v1/deals/{id}", tag = "deals", params(("id" = String, Path, description = "`dea_…`")),
    request_body = DealPatch, responses((status = 200, body = DealView)))]
async fn update_deal(
    State(app): State<App>,
    May(caller, _): May<on::Deal, to::Edit>,
    Path(id): Path<String>,
    Json(body): Json<DealPatch>,
) -> Result<Json<DealView>> {
    let row = seen(&app, &caller, Action::Edit, &id).await?;
    check_lead(&app, &caller, body.lead_id.as_ref().and_then(|id| id.as_deref())).await?;
    // Whoever it is made with already stays, whoever sees them.
    let contact = body.contact_id.as_ref().filter(|id| **id != row.contact_id);
    let company = body.company_id.as_ref().filter(|id| **id != row.company_id);
    let named = |id: Option<&'_ Option<String>>| id.and_then(Clone::clone);
    check_people(
        &app,
        &caller,
        named(contact).as_deref(),
        named(company).as_deref(),
    )
    .await?;
    let change = Change {
        title: body.title,
        amount: body.amount.map(|amount| amount.map(Amount::text)),
        currency: body.currency,
        pipeline_id: body.pipeline_id,
        stage_id: body.stage_id,
        contact_id: body.contact_id,
        company_id: body.company_id,
        lead_id: body.lead_id,
        operator_id: body.operator_id,
        loss_reason: body.loss_reason,
        fields: body.fields,
        tags: body.tags,
        version: body.version,
    };
    let mut write = app.db.write().await?;
    let row = store::change(
        &mut write,
        &id,
        change,
        Some(&caller.operator.id),
        app.clock.now(),
    )
    .await
    .map_err(|error| problem(error, "deal"))?;
    write.commit().await?;
    show(&app, row).await.map(Json)
}

/// Removes a deal with its tasks and its history of stages. One that was not sold is better moved to a lost stage.
#[utoipa::path(delete, path = "/api/v1/deals/{id}", tag = "deals", params(("id" = String, Path, description = "`dea_…`")),
    responses((status = 204, description = "Removed")))]
async fn delete_deal(
    State(app): State<App>,
    May(caller, _): May<on::Deal, to::Delete>,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    seen(&app, &caller, Action::Delete, &id).await?;
    let mut write = app.db.write().await?;
    store::remove(&mut write, &id, app.clock.now())
        .await
        .map_err(|error| problem(error, "deal"))?;
    write.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
