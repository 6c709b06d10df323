//! What lines do by themselves, played: sessions move to the overflow line, a round of offers comes to nothing,
//! nobody answers, the line is closed. Pure.
//!
//! What a client makes of a text or a form is not known: they are taken to wait on.

use super::{engine::Engine, state::Happening};
use crate::{
    line::{
        hours,
        rules::{NoAnswerAction, OffHoursAction},
    },
    routing::timers::unanswered,
};

impl Engine<'_> {
    /// When the line closes in this period, those who wait are told, or move.
    pub(super) fn closings(&mut self, line: &str) {
        let Some(state) = self.world.lines.get(line) else {
            return;
        };
        let rules = &state.rules;
        if rules.hours.is_none() || rules.off_hours.action == OffHoursAction::None {
            return;
        }
        let (from, to) = (self.scenario.from, self.scenario.to);
        for (_, end) in hours::open_between(rules.hours.as_ref(), from, to) {
            self.at(end, Happening::Close(line.to_owned()));
        }
    }

    /// A line closes.
    pub(super) fn close(&mut self, line: &str) {
        let numbers: Vec<usize> = self
            .sessions
            .iter()
            .enumerate()
            .filter(|(number, session)| session.waiting.line_id == line && self.is_queued(*number, session))
            .map(|(number, _)| number)
            .collect();
        for number in numbers {
            self.off_hours(number);
        }
    }

    /// The line's off-hours action for a session that nobody owns, when it is closed: once for each time it is.
    pub(super) fn off_hours(&mut self, number: usize) {
        let Some(session) = self.sessions.get_mut(number) else {
            return;
        };
        let Some(line) = self.world.lines.get(&session.waiting.line_id) else {
            return;
        };
        let action = line.rules.off_hours.action;
        let opening = hours::opening(line.rules.hours.as_ref(), self.now);
        if opening.open || !line.enabled || action == OffHoursAction::None {
            return;
        }
        let left = &session.waiting.round.overflowed_from;
        let to = line.overflow_to.as_ref().filter(|to| !left.contains(*to));
        if action == OffHoursAction::Overflow
            && let Some(to) = to.cloned()
        {
            // That line may be closed as well, and has an action of its own.
            self.move_on(number, &to);
        } else if session.told_closed.insert(opening.opens_at) {
            self.counted.off_hours_actions += 1;
        }
    }

    /// It goes to the queue of another line, unless it came from there: two lines do not play ball.
    pub(super) fn move_on(&mut self, number: usize, to: &str) {
        let can_take = self.world.lines.get(to).is_some_and(|line| line.enabled);
        let came_from = |number: usize| {
            let session = self.sessions.get(number);
            session.is_none_or(|session| session.waiting.round.overflowed_from.contains(to))
        };
        if !can_take || came_from(number) {
            return;
        }
        self.take_back(number);
        self.queue.remove(number);
        let Some(session) = self.sessions.get_mut(number) else {
            return;
        };
        let left = std::mem::replace(&mut session.waiting.line_id, to.to_owned());
        let round = &mut session.waiting.round;
        round.overflowed_from.insert(left);
        // A round is one line's; who let it lie is remembered.
        (round.broadcast, round.over_at) = (false, None);
        self.counted.overflowed += 1;
        self.wait(number);
    }

    /// Nobody is left to be asked in this round.
    pub(super) fn end_round(&mut self, number: usize) {
        self.queue.remove(number);
        if let Some(session) = self.sessions.get_mut(number) {
            session.waiting.round.over_at = Some(self.now);
        }
        self.stand(number);
        self.no_answer(number, true);
    }

    /// The line's no-answer action, if it is due for a session that nobody owns.
    pub(super) fn no_answer(&mut self, number: usize, round_over: bool) {
        let now = self.now;
        let Some(session) = self.sessions.get_mut(number) else {
            return;
        };
        let Some(line) = self.world.lines.get(&session.waiting.line_id) else {
            return;
        };
        let is_due = line.enabled && unanswered(&line.rules, &session.row(), round_over, now);
        if session.no_answer_done || !is_due {
            return;
        }
        session.no_answer_done = true;
        self.counted.no_answer_actions += 1;
        if line.rules.no_answer.action == NoAnswerAction::Close {
            session.fate.closed = Some(now);
            self.take_back(number);
            self.queue.remove(number);
        }
    }
}
