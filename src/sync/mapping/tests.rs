use proptest::prelude::*;

use super::*;

fn rule(to: &str, kind: Kind, from: &str) -> Rule {
    Rule {
        to: to.to_owned(),
        kind,
        from: Some(from.to_owned()),
        ..Rule::default()
    }
}

fn facts(pairs: &[(&str, Value)]) -> BTreeMap<String, Value> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()))
        .collect()
}

fn one(kind: Kind, value: Value) -> Option<Value> {
    converted(&value, kind, &BTreeMap::new())
}

#[test]
fn each_kind_of_field_gets_what_it_takes() {
    for (kind, ours, theirs) in [
        (Kind::Text, json!(" Ann "), Some(json!("Ann"))),
        (Kind::Text, json!(12.5), Some(json!("12.5"))),
        (Kind::Text, json!(["a", "b"]), Some(json!("a, b"))),
        (
            Kind::Text,
            json!({"amount": "1200.50", "currency": "EUR"}),
            Some(json!("1200.50 EUR")),
        ),
        (Kind::Text, json!("  "), None),
        (Kind::Number, json!("1 200,50"), Some(json!(1200.5))),
        (
            Kind::Number,
            json!({"amount": "7", "currency": "EUR"}),
            Some(json!(7)),
        ),
        (Kind::Number, json!("many"), None),
        (Kind::Boolean, json!("да"), Some(json!(true))),
        (Kind::Boolean, json!(0), Some(json!(false))),
        (Kind::Boolean, json!("perhaps"), None),
        (
            Kind::Date,
            json!("2026-11-23T22:00:00Z"),
            Some(json!("2026-11-23")),
        ),
        (Kind::Date, json!("23.11.2026"), Some(json!("2026-11-23"))),
        (Kind::Date, json!("soon"), None),
        (
            Kind::DateTime,
            json!("2026-11-23T10:00:00+02:00"),
            Some(json!("2026-11-23T08:00:00Z")),
        ),
        (
            Kind::DateTime,
            json!("2026-11-23"),
            Some(json!("2026-11-23T00:00:00Z")),
        ),
        (Kind::Choice, json!("web"), Some(json!("web"))),
        (Kind::Choices, json!(["a", "b"]), Some(json!(["a", "b"]))),
        (Kind::Choices, json!("a"), Some(json!(["a"]))),
        (
            Kind::Url,
            json!("https://shop.example/"),
            Some(json!("https://shop.example/")),
        ),
        (Kind::Url, json!("javascript:alert(1)"), None),
        (Kind::Text, Value::Null, None),
    ] {
        assert_eq!(one(kind, ours.clone()), theirs, "{kind:?} of {ours}");
    }
}

#[test]
fn fields_constants_tables_and_what_stands_in() {
    let mut source = rule("SOURCE", Kind::Choice, "lead.source");
    source.values = BTreeMap::from([("google".to_owned(), "ADV".to_owned())]);
    source.otherwise = Some(json!("OTHER"));
    let fixed = Rule {
        to: "BRAND".to_owned(),
        constant: Some(json!("North")),
        ..Rule::default()
    };
    let mapping = Mapping {
        fields: vec![
            source,
            fixed,
            rule("BUDGET", Kind::Number, "lead.fields.budget"),
            rule("UTM", Kind::Text, "attribution.utm_campaign"),
        ],
        ..Mapping::default()
    };
    assert_eq!(mapping.faults(), []);
    let filled = mapping.fill(&facts(&[
        ("lead.source", json!("google")),
        ("lead.fields.budget", json!("900")),
    ]));
    assert_eq!(
        filled,
        facts(&[
            ("SOURCE", json!("ADV")),
            ("BRAND", json!("North")),
            ("BUDGET", json!(900))
        ])
    );
    let filled = mapping.fill(&facts(&[("lead.source", json!("blog.example"))]));
    assert_eq!(filled["SOURCE"], "OTHER");
}

#[test]
fn faults_name_the_row_and_say_what_to_do() {
    let both = Rule {
        constant: Some(json!("x")),
        ..rule("A", Kind::Text, "lead.title")
    };
    let unfit = Rule {
        from: None,
        constant: Some(json!("many")),
        ..rule("C", Kind::Number, "")
    };
    let mapping = Mapping {
        fields: vec![
            both,
            rule("B", Kind::Text, "lead.secret"),
            rule("B", Kind::Text, "lead.title"),
            unfit,
            Rule::default(),
        ],
        statuses: BTreeMap::from([("eaten".to_owned(), "X".to_owned())]),
        ..Mapping::default()
    };
    let fields: Vec<String> = mapping.faults().into_iter().map(|(field, _)| field).collect();
    let wanted = [
        "mapping.fields[0].constant",
        "mapping.fields[1].from",
        "mapping.fields[2].to",
        "mapping.fields[3].constant",
        "mapping.fields[4].to",
        "mapping.fields[4].from",
        "mapping.statuses.eaten",
    ];
    assert_eq!(fields, wanted);
}

#[test]
fn a_state_there_says_our_status_by_the_admins_word_and_else_by_what_it_means() {
    let mapping = Mapping {
        statuses_back: BTreeMap::from([
            ("TRASH".to_owned(), Status::Junk),
            ("CALLED".to_owned(), Status::InProgress),
        ]),
        ..Mapping::default()
    };
    let back = |ours, id: &str, stage| mapping.status_back(ours, Some(id), stage);
    assert_eq!(
        back(Status::New, "CALLED", Some(Stage::Open)),
        Some(Status::InProgress)
    );
    assert_eq!(back(Status::InProgress, "CALLED", Some(Stage::Open)), None);
    assert_eq!(back(Status::New, "TRASH", None), Some(Status::Junk));
    assert_eq!(
        back(Status::New, "SOLD", Some(Stage::Won)),
        Some(Status::Converted)
    );
    assert_eq!(back(Status::New, "SOMEWHERE", Some(Stage::Open)), None);
    assert_eq!(
        back(Status::Junk, "SOMEWHERE", Some(Stage::Open)),
        Some(Status::InProgress)
    );
    assert_eq!(back(Status::New, "SOMEWHERE", None), None);
}

fn kinds() -> impl Strategy<Value = Kind> {
    proptest::sample::select(vec![
        Kind::Text,
        Kind::Number,
        Kind::Boolean,
        Kind::Date,
        Kind::DateTime,
        Kind::Choice,
        Kind::Choices,
        Kind::Url,
    ])
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        "[0-9]{1,4}[-.][0-9]{1,2}[-.][0-9]{1,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map("amount|currency|x", inner, 0..3).prop_map(|map| json!(map)),
        ]
    })
}

fn fits(kind: Kind, value: &Value) -> bool {
    let text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    match kind {
        Kind::Number => value.is_number(),
        Kind::Boolean => value.is_boolean(),
        Kind::Date => value
            .as_str()
            .is_some_and(|text| NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()),
        Kind::DateTime => value
            .as_str()
            .is_some_and(|text| DateTime::parse_from_rfc3339(text).is_ok()),
        Kind::Choices => value
            .as_array()
            .is_some_and(|items| !items.is_empty() && items.iter().all(text)),
        Kind::Url => value.as_str().is_some_and(|text| text.starts_with("http")),
        Kind::Text | Kind::Choice => text(value),
    }
}

proptest! {
    #[test]
    fn whatever_we_have_their_field_gets_its_own_kind_or_nothing(
        kind in kinds(), value in anything(), otherwise in proptest::option::of(anything()),
        table in proptest::collection::btree_map("\\PC{0,4}", "\\PC{1,6}", 0..3),
    ) {
        let rule = Rule { values: table, otherwise, ..rule("F", kind, "lead.title") };
        let mapping = Mapping { fields: vec![rule], ..Mapping::default() };
        let filled = mapping.fill(&facts(&[("lead.title", value)]));
        for value in filled.values() {
            prop_assert!(value.as_str().is_some_and(|text| text.trim().is_empty()) || fits(kind, value), "{kind:?} got {value}");
        }
    }

    #[test]
    fn a_status_that_came_from_there_is_never_the_one_we_have(
        id in proptest::option::of("[ab]"), back in proptest::collection::btree_map("[ab]", proptest::sample::select(vec![Status::New, Status::Junk]), 0..2),
    ) {
        let mapping = Mapping { statuses_back: back, ..Mapping::default() };
        for ours in [Status::New, Status::InProgress, Status::Converted, Status::Junk] {
            for stage in [None, Some(Stage::Open), Some(Stage::Won), Some(Stage::Lost)] {
                let next = mapping.status_back(ours, id.as_deref(), stage);
                prop_assert_ne!(next, Some(ours));
                // Asked again with its own answer it has nothing more to say: no two states swing for ever.
                if let Some(next) = next {
                    prop_assert_eq!(mapping.status_back(next, id.as_deref(), stage), None);
                }
            }
        }
    }

    #[test]
    fn a_mapping_reads_back_as_it_was_written(fields in proptest::collection::vec(("[a-z]{1,5}", kinds(), "[a-z.]{1,9}"), 0..5)) {
        let fields = fields.into_iter().map(|(to, kind, from)| rule(&to, kind, &from)).collect();
        let mapping = Mapping { fields, ..Mapping::default() };
        prop_assert_eq!(Mapping::read(&json!(mapping)), mapping);
    }
}
