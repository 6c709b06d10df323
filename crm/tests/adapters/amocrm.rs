//! The contract, and what is amoCRM's own.

use std::time::Duration;

use serde_json::json;
use switchboard_crm::{Stage, SyncError};

use crate::support::{Journal, Kind, Reply, Trouble, World, amocrm::fixture, lead, reply};

crate::adapter_contract!(fixture());

#[tokio::test(start_paused = true)]
async fn a_lead_that_the_duplicate_control_joined_is_said_to_be_merged_and_keeps_both_ids() {
    let fixture = fixture();
    let (world, adapter) = fixture.world();
    let first = adapter.create(&lead("lea_1")).await.unwrap();
    let mut stranger = lead("lea_2");
    stranger.person.phones = vec!["+4930123456".to_owned()];
    stranger.person.emails = vec!["other@client.example".to_owned()];
    world.trouble(
        Kind::Create,
        Trouble::Says(reply(
            200,
            json!([{"id": first.id.parse::<i64>().unwrap(), "contact_id": 9, "company_id": null, "request_id": ["0"], "merged": true}]),
        )),
    );
    let second = adapter.create(&stranger).await.unwrap();
    assert!(second.merged && second.id == first.id, "{second:?}");
    for ours in ["lea_1", "lea_2"] {
        assert_eq!(adapter.find(ours).await.unwrap().unwrap().id, first.id, "{ours}");
    }
    assert_eq!(adapter.find("lea").await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_blocked_address_is_a_limit_and_a_missing_right_is_none() {
    let (world, adapter) = fixture().world();
    let page = Reply {
        status: 403,
        headers: Vec::new(),
        body: "<html>403 Forbidden</html>".to_owned(),
    };
    world.trouble(Kind::Create, Trouble::Says(page));
    let error = adapter.create(&lead("lea_1")).await.unwrap_err();
    assert!(
        matches!(&error, SyncError::Limited { after: Some(after), .. } if *after >= Duration::from_secs(600)),
        "{error:?}"
    );
    world.trouble(
        Kind::Create,
        Trouble::Says(reply(402, json!({"title": "Payment Required"}))),
    );
    let error = adapter.create(&lead("lea_1")).await.unwrap_err();
    assert!(matches!(error, SyncError::Auth(_)), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn values_are_written_as_the_kind_of_their_field_wants_them() {
    let (world, adapter) = fixture().world();
    let mut full = lead("lea_1");
    full.fields.insert("77".to_owned(), json!(5000));
    full.fields.insert("78".to_owned(), json!("Door"));
    full.fields.insert("80".to_owned(), json!("2026-01-05"));
    full.fields.insert("price".to_owned(), json!("99.5"));
    full.status_id = Some("2:21".to_owned());
    adapter.create(&full).await.unwrap();
    let asked = world.asked();
    let made = asked
        .iter()
        .find(|request| request.path.ends_with("/leads/complex"))
        .unwrap();
    let body = &made.body[0];
    assert_eq!(
        (&body["pipeline_id"], &body["status_id"]),
        (&json!(2), &json!(21))
    );
    assert_eq!(body["price"], 100);
    let value = |id: i64| {
        let fields = body["custom_fields_values"].as_array().unwrap();
        fields.iter().find(|field| field["field_id"] == id).unwrap()["values"][0].clone()
    };
    assert_eq!(value(77), json!({"value": "5000"}));
    assert_eq!(value(78), json!({"enum_id": 501}));
    assert_eq!(value(79), json!({"value": "newsletter"}));
    assert_eq!(value(80), json!({"value": 1_767_614_400}));
    assert_eq!(
        body["_embedded"]["contacts"][0]["custom_fields_values"][0],
        json!({"field_code": "PHONE", "values": [{"value": "+79161234567", "enum_code": "WORK"}]})
    );
}

#[tokio::test(start_paused = true)]
async fn a_value_that_is_refused_is_named_by_the_path_in_the_answer() {
    let (_, adapter) = fixture().world();
    let mut wrong = lead("lea_1");
    wrong.fields.insert("77".to_owned(), json!("a lot"));
    let error = adapter.create(&wrong).await.unwrap_err();
    assert!(
        matches!(&error, SyncError::Refused { field: Some(field), .. } if field == "77"),
        "{error:?}"
    );
    wrong.fields.clear();
    wrong.fields.insert("78".to_owned(), json!("Window"));
    let error = adapter.create(&wrong).await.unwrap_err();
    assert!(
        matches!(&error, SyncError::Refused { field: Some(field), .. } if field == "78"),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_lead_in_the_bin_is_told_to_be_gone() {
    let (world, adapter) = fixture().world();
    let made = adapter.create(&lead("lea_1")).await.unwrap();
    let begin = adapter.changes(None).await.unwrap();
    world.clock.advance(chrono::TimeDelta::minutes(5));
    let now = switchboard_sdk::Clock::now(&world.clock);
    world.crm(|crm| crm.delete_lead(&made.id, now));
    let seen = adapter.changes(begin.cursor).await.unwrap();
    assert_eq!(seen.changes.len(), 1);
    assert!(seen.changes[0].gone && seen.changes[0].id == made.id);
}

#[tokio::test(start_paused = true)]
async fn the_last_two_statuses_are_told_apart_by_their_pipeline() {
    let (_, adapter) = fixture().world();
    let statuses = adapter.statuses().await.unwrap();
    let won: Vec<&str> = statuses
        .iter()
        .filter(|status| status.stage == Some(Stage::Won))
        .map(|status| status.id.as_str())
        .collect();
    assert_eq!(won, ["1:142", "2:142"]);
    // Incoming leads are accepted by people.
    assert!(!statuses.iter().any(|status| status.id == "1:10"));
}

#[tokio::test(start_paused = true)]
async fn a_long_lived_token_needs_no_application() {
    let world = World::new(|journal: Journal| (fixture().fake)(journal));
    let settings =
        json!({"account": "https://shop.kommo.com/", "auth": {"method": "token", "token": "long-lived"}});
    world.build(fixture().descriptor(), settings.clone());
    let mut missing = settings;
    missing["auth"] = json!({"method": "token"});
    let error = (fixture().descriptor().build)(missing, world.context())
        .err()
        .unwrap();
    assert_eq!(error.field, "auth.token");
}
