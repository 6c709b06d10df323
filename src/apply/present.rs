//! What is there already, as far as a file can be about it. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

use super::schedules::PresentSchedule;
use crate::{
    db::entity::{channel, line},
    line::{Rules, queue::Entry},
    operator::team,
};

/// A line that is there.
#[derive(Debug, Clone)]
pub struct PresentLine {
    /// Its row.
    pub row: line::Model,
    /// Its rules.
    pub rules: Rules,
    /// Its queue.
    pub queue: Vec<Entry>,
}

/// A channel that is there.
#[derive(Debug, Clone)]
pub struct PresentChannel {
    /// Its row.
    pub row: channel::Model,
    /// Its settings with their secrets.
    pub settings: Value,
}

/// Everything a file can be about, as it is.
#[derive(Debug, Clone, Default)]
pub struct Present {
    /// Each operator's id and the word that stands for it in a file: the e-mail, or the id of who has none.
    pub operators: BTreeMap<String, String>,
    /// The schedules that somebody made, by operator.
    pub schedules: BTreeMap<String, PresentSchedule>,
    /// All teams.
    pub teams: Vec<team::Team>,
    /// All lines.
    pub lines: Vec<PresentLine>,
    /// All channels.
    pub channels: Vec<PresentChannel>,
}

impl Present {
    /// The id of an operator by the word in a file.
    pub fn operator(&self, word: &str) -> Option<&String> {
        let wanted = word.trim().to_lowercase();
        let mut known = self.operators.iter();
        known.find_map(|(id, email)| (*email == wanted || id == word).then_some(id))
    }

    /// The schedule of an operator by the word in a file.
    pub fn schedule(&self, word: &str) -> Option<&PresentSchedule> {
        self.schedules.get(self.operator(word)?)
    }

    /// The teams of a name: there should be one at most.
    pub fn teams(&self, name: &str) -> impl Iterator<Item = &team::Team> {
        self.teams.iter().filter(move |team| team.name == name)
    }

    /// A line by its key.
    pub fn line(&self, key: &str) -> Option<&PresentLine> {
        self.lines.iter().find(|line| line.row.key == key)
    }

    /// A channel by its key.
    pub fn channel(&self, key: &str) -> Option<&PresentChannel> {
        self.channels.iter().find(|channel| channel.row.key == key)
    }

    pub(super) fn word_of(&self, operator_id: &str) -> String {
        self.operators
            .get(operator_id)
            .cloned()
            .unwrap_or_else(|| operator_id.to_owned())
    }

    pub(super) fn queue_words(&self, queue: &[Entry]) -> Vec<String> {
        let team = |id: &String| {
            let found = self.teams.iter().find(|team| team.id == *id);
            found.map_or_else(|| format!("team {id}"), |team| format!("team {}", team.name))
        };
        let word = |entry: &Entry| match entry {
            Entry::Operator { operator_id } => self.word_of(operator_id),
            Entry::Team { team_id } => team(team_id),
        };
        queue.iter().map(word).collect()
    }

    pub(super) fn key_of_line(&self, id: &str) -> Option<&String> {
        self.lines
            .iter()
            .find(|line| line.row.id == id)
            .map(|line| &line.row.key)
    }
}
