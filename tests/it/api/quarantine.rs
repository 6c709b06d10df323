//! What could not be understood.

use bytes::Bytes;
use serde_json::{Value, json};
use switchboard_sdk::{Batch, Clock, InboundBody, InboundEvent, SystemClock};

use crate::{
    fake::{self, FAKE, Script},
    support::{Database, TestApp},
};

async fn poisoned(app: &TestApp, channel: &Value) -> Value {
    let body = InboundBody::Poison {
        reason: "no headers".to_owned(),
        raw: Bytes::from_static(b"\x00\xff<script>").into(),
    };
    let event = InboundEvent {
        external_id: "bad".to_owned(),
        at: SystemClock.now(),
        body,
    };
    app.app
        .ingest
        .deliver(channel["id"].as_str().unwrap(), Batch::one(event))
        .await
        .unwrap();
    app.get("/quarantine").await["items"][0].clone()
}

both_databases! {
    async fn its_bytes_are_kept_as_they_came_for_admins_to_look_at(app: TestApp) {
        let line = app.line("Support", json!({})).await;
        let chat = app.channel("webchat", &line, json!({})).await;
        let entry = poisoned(&app, &chat).await;
        assert_eq!((&entry["reason"], &entry["size"], &entry["channel_id"], &entry["replayed_at"]),
            (&json!("no headers"), &json!(10), &chat["id"], &Value::Null));
        let path = format!("/quarantine/{}", entry["id"].as_str().unwrap());
        let raw = app.client.get(format!("{}/api/v1{path}/raw", app.base)).bearer_auth(&app.key).send().await.unwrap();
        assert_eq!(raw.headers()["content-type"], "application/octet-stream");
        assert!(raw.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"));
        assert_eq!(raw.headers()["x-content-type-options"], "nosniff");
        assert_eq!(raw.bytes().await.unwrap().as_ref(), b"\x00\xff<script>");
        // A chat reads nothing again.
        app.post(&format!("{path}/replay"), json!({})).await.expect(409);
        let (_, operator) = app.operator("Olim", "operator").await;
        let (_, supervisor) = app.operator("Sara", "supervisor").await;
        app.call_as(&operator, "GET", "/quarantine", None).await.expect(403);
        app.call_as(&operator, "POST", &format!("{path}/replay"), None).await.expect(403);
        app.call_as(&supervisor, "GET", "/quarantine", None).await.expect(200);
        app.call_as(&supervisor, "GET", &format!("{path}/raw"), None).await.expect(403);
        app.call("GET", "/quarantine/qrt_nothing/raw", None).await.expect(404);
        app.post("/quarantine/qrt_nothing/replay", json!({})).await.expect(404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_replayed_becomes_a_message_once_however_often_it_is_asked_for() {
    let app = TestApp::start_with(Database::sqlite().await, vec![&FAKE]).await;
    let script = Script::new();
    let line = app.line("Support", json!({})).await;
    let channel = app.channel("fake", &line, script.settings()).await;
    app.app
        .ingest
        .deliver(channel["id"].as_str().unwrap(), fake::poison("p1", "good words"))
        .await
        .unwrap();
    let entry = app.get("/quarantine").await["items"][0].clone();
    let path = format!("/quarantine/{}/replay", entry["id"].as_str().unwrap());
    app.post(&path, json!({})).await.expect(409);
    assert_eq!(app.get("/conversations").await["items"], json!([]));
    script.learns_to_read();
    let (one, two) = tokio::join!(app.post(&path, json!({})), app.post(&path, json!({})));
    assert!(one.status == 200 || two.status == 200, "{one:?} {two:?}");
    app.post(&path, json!({})).await;
    let talks = app.get("/conversations").await["items"]
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(talks.len(), 1);
    let messages = app
        .get(&format!(
            "/conversations/{}/messages",
            talks[0]["id"].as_str().unwrap()
        ))
        .await;
    assert_eq!(messages["items"].as_array().unwrap().len(), 1);
    assert_eq!(messages["items"][0]["text"], "good words");
    assert!(app.get("/quarantine").await["items"][0]["replayed_at"].is_string());
}
