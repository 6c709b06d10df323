//! A channel as the API shows it: secrets read back as null.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::db::entity::channel;

/// A channel.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Channel)]
pub struct ChannelView {
    /// `chn_…`
    pub id: String,
    /// The word in its URLs.
    pub key: String,
    /// Which connector.
    pub kind: String,
    /// The line its conversations go to.
    pub line_id: String,
    /// What people call it.
    pub name: String,
    /// Whether it takes anything.
    pub enabled: bool,
    /// The connector's settings, secrets as null.
    pub settings: Value,
    /// How it does.
    pub health: Health,
    /// Grows with each change of its settings.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
}

/// How a channel does.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ChannelHealth)]
pub struct Health {
    /// `starting`, `ok`, `degraded`, `failed` or `disabled`.
    pub state: String,
    /// When the provider last answered.
    pub last_success_at: Option<DateTime<Utc>>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When that was.
    pub last_error_at: Option<DateTime<Utc>>,
    /// How long ago the provider last answered, in seconds.
    pub lag_secs: Option<i64>,
}

impl ChannelView {
    /// A row as it is at `now`.
    pub fn of(row: &channel::Model, now: DateTime<Utc>) -> Self {
        Self {
            id: row.id.clone(),
            key: row.key.clone(),
            kind: row.kind.clone(),
            line_id: row.line_id.clone(),
            name: row.name.clone(),
            enabled: row.enabled,
            settings: super::public_settings(row),
            health: Health {
                state: if row.enabled { row.health_state.clone() } else { "disabled".to_owned() },
                last_success_at: row.last_success_at,
                last_error: row.last_error.clone(),
                last_error_at: row.last_error_at,
                lag_secs: row.last_success_at.map(|at| (now - at).num_seconds().max(0)),
            },
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
