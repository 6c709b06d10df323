//! Offers, played: operators are asked, and each accepts after a while, lets it lie, or leaves. Pure.
//!
//! An offer to one keeps room with them; of many who are asked at once the first who says yes and has room gets it,
//! as in earnest.

use chrono::TimeDelta;

use super::{
    chance::Chance,
    engine::Engine,
    state::{Asked, Happening},
};
use crate::{
    operator::load::fits,
    routing::decide::{BROADCAST, Decision},
};

impl Engine<'_> {
    /// Those of a decision are asked until the line's deadline.
    pub(super) fn ask(&mut self, number: usize, decision: &Decision) {
        self.queue.remove(number);
        let Some(session) = self.sessions.get_mut(number) else {
            return;
        };
        if decision.new_round {
            session.begin_round();
        }
        session.waiting.round.broadcast |= decision.algorithm == BROADCAST;
        session.askings += 1;
        let asking = session.askings;
        let taker = decision.taker();
        session.asked = Some(Asked {
            operators: decision.offered_to.iter().cloned().collect(),
            kept: taker.is_some(),
        });
        let line = self.world.lines.get(&session.waiting.line_id);
        let stands_secs = line.map_or(0, |line| line.rules.offer_timeout_secs);
        if let Some(to) = taker {
            self.take_room(number, to);
            self.take_turn(number, to);
        }
        self.counted.offers += decision.offered_to.len() as u64;
        for who in &decision.offered_to {
            let chance = Chance::of_asked(self.scenario.seed, number, who, self.times_asked(number, who));
            let yes = self.scenario.answering.yes_after(chance);
            if let Some(secs) = yes.filter(|secs| *secs < f64::from(stands_secs)) {
                self.later(secs, Happening::Accept(number, asking, who.clone()));
            }
        }
        let deadline = self.now + TimeDelta::seconds(i64::from(stands_secs));
        self.at(deadline, Happening::Lapse(number, asking));
    }

    /// How often this operator was asked about it, with this time.
    fn times_asked(&mut self, number: usize, who: &str) -> u32 {
        self.sessions.get_mut(number).map_or(0, |session| {
            let times = session.times_asked.entry(who.to_owned()).or_default();
            *times += 1;
            *times
        })
    }

    /// Somebody says yes, if they are still asked. One of many who has no room any more is refused, and does not
    /// come back to it.
    pub(super) fn accept(&mut self, number: usize, asking: u32, by: &str) {
        let Some(session) = self.sessions.get_mut(number) else {
            return;
        };
        let theirs = |asked: &&Asked| session.askings == asking && asked.operators.contains(by);
        let Some(kept) = session.asked.as_ref().filter(theirs).map(|asked| asked.kept) else {
            return;
        };
        if kept {
            session.asked = None;
        } else if self.has_room(number, by) {
            self.take_back(number);
            self.take_room(number, by);
            self.take_turn(number, by);
        } else {
            return;
        }
        self.own(number, by);
    }

    fn has_room(&self, number: usize, id: &str) -> bool {
        let found = || {
            let session = &self.sessions.get(number)?.waiting;
            let limit = self.world.lines.get(&session.line_id)?.rules.limit_per_operator;
            let operator = self.world.operators.get(id)?;
            let free = fits(operator.load.total, session.weight, operator.capacity);
            Some(free && limit.is_none_or(|limit| operator.load.of_line(&session.line_id) < limit))
        };
        found().unwrap_or_default()
    }

    /// The deadline has passed: whoever is still asked let it lie.
    pub(super) fn lapse(&mut self, number: usize, asking: u32) {
        let session = self.sessions.get(number);
        if session.is_none_or(|session| session.askings != asking) {
            return;
        }
        let Some(asked) = self.take_back(number) else {
            return;
        };
        self.counted.offers_lapsed += asked.operators.len() as u64;
        if let Some(session) = self.sessions.get_mut(number) {
            session.waiting.lapsed.extend(asked.operators);
        }
        self.stand(number);
    }

    /// Nobody is asked about it any more, and room that was kept is free. Answers who was.
    pub(super) fn take_back(&mut self, number: usize) -> Option<Asked> {
        let asked = self.sessions.get_mut(number)?.asked.take()?;
        if asked.kept {
            for who in &asked.operators {
                self.leave_room(number, who);
            }
        }
        Some(asked)
    }

    /// An operator who leaves is not asked any more; that is no reproach.
    pub(super) fn withdraw(&mut self, id: &str) {
        let is_asked = |asked: &Asked| asked.operators.contains(id);
        let numbers: Vec<usize> = (0..self.sessions.len())
            .filter(|number| {
                let session = self.sessions.get(*number);
                session.is_some_and(|session| session.asked.as_ref().is_some_and(is_asked))
            })
            .collect();
        for number in numbers {
            let Some(session) = self.sessions.get_mut(number) else {
                continue;
            };
            match &mut session.asked {
                Some(asked) if asked.operators.len() > 1 => {
                    asked.operators.remove(id);
                }
                _ => {
                    self.take_back(number);
                    self.stand(number);
                }
            }
        }
    }
}
