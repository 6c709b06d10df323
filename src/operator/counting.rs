//! What counts toward an operator's load, and how much: the weights of the kinds of channels, and for how
//! long a session counts that waits for the client. Set by an admin; what the configuration says holds until then.

use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ConnectionTrait, DbErr};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    db::{Db, WriteTx},
    event::{EventType, NewEvent},
    setting,
};

/// The name it is kept under.
const SETTING: &str = "routing.counting";

/// The largest weight.
pub const MAX_WEIGHT: f64 = 1000.0;
/// The longest time a session that waits for the client can count, in seconds: a week.
pub const MAX_CLIENT_WAIT_SECS: u32 = 7 * 24 * 3600;

/// The kinds of channels that have a weight.
const KINDS: [&str; 6] = ["webchat", "telegram", "voip", "custom", "email", "webform"];

/// What one open session on each kind of channel weighs .
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Weights {
    /// A web chat.
    pub webchat: f64,
    /// A Telegram chat.
    pub telegram: f64,
    /// A call.
    pub voip: f64,
    /// A conversation of a custom connector.
    pub custom: f64,
    /// A mail thread.
    pub email: f64,
    /// A form.
    pub webform: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            webchat: 1.0,
            telegram: 1.0,
            voip: 1.0,
            custom: 1.0,
            email: 0.5,
            webform: 0.5,
        }
    }
}

impl Weights {
    /// The weight of a session on this kind of channel; a kind of a newer version weighs 1.
    pub fn of(&self, channel_kind: &str) -> f64 {
        match channel_kind {
            "webchat" => self.webchat,
            "telegram" => self.telegram,
            "voip" => self.voip,
            "custom" => self.custom,
            "email" => self.email,
            "webform" => self.webform,
            _ => 1.0,
        }
    }

    /// The least any session weighs: who has no room for it has no room.
    pub fn least(&self) -> f64 {
        KINDS
            .into_iter()
            .map(|kind| self.of(kind))
            .chain([1.0])
            .fold(f64::INFINITY, f64::min)
    }
}

/// What counts, and how much.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Counting {
    /// What one open session weighs, by the kind of its channel: 0 to 1000.
    pub weights: Weights,
    /// A session whose client has the next word counts for so many seconds after the last answer, 1 to
    /// 604800; null: for as long as it is open.
    pub client_wait_secs: Option<u32>,
}

impl Default for Counting {
    /// Every open session counts.
    fn default() -> Self {
        Self {
            weights: Weights::default(),
            client_wait_secs: None,
        }
    }
}

impl Counting {
    /// The weight of a session on this kind of channel; a kind of a newer version weighs 1.
    pub fn weight_of(&self, channel_kind: &str) -> f64 {
        self.weights.of(channel_kind)
    }

    /// The least any session weighs: who has no room for it has no room.
    pub fn least_weight(&self) -> f64 {
        self.weights.least()
    }

    /// How long a session counts after the last answer.
    pub fn client_wait(&self) -> Option<TimeDelta> {
        self.client_wait_secs
            .map(|secs| TimeDelta::seconds(i64::from(secs)))
    }

    /// A session that was answered until this moment, and not since, counts no more.
    pub fn rests_since(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.client_wait().map(|wait| now - wait)
    }

    /// What cannot be, as `(field, what is wrong)`.
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        for kind in KINDS {
            let weight = self.weights.of(kind);
            if !(weight.is_finite() && (0.0..=MAX_WEIGHT).contains(&weight)) {
                problems.push((format!("weights.{kind}"), format!("must be 0 to {MAX_WEIGHT}")));
            }
        }
        let wait = 1..=MAX_CLIENT_WAIT_SECS;
        if self.client_wait_secs.is_some_and(|secs| !wait.contains(&secs)) {
            let range = format!("must be 1 to {MAX_CLIENT_WAIT_SECS}, or nothing");
            problems.push(("client_wait_secs".to_owned(), range));
        }
        problems
    }
}

/// What counts in this process now. Every node's router reads it anew when the log says that it changed.
#[derive(Debug, Clone)]
pub struct CountingNow {
    configured: Counting,
    now: Arc<RwLock<Counting>>,
}

impl From<Counting> for CountingNow {
    /// What is configured, until something else is saved.
    fn from(configured: Counting) -> Self {
        Self {
            configured,
            now: Arc::new(RwLock::new(configured)),
        }
    }
}

impl CountingNow {
    /// What counts now.
    pub fn get(&self) -> Counting {
        *self.now.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what was saved last.
    pub async fn read(&self, db: &Db) -> Result<(), DbErr> {
        let saved = saved(db.read()).await?.unwrap_or(self.configured);
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = saved;
        Ok(())
    }
}

/// What an admin saved, if one did.
pub async fn saved(db: &impl ConnectionTrait) -> Result<Option<Counting>, DbErr> {
    let Some(stored) = setting::get(db, SETTING).await? else {
        return Ok(None);
    };
    serde_json::from_str(&stored)
        .map(Some)
        .map_err(|error| DbErr::Custom(format!("the setting {SETTING} cannot be read: {error}")))
}

/// Saves it for all nodes.
pub async fn save(write: &mut WriteTx, counting: &Counting, now: DateTime<Utc>) -> Result<(), DbErr> {
    let value = serde_json::to_string(counting)
        .map_err(|error| DbErr::Custom(format!("the setting {SETTING} cannot be written: {error}")))?;
    setting::put(write.tx(), SETTING, &value).await?;
    write.record(NewEvent::new(EventType::RoutingUpdated, SETTING, now));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Counting, Weights};

    #[test]
    fn what_cannot_be_is_named_by_its_field() {
        let wrong = Counting {
            weights: Weights {
                email: -1.0,
                voip: f64::NAN,
                ..Weights::default()
            },
            client_wait_secs: Some(0),
        };
        let fields: Vec<String> = wrong.problems().into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields, ["weights.voip", "weights.email", "client_wait_secs"]);
        assert!(Counting::default().problems().is_empty());
    }
}
