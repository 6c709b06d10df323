//! The main job, end to end, over the sockets of both sides.

use serde_json::{Value, json};

use crate::support::Socket;

both_databases! {
    async fn in_the_web_chat(app: TestApp) {
        let (anna, key) = app.operator("Anna", "operator").await;
        let (boris, _) = app.operator("Boris", "operator").await;
        let queue = json!([{"operator_id": boris["id"]}, {"operator_id": anna["id"]}]);
        let line = app.line("Support", json!({"queue": queue})).await;
        let chat = app.channel("webchat", &line, json!({})).await;
        // Anna has the window open; Boris, who stands before her, is not there.
        let mut window = app.socket(&key, None).await;
        window.until(|frame| frame["type"] == "hello").await;
        app.call_as(&key, "PUT", "/me/availability", Some(json!({"state": "accepting"}))).await.expect(200);

        // A stranger opens the chat from an advertisement and writes.
        let page = json!({"url": "https://shop.example/chairs?utm_source=ads&utm_campaign=spring", "referrer": "https://search.example/", "title": "Chairs"});
        let opened = app.widget(&chat, "sessions", None, json!({"page": page, "contact": {"name": "Olga"}})).await.expect(200);
        let token = opened["visitor_token"].as_str().unwrap().to_owned();
        let socket = format!("{}/widget/v1/{}/socket?token={token}&after=0", app.base.replacen("http", "ws", 1), chat["key"].as_str().unwrap());
        let mut visitor = Socket::at(&socket).await;
        let said = app.says(&chat, &token, "Do you have chairs?").await;
        let id = said["conversation_id"].as_str().unwrap().to_owned();

        // It rings at Anna's: the message, and the conversation as hers.
        window.until(|frame| frame["type"] == "message.created" && frame["data"]["text"] == "Do you have chairs?").await;
        let hers = |frame: &Value| frame["type"] == "conversation.updated" && frame["data"]["session"]["operator_id"] == anna["id"];
        let talk = window.until(hers).await["data"].clone();
        assert_eq!((&talk["id"], &talk["unread"], &talk["contact"]["name"]), (&json!(id), &json!(1), &json!("Olga")));
        let why = app.call_as(&key, "GET", &format!("/conversations/{id}/routing"), None).await.expect(200);
        let assigned = &why["items"][0];
        assert_eq!((&assigned["outcome"], &assigned["operator_id"]), (&json!("assigned"), &anna["id"]));
        assert_eq!(assigned["candidates"][0]["rejected_by"], "offline", "{assigned}");
        let lead = app.call_as(&key, "GET", &format!("/leads/{}", talk["lead_id"].as_str().unwrap()), None).await.expect(200);
        assert_eq!((&lead["status"], &lead["operator_id"], &lead["source"]), (&json!("new"), &Value::Null, &json!("ads")));
        assert_eq!(lead["attribution"]["first"]["utm_campaign"], "spring");

        // She reads and answers; the visitor sees both.
        app.call_as(&key, "POST", &format!("/conversations/{id}/read"), Some(json!({"seq": said["seq"]}))).await.expect(200);
        visitor.until(|frame| frame["type"] == "receipt" && frame["read_seq"] == said["seq"]).await;
        let body = json!({"text": "Yes, in green and in blue", "client_id": "draft-1"});
        let reply = app.call_as(&key, "POST", &format!("/conversations/{id}/messages"), Some(body)).await.expect(201);
        let frame = visitor.until(|frame| frame["type"] == "message" && frame["message"]["kind"] == "reply").await;
        assert_eq!((&frame["message"]["text"], &frame["message"]["author"]["name"]), (&json!("Yes, in green and in blue"), &json!("Anna")));
        visitor.say(json!({"type": "read", "seq": reply["seq"]})).await;
        let read = |frame: &Value| frame["type"] == "message.updated" && frame["data"]["delivery"]["state"] == "read";
        assert_eq!(window.until(read).await["data"]["id"], reply["id"]);

        // Who answered first is responsible, and the lead is in progress.
        let path = format!("/leads/{}", lead["id"].as_str().unwrap());
        let lead = app.until("the lead follows the first reply", || async {
            let lead = app.get(&path).await;
            (lead["status"] == "in_progress").then_some(lead)
        });
        assert_eq!(lead.await["operator_id"], anna["id"]);

        // Closed; the visitor comes back and continues the same conversation in a new session, with no second lead.
        let closed = app.call_as(&key, "POST", &format!("/conversations/{id}/close"), None).await.expect(200);
        let again = app.says(&chat, &token, "And tables?").await;
        assert_eq!(again["conversation_id"], json!(id));
        let newer = |frame: &Value| hers(frame) && frame["data"]["session"]["id"] != closed["session"]["id"];
        assert_eq!(window.until(newer).await["data"]["lead_id"], json!(talk["lead_id"]));
        assert_eq!(app.get("/leads").await["items"].as_array().unwrap().len(), 1);
        app.stop().await;
    }
}
