//! The contract, and what is HubSpot's own.

use std::time::Duration;

use serde_json::json;
use switchboard_crm::{Stage, SyncError};

use crate::support::{Kind, Trouble, World, hubspot::fixture, lead, reply};

crate::adapter_contract!(fixture());

#[tokio::test(start_paused = true)]
async fn a_contact_is_found_by_its_first_mail_and_by_its_second_one() {
    for email in ["first@client.example", "ivan@client.example"] {
        let (world, adapter) = fixture().world();
        world.crm(|crm| crm.plant_person("+4930999999"));
        let mut mail = lead("lea_1");
        mail.person.phones.clear();
        mail.person.emails = vec![email.to_owned()];
        let made = adapter.create(&mail).await.unwrap();
        assert_eq!(made.person_id.as_deref(), Some("9"), "{email}");
        assert_eq!(world.crm(|crm| crm.people()), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_contact_that_is_in_the_way_is_taken_from_the_refusal() {
    let (world, adapter) = fixture().world();
    world.trouble(
        Kind::Person,
        Trouble::Says(reply(207, json!({"status": "COMPLETE", "results": [], "numErrors": 1, "errors": [{"category": "CONFLICT", "message": "Contact already exists. Existing ID: 51"}]}))),
    );
    let made = adapter.create(&lead("lea_1")).await.unwrap();
    assert_eq!(made.person_id.as_deref(), Some("51"));
}

#[tokio::test(start_paused = true)]
async fn a_part_of_a_batch_that_was_refused_is_a_refusal_though_the_answer_is_207() {
    let (world, adapter) = fixture().world();
    world.trouble(
        Kind::Person,
        Trouble::Says(reply(207, json!({"status": "COMPLETE", "results": [], "numErrors": 1, "errors": [{"category": "VALIDATION_ERROR", "message": "Email address is invalid", "context": {"propertyName": ["email"]}}]}))),
    );
    let error = adapter.create(&lead("lea_1")).await.unwrap_err();
    assert!(
        matches!(&error, SyncError::Refused { field: Some(field), .. } if field == "email"),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_second_deal_of_the_same_lead_is_the_first_one() {
    let (world, adapter) = fixture().world();
    let first = adapter.create(&lead("lea_1")).await.unwrap();
    // Asked for without looking first.
    let second = adapter.create(&lead("lea_1")).await.unwrap();
    assert_eq!(second.id, first.id);
    assert_eq!(world.crm(|crm| crm.leads().len()), 1);
    assert_eq!(
        first.url.as_deref(),
        Some(format!("https://app-eu1.hubspot.com/contacts/4242/deal/{}", first.id).as_str())
    );
}

#[tokio::test(start_paused = true)]
async fn each_policy_of_limits_has_its_own_end() {
    for (policy, seconds) in [("SECONDLY", 1), ("TEN_SECONDLY_ROLLING", 10), ("DAILY", 3600)] {
        let (world, adapter) = fixture().world();
        world.trouble(
            Kind::Create,
            Trouble::Says(reply(429, json!({"message": "limit", "policyName": policy}))),
        );
        let error = adapter.create(&lead("lea_1")).await.unwrap_err();
        assert!(
            matches!(&error, SyncError::Limited { after: Some(after), .. } if *after == Duration::from_secs(seconds)),
            "{policy}: {error:?}"
        );
    }
    let (world, adapter) = fixture().world();
    let mut said = reply(429, json!({"message": "limit", "policyName": "DAILY"}));
    said.headers = vec![("retry-after", "77".to_owned())];
    world.trouble(Kind::Create, Trouble::Says(said));
    let error = adapter.create(&lead("lea_1")).await.unwrap_err();
    assert!(
        matches!(&error, SyncError::Limited { after: Some(after), .. } if after.as_secs() == 77),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_missing_scope_is_named() {
    let (world, adapter) = fixture().world();
    world.trouble(
        Kind::Create,
        Trouble::Says(reply(403, json!({"category": "MISSING_SCOPES", "message": "no", "errors": [{"context": {"requiredGranularScopes": ["crm.objects.deals.write"]}}]}))),
    );
    let error = adapter.create(&lead("lea_1")).await.unwrap_err();
    assert!(
        matches!(&error, SyncError::Auth(text) if text.contains("crm.objects.deals.write")),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn stages_mean_what_their_probability_says() {
    let (_, adapter) = fixture().world();
    let statuses = adapter.statuses().await.unwrap();
    let seen: Vec<(&str, Option<Stage>)> = statuses
        .iter()
        .map(|status| (status.id.as_str(), status.stage))
        .collect();
    assert_eq!(
        seen,
        [
            ("default:new", Some(Stage::Open)),
            ("default:presentation", Some(Stage::Open)),
            ("default:won", Some(Stage::Won)),
            ("default:lost", Some(Stage::Lost)),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_private_app_is_enough() {
    let fixture = fixture();
    let world = World::new(fixture.fake);
    let adapter = world.build(
        fixture.descriptor(),
        json!({"auth": {"method": "token", "token": "pat-fixed"}}),
    );
    adapter.create(&lead("lea_1")).await.unwrap();
    let withdrawn = world.build(
        fixture.descriptor(),
        json!({"auth": {"method": "token", "token": "pat-withdrawn"}}),
    );
    let error = withdrawn.find("lea_1").await.unwrap_err();
    assert!(matches!(error, SyncError::Auth(_)), "{error:?}");
    assert!(!error.to_string().contains("pat-withdrawn"));
}
