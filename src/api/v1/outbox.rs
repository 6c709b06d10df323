//! Answers on their way out, dead letters included. They are sent again by `POST /messages/{id}/retry`.

use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        Json, Query,
        auth::Supervisor,
        page::{Page, PageQuery},
        problem::Problem,
    },
    app::App,
    db::entity::outbox,
    outbound::store,
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_outbox))
}

/// The state of an answer that has not arrived at its provider.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutboxState {
    /// Waits for its turn or its next attempt.
    Queued,
    /// Being sent.
    Sending,
    /// Refused, or given up.
    Failed,
    /// May have gone out.
    Uncertain,
}

impl OutboxState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Failed => "failed",
            Self::Uncertain => "uncertain",
        }
    }
}

/// An answer on its way out.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutboxEntry {
    /// `msg_…`
    pub message_id: String,
    /// Its conversation.
    pub conversation_id: String,
    /// Its channel.
    pub channel_id: String,
    /// What is to be done: `send`, `edit` or `delete`.
    pub kind: String,
    /// `queued`, `sending`, `failed` or `uncertain`.
    pub state: String,
    /// Attempts since it was queued, or queued again by hand.
    pub attempts: i64,
    /// What went wrong last.
    pub error: Option<String>,
    /// When it is tried next; while it is sent, the end of the lease; null when a person must look.
    pub due_at: Option<DateTime<Utc>>,
    /// When it was queued.
    pub created_at: DateTime<Utc>,
}

impl From<outbox::Model> for OutboxEntry {
    fn from(row: outbox::Model) -> Self {
        Self {
            kind: row.kind,
            message_id: row.message_id,
            conversation_id: row.conversation_id,
            channel_id: row.channel_id,
            state: row.state,
            attempts: row.attempts,
            error: row.last_error,
            due_at: row.due_at,
            created_at: row.created_at,
        }
    }
}

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OutboxQuery {
    /// Of one state.
    #[param(inline)]
    pub state: Option<OutboxState>,
}

/// Lists the outbox, newest first.
#[utoipa::path(get, path = "/api/v1/outbox", tag = "outbox", operation_id = "list_outbox",
    params(PageQuery, OutboxQuery), responses((status = 200, body = Page<OutboxEntry>)))]
async fn list_outbox(
    State(app): State<App>,
    Supervisor(_caller): Supervisor,
    Query(page): Query<PageQuery>,
    Query(query): Query<OutboxQuery>,
) -> Result<Json<Page<OutboxEntry>>, Problem> {
    let limit = page.limit()?;
    let filter = store::Filter {
        state: query.state.map(|state| state.as_str().to_owned()),
        after: page.after()?,
    };
    let rows = store::list(app.db.read(), &filter, limit).await?;
    Ok(Json(
        Page::of_rows(rows, limit, |row| (row.created_at, row.message_id.clone())).map(OutboxEntry::from),
    ))
}
