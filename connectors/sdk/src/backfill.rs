//! Taking in what came before: an admin's order, and how far it was carried out.
//!
//! Both are cursors of the channel (see [`crate::Intake::cursor`]), so that the order is durable before the
//! channel hears of it, and its progress moves in the commit of what was taken in. The server writes the
//! order and starts the receiver anew; the receiver finds the order, and after a restart its own place in it.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What an admin ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackfillOrder {
    /// First day that is wanted.
    pub since: NaiveDate,
    /// When it was ordered: tells one order from the next.
    pub asked_at: DateTime<Utc>,
    /// Kept as history: opens no session, makes no lead, wakes nobody.
    pub history: bool,
}

impl BackfillOrder {
    /// The name of the cursor that holds the order. No folder can be named so.
    pub const CURSOR: &'static str = "\u{1}backfill";
}

/// How far one stream of the channel (a folder) carried an order out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backfill {
    /// Which order, by [`BackfillOrder::asked_at`].
    pub asked_at: DateTime<Utc>,
    /// How many streams take part; the order is carried out when each of them is.
    pub streams: u32,
    /// How many events there are to look at.
    pub total: u64,
    /// How many were looked at.
    pub done: u64,
    /// Nothing is left.
    pub finished: bool,
    /// The connector's own place.
    #[serde(default)]
    pub place: Value,
}

impl Backfill {
    /// What the names of the cursors begin with that hold progress.
    pub const PREFIX: &'static str = "\u{1}backfill ";

    /// The name of the cursor that holds the progress of a stream.
    pub fn cursor(stream: &str) -> String {
        format!("{}{stream}", Self::PREFIX)
    }
}
