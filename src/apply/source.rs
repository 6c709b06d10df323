//! TOML as a tree of values, with the line of the file on which each of them stands. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

use super::Trouble;

/// A file that was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Source {
    /// What it says.
    pub root: Map<String, Value>,
    /// The line of each key, by its path.
    places: BTreeMap<String, usize>,
}

impl Source {
    /// Reads a file.
    ///
    /// # Errors
    /// What is no TOML.
    pub fn read(text: &str) -> Result<Self, Trouble> {
        let table = DeTable::parse(text).map_err(|error| Trouble {
            line: error.span().map_or(0, |span| line_of(text, span.start)),
            field: String::new(),
            message: error.message().to_owned(),
        })?;
        let mut source = Self::default();
        source.root = source.table(text, "", table.get_ref());
        Ok(source)
    }

    /// The line of a path, or of the nearest thing around it.
    pub fn line(&self, path: &str) -> usize {
        let mut path = path;
        loop {
            if let Some(line) = self.places.get(path) {
                return *line;
            }
            match path.rsplit_once('.') {
                Some((around, _)) => path = around,
                None => return 0,
            }
        }
    }

    /// What is wrong with a field.
    pub fn trouble(&self, field: impl Into<String>, message: impl Into<String>) -> Trouble {
        let field = field.into();
        Trouble {
            line: self.line(&field),
            field,
            message: message.into(),
        }
    }

    fn table(&mut self, text: &str, path: &str, table: &DeTable<'_>) -> Map<String, Value> {
        let mut map = Map::new();
        for (key, value) in table {
            let path = join(path, key.get_ref());
            self.places.insert(path.clone(), line_of(text, key.span().start));
            let value = self.value(text, &path, value.get_ref());
            map.insert(key.get_ref().to_string(), value);
        }
        map
    }

    fn value(&mut self, text: &str, path: &str, value: &DeValue<'_>) -> Value {
        match value {
            DeValue::String(word) => Value::String(word.to_string()),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or_else(|_| Value::String(number.to_string()), Value::from),
            DeValue::Float(number) => number
                .as_str()
                .parse::<f64>()
                .map_or_else(|_| Value::String(number.to_string()), Value::from),
            DeValue::Boolean(yes) => Value::Bool(*yes),
            DeValue::Datetime(moment) => Value::String(moment.to_string()),
            DeValue::Array(items) => {
                let mut list = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    let path = join(path, &index.to_string());
                    self.places.insert(path.clone(), line_of(text, item.span().start));
                    list.push(self.value(text, &path, item.get_ref()));
                }
                Value::Array(list)
            }
            DeValue::Table(table) => Value::Object(self.table(text, path, table)),
        }
    }
}

/// A path one step deeper.
pub fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

fn line_of(text: &str, byte: usize) -> usize {
    let before = text.as_bytes().iter().take(byte);
    before.filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Source;

    #[test]
    fn every_word_has_its_line() {
        let text = "[line.support]\nname = \"Support\"\nqueue = [\n  { operator = \"a@b.c\" },\n  { operator = \"d@e.f\" },\n]\n\
                    [line.support.hours]\nexceptions = [{ date = 2027-01-01 }]\n";
        let source = Source::read(text).unwrap();
        assert_eq!(source.line("line.support.name"), 2);
        assert_eq!(source.line("line.support.queue.1.operator"), 5);
        assert_eq!(source.line("line.support.queue.7"), 3);
        assert_eq!(source.line("line.support.hours.weekly.mon"), 7);
        assert_eq!(
            source.root["line"]["support"]["hours"]["exceptions"],
            json!([{"date": "2027-01-01"}])
        );
    }

    #[test]
    fn what_is_no_toml_is_refused_with_its_line() {
        let trouble = Source::read("[line.a]\nname = \"A\"\nname = \"B\"\n").unwrap_err();
        assert_eq!(trouble.line, 3, "{trouble}");
        assert_eq!(Source::read("[line.a]\nname = \n").unwrap_err().line, 2);
    }
}
