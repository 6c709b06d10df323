//! Who waits, in the order they are served, grouped by what decides about them: where one of a group cannot
//! be placed, none of it can, so a look at the queue costs as many decisions as there are groups. Pure.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use chrono::{DateTime, Utc};

use crate::{
    operator::{Counting, load::fits},
    routing::{
        decide::{Decision, Outcome, unavailable},
        plan::decide,
        world::{Round, Waiting, World},
    },
};

/// Sessions about which a decision is the same one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    line: String,
    weight: u64,
    language: Option<String>,
    /// A session with a responsible operator is decided about alone.
    alone: Option<usize>,
    asked: Option<Box<History>>,
}

/// What came of it until now.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct History {
    declined: BTreeSet<String>,
    lapsed: BTreeSet<String>,
    overflowed_from: BTreeSet<String>,
    broadcast: bool,
    over_at: Option<DateTime<Utc>>,
}

impl History {
    fn of(session: &Waiting) -> Option<Box<Self>> {
        let round = &session.round;
        let none = session.declined.is_empty() && session.lapsed.is_empty() && *round == Round::default();
        (!none).then(|| {
            Box::new(Self {
                declined: session.declined.clone(),
                lapsed: session.lapsed.clone(),
                overflowed_from: round.overflowed_from.clone(),
                broadcast: round.broadcast,
                over_at: round.over_at,
            })
        })
    }
}

/// The order of [`crate::routing::world::order`]; the last is the session's number.
type Place = (Reverse<i64>, DateTime<Utc>, DateTime<Utc>, usize);

/// Who waits.
#[derive(Debug, Default)]
pub struct Queue {
    groups: BTreeMap<Group, BTreeSet<Place>>,
    sessions: BTreeMap<usize, Waiting>,
}

fn group_of(number: usize, session: &Waiting) -> Group {
    Group {
        line: session.line_id.clone(),
        weight: session.weight.to_bits(),
        language: session.language.clone(),
        alone: session.responsible.is_some().then_some(number),
        asked: History::of(session),
    }
}

fn place_of(number: usize, session: &Waiting) -> Place {
    (
        Reverse(session.priority),
        session.due(),
        session.waiting_since,
        number,
    )
}

impl Queue {
    /// A session begins to wait.
    pub fn add(&mut self, number: usize, session: Waiting) {
        let group = self.groups.entry(group_of(number, &session)).or_default();
        group.insert(place_of(number, &session));
        self.sessions.insert(number, session);
    }

    /// A session waits no more.
    pub fn remove(&mut self, number: usize) -> Option<Waiting> {
        let session = self.sessions.remove(&number)?;
        let group = group_of(number, &session);
        if let Some(places) = self.groups.get_mut(&group) {
            places.remove(&place_of(number, &session));
            if places.is_empty() {
                self.groups.remove(&group);
            }
        }
        Some(session)
    }

    /// Whether a session waits.
    pub fn has(&self, number: usize) -> bool {
        self.sessions.contains_key(&number)
    }

    /// The first decision to be carried out now, if there is any; `look` remembers what could not be placed,
    /// and when time alone may bring another.
    pub fn next(
        &self,
        world: &World,
        counting: &Counting,
        now: DateTime<Utc>,
        look: &mut Look,
    ) -> Option<(usize, Decision)> {
        if !look.begun {
            look.begun = true;
            let heads = self.groups.iter();
            look.heads = heads
                .filter_map(|(group, places)| Some((*places.first()?, group.clone())))
                .collect();
        }
        while somebody_is_free(world, counting) {
            let (place, group) = look.heads.pop_first()?;
            if look.closed.contains(&group.line) {
                continue;
            }
            let number = place.3;
            let decision = decide(world, self.sessions.get(&number)?, now);
            look.decided += 1;
            look.again_at = [look.again_at, decision.again_at].into_iter().flatten().min();
            if !matches!(decision.outcome, Outcome::Waiting | Outcome::OffHours) {
                // The next one of its group has its turn after it.
                let after = self.groups.get(&group).and_then(|places| {
                    let mut rest = places.range(place..);
                    rest.nth(1).copied()
                });
                look.heads.extend(after.map(|place| (place, group)));
                return Some((number, decision));
            }
            if decision.outcome == Outcome::OffHours {
                look.closed.insert(group.line);
            }
        }
        None
    }
}

/// One look at the queue, at one moment.
#[derive(Debug, Default)]
pub struct Look {
    begun: bool,
    heads: BTreeSet<(Place, Group)>,
    closed: BTreeSet<String>,
    /// Decisions that were made.
    pub decided: usize,
    /// When time alone may change something.
    pub again_at: Option<DateTime<Utc>>,
}

/// Whether anybody is there and could take even the lightest session.
fn somebody_is_free(world: &World, counting: &Counting) -> bool {
    let least = counting.least_weight();
    let absent_too = world.lines.values().any(|line| line.rules.assign_when_offline);
    world.operators.values().any(|operator| {
        unavailable(operator, true, absent_too).is_none()
            && fits(operator.load.total, least, operator.capacity)
    })
}
