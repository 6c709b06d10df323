use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use switchboard_exchange::Record;

use super::{Changes, How, Known, OnDuplicate, Options, World};
use crate::import::read::Read;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_392_000, 0).unwrap()
}

fn row(row_no: i64, record: Record) -> Read {
    Read {
        row_no,
        line: row_no + 1,
        record,
        wrong: Vec::new(),
    }
}

fn person(name: &str, emails: &[&str], phones: &[&str]) -> Record {
    Record {
        name: Some(name.to_owned()),
        emails: emails.iter().map(|one| (*one).to_owned()).collect(),
        phones: phones.iter().map(|one| (*one).to_owned()).collect(),
        ..Record::default()
    }
}

fn take(world: &mut World, rule: OnDuplicate, rows: Vec<Read>) -> Changes {
    let options = Options {
        on_duplicate: rule,
        ..Options::default()
    };
    let how = How {
        import_id: "imp_1",
        options: &options,
        now: now(),
    };
    world.take(rows, &how)
}

fn outcomes(changes: &Changes) -> Vec<&str> {
    changes.rows.iter().map(|row| row.outcome.as_str()).collect()
}

#[test]
fn a_person_who_stands_in_a_file_twice_is_made_once() {
    let rows = || {
        vec![
            row(1, person("Anna", &["a@b.example"], &["+79001234567"])),
            row(2, person("Anna B.", &[], &["+79001234567"])),
        ]
    };
    let skipped = take(&mut World::default(), OnDuplicate::Skip, rows());
    assert_eq!(outcomes(&skipped), ["created", "skipped"]);
    assert_eq!((skipped.new_contacts.len(), skipped.new_leads.len()), (1, 1));
    assert_eq!(skipped.rows[0].contact_id, skipped.rows[1].contact_id);

    let mut world = World::default();
    let updated = take(&mut world, OnDuplicate::Update, rows());
    assert_eq!(outcomes(&updated), ["created", "updated"]);
    assert!(
        updated.changed_contacts.is_empty(),
        "it is written once, as it is in the end"
    );
    assert_eq!(
        world.contacts[&updated.new_contacts[0]].name.as_deref(),
        Some("Anna B.")
    );
}

#[test]
fn filling_leaves_what_is_there_and_updating_replaces_it() {
    for (rule, name, city) in [
        (OnDuplicate::Fill, "Anna", "Riga"),
        (OnDuplicate::Update, "Maria", "Riga"),
    ] {
        let mut world = World::default();
        take(
            &mut world,
            OnDuplicate::Skip,
            vec![row(1, person("Anna", &["a@b.example"], &[]))],
        );
        let mut second = person("Maria", &["a@b.example"], &["+79001234567"]);
        second.contact_fields.insert("city".into(), "Riga".into());
        let changes = take(&mut world, rule, vec![row(2, second)]);
        assert_eq!(outcomes(&changes), ["updated"]);
        let contact = &world.contacts[changes.rows[0].contact_id.as_ref().unwrap()];
        assert_eq!(
            (contact.name.as_deref(), contact.fields["city"].as_str()),
            (Some(name), Some(city))
        );
        assert_eq!((contact.version, changes.identities.len()), (2, 1));
        assert!(changes.new_leads.is_empty());
    }
}

#[test]
fn a_lead_of_its_own_beside_an_open_one_is_of_a_new_contact() {
    let mut world = World::default();
    let first = take(
        &mut world,
        OnDuplicate::Create,
        vec![row(1, person("Anna", &["a@b.example"], &[]))],
    );
    let second = take(
        &mut world,
        OnDuplicate::Create,
        vec![row(2, person("Anna", &["a@b.example"], &["+79001234567"]))],
    );
    assert_eq!(
        (outcomes(&second), second.new_contacts.len()),
        (vec!["created"], 1)
    );
    assert_eq!(second.identities.len(), 1, "the address stays whose it is");
    assert_eq!(
        world.contacts[&second.new_contacts[0]].fields["email"],
        "a@b.example"
    );
    assert_eq!(second.suggestions.len(), 2);
    // A lead that is over leaves room.
    world
        .leads
        .values_mut()
        .for_each(|lead| lead.status = "converted".into());
    let third = take(
        &mut world,
        OnDuplicate::Create,
        vec![row(3, person("Anna", &["a@b.example"], &[]))],
    );
    assert_eq!((third.new_contacts.len(), third.new_leads.len()), (0, 1));
    assert_eq!(third.rows[0].contact_id, first.rows[0].contact_id);
}

#[test]
fn an_operator_nobody_knows_makes_the_row_wrong_and_nothing_else() {
    let mut world = World::default();
    world
        .rules
        .operators
        .insert("olga@shop.example".into(), "opr_1".into());
    let named = |operator: &str| Record {
        lead_operator: Some(operator.to_owned()),
        ..person("Anna", &[&format!("{}@b.example", operator.len())], &[])
    };
    let changes = take(
        &mut world,
        OnDuplicate::Skip,
        vec![row(1, named("Olga@shop.example")), row(2, named("Nobody"))],
    );
    assert_eq!(outcomes(&changes), ["created", "failed"]);
    assert_eq!(changes.new_leads[0].operator_id.as_deref(), Some("opr_1"));
    assert_eq!(
        changes.rows[1].errors.as_ref().unwrap()[0]["code"],
        "unknown_operator"
    );
    assert_eq!(changes.new_contacts.len(), 1);
}

fn records() -> impl Strategy<Value = Vec<Record>> {
    let one =
        (0_u8..6, 0_u8..6, any::<bool>(), any::<bool>()).prop_map(|(email, phone, has_email, closed)| {
            let emails = if has_email {
                vec![format!("{email}@b.example")]
            } else {
                Vec::new()
            };
            Record {
                name: Some("Anna".into()),
                emails,
                phones: vec![format!("+7900123456{phone}")],
                status: closed.then_some("junk"),
                ..Record::default()
            }
        });
    proptest::collection::vec(one, 1..20)
}

proptest! {
    #[test]
    fn nobody_gets_two_open_leads_and_no_address_two_owners(
        records in records(),
        rule in prop::sample::select(vec![OnDuplicate::Skip, OnDuplicate::Fill, OnDuplicate::Update, OnDuplicate::Create]),
        known in prop::option::of(0_u8..6),
    ) {
        let mut world = World::default();
        if let Some(known) = known {
            let contact = take(&mut World::default(), OnDuplicate::Skip, vec![row(1, person("K", &[], &["+70"]))]);
            let id = contact.new_contacts[0].clone();
            let key = ("email".to_owned(), format!("{known}@b.example"));
            world.identities.insert(key, Known { contact_id: id, verified: true });
        }
        let count = records.len();
        let rows = records.into_iter().enumerate().map(|(index, record)| row(index as i64 + 1, record)).collect();
        let changes = take(&mut world, rule, rows);
        prop_assert_eq!(changes.rows.len(), count);
        let mut open = BTreeSet::new();
        for lead in changes.new_leads.iter().filter(|lead| super::is_open(lead)) {
            prop_assert!(open.insert(&lead.contact_id), "two open leads");
        }
        let mut owners = BTreeSet::new();
        for one in &changes.identities {
            prop_assert!(owners.insert((&one.kind, &one.value)), "two owners");
        }
        let counts = changes.counts;
        prop_assert_eq!(counts.created + counts.updated + counts.skipped + counts.failed, count as u64);
    }
}
