//! Everything decisions depend on, at one moment: shapes without behaviour.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use chrono::{DateTime, Utc};

use crate::{
    line::{Rules, due},
    operator::{Availability, load::Load, presence::Observed},
};

/// A line as the router sees it.
#[derive(Debug, Clone)]
pub struct LineState {
    /// Its version, kept with each decision.
    pub version: i64,
    /// A line that is not enabled assigns nothing.
    pub enabled: bool,
    /// Its rules.
    pub rules: Rules,
    /// Who stands in it, in order.
    pub queue: Vec<String>,
    /// When each was last assigned or asked to take one of this line; it survives restarts.
    pub turns: BTreeMap<String, DateTime<Utc>>,
    /// The overflow line of its rules, if that can take sessions.
    pub overflow_to: Option<String>,
}

/// An operator as the router sees them.
#[derive(Debug, Clone)]
pub struct OperatorState {
    /// Switched on.
    pub enabled: bool,
    /// Their role lets them answer.
    pub may_answer: bool,
    /// What they say, less what their schedule takes away.
    pub availability: Availability,
    /// What is observed.
    pub observed: Observed,
    /// Languages, as given.
    pub languages: Vec<String>,
    /// Skills, as given.
    pub skills: Vec<String>,
    /// The weighted load they may have.
    pub capacity: f64,
    /// What they have.
    pub load: Load,
}

/// A session that waits.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// `ses_…`
    pub session_id: String,
    /// Its version: an assignment is good for this one only.
    pub version: i64,
    /// `cnv_…`
    pub conversation_id: String,
    /// Its line.
    pub line_id: String,
    /// What it weighs.
    pub weight: f64,
    /// Higher goes first.
    pub priority: i64,
    /// When the answer is due that is owed; sooner goes first, and what is due goes before what is not.
    pub due_at: Option<DateTime<Utc>>,
    /// Longer goes first.
    pub waiting_since: DateTime<Utc>,
    /// The contact's language, when known.
    pub language: Option<String>,
    /// The lead's responsible operator, or the contact's.
    pub responsible: Option<String>,
    /// Who gave it back in this round, or said no to it.
    pub declined: BTreeSet<String>,
    /// Who let it lie in this round, or did not answer when asked.
    pub lapsed: BTreeSet<String>,
    /// How far the asking has come.
    pub round: Round,
}

impl Waiting {
    /// Its due time, or [`due::never`].
    pub fn due(&self) -> DateTime<Utc> {
        self.due_at.unwrap_or_else(due::never)
    }
}

/// How far a line with offers has come in asking everybody about a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Round {
    /// All who had not answered were asked once more, together.
    pub broadcast: bool,
    /// Nobody was left to be asked, at this moment.
    pub over_at: Option<DateTime<Utc>>,
    /// Lines it has overflowed from: it does not go back to them.
    pub overflowed_from: BTreeSet<String>,
}

/// Everything decisions depend on, at one moment.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// The lines, by id.
    pub lines: BTreeMap<String, LineState>,
    /// Everybody who stands in their queues or is responsible for a contact, by id.
    pub operators: BTreeMap<String, OperatorState>,
    /// Who waits, in any order.
    pub waiting: Vec<Waiting>,
}

/// The order in which sessions are served: priority, then due time, then who waits longest.
pub fn order(a: &Waiting, b: &Waiting) -> Ordering {
    b.priority
        .cmp(&a.priority)
        .then_with(|| a.due().cmp(&b.due()))
        .then_with(|| a.waiting_since.cmp(&b.waiting_since))
        .then_with(|| a.session_id.cmp(&b.session_id))
}
