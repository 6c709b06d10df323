//! How a channel is doing, as an admin sees it: written to its row, told through the log.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use chrono::{DateTime, Utc};
use sea_orm::{ActiveModelTrait, DbErr, EntityTrait, QuerySelect, Set};
use tokio::sync::Notify;

use crate::{
    db::{Db, entity::channel},
    event::{EventType, NewEvent},
};

/// The state of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Enabled, nothing reached yet.
    Starting,
    /// Works.
    Ok,
    /// Fails at the moment and is tried again by itself.
    Degraded,
    /// Waits for a person: its settings cannot work.
    Failed,
    /// Switched off.
    Disabled,
}

impl State {
    /// The word in the API and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Failed => "failed",
            Self::Disabled => "disabled",
        }
    }
}

/// What is to be said about a channel.
#[derive(Debug, Clone)]
pub struct Report {
    /// Its state from now on; `None` leaves it.
    pub state: Option<State>,
    /// What to do with the last error.
    pub error: ErrorReport,
    /// When the provider was last reached.
    pub success_at: Option<DateTime<Utc>>,
    /// What a channel that fetches saw there.
    pub looked: Option<Looked>,
}

/// A look at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looked {
    /// When.
    pub at: DateTime<Utc>,
    /// When the oldest event arrived there that is not taken yet.
    pub behind_since: Option<DateTime<Utc>>,
}

/// What to do with a channel's last error.
#[derive(Debug, Clone)]
pub enum ErrorReport {
    /// Leave what stands there.
    Keep,
    /// New settings: what stands there is about the old ones.
    Clear,
    /// This happened.
    Set(String),
}

impl Report {
    /// Only the state.
    pub fn state(state: State) -> Self {
        Self {
            state: Some(state),
            error: ErrorReport::Keep,
            success_at: None,
            looked: None,
        }
    }

    /// A state with its reason.
    pub fn trouble(state: State, error: impl Into<String>) -> Self {
        Self {
            state: Some(state),
            error: ErrorReport::Set(error.into()),
            success_at: None,
            looked: None,
        }
    }
}

/// Writes what differs from the channel's row. A new state or error is an event of the log; a later
/// success alone is not: it would be most of the log. Answers whether anything was written.
pub async fn report(db: &Db, channel_id: &str, report: &Report, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let Some(row) = channel::Entity::find_by_id(channel_id).one(db.read()).await? else {
        return Ok(false);
    };
    if differences(&row, report, now).is_none() {
        return Ok(false);
    }
    let mut write = db.write().await?;
    let row = channel::Entity::find_by_id(channel_id)
        .lock_exclusive()
        .one(write.tx())
        .await?;
    let Some((changes, told)) = row.as_ref().and_then(|row| differences(row, report, now)) else {
        return Ok(false);
    };
    changes.update(write.tx()).await?;
    if told {
        write.record(NewEvent::new(EventType::ChannelHealth, channel_id, now));
    }
    write.commit().await?;
    Ok(true)
}

fn differences(
    row: &channel::Model,
    report: &Report,
    now: DateTime<Utc>,
) -> Option<(channel::ActiveModel, bool)> {
    let mut changes = channel::ActiveModel {
        id: sea_orm::Unchanged(row.id.clone()),
        ..Default::default()
    };
    let mut told = false;
    if let Some(state) = report.state
        && row.health_state != state.as_str()
    {
        changes.health_state = Set(state.as_str().to_owned());
        told = true;
    }
    match &report.error {
        ErrorReport::Set(error) if row.last_error.as_ref() != Some(error) => {
            changes.last_error = Set(Some(error.clone()));
            changes.last_error_at = Set(Some(now));
            told = true;
        }
        ErrorReport::Clear if row.last_error.is_some() => {
            changes.last_error = Set(None);
            changes.last_error_at = Set(None);
            told = true;
        }
        ErrorReport::Keep | ErrorReport::Clear | ErrorReport::Set(_) => {}
    }
    let later = report
        .success_at
        .filter(|at| row.last_success_at.is_none_or(|known| known < *at));
    if let Some(at) = later {
        changes.last_success_at = Set(Some(at));
    }
    let looked = report.looked.filter(|looked| {
        row.behind_since != looked.behind_since || row.looked_at.is_none_or(|known| known < looked.at)
    });
    if let Some(looked) = looked {
        changes.looked_at = Set(row.looked_at.max(Some(looked.at)));
        changes.behind_since = Set(looked.behind_since);
    }
    (told || later.is_some() || looked.is_some()).then_some((changes, told))
}

/// What a running connector says between two reports, gathered without waiting.
#[derive(Debug, Default)]
pub struct Pulse {
    success_at: Mutex<Option<DateTime<Utc>>>,
    behind_since: Mutex<Option<DateTime<Utc>>>,
    warning: Mutex<Option<String>>,
    ever: AtomicBool,
    news: Notify,
}

impl Pulse {
    /// The provider was reached.
    pub fn success(&self, now: DateTime<Utc>) {
        *self.success_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        self.ever.store(true, Ordering::Release);
        self.news.notify_one();
    }

    /// Since when the oldest event waits at the provider.
    pub fn behind(&self, oldest: Option<DateTime<Utc>>) {
        let mut behind_since = self.behind_since.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *behind_since, oldest) != oldest {
            self.news.notify_one();
        }
    }

    /// What [`Self::behind`] said last.
    pub fn behind_since(&self) -> Option<DateTime<Utc>> {
        *self.behind_since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something an admin should read.
    pub fn warn(&self, message: String) {
        *self.warning.lock().unwrap_or_else(PoisonError::into_inner) = Some(message);
        self.news.notify_one();
    }

    /// Whether the provider was reached since this was made.
    pub fn had_success(&self) -> bool {
        self.ever.load(Ordering::Acquire)
    }

    /// Resolves when there is something to take.
    pub async fn news(&self) {
        self.news.notified().await;
    }

    /// Takes what was said.
    pub fn take(&self) -> (Option<DateTime<Utc>>, Option<String>) {
        let success = self
            .success_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let warning = self.warning.lock().unwrap_or_else(PoisonError::into_inner).take();
        (success, warning)
    }
}
