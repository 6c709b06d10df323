//! A channel as the API shows it: secrets read back as null.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::db::entity::channel as table;

/// A configured connector.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Channel {
    /// `chn_…`
    pub id: String,
    /// Its word in URLs; unique.
    pub key: String,
    /// Which connector it is of.
    pub kind: String,
    /// Where its conversations go.
    pub line_id: String,
    /// What people call it.
    pub name: String,
    /// Whether it runs.
    pub enabled: bool,
    /// By the connector's `settings_schema`; secrets read as null.
    #[schema(value_type = Object)]
    pub settings: Value,
    /// How it is doing.
    pub health: ChannelHealth,
    /// Grows with each change of what an admin sets.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When an admin changed it last.
    pub updated_at: DateTime<Utc>,
}

/// How a channel is doing.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ChannelHealth {
    /// `starting`, `ok`, `degraded`, `failed` or `disabled`.
    pub state: String,
    /// When its provider was last reached.
    pub last_success_at: Option<DateTime<Utc>>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When it did.
    pub last_error_at: Option<DateTime<Utc>>,
    /// How far behind its provider it is, in seconds; null when it is not known to be.
    pub lag_secs: Option<i64>,
}

impl From<table::Model> for Channel {
    fn from(row: table::Model) -> Self {
        let settings = super::public_settings(&row);
        Self {
            health: ChannelHealth {
                state: row.health_state,
                last_success_at: row.last_success_at,
                last_error: row.last_error,
                last_error_at: row.last_error_at,
                lag_secs: None,
            },
            settings,
            id: row.id,
            key: row.key,
            kind: row.kind,
            line_id: row.line_id,
            name: row.name,
            enabled: row.enabled,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
