//! What counts toward the operators' load.

use axum::extract::State;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        Json,
        auth::{Admin, Supervisor},
        problem::{Problem, Result},
    },
    app::App,
    operator::counting::{self, Counting},
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_counting, set_counting))
}

/// What one open session weighs by the kind of its channel, and for how long it counts while it waits for
/// the client.
#[utoipa::path(get, path = "/api/v1/routing/counting", tag = "lines", operation_id = "get_counting",
    responses((status = 200, body = Counting)))]
async fn get_counting(State(app): State<App>, _: Supervisor) -> Result<Json<Counting>> {
    app.counting.read(&app.db).await?;
    Ok(Json(app.counting.get()))
}

/// Sets it. It holds at once, for sessions that are open and for those that wait.
#[utoipa::path(put, path = "/api/v1/routing/counting", tag = "lines", operation_id = "set_counting",
    request_body = Counting, responses((status = 200, body = Counting),
        (status = 422, description = "A weight is not 0 to 1000, or the time is not 1 to 604800")))]
async fn set_counting(
    State(app): State<App>,
    _: Admin,
    Json(counting): Json<Counting>,
) -> Result<Json<Counting>> {
    let problems = counting.problems();
    if !problems.is_empty() {
        return Err(Problem::validation(problems));
    }
    let mut write = app.db.write().await?;
    counting::save(&mut write, &counting, app.clock.now()).await?;
    write.commit().await?;
    app.counting.read(&app.db).await?;
    Ok(Json(counting))
}
