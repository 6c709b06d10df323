//! Pipelines and the reasons for which deals are lost. Everybody inside reads them; admins change them.

use std::collections::BTreeMap;

use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        Json, Path,
        auth::{Admin, Staff},
        page::Page,
        problem::{Problem, Result},
    },
    app::App,
    deal::{
        Error,
        pipeline::{self, Change, Pipeline},
        reason::{self, LossReason},
        stages::Wanted,
    },
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_pipelines, create_pipeline))
        .routes(routes!(get_pipeline, update_pipeline, delete_pipeline))
        .routes(routes!(list_loss_reasons, put_loss_reasons))
}

/// A deal's or pipeline's error as the caller gets it.
pub(crate) fn problem(error: Error, what: &str) -> Problem {
    match error {
        Error::NotFound => Problem::not_found(what),
        Error::Stale | Error::Conflict(_) => Problem::conflict(error.to_string()),
        Error::Invalid(errors) => Problem::validation(errors),
        Error::Db(error) => error.into(),
    }
}

/// Pipelines in their order, each with its stages.
#[utoipa::path(get, path = "/api/v1/pipelines", tag = "deals", responses((status = 200, body = Page<Pipeline>)))]
async fn list_pipelines(State(app): State<App>, Staff(_caller): Staff) -> Result<Json<Page<Pipeline>>> {
    Ok(Json(Page::whole(pipeline::list(app.db.read()).await?)))
}

/// A pipeline about to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PipelineIn {
    /// What people call it.
    name: String,
    /// Its stages in their order; at least one of kind `open`.
    stages: Vec<Wanted>,
    /// Currency of its deals when nothing else is said (ISO 4217); USD when absent.
    currency: Option<String>,
    /// Its place among the pipelines, from 0; the last when absent.
    position: Option<i64>,
}

/// Makes a pipeline.
#[utoipa::path(post, path = "/api/v1/pipelines", tag = "deals", request_body = PipelineIn,
    responses((status = 201, body = Pipeline)))]
async fn create_pipeline(
    State(app): State<App>,
    Admin(_caller): Admin,
    Json(body): Json<PipelineIn>,
) -> Result<(StatusCode, Json<Pipeline>)> {
    let new = Change {
        name: Some(body.name),
        currency: body.currency,
        position: body.position,
        stages: Some(body.stages),
        ..Change::default()
    };
    let mut write = app.db.write().await?;
    let id = pipeline::create(&mut write, new, app.clock.now())
        .await
        .map_err(|error| problem(error, "pipeline"))?;
    write.commit().await?;
    Ok((StatusCode::CREATED, Json(one(&app, &id).await?)))
}

async fn one(app: &App, id: &str) -> Result<Pipeline> {
    pipeline::find(app.db.read(), id)
        .await
        .map_err(|error| problem(error, "pipeline"))
}

/// One pipeline.
#[utoipa::path(get, path = "/api/v1/pipelines/{id}", tag = "deals",
    params(("id" = String, Path, description = "`pip_…`")), responses((status = 200, body = Pipeline)))]
async fn get_pipeline(
    State(app): State<App>,
    Staff(_caller): Staff,
    Path(id): Path<String>,
) -> Result<Json<Pipeline>> {
    one(&app, &id).await.map(Json)
}

/// What to change; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PipelinePatch {
    /// What people call it.
    name: Option<String>,
    /// All its stages in their order; those with an id stay who they are, those left out go.
    stages: Option<Vec<Wanted>>,
    /// Where the deals of stages go that are left out, by the stage's id: a stage that stays, of the same kind.
    #[serde(default)]
    move_deals: BTreeMap<String, String>,
    /// Currency of its deals when nothing else is said.
    currency: Option<String>,
    /// Its place among the pipelines, from 0.
    position: Option<i64>,
    /// The version the change was made from; 409 when it is not the present one.
    version: Option<i64>,
}

/// Changes a pipeline.
#[utoipa::path(patch, path = "/api/v1/pipelines/{id}", tag = "deals",
    params(("id" = String, Path, description = "`pip_…`")), request_body = PipelinePatch,
    responses((status = 200, body = Pipeline)))]
async fn update_pipeline(
    State(app): State<App>,
    Admin(caller): Admin,
    Path(id): Path<String>,
    Json(body): Json<PipelinePatch>,
) -> Result<Json<Pipeline>> {
    let change = Change {
        name: body.name,
        currency: body.currency,
        position: body.position,
        stages: body.stages,
        move_deals: body.move_deals,
        version: body.version,
    };
    let mut write = app.db.write().await?;
    pipeline::change(&mut write, &id, change, &caller.operator.id, app.clock.now())
        .await
        .map_err(|error| problem(error, "pipeline"))?;
    write.commit().await?;
    one(&app, &id).await.map(Json)
}

/// Removes a pipeline that has no deals.
#[utoipa::path(delete, path = "/api/v1/pipelines/{id}", tag = "deals",
    params(("id" = String, Path, description = "`pip_…`")), responses((status = 204, description = "Removed")))]
async fn delete_pipeline(
    State(app): State<App>,
    Admin(_caller): Admin,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    let mut write = app.db.write().await?;
    pipeline::remove(&mut write, &id, app.clock.now())
        .await
        .map_err(|error| problem(error, "pipeline"))?;
    write.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Why deals are lost, as operators are offered it.
#[utoipa::path(get, path = "/api/v1/loss-reasons", tag = "deals",
    responses((status = 200, body = Page<LossReason>)))]
async fn list_loss_reasons(State(app): State<App>, Staff(_caller): Staff) -> Result<Json<Page<LossReason>>> {
    Ok(Json(Page::whole(reason::list(app.db.read()).await?)))
}

/// All reasons in their order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LossReasonsIn {
    /// The reasons; those with an id stay who they are.
    items: Vec<LossReasonIn>,
}

/// A reason.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LossReasonIn {
    /// Which one it is; a new one when absent.
    id: Option<String>,
    /// In words.
    name: String,
}

/// Replaces the reasons. Deals keep the words they were given.
#[utoipa::path(put, path = "/api/v1/loss-reasons", tag = "deals", request_body = LossReasonsIn,
    responses((status = 200, body = Page<LossReason>)))]
async fn put_loss_reasons(
    State(app): State<App>,
    Admin(_caller): Admin,
    Json(body): Json<LossReasonsIn>,
) -> Result<Json<Page<LossReason>>> {
    if body.items.len() > reason::MOST {
        return Err(Problem::invalid(
            "items",
            format!("at most {} reasons", reason::MOST),
        ));
    }
    let mut wanted = Vec::new();
    for (at, item) in body.items.into_iter().enumerate() {
        let name = crate::ingest::clean_line(&item.name, reason::LIMIT);
        if name.is_empty() {
            return Err(Problem::invalid(format!("items.{at}.name"), "is empty"));
        }
        wanted.push((item.id, name));
    }
    let write = app.db.write().await?;
    reason::replace(&write, wanted, app.clock.now()).await?;
    write.commit().await?;
    Ok(Json(Page::whole(reason::list(app.db.read()).await?)))
}
