//! Who gets a waiting session, and why nobody else. Pure: a snapshot in, decisions out.
//!
//! The order of the checks is the order of [`Rejection`]; each candidate carries the first that failed.
//! With `automatic` acceptance, distribution `all` has nobody to wait for and works as `least_loaded`.
//!
//! With `offer`, operators are asked one after another, or all at once; nobody twice in a round. When
//! nobody is left to be asked, the round has an end ([`end_round`]), and after a rest begins anew.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    standing::{Asked, Look, Seat, Standing},
    world::{LineState, OperatorState, Waiting},
};
use crate::{
    line::{
        hours::Opening,
        rules::{Acceptance, Distribution, Sticky},
    },
    operator::{Availability, Presence},
};

/// The algorithm of an offer to all who let the session lie in this round.
pub const BROADCAST: &str = "broadcast";

/// Why an operator does not get a session: the first check that failed, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rejection {
    /// The user is switched off.
    Disabled,
    /// Their role does not let them answer.
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

    /// Nobody decides on a line that is not there.
    pub(super) fn without_line() -> Self {
        nobody(Outcome::Waiting, Distribution::default().as_str(), None)
    }
}

/// Whom a decision has looked at, listed only when somebody asks.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Listing {
    /// Nobody.
    Nobody,
    /// The responsible operator alone.
    Responsible(Candidate),
    /// Everybody in the queue, and the responsible operator at the end, if they do not stand in it.
    Queue { look: Look, outsider: Option<Candidate> },
}

/// The moment of a turn after `last`: now, or just after the last one where the clock stands still.
pub fn next_turn(last: Option<DateTime<Utc>>, now: DateTime<Utc>) -> DateTime<Utc> {
    last.map_or(now, |last| now.max(last + TimeDelta::microseconds(1)))
}

/// What there is to say of a line that does not work now.
pub(super) fn closed(line: &LineState, opening: &Opening) -> Option<Decision> {
    let algorithm = line.rules.distribution.as_str();
    if !line.enabled {
        return Some(nobody(Outcome::Waiting, algorithm, None));
    }
    (!opening.open).then(|| nobody(Outcome::OffHours, algorithm, opening.opens_at))
}

/// Decides on a line that is open. `responsible` is the operator whose contact it is, where the line looks at them.
pub(super) fn decide_in(
    standing: &mut Standing<'_>,
    responsible: Option<Seat<'_>>,
    session: &Waiting,
    now: DateTime<Utc>,
) -> (Decision, Listing) {
    let line = standing.line;
    let asked = Asked::of(session);
    let offers = line.rules.acceptance == Acceptance::Offer;
    let anew = if offers {
        let rested = asked.over_at.is_some_and(|over_at| over_at + rest(line) <= now);
        rested.then(|| asked.anew())
    } else {
        let alone = !asked.lapsed.is_empty() && !standing.somebody_else_could(&asked);
        // Who let it lie is asked again rather than nobody.
        alone.then(|| asked.nobody_lapsed())
    };
    let new_round = offers && anew.is_some();
    let (decision, listing) = decide_asked(standing, responsible, &anew.unwrap_or(asked), now);
    let new_round = new_round && decision.outcome == Outcome::Offered;
    (
        Decision {
            new_round,
            ..decision
        },
        listing,
    )
}

fn decide_asked(
    standing: &mut Standing<'_>,
    responsible: Option<Seat<'_>>,
    asked: &Asked<'_>,
    now: DateTime<Utc>,
) -> (Decision, Listing) {
    let line = standing.line;
    let algorithm = line.rules.distribution.as_str();
    if let Some(decided) = responsible
        .as_ref()
        .and_then(|seat| decide_sticky(seat, line, asked, now))
    {
        return decided;
    }
    let outsider = responsible.filter(|seat| !seat.in_queue()).map(|seat| Candidate {
        operator_id: seat.id.to_owned(),
        load: seat.load,
        rank: u32::try_from(standing.len()).map_or(u32::MAX, |members| members.saturating_add(1)),
        rejected_by: seat.rejected_by(line, asked, false),
    });
    let queue = |look| Listing::Queue {
        look,
        outsider: outsider.clone(),
    };
    if let Some(first) = standing.first_for(asked, false).map(str::to_owned) {
        let decision = given(standing, algorithm, first, asked);
        return (decision, queue(standing.look(asked, false)));
    }
    let absent_too = line.rules.assign_when_offline;
    if let Some(first) = absent_too.then(|| standing.first_for(asked, true)).flatten() {
        // Whoever is not there cannot answer an offer.
        let decision = assigned(algorithm, first.to_owned());
        return (decision, queue(standing.look(asked, true)));
    }
    let mut look = standing.look(asked, absent_too);
    let decision = if line.rules.acceptance == Acceptance::Offer {
        end_round(standing, &mut look, asked, algorithm, now)
    } else {
        nobody(Outcome::Waiting, algorithm, None)
    };
    (decision, queue(look))
}

/// Nobody is left to be asked now. When all who are there were asked: the overflow line, then all who
/// did not answer once more together, then the end of the round. Who said no is not asked again in it.
fn end_round(
    standing: &Standing<'_>,
    look: &mut Look,
    asked: &Asked<'_>,
    algorithm: &'static str,
    now: DateTime<Utc>,
) -> Decision {
    let line = standing.line;
    let lapsed = standing.rejected_for(Rejection::Lapsed, asked.lapsed, asked, look.absent_too);
    let declined = standing.rejected_for(Rejection::Declined, asked.declined, asked, look.absent_too);
    if lapsed.is_empty() && declined.is_empty() {
        return nobody(Outcome::Waiting, algorithm, None);
    }
    let rest = rest(line);
    if let Some(over_at) = asked.over_at {
        return nobody(Outcome::Waiting, algorithm, Some(over_at + rest));
    }
    let to = line.overflow_to.as_ref();
    if let Some(to) = to.filter(|to| !asked.session.round.overflowed_from.contains(*to)) {
        return Decision {
            line_id: Some(to.clone()),
            ..nobody(Outcome::Overflow, algorithm, None)
        };
    }
    let all_at_once = line.rules.distribution == Distribution::All;
    if !asked.broadcast && !all_at_once && !lapsed.is_empty() {
        look.broadcast = true;
        return offered(BROADCAST, lapsed);
    }
    nobody(Outcome::NoAnswer, algorithm, Some(now + rest))
}

/// Time between two rounds: as long as one offer stands.
fn rest(line: &LineState) -> TimeDelta {
    TimeDelta::seconds(i64::from(line.rules.offer_timeout_secs))
}

/// The responsible operator first: given to them, or kept for them a while, or nobody's privilege.
fn decide_sticky(
    seat: &Seat<'_>,
    line: &LineState,
    asked: &Asked<'_>,
    now: DateTime<Utc>,
) -> Option<(Decision, Listing)> {
    let rules = &line.rules.sticky;
    let rejected_by = seat.rejected_by(line, asked, false);
    let listing = Listing::Responsible(Candidate {
        operator_id: seat.id.to_owned(),
        load: seat.load,
        rank: 1,
        rejected_by,
    });
    let Some(rejection) = rejected_by else {
        let decision = match line.rules.acceptance {
            Acceptance::Automatic => assigned("sticky", seat.id.to_owned()),
            Acceptance::Offer => offered("sticky", vec![seat.id.to_owned()]),
        };
        return Some((decision, listing));
    };
    let until = asked.session.waiting_since + TimeDelta::seconds(i64::from(rules.grace_secs));
    let keep = now < until && worth_waiting_for(rejection, seat.operator, rules, now);
    keep.then(|| (nobody(Outcome::Waiting, "sticky", Some(until)), listing))
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

/// The checks that are about the operator alone.
pub fn unavailable(operator: &OperatorState, in_queue: bool, even_if_not_there: bool) -> Option<Rejection> {
    if !operator.enabled {
        return Some(Rejection::Disabled);
    }
    if !operator.may_answer {
        return Some(Rejection::NoRight);
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

/// The line's way of giving a session to the first who can take it.
fn given(standing: &mut Standing<'_>, algorithm: &'static str, first: String, asked: &Asked<'_>) -> Decision {
    match (standing.line.rules.acceptance, standing.line.rules.distribution) {
        (Acceptance::Automatic, _) => assigned(algorithm, first),
        (Acceptance::Offer, Distribution::All) => offered(algorithm, standing.all_for(asked, false)),
        (Acceptance::Offer, _) => offered(algorithm, vec![first]),
    }
}

fn offered(algorithm: &'static str, to: Vec<String>) -> Decision {
    Decision {
        offered_to: to,
        ..nobody(Outcome::Offered, algorithm, None)
    }
}

fn assigned(algorithm: &'static str, to: String) -> Decision {
    Decision {
        operator_id: Some(to),
        ..nobody(Outcome::Assigned, algorithm, None)
    }
}

fn nobody(outcome: Outcome, algorithm: &'static str, again_at: Option<DateTime<Utc>>) -> Decision {
    Decision {
        outcome,
        algorithm,
        operator_id: None,
        offered_to: Vec::new(),
        line_id: None,
        new_round: false,
        again_at,
    }
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "decide_offer_tests.rs"]
mod offer_tests;
