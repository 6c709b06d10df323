//! Templates. Everybody inside uses them and keeps some of their own; what others use is changed by admins.

use axum::{extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        Json, Path, Query,
        auth::Staff,
        page::{Page, PageQuery},
        problem::{Problem, Result},
    },
    app::App,
    template::{
        Error, Shared, Template,
        store::{self, New, Patch},
    },
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_templates, create_template))
        .routes(routes!(get_template, update_template, delete_template))
}

/// A template about to be made.
#[derive(Deserialize, ToSchema)]
struct TemplateIn {
    /// Whom it is for; the caller alone when nothing is said.
    #[serde(default = "own")]
    scope: Shared,
    /// Which line's, when it is a line's.
    line_id: Option<String>,
    /// What it is found by.
    name: String,
    /// The word that is typed after `/` to find it at once.
    shortcut: Option<String>,
    /// The text, with the variables contact.name, operator.name, line.name and conversation.number.
    body: String,
}

fn own() -> Shared {
    Shared::Own
}

/// The fields of a template that change.
#[derive(Deserialize, ToSchema)]
struct TemplatePatch {
    /// What it is found by.
    name: Option<String>,
    /// The word that is typed after `/`; an empty one takes it away.
    shortcut: Option<String>,
    /// The text.
    body: Option<String>,
    /// The version that was read.
    version: Option<i64>,
}

fn problem(error: Error) -> Problem {
    match error {
        Error::NotFound => Problem::not_found("template"),
        Error::Forbidden => Problem::forbidden(error.to_string()),
        Error::Stale => Problem::conflict(error.to_string()),
        Error::Invalid(errors) => Problem::validation(errors),
        Error::Db(error) => error.into(),
    }
}

/// Lists the templates the caller may use: everybody's, those of the lines they see, and their own.
#[utoipa::path(get, path = "/api/v1/templates", tag = "templates", operation_id = "list_templates", params(PageQuery),
    responses((status = 200, body = Page<Template>)))]
async fn list_templates(
    State(app): State<App>,
    Staff(caller): Staff,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Template>>> {
    let limit = page.limit()?;
    let after: Option<String> = page.after()?;
    let rows = store::list(app.db.read(), &caller.scope, after.as_deref(), limit + 1).await?;
    Ok(Json(
        Page::of_rows(rows, limit, |row| row.id.clone()).map(Template::from),
    ))
}

/// Makes a template.
#[utoipa::path(post, path = "/api/v1/templates", tag = "templates", operation_id = "create_template",
    request_body = TemplateIn, responses((status = 201, body = Template)))]
async fn create_template(
    State(app): State<App>,
    Staff(caller): Staff,
    Json(input): Json<TemplateIn>,
) -> Result<(StatusCode, Json<Template>)> {
    let new = New {
        scope: input.scope,
        line_id: input.line_id,
        name: input.name,
        shortcut: input.shortcut,
        body: input.body,
    };
    let write = app.db.write().await?;
    let made = store::create(&write, &caller.scope, new, app.clock.now())
        .await
        .map_err(problem)?;
    write.commit().await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// One template.
#[utoipa::path(get, path = "/api/v1/templates/{id}", tag = "templates", operation_id = "get_template",
    params(("id" = String, Path, description = "`tpl_…`")), responses((status = 200, body = Template)))]
async fn get_template(
    State(app): State<App>,
    Staff(caller): Staff,
    Path(id): Path<String>,
) -> Result<Json<Template>> {
    let row = store::find(app.db.read(), &caller.scope, &id)
        .await
        .map_err(problem)?;
    Ok(Json(row.into()))
}

/// Changes the fields given.
#[utoipa::path(patch, path = "/api/v1/templates/{id}", tag = "templates", operation_id = "update_template",
    params(("id" = String, Path, description = "`tpl_…`")), request_body = TemplatePatch,
    responses((status = 200, body = Template)))]
async fn update_template(
    State(app): State<App>,
    Staff(caller): Staff,
    Path(id): Path<String>,
    Json(input): Json<TemplatePatch>,
) -> Result<Json<Template>> {
    let patch = Patch {
        name: input.name,
        shortcut: input.shortcut,
        body: input.body,
        version: input.version,
    };
    let write = app.db.write().await?;
    let changed = store::update(&write, &caller.scope, &id, patch, app.clock.now())
        .await
        .map_err(problem)?;
    write.commit().await?;
    Ok(Json(changed.into()))
}

/// Removes a template.
#[utoipa::path(delete, path = "/api/v1/templates/{id}", tag = "templates", operation_id = "delete_template",
    params(("id" = String, Path, description = "`tpl_…`")), responses((status = 204, description = "Removed")))]
async fn delete_template(
    State(app): State<App>,
    Staff(caller): Staff,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    let write = app.db.write().await?;
    store::delete(&write, &caller.scope, &id).await.map_err(problem)?;
    write.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
