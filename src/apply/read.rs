//! Reading a file of lines: every word that is unknown or cannot be is named with its place. Pure.

use serde_json::{Map, Value, json};

use super::{
    Trouble,
    format::{Channel, Line, Member, Operator, Team},
    schedules,
    source::{Source, join},
};
use crate::{line::Rules, operator::store::DEFAULT_CAPACITY};

/// Reads the parts of a file and gathers what is wrong with them.
pub(super) struct Reader<'a> {
    pub(super) source: &'a Source,
    pub(super) troubles: Vec<Trouble>,
}

pub(super) type Fields = Map<String, Value>;

impl Reader<'_> {
    pub(super) fn wrong(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.troubles.push(self.source.trouble(path, message));
    }

    /// Names what is not among the known words.
    pub(super) fn known(&mut self, path: &str, fields: &Fields, words: &[&str]) {
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
    pub(super) fn each<T>(
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

    pub(super) fn text(&mut self, path: &str, fields: &Fields, name: &str) -> Option<String> {
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

    pub(super) fn team(&mut self, key: &str, path: &str, fields: &Fields) -> Option<Team> {
        self.known(path, fields, &["members"]);
        Some(Team {
            name: key.to_owned(),
            members: self.texts(path, fields, "members"),
        })
    }

    pub(super) fn line(&mut self, key: &str, path: &str, fields: &Fields) -> Option<Line> {
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
            self.wrong(
                path,
                "must be a list of { operator = \"e-mail\" } and { team = \"name\" }",
            );
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

    pub(super) fn channel(&mut self, key: &str, path: &str, fields: &Fields) -> Option<Channel> {
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

    pub(super) fn operator(&mut self, key: &str, path: &str, fields: &Fields) -> Option<Operator> {
        let shape = json!({"capacity": 0, "languages": [], "skills": [], "schedule": schedules::shape()});
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
        let schedule = fields
            .get("schedule")
            .and_then(|given| self.schedule(&join(path, "schedule"), given));
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
