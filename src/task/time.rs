//! When tasks are due and reminded of. Pure.

use chrono::{DateTime, Days, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use serde::Deserialize;
use utoipa::ToSchema;

/// Tasks by when they are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TaskDue)]
pub enum Due {
    /// Before now.
    Overdue,
    /// From now until midnight.
    Today,
    /// After midnight.
    Later,
    /// At no particular time.
    Someday,
}

/// The times between which tasks are due: from the first on, until before the second.
pub type Span = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);

/// The times a word means for somebody in this zone; `None` for tasks without a time.
pub fn span(due: Due, zone: Tz, now: DateTime<Utc>) -> Option<Span> {
    let midnight = midnight_after(zone, now);
    match due {
        Due::Overdue => Some((None, Some(now))),
        Due::Today => Some((Some(now), Some(midnight))),
        Due::Later => Some((Some(midnight), None)),
        Due::Someday => None,
    }
}

/// When the next day begins in this zone. Where clocks jump over midnight, it begins when they have jumped.
pub fn midnight_after(zone: Tz, now: DateTime<Utc>) -> DateTime<Utc> {
    let tomorrow = now.with_timezone(&zone).date_naive() + Days::new(1);
    let begins = tomorrow.and_time(NaiveTime::MIN);
    (0..=4)
        .find_map(|half_hours| {
            zone.from_local_datetime(&(begins + chrono::TimeDelta::minutes(30 * half_hours)))
                .earliest()
        })
        .map_or(now + Days::new(1), |at| at.with_timezone(&Utc))
}

/// Until when a task was to be done, and when to remind of it.
pub type Times = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);

/// When to remind, after a change: a reminder follows the time it is due by unless it was set by itself, and one
/// that is moved into the future is given again.
pub fn reminder(
    due_at: Option<DateTime<Utc>>,
    asked: Option<Option<DateTime<Utc>>>,
    was: Option<Times>,
) -> Option<DateTime<Utc>> {
    match (asked, was) {
        (Some(at), _) => at,
        (None, Some((was_due, was_remind))) if was_due != was_remind => was_remind,
        (None, _) => due_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap_or_default()
    }

    #[test]
    fn a_day_ends_at_midnight_of_the_zone() {
        let now = at("2026-11-22T20:30:00Z");
        assert_eq!(
            midnight_after(chrono_tz::Asia::Tashkent, now),
            at("2026-11-23T19:00:00Z")
        );
        assert_eq!(midnight_after(chrono_tz::UTC, now), at("2026-11-23T00:00:00Z"));
        // In Beirut clocks go from midnight to one on this day.
        assert_eq!(
            midnight_after(chrono_tz::Asia::Beirut, at("2026-03-28T12:00:00Z")),
            at("2026-03-28T22:00:00Z")
        );
    }

    #[test]
    fn overdue_today_and_later_leave_no_moment_out() {
        let (zone, now) = (chrono_tz::Europe::Berlin, at("2026-11-22T10:00:00Z"));
        let spans = [Due::Overdue, Due::Today, Due::Later].map(|due| span(due, zone, now));
        assert_eq!(spans[0].and_then(|span| span.1), spans[1].and_then(|span| span.0));
        assert_eq!(spans[1].and_then(|span| span.1), spans[2].and_then(|span| span.0));
        assert_eq!(span(Due::Someday, zone, now), None);
    }

    #[test]
    fn a_reminder_follows_the_due_time_unless_it_was_set_by_itself() {
        let (nine, ten, eleven) = (
            Some(at("2026-11-22T09:00:00Z")),
            Some(at("2026-11-22T10:00:00Z")),
            Some(at("2026-11-22T11:00:00Z")),
        );
        assert_eq!(reminder(ten, None, None), ten);
        assert_eq!(reminder(ten, Some(nine), None), nine);
        assert_eq!(reminder(eleven, None, Some((ten, ten))), eleven);
        assert_eq!(reminder(eleven, None, Some((ten, nine))), nine);
        assert_eq!(reminder(eleven, Some(None), Some((ten, ten))), None);
    }
}
