//! Whether an operator is there (presence) and takes work (availability).

use std::time::Duration;

use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::users::shown;
use crate::{
    api::{
        Json, Path,
        auth::{Staff, Supervisor},
        problem::{Problem, Result},
    },
    app::App,
    operator::{Availability, Presence, presence, store, view::User},
};

/// The shortest lease: below it a slow network looks like absence.
const SHORTEST_SECS: u64 = 5;
/// The longest: a day.
const LONGEST_SECS: u64 = 86_400;
/// The lease of programs; sockets have each their own.
const SOURCE: &str = "api";

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(set_my_presence))
        .routes(routes!(set_my_availability))
        .routes(routes!(set_user_availability))
}

/// A client without a socket says whether its user is there.
#[derive(Deserialize, ToSchema)]
struct PresenceIn {
    /// `online`, `away` or `offline`.
    state: Presence,
    /// Seconds it holds unless it is said again; 60 when absent.
    #[schema(minimum = 5, maximum = 86400)]
    ttl_secs: Option<u64>,
}

/// What an operator says of themselves.
#[derive(Deserialize, ToSchema)]
struct AvailabilityIn {
    /// `accepting`, `paused` or `off`.
    state: Availability,
    /// Why not accepting, at most 200 characters; colleagues see it.
    #[schema(max_length = 200)]
    reason: Option<String>,
}

/// Says that the caller is there for the next seconds, without an open socket.
#[utoipa::path(put, path = "/api/v1/me/presence", tag = "me", operation_id = "set_my_presence",
    request_body = PresenceIn, responses((status = 200, body = User)))]
async fn set_my_presence(
    State(app): State<App>,
    Staff(caller): Staff,
    Json(input): Json<PresenceIn>,
) -> Result<Json<User>> {
    let ttl = input.ttl_secs.unwrap_or(60);
    if !(SHORTEST_SECS..=LONGEST_SECS).contains(&ttl) {
        return Err(Problem::invalid(
            "ttl_secs",
            format!("must be from {SHORTEST_SECS} to {LONGEST_SECS}"),
        ));
    }
    let (id, now) = (&caller.operator.id, app.clock.now());
    match input.state {
        Presence::Offline => presence::leave(&app.db, id, SOURCE, Duration::ZERO, now).await?,
        state => presence::touch(&app.db, id, SOURCE, state, Duration::from_secs(ttl), now).await?,
    }
    shown(&app, caller.operator).await
}

/// Says whether the caller takes work. Against their schedule `accepting` stands until its next change
/// (the end of the break, the next shift).
#[utoipa::path(put, path = "/api/v1/me/availability", tag = "me", operation_id = "set_my_availability",
    request_body = AvailabilityIn, responses((status = 200, body = User)))]
async fn set_my_availability(
    State(app): State<App>,
    Staff(caller): Staff,
    Json(input): Json<AvailabilityIn>,
) -> Result<Json<User>> {
    set(&app, &caller.operator.id, input).await
}

/// Says for somebody else whether they take work.
#[utoipa::path(put, path = "/api/v1/users/{id}/availability", tag = "users", operation_id = "set_user_availability",
    params(("id" = String, Path, description = "`opr_…`")), request_body = AvailabilityIn,
    responses((status = 200, body = User)))]
async fn set_user_availability(
    State(app): State<App>,
    Supervisor(_caller): Supervisor,
    Path(id): Path<String>,
    Json(input): Json<AvailabilityIn>,
) -> Result<Json<User>> {
    set(&app, &id, input).await
}

async fn set(app: &App, id: &str, input: AvailabilityIn) -> Result<Json<User>> {
    let mut write = app.db.write().await?;
    let row = store::set_availability(&mut write, id, input.state, input.reason, app.clock.now()).await?;
    write.commit().await?;
    shown(app, row).await
}
