//! What the rules would have done: sessions arrive in a time that is only counted, and the very same
//! [`decide`](super::decide) gives them to operators who are only imagined. Pure: the same scenario and the
//! same seed give the same figures.
//!
//! An operator who gets a session replies after a while and holds it until it ends; what a recorded session
//! took it takes here too, what is unknown is drawn ([`chance`]). [`engine`] plays the events over [`state`], with what comes of
//! decisions ([`placing`]), offers ([`asking`]) and what lines do by themselves ([`actions`]); [`queue`] holds who waits, [`change`] is "what if", [`figures`] counts, for
//! what was recorded ([`today`]) as for what was played; [`csv`] reads arrivals that somebody made up. `history` reads the recorded ones.
//!
//! What is not played is said in the [`Report`]: see [`Note`].

mod actions;
mod asking;
pub mod chance;
pub mod change;
pub mod csv;
mod engine;
pub mod figures;
mod placing;
mod queue;
mod state;
pub mod today;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use self::{chance::Answering, engine::run, figures::Figures};
use crate::{
    line::{
        Rules,
        rules::{Acceptance, NoAnswerAction, OffHoursAction},
    },
    operator::{Counting, schedule::Plan},
};

/// Arrivals of one simulation.
pub const ARRIVAL_LIMIT: usize = 20_000;
/// Days of one simulation.
pub const DAY_LIMIT: i64 = 92;
/// An answer is in time within this, when nothing else is said.
pub const TARGET_SECS: u32 = 60;

/// A session that comes.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrival {
    /// When.
    pub at: DateTime<Utc>,
    /// On which line of the scenario.
    pub line: String,
    /// On which kind of channel: it says what the session weighs.
    pub channel_kind: String,
    /// The contact's language, when known.
    pub language: Option<String>,
    /// Higher goes first.
    pub priority: i64,
    /// The responsible operator.
    pub responsible: Option<String>,
    /// How long its owner takes to the first reply; drawn when not known.
    pub reply_secs: Option<f64>,
    /// How long its owner holds it; drawn when not known.
    pub handle_secs: Option<f64>,
    /// How long the client waits for the first reply; for ever, when not known.
    pub patience_secs: Option<f64>,
}

/// A line of the scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct SimLine {
    /// A line that is not enabled assigns nothing.
    pub enabled: bool,
    /// Its rules; `overflow.line_id` names a line of the scenario.
    pub rules: Rules,
    /// Who stands in it, in order.
    pub queue: Vec<String>,
}

/// An operator of the scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Staff {
    /// What people call them.
    pub name: String,
    /// The weighted load they may have.
    pub capacity: f64,
    /// Languages they answer in.
    pub languages: Vec<String>,
    /// What they know.
    pub skills: Vec<String>,
    /// When they work; always, when there is none.
    pub schedule: Option<Plan>,
}

/// What is played.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// The lines, by key or id.
    pub lines: BTreeMap<String, SimLine>,
    /// The operators, by e-mail or id.
    pub staff: BTreeMap<String, Staff>,
    /// Who comes, in any order.
    pub arrivals: Vec<Arrival>,
    /// What sessions weigh.
    pub counting: Counting,
    /// The beginning; nobody has anything then.
    pub from: DateTime<Utc>,
    /// The end: who has no reply by then is counted as waiting.
    pub to: DateTime<Utc>,
    /// Of what is drawn.
    pub seed: u64,
    /// An answer is in time within this.
    pub target_secs: u32,
    /// Clients whose patience is not known have this much on the average; without it they wait for ever.
    pub patience_secs: Option<f64>,
    /// How operators answer offers.
    pub answering: Answering,
}

/// Why nothing was played.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nobody comes.
    #[error("there are no arrivals in this period")]
    NoArrivals,
    /// More than is played at once.
    #[error("{0}")]
    TooLarge(String),
}

/// What a simulation does not know or does not play.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SimulationNote)]
pub enum Note {
    /// Who says yes to an offer, and how soon, is drawn.
    OffersDrawn,
    /// Some operators have no schedule and are taken as always there.
    NoSchedule,
    /// Some handling times are drawn.
    HandlingDrawn,
    /// Clients of unknown patience wait for ever.
    PatienceUnlimited,
    /// What clients make of a text, a form or the promise of a call is not known: they wait on.
    ClientsWaitOn,
    /// Lines it overflows into have no sessions of their own here.
    OtherLinesIdle,
}

impl Note {
    /// The sentence for people.
    pub fn text(self) -> &'static str {
        match self {
            Self::OffersDrawn => "who says yes to an offer, and how soon, is drawn",
            Self::NoSchedule => "operators without a schedule are taken as always there",
            Self::HandlingDrawn => {
                "handling times that are not known are drawn from those that are (or around five minutes)"
            }
            Self::PatienceUnlimited => "clients whose patience is not known wait for ever",
            Self::ClientsWaitOn => {
                "clients who get a text, a form or the promise of a call are taken to wait on as before"
            }
            Self::OtherLinesIdle => "other lines' own sessions are not played",
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = SimulationReport)]
pub struct Report {
    /// The beginning of the period.
    pub from: DateTime<Utc>,
    /// Its end.
    pub to: DateTime<Utc>,
    /// The seed: the same one gives the same figures.
    pub seed: u64,
    /// An answer is in time within this.
    pub target_secs: u32,
    /// Seconds in which operators said yes to an offer, on the average.
    pub accept_secs: f64,
    /// The share of offers that were not answered, 0 to 1.
    pub lapse_share: f64,
    /// What was recorded; null when the arrivals were given.
    pub today: Option<Figures>,
    /// The line as it is, played; null when nothing but the file was given.
    pub unchanged: Option<Figures>,
    /// With the changes, played.
    pub simulated: Figures,
    /// What is not played or not known.
    pub notes: Vec<Note>,
}

impl Scenario {
    /// What this scenario does not know or does not play.
    pub fn notes(&self) -> Vec<Note> {
        let rules = || self.lines.values().map(|line| &line.rules);
        let coming = || self.arrivals.iter();
        let mut notes = Vec::new();
        let mut say = |note: Note, holds: bool| notes.extend(holds.then_some(note));
        say(
            Note::OffersDrawn,
            rules().any(|rules| rules.acceptance == Acceptance::Offer),
        );
        say(
            Note::NoSchedule,
            self.staff.values().any(|staff| staff.schedule.is_none()),
        );
        say(
            Note::HandlingDrawn,
            coming().any(|arrival| arrival.handle_secs.is_none()),
        );
        say(
            Note::PatienceUnlimited,
            self.patience_secs.is_none() && coming().any(|arrival| arrival.patience_secs.is_none()),
        );
        say(
            Note::ClientsWaitOn,
            rules().any(|rules| {
                let (no_answer, off_hours) = (rules.no_answer.action, rules.off_hours.action);
                !matches!(no_answer, NoAnswerAction::None | NoAnswerAction::Close)
                    || matches!(off_hours, OffHoursAction::Text | OffHoursAction::Form)
            }),
        );
        notes
    }
}

#[cfg(test)]
#[path = "simulate_tests.rs"]
mod tests;
