//! What happens to messages after they were written, from both sides.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use switchboard::db::entity::{message_version, waiting_change};
use switchboard_sdk::{
    Batch, Forwarded, Identity, IdentityKind, InboundAttachment, InboundBody, InboundDeletion, InboundEdit,
    InboundEvent, InboundMessage, InboundReachability, InboundReaction, Location, Outcome, Person, SendError,
    Sent, Thread, Typing,
};

use crate::{
    fake::{FAKE, LIVE, Script},
    support::{Database, TestApp},
};

/// Runs a scenario on both databases with the fakes.
macro_rules! both {
    ($(async fn $name:ident($app:ident: TestApp) $body:block)+) => {
        $(
            mod $name {
                use super::*;

                async fn scenario($app: TestApp) $body

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_sqlite() {
                    scenario(TestApp::start_with(Database::sqlite().await, vec![&FAKE, &LIVE]).await).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_postgres() {
                    scenario(TestApp::start_with(Database::postgres().await, vec![&FAKE, &LIVE]).await).await;
                }
            }
        )+
    };
}

fn at(secs: i64) -> DateTime<Utc> {
    "2026-11-20T10:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(secs)
}

fn ann() -> Identity {
    Identity {
        kind: IdentityKind::Telegram,
        value: "1001".to_owned(),
        verified: true,
    }
}

fn person() -> Person {
    Person {
        name: Some("Ann".to_owned()),
        identities: vec![ann()],
        ..Person::default()
    }
}

fn event(external_id: &str, secs: i64, body: InboundBody) -> InboundEvent {
    InboundEvent {
        external_id: external_id.to_owned(),
        at: at(secs),
        body,
    }
}

fn said(external_id: &str, text: &str) -> InboundEvent {
    event(
        external_id,
        0,
        InboundBody::Message(InboundMessage {
            from: person(),
            text: text.to_owned(),
            ..InboundMessage::default()
        }),
    )
}

fn edited(external_id: &str, message: &str, text: &str, secs: i64) -> InboundEvent {
    event(
        external_id,
        secs,
        InboundBody::Edit(InboundEdit {
            message: message.to_owned(),
            text: text.to_owned(),
            ..InboundEdit::default()
        }),
    )
}

fn deleted(external_id: &str, message: &str) -> InboundEvent {
    event(
        external_id,
        60,
        InboundBody::Deletion(InboundDeletion {
            message: message.to_owned(),
        }),
    )
}

fn reacted(external_id: &str, message: &str, emoji: &[&str], secs: i64) -> InboundEvent {
    event(
        external_id,
        secs,
        InboundBody::Reaction(InboundReaction {
            message: message.to_owned(),
            from: person(),
            emoji: emoji.iter().map(|one| (*one).to_owned()).collect(),
        }),
    )
}

struct Talk {
    script: Arc<Script>,
    channel: Value,
}

impl Talk {
    async fn on(app: &TestApp, kind: &str) -> Self {
        let script = Script::new();
        let line = app.line(&script.name, json!({})).await;
        let channel = app.channel(kind, &line, script.settings()).await;
        Self { script, channel }
    }

    async fn deliver(&self, app: &TestApp, events: Vec<InboundEvent>) -> Vec<Outcome> {
        let batch = Batch { events, cursor: None };
        let channel = self.channel["id"].as_str().unwrap();
        app.app.ingest.deliver(channel, batch).await.unwrap().outcomes
    }
}

fn conversation_of(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Stored { conversation_id, .. } | Outcome::Duplicate { conversation_id, .. } => {
            conversation_id.clone().unwrap()
        }
        Outcome::Quarantined { .. } => panic!("{outcome:?}"),
    }
}

async fn messages(app: &TestApp, id: &str) -> Vec<Value> {
    let list = app.get(&format!("/conversations/{id}/messages?limit=200")).await;
    list["items"].as_array().unwrap().clone()
}

async fn versions(app: &TestApp, message: &Value) -> Vec<String> {
    let path = format!("/messages/{}/versions", message["id"].as_str().unwrap());
    let list = app.get(&path).await;
    let items = list["items"].as_array().unwrap();
    items
        .iter()
        .map(|version| version["text"].as_str().unwrap().to_owned())
        .collect()
}

async fn reply(app: &TestApp, id: &str, body: Value) -> String {
    let message = app
        .post(&format!("/conversations/{id}/messages"), body)
        .await
        .expect(201);
    message["id"].as_str().unwrap().to_owned()
}

async fn message(app: &TestApp, id: &str, message: &str) -> Value {
    let all = messages(app, id).await;
    all.into_iter().find(|row| row["id"] == message).unwrap()
}

#[track_caller]
fn until<'a>(
    app: &'a TestApp,
    id: &'a str,
    of: &'a str,
    what: &'a str,
    holds: fn(&Value) -> bool,
) -> impl Future<Output = Value> + 'a {
    app.until(what, move || async move {
        let found = message(app, id, of).await;
        holds(&found).then_some(found)
    })
}

fn is_sent(message: &Value) -> bool {
    message["delivery"]["state"] == "sent"
}

both! {
    async fn an_edit_keeps_what_was_said_before_and_the_search_finds_the_new_words(app: TestApp) {
        let talk = Talk::on(&app, "live").await;
        let first = talk.deliver(&app, vec![said("m1", "the first pelican")]).await;
        let id = conversation_of(&first[0]);
        let batch = || vec![edited("e1", "m1", "a second heron", 10)];
        let outcome = talk.deliver(&app, batch()).await;
        assert_eq!(outcome[0].message().map(|(id, _)| id.to_owned()), first[0].message().map(|(id, _)| id.to_owned()));
        // The same edit delivered again, and its words under another id, change nothing.
        let again = talk.deliver(&app, batch()).await;
        assert!(again[0].is_duplicate() && again[0].message() == outcome[0].message());
        talk.deliver(&app, vec![edited("e1b", "m1", "a second heron", 11)]).await;
        let now = messages(&app, &id).await;
        assert_eq!(now.len(), 1);
        assert_eq!((&now[0]["text"], now[0]["edited_at"].is_string()), (&json!("a second heron"), true));
        assert_eq!(versions(&app, &now[0]).await, ["the first pelican"]);
        let shown = app.get(&format!("/conversations/{id}")).await;
        assert_eq!(shown["last_message"]["text"], "a second heron");
        for (word, count) in [("heron", 1), ("pelican", 0)] {
            app.until(word, || async {
                let found = app.get(&format!("/search?q={word}")).await;
                (found["messages"].as_array().unwrap().len() == count).then_some(())
            }).await;
        }
    }

    async fn edits_out_of_order_end_with_the_newest_words_and_all_versions(app: TestApp) {
        let talk = Talk::on(&app, "live").await;
        let id = conversation_of(&talk.deliver(&app, vec![said("m1", "v0")]).await[0]);
        talk.deliver(&app, vec![edited("e3", "m1", "v3", 30)]).await;
        talk.deliver(&app, vec![edited("e1", "m1", "v1", 10), edited("e2", "m1", "v2", 20)]).await;
        let now = messages(&app, &id).await;
        assert_eq!(now[0]["text"], "v3");
        let mut all = versions(&app, &now[0]).await;
        all.sort();
        assert_eq!(all, ["v0", "v1", "v2"]);
    }

    async fn a_message_and_its_changes_in_one_batch_are_one_message(app: TestApp) {
        let talk = Talk::on(&app, "live").await;
        let events = vec![
            said("m1", "v0"), edited("e1", "m1", "v1", 10), edited("e2", "m1", "v2", 20),
            reacted("r1", "m1", &["👍"], 21), said("m2", "gone"), deleted("d1", "m2"),
        ];
        let outcomes = talk.deliver(&app, events).await;
        let id = conversation_of(&outcomes[0]);
        let now = messages(&app, &id).await;
        assert_eq!((&now[0]["text"], &now[1]["text"]), (&json!("v2"), &json!("gone")));
        assert_eq!(now[0]["reactions"], json!([{"name": "Ann", "emoji": ["👍"]}]));
        assert_eq!(now[1]["deleted"]["by"], "contact");
        assert_eq!(versions(&app, &now[0]).await, ["v0", "v1"]);
    }

    async fn a_change_before_its_message_waits_in_quarantine_and_is_folded_in(app: TestApp) {
        let talk = Talk::on(&app, "live").await;
        let early = talk.deliver(&app, vec![edited("e1", "m1", "corrected", 10), deleted("d1", "m1")]).await;
        assert!(early.iter().all(|outcome| matches!(outcome, Outcome::Quarantined { .. })));
        let held = app.get("/quarantine").await["items"].clone();
        let entry = held.as_array().unwrap().iter().find(|row| row["external_id"] == "e1").unwrap().clone();
        assert!(entry["reason"].as_str().unwrap().contains("an edit of a message that is not known"), "{entry}");
        let path = format!("{}/api/v1/quarantine/{}/raw", app.base, entry["id"].as_str().unwrap());
        let raw = app.ask(app.client.get(path).bearer_auth(&app.key)).await.expect(200);
        assert_eq!(raw["text"], "corrected");
        let replay = format!("/quarantine/{}/replay", entry["id"].as_str().unwrap());
        app.post(&replay, json!({})).await.expect(409);
        // Repeated while it waits, it waits once.
        talk.deliver(&app, vec![edited("e1", "m1", "corrected", 10)]).await;
        assert_eq!(waiting_change::Entity::find().count(app.app.db.read()).await.unwrap(), 2);

        let id = conversation_of(&talk.deliver(&app, vec![said("m1", "wrong")]).await[0]);
        let now = messages(&app, &id).await;
        assert_eq!((&now[0]["text"], &now[0]["deleted"]["by"]), (&json!("corrected"), &json!("contact")));
        assert_eq!(versions(&app, &now[0]).await, ["wrong"]);
        assert_eq!(waiting_change::Entity::find().count(app.app.db.read()).await.unwrap(), 0);
        let done = app.get("/quarantine").await["items"].clone();
        assert!(done.as_array().unwrap().iter().all(|row| row["replayed_at"].is_string()), "{done}");
        // A change of a message that never comes stays there for people to see, and stops nothing.
        let never = talk.deliver(&app, vec![edited("e9", "m9", "x", 1), said("m2", "next")]).await;
        assert!(matches!(never[0], Outcome::Quarantined { .. }) && matches!(never[1], Outcome::Stored { .. }));
    }

    async fn an_early_change_in_the_batch_of_its_message_is_folded_in_too(app: TestApp) {
        let talk = Talk::on(&app, "live").await;
        let outcomes = talk.deliver(&app, vec![edited("e1", "m1", "new", 10), said("m1", "old")]).await;
        let now = messages(&app, &conversation_of(&outcomes[1])).await;
        assert_eq!(now[0]["text"], "new");
        assert_eq!(waiting_change::Entity::find().count(app.app.db.read()).await.unwrap(), 0);
        assert!(app.get("/quarantine").await["items"][0]["replayed_at"].is_string());
    }

    async fn an_album_is_changed_and_answered_by_the_id_of_any_of_its_parts(app: TestApp) {
        let talk = Talk::on(&app, "live").await;
        let photo = |name: &str| InboundAttachment {
            name: name.to_owned(),
            content_type: "image/png".to_owned(),
            data: vec![1, 2, 3].into(),
            ..InboundAttachment::default()
        };
        let album = InboundMessage {
            from: person(),
            text: "two photos".to_owned(),
            attachments: vec![photo("a.png"), photo("b.png")],
            ids: vec!["chat:10".to_owned(), "chat:11".to_owned()],
            ..InboundMessage::default()
        };
        let id = conversation_of(&talk.deliver(&app, vec![event("u1", 0, InboundBody::Message(album))]).await[0]);
        let edit = InboundEdit {
            message: "chat:11".to_owned(),
            text: "one photo".to_owned(),
            attachments: Some(vec![photo("c.png")]),
            ..InboundEdit::default()
        };
        let answer = InboundMessage {
            from: person(),
            text: "this one".to_owned(),
            reply_to: Some("chat:11".to_owned()),
            quote: Some("photos".to_owned()),
            origin: Some(Forwarded { from: Some("Bob".to_owned()), at: Some(at(-60)) }),
            location: Some(Location { lat: 41.31, lon: 69.28, title: Some("Shop".to_owned()), address: None }),
            attachments: vec![InboundAttachment {
                name: "film.mp4".to_owned(),
                missing: Some("34 MB, at most 20 MB are taken".to_owned()),
                ..InboundAttachment::default()
            }],
            ..InboundMessage::default()
        };
        talk.deliver(&app, vec![event("u2", 5, InboundBody::Edit(edit)), event("u3", 6, InboundBody::Message(answer))]).await;
        let now = messages(&app, &id).await;
        let names: Vec<&Value> = now[0]["attachments"].as_array().unwrap().iter().map(|file| &file["name"]).collect();
        assert_eq!((&now[0]["text"], names), (&json!("one photo"), vec![&json!("c.png")]));
        let path = format!("/messages/{}/versions", now[0]["id"].as_str().unwrap());
        let before = app.get(&path).await["items"][0].clone();
        assert_eq!(before["attachments"].as_array().unwrap().len(), 2);
        let answer = &now[1];
        assert_eq!((&answer["reply_to"]["id"], &answer["reply_to"]["text"]), (&now[0]["id"], &json!("one photo")));
        assert_eq!((&answer["quote"], &answer["origin"]["from"]), (&json!("photos"), &json!("Bob")));
        assert_eq!((&answer["location"]["lat"], &answer["location"]["title"]), (&json!(41.31), &json!("Shop")));
        assert_eq!(answer["missing_files"], json!([{"name": "film.mp4", "reason": "34 MB, at most 20 MB are taken"}]));
    }

    async fn who_cannot_be_reached_is_said_and_not_tried_until_they_write_again(app: TestApp) {
        let talk = Talk::on(&app, "live").await;
        let id = conversation_of(&talk.deliver(&app, vec![said("m1", "hi")]).await[0]);
        let reach = |reachable, reason: Option<&str>| InboundBody::Reachability(InboundReachability {
            identity: ann(),
            thread: Thread::Contact,
            reachable,
            reason: reason.map(str::to_owned),
        });
        talk.deliver(&app, vec![event("k1", 5, reach(false, Some("blocked the bot")))]).await;
        let path = format!("/conversations/{id}");
        assert_eq!(app.get(&path).await["address_problem"], "blocked the bot");
        let refused = reply(&app, &id, json!({"text": "are you there?"})).await;
        let refused = until(&app, &id, &refused, "failed", |m| m["delivery"]["state"] == "failed").await;
        assert_eq!(refused["delivery"]["error"], "blocked the bot");
        assert!(talk.script.sent().is_empty(), "it was not even tried");
        talk.deliver(&app, vec![said("m2", "back again")]).await;
        assert_eq!(app.get(&path).await["address_problem"], Value::Null);
        let sent = reply(&app, &id, json!({"text": "welcome"})).await;
        until(&app, &id, &sent, "sent", is_sent).await;

        // The provider says so when it is sent to; pressing "retry" tries all the same.
        talk.script.will_answer([Err(SendError::Unreachable { reason: "user is deactivated".to_owned() })]);
        let last = reply(&app, &id, json!({"text": "one more"})).await;
        until(&app, &id, &last, "failed", |m| m["delivery"]["state"] == "failed").await;
        app.until("said", || async {
            (app.get(&path).await["address_problem"] == "user is deactivated").then_some(())
        }).await;
        app.post(&format!("/messages/{last}/retry"), json!({})).await.expect(200);
        until(&app, &id, &last, "sent", is_sent).await;
        assert_eq!(app.get(&path).await["address_problem"], Value::Null);
    }

    async fn what_the_company_wrote_elsewhere_is_an_answer_that_wakes_nobody(app: TestApp) {
        let talk = Talk::on(&app, "live").await;
        let own = |id: &str, text: &str| event(id, 0, InboundBody::Message(InboundMessage {
            from: person(),
            text: text.to_owned(),
            own: Some("Boss".to_owned()),
            ..InboundMessage::default()
        }));
        let id = conversation_of(&talk.deliver(&app, vec![own("o1", "Good morning")]).await[0]);
        let first = app.get(&format!("/conversations/{id}")).await;
        assert_eq!((&first["session"]["state"], &first["unread"]), (&json!("closed"), &json!(0)));
        talk.deliver(&app, vec![said("m1", "Morning!")]).await;
        let open = app.get(&format!("/conversations/{id}")).await;
        assert_eq!((&open["session"]["state"], &open["unread"]), (&json!("waiting"), &json!(1)));
        let again = talk.deliver(&app, vec![own("o2", "How can I help?"), own("o2", "How can I help?")]).await;
        assert!(again[1].is_duplicate());
        talk.deliver(&app, vec![edited("oe", "o2", "How may I help?", 30)]).await;
        let now = messages(&app, &id).await;
        let kinds: Vec<&Value> = now.iter().map(|m| &m["kind"]).collect();
        assert_eq!(kinds, ["reply", "inbound", "reply"]);
        assert_eq!((&now[2]["text"], &now[2]["author"]["name"], &now[2]["delivery"]["state"]), (&json!("How may I help?"), &json!("Boss"), &json!("sent")));
        assert!(talk.script.sent().is_empty());
    }

    async fn an_operator_changes_and_takes_back_what_was_sent(app: TestApp) {
        let talk = Talk::on(&app, "live").await;
        let id = conversation_of(&talk.deliver(&app, vec![said("m1", "hi")]).await[0]);
        let sent = reply(&app, &id, json!({"text": "Good mornign"})).await;
        until(&app, &id, &sent, "sent", is_sent).await;
        let path = format!("/messages/{sent}");
        let changed = app.patch(&path, json!({"text": "Good morning"})).await.expect(200);
        assert_eq!((&changed["text"], &changed["change"]["state"]), (&json!("Good morning"), &json!("queued")));
        until(&app, &id, &sent, "changed there", |m| m["change"].is_null()).await;
        // A failure is shown and tried again by hand.
        talk.script.will_change([Err(SendError::Refused { reason: "too old".to_owned() })]);
        app.patch(&path, json!({"text": "Good evening"})).await.expect(200);
        let failed = until(&app, &id, &sent, "failed", |m| m["change"]["state"] == "failed").await;
        assert_eq!((&failed["change"]["error"], &failed["delivery"]["state"]), (&json!("too old"), &json!("sent")));
        app.post(&format!("{path}/retry"), json!({})).await.expect(200);
        until(&app, &id, &sent, "changed after all", |m| m["change"].is_null()).await;
        let gone = app.call("DELETE", &path, None).await.expect(200);
        assert_eq!((&gone["deleted"]["by"], &gone["text"]), (&json!("operator"), &json!("Good evening")));
        until(&app, &id, &sent, "gone there", |m| m["change"].is_null()).await;
        assert_eq!(talk.script.changes(), [
            format!("edit provider:{sent} to Good morning"),
            format!("edit provider:{sent} to Good evening"),
            format!("delete provider:{sent}"),
        ]);
        app.patch(&path, json!({"text": "x"})).await.expect(409);
        assert_eq!(versions(&app, &gone).await, ["Good mornign", "Good morning"]);
    }

    async fn what_is_not_out_yet_is_changed_in_place_or_never_goes_out(app: TestApp) {
        let talk = Talk::on(&app, "fake").await;
        let id = conversation_of(&talk.deliver(&app, vec![said("m1", "hi")]).await[0]);
        let waits = || Err(SendError::Retry { after: Some(std::time::Duration::from_secs(600)), reason: "busy".to_owned() });
        talk.script.will_answer([waits()]);
        let first = reply(&app, &id, json!({"text": "frist"})).await;
        until(&app, &id, &first, "waiting", |m| m["delivery"]["error"] == "busy").await;
        let second = reply(&app, &id, json!({"text": "second"})).await;
        // This channel cannot change what was sent, but these were not.
        let changed = app.patch(&format!("/messages/{first}"), json!({"text": "first"})).await.expect(200);
        assert_eq!((&changed["text"], &changed["change"]), (&json!("first"), &Value::Null));
        let gone = app.call("DELETE", &format!("/messages/{first}"), None).await.expect(200);
        assert_eq!((&gone["delivery"], &gone["deleted"]["by"]), (&Value::Null, &json!("operator")));
        until(&app, &id, &second, "the next one goes out", is_sent).await;
        assert_eq!(talk.script.sent_texts(), ["second"]);
        app.patch(&format!("/messages/{second}"), json!({"text": "x"})).await.expect(409);
        app.call("DELETE", &format!("/messages/{second}"), None).await.expect(409);
        let note = reply(&app, &id, json!({"text": "nnote", "kind": "note"})).await;
        app.patch(&format!("/messages/{note}"), json!({"text": "note"})).await.expect(200);
        app.patch(&format!("/messages/{note}"), json!({"text": "  "})).await.expect(422);
    }

    async fn what_is_asked_for_while_a_message_is_being_sent_comes_right_after_it(app: TestApp) {
        let talk = Talk::on(&app, "live").await;
        let id = conversation_of(&talk.deliver(&app, vec![said("m1", "hi")]).await[0]);
        talk.script.is_slow(std::time::Duration::from_millis(600));
        let sent = reply(&app, &id, json!({"text": "one"})).await;
        until(&app, &id, &sent, "being sent", |m| m["delivery"]["state"] == "sending").await;
        let changed = app.patch(&format!("/messages/{sent}"), json!({"text": "two"})).await.expect(200);
        assert_eq!(changed["change"]["state"], "queued");
        until(&app, &id, &sent, "done", |m| is_sent(m) && m["change"].is_null()).await;
        assert_eq!((talk.script.sent_texts(), talk.script.changes()), (vec!["one".to_owned()], vec![format!("edit provider:{sent} to two")]));
    }

    async fn only_the_author_changes_a_message_and_others_do_not_see_it_at_all(app: TestApp) {
        let talk = Talk::on(&app, "live").await;
        let id = conversation_of(&talk.deliver(&app, vec![said("m1", "hi")]).await[0]);
        let sent = reply(&app, &id, json!({"text": "mine"})).await;
        until(&app, &id, &sent, "sent", is_sent).await;
        let (_, supervisor) = app.operator("Sue", "supervisor").await;
        let (_, stranger) = app.operator("Tom", "operator").await;
        let path = format!("/messages/{sent}");
        let body = || Some(json!({"text": "yours"}));
        app.call_as(&supervisor, "PATCH", &path, body()).await.expect(403);
        app.call_as(&stranger, "PATCH", &path, body()).await.expect(404);
        app.call_as(&stranger, "GET", &format!("{path}/versions"), None).await.expect(404);
        let inbound = messages(&app, &id).await[0]["id"].as_str().unwrap().to_owned();
        app.patch(&format!("/messages/{inbound}"), json!({"text": "x"})).await.expect(403);
        assert_eq!(message_version::Entity::find().count(app.app.db.read()).await.unwrap(), 0);
    }

    async fn an_answer_names_its_message_and_carries_buttons_where_the_channel_can(app: TestApp) {
        let talk = Talk::on(&app, "live").await;
        let id = conversation_of(&talk.deliver(&app, vec![said("m1", "which one?")]).await[0]);
        let asked = messages(&app, &id).await[0]["id"].clone();
        let buttons = json!([[{"label": "Shop", "url": "https://shop.example"}, {"label": "Yes", "data": "yes"}]]);
        let body = json!({"text": "this one", "reply_to": asked, "buttons": buttons});
        let sent = reply(&app, &id, body).await;
        let shown = until(&app, &id, &sent, "sent", is_sent).await;
        assert_eq!((&shown["reply_to"]["text"], &shown["buttons"]), (&json!("which one?"), &buttons));
        let out = talk.script.sent().remove(0);
        assert_eq!((out.reply_to.as_deref(), out.buttons.len(), out.request_phone), (Some("m1"), 1, false));
        let path = format!("/conversations/{id}/messages");
        let elsewhere = json!({"text": "x", "reply_to": "msg_0"});
        assert_eq!(app.post(&path, elsewhere).await.expect(422)["errors"][0]["field"], "reply_to");
        // A channel shows the one or the other.
        let both = json!({"text": "x", "buttons": buttons, "request_phone": true});
        assert_eq!(app.post(&path, both).await.expect(422)["errors"][0]["field"], "request_phone");
        let bad = json!({"text": "x", "buttons": [[{"label": "x", "url": "javascript:alert(1)"}]]});
        assert_eq!(app.post(&path, bad).await.expect(422)["errors"][0]["field"], "buttons");
        let plain = Talk::on(&app, "fake").await;
        let id = conversation_of(&plain.deliver(&app, vec![said("m1", "hi")]).await[0]);
        let asked = messages(&app, &id).await[0]["id"].clone();
        let body = json!({"text": "x", "reply_to": asked});
        app.post(&format!("/conversations/{id}/messages"), body).await.expect(422);
    }

    async fn typing_and_closing_are_told_to_the_channel_and_typing_to_the_operators(app: TestApp) {
        let talk = Talk::on(&app, "live").await;
        let id = conversation_of(&talk.deliver(&app, vec![said("m1", "hi")]).await[0]);
        let mut socket = app.socket(&app.key, None).await;
        talk.script.until("it runs", |script| script.intake().is_some()).await;
        talk.script.intake().unwrap().typing(Typing { from: ann(), thread: Thread::Contact, name: Some("Ann".to_owned()), text: None });
        let typing = socket.until(|frame| frame["type"] == "typing").await;
        assert_eq!((&typing["data"]["conversation_id"], &typing["data"]["author"]["type"]), (&json!(id), &json!("contact")));
        for _ in 0..3 {
            socket.say(json!({"type": "typing", "conversation_id": id})).await;
        }
        talk.script.until("typing is told", |script| !script.changes().is_empty()).await;
        app.post(&format!("/conversations/{id}/close"), json!({"reason": "done"})).await.expect(200);
        talk.script.until("closing is told", |script| script.changes().iter().any(|what| what.starts_with("closed"))).await;
        assert_eq!(talk.script.changes(), ["typing to 1001", "closed for 1001"], "throttled, and told once");
    }

    async fn a_receipt_may_name_our_own_id_and_tell_the_providers(app: TestApp) {
        let talk = Talk::on(&app, "live").await;
        let id = conversation_of(&talk.deliver(&app, vec![said("m1", "hi")]).await[0]);
        talk.script.will_answer([Ok(Sent::default())]);
        let sent = reply(&app, &id, json!({"text": "one"})).await;
        until(&app, &id, &sent, "sent", is_sent).await;
        let receipt = switchboard_sdk::DeliveryReceipt {
            external_id: sent.clone(),
            state: switchboard_sdk::ReceiptState::Read,
            error: None,
            dead_address: None,
            known_as: Some("x-77".to_owned()),
        };
        talk.deliver(&app, vec![event("s1", 1, InboundBody::Receipt(receipt)), reacted("r1", "x-77", &["👍"], 3)]).await;
        talk.deliver(&app, vec![reacted("r2", "x-77", &["❤️"], 5)]).await;
        let now = message(&app, &id, &sent).await;
        assert_eq!((&now["delivery"]["state"], &now["external_id"]), (&json!("read"), &json!("x-77")));
        assert_eq!(now["reactions"], json!([{"name": "Ann", "emoji": ["❤️"]}]));
    }
}
