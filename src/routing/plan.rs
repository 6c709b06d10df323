//! Deciding about many sessions at once, each seeing what those before it took. Pure.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::{
    decide::{Candidate, Decision, Listing, closed, decide_in},
    standing::{Seat, Standing},
    world::{Waiting, World, order},
};
use crate::{
    line::hours::{self, Opening},
    operator::load::Load,
};

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
    listing: Listing,
}

/// All placements, and what is needed to say why.
#[derive(Debug)]
pub struct Plan<'w> {
    /// In the order in which sessions are served.
    pub placements: Vec<Placement>,
    field: Field<'w>,
}

impl Plan<'_> {
    /// Everybody looked at for a placement of this plan, by rank, as they were then.
    pub fn candidates(&self, placement: &Placement) -> Vec<Candidate> {
        let session = self.field.world.waiting.get(placement.index);
        session.map_or_else(Vec::new, |session| {
            self.field.candidates(session, &placement.listing)
        })
    }
}

/// Decides about all that wait, in their order. Whoever cannot be placed does not hold up those behind.
pub fn plan(world: &World, now: DateTime<Utc>) -> Plan<'_> {
    let mut field = Field::new(world, now);
    let mut sessions: Vec<(usize, &Waiting)> = world.waiting.iter().enumerate().collect();
    sessions.sort_by(|(_, a), (_, b)| order(a, b));
    let place = |(index, session)| {
        let (decision, listing) = field.decide(session);
        let turn_at = decision.taker().map(|to| field.assume(session, to));
        Placement {
            index,
            decision,
            turn_at,
            listing,
        }
    };
    let placements = sessions.into_iter().map(place).collect();
    Plan { placements, field }
}

/// Decides about one session.
pub fn decide(world: &World, session: &Waiting, now: DateTime<Utc>) -> Decision {
    Field::new(world, now).decide(session).0
}

/// Decides about one session, with everybody looked at, by rank.
pub fn decide_with_candidates(
    world: &World,
    session: &Waiting,
    now: DateTime<Utc>,
) -> (Decision, Vec<Candidate>) {
    let mut field = Field::new(world, now);
    let (decision, listing) = field.decide(session);
    let candidates = field.candidates(session, &listing);
    (decision, candidates)
}

/// The world while a plan is made: its lines are looked at when the first session asks for them.
#[derive(Debug)]
struct Field<'w> {
    world: &'w World,
    now: DateTime<Utc>,
    standings: HashMap<&'w str, (Opening, Standing<'w>)>,
    /// Loads that differ from those of the world.
    loads: HashMap<&'w str, Load>,
    /// The lines of [`Field::standings`] in which somebody stands.
    lines_of: HashMap<&'w str, Vec<&'w str>>,
}

impl<'w> Field<'w> {
    fn new(world: &'w World, now: DateTime<Utc>) -> Self {
        Self {
            world,
            now,
            standings: HashMap::new(),
            loads: HashMap::new(),
            lines_of: HashMap::new(),
        }
    }

    fn decide(&mut self, session: &Waiting) -> (Decision, Listing) {
        let Some(line_id) = self.line(&session.line_id) else {
            return (Decision::without_line(), Listing::Nobody);
        };
        let responsible = self.responsible(session);
        let now = self.now;
        let Some((opening, standing)) = self.standings.get_mut(line_id) else {
            return (Decision::without_line(), Listing::Nobody);
        };
        match closed(standing.line, opening) {
            Some(decision) => (decision, Listing::Nobody),
            None => decide_in(standing, responsible, session, now),
        }
    }

    /// Makes sure that a line is looked at.
    fn line(&mut self, line_id: &str) -> Option<&'w str> {
        if let Some((id, _)) = self.standings.get_key_value(line_id) {
            return Some(id);
        }
        let (id, line) = self.world.lines.get_key_value(line_id)?;
        let loads = &self.loads;
        let standing = Standing::new(id, line, &self.world.operators, |id, operator| {
            loads.get(id).unwrap_or(&operator.load)
        });
        for member in standing.members() {
            self.lines_of.entry(member).or_default().push(id);
        }
        let opening = hours::opening(line.rules.hours.as_ref(), self.now);
        self.standings.insert(id, (opening, standing));
        Some(id)
    }

    /// The responsible operator, where the line looks at them.
    fn responsible(&self, session: &Waiting) -> Option<Seat<'w>> {
        let (_, standing) = self.standings.get(session.line_id.as_str())?;
        let id = session
            .responsible
            .as_ref()
            .filter(|_| standing.line.rules.sticky.enabled)?;
        if let Some(seat) = standing.seat(id) {
            return Some(*seat);
        }
        let (id, operator) = self.world.operators.get_key_value(id)?;
        let load = self.loads.get(id.as_str()).unwrap_or(&operator.load);
        Some(Seat::outsider(&session.line_id, id, operator, load))
    }

    /// The world as it is once somebody has this session; answers the moment of the turn.
    fn assume(&mut self, session: &Waiting, to: &str) -> DateTime<Utc> {
        if let Some((id, operator)) = self.world.operators.get_key_value(to) {
            let load = self.loads.entry(id).or_insert_with(|| operator.load.clone());
            load.add(&session.line_id, session.weight);
            for line in self.lines_of.get(id.as_str()).into_iter().flatten() {
                if let Some((_, standing)) = self.standings.get_mut(line) {
                    standing.carry(id, load);
                }
            }
        }
        self.standings
            .get_mut(session.line_id.as_str())
            .map_or(self.now, |(_, standing)| standing.turn(to, self.now))
    }

    fn candidates(&self, session: &Waiting, listing: &Listing) -> Vec<Candidate> {
        match listing {
            Listing::Nobody => Vec::new(),
            Listing::Responsible(candidate) => vec![candidate.clone()],
            Listing::Queue { look, outsider } => {
                let standing = self.standings.get(session.line_id.as_str());
                let seated =
                    standing.map_or_else(Vec::new, |(_, standing)| standing.candidates(*look, session));
                seated.into_iter().chain(outsider.clone()).collect()
            }
        }
    }
}
