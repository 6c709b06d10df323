//! The contract, and what is Salesforce's own.

use serde_json::json;
use switchboard_crm::{Stage, SyncError};

use crate::support::{
    Kind, Trouble, World, lead, note, reply,
    salesforce::{Salesforce, fixture},
};

crate::adapter_contract!(fixture());

#[tokio::test(start_paused = true)]
async fn a_lead_that_a_duplicate_rule_knows_is_joined_and_found_by_our_id() {
    let (world, adapter) = fixture().world();
    let known = world.crm(|crm| crm.plant_person("+7 (916) 123-45-67"));
    let made = adapter.create(&lead("lea_1")).await.unwrap();
    assert!(made.merged && made.id == known, "{made:?}");
    assert_eq!(adapter.find("lea_1").await.unwrap().unwrap().id, known);
    assert_eq!(world.crm(|crm| crm.people()), 1);
    // A second lead of the same person joins it too, and the first keeps its id.
    let second = adapter.create(&lead("lea_2")).await.unwrap();
    assert!(second.merged && second.id == known, "{second:?}");
    assert_eq!(adapter.find("lea_1").await.unwrap().unwrap().id, known);
}

#[tokio::test(start_paused = true)]
async fn another_one_is_made_where_the_admin_wants_that() {
    let fixture = fixture();
    let world = World::new(fixture.fake);
    let mut settings = (fixture.settings)();
    settings["on_duplicate"] = json!("allow");
    let adapter = world.build(fixture.descriptor(), settings);
    world.crm(|crm| crm.plant_person("+79161234567"));
    let made = adapter.create(&lead("lea_1")).await.unwrap();
    assert!(!made.merged);
    assert_eq!(world.crm(|crm| crm.people()), 2);
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_blocks_and_names_nobody_to_join_is_a_refusal_that_says_what_to_do() {
    let (world, adapter) = fixture().world();
    for _ in 0..2 {
        world.trouble(
            Kind::Create,
            Trouble::Says(reply(400, json!([{"errorCode": "DUPLICATES_DETECTED", "message": "Use one of these records?", "duplicateResult": {"matchResults": [{"matchRecords": [{"record": {"attributes": {"type": "Contact"}, "Id": "003"}}]}]}}]))),
        );
    }
    let error = adapter.create(&lead("lea_1")).await.unwrap_err();
    assert!(
        matches!(&error, SyncError::Refused { message, .. } if message.contains("duplicate rule")),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn asking_twice_makes_one_lead() {
    let (world, adapter) = fixture().world();
    let first = adapter.create(&lead("lea_1")).await.unwrap();
    let second = adapter.create(&lead("lea_1")).await.unwrap();
    assert_eq!(first.id, second.id);
    assert_eq!(world.crm(|crm| crm.leads().len()), 1);
}

#[tokio::test(start_paused = true)]
async fn a_converted_lead_is_won_takes_no_changes_and_its_notes_go_to_its_contact() {
    let (world, adapter) = fixture().world();
    let made = adapter.create(&lead("lea_1")).await.unwrap();
    let begin = adapter.changes(None).await.unwrap();
    world.clock.advance(chrono::TimeDelta::minutes(5));
    let converted =
        json!({"IsConverted": true, "ConvertedContactId": "003C", "Status": "Closed - Converted"});
    let now = switchboard_sdk::Clock::now(&world.clock);
    world.crm(|crm| crm.move_lead(&made.id, "Closed - Converted", now));
    world.crm(|crm| crm.set(&made.id, &converted));
    let seen = adapter.changes(begin.cursor).await.unwrap();
    assert_eq!(seen.changes[0].stage, Some(Stage::Won));
    let mut moved = lead("lea_1");
    moved.status_id = Some("Working".to_owned());
    adapter.update(&made, &moved).await.unwrap();
    adapter.note(&made, &note("ses_1")).await.unwrap();
    let asked = world.asked();
    let task = asked
        .iter()
        .find(|request| request.path.ends_with("/Task"))
        .unwrap();
    assert_eq!(task.body["WhoId"], "003C");
}

#[tokio::test(start_paused = true)]
async fn a_deleted_lead_is_told_to_be_gone() {
    let (world, adapter) = fixture().world();
    let made = adapter.create(&lead("lea_1")).await.unwrap();
    let begin = adapter.changes(None).await.unwrap();
    world.clock.advance(chrono::TimeDelta::minutes(5));
    let now = switchboard_sdk::Clock::now(&world.clock);
    world.crm(|crm| crm.delete_lead(&made.id, now));
    let seen = adapter.changes(begin.cursor).await.unwrap();
    assert!(seen.changes.len() == 1 && seen.changes[0].gone, "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn a_token_goes_to_salesforce_alone_whatever_instance_the_answer_names() {
    let world = World::new(|journal| {
        let mut org = Salesforce::new(journal);
        org.instance = "https://salesforce.com.evil.example".to_owned();
        Box::new(org)
    });
    let adapter = world.build(fixture().descriptor(), (fixture().settings)());
    let error = adapter.find("lea_1").await.unwrap_err();
    assert!(matches!(error, SyncError::Auth(_)), "{error:?}");
    assert!(
        world
            .asked()
            .iter()
            .all(|request| request.host == "shop.my.salesforce.com")
    );
}

#[tokio::test(start_paused = true)]
async fn the_application_can_sign_in_as_itself() {
    let fixture = fixture();
    let world = World::new(fixture.fake);
    world.forget_stored("auth.refresh_token");
    let settings = json!({"domain": "shop.my.salesforce.com", "auth": {"method": "client_credentials", "client_id": "3MVG9", "client_secret": "client-secret"}});
    let adapter = world.build(fixture.descriptor(), settings);
    adapter.create(&lead("lea_1")).await.unwrap();
    assert_eq!(world.crm(|crm| crm.leads().len()), 1);
}

#[tokio::test(start_paused = true)]
async fn a_field_for_our_id_that_is_missing_is_said_by_name() {
    let (world, adapter) = fixture().world();
    world.trouble(
        Kind::Other,
        Trouble::Says(reply(200, json!({"DailyApiRequests": {}}))),
    );
    world.trouble(
        Kind::Other,
        Trouble::Says(reply(
            200,
            json!({"fields": [{"name": "LastName", "type": "string"}]}),
        )),
    );
    let error = adapter.check().await.unwrap_err();
    assert!(
        matches!(&error, SyncError::Auth(text) if text.contains("Switchboard_Id__c")),
        "{error:?}"
    );
    world.trouble(Kind::Other, Trouble::Says(reply(404, json!([{"errorCode": "NOT_FOUND", "message": "Provided external ID field does not exist or is not accessible: Switchboard_Id__c"}]))));
    let error = adapter.find("lea_1").await.unwrap_err();
    assert!(matches!(error, SyncError::Auth(_)), "{error:?}");
}
