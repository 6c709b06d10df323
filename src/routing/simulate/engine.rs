//! The events of a simulation, one after the other in a time that is only counted. Pure.
//!
//! Who owns an answered session when the shift ends brings it to its end; what is unanswered goes back to
//! the queue, as it does in earnest. Who gets what is in [`super::placing`], offers in [`super::asking`], what lines do
//! by themselves in [`super::actions`].

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    ARRIVAL_LIMIT, DAY_LIMIT, Error, Scenario,
    chance::{Chance, Known},
    figures::{Fate, Figures, figures},
    queue::Queue,
    state::{Happening, Session, Tally, line_state, on_shift, operator_state},
};
use crate::{
    line::{due::Promise, hours},
    routing::{
        timers::{Due, due},
        world::World,
    },
};

/// Events of one simulation: rules that send sessions round and round end here.
const EVENT_LIMIT: usize = 5_000_000;

pub(super) struct Engine<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) world: World,
    pub(super) queue: Queue,
    /// By their place among the arrivals.
    pub(super) sessions: Vec<Session>,
    pub(super) tallies: BTreeMap<String, Tally>,
    events: BinaryHeap<Reverse<(DateTime<Utc>, Happening)>>,
    pub(super) looks: BTreeSet<DateTime<Utc>>,
    pub(super) now: DateTime<Utc>,
    /// Events and decisions until now.
    pub(super) played: usize,
    pub(super) counted: Counted,
}

/// What is counted of all sessions together.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counted {
    pub(super) overflowed: u64,
    pub(super) returned: u64,
    pub(super) offers: u64,
    pub(super) offers_lapsed: u64,
    pub(super) no_answer_actions: u64,
    pub(super) off_hours_actions: u64,
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
    while engine.step() {
        if engine.played > EVENT_LIMIT {
            return Err(Error::TooLarge(
                "these rules send sessions round and round, or ask for ever: look at the times of return and of \
                 offers, or choose a shorter period"
                    .to_owned(),
            ));
        }
    }
    Ok(engine.counted())
}

impl<'a> Engine<'a> {
    pub(super) fn new(scenario: &'a Scenario) -> Self {
        let mut engine = Self {
            scenario,
            world: World::default(),
            queue: Queue::default(),
            sessions: Vec::with_capacity(scenario.arrivals.len()),
            tallies: BTreeMap::new(),
            events: BinaryHeap::new(),
            looks: BTreeSet::new(),
            now: scenario.from,
            played: 0,
            counted: Counted::default(),
        };
        for key in scenario.lines.keys() {
            let state = line_state(key, &scenario.lines);
            engine.world.lines.extend(state.map(|state| (key.clone(), state)));
            engine.closings(key);
        }
        for (id, staff) in &scenario.staff {
            engine.world.operators.insert(id.clone(), operator_state(staff));
            engine.tallies.insert(id.clone(), Tally::default());
            let (from, to) = (scenario.from, scenario.to);
            let always = || vec![(from, to)];
            let plan = staff.schedule.as_ref();
            for (begin, end) in plan.map_or_else(always, |plan| plan.working_between(from, to)) {
                engine.at(begin, Happening::Shift(id.clone(), true));
                engine.at(end, Happening::Shift(id.clone(), false));
            }
        }
        let known = Known::of(&scenario.arrivals, scenario.patience_secs);
        for (number, arrival) in scenario.arrivals.iter().enumerate() {
            let mut chance = Chance::of(scenario.seed, number);
            let times = known.times(arrival, &mut chance);
            let session = Session::new(number, arrival, &scenario.counting, times, chance);
            engine.at(arrival.at, Happening::Arrive(number));
            engine.sessions.push(session);
        }
        engine
    }

    /// Everything of the next moment, and then a look at the queue. False when nothing is left to happen.
    pub(super) fn step(&mut self) -> bool {
        match self.events.peek() {
            Some(Reverse((at, _))) if *at < self.scenario.to => self.now = *at,
            _ => return false,
        }
        while let Some(Reverse((at, happening))) = self.events.pop() {
            if at > self.now {
                self.events.push(Reverse((at, happening)));
                break;
            }
            self.happen(happening);
            self.played += 1;
        }
        // What moved to another line in a look is looked at there.
        while self.place() {}
        true
    }

    pub(super) fn at(&mut self, at: DateTime<Utc>, happening: Happening) {
        if at < self.scenario.to {
            self.events.push(Reverse((at, happening)));
        }
    }

    pub(super) fn later(&mut self, secs: f64, happening: Happening) {
        let micros = (secs * 1e6) as i64;
        if let Some(at) = self.now.checked_add_signed(TimeDelta::microseconds(micros)) {
            self.at(at, happening);
        }
    }

    /// When a line's hours were open for so long since then; for timers of its rules.
    pub(super) fn open_for(
        &self,
        line: &str,
        since: DateTime<Utc>,
        after_secs: Option<u32>,
    ) -> Option<DateTime<Utc>> {
        let rules = &self.world.lines.get(line)?.rules;
        let time = TimeDelta::seconds(i64::from(after_secs?));
        hours::after(rules.hours.as_ref(), since, time)
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
            Happening::Accept(number, asking, by) => self.accept(number, asking, &by),
            Happening::Lapse(number, asking) => self.lapse(number, asking),
            Happening::Abandon(number) => self.abandon(number),
            Happening::Overdue(number, ownership) => {
                if self.owned_as(number, ownership) && self.is_due(number) == Some(Due::Return) {
                    self.give_back(number, true);
                }
            }
            Happening::Overflow(number, since) => {
                if let Some(Due::Overflow { to }) = self.is_due(number).filter(|_| self.stands(number, since))
                {
                    self.move_on(number, &to);
                }
            }
            Happening::NoAnswer(number, since) => {
                if self.stands(number, since) {
                    self.no_answer(number, false);
                }
            }
            Happening::Close(line) => self.close(&line),
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

    /// It stands in the queue of its line from now on, and the line's clocks run.
    pub(super) fn wait(&mut self, number: usize) {
        let now = self.now;
        let Some(session) = self.sessions.get_mut(number) else {
            return;
        };
        session.queued_at = now;
        let (line, came) = (session.waiting.line_id.clone(), session.fate.at);
        let rules = self.world.lines.get(&line).map(|line| &line.rules);
        let answered = session.fate.answered;
        let owed = answered.is_none().then_some(came);
        session.waiting.due_at = rules.and_then(|rules| Promise::of(rules).due_at(owed, answered.is_some()));
        self.stand(number);
        let rules = self.world.lines.get(&line).map(|line| &line.rules);
        let (overflow, no_answer) = rules.map_or((None, None), |rules| {
            (rules.overflow.after_secs, rules.no_answer.after_secs)
        });
        if let Some(at) = self.open_for(&line, now, overflow) {
            self.at(at, Happening::Overflow(number, now));
        }
        // It counts from when the client began to wait, perhaps on another line.
        if let Some(at) = self.open_for(&line, came, no_answer) {
            self.at(at.max(now), Happening::NoAnswer(number, now));
        }
        self.off_hours(number);
    }

    /// It is decided about.
    pub(super) fn stand(&mut self, number: usize) {
        if let Some(session) = self.sessions.get(number) {
            self.queue.add(number, session.waiting.clone());
        }
    }

    /// Whether it stands in the queue since then, or those of the queue are asked about it.
    fn stands(&self, number: usize, since: DateTime<Utc>) -> bool {
        let session = self.sessions.get(number);
        session.is_some_and(|session| session.queued_at == since && self.is_queued(number, session))
    }

    pub(super) fn is_queued(&self, number: usize, session: &Session) -> bool {
        session.asked.is_some() || self.queue.has(number)
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
        if session.fate.answered.is_some() || session.fate.closed.is_some() {
            return;
        }
        session.fate.abandoned = Some(now);
        self.take_back(number);
        self.queue.remove(number);
        self.free(number);
    }

    /// An unanswered session goes back; `lapsed`: away from who let it lie.
    fn give_back(&mut self, number: usize, lapsed: bool) {
        let Some(owner) = self.free(number) else { return };
        self.counted.returned += 1;
        if lapsed && let Some(session) = self.sessions.get_mut(number) {
            session.waiting.lapsed.insert(owner);
            // The next one is somebody else, and takes a time of their own.
            let secs = session.chance.around(session.times.reply_secs);
            session.times.reply_secs = secs.min(session.times.handle_secs);
        }
        self.wait(number);
    }

    /// What the rule of the line's timers says about a session, as it would be in the database now.
    fn is_due(&self, number: usize) -> Option<Due> {
        let session = self.sessions.get(number)?;
        let line = self.world.lines.get(&session.waiting.line_id)?;
        let due = due(&line.rules, &session.row(), self.now);
        due.filter(|_| line.enabled)
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
        self.withdraw(id);
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
        let counted = self.counted;
        Figures {
            overflowed: counted.overflowed,
            returned: counted.returned,
            offers: counted.offers,
            offers_lapsed: counted.offers_lapsed,
            no_answer_actions: counted.no_answer_actions,
            off_hours_actions: counted.off_hours_actions,
            operators: operators.collect(),
            ..figures(&fates, *from, *to, *target_secs)
        }
    }
}
