//! How far visitors come with a form.

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::channels::find;
use crate::{
    api::{
        Json, Path,
        auth::Supervisor,
        extract::Query,
        problem::{Problem, Result},
    },
    app::App,
    form::usage::{self, UsageView},
};

/// Days that are shown when nothing is asked for.
const DAYS: i64 = 30;
/// The most.
const MOST_DAYS: i64 = 366;

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(form_usage))
}

#[derive(Debug, Deserialize, IntoParams)]
struct UsageQuery {
    /// How many days back, today among them: 1 to 366; 30 when left out.
    days: Option<i64>,
}

/// How often a form was seen, begun and sent, and at which field visitors left it. Counted by the form's own pages and
/// scripts, by day in UTC, without telling visitors apart; copies in plain HTML and programs are not counted.
#[utoipa::path(get, path = "/api/v1/channels/{id}/use", tag = "channels", operation_id = "form_use",
    params(("id" = String, Path, description = "`chn_…` or the key"), UsageQuery), responses((status = 200, body = UsageView)))]
async fn form_usage(
    State(app): State<App>,
    Supervisor(_caller): Supervisor,
    Path(id): Path<String>,
    Query(query): Query<UsageQuery>,
) -> Result<Json<UsageView>> {
    let days = query.days.unwrap_or(DAYS);
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(Problem::bad_request(format!("days must be 1 to {MOST_DAYS}")));
    }
    let row = find(&app, &id).await?;
    Ok(Json(
        usage::report(app.db.read(), &row.id, days, app.clock.now()).await?,
    ))
}
