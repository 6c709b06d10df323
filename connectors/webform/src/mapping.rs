//! Any JSON as a lead, by a mapping that an admin drew from what came last. Pure.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use switchboard_sdk::{SettingsError, fields::Field};

use crate::{
    attribution,
    body::Posted,
    foreign::{Lead, MOST, words},
};

/// Most values that are mapped.
pub const MAX_MAPPINGS: usize = 100;
/// Deepest nesting that is looked at.
const MAX_DEPTH: usize = 12;
/// The service's own number of a lead: what comes twice under it is one.
pub const NUMBER: &str = "submission_id";

/// A value and what it is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Mapping {
    /// Where the value stands in the body: a JSON pointer, `/data/customer/phone`.
    #[schemars(title = "Value", length(min = 1, max = 500))]
    pub from: String,
    /// A field of the form, a mark of the campaign (`utm_source`, `page_url`), or `submission_id`.
    #[schemars(title = "Field", length(min = 1, max = 100))]
    pub to: String,
}

/// Refuses what cannot work.
pub fn check(mapping: &[Mapping], fields: &[Field]) -> Result<(), SettingsError> {
    let wrong = |at: usize, part: &str, message: &str| {
        Err(SettingsError::new(format!("leads.mapping[{at}].{part}"), message))
    };
    if mapping.len() > MAX_MAPPINGS {
        return Err(SettingsError::new(
            "leads.mapping",
            format!("at most {MAX_MAPPINGS}"),
        ));
    }
    for (at, one) in mapping.iter().enumerate() {
        if !one.from.starts_with('/') {
            return wrong(at, "from", "write where it stands, like /data/phone");
        }
        let known = one.to == NUMBER
            || attribution::is_mark(&one.to)
            || fields.iter().any(|field| field.name == one.to);
        if !known {
            return wrong(at, "to", "the form has no such field");
        }
    }
    Ok(())
}

/// Reads a body by the mapping; none when nothing of it is there: then it is something else. What is not mapped is
/// kept under the names of its place.
pub fn of_json(body: &Value, mapping: &[Mapping]) -> Option<Lead> {
    let mut lead = Lead {
        service: "mapped",
        ..Lead::default()
    };
    let mut used: Vec<&str> = Vec::new();
    for one in mapping {
        let found = body.pointer(&one.from).map(|value| words(value, 0));
        let Some(value) = found.filter(|value| !value.trim().is_empty()) else {
            continue;
        };
        used.push(&one.from);
        if one.to == NUMBER {
            lead.id = Some(value);
            continue;
        }
        // First and last name make one.
        match lead.values.iter_mut().find(|(name, _)| *name == one.to) {
            Some((_, before)) => {
                before.push(' ');
                before.push_str(&value);
            }
            None => lead.values.push((one.to.clone(), value)),
        }
    }
    if used.is_empty() {
        return None;
    }
    leaves(body, &mut Vec::new(), &used, &mut lead.values);
    Some(lead)
}

/// A body of names and values as JSON, for the mapping.
pub fn of_pairs(posted: &Posted) -> Value {
    let mut body = Map::new();
    for (name, value) in &posted.values {
        match body.get_mut(name) {
            Some(Value::Array(values)) => values.push(value.as_str().into()),
            Some(before) => *before = Value::Array(vec![before.take(), value.as_str().into()]),
            None => drop(body.insert(name.clone(), value.as_str().into())),
        }
    }
    Value::Object(body)
}

fn leaves(value: &Value, path: &mut Vec<String>, used: &[&str], into: &mut Vec<(String, String)>) {
    if into.len() >= MOST || path.len() > MAX_DEPTH || used.contains(&pointer(path).as_str()) {
        return;
    }
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                path.push(name.clone());
                leaves(inner, path, used, into);
                path.pop();
            }
        }
        Value::Array(items) => {
            for (at, inner) in items.iter().enumerate() {
                path.push(at.to_string());
                leaves(inner, path, used, into);
                path.pop();
            }
        }
        leaf => {
            let text = words(leaf, 0);
            if !text.trim().is_empty() {
                into.push((path.join("."), text));
            }
        }
    }
}

/// The pointer of a path (RFC 6901).
fn pointer(path: &[String]) -> String {
    path.iter()
        .map(|part| format!("/{}", part.replace('~', "~0").replace('/', "~1")))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn mapped(from: &str, to: &str) -> Mapping {
        Mapping {
            from: from.to_owned(),
            to: to.to_owned(),
        }
    }

    #[test]
    fn what_is_mapped_is_read_and_the_rest_is_kept_under_its_place() {
        let body = json!({"order": {"id": 77, "who": [{"a/b": "Ann", "last": "Lee"}]}, "tel": "+1", "paid": true, "none": null});
        let mapping = [
            mapped("/order/who/0/a~1b", "name"),
            mapped("/order/who/0/last", "name"),
            mapped("/tel", "phone"),
            mapped("/order/id", NUMBER),
            mapped("/missing", "email"),
        ];
        let lead = of_json(&body, &mapping).unwrap();
        assert_eq!(lead.id.as_deref(), Some("77"));
        let expected = [("name", "Ann Lee"), ("phone", "+1"), ("paid", "true")];
        assert_eq!(
            lead.values,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        assert_eq!(of_json(&json!({"other": 1}), &mapping), None);
        assert_eq!(of_json(&body, &[]), None);
    }

    #[test]
    fn a_mapping_to_nothing_is_refused_by_its_place() {
        let fields = [Field {
            name: "phone".to_owned(),
            ..Field::default()
        }];
        for (mapping, field) in [
            (mapped("tel", "phone"), Some("leads.mapping[0].from")),
            (mapped("/tel", "shoe"), Some("leads.mapping[0].to")),
            (mapped("/tel", "phone"), None),
            (mapped("/id", NUMBER), None),
            (mapped("/utm", "utm_source"), None),
        ] {
            let error = check(&[mapping], &fields).err().map(|error| error.field);
            assert_eq!(error.as_deref(), field);
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,9}".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(".{0,5}", inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_body_breaks_it_and_nothing_mapped_is_kept_twice(body in any_json(), from in "(/.{0,5}){1,3}") {
            let lead = of_json(&body, &[mapped(&from, "phone")]);
            let there = body.pointer(&from).is_some_and(|value| !words(value, 0).trim().is_empty());
            prop_assert_eq!(lead.is_some(), there);
            if let Some(lead) = lead {
                prop_assert!(lead.values.len() <= MOST + 1);
                prop_assert_eq!(lead.values.iter().filter(|(name, _)| name == "phone").count(), 1);
            }
        }
    }
}
