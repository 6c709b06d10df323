//! Channels that run by themselves: started again, parked, handed over, told about.

use std::sync::Arc;

use sea_orm::{ActiveModelTrait, EntityTrait, Set, Unchanged};
use serde_json::{Value, json};
use switchboard::{
    connector::{Host, Parts},
    db::entity::{channel as channel_row, message},
};
use switchboard_sdk::{Batch, CancellationToken, Cursor};

use crate::{
    fake::{self, FAKE, Run, Script},
    support::{Database, TestApp},
};

async fn on(database: Database) -> TestApp {
    TestApp::start_with(database, vec![&FAKE]).await
}

async fn channel(app: &TestApp, script: &Script) -> Value {
    let line = app.line(&script.name, json!({})).await;
    app.channel("fake", &line, script.settings()).await
}

async fn health(app: &TestApp, channel: &Value, state: &str) -> Value {
    let path = format!("/channels/{}", channel["id"].as_str().unwrap());
    app.until(state, || async {
        let health = app.get(&path).await["health"].clone();
        (health["state"] == state).then_some(health)
    })
    .await
}

async fn failing_channels_are_started_again(app: TestApp) {
    let script = Script::new();
    script.will_run(&[Run::Panic, Run::Temporary, Run::Panic]);
    let channel = channel(&app, &script).await;
    script
        .until("the fourth start", |script| script.starts() == 4)
        .await;
    let health = health(&app, &channel, "ok").await;
    assert!(
        health["last_error"]
            .as_str()
            .unwrap()
            .contains("the fake fell over"),
        "{health}"
    );
    assert!(health["last_success_at"].is_string());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_or_a_passing_fault_starts_a_channel_again_on_sqlite() {
    failing_channels_are_started_again(on(Database::sqlite().await).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_or_a_passing_fault_starts_a_channel_again_on_postgres() {
    failing_channels_are_started_again(on(Database::postgres().await).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lasting_fault_parks_a_channel_until_its_settings_change() {
    let app = on(Database::sqlite().await).await;
    let script = Script::new();
    script.will_run(&[Run::Permanent]);
    let channel = channel(&app, &script).await;
    let parked = health(&app, &channel, "failed").await;
    assert_eq!(parked["last_error"], "wrong password");
    let path = format!("/channels/{}", channel["id"].as_str().unwrap());
    app.patch(&path, json!({"settings": {"note": "another password"}}))
        .await
        .expect(200);
    let again = health(&app, &channel, "ok").await;
    assert_eq!((script.starts(), &again["last_error"]), (2, &Value::Null));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_broken_channel_does_not_stop_another() {
    let app = on(Database::sqlite().await).await;
    let (broken, sound) = (Script::new(), Script::new());
    broken.will_run(&[Run::Panic; 500]);
    let bad = channel(&app, &broken).await;
    let good = channel(&app, &sound).await;
    health(&app, &bad, "degraded").await;
    health(&app, &good, "ok").await;
    broken.until("three crashes", |script| script.starts() >= 3).await;
    assert_eq!((sound.starts(), sound.running()), (1, 1));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_switched_off_stops_and_runs_again_when_switched_on() {
    let app = on(Database::sqlite().await).await;
    let script = Script::new();
    let channel = channel(&app, &script).await;
    health(&app, &channel, "ok").await;
    let path = format!("/channels/{}", channel["id"].as_str().unwrap());
    app.patch(&path, json!({"enabled": false})).await.expect(200);
    script.until("its end", |script| script.running() == 0).await;
    health(&app, &channel, "disabled").await;
    app.patch(&path, json!({"enabled": true})).await.expect(200);
    health(&app, &channel, "ok").await;
    assert_eq!((script.starts(), script.most_running()), (2, 1));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_cannot_work_are_told_with_their_field() {
    let app = on(Database::sqlite().await).await;
    let script = Script::new();
    let channel = channel(&app, &script).await;
    health(&app, &channel, "ok").await;
    let id = channel["id"].as_str().unwrap();
    // As an older or newer version may have left them: the API would have refused them.
    let row = channel_row::Entity::find_by_id(id)
        .one(app.app.db.read())
        .await
        .unwrap()
        .unwrap();
    let change = channel_row::ActiveModel {
        id: Unchanged(row.id),
        version: Set(row.version + 1),
        settings: Set(json!({"script": "gone"})),
        ..Default::default()
    };
    let write = app.app.db.write().await.unwrap();
    change.update(write.tx()).await.unwrap();
    write.commit().await.unwrap();
    app.app.host.reload(id).await.unwrap();
    let health = health(&app, &channel, "failed").await;
    assert_eq!(health["last_error"], "script: nobody wrote this script");
    let check = app
        .post(&format!("/channels/{id}/check"), json!({}))
        .await
        .expect(200);
    assert_eq!(
        check,
        json!({"ok": false, "detail": "script: nobody wrote this script", "steps": []})
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_of_the_connection_answers_in_words_even_when_it_crashes() {
    let app = on(Database::sqlite().await).await;
    for (run, ok, detail) in [
        (Run::Serve, true, "it would work"),
        (Run::Permanent, false, "wrong password"),
        (Run::Panic, false, "the connector crashed during the test"),
    ] {
        let script = Script::new();
        // The receiver takes the first run, the test looks at the next.
        script.will_run(&[Run::Serve, run]);
        let channel = channel(&app, &script).await;
        script.until("its start", |script| script.starts() == 1).await;
        let path = format!("/channels/{}/check", channel["id"].as_str().unwrap());
        let answer = app.post(&path, json!({})).await.expect(200);
        assert_eq!((&answer["ok"], &answer["detail"]), (&json!(ok), &json!(detail)));
    }
    app.stop().await;
}

fn second_node(app: &TestApp) -> Host {
    let app = &app.app;
    Host::new(Parts {
        descriptors: vec![&FAKE],
        db: app.db.clone(),
        storage: app.storage.clone(),
        vault: app.vault.clone(),
        ingest: app.ingest.clone(),
        clock: Arc::clone(&app.clock),
        node: "the other node".to_owned(),
        public_url: app.config.server.public_url.clone(),
        max_upload_bytes: 1,
        http: switchboard_sdk::NoHttp::shared(),
        live: app.live.clone(),
    })
}

async fn two_nodes(app: TestApp) {
    let script = Script::new();
    let channel = channel(&app, &script).await;
    health(&app, &channel, "ok").await;
    let other = second_node(&app);
    let stop = CancellationToken::new();
    let task = tokio::spawn({
        let (other, stop) = (other.clone(), stop.clone());
        async move { other.run(stop).await }
    });
    // The channel is edited while both know it: each restarts it, one of them runs it.
    let path = format!("/channels/{}", channel["id"].as_str().unwrap());
    for note in ["a", "b"] {
        app.patch(&path, json!({"settings": {"note": note}}))
            .await
            .expect(200);
    }
    script
        .until("a restart", |script| {
            script.starts() >= 2 && script.running() == 1
        })
        .await;
    let starts = script.starts();
    app.app.stop.cancel();
    script
        .until("the other node's turn", |script| {
            script.starts() > starts && script.running() == 1
        })
        .await;
    assert_eq!(script.most_running(), 1);
    stop.cancel();
    task.await.unwrap();
    assert_eq!(script.running(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_nodes_exactly_one_runs_a_channel_and_the_other_takes_over_on_sqlite() {
    two_nodes(on(Database::sqlite().await).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_nodes_exactly_one_runs_a_channel_and_the_other_takes_over_on_postgres() {
    two_nodes(on(Database::postgres().await).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_is_where_the_last_commit_left_it_after_a_restart() {
    let app = on(Database::sqlite().await).await;
    let script = Script::new();
    let channel = channel(&app, &script).await;
    health(&app, &channel, "ok").await;
    let intake = script.intake().unwrap();
    assert_eq!(intake.cursor("INBOX").await, Ok(None));
    let cursor = Cursor {
        name: "INBOX".to_owned(),
        value: json!({"uid": 7}),
    };
    let batch = Batch {
        events: vec![fake::message("1", "a@shop.example", "hello")],
        cursor: Some(cursor),
    };
    let receipt = intake.deliver(batch.clone()).await.unwrap();
    assert!(!receipt.outcomes[0].is_duplicate());
    let app = on(app.stop().await).await;
    script
        .until("the next start", |script| script.starts() == 2)
        .await;
    let intake = script.intake().unwrap();
    assert_eq!(intake.cursor("INBOX").await, Ok(Some(json!({"uid": 7}))));
    assert!(intake.deliver(batch).await.unwrap().outcomes[0].is_duplicate());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_understood_is_replayed_once_a_connector_understands_it() {
    let app = on(Database::sqlite().await).await;
    let script = Script::new();
    let channel = channel(&app, &script).await;
    health(&app, &channel, "ok").await;
    script
        .intake()
        .unwrap()
        .deliver(fake::poison("bad-1", "what a mail"))
        .await
        .unwrap();
    let entry = app.get("/quarantine").await["items"][0].clone();
    let replay = format!("/quarantine/{}/replay", entry["id"].as_str().unwrap());
    app.post(&replay, json!({})).await.expect(409);
    script.learns_to_read();
    for _ in 0..2 {
        let replayed = app.post(&replay, json!({})).await.expect(200);
        assert!(replayed["replayed_at"].is_string());
    }
    let messages = message::Entity::find().all(app.app.db.read()).await.unwrap();
    assert_eq!(
        messages.iter().map(|row| row.body.as_str()).collect::<Vec<_>>(),
        ["what a mail"]
    );
    app.stop().await;
}
