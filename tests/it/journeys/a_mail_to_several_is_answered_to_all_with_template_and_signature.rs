//! By real mail servers: everybody gets it once, and the mailbox keeps a copy.

use mail_parser::MessageParser;
use serde_json::{Value, json};

use crate::support::Mailbox;

both_databases! {
    async fn and_who_was_in_copy_answers_into_the_same_conversation(app: TestApp) {
        let shop = Mailbox::new("shop", "example.test");
        let (ivan, olga) = (Mailbox::new("ivan", "client.test"), Mailbox::new("olga", "client.test"));
        let (anna, key) = app.operator("Anna", "operator").await;
        let line = app.line("Support", json!({"queue": [{"operator_id": anna["id"]}], "signature": "{{line.name}}"})).await;
        app.go_online(&key).await;
        let channel = app.channel("email", &line, shop.settings()).await;
        app.call_as(&key, "PUT", "/me/signature", Some(json!({"signature": "Yours, {{operator.name}}"}))).await.expect(200);

        let raw = format!("From: Ivan <{}>\nTo: {}\nCc: Olga <{}>\nMessage-ID: <first-{}>\nSubject: Order 7\n\
            Date: Mon, 05 Jan 2026 10:00:00 +0500\nContent-Type: text/plain; charset=utf-8\n\nWhere is it?\n",
            ivan.address, shop.address, olga.address, ivan.address);
        ivan.send(&shop, &raw).await;
        let talk = app.until("the mail is here and Anna's", || async {
            let page = app.get(&format!("/conversations?channel={}", channel["id"].as_str().unwrap())).await;
            let talk = page["items"].get(0)?.clone();
            (talk["session"]["operator_id"] == anna["id"]).then_some(talk)
        }).await;
        let path = format!("/conversations/{}", talk["id"].as_str().unwrap());
        let writing = app.call_as(&key, "GET", &format!("{path}/writing"), None).await.expect(200);
        assert_eq!(writing["reply_all"][1], json!({"role": "cc", "name": "Olga", "address": olga.address}));
        assert_eq!(writing["signature"], "Yours, Anna\nSupport");

        let html = "<p>Dear <strong>Ivan</strong>, it is on its way.</p>";
        let body = json!({"text": "Dear Ivan, it is on its way.", "html": html, "mode": "reply_all", "client_id": "a1"});
        app.call_as(&key, "POST", &format!("{path}/messages"), Some(body)).await.expect(201);
        let mut ids = Vec::new();
        for reader in [&ivan, &olga] {
            let mails = reader.mails(1).await;
            assert_eq!(mails.len(), 1);
            let mail = MessageParser::default().parse(mails[0].as_bytes()).unwrap();
            assert_eq!(mail.cc().unwrap().first().unwrap().address(), Some(olga.address.as_str()));
            assert_eq!(mail.subject(), Some("Re: Order 7"));
            let text = mail.body_text(0).unwrap().replace("\r\n", "\n");
            assert_eq!(text.trim_end(), "Dear Ivan, it is on its way.\n\n-- \nYours, Anna\nSupport");
            assert!(mail.body_html(0).unwrap().contains("<strong>Ivan</strong>"));
            ids.push(mail.message_id().unwrap().to_owned());
        }
        assert_eq!(ids[0], ids[1]);

        // Olga answers all: the same conversation, and it is still Ivan's.
        let raw = format!("From: Olga <{}>\nTo: {}\nCc: {}\nMessage-ID: <second-{}>\nIn-Reply-To: <{}>\nSubject: Re: Order 7\n\
            Content-Type: text/plain; charset=utf-8\n\nThank you!\n", olga.address, shop.address, ivan.address, olga.address, ids[0]);
        olga.send(&shop, &raw).await;
        let thread: Vec<Value> = app.until("Olga's answer is here", || async {
            let page = app.get(&format!("{path}/messages")).await;
            let rows: Vec<Value> = page["items"].as_array().unwrap().iter().filter(|row| row["kind"] == "inbound").cloned().collect();
            (rows.len() == 2).then_some(rows)
        }).await;
        assert!(thread[1]["text"].as_str().unwrap().starts_with("Thank you!"));
        let now = app.get(&path).await;
        assert_eq!((&now["contact"]["id"], &now["contact"]["name"]), (&talk["contact"]["id"], &json!("Ivan")));
        let writing = app.get(&format!("{path}/writing")).await;
        assert_eq!(writing["reply"][0]["address"], olga.address);
        app.stop().await;
    }
}
