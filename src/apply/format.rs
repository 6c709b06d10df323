//! What a file of lines says: its words, checked as far as that goes without a database. Pure.
//!
//! A line or a channel is described whole: what the file does not say has its default. Three things are left
//! as they are when it does not name them, because people change them from day to day or because they do not
//! belong into a file: whether a thing is enabled, who stands in a queue, and secrets.

use serde_json::{Map, Value, json};

use super::{
    Trouble,
    source::{Source, join},
};
use crate::{
    line::{Hours, Rules},
    operator::store::DEFAULT_CAPACITY,
};

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

/// An operator as a simulation takes them. Accounts are made by people, so `apply` reads none of it.
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
    /// When they work; always, when there is none.
    pub schedule: Option<Hours>,
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
        if troubles.is_empty() { Ok(()) } else { Err(troubles) }
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

struct Reader<'a> {
    source: &'a Source,
    troubles: Vec<Trouble>,
}

type Fields = Map<String, Value>;

impl Reader<'_> {
    fn wrong(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.troubles.push(self.source.trouble(path, message));
    }

    /// Names what is not among the known words.
    fn known(&mut self, path: &str, fields: &Fields, words: &[&str]) {
        for name in fields.keys() {
            if words.contains(&name.as_str()) {
                continue;
            }
            let near = |word: &&&str| strsim::jaro_winkler(word, name);
            let near = words.iter().max_by(|a, b| near(a).total_cmp(&near(b)));
            let hint = near.filter(|word| near_enough(word, name));
            let hint = hint.map_or_else(
                || format!("known are {}", words.join(", ")),
                |word| format!("did you mean `{word}`?"),
            );
            self.wrong(join(path, name), format!("unknown key `{name}`; {hint}"));
        }
    }

    /// The objects of a section, in the order in which they stand in the file.
    fn each<T>(
        &mut self,
        section: &str,
        read: impl Fn(&mut Self, &str, &str, &Fields) -> Option<T>,
    ) -> Vec<T> {
        let fields = match self.source.root.get(section) {
            None => return Vec::new(),
            Some(Value::Object(fields)) => fields,
            Some(_) => {
                self.wrong(section, format!("is a table: [{section}.some-key]"));
                return Vec::new();
            }
        };
        let mut objects: Vec<(usize, &String, &Value)> = fields
            .iter()
            .map(|(key, value)| (self.source.line(&join(section, key)), key, value))
            .collect();
        objects.sort_by_key(|(line, ..)| *line);
        let mut found = Vec::new();
        for (_, key, value) in objects {
            let path = join(section, key);
            match value {
                Value::Object(fields) => found.extend(read(self, key, &path, fields)),
                _ => self.wrong(path, format!("is a table: [{section}.{key}]")),
            }
        }
        found
    }

    fn text(&mut self, path: &str, fields: &Fields, name: &str) -> Option<String> {
        match fields.get(name) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(_) => {
                self.wrong(join(path, name), "must be a text");
                None
            }
            None => {
                self.wrong(path, format!("`{name}` is missing"));
                None
            }
        }
    }

    fn flag(&mut self, path: &str, fields: &Fields, name: &str) -> Option<bool> {
        match fields.get(name) {
            Some(Value::Bool(yes)) => Some(*yes),
            Some(_) => {
                self.wrong(join(path, name), "must be true or false");
                None
            }
            None => None,
        }
    }

    fn texts(&mut self, path: &str, fields: &Fields, name: &str) -> Vec<String> {
        let Some(given) = fields.get(name) else {
            return Vec::new();
        };
        serde_json::from_value(given.clone()).unwrap_or_else(|_| {
            self.wrong(join(path, name), "must be a list of texts");
            Vec::new()
        })
    }

    fn team(&mut self, key: &str, path: &str, fields: &Fields) -> Option<Team> {
        self.known(path, fields, &["members"]);
        Some(Team {
            name: key.to_owned(),
            members: self.texts(path, fields, "members"),
        })
    }

    fn line(&mut self, key: &str, path: &str, fields: &Fields) -> Option<Line> {
        let shape = shape_of_a_line();
        self.fits(path, fields, &shape);
        let name = self.text(path, fields, "name");
        let enabled = self.flag(path, fields, "enabled");
        let queue = fields.get("queue").map(|queue| self.queue(path, queue));
        let mut patch = fields.clone();
        if let Some(Value::Object(overflow)) = patch.get_mut("overflow")
            && let Some(other) = overflow.remove("line")
        {
            overflow.insert("line_id".to_owned(), other);
        }
        let rules = match Rules::default().patched(&patch) {
            Ok(rules) => Some(rules),
            Err(errors) => {
                for (field, message) in errors {
                    let path = join(path, &field.replace("overflow.line_id", "overflow.line"));
                    // An unknown word inside was named already, and better.
                    if !self.troubles.iter().any(|known| known.field.starts_with(&path)) {
                        self.wrong(path, message);
                    }
                }
                None
            }
        };
        Some(Line {
            key: key.to_owned(),
            name: name?,
            enabled,
            queue,
            rules: rules?,
        })
    }

    /// Names the words of a line that it does not have, at every depth.
    fn fits(&mut self, path: &str, fields: &Fields, shape: &Fields) {
        let words: Vec<&str> = shape.keys().map(String::as_str).collect();
        self.known(path, fields, &words);
        for (name, value) in fields {
            let path = join(path, name);
            match (value, shape.get(name)) {
                (Value::Object(fields), Some(Value::Object(shape))) => self.fits(&path, fields, shape),
                (Value::Array(items), Some(Value::Array(shapes))) => {
                    let Some(Value::Object(shape)) = shapes.first() else {
                        continue;
                    };
                    for (index, item) in items.iter().enumerate() {
                        if let Value::Object(fields) = item {
                            self.fits(&join(&path, &index.to_string()), fields, shape);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn queue(&mut self, path: &str, given: &Value) -> Vec<Member> {
        let path = join(path, "queue");
        let Value::Array(items) = given else {
            self.wrong(path, "must be a list of { operator = \"e-mail\" } and { team = \"name\" }");
            return Vec::new();
        };
        let mut members = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let word = |name: &str| item.get(name).and_then(Value::as_str).map(str::to_owned);
            match (word("operator"), word("team")) {
                (Some(email), None) => members.push(Member::Operator(email)),
                (None, Some(name)) => members.push(Member::Team(name)),
                _ => self.wrong(
                    join(&path, &index.to_string()),
                    "must be { operator = \"e-mail\" } or { team = \"name\" }",
                ),
            }
        }
        members
    }

    fn channel(&mut self, key: &str, path: &str, fields: &Fields) -> Option<Channel> {
        self.known(path, fields, &["kind", "line", "name", "enabled", "settings"]);
        let kind = self.text(path, fields, "kind");
        let line = self.text(path, fields, "line");
        let name = self.text(path, fields, "name");
        let enabled = self.flag(path, fields, "enabled");
        let settings = fields.get("settings").cloned().unwrap_or_else(|| json!({}));
        if !settings.is_object() {
            self.wrong(join(path, "settings"), "must be a table");
        }
        Some(Channel {
            key: key.to_owned(),
            kind: kind?,
            line: line?,
            name: name?,
            enabled,
            settings,
        })
    }

    fn operator(&mut self, key: &str, path: &str, fields: &Fields) -> Option<Operator> {
        let shape = json!({"capacity": 0, "languages": [], "skills": [], "schedule": shape_of_hours()});
        if let Value::Object(shape) = shape {
            self.fits(path, fields, &shape);
        }
        let capacity = match fields.get("capacity") {
            None => DEFAULT_CAPACITY,
            Some(given) => given
                .as_f64()
                .filter(|capacity| (0.0..=1_000.0).contains(capacity))
                .unwrap_or_else(|| {
                    self.wrong(join(path, "capacity"), "must be a number from 0 to 1000");
                    DEFAULT_CAPACITY
                }),
        };
        let schedule = fields.get("schedule").and_then(|given| {
            let path = join(path, "schedule");
            let hours: Hours = serde_json::from_value(given.clone())
                .map_err(|error| self.wrong(path.clone(), error.to_string()))
                .ok()?;
            for (field, message) in hours.errors() {
                self.wrong(join(&path, &field), message);
            }
            Some(hours)
        });
        Some(Operator {
            email: key.trim().to_lowercase(),
            capacity,
            languages: self.texts(path, fields, "languages"),
            skills: self.texts(path, fields, "skills"),
            schedule,
        })
    }
}

fn near_enough(word: &str, name: &str) -> bool {
    strsim::jaro_winkler(word, name) > 0.85
}

/// The words of a line: its own, and those of its rules with their defaults.
fn shape_of_a_line() -> Fields {
    let Value::Object(mut shape) = Rules::default().to_stored() else {
        return Fields::new();
    };
    shape.insert("hours".to_owned(), shape_of_hours());
    if let Some(Value::Object(overflow)) = shape.get_mut("overflow") {
        overflow.remove("line_id");
        overflow.insert("line".to_owned(), Value::Null);
    }
    for own in ["name", "enabled"] {
        shape.insert(own.to_owned(), Value::Null);
    }
    shape.insert("queue".to_owned(), json!([{"operator": null, "team": null}]));
    shape
}

fn shape_of_hours() -> Value {
    json!({
        "time_zone": null,
        "weekly": {"mon": [], "tue": [], "wed": [], "thu": [], "fri": [], "sat": [], "sun": []},
        "exceptions": [{"date": null, "intervals": [], "name": null}],
    })
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
        assert!(document.operators.iter().any(|operator| operator.schedule.is_some()));
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
        assert!(troubles[0].starts_with("line 3: line.support.offer_timeout_secs: must be from 1"), "{troubles:?}");
        assert!(troubles[1].starts_with("line 4: line.support.queue.0: must be { operator"), "{troubles:?}");
        assert_eq!(troubles[2], "line 5: line.other: `name` is missing");
        assert_eq!(troubles[3], "line 9: channel.chat.name: must be a text");
    }

    #[test]
    fn what_a_file_does_not_say_has_its_default_or_is_kept() {
        let text = "[line.b]\nname = \"B\"\noverflow = { line = \"a\", after_secs = 60 }\n[line.a]\nname = \"A\"\n\
                    queue = [{ operator = \"x@y.z\" }, { team = \"T\" }]\n";
        let document = Document::read(text).unwrap();
        let [b, a] = document.lines.as_slice() else { panic!() };
        assert_eq!((b.rules.overflow.line_id.as_deref(), &b.queue, b.enabled), (Some("a"), &None, None));
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
        assert_eq!(document.channels[0].settings["imap"]["password"], "value of IMAP_PASSWORD");
    }
}
