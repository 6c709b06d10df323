//! One channel crashes again and again; the other one's customers are served all the while.

use serde_json::{Value, json};
use switchboard_sdk::Batch;

use crate::{
    fake::{self, FAKE, Run, Script},
    support::{Database, TestApp},
};

#[tokio::test(flavor = "multi_thread")]
async fn and_its_health_says_so() {
    let app = TestApp::start_with(Database::sqlite().await, vec![&FAKE]).await;
    let line = app.line("Support", json!({})).await;
    let (broken, sound) = (Script::new(), Script::new());
    broken.will_run(&[Run::Panic, Run::Panic, Run::Panic]);
    let mut window = app.socket(&app.key, None).await;
    window.until(|frame| frame["type"] == "hello").await;
    let bad = app.channel("fake", &line, broken.settings()).await;
    let good = app.channel("fake", &line, sound.settings()).await;
    let health = |id: &Value, state: &'static str| {
        let id = id.clone();
        move |frame: &Value| {
            frame["type"] == "channel.health"
                && frame["data"]["id"] == id
                && frame["data"]["health"]["state"] == state
        }
    };
    let told = window.until(health(&bad["id"], "degraded")).await;
    assert!(
        told["data"]["health"]["last_error"]
            .as_str()
            .unwrap()
            .contains("fell over"),
        "{told}"
    );
    // Meanwhile a customer of the other channel writes and is answered.
    sound.until("it runs", |script| script.running() == 1).await;
    let receipt = sound
        .intake()
        .unwrap()
        .deliver(Batch::one(fake::message("m1", "olga@x.example", "Hello")))
        .await
        .unwrap();
    assert!(!receipt.outcomes[0].is_duplicate());
    let talk = app.get("/conversations").await["items"][0].clone();
    assert_eq!(talk["channel_id"], good["id"]);
    app.post(
        &format!("/conversations/{}/messages", talk["id"].as_str().unwrap()),
        json!({"text": "Good day"}),
    )
    .await
    .expect(201);
    sound
        .until("it sends", |script| script.sent_texts() == ["Good day"])
        .await;
    // The broken one comes back by itself.
    broken
        .until("the fourth start", |script| {
            script.starts() == 4 && script.running() == 1
        })
        .await;
    window.until(health(&bad["id"], "ok")).await;
    assert_eq!((sound.starts(), broken.most_running()), (1, 1));
    app.stop().await;
}
