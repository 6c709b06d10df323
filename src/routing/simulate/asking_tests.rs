//! Offers and what lines do by themselves, played by example; and the promises, looked at after each moment.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::json;

use super::{arrival, at, line, scenario, sessions, shift, some_scenario, staff, ten_thousand};
use crate::{
    line::rules::Acceptance,
    operator::load::fits,
    routing::simulate::{Answering, Arrival, Note, Scenario, engine::Engine, run},
};

/// Everybody says yes at once, or nobody ever.
fn always(yes: bool) -> Answering {
    Answering {
        accept_secs: 0.0,
        lapse_share: if yes { 0.0 } else { 1.0 },
    }
}

fn offering(more: &serde_json::Value, people: &[(&str, f64)], arrivals: Vec<Arrival>) -> Scenario {
    let mut rules = json!({"distribution": "strict", "acceptance": "offer", "offer_timeout_secs": 30});
    let more = more.as_object().unwrap().clone();
    rules.as_object_mut().unwrap().extend(more);
    let mut scenario = scenario(&rules, people, arrivals);
    scenario.answering = always(false);
    scenario
}

#[test]
fn who_says_yes_at_once_has_it_as_if_it_were_given() {
    let mut offered = offering(
        &json!({}),
        &[("anna", 1.0), ("boris", 1.0)],
        vec![arrival(0, 100.0), arrival(1, 100.0)],
    );
    offered.answering = always(true);
    let figures = run(&offered).unwrap();
    assert_eq!((sessions(&figures), figures.answered), (vec![1, 1], 2));
    assert_eq!((figures.offers, figures.offers_lapsed), (2, 0));
    assert_eq!(figures.wait_secs.max, Some(0.0));
    assert_eq!(
        offered.notes(),
        [Note::OffersDrawn, Note::NoSchedule, Note::PatienceUnlimited]
    );
}

#[test]
fn a_yes_takes_a_while_and_the_client_waits_for_it() {
    let mut offered = offering(
        &json!({"offer_timeout_secs": 3_600}),
        &[("anna", 500.0)],
        (0..400).map(|number| arrival(number, 10.0)).collect(),
    );
    offered.answering = Answering {
        accept_secs: 20.0,
        lapse_share: 0.0,
    };
    let figures = run(&offered).unwrap();
    assert_eq!((figures.answered, figures.offers_lapsed), (400, 0));
    let half = figures.wait_secs.p50.unwrap();
    assert!(
        (10.0..20.0).contains(&half),
        "half of an exponential around 20 s: {half}"
    );
}

#[test]
fn one_after_the_other_is_asked_then_all_together_and_then_the_action_is_done() {
    let rules = json!({"no_answer": {"action": "close"}});
    let offered = offering(&rules, &[("anna", 1.0), ("boris", 1.0)], vec![arrival(0, 60.0)]);
    let figures = run(&offered).unwrap();
    // Anna, Boris, both together: three times half a minute.
    assert_eq!((figures.offers, figures.offers_lapsed), (4, 4));
    assert_eq!(
        (figures.no_answer_actions, figures.closed, figures.unanswered),
        (1, 1, 1)
    );
    let waited: Vec<u64> = figures.slots.iter().map(|slot| slot.waiting).collect();
    assert_eq!(
        (waited[0], waited[1]),
        (1, 0),
        "it is over after a minute and a half"
    );
}

#[test]
fn with_all_everybody_is_asked_at_once_and_one_has_it() {
    let rules = json!({"distribution": "all"});
    let mut offered = offering(
        &rules,
        &[("anna", 1.0), ("boris", 1.0), ("carl", 1.0)],
        vec![arrival(0, 60.0), arrival(1, 60.0)],
    );
    offered.answering = always(true);
    let figures = run(&offered).unwrap();
    assert_eq!((figures.answered, figures.offers), (2, 3 + 2));
    assert_eq!(sessions(&figures).iter().sum::<u64>(), 2);
}

#[test]
fn a_round_that_came_to_nothing_begins_anew_after_a_rest() {
    let offered = offering(
        &json!({"no_answer": {"action": "text"}}),
        &[("anna", 1.0)],
        vec![arrival(0, 60.0)],
    );
    let mut short = offered.clone();
    // Anna, Anna again as the whole broadcast, a rest of half a minute, and Anna again.
    short.to = at(91);
    let figures = run(&short).unwrap();
    assert_eq!(
        (figures.offers, figures.no_answer_actions, figures.waiting),
        (3, 1, 1)
    );
    let figures = run(&offered).unwrap();
    assert_eq!(figures.no_answer_actions, 1, "once for each wait");
    assert!(
        figures.offers > 1_000,
        "she is asked for ever: {}",
        figures.offers
    );
}

#[test]
fn the_overflow_line_comes_before_the_broadcast() {
    let rules = json!({"overflow": {"line_id": "b"}});
    let mut offered = offering(&rules, &[("anna", 1.0)], vec![arrival(0, 60.0)]);
    offered.lines.insert("b".to_owned(), line(&json!({}), &["boris"]));
    offered.staff.insert("boris".to_owned(), staff(1.0));
    let figures = run(&offered).unwrap();
    assert_eq!((figures.offers, figures.overflowed, figures.answered), (1, 1, 1));
    assert_eq!(figures.wait_secs.max, Some(30.0));
}

#[test]
fn an_operator_who_leaves_is_not_asked_any_more_and_is_not_reproached() {
    let mut offered = offering(
        &json!({"offer_timeout_secs": 7_200}),
        &[("anna", 1.0), ("boris", 1.0)],
        vec![arrival(9 * 3_600 + 1_800, 60.0)],
    );
    offered.staff.get_mut("anna").unwrap().schedule = shift("09:00", "10:00");
    let figures = run(&offered).unwrap();
    // Anna leaves half an hour later and Boris is asked; he lets it lie, and is asked again alone.
    assert!(
        figures.offers > 2 && figures.offers_lapsed == figures.offers - 2,
        "{figures:?}"
    );
}

#[test]
fn what_nobody_takes_is_closed_after_the_lines_time() {
    let rules = json!({"no_answer": {"action": "close", "after_secs": 45}});
    let long = arrival(0, 10_000.0);
    let figures = run(&scenario(&rules, &[("anna", 1.0)], vec![long, arrival(1, 60.0)])).unwrap();
    assert_eq!(
        (figures.answered, figures.closed, figures.no_answer_actions),
        (1, 1, 1)
    );
    let busy = json!({"no_answer": {"action": "callback_lead", "after_secs": 45}});
    let figures = run(&scenario(
        &busy,
        &[("anna", 1.0)],
        vec![arrival(0, 10_000.0), arrival(1, 60.0)],
    ))
    .unwrap();
    assert_eq!(
        (figures.answered, figures.closed, figures.no_answer_actions),
        (2, 0, 1)
    );
}

#[test]
fn who_comes_to_a_closed_line_is_told_once_each_time_it_is_closed_or_moves_on() {
    let open = json!({"time_zone": "UTC", "weekly": {"mon": [["10:00", "11:00"], ["12:00", "13:00"]]}});
    let rules = json!({"hours": open, "off_hours": {"action": "text"}});
    // Nobody is there: told when it comes, when the line closes at 11, and at 13 again.
    let alone = run(&scenario(&rules, &[], vec![arrival(0, 60.0)])).unwrap();
    assert_eq!((alone.off_hours_actions, alone.waiting), (3, 1));
    let rules = json!({"hours": open, "off_hours": {"action": "overflow"}, "overflow": {"line_id": "b"}});
    let mut moving = scenario(
        &rules,
        &[],
        vec![arrival(0, 60.0), arrival(10 * 3_600 + 60, 60.0)],
    );
    moving.lines.insert("b".to_owned(), line(&json!({}), &["boris"]));
    moving.staff.insert("boris".to_owned(), staff(1.0));
    let figures = run(&moving).unwrap();
    assert_eq!(
        (figures.overflowed, figures.answered, figures.off_hours_actions),
        (2, 2, 0)
    );
    assert_eq!(
        figures.wait_secs.max,
        Some(3_540.0),
        "the second one moves when the line closes"
    );
}

#[test]
fn ten_thousand_arrivals_are_offered_and_the_same_seed_asks_the_same() {
    let mut scenario = ten_thousand();
    for line in scenario.lines.values_mut() {
        line.rules.acceptance = Acceptance::Offer;
    }
    let begun = std::time::Instant::now();
    let figures = run(&scenario).unwrap();
    eprintln!("10,000 arrivals by offer took {:?}", begun.elapsed());
    assert!(
        figures.offers > 9_000 && figures.offers_lapsed > 300,
        "{figures:?}"
    );
    assert_eq!(figures, run(&scenario).unwrap());
}

/// A session when it was last looked at.
#[derive(Clone, Default)]
struct Seen {
    line: String,
    asking: u32,
    over: bool,
    broadcast: bool,
    asked: BTreeSet<String>,
}

/// Who was asked about each session in its present round, before the broadcast and after it.
#[derive(Default)]
struct Rounds {
    asked: BTreeMap<usize, BTreeSet<String>>,
    seen: BTreeMap<usize, Seen>,
}

impl Rounds {
    /// Looks at a session after a moment.
    fn look(&mut self, number: usize, engine: &Engine<'_>) -> Result<(), TestCaseError> {
        let session = &engine.sessions[number];
        let (waiting, asked) = (&session.waiting, &session.asked);
        let now = Seen {
            line: waiting.line_id.clone(),
            asking: session.askings,
            over: waiting.round.over_at.is_some(),
            broadcast: waiting.round.broadcast,
            asked: asked
                .as_ref()
                .map(|asked| asked.operators.clone())
                .unwrap_or_default(),
        };
        let before = self.seen.insert(number, now.clone()).unwrap_or_default();
        let asked = self.asked.entry(number).or_default();
        if before.line != now.line || (before.over && !now.over) || session.owner.is_some() {
            asked.clear();
        }
        if before.asking == now.asking {
            return Ok(());
        }
        prop_assert_eq!(before.asking + 1, now.asking, "two askings in one moment");
        // Whoever was withdrawn did not answer, and may be asked again.
        for who in before.asked.difference(&waiting.lapsed) {
            asked.remove(who);
        }
        if now.broadcast && !before.broadcast {
            let all_lapsed = now.asked.is_subset(&waiting.lapsed);
            prop_assert!(all_lapsed, "a broadcast asks who did not answer, and them alone");
        } else {
            let twice: Vec<&String> = now.asked.intersection(asked).collect();
            prop_assert!(
                twice.is_empty(),
                "{twice:?} are asked twice in a round about {number}"
            );
        }
        asked.extend(now.asked);
        Ok(())
    }
}

/// Each session has one place, and each operator what their sessions weigh, within what they can hold.
fn promises(scenario: &Scenario, engine: &Engine<'_>) -> Result<(), TestCaseError> {
    let mut loads: BTreeMap<&String, f64> = BTreeMap::new();
    for (number, session) in engine.sessions.iter().enumerate() {
        let places = [
            session.owner.is_some(),
            session.asked.is_some(),
            engine.queue.has(number),
        ];
        let taken = places.iter().filter(|place| **place).count();
        prop_assert!(taken <= 1, "{number} stands in {places:?}");
        let ended = session.fate.abandoned.is_some() || session.fate.closed.is_some();
        prop_assert!(!ended || taken == 0, "{number} is over and stands in {places:?}");
        prop_assert!(session.fate.closed.is_none() || session.fate.answered.is_none());
        let kept = session
            .asked
            .iter()
            .filter(|asked| asked.kept)
            .flat_map(|asked| &asked.operators);
        for who in session.owner.iter().map(|(owner, _)| owner).chain(kept) {
            *loads.entry(who).or_default() += session.waiting.weight;
        }
        if let Some(asked) = &session.asked {
            prop_assert!(!asked.operators.is_empty() && (asked.operators.len() == 1 || !asked.kept));
        }
    }
    for (id, operator) in &engine.world.operators {
        let load = loads.get(id).copied().unwrap_or_default();
        prop_assert!(
            (load - operator.load.total).abs() < 1e-6,
            "{id} has {load}, not {}",
            operator.load.total
        );
        prop_assert!(
            load == 0.0 || fits(load, 0.0, scenario.staff[id].capacity),
            "{id} has {load}"
        );
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_session_is_owned_twice_capacity_holds_and_nobody_is_asked_twice_in_a_round(scenario in some_scenario()) {
        let mut engine = Engine::new(&scenario);
        let mut rounds = Rounds::default();
        let mut moments = 0;
        while engine.step() && moments < 3_000 {
            promises(&scenario, &engine)?;
            for number in 0..engine.sessions.len() {
                rounds.look(number, &engine)?;
            }
            moments += 1;
        }
    }

    #[test]
    fn the_same_seed_answers_the_same(scenario in some_scenario()) {
        prop_assert_eq!(run(&scenario), run(&scenario));
    }
}
