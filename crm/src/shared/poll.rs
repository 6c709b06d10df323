//! Polling for changes without losing any: ordered by their time, a little of the past read again. Pure.
//!
//! CRMs date a change when it begins and show it when it is stored, and their indexes lag: a change can appear
//! behind the cursor. So the last minutes are read again each time, and what was told already is left out.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::kept::Written;
use crate::{Changes, RemoteChange, Stage, SyncError};

/// So much of the past is read again.
pub(crate) const AGAIN: TimeDelta = TimeDelta::minutes(2);
/// So many told changes are remembered; a cursor is stored with each poll.
const MAX_SEEN: usize = 2000;

/// One record as a poll found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) modified: DateTime<Utc>,
    pub(crate) status: Option<String>,
    pub(crate) stage: Option<Stage>,
    pub(crate) gone: bool,
    /// Nobody but us has touched it.
    pub(crate) untouched: bool,
}

/// Where polling stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Records changed at this time and later are asked for.
    pub(crate) at: DateTime<Utc>,
    /// How many of those to pass over: many records can share one time.
    #[serde(default)]
    pub(crate) start: usize,
    /// What was told from this time on: id, its time, its state.
    #[serde(default)]
    seen: BTreeMap<String, (DateTime<Utc>, String)>,
}

/// Reads a cursor; `None` is the first poll, which begins now: a little earlier, because the CRM's clock is
/// another one.
pub(crate) fn place(cursor: Option<Value>, now: DateTime<Utc>) -> Result<Result<Place, Changes>, SyncError> {
    match cursor {
        Some(cursor) => serde_json::from_value(cursor)
            .map(Ok)
            .map_err(|_| SyncError::Refused {
                message: "the place up to which changes were read cannot be understood: start anew from now"
                    .to_owned(),
                field: None,
            }),
        None => {
            let place = Place {
                at: now - AGAIN,
                start: 0,
                seen: BTreeMap::new(),
            };
            Ok(Err(Changes {
                changes: Vec::new(),
                cursor: serde_json::to_value(place).ok(),
                more: false,
            }))
        }
    }
}

/// What to tell of one page and where to read on. `rows` are those from `place` on, oldest first; `full` when
/// there may be more behind them.
pub(crate) fn step(mut place: Place, rows: Vec<Row>, full: bool, written: &Written) -> Changes {
    let mut changes = Vec::new();
    let count = rows.len();
    let last = rows.last().map(|row| row.modified);
    for row in rows {
        let state = format!("{}|{}", row.status.as_deref().unwrap_or_default(), row.gone);
        let told = place.seen.get(&row.id).is_some_and(|(_, told)| *told == state);
        place.seen.insert(row.id.clone(), (row.modified, state));
        // A robot can move a record in the second it is made, so what we know goes before how it looks.
        let left = written.is_ours(&row.id, row.status.as_deref());
        let ours = !row.gone && left.unwrap_or(row.untouched);
        if told || ours {
            continue;
        }
        changes.push(RemoteChange {
            id: row.id,
            status_id: row.status,
            stage: row.stage,
            gone: row.gone,
        });
    }
    let more = full && count > 0;
    if let Some(last) = last {
        if more && last <= place.at {
            place.start += count;
        } else if more {
            place.at = last;
            place.start = 0;
        } else {
            place.at = place.at.max(last - AGAIN);
            place.start = 0;
        }
    } else {
        place.start = 0;
    }
    let at = place.at;
    place.seen.retain(|_, (modified, _)| *modified >= at);
    while place.seen.len() > MAX_SEEN {
        let oldest = place.seen.iter().min_by_key(|(_, (modified, _))| *modified);
        let Some(oldest) = oldest.map(|(id, _)| id.clone()) else {
            break;
        };
        place.seen.remove(&oldest);
    }
    Changes {
        changes,
        cursor: serde_json::to_value(place).ok(),
        more,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_767_607_200 + seconds, 0).unwrap()
    }

    fn row(id: u32, seconds: i64, status: &str) -> Row {
        Row {
            id: id.to_string(),
            modified: at(seconds),
            status: Some(status.to_owned()),
            stage: None,
            gone: false,
            untouched: false,
        }
    }

    /// Polls a table until it says that there is no more.
    fn poll(cursor: Value, table: &[Row], page: usize, written: &Written) -> (Vec<RemoteChange>, Value) {
        let (mut cursor, mut told) = (cursor, Vec::new());
        for _ in 0..1000 {
            let place = place(Some(cursor), at(0)).unwrap().unwrap();
            let mut rows: Vec<Row> = table
                .iter()
                .filter(|row| row.modified >= place.at)
                .cloned()
                .collect();
            rows.sort_by_key(|row| (row.modified, row.id.clone()));
            let rows: Vec<Row> = rows.into_iter().skip(place.start).take(page).collect();
            let full = rows.len() == page;
            let changes = step(place, rows, full, written);
            told.extend(changes.changes);
            cursor = changes.cursor.unwrap();
            if !changes.more {
                return (told, cursor);
            }
        }
        panic!("polling does not end");
    }

    fn begin() -> Value {
        place(None, at(0)).unwrap().unwrap_err().cursor.unwrap()
    }

    #[test]
    fn what_appears_late_behind_the_cursor_is_told() {
        let written = Written::default();
        let (told, cursor) = poll(begin(), &[row(1, 60, "a")], 10, &written);
        assert_eq!(told.len(), 1);
        let late = [row(1, 60, "a"), row(2, 30, "b")];
        let (told, _) = poll(cursor, &late, 10, &written);
        assert_eq!(
            told.iter().map(|change| change.id.as_str()).collect::<Vec<_>>(),
            ["2"]
        );
    }

    #[test]
    fn what_a_robot_moves_in_the_second_it_was_made_is_told() {
        let written = Written::default();
        written.note("1", "a");
        let untouched = |status| Row {
            untouched: true,
            ..row(1, 1, status)
        };
        let (told, _) = poll(begin(), &[untouched("b")], 10, &written);
        assert_eq!(told.len(), 1);
        // After a restart nothing is known of it but that nobody touched it.
        let (told, _) = poll(begin(), &[untouched("a")], 10, &Written::default());
        assert_eq!(told, []);
    }

    #[test]
    fn what_we_wrote_is_no_change_until_somebody_moves_it_and_back() {
        let written = Written::default();
        written.note("1", "a");
        let (told, cursor) = poll(begin(), &[row(1, 1, "a")], 10, &written);
        assert_eq!(told, []);
        let (told, cursor) = poll(cursor, &[row(1, 2, "b")], 10, &written);
        assert_eq!(told.len(), 1);
        let (told, _) = poll(cursor, &[row(1, 3, "a")], 10, &written);
        assert_eq!(told.len(), 1);
    }

    proptest! {
        /// However many share a time and however small the pages are.
        #[test]
        fn each_record_is_told_once(
            seconds in proptest::collection::vec(0_i64..400, 0..60),
            page in 1_usize..12,
        ) {
            let table: Vec<Row> = seconds.iter().enumerate().map(|(id, second)| row(u32::try_from(id).unwrap(), *second / 40 * 40, "a")).collect();
            let written = Written::default();
            let (told, cursor) = poll(begin(), &table, page, &written);
            let mut ids: Vec<String> = told.iter().map(|change| change.id.clone()).collect();
            ids.sort();
            let mut all: Vec<String> = table.iter().map(|row| row.id.clone()).collect();
            all.sort();
            prop_assert_eq!(ids, all);
            let (again, _) = poll(cursor, &table, page, &written);
            prop_assert_eq!(again, []);
        }
    }
}
