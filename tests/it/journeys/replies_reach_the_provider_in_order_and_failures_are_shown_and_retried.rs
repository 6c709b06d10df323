//! An operator's answers on their way out, as the operator's window sees them.

use serde_json::{Value, json};
use switchboard_sdk::SendError;

use crate::{
    fake::{FAKE, Script},
    support::{Database, Socket, TestApp},
};

/// The next state of a message's delivery that fits.
async fn told(window: &mut Socket, message: &Value, state: &str) -> Value {
    let fits = |frame: &Value| {
        frame["type"] == "message.updated"
            && frame["data"]["id"] == message["id"]
            && frame["data"]["delivery"]["state"] == state
    };
    window.until(fits).await["data"]["delivery"].clone()
}

async fn scenario(database: Database) {
    let app = TestApp::start_with(database, vec![&FAKE]).await;
    let script = Script::new();
    let line = app.line("Support", json!({})).await;
    let channel = app.channel("fake", &line, script.settings()).await;
    let id = app.writes(&channel, "olga", "Hello").await;
    let reply = async |text: &str| {
        let body = json!({"text": text, "client_id": text});
        app.post(&format!("/conversations/{id}/messages"), body)
            .await
            .expect(201)
    };
    let mut window = app.socket(&app.key, None).await;
    window.until(|frame| frame["type"] == "hello").await;
    let temporary = || SendError::Retry {
        after: Some(std::time::Duration::from_millis(50)),
        reason: "come back later".to_owned(),
    };
    script.will_answer([
        Err(temporary()),
        Err(temporary()),
        Ok(switchboard_sdk::Sent {
            external_id: Some("p-1".to_owned()),
            ..switchboard_sdk::Sent::default()
        }),
        Err(SendError::Refused {
            reason: "no such address".to_owned(),
        }),
        Err(SendError::Unknown {
            reason: "the line broke".to_owned(),
        }),
    ]);
    let (one, two, three, four) = (
        reply("one").await,
        reply("two").await,
        reply("three").await,
        reply("four").await,
    );
    assert_eq!(
        one["delivery"],
        json!({"state": "queued", "attempts": 0, "error": null})
    );

    // Tried again and again, in order, and each step is shown.
    let waiting = window
        .until(|frame| {
            frame["type"] == "message.updated" && frame["data"]["delivery"]["error"] == "come back later"
        })
        .await;
    assert_eq!(waiting["data"]["id"], one["id"]);
    assert_eq!(
        told(&mut window, &one, "sent").await,
        json!({"state": "sent", "attempts": 3, "error": null})
    );
    assert_eq!(
        told(&mut window, &two, "failed").await["error"],
        "no such address"
    );
    assert_eq!(
        told(&mut window, &three, "uncertain").await["error"],
        "the line broke"
    );
    told(&mut window, &four, "sent").await;
    assert_eq!(script.sent_texts(), ["one", "four"]);
    for (state, expected) in [("failed", &two), ("uncertain", &three)] {
        let listed = app.get(&format!("/outbox?state={state}")).await;
        assert_eq!(listed["items"].as_array().unwrap().len(), 1);
        assert_eq!(listed["items"][0]["message_id"], expected["id"]);
    }
    app.call("GET", "/outbox?state=lost", None).await.expect(400);

    // By hand, once more; each goes out once.
    for message in [&two, &three] {
        let path = format!("/messages/{}/retry", message["id"].as_str().unwrap());
        let (first, second) = tokio::join!(app.post(&path, json!({})), app.post(&path, json!({})));
        let mut statuses = [first.status, second.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{first:?} {second:?}");
        told(&mut window, message, "sent").await;
        app.post(&path, json!({})).await.expect(409);
    }
    assert_eq!(script.sent_texts(), ["one", "four", "two", "three"]);
    assert_eq!(app.get("/outbox").await["items"], json!([]));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite() {
    scenario(Database::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres() {
    scenario(Database::postgres().await).await;
}
