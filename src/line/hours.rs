//! When a line is open: several intervals a day, overnight ones, exception days, in a time zone. Pure.
//!
//! An interval belongs to the day it begins on; one that ends at or before its beginning ends on the
//! next day. An exception replaces the intervals that begin on its date: a holiday does not cut the
//! night before it short. Wall-clock times become moments as the time zone says: a beginning that
//! daylight saving skips is the moment after the gap, and an interval over an hour that comes twice
//! holds both.

use std::{collections::BTreeMap, str::FromStr};

use chrono::{
    DateTime, Datelike, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc,
    Weekday,
};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far the next opening is looked for.
const LOOK_AHEAD_DAYS: u64 = 400;
/// No time zone ever skipped more than a day.
const LONGEST_GAP_MINUTES: i64 = 1_500;
/// Intervals of one day and exceptions of a line.
const INTERVAL_LIMIT: usize = 20;
const EXCEPTION_LIMIT: usize = 1_000;

/// From and to, as `HH:MM`; `24:00` is the end of the day.
pub type Interval = [String; 2];
/// The intervals of each day of the week.
pub type Weekly = BTreeMap<Day, Vec<Interval>>;

/// The days of a week by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl From<Weekday> for Day {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Mon => Self::Mon,
            Weekday::Tue => Self::Tue,
            Weekday::Wed => Self::Wed,
            Weekday::Thu => Self::Thu,
            Weekday::Fri => Self::Fri,
            Weekday::Sat => Self::Sat,
            Weekday::Sun => Self::Sun,
        }
    }
}

/// A date with hours of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Exception {
    /// The date in the line's time zone.
    pub date: NaiveDate,
    /// Its intervals; none: closed all day.
    #[serde(default)]
    #[schema(value_type = Vec<Vec<String>>)]
    pub intervals: Vec<Interval>,
    /// Why.
    #[serde(default)]
    pub name: Option<String>,
}

/// When a line is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hours {
    /// An IANA name: `Asia/Tashkent`.
    pub time_zone: String,
    /// The intervals of each day of the week; a day that is missing is closed.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, Vec<Vec<String>>>)]
    pub weekly: Weekly,
    /// Dates with hours of their own.
    #[serde(default)]
    pub exceptions: Vec<Exception>,
}

/// Whether it is open, and if not, from when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// Open now.
    pub open: bool,
    /// The next opening, when closed now and it opens within about a year.
    pub opens_at: Option<DateTime<Utc>>,
}

impl Opening {
    /// Open, without an end.
    pub const ALWAYS: Self = Self {
        open: true,
        opens_at: None,
    };
}

/// A time without a change: open or closed throughout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Open.
    pub open: bool,
    /// When that changes; none, when it does not for more than about a year.
    pub until: Option<DateTime<Utc>>,
}

/// The state of a line with these hours; without hours it is always open.
pub fn opening(hours: Option<&Hours>, now: DateTime<Utc>) -> Opening {
    hours.map_or(Opening::ALWAYS, |hours| hours.opening(now))
}

/// Until when a line that is open at `now` stays open, over intervals that meet; none when it is closed at
/// `now`, or stays open for about a year.
pub fn closing(hours: Option<&Hours>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let stretch = hours?.stretch(now);
    stretch.until.filter(|_| stretch.open)
}

/// When the line will have been open for `time` since `from`: what timers count. None, when that takes
/// longer than about a year. Without hours a line is always open.
pub fn after(hours: Option<&Hours>, from: DateTime<Utc>, time: TimeDelta) -> Option<DateTime<Utc>> {
    hours.map_or_else(|| from.checked_add_signed(time), |hours| hours.after(from, time))
}

/// When it is open between two moments, in order, joined where the times touch; without hours always.
pub fn open_between(
    hours: Option<&Hours>,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    let always = || if from < to { vec![(from, to)] } else { Vec::new() };
    hours.map_or_else(always, |hours| {
        hours.open_between(from, to).unwrap_or_else(always)
    })
}

impl Hours {
    fn open_between(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Option<Vec<(DateTime<Utc>, DateTime<Utc>)>> {
        let zone = Tz::from_str(&self.time_zone).ok()?;
        let first = from.with_timezone(&zone).date_naive().pred_opt()?;
        let last = to.with_timezone(&zone).date_naive();
        let mut spans: Vec<_> = first
            .iter_days()
            .take_while(|date| *date <= last)
            .flat_map(|date| self.spans(zone, date))
            .map(|(begin, end)| (begin.max(from), end.min(to)))
            .filter(|(begin, end)| begin < end)
            .collect();
        spans.sort_unstable();
        let mut joined: Vec<(DateTime<Utc>, DateTime<Utc>)> = Vec::new();
        for (begin, end) in spans {
            match joined.last_mut() {
                Some(before) if begin <= before.1 => before.1 = before.1.max(end),
                _ => joined.push((begin, end)),
            }
        }
        Some(joined)
    }

    fn after(&self, from: DateTime<Utc>, time: TimeDelta) -> Option<DateTime<Utc>> {
        let Ok(zone) = Tz::from_str(&self.time_zone) else {
            return from.checked_add_signed(time);
        };
        let first = from.with_timezone(&zone).date_naive();
        let first = first.checked_sub_days(Days::new(1)).unwrap_or(first);
        let (mut reached, mut rest) = (from, time);
        for date in (0..=LOOK_AHEAD_DAYS).filter_map(|days| first.checked_add_days(Days::new(days))) {
            let mut spans: Vec<_> = self.spans(zone, date).collect();
            spans.sort_unstable();
            for (begin, end) in spans {
                // Spans may overlap (a night, and the morning after it): no moment counts twice.
                if end <= begin.max(reached) {
                    continue;
                }
                reached = reached.max(begin);
                if end - reached >= rest {
                    return reached.checked_add_signed(rest);
                }
                rest -= end - reached;
                reached = end;
            }
        }
        None
    }

    /// Whether it is open at `now`, and if not, from when. Hours that do not read (they are checked
    /// before they are stored) count as open: a client is never turned away by our error.
    pub fn opening(&self, now: DateTime<Utc>) -> Opening {
        let Ok(zone) = Tz::from_str(&self.time_zone) else {
            return Opening::ALWAYS;
        };
        let today = now.with_timezone(&zone).date_naive();
        let yesterday = today.checked_sub_days(Days::new(1)).unwrap_or(today);
        let mut next: Option<DateTime<Utc>> = None;
        for date in (0..=LOOK_AHEAD_DAYS).filter_map(|days| yesterday.checked_add_days(Days::new(days))) {
            for (from, to) in self.spans(zone, date) {
                if from <= now && now < to {
                    return Opening::ALWAYS;
                }
                if from > now && from < to {
                    next = Some(next.map_or(from, |known| known.min(from)));
                }
            }
            // An interval of a later day begins later; one day more settles shifts of the clock.
            if next.is_some() && date > today {
                break;
            }
        }
        Opening {
            open: false,
            opens_at: next,
        }
    }

    /// Whether it is open at `now`, and until when that stays so: intervals that touch are one.
    pub fn stretch(&self, now: DateTime<Utc>) -> Stretch {
        let opening = self.opening(now);
        let zone = Tz::from_str(&self.time_zone).ok();
        let Some(zone) = zone.filter(|_| opening.open) else {
            return Stretch {
                open: opening.open,
                until: opening.opens_at,
            };
        };
        let today = now.with_timezone(&zone).date_naive();
        let first = today.checked_sub_days(Days::new(1)).unwrap_or(today);
        let mut until = now;
        for date in (0..=LOOK_AHEAD_DAYS).filter_map(|days| first.checked_add_days(Days::new(days))) {
            let mut spans: Vec<_> = self.spans(zone, date).collect();
            spans.sort_unstable();
            for (from, to) in spans {
                if from <= until && to > until {
                    until = to;
                }
            }
            // What begins on a day after the end cannot lengthen it; one day more settles shifts of the clock.
            let last = until.with_timezone(&zone).date_naive();
            if date > last.checked_add_days(Days::new(1)).unwrap_or(last) {
                return Stretch {
                    open: true,
                    until: Some(until),
                };
            }
        }
        Stretch {
            open: true,
            until: None,
        }
    }

    fn intervals(&self, date: NaiveDate) -> &[Interval] {
        if let Some(exception) = self.exceptions.iter().find(|exception| exception.date == date) {
            return &exception.intervals;
        }
        self.weekly
            .get(&Day::from(date.weekday()))
            .map_or(&[], Vec::as_slice)
    }

    fn spans(&self, zone: Tz, date: NaiveDate) -> impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)> {
        self.intervals(date).iter().filter_map(move |[from, to]| {
            let (from, to) = (minutes(from)?, minutes(to)?);
            let to = if to <= from { to + 24 * 60 } else { to };
            let midnight = date.and_time(NaiveTime::MIN);
            let begin = midnight.checked_add_signed(TimeDelta::minutes(from))?;
            let end = midnight.checked_add_signed(TimeDelta::minutes(to))?;
            Some((moment(zone, begin, false)?, moment(zone, end, true)?))
        })
    }

    /// What is wrong, as `(field, message)`.
    pub fn errors(&self) -> Vec<(String, String)> {
        let mut errors = Vec::new();
        if let Err(message) = zone(&self.time_zone) {
            errors.push(("time_zone".to_owned(), message.to_owned()));
        }
        errors.extend(weekly_errors("weekly", &self.weekly));
        if self.exceptions.len() > EXCEPTION_LIMIT {
            errors.push(("exceptions".to_owned(), format!("at most {EXCEPTION_LIMIT}")));
        }
        let mut seen = std::collections::BTreeSet::new();
        for exception in &self.exceptions {
            if !seen.insert(exception.date) {
                errors.push((
                    "exceptions".to_owned(),
                    format!("{} is given twice", exception.date),
                ));
            }
            errors.extend(
                interval_error(&exception.intervals)
                    .map(|message| ("exceptions".to_owned(), format!("{}: {message}", exception.date))),
            );
        }
        errors
    }
}

/// The time zone of this name.
///
/// # Errors
/// What is wrong with the name.
pub fn zone(name: &str) -> Result<Tz, &'static str> {
    Tz::from_str(name).map_err(|_| "is not a known IANA time zone, such as Europe/Berlin")
}

/// What is wrong with the intervals of a week, as `(field.day, message)`.
pub fn weekly_errors(field: &str, weekly: &Weekly) -> Vec<(String, String)> {
    let name = |day: &Day| format!("{field}.{}", format!("{day:?}").to_lowercase());
    weekly
        .iter()
        .filter_map(|(day, intervals)| Some((name(day), interval_error(intervals)?)))
        .collect()
}

/// The first moment of a date.
pub fn beginning(zone: Tz, date: NaiveDate) -> Option<DateTime<Utc>> {
    moment(zone, date.and_time(NaiveTime::MIN), false)
}

fn interval_error(intervals: &[Interval]) -> Option<String> {
    if intervals.len() > INTERVAL_LIMIT {
        return Some(format!("at most {INTERVAL_LIMIT} intervals"));
    }
    for [from, to] in intervals {
        let (Some(begin), Some(end)) = (minutes(from), minutes(to)) else {
            return Some(format!("{from} to {to}: times are written HH:MM"));
        };
        if begin == end || begin == 24 * 60 {
            return Some(format!("{from} to {to} is empty; a whole day is 00:00 to 24:00"));
        }
    }
    None
}

/// Minutes after midnight, up to and with 24:00.
fn minutes(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let digits = |part: &str| {
        (part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| part.parse::<i64>().ok())?
    };
    let (hours, minutes) = (digits(hours)?, digits(minutes)?);
    let total = hours * 60 + minutes;
    (minutes < 60 && total <= 24 * 60).then_some(total)
}

/// The moment of a wall-clock time. One that comes twice: the first for a beginning, the second for
/// an end. One that is skipped: the first moment after the gap.
fn moment(zone: Tz, wall: NaiveDateTime, end: bool) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&wall) {
        LocalResult::Single(moment) => Some(moment.to_utc()),
        LocalResult::Ambiguous(first, second) => Some(if end { second } else { first }.to_utc()),
        LocalResult::None => (1..=LONGEST_GAP_MINUTES)
            .filter_map(|minutes| wall.checked_add_signed(TimeDelta::minutes(minutes)))
            .find_map(|wall| zone.from_local_datetime(&wall).earliest())
            .map(|moment| moment.to_utc()),
    }
}

#[cfg(test)]
#[path = "hours_tests.rs"]
mod tests;
