use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde::Deserialize;

use super::{Values, Variable, error, moment, offset, render, uses};
use crate::line::language::{choose, is_language};

#[derive(Deserialize)]
struct Case {
    template: String,
    values: BTreeMap<String, String>,
    text: String,
}

fn values(given: &BTreeMap<String, String>) -> Values {
    let mut values = Values::default();
    for (name, value) in given {
        values.set(Variable::parse(name).unwrap(), value);
    }
    values
}

#[test]
fn the_preview_and_the_server_say_the_same() {
    let cases: Vec<Case> =
        serde_json::from_str(include_str!("../../web/src/core/template.cases.json")).unwrap();
    for case in cases {
        assert_eq!(
            render(&case.template, &values(&case.values)),
            case.text,
            "{}",
            case.template
        );
    }
}

#[test]
fn what_cannot_be_said_is_named() {
    assert_eq!(error("Hello {{contact.name|there}}, {{ opens_at }}"), None);
    assert!(
        error("Hello {{contact.nam}}")
            .unwrap()
            .starts_with("there is no variable {{contact.nam}}; there are contact.name,")
    );
    assert!(error("Hello {{contact.name").unwrap().contains("closes"));
    assert!(error("Hello contact.name}}").unwrap().contains("begins"));
    assert!(error(&"я".repeat(4_001)).is_some());
    assert!(uses("{{ form_url }}", Variable::FormUrl) && !uses("{{opens_at}}", Variable::FormUrl));
}

#[test]
fn a_client_hears_their_language_where_the_line_has_it() {
    let others = [("de", "Hallo"), ("pt-BR", "Oi"), ("ru", "Привет")];
    let heard = |own: Option<&'static str>, language, client| {
        choose(own, language, others.into_iter(), client).map(|(text, _)| text)
    };
    for (client, text) in [
        (None, "Hello"),
        (Some("en"), "Hello"),
        (Some("de-AT"), "Hallo"),
        (Some("DE"), "Hallo"),
        (Some("pt"), "Oi"),
        (Some("ru_RU"), "Привет"),
        (Some("ja"), "Hello"),
    ] {
        assert_eq!(heard(Some("Hello"), None, client), Some(text), "{client:?}");
    }
    assert_eq!(
        heard(Some("Servus"), Some("de-AT"), Some("de-CH")),
        Some("Servus")
    );
    assert_eq!(heard(None, None, Some("ru")), Some("Привет"));
    assert_eq!(heard(None, None, Some("ja")), None);
}

#[test]
fn languages_are_tags() {
    for (tag, right) in [
        ("de", true),
        ("pt-BR", true),
        ("uz-Latn-UZ", true),
        ("", false),
        ("d", false),
        ("de_DE", false),
        ("german", false),
        ("de-", false),
    ] {
        assert_eq!(is_language(tag), right, "{tag:?}");
    }
}

#[test]
fn a_moment_is_told_in_the_lines_time_and_the_clients_words() {
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    // Tashkent is five hours ahead; 2026-11-22 is a Sunday.
    let now = at("2026-11-22T20:00:00Z");
    for (when, language, words) in [
        ("2026-11-23T04:00:00Z", Some("en"), "today at 09:00"),
        ("2026-11-24T04:00:00Z", Some("en-GB"), "tomorrow at 09:00"),
        ("2026-11-26T04:30:00Z", Some("de"), "am Donnerstag um 09:30 Uhr"),
        ("2026-11-24T04:00:00Z", Some("ru"), "завтра в 09:00"),
        ("2026-12-31T04:00:00Z", Some("en"), "on 31 December 2026 at 09:00"),
        ("2026-12-31T04:00:00Z", Some("ja"), "2026-12-31 09:00"),
        ("2026-11-23T04:00:00Z", None, "09:00"),
    ] {
        assert_eq!(moment(at(when), now, "Asia/Tashkent", language), words);
    }
    assert_eq!(offset(now, "Asia/Tashkent"), "UTC+5");
    assert_eq!(offset(now, "Asia/Kolkata"), "UTC+5:30");
    assert_eq!(offset(now, "America/St_Johns"), "UTC-3:30");
    assert_eq!(offset(now, "UTC"), "UTC");
}

fn template() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z ,.!{}|\n]{0,6}".boxed(),
        "\\PC{0,4}".boxed(),
        prop::sample::select(Variable::ALL.map(|(_, name)| format!("{{{{{name}}}}}")).to_vec()).boxed(),
        Just("{{contact.name|you {there}}}".to_owned()).boxed(),
        Just("{{".to_owned()).boxed(),
        Just("}}".to_owned()).boxed(),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// Whatever stands in a text or in a value: no panic, nothing that looks like a variable, and what
    /// one value says is never read as another variable.
    #[test]
    fn rendering_never_fails_and_leaves_no_braces(template in template(), name in "\\PC{0,20}|\\{\\{line.name\\}\\}|[{}]{1,5}") {
        let mut values = Values::default();
        values.set(Variable::ContactName, &name);
        let text = render(&template, &values);
        prop_assert!(!text.contains("{{") && !text.contains("}}"), "{text:?}");
        values.set(Variable::LineName, "S3cret");
        let with_line = render(&template, &values);
        if !uses(&template, Variable::LineName) {
            prop_assert_eq!(&text, &with_line);
        }
        // Rendering what was rendered changes nothing: it holds no template any more.
        prop_assert_eq!(render(&text, &values), text);
        let _ = error(&template);
    }

    #[test]
    fn a_value_stands_in_the_text_as_it_is(name in "[a-zA-Zа-яё0-9 '.-]{1,40}") {
        let mut values = Values::default();
        values.set(Variable::ContactName, &name);
        let expected = name.trim();
        prop_assume!(!expected.is_empty());
        prop_assert_eq!(render("<{{contact.name}}>", &values), format!("<{expected}>"));
    }
}
