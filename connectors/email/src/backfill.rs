//! Taking in earlier mail because an admin asked for it: where it begins, and how far it is. Pure.
//!
//! Live mail goes first: earlier mail is taken in between, a batch at a time. It ends below the place that
//! live reading had when the order was first seen; what lies above comes by itself.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use switchboard_sdk::{Backfill, BackfillOrder, Fault};

/// A place in the earlier mail of one folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Span {
    uid_validity: u32,
    /// Everything up to this UID was looked at.
    last_uid: u32,
    /// The last UID that belongs to it.
    until: u32,
}

/// An order being carried out in one folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    order: BackfillOrder,
    progress: Backfill,
    span: Span,
    /// UIDs still to be looked at, ascending; `None` until they were searched for.
    left: Option<Vec<u32>>,
}

impl Earlier {
    /// What is to be done, by the order and the progress as stored; `None` when nothing is. A renumbered
    /// folder begins anew: known mail is recognised.
    pub fn resume(
        order: Option<&Value>,
        progress: Option<&Value>,
        uid_validity: u32,
        last_uid: u32,
        streams: usize,
    ) -> Option<Self> {
        let order = BackfillOrder::deserialize(order?).ok()?;
        let known = progress
            .and_then(|value| Backfill::deserialize(value).ok())
            .filter(|progress| progress.asked_at == order.asked_at);
        if known.as_ref().is_some_and(|progress| progress.finished) {
            return None;
        }
        let known = known.and_then(|progress| {
            let span = Span::deserialize(&progress.place).ok()?;
            (span.uid_validity == uid_validity).then_some((progress, span))
        });
        let (progress, span) = known.unwrap_or_else(|| {
            let progress = Backfill {
                asked_at: order.asked_at,
                streams: u32::try_from(streams).unwrap_or(u32::MAX),
                total: 0,
                done: 0,
                finished: false,
                place: Value::Null,
            };
            let span = Span {
                uid_validity,
                last_uid: 0,
                until: last_uid,
            };
            (progress, span)
        });
        Some(Self {
            order,
            progress,
            span,
            left: None,
        })
    }

    /// The search that finds what is left; `None` when it was made, or when nothing can be left.
    pub fn search(&self) -> Option<String> {
        let next = self.span.last_uid.saturating_add(1);
        (self.left.is_none() && next <= self.span.until).then(|| {
            format!(
                "UID {next}:{} SINCE {}",
                self.span.until,
                self.day().format("%-d-%b-%Y")
            )
        })
    }

    /// Takes what the search found.
    pub fn found(&mut self, uids: Vec<u32>) {
        let mut uids: Vec<u32> = uids
            .into_iter()
            .filter(|uid| (self.span.last_uid.saturating_add(1)..=self.span.until).contains(uid))
            .collect();
        uids.sort_unstable();
        uids.dedup();
        self.progress.total = self.progress.done + uids.len() as u64;
        self.left = Some(uids);
    }

    /// The next UIDs, at most `limit`.
    pub fn next(&self, limit: usize) -> &[u32] {
        let left = self.left.as_deref().unwrap_or_default();
        left.get(..limit.min(left.len())).unwrap_or_default()
    }

    /// Everything up to this UID was dealt with.
    pub fn passed(&mut self, uid: u32) {
        if let Some(left) = &mut self.left {
            let count = left.iter().take_while(|next| **next <= uid).count();
            left.drain(..count);
            self.progress.done += count as u64;
        }
        self.span.last_uid = self.span.last_uid.max(uid);
    }

    /// Whether nothing is left.
    pub fn is_done(&self) -> bool {
        self.search().is_none() && self.next(1).is_empty()
    }

    /// Whether a mail that the search found by its day is too early all the same.
    pub fn too_early(&self, arrived: DateTime<Utc>) -> bool {
        arrived.date_naive() < self.order.since
    }

    /// The generation of its UIDs.
    pub fn uid_validity(&self) -> u32 {
        self.span.uid_validity
    }

    /// Whether it is kept as history only.
    pub fn is_history(&self) -> bool {
        self.order.history
    }

    /// The progress as it is stored.
    pub fn stored(&self) -> Result<Value, Fault> {
        let failed = |error: serde_json::Error| Fault::temporary(error.to_string());
        let progress = Backfill {
            finished: self.is_done(),
            place: serde_json::to_value(self.span).map_err(failed)?,
            ..self.progress.clone()
        };
        serde_json::to_value(progress).map_err(failed)
    }

    /// A server in another time zone may call the same moment yesterday.
    fn day(&self) -> NaiveDate {
        self.order
            .since
            .checked_sub_signed(TimeDelta::days(1))
            .unwrap_or(self.order.since)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn order() -> Value {
        json!({"since": "2026-01-10", "asked_at": "2026-11-22T12:00:00Z", "history": true})
    }

    fn begun(progress: Option<&Value>, uid_validity: u32) -> Option<Earlier> {
        Earlier::resume(Some(&order()), progress, uid_validity, 100, 2)
    }

    #[test]
    fn it_goes_from_the_first_mail_to_the_place_of_live_reading() {
        let mut earlier = begun(None, 7).unwrap();
        assert_eq!(earlier.search().as_deref(), Some("UID 1:100 SINCE 9-Jan-2026"));
        earlier.found(vec![7, 3, 101, 9, 9]);
        assert_eq!((earlier.next(2), earlier.is_done()), ([3, 7].as_slice(), false));
        earlier.passed(7);
        let stored: Backfill = serde_json::from_value(earlier.stored().unwrap()).unwrap();
        assert_eq!(
            (stored.total, stored.done, stored.streams, stored.finished),
            (3, 2, 2, false)
        );
        earlier.passed(9);
        assert!(earlier.is_done());
    }

    #[test]
    fn after_a_restart_it_goes_on_and_counts_on() {
        let mut earlier = begun(None, 7).unwrap();
        earlier.found(vec![1, 2, 3, 4]);
        earlier.passed(2);
        let stored = earlier.stored().unwrap();
        let mut again = begun(Some(&stored), 7).unwrap();
        assert_eq!(again.search().as_deref(), Some("UID 3:100 SINCE 9-Jan-2026"));
        again.found(vec![3, 4]);
        let stored: Backfill = serde_json::from_value(again.stored().unwrap()).unwrap();
        assert_eq!((stored.total, stored.done), (4, 2));
        again.passed(4);
        assert_eq!(
            begun(Some(&again.stored().unwrap()), 7),
            None,
            "it is carried out"
        );
    }

    #[test]
    fn a_new_order_or_a_renumbered_folder_begins_anew() {
        let mut earlier = begun(None, 7).unwrap();
        earlier.found(vec![1, 2]);
        earlier.passed(2);
        let done = earlier.stored().unwrap();
        let newer = json!({"since": "2025-01-01", "asked_at": "2026-11-23T12:00:00Z", "history": false});
        let again = Earlier::resume(Some(&newer), Some(&done), 7, 100, 1).unwrap();
        assert_eq!(again.search().as_deref(), Some("UID 1:100 SINCE 31-Dec-2024"));
        let mut half = begun(None, 7).unwrap();
        half.found(vec![1, 2]);
        half.passed(1);
        let renumbered = begun(Some(&half.stored().unwrap()), 8).unwrap();
        assert_eq!(renumbered.search().as_deref(), Some("UID 1:100 SINCE 9-Jan-2026"));
    }

    #[test]
    fn without_an_order_or_in_an_empty_folder_there_is_nothing_to_do() {
        assert_eq!(Earlier::resume(None, None, 7, 100, 1), None);
        let empty = Earlier::resume(Some(&order()), None, 7, 0, 1).unwrap();
        assert!(empty.search().is_none() && empty.is_done());
    }

    #[test]
    fn days_are_what_the_admin_meant() {
        let earlier = begun(None, 7).unwrap();
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        assert!(earlier.too_early(at("2026-01-09T23:59:59Z")));
        assert!(!earlier.too_early(at("2026-01-10T00:00:00Z")));
    }
}
