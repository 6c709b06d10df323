use chrono::{DateTime, Utc};
use proptest::prelude::*;
use switchboard_exchange::{Record, record::Deal};

use super::super::{Changes, How, OnDuplicate, Options, World};
use crate::import::{Kind, judge::tests::rules, read::Read};

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_392_000, 0).unwrap()
}

fn world() -> World {
    World {
        rules: rules(Kind::Deals),
        ..World::default()
    }
}

fn take(world: &mut World, rule: OnDuplicate, records: Vec<Record>) -> Changes {
    let options = Options {
        on_duplicate: rule,
        ..Options::default()
    };
    let how = How {
        import_id: "imp_1",
        options: &options,
        now: now(),
    };
    let read = |(index, record): (usize, Record)| Read {
        row_no: index as i64 + 1,
        line: index as i64 + 2,
        record,
        wrong: Vec::new(),
    };
    world.take(records.into_iter().enumerate().map(read).collect(), &how)
}

fn sale(number: Option<&str>, title: &str, stage: &str, email: Option<&str>) -> Record {
    Record {
        name: email.map(|_| "Anna".to_owned()),
        emails: email.map(str::to_owned).into_iter().collect(),
        company: Some("Shop".to_owned()),
        deal: Deal {
            title: Some(title.to_owned()),
            stage: Some(stage.to_owned()),
            number: number.map(str::to_owned),
            ..Deal::default()
        },
        ..Record::default()
    }
}

#[test]
fn a_deal_hangs_on_the_person_and_company_of_its_row() {
    let mut world = world();
    let rows = vec![
        sale(None, "First", "New", Some("a@b.example")),
        sale(None, "Second", "Offer", Some("a@b.example")),
        sale(None, "Third", "New", None),
    ];
    let changes = take(&mut world, OnDuplicate::Skip, rows);
    let deals = &changes.new_deals;
    assert_eq!(
        (
            deals.len(),
            changes.new_contacts.len(),
            changes.new_companies.len()
        ),
        (3, 1, 1)
    );
    assert_eq!(deals[0].contact_id.as_ref(), Some(&changes.new_contacts[0]));
    assert_eq!(deals[0].contact_id, deals[1].contact_id);
    assert_eq!(deals[2].contact_id, None);
    assert!(deals.iter().all(|deal| deal.company_id == deals[0].company_id));
    assert_eq!(changes.rows[0].made, "company contact deal");
    assert_eq!(changes.rows[2].deal_id.as_ref(), Some(&deals[2].id));
    assert!(changes.new_leads.is_empty());
    assert_eq!(changes.moves.len(), 3);
}

#[test]
fn a_known_number_is_skipped_filled_updated_or_doubled_as_the_rule_says() {
    for (rule, title, stage, deals) in [
        (OnDuplicate::Skip, "First", "pip_1 New", 0),
        (OnDuplicate::Fill, "First", "pip_1 New", 0),
        (OnDuplicate::Update, "Other", "pip_1 Won", 0),
        (OnDuplicate::Create, "First", "pip_1 New", 1),
    ] {
        let mut world = world();
        take(
            &mut world,
            OnDuplicate::Skip,
            vec![sale(Some("17"), "First", "New", None)],
        );
        let mut second = sale(Some("17"), "Other", "Won", None);
        second.deal.amount = Some("20".to_owned());
        second.deal.operator = Some("olga@shop.example".to_owned());
        let changes = take(&mut world, rule, vec![second]);
        let known = &world.deals["17"];
        assert_eq!(
            (known.title.as_str(), known.stage_id.as_str()),
            (title, stage),
            "{rule:?}"
        );
        assert_eq!(changes.new_deals.len(), deals, "{rule:?}");
        let filled = matches!(rule, OnDuplicate::Fill | OnDuplicate::Update);
        assert_eq!(
            (known.amount, known.operator_id.is_some()),
            (filled.then_some(200_000), filled)
        );
        assert_eq!(changes.changed_deals.len(), usize::from(filled), "{rule:?}");
        assert_eq!(known.state == "won", known.closed_at.is_some());
        if let Some(second) = changes.new_deals.first() {
            assert_eq!(
                (&second.external_id, &second.fields["external_id"]),
                (&None, &"17".into())
            );
        }
    }
}

#[test]
fn a_deal_that_is_over_was_so_since_its_close_date_and_an_open_one_expects_it() {
    let mut won = sale(None, "Won", "Won", None);
    let mut open = sale(None, "Open", "Offer", None);
    let mut future = sale(None, "Future", "Won", None);
    let day = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
    won.deal.closed_at = Some(day);
    open.deal.closed_at = Some(day);
    future.deal.closed_at = Some(now() + chrono::TimeDelta::days(1));
    let changes = take(&mut world(), OnDuplicate::Skip, vec![won, open, future]);
    let deals = &changes.new_deals;
    assert_eq!(
        (deals[0].closed_at, deals[0].stage_since, deals[0].created_at),
        (Some(day), day, day)
    );
    assert_eq!(
        (deals[1].closed_at, &deals[1].fields["close_date"]),
        (None, &"2023-11-14".into())
    );
    assert_eq!(deals[2].closed_at, Some(now()), "nothing was over later than now");
}

proptest! {
    #[test]
    fn no_number_is_of_two_deals_and_each_row_is_counted_once(
        rows in proptest::collection::vec((0_u8..4, 0_usize..3, any::<bool>()), 1..25),
        rule in prop::sample::select(vec![OnDuplicate::Skip, OnDuplicate::Fill, OnDuplicate::Update, OnDuplicate::Create]),
    ) {
        let stages = ["New", "Won", "Elsewhere"];
        let record = |(number, stage, person): &(u8, usize, bool)| {
            let number = (*number > 0).then(|| number.to_string());
            sale(number.as_deref(), "Deal", stages[*stage], person.then_some("a@b.example"))
        };
        let changes = take(&mut world(), rule, rows.iter().map(record).collect());
        let mut numbers = std::collections::BTreeSet::new();
        for deal in &changes.new_deals {
            prop_assert!(deal.external_id.as_ref().is_none_or(|number| numbers.insert(number.clone())));
            prop_assert_eq!(deal.state == "open", deal.closed_at.is_none());
        }
        let counts = changes.counts;
        prop_assert_eq!(counts.created + counts.updated + counts.skipped + counts.failed, rows.len() as u64);
        prop_assert_eq!(counts.deals, changes.new_deals.len() as u64);
        let first_moves = changes.moves.iter().filter(|one| one.from_stage_id.is_none()).count();
        prop_assert_eq!(first_moves, changes.new_deals.len());
    }
}
