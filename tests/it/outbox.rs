//! Answers on their way out: in order, once, and with an honest state.

use std::{collections::HashMap, sync::Arc, time::Duration};

use chrono::TimeDelta;
use sea_orm::{ActiveModelTrait, EntityTrait, Set, Unchanged};
use serde_json::{Value, json};
use switchboard::{
    connector::{Host, Parts},
    db::entity::{outbox, thread_ref},
    outbound::Dispatcher,
};
use switchboard_sdk::{Batch, CancellationToken, Outcome, SendError};

use crate::{
    fake::{self, FAKE, IDEMPOTENT, Script},
    support::{Database, TestApp},
};

/// Runs a scenario on both databases with the fakes.
macro_rules! both {
    ($($name:ident => $scenario:ident),+ $(,)?) => {
        $(
            mod $name {
                use super::*;

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_sqlite() {
                    $scenario(start(Database::sqlite().await).await).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_postgres() {
                    $scenario(start(Database::postgres().await).await).await;
                }
            }
        )+
    };
}

both! {
    an_answer_is_sent_and_known_by_its_own_id_and_the_providers => sent,
    a_later_answer_waits_while_an_earlier_one_is_retried => in_order,
    a_refused_answer_is_a_dead_letter_that_holds_nothing_back_and_can_be_sent_again => refused,
    an_answer_that_may_have_gone_out_is_not_sent_again_unless_the_provider_tells_repeats => uncertain,
    what_a_dead_process_was_sending_is_uncertain_or_sent_again => abandoned,
    two_nodes_send_every_answer_once_and_each_conversation_in_order => two_nodes,
    a_channel_that_is_off_keeps_its_answers_until_it_is_on => switched_off,
    a_connector_that_crashes_leaves_an_uncertain_answer => crashed,
}

async fn start(database: Database) -> TestApp {
    TestApp::start_with(database, vec![&FAKE, &IDEMPOTENT]).await
}

struct Talk {
    script: Arc<Script>,
    channel: Value,
    id: String,
}

/// A conversation with a customer on a new channel.
async fn talk(app: &TestApp, kind: &str) -> Talk {
    let script = Script::new();
    let line = app.line(&script.name, json!({})).await;
    let channel = app.channel(kind, &line, script.settings()).await;
    let id = conversation(app, &channel, "ann@shop.example").await;
    Talk { script, channel, id }
}

async fn conversation(app: &TestApp, channel: &Value, from: &str) -> String {
    let event = fake::message(from, from, "hello");
    let receipt = app
        .app
        .ingest
        .deliver(channel["id"].as_str().unwrap(), Batch::one(event))
        .await
        .unwrap();
    match &receipt.outcomes[0] {
        Outcome::Stored { conversation_id, .. } => conversation_id.clone().unwrap(),
        other => panic!("{other:?}"),
    }
}

async fn reply(app: &TestApp, conversation: &str, text: &str) -> String {
    let path = format!("/conversations/{conversation}/messages");
    let message = app
        .post(&path, json!({"text": text, "kind": "reply"}))
        .await
        .expect(201);
    assert_eq!(message["delivery"]["state"], "queued");
    message["id"].as_str().unwrap().to_owned()
}

async fn messages(app: &TestApp, conversation: &str) -> Vec<Value> {
    app.get(&format!("/conversations/{conversation}/messages?limit=200"))
        .await["items"]
        .as_array()
        .unwrap()
        .clone()
}

async fn delivery(app: &TestApp, conversation: &str, message: &str) -> Value {
    let messages = messages(app, conversation).await;
    messages.iter().find(|row| row["id"] == message).unwrap()["delivery"].clone()
}

#[track_caller]
fn until_state<'a>(
    app: &'a TestApp,
    talk: &'a str,
    message: &'a str,
    state: &'a str,
) -> impl Future<Output = Value> + 'a {
    app.until(state, move || async move {
        let delivery = delivery(app, talk, message).await;
        (delivery["state"] == state).then_some(delivery)
    })
}

async fn row(app: &TestApp, message: &str) -> Option<outbox::Model> {
    outbox::Entity::find_by_id(message)
        .one(app.app.db.read())
        .await
        .unwrap()
}

async fn change_row(app: &TestApp, change: outbox::ActiveModel) {
    let write = app.app.db.write().await.unwrap();
    change.update(write.tx()).await.unwrap();
    write.commit().await.unwrap();
}

/// What waits for its next attempt is due now.
async fn hurry(app: &TestApp, message: &str) {
    let now = app.app.clock.now();
    change_row(
        app,
        outbox::ActiveModel {
            message_id: Unchanged(message.to_owned()),
            due_at: Set(Some(now)),
            ..Default::default()
        },
    )
    .await;
}

fn again() -> SendError {
    SendError::Retry {
        after: None,
        reason: "greylisted".to_owned(),
    }
}

async fn sent(app: TestApp) {
    let talk = talk(&app, "fake").await;
    let message = reply(&app, &talk.id, "good morning").await;
    let delivery = until_state(&app, &talk.id, &message, "sent").await;
    assert_eq!(delivery, json!({"state": "sent", "attempts": 1, "error": null}));
    assert_eq!(row(&app, &message).await, None);
    let sent = talk.script.sent();
    assert_eq!(
        (sent.len(), sent[0].to.as_str(), sent[0].text.as_str()),
        (1, "ann@shop.example", "good morning")
    );
    assert_eq!((sent[0].id.as_str(), sent[0].attempt), (message.as_str(), 1));
    let stored = messages(&app, &talk.id).await;
    assert_eq!(
        stored.last().unwrap()["external_id"],
        format!("provider:{message}")
    );
    for id in [format!("own:{message}"), format!("provider:{message}")] {
        let key = (talk.channel["id"].as_str().unwrap().to_owned(), id);
        let known = thread_ref::Entity::find_by_id(key)
            .one(app.app.db.read())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(known.message_id.as_deref(), Some(message.as_str()));
    }
    // The next one refers to it.
    reply(&app, &talk.id, "still there?").await;
    talk.script
        .until("the second send", |script| script.sent().len() == 2)
        .await;
    assert!(
        talk.script.sent()[1]
            .references
            .contains(&format!("own:{message}"))
    );
    app.stop().await;
}

async fn in_order(app: TestApp) {
    let talk = talk(&app, "fake").await;
    talk.script.will_answer([Err(again())]);
    let first = reply(&app, &talk.id, "first").await;
    let waiting = app
        .until("the retry", || async {
            let delivery = delivery(&app, &talk.id, &first).await;
            (delivery["error"] == "greylisted").then_some(delivery)
        })
        .await;
    assert_eq!(
        (&waiting["state"], &waiting["attempts"]),
        (&json!("queued"), &json!(1))
    );
    let due_at = row(&app, &first).await.unwrap().due_at.unwrap();
    assert!(
        due_at > app.app.clock.now() + TimeDelta::seconds(1),
        "a pause before the next attempt"
    );
    let second = reply(&app, &talk.id, "second").await;
    // Another conversation of the channel is not held back, and shows that the outbox was looked at.
    let other = conversation(&app, &talk.channel, "bob@shop.example").await;
    reply(&app, &other, "elsewhere").await;
    talk.script
        .until("the other one", |script| script.sent_texts() == ["elsewhere"])
        .await;
    assert_eq!(delivery(&app, &talk.id, &second).await["state"], "queued");
    hurry(&app, &first).await;
    until_state(&app, &talk.id, &second, "sent").await;
    assert_eq!(talk.script.sent_texts(), ["elsewhere", "first", "second"]);
    assert_eq!(talk.script.sent()[1].attempt, 2);
    app.stop().await;
}

async fn refused(app: TestApp) {
    let talk = talk(&app, "fake").await;
    talk.script.will_answer([Err(SendError::Refused {
        reason: "no such mailbox".to_owned(),
    })]);
    let bad = reply(&app, &talk.id, "bad").await;
    let failed = until_state(&app, &talk.id, &bad, "failed").await;
    assert_eq!(
        failed,
        json!({"state": "failed", "attempts": 1, "error": "no such mailbox"})
    );
    let next = reply(&app, &talk.id, "next").await;
    until_state(&app, &talk.id, &next, "sent").await;
    let letters = app.get("/outbox?state=failed").await["items"]
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(letters.len(), 1);
    assert_eq!(
        (&letters[0]["message_id"], &letters[0]["due_at"]),
        (&json!(bad), &Value::Null)
    );
    let retry = format!("/messages/{bad}/retry");
    let queued = app.post(&retry, json!({})).await.expect(200);
    assert_eq!(queued["delivery"]["error"], Value::Null);
    let sent = until_state(&app, &talk.id, &bad, "sent").await;
    assert_eq!(sent["attempts"], 2);
    assert_eq!(talk.script.sent_texts(), ["next", "bad"]);
    app.post(&retry, json!({})).await.expect(409);
    app.stop().await;
}

async fn uncertain(app: TestApp) {
    let unknown = || SendError::Unknown {
        reason: "the connection broke after the text".to_owned(),
    };
    let plain = talk(&app, "fake").await;
    plain.script.will_answer([Err(unknown())]);
    let message = reply(&app, &plain.id, "perhaps").await;
    let state = until_state(&app, &plain.id, &message, "uncertain").await;
    assert_eq!(state["error"], "the connection broke after the text");
    assert_eq!(row(&app, &message).await.unwrap().due_at, None);
    let next = reply(&app, &plain.id, "next").await;
    until_state(&app, &plain.id, &next, "sent").await;
    assert_eq!(plain.script.sent_texts(), ["next"]);

    let safe = talk(&app, "idempotent").await;
    safe.script.will_answer([Err(unknown())]);
    let message = reply(&app, &safe.id, "perhaps").await;
    app.until("the attempt", || async {
        (delivery(&app, &safe.id, &message).await["error"] != Value::Null).then_some(())
    })
    .await;
    hurry(&app, &message).await;
    until_state(&app, &safe.id, &message, "sent").await;
    app.stop().await;
}

async fn abandoned(app: TestApp) {
    let plain = talk(&app, "fake").await;
    let safe = talk(&app, "idempotent").await;
    // Queued while their channels are off, so that they can be made to look half sent.
    let mut made = Vec::new();
    for talk in [&plain, &safe] {
        let path = format!("/channels/{}", talk.channel["id"].as_str().unwrap());
        app.patch(&path, json!({"enabled": false})).await.expect(200);
        made.push((
            talk,
            path,
            reply(&app, &talk.id, "half").await,
            reply(&app, &talk.id, "after").await,
        ));
    }
    for (_, _, message, _) in &made {
        // On SQLite the next process bears the name of the dead one and need not wait for the lease to end.
        let (node, lease_secs) = if app.app.db.is_postgres() {
            ("a node that is gone", -1)
        } else {
            ("node", 3600)
        };
        let change = outbox::ActiveModel {
            message_id: Unchanged(message.clone()),
            state: Set("sending".to_owned()),
            claimed_by: Set(Some(node.to_owned())),
            attempts: Set(1),
            due_at: Set(Some(app.app.clock.now() + TimeDelta::seconds(lease_secs))),
            ..Default::default()
        };
        change_row(&app, change).await;
    }
    let app = start(app.stop().await).await;
    for (_, path, ..) in &made {
        app.patch(path, json!({"enabled": true})).await.expect(200);
    }
    let (_, _, message, after) = &made[0];
    let state = until_state(&app, &plain.id, message, "uncertain").await;
    assert!(state["error"].as_str().unwrap().contains("may have gone out"));
    until_state(&app, &plain.id, after, "sent").await;
    assert_eq!(plain.script.sent_texts(), ["after"]);
    let (_, _, message, after) = &made[1];
    until_state(&app, &safe.id, after, "sent").await;
    until_state(&app, &safe.id, message, "sent").await;
    assert_eq!(safe.script.sent_texts(), ["half", "after"]);
    app.stop().await;
}

async fn two_nodes(app: TestApp) {
    const TALKS: usize = 12;
    const EACH: usize = 6;
    let first = talk(&app, "fake").await;
    first.script.is_slow(Duration::from_millis(3));
    let parts = Parts {
        descriptors: vec![&FAKE],
        db: app.app.db.clone(),
        storage: app.app.storage.clone(),
        vault: app.app.vault.clone(),
        ingest: app.app.ingest.clone(),
        clock: Arc::clone(&app.app.clock),
        node: "the other node".to_owned(),
        public_url: String::new(),
        max_upload_bytes: 1,
        http: switchboard_sdk::NoHttp::shared(),
        live: app.app.live.clone(),
    };
    let host = Host::new(parts);
    host.load().await.unwrap();
    let stop = CancellationToken::new();
    let other = tokio::spawn({
        let stop = stop.clone();
        async move { Dispatcher::new(host).run(stop).await }
    });
    let mut talks = vec![first.id.clone()];
    for number in 1..TALKS {
        talks.push(conversation(&app, &first.channel, &format!("c{number}@shop.example")).await);
    }
    for number in 0..EACH {
        for id in &talks {
            reply(&app, id, &number.to_string()).await;
        }
    }
    first
        .script
        .until("all of them", |script| script.sent().len() >= TALKS * EACH)
        .await;
    stop.cancel();
    other.await.unwrap();
    let mut by_talk: HashMap<String, Vec<String>> = HashMap::new();
    for message in first.script.sent() {
        by_talk
            .entry(message.conversation_id)
            .or_default()
            .push(message.text);
    }
    let wanted: Vec<String> = (0..EACH).map(|number| number.to_string()).collect();
    assert_eq!(by_talk.len(), TALKS);
    for (id, texts) in by_talk {
        assert_eq!(texts, wanted, "{id}");
    }
    app.stop().await;
}

async fn switched_off(app: TestApp) {
    let talk = talk(&app, "fake").await;
    let path = format!("/channels/{}", talk.channel["id"].as_str().unwrap());
    app.patch(&path, json!({"enabled": false})).await.expect(200);
    let message = reply(&app, &talk.id, "later").await;
    let on = self::talk(&app, "fake").await;
    reply(&app, &on.id, "now").await;
    on.script
        .until("the other channel", |script| script.sent().len() == 1)
        .await;
    assert_eq!(delivery(&app, &talk.id, &message).await["attempts"], 0);
    let app = start(app.stop().await).await;
    app.patch(&path, json!({"enabled": true})).await.expect(200);
    until_state(&app, &talk.id, &message, "sent").await;
    app.stop().await;
}

async fn crashed(app: TestApp) {
    let talk = talk(&app, "fake").await;
    talk.script.will_answer([Err(SendError::Unknown {
        reason: fake::CRASH.to_owned(),
    })]);
    let message = reply(&app, &talk.id, "boom").await;
    let state = until_state(&app, &talk.id, &message, "uncertain").await;
    assert_eq!(state["error"], "the connector crashed while it was sending");
    app.stop().await;
}
