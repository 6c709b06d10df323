//! Teams. Everybody inside reads them; admins change them.

use axum::{extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        Json, Path, Query,
        auth::{Admin, Staff},
        page::{Page, PageQuery},
        problem::{Problem, Result},
    },
    app::App,
    line,
    operator::{
        self,
        team::{self, Team},
    },
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_teams, create_team))
        .routes(routes!(get_team, update_team, delete_team))
}

/// A team about to be made.
#[derive(Deserialize, ToSchema)]
struct TeamIn {
    /// What people call it.
    name: String,
    /// Its operators, in order.
    #[serde(default)]
    member_ids: Vec<String>,
}

/// The fields of a team that change.
#[derive(Deserialize, ToSchema)]
struct TeamPatch {
    /// What people call it.
    name: Option<String>,
    /// Its operators, in order: all of them.
    member_ids: Option<Vec<String>>,
}

fn problem(error: operator::Error) -> Problem {
    match error {
        operator::Error::NotFound => Problem::not_found("team"),
        other => other.into(),
    }
}

/// Lists teams in the order they were made.
#[utoipa::path(get, path = "/api/v1/teams", tag = "teams", operation_id = "list_teams", params(PageQuery),
    responses((status = 200, body = Page<Team>)))]
async fn list_teams(
    State(app): State<App>,
    Staff(_caller): Staff,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Team>>> {
    let limit = page.limit()?;
    let after: Option<String> = page.after()?;
    let rows = team::list(app.db.read(), after.as_deref(), limit + 1).await?;
    Ok(Json(Page::of_rows(rows, limit, |row| row.id.clone())))
}

/// Makes a team.
#[utoipa::path(post, path = "/api/v1/teams", tag = "teams", operation_id = "create_team", request_body = TeamIn,
    responses((status = 201, body = Team)))]
async fn create_team(
    State(app): State<App>,
    Admin(_caller): Admin,
    Json(input): Json<TeamIn>,
) -> Result<(StatusCode, Json<Team>)> {
    let mut write = app.db.write().await?;
    let made = team::create(&mut write, &input.name, &input.member_ids, app.clock.now())
        .await
        .map_err(problem)?;
    write.commit().await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// One team.
#[utoipa::path(get, path = "/api/v1/teams/{id}", tag = "teams", operation_id = "get_team",
    params(("id" = String, Path, description = "`tem_…`")), responses((status = 200, body = Team)))]
async fn get_team(
    State(app): State<App>,
    Staff(_caller): Staff,
    Path(id): Path<String>,
) -> Result<Json<Team>> {
    Ok(Json(team::find(app.db.read(), &id).await.map_err(problem)?))
}

/// Changes the fields given. The queues it stands in change with it.
#[utoipa::path(patch, path = "/api/v1/teams/{id}", tag = "teams", operation_id = "update_team",
    params(("id" = String, Path, description = "`tem_…`")), request_body = TeamPatch,
    responses((status = 200, body = Team)))]
async fn update_team(
    State(app): State<App>,
    Admin(_caller): Admin,
    Path(id): Path<String>,
    Json(input): Json<TeamPatch>,
) -> Result<Json<Team>> {
    let mut write = app.db.write().await?;
    let changed = team::update(
        &mut write,
        &id,
        input.name.as_deref(),
        input.member_ids.as_deref(),
        app.clock.now(),
    )
    .await
    .map_err(problem)?;
    line::store::team_changed(&mut write, &id, app.clock.now()).await?;
    write.commit().await?;
    Ok(Json(changed))
}

/// Removes a team; it leaves the queues it stood in.
#[utoipa::path(delete, path = "/api/v1/teams/{id}", tag = "teams", operation_id = "delete_team",
    params(("id" = String, Path, description = "`tem_…`")), responses((status = 204, description = "Removed")))]
async fn delete_team(
    State(app): State<App>,
    Admin(_caller): Admin,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    let mut write = app.db.write().await?;
    // Before it goes: afterwards nobody knows where it stood.
    line::store::team_changed(&mut write, &id, app.clock.now()).await?;
    team::delete(&mut write, &id, app.clock.now())
        .await
        .map_err(problem)?;
    write.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
