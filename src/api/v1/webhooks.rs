//! Outgoing webhooks. They tell what an admin sees, so admins alone make and read them.

use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        Json, Path, Query,
        auth::Admin,
        page::{Page, PageQuery},
        problem::{Problem, Result},
    },
    app::App,
    db::entity::webhook as table,
    webhook::{
        self, Error, New, Patch,
        payload::{self, Telling},
        queue, select,
        store::{self, Again, Filter},
        view::{AttemptView, DeliveryView, DeliveryWhole, WebhookView, views},
    },
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_webhooks, create_webhook))
        .routes(routes!(list_webhook_events))
        .routes(routes!(get_webhook, update_webhook, delete_webhook))
        .routes(routes!(rotate_webhook_secret))
        .routes(routes!(test_webhook))
        .routes(routes!(replay_failed_deliveries))
        .routes(routes!(list_webhook_deliveries))
        .routes(routes!(get_webhook_delivery))
        .routes(routes!(replay_webhook_delivery))
}

/// A webhook about to be made.
#[derive(Deserialize, ToSchema)]
struct WebhookIn {
    /// What people call it; the address' host when nothing is said.
    name: Option<String>,
    /// Where it is told: a whole address, `https://…`.
    url: String,
    /// Words of events (`GET /api/v1/webhooks/events`), `lead.*` or `*`. None: it serves forms only.
    #[serde(default)]
    events: Vec<String>,
    /// `whsec_` and 24 to 64 bytes in base64; made up when absent.
    secret: Option<String>,
    /// Whether it is told of anything.
    #[serde(default = "yes")]
    enabled: bool,
}

fn yes() -> bool {
    true
}

/// The fields of a webhook that change.
#[derive(Deserialize, ToSchema)]
struct WebhookPatch {
    /// New name.
    name: Option<String>,
    /// New address.
    url: Option<String>,
    /// New choice of events.
    events: Option<Vec<String>>,
    /// On or off. Switched on it is told of what happens from then on, and of what still waits.
    enabled: Option<bool>,
    /// Another secret; the one before it signs too for a day.
    secret: Option<String>,
    /// The version that was read.
    version: Option<i64>,
}

/// Another secret.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
struct RotateIn {
    /// The new one; made up when absent.
    secret: Option<String>,
    /// For how long the one before it signs too: a day when nothing is said, 30 at most, 0 to drop it at once.
    overlap_secs: Option<u32>,
}

/// Which failed deliveries are sent again.
#[derive(Deserialize, ToSchema)]
struct ReplayIn {
    /// Made at this time or later.
    since: DateTime<Utc>,
    /// Made before; until now when nothing is said.
    until: Option<DateTime<Utc>>,
}

/// How many were queued.
#[derive(Serialize, ToSchema)]
struct Replayed {
    /// Deliveries that go out again.
    queued: u64,
}

/// A word of an event.
#[derive(Serialize, ToSchema)]
struct WebhookEvent {
    /// The word.
    r#type: &'static str,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct DeliveriesQuery {
    /// `queued`, `sending`, `delivered` or `failed`.
    state: Option<String>,
    /// A word of an event.
    r#type: Option<String>,
    /// The id of an object.
    object: Option<String>,
}

fn problem(error: Error) -> Problem {
    match error {
        Error::NotFound => Problem::not_found("webhook"),
        Error::Stale | Error::TooMany => Problem::conflict(error.to_string()),
        Error::Invalid(errors) => Problem::validation(errors),
        Error::Secret(error) => Problem::from_cause(&error),
        Error::Database(error) => error.into(),
    }
}

async fn shown(app: &App, row: table::Model, secret: Option<String>) -> Result<WebhookView> {
    let mut views = views(app.db.read(), vec![row], app.clock.now()).await?;
    let mut view = views.pop().ok_or_else(|| Problem::not_found("webhook"))?;
    view.secret = secret;
    Ok(view)
}

async fn one(app: &App, id: &str) -> Result<table::Model> {
    store::find(app.db.read(), id)
        .await?
        .ok_or_else(|| Problem::not_found("webhook"))
}

/// All webhooks, in the order they were made.
#[utoipa::path(get, path = "/api/v1/webhooks", tag = "webhooks", responses((status = 200, body = Page<WebhookView>)))]
async fn list_webhooks(State(app): State<App>, _admin: Admin) -> Result<Json<Page<WebhookView>>> {
    let rows = store::all(app.db.read()).await?;
    Ok(Json(Page::whole(
        views(app.db.read(), rows, app.clock.now()).await?,
    )))
}

/// The words of events that a webhook may be told of.
#[utoipa::path(get, path = "/api/v1/webhooks/events", tag = "webhooks",
    responses((status = 200, body = Page<WebhookEvent>)))]
async fn list_webhook_events(_admin: Admin) -> Json<Page<WebhookEvent>> {
    let words = select::words().into_iter();
    Json(Page::whole(words.map(|r#type| WebhookEvent { r#type }).collect()))
}

/// Makes a webhook. The answer has its secret, this once.
#[utoipa::path(post, path = "/api/v1/webhooks", tag = "webhooks", request_body = WebhookIn,
    responses((status = 201, body = WebhookView)))]
async fn create_webhook(
    State(app): State<App>,
    Admin(caller): Admin,
    Json(input): Json<WebhookIn>,
) -> Result<(StatusCode, Json<WebhookView>)> {
    let new = New {
        name: input.name,
        url: input.url,
        events: input.events,
        secret: input.secret,
        enabled: input.enabled,
    };
    let mut write = app.db.write().await?;
    let parts = (&app.vault, &app.outgoing);
    let made = webhook::create(&mut write, parts, new, &caller.scope.operator_id, app.clock.now()).await;
    let (row, secret) = made.map_err(problem)?;
    write.commit().await?;
    Ok((StatusCode::CREATED, Json(shown(&app, row, Some(secret)).await?)))
}

/// One webhook.
#[utoipa::path(get, path = "/api/v1/webhooks/{id}", tag = "webhooks",
    params(("id" = String, Path, description = "`whk_…`")), responses((status = 200, body = WebhookView)))]
async fn get_webhook(
    State(app): State<App>,
    _admin: Admin,
    Path(id): Path<String>,
) -> Result<Json<WebhookView>> {
    let row = one(&app, &id).await?;
    Ok(Json(shown(&app, row, None).await?))
}

/// Changes the fields given.
#[utoipa::path(patch, path = "/api/v1/webhooks/{id}", tag = "webhooks",
    params(("id" = String, Path, description = "`whk_…`")), request_body = WebhookPatch,
    responses((status = 200, body = WebhookView)))]
async fn update_webhook(
    State(app): State<App>,
    _admin: Admin,
    Path(id): Path<String>,
    Json(input): Json<WebhookPatch>,
) -> Result<Json<WebhookView>> {
    let patch = Patch {
        name: input.name,
        url: input.url,
        events: input.events,
        enabled: input.enabled,
        secret: input.secret,
        version: input.version,
    };
    let mut write = app.db.write().await?;
    let parts = (&app.vault, &app.outgoing);
    let changed = webhook::update(&mut write, parts, &id, patch, app.clock.now()).await;
    let row = changed.map_err(problem)?;
    write.commit().await?;
    app.webhooks.ring();
    Ok(Json(shown(&app, row, None).await?))
}

/// Removes a webhook with its deliveries.
#[utoipa::path(delete, path = "/api/v1/webhooks/{id}", tag = "webhooks",
    params(("id" = String, Path, description = "`whk_…`")), responses((status = 204, description = "Removed")))]
async fn delete_webhook(State(app): State<App>, _admin: Admin, Path(id): Path<String>) -> Result<StatusCode> {
    let mut write = app.db.write().await?;
    webhook::delete(&mut write, &id, app.clock.now())
        .await
        .map_err(problem)?;
    write.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a webhook another secret: the answer has it, this once. Requests carry signatures by both for a while.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/rotate-secret", tag = "webhooks",
    params(("id" = String, Path, description = "`whk_…`")), request_body = RotateIn,
    responses((status = 200, body = WebhookView)))]
async fn rotate_webhook_secret(
    State(app): State<App>,
    _admin: Admin,
    Path(id): Path<String>,
    Json(input): Json<RotateIn>,
) -> Result<Json<WebhookView>> {
    let overlap = input.overlap_secs.unwrap_or(webhook::OVERLAP_SECS);
    let mut write = app.db.write().await?;
    let now = app.clock.now();
    let rotated = webhook::rotate(&mut write, &app.vault, &id, input.secret, overlap, now).await;
    let (row, secret) = rotated.map_err(problem)?;
    write.commit().await?;
    Ok(Json(shown(&app, row, Some(secret)).await?))
}

/// Sends a trial, `webhook.test`, also to a webhook that is off. What becomes of it stands in the delivery.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/test", tag = "webhooks",
    params(("id" = String, Path, description = "`whk_…`")), responses((status = 201, body = DeliveryView)))]
async fn test_webhook(
    State(app): State<App>,
    _admin: Admin,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<DeliveryView>)> {
    let row = one(&app, &id).await?;
    let now = app.clock.now();
    let body = payload::body(Telling {
        kind: webhook::TEST,
        at: now,
        seq: None,
        object: serde_json::json!({"id": row.id, "name": row.name, "events": row.events}),
        url: None,
    });
    let write = app.db.write().await?;
    let made = queue::add_test(&write, &row.id, body, now).await?;
    write.commit().await?;
    app.webhooks.ring();
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// Sends again all deliveries of a time that failed.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/replay", tag = "webhooks",
    params(("id" = String, Path, description = "`whk_…`")), request_body = ReplayIn,
    responses((status = 200, body = Replayed)))]
async fn replay_failed_deliveries(
    State(app): State<App>,
    _admin: Admin,
    Path(id): Path<String>,
    Json(input): Json<ReplayIn>,
) -> Result<Json<Replayed>> {
    enabled(&app, &id).await?;
    let which = Again::Failed {
        since: input.since,
        until: input.until,
    };
    let write = app.db.write().await?;
    let queued = store::replay(&write, &id, which, app.clock.now()).await?;
    write.commit().await?;
    app.webhooks.ring();
    Ok(Json(Replayed { queued }))
}

async fn enabled(app: &App, id: &str) -> Result<()> {
    if one(app, id).await?.enabled {
        return Ok(());
    }
    Err(Problem::conflict("this webhook is off: switch it on first"))
}

/// Deliveries of a webhook, newest first. What was delivered is kept for 14 days, the rest for 30.
#[utoipa::path(get, path = "/api/v1/webhooks/{id}/deliveries", tag = "webhooks",
    params(("id" = String, Path, description = "`whk_…`"), DeliveriesQuery, PageQuery),
    responses((status = 200, body = Page<DeliveryView>)))]
async fn list_webhook_deliveries(
    State(app): State<App>,
    _admin: Admin,
    Path(id): Path<String>,
    Query(query): Query<DeliveriesQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<DeliveryView>>> {
    let limit = page.limit()?;
    let after: Option<String> = page.after()?;
    one(&app, &id).await?;
    let filter = Filter {
        state: query.state,
        kind: query.r#type,
        object_id: query.object,
    };
    let rows = store::deliveries(app.db.read(), &id, &filter, after.as_deref(), limit + 1).await?;
    Ok(Json(
        Page::of_rows(rows, limit, |row| row.id.clone()).map(DeliveryView::from),
    ))
}

/// One delivery, with what was sent and each answer.
#[utoipa::path(get, path = "/api/v1/webhooks/{id}/deliveries/{delivery_id}", tag = "webhooks",
    params(("id" = String, Path, description = "`whk_…`"), ("delivery_id" = String, Path, description = "`dlv_…`")),
    responses((status = 200, body = DeliveryWhole)))]
async fn get_webhook_delivery(
    State(app): State<App>,
    _admin: Admin,
    Path((id, delivery_id)): Path<(String, String)>,
) -> Result<Json<DeliveryWhole>> {
    let row = store::delivery(app.db.read(), &id, &delivery_id).await?;
    let row = row.ok_or_else(|| Problem::not_found("delivery"))?;
    let log = store::attempts(app.db.read(), &row.id).await?;
    Ok(Json(DeliveryWhole {
        body: serde_json::from_str(&row.body).unwrap_or_default(),
        log: log.into_iter().map(AttemptView::from).collect(),
        delivery: row.into(),
    }))
}

/// Sends a delivery again, under the same id. One that is still under way goes on as it is.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/deliveries/{delivery_id}/replay", tag = "webhooks",
    params(("id" = String, Path, description = "`whk_…`"), ("delivery_id" = String, Path, description = "`dlv_…`")),
    responses((status = 200, body = DeliveryView)))]
async fn replay_webhook_delivery(
    State(app): State<App>,
    _admin: Admin,
    Path((id, delivery_id)): Path<(String, String)>,
) -> Result<Json<DeliveryView>> {
    let missing = || Problem::not_found("delivery");
    let row = store::delivery(app.db.read(), &id, &delivery_id).await?;
    let row = row.ok_or_else(missing)?;
    if row.r#type != webhook::TEST {
        enabled(&app, &id).await?;
    }
    let write = app.db.write().await?;
    store::replay(&write, &id, Again::One(&delivery_id), app.clock.now()).await?;
    write.commit().await?;
    app.webhooks.ring();
    let row = store::delivery(app.db.read(), &id, &delivery_id).await?;
    Ok(Json(row.ok_or_else(missing)?.into()))
}
