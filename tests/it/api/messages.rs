//! Messages of a conversation.

use serde_json::{Value, json};

use crate::support::TestApp;

async fn talk(app: &TestApp, kind: &str) -> (Value, String) {
    let line = app.line("Support", json!({})).await;
    let channel = app.channel(kind, &line, json!({})).await;
    let id = app.writes(&channel, "olga", "Hello").await;
    (channel, format!("/conversations/{id}"))
}

async fn texts(app: &TestApp, path: &str) -> (Vec<String>, Option<String>) {
    let page = app.get(path).await;
    let rows = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["text"].as_str().unwrap().to_owned());
    (rows.collect(), page["next_cursor"].as_str().map(str::to_owned))
}

both_databases! {
    async fn a_message_posted_twice_with_one_client_id_is_stored_once(app: TestApp) {
        let (_, path) = talk(&app, "webchat").await;
        let messages = format!("{path}/messages");
        let body = json!({"text": "How can I help?", "client_id": "draft-1"});
        let first = app.post(&messages, body.clone()).await.expect(201);
        assert_eq!((&first["kind"], &first["author"]["type"], &first["delivery"]["state"]), (&json!("reply"), &json!("operator"), &json!("sent")));
        let again = app.post(&messages, json!({"text": "something else", "client_id": "draft-1"})).await.expect(200);
        assert_eq!((&again["id"], &again["text"]), (&first["id"], &json!("How can I help?")));
        // Many at once, as a client with a bad connection does.
        let body = json!({"text": "Hello?", "client_id": "draft-2"});
        let answers = futures_util::future::join_all((0..8).map(|_| app.post(&messages, body.clone()))).await;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 200, 201]);
        let (texts, _) = texts(&app, &messages).await;
        assert_eq!(texts.iter().filter(|text| *text == "Hello?").count(), 1, "{texts:?}");
    }

    async fn what_cannot_be_sent_is_refused_with_its_field(app: TestApp) {
        let (_, path) = talk(&app, "webchat").await;
        let messages = format!("{path}/messages");
        for (body, field) in [
            (json!({"text": ""}), "text"),
            (json!({"text": " \n"}), "text"),
            (json!({"text": "x".repeat(8001)}), "text"),
            (json!({"text": "x".repeat(64_001), "kind": "note"}), "text"),
            (json!({"text": "x", "kind": "system"}), "kind"),
            (json!({"text": "x", "kind": "inbound"}), "kind"),
            (json!({"text": "x", "kind": "shout"}), "kind"),
            (json!({"text": "x", "client_id": ""}), "client_id"),
            (json!({"text": "x", "client_id": "x".repeat(129)}), "client_id"),
            (json!({"text": "x", "attachments": ["att_nothing"]}), "attachments"),
            (json!({"text": 5}), "text"),
        ] {
            let problem = app.post(&messages, body.clone()).await.expect(422);
            assert_eq!(problem["errors"][0]["field"], field, "{problem}");
        }
        assert_eq!(texts(&app, &messages).await.0, ["Hello"]);
        app.post(&messages, json!({"text": "ы".repeat(8000)})).await.expect(201);
        app.post(&messages, json!({"text": "x".repeat(64_000), "kind": "note"})).await.expect(201);
    }

    async fn a_form_takes_notes_and_no_replies(app: TestApp) {
        let (_, path) = talk(&app, "webform").await;
        assert_eq!(app.get(&path).await["can_reply"], false);
        let messages = format!("{path}/messages");
        let refused = app.post(&messages, json!({"text": "Hello!"})).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], "kind");
        let note = app.post(&messages, json!({"text": "Called back", "kind": "note"})).await.expect(201);
        assert_eq!((&note["kind"], &note["delivery"]), (&json!("note"), &Value::Null));
        // A note is no answer: nobody owns it now.
        let seen = app.get(&path).await;
        assert_eq!((&seen["session"]["state"], &seen["session"]["first_reply_at"]), (&json!("waiting"), &Value::Null));
    }

    async fn who_replies_owns_what_nobody_owned_and_reopens_what_was_closed(app: TestApp) {
        let (_, path) = talk(&app, "webchat").await;
        let (me, key) = app.operator("Sara", "supervisor").await;
        let messages = format!("{path}/messages");
        app.call_as(&key, "POST", &messages, Some(json!({"text": "Hi"}))).await.expect(201);
        let seen = app.get(&path).await;
        assert_eq!((&seen["session"]["operator_id"], &seen["session"]["state"]), (&me["id"], &json!("assigned")));
        assert!(seen["session"]["first_reply_at"].is_string());
        app.call_as(&key, "POST", &format!("{path}/close"), None).await.expect(200);
        app.call_as(&key, "POST", &messages, Some(json!({"text": "One more thing"}))).await.expect(201);
        let again = app.get(&path).await;
        assert_ne!(again["session"]["id"], seen["session"]["id"]);
        assert_eq!((&again["session"]["operator_id"], &again["session"]["state"]), (&me["id"], &json!("assigned")));
        // Somebody else's stays theirs.
        app.post(&messages, json!({"text": "Me too"})).await.expect(201);
        assert_eq!(app.get(&path).await["session"]["operator_id"], me["id"]);
    }

    async fn a_thread_is_read_forwards_backwards_and_from_its_end(app: TestApp) {
        let (_, path) = talk(&app, "webchat").await;
        for n in 2..=9 {
            app.post(&format!("{path}/messages"), json!({"text": n.to_string(), "kind": "note"})).await.expect(201);
        }
        let list = |query: &str| format!("{path}/messages?{query}");
        assert_eq!(texts(&app, &list("after_seq=6")).await, (vec!["7".into(), "8".into(), "9".into()], None));
        let (page, cursor) = texts(&app, &list("after_seq=5&limit=2")).await;
        assert_eq!(page, ["6", "7"]);
        assert_eq!(texts(&app, &list(&format!("limit=2&cursor={}", cursor.unwrap()))).await, (vec!["8".into(), "9".into()], None));
        assert_eq!(texts(&app, &list("before_seq=4")).await, (vec!["Hello".into(), "2".into(), "3".into()], None));
        let (page, cursor) = texts(&app, &list("limit=4")).await;
        assert_eq!(page, ["6", "7", "8", "9"]);
        let (page, cursor) = texts(&app, &list(&format!("limit=4&cursor={}", cursor.unwrap()))).await;
        assert_eq!(page, ["2", "3", "4", "5"]);
        assert_eq!(texts(&app, &list(&format!("limit=4&cursor={}", cursor.unwrap()))).await, (vec!["Hello".into()], None));
    }

    async fn what_a_hidden_participant_writes_stays_inside(app: TestApp) {
        let line = app.line("Support", json!({})).await;
        let channel = app.channel("webchat", &line, json!({})).await;
        let token = app.visitor(&channel).await;
        let id = app.says(&channel, &token, "Hello").await["conversation_id"].as_str().unwrap().to_owned();
        let path = format!("/conversations/{id}");
        let (_, owner) = app.operator("Anna", "supervisor").await;
        app.call_as(&owner, "POST", &format!("{path}/take"), None).await.expect(200);
        let (sara, key) = app.operator("Sara", "supervisor").await;
        let hidden = json!({"hidden": true});
        app.call_as(&key, "POST", &format!("{path}/participants"), Some(hidden)).await.expect(200);
        let mut socket = crate::support::Socket::at(&format!(
            "{}/widget/v1/{}/socket?token={token}&after=0",
            app.base.replacen("http", "ws", 1),
            channel["key"].as_str().unwrap()
        ))
        .await;
        let said = app.call_as(&key, "POST", &format!("{path}/messages"), Some(json!({"text": "Offer him ten percent"}))).await.expect(201);
        assert_eq!(said["delivery"], Value::Null);
        app.call_as(&owner, "POST", &format!("{path}/messages"), Some(json!({"text": "Good day"}))).await.expect(201);
        let mut heard = Vec::new();
        while !heard.iter().any(|frame: &Value| frame["message"]["text"] == "Good day") {
            heard.push(socket.next().await.unwrap());
        }
        let url = format!("{}/widget/v1/{}/messages", app.base, channel["key"].as_str().unwrap());
        let read = app.ask(app.client.get(url).bearer_auth(&token)).await.expect(200);
        for shown in [json!(heard).to_string(), read.to_string()] {
            assert!(!shown.contains("percent") && !shown.contains("Sara") && !shown.contains(sara["id"].as_str().unwrap()), "{shown}");
        }
        // The staff sees it, and that it was not sent.
        assert!(texts(&app, &format!("{path}/messages")).await.0.contains(&"Offer him ten percent".to_owned()));
        // Leaving is as silent as joining was.
        app.call("DELETE", &format!("{path}/participants/{}", sara["id"].as_str().unwrap()), None).await.expect(200);
        let url = format!("{}/widget/v1/{}/messages", app.base, channel["key"].as_str().unwrap());
        let read = app.ask(app.client.get(url).bearer_auth(&token)).await.expect(200);
        assert!(!read.to_string().contains("Sara"), "{read}");
    }
}
