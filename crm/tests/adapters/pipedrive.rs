//! The contract, and what is Pipedrive's own.

use serde_json::json;
use switchboard_crm::{Stage, SyncError};

use crate::support::{
    Kind, Reply, Trouble, World, lead,
    pipedrive::{BUDGET, deals, leads},
    reply,
};

crate::adapter_contract!(leads());

mod as_deals {
    use crate::support::pipedrive::deals;

    crate::adapter_contract!(deals());
}

#[tokio::test(start_paused = true)]
async fn a_custom_field_stands_beside_the_others_in_leads_and_apart_in_deals() {
    for (fixture, pointer) in [
        (leads(), format!("/{BUDGET}")),
        (deals(), format!("/custom_fields/{BUDGET}")),
    ] {
        let (world, adapter) = fixture.world();
        let mut full = lead("lea_1");
        full.fields.insert(BUDGET.to_owned(), json!("5000"));
        adapter.create(&full).await.unwrap();
        let asked = world.asked();
        let made = asked
            .iter()
            .find(|request| world.crm(|crm| crm.kind(request) == Kind::Create))
            .unwrap();
        // v2 takes no number in quotation marks.
        assert_eq!(made.body.pointer(&pointer), Some(&json!(5000.0)), "{}", made.body);
        full.fields.insert(BUDGET.to_owned(), json!("a lot"));
        let error = adapter.create(&full).await.unwrap_err();
        assert!(
            matches!(&error, SyncError::Refused { field: Some(field), .. } if field == BUDGET),
            "{error:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_person_comes_first_and_the_lead_names_it() {
    let (world, adapter) = leads().world();
    let made = adapter.create(&lead("lea_1")).await.unwrap();
    let kinds: Vec<Kind> = world
        .asked()
        .iter()
        .map(|request| world.crm(|crm| crm.kind(request)))
        .collect();
    let at = |kind| kinds.iter().position(|one| *one == kind);
    assert!(at(Kind::Person) < at(Kind::Create));
    assert!(made.person_id.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_label_that_is_not_there_is_named() {
    let fixture = leads();
    let world = World::new(fixture.fake);
    let mut settings = (fixture.settings)();
    settings["labels"] = json!(["Lukewarm"]);
    let adapter = world.build(fixture.descriptor(), settings);
    for error in [
        adapter.check().await.unwrap_err(),
        adapter.create(&lead("lea_1")).await.unwrap_err(),
    ] {
        assert!(
            matches!(&error, SyncError::Refused { field: Some(field), message } if field == "labels" && message.contains("Lukewarm")),
            "{error:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_budget_of_a_day_comes_back_with_the_next_day() {
    let (world, adapter) = leads().world();
    let mut spent = reply(429, json!({"success": false, "error": "request over limit"}));
    spent.headers = vec![
        ("x-daily-requests-left", "0".to_owned()),
        ("x-ratelimit-reset", "2".to_owned()),
    ];
    world.trouble(Kind::Create, Trouble::Says(spent));
    let error = adapter.create(&lead("lea_1")).await.unwrap_err();
    // It is ten in the morning.
    assert!(
        matches!(&error, SyncError::Limited { after: Some(after), .. } if after.as_secs() == 14 * 3600),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_blocked_address_is_a_limit() {
    let (world, adapter) = leads().world();
    let page = Reply {
        status: 403,
        headers: Vec::new(),
        body: "<html>Access denied</html>".to_owned(),
    };
    world.trouble(Kind::Create, Trouble::Says(page));
    let error = adapter.create(&lead("lea_1")).await.unwrap_err();
    assert!(
        matches!(&error, SyncError::Limited { after: Some(_), .. }),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_deleted_deal_is_told_to_be_gone_and_won_ones_to_be_won() {
    let (world, adapter) = deals().world();
    let first = adapter.create(&lead("lea_1")).await.unwrap();
    let second = adapter.create(&lead("lea_2")).await.unwrap();
    let begin = adapter.changes(None).await.unwrap();
    world.clock.advance(chrono::TimeDelta::minutes(5));
    let now = switchboard_sdk::Clock::now(&world.clock);
    world.crm(|crm| {
        crm.delete_lead(&first.id, now);
        crm.move_lead(&second.id, "won", now);
    });
    let mut seen = adapter.changes(begin.cursor).await.unwrap().changes;
    seen.sort_by_key(|change| !change.gone);
    assert_eq!(seen.len(), 2);
    assert!(seen[0].gone && seen[0].id == first.id);
    assert_eq!((seen[1].stage, seen[1].gone), (Some(Stage::Won), false));
}

#[tokio::test(start_paused = true)]
async fn an_api_token_is_enough() {
    let fixture = leads();
    let world = World::new(fixture.fake);
    let settings = json!({"company": "shop.pipedrive.com", "auth": {"method": "token", "token": "fixed-token"}, "labels": ["Hot"]});
    let adapter = world.build(fixture.descriptor(), settings);
    adapter.create(&lead("lea_1")).await.unwrap();
    assert!(
        world
            .asked()
            .iter()
            .all(|request| !request.headers.contains_key("authorization"))
    );
}
