//! Who stands in a line, in the order of its distribution, and who of them could take what. Pure.
//!
//! It is made once for a plan and kept up to date while the plan gives sessions away, so that a decision costs the
//! logarithm of the queue, not its length: for each class of sessions (what they weigh, which language they need)
//! those who could take one are kept in order. What a decision looked at is not copied: a standing remembers what
//! has changed since it was made, and lists the candidates of any earlier step again ([`Standing::candidates`]).

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use chrono::{DateTime, Utc};

use super::{
    decide::{Candidate, Rejection, next_turn, unavailable},
    world::{LineState, OperatorState, Waiting},
};
use crate::{
    line::rules::{Distribution, has_all},
    operator::load::{Load, fits},
};

/// Nobody, where a round has forgotten who was asked.
static NOBODY: BTreeSet<String> = BTreeSet::new();

/// A session as a round finds it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'s> {
    /// What waits.
    pub session: &'s Waiting,
    /// Who said no to it.
    pub declined: &'s BTreeSet<String>,
    /// Who let it lie.
    pub lapsed: &'s BTreeSet<String>,
    /// All were asked once more, together.
    pub broadcast: bool,
    /// When nobody was left to be asked.
    pub over_at: Option<DateTime<Utc>>,
}

impl<'s> Asked<'s> {
    /// As it is.
    pub fn of(session: &'s Waiting) -> Self {
        Self {
            session,
            declined: &session.declined,
            lapsed: &session.lapsed,
            broadcast: session.round.broadcast,
            over_at: session.round.over_at,
        }
    }

    /// As if nobody had let it lie.
    pub fn nobody_lapsed(self) -> Self {
        Self {
            lapsed: &NOBODY,
            ..self
        }
    }

    /// As if nobody had been asked at all.
    pub fn anew(self) -> Self {
        Self {
            declined: &NOBODY,
            broadcast: false,
            over_at: None,
            ..self.nobody_lapsed()
        }
    }
}

/// One operator as a line sees them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seat<'w> {
    /// Who.
    pub id: &'w str,
    /// What does not change while a plan is made.
    pub operator: &'w OperatorState,
    /// Their place in the queue, from 0; `None` for a responsible operator who does not stand in it.
    position: Option<usize>,
    /// Their weighted load over all lines.
    pub load: f64,
    /// Their sessions of this line.
    of_line: u32,
    /// When it was last their turn.
    turn: Option<DateTime<Utc>>,
}

impl<'w> Seat<'w> {
    fn new(
        line_id: &str,
        position: Option<usize>,
        id: &'w str,
        operator: &'w OperatorState,
        load: &Load,
        turn: Option<DateTime<Utc>>,
    ) -> Self {
        Self {
            id,
            operator,
            position,
            load: load.total,
            of_line: load.of_line(line_id),
            turn,
        }
    }

    /// Somebody who does not stand in the queue.
    pub fn outsider(line_id: &str, id: &'w str, operator: &'w OperatorState, load: &Load) -> Self {
        Self::new(line_id, None, id, operator, load, None)
    }

    /// Whether they stand in the queue.
    pub fn in_queue(&self) -> bool {
        self.position.is_some()
    }

    /// The first check that fails, in the order of [`Rejection`].
    pub fn rejected_by(&self, line: &LineState, asked: &Asked<'_>, absent_too: bool) -> Option<Rejection> {
        unavailable(self.operator, self.position.is_some(), absent_too).or_else(|| {
            if !self.has_room(line, asked.session.weight) {
                Some(self.full(asked.session.weight))
            } else if asked.declined.contains(self.id) {
                Some(Rejection::Declined)
            } else if asked.lapsed.contains(self.id) {
                Some(Rejection::Lapsed)
            } else {
                self.unable(line, asked.session.language.as_deref())
            }
        })
    }

    fn has_room(&self, line: &LineState, weight: f64) -> bool {
        let limit = line.rules.limit_per_operator;
        fits(self.load, weight, self.operator.capacity) && limit.is_none_or(|limit| self.of_line < limit)
    }

    fn full(&self, weight: f64) -> Rejection {
        if fits(self.load, weight, self.operator.capacity) {
            Rejection::LineLimit
        } else {
            Rejection::AtCapacity
        }
    }

    /// What they lack, whatever else they do.
    fn unable(&self, line: &LineState, language: Option<&str>) -> Option<Rejection> {
        if !has_all(&self.operator.skills, &line.rules.required_skills) {
            Some(Rejection::MissingSkill)
        } else if line.rules.match_language && !speaks(&self.operator.languages, language) {
            Some(Rejection::Language)
        } else {
            None
        }
    }

    fn rank(&self, distribution: Distribution) -> Rank {
        let by_load = matches!(distribution, Distribution::LeastLoaded | Distribution::All);
        let by_turn = by_load || distribution == Distribution::Even;
        Rank {
            load: Weight(if by_load { self.load } else { 0.0 }),
            turn: self.turn.filter(|_| by_turn),
            position: self.position.unwrap_or(usize::MAX),
        }
    }
}

/// Whether a language is among these; `pt-BR` is spoken by who speaks `pt`. An unknown one is spoken by all.
fn speaks(languages: &[String], language: Option<&str>) -> bool {
    language
        .map(primary)
        .is_none_or(|wanted| languages.iter().any(|known| primary(known) == wanted))
}

fn primary(tag: &str) -> String {
    tag.split(['-', '_']).next().unwrap_or_default().to_lowercase()
}

/// A load in an order of its own; loads are never NaN, and this is total all the same.
#[derive(Debug, Clone, Copy)]
struct Weight(f64);

impl Ord for Weight {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}
impl PartialOrd for Weight {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Weight {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Weight {}

/// The order of a distribution: what does not matter to it is the same for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    load: Weight,
    turn: Option<DateTime<Utc>>,
    position: usize,
}

/// Sessions that the same people could take.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Class {
    /// What it weighs; `None` asks who could take it if they had room.
    weight: Option<Weight>,
    /// The primary language, where the line looks at it.
    language: Option<String>,
    /// Those who are not there may get it, too.
    absent_too: bool,
}

impl Class {
    fn takes(&self, line: &LineState, seat: &Seat<'_>) -> bool {
        unavailable(seat.operator, true, self.absent_too).is_none()
            && self.weight.is_none_or(|weight| seat.has_room(line, weight.0))
            && seat.unable(line, self.language.as_deref()).is_none()
    }
}

/// What a decision looked at, as [`Standing::candidates`] lists it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    /// Changes before it.
    step: usize,
    /// Those who are not there might have got it.
    pub absent_too: bool,
    /// The round had forgotten who said no.
    declined_forgotten: bool,
    /// The round had forgotten who let it lie.
    lapsed_forgotten: bool,
    /// Those who let it lie are asked in spite of it.
    pub broadcast: bool,
}

/// Everybody in the queue of one line.
#[derive(Debug)]
pub(super) struct Standing<'w> {
    /// The line.
    pub line: &'w LineState,
    line_id: &'w str,
    /// As they were when this was made, by position.
    first: Vec<Seat<'w>>,
    /// As they are, by position.
    seats: Vec<Seat<'w>>,
    /// Each change since, in order: the seat as it is after it.
    changes: Vec<Seat<'w>>,
    by_id: HashMap<&'w str, usize>,
    classes: BTreeMap<Class, BTreeSet<Rank>>,
    last_turn: Option<DateTime<Utc>>,
}

impl<'w> Standing<'w> {
    /// Everybody in the queue who is known, with their loads of this moment.
    pub fn new<'l>(
        line_id: &'w str,
        line: &'w LineState,
        operators: &'w BTreeMap<String, OperatorState>,
        load: impl Fn(&'w str, &'w OperatorState) -> &'l Load,
    ) -> Self {
        let known = line.queue.iter().filter_map(|id| Some((id, operators.get(id)?)));
        let seats: Vec<Seat<'w>> = known
            .enumerate()
            .map(|(position, (id, operator))| {
                let turn = line.turns.get(id).copied();
                Seat::new(line_id, Some(position), id, operator, load(id, operator), turn)
            })
            .collect();
        Self {
            line,
            line_id,
            by_id: (0..).zip(&seats).map(|(at, seat)| (seat.id, at)).collect(),
            first: seats.clone(),
            seats,
            changes: Vec::new(),
            classes: BTreeMap::new(),
            last_turn: line.turns.values().max().copied(),
        }
    }

    /// How many stand in it.
    pub fn len(&self) -> usize {
        self.seats.len()
    }

    /// Who stands in it.
    pub fn members(&self) -> impl Iterator<Item = &'w str> {
        self.seats.iter().map(|seat| seat.id)
    }

    /// One of them.
    pub fn seat(&self, id: &str) -> Option<&Seat<'w>> {
        self.by_id.get(id).and_then(|at| self.seats.get(*at))
    }

    /// Whom a session goes to by the order of the distribution, if anybody can take it.
    pub fn first_for(&mut self, asked: &Asked<'_>, absent_too: bool) -> Option<&'w str> {
        self.able(asked, absent_too).next()
    }

    /// Everybody who can take it, in the order of the distribution.
    pub fn all_for(&mut self, asked: &Asked<'_>, absent_too: bool) -> Vec<String> {
        self.able(asked, absent_too).map(str::to_owned).collect()
    }

    /// Whether anybody who did not let it lie is there and could take it, perhaps only when they have room.
    pub fn somebody_else_could(&mut self, asked: &Asked<'_>) -> bool {
        let class = self.class(None, asked.session, self.line.rules.assign_when_offline);
        self.of_class(class, asked).next().is_some()
    }

    fn able<'a>(&'a mut self, asked: &'a Asked<'_>, absent_too: bool) -> impl Iterator<Item = &'w str> + 'a {
        let class = self.class(Some(asked.session.weight), asked.session, absent_too);
        self.of_class(class, asked)
    }

    fn class(&self, weight: Option<f64>, session: &Waiting, absent_too: bool) -> Class {
        let language = session.language.as_deref().map(primary);
        Class {
            weight: weight.map(Weight),
            language: language.filter(|_| self.line.rules.match_language),
            absent_too,
        }
    }

    fn of_class<'a>(&'a mut self, class: Class, asked: &'a Asked<'_>) -> impl Iterator<Item = &'w str> + 'a {
        let (line, seats) = (self.line, &self.seats);
        let ranks = self.classes.entry(class).or_insert_with_key(|class| {
            let able = seats.iter().filter(|seat| class.takes(line, seat));
            able.map(|seat| seat.rank(line.rules.distribution)).collect()
        });
        let able = ranks.iter().filter_map(|rank| Some(seats.get(rank.position)?.id));
        able.filter(|id| !asked.declined.contains(*id) && !asked.lapsed.contains(*id))
    }

    /// Those of `ids` who are rejected for this reason, in the order of the distribution.
    pub fn rejected_for(
        &self,
        why: Rejection,
        ids: &BTreeSet<String>,
        asked: &Asked<'_>,
        absent_too: bool,
    ) -> Vec<String> {
        let mut found: Vec<&Seat<'w>> = ids.iter().filter_map(|id| self.seat(id)).collect();
        found.retain(|seat| seat.rejected_by(self.line, asked, absent_too) == Some(why));
        found.sort_by_key(|seat| seat.rank(self.line.rules.distribution));
        found.into_iter().map(|seat| seat.id.to_owned()).collect()
    }

    /// Somebody got a session of this line: it was their turn. Answers when, see [`next_turn`].
    pub fn turn(&mut self, id: &str, now: DateTime<Utc>) -> DateTime<Utc> {
        let turn = next_turn(self.last_turn, now);
        self.last_turn = Some(turn);
        self.change(id, |seat| seat.turn = Some(turn));
        turn
    }

    /// Somebody has more to do than before, from this line or another one.
    pub fn carry(&mut self, id: &str, load: &Load) {
        let of_line = load.of_line(self.line_id);
        self.change(id, |seat| (seat.load, seat.of_line) = (load.total, of_line));
    }

    fn change(&mut self, id: &str, change: impl FnOnce(&mut Seat<'w>)) {
        let Some(seat) = self.by_id.get(id).and_then(|at| self.seats.get_mut(*at)) else {
            return;
        };
        let before = *seat;
        change(seat);
        self.changes.push(*seat);
        let distribution = self.line.rules.distribution;
        for (class, ranks) in &mut self.classes {
            // Within a plan loads only grow: who cannot take it now will not be able to either.
            if ranks.remove(&before.rank(distribution)) && class.takes(self.line, seat) {
                ranks.insert(seat.rank(distribution));
            }
        }
    }

    /// What a decision made now has looked at.
    pub fn look(&self, asked: &Asked<'_>, absent_too: bool) -> Look {
        Look {
            step: self.changes.len(),
            absent_too,
            declined_forgotten: asked.declined.len() != asked.session.declined.len(),
            lapsed_forgotten: asked.lapsed.len() != asked.session.lapsed.len(),
            broadcast: false,
        }
    }

    /// Everybody in the queue in the order of the distribution, each with the first check that failed, as they were
    /// at that look.
    pub fn candidates(&self, look: Look, session: &Waiting) -> Vec<Candidate> {
        let mut asked = Asked::of(session);
        if look.declined_forgotten {
            asked.declined = &NOBODY;
        }
        if look.lapsed_forgotten {
            asked.lapsed = &NOBODY;
        }
        let mut seats = self.first.clone();
        for change in self.changes.iter().take(look.step) {
            if let Some(seat) = change.position.and_then(|at| seats.get_mut(at)) {
                *seat = *change;
            }
        }
        seats.sort_by_key(|seat| seat.rank(self.line.rules.distribution));
        (1..)
            .zip(seats)
            .map(|(rank, seat)| Candidate {
                operator_id: seat.id.to_owned(),
                load: seat.load,
                rank,
                rejected_by: seat
                    .rejected_by(self.line, &asked, look.absent_too)
                    .filter(|why| !(look.broadcast && *why == Rejection::Lapsed)),
            })
            .collect()
    }
}
