//! The contract, and what is Bitrix24's own.

use std::time::Duration;

use serde_json::{Value, json};
use switchboard_crm::SyncError;

use crate::support::{Kind, Trouble, World, bitrix24::fixture, lead, note, reply};

crate::adapter_contract!(fixture());

fn by_webhook() -> Value {
    json!({"auth": {"method": "webhook", "token": "https://shop.bitrix24.com/rest/1/abcdefgh12345678/"}, "source_id": "WEB"})
}

fn bodies(world: &World, method: &str) -> Vec<Value> {
    let asked = world.asked();
    let of = asked
        .iter()
        .filter(|request| request.path.ends_with(&format!("/{method}.json")));
    of.map(|request| request.body.clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_webhook_is_enough_and_its_address_is_never_shown() {
    let fixture = fixture();
    let world = World::new(fixture.fake);
    let adapter = world.build(fixture.descriptor(), by_webhook());
    adapter.create(&lead("lea_1")).await.unwrap();
    assert!(adapter.find("lea_1").await.unwrap().is_some());
    let mut other = by_webhook();
    other["auth"]["token"] = json!("https://shop.bitrix24.com/rest/1/withdrawn12345678/");
    let error = world
        .build(fixture.descriptor(), other)
        .find("lea_1")
        .await
        .unwrap_err();
    assert!(matches!(&error, SyncError::Auth(_)), "{error:?}");
    assert!(!format!("{error:?}").contains("withdrawn12345678"), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lead_has_its_person_its_source_and_its_marks() {
    let fixture = fixture();
    let world = World::new(fixture.fake);
    let adapter = world.build(fixture.descriptor(), by_webhook());
    adapter.create(&lead("lea_1")).await.unwrap();
    let body = &bodies(&world, "crm.item.add")[0];
    assert_eq!(body["entityTypeId"], 1);
    let fields = &body["fields"];
    assert_eq!(fields["originatorId"], "switchboard");
    assert_eq!(fields["originId"], "lea_1");
    assert_eq!(fields["utmSource"], "newsletter");
    assert_eq!(fields["sourceId"], "WEB");
    assert_eq!(
        (&fields["name"], &fields["lastName"]),
        (&json!("Ivan"), &json!("Petrov"))
    );
    assert_eq!(
        fields["fm"],
        json!([
            {"typeId": "PHONE", "valueType": "WORK", "value": "+79161234567"},
            {"typeId": "EMAIL", "valueType": "WORK", "value": "ivan@client.example"},
        ])
    );
}

#[tokio::test(start_paused = true)]
async fn what_fails_within_a_batch_that_is_answered_well_fails() {
    for (failed, wanted) in [
        (
            json!({"error": "QUERY_LIMIT_EXCEEDED", "error_description": "Too many requests"}),
            "limited",
        ),
        (
            json!({"error": "OPERATION_TIME_LIMIT", "error_description": "Method is blocked"}),
            "limited",
        ),
        (
            json!({"error": "insufficient_scope", "error_description": "higher privileges"}),
            "auth",
        ),
        (
            json!({"error": "INTERNAL_SERVER_ERROR", "error_description": "oops"}),
            "temporary",
        ),
    ] {
        let fixture = fixture();
        let (world, adapter) = fixture.world();
        world.trouble(
            Kind::Other,
            Trouble::Says(reply(
                200,
                json!({"result": {"fields": {"title": {"type": "string", "title": "Title"}}}}),
            )),
        );
        world.trouble(Kind::Other, Trouble::Says(reply(200, json!({"result": []}))));
        world.trouble(
            Kind::Other,
            Trouble::Says(reply(
                200,
                json!({"result": {"result": [], "result_error": {"CONTACT_PHONE": failed}}}),
            )),
        );
        let error = adapter.create(&lead("lea_1")).await.unwrap_err();
        let kind = match error {
            SyncError::Limited { after: Some(_), .. } => "limited",
            SyncError::Auth(_) => "auth",
            SyncError::Temporary(_) => "temporary",
            other => panic!("{other:?}"),
        };
        assert_eq!(kind, wanted);
        assert_eq!(world.crm(|crm| crm.leads().len()), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_method_that_worked_too_long_is_left_alone_until_its_time_is_given_back() {
    let (world, adapter) = fixture().world();
    adapter.create(&lead("lea_1")).await.unwrap();
    world.trouble(
        Kind::Create,
        Trouble::Says(reply(429, json!({"error": "OPERATION_TIME_LIMIT", "error_description": "Method is blocked due to operation time limit."}))),
    );
    let error = adapter.create(&lead("lea_2")).await.unwrap_err();
    // As the last good answer of the method said.
    assert!(
        matches!(&error, SyncError::Limited { after: Some(after), .. } if *after == Duration::from_secs(400)),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_value_that_is_refused_is_named_by_its_id_though_the_portal_says_its_label() {
    let (_, adapter) = fixture().world();
    let mut wrong = lead("lea_1");
    wrong.fields.insert("opportunity".to_owned(), json!("a lot"));
    let error = adapter.create(&wrong).await.unwrap_err();
    assert!(
        matches!(&error, SyncError::Refused { field: Some(field), .. } if field == "opportunity"),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_portal_that_is_blocked_by_hand_or_closed_raises_an_alarm() {
    for (status, code) in [
        (503, "OVERLOAD_LIMIT"),
        (500, "PORTAL_DELETED"),
        (403, "ACCESS_DENIED"),
        (401, "NO_AUTH_FOUND"),
    ] {
        let (world, adapter) = fixture().world();
        world.trouble(
            Kind::Other,
            Trouble::Says(reply(status, json!({"error": code, "error_description": "no"}))),
        );
        let error = adapter.find("lea_1").await.unwrap_err();
        assert!(matches!(error, SyncError::Auth(_)), "{code}: {error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_than_twenty_values_are_looked_for_and_each_kind_apart() {
    let (world, adapter) = fixture().world();
    let mut many = lead("lea_1");
    many.person.phones = (0..30).map(|number| format!("+7916000{number:04}")).collect();
    // The portal in memory refuses more, and a search for all kinds at once.
    adapter.create(&many).await.unwrap();
    let batch = &bodies(&world, "batch")[0];
    let commands: Vec<&String> = batch["cmd"].as_object().unwrap().keys().collect();
    assert_eq!(
        commands,
        ["COMPANY_EMAIL", "COMPANY_PHONE", "CONTACT_EMAIL", "CONTACT_PHONE"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_goes_to_the_portal_of_the_settings_whatever_the_answer_names() {
    let (world, adapter) = fixture().world();
    adapter.create(&lead("lea_1")).await.unwrap();
    let hosts: Vec<String> = world.asked().into_iter().map(|request| request.host).collect();
    assert!(
        hosts
            .iter()
            .all(|host| ["shop.bitrix24.com", "oauth.bitrix24.tech"].contains(&host.as_str())),
        "{hosts:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_customer_wrote_is_no_markup_in_the_timeline() {
    let (world, adapter) = fixture().world();
    let made = adapter.create(&lead("lea_1")).await.unwrap();
    let mut hostile = note("ses_1");
    hostile.text = "[url=https://evil.example]your bank[/url]".to_owned();
    let first = adapter.note(&made, &hostile).await.unwrap();
    let comment = &bodies(&world, "crm.timeline.comment.add")[0]["fields"]["COMMENT"];
    assert!(!comment.as_str().unwrap().contains("[url"), "{comment}");
    assert_eq!(adapter.note(&made, &hostile).await.unwrap(), first);
}
