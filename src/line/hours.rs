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
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{Hours, after, closing, opening};

    fn hours(zone: &str, weekly: Value, exceptions: Value) -> Hours {
        serde_json::from_value(json!({"time_zone": zone, "weekly": weekly, "exceptions": exceptions}))
            .unwrap()
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn check(hours: &Hours, now: &str, open: bool, opens_at: Option<&str>) {
        let found = opening(Some(hours), at(now));
        assert_eq!((found.open, found.opens_at), (open, opens_at.map(at)), "at {now}");
    }

    #[test]
    fn a_line_without_hours_is_always_open() {
        assert!(opening(None, at("2026-11-22T03:00:00Z")).open);
    }

    #[test]
    fn an_open_line_closes_where_intervals_that_meet_end() {
        let line = hours(
            "Asia/Tashkent",
            json!({"mon": [["09:00", "13:00"], ["13:00", "18:00"], ["22:00", "24:00"]], "tue": [["00:00", "02:00"]],
                "fri": [["22:00", "06:00"]], "sat": [["05:00", "07:00"]]}),
            json!([]),
        );
        // Tashkent is five hours ahead; 2026-11-23 is a Monday.
        for (now, until) in [
            ("2026-11-23T03:59:00Z", None),
            ("2026-11-23T04:00:00Z", Some("2026-11-23T13:00:00Z")),
            ("2026-11-23T13:00:00Z", None),
            ("2026-11-23T18:00:00Z", Some("2026-11-23T21:00:00Z")),
            ("2026-11-27T20:00:00Z", Some("2026-11-28T02:00:00Z")),
            ("2026-11-28T01:30:00Z", Some("2026-11-28T02:00:00Z")),
        ] {
            assert_eq!(closing(Some(&line), at(now)), until.map(at), "{now}");
        }
        let day = json!([["00:00", "24:00"]]);
        let always =
            json!({"mon": day, "tue": day, "wed": day, "thu": day, "fri": day, "sat": day, "sun": day});
        assert_eq!(
            closing(Some(&hours("UTC", always, json!([]))), at("2026-11-23T00:00:00Z")),
            None
        );
        assert_eq!(closing(None, at("2026-11-23T00:00:00Z")), None);
    }

    #[test]
    fn timers_stand_still_while_the_line_is_closed() {
        let minutes = TimeDelta::minutes;
        let line = hours(
            "Asia/Tashkent",
            json!({"mon": [["09:00", "13:00"], ["14:00", "18:00"]], "tue": [["09:00", "18:00"]]}),
            json!([]),
        );
        // Tashkent is five hours ahead; 2026-11-23 is a Monday.
        for (from, time, wanted) in [
            ("2026-11-23T04:00:00Z", minutes(30), Some("2026-11-23T04:30:00Z")),
            ("2026-11-23T07:50:00Z", minutes(30), Some("2026-11-23T09:20:00Z")),
            ("2026-11-23T12:50:00Z", minutes(30), Some("2026-11-24T04:20:00Z")),
            ("2026-11-22T00:00:00Z", minutes(1), Some("2026-11-23T04:01:00Z")),
        ] {
            assert_eq!(after(Some(&line), at(from), time), wanted.map(at), "{from}");
        }
        assert_eq!(
            after(None, at("2026-11-22T00:00:00Z"), minutes(5)),
            Some(at("2026-11-22T00:05:00Z"))
        );
        let never = hours("UTC", json!({}), json!([]));
        assert_eq!(after(Some(&never), at("2026-11-22T00:00:00Z"), minutes(5)), None);
    }

    #[test]
    fn an_hour_counts_once_where_intervals_overlap_and_as_it_passes_where_clocks_change() {
        let night = hours(
            "Europe/Berlin",
            json!({"sat": [["22:00", "06:00"]], "sun": [["05:00", "07:00"]]}),
            json!([]),
        );
        // 2027-03-28: two o'clock becomes three; the night is an hour shorter.
        let from = at("2027-03-27T21:00:00Z");
        assert_eq!(
            after(Some(&night), from, TimeDelta::hours(8)),
            Some(at("2027-03-28T05:00:00Z"))
        );
        // 2026-10-25: three o'clock becomes two; an hour longer.
        let from = at("2026-10-24T20:00:00Z");
        assert_eq!(
            after(Some(&night), from, TimeDelta::hours(10)),
            Some(at("2026-10-25T06:00:00Z"))
        );
    }

    #[test]
    fn a_day_with_a_break_is_closed_in_it() {
        let line = hours(
            "Asia/Tashkent",
            json!({"mon": [["09:00", "13:00"], ["14:00", "18:00"]]}),
            json!([]),
        );
        // Tashkent is five hours ahead; 2026-11-23 is a Monday.
        check(&line, "2026-11-23T03:59:59Z", false, Some("2026-11-23T04:00:00Z"));
        check(&line, "2026-11-23T04:00:00Z", true, None);
        check(&line, "2026-11-23T08:00:00Z", false, Some("2026-11-23T09:00:00Z"));
        check(&line, "2026-11-23T12:59:59Z", true, None);
        check(&line, "2026-11-23T13:00:00Z", false, Some("2026-11-30T04:00:00Z"));
    }

    #[test]
    fn a_night_that_begins_before_midnight_goes_on_after_it() {
        let line = hours("Europe/Berlin", json!({"fri": [["22:00", "06:00"]]}), json!([]));
        check(&line, "2026-11-27T20:59:00Z", false, Some("2026-11-27T21:00:00Z"));
        check(&line, "2026-11-27T23:30:00Z", true, None);
        check(&line, "2026-11-28T04:59:00Z", true, None);
        check(&line, "2026-11-28T05:00:00Z", false, Some("2026-12-04T21:00:00Z"));
    }

    #[test]
    fn an_exception_replaces_the_day_and_leaves_the_night_before_alone() {
        let weekly =
            json!({"thu": [["22:00", "06:00"]], "fri": [["09:00", "18:00"]], "sat": [["10:00", "11:00"]]});
        let line = hours(
            "UTC",
            weekly,
            json!([{"date": "2027-01-01", "intervals": [], "name": "New Year"}]),
        );
        // 2027-01-01 is a Friday.
        check(&line, "2027-01-01T05:00:00Z", true, None);
        check(&line, "2027-01-01T10:00:00Z", false, Some("2027-01-02T10:00:00Z"));
        let short = hours(
            "UTC",
            json!({}),
            json!([{"date": "2027-01-04", "intervals": [["12:00", "13:00"]]}]),
        );
        check(
            &short,
            "2027-01-01T10:00:00Z",
            false,
            Some("2027-01-04T12:00:00Z"),
        );
        check(&short, "2027-01-04T13:00:00Z", false, None);
    }

    #[test]
    fn a_beginning_that_daylight_saving_skips_is_the_moment_after_the_gap() {
        // Berlin, 2026-03-29: 02:00 becomes 03:00.
        let line = hours("Europe/Berlin", json!({"sun": [["02:30", "04:00"]]}), json!([]));
        check(&line, "2026-03-29T00:59:59Z", false, Some("2026-03-29T01:00:00Z"));
        check(&line, "2026-03-29T01:00:00Z", true, None);
        check(&line, "2026-03-29T02:00:00Z", false, Some("2026-04-05T00:30:00Z"));
    }

    #[test]
    fn an_hour_that_comes_twice_is_open_both_times() {
        // Berlin, 2026-10-25: 03:00 becomes 02:00.
        let line = hours("Europe/Berlin", json!({"sun": [["02:00", "03:00"]]}), json!([]));
        check(&line, "2026-10-25T00:30:00Z", true, None);
        check(&line, "2026-10-25T01:30:00Z", true, None);
        check(&line, "2026-10-25T02:00:00Z", false, Some("2026-11-01T01:00:00Z"));
    }

    #[test]
    fn around_the_clock_has_no_seam_at_midnight() {
        let day = json!([["00:00", "24:00"]]);
        let line = hours("America/New_York", json!({"mon": day, "tue": day}), json!([]));
        check(&line, "2026-11-24T04:59:59Z", true, None);
        check(&line, "2026-11-24T05:00:00Z", true, None);
        check(&line, "2026-11-25T05:00:00Z", false, Some("2026-11-30T05:00:00Z"));
    }

    #[test]
    fn wrong_hours_name_their_field() {
        let line = hours(
            "Nowhere",
            json!({"mon": [["9:00", "13:00"]], "tue": [["10:00", "10:00"]]}),
            json!([]),
        );
        let fields: Vec<String> = line.errors().into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields, ["time_zone", "weekly.mon", "weekly.tue"]);
    }

    #[test]
    fn intervals_that_touch_are_one_stretch() {
        let until = |line: &Hours, now: &str| line.stretch(at(now)).until;
        let line = hours(
            "UTC",
            json!({"mon": [["12:00", "18:00"], ["09:00", "12:00"]], "fri": [["22:00", "24:00"]], "sat": [["00:00", "02:00"], ["01:00", "03:00"]]}),
            json!([]),
        );
        // 2026-11-23 is a Monday.
        assert_eq!(
            until(&line, "2026-11-23T10:00:00Z"),
            Some(at("2026-11-23T18:00:00Z"))
        );
        assert_eq!(
            until(&line, "2026-11-23T18:00:00Z"),
            Some(at("2026-11-27T22:00:00Z"))
        );
        assert_eq!(
            until(&line, "2026-11-27T22:00:00Z"),
            Some(at("2026-11-28T03:00:00Z"))
        );
        let day = json!([["00:00", "24:00"]]);
        let always = hours(
            "Europe/Berlin",
            json!({"mon": day, "tue": day, "wed": day, "thu": day, "fri": day, "sat": day, "sun": day}),
            json!([]),
        );
        assert_eq!(until(&always, "2026-11-23T10:00:00Z"), None);
    }

    proptest! {
        #[test]
        fn a_stretch_ends_where_it_changes_and_not_before(
            seconds in 1_767_225_600_i64..1_830_297_600, share in 0.0_f64..1.0,
            spans in prop::collection::vec((0_usize..7, 0_i64..24, 1_i64..24), 1..6),
            zone in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
        ) {
            let mut weekly: std::collections::BTreeMap<&str, Vec<[String; 2]>> = std::collections::BTreeMap::new();
            for (day, from, length) in spans {
                let day = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][day];
                weekly.entry(day).or_default().push([format!("{from:02}:00"), format!("{:02}:00", (from + length) % 24)]);
            }
            let line = hours(zone, json!(weekly), json!([]));
            let now = DateTime::from_timestamp(seconds, 0).unwrap();
            let found = line.stretch(now);
            prop_assert_eq!(found.open, line.opening(now).open);
            if let Some(until) = found.until {
                prop_assert!(until > now);
                prop_assert_eq!(line.opening(until).open, !found.open);
                #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
                let between = now + TimeDelta::seconds(((until - now).num_seconds() as f64 * share) as i64);
                prop_assert_eq!(line.opening(between).open, found.open);
            }
        }

        #[test]
        fn the_next_opening_is_open_and_the_second_before_it_is_not(
            seconds in 1_767_225_600_i64..1_830_297_600, from in 0_i64..24, length in 1_i64..23, day in 0_usize..7,
            zone in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Asia/Tashkent", "Australia/Lord_Howe", "UTC"]),
        ) {
            let name = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][day];
            let interval = [[format!("{from:02}:00"), format!("{:02}:30", (from + length) % 24)]];
            let line = hours(zone, json!({ name: interval }), json!([]));
            prop_assert!(line.errors().is_empty());
            let now = DateTime::from_timestamp(seconds, 0).unwrap();
            let found = line.opening(now);
            if !found.open {
                let next = found.opens_at.unwrap();
                prop_assert!(next > now && next - now <= TimeDelta::days(8));
                prop_assert!(line.opening(next).open);
                prop_assert!(!line.opening(next - TimeDelta::seconds(1)).open);
            }
        }
    }
}
