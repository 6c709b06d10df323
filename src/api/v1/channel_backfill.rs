//! Taking in earlier mail on a channel, with progress.

use axum::extract::State;
use chrono::{Datelike, NaiveDate};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::channels::{channel_problem, find};
use crate::{
    api::{
        Json, Path,
        auth::{Admin, Staff},
        problem::Problem,
    },
    app::App,
    channel::backfill::{self, BackfillView},
};

/// The first year of any mailbox.
const EARLIEST: i32 = 1980;

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(channel_backfill, order_backfill, cancel_backfill))
}

/// What earlier mail is wanted.
#[derive(Debug, Deserialize, ToSchema)]
struct BackfillIn {
    /// First day.
    since: NaiveDate,
    /// Kept as history: opens no session, makes no lead and wakes nobody. Otherwise it counts as new.
    #[serde(default = "yes")]
    #[schema(default = true)]
    history: bool,
}

fn yes() -> bool {
    true
}

/// Says how far the channel is with earlier mail.
#[utoipa::path(get, path = "/api/v1/channels/{id}/backfill", tag = "channels", operation_id = "channel_backfill",
    params(("id" = String, Path, description = "`chn_…` or the key")), responses((status = 200, body = BackfillView)))]
async fn channel_backfill(
    State(app): State<App>,
    Staff(_caller): Staff,
    Path(id): Path<String>,
) -> Result<Json<BackfillView>, Problem> {
    let row = find(&app, &id).await?;
    Ok(Json(backfill::progress(app.db.read(), &row.id).await?))
}

/// Has the channel take in earlier mail, since a day. It goes on after a restart; what is here already is
/// recognised. The channel is started anew, and its version grows.
#[utoipa::path(post, path = "/api/v1/channels/{id}/backfill", tag = "channels", operation_id = "order_channel_backfill",
    params(("id" = String, Path, description = "`chn_…` or the key")), request_body = BackfillIn,
    responses((status = 200, body = BackfillView),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "This kind of channel has nothing earlier")))]
async fn order_backfill(
    State(app): State<App>,
    Admin(_caller): Admin,
    Path(id): Path<String>,
    Json(input): Json<BackfillIn>,
) -> Result<Json<BackfillView>, Problem> {
    let row = find(&app, &id).await?;
    let connector = app.host.connector(&row.id);
    let receiver = connector.as_ref().and_then(|connector| connector.receiver());
    if !receiver.is_some_and(|receiver| receiver.takes_earlier()) {
        return Err(Problem::conflict(
            "a channel of this kind, with these settings, has nothing earlier to take in",
        ));
    }
    let now = app.clock.now();
    if input.since.year() < EARLIEST || input.since > now.date_naive() {
        return Err(Problem::invalid("since", "must be a day from 1980 to today"));
    }
    let mut write = app.db.write().await?;
    backfill::order(&mut write, &row.id, input.since, input.history, now)
        .await
        .map_err(channel_problem)?;
    write.commit().await?;
    app.host.reload(&row.id).await?;
    Ok(Json(backfill::progress(app.db.read(), &row.id).await?))
}

/// Ends it; what was taken in stays.
#[utoipa::path(delete, path = "/api/v1/channels/{id}/backfill", tag = "channels", operation_id = "cancel_channel_backfill",
    params(("id" = String, Path, description = "`chn_…` or the key")), responses((status = 200, body = BackfillView)))]
async fn cancel_backfill(
    State(app): State<App>,
    Admin(_caller): Admin,
    Path(id): Path<String>,
) -> Result<Json<BackfillView>, Problem> {
    let row = find(&app, &id).await?;
    let mut write = app.db.write().await?;
    backfill::cancel(&mut write, &row.id, app.clock.now())
        .await
        .map_err(channel_problem)?;
    write.commit().await?;
    app.host.reload(&row.id).await?;
    Ok(Json(backfill::progress(app.db.read(), &row.id).await?))
}
