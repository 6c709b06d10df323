//! What settings owe the admin: a form that explains itself, errors that name the field, secrets that stay secret.

use serde_json::{Value, json};
use switchboard_sdk::{Descriptor, secret_paths};

use super::Options;
use crate::{context, schema};

/// The example passes the settings schema.
pub fn the_example_fits_the_schema(descriptor: &'static Descriptor, _: &Options) {
    let found = schema::violations(&(descriptor.settings_schema)(), &(descriptor.example)());
    assert!(found.is_empty(), "the example breaks the schema: {found:#?}");
}

/// The example makes a connector, every time.
pub fn the_example_builds(descriptor: &'static Descriptor, _: &Options) {
    drop(super::example(descriptor));
    drop(super::example(descriptor));
}

/// A field nobody knows is refused by name, at the top and in each nested object; the schema says so too.
pub fn an_unknown_field_is_an_error_that_names_it(descriptor: &'static Descriptor, _: &Options) {
    const NAME: &str = "field_nobody_knows";
    let schema = (descriptor.settings_schema)();
    for (place, node) in schema::objects(&schema) {
        assert_eq!(
            node.get("additionalProperties"),
            Some(&json!(false)),
            "the schema takes unknown fields at {place:?} (serde: deny_unknown_fields)"
        );
    }
    for place in object_places(&(descriptor.example)()) {
        let mut settings = (descriptor.example)();
        let fixed = settings.pointer(&place).is_some() && has_fixed_properties(&schema, &place);
        let Some(object) = settings
            .pointer_mut(&place)
            .and_then(Value::as_object_mut)
            .filter(|_| fixed)
        else {
            continue;
        };
        object.insert(NAME.to_owned(), json!(1));
        match (descriptor.build)(settings, context()) {
            Ok(_) => panic!("an unknown field at {place:?} is taken without a word"),
            Err(error) => assert!(
                error.to_string().contains(NAME),
                "the error does not name the field: {error}"
            ),
        }
    }
}

/// A top-level field with a value of a type the schema does not take is an error.
pub fn a_field_of_the_wrong_type_is_an_error(descriptor: &'static Descriptor, _: &Options) {
    let schema = (descriptor.settings_schema)();
    for settings in broken_variants(descriptor, &schema) {
        // Sizes are left to the connector: many read an empty text as "not set".
        if !schema::violations(&schema, &settings)
            .iter()
            .any(|problem| problem.contains(": should be "))
        {
            continue;
        }
        assert!(
            (descriptor.build)(settings.clone(), context()).is_err(),
            "takes what the schema refuses: {settings}"
        );
    }
}

/// Every property has a title or a description for the form.
pub fn every_property_is_described(descriptor: &'static Descriptor, _: &Options) {
    let schema = (descriptor.settings_schema)();
    let described = |node: &Value| {
        ["title", "description"].iter().any(|key| {
            node.get(key)
                .and_then(Value::as_str)
                .is_some_and(|text| !text.trim().is_empty())
        })
    };
    let bare: Vec<String> = schema::properties(&schema)
        .iter()
        .filter(|property| !described(property.node) && !described(property.target))
        .map(|property| property.path.join("."))
        .collect();
    assert!(
        bare.is_empty(),
        "properties without title and description: {bare:?}"
    );
}

/// What sounds like a secret is marked `"x-secret": true` (or, when it is none, `"x-secret": false`), and
/// no secret is inside a list, where it has no stable address.
pub fn secrets_are_marked_and_addressable(descriptor: &'static Descriptor, _: &Options) {
    let schema = (descriptor.settings_schema)();
    for property in schema::properties(&schema) {
        let path = property.path.join(".");
        let mark = property
            .node
            .get("x-secret")
            .or_else(|| property.target.get("x-secret"));
        let secret = mark == Some(&json!(true));
        let holds_text =
            property.target.get("properties").is_none() && property.target.get("items").is_none();
        let sounds = property.path.last().is_some_and(|name| sounds_secret(name)) && holds_text;
        assert!(
            !sounds || mark.is_some(),
            "{path} sounds like a secret and carries no \"x-secret\""
        );
        assert!(
            !secret || !property.path.iter().any(|part| part == "[]"),
            "{path} is a secret inside a list"
        );
    }
}

/// Secrets show neither in the `Debug` of the connector and of its settings, nor in errors about other fields.
pub fn secrets_stay_out_of_debug_and_errors(descriptor: &'static Descriptor, options: &Options) {
    const MARK: &str = "hush-7f3a91c2";
    let schema = (descriptor.settings_schema)();
    let secrets = secret_paths(&schema);
    if secrets.is_empty() {
        return;
    }
    let hide = |settings: &mut Value| secrets.iter().for_each(|path| put(settings, path, json!(MARK)));
    let mut settings = (descriptor.example)();
    hide(&mut settings);
    if let Ok(connector) = (descriptor.build)(settings.clone(), context()) {
        assert!(
            !format!("{connector:?}").contains(MARK),
            "the connector's Debug shows a secret"
        );
    }
    let print = options
        .debug
        .unwrap_or_else(|| panic!("{secrets:?} are secret: give Options::debug"));
    let printed = print(settings);
    assert!(!printed.contains(MARK), "the settings' Debug shows a secret");
    assert!(
        !printed.is_empty() && !printed.starts_with("Err("),
        "Options::debug printed no settings: {printed}"
    );
    for mut settings in broken_variants(descriptor, &schema) {
        let broken = settings.clone();
        hide(&mut settings);
        if let Err(error) = (descriptor.build)(settings, context()) {
            assert!(
                !error.to_string().contains(MARK),
                "the error shows a secret; broken: {broken}"
            );
        }
    }
}

/// The example, each time with one top-level field replaced by something odd.
fn broken_variants(descriptor: &Descriptor, schema: &Value) -> Vec<Value> {
    let names = schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|map| map.keys());
    let odd = [
        json!(-1),
        json!("\u{1F980}"),
        json!([true]),
        json!({"odd": 1}),
        json!(true),
        json!(""),
    ];
    let replace = |name: &String, value: &Value| {
        let mut settings = (descriptor.example)();
        put(&mut settings, std::slice::from_ref(name), value.clone());
        settings
    };
    names
        .flat_map(|name| odd.iter().map(move |value| replace(name, value)))
        .collect()
}

fn put(settings: &mut Value, path: &[String], value: Value) {
    let mut node = settings;
    for name in path {
        if !node.is_object() {
            *node = json!({});
        }
        let Some(object) = node.as_object_mut() else {
            return;
        };
        node = object.entry(name.clone()).or_insert(Value::Null);
    }
    *node = value;
}

fn sounds_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [
        "password",
        "passphrase",
        "secret",
        "token",
        "api_key",
        "private_key",
        "credential",
    ]
    .iter()
    .any(|word| name.contains(word))
}

/// JSON pointers of all objects in the value, the root first.
fn object_places(value: &Value) -> Vec<String> {
    fn walk(value: &Value, place: String, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                found.push(place.clone());
                map.iter().for_each(|(key, value)| {
                    walk(
                        value,
                        format!("{place}/{}", key.replace('~', "~0").replace('/', "~1")),
                        found,
                    )
                });
            }
            Value::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(i, value)| walk(value, format!("{place}/{i}"), found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(value, String::new(), &mut found);
    found
}

/// Whether the schema gives the object at this place fixed properties: maps of free keys take any name.
fn has_fixed_properties(schema: &Value, place: &str) -> bool {
    if place.is_empty() {
        return true;
    }
    let parts: Vec<String> = place
        .split('/')
        .skip(1)
        .map(|part| {
            if part.parse::<usize>().is_ok() {
                "[]".to_owned()
            } else {
                part.to_owned()
            }
        })
        .collect();
    schema::properties(schema)
        .iter()
        .any(|property| property.path.len() == parts.len() + 1 && property.path.starts_with(&parts))
}
