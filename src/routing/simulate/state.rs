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
    operator::{Availability, Counting, Presence, load::Load, presence::Observed},
    routing::world::{LineState, OperatorState, Round, Waiting},
};

/// What happens; those of one moment in this order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Happening {
    /// The owner replies for the first time, perhaps with their last word; the number tells one ownership from
    /// another.
    Reply(usize, u32),
    /// The owner is done with a session.
    Finish(usize, u32),
    /// Somebody who was asked says yes; the number tells one asking from another.
    Accept(usize, u32, String),
    /// The offers of an asking lapse.
    Lapse(usize, u32),
    /// A shift begins or ends.
    Shift(String, bool),
    /// The client's patience is over.
    Abandon(usize),
    /// Perhaps the owner owes a reply for too long.
    Overdue(usize, u32),
    /// Perhaps it waits too long on this line; since then.
    Overflow(usize, DateTime<Utc>),
    /// Perhaps nobody answers for too long; it stood in its queue since then.
    NoAnswer(usize, DateTime<Utc>),
    /// A session comes.
    Arrive(usize),
    /// A line closes.
    Close(String),
    /// Time alone may change a decision.
    Look,
}

/// Operators who are asked whether they take a session.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// Who has not answered yet.
    pub(super) operators: BTreeSet<String>,
    /// Room is kept with the only one who is asked; one of many has none.
    pub(super) kept: bool,
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
    /// Who is asked now.
    pub(super) asked: Option<Asked>,
    /// Grows with each asking.
    pub(super) askings: u32,
    /// How often each operator was asked.
    pub(super) times_asked: BTreeMap<String, u32>,
    /// The no-answer action was done: once for each wait.
    pub(super) no_answer_done: bool,
    /// The times of being closed of which the client was told, each by its end.
    pub(super) told_closed: BTreeSet<Option<DateTime<Utc>>>,
    pub(super) fate: Fate,
}

impl Session {
    /// One that has not come yet.
    pub(super) fn new(
        number: usize,
        arrival: &Arrival,
        counting: &Counting,
        times: Times,
        chance: Chance,
    ) -> Self {
        let waiting = Waiting {
            session_id: format!("{number:09}"),
            version: 1,
            conversation_id: String::new(),
            line_id: arrival.line.clone(),
            weight: counting.weight_of(&arrival.channel_kind),
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
            asked: None,
            askings: 0,
            times_asked: BTreeMap::new(),
            no_answer_done: false,
            told_closed: BTreeSet::new(),
            fate: Fate {
                at: arrival.at,
                answered: None,
                abandoned: None,
                closed: None,
            },
        }
    }

    /// Nobody has given it back or let it lie any more, and everybody may be asked.
    pub(super) fn begin_round(&mut self) {
        self.waiting.declined.clear();
        self.waiting.lapsed.clear();
        self.waiting.round.broadcast = false;
        self.waiting.round.over_at = None;
    }

    /// As it would be in the database now: what the rule of timers reads.
    pub(super) fn row(&self) -> session::Model {
        let mut row = opened("", &self.waiting.line_id, "", self.fate.at);
        row.queued_at = Some(self.queued_at);
        row.owed_since = self.fate.answered.is_none().then_some(self.fate.at);
        row.first_reply_at = self.fate.answered;
        if self.asked.is_some() {
            row.state = "offered".to_owned();
        }
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

/// A line of the scenario as the router sees it.
pub(super) fn line_state(key: &str, lines: &BTreeMap<String, SimLine>) -> Option<LineState> {
    let line = lines.get(key)?;
    let to = line.rules.overflow.line_id.as_ref();
    let can_take = |to: &&String| *to != key && lines.get(*to).is_some_and(|other| other.enabled);
    Some(LineState {
        version: 1,
        enabled: line.enabled,
        rules: line.rules.clone(),
        queue: line.queue.clone(),
        turns: BTreeMap::new(),
        overflow_to: to.filter(can_take).cloned(),
    })
}

/// An operator as the router sees them, before their first shift.
pub(super) fn operator_state(staff: &Staff) -> OperatorState {
    OperatorState {
        enabled: true,
        may_answer: true,
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
