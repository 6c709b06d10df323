//! Reading what CRMs answer: ids that are numbers or texts, lists that are objects when they are empty. Pure.

use serde_json::{Map, Value};

/// An id, which comes as a number or as a text.
pub(crate) fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// An id that refers to something: `0` and `null` mean nothing.
pub(crate) fn reference(value: &Value) -> Option<String> {
    id(value).filter(|id| id != "0")
}

pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// True as CRMs write it.
pub(crate) fn truth(value: &Value) -> bool {
    match value {
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_i64().is_some_and(|number| number != 0),
        Value::String(text) => matches!(text.as_str(), "Y" | "true" | "1"),
        _ => false,
    }
}

/// The items of a list, of an object in a list's place, or none.
pub(crate) fn items(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(items) => items.values().collect(),
        _ => Vec::new(),
    }
}

/// Puts a value unless it is empty.
pub(crate) fn put(into: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    let value = value.into();
    let empty = match &value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        _ => false,
    };
    if !empty {
        into.insert(name.to_owned(), value);
    }
}

/// A value as text, as CRMs want it that take texts alone. Lists are joined.
pub(crate) fn plain(value: &Value, between: &str) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| plain(item, between)).collect();
            items.join(between)
        }
        other => other.to_string(),
    }
}

/// An id as a number, where a CRM takes no other.
pub(crate) fn number(id: &str) -> Value {
    id.parse::<i64>().map_or_else(|_| Value::from(id), Value::from)
}
