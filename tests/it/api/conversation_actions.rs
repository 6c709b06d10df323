//! What is done with a conversation.

use chrono::TimeDelta;
use serde_json::{Value, json};
use switchboard_sdk::{
    Batch, Clock, Identity, IdentityKind, InboundBody, InboundEvent, InboundMessage, Outcome, Person,
    SystemClock,
};

use crate::support::{Answer, TestApp};

/// A line whose queue holds Anna, a conversation that waits on it, and Anna's key.
struct Scene {
    line: Value,
    channel: String,
    anna: Value,
    key: String,
    id: String,
}

async fn scene(app: &TestApp) -> Scene {
    let (anna, key) = app.operator("Anna", "operator").await;
    let line = app
        .line("Support", json!({"queue": [{"operator_id": anna["id"]}]}))
        .await;
    let channel = app.channel("webchat", &line, json!({})).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let id = write(app, &channel, "one").await;
    Scene {
        line,
        channel,
        anna,
        key,
        id,
    }
}

async fn write(app: &TestApp, channel: &str, external_id: &str) -> String {
    let identity = Identity {
        kind: IdentityKind::External,
        value: "u1".to_owned(),
        verified: true,
    };
    let from = Person {
        identities: vec![identity],
        ..Person::default()
    };
    let event = InboundEvent {
        external_id: external_id.to_owned(),
        at: SystemClock.now(),
        body: InboundBody::Message(InboundMessage {
            from,
            text: "Hello".to_owned(),
            ..InboundMessage::default()
        }),
    };
    let receipt = app.app.ingest.deliver(channel, Batch::one(event)).await.unwrap();
    match &receipt.outcomes[0] {
        Outcome::Stored {
            conversation_id: Some(id),
            ..
        } => id.clone(),
        other => panic!("{other:?}"),
    }
}

impl Scene {
    async fn act(&self, app: &TestApp, key: &str, action: &str, body: Value) -> Answer {
        app.call_as(
            key,
            "POST",
            &format!("/conversations/{}/{action}", self.id),
            Some(body),
        )
        .await
    }

    async fn anna(&self, app: &TestApp, action: &str, body: Value) -> Answer {
        self.act(app, &self.key, action, body).await
    }

    /// The texts of the messages that were not written by the client.
    async fn said(&self, app: &TestApp) -> Vec<String> {
        let listed = app.get(&format!("/conversations/{}/messages", self.id)).await;
        let messages = listed["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|message| message["kind"] != "inbound");
        messages
            .map(|message| message["text"].as_str().unwrap().to_owned())
            .collect()
    }
}

both_databases! {
    async fn a_session_is_taken_closed_and_reopened_as_a_new_one(app: TestApp) {
        let scene = scene(&app).await;
        // A body is not needed where nothing must be said.
        let path = format!("/conversations/{}/take", scene.id);
        let taken = app.call_as(&scene.key, "POST", &path, None).await.expect(200);
        assert_eq!((&taken["session"]["state"], &taken["session"]["operator_id"]), (&json!("assigned"), &scene.anna["id"]));
        let again = scene.anna(&app, "take", json!({})).await.expect(200);
        assert_eq!(again["version"], taken["version"]);
        let closed = scene.anna(&app, "close", json!({"reason": "done"})).await.expect(200);
        assert_eq!((&closed["session"]["state"], &closed["session"]["close_reason"]), (&json!("closed"), &json!("done")));
        assert_eq!(scene.anna(&app, "close", json!({})).await.expect(409)["type"], "/problems/conflict");
        assert_eq!(scene.anna(&app, "take", json!({})).await.status, 409);
        let reopened = scene.anna(&app, "reopen", json!({})).await.expect(200);
        assert_ne!(reopened["session"]["id"], closed["session"]["id"]);
        assert_eq!(reopened["session"]["operator_id"], scene.anna["id"]);
        assert_eq!(scene.anna(&app, "reopen", json!({})).await.status, 409);
        let expected = ["Anna took the conversation", "Anna closed the conversation", "Anna reopened the conversation"];
        assert_eq!(scene.said(&app).await, expected);
        let (_, supervisor) = app.operator("Sara", "supervisor").await;
        assert_eq!(scene.act(&app, &supervisor, "take", json!({})).await.status, 409);
        let forced = scene.act(&app, &supervisor, "take", json!({"force": true})).await.expect(200);
        assert_ne!(forced["session"]["operator_id"], scene.anna["id"]);
    }

    async fn a_transfer_goes_to_a_person_or_to_a_line_and_takes_its_comment_along(app: TestApp) {
        let scene = scene(&app).await;
        let (boris, boris_key) = app.operator("Boris", "operator").await;
        let sales = app.line("Sales", json!({"queue": [{"operator_id": boris["id"]}]})).await;
        scene.anna(&app, "take", json!({})).await.expect(200);
        // Boris sees nothing of it until it is his.
        assert_eq!(scene.act(&app, &boris_key, "close", json!({})).await.status, 404);
        assert_eq!(scene.anna(&app, "transfer", json!({})).await.status, 422);
        assert_eq!(scene.anna(&app, "transfer", json!({"to_operator": "opr_x"})).await.status, 422);
        let body = json!({"to_operator": boris["id"], "silent": true, "comment": "VIP"});
        let moved = scene.anna(&app, "transfer", body).await.expect(200);
        assert_eq!(moved["session"]["operator_id"], boris["id"]);
        assert_eq!(scene.anna(&app, "close", json!({})).await.status, 403);
        let moved = scene.act(&app, &boris_key, "transfer", json!({"to_line": "sales"})).await.expect(200);
        assert_eq!((&moved["line_id"], &moved["session"]["operator_id"]), (&sales["id"], &Value::Null));
        assert_eq!(scene.anna(&app, "take", json!({})).await.status, 404);
        let said = scene.said(&app).await;
        let expected = ["Anna took the conversation", "VIP", "Anna transferred the conversation to Boris",
            "Boris transferred the conversation to Sales"];
        assert_eq!(said, expected);
        app.patch(&format!("/users/{}", scene.anna["id"].as_str().unwrap()), json!({"capacity": 0})).await.expect(200);
        let refused = scene.act(&app, &app.key, "transfer", json!({"to_operator": scene.anna["id"]})).await;
        assert_eq!(refused.expect(409)["type"], "/problems/at-capacity");
    }

    async fn tags_priority_and_participants_are_kept(app: TestApp) {
        let scene = scene(&app).await;
        let tagged = scene.anna(&app, "tags", json!({"add": ["vip", "VIP", "late"], "remove": []})).await.expect(200);
        assert_eq!(tagged["tags"], json!(["vip", "late"]));
        let tagged = scene.anna(&app, "tags", json!({"remove": ["Vip"]})).await.expect(200);
        assert_eq!(tagged["tags"], json!(["late"]));
        assert_eq!(scene.anna(&app, "tags", json!({"add": [" "]})).await.status, 422);
        assert_eq!(scene.anna(&app, "priority", json!({"priority": 7})).await.expect(200)["priority"], 7);
        assert_eq!(scene.anna(&app, "priority", json!({"priority": 5000})).await.status, 422);
        let (sara, supervisor) = app.operator("Sara", "supervisor").await;
        assert_eq!(scene.anna(&app, "participants", json!({"hidden": true})).await.status, 403);
        let body = json!({"operator_id": sara["id"], "hidden": true});
        let joined = scene.act(&app, &supervisor, "participants", body).await.expect(200);
        assert_eq!(joined["participants"], json!([{"operator_id": sara["id"], "hidden": true}]));
        let path = format!("/conversations/{}/participants/{}", scene.id, sara["id"].as_str().unwrap());
        let left = app.call_as(&supervisor, "DELETE", &path, None).await.expect(200);
        assert_eq!(left["participants"], json!([]));
    }

    async fn a_snoozed_conversation_comes_back_in_time_or_when_the_client_writes(app: TestApp) {
        let scene = scene(&app).await;
        scene.anna(&app, "take", json!({})).await.expect(200);
        assert_eq!(scene.anna(&app, "snooze", json!({"until": "2020-01-01T00:00:00Z"})).await.status, 422);
        let awake = || async {
            let seen = app.get(&format!("/conversations/{}", scene.id)).await;
            seen["snoozed_until"].is_null().then_some(())
        };
        let later = SystemClock.now() + TimeDelta::seconds(2);
        assert!(!scene.anna(&app, "snooze", json!({"until": later})).await.expect(200)["snoozed_until"].is_null());
        app.until("its time comes", awake).await;
        scene.anna(&app, "snooze", json!({"until": SystemClock.now() + TimeDelta::days(1)})).await.expect(200);
        write(&app, &scene.channel, "two").await;
        app.until("the client writes", awake).await;
    }

    async fn spam_ends_it_and_nothing_is_offered_yet(app: TestApp) {
        let scene = scene(&app).await;
        assert_eq!(scene.anna(&app, "accept", json!({})).await.status, 409);
        assert_eq!(scene.anna(&app, "decline", json!({})).await.status, 409);
        let spam = scene.anna(&app, "spam", json!({})).await.expect(200);
        assert_eq!(spam["session"]["close_reason"], "spam");
        assert_eq!(spam["line_id"], scene.line["id"]);
    }
}
