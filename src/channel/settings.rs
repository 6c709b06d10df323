//! A channel's settings in two parts: what may be shown, and secrets. Pure.
//!
//! The shown part has a `null` where each secret stands. The secret part is a tree of the same shape
//! with nothing but the secrets in it; it is sealed before it is stored.

use serde_json::{Map, Value};

/// Takes the values at `paths` out: answers what may be shown, and the secrets. An empty text counts
/// as "no secret".
pub fn split(mut settings: Value, paths: &[Vec<String>]) -> (Value, Value) {
    let mut secrets = Value::Object(Map::new());
    for path in paths {
        let Some((name, parents)) = path.split_last() else {
            continue;
        };
        let Some(place) = descend(&mut settings, parents) else {
            continue;
        };
        let value = place.insert(name.clone(), Value::Null).unwrap_or(Value::Null);
        let value = if value.as_str() == Some("") {
            Value::Null
        } else {
            value
        };
        if let Some(place) = descend_making(&mut secrets, parents) {
            place.insert(name.clone(), value);
        }
    }
    (settings, secrets)
}

/// Puts secrets back where they were; those that are not set leave no key behind.
pub fn join(mut settings: Value, secrets: &Value) -> Value {
    put_back(&mut settings, secrets);
    settings
}

/// The settings that a change leads to. Fields the schema knows are changed one by one, at every
/// depth; everything else (a list, a table of numbers) is replaced as a whole. `null` takes a field back to its
/// default, but a secret that is `null` stays as it is: that is how it was read.
pub fn patched(current: &Value, patch: &Value, schema: &Value, paths: &[Vec<String>]) -> Value {
    let mut result = current.clone();
    patch_object(&mut result, patch, schema, schema, paths, &mut Vec::new());
    result
}

/// The settings that a file describes whole: what it does not say is gone, except secrets, which stay where
/// the part they belong to is still there.
pub fn keeping_secrets(mut wanted: Value, current: &Value, paths: &[Vec<String>]) -> Value {
    for path in paths {
        let Some((name, parents)) = path.split_last() else {
            continue;
        };
        let kept = path.iter().try_fold(current, |value, name| value.get(name));
        if let (Some(kept), Some(place)) = (kept, descend(&mut wanted, parents)) {
            place.entry(name.clone()).or_insert_with(|| kept.clone());
        }
    }
    wanted
}

/// The patch that [`patched`] needs to lead from `current` to exactly `wanted`.
pub fn replacement(current: &Value, wanted: &Value, schema: &Value) -> Value {
    replace_object(current, wanted, schema, schema)
}

fn replace_object(current: &Value, wanted: &Value, root: &Value, schema: &Value) -> Value {
    let (Some(old), Some(new)) = (current.as_object(), wanted.as_object()) else {
        return wanted.clone();
    };
    let known = |name: &str| properties(root, schema, 0)?.get(name);
    let mut patch: Map<String, Value> = new
        .iter()
        .map(|(name, value)| {
            let nested = known(name).filter(|known| properties(root, known, 0).is_some());
            let value = match (old.get(name), nested) {
                (Some(old), Some(nested)) => replace_object(old, value, root, nested),
                _ => value.clone(),
            };
            (name.clone(), value)
        })
        .collect();
    for name in old.keys() {
        patch.entry(name.clone()).or_insert(Value::Null);
    }
    Value::Object(patch)
}

fn patch_object(
    current: &mut Value,
    patch: &Value,
    root: &Value,
    schema: &Value,
    secrets: &[Vec<String>],
    path: &mut Vec<String>,
) {
    let (Some(fields), Some(patch)) = (current.as_object_mut(), patch.as_object()) else {
        *current = patch.clone();
        return;
    };
    for (name, value) in patch {
        path.push(name.clone());
        let known = properties(root, schema, 0).and_then(|properties| properties.get(name));
        let nested = known.filter(|known| properties(root, known, 0).is_some());
        match (fields.get_mut(name), nested) {
            _ if value.is_null() && secrets.contains(path) => {}
            (Some(field), Some(nested)) if field.is_object() && value.is_object() => {
                patch_object(field, value, root, nested, secrets, path);
            }
            _ if value.is_null() => {
                fields.remove(name);
            }
            _ => {
                fields.insert(name.clone(), value.clone());
            }
        }
        path.pop();
    }
}

/// The named fields of a schema node, when it has any.
fn properties<'a>(root: &'a Value, node: &'a Value, depth: usize) -> Option<&'a Map<String, Value>> {
    if depth > 16 {
        return None;
    }
    if let Some(properties) = node.get("properties").and_then(Value::as_object) {
        return Some(properties);
    }
    let target = node
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|target| target.strip_prefix('#'));
    if let Some(node) = target.and_then(|target| root.pointer(target)) {
        return properties(root, node, depth + 1);
    }
    let combined = ["allOf", "anyOf", "oneOf"]
        .into_iter()
        .filter_map(|name| node.get(name)?.as_array());
    combined
        .flatten()
        .find_map(|node| properties(root, node, depth + 1))
}

fn put_back(settings: &mut Value, secrets: &Value) {
    let (Some(settings), Some(secrets)) = (settings.as_object_mut(), secrets.as_object()) else {
        return;
    };
    for (name, secret) in secrets {
        match (settings.get_mut(name), secret) {
            (Some(Value::Object(_)), Value::Object(_)) => {
                if let Some(inner) = settings.get_mut(name) {
                    put_back(inner, secret);
                }
            }
            (_, Value::Null) => {
                settings.remove(name);
            }
            (Some(_), value) => {
                settings.insert(name.clone(), value.clone());
            }
            // The part it belonged to is gone.
            (None, _) => {}
        }
    }
}

fn descend<'a>(value: &'a mut Value, path: &[String]) -> Option<&'a mut Map<String, Value>> {
    path.iter()
        .try_fold(value, |value, name| value.get_mut(name))?
        .as_object_mut()
}

fn descend_making<'a>(value: &'a mut Value, path: &[String]) -> Option<&'a mut Map<String, Value>> {
    let mut map = value.as_object_mut()?;
    for name in path {
        map = map
            .entry(name.clone())
            .or_insert_with(|| Value::Object(Map::new()))
            .as_object_mut()?;
    }
    Some(map)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{join, keeping_secrets, patched, replacement, split};

    fn paths() -> Vec<Vec<String>> {
        vec![
            vec!["imap".to_owned(), "password".to_owned()],
            vec!["token".to_owned()],
        ]
    }

    fn schema() -> serde_json::Value {
        json!({
            "properties": {
                "imap": {"anyOf": [{"$ref": "#/$defs/Imap"}, {"type": "null"}]},
                "token": {"x-secret": true}, "title": {}, "numbers": {"type": "object", "additionalProperties": {}}
            },
            "$defs": {"Imap": {"properties": {"host": {}, "password": {"x-secret": true}}}}
        })
    }

    #[test]
    fn secrets_are_taken_out_and_put_back() {
        let whole = json!({"imap": {"host": "h", "password": "p"}, "title": "t"});
        let (shown, secrets) = split(whole.clone(), &paths());
        assert_eq!(
            shown,
            json!({"imap": {"host": "h", "password": null}, "title": "t", "token": null})
        );
        assert_eq!(secrets, json!({"imap": {"password": "p"}, "token": null}));
        assert_eq!(join(shown, &secrets), whole);
    }

    #[test]
    fn a_list_of_active_secrets_is_one_secret() {
        let whole = json!({"imap": {"password": ["new", "old"]}, "token": ["t"]});
        let (shown, secrets) = split(whole.clone(), &paths());
        assert_eq!(shown, json!({"imap": {"password": null}, "token": null}));
        assert_eq!(secrets, whole);
        assert_eq!(join(shown, &secrets), whole);
        let patch = json!({"imap": {"password": null}, "token": "u"});
        let wanted = json!({"imap": {"password": ["new", "old"]}, "token": "u"});
        assert_eq!(patched(&whole, &patch, &schema(), &paths()), wanted);
    }

    #[test]
    fn a_part_that_is_not_there_gets_no_secret() {
        let (shown, secrets) = split(json!({"title": "t", "token": ""}), &paths());
        assert_eq!(shown, json!({"title": "t", "token": null}));
        assert_eq!(join(shown, &secrets), json!({"title": "t"}));
        assert_eq!(join(json!({}), &json!({"imap": {"password": "p"}})), json!({}));
    }

    #[test]
    fn a_patch_changes_the_fields_given_and_keeps_secrets_read_as_null() {
        let current = json!({"imap": {"host": "h", "password": "p"}, "token": "s", "title": "t", "numbers": {"1": "a"}});
        let patch = json!({"imap": {"host": "new", "password": null}, "token": null, "title": null, "numbers": {"2": "b"}});
        let wanted = json!({"imap": {"host": "new", "password": "p"}, "token": "s", "numbers": {"2": "b"}});
        assert_eq!(patched(&current, &patch, &schema(), &paths()), wanted);
        let wanted = json!({"imap": {"host": "h", "password": "q"}, "token": "s", "title": "t", "numbers": {"1": "a"}});
        assert_eq!(
            patched(&current, &json!({"imap": {"password": "q"}}), &schema(), &paths()),
            wanted
        );
    }

    #[test]
    fn a_replacement_leads_to_exactly_what_is_wanted_and_keeps_secrets() {
        let current = json!({
            "imap": {"host": "old", "port": 1, "password": "p"}, "token": "t", "title": "x", "numbers": {"1": {"a": 1}, "2": {}}
        });
        for wanted in [
            json!({"imap": {"host": "new"}, "numbers": {"1": {"b": 2}}}),
            json!({"imap": {"host": "new", "password": "other"}, "title": "y"}),
            json!({"numbers": {}}),
            json!({}),
        ] {
            let wanted = keeping_secrets(wanted, &current, &paths());
            let patch = replacement(&current, &wanted, &schema());
            assert_eq!(patched(&current, &patch, &schema(), &paths()), wanted);
        }
        let kept = keeping_secrets(json!({"imap": {"host": "new"}}), &current, &paths());
        assert_eq!(
            kept,
            json!({"imap": {"host": "new", "password": "p"}, "token": "t"})
        );
        assert_eq!(
            keeping_secrets(json!({}), &current, &paths()),
            json!({"token": "t"})
        );
    }
}
