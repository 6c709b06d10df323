//! Each thing that can be wrong with a line, alone.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Attached, Code, Facts, Member, Other, Severity, warnings};
use crate::{
    line::{Rules, rules::Overflow},
    operator::Counting,
};

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_014_400, 0).unwrap()
}

/// A line that is right: its parts, to be spoilt one by one.
struct Line {
    enabled: bool,
    rules: Rules,
    entries: usize,
    members: Vec<Member>,
    channels: Vec<Attached>,
    lines: BTreeMap<String, Other>,
}

impl Line {
    fn new() -> Self {
        Self {
            enabled: true,
            rules: Rules::default(),
            entries: 1,
            members: vec![member(5.0, &[])],
            channels: vec![channel("webchat", true)],
            lines: BTreeMap::from([
                ("b".to_owned(), other(true, None)),
                ("c".to_owned(), other(true, None)),
            ]),
        }
    }

    fn patched(mut self, patch: &Value) -> Self {
        self.rules = self.rules.patched(patch.as_object().unwrap()).unwrap();
        self
    }

    fn found(&self) -> Vec<(Code, Severity)> {
        let facts = Facts {
            id: "a",
            enabled: self.enabled,
            rules: &self.rules,
            entries: self.entries,
            members: &self.members,
            channels: &self.channels,
            lines: &self.lines,
            counting: &Counting::default(),
        };
        let found = warnings(&facts, now());
        assert!(found.iter().all(|one| !one.text.is_empty()));
        found.into_iter().map(|one| (one.code, one.severity)).collect()
    }

    fn errors(&self) -> Vec<Code> {
        let found = self.found().into_iter();
        found
            .filter(|(_, severity)| *severity == Severity::Error)
            .map(|(code, _)| code)
            .collect()
    }

    fn mild(&self) -> Vec<Code> {
        assert_eq!(self.errors(), []);
        self.found().into_iter().map(|(code, _)| code).collect()
    }
}

fn member(capacity: f64, skills: &[&str]) -> Member {
    Member {
        enabled: true,
        capacity,
        skills: skills.iter().map(|skill| (*skill).to_owned()).collect(),
    }
}

fn channel(kind: &str, enabled: bool) -> Attached {
    Attached {
        kind: kind.to_owned(),
        enabled,
    }
}

fn other(enabled: bool, overflow_to: Option<&str>) -> Other {
    Other {
        name: "Other".to_owned(),
        enabled,
        overflow: Overflow {
            line_id: overflow_to.map(str::to_owned),
            after_secs: overflow_to.map(|_| 60),
        },
    }
}

#[test]
fn a_line_that_is_right_has_no_warning() {
    assert_eq!(Line::new().found(), []);
}

#[test]
fn a_queue_in_which_nobody_can_take_anything_is_an_error() {
    let mut line = Line::new();
    line.members = vec![member(0.0, &[]), member(0.4, &[])];
    assert_eq!(line.errors(), [Code::CapacityTooSmall]);
    line.members[0].enabled = false;
    line.members[1].enabled = false;
    assert_eq!(line.errors(), [Code::MembersDisabled]);
    line.members.clear();
    assert_eq!(line.errors(), [Code::QueueWithoutMembers]);
    line.entries = 0;
    assert_eq!(line.errors(), [Code::QueueEmpty]);
}

#[test]
fn capacity_is_held_against_what_the_channels_bring() {
    let mut line = Line::new();
    line.members = vec![member(0.5, &[])];
    // Half a capacity holds a mail and no chat.
    assert_eq!(line.errors(), [Code::CapacityTooSmall]);
    line.channels.push(channel("email", true));
    assert_eq!(line.mild(), [Code::CapacityTooSmallForSome]);
    line.channels.remove(0);
    assert_eq!(line.mild(), []);
}

#[test]
fn skills_must_be_had_by_one_who_also_has_room() {
    let mut line = Line::new().patched(&json!({"required_skills": ["Billing", "vip"]}));
    line.members = vec![member(5.0, &["billing"]), member(5.0, &["VIP"])];
    assert_eq!(line.errors(), [Code::SkillsMissing]);
    line.members.push(member(0.0, &["billing", "vip"]));
    assert_eq!(line.errors(), [Code::NobodyHasAll]);
    line.members.push(member(1.0, &["BILLING", "VIP"]));
    assert_eq!(line.errors(), []);
}

#[test]
fn hours_without_an_opening_and_a_limit_of_zero_are_errors() {
    let hours = json!({"time_zone": "UTC", "weekly": {}, "exceptions": []});
    let line = Line::new().patched(&json!({ "hours": hours }));
    assert_eq!(line.errors(), [Code::NeverOpen]);
    let one_day = json!({"time_zone": "UTC", "weekly": {},
        "exceptions": [{"date": "2027-06-01", "intervals": [["09:00", "10:00"]]}]});
    assert_eq!(Line::new().patched(&json!({ "hours": one_day })).errors(), []);
    let mut line = Line::new();
    line.rules.limit_per_operator = Some(0);
    assert_eq!(line.errors(), [Code::LimitZero]);
}

#[test]
fn a_line_that_is_off_matters_when_something_comes() {
    let mut line = Line::new();
    line.enabled = false;
    assert_eq!(line.errors(), [Code::LineDisabled]);
    line.channels[0].enabled = false;
    assert_eq!(line.mild(), [Code::ChannelsDisabled]);
    line.channels.clear();
    assert_eq!(line.mild(), [Code::NoChannel]);
}

#[test]
fn an_overflow_has_a_time_and_a_line_that_is_on() {
    let overflow = |line_id: Option<&str>, after_secs: Option<u32>| {
        Line::new().patched(&json!({"overflow": {"line_id": line_id, "after_secs": after_secs}}))
    };
    assert_eq!(overflow(Some("b"), Some(60)).mild(), []);
    assert_eq!(overflow(None, Some(60)).mild(), [Code::OverflowWithoutLine]);
    assert_eq!(overflow(Some("b"), None).mild(), [Code::OverflowWithoutTime]);
    assert_eq!(overflow(Some("a"), Some(60)).mild(), [Code::OverflowToItself]);
    let mut off = overflow(Some("b"), Some(60));
    off.lines.insert("b".to_owned(), other(false, None));
    assert_eq!(off.mild(), [Code::OverflowToDisabled]);
    let closed = json!({"off_hours": {"action": "overflow"}});
    assert_eq!(Line::new().patched(&closed).mild(), [Code::OffHoursWithoutLine]);
    assert_eq!(overflow(Some("b"), None).patched(&closed).mild(), []);
}

#[test]
fn an_overflow_that_leads_back_is_told_and_one_that_circles_elsewhere_ends_the_search() {
    let mut line = Line::new().patched(&json!({"overflow": {"line_id": "b", "after_secs": 60}}));
    line.lines.insert("b".to_owned(), other(true, Some("c")));
    line.lines.insert("c".to_owned(), other(true, Some("a")));
    assert_eq!(line.mild(), [Code::OverflowCycle]);
    line.lines.insert("c".to_owned(), other(true, Some("b")));
    assert_eq!(line.mild(), []);
}
