//! Splitting and merging conversations: nothing lost, nothing doubled, in order, and it can be undone.

use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use switchboard::db::entity::{message, outbox, session};

use crate::{
    mail_threads::{Mail, mailbox, messages},
    support::TestApp,
};

async fn talk(app: &TestApp, id: &str) -> Value {
    app.get(&format!("/conversations/{id}")).await
}

/// What people said, in order.
async fn said(app: &TestApp, id: &str) -> Vec<String> {
    let spoken = messages(app, id).await;
    let spoken = spoken.iter().filter(|message| message["kind"] != "system");
    spoken
        .map(|message| message["text"].as_str().unwrap().to_owned())
        .collect()
}

async fn reply(app: &TestApp, key: &str, id: &str, text: &str) -> Value {
    let path = format!("/conversations/{id}/messages");
    app.call_as(key, "POST", &path, Some(json!({"text": text})))
        .await
        .expect(201)
}

async fn split(app: &TestApp, key: &str, id: &str, message: &str) -> Value {
    let body = json!({"message_id": message});
    app.call_as(key, "POST", &format!("/conversations/{id}/split"), Some(body))
        .await
        .expect(200)
}

fn seqs_grow(thread: &[Value]) {
    let seqs: Vec<i64> = thread
        .iter()
        .map(|message| message["seq"].as_i64().unwrap())
        .collect();
    assert!(seqs.windows(2).all(|pair| pair[0] < pair[1]), "{seqs:?}");
}

both_databases! {
    async fn a_message_and_what_follows_become_a_conversation_and_come_back(app: TestApp) {
        let channel = mailbox(&app).await;
        let (_, key) = app.operator("Anna", "operator").await;
        let me = app.call_as(&key, "GET", "/me", None).await.expect(200);
        let entry = json!([{"type": "operator", "operator_id": me["id"]}]);
        let line = channel["line_id"].as_str().unwrap();
        app.patch(&format!("/lines/{line}"), json!({"queue": entry})).await.expect(200);
        let (id, first) = Mail::new("a@x", "ivan@x.example").arrives(&app, &channel).await;
        reply(&app, &key, &id, "first answer").await;
        let (_, about) = Mail::new("b@x", "ivan@x.example").answers("a@x").arrives(&app, &channel).await;
        reply(&app, &key, &id, "second answer").await;
        let before = messages(&app, &id).await;

        let apart = split(&app, &key, &id, &about).await;
        let there = apart["id"].as_str().unwrap().to_owned();
        assert_eq!(said(&app, &id).await, ["words of a@x", "first answer"]);
        assert_eq!(said(&app, &there).await, ["words of b@x", "second answer"]);
        assert_eq!((&apart["session"]["state"], &apart["session"]["operator_id"]), (&json!("assigned"), &me["id"]));
        assert_eq!((&apart["contact"]["name"], &apart["links"][0]["kind"]), (&json!("ivan"), &json!("split_from")));
        assert_eq!(talk(&app, &id).await["last_message"]["text"], "first answer");
        let audit = |thread: Vec<Value>| thread.last().unwrap()["text"].as_str().unwrap().to_owned();
        assert!(audit(messages(&app, &id).await).contains("split 2 messages off into conversation #"));
        assert!(audit(messages(&app, &there).await).contains("split this off conversation #"));
        // What is still on its way goes with its message, and answers find the new place.
        let waiting = outbox::Entity::find().filter(outbox::Column::ConversationId.eq(&there)).count(app.app.db.read()).await;
        assert_eq!(waiting.unwrap(), 1);
        let (found, _) = Mail::new("c@x", "ivan@x.example").answers("b@x").arrives(&app, &channel).await;
        assert_eq!(found, there);
        assert_eq!(talk(&app, &there).await["unread"], 2);

        let link = apart["links"][0]["id"].as_str().unwrap();
        let back = app.call_as(&key, "POST", &format!("/conversations/links/{link}/undo"), None).await.expect(200);
        assert_eq!(back["id"], id);
        assert_eq!(said(&app, &id).await, ["words of a@x", "first answer", "words of b@x", "second answer", "words of c@x"]);
        let after = messages(&app, &id).await;
        seqs_grow(&after);
        assert_eq!((&after[0]["id"], &after[0]["seq"]), (&json!(first), &before[0]["seq"]), "the beginning is as it was");
        assert_eq!(talk(&app, &there).await["merged_into"], id);
        let closed = app.get("/conversations?view=closed").await;
        assert!(closed["items"].as_array().unwrap().is_empty(), "a merged conversation is in no list");
        app.call_as(&key, "POST", &format!("/conversations/links/{link}/undo"), None).await.expect(422);
    }

    async fn two_conversations_become_one_in_time_and_are_taken_apart_again(app: TestApp) {
        let channel = mailbox(&app).await;
        let key = app.key.clone();
        let (one, _) = Mail::new("a@x", "ivan@x.example").arrives(&app, &channel).await;
        let (two, _) = Mail::new("b@x", "kate@x.example").arrives(&app, &channel).await;
        reply(&app, &key, &one, "to ivan").await;
        reply(&app, &key, &two, "to kate").await;
        let merged = app.post(&format!("/conversations/{two}/merge"), json!({"into": one})).await.expect(200);
        assert_eq!(said(&app, &one).await, ["words of a@x", "words of b@x", "to ivan", "to kate"]);
        seqs_grow(&messages(&app, &one).await);
        assert!(said(&app, &two).await.is_empty());
        assert_eq!((&merged["contact"]["name"], &merged["unread"]), (&json!("ivan"), &json!(2)));
        assert_eq!(talk(&app, &two).await["session"]["close_reason"], "merged");
        let open = session::Entity::find().filter(session::Column::State.ne("closed")).count(app.app.db.read()).await;
        assert_eq!(open.unwrap(), 1);
        // Kate is one of them now, and her mail finds it.
        let (found, _) = Mail::new("c@x", "kate@x.example").answers("b@x").arrives(&app, &channel).await;
        assert_eq!(found, one);
        let rows = outbox::Entity::find().all(app.app.db.read()).await.unwrap();
        assert!(rows.iter().all(|row| row.conversation_id == one) && rows.len() == 2);
        for row in rows {
            let message = message::Entity::find_by_id(&row.message_id).one(app.app.db.read()).await.unwrap().unwrap();
            assert_eq!(message.seq, row.seq, "the order on the way is that of the thread");
        }
        app.post(&format!("/conversations/{two}/merge"), json!({"into": one})).await.expect(422);

        let link = merged["links"][0]["id"].as_str().unwrap();
        let back = app.post(&format!("/conversations/links/{link}/undo"), json!({})).await.expect(200);
        assert_eq!((&back["id"], &back["merged_into"]), (&json!(two), &Value::Null));
        assert_eq!(said(&app, &two).await, ["words of b@x", "to kate"]);
        assert_eq!(said(&app, &one).await, ["words of a@x", "to ivan", "words of c@x"]);
        assert_eq!((&back["contact"]["name"], &back["session"]["state"]), (&json!("kate"), &json!("assigned")));
    }

    async fn what_cannot_be_rearranged_says_why(app: TestApp) {
        let channel = mailbox(&app).await;
        let (id, first) = Mail::new("a@x", "ivan@x.example").arrives(&app, &channel).await;
        let app = &app;
        let refused = |path: String, body: Value| async move { app.post(&path, body).await.expect(422) };
        refused(format!("/conversations/{id}/split"), json!({"message_id": first})).await;
        refused(format!("/conversations/{id}/split"), json!({"message_id": "msg_no"})).await;
        refused(format!("/conversations/{id}/merge"), json!({"into": id})).await;
        let line = app.line("Chat", json!({})).await;
        let chat = app.channel("webchat", &line, json!({})).await;
        let visitor = app.visitor(&chat).await;
        app.says(&chat, &visitor, "hello").await;
        let list = app.get("/conversations?view=queue").await;
        let chat = list["items"].as_array().unwrap().iter().find(|c| c["channel_kind"] == "webchat").unwrap()["id"].clone();
        refused(format!("/conversations/{}/merge", chat.as_str().unwrap()), json!({"into": id})).await;
        app.post("/conversations/links/lnk_no/undo", json!({})).await.expect(404);
    }

    async fn mails_that_come_while_conversations_are_merged_and_split_are_there_once(app: TestApp) {
        let channel = mailbox(&app).await;
        const IDS: [&str; 40] = ["m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9", "n0", "n1", "n2", "n3", "n4", "n5", "n6",
            "n7", "n8", "n9", "o0", "o1", "o2", "o3", "o4", "o5", "o6", "o7", "o8", "o9", "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9"];
        let (one, _) = Mail::new("a@x", "ivan@x.example").arrives(&app, &channel).await;
        let (two, _) = Mail::new("b@x", "ivan@x.example").arrives(&app, &channel).await;
        let mails = async {
            for (n, own) in IDS.iter().enumerate() {
                Mail::new(own, "ivan@x.example").answers(if n % 2 == 0 { "a@x" } else { "b@x" }).arrives(&app, &channel).await;
            }
        };
        let operators = async {
            for _ in 0..6 {
                let merged = app.post(&format!("/conversations/{two}/merge"), json!({"into": one})).await.expect(200);
                let link = merged["links"].as_array().unwrap().iter().find(|link| link["kind"] == "merged_from").unwrap()["id"].clone();
                app.post(&format!("/conversations/links/{}/undo", link.as_str().unwrap()), json!({})).await.expect(200);
            }
        };
        let rivals = async {
            // The same merge by somebody else at the same time: one of both does it.
            for _ in 0..6 {
                let answer = app.post(&format!("/conversations/{two}/merge"), json!({"into": two})).await;
                assert_eq!(answer.status, 422);
            }
        };
        tokio::join!(mails, operators, rivals);
        let mut all = said(&app, &one).await;
        all.extend(said(&app, &two).await);
        all.sort();
        let mut expected: Vec<String> = IDS.iter().chain(&["a@x", "b@x"]).map(|own| format!("words of {own}")).collect();
        expected.sort();
        assert_eq!(all, expected);
        for id in [&one, &two] {
            seqs_grow(&messages(&app, id).await);
            let row = talk(&app, id).await;
            let last = messages(&app, id).await.last().unwrap()["seq"].clone();
            assert_eq!(row["last_seq"], last);
        }
    }
}
