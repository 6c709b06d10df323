//! Who gets a waiting session, and why nobody else. Pure: a snapshot in, decisions out.
//!
//! The order of the checks is the order of [`Rejection`]; each candidate carries the first that failed.
//! With `automatic` acceptance, distribution `all` has nobody to wait for and works as `least_loaded`.
//!
//! With `offer`, operators are asked one after another, or all at once; nobody twice in a round. When
//! nobody is left to be asked, the round has an end ([`end_round`]), and after a rest begins anew.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::world::{LineState, OperatorState, Round, Waiting, World, order};
use crate::{
    line::{
        hours,
        rules::{Acceptance, Distribution, Sticky, has_all},
    },
    operator::{Availability, Presence, load::fits},
};

/// The algorithm of an offer to all who let the session lie in this round.
pub const BROADCAST: &str = "broadcast";

/// Why an operator does not get a session: the first check that failed, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rejection {
    /// The user is switched off.
    Disabled,
    /// May not answer here.
    NoRight,
    /// Does not stand in the line's queue.
    NotInQueue,
    /// Not there.
    Offline,
    /// Connected, not at the keyboard.
    Away,
    /// On a break.
    Paused,
    /// Not on shift.
    OffShift,
    /// The session does not fit into what is left of the capacity.
    AtCapacity,
    /// Has as many sessions of this line as it allows one operator.
    LineLimit,
    /// Gave this session back, or said no to it.
    Declined,
    /// Let it lie in this round, or did not answer when asked.
    Lapsed,
    /// Lacks a skill the line requires.
    MissingSkill,
    /// Does not speak the contact's language.
    Language,
}

/// What came of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// An operator owns the session.
    Assigned,
    /// Operators are asked.
    Offered,
    /// Nobody can take it now.
    Waiting,
    /// It moves to the overflow line.
    Overflow,
    /// The line is closed now.
    OffHours,
    /// The no-answer action is done.
    NoAnswer,
}

impl Outcome {
    /// The word in the API and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Assigned => "assigned",
            Self::Offered => "offered",
            Self::Waiting => "waiting",
            Self::Overflow => "overflow",
            Self::OffHours => "off_hours",
            Self::NoAnswer => "no_answer",
        }
    }
}

/// An operator who was looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Candidate {
    /// Who.
    pub operator_id: String,
    /// Their weighted load over all lines at this moment.
    pub load: f64,
    /// Their place in the order of the distribution, from 1, as if nobody were rejected.
    pub rank: u32,
    /// The first check that failed.
    pub rejected_by: Option<Rejection>,
}

/// A decision about one session.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// What comes of it.
    pub outcome: Outcome,
    /// By which rule: a distribution, `sticky` or `broadcast`.
    pub algorithm: &'static str,
    /// To whom, when assigned.
    pub operator_id: Option<String>,
    /// Who is asked, when offered.
    pub offered_to: Vec<String>,
    /// To which line, when it overflows.
    pub line_id: Option<String>,
    /// Everybody is asked anew.
    pub new_round: bool,
    /// Everybody looked at, by rank.
    pub candidates: Vec<Candidate>,
    /// When time alone may change it.
    pub again_at: Option<DateTime<Utc>>,
}

impl Decision {
    /// Who has the session or is alone asked to take it: room is kept for it, and it was their turn.
    pub fn taker(&self) -> Option<&str> {
        match (&self.operator_id, self.offered_to.as_slice()) {
            (Some(owner), _) => Some(owner),
            (None, [only]) if self.algorithm != BROADCAST => Some(only),
            (None, _) => None,
        }
    }
}

/// One session of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement {
    /// Its place in [`World::waiting`].
    pub index: usize,
    /// What was decided.
    pub decision: Decision,
    /// For an assignment, or an offer to one: when, as turns are counted. Grows strictly within a line, so that turns
    /// of one moment keep their order.
    pub turn_at: Option<DateTime<Utc>>,
}

/// Decides about all that wait, in their order. Whoever cannot be placed does not hold up those behind.
pub fn plan(world: &World, now: DateTime<Utc>) -> Vec<Placement> {
    let mut world = world.clone();
    let mut sessions: Vec<(usize, Waiting)> = std::mem::take(&mut world.waiting)
        .into_iter()
        .enumerate()
        .collect();
    sessions.sort_by(|(_, a), (_, b)| order(a, b));
    let mut placements = Vec::with_capacity(sessions.len());
    for (index, session) in sessions {
        let decision = decide(&world, &session, now);
        let turn_at = decision
            .taker()
            .map(str::to_owned)
            .map(|to| assume(&mut world, &session, &to, now));
        placements.push(Placement {
            index,
            decision,
            turn_at,
        });
    }
    placements
}

/// The world as it is once this session is assigned; answers the moment of the turn.
fn assume(world: &mut World, session: &Waiting, to: &str, now: DateTime<Utc>) -> DateTime<Utc> {
    if let Some(operator) = world.operators.get_mut(to) {
        operator.load.add(&session.line_id, session.weight);
    }
    let Some(line) = world.lines.get_mut(&session.line_id) else {
        return now;
    };
    let turn = next_turn(line.turns.values().max().copied(), now);
    line.turns.insert(to.to_owned(), turn);
    turn
}

/// The moment of a turn after `last`: now, or just after the last one where the clock stands still.
pub fn next_turn(last: Option<DateTime<Utc>>, now: DateTime<Utc>) -> DateTime<Utc> {
    last.map_or(now, |last| now.max(last + TimeDelta::microseconds(1)))
}

/// Decides about one session.
pub fn decide(world: &World, session: &Waiting, now: DateTime<Utc>) -> Decision {
    let Some(line) = world.lines.get(&session.line_id) else {
        return nobody(
            Outcome::Waiting,
            Distribution::default().as_str(),
            Vec::new(),
            None,
        );
    };
    let algorithm = line.rules.distribution.as_str();
    if !line.enabled {
        return nobody(Outcome::Waiting, algorithm, Vec::new(), None);
    }
    let opening = hours::opening(line.rules.hours.as_ref(), now);
    if !opening.open {
        return nobody(Outcome::OffHours, algorithm, Vec::new(), opening.opens_at);
    }
    let offers = line.rules.acceptance == Acceptance::Offer;
    let anew = if offers {
        begin_again(line, session, now)
    } else {
        let alone = !session.lapsed.is_empty() && !somebody_else_is_there(world, line, session);
        // Who let it lie is asked again rather than nobody.
        alone.then(|| Waiting {
            lapsed: BTreeSet::new(),
            ..session.clone()
        })
    };
    let new_round = offers && anew.is_some();
    let session = anew.as_ref().unwrap_or(session);
    let decision = decide_open(world, line, session, now);
    Decision {
        new_round: new_round && decision.outcome == Outcome::Offered,
        ..decision
    }
}

/// Decides on a line that is open.
fn decide_open(world: &World, line: &LineState, session: &Waiting, now: DateTime<Utc>) -> Decision {
    let algorithm = line.rules.distribution.as_str();
    if let Some(decision) = decide_sticky(world, line, session, now) {
        return decision;
    }
    let mut candidates = candidates(world, line, session, false);
    if let Some(first) = first_eligible(&candidates) {
        return given(line, algorithm, first, candidates);
    }
    if line.rules.assign_when_offline {
        candidates = self::candidates(world, line, session, true);
        if let Some(first) = first_eligible(&candidates) {
            // Whoever is not there cannot answer an offer.
            return assigned(algorithm, first, candidates);
        }
    }
    if line.rules.acceptance == Acceptance::Offer {
        return end_round(line, session, algorithm, candidates, now);
    }
    nobody(Outcome::Waiting, algorithm, candidates, None)
}

/// Nobody is left to be asked now. When all who are there were asked: the overflow line, then all who
/// did not answer once more together, then the end of the round. Who said no is not asked again in it.
fn end_round(
    line: &LineState,
    session: &Waiting,
    algorithm: &'static str,
    candidates: Vec<Candidate>,
    now: DateTime<Utc>,
) -> Decision {
    let asked = |why: Rejection| {
        let those = candidates.iter().filter(move |one| one.rejected_by == Some(why));
        those.map(|one| one.operator_id.clone()).collect::<Vec<String>>()
    };
    let (lapsed, declined) = (asked(Rejection::Lapsed), asked(Rejection::Declined));
    if lapsed.is_empty() && declined.is_empty() {
        return nobody(Outcome::Waiting, algorithm, candidates, None);
    }
    let rest = rest(line);
    if let Some(over_at) = session.round.over_at {
        return nobody(Outcome::Waiting, algorithm, candidates, Some(over_at + rest));
    }
    let to = line.overflow_to.as_ref();
    if let Some(to) = to.filter(|to| !session.round.overflowed_from.contains(*to)) {
        return Decision {
            line_id: Some(to.clone()),
            ..nobody(Outcome::Overflow, algorithm, candidates, None)
        };
    }
    let all_at_once = line.rules.distribution == Distribution::All;
    if !session.round.broadcast && !all_at_once && !lapsed.is_empty() {
        let mut candidates = candidates;
        for one in &mut candidates {
            one.rejected_by = one.rejected_by.filter(|why| *why != Rejection::Lapsed);
        }
        return Decision {
            offered_to: lapsed,
            ..nobody(Outcome::Offered, BROADCAST, candidates, None)
        };
    }
    nobody(Outcome::NoAnswer, algorithm, candidates, Some(now + rest))
}

/// The session as a new round finds it, when the last one is over and the line has rested.
fn begin_again(line: &LineState, session: &Waiting, now: DateTime<Utc>) -> Option<Waiting> {
    let over_at = session.round.over_at?;
    (over_at + rest(line) <= now).then(|| Waiting {
        declined: BTreeSet::new(),
        lapsed: BTreeSet::new(),
        round: Round {
            broadcast: false,
            over_at: None,
            overflowed_from: session.round.overflowed_from.clone(),
        },
        ..session.clone()
    })
}

/// Time between two rounds: as long as one offer stands.
fn rest(line: &LineState) -> TimeDelta {
    TimeDelta::seconds(i64::from(line.rules.offer_timeout_secs))
}

/// The responsible operator first: given to them, or kept for them a while, or nobody's privilege.
fn decide_sticky(world: &World, line: &LineState, session: &Waiting, now: DateTime<Utc>) -> Option<Decision> {
    let rules = &line.rules.sticky;
    let id = session.responsible.as_ref().filter(|_| rules.enabled)?;
    let operator = world.operators.get(id)?;
    let rejected_by = rejection(line, session, id, operator, false);
    let candidates = vec![Candidate {
        operator_id: id.clone(),
        load: operator.load.total,
        rank: 1,
        rejected_by,
    }];
    let Some(rejection) = rejected_by else {
        return Some(match line.rules.acceptance {
            Acceptance::Automatic => assigned("sticky", id.clone(), candidates),
            Acceptance::Offer => offered("sticky", vec![id.clone()], candidates),
        });
    };
    let until = session.waiting_since + TimeDelta::seconds(i64::from(rules.grace_secs));
    let keep = now < until && worth_waiting_for(rejection, operator, rules, now);
    keep.then(|| nobody(Outcome::Waiting, "sticky", candidates, Some(until)))
}

/// Somebody who is busy or just stepped out is waited for; who has gone, pauses or may not is not.
fn worth_waiting_for(
    rejection: Rejection,
    operator: &OperatorState,
    rules: &Sticky,
    now: DateTime<Utc>,
) -> bool {
    match rejection {
        Rejection::Away | Rejection::AtCapacity | Rejection::LineLimit => true,
        Rejection::Offline => {
            let grace = TimeDelta::seconds(i64::from(rules.grace_secs));
            operator.availability == Availability::Accepting
                && operator
                    .observed
                    .gone_since
                    .is_some_and(|since| now - since < grace)
        }
        Rejection::Disabled
        | Rejection::NoRight
        | Rejection::NotInQueue
        | Rejection::Paused
        | Rejection::OffShift
        | Rejection::Declined
        | Rejection::Lapsed
        | Rejection::MissingSkill
        | Rejection::Language => false,
    }
}

/// Everybody in the queue in the order of the distribution, each with the first check that failed; and
/// the responsible operator at the end, if they do not stand in it.
fn candidates(world: &World, line: &LineState, session: &Waiting, even_if_not_there: bool) -> Vec<Candidate> {
    let mut people: Vec<(usize, &String, &OperatorState)> = line
        .queue
        .iter()
        .enumerate()
        .filter_map(|(position, id)| Some((position, id, world.operators.get(id)?)))
        .collect();
    let turn = |id: &String| line.turns.get(id);
    match line.rules.distribution {
        Distribution::Strict => {}
        Distribution::Even => people.sort_by_key(|(position, id, _)| (turn(id), *position)),
        Distribution::LeastLoaded | Distribution::All => people.sort_by(|(at, a, first), (bt, b, second)| {
            let by_load = first.load.total.total_cmp(&second.load.total);
            by_load
                .then_with(|| turn(a).cmp(&turn(b)))
                .then_with(|| at.cmp(bt))
        }),
    }
    let outsider = session
        .responsible
        .as_ref()
        .filter(|id| line.rules.sticky.enabled && !line.queue.contains(id));
    let outsider = outsider.and_then(|id| Some((usize::MAX, id, world.operators.get(id)?)));
    (1..)
        .zip(people.into_iter().chain(outsider))
        .map(|(rank, (position, id, operator))| Candidate {
            operator_id: id.clone(),
            load: operator.load.total,
            rank,
            // Whether they stand in the queue is known here: to look for each would make it quadratic.
            rejected_by: first_failed(
                line,
                session,
                id,
                operator,
                position != usize::MAX,
                even_if_not_there,
            ),
        })
        .collect()
}

/// The first check that fails, in the order of [`Rejection`].
pub fn rejection(
    line: &LineState,
    session: &Waiting,
    id: &str,
    operator: &OperatorState,
    even_if_not_there: bool,
) -> Option<Rejection> {
    let in_queue = line.queue.iter().any(|member| member == id);
    first_failed(line, session, id, operator, in_queue, even_if_not_there)
}

fn first_failed(
    line: &LineState,
    session: &Waiting,
    id: &str,
    operator: &OperatorState,
    in_queue: bool,
    even_if_not_there: bool,
) -> Option<Rejection> {
    unavailable(operator, in_queue, even_if_not_there).or_else(|| {
        if !fits(operator.load.total, session.weight, operator.capacity) {
            Some(Rejection::AtCapacity)
        } else if line
            .rules
            .limit_per_operator
            .is_some_and(|limit| operator.load.of_line(&session.line_id) >= limit)
        {
            Some(Rejection::LineLimit)
        } else {
            unsuited(line, session, id, operator)
        }
    })
}

/// The checks that are about the operator and this session, whatever else they do.
fn unsuited(line: &LineState, session: &Waiting, id: &str, operator: &OperatorState) -> Option<Rejection> {
    if session.declined.contains(id) {
        Some(Rejection::Declined)
    } else if session.lapsed.contains(id) {
        Some(Rejection::Lapsed)
    } else if !has_all(&operator.skills, &line.rules.required_skills) {
        Some(Rejection::MissingSkill)
    } else if line.rules.match_language && !speaks(&operator.languages, session.language.as_deref()) {
        Some(Rejection::Language)
    } else {
        None
    }
}

/// Whether anybody who did not let it lie is there and could take it, perhaps only when they have room.
fn somebody_else_is_there(world: &World, line: &LineState, session: &Waiting) -> bool {
    line.queue.iter().any(|id| {
        world.operators.get(id).is_some_and(|operator| {
            unavailable(operator, true, line.rules.assign_when_offline).is_none()
                && unsuited(line, session, id, operator).is_none()
        })
    })
}

/// The checks that are about the operator alone.
pub fn unavailable(operator: &OperatorState, in_queue: bool, even_if_not_there: bool) -> Option<Rejection> {
    if !operator.enabled {
        return Some(Rejection::Disabled);
    }
    if !in_queue {
        return Some(Rejection::NotInQueue);
    }
    match operator.observed.presence {
        Presence::Offline if !even_if_not_there => return Some(Rejection::Offline),
        Presence::Away if !even_if_not_there => return Some(Rejection::Away),
        Presence::Offline | Presence::Away | Presence::Online => {}
    }
    match operator.availability {
        Availability::Accepting => None,
        Availability::Paused => Some(Rejection::Paused),
        Availability::Off => Some(Rejection::OffShift),
    }
}

/// Whether a language is among these; `pt-BR` is spoken by who speaks `pt`. An unknown one is spoken by all.
fn speaks(languages: &[String], language: Option<&str>) -> bool {
    let primary = |tag: &str| tag.split(['-', '_']).next().unwrap_or_default().to_lowercase();
    language
        .map(primary)
        .is_none_or(|wanted| languages.iter().any(|known| primary(known) == wanted))
}

fn first_eligible(candidates: &[Candidate]) -> Option<String> {
    candidates
        .iter()
        .find(|candidate| candidate.rejected_by.is_none())
        .map(|chosen| chosen.operator_id.clone())
}

/// The line's way of giving a session to the first who can take it.
fn given(line: &LineState, algorithm: &'static str, first: String, candidates: Vec<Candidate>) -> Decision {
    match (line.rules.acceptance, line.rules.distribution) {
        (Acceptance::Automatic, _) => assigned(algorithm, first, candidates),
        (Acceptance::Offer, Distribution::All) => {
            let free = candidates.iter().filter(|one| one.rejected_by.is_none());
            let all = free.map(|one| one.operator_id.clone()).collect();
            offered(algorithm, all, candidates)
        }
        (Acceptance::Offer, _) => offered(algorithm, vec![first], candidates),
    }
}

fn offered(algorithm: &'static str, to: Vec<String>, candidates: Vec<Candidate>) -> Decision {
    Decision {
        offered_to: to,
        ..nobody(Outcome::Offered, algorithm, candidates, None)
    }
}

fn assigned(algorithm: &'static str, to: String, candidates: Vec<Candidate>) -> Decision {
    Decision {
        operator_id: Some(to),
        ..nobody(Outcome::Assigned, algorithm, candidates, None)
    }
}

fn nobody(
    outcome: Outcome,
    algorithm: &'static str,
    candidates: Vec<Candidate>,
    again_at: Option<DateTime<Utc>>,
) -> Decision {
    Decision {
        outcome,
        algorithm,
        operator_id: None,
        offered_to: Vec::new(),
        line_id: None,
        new_round: false,
        candidates,
        again_at,
    }
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "decide_offer_tests.rs"]
mod offer_tests;
