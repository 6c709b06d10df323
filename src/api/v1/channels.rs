//! Configured connectors.

use axum::{extract::State, http::StatusCode};
use serde::Deserialize;
use serde_json::Value;
use switchboard_sdk::{Descriptor, SettingsError};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        Json, Path, Query,
        auth::{Admin, Staff},
        page::{Page, PageQuery},
        problem::Problem,
    },
    app::App,
    channel::{self, Changes, NewChannel, store, view::Channel},
    connector::Check,
    db::entity::channel as table,
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_channels, create_channel))
        .routes(routes!(get_channel, update_channel, delete_channel))
        .routes(routes!(check_channel))
}

/// A channel about to be made.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ChannelIn {
    /// Which connector it is of, see `/api/v1/connectors`.
    pub kind: String,
    /// Its word in URLs; one is made up when absent.
    pub key: Option<String>,
    /// Where its conversations go.
    pub line_id: String,
    /// What people call it.
    pub name: String,
    /// Whether it runs.
    #[serde(default = "enabled")]
    #[schema(default = true)]
    pub enabled: bool,
    /// By the connector's `settings_schema`.
    #[serde(default = "no_settings")]
    #[schema(value_type = Object)]
    pub settings: Value,
}

/// What changes of a channel.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ChannelPatch {
    /// Its word in URLs.
    pub key: Option<String>,
    /// Where new conversations go.
    pub line_id: Option<String>,
    /// What people call it.
    pub name: Option<String>,
    /// Whether it runs.
    pub enabled: Option<bool>,
    /// The settings that change; a secret that is null or absent stays.
    #[schema(value_type = Option<Object>)]
    pub settings: Option<Value>,
    /// The version the change was made on; 409 when it is not the present one.
    pub version: Option<i64>,
}

fn enabled() -> bool {
    true
}

fn no_settings() -> Value {
    Value::Object(serde_json::Map::new())
}

/// Lists the channels.
#[utoipa::path(get, path = "/api/v1/channels", tag = "channels", operation_id = "list_channels", params(PageQuery),
    responses((status = 200, body = Page<Channel>)))]
async fn list_channels(
    State(app): State<App>,
    Staff(_caller): Staff,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Channel>>, Problem> {
    let limit = query.limit()?;
    let after = query.after::<String>()?;
    let now = app.clock.now();
    let rows = store::list(app.db.read(), after.as_deref(), limit + 1).await?;
    Ok(Json(
        Page::of_rows(rows, limit, |row| row.id.clone()).map(|row| Channel::at(row, now)),
    ))
}

/// Makes a channel.
#[utoipa::path(post, path = "/api/v1/channels", tag = "channels", operation_id = "create_channel", request_body = ChannelIn,
    responses((status = 201, body = Channel)))]
async fn create_channel(
    State(app): State<App>,
    Admin(_caller): Admin,
    Json(input): Json<ChannelIn>,
) -> Result<(StatusCode, Json<Channel>), Problem> {
    let descriptor = descriptor_of(&app, &input.kind)?;
    let new = NewChannel {
        key: input.key,
        line_id: input.line_id,
        name: input.name,
        enabled: input.enabled,
        settings: input.settings,
    };
    let mut write = app.db.write().await?;
    let build = try_build(&app);
    let row = channel::create(&mut write, &app.vault, descriptor, &build, new, app.clock.now()).await;
    let row = row.map_err(channel_problem)?;
    write.commit().await?;
    app.host.reload(&row.id).await?;
    Ok((StatusCode::CREATED, Json(Channel::at(row, app.clock.now()))))
}

/// Shows a channel.
#[utoipa::path(get, path = "/api/v1/channels/{id}", tag = "channels", operation_id = "get_channel",
    params(("id" = String, Path, description = "`chn_…` or the key")), responses((status = 200, body = Channel)))]
async fn get_channel(
    State(app): State<App>,
    Staff(_caller): Staff,
    Path(id): Path<String>,
) -> Result<Json<Channel>, Problem> {
    Ok(Json(Channel::at(find(&app, &id).await?, app.clock.now())))
}

/// Changes a channel.
#[utoipa::path(patch, path = "/api/v1/channels/{id}", tag = "channels", operation_id = "update_channel",
    params(("id" = String, Path, description = "`chn_…` or the key")), request_body = ChannelPatch,
    responses((status = 200, body = Channel),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Changed meanwhile")))]
async fn update_channel(
    State(app): State<App>,
    Admin(_caller): Admin,
    Path(id): Path<String>,
    Json(patch): Json<ChannelPatch>,
) -> Result<Json<Channel>, Problem> {
    let current = find(&app, &id).await?;
    let descriptor = descriptor_of(&app, &current.kind)?;
    let changes = Changes {
        key: patch.key,
        line_id: patch.line_id,
        name: patch.name,
        enabled: patch.enabled,
        settings: patch.settings,
        version: patch.version,
    };
    let mut write = app.db.write().await?;
    let build = try_build(&app);
    let now = app.clock.now();
    let row = channel::update(
        &mut write,
        &app.vault,
        descriptor,
        &build,
        &current.id,
        changes,
        now,
    )
    .await;
    let row = row.map_err(channel_problem)?;
    write.commit().await?;
    app.host.reload(&row.id).await?;
    Ok(Json(Channel::at(row, now)))
}

/// Removes a channel that nothing was ever said on; one with conversations can only be disabled.
#[utoipa::path(delete, path = "/api/v1/channels/{id}", tag = "channels", operation_id = "delete_channel",
    params(("id" = String, Path, description = "`chn_…` or the key")),
    responses((status = 204, description = "Removed"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "It has conversations")))]
async fn delete_channel(
    State(app): State<App>,
    Admin(_caller): Admin,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let row = find(&app, &id).await?;
    let mut write = app.db.write().await?;
    store::delete(&mut write, &row.id, app.clock.now())
        .await
        .map_err(channel_problem)?;
    write.commit().await?;
    app.host.reload(&row.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Tests the connection: does what the channel does, without side effects. Takes up to twenty seconds.
#[utoipa::path(post, path = "/api/v1/channels/{id}/check", tag = "channels", operation_id = "check_channel",
    params(("id" = String, Path, description = "`chn_…` or the key")), responses((status = 200, body = Check)))]
async fn check_channel(
    State(app): State<App>,
    Admin(_caller): Admin,
    Path(id): Path<String>,
) -> Result<Json<Check>, Problem> {
    let row = find(&app, &id).await?;
    app.host
        .check(&row.id)
        .await?
        .map(Json)
        .ok_or_else(|| Problem::not_found("channel"))
}

pub(super) async fn find(app: &App, id: &str) -> Result<table::Model, Problem> {
    let db = app.db.read();
    let row = match store::load(db, id).await? {
        Some(row) => Some(row),
        None => store::by_key(db, id).await?,
    };
    row.ok_or_else(|| Problem::not_found("channel"))
}

/// The connector of a kind; 422 when this build has none.
pub(super) fn descriptor_of(app: &App, kind: &str) -> Result<&'static Descriptor, Problem> {
    app.host.descriptor(kind).ok_or_else(|| {
        let known: Vec<&str> = app
            .host
            .descriptors()
            .iter()
            .map(|descriptor| descriptor.kind)
            .collect();
        Problem::invalid("kind", format!("must be one of {}", known.join(", ")))
    })
}

/// Builds a connector and throws it away: to see whether settings can work.
pub(super) fn try_build(
    app: &App,
) -> impl Fn(&table::Model, Value) -> Result<(), SettingsError> + Send + Sync {
    let host = app.host.clone();
    move |row, settings| host.build(row, settings).map(|_connector| ())
}

/// Why a channel was refused, as a problem.
pub(super) fn channel_problem(error: channel::Error) -> Problem {
    match error {
        channel::Error::NotFound => Problem::not_found("channel"),
        channel::Error::Invalid(errors) => Problem::validation(errors),
        channel::Error::KeyTaken => Problem::invalid("key", "another channel has this key"),
        channel::Error::Stale => {
            Problem::conflict("the channel was changed meanwhile; look again and repeat")
        }
        channel::Error::InUse => {
            Problem::conflict("the channel has conversations and cannot be removed; disable it instead")
        }
        channel::Error::Secret(error) => Problem::from_cause(&error),
        channel::Error::Database(error) => error.into(),
    }
}
