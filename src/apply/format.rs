//! What a file of lines says: its words, checked as far as that goes without a database. Pure.
//!
//! A line, a channel or a schedule is described whole: what the file does not say has its default. Four things are
//! left as they are when it does not name them, because people change them from day to day or because they do
//! not belong into a file: whether a thing is enabled, who stands in a queue, absences, and secrets.

use serde_json::Value;

use super::{
    Trouble,
    read::Reader,
    schedules::Shifts,
    source::{Source, join},
};
use crate::line::Rules;

/// A place in a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Member {
    /// An operator, by e-mail; one without (a service user), by id.
    Operator(String),
    /// A team, by name.
    Team(String),
}

/// A team as the file wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// What it is matched by.
    pub name: String,
    /// Its operators, by e-mail, in order.
    pub members: Vec<String>,
}

/// A line as the file wants it.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What it is matched by.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// Kept, when the file does not say.
    pub enabled: Option<bool>,
    /// Who stands in it; kept, when the file does not say.
    pub queue: Option<Vec<Member>>,
    /// Its rules; `overflow.line_id` holds the other line's key.
    pub rules: Rules,
}

/// A channel as the file wants it.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// What it is matched by.
    pub key: String,
    /// Of which connector.
    pub kind: String,
    /// Its line, by key.
    pub line: String,
    /// What people call it.
    pub name: String,
    /// Kept, when the file does not say.
    pub enabled: Option<bool>,
    /// By the connector's settings; see [`Document::reveal`].
    pub settings: Value,
}

/// An operator as a simulation takes them. Accounts are made by people, so `apply` reads the schedule alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Operator {
    /// Who.
    pub email: String,
    /// The weighted load they may have.
    pub capacity: f64,
    /// Languages they answer in.
    pub languages: Vec<String>,
    /// What they know.
    pub skills: Vec<String>,
    /// When they work. Without it the present one stands; in a simulation without a database they are always there.
    pub schedule: Option<Shifts>,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Where each word stands.
    pub source: Source,
    /// Its teams.
    pub teams: Vec<Team>,
    /// Its lines.
    pub lines: Vec<Line>,
    /// Its channels.
    pub channels: Vec<Channel>,
    /// Its operators.
    pub operators: Vec<Operator>,
}

const SECTIONS: [&str; 4] = ["team", "line", "channel", "operator"];

impl Document {
    /// Reads a file.
    ///
    /// # Errors
    /// Each word that cannot be, with its place.
    pub fn read(text: &str) -> Result<Self, Vec<Trouble>> {
        let source = Source::read(text).map_err(|trouble| vec![trouble])?;
        let mut reader = Reader {
            source: &source,
            troubles: Vec::new(),
        };
        reader.known("", &source.root, &SECTIONS);
        let teams = reader.each("team", Reader::team);
        let lines = reader.each("line", Reader::line);
        let channels = reader.each("channel", Reader::channel);
        let operators = reader.each("operator", Reader::operator);
        let mut troubles = reader.troubles;
        if troubles.is_empty() {
            return Ok(Self {
                source,
                teams,
                lines,
                channels,
                operators,
            });
        }
        troubles.sort_by_key(|trouble| trouble.line);
        Err(troubles)
    }

    /// Puts the values of the environment where the settings of channels say `{ env = "NAME" }`.
    ///
    /// # Errors
    /// Each name the environment does not have.
    pub fn reveal(&mut self, environment: &dyn Fn(&str) -> Option<String>) -> Result<(), Vec<Trouble>> {
        let mut troubles = Vec::new();
        for channel in &mut self.channels {
            let path = format!("channel.{}.settings", channel.key);
            reveal(&mut channel.settings, &path, environment, &mut |path, name| {
                let message = format!("the environment has no variable {name}");
                troubles.push(self.source.trouble(path, message));
            });
        }
        if troubles.is_empty() {
            Ok(())
        } else {
            Err(troubles)
        }
    }
}

fn reveal(
    value: &mut Value,
    path: &str,
    environment: &dyn Fn(&str) -> Option<String>,
    missing: &mut dyn FnMut(&str, &str),
) {
    match value {
        Value::Object(fields) => {
            let name = fields.get("env").and_then(Value::as_str);
            if let Some(name) = name.filter(|_| fields.len() == 1) {
                match environment(name) {
                    Some(secret) => *value = Value::String(secret),
                    None => missing(path, name),
                }
                return;
            }
            for (name, value) in fields {
                reveal(value, &join(path, name), environment, missing);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter_mut().enumerate() {
                reveal(value, &join(path, &index.to_string()), environment, missing);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{Document, Member};

    fn refused(text: &str) -> Vec<String> {
        let troubles = Document::read(text).unwrap_err();
        troubles.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_example_reads() {
        let document = Document::read(include_str!("../../config/examples/lines.toml")).unwrap();
        assert!(document.lines.len() >= 2 && !document.channels.is_empty() && !document.teams.is_empty());
        assert!(
            document
                .operators
                .iter()
                .any(|operator| operator.schedule.is_some())
        );
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_at_every_depth() {
        let text = "[line.support]\nname = \"S\"\ndistributon = \"even\"\n[line.support.sticky]\ngrace = 5\n\
                    [line.support.hours]\ntime_zone = \"UTC\"\nweekly = { monday = [] }\n[lines.x]\n";
        assert_eq!(
            refused(text),
            [
                "line 3: line.support.distributon: unknown key `distributon`; did you mean `distribution`?",
                "line 5: line.support.sticky.grace: unknown key `grace`; did you mean `grace_secs`?",
                "line 8: line.support.hours.weekly.monday: unknown key `monday`; did you mean `mon`?",
                "line 9: lines: unknown key `lines`; did you mean `line`?",
            ]
        );
    }

    #[test]
    fn wrong_values_are_those_of_the_api_with_their_lines() {
        let text = "[line.support]\nname = \"S\"\noffer_timeout_secs = 0\nqueue = [\"anna@shop.example\"]\n[line.other]\n\
                    [channel.chat]\nkind = \"webchat\"\nline = \"support\"\nname = 5\n";
        let troubles = refused(text);
        assert!(
            troubles[0].starts_with("line 3: line.support.offer_timeout_secs: must be from 1"),
            "{troubles:?}"
        );
        assert!(
            troubles[1].starts_with("line 4: line.support.queue.0: must be { operator"),
            "{troubles:?}"
        );
        assert_eq!(troubles[2], "line 5: line.other: `name` is missing");
        assert_eq!(troubles[3], "line 9: channel.chat.name: must be a text");
    }

    #[test]
    fn what_a_file_does_not_say_has_its_default_or_is_kept() {
        let text = "[line.b]\nname = \"B\"\noverflow = { line = \"a\", after_secs = 60 }\n[line.a]\nname = \"A\"\n\
                    queue = [{ operator = \"x@y.z\" }, { team = \"T\" }]\n";
        let document = Document::read(text).unwrap();
        let [b, a] = document.lines.as_slice() else {
            panic!()
        };
        assert_eq!(
            (b.rules.overflow.line_id.as_deref(), &b.queue, b.enabled),
            (Some("a"), &None, None)
        );
        let queue = [Member::Operator("x@y.z".to_owned()), Member::Team("T".to_owned())];
        assert_eq!(a.queue.as_deref(), Some(&queue[..]));
    }

    #[test]
    fn secrets_come_from_the_environment() {
        let text = "[channel.mail]\nkind = \"email\"\nline = \"a\"\nname = \"Mail\"\n[channel.mail.settings.imap]\n\
                    password = { env = \"IMAP_PASSWORD\" }\n";
        let mut document = Document::read(text).unwrap();
        let missing = document.clone().reveal(&|_| None).unwrap_err();
        assert_eq!(
            missing[0].to_string(),
            "line 6: channel.mail.settings.imap.password: the environment has no variable IMAP_PASSWORD"
        );
        document.reveal(&|name| Some(format!("value of {name}"))).unwrap();
        assert_eq!(
            document.channels[0].settings["imap"]["password"],
            "value of IMAP_PASSWORD"
        );
    }
}
