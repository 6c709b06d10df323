//! What would change: a file beside what is there, in the words of the file. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{
    Trouble,
    format::{Channel, Document, Line, Member, Team},
    present::{Present, PresentChannel},
};
use crate::{channel::settings::keeping_secrets, line::Rules};

/// What is known of a connector.
#[derive(Debug, Clone, Default)]
pub struct Connector {
    /// Of its settings.
    pub schema: Value,
    /// Where secrets are in them.
    pub secrets: Vec<Vec<String>>,
}

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A team.
    Team,
    /// A line.
    Line,
    /// A channel.
    Channel,
    /// When an operator works.
    Schedule,
}

impl What {
    /// The word in a file and in a plan.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Team => "team",
            Self::Line => "line",
            Self::Channel => "channel",
            Self::Schedule => "schedule",
        }
    }
}

/// What is done with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It is made.
    Create,
    /// It is changed.
    Change,
    /// It is as it should be.
    Nothing,
}

/// A field that changes, as people read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// `sticky.grace_secs`.
    pub path: String,
    /// What it was.
    pub old: String,
    /// What it will be.
    pub new: String,
}

/// What is planned for one object of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// What it is.
    pub what: What,
    /// Its key, a team's name, or the word of an operator.
    pub key: String,
    /// What is done.
    pub action: Action,
    /// What differs; for a new one, from the defaults.
    pub fields: Vec<Field>,
}

/// What is planned: teams, lines, channels and schedules, each in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// One entry for each object of the file.
    pub entries: Vec<Planned>,
    /// What is there and not in the file, and stays as it is.
    pub left_alone: Vec<String>,
    /// Operators of the file: what they hold and know is read by a simulation only.
    pub operators: usize,
}

/// Compares a file with what is there.
///
/// # Errors
/// Each word of the file that stands for nothing.
pub fn plan(
    document: &Document,
    present: &Present,
    connector: &dyn Fn(&str) -> Option<Connector>,
) -> Result<Plan, Vec<Trouble>> {
    let mut checks = Checks {
        document,
        present,
        troubles: Vec::new(),
    };
    let mut entries = Vec::new();
    for team in &document.teams {
        entries.push(checks.team(team));
    }
    for line in &document.lines {
        entries.push(checks.line(line));
    }
    for channel in &document.channels {
        entries.extend(checks.channel(channel, connector));
    }
    for operator in &document.operators {
        entries.extend(checks.schedule(operator));
    }
    let mut troubles = checks.troubles;
    if !troubles.is_empty() {
        troubles.sort_by_key(|trouble| trouble.line);
        return Err(troubles);
    }
    Ok(Plan {
        left_alone: left_alone(document, present),
        entries,
        operators: document.operators.len(),
    })
}

fn left_alone(document: &Document, present: &Present) -> Vec<String> {
    let has = |what: What, key: &str| match what {
        What::Team => document.teams.iter().any(|team| team.name == key),
        What::Line => document.lines.iter().any(|line| line.key == key),
        What::Channel => document.channels.iter().any(|channel| channel.key == key),
        What::Schedule => document.operators.iter().any(|operator| {
            let said = operator.schedule.as_ref().and(present.operator(&operator.email));
            said.is_some_and(|id| present.word_of(id) == key)
        }),
    };
    let teams = present.teams.iter().map(|team| (What::Team, &team.name));
    let lines = present.lines.iter().map(|line| (What::Line, &line.row.key));
    let channels = present
        .channels
        .iter()
        .map(|channel| (What::Channel, &channel.row.key));
    let whose: Vec<String> = present.schedules.keys().map(|id| present.word_of(id)).collect();
    let schedules = whose.iter().map(|word| (What::Schedule, word));
    teams
        .chain(lines)
        .chain(channels)
        .chain(schedules)
        .filter(|(what, key)| !has(*what, key))
        .map(|(what, key)| format!("{} {key}", what.as_str()))
        .collect()
}

pub(super) struct Checks<'a> {
    document: &'a Document,
    pub(super) present: &'a Present,
    troubles: Vec<Trouble>,
}

impl Checks<'_> {
    fn wrong(&mut self, field: String, message: String) {
        self.troubles.push(self.document.source.trouble(field, message));
    }

    /// The word of an operator as it is shown; one that nobody has is a trouble.
    pub(super) fn operator(&mut self, field: String, word: &str) -> String {
        match self.present.operator(word) {
            Some(id) => self.present.word_of(id),
            None => {
                self.wrong(field, format!("there is no operator {word}"));
                word.to_owned()
            }
        }
    }

    fn line_exists(&mut self, field: String, key: &str) {
        let known =
            self.document.lines.iter().any(|line| line.key == key) || self.present.line(key).is_some();
        if !known {
            self.wrong(
                field,
                format!("there is no line {key}, neither here nor in this file"),
            );
        }
    }

    fn one_team(&mut self, field: String, name: &str) {
        let count = self.present.teams(name).count();
        if count > 1 {
            self.wrong(field, format!("there are {count} teams of the name {name}"));
        } else if count == 0 && !self.document.teams.iter().any(|team| team.name == name) {
            self.wrong(
                field,
                format!("there is no team {name}, neither here nor in this file"),
            );
        }
    }

    fn team(&mut self, team: &Team) -> Planned {
        let path = format!("team.{}", team.name);
        self.one_team(path.clone(), &team.name);
        let mut seen = BTreeSet::new();
        let mut members = Vec::new();
        for (index, word) in team.members.iter().enumerate() {
            let member = self.operator(format!("{path}.members.{index}"), word);
            if seen.insert(member.clone()) {
                members.push(member);
            }
        }
        let present = self.present.teams(&team.name).next();
        let words = |members: Vec<String>| json!({ "members": members });
        let old = present.map(|present| {
            let members = present.member_ids.iter();
            words(members.map(|id| self.present.word_of(id)).collect())
        });
        planned(
            What::Team,
            &team.name,
            old,
            &words(Vec::new()),
            &words(members),
            &[],
        )
    }

    fn line(&mut self, line: &Line) -> Planned {
        let path = format!("line.{}", line.key);
        let present = self.present.line(&line.key);
        if let Some(other) = &line.rules.overflow.line_id {
            let field = format!("{path}.overflow.line");
            if *other == line.key {
                self.wrong(field, "a line cannot overflow into itself".to_owned());
            } else {
                self.line_exists(field, other);
            }
        }
        let mut queue = present.map(|present| self.present.queue_words(&present.queue));
        if let Some(members) = &line.queue {
            let mut words = Vec::new();
            for (index, member) in members.iter().enumerate() {
                let field = format!("{path}.queue.{index}");
                match member {
                    Member::Operator(word) => words.push(self.operator(field, word)),
                    Member::Team(name) => {
                        self.one_team(field, name);
                        words.push(format!("team {name}"));
                    }
                }
            }
            queue = Some(words);
        }
        let old = present.map(|present| {
            let mut rules = present.rules.clone();
            if let Some(id) = &rules.overflow.line_id {
                rules.overflow.line_id = self.present.key_of_line(id).or(Some(id)).cloned();
            }
            let queue = self.present.queue_words(&present.queue);
            line_words(Some(&present.row.name), present.row.enabled, &queue, &rules)
        });
        let enabled = line.enabled.or(present.map(|present| present.row.enabled));
        let new = line_words(
            Some(line.name.trim()),
            enabled.unwrap_or(true),
            &queue.unwrap_or_default(),
            &line.rules,
        );
        let defaults = line_words(None, true, &[], &Rules::default());
        planned(What::Line, &line.key, old, &defaults, &new, &[])
    }

    fn channel(
        &mut self,
        channel: &Channel,
        connector: &dyn Fn(&str) -> Option<Connector>,
    ) -> Option<Planned> {
        let path = format!("channel.{}", channel.key);
        self.line_exists(format!("{path}.line"), &channel.line);
        let Some(connector) = connector(&channel.kind) else {
            self.wrong(
                format!("{path}.kind"),
                format!("there is no connector {}", channel.kind),
            );
            return None;
        };
        let present = self.present.channel(&channel.key);
        if let Some(present) = present.filter(|present| present.row.kind != channel.kind) {
            let message = format!(
                "the channel is of the kind {}, which cannot change",
                present.row.kind
            );
            self.wrong(format!("{path}.kind"), message);
            return None;
        }
        let words = |name: &str, line: Option<&String>, enabled: bool, settings: &Value| json!({"name": name, "line": line, "enabled": enabled, "settings": settings});
        let old = present.map(|present| {
            let line = self.present.key_of_line(&present.row.line_id);
            words(&present.row.name, line, present.row.enabled, &present.settings)
        });
        let settings = wanted_settings(channel, present, &connector);
        let enabled = channel.enabled.or(present.map(|present| present.row.enabled));
        let new = words(
            channel.name.trim(),
            Some(&channel.line),
            enabled.unwrap_or(true),
            &settings,
        );
        let defaults = json!({"name": null, "line": null, "enabled": true, "settings": {}});
        Some(planned(
            What::Channel,
            &channel.key,
            old,
            &defaults,
            &new,
            &connector.secrets,
        ))
    }
}

/// The settings a channel shall have: those of the file, with secrets kept that it does not name.
pub fn wanted_settings(channel: &Channel, present: Option<&PresentChannel>, connector: &Connector) -> Value {
    let wanted = channel.settings.clone();
    match present {
        Some(present) => keeping_secrets(wanted, &present.settings, &connector.secrets),
        None => wanted,
    }
}

fn line_words(name: Option<&str>, enabled: bool, queue: &[String], rules: &Rules) -> Value {
    let mut words = Map::from_iter([
        ("name".to_owned(), json!(name)),
        ("enabled".to_owned(), json!(enabled)),
        ("queue".to_owned(), json!(queue)),
    ]);
    if let Value::Object(mut rules) = rules.to_stored() {
        if let Some(Value::Object(overflow)) = rules.get_mut("overflow") {
            let other = overflow.remove("line_id").unwrap_or_default();
            overflow.insert("line".to_owned(), other);
        }
        words.extend(rules);
    }
    Value::Object(words)
}

pub(super) fn planned(
    what: What,
    key: &str,
    old: Option<Value>,
    defaults: &Value,
    new: &Value,
    secrets: &[Vec<String>],
) -> Planned {
    let (mut was, mut will) = (BTreeMap::new(), BTreeMap::new());
    flatten("", old.as_ref().unwrap_or(defaults), &mut was);
    flatten("", new, &mut will);
    let secrets: BTreeSet<String> = secrets
        .iter()
        .map(|path| format!("settings.{}", path.join(".")))
        .collect();
    let paths: BTreeSet<&String> = was.keys().chain(will.keys()).collect();
    let mut fields = Vec::new();
    for path in paths {
        let (old, new) = (was.get(path), will.get(path));
        if old == new {
            continue;
        }
        let secret = secrets.contains(path);
        let shown = |value: Option<&Value>| match value {
            None | Some(Value::Null) => "none".to_owned(),
            Some(_) if secret => "a secret".to_owned(),
            Some(value) => value.to_string(),
        };
        let another = secret && old.is_some() && new.is_some();
        fields.push(Field {
            path: path.clone(),
            old: shown(old),
            new: if another {
                "another secret".to_owned()
            } else {
                shown(new)
            },
        });
    }
    let action = match (old.is_some(), fields.is_empty()) {
        (false, _) => Action::Create,
        (true, false) => Action::Change,
        (true, true) => Action::Nothing,
    };
    Planned {
        what,
        key: key.to_owned(),
        action,
        fields,
    }
}

/// Every leaf by its path; a list is a leaf, and an empty table is none.
fn flatten(path: &str, value: &Value, into: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                flatten(&super::source::join(path, name), value, into);
            }
        }
        // What is not set and what is not there read alike.
        Value::Null => {}
        leaf => {
            into.insert(path.to_owned(), leaf.clone());
        }
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
