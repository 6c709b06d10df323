use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Hours, after, closing, opening};

fn hours(zone: &str, weekly: Value, exceptions: Value) -> Hours {
    serde_json::from_value(json!({"time_zone": zone, "weekly": weekly, "exceptions": exceptions})).unwrap()
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
    let always = json!({"mon": day, "tue": day, "wed": day, "thu": day, "fri": day, "sat": day, "sun": day});
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
            #[expect(clippy::cast_possible_truncation, reason = "a share of a year in seconds")]
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
