//! Fields that admins define. Everybody inside reads them: cards show them.

use axum::{extract::State, http::StatusCode};
use sea_orm::EntityTrait;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        Json, Path, Query,
        auth::{Admin, Staff},
        page::Page,
        problem::{Problem, Result},
    },
    app::App,
    custom_field::{
        Choice, Object, Type,
        store::{self, Change, CustomFieldView, Error, New},
    },
    db::entity::custom_field,
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_custom_fields, create_custom_field))
        .routes(routes!(
            get_custom_field,
            update_custom_field,
            delete_custom_field
        ))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct ListQuery {
    /// Only those of `contact`, `company`, `lead` or `deal`.
    object: Option<Object>,
}

/// A field about to be defined.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = CustomFieldInput)]
#[serde(deny_unknown_fields)]
struct FieldIn {
    /// What has it.
    object: Object,
    /// Under which its values stand in `fields`: a to z, 0 to 9 and _, a letter first. It never changes.
    key: String,
    /// What people read.
    label: String,
    /// What it holds. It never changes.
    r#type: Type,
    /// What may be chosen, of a select.
    #[serde(default)]
    options: Vec<Choice>,
    /// New objects must have it, and it cannot be emptied.
    #[serde(default)]
    required: bool,
}

/// What of a field changes.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = CustomFieldPatch)]
#[serde(deny_unknown_fields)]
struct FieldPatch {
    /// What people read.
    label: Option<String>,
    /// All that may be chosen; values chosen before stay where they are.
    options: Option<Vec<Choice>>,
    /// New objects must have it, and it cannot be emptied.
    required: Option<bool>,
    /// Its place among the fields of its object, from 0.
    position: Option<i64>,
    /// The version the change was made from; 409 when it is not the present one.
    version: Option<i64>,
}

fn problem(error: Error) -> Problem {
    match error {
        Error::Missing => Problem::not_found("custom field"),
        Error::Stale => Problem::conflict(error.to_string()),
        Error::Invalid(faults) => Problem::validation(faults),
        Error::Db(error) => error.into(),
    }
}

/// All fields, by object and place.
#[utoipa::path(get, path = "/api/v1/custom-fields", tag = "custom fields", params(ListQuery),
    responses((status = 200, body = Page<CustomFieldView>)))]
async fn list_custom_fields(
    State(app): State<App>,
    Staff(_caller): Staff,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<CustomFieldView>>> {
    let rows = store::list(app.db.read(), query.object).await?;
    Ok(Json(Page::whole(
        rows.into_iter().map(CustomFieldView::from).collect(),
    )))
}

async fn one(app: &App, id: &str) -> Result<CustomFieldView> {
    let row = custom_field::Entity::find_by_id(id).one(app.db.read()).await?;
    row.map(CustomFieldView::from)
        .ok_or_else(|| Problem::not_found("custom field"))
}

/// One field.
#[utoipa::path(get, path = "/api/v1/custom-fields/{id}", tag = "custom fields",
    params(("id" = String, Path, description = "`cfd_…`")), responses((status = 200, body = CustomFieldView)))]
async fn get_custom_field(
    State(app): State<App>,
    Staff(_caller): Staff,
    Path(id): Path<String>,
) -> Result<Json<CustomFieldView>> {
    one(&app, &id).await.map(Json)
}

/// Defines a field, as the last of its object.
#[utoipa::path(post, path = "/api/v1/custom-fields", tag = "custom fields", request_body = FieldIn,
    responses((status = 201, body = CustomFieldView)))]
async fn create_custom_field(
    State(app): State<App>,
    Admin(_caller): Admin,
    Json(body): Json<FieldIn>,
) -> Result<(StatusCode, Json<CustomFieldView>)> {
    let new = New {
        object: body.object,
        key: body.key,
        label: body.label,
        kind: body.r#type,
        options: body.options,
        required: body.required,
    };
    let write = app.db.write().await?;
    let made = store::create(&write, new, app.clock.now())
        .await
        .map_err(problem)?;
    write.commit().await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// Changes a field.
#[utoipa::path(patch, path = "/api/v1/custom-fields/{id}", tag = "custom fields",
    params(("id" = String, Path, description = "`cfd_…`")), request_body = FieldPatch,
    responses((status = 200, body = CustomFieldView)))]
async fn update_custom_field(
    State(app): State<App>,
    Admin(_caller): Admin,
    Path(id): Path<String>,
    Json(body): Json<FieldPatch>,
) -> Result<Json<CustomFieldView>> {
    let change = Change {
        label: body.label,
        options: body.options,
        required: body.required,
        position: body.position,
        version: body.version,
    };
    let write = app.db.write().await?;
    store::change(&write, &id, change, app.clock.now())
        .await
        .map_err(problem)?;
    write.commit().await?;
    one(&app, &id).await.map(Json)
}

/// Forgets a field. Its values stay in the objects, as fields nobody defined.
#[utoipa::path(delete, path = "/api/v1/custom-fields/{id}", tag = "custom fields",
    params(("id" = String, Path, description = "`cfd_…`")), responses((status = 204)))]
async fn delete_custom_field(
    State(app): State<App>,
    Admin(_caller): Admin,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    let write = app.db.write().await?;
    store::remove(&write, &id).await.map_err(problem)?;
    write.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
