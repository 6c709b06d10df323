//! What becomes of leads: converting them, opening them again, and to whom new ones are given.

use axum::extract::State;
use sea_orm::EntityTrait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    deals::{self, Amount},
    leads,
};
use crate::{
    api::{
        Json, Path,
        auth::{Admin, Supervisor},
        problem::{Problem, Result},
        right::{self, May, on, to},
    },
    app::App,
    db::entity::{deal, lead},
    deal::{store as deal_store, view::DealView},
    lead::{
        assign::Rule,
        assignment::{self, Assignment},
        convert::{self, Error, Request},
        store::LeadView,
    },
    operator::rights::{Action, Object},
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(convert_lead))
        .routes(routes!(reopen_lead))
        .routes(routes!(get_lead_assignment, put_lead_assignment))
}

fn problem(error: Error) -> Problem {
    match error {
        Error::Lead(error) => leads::problem(error),
        Error::Conflict(reason) => Problem::conflict(reason),
        Error::Invalid(errors) => Problem::validation(errors),
    }
}

/// What a lead is to become.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ConvertIn {
    /// The deal is made with the lead's contact; true when absent.
    #[serde(default = "yes")]
    contact: bool,
    /// And with their company, which is made where there is none yet.
    #[serde(default)]
    company: bool,
    /// How that company is called, where neither the contact nor the lead's fields say.
    company_name: Option<String>,
    /// The deal; none is made when it is absent.
    deal: Option<ConvertDeal>,
    /// The version of the lead the request was made from; 409 when it is not the present one.
    version: Option<i64>,
}

fn yes() -> bool {
    true
}

/// The deal a lead becomes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ConvertDeal {
    /// The pipeline; the first one when absent.
    pipeline_id: Option<String>,
    /// The stage; the pipeline's first open one when absent.
    stage_id: Option<String>,
    /// What it is about; the lead's title when absent.
    title: Option<String>,
    /// What it is worth; not known when absent.
    #[schema(value_type = Option<String>)]
    amount: Option<Amount>,
    /// The currency (ISO 4217); that of the pipeline when absent.
    currency: Option<String>,
    /// The responsible operator; the lead's, or the caller, when absent.
    operator_id: Option<String>,
    /// Why it is lost, when it begins in a lost stage.
    loss_reason: Option<String>,
    /// Custom fields.
    #[schema(value_type = Option<Object>)]
    fields: Option<Map<String, Value>>,
    /// Words it is found by.
    tags: Option<Vec<String>>,
}

impl ConvertDeal {
    fn change(self) -> deal_store::Change {
        deal_store::Change {
            title: self.title,
            amount: self.amount.map(|amount| Some(amount.text())),
            currency: self.currency,
            pipeline_id: self.pipeline_id,
            stage_id: self.stage_id,
            operator_id: self.operator_id.map(Some),
            loss_reason: self.loss_reason.map(Some),
            fields: self.fields,
            tags: self.tags,
            ..deal_store::Change::default()
        }
    }
}

/// The lead, and what it became.
#[derive(Debug, Serialize, ToSchema)]
struct Converted {
    /// The lead.
    #[serde(flatten)]
    lead: LeadView,
    /// The company of the deal.
    company_id: Option<String>,
    /// The deal.
    deal: Option<DealView>,
}

/// Converts a lead into contact, company and deal. Asked again, it answers what the lead became the first time.
#[utoipa::path(post, path = "/api/v1/leads/{id}/convert", tag = "leads",
    params(("id" = String, Path, description = "`led_…`")), request_body = ConvertIn,
    responses((status = 200, body = Converted)))]
async fn convert_lead(
    State(app): State<App>,
    May(caller, _): May<on::Lead, to::Edit>,
    Path(id): Path<String>,
    Json(body): Json<ConvertIn>,
) -> Result<Json<Converted>> {
    leads::seen(&app, &caller.scope, Action::Edit, &id).await?;
    // What a lead becomes is made, and to make is a right of its own.
    if body.deal.is_some() {
        right::need(&caller.scope, Object::Deal, Action::Edit)?;
    }
    if body.company {
        right::need(&caller.scope, Object::Company, Action::Edit)?;
    }
    let request = Request {
        contact: body.contact,
        company: body.company,
        company_name: body.company_name,
        deal: body.deal.map(ConvertDeal::change),
        version: body.version,
    };
    let mut write = app.db.write().await?;
    convert::convert(&mut write, &id, request, &caller.operator.id, app.clock.now())
        .await
        .map_err(problem)?;
    write.commit().await?;
    let outcome = convert::outcome(app.db.read(), &id).await?;
    let made = match outcome.as_ref().and_then(|outcome| outcome.deal_id.as_ref()) {
        Some(id) => deal::Entity::find_by_id(id).one(app.db.read()).await?,
        None => None,
    };
    let deal = match made {
        Some(row) => Some(deals::show(&app, row).await?),
        None => None,
    };
    let of_deal = deal.as_ref().and_then(|deal| deal.company_id.clone());
    Ok(Json(Converted {
        lead: show(&app, &id).await?,
        company_id: of_deal.or_else(|| outcome.and_then(|outcome| outcome.company_id)),
        deal,
    }))
}

async fn show(app: &App, id: &str) -> Result<LeadView> {
    // By its id alone: the change may have taken it out of the caller's sight.
    let row = lead::Entity::find_by_id(id).one(app.db.read()).await?;
    leads::view(app, row.ok_or_else(|| Problem::not_found("lead"))?).await
}

/// How a lead is opened again.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct ReopenIn {
    /// Its deal stays, though it has gone on.
    keep_deal: bool,
}

/// Opens a converted or junk lead again. The deal it became goes when nothing has happened to it; one that has gone
/// on answers 409 unless it is to stay.
#[utoipa::path(post, path = "/api/v1/leads/{id}/reopen", tag = "leads",
    params(("id" = String, Path, description = "`led_…`")), request_body = ReopenIn,
    responses((status = 200, body = LeadView)))]
async fn reopen_lead(
    State(app): State<App>,
    May(caller, _): May<on::Lead, to::Edit>,
    Path(id): Path<String>,
    Json(body): Json<ReopenIn>,
) -> Result<Json<LeadView>> {
    leads::seen(&app, &caller.scope, Action::Edit, &id).await?;
    let mut write = app.db.write().await?;
    let by = &caller.operator.id;
    convert::reopen(&mut write, &id, body.keep_deal, by, app.clock.now())
        .await
        .map_err(problem)?;
    write.commit().await?;
    show(&app, &id).await.map(Json)
}

/// The rules by which new leads are given to operators.
#[utoipa::path(get, path = "/api/v1/lead-assignment", tag = "leads", responses((status = 200, body = Assignment)))]
async fn get_lead_assignment(
    State(app): State<App>,
    Supervisor(_caller): Supervisor,
) -> Result<Json<Assignment>> {
    Ok(Json(assignment::read(app.db.read()).await?))
}

/// All rules in their order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LeadAssignmentIn {
    /// The first that fits and finds somebody decides.
    rules: Vec<Rule>,
    /// The version the change was made from; 409 when it is not the present one.
    version: Option<i64>,
}

/// Replaces the rules by which new leads are given to operators.
#[utoipa::path(put, path = "/api/v1/lead-assignment", tag = "leads", request_body = LeadAssignmentIn,
    responses((status = 200, body = Assignment)))]
async fn put_lead_assignment(
    State(app): State<App>,
    Admin(_caller): Admin,
    Json(body): Json<LeadAssignmentIn>,
) -> Result<Json<Assignment>> {
    let write = app.db.write().await?;
    let made = assignment::replace(&write, body.rules, body.version, app.clock.now())
        .await
        .map_err(|error| match error {
            assignment::Error::Stale => Problem::conflict(error.to_string()),
            assignment::Error::Invalid(errors) => Problem::validation(errors),
            assignment::Error::Db(error) => error.into(),
        })?;
    write.commit().await?;
    Ok(Json(made))
}
