//! Roles: what users may do. Everybody inside reads them; admins define them beside the built-in ones.

use axum::{extract::State, http::StatusCode};
use serde::Deserialize;
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
    operator::{
        self,
        rights::rule::{Grid, Reach},
        role::{self, Change, RoleView},
    },
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_roles, create_role))
        .routes(routes!(get_role, update_role, delete_role))
}

/// A role about to be made, or what of one changes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RolePatch {
    /// What people call it, 1 to 100 characters; no two are called the same.
    name: Option<String>,
    /// All its rights: how far each action reaches, by object. What is not named is not given, and nothing goes further
    /// than `view`.
    #[schema(value_type = Option<BTreeMap<String, BTreeMap<String, Reach>>>)]
    rights: Option<Grid>,
    /// The version the change was made from; 409 when it is not the present one.
    version: Option<i64>,
}

impl RolePatch {
    fn change(self) -> Change {
        Change {
            name: self.name,
            rights: self.rights,
            version: self.version,
        }
    }
}

fn problem(error: operator::Error) -> Problem {
    match error {
        operator::Error::NotFound => Problem::not_found("role"),
        other => other.into(),
    }
}

/// All roles: the built-in ones, then those of admins by name.
#[utoipa::path(get, path = "/api/v1/roles", tag = "roles", operation_id = "list_roles",
    responses((status = 200, body = Page<RoleView>)))]
async fn list_roles(State(app): State<App>, Staff(_caller): Staff) -> Result<Json<Page<RoleView>>> {
    Ok(Json(Page::whole(role::list(app.db.read()).await?)))
}

/// Makes a role.
#[utoipa::path(post, path = "/api/v1/roles", tag = "roles", operation_id = "create_role", request_body = RolePatch,
    responses((status = 201, body = RoleView)))]
async fn create_role(
    State(app): State<App>,
    Admin(_caller): Admin,
    Json(input): Json<RolePatch>,
) -> Result<(StatusCode, Json<RoleView>)> {
    let write = app.db.write().await?;
    let id = role::create(&write, input.change(), app.clock.now())
        .await
        .map_err(problem)?;
    write.commit().await?;
    let made = role::find(app.db.read(), &id).await.map_err(problem)?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// One role.
#[utoipa::path(get, path = "/api/v1/roles/{id}", tag = "roles", operation_id = "get_role",
    params(("id" = String, Path, description = "`rol_…`, or `admin`, `supervisor`, `operator`")),
    responses((status = 200, body = RoleView)))]
async fn get_role(
    State(app): State<App>,
    Staff(_caller): Staff,
    Path(id): Path<String>,
) -> Result<Json<RoleView>> {
    Ok(Json(role::find(app.db.read(), &id).await.map_err(problem)?))
}

/// Changes a role. It holds at once for everybody who has it. Built-in ones answer 409.
#[utoipa::path(patch, path = "/api/v1/roles/{id}", tag = "roles", operation_id = "update_role",
    params(("id" = String, Path, description = "`rol_…`")), request_body = RolePatch,
    responses((status = 200, body = RoleView)))]
async fn update_role(
    State(app): State<App>,
    Admin(_caller): Admin,
    Path(id): Path<String>,
    Json(input): Json<RolePatch>,
) -> Result<Json<RoleView>> {
    let mut write = app.db.write().await?;
    role::update(&mut write, &id, input.change(), app.clock.now())
        .await
        .map_err(problem)?;
    write.commit().await?;
    Ok(Json(role::find(app.db.read(), &id).await.map_err(problem)?))
}

/// Removes a role. 409 while users have it, and of a built-in one.
#[utoipa::path(delete, path = "/api/v1/roles/{id}", tag = "roles", operation_id = "delete_role",
    params(("id" = String, Path, description = "`rol_…`")), responses((status = 204, description = "Removed")))]
async fn delete_role(
    State(app): State<App>,
    Admin(_caller): Admin,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    let write = app.db.write().await?;
    role::delete(&write, &id).await.map_err(problem)?;
    write.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
