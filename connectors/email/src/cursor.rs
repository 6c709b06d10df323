//! How far a mailbox was read. Pure.
//!
//! UIDs mean something only together with the UIDVALIDITY they were given under (RFC 9051 §2.3.1.1). When
//! that changes, or when the server counts UIDs from below what we have seen (a restored backup), the recent
//! past is read again and the content key of each mail tells what is known.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A place in a mailbox; stored with the messages, in one commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Generation of the UIDs below.
    pub uid_validity: u32,
    /// Everything up to this UID was dealt with.
    pub last_uid: u32,
    /// Mail that arrived before was never wanted (the backfill window when the channel was connected).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<DateTime<Utc>>,
    /// When the last batch was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime<Utc>>,
    /// A look back that is not finished: of the UIDs below `below`, only mail since `since` is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_back: Option<LookBack>,
}

/// A part of the mailbox that is read by date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookBack {
    /// First day, by the server's date of arrival.
    pub since: NaiveDate,
    /// First UID that is read whatever its date.
    pub below: u32,
}

/// The mailbox as the server presents it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// Generation of its UIDs.
    pub uid_validity: u32,
    /// The UID the next mail will get at least.
    pub uid_next: u32,
    /// Number of mails.
    pub exists: u32,
}

/// Why reading starts where it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Where it was left.
    GoesOn,
    /// Connected for the first time.
    First,
    /// The server renumbered the mailbox.
    Renumbered,
}

/// Where to read on, given what was stored and what is there.
pub fn start(
    stored: Option<&Value>,
    opened: Opened,
    backfill_days: u32,
    now: DateTime<Utc>,
) -> (Place, Start) {
    let stored = stored.filter(|value| !value.is_null());
    let window = TimeDelta::days(i64::from(backfill_days));
    let place = stored.and_then(|value| Place::deserialize(value).ok());
    match place {
        Some(place) if place.uid_validity == opened.uid_validity && place.last_uid < opened.uid_next => {
            (place, Start::GoesOn)
        }
        None if stored.is_none() => (
            from_date(opened, (backfill_days > 0).then(|| now - window), now),
            Start::First,
        ),
        known => {
            // Back to a while before the last commit, however long ago it was, and never before the first day.
            let last = known.as_ref().and_then(|place| place.at).unwrap_or(now);
            let floor = known.and_then(|place| place.floor);
            let since =
                (last - window.max(TimeDelta::days(2))).max(floor.unwrap_or(DateTime::<Utc>::MIN_UTC));
            let place = Place {
                floor,
                ..from_date(opened, Some(since), now)
            };
            (place, Start::Renumbered)
        }
    }
}

fn from_date(opened: Opened, since: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Place {
    // A server in another time zone may call the same moment yesterday.
    let look_back = since.map(|since| LookBack {
        since: (since - TimeDelta::days(1)).date_naive(),
        below: opened.uid_next,
    });
    let last_uid = if look_back.is_some() {
        0
    } else {
        opened.uid_next.saturating_sub(1)
    };
    Place {
        uid_validity: opened.uid_validity,
        last_uid,
        floor: Some(since.unwrap_or(now)),
        at: Some(now),
        look_back,
    }
}

impl Place {
    /// The searches that find what is still to be read. `n:*` always finds the newest mail, even one below
    /// `n` (the range has no order), so what they find is filtered by [`Self::wanted`].
    pub fn searches(&self) -> Vec<String> {
        let next = self.last_uid.saturating_add(1);
        match &self.look_back {
            Some(LookBack { since, below }) if next < *below => {
                vec![
                    format!("UID {next}:{} SINCE {}", below - 1, since.format("%-d-%b-%Y")),
                    format!("UID {below}:*"),
                ]
            }
            _ => vec![format!("UID {next}:*")],
        }
    }

    /// What of the found UIDs is new, in order.
    pub fn wanted(&self, found: impl IntoIterator<Item = u32>) -> Vec<u32> {
        let mut uids: Vec<u32> = found.into_iter().filter(|uid| *uid > self.last_uid).collect();
        uids.sort_unstable();
        uids.dedup();
        uids
    }

    /// Whether a mail of the looked-back part arrived too early to be wanted: searches know days only.
    pub fn too_early(&self, uid: u32, arrived: DateTime<Utc>) -> bool {
        let looked_back = self.look_back.as_ref().is_some_and(|back| uid < back.below);
        looked_back && self.floor.is_some_and(|floor| arrived < floor)
    }

    /// The place after everything up to `uid` was dealt with.
    pub fn after(&self, uid: u32, now: DateTime<Utc>) -> Self {
        let look_back = self
            .look_back
            .clone()
            .filter(|back| uid.saturating_add(1) < back.below);
        Self {
            last_uid: uid.max(self.last_uid),
            at: Some(now),
            look_back,
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn day(text: &str) -> DateTime<Utc> {
        format!("{text}T12:00:00Z").parse().unwrap()
    }

    const OPENED: Opened = Opened {
        uid_validity: 7,
        uid_next: 100,
        exists: 60,
    };

    #[test]
    fn the_first_time_reads_the_backfill_window_and_everything_newer() {
        let (place, why) = start(None, OPENED, 3, day("2026-11-20"));
        assert_eq!(why, Start::First);
        assert_eq!(place.searches(), ["UID 1:99 SINCE 16-Nov-2026", "UID 100:*"]);
        assert!(place.too_early(50, day("2026-11-16")) && !place.too_early(50, day("2026-11-18")));
        assert!(
            !place.too_early(100, day("2020-01-01")),
            "a new mail is new whatever its date"
        );
    }

    #[test]
    fn without_backfill_reading_begins_with_the_next_mail() {
        let (place, _) = start(None, OPENED, 0, day("2026-11-20"));
        assert_eq!(
            (place.last_uid, place.searches()),
            (99, vec!["UID 100:*".to_owned()])
        );
    }

    #[test]
    fn a_stored_place_goes_on_and_needs_only_the_two_documented_fields() {
        let (place, why) = start(
            Some(&json!({"uid_validity": 7, "last_uid": 42})),
            OPENED,
            3,
            day("2026-11-20"),
        );
        assert_eq!((why, place.last_uid), (Start::GoesOn, 42));
        assert_eq!(place.wanted([42, 44, 43, 43, 7]), [43, 44]);
    }

    #[test]
    fn an_unfinished_look_back_survives_a_restart_and_ends_at_its_border() {
        let (place, _) = start(None, OPENED, 3, day("2026-11-20"));
        let stored = serde_json::to_value(place.after(60, day("2026-11-20"))).unwrap();
        let (place, why) = start(
            Some(&stored),
            Opened {
                uid_next: 110,
                ..OPENED
            },
            3,
            day("2026-11-21"),
        );
        assert_eq!(why, Start::GoesOn);
        assert_eq!(place.searches(), ["UID 61:99 SINCE 16-Nov-2026", "UID 100:*"]);
        assert_eq!(place.after(99, day("2026-11-21")).searches(), ["UID 100:*"]);
    }

    #[test]
    fn a_new_uidvalidity_or_uids_that_start_again_read_back_from_the_last_commit() {
        let (first, _) = start(None, OPENED, 3, day("2026-09-01"));
        let stored = serde_json::to_value(first.after(99, day("2026-10-01"))).unwrap();
        for opened in [
            Opened {
                uid_validity: 8,
                ..OPENED
            },
            Opened {
                uid_next: 50,
                ..OPENED
            },
        ] {
            let (place, why) = start(Some(&stored), opened, 3, day("2026-11-20"));
            assert_eq!((why, place.last_uid), (Start::Renumbered, 0));
            assert_eq!(
                place.look_back.as_ref().unwrap().since,
                day("2026-09-27").date_naive(),
                "the outage is covered"
            );
            assert_eq!(place.floor, first.floor, "and what was never wanted is still not");
        }
    }

    #[test]
    fn a_place_nobody_can_read_is_no_first_time() {
        assert_eq!(
            start(Some(&json!("?")), OPENED, 0, day("2026-11-20")).1,
            Start::Renumbered
        );
        assert_eq!(
            start(Some(&Value::Null), OPENED, 0, day("2026-11-20")).1,
            Start::First
        );
    }
}
