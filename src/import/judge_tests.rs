use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::DateTime;
use serde_json::{Value, json};
use switchboard_exchange::{Record, record::Deal};

use super::{Kind, Rules};
use crate::{
    custom_field::{Choice, Definition, Type},
    deal::{
        pipeline::{Pipeline, Stage},
        stages::StageKind,
    },
};

fn definition(key: &str, kind: Type) -> Definition {
    let option = |value: &str, label: &str| Choice {
        value: value.to_owned(),
        label: label.to_owned(),
    };
    Definition {
        key: key.to_owned(),
        kind,
        options: vec![option("s", "Small, or less"), option("l", "Large")],
        required: false,
    }
}

fn pipeline(id: &str, name: &str, currency: &str, stages: &[(&str, StageKind)]) -> Pipeline {
    let stages = stages.iter().map(|(name, kind)| Stage {
        id: format!("{id} {name}"),
        name: (*name).to_owned(),
        kind: *kind,
        color: None,
    });
    Pipeline {
        id: id.to_owned(),
        name: name.to_owned(),
        currency: currency.to_owned(),
        stages: stages.collect(),
        version: 1,
        created_at: DateTime::default(),
        updated_at: DateTime::default(),
    }
}

/// As two tests of what becomes of rows need them as well.
pub(in crate::import) fn rules(kind: Kind) -> Rules {
    let all = |types: &[(&str, Type)]| types.iter().map(|(key, kind)| definition(key, *kind)).collect();
    let typed: Vec<Definition> = all(&[
        ("size", Type::Select),
        ("sizes", Type::MultiSelect),
        ("born", Type::Date),
        ("seen", Type::DateTime),
        ("weight", Type::Number),
        ("price", Type::Money),
        ("vip", Type::Checkbox),
        ("page", Type::Url),
        ("helper", Type::User),
        ("note", Type::Text),
    ]);
    let objects = ["contact", "company", "lead", "deal"];
    use StageKind::{Lost, Open, Won};
    Rules {
        kind,
        operators: HashMap::from([("olga@shop.example".to_owned(), "opr_1".to_owned())]),
        users: BTreeSet::from(["opr_1".to_owned()]),
        pipelines: vec![
            pipeline(
                "pip_1",
                "Sales",
                "EUR",
                &[("New", Open), ("Offer", Open), ("Won", Won), ("Lost", Lost)],
            ),
            pipeline("pip_2", "Rent", "JPY", &[("Asked", Open), ("Moved in", Won)]),
        ],
        definitions: objects
            .into_iter()
            .map(|object| (object, typed.clone()))
            .collect(),
        columns: BTreeMap::from([
            ("deal.stage".to_owned(), "Stage".to_owned()),
            ("contact.fields.born".to_owned(), "Birthday".to_owned()),
        ]),
        ..Rules::default()
    }
}

fn judged(key: &str, cell: &str) -> Result<Option<Value>, (String, Option<String>)> {
    let record = Record {
        name: Some("Anna".to_owned()),
        contact_fields: BTreeMap::from([(key.to_owned(), cell.to_owned())]),
        ..Record::default()
    };
    match rules(Kind::Contacts).judge(&record, Vec::new()) {
        Ok(mut judged) => Ok(judged.contact_fields.remove(key)),
        Err(wrong) => Err((wrong[0].code.clone(), wrong[0].column.clone())),
    }
}

#[test]
fn each_type_of_field_keeps_what_people_write_for_it_and_refuses_the_rest() {
    for (key, cell, kept) in [
        ("size", "large", json!("l")),
        ("size", "s", json!("s")),
        ("sizes", "Large; s", json!(["s", "l"])),
        ("sizes", "Small, or less", json!(["s"])),
        ("born", "05.01.1990", json!("1990-01-05")),
        ("seen", "2026-01-05 10:30", json!("2026-01-05T10:30:00Z")),
        ("weight", "1 234,5 ", json!(1234.5)),
        ("weight", "70", json!(70)),
        (
            "price",
            "$1,500.50",
            json!({"amount": "1500.50", "currency": "USD"}),
        ),
        ("vip", "Да", json!(true)),
        ("vip", "no", json!(false)),
        ("page", "https://shop.example/a", json!("https://shop.example/a")),
        ("helper", "Olga@shop.example", json!("opr_1")),
        ("note", "05.01.1990", json!("05.01.1990")),
        ("nobody defined it", "05.01.1990", json!("05.01.1990")),
    ] {
        assert_eq!(judged(key, cell), Ok(Some(kept)), "{key} {cell}");
    }
    for (key, cell) in [
        ("size", "huge"),
        ("sizes", "Large; huge"),
        ("born", "soon"),
        ("seen", "31.02.2026"),
        ("weight", "heavy"),
        ("price", "1500"),
        ("price", "cheap"),
        ("vip", "perhaps"),
        ("page", "shop.example"),
        ("helper", "Nobody"),
        ("note", &"x".repeat(501)),
    ] {
        let (code, column) = judged(key, cell).unwrap_err();
        assert!(code.starts_with("not_"), "{key} {cell}: {code}");
        assert_eq!(
            column.is_some(),
            key == "born",
            "the column is named where one is mapped"
        );
    }
}

fn placed(deal: Deal) -> Result<super::Placed, Vec<String>> {
    let record = Record {
        deal,
        ..Record::default()
    };
    let judged = rules(Kind::Deals).judge(&record, Vec::new());
    judged
        .map(|judged| judged.deal.unwrap())
        .map_err(|wrong| wrong.into_iter().map(|one| one.code).collect())
}

#[test]
fn a_deal_is_where_its_row_says_by_the_names_that_people_know() {
    let deal = |pipeline: Option<&str>, stage: Option<&str>| Deal {
        pipeline: pipeline.map(str::to_owned),
        stage: stage.map(str::to_owned),
        amount: Some("1500".to_owned()),
        ..Deal::default()
    };
    for (pipeline, stage, at, currency) in [
        (None, None, "pip_1 New", "EUR"),
        (None, Some("offer"), "pip_1 Offer", "EUR"),
        (None, Some("Asked"), "pip_2 Asked", "JPY"),
        (Some("rent"), None, "pip_2 Asked", "JPY"),
        (Some("Rent"), Some("closed won"), "pip_2 Moved in", "JPY"),
        (
            Some("Sales"),
            Some("Закрыто и не реализовано"),
            "pip_1 Lost",
            "EUR",
        ),
    ] {
        let placed = placed(deal(pipeline, stage)).unwrap();
        assert_eq!(
            (placed.stage_id.as_str(), placed.currency.as_str()),
            (at, currency)
        );
        assert_eq!(placed.amount, Some(15_000_000));
        assert_eq!(placed.loss_reason.is_some(), placed.kind == StageKind::Lost);
    }
    let too_fine = Deal {
        amount: Some("1.5".to_owned()),
        ..deal(Some("Rent"), None)
    };
    for (deal, code) in [
        (deal(Some("None"), None), "unknown_pipeline"),
        (deal(Some("Rent"), Some("Offer")), "unknown_stage"),
        (deal(None, Some("Elsewhere")), "unknown_stage"),
        (too_fine, "bad_amount"),
    ] {
        assert_eq!(placed(deal), Err(vec![code.to_owned()]));
    }
}

#[test]
fn everything_that_does_not_fit_is_told_at_once() {
    let record = Record {
        name: Some("Anna".to_owned()),
        contact_operator: Some("Nobody".to_owned()),
        contact_fields: BTreeMap::from([("born".to_owned(), "soon".to_owned())]),
        deal: Deal {
            stage: Some("Elsewhere".to_owned()),
            tags: vec!["x".repeat(51)],
            ..Deal::default()
        },
        ..Record::default()
    };
    let wrong = rules(Kind::Deals).judge(&record, Vec::new()).unwrap_err();
    let told: Vec<(&str, Option<&str>)> = wrong
        .iter()
        .map(|one| (one.code.as_str(), one.column.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            ("unknown_operator", None),
            ("not_date", Some("Birthday")),
            ("bad_tags", None),
            ("unknown_stage", Some("Stage")),
        ]
    );
    assert!(
        wrong[3].reason.contains("New, Offer, Won, Lost"),
        "{}",
        wrong[3].reason
    );
}

#[test]
fn what_must_be_filled_is_asked_where_the_file_has_a_column_for_it() {
    let asked = |mapped: bool, born: Option<&str>| {
        let mut rules = rules(Kind::Contacts);
        let contact = rules.definitions.get_mut("contact").unwrap();
        contact
            .iter_mut()
            .for_each(|one| one.required = one.key == "born");
        if !mapped {
            rules.columns.clear();
        }
        let said = born.map(|born| ("born".to_owned(), born.to_owned()));
        let record = Record {
            name: Some("Anna".to_owned()),
            contact_fields: said.into_iter().collect(),
            ..Record::default()
        };
        let wrong = rules.judge(&record, Vec::new()).err();
        wrong.map(|wrong| wrong[0].code.clone())
    };
    assert_eq!(asked(true, Some("05.01.1990")), None);
    assert_eq!(asked(true, None).as_deref(), Some("required"));
    assert_eq!(asked(false, None), None);
}
