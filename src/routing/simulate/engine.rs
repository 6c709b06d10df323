//! The events of a simulation, one after the other in a time that is only counted. Pure.
//!
//! Who owns an answered session when the shift ends brings it to its end; what is unanswered goes back to
//! the queue, as it does in earnest.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    ARRIVAL_LIMIT, DAY_LIMIT, Error, Scenario,
    chance::{Chance, Known},
    figures::{Fate, Figures, figures},
    queue::{Look, Queue},
    state::{Happening, Session, Tally, line_state, on_shift, operator_state},
};
use crate::{
    line::hours,
    operator::load::Load,
    routing::{
        decide::{Decision, next_turn},
        timers::{Due, due},
        world::World,
    },
};

/// Events of one simulation: rules that send sessions round and round end here.
const EVENT_LIMIT: usize = 5_000_000;

struct Engine<'a> {
    scenario: &'a Scenario,
    world: World,
    queue: Queue,
    /// By their place among the arrivals.
    sessions: Vec<Session>,
    tallies: BTreeMap<String, Tally>,
    events: BinaryHeap<Reverse<(DateTime<Utc>, Happening)>>,
    looks: BTreeSet<DateTime<Utc>>,
    now: DateTime<Utc>,
    overflowed: u64,
    returned: u64,
}

/// Plays a scenario.
///
/// # Errors
/// When nobody comes, or more than is played at once.
pub fn run(scenario: &Scenario) -> Result<Figures, Error> {
    if scenario.arrivals.is_empty() {
        return Err(Error::NoArrivals);
    }
    if scenario.arrivals.len() > ARRIVAL_LIMIT {
        return Err(Error::TooLarge(format!(
            "{} sessions came, at most {ARRIVAL_LIMIT} are played at once: choose a shorter period",
            scenario.arrivals.len()
        )));
    }
    if scenario.to - scenario.from > TimeDelta::days(DAY_LIMIT) {
        return Err(Error::TooLarge(format!(
            "at most {DAY_LIMIT} days are played at once"
        )));
    }
    let mut engine = Engine::new(scenario);
    let mut played = 0;
    while let Some(Reverse((at, _))) = engine.events.peek() {
        if *at >= scenario.to {
            break;
        }
        engine.now = *at;
        // Everything of this moment, and then one look at the queue.
        while let Some(Reverse((at, happening))) = engine.events.pop() {
            if at > engine.now {
                engine.events.push(Reverse((at, happening)));
                break;
            }
            engine.happen(happening);
            played += 1;
        }
        engine.place();
        if played > EVENT_LIMIT {
            return Err(Error::TooLarge(
                "these rules send sessions round and round: look at the times of return".to_owned(),
            ));
        }
    }
    Ok(engine.counted())
}

impl<'a> Engine<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        let mut engine = Self {
            scenario,
            world: World::default(),
            queue: Queue::default(),
            sessions: Vec::with_capacity(scenario.arrivals.len()),
            tallies: BTreeMap::new(),
            events: BinaryHeap::new(),
            looks: BTreeSet::new(),
            now: scenario.from,
            overflowed: 0,
            returned: 0,
        };
        for (key, line) in &scenario.lines {
            engine.world.lines.insert(key.clone(), line_state(line));
        }
        for (id, staff) in &scenario.staff {
            engine.world.operators.insert(id.clone(), operator_state(staff));
            engine.tallies.insert(id.clone(), Tally::default());
            let (from, to) = (scenario.from, scenario.to);
            let always = || vec![(from, to)];
            for (begin, end) in staff
                .schedule
                .as_ref()
                .map_or_else(always, |one| one.between(from, to))
            {
                engine.at(begin, Happening::Shift(id.clone(), true));
                engine.at(end, Happening::Shift(id.clone(), false));
            }
        }
        let known = Known::of(&scenario.arrivals, scenario.patience_secs);
        for (number, arrival) in scenario.arrivals.iter().enumerate() {
            let mut chance = Chance::of(scenario.seed, number);
            let times = known.times(arrival, &mut chance);
            let session = Session::new(number, arrival, &scenario.weights, times, chance);
            engine.at(arrival.at, Happening::Arrive(number));
            engine.sessions.push(session);
        }
        engine
    }

    fn at(&mut self, at: DateTime<Utc>, happening: Happening) {
        if at < self.scenario.to {
            self.events.push(Reverse((at, happening)));
        }
    }

    fn later(&mut self, secs: f64, happening: Happening) {
        let micros = (secs * 1e6) as i64;
        if let Some(at) = self.now.checked_add_signed(TimeDelta::microseconds(micros)) {
            self.at(at, happening);
        }
    }

    /// When a line of these hours was open for so long; for timers of its rules.
    fn open_for(&self, line: &str, after_secs: Option<u32>) -> Option<DateTime<Utc>> {
        let rules = &self.world.lines.get(line)?.rules;
        let time = TimeDelta::seconds(i64::from(after_secs?));
        hours::after(rules.hours.as_ref(), self.now, time)
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Arrive(number) => self.arrive(number),
            Happening::Reply(number, ownership) => self.reply(number, ownership),
            Happening::Finish(number, ownership) => {
                if self.owned_as(number, ownership) {
                    self.free(number);
                }
            }
            Happening::Abandon(number) => self.abandon(number),
            Happening::Overdue(number, ownership) => {
                if self.owned_as(number, ownership) && self.is_due(number) == Some(Due::Return) {
                    self.give_back(number, true);
                }
            }
            Happening::Overflow(number, since) => self.overflow(number, since),
            Happening::Shift(id, begins) => self.shift(&id, begins),
            Happening::Look => {
                self.looks.remove(&self.now);
            }
        }
    }

    fn owned_as(&self, number: usize, ownership: u32) -> bool {
        self.sessions
            .get(number)
            .is_some_and(|session| session.owner.is_some() && session.ownership == ownership)
    }

    fn arrive(&mut self, number: usize) {
        let Some(session) = self.sessions.get(number) else {
            return;
        };
        if let Some(patience) = session.times.patience_secs {
            self.later(patience, Happening::Abandon(number));
        }
        self.wait(number);
    }

    /// It stands in the queue of its line from now on.
    fn wait(&mut self, number: usize) {
        let now = self.now;
        let Some(session) = self.sessions.get_mut(number) else {
            return;
        };
        session.queued_at = now;
        let waiting = session.waiting.clone();
        let line = waiting.line_id.clone();
        self.queue.add(number, waiting);
        let rules = self.world.lines.get(&line).map(|line| &line.rules);
        let after = rules.and_then(|rules| rules.overflow.after_secs);
        if let Some(at) = self.open_for(&line, after) {
            self.at(at, Happening::Overflow(number, now));
        }
    }

    /// One look at the queue: whoever can be placed now, is.
    fn place(&mut self) {
        let mut look = Look::default();
        while let Some((number, decision)) =
            self.queue
                .next(&self.world, &self.scenario.weights, self.now, &mut look)
        {
            self.deliver(number, &decision);
        }
        let again_at = look.again_at.filter(|at| *at > self.now);
        if let Some(at) = again_at
            && self.looks.insert(at)
        {
            self.at(at, Happening::Look);
        }
    }

    /// A decision is carried out. An operator who is chosen takes the session at once; where a line makes
    /// offers, this is the place where they would be asked.
    fn deliver(&mut self, number: usize, decision: &Decision) {
        let now = self.now;
        self.queue.remove(number);
        let (Some(to), Some(session)) = (&decision.operator_id, self.sessions.get_mut(number)) else {
            return;
        };
        session.ownership += 1;
        session.owner = Some((to.clone(), now));
        let (line, weight) = (session.waiting.line_id.clone(), session.waiting.weight);
        let (times, ownership) = (session.times, session.ownership);
        if let Some(tally) = self.tallies.get_mut(to) {
            tally.sessions += 1;
        }
        self.change_load(to, |load| load.add(&line, weight));
        if let Some(state) = self.world.lines.get_mut(&line) {
            let turn = next_turn(state.turns.values().max().copied(), now);
            state.turns.insert(to.clone(), turn);
        }
        let return_after = self
            .world
            .lines
            .get(&line)
            .and_then(|line| line.rules.return_after_secs);
        if let Some(at) = self.open_for(&line, return_after) {
            self.at(at, Happening::Overdue(number, ownership));
        }
        self.later(times.reply_secs, Happening::Reply(number, ownership));
        self.later(times.handle_secs, Happening::Finish(number, ownership));
    }

    fn reply(&mut self, number: usize, ownership: u32) {
        if self.owned_as(number, ownership)
            && let Some(session) = self.sessions.get_mut(number)
        {
            session.fate.answered.get_or_insert(self.now);
        }
    }

    fn abandon(&mut self, number: usize) {
        let now = self.now;
        let Some(session) = self.sessions.get_mut(number) else {
            return;
        };
        if session.fate.answered.is_some() {
            return;
        }
        session.fate.abandoned = Some(now);
        self.queue.remove(number);
        self.free(number);
    }

    /// Its owner, if it has one, has it no more.
    fn free(&mut self, number: usize) -> Option<String> {
        let session = self.sessions.get_mut(number)?;
        let (owner, _) = session.owner.take()?;
        let (line, weight) = (session.waiting.line_id.clone(), session.waiting.weight);
        self.change_load(&owner, |load| {
            let left = load.of_line(&line).saturating_sub(1);
            load.sessions.insert(line.clone(), left);
            // Sums of weights are not exact; nothing weighs nothing.
            let empty = load.sessions.values().all(|count| *count == 0);
            load.total = if empty { 0.0 } else { load.total - weight };
        });
        Some(owner)
    }

    /// An unanswered session goes back; `lapsed`: away from who let it lie.
    fn give_back(&mut self, number: usize, lapsed: bool) {
        let Some(owner) = self.free(number) else { return };
        self.returned += 1;
        if lapsed && let Some(session) = self.sessions.get_mut(number) {
            session.waiting.lapsed.insert(owner);
            // The next one is somebody else, and takes a time of their own.
            let secs = session.chance.around(session.times.reply_secs);
            session.times.reply_secs = secs.min(session.times.handle_secs);
        }
        self.wait(number);
    }

    fn overflow(&mut self, number: usize, since: DateTime<Utc>) {
        let waits = |session: &&Session| session.owner.is_none() && session.queued_at == since;
        if self.sessions.get(number).filter(waits).is_none() {
            return;
        }
        let Some(Due::Overflow { to }) = self.is_due(number) else {
            return;
        };
        let enabled = self.world.lines.get(&to).is_some_and(|line| line.enabled);
        let Some(session) = self.sessions.get_mut(number) else {
            return;
        };
        if !enabled || session.left.contains(&to) || self.queue.remove(number).is_none() {
            return;
        }
        session.left.insert(session.waiting.line_id.clone());
        session.waiting.line_id = to;
        self.overflowed += 1;
        self.wait(number);
    }

    /// What the rule of the line's timers says about a session, as it would be in the database now.
    fn is_due(&self, number: usize) -> Option<Due> {
        let session = self.sessions.get(number)?;
        let rules = &self.world.lines.get(&session.waiting.line_id)?.rules;
        due(rules, &session.row(), self.now)
    }

    fn shift(&mut self, id: &str, begins: bool) {
        self.change_load(id, |_| {});
        if let Some(operator) = self.world.operators.get_mut(id) {
            on_shift(operator, begins);
        }
        if let Some(tally) = self.tallies.get_mut(id) {
            tally.on_shift = begins;
        }
        if begins {
            return;
        }
        let unanswered: Vec<usize> = self
            .sessions
            .iter()
            .enumerate()
            .filter(|(_, session)| session.fate.answered.is_none())
            .filter(|(_, session)| session.owner.as_ref().is_some_and(|(owner, _)| owner == id))
            .map(|(number, _)| number)
            .collect();
        for number in unanswered {
            self.give_back(number, false);
        }
    }

    /// What an operator has changes; what it was until now is counted.
    fn change_load(&mut self, id: &str, change: impl FnOnce(&mut Load)) {
        let now = self.now;
        let (Some(operator), Some(tally)) = (self.world.operators.get_mut(id), self.tallies.get_mut(id))
        else {
            return;
        };
        tally.until(now, self.scenario.from, operator);
        change(&mut operator.load);
        tally.peak = tally.peak.max(operator.load.total);
    }

    fn counted(mut self) -> Figures {
        self.now = self.scenario.to;
        for id in self.scenario.staff.keys() {
            self.change_load(id, |_| {});
        }
        let fates: Vec<Fate> = self.sessions.iter().map(|session| session.fate).collect();
        let Scenario {
            from,
            to,
            target_secs,
            ..
        } = self.scenario;
        let operators = self.scenario.staff.iter().filter_map(|(id, staff)| {
            let tally = self.tallies.get(id)?;
            Some(tally.figures(id, &staff.name))
        });
        Figures {
            overflowed: self.overflowed,
            returned: self.returned,
            operators: operators.collect(),
            ..figures(&fates, *from, *to, *target_secs)
        }
    }
}
