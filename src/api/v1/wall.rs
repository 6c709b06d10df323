//! The supervisors' wall.

use axum::extract::State;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{Json, auth::Supervisor, problem::Result},
    app::App,
    wall::{Wall, store},
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_wall))
}

/// Lines, operators and waiting conversations as they are now. Whoever shows it asks again when the socket
/// tells of a conversation, an operator or a line.
#[utoipa::path(get, path = "/api/v1/wall", tag = "wall", responses((status = 200, body = Wall)))]
async fn get_wall(State(app): State<App>, Supervisor(_caller): Supervisor) -> Result<Json<Wall>> {
    let counting = &app.counting.get();
    let wall = store::wall(app.db.read(), &app.views, counting, app.clock.now()).await?;
    Ok(Json(wall))
}
