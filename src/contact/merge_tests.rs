//! What merging two contacts promises.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Filled, HeldLead, Journal, LeadsBack, OpenLead, Side, Suggestion, leads_back, plan, unfilled};

fn lead(id: &str, status: &str, day: i64, first: &str, last: &str) -> OpenLead {
    let touch = |source: &str| {
        if source.is_empty() {
            json!({})
        } else {
            json!({"utm_source": source})
        }
    };
    OpenLead {
        id: id.to_owned(),
        status: status.to_owned(),
        created_at: DateTime::from_timestamp(day * 86_400, 0).unwrap(),
        values: BTreeMap::new(),
        attribution: json!({"first": touch(first), "last": touch(last)}),
        named_by: BTreeMap::from([("conversation".to_owned(), vec![format!("cnv_{id}")])]),
    }
}

fn side(id: &str) -> Side {
    Side {
        id: id.to_owned(),
        ..Side::default()
    }
}

fn suggestion(contact_id: &str, other_id: &str) -> Suggestion {
    Suggestion {
        contact_id: contact_id.to_owned(),
        other_id: other_id.to_owned(),
        reason: "the same phone number was given".to_owned(),
        created_at: DateTime::from_timestamp(0, 0).unwrap(),
    }
}

#[test]
fn the_survivor_keeps_what_it_has_and_gets_what_it_lacks() {
    let mut from = side("cnt_a");
    from.values = BTreeMap::from([
        ("name".to_owned(), json!("Anna K.")),
        ("company_id".to_owned(), json!("cmp_1")),
        ("language".to_owned(), Value::Null),
        ("fields.size".to_owned(), json!("L")),
    ]);
    from.tags = BTreeSet::from(["vip".to_owned(), "old".to_owned()]);
    let mut into = side("cnt_b");
    into.values = BTreeMap::from([
        ("name".to_owned(), json!("Anna")),
        ("company_id".to_owned(), Value::Null),
    ]);
    into.tags = BTreeSet::from(["vip".to_owned()]);
    let journal = plan(&from, &into);
    let filled: Vec<(&str, &Value)> = journal
        .filled
        .iter()
        .map(|one| (one.field.as_str(), &one.after))
        .collect();
    assert_eq!(
        filled,
        [("company_id", &json!("cmp_1")), ("fields.size", &json!("L"))]
    );
    assert_eq!(journal.tags, ["old"]);
}

#[test]
fn of_two_open_leads_the_survivors_stays_with_the_touches_of_both() {
    let (mut from, mut into) = (side("cnt_a"), side("cnt_b"));
    let mut older = lead("led_a", "in_progress", 1, "google", "mail");
    older.values = BTreeMap::from([("operator_id".to_owned(), json!("opr_1"))]);
    from.open_lead = Some(older);
    into.open_lead = Some(lead("led_b", "new", 2, "yandex", ""));
    let folded = plan(&from, &into).folded.unwrap();
    assert_eq!((folded.lead.as_str(), folded.into.as_str()), ("led_a", "led_b"));
    let after = |field: &str| {
        let found = folded.filled.iter().find(|one| one.field == field);
        found.map(|one| one.after.clone())
    };
    assert_eq!(after("status"), Some(json!("in_progress")));
    assert_eq!(after("operator_id"), Some(json!("opr_1")));
    let touches = json!({"first": {"utm_source": "google"}, "last": {"utm_source": "mail"}});
    assert_eq!(after("attribution"), Some(touches));
    // One open lead alone just moves.
    into.open_lead = None;
    assert_eq!(plan(&from, &into).folded, None);
}

#[test]
fn a_conversation_becomes_the_survivors_one_on_its_channel_unless_there_is_one() {
    let (mut from, mut into) = (side("cnt_a"), side("cnt_b"));
    let thread = |id: &str, channel: &str| (id.to_owned(), channel.to_owned());
    from.threads = vec![thread("cnv_1", "chn_form"), thread("cnv_2", "chn_phone")];
    into.threads = vec![thread("cnv_3", "chn_form")];
    assert_eq!(plan(&from, &into).threads, ["cnv_2"]);
}

#[test]
fn suggestions_move_to_the_survivor_but_not_those_of_the_two_and_of_others_who_are_not() {
    let (mut from, mut into) = (side("cnt_a"), side("cnt_b"));
    from.suggestions = ["cnt_b", "cnt_c", "cnt_d", "cnt_e"]
        .map(|other| suggestion("cnt_a", other))
        .to_vec();
    from.suggestions.push(suggestion("cnt_f", "cnt_a"));
    into.suggestions = vec![suggestion("cnt_c", "cnt_b")];
    into.distinct = BTreeSet::from(["cnt_d".to_owned()]);
    from.distinct = BTreeSet::from(["cnt_g".to_owned(), "cnt_b".to_owned()]);
    let journal = plan(&from, &into);
    let others: Vec<&str> = journal
        .suggested
        .iter()
        .map(|one| one.other_id.as_str())
        .collect();
    assert_eq!(others, ["cnt_e", "cnt_f"]);
    assert_eq!(journal.unsuggested.len(), 5);
    assert_eq!(journal.distinct, [("cnt_b".to_owned(), "cnt_g".to_owned())]);
}

#[test]
fn undoing_leaves_what_somebody_changed_since() {
    let filled = |field: &str, after: &str| Filled {
        field: field.to_owned(),
        before: Value::Null,
        after: json!(after),
    };
    let all = [filled("name", "Anna"), filled("language", "ru")];
    let now = |field: &str| {
        if field == "name" {
            json!("Anna K.")
        } else {
            json!("ru")
        }
    };
    let undone: Vec<(&str, &Value)> = unfilled(&all, now).collect();
    assert_eq!(undone, [("language", &Value::Null)]);
}

#[test]
fn a_lead_that_began_since_in_a_conversation_that_goes_back_goes_with_it_unless_there_is_an_open_one() {
    let journal = Journal {
        moved: BTreeMap::from([
            ("lead".to_owned(), vec!["led_a".to_owned()]),
            ("conversation".to_owned(), vec!["cnv_a".to_owned()]),
        ]),
        ..Journal::default()
    };
    let held = |id: &str, status: &str, thread: &str| HeldLead {
        id: id.to_owned(),
        status: status.to_owned(),
        conversation_id: Some(thread.to_owned()),
    };
    let closed = [
        held("led_a", "junk", "cnv_a"),
        held("led_n", "new", "cnv_a"),
        held("led_b", "junk", "cnv_b"),
    ];
    assert_eq!(leads_back(&journal, &closed).back, ["led_a", "led_n"]);
    let open = [
        held("led_a", "new", "cnv_a"),
        held("led_n", "in_progress", "cnv_a"),
    ];
    let expected = LeadsBack {
        back: vec!["led_a".to_owned()],
        reopened: None,
        parted: vec!["led_n".to_owned()],
    };
    assert_eq!(leads_back(&journal, &open), expected);
}

fn values() -> impl Strategy<Value = BTreeMap<String, Value>> {
    let value = proptest::option::of("[x-z]").prop_map(|value| json!(value));
    proptest::collection::btree_map("[a-e]", value, 0..5)
}

proptest! {
    /// The survivor's values, with what the plan fills and then takes back, are what they were; with something
    /// changed between, that stays and all else is as it was.
    #[test]
    fn filling_and_undoing_gives_the_values_back(from in values(), into in values(), changed in values()) {
        let (mut a, mut b) = (side("cnt_a"), side("cnt_b"));
        (a.values, b.values) = (from, into.clone());
        let journal = plan(&a, &b);
        let mut present = into.clone();
        for one in &journal.filled {
            prop_assert!(into.get(&one.field).is_none_or(Value::is_null), "nothing is overwritten");
            present.insert(one.field.clone(), one.after.clone());
        }
        let since: BTreeMap<String, Value> =
            changed.into_iter().filter(|(field, value)| present.get(field) != Some(value)).collect();
        present.extend(since.clone());
        let now = present.clone();
        for (field, before) in unfilled(&journal.filled, |field| now.get(field).cloned().unwrap_or_default()) {
            present.insert(field.to_owned(), before.clone());
        }
        let null = Value::Null;
        for field in ["a", "b", "c", "d", "e"] {
            let expected = since.get(field).or_else(|| into.get(field)).unwrap_or(&null);
            prop_assert_eq!(present.get(field).unwrap_or(&null), expected);
        }
    }

    /// Whatever was opened and closed in between, no contact has two open leads after an undo, and each lead that
    /// was the other's goes back.
    #[test]
    fn undoing_gives_every_lead_back_and_leaves_nobody_with_two_open_ones(
        folds in any::<bool>(),
        // Of each lead: whose it was (moved, survivor's, began since), and in whose conversation.
        leads in proptest::collection::vec((0_u8..3, any::<bool>()), 1..6),
        open in 0_usize..7,
    ) {
        let mut journal = Journal::default();
        let mut held: Vec<HeldLead> = Vec::new();
        for (index, (whose, there)) in leads.iter().enumerate() {
            let id = format!("led_{index}");
            if *whose == 0 {
                journal.moved.entry("lead".to_owned()).or_default().push(id.clone());
            }
            // The database allows one open lead of the survivor.
            let status = if index == open { "new" } else { "junk" };
            let thread = if *there && *whose != 1 { "cnv_a" } else { "cnv_b" };
            held.push(HeldLead { id, status: status.to_owned(), conversation_id: Some(thread.to_owned()) });
        }
        journal.moved.insert("conversation".to_owned(), vec!["cnv_a".to_owned()]);
        if folds {
            journal.moved.entry("lead".to_owned()).or_default().push("led_f".to_owned());
            held.push(HeldLead { id: "led_f".to_owned(), status: "merged".to_owned(), conversation_id: Some("cnv_a".to_owned()) });
            journal.folded = Some(super::Folded {
                lead: "led_f".to_owned(), status: "in_progress".to_owned(), into: "led_x".to_owned(),
                filled: Vec::new(), named_by: BTreeMap::new(),
            });
        }
        let result = leads_back(&journal, &held);
        let is_open = |status: &str| status == "new" || status == "in_progress";
        let mut theirs = 0;
        for lead in &held {
            if result.back.contains(&lead.id) && is_open(&lead.status) {
                theirs += 1;
            }
            if journal.moved.get("lead").is_some_and(|moved| moved.contains(&lead.id)) {
                prop_assert!(result.back.contains(&lead.id));
            }
        }
        theirs += usize::from(result.reopened.as_ref().is_some_and(|(_, status)| is_open(status)));
        prop_assert!(theirs <= 1);
        prop_assert_eq!(result.reopened.is_some(), folds);
    }
}
