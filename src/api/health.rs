//! For machines that watch the server: is it alive, is it ready, what do its figures say.

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
    routing::get,
};
use sea_orm::{ConnectionTrait, DbErr, Statement};
use serde::Serialize;
use subtle::ConstantTimeEq;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Json, problem::Problem};
use crate::{app::App, db::Db, telemetry::metrics::Gauge};

/// Routes of the API document.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_health_live))
        .routes(routes!(get_health_ready))
}

/// `/metrics`, which is no JSON and not part of the document.
pub fn metrics_router() -> Router<App> {
    Router::new().route("/metrics", get(metrics))
}

/// How the server is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Health {
    /// `ok`.
    pub status: &'static str,
    /// The version that runs.
    pub version: &'static str,
}

const OK: Health = Health {
    status: "ok",
    version: env!("CARGO_PKG_VERSION"),
};

/// The process runs.
#[utoipa::path(get, path = "/health/live", tag = "health", operation_id = "get_health_live", security(()),
    responses((status = 200, body = Health)))]
async fn get_health_live() -> Json<Health> {
    Json(OK)
}

/// The process can serve: the database answers and no shutdown has begun.
#[utoipa::path(get, path = "/health/ready", tag = "health", operation_id = "get_health_ready", security(()),
    responses((status = 200, body = Health), (status = 503, body = Problem, content_type = "application/problem+json")))]
async fn get_health_ready(State(app): State<App>) -> Result<Json<Health>, Problem> {
    if app.stop.is_cancelled() {
        return Err(Problem::unavailable("the server is stopping"));
    }
    let answered = tokio::time::timeout(std::time::Duration::from_secs(5), app.db.ping()).await;
    match answered {
        Ok(Ok(())) => Ok(Json(OK)),
        Ok(Err(error)) => {
            tracing::error!(%error, "the database does not answer");
            Err(Problem::unavailable("the database does not answer"))
        }
        Err(_) => Err(Problem::unavailable("the database does not answer in time")),
    }
}

async fn metrics(State(app): State<App>, headers: HeaderMap) -> Response {
    if let Some(token) = app.config.server.metrics_token.get() {
        let given = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let given = given.strip_prefix("Bearer ").unwrap_or_default();
        if !bool::from(given.as_bytes().ct_eq(token.as_bytes())) {
            return Problem::unauthenticated_because("send `Authorization: Bearer <server.metrics_token>`")
                .into_response();
        }
    }
    if let Err(error) = measure(&app.db).await {
        return Problem::from(error).into_response();
    }
    let uptime = (app.clock.now() - app.started_at).num_milliseconds();
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
    Gauge::Uptime.set(uptime as f64 / 1000.0, &[]);
    app.metrics.run_upkeep();
    let body = app.metrics.render();
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        body,
    )
        .into_response()
}

/// Reads the figures that stand in the database; each is a count over a small index.
async fn measure(db: &Db) -> Result<(), DbErr> {
    let open = "SELECT state AS label, COUNT(*) AS n FROM session WHERE state <> 'closed' GROUP BY state";
    grouped(db, Gauge::Sessions, "state", &["waiting", "assigned"], open).await?;
    let outbox = "SELECT state AS label, COUNT(*) AS n FROM outbox GROUP BY state";
    grouped(
        db,
        Gauge::Outbox,
        "state",
        &["queued", "sending", "failed", "uncertain"],
        outbox,
    )
    .await?;
    let channels = "SELECT health_state AS label, COUNT(*) AS n FROM channel GROUP BY health_state";
    let states = ["starting", "ok", "degraded", "failed", "disabled"];
    grouped(db, Gauge::Channels, "health", &states, channels).await?;
    let webhooks = "SELECT CASE WHEN enabled AND failures = 0 THEN 'ok' WHEN enabled THEN 'degraded' \
                    WHEN disabled_because IS NULL THEN 'disabled' ELSE 'failed' END AS label, COUNT(*) AS n \
                    FROM webhook GROUP BY label";
    grouped(
        db,
        Gauge::Webhooks,
        "health",
        &["ok", "degraded", "failed", "disabled"],
        webhooks,
    )
    .await?;
    let lag = "SELECT name AS label, (SELECT value FROM counter WHERE name = 'event') - seq AS n FROM consumer_cursor";
    grouped(db, Gauge::ConsumerLag, "consumer", &[], lag).await?;
    let quarantine = "SELECT '' AS label, COUNT(*) AS n FROM quarantine WHERE replayed_at IS NULL";
    grouped(db, Gauge::Quarantine, "", &[], quarantine).await?;
    let head = "SELECT '' AS label, value AS n FROM counter WHERE name = 'event'";
    grouped(db, Gauge::EventHead, "", &[], head).await
}

async fn grouped(db: &Db, gauge: Gauge, label: &'static str, known: &[&str], sql: &str) -> Result<(), DbErr> {
    let labels = |value: &str| {
        if label.is_empty() {
            Vec::new()
        } else {
            vec![(label, value.to_owned())]
        }
    };
    // What is not among the rows is none, not what it was.
    for value in known {
        gauge.set(0.0, &labels(value));
    }
    for row in db
        .read()
        .query_all_raw(Statement::from_string(db.backend(), sql))
        .await?
    {
        let value: String = row.try_get("", "label")?;
        let count: i64 = row.try_get("", "n")?;
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
        gauge.set(count as f64, &labels(&value));
    }
    Ok(())
}
