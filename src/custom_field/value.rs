//! Whether a value fits its field, and in which form it is kept. Pure.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

use super::{Definition, Type};

/// Characters of a line, of a long text, of an address.
const LINE: usize = 500;
const LONG: usize = 10_000;
const ADDRESS: usize = 2_000;
/// Fields of one object, characters of a key nobody defined, bytes of its value.
const FIELDS: usize = 200;
const FREE_KEY: usize = 100;
const FREE_VALUE: usize = 20_000;
/// Digits of an amount before and after its point.
const WHOLE: usize = 15;
const PART: usize = 4;

/// What is wrong, as `(path, message)`.
pub type Faults = Vec<(String, String)>;

/// The fields of an object after a change: what is given replaces what stood there, a null or an empty value
/// removes it. `begins`: the object is being made, so what is required must be given. What a required field already
/// lacks stops nobody from changing another one.
pub fn changed(
    definitions: &[Definition],
    before: &Map<String, Value>,
    given: &Map<String, Value>,
    users: &BTreeSet<String>,
    begins: bool,
) -> Result<Map<String, Value>, Faults> {
    let mut faults = Faults::new();
    let mut after = before.clone();
    for (key, value) in given {
        let path = || format!("fields.{key}");
        let known = definitions.iter().find(|one| one.key == *key);
        let kept = match known {
            Some(definition) => fit(definition, value, users),
            None => free(key, value),
        };
        match kept {
            Ok(Some(value)) => drop(after.insert(key.clone(), value)),
            Ok(None) if known.is_some_and(|one| one.required) => {
                faults.push((path(), "is required".to_owned()));
            }
            Ok(None) => drop(after.remove(key)),
            Err(message) => faults.push((path(), message)),
        }
    }
    let missing = definitions.iter().filter(|one| {
        begins && one.required && !given.contains_key(&one.key) && !after.contains_key(&one.key)
    });
    faults.extend(missing.map(|one| (format!("fields.{}", one.key), "is required".to_owned())));
    if after.len() > FIELDS && after.len() > before.len() {
        faults.push(("fields".to_owned(), format!("at most {FIELDS} fields")));
    }
    if faults.is_empty() { Ok(after) } else { Err(faults) }
}

/// The form in which a value of a field is kept; none when it is empty.
pub fn fit(
    definition: &Definition,
    value: &Value,
    users: &BTreeSet<String>,
) -> Result<Option<Value>, String> {
    if is_empty(value) {
        return Ok(None);
    }
    let kept = match definition.kind {
        Type::Text => json!(line(value, LINE)?),
        Type::LongText => json!(text(value, LONG)?),
        Type::Number => number(value)?,
        Type::Money => money(value)?,
        Type::Date => date(value)?,
        Type::DateTime => date_time(value)?,
        Type::Checkbox => json!(value.as_bool().ok_or("must be true or false")?),
        Type::Select => json!(chosen(definition, value)?),
        Type::MultiSelect => {
            let given = value.as_array().ok_or("must be a list of options")?;
            let given: Vec<&str> = given
                .iter()
                .map(|one| chosen(definition, one))
                .collect::<Result<_, _>>()?;
            // In the order of the options, each once.
            let values = definition.options.iter().map(|option| option.value.as_str());
            json!(values.filter(|value| given.contains(value)).collect::<Vec<_>>())
        }
        Type::Url => url(value)?,
        Type::User => {
            let id = value.as_str().ok_or("must be the id of a user")?;
            if !users.contains(id) {
                return Err("there is no such user".to_owned());
            }
            json!(id)
        }
    };
    Ok(Some(kept).filter(|kept| !is_empty(kept)))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn text(value: &Value, limit: usize) -> Result<String, String> {
    let text = value.as_str().ok_or("must be a text")?;
    if text.chars().count() > limit {
        return Err(format!("at most {limit} characters"));
    }
    Ok(text.replace('\0', "").trim().to_owned())
}

fn line(value: &Value, limit: usize) -> Result<String, String> {
    let text = text(value, limit)?;
    let spaced = |char: char| if char.is_control() { ' ' } else { char };
    Ok(text.chars().map(spaced).collect::<String>().trim().to_owned())
}

fn number(value: &Value) -> Result<Value, String> {
    let number = match value {
        Value::Number(_) => return Ok(value.clone()),
        Value::String(text) => serde_json::from_str::<serde_json::Number>(text.trim()).ok(),
        _ => None,
    };
    number
        .map(Value::Number)
        .ok_or_else(|| "must be a number, as 1200.5".to_owned())
}

/// Amounts are kept as texts: a number of JSON is read as a float by most.
fn money(value: &Value) -> Result<Value, String> {
    let wanted = "must be as {\"amount\": \"1200.50\", \"currency\": \"EUR\"}";
    let (amount, currency) = value
        .as_object()
        .and_then(|money| Some((money.get("amount")?, money.get("currency")?.as_str()?)))
        .ok_or(wanted)?;
    let amount = match amount {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return Err(wanted.to_owned()),
    };
    let digits = amount.strip_prefix('-').unwrap_or(&amount);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !are_digits(whole) || !are_digits(part) || whole.len() > WHOLE || part.len() > PART {
        return Err(format!(
            "the amount must be a decimal number of at most {WHOLE} digits, and {PART} after the point"
        ));
    }
    let currency = currency.trim().to_ascii_uppercase();
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err("the currency must be its three letters, as EUR".to_owned());
    }
    Ok(json!({"amount": amount, "currency": currency}))
}

fn date(value: &Value) -> Result<Value, String> {
    let text = value.as_str().map(str::trim);
    let date = text.and_then(|text| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok());
    date.map(|date| json!(date.format("%Y-%m-%d").to_string()))
        .ok_or_else(|| "must be a date, as 2026-11-23".to_owned())
}

fn date_time(value: &Value) -> Result<Value, String> {
    let text = value.as_str().map(str::trim);
    let at = text.and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    at.map(|at| {
        let at = at.with_timezone(&Utc);
        json!(at.to_rfc3339_opts(SecondsFormat::Secs, true))
    })
    .ok_or_else(|| "must be a date with its time and zone, as 2026-11-23T09:00:00Z".to_owned())
}

fn chosen<'a>(definition: &Definition, value: &'a Value) -> Result<&'a str, String> {
    value
        .as_str()
        .filter(|value| definition.options.iter().any(|option| option.value == *value))
        .ok_or_else(|| {
            let known: Vec<&str> = definition
                .options
                .iter()
                .take(20)
                .map(|one| one.value.as_str())
                .collect();
            format!("must be one of: {}", known.join(", "))
        })
}

fn url(value: &Value) -> Result<Value, String> {
    let text = line(value, ADDRESS)?;
    let url = url::Url::parse(&text).ok();
    url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .map(|_| json!(text))
        .ok_or_else(|| "must begin with http:// or https://".to_owned())
}

/// A value under a key that nobody defined.
fn free(key: &str, value: &Value) -> Result<Option<Value>, String> {
    if key.is_empty() || key.chars().count() > FREE_KEY || key.chars().any(char::is_control) {
        return Err(format!("a key has 1 to {FREE_KEY} characters"));
    }
    if value.to_string().len() > FREE_VALUE {
        return Err(format!("at most {FREE_VALUE} bytes"));
    }
    Ok(Some(clean(value)).filter(|value| *value != Value::Null))
}

/// PostgreSQL keeps no NUL in a JSON.
fn clean(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace('\0', "")),
        Value::Array(items) => Value::Array(items.iter().map(clean).collect()),
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(key, value)| (key.replace('\0', ""), clean(value)))
                .collect(),
        ),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::{Definition, Type, changed, fit};
    use crate::custom_field::Choice;

    fn definition(key: &str, kind: Type) -> Definition {
        let option = |value: &str| Choice {
            value: value.to_owned(),
            label: value.to_uppercase(),
        };
        Definition {
            key: key.to_owned(),
            kind,
            options: vec![option("a"), option("b"), option("c")],
            required: false,
        }
    }

    fn users() -> BTreeSet<String> {
        BTreeSet::from(["opr_1".to_owned()])
    }

    #[test]
    fn each_type_keeps_what_fits_in_one_form_and_refuses_the_rest() {
        let fits = [
            (Type::Text, json!(" a\nb "), json!("a b")),
            (Type::LongText, json!("a\nb "), json!("a\nb")),
            (Type::Number, json!(1.5), json!(1.5)),
            (Type::Number, json!(" 12 "), json!(12)),
            (
                Type::Money,
                json!({"amount": 12.5, "currency": "eur"}),
                json!({"amount": "12.5", "currency": "EUR"}),
            ),
            (
                Type::Money,
                json!({"amount": "-0.10", "currency": "UZS"}),
                json!({"amount": "-0.10", "currency": "UZS"}),
            ),
            (Type::Date, json!("2026-02-28"), json!("2026-02-28")),
            (
                Type::DateTime,
                json!("2026-02-28T10:00:00+05:00"),
                json!("2026-02-28T05:00:00Z"),
            ),
            (Type::Checkbox, json!(false), json!(false)),
            (Type::Select, json!("b"), json!("b")),
            (Type::MultiSelect, json!(["c", "a", "c"]), json!(["a", "c"])),
            (
                Type::Url,
                json!("https://x.example/p"),
                json!("https://x.example/p"),
            ),
            (Type::User, json!("opr_1"), json!("opr_1")),
        ];
        for (kind, value, kept) in fits {
            assert_eq!(
                fit(&definition("k", kind), &value, &users()),
                Ok(Some(kept)),
                "{kind:?}"
            );
        }
        let refused = [
            (Type::Text, json!(5)),
            (Type::Text, json!("x".repeat(501))),
            (Type::Number, json!("1,5")),
            (Type::Number, json!(true)),
            (Type::Money, json!(5)),
            (Type::Money, json!({"amount": "1e9", "currency": "EUR"})),
            (Type::Money, json!({"amount": "1.23456", "currency": "EUR"})),
            (Type::Money, json!({"amount": "1", "currency": "EURO"})),
            (Type::Date, json!("2026-02-30")),
            (Type::Date, json!("28.02.2026")),
            (Type::DateTime, json!("2026-02-28T10:00:00")),
            (Type::Checkbox, json!("yes")),
            (Type::Select, json!("d")),
            (Type::MultiSelect, json!("a")),
            (Type::MultiSelect, json!(["a", "d"])),
            (Type::Url, json!("javascript:alert(1)")),
            (Type::Url, json!("x.example")),
            (Type::User, json!("opr_2")),
        ];
        for (kind, value) in refused {
            assert!(
                fit(&definition("k", kind), &value, &users()).is_err(),
                "{kind:?} {value}"
            );
        }
    }

    #[test]
    fn what_is_required_is_asked_of_new_objects_and_cannot_be_emptied_later() {
        let mut size = definition("size", Type::Text);
        size.required = true;
        let known = [size, definition("note", Type::Text)];
        let given = |value: Value| value.as_object().cloned().unwrap_or_default();
        let none = Map::new();
        let users = users();
        let faults = changed(&known, &none, &none, &users, true).unwrap_err();
        assert_eq!(faults, [("fields.size".to_owned(), "is required".to_owned())]);
        // One who lacks it since before it was asked may still be changed.
        assert!(changed(&known, &none, &given(json!({"note": "x"})), &users, false).is_ok());
        let before = given(json!({"size": "L", "note": "x"}));
        for empty in [json!({"size": null}), json!({"size": "  "})] {
            assert!(changed(&known, &before, &given(empty), &users, false).is_err());
        }
        let after = changed(
            &known,
            &before,
            &given(json!({"note": "", "free": [1]})),
            &users,
            false,
        );
        assert_eq!(after, Ok(given(json!({"size": "L", "free": [1]}))));
    }

    proptest! {
        /// What is kept fits again and stays as it is: reading a card and saving it changes nothing.
        #[test]
        fn what_is_kept_fits_again(kind in 0_usize..11, text in "\\PC{0,30}", number in any::<i32>(), pick in 0_usize..4) {
            let kind = Type::ALL[kind].0;
            let value = match pick {
                0 => json!(text),
                1 => json!(number),
                2 => json!({"amount": number, "currency": "usd"}),
                _ => json!(["b", "a"]),
            };
            let definition = definition("k", kind);
            if let Ok(Some(kept)) = fit(&definition, &value, &users()) {
                prop_assert_eq!(fit(&definition, &kept, &users()), Ok(Some(kept.clone())));
            }
        }

        #[test]
        fn a_change_touches_the_keys_it_names_and_no_others(
            before in proptest::collection::btree_map("[a-f]", "[x-z]{1,3}", 0..6),
            given in proptest::collection::btree_map("[a-f]", proptest::option::of("[x-z]{1,3}"), 0..6),
        ) {
            let before: Map<String, Value> = before.into_iter().map(|(key, value)| (key, json!(value))).collect();
            let given: Map<String, Value> = given.into_iter().map(|(key, value)| (key, json!(value))).collect();
            let after = changed(&[definition("a", Type::Text)], &before, &given, &users(), false).unwrap();
            for key in ["a", "b", "c", "d", "e", "f"] {
                let expected = match given.get(key) {
                    Some(Value::Null) => None,
                    Some(value) => Some(value),
                    None => before.get(key),
                };
                prop_assert_eq!(after.get(key), expected);
            }
        }
    }
}
