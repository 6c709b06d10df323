//! Rounds of offers: who is asked, who is not asked again, and what comes when nobody is left.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::{
    BROADCAST, Decision, Outcome, Rejection,
    tests::{at, edit, pairs, rules, session, why, world},
};
use crate::{
    line::rules::{Acceptance, Distribution},
    routing::{
        plan::{decide, plan},
        world::{Round, Waiting, World},
    },
};

fn asking(distribution: Distribution, queue: &[&str], waiting: usize) -> World {
    let mut world = world(distribution, queue, waiting);
    rules(&mut world).acceptance = Acceptance::Offer;
    world
}

fn decided(world: &World, session: &Waiting, now: i64) -> Decision {
    decide(world, session, at(now))
}

fn lapse(session: &mut Waiting, decision: &Decision) {
    session.lapsed.extend(decision.offered_to.iter().cloned());
}

#[test]
fn the_first_who_can_take_it_is_asked_and_room_is_kept_for_it() {
    let mut world = asking(Distribution::Strict, &["a", "b"], 2);
    edit(&mut world, "a", |a| a.capacity = 1.0);
    let asked: Vec<Vec<String>> = plan(&world, at(10))
        .placements
        .into_iter()
        .map(|placement| placement.decision.offered_to)
        .collect();
    assert_eq!(asked, [["a"], ["b"]]);
}

#[test]
fn all_who_have_room_are_asked_together_and_no_room_is_kept() {
    let mut world = asking(Distribution::All, &["a", "b", "c"], 2);
    edit(&mut world, "a", |a| a.capacity = 1.0);
    edit(&mut world, "c", |c| c.capacity = 0.0);
    for placement in plan(&world, at(10)).placements {
        assert_eq!(placement.decision.outcome, Outcome::Offered);
        assert_eq!(placement.decision.offered_to, ["a", "b"]);
        assert_eq!(placement.decision.taker(), None);
    }
}

#[test]
fn who_said_no_or_nothing_is_not_asked_again_in_the_round() {
    let world = asking(Distribution::Strict, &["a", "b", "c"], 0);
    let mut session = session(0);
    let first = decided(&world, &session, 10);
    lapse(&mut session, &first);
    session.declined.insert("b".to_owned());
    let decision = decided(&world, &session, 40);
    assert_eq!(decision.offered_to, ["c"]);
    assert_eq!(
        why(&world, &session, at(40)),
        pairs(&[
            ("a", Some(Rejection::Lapsed)),
            ("b", Some(Rejection::Declined)),
            ("c", None)
        ])
    );
}

#[test]
fn after_a_round_come_the_overflow_line_then_all_together_then_the_end_then_everybody_anew() {
    let mut world = asking(Distribution::Strict, &["a", "b", "c"], 0);
    world.lines.get_mut("line").unwrap().overflow_to = Some("other".to_owned());
    let mut session = session(0);
    session.lapsed = BTreeSet::from(["a".to_owned(), "b".to_owned()]);
    session.declined = BTreeSet::from(["c".to_owned()]);

    let overflow = decided(&world, &session, 90);
    assert_eq!(
        (overflow.outcome, overflow.line_id.as_deref()),
        (Outcome::Overflow, Some("other"))
    );

    session.round.overflowed_from = BTreeSet::from(["other".to_owned()]);
    let together = decided(&world, &session, 90);
    assert_eq!(
        (together.outcome, together.algorithm),
        (Outcome::Offered, BROADCAST)
    );
    assert_eq!(together.offered_to, ["a", "b"]);

    session.round.broadcast = true;
    let end = decided(&world, &session, 120);
    assert_eq!((end.outcome, end.again_at), (Outcome::NoAnswer, Some(at(150))));

    session.round.over_at = Some(at(120));
    let rest = decided(&world, &session, 130);
    assert_eq!((rest.outcome, rest.again_at), (Outcome::Waiting, Some(at(150))));
    let anew = decided(&world, &session, 150);
    assert!(anew.new_round && anew.offered_to == ["a"]);
}

#[test]
fn whoever_comes_after_the_round_is_asked_without_waiting_for_the_next() {
    let mut world = asking(Distribution::Strict, &["a", "b"], 0);
    edit(&mut world, "b", |b| b.capacity = 0.0);
    let mut session = session(0);
    session.declined.insert("a".to_owned());
    session.round.over_at = Some(at(100));
    assert_eq!(decided(&world, &session, 110).outcome, Outcome::Waiting);
    edit(&mut world, "b", |b| b.capacity = 1.0);
    let decision = decided(&world, &session, 110);
    assert!(decision.offered_to == ["b"] && !decision.new_round);
}

#[test]
fn the_responsible_operator_is_asked_first_and_then_the_others() {
    let world = asking(Distribution::Strict, &["a", "b"], 0);
    let mut session = session(0);
    session.responsible = Some("b".to_owned());
    let first = decided(&world, &session, 10);
    assert_eq!(
        (first.algorithm, first.offered_to.as_slice()),
        ("sticky", &["b".to_owned()][..])
    );
    session.lapsed.insert("b".to_owned());
    assert_eq!(decided(&world, &session, 40).offered_to, ["a"]);
}

#[test]
fn who_is_not_there_is_given_the_session_but_never_asked() {
    let mut world = asking(Distribution::Strict, &["a"], 0);
    rules(&mut world).assign_when_offline = true;
    edit(&mut world, "a", |a| {
        a.observed.presence = crate::operator::Presence::Offline;
    });
    let decision = decided(&world, &session(0), 10);
    assert_eq!(decision.outcome, Outcome::Assigned);
    assert!(decision.offered_to.is_empty());
}

/// What an operator does with an offer.
#[derive(Debug, Clone, Copy)]
enum Answer {
    No,
    Nothing,
}

/// Plays what happens to one session until somebody would have been asked `steps` times; answers how
/// often each was asked alone in each round.
fn play(world: &World, answers: &[Answer]) -> Result<(), TestCaseError> {
    let mut session = session(0);
    let mut asked: BTreeSet<String> = BTreeSet::new();
    let mut now = at(0);
    let mut quiet = 0;
    for answer in answers {
        let decision = decide(world, &session, now);
        prop_assert_eq!(
            decision.outcome == Outcome::Offered,
            !decision.offered_to.is_empty(),
            "an offer has somebody to be made to"
        );
        if decision.new_round {
            asked.clear();
            session = begin(session);
        }
        match decision.outcome {
            Outcome::Offered => {
                quiet = 0;
                for who in &decision.offered_to {
                    let first = asked.insert(who.clone());
                    prop_assert!(first || decision.algorithm == BROADCAST, "{who} was asked twice");
                    prop_assert!(!session.declined.contains(who), "{who} had said no");
                }
                let sets = match answer {
                    Answer::No => &mut session.declined,
                    Answer::Nothing => &mut session.lapsed,
                };
                sets.extend(decision.offered_to.iter().cloned());
                session.round.broadcast |= decision.algorithm == BROADCAST;
                now += chrono::TimeDelta::seconds(30);
            }
            Outcome::NoAnswer => {
                prop_assert!(session.round.over_at.is_none(), "a round ends once");
                session.round.over_at = Some(now);
            }
            Outcome::Waiting => {
                quiet += 1;
                prop_assert!(quiet < 2, "the line has fallen silent");
                let next: Option<DateTime<Utc>> = decision.again_at;
                prop_assert!(
                    next.is_some_and(|next| next > now),
                    "somebody is there to be asked again"
                );
                now = next.unwrap_or(now);
            }
            other => prop_assert!(false, "unexpected: {other:?}"),
        }
    }
    Ok(())
}

fn begin(session: Waiting) -> Waiting {
    Waiting {
        declined: BTreeSet::new(),
        lapsed: BTreeSet::new(),
        round: Round::default(),
        ..session
    }
}

proptest! {
    #[test]
    fn nobody_is_asked_twice_in_a_round_and_the_asking_never_stops(
        people in 1_usize..5,
        distribution in prop_oneof![
            Just(Distribution::Strict), Just(Distribution::Even), Just(Distribution::LeastLoaded), Just(Distribution::All)
        ],
        answers in prop::collection::vec(prop_oneof![Just(Answer::No), Just(Answer::Nothing)], 1..40),
    ) {
        let names = ["a", "b", "c", "d"];
        let world = asking(distribution, &names[..people.min(names.len())], 0);
        play(&world, &answers)?;
    }
}
