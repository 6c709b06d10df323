//! What was pushed lately, for admins who write the other side: the raw bytes and what became of them.
//!
//! In memory and bounded: a look over the shoulder while a bridge is being written, not a record. Each
//! process keeps what came to it.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use switchboard_sdk::{Outcome, Receipt};

/// Entries of one channel.
pub const ENTRIES: usize = 500;
/// How long an entry is kept.
pub const KEPT: TimeDelta = TimeDelta::hours(24);
/// How much of a payload is kept, in bytes.
pub const PAYLOAD: usize = 16 << 10;

/// What became of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Stored now.
    Stored,
    /// Known from before.
    Duplicate,
    /// In quarantine.
    Quarantined,
    /// Taken; there was nothing to store.
    Taken,
    /// Not accepted: why.
    Refused(String),
    /// Our fault: the sender should repeat it.
    Failed(String),
}

impl Verdict {
    /// By what ingest made of it.
    pub fn of(receipt: &Receipt) -> Self {
        let mut verdict = Self::Taken;
        for outcome in &receipt.outcomes {
            match outcome {
                Outcome::Quarantined { .. } => return Self::Quarantined,
                Outcome::Stored { .. } => verdict = Self::Stored,
                Outcome::Duplicate { .. } if verdict == Self::Taken => verdict = Self::Duplicate,
                Outcome::Duplicate { .. } => {}
            }
        }
        verdict
    }

    /// The word in the API, and what there is to say.
    pub fn words(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Stored => ("stored", None),
            Self::Duplicate => ("duplicate", None),
            Self::Quarantined => ("quarantined", None),
            Self::Taken => ("taken", None),
            Self::Refused(reason) => ("refused", Some(reason)),
            Self::Failed(reason) => ("failed", Some(reason)),
        }
    }
}

/// One push.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Grows with each entry of the process.
    pub number: u64,
    /// When it came.
    pub at: DateTime<Utc>,
    /// Where to.
    pub path: String,
    /// The body's beginning.
    pub payload: Bytes,
    /// The body's whole size.
    pub size: usize,
    /// What became of it.
    pub verdict: Verdict,
}

/// The latest pushes of all watched channels. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Pushes(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    next: u64,
    channels: HashMap<String, VecDeque<Entry>>,
}

impl Pushes {
    /// Keeps a push.
    pub fn note(&self, channel_id: &str, path: String, body: &Bytes, verdict: Verdict, now: DateTime<Utc>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.next += 1;
        let entry = Entry {
            number: state.next,
            at: now,
            path,
            // A copy: a slice would keep the whole body in memory.
            payload: Bytes::copy_from_slice(body.get(..PAYLOAD).unwrap_or(body)),
            size: body.len(),
            verdict,
        };
        let entries = state.channels.entry(channel_id.to_owned()).or_default();
        entries.push_back(entry);
        if entries.len() > ENTRIES {
            entries.pop_front();
        }
    }

    /// The latest pushes of a channel, the newest first.
    pub fn latest(&self, channel_id: &str, now: DateTime<Utc>) -> Vec<Entry> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for entries in state.channels.values_mut() {
            entries.retain(|entry| now - entry.at < KEPT);
        }
        state.channels.retain(|_, entries| !entries.is_empty());
        let entries = state.channels.get(channel_id).into_iter().flatten();
        entries.rev().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_view_is_bounded_in_number_size_and_time() {
        let (watch, start) = (Pushes::default(), DateTime::UNIX_EPOCH);
        let body = Bytes::from(vec![b'x'; PAYLOAD * 2]);
        for n in 0..ENTRIES + 10 {
            let at = start + TimeDelta::seconds(i64::try_from(n).unwrap());
            watch.note("chn_1", format!("/{n}"), &body, Verdict::Stored, at);
        }
        let seen = watch.latest("chn_1", start + TimeDelta::hours(1));
        assert_eq!(seen.len(), ENTRIES);
        assert_eq!(
            (seen[0].path.as_str(), seen[0].payload.len(), seen[0].size),
            ("/509", PAYLOAD, 2 * PAYLOAD)
        );
        assert!(watch.latest("chn_2", start).is_empty());
        assert!(
            watch
                .latest("chn_1", start + KEPT + TimeDelta::hours(1))
                .is_empty()
        );
    }
}
