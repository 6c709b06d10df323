//! A channel as the API shows it: secrets read back as null.

use chrono::{DateTime, TimeDelta, Utc};
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

/// Fetching channels look at least this often; one that did not is not known to be up to date.
const LOOKS_EVERY: TimeDelta = TimeDelta::minutes(3);

/// How far behind a channel is: the age of the oldest event that is not taken, else the time since it last
/// looked, when that is longer than it should be.
pub fn lag(row: &table::Model, now: DateTime<Utc>) -> Option<TimeDelta> {
    let looked_at = row.looked_at.filter(|_| row.enabled)?;
    let unlooked = now - looked_at;
    let waits = row.behind_since.map(|since| now - since);
    let lag = match waits {
        Some(waits) => waits.max(unlooked),
        None if unlooked > LOOKS_EVERY || row.health_state != "ok" => unlooked,
        None => TimeDelta::zero(),
    };
    Some(lag.max(TimeDelta::zero()))
}

impl Channel {
    /// The row, as it is now.
    pub fn at(row: table::Model, now: DateTime<Utc>) -> Self {
        let settings = super::public_settings(&row);
        let lag = lag(&row, now);
        Self {
            health: ChannelHealth {
                state: row.health_state,
                last_success_at: row.last_success_at,
                last_error: row.last_error,
                last_error_at: row.last_error_at,
                lag_secs: lag.map(|lag| lag.num_seconds()),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(state: &str, looked_at: Option<&str>, behind_since: Option<&str>) -> table::Model {
        let at = |text: &str| text.parse().unwrap();
        table::Model {
            id: "chn_1".to_owned(),
            key: "mail".to_owned(),
            kind: "email".to_owned(),
            line_id: "lin_1".to_owned(),
            name: "Mail".to_owned(),
            enabled: true,
            settings: json!({}),
            secrets: None,
            version: 1,
            health_state: state.to_owned(),
            last_success_at: None,
            last_error: None,
            last_error_at: None,
            looked_at: looked_at.map(at),
            behind_since: behind_since.map(at),
            created_at: at("2026-01-01T00:00:00Z"),
            updated_at: at("2026-01-01T00:00:00Z"),
        }
    }

    #[test]
    fn the_lag_is_the_age_of_what_waits_or_of_the_last_look() {
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let (fresh, old) = (Some("2026-11-22T11:59:00Z"), Some("2026-11-22T11:00:00Z"));
        for (state, looked_at, behind_since, expected) in [
            ("ok", None, None, None),
            ("ok", fresh, None, Some(0)),
            ("ok", fresh, old, Some(3600)),
            ("ok", old, None, Some(3600)),
            ("failed", fresh, None, Some(60)),
            ("degraded", old, fresh, Some(3600)),
        ] {
            let lag = lag(&row(state, looked_at, behind_since), now).map(|lag| lag.num_seconds());
            assert_eq!(lag, expected, "{state} {looked_at:?} {behind_since:?}");
        }
        let off = table::Model {
            enabled: false,
            ..row("disabled", fresh, None)
        };
        assert_eq!(lag(&off, now), None);
    }
}
