use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Due, due, unanswered};
use crate::{conversation::session::opened, db::entity::session, line::Rules};

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::seconds(seconds)
}

fn rules(rules: &Value) -> Rules {
    Rules::default().patched(rules.as_object().unwrap()).unwrap()
}

fn all() -> Rules {
    rules(&json!({
        "overflow": {"line_id": "lin_b", "after_secs": 60}, "return_after_secs": 30, "auto_close": {"after_secs": 300}
    }))
}

fn waiting() -> session::Model {
    session::Model {
        owed_since: Some(at(0)),
        ..opened("cnv_1", "lin_a", "webchat", at(0))
    }
}

fn assigned(since: i64) -> session::Model {
    session::Model {
        state: "assigned".to_owned(),
        operator_id: Some("opr_1".to_owned()),
        assigned_at: Some(at(since)),
        ..waiting()
    }
}

fn what(rules: &Rules, session: &session::Model, now: i64) -> Option<Due> {
    due(rules, session, at(now))
}

#[test]
fn who_waits_too_long_moves_to_the_overflow_line() {
    let overflow = Some(Due::Overflow {
        to: "lin_b".to_owned(),
    });
    assert_eq!(what(&all(), &waiting(), 59), None);
    assert_eq!(what(&all(), &waiting(), 60), overflow);
    let moved = session::Model {
        queued_at: Some(at(50)),
        ..waiting()
    };
    assert_eq!(what(&all(), &moved, 60), None, "the time on this line counts");
    let itself = rules(&json!({"overflow": {"line_id": "lin_a", "after_secs": 1}}));
    assert_eq!(what(&itself, &waiting(), 600), None);
}

#[test]
fn an_owner_has_the_whole_time_from_the_assignment_or_from_what_the_client_wrote() {
    assert_eq!(what(&all(), &assigned(100), 129), None);
    assert_eq!(what(&all(), &assigned(100), 130), Some(Due::Return));
    let wrote = session::Model {
        owed_since: Some(at(200)),
        answered_at: Some(at(150)),
        ..assigned(100)
    };
    assert_eq!(what(&all(), &wrote, 229), None);
    assert_eq!(what(&all(), &wrote, 230), Some(Due::Return));
}

#[test]
fn a_session_ends_when_the_client_is_silent_after_an_answer_and_only_then() {
    let answered = session::Model {
        owed_since: None,
        answered_at: Some(at(10)),
        ..assigned(5)
    };
    assert_eq!(what(&all(), &answered, 309), None);
    assert_eq!(what(&all(), &answered, 310), Some(Due::Close));
    let never_answered = session::Model {
        owed_since: None,
        ..assigned(5)
    };
    assert_eq!(what(&all(), &never_answered, 100_000), None);
}

#[test]
fn nothing_is_due_while_the_line_is_closed() {
    // 1_800_000_000 is a Friday, 2027-01-15, 08:00 UTC.
    let mut rules = all();
    rules.hours =
        serde_json::from_value(json!({"time_zone": "UTC", "weekly": {"mon": [["09:00", "18:00"]]}})).unwrap();
    assert_eq!(what(&rules, &waiting(), 86_400), None);
    let monday = 3 * 86_400 + 3_600;
    assert_eq!(what(&rules, &waiting(), monday + 59), None);
    assert!(what(&rules, &waiting(), monday + 60).is_some());
}

proptest! {
    /// Time only brings things nearer, a line without timers leaves everything alone, and the state
    /// decides what can be due.
    #[test]
    fn what_is_due_fits_the_state_and_stays_due(
        stage in 0_u8..3, queued in 0_i64..500, owed in proptest::option::of(0_i64..500),
        answered in proptest::option::of(0_i64..500), now in 0_i64..2_000, later in 0_i64..2_000,
    ) {
        let mut row = if stage == 0 { waiting() } else { assigned(queued) };
        if stage == 2 {
            row.state = "closed".to_owned();
        }
        row.queued_at = Some(at(queued));
        row.owed_since = owed.map(at);
        row.answered_at = answered.map(at);
        prop_assert_eq!(what(&Rules::default(), &row, now), None);
        let found = what(&all(), &row, now);
        match (&found, stage) {
            (Some(Due::Overflow { .. }), 0) | (Some(Due::Return), 1) | (None, _) => {}
            (Some(Due::Close), 0 | 1) => prop_assert!(owed.is_none() && answered.is_some()),
            other => prop_assert!(false, "{other:?}"),
        }
        if found.is_some() {
            prop_assert!(what(&all(), &row, now + later).is_some());
        }
    }
}

fn sorry() -> Rules {
    rules(&json!({"no_answer": {"after_secs": 60, "action": "text", "text": "Sorry"}}))
}

#[test]
fn the_no_answer_action_is_due_when_a_client_waited_so_long_for_somebody() {
    assert!(!unanswered(&sorry(), &waiting(), false, at(59)));
    assert!(unanswered(&sorry(), &waiting(), false, at(60)));
    assert!(!unanswered(&Rules::default(), &waiting(), false, at(600)));
    let none = rules(&json!({"no_answer": {"after_secs": 60}}));
    assert!(
        !unanswered(&none, &waiting(), false, at(600)),
        "no action is no action"
    );
}

#[test]
fn no_answer_counts_who_waits_for_us_and_is_nobodys() {
    let now = at(100_000);
    let owned = session::Model {
        operator_id: Some("opr_1".to_owned()),
        ..waiting()
    };
    let silent = session::Model {
        owed_since: None,
        ..waiting()
    };
    let closed = session::Model {
        closed_at: Some(at(1)),
        ..waiting()
    };
    for session in [owned, silent, closed] {
        assert!(!unanswered(&sorry(), &session, false, now));
    }
    let came_back = session::Model {
        waiting_since: at(50),
        ..waiting()
    };
    assert!(
        !unanswered(&sorry(), &came_back, false, at(109)) && unanswered(&sorry(), &came_back, false, at(110))
    );
}

#[test]
fn no_answer_counts_while_the_line_is_open() {
    // 1_800_000_000 is a Friday, 2027-01-15, 08:00 UTC.
    let mut rules = sorry();
    rules.hours =
        serde_json::from_value(json!({"time_zone": "UTC", "weekly": {"mon": [["09:00", "18:00"]]}})).unwrap();
    let monday = 3 * 86_400 + 3_600;
    assert!(!unanswered(&rules, &waiting(), false, at(monday + 59)));
    assert!(unanswered(&rules, &waiting(), false, at(monday + 60)));
}
