use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Duty, Effective, Plan, Said, Schedule, Shift, Why, effective, standing};
use crate::operator::Availability::{self, Accepting, Off, Paused};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn schedule(body: Value) -> Schedule {
    serde_json::from_value(body).unwrap()
}

fn plan(body: Value) -> Plan {
    let schedule = schedule(body);
    assert_eq!(schedule.errors(), []);
    schedule.plan(at("2026-01-01T00:00:00Z"))
}

fn said(state: Availability) -> Said {
    Said { state, at: None }
}

fn check(found: Effective, availability: Availability, why: Why, changes_at: Option<&str>) {
    let wanted = Effective {
        availability,
        why,
        changes_at: changes_at.map(at),
    };
    assert_eq!(found, wanted);
}

/// Nine to six in Tashkent (five hours ahead), with lunch at one, away over New Year.
fn office() -> Plan {
    let day = json!([["09:00", "18:00"]]);
    let lunch = json!([["13:00", "14:00"]]);
    plan(json!({
        "time_zone": "Asia/Tashkent",
        "weekly": {"mon": day, "tue": day, "wed": day, "thu": day, "fri": day},
        "breaks": {"mon": lunch, "tue": lunch, "wed": lunch, "thu": lunch, "fri": lunch},
        "absences": [{"from": "2026-12-31", "to": "2027-01-04", "kind": "holiday"}],
    }))
}

// 2026-11-23 is a Monday.
const EARLY: &str = "2026-11-23T03:00:00Z";
const BEGIN: &str = "2026-11-23T04:00:00Z";
const LUNCH: &str = "2026-11-23T08:00:00Z";
const BACK: &str = "2026-11-23T09:00:00Z";
const END: &str = "2026-11-23T13:00:00Z";
const TOMORROW: &str = "2026-11-24T04:00:00Z";

#[test]
fn who_has_no_schedule_works_by_hand() {
    for state in [Accepting, Paused, Off] {
        check(effective(said(state), None, at(EARLY)), state, Why::Said, None);
        let empty = Schedule::default().plan(at(EARLY));
        check(
            effective(said(state), Some(&empty), at(EARLY)),
            state,
            Why::Said,
            None,
        );
    }
}

#[test]
fn a_day_of_shift_and_break_goes_by_itself() {
    let plan = office();
    for (now, state, why, until) in [
        (EARLY, Off, Why::OffShift, BEGIN),
        (BEGIN, Accepting, Why::Said, LUNCH),
        (LUNCH, Paused, Why::Break, BACK),
        (BACK, Accepting, Why::Said, END),
        (END, Off, Why::OffShift, TOMORROW),
        (
            "2026-12-30T12:59:59Z",
            Accepting,
            Why::Said,
            "2026-12-30T13:00:00Z",
        ),
        ("2026-12-30T13:00:00Z", Off, Why::OffShift, "2026-12-30T19:00:00Z"),
        ("2026-12-30T19:00:00Z", Off, Why::Absence, "2027-01-04T19:00:00Z"),
        ("2027-01-04T19:00:00Z", Off, Why::OffShift, "2027-01-05T04:00:00Z"),
    ] {
        check(
            effective(said(Accepting), Some(&plan), at(now)),
            state,
            why,
            Some(until),
        );
    }
}

#[test]
fn the_schedule_makes_nobody_accept_who_said_otherwise() {
    let plan = office();
    for now in [EARLY, BEGIN, LUNCH, END, "2027-01-01T06:00:00Z"] {
        check(effective(said(Off), Some(&plan), at(now)), Off, Why::Said, None);
    }
    check(
        effective(said(Paused), Some(&plan), at(BEGIN)),
        Paused,
        Why::Said,
        Some(END),
    );
    // Their own reason stands in the break too.
    check(
        effective(said(Paused), Some(&plan), at(LUNCH)),
        Paused,
        Why::Said,
        Some(END),
    );
    check(
        effective(said(Paused), Some(&plan), at(END)),
        Off,
        Why::OffShift,
        Some(TOMORROW),
    );
    check(
        effective(said(Paused), Some(&plan), at(TOMORROW)),
        Paused,
        Why::Said,
        Some("2026-11-24T13:00:00Z"),
    );
}

#[test]
fn accepting_said_off_shift_is_overtime_until_the_schedule_changes() {
    let plan = office();
    let evening = Said {
        state: Accepting,
        at: Some(at("2026-11-23T15:00:00Z")),
    };
    check(
        effective(evening, Some(&plan), at("2026-11-23T15:00:00Z")),
        Accepting,
        Why::Overtime,
        Some(TOMORROW),
    );
    check(
        effective(evening, Some(&plan), at(TOMORROW)),
        Accepting,
        Why::Said,
        Some("2026-11-24T08:00:00Z"),
    );
    check(
        effective(evening, Some(&plan), at("2026-11-24T13:00:00Z")),
        Off,
        Why::OffShift,
        Some("2026-11-25T04:00:00Z"),
    );
    // A break cut short.
    let lunch = Said {
        state: Accepting,
        at: Some(at("2026-11-23T08:30:00Z")),
    };
    check(
        effective(lunch, Some(&plan), at("2026-11-23T08:30:00Z")),
        Accepting,
        Why::Overtime,
        Some(BACK),
    );
    check(
        effective(lunch, Some(&plan), at(END)),
        Off,
        Why::OffShift,
        Some(TOMORROW),
    );
    // Overtime ends where a holiday begins.
    let before = Said {
        state: Accepting,
        at: Some(at("2026-12-30T14:00:00Z")),
    };
    check(
        effective(before, Some(&plan), at("2026-12-30T18:59:59Z")),
        Accepting,
        Why::Overtime,
        Some("2026-12-30T19:00:00Z"),
    );
    check(
        effective(before, Some(&plan), at("2026-12-30T19:00:00Z")),
        Off,
        Why::Absence,
        Some("2027-01-04T19:00:00Z"),
    );
}

#[test]
fn what_was_said_before_the_schedule_was_changed_overrules_nothing() {
    let body = schedule(json!({"time_zone": "UTC", "absences": [{"from": "2026-11-23", "kind": "sick"}]}));
    let changed = body.plan(at("2026-11-23T11:00:00Z"));
    let morning = Said {
        state: Accepting,
        at: Some(at("2026-11-23T09:00:00Z")),
    };
    let later = Said {
        state: Accepting,
        at: Some(at("2026-11-23T12:00:00Z")),
    };
    let now = at("2026-11-23T13:00:00Z");
    check(effective(morning, Some(&changed), now), Off, Why::Absence, None);
    check(
        effective(later, Some(&changed), now),
        Accepting,
        Why::Overtime,
        None,
    );
}

#[test]
fn a_night_shift_is_as_long_as_the_night_when_clocks_change() {
    let plan = plan(json!({"time_zone": "Europe/Berlin", "weekly": {"sat": [["22:00", "06:00"]]}}));
    // 2026-03-29: two o'clock becomes three.
    check(
        effective(said(Accepting), Some(&plan), at("2026-03-28T21:00:00Z")),
        Accepting,
        Why::Said,
        Some("2026-03-29T04:00:00Z"),
    );
    // 2026-10-25: three o'clock becomes two.
    check(
        effective(said(Accepting), Some(&plan), at("2026-10-24T20:00:00Z")),
        Accepting,
        Why::Said,
        Some("2026-10-25T05:00:00Z"),
    );
}

#[test]
fn an_interval_that_does_not_exist_is_no_shift_and_one_that_comes_twice_is_one() {
    let plan = plan(json!({"time_zone": "Europe/Berlin", "weekly": {"sun": [["02:10", "02:50"]]}}));
    // Skipped on 2026-03-29: the next is a week later.
    check(
        effective(said(Accepting), Some(&plan), at("2026-03-29T00:30:00Z")),
        Off,
        Why::OffShift,
        Some("2026-04-05T00:10:00Z"),
    );
    // Twice on 2026-10-25: from the first beginning to the second end.
    check(
        effective(said(Accepting), Some(&plan), at("2026-10-25T00:10:00Z")),
        Accepting,
        Why::Said,
        Some("2026-10-25T01:50:00Z"),
    );
}

#[test]
fn absences_are_days_of_the_time_zone_or_moments_and_may_overlap() {
    let plan = plan(json!({"time_zone": "America/New_York", "absences": [
        {"from": "2026-11-01", "to": "2026-11-01", "kind": "training"},
        {"from": "2026-11-01T20:00:00Z", "to": "2026-11-02T12:00:00Z"},
        {"from": "2027-02-01"},
    ]}));
    // That Sunday has 25 hours there.
    let next = |now: &str| (plan.duty(at(now)), plan.next(at(now)));
    assert_eq!(
        next("2026-11-01T03:59:59Z"),
        (Duty::Working, Some(at("2026-11-01T04:00:00Z")))
    );
    assert_eq!(
        next("2026-11-01T04:00:00Z"),
        (Duty::Absent, Some(at("2026-11-02T12:00:00Z")))
    );
    assert_eq!(
        next("2026-11-02T12:00:00Z"),
        (Duty::Working, Some(at("2027-02-01T05:00:00Z")))
    );
    assert_eq!(next("2027-02-01T05:00:00Z"), (Duty::Absent, None));
}

#[test]
fn the_outlook_tells_the_shift_after_this_one() {
    let plan = office();
    let shift = |from: &str, to: &str| {
        Some(Shift {
            from: at(from),
            to: Some(at(to)),
        })
    };
    let tuesday = shift(TOMORROW, "2026-11-24T13:00:00Z");
    assert_eq!(plan.outlook(at(LUNCH)).next_shift, tuesday);
    assert_eq!(plan.outlook(at(EARLY)).next_shift, shift(BEGIN, END));
    assert_eq!(
        plan.outlook(at("2026-12-31T06:00:00Z")).next_shift,
        shift("2027-01-05T04:00:00Z", "2027-01-05T13:00:00Z")
    );
    assert_eq!(
        Schedule::default().plan(at(EARLY)).outlook(at(EARLY)).next_shift,
        None
    );
}

#[test]
fn what_is_wrong_is_told_at_its_field() {
    let wrong = schedule(json!({
        "time_zone": "Mars/Base", "weekly": {"mon": [["9:00", "13:00"]]}, "breaks": {"tue": [["10:00", "10:00"]]},
        "absences": [{"from": "2026-11-02T12:00:00Z", "to": "2026-11-02T12:00:00Z", "note": "x".repeat(201)}],
    }));
    let fields: Vec<String> = wrong.errors().into_iter().map(|(field, _)| field).collect();
    assert_eq!(
        fields,
        [
            "time_zone",
            "weekly.mon",
            "breaks.tue",
            "absences[0].to",
            "absences[0].note"
        ]
    );
    let backwards =
        schedule(json!({"time_zone": "UTC", "absences": [{"from": "2026-11-02", "to": "2026-11-01"}]}));
    assert_eq!(backwards.errors().len(), 1);
    assert!(
        serde_json::from_value::<Schedule>(json!({"time_zone": "UTC", "absences": [{"from": "soon"}]}))
            .is_err()
    );
}

fn a_plan() -> impl Strategy<Value = Plan> {
    let week = || prop::collection::vec((0_usize..7, 0_i64..24, 1_i64..24), 0..5);
    let absences = prop::collection::vec((0_i64..400, 0_i64..20, any::<bool>()), 0..4);
    let zones = vec![
        "Europe/Berlin",
        "America/New_York",
        "Asia/Tashkent",
        "Australia/Lord_Howe",
        "UTC",
    ];
    (prop::option::of(week()), week(), absences, prop::sample::select(zones)).prop_map(|(shifts, breaks, absences, zone)| {
        let weekly = |spans: Vec<(usize, i64, i64)>| {
            let mut weekly: std::collections::BTreeMap<&str, Vec<[String; 2]>> = std::collections::BTreeMap::new();
            for (day, from, length) in spans {
                let day = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][day];
                weekly.entry(day).or_default().push([format!("{from:02}:00"), format!("{:02}:30", (from + length) % 24)]);
            }
            json!(weekly)
        };
        let first = at("2026-01-01T00:00:00Z");
        let absence = |(day, length, whole): (i64, i64, bool)| {
            let (from, to) = (first + TimeDelta::days(day), first + TimeDelta::days(day + length) + TimeDelta::hours(5));
            if whole { json!({"from": from.date_naive(), "to": to.date_naive()}) } else { json!({"from": from, "to": to}) }
        };
        let absences: Vec<Value> = absences.into_iter().map(absence).collect();
        plan(json!({"time_zone": zone, "weekly": shifts.map(weekly), "breaks": weekly(breaks), "absences": absences}))
    })
}

fn a_moment() -> impl Strategy<Value = DateTime<Utc>> {
    (0_i64..400 * 24 * 60).prop_map(|minutes| at("2026-01-01T00:00:00Z") + TimeDelta::minutes(minutes))
}

fn a_word() -> impl Strategy<Value = Said> {
    let states = prop::sample::select(vec![Accepting, Paused, Off]);
    (states, prop::option::of(a_moment())).prop_map(|(state, at)| Said { state, at })
}

proptest! {
    #[test]
    fn nobody_takes_work_who_said_no_or_is_off_by_schedule_without_a_word_of_theirs(plan in a_plan(), said in a_word(), now in a_moment()) {
        let (availability, why) = standing(said, Some(&plan), now);
        if availability == Accepting {
            prop_assert_eq!(said.state, Accepting);
            prop_assert_eq!(why == Why::Overtime, plan.duty(now) != Duty::Working);
        }
        if said.state == Off {
            prop_assert_eq!(availability, Off);
        }
    }

    #[test]
    fn nothing_changes_before_it_is_said_to(plan in a_plan(), said in a_word(), now in a_moment(), share in 0_i64..100) {
        // What is said later is not known now.
        let said = Said { at: said.at.map(|at| at.min(now)), ..said };
        let found = effective(said, Some(&plan), now);
        if let Some(until) = found.changes_at {
            prop_assert!(until > now);
            let between = now + (until - now) * i32::try_from(share).unwrap() / 100;
            prop_assert_eq!(standing(said, Some(&plan), between), (found.availability, found.why));
        }
    }

    #[test]
    fn overtime_ends_with_the_next_change_of_the_schedule(plan in a_plan(), now in a_moment()) {
        let said = Said { state: Accepting, at: Some(now) };
        prop_assert_eq!(standing(said, Some(&plan), now).0, Accepting);
        if let Some(next) = plan.next(now) {
            prop_assert_ne!(standing(said, Some(&plan), next).1, Why::Overtime);
        }
    }
}
