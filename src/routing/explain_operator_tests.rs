//! What an operator is told, for worlds made by hand.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::{LineFacts, Shown, heads, lines};
use crate::{
    line::{Rules, check::Attached},
    operator::{Availability, Counting, Presence, load::Load, presence::Observed},
    routing::{
        decide::{Outcome, Rejection},
        world::{LineState, OperatorState, Round, Waiting, World},
    },
};

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_014_400, 0).unwrap() + TimeDelta::seconds(seconds)
}

fn operator(capacity: f64) -> OperatorState {
    OperatorState {
        enabled: true,
        may_answer: true,
        availability: Availability::Accepting,
        observed: Observed {
            presence: Presence::Online,
            gone_since: None,
        },
        languages: Vec::new(),
        skills: Vec::new(),
        capacity,
        load: Load::default(),
    }
}

fn world(rules: serde_json::Value, queue: &[(&str, f64)]) -> World {
    let line = LineState {
        version: 1,
        enabled: true,
        rules: Rules::default().patched(rules.as_object().unwrap()).unwrap(),
        queue: queue.iter().map(|(id, _)| (*id).to_owned()).collect(),
        turns: BTreeMap::new(),
        overflow_to: None,
    };
    World {
        lines: BTreeMap::from([("line".to_owned(), line)]),
        operators: queue
            .iter()
            .map(|(id, capacity)| ((*id).to_owned(), operator(*capacity)))
            .collect(),
        waiting: Vec::new(),
    }
}

fn facts(kind: &str) -> LineFacts {
    let channel = Attached {
        kind: kind.to_owned(),
        enabled: true,
    };
    LineFacts {
        names: BTreeMap::from([("line".to_owned(), "Support".to_owned())]),
        channels: BTreeMap::from([("line".to_owned(), vec![channel])]),
        waiting: BTreeMap::from([("line".to_owned(), 3)]),
    }
}

fn waiting(number: i64, responsible: Option<&str>) -> Waiting {
    Waiting {
        session_id: format!("ses_{number}"),
        version: 1,
        conversation_id: format!("cnv_{number}"),
        line_id: "line".to_owned(),
        weight: 1.0,
        priority: 0,
        due_at: None,
        waiting_since: at(number),
        language: None,
        responsible: responsible.map(str::to_owned),
        declined: BTreeSet::new(),
        lapsed: BTreeSet::new(),
        round: Round::default(),
    }
}

#[test]
fn a_line_tells_the_first_check_that_fails_and_who_comes_before() {
    let mut world = world(json!({"distribution": "strict"}), &[("a", 5.0), ("b", 5.0)]);
    let said = |world: &World, kind: &str| {
        let all = lines(world, "b", &facts(kind), &Counting::default(), at(0));
        let one = all.into_iter().next().unwrap();
        (one.rejected_by, one.rank, one.free_before, one.waiting)
    };
    assert_eq!(said(&world, "webchat"), (None, Some(2), 1, 3));
    world.operators.get_mut("a").unwrap().availability = Availability::Paused;
    assert_eq!(said(&world, "webchat"), (None, Some(2), 0, 3));
    world.operators.get_mut("b").unwrap().capacity = 0.5;
    assert_eq!(said(&world, "email").0, None);
    assert_eq!(said(&world, "webchat").0, Some(Rejection::AtCapacity));
    world.operators.get_mut("b").unwrap().observed.presence = Presence::Away;
    assert_eq!(said(&world, "email").0, Some(Rejection::Away));
}

#[test]
fn a_line_that_is_closed_or_off_still_tells_the_operators_own_reason() {
    let never = json!({"hours": {"time_zone": "UTC", "weekly": {}, "exceptions": []}});
    let mut world = world(never, &[("a", 5.0)]);
    let line = world.lines.get_mut("line").unwrap();
    line.enabled = false;
    world.operators.get_mut("a").unwrap().availability = Availability::Off;
    let all = lines(&world, "a", &facts("webchat"), &Counting::default(), at(0));
    assert_eq!(
        (all[0].enabled, all[0].open, all[0].opens_at),
        (false, false, None)
    );
    assert_eq!(
        (all[0].rejected_by, all[0].rank, all[0].members),
        (Some(Rejection::OffShift), Some(1), 1)
    );
}

#[test]
fn each_session_at_the_head_says_what_stands_between() {
    let mut world = world(json!({"distribution": "strict"}), &[("a", 5.0), ("b", 5.0)]);
    world.operators.get_mut("a").unwrap().capacity = 1.0;
    world.operators.get_mut("b").unwrap().availability = Availability::Paused;
    world.operators.insert("c".to_owned(), operator(1.0));
    let mut kept = waiting(3, Some("a"));
    kept.declined.insert("b".to_owned());
    world.waiting = vec![waiting(2, None), kept, waiting(1, None)];
    let shown = (1..4).map(|number| {
        let shown = Shown {
            number,
            contact_name: None,
            channel_kind: "webchat".to_owned(),
        };
        (format!("cnv_{number}"), shown)
    });
    let told = heads(&world, "b", shown.collect(), at(10));
    let short: Vec<_> = told
        .iter()
        .map(|one| {
            (
                one.number,
                one.outcome,
                one.operator_id.as_deref(),
                one.rejected_by,
            )
        })
        .collect();
    assert_eq!(
        short,
        [
            (1, Outcome::Assigned, Some("a"), Some(Rejection::Paused)),
            (2, Outcome::Waiting, None, Some(Rejection::Paused)),
            // Kept a while for who is responsible: nobody else was looked at.
            (3, Outcome::Waiting, None, None),
        ]
    );
}
