use chrono::{DateTime, Utc};
use serde_json::json;

use super::PresentSchedule;
use crate::{
    apply::{
        format::Document,
        plan::{Action, Plan, What, plan},
        present::Present,
    },
    operator::schedule::Schedule,
};

const FILE: &str = "[operator.\"Anna@shop.example\".schedule]\ntime_zone = \"Asia/Tashkent\"\n\
    weekly = { mon = [[\"09:00\", \"18:00\"]] }\nbreaks = { mon = [[\"13:00\", \"14:00\"]] }\n";

fn schedule(value: serde_json::Value) -> Schedule {
    serde_json::from_value(value).unwrap()
}

/// Anna and Boris are there, and Anna has this schedule.
fn there(present: Option<Schedule>) -> Present {
    let people = [
        ("opr_anna", "anna@shop.example"),
        ("opr_boris", "boris@shop.example"),
    ];
    Present {
        operators: people.map(|(id, word)| (id.to_owned(), word.to_owned())).into(),
        schedules: present
            .map(|schedule| ("opr_anna".to_owned(), PresentSchedule { schedule, version: 3 }))
            .into_iter()
            .collect(),
        ..Present::default()
    }
}

fn planned(text: &str, present: Option<Schedule>) -> Plan {
    plan(&Document::read(text).unwrap(), &there(present), &|_| None).unwrap()
}

fn refused(text: &str) -> Vec<String> {
    let troubles = Document::read(text).unwrap_err();
    troubles.iter().map(ToString::to_string).collect()
}

#[test]
fn a_schedule_nobody_made_is_made() {
    let plan = planned(FILE, None);
    assert_eq!(
        (plan.entries[0].what, plan.entries[0].action),
        (What::Schedule, Action::Create)
    );
    let expected = "\
+ schedule anna@shop.example
    breaks.mon: [[\"13:00\",\"14:00\"]]
    time_zone: \"Asia/Tashkent\"
    weekly.mon: [[\"09:00\",\"18:00\"]]
capacity, languages and skills of operators in the file are read by simulate only: 1
1 to make, 0 to change, 0 unchanged; nothing was written";
    assert_eq!(plan.render(false), expected);
}

#[test]
fn absences_that_are_not_said_are_kept_and_the_rest_is_whole() {
    let present = schedule(json!({
        "time_zone": "Asia/Tashkent", "weekly": {"mon": [["09:00", "18:00"]]}, "breaks": {"mon": [["13:00", "14:00"]]},
        "absences": [{"from": "2027-01-01", "to": "2027-01-10"}]
    }));
    let same = planned(FILE, Some(present.clone()));
    assert_eq!(same.entries[0].action, Action::Nothing, "{same:?}");
    assert!(same.render(true).ends_with("nothing to change"));

    let file = FILE.replace("breaks = { mon = [[\"13:00\", \"14:00\"]] }", "absences = []");
    let changed = planned(&file, Some(present)).render(false);
    assert!(
        changed.contains("    breaks.mon: [[\"13:00\",\"14:00\"]] → none\n"),
        "{changed}"
    );
    assert!(changed.contains("    absences: [{"), "{changed}");
}

#[test]
fn a_week_without_shifts_is_not_the_same_as_no_shifts() {
    let by_hand = schedule(json!({"time_zone": "UTC"}));
    let text =
        |weekly: &str| format!("[operator.\"anna@shop.example\".schedule]\ntime_zone = \"UTC\"\n{weekly}");
    assert_eq!(
        planned(&text(""), Some(by_hand.clone())).entries[0].action,
        Action::Nothing
    );
    assert_eq!(
        planned(&text("weekly = {}"), Some(by_hand)).entries[0].action,
        Action::Change
    );
}

#[test]
fn who_is_not_named_is_left_alone_and_who_is_not_there_is_named() {
    let none = planned(
        "[operator.\"boris@shop.example\"]\ncapacity = 2\n",
        Some(Schedule::default()),
    );
    assert_eq!(
        (none.entries.len(), none.left_alone),
        (0, vec!["schedule anna@shop.example".to_owned()])
    );
    let stranger = FILE.replace("Anna@", "who@");
    let troubles = plan(&Document::read(&stranger).unwrap(), &there(None), &|_| None).unwrap_err();
    assert_eq!(
        troubles[0].to_string(),
        "line 1: operator.who@shop.example: there is no operator who@shop.example"
    );
}

#[test]
fn each_word_that_cannot_be_is_named_with_its_line() {
    let text = "[operator.a.schedule]\ntime_zone = \"Mars/Base\"\nweekly = { mon = [[\"9:00\", \"18:00\"]] }\n\
                absences = [{ from = 2027-01-10, to = 2027-01-01 }]\n\
                [operator.b.schedule]\nweekly = { mon = \"9 to 6\", funday = [] }\nabsences = [\n  { to = 2027-01-01 },\n  { from = \"soon\", kind = \"lazy\" },\n]\n\
                [operator.c.schedule]\ntime_zone = \"UTC\"\nexceptions = []\n";
    let expected = [
        "line 2: operator.a.schedule.time_zone: is not a known IANA time zone, such as Europe/Berlin",
        "line 3: operator.a.schedule.weekly.mon: 9:00 to 18:00: times are written HH:MM",
        "line 4: operator.a.schedule.absences.0.to: must be after the beginning",
        "line 5: operator.b.schedule: `time_zone` is missing",
        "line 6: operator.b.schedule.weekly.funday: unknown key `funday`; known are fri, mon, sat, sun, thu, tue, wed",
        "line 6: operator.b.schedule.weekly.mon: must be a list of [\"HH:MM\", \"HH:MM\"]",
        "line 8: operator.b.schedule.absences.0: `from` is missing",
        "line 9: operator.b.schedule.absences.1.from: is neither a date (2026-12-24) nor a time (2026-12-24T12:00:00Z)",
    ];
    let said = refused(text);
    for line in expected {
        assert!(
            said.iter().any(|found| found == line),
            "{line} is not among {said:#?}"
        );
    }
    assert!(
        said.iter()
            .any(|found| found.starts_with("line 9: operator.b.schedule.absences.1.kind: unknown variant"))
    );
    assert!(
        said.iter()
            .any(|found| found.starts_with("line 13: operator.c.schedule.exceptions: unknown key"))
    );
}

#[test]
fn a_simulation_asks_the_schedule_of_the_file_with_the_absences_that_are_kept() {
    let document = Document::read(FILE).unwrap();
    let shifts = document.operators[0].schedule.as_ref().unwrap();
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    // 2027-01-04 is a Monday; Tashkent is five hours ahead.
    let (from, to) = (at("2027-01-04T00:00:00Z"), at("2027-01-05T00:00:00Z"));
    let spans = [
        (at("2027-01-04T04:00:00Z"), at("2027-01-04T08:00:00Z")),
        (at("2027-01-04T09:00:00Z"), at("2027-01-04T13:00:00Z")),
    ];
    assert_eq!(shifts.plan(None).working_between(from, to), spans);
    let away = schedule(json!({"time_zone": "UTC", "absences": [{"from": "2027-01-01"}]}));
    assert_eq!(shifts.plan(Some(&away)).working_between(from, to), []);
}
