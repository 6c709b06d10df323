//! The time a report is about.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::api::problem::{Problem, Result};

/// Longest time of a report.
const LONGEST: TimeDelta = TimeDelta::days(732);

/// From when until before when; `usual` before the end when no beginning is said, until now when no end is.
pub fn period(
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    usual: TimeDelta,
    now: DateTime<Utc>,
) -> Result<(DateTime<Utc>, DateTime<Utc>)> {
    let to = to.unwrap_or(now);
    let from = from.unwrap_or(to - usual);
    if from >= to || to - from > LONGEST {
        return Err(Problem::invalid(
            "from",
            "must lie before `to`, by two years at most",
        ));
    }
    Ok((from, to))
}

/// The zone whose days are counted; UTC when none is said.
pub fn zone(name: Option<&str>) -> Result<Tz> {
    let name = name.unwrap_or("UTC");
    name.parse()
        .map_err(|_| Problem::invalid("time_zone", format!("{name:?} is not a time zone")))
}
