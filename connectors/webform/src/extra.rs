//! What was posted beside the fields of the form. Pure.
//!
//! A page that was made when the form had other fields still sends them. What the customer typed there is
//! kept; what sites and browsers send along by themselves (tokens, buttons, counters) is left out where it is
//! known.

use std::collections::BTreeMap;

use serde_json::Value;
use switchboard_sdk::fields::clean_text;

use crate::{Settings, attribution, body::Posted, captcha::TOKEN_FIELDS, seal::Drawing, settings};

/// Most values that are kept.
const MOST: usize = 30;
/// Most characters of one.
const MAX_CHARS: usize = 1_000;
/// Parts of names that tell of machinery, in lower case.
const MACHINERY: [&str; 14] = [
    "csrf",
    "token",
    "nonce",
    "captcha",
    "_wp",
    "submit",
    "button",
    "action",
    "password",
    "passwd",
    "secret",
    "card_number",
    "cvv",
    "page_title",
];

/// The values nobody asked for, by name.
pub fn kept(form: &Settings, posted: &Posted, drawn: Option<&Drawing>) -> BTreeMap<String, Value> {
    let mut kept: BTreeMap<String, Value> = BTreeMap::new();
    let declared = |name: &str| {
        form.fields
            .iter()
            .any(|field| field.names().any(|known| known == name))
    };
    let was_there =
        |name: &str| drawn.is_some_and(|drawing| drawing.fields.iter().any(|known| known == name));
    for (name, value) in &posted.values {
        let machinery = is_machinery(name) && !was_there(name);
        let value: String = clean_text(value).chars().take(MAX_CHARS).collect();
        if value.is_empty()
            || machinery
            || declared(name)
            || own(name)
            || (kept.len() >= MOST && !kept.contains_key(name))
        {
            continue;
        }
        let before = kept
            .get(name)
            .and_then(Value::as_str)
            .map(|before| format!("{before}, {value}"));
        let whole: String = before.unwrap_or(value).chars().take(MAX_CHARS).collect();
        kept.insert(name.clone(), Value::String(whole));
    }
    kept
}

/// Those of the kept values that a drawing of this very form asked for, as lines for the operator.
pub fn readable(kept: &BTreeMap<String, Value>, drawn: Option<&Drawing>) -> String {
    let asked = drawn.map(|drawing| drawing.fields.as_slice()).unwrap_or_default();
    let lines = asked
        .iter()
        .filter_map(|name| Some(format!("{name}: {}", kept.get(name)?.as_str()?)));
    lines.collect::<Vec<_>>().join("\n")
}

fn own(name: &str) -> bool {
    settings::is_reserved(name)
        || attribution::is_mark(name)
        || TOKEN_FIELDS.contains(&name)
        || name.is_empty()
        || name.chars().count() > 64
}

fn is_machinery(name: &str) -> bool {
    let name = name.to_lowercase();
    name.starts_with('_') || MACHINERY.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_customer_typed_is_kept_and_machinery_is_not() {
        let form =
            Settings::read(json!({"fields": [{"name": "a", "formerly": ["old_a"]}]})).unwrap_or_default();
        let pairs = [
            ("a", "1"),
            ("old_a", "1"),
            ("colour", "red"),
            ("colour", "blue"),
            ("csrf_token", "x"),
            ("button", "Send"),
            ("_wpnonce", "x"),
            ("sb_x", "x"),
            ("utm_source", "ads"),
            ("gclid", "x"),
            ("g-recaptcha-response", "x"),
            ("consent", "on"),
            ("blank", " "),
            ("html", "<script>alert(1)</script>\0"),
            ("Password", "x"),
        ];
        let posted = Posted {
            values: pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            ..Posted::default()
        };
        let found = kept(&form, &posted, None);
        assert_eq!(
            json!(found),
            json!({"colour": "red, blue", "html": "<script>alert(1)</script>"})
        );
        let drawing = Drawing {
            at: chrono::DateTime::UNIX_EPOCH,
            fields: vec!["colour".to_owned(), "button".to_owned()],
        };
        let found = kept(&form, &posted, Some(&drawing));
        assert_eq!(
            readable(&found, Some(&drawing)),
            "colour: red, blue\nbutton: Send"
        );
        assert_eq!(readable(&found, None), "");
    }

    #[test]
    fn no_more_is_kept_than_there_is_room() {
        let form = Settings::default();
        let values = (0..200).map(|at| (format!("f{at}"), "x".repeat(5_000))).collect();
        let found = kept(
            &form,
            &Posted {
                values,
                ..Posted::default()
            },
            None,
        );
        assert_eq!(found.len(), MOST);
        assert!(
            found
                .values()
                .all(|value| value.as_str().is_some_and(|text| text.len() == MAX_CHARS))
        );
    }
}
