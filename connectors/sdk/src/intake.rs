//! The server's side of the boundary, as a connector sees it.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::{Batch, Fault, Typing};

/// Takes what came in. Implemented by the server, and by the testkit.
#[async_trait]
pub trait Intake: Send + Sync {
    /// Where the stream of this name was left, as of the last commit.
    async fn cursor(&self, name: &str) -> Result<Option<Value>, Fault>;

    /// Resolves after ONE durable commit of all events and the cursor. After an error nothing of the
    /// batch is stored (or all of it is, when the answer was lost): deliver it again.
    async fn deliver(&self, batch: Batch) -> Result<Receipt, Fault>;

    /// Says that the provider was reached and nothing new was there: feeds the channel's health.
    fn alive(&self) {}

    /// Says since when the oldest event waits at the provider that is known and not taken yet; `None` when
    /// none is. Feeds the channel's lag.
    fn behind(&self, _oldest: Option<DateTime<Utc>>) {}

    /// Says that a customer is typing: passed on at once if their conversation is known, else forgotten.
    fn typing(&self, _hint: Typing) {}

    /// Says something worth an admin's eye that does not stop the channel ("IDLE not offered: polling").
    fn warn(&self, _message: String) {}
}

/// What became of the events of a batch, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    /// One for each event.
    pub outcomes: Vec<Outcome>,
}

/// What became of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Stored now.
    Stored {
        /// The message made of it, if one was.
        message_id: Option<String>,
        /// Its number in the conversation.
        seq: Option<i64>,
        /// The conversation it went to.
        conversation_id: Option<String>,
        /// The submission made of it, if one was.
        submission_id: Option<String>,
    },
    /// Known already; the ids are those of the first time.
    Duplicate {
        /// The message made the first time.
        message_id: Option<String>,
        /// Its number in the conversation.
        seq: Option<i64>,
        /// Its conversation.
        conversation_id: Option<String>,
        /// The submission made the first time.
        submission_id: Option<String>,
    },
    /// Kept raw for an admin to look at and replay.
    Quarantined {
        /// `qrt_…`
        id: String,
    },
}

impl Outcome {
    /// The submission this event is or was.
    pub fn submission_id(&self) -> Option<&str> {
        match self {
            Self::Stored { submission_id, .. } | Self::Duplicate { submission_id, .. } => {
                submission_id.as_deref()
            }
            Self::Quarantined { .. } => None,
        }
    }

    /// The message this event is or was, with its number.
    pub fn message(&self) -> Option<(&str, i64)> {
        match self {
            Self::Stored { message_id, seq, .. } | Self::Duplicate { message_id, seq, .. } => {
                Some((message_id.as_deref()?, (*seq)?))
            }
            Self::Quarantined { .. } => None,
        }
    }

    /// Whether the event was known before.
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Duplicate { .. })
    }
}
