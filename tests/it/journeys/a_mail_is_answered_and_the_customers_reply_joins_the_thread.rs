//! By real mail servers, both ways.

use mail_parser::{MessageParser, MimeHeaders};
use serde_json::{Value, json};

use crate::support::{Mailbox, TestApp};

async fn one(app: &TestApp, channel: &Value, messages: usize) -> (Value, Vec<Value>) {
    let look = || async {
        let listed = app
            .get(&format!(
                "/conversations?channel={}",
                channel["id"].as_str().unwrap()
            ))
            .await;
        let talk = listed["items"].get(0)?.clone();
        assert_eq!(listed["items"].as_array().unwrap().len(), 1, "one conversation");
        let path = format!("/conversations/{}/messages", talk["id"].as_str().unwrap());
        let thread: Vec<Value> = app.get(&path).await["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|message| message["kind"] != "system")
            .cloned()
            .collect();
        (thread.len() >= messages).then_some((talk, thread))
    };
    app.until("the mail is here", look).await
}

both_databases! {
    async fn with_files_and_names_beyond_ascii(app: TestApp) {
        let (shop, ivan) = (Mailbox::new("shop", "example.test"), Mailbox::new("ivan", "client.test"));
        let (anna, key) = app.operator("Анна", "operator").await;
        let line = app.line("Support", json!({"queue": [{"operator_id": anna["id"]}]})).await;
        app.go_online(&key).await;
        let channel = app.channel("email", &line, shop.settings()).await;
        let checked = app.post(&format!("/channels/{}/check", channel["id"].as_str().unwrap()), json!({})).await.expect(200);
        assert_eq!(checked["ok"], true, "{checked}");

        // "Заказ № 7" from "Иван Петров", with a file "счёт.txt".
        let first = format!("<first-{}>", ivan.address);
        let raw = format!("From: =?UTF-8?B?0JjQstCw0L0g0J/QtdGC0YDQvtCy?= <{}>\nTo: {}\nMessage-ID: {first}\n\
            Subject: =?UTF-8?B?0JfQsNC60LDQtyDihJYgNw==?=\nDate: Mon, 05 Jan 2026 10:00:00 +0500\nMIME-Version: 1.0\n\
            Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n\
            0JPQtNC1INC80L7QuSDQt9Cw0LrQsNC3Pw==\n--b\nContent-Type: text/plain; charset=utf-8\n\
            Content-Disposition: attachment; filename*=UTF-8''%D1%81%D1%87%D1%91%D1%82.txt\nContent-Transfer-Encoding: base64\n\n\
            MTAwIFVTRA==\n--b--\n", ivan.address, shop.address);
        ivan.send(&shop, &raw).await;
        let (talk, thread) = one(&app, &channel, 1).await;
        assert_eq!((&talk["subject"], &talk["contact"]["name"]), (&json!("Заказ № 7"), &json!("Иван Петров")));
        assert_eq!(thread[0]["text"].as_str().unwrap().trim(), "Где мой заказ?");
        let file = &thread[0]["attachments"][0];
        assert_eq!(file["name"], "счёт.txt");
        let down = app.client.get(format!("{}{}", app.base, file["url"].as_str().unwrap())).bearer_auth(&key).send().await.unwrap();
        assert_eq!(down.bytes().await.unwrap().as_ref(), b"100 USD");
        let path = format!("/conversations/{}", talk["id"].as_str().unwrap());
        let hers = || async { (app.get(&path).await["session"]["operator_id"] == anna["id"]).then_some(()) };
        app.until("the router gives it to Anna", hers).await;
        let contact = app.get(&format!("/contacts/{}", talk["contact"]["id"].as_str().unwrap())).await;
        assert_eq!(contact["emails"], json!([ivan.address]));

        // Anna answers with a file of her own.
        let part = reqwest::multipart::Part::bytes(b"%PDF".to_vec()).file_name("ответ.pdf").mime_str("application/pdf").unwrap();
        let form = reqwest::multipart::Form::new().part("file", part);
        let own = app.ask(app.client.post(format!("{}/api/v1/attachments", app.base)).bearer_auth(&key).multipart(form)).await.expect(201);
        let body = json!({"text": "Здравствуйте! Заказ в пути.", "attachments": [own["id"]], "client_id": "a1"});
        let reply = app.call_as(&key, "POST", &format!("{path}/messages"), Some(body)).await.expect(201);
        let mails = ivan.mails(1).await;
        let answer = MessageParser::default().parse(mails[0].as_bytes()).unwrap();
        let bare = first.trim_matches(['<', '>']);
        assert_eq!((answer.in_reply_to().as_text(), answer.references().as_text()), (Some(bare), Some(bare)));
        assert_eq!(answer.subject(), Some("Re: Заказ № 7"));
        let from = answer.from().unwrap().first().unwrap();
        assert_eq!(from.address(), Some(shop.address.as_str()));
        assert!(answer.body_text(0).unwrap().starts_with("Здравствуйте! Заказ в пути."));
        let attached = answer.attachment(0).unwrap();
        assert_eq!((attached.attachment_name(), attached.contents()), (Some("ответ.pdf"), b"%PDF".as_slice()));
        let sent = || async {
            let page = app.get(&format!("{path}/messages")).await;
            let found = page["items"].as_array().unwrap().iter().find(|message| message["id"] == reply["id"])?.clone();
            (found["delivery"]["state"] == "sent").then_some(found)
        };
        let sent = app.until("it is shown as sent", sent).await;
        assert_eq!(sent["external_id"].as_str(), answer.message_id());

        // Ivan answers from a program that keeps the references and changes the subject.
        let raw = format!("From: <{}>\nTo: {}\nMessage-ID: <second-{}>\nIn-Reply-To: <{own}>\nReferences: {first} <{own}>\n\
            Subject: something else\nContent-Type: text/plain; charset=utf-8\n\nСпасибо!\n\n> Здравствуйте! Заказ в пути.\n",
            ivan.address, shop.address, ivan.address, own = answer.message_id().unwrap());
        ivan.send(&shop, &raw).await;
        let (again, thread) = one(&app, &channel, 3).await;
        assert_eq!((&again["id"], &again["lead_id"]), (&talk["id"], &talk["lead_id"]));
        assert!(thread[2]["text"].as_str().unwrap().starts_with("Спасибо!"), "{}", thread[2]);
        let leads = app.get("/leads").await;
        assert_eq!(leads["items"].as_array().unwrap().len(), 1);
        assert_eq!(leads["items"][0]["operator_id"], anna["id"]);

        // The second answer names both mails before it.
        app.call_as(&key, "POST", &format!("{path}/messages"), Some(json!({"text": "Пожалуйста"}))).await.expect(201);
        let mails = ivan.mails(2).await;
        let last = MessageParser::default().parse(mails[1].as_bytes()).unwrap();
        let second = format!("second-{}", ivan.address);
        assert_eq!(last.in_reply_to().as_text(), Some(second.as_str()));
        let references: Vec<&str> = last.references().as_text_list().unwrap().iter().map(AsRef::as_ref).collect();
        assert_eq!(references.last(), Some(&second.as_str()));
        assert!(references.contains(&bare) && references.contains(&answer.message_id().unwrap()), "{references:?}");
        app.stop().await;
    }
}
