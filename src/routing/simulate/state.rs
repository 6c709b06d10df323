//! What a simulation knows of sessions and operators while it plays. Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{
    Arrival, SimLine, Staff,
    chance::{Chance, Times},
    figures::{Fate, OperatorFigures, secs},
};
use crate::{
    conversation::session::opened,
    db::entity::session,
    line::rules::Acceptance,
    operator::{Availability, Presence, Weights, load::Load, presence::Observed},
    routing::world::{LineState, OperatorState, Round, Waiting},
};

/// What happens; those of one moment in this order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Happening {
    /// The owner is done with a session; the number tells one ownership from another.
    Finish(usize, u32),
    /// The owner replies for the first time.
    Reply(usize, u32),
    /// A shift begins or ends.
    Shift(String, bool),
    /// The client's patience is over.
    Abandon(usize),
    /// Perhaps the owner owes a reply for too long.
    Overdue(usize, u32),
    /// Perhaps it waits too long on this line; since then.
    Overflow(usize, DateTime<Utc>),
    /// A session comes.
    Arrive(usize),
    /// Time alone may change a decision.
    Look,
}

/// A session on its way.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) times: Times,
    pub(super) waiting: Waiting,
    pub(super) queued_at: DateTime<Utc>,
    pub(super) owner: Option<(String, DateTime<Utc>)>,
    /// Grows with each owner.
    pub(super) ownership: u32,
    pub(super) chance: Chance,
    /// Lines it moved away from: two lines do not play ball.
    pub(super) left: BTreeSet<String>,
    pub(super) fate: Fate,
}

impl Session {
    /// One that has not come yet.
    pub(super) fn new(
        number: usize,
        arrival: &Arrival,
        weights: &Weights,
        times: Times,
        chance: Chance,
    ) -> Self {
        let waiting = Waiting {
            session_id: format!("{number:09}"),
            version: 1,
            conversation_id: String::new(),
            line_id: arrival.line.clone(),
            weight: weights.of(&arrival.channel_kind),
            priority: arrival.priority,
            due_at: None,
            waiting_since: arrival.at,
            language: arrival.language.clone(),
            responsible: arrival.responsible.clone(),
            declined: BTreeSet::new(),
            lapsed: BTreeSet::new(),
            round: Round::default(),
        };
        Self {
            times,
            waiting,
            queued_at: arrival.at,
            owner: None,
            ownership: 0,
            chance,
            left: BTreeSet::new(),
            fate: Fate {
                at: arrival.at,
                answered: None,
                abandoned: None,
            },
        }
    }

    /// As it would be in the database now: what the rule of timers reads.
    pub(super) fn row(&self) -> session::Model {
        let mut row = opened("", &self.waiting.line_id, "", self.fate.at);
        row.queued_at = Some(self.queued_at);
        row.owed_since = self.fate.answered.is_none().then_some(self.fate.at);
        row.first_reply_at = self.fate.answered;
        if let Some((owner, since)) = &self.owner {
            row.state = "assigned".to_owned();
            row.operator_id = Some(owner.clone());
            row.assigned_at = Some(*since);
        }
        row
    }
}

/// What is counted of an operator while it happens.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) sessions: u64,
    pub(super) peak: f64,
    pub(super) on_shift: bool,
    since: Option<DateTime<Utc>>,
    busy: f64,
    shift: f64,
}

impl Tally {
    /// Counts what an operator had until now.
    pub(super) fn until(&mut self, now: DateTime<Utc>, from: DateTime<Utc>, operator: &OperatorState) {
        let since = self.since.replace(now).unwrap_or(from);
        if self.on_shift {
            let time = secs(now - since);
            self.shift += time;
            if operator.capacity > 0.0 {
                self.busy += time * (operator.load.total / operator.capacity).min(1.0);
            }
        }
    }

    /// What came of it.
    pub(super) fn figures(&self, id: &str, name: &str) -> OperatorFigures {
        OperatorFigures {
            operator_id: id.to_owned(),
            name: name.to_owned(),
            sessions: self.sessions,
            peak: self.peak,
            busy_share: (self.shift > 0.0).then(|| self.busy / self.shift),
            shift_secs: Some(self.shift),
        }
    }
}

/// A line as the router sees it. Offers are taken as accepted at once, see `Note::OffersAccepted`.
pub(super) fn line_state(line: &SimLine) -> LineState {
    let mut rules = line.rules.clone();
    rules.acceptance = Acceptance::Automatic;
    LineState {
        version: 1,
        enabled: line.enabled,
        rules,
        queue: line.queue.clone(),
        turns: BTreeMap::new(),
        // What is asked is accepted: no round comes to its end.
        overflow_to: None,
    }
}

/// An operator as the router sees them, before their first shift.
pub(super) fn operator_state(staff: &Staff) -> OperatorState {
    OperatorState {
        enabled: true,
        availability: Availability::Off,
        observed: Observed::NEVER,
        languages: staff.languages.clone(),
        skills: staff.skills.clone(),
        capacity: staff.capacity,
        load: Load::default(),
    }
}

/// There and accepting, or not.
pub(super) fn on_shift(operator: &mut OperatorState, begins: bool) {
    operator.availability = if begins {
        Availability::Accepting
    } else {
        Availability::Off
    };
    operator.observed = Observed {
        presence: if begins {
            Presence::Online
        } else {
            Presence::Offline
        },
        gone_since: None,
    };
}
