//! Until when a client is to be answered: what a line promises, counted while the line is open. Pure.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Hours, Rules, hours};

/// What a line promises its clients. Sessions are served by it, see [`crate::routing::world::order`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Sla {
    /// Seconds of open time within which a client gets the first answer of a session.
    pub first_reply_secs: Option<u32>,
    /// Seconds of open time within which a client gets any later answer.
    pub next_reply_secs: Option<u32>,
}

/// The due time of a session that has none, in the order sessions are served: after all that have one. A moment
/// that both databases can hold and compare.
pub fn never() -> DateTime<Utc> {
    NaiveDate::from_ymd_opt(9999, 1, 1)
        .unwrap_or(NaiveDate::MAX)
        .and_time(NaiveTime::MIN)
        .and_utc()
}

/// The part of a line's rules that due times depend on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Promise {
    sla: Sla,
    hours: Option<Hours>,
}

impl Promise {
    /// What these rules promise.
    pub fn of(rules: &Rules) -> Self {
        Self {
            sla: rules.sla.clone(),
            hours: rules.hours.clone(),
        }
    }

    /// When the answer is due that is owed since this moment; none, when nothing is owed or promised, or
    /// the line is not open often enough to keep it within about a year.
    pub fn due_at(&self, owed_since: Option<DateTime<Utc>>, answered_before: bool) -> Option<DateTime<Utc>> {
        let secs = if answered_before {
            self.sla.next_reply_secs
        } else {
            self.sla.first_reply_secs
        }?;
        hours::after(
            self.hours.as_ref(),
            owed_since?,
            TimeDelta::seconds(i64::from(secs)),
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(hour: u32) -> DateTime<Utc> {
        chrono::TimeZone::with_ymd_and_hms(&Utc, 2026, 11, 23, hour, 0, 0).unwrap()
    }

    fn promise(first: Option<u32>, next: Option<u32>, hours: serde_json::Value) -> Promise {
        let rules = json!({"sla": {"first_reply_secs": first, "next_reply_secs": next}, "hours": hours});
        Promise::of(&serde_json::from_value(rules).unwrap())
    }

    #[test]
    fn the_first_answer_and_a_later_one_have_their_own_times() {
        let promise = promise(Some(3_600), Some(7_200), serde_json::Value::Null);
        assert_eq!(promise.due_at(Some(at(10)), false), Some(at(11)));
        assert_eq!(promise.due_at(Some(at(10)), true), Some(at(12)));
    }

    #[test]
    fn nothing_is_due_when_nothing_is_owed_or_promised() {
        let promise = promise(Some(60), None, serde_json::Value::Null);
        assert_eq!(promise.due_at(None, false), None);
        assert_eq!(promise.due_at(Some(at(10)), true), None);
    }

    #[test]
    fn never_is_a_moment_after_all_others() {
        assert_eq!(never().to_rfc3339(), "9999-01-01T00:00:00+00:00");
    }

    #[test]
    fn only_open_time_counts() {
        let hours = json!({"time_zone": "UTC", "weekly": {"mon": [["09:00", "12:00"], ["13:00", "18:00"]]}});
        let promise = promise(Some(7_200), None, hours);
        assert_eq!(promise.due_at(Some(at(11)), false), Some(at(14)));
    }
}
