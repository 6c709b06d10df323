//! Examples of simulations, and the promises that hold for any scenario.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Answering, Arrival, Error, Figures, Note, Scenario, SimLine, Staff, run};
use crate::{
    line::Rules,
    operator::{
        Counting,
        schedule::{Plan, Schedule},
    },
};

/// A Monday, midnight in UTC.
fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_799_020_800, 0).unwrap() + TimeDelta::seconds(seconds)
}

fn arrival(seconds: i64, handle_secs: f64) -> Arrival {
    Arrival {
        at: at(seconds),
        line: "a".to_owned(),
        channel_kind: "webchat".to_owned(),
        language: None,
        priority: 0,
        responsible: None,
        reply_secs: Some(0.0),
        handle_secs: Some(handle_secs),
        patience_secs: None,
    }
}

fn staff(capacity: f64) -> Staff {
    Staff {
        name: "Somebody".to_owned(),
        capacity,
        languages: vec!["en".to_owned()],
        skills: Vec::new(),
        schedule: None,
    }
}

fn line(rules: &Value, queue: &[&str]) -> SimLine {
    SimLine {
        enabled: true,
        rules: Rules::default().patched(rules.as_object().unwrap()).unwrap(),
        queue: queue.iter().map(|id| (*id).to_owned()).collect(),
    }
}

fn scenario(rules: &Value, people: &[(&str, f64)], arrivals: Vec<Arrival>) -> Scenario {
    let queue: Vec<&str> = people.iter().map(|(id, _)| *id).collect();
    Scenario {
        lines: BTreeMap::from([("a".to_owned(), line(rules, &queue))]),
        staff: people
            .iter()
            .map(|(id, capacity)| ((*id).to_owned(), staff(*capacity)))
            .collect(),
        arrivals,
        counting: Counting::default(),
        from: at(0),
        to: at(86_400),
        seed: 1,
        target_secs: 60,
        patience_secs: None,
        answering: Answering::default(),
    }
}

/// Mondays from and to.
fn shift(from: &str, to: &str) -> Option<Plan> {
    let schedule = json!({"time_zone": "UTC", "weekly": {"mon": [[from, to]]}});
    let schedule: Schedule = serde_json::from_value(schedule).unwrap();
    Some(schedule.plan(at(0)))
}

fn sessions(figures: &Figures) -> Vec<u64> {
    figures
        .operators
        .iter()
        .map(|operator| operator.sessions)
        .collect()
}

#[test]
fn one_operator_answers_one_after_the_other() {
    let arrivals = vec![arrival(0, 100.0), arrival(10, 100.0), arrival(20, 100.0)];
    let figures = run(&scenario(&json!({}), &[("anna", 1.0)], arrivals)).unwrap();
    assert_eq!((figures.answered, figures.waiting, figures.abandoned), (3, 0, 0));
    assert_eq!(
        (figures.wait_secs.p50, figures.wait_secs.max),
        (Some(90.0), Some(180.0))
    );
    assert!((figures.answered_in_target - 1.0 / 3.0).abs() < 1e-9);
    let anna = &figures.operators[0];
    assert!((anna.peak - 1.0).abs() < 1e-9);
    assert!((anna.busy_share.unwrap() - 300.0 / 86_400.0).abs() < 1e-9);
}

#[test]
fn clients_without_patience_go_and_others_wait_to_the_end() {
    let impatient = Arrival {
        patience_secs: Some(30.0),
        ..arrival(1, 60.0)
    };
    let arrivals = vec![arrival(0, 100_000.0), impatient, arrival(2, 60.0)];
    let figures = run(&scenario(&json!({}), &[("anna", 1.0)], arrivals)).unwrap();
    assert_eq!((figures.answered, figures.abandoned, figures.waiting), (1, 1, 1));
}

#[test]
fn an_answer_that_is_also_the_last_word_is_an_answer() {
    let short = Arrival {
        reply_secs: Some(60.0),
        ..arrival(0, 60.0)
    };
    let figures = run(&scenario(&json!({}), &[("anna", 1.0)], vec![short])).unwrap();
    assert_eq!((figures.answered, figures.waiting), (1, 0));
}

#[test]
fn distribution_is_that_of_the_router() {
    let coming = || (0..6).map(|number| arrival(number, 10_000.0)).collect();
    let people = [("anna", 4.0), ("boris", 4.0), ("carl", 4.0)];
    let with = |distribution: &str| {
        let figures = run(&scenario(
            &json!({"distribution": distribution}),
            &people,
            coming(),
        ))
        .unwrap();
        sessions(&figures)
    };
    assert_eq!(with("strict"), [4, 2, 0]);
    assert_eq!(with("even"), [2, 2, 2]);
    assert_eq!(with("least_loaded"), [2, 2, 2]);
}

#[test]
fn what_is_due_first_is_served_before_what_waits_longer() {
    let two = |sla: &Value| {
        let arrivals = vec![
            arrival(0, 600.0),
            arrival(10, 600.0),
            Arrival {
                line: "b".to_owned(),
                ..arrival(20, 600.0)
            },
        ];
        let mut scenario = scenario(&json!({}), &[("anna", 1.0)], arrivals);
        scenario
            .lines
            .insert("b".to_owned(), line(&json!({"sla": sla}), &["anna"]));
        run(&scenario).unwrap().wait_secs.max
    };
    // The last one waits from its arrival to the end of the two before it.
    assert_eq!(two(&json!({})), Some(1_180.0));
    assert_eq!(two(&json!({"first_reply_secs": 60})), Some(1_190.0));
}

#[test]
fn shifts_begin_and_end_and_unanswered_sessions_go_back() {
    let mut scenario = scenario(
        &json!({"distribution": "strict"}),
        &[("anna", 5.0), ("boris", 5.0)],
        vec![
            Arrival {
                reply_secs: Some(1_200.0),
                ..arrival(9 * 3_600 + 1_800, 2_000.0)
            },
            arrival(6 * 3_600, 60.0),
        ],
    );
    scenario.staff.get_mut("anna").unwrap().schedule = shift("09:00", "09:40");
    scenario.staff.get_mut("boris").unwrap().schedule = shift("09:35", "18:00");
    let figures = run(&scenario).unwrap();
    // Anna takes both; the second she does not answer before she leaves, and Boris does.
    assert_eq!((sessions(&figures), figures.returned), (vec![2, 1], 1));
    assert_eq!(figures.wait_secs.max, Some(3.0 * 3_600.0));
    assert_eq!(figures.wait_secs.p50, Some(600.0 + 1_200.0));
    assert_eq!(figures.operators[0].shift_secs, Some(2_400.0));
}

#[test]
fn closed_lines_wait_for_their_hours() {
    let hours = json!({"hours": {"time_zone": "UTC", "weekly": {"mon": [["10:00", "12:00"]]}}});
    let figures = run(&scenario(
        &hours,
        &[("anna", 5.0)],
        vec![arrival(0, 60.0), arrival(13 * 3_600, 60.0)],
    ))
    .unwrap();
    assert_eq!((figures.answered, figures.waiting), (1, 1));
    assert_eq!(figures.wait_secs.max, Some(36_000.0));
}

#[test]
fn who_does_not_reply_in_time_loses_the_session_and_overflow_moves_it() {
    let rules = json!({"distribution": "strict", "return_after_secs": 60, "overflow": {"line_id": "b", "after_secs": 30}});
    let slow = Arrival {
        reply_secs: Some(600.0),
        ..arrival(0, 700.0)
    };
    let mut scenario = scenario(&rules, &[("anna", 1.0)], vec![slow, arrival(1, 100.0)]);
    scenario
        .lines
        .insert("b".to_owned(), line(&json!({}), &["boris"]));
    scenario.staff.insert("boris".to_owned(), staff(1.0));
    let figures = run(&scenario).unwrap();
    assert!(figures.returned >= 1, "{figures:?}");
    assert!(figures.overflowed >= 1, "{figures:?}");
    assert_eq!(figures.answered, 2);
}

#[test]
fn the_responsible_operator_is_kept_for_a_while() {
    let theirs = Arrival {
        responsible: Some("boris".to_owned()),
        ..arrival(10, 60.0)
    };
    let busy = Arrival {
        responsible: Some("boris".to_owned()),
        ..arrival(0, 25.0)
    };
    let rules = json!({"distribution": "strict", "sticky": {"grace_secs": 20}});
    let figures = run(&scenario(
        &rules,
        &[("anna", 1.0), ("boris", 1.0)],
        vec![busy, theirs],
    ))
    .unwrap();
    assert_eq!(sessions(&figures), [0, 2]);
    assert_eq!(figures.wait_secs.max, Some(15.0));
}

#[test]
fn too_much_and_nothing_are_refused() {
    let empty = scenario(&json!({}), &[("anna", 1.0)], Vec::new());
    assert_eq!(run(&empty), Err(Error::NoArrivals));
    let mut long = scenario(&json!({}), &[("anna", 1.0)], vec![arrival(0, 1.0)]);
    long.to = at(100 * 86_400);
    assert!(matches!(run(&long), Err(Error::TooLarge(_))));
}

#[test]
fn what_is_not_played_is_said() {
    let mut scenario = scenario(
        &json!({"acceptance": "offer"}),
        &[("anna", 1.0)],
        vec![Arrival {
            handle_secs: None,
            ..arrival(0, 1.0)
        }],
    );
    assert_eq!(
        scenario.notes(),
        [
            Note::OffersDrawn,
            Note::NoSchedule,
            Note::HandlingDrawn,
            Note::PatienceUnlimited
        ]
    );
    scenario.patience_secs = Some(60.0);
    assert!(!scenario.notes().contains(&Note::PatienceUnlimited));
    assert_eq!(run(&scenario).unwrap().answered, 1);
}

/// A busy day on a line with skills and languages.
fn ten_thousand() -> Scenario {
    let arrivals = (0..10_000_i64)
        .map(|number| Arrival {
            language: Some(["en", "ru", "uz"][number as usize % 3].to_owned()),
            handle_secs: None,
            patience_secs: (number % 5 == 0).then_some(600.0),
            priority: i64::from(number % 50 == 0),
            ..arrival(number * 8, 0.0)
        })
        .collect();
    let names: Vec<String> = (0..30).map(|number| format!("operator{number:02}")).collect();
    let people: Vec<(&str, f64)> = names.iter().map(|name| (name.as_str(), 2.0)).collect();
    let rules = json!({"distribution": "least_loaded", "match_language": true, "overflow": {"line_id": "b", "after_secs": 300}});
    let mut scenario = scenario(&rules, &people, arrivals);
    for (number, staff) in scenario.staff.values_mut().enumerate() {
        staff.languages = vec![["en", "ru", "uz"][number % 3].to_owned()];
    }
    scenario
        .lines
        .insert("b".to_owned(), line(&json!({}), &["operator00", "operator01"]));
    scenario
}

#[test]
fn ten_thousand_arrivals_are_played_and_the_same_seed_gives_the_same() {
    let scenario = ten_thousand();
    let begun = std::time::Instant::now();
    let first = run(&scenario).unwrap();
    eprintln!("10,000 arrivals took {:?}", begun.elapsed());
    assert_eq!(first, run(&scenario).unwrap());
    let other = run(&Scenario { seed: 2, ..scenario }).unwrap();
    assert_ne!(first, other);
    assert_eq!(first.arrivals, 10_000);
}

fn some_arrival() -> impl Strategy<Value = Arrival> {
    let secs = || prop_oneof![Just(None), (0.0..4_000.0_f64).prop_map(Some)];
    let language = prop_oneof![
        Just(None),
        Just(Some("en".to_owned())),
        Just(Some("ru".to_owned()))
    ];
    let responsible =
        prop_oneof![3 => Just(None), 1 => (0..4_u32).prop_map(|number| Some(format!("p{number}")))];
    let kind = prop_oneof![Just("webchat".to_owned()), Just("email".to_owned())];
    let line = prop_oneof![Just("a".to_owned()), Just("b".to_owned())];
    (
        0..50_000_i64,
        secs(),
        secs(),
        secs(),
        language,
        responsible,
        kind,
        line,
        0..3_i64,
    )
        .prop_map(
            |(
                seconds,
                reply_secs,
                handle_secs,
                patience_secs,
                language,
                responsible,
                channel_kind,
                line,
                priority,
            )| Arrival {
                at: at(seconds),
                line,
                channel_kind,
                language,
                priority,
                responsible,
                reply_secs,
                handle_secs,
                patience_secs,
            },
        )
}

fn some_rules(other: &'static str) -> impl Strategy<Value = Value> {
    let distribution = prop_oneof![Just("strict"), Just("even"), Just("least_loaded"), Just("all")];
    let actions = (
        prop::sample::select(vec!["none", "text", "form", "callback_lead", "close"]),
        prop::option::of(1..2_000_u32),
        prop::sample::select(vec!["none", "text", "form", "overflow"]),
        1..120_u32,
    );
    (distribution, any::<bool>(), 1..2_000_u32, 1..2_000_u32, any::<bool>(), 1..4_u32, any::<bool>(), actions).prop_map(
        move |(distribution, match_language, overflow, back, timers, limit, offer, (action, after, off_hours, stands))| {
            json!({
                "distribution": distribution, "match_language": match_language, "limit_per_operator": limit,
                "acceptance": if offer { "offer" } else { "automatic" }, "offer_timeout_secs": stands,
                "overflow": {"line_id": other, "after_secs": timers.then_some(overflow)},
                "return_after_secs": timers.then_some(back),
                "no_answer": {"action": action, "after_secs": after}, "off_hours": {"action": off_hours},
                "hours": timers.then(|| json!({"time_zone": "UTC", "weekly": {"mon": [["02:00", "11:30"], ["12:00", "20:00"]]}})),
            })
        },
    )
}

fn some_scenario() -> impl Strategy<Value = Scenario> {
    let people = prop::collection::vec((0.0..4.0_f64, any::<bool>(), any::<bool>()), 1..5);
    let arrivals = prop::collection::vec(some_arrival(), 1..60);
    let answering = (0.0..60.0_f64, 0.0..=1.0_f64);
    (
        some_rules("b"),
        some_rules("a"),
        people,
        arrivals,
        any::<u64>(),
        answering,
    )
        .prop_map(|(a, b, people, arrivals, seed, (accept_secs, lapse_share))| {
            let names: Vec<String> = (0..people.len()).map(|number| format!("p{number}")).collect();
            let listed: Vec<(&str, f64)> = names
                .iter()
                .map(String::as_str)
                .zip(people.iter().map(|one| one.0))
                .collect();
            let mut scenario = scenario(&a, &listed, arrivals);
            let queue: Vec<&str> = names.iter().map(String::as_str).collect();
            scenario.lines.insert("b".to_owned(), line(&b, &queue));
            for (staff, (_, russian, night)) in scenario.staff.values_mut().zip(&people) {
                staff.languages = vec![if *russian { "ru" } else { "en" }.to_owned()];
                staff.schedule = if *night {
                    shift("00:00", "09:00")
                } else {
                    shift("08:00", "16:00")
                };
            }
            scenario.seed = seed;
            scenario.answering = Answering {
                accept_secs,
                lapse_share,
            };
            scenario
        })
}

proptest! {
    #[test]
    fn each_arrival_ends_once_and_nobody_has_more_than_they_can_hold(scenario in some_scenario()) {
        let figures = run(&scenario).unwrap();
        prop_assert_eq!(figures.arrivals, scenario.arrivals.len() as u64);
        prop_assert_eq!(figures.arrivals, figures.answered + figures.unanswered);
        prop_assert_eq!(figures.unanswered, figures.abandoned + figures.closed + figures.waiting);
        prop_assert!(figures.offers_lapsed <= figures.offers);
        prop_assert!(figures.closed <= figures.no_answer_actions && figures.no_answer_actions <= figures.arrivals);
        for operator in &figures.operators {
            let capacity = scenario.staff[&operator.operator_id].capacity;
            prop_assert!(operator.peak <= capacity + 1e-5, "{:?} of {}", operator, capacity);
            prop_assert!(operator.busy_share.is_none_or(|share| (0.0..=1.000_001).contains(&share)));
        }
        let came: u64 = figures.slots.iter().map(|slot| slot.arrivals).sum();
        prop_assert_eq!(came, figures.arrivals);
        prop_assert_eq!(&figures, &run(&scenario).unwrap());
    }

    #[test]
    fn one_more_of_the_same_never_leaves_more_unanswered(
        times in prop::collection::vec((0..40_000_i64, 1.0..5_000.0_f64), 1..80), people in 1..5_usize
    ) {
        let names: Vec<String> = (0..=people).map(|number| format!("p{number}")).collect();
        let listed: Vec<(&str, f64)> = names.iter().map(|name| (name.as_str(), 1.0)).collect();
        let coming = || times.iter().map(|(seconds, handle)| arrival(*seconds, *handle)).collect();
        let mut few = scenario(&json!({}), &listed[..people], coming());
        let mut more = scenario(&json!({}), &listed, coming());
        (few.to, more.to) = (at(40_000), at(40_000));
        let (few, more) = (run(&few).unwrap(), run(&more).unwrap());
        prop_assert!(more.waiting <= few.waiting, "{} with one more, {} before", more.waiting, few.waiting);
        prop_assert!(more.wait_secs.max.unwrap_or_default() <= few.wait_secs.max.unwrap_or_default() + 1e-6 || few.waiting > more.waiting);
    }
}

#[path = "simulate/asking_tests.rs"]
mod asking;
