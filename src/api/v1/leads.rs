//! Leads.

use axum::{extract::State, http::StatusCode};
use sea_orm::EntityTrait;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::contacts::{checked_tags, present};
use crate::{
    api::{
        Json, Path, Query,
        auth::Caller,
        page::{Cursor, Page, PageQuery},
        problem::{Problem, Result},
        right::{self, May, on, to},
    },
    app::App,
    contact::sight,
    custom_field::{Object, store::changed},
    db::entity::{lead, operator},
    deal::reason,
    id::{self, Kind},
    ingest::clean_line,
    lead::store::{self, Change, ChangeError, Filter, LeadView, Place, Status},
    line,
    operator::rights::{self, Action, Scope},
    tag,
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_leads, create_lead))
        .routes(routes!(get_lead, update_lead))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(super) struct ListQuery {
    /// `new`, `in_progress`, `converted` or `junk`.
    status: Option<String>,
    /// A source.
    source: Option<String>,
    /// A line, by id or key.
    line: Option<String>,
    /// A responsible operator; `me` is the caller.
    operator: Option<String>,
    /// A contact.
    contact: Option<String>,
    /// A tag.
    tag: Option<String>,
    /// Words of the title and of the contact's name, all of them, in any order, each as any part of a word; beginnings
    /// of words when none has three letters.
    q: Option<String>,
}

/// What a query narrows the list to; `None` when it names a line that does not exist, so nothing matches.
pub(super) async fn filter(app: &App, caller: &Caller, query: ListQuery) -> Result<Option<Filter>> {
    let line_id = match query.line {
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
        status: query.status,
        source: query.source,
        line_id,
        operator_id: query.operator.map(me),
        contact_id: query.contact,
        tag: query.tag.filter(|tag| !tag.trim().is_empty()),
        text: query.q,
    }))
}

/// Leads, newest first, as far as the caller sees them.
#[utoipa::path(get, path = "/api/v1/leads", tag = "leads", params(ListQuery, PageQuery),
    responses((status = 200, body = Page<LeadView>)))]
async fn list_leads(
    State(app): State<App>,
    May(caller, _): May<on::Lead, to::View>,
    Query(query): Query<ListQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<LeadView>>> {
    let limit = page.limit()?;
    let after: Option<Place> = page.after()?;
    let Some(filter) = filter(&app, &caller, query).await? else {
        return Ok(Json(Page::whole(Vec::new())));
    };
    let (rows, next) = store::list(app.db.read(), &caller.scope, &filter, after.as_ref(), limit).await?;
    let items = store::views(app.db.read(), rows).await?;
    Ok(Json(Page {
        items,
        next_cursor: next.as_ref().map(Cursor::encode),
    }))
}

/// One lead.
#[utoipa::path(get, path = "/api/v1/leads/{id}", tag = "leads", params(("id" = String, Path, description = "`led_…`")),
    responses((status = 200, body = LeadView)))]
async fn get_lead(
    State(app): State<App>,
    May(caller, _): May<on::Lead, to::View>,
    Path(id): Path<String>,
) -> Result<Json<LeadView>> {
    let row = seen(&app, &caller.scope, Action::View, &id).await?;
    view(&app, row).await.map(Json)
}

/// The lead, when the caller sees it and may do this to it.
pub(super) async fn seen(app: &App, scope: &Scope, action: Action, id: &str) -> Result<lead::Model> {
    let row = store::find(app.db.read(), scope, id)
        .await?
        .ok_or_else(|| Problem::not_found("lead"))?;
    if let Some(eyes) = right::narrower(scope, rights::Object::Lead, action)?
        && store::find(app.db.read(), &eyes, id).await?.is_none()
    {
        return Err(Problem::no_right(rights::Object::Lead, action));
    }
    Ok(row)
}

pub(super) async fn view(app: &App, row: lead::Model) -> Result<LeadView> {
    let mut views = store::views(app.db.read(), vec![row]).await?;
    views.pop().ok_or_else(|| Problem::not_found("lead"))
}

/// A lead made by hand.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = LeadIn)]
#[serde(deny_unknown_fields)]
struct LeadIn {
    /// Whose it is.
    contact_id: String,
    /// What it is about.
    title: String,
    /// Where it came from; `manual` when absent.
    source: Option<String>,
    /// The responsible operator; the caller when absent.
    operator_id: Option<String>,
    /// Custom fields.
    #[serde(default)]
    #[schema(value_type = Object)]
    fields: Map<String, Value>,
    /// Words stuck on it; they are kept in small letters.
    tags: Option<Vec<String>>,
}

/// Makes a lead. 409 when the contact has an open one.
#[utoipa::path(post, path = "/api/v1/leads", tag = "leads", request_body = LeadIn,
    responses((status = 201, body = LeadView)))]
async fn create_lead(
    State(app): State<App>,
    May(caller, _): May<on::Lead, to::Edit>,
    Json(body): Json<LeadIn>,
) -> Result<(StatusCode, Json<LeadView>)> {
    let title = title(&body.title)?;
    let contact = sight::find(app.db.read(), &caller.scope, &body.contact_id)
        .await?
        .ok_or_else(|| Problem::invalid("contact_id", "there is no such contact, or you may not see it"))?;
    if let Some(into) = contact.merged_into {
        let message = format!("this contact was merged into {into}");
        return Err(Problem::invalid("contact_id", message));
    }
    let fields = changed(app.db.read(), Object::Lead, &Map::new(), &body.fields, true)
        .await
        .map_err(|error| problem(error.into()))?;
    check_operator(&app, body.operator_id.as_deref()).await?;
    let tags = tags(body.tags)?;
    let now = app.clock.now();
    let row = lead::Model {
        id: id::new(Kind::Lead, now),
        title,
        status: "new".to_owned(),
        contact_id: body.contact_id,
        conversation_id: None,
        line_id: None,
        channel_id: None,
        channel_kind: None,
        operator_id: body.operator_id.or_else(|| Some(caller.operator.id.clone())),
        source: body.source.unwrap_or_else(|| "manual".to_owned()),
        attribution: json!({"first": {}, "last": {}}),
        fields: Value::Object(fields),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let mut write = app.db.write().await?;
    store::create(&mut write, row.clone()).await.map_err(problem)?;
    tag::add(&write, &row.id, &tags.unwrap_or_default()).await?;
    write.commit().await?;
    Ok((StatusCode::CREATED, Json(view(&app, row).await?)))
}

/// What to change; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = LeadPatch)]
#[serde(deny_unknown_fields)]
struct LeadPatch {
    /// What it is about.
    title: Option<String>,
    /// Where it stands.
    status: Option<Status>,
    /// The responsible operator; null clears it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    operator_id: Option<Option<String>>,
    /// Where it came from.
    source: Option<String>,
    /// Custom fields to set; a null removes one.
    #[schema(value_type = Option<Object>)]
    fields: Option<Map<String, Value>>,
    /// All its tags; they are kept in small letters.
    tags: Option<Vec<String>>,
    /// Why it is junk, in words, or the id of a reason.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    loss_reason: Option<Option<String>>,
    /// The version the change was made from; 409 when it is not the present one.
    version: Option<i64>,
}

/// Changes a lead.
#[utoipa::path(patch, path = "/api/v1/leads/{id}", tag = "leads", params(("id" = String, Path, description = "`led_…`")),
    request_body = LeadPatch, responses((status = 200, body = LeadView)))]
async fn update_lead(
    State(app): State<App>,
    May(caller, _): May<on::Lead, to::Edit>,
    Path(id): Path<String>,
    Json(body): Json<LeadPatch>,
) -> Result<Json<LeadView>> {
    seen(&app, &caller.scope, Action::Edit, &id).await?;
    check_operator(&app, body.operator_id.as_ref().and_then(|id| id.as_deref())).await?;
    let loss_reason = match body.loss_reason {
        Some(Some(given)) => {
            let words = reason::words(app.db.read(), given.trim()).await?;
            Some(Some(clean_line(&words, reason::LIMIT)).filter(|words| !words.is_empty()))
        }
        other => other,
    };
    let change = Change {
        title: body.title.as_deref().map(title).transpose()?,
        status: body.status,
        operator_id: body.operator_id,
        source: body.source.map(|source| clean_line(&source, 100)),
        fields: body.fields,
        tags: tags(body.tags)?,
        loss_reason,
        version: body.version,
        by: Some(caller.operator.id.clone()),
    };
    let mut write = app.db.write().await?;
    store::change(&mut write, &id, change, app.clock.now())
        .await
        .map_err(problem)?;
    write.commit().await?;
    // By its id alone: the change may have taken it out of the caller's sight.
    let row = lead::Entity::find_by_id(&id).one(app.db.read()).await?;
    view(&app, row.ok_or_else(|| Problem::not_found("lead"))?)
        .await
        .map(Json)
}

/// Tags in the form in which they are kept.
fn tags(said: Option<Vec<String>>) -> Result<Option<Vec<String>>> {
    let mut faults = Vec::new();
    let tags = checked_tags(said, &mut faults);
    if faults.is_empty() {
        Ok(tags)
    } else {
        Err(Problem::validation(faults))
    }
}

fn title(title: &str) -> Result<String> {
    let clean = clean_line(title, 300);
    if clean.is_empty() {
        Err(Problem::invalid("title", "is empty"))
    } else {
        Ok(clean)
    }
}

async fn check_operator(app: &App, id: Option<&str>) -> Result<()> {
    let Some(id) = id else { return Ok(()) };
    let known = operator::Entity::find_by_id(id)
        .one(app.db.read())
        .await?
        .is_some();
    if known {
        Ok(())
    } else {
        Err(Problem::invalid("operator_id", "there is no such user"))
    }
}

pub(super) fn problem(error: ChangeError) -> Problem {
    match error {
        ChangeError::Missing => Problem::not_found("lead"),
        ChangeError::Stale | ChangeError::SecondOpen | ChangeError::Merged => {
            Problem::conflict(error.to_string())
        }
        ChangeError::Invalid(faults) => Problem::validation(faults),
        ChangeError::Db(error) => error.into(),
    }
}
