//! JSON Schema, as much of it as settings schemas use.
//!
//! `type`, `enum`, `const`, `required`, `properties`, `additionalProperties`, `items`, `minItems`, `maxItems`,
//! `minLength`, `maxLength`, `minimum`, `maximum`, `allOf`, `anyOf`, `oneOf` and local `$ref`. Other
//! keywords are notes to the form that is drawn from the schema, and are passed over.

use serde_json::{Map, Value};

/// What in `value` does not fit `schema`: one line each, led by the JSON pointer of the place.
pub fn violations(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    Check { root: schema }.node(schema, value, "", &mut found, 0);
    found
}

/// One property of a settings schema, as [`properties`] finds it.
#[derive(Debug)]
pub struct Property<'a> {
    /// Property names from the root; `[]` stands for "each item".
    pub path: Vec<String>,
    /// The schema as written at the property.
    pub node: &'a Value,
    /// The schema the property refers to, or the same again.
    pub target: &'a Value,
}

/// Every property of the schema at every depth, through local references.
pub fn properties(schema: &Value) -> Vec<Property<'_>> {
    let mut found = Vec::new();
    let mut path = Vec::new();
    visit(schema, schema, &mut path, &mut found, 0);
    found
}

/// How deep references are followed: settings are never that deep, loops always are.
const DEPTH: usize = 24;

fn visit<'a>(
    root: &'a Value,
    node: &'a Value,
    path: &mut Vec<String>,
    found: &mut Vec<Property<'a>>,
    depth: usize,
) {
    if depth > DEPTH {
        return;
    }
    if let Some(target) = resolve(root, node) {
        visit(root, target, path, found, depth + 1);
    }
    for key in ["allOf", "anyOf", "oneOf"] {
        for branch in node.get(key).and_then(Value::as_array).into_iter().flatten() {
            visit(root, branch, path, found, depth + 1);
        }
    }
    for key in ["items", "additionalProperties"] {
        if let Some(items) = node.get(key).filter(|items| items.is_object()) {
            path.push("[]".to_owned());
            visit(root, items, path, found, depth + 1);
            path.pop();
        }
    }
    for (name, node) in node
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        path.push(name.clone());
        found.push(Property {
            path: path.clone(),
            node,
            target: resolve(root, node).unwrap_or(node),
        });
        visit(root, node, path, found, depth + 1);
        path.pop();
    }
}

/// Every schema below the root that describes an object with fixed properties, with a name for messages.
pub fn objects(schema: &Value) -> Vec<(String, &Value)> {
    fn walk<'a>(name: String, node: &'a Value, found: &mut Vec<(String, &'a Value)>) {
        if node.get("properties").is_some_and(Value::is_object) {
            found.push((name.clone(), node));
        }
        match node {
            Value::Object(map) => map
                .iter()
                .for_each(|(key, node)| walk(format!("{name}/{key}"), node, found)),
            Value::Array(items) => {
                items
                    .iter()
                    .enumerate()
                    .for_each(|(i, node)| walk(format!("{name}/{i}"), node, found));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(String::new(), schema, &mut found);
    found
}

fn resolve<'a>(root: &'a Value, node: &'a Value) -> Option<&'a Value> {
    root.pointer(node.get("$ref")?.as_str()?.strip_prefix('#')?)
}

struct Check<'a> {
    root: &'a Value,
}

impl Check<'_> {
    fn node(&self, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>, depth: usize) {
        let mut say = |text: String| found.push(format!("{}: {text}", if at.is_empty() { "/" } else { at }));
        if depth > DEPTH {
            return say("the schema refers to itself without end".to_owned());
        }
        let Some(rules) = schema.as_object() else {
            if schema == &Value::Bool(false) {
                say("nothing is allowed here".to_owned());
            }
            return;
        };
        if let Some(wanted) = rules.get("type")
            && !kinds(wanted).iter().any(|kind| is_kind(kind, value))
        {
            say(format!("should be {wanted}"));
        }
        if let Some(allowed) = rules.get("enum").and_then(Value::as_array)
            && !allowed.contains(value)
        {
            say(format!("should be one of {allowed:?}"));
        }
        if let Some(wanted) = rules.get("const")
            && wanted != value
        {
            say(format!("should be {wanted}"));
        }
        if let Some(problem) = bounds(rules, value) {
            say(problem);
        }
        if let Some(name) = rules.get("$ref") {
            match resolve(self.root, schema) {
                Some(target) => self.node(target, value, at, found, depth + 1),
                None => say(format!("{name} leads nowhere")),
            }
        }
        self.combined(rules, value, at, found, depth);
        match value {
            Value::Object(fields) => self.object(rules, fields, at, found, depth),
            Value::Array(items) => {
                let schema = rules.get("items").unwrap_or(&Value::Null);
                for (i, item) in items.iter().enumerate() {
                    self.node(schema, item, &format!("{at}/{i}"), found, depth + 1);
                }
            }
            _ => {}
        }
    }

    fn combined(
        &self,
        rules: &Map<String, Value>,
        value: &Value,
        at: &str,
        found: &mut Vec<String>,
        depth: usize,
    ) {
        for branch in rules.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.node(branch, value, at, found, depth + 1);
        }
        for (key, at_most) in [("anyOf", usize::MAX), ("oneOf", 1)] {
            let Some(branches) = rules.get(key).and_then(Value::as_array) else {
                continue;
            };
            let fits = |branch: &&Value| {
                let mut problems = Vec::new();
                self.node(branch, value, at, &mut problems, depth + 1);
                problems.is_empty()
            };
            let fitting = branches.iter().filter(fits).count();
            if fitting == 0 || fitting > at_most {
                found.push(format!("{at}: fits {fitting} of the alternatives"));
            }
        }
    }

    fn object(
        &self,
        rules: &Map<String, Value>,
        fields: &Map<String, Value>,
        at: &str,
        found: &mut Vec<String>,
        depth: usize,
    ) {
        let known = rules.get("properties").and_then(Value::as_object);
        for name in rules
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            if !fields.contains_key(name) {
                found.push(format!("{at}/{name}: is required"));
            }
        }
        for (name, value) in fields {
            let at = format!("{at}/{name}");
            if let Some(schema) = known.and_then(|known| known.get(name)) {
                self.node(schema, value, &at, found, depth + 1);
            } else if let Some(others) = rules.get("additionalProperties") {
                if others == &Value::Bool(false) {
                    found.push(format!("{at}: is not a known field"));
                } else {
                    self.node(others, value, &at, found, depth + 1);
                }
            }
        }
    }
}

fn kinds(wanted: &Value) -> Vec<&str> {
    match wanted {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}

fn is_kind(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        "integer" => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        _ => false,
    }
}

fn bounds(rules: &Map<String, Value>, value: &Value) -> Option<String> {
    let limit = |name: &str| rules.get(name).and_then(Value::as_f64);
    let (size, least, most) = match value {
        Value::String(text) => (
            text.chars().count() as f64,
            limit("minLength"),
            limit("maxLength"),
        ),
        Value::Array(items) => (items.len() as f64, limit("minItems"), limit("maxItems")),
        Value::Number(number) => (number.as_f64()?, limit("minimum"), limit("maximum")),
        _ => return None,
    };
    match (least, most) {
        (Some(least), _) if size < least => Some(format!("{size} is below {least}")),
        (_, Some(most)) if size > most => Some(format!("{size} is above {most}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object",
            "required": ["imap"],
            "additionalProperties": false,
            "properties": {
                "imap": {"$ref": "#/$defs/Server"},
                "tags": {"type": "array", "items": {"type": "string", "maxLength": 3}},
                "tls": {"anyOf": [{"enum": ["none"]}, {"type": "null"}]}
            },
            "$defs": {"Server": {"type": "object", "properties": {"port": {"type": ["integer", "null"], "maximum": 65535}}}}
        })
    }

    #[test]
    fn what_fits_has_no_violations() {
        let value = json!({"imap": {"port": 143}, "tags": ["a"], "tls": null});
        assert_eq!(violations(&schema(), &value), Vec::<String>::new());
    }

    #[test]
    fn each_misfit_is_named_by_its_place() {
        let places = |value: Value| -> Vec<String> {
            violations(&schema(), &value)
                .iter()
                .map(|line| line.split(':').next().unwrap_or("").to_owned())
                .collect()
        };
        assert_eq!(places(json!({})), ["/imap"]);
        assert_eq!(places(json!({"imap": {"port": 1.5}})), ["/imap/port"]);
        assert_eq!(places(json!({"imap": {"port": 70000}})), ["/imap/port"]);
        assert_eq!(places(json!({"imap": {}, "tags": ["a", "long"]})), ["/tags/1"]);
        assert_eq!(places(json!({"imap": {}, "tls": "yes"})), ["/tls"]);
        assert_eq!(places(json!({"imap": {}, "nope": 1})), ["/nope"]);
        assert_eq!(places(json!([])), ["/"]);
    }

    #[test]
    fn properties_are_found_at_every_depth() {
        let schema = schema();
        let paths: Vec<String> = properties(&schema)
            .iter()
            .map(|property| property.path.join("."))
            .collect();
        assert_eq!(paths, ["imap", "imap.port", "tags", "tls"]);
    }
}
