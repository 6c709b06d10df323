//! What came and could not be understood.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use switchboard_sdk::Outcome;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        Json, Path, Query,
        auth::{Admin, Supervisor},
        file,
        page::{Page, PageQuery},
        problem::Problem,
    },
    app::App,
    connector::replay,
    db::entity::{quarantine, waiting_change},
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_quarantine))
        .routes(routes!(replay_quarantine))
        .routes(routes!(get_quarantine_raw))
}

/// Something that could not be understood, or was too much to store.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuarantineEntry {
    /// `qrt_…`
    pub id: String,
    /// Where it came.
    pub channel_id: String,
    /// The provider's id of it.
    pub external_id: String,
    /// What was wrong.
    pub reason: String,
    /// Its size in bytes.
    pub size: i64,
    /// When it came.
    pub created_at: DateTime<Utc>,
    /// When it was replayed with success; null: not yet.
    pub replayed_at: Option<DateTime<Utc>>,
}

/// An entry that was read once more, and what became of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuarantineReplayed {
    /// The entry.
    #[serde(flatten)]
    pub entry: QuarantineEntry,
    /// The conversation its message is in now; null when it made none.
    pub conversation_id: Option<String>,
}

impl From<quarantine::Model> for QuarantineEntry {
    fn from(row: quarantine::Model) -> Self {
        Self {
            id: row.id,
            channel_id: row.channel_id,
            external_id: row.external_id,
            reason: row.reason,
            size: row.size,
            created_at: row.created_at,
            replayed_at: row.replayed_at,
        }
    }
}

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct QuarantineQuery {
    /// Of one channel.
    pub channel: Option<String>,
}

/// Lists the quarantine, newest first.
#[utoipa::path(get, path = "/api/v1/quarantine", tag = "quarantine", operation_id = "list_quarantine",
    params(PageQuery, QuarantineQuery), responses((status = 200, body = Page<QuarantineEntry>)))]
async fn list_quarantine(
    State(app): State<App>,
    Supervisor(_caller): Supervisor,
    Query(page): Query<PageQuery>,
    Query(query): Query<QuarantineQuery>,
) -> Result<Json<Page<QuarantineEntry>>, Problem> {
    let limit = page.limit()?;
    let mut rows = quarantine::Entity::find()
        .order_by_desc(quarantine::Column::Id)
        .limit(limit + 1);
    if let Some(channel) = &query.channel {
        rows = rows.filter(quarantine::Column::ChannelId.eq(channel));
    }
    if let Some(before) = page.after::<String>()? {
        rows = rows.filter(quarantine::Column::Id.lt(before));
    }
    let rows = rows.all(app.db.read()).await?;
    Ok(Json(
        Page::of_rows(rows, limit, |row| row.id.clone()).map(QuarantineEntry::from),
    ))
}

/// Has the connector read it once more; what it understands now becomes a message.
#[utoipa::path(post, path = "/api/v1/quarantine/{id}/replay", tag = "quarantine", operation_id = "replay_quarantine",
    params(("id" = String, Path, description = "`qrt_…`")),
    responses((status = 200, body = QuarantineReplayed),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Still not understood")))]
async fn replay_quarantine(
    State(app): State<App>,
    Admin(_caller): Admin,
    Path(id): Path<String>,
) -> Result<Json<QuarantineReplayed>, Problem> {
    let outcome = app.host.replay(&id).await.map_err(|error| match error {
        replay::Error::NotFound => Problem::not_found("quarantine entry"),
        still @ (replay::Error::CannotRead(_) | replay::Error::StillPoison(_)) => {
            Problem::conflict(still.to_string())
        }
        replay::Error::Db(error) => error.into(),
        ours @ (replay::Error::Storage(_) | replay::Error::Ingest(_)) => Problem::from_cause(&ours),
    })?;
    let conversation_id = match outcome {
        Outcome::Stored { conversation_id, .. } | Outcome::Duplicate { conversation_id, .. } => {
            conversation_id
        }
        Outcome::Quarantined { .. } => None,
    };
    Ok(Json(QuarantineReplayed {
        entry: find(&app, &id).await?.into(),
        conversation_id,
    }))
}

/// The raw bytes, for a person to look at.
#[utoipa::path(get, path = "/api/v1/quarantine/{id}/raw", tag = "quarantine", operation_id = "get_quarantine_raw",
    params(("id" = String, Path, description = "`qrt_…`")),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>)))]
async fn get_quarantine_raw(
    State(app): State<App>,
    Admin(_caller): Admin,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let row = find(&app, &id).await?;
    if row.storage_key.is_empty() {
        // A change that waits for its message is kept as it was read.
        let waiting = waiting_change::Entity::find()
            .filter(waiting_change::Column::QuarantineId.eq(&row.id))
            .one(app.db.read())
            .await?;
        let waiting = waiting.ok_or_else(|| Problem::not_found("file"))?;
        return Ok(raw(&row, waiting.change.to_string().into_bytes()));
    }
    let body = file::stored(&app.storage, &row.storage_key, "file").await?;
    Ok(raw(&row, body))
}

/// Never shown as what it claims to be: it may be anything.
fn raw(row: &quarantine::Model, bytes: impl IntoResponse) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{}.raw\"", row.id),
        ),
    ];
    (headers, bytes).into_response()
}

async fn find(app: &App, id: &str) -> Result<quarantine::Model, Problem> {
    let row = quarantine::Entity::find_by_id(id).one(app.db.read()).await?;
    row.ok_or_else(|| Problem::not_found("quarantine entry"))
}
