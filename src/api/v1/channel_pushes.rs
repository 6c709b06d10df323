//! Channels whose other side an admin writes: what it pushed lately, and its secret.

use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::channels::{channel_problem, descriptor_of, find, try_build};
use crate::{
    api::{Json, Path, auth::Admin, page::Page, problem::Problem},
    app::App,
    channel::{self, Changes},
    connector::pushes::Entry,
    id,
};

/// How long the old secret stays good when nothing is said, in seconds.
const OVERLAP: i64 = 24 * 3600;
/// The longest it may, in seconds.
const LONGEST_OVERLAP: i64 = 30 * 24 * 3600;
/// Bytes of a new secret.
const SECRET_BYTES: usize = 32;

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_channel_events))
        .routes(routes!(rotate_channel_secret))
}

/// Something that was pushed to a channel.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChannelEvent {
    /// Grows with each push; starts anew with the server.
    pub number: u64,
    /// When it came.
    pub at: DateTime<Utc>,
    /// Where to.
    pub path: String,
    /// `stored`, `duplicate`, `quarantined`, `taken` (nothing to store), `refused` or `failed`.
    pub verdict: &'static str,
    /// Why, when it was refused or failed.
    pub reason: Option<String>,
    /// The body's beginning, as text.
    pub payload: String,
    /// The body's whole size, in bytes.
    pub size: usize,
}

impl From<Entry> for ChannelEvent {
    fn from(entry: Entry) -> Self {
        let (verdict, reason) = entry.verdict.words();
        Self {
            verdict,
            reason: reason.map(str::to_owned),
            number: entry.number,
            at: entry.at,
            payload: String::from_utf8_lossy(&entry.payload).into_owned(),
            path: entry.path,
            size: entry.size,
        }
    }
}

/// What was pushed to this channel lately, with what became of it, the newest first: at most 500, for 24 hours, since
/// the server started. For channels whose other side is a program of your own.
#[utoipa::path(get, path = "/api/v1/channels/{id}/events", tag = "channels", operation_id = "list_channel_events",
    params(("id" = String, Path, description = "`chn_…` or the key")), responses((status = 200, body = Page<ChannelEvent>)))]
async fn list_channel_events(
    State(app): State<App>,
    Admin(_caller): Admin,
    Path(id): Path<String>,
) -> Result<Json<Page<ChannelEvent>>, Problem> {
    let row = find(&app, &id).await?;
    let latest = app.host.pushes().latest(&row.id, app.clock.now());
    Ok(Json(Page::whole(
        latest.into_iter().map(ChannelEvent::from).collect(),
    )))
}

/// How a secret is rotated.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateSecret {
    /// How long the old secret stays good beside the new one, in seconds; a day when absent, at most thirty.
    #[serde(default = "overlap")]
    #[schema(minimum = 0)]
    pub overlap_secs: i64,
}

fn overlap() -> i64 {
    OVERLAP
}

/// A new secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct RotatedSecret {
    /// The new secret: shown this once.
    pub secret: String,
    /// Until when the old one is good, too.
    pub previous_until: DateTime<Utc>,
}

/// Makes a new secret for a channel that signs both ways, and keeps the old one good for a while.
#[utoipa::path(post, path = "/api/v1/channels/{id}/rotate-secret", tag = "channels", operation_id = "rotate_channel_secret",
    params(("id" = String, Path, description = "`chn_…` or the key")), request_body = RotateSecret,
    responses((status = 200, body = RotatedSecret),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "This kind has no such secret")))]
async fn rotate_channel_secret(
    State(app): State<App>,
    Admin(_caller): Admin,
    Path(id): Path<String>,
    Json(input): Json<RotateSecret>,
) -> Result<Json<RotatedSecret>, Problem> {
    if !(0..=LONGEST_OVERLAP).contains(&input.overlap_secs) {
        return Err(Problem::invalid(
            "overlap_secs",
            format!("is 0 to {LONGEST_OVERLAP}"),
        ));
    }
    let row = find(&app, &id).await?;
    let descriptor = descriptor_of(&app, &row.kind)?;
    let schema = (descriptor.settings_schema)();
    if schema.pointer("/properties/previous_secret").is_none() {
        return Err(Problem::conflict(
            "channels of this kind have no secret to rotate",
        ));
    }
    let old =
        channel::settings_with_secrets(&row, &app.vault).map_err(|error| Problem::from_cause(&error))?;
    let secret = new_secret();
    let now = app.clock.now();
    let previous_until = now + TimeDelta::seconds(input.overlap_secs);
    let changes = Changes {
        settings: Some(json!({
            "secret": secret,
            "previous_secret": old.get("secret"),
            "previous_until": previous_until,
        })),
        // Two admins at the same moment must not both believe that theirs is the new one.
        version: Some(row.version),
        ..Changes::default()
    };
    let mut write = app.db.write().await?;
    let build = try_build(&app);
    let changed = channel::update(&mut write, &app.vault, descriptor, &build, &row.id, changes, now);
    changed.await.map_err(channel_problem)?;
    write.commit().await?;
    app.host.reload(&row.id).await?;
    Ok(Json(RotatedSecret {
        secret,
        previous_until,
    }))
}

fn new_secret() -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let mut bytes = [0_u8; SECRET_BYTES];
    id::fill_random(&mut bytes);
    format!("whsec_{}", STANDARD.encode(bytes))
}
