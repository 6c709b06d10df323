//! Decisions carried out: who owns a session, who has room kept for one, whose turn it was. Pure.

use super::{engine::Engine, queue::Look, state::Happening};
use crate::{
    operator::load::Load,
    routing::decide::{Decision, Outcome, next_turn},
};

impl Engine<'_> {
    /// One look at the queue: whoever can be placed now, is. Answers whether any moved to another line.
    pub(super) fn place(&mut self) -> bool {
        let (mut look, mut moved) = (Look::default(), false);
        while let Some((number, decision)) =
            self.queue
                .next(&self.world, &self.scenario.counting, self.now, &mut look)
        {
            moved |= decision.outcome == Outcome::Overflow;
            self.carry_out(number, &decision);
        }
        self.played += look.decided;
        let again_at = look.again_at.filter(|at| *at > self.now);
        if let Some(at) = again_at
            && self.looks.insert(at)
        {
            self.at(at, Happening::Look);
        }
        moved
    }

    fn carry_out(&mut self, number: usize, decision: &Decision) {
        match (decision.outcome, &decision.operator_id, &decision.line_id) {
            (Outcome::Assigned, Some(to), _) => {
                self.queue.remove(number);
                self.take_room(number, to);
                self.take_turn(number, to);
                self.own(number, to);
            }
            (Outcome::Offered, ..) => self.ask(number, decision),
            (Outcome::Overflow, _, Some(to)) => self.move_on(number, to),
            (Outcome::NoAnswer, ..) => self.end_round(number),
            _ => {}
        }
    }

    /// Room is taken with an operator for a session.
    pub(super) fn take_room(&mut self, number: usize, operator: &str) {
        let Some(session) = self.sessions.get(number) else {
            return;
        };
        let (line, weight) = (session.waiting.line_id.clone(), session.waiting.weight);
        self.change_load(operator, |load| load.add(&line, weight));
    }

    /// It has nothing to do with the operator any more.
    pub(super) fn leave_room(&mut self, number: usize, operator: &str) {
        let Some(session) = self.sessions.get(number) else {
            return;
        };
        let (line, weight) = (session.waiting.line_id.clone(), session.waiting.weight);
        self.change_load(operator, |load| {
            load.remove(&line, weight);
            // Sums of weights are not exact; nothing weighs nothing.
            if load.sessions.values().all(|count| *count == 0) {
                load.total = 0.0;
            }
        });
    }

    /// It was the operator's turn on the line of this session.
    pub(super) fn take_turn(&mut self, number: usize, operator: &str) {
        let Some(session) = self.sessions.get(number) else {
            return;
        };
        if let Some(state) = self.world.lines.get_mut(&session.waiting.line_id) {
            let turn = next_turn(state.turns.values().max().copied(), self.now);
            state.turns.insert(operator.to_owned(), turn);
        }
    }

    /// An operator owns it from now on; they have room for it already.
    pub(super) fn own(&mut self, number: usize, to: &str) {
        let now = self.now;
        let Some(session) = self.sessions.get_mut(number) else {
            return;
        };
        session.ownership += 1;
        session.owner = Some((to.to_owned(), now));
        // Somebody has it: the round is over, but for who let it lie and has it again.
        let again = session.waiting.lapsed.contains(to);
        session.begin_round();
        session.waiting.lapsed.extend(again.then(|| to.to_owned()));
        let line = session.waiting.line_id.clone();
        let (times, ownership) = (session.times, session.ownership);
        if let Some(tally) = self.tallies.get_mut(to) {
            tally.sessions += 1;
        }
        let rules = self.world.lines.get(&line).map(|line| &line.rules);
        let return_after = rules.and_then(|rules| rules.return_after_secs);
        if let Some(at) = self.open_for(&line, now, return_after) {
            self.at(at, Happening::Overdue(number, ownership));
        }
        self.later(times.reply_secs, Happening::Reply(number, ownership));
        self.later(times.handle_secs, Happening::Finish(number, ownership));
    }

    /// Its owner, if it has one, has it no more.
    pub(super) fn free(&mut self, number: usize) -> Option<String> {
        let (owner, _) = self.sessions.get_mut(number)?.owner.take()?;
        self.leave_room(number, &owner);
        Some(owner)
    }

    /// What an operator has changes; what it was until now is counted.
    pub(super) fn change_load(&mut self, id: &str, change: impl FnOnce(&mut Load)) {
        let now = self.now;
        let (Some(operator), Some(tally)) = (self.world.operators.get_mut(id), self.tallies.get_mut(id))
        else {
            return;
        };
        tally.until(now, self.scenario.from, operator);
        change(&mut operator.load);
        tally.peak = tally.peak.max(operator.load.total);
    }
}
