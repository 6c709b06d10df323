//! A chat that goes on by mail, by real mail servers.

use chrono::TimeDelta;
use mail_parser::MessageParser;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use switchboard::db::entity::{chat_absence, consumer_cursor};

use crate::support::{Mailbox, Socket, TestApp};

struct Scene {
    shop: Mailbox,
    ann: Mailbox,
    chat: Value,
    mails: Value,
    token: String,
    talk: String,
}

impl Scene {
    /// A line with a mailbox and a chat, where a visitor who gave an address wrote something.
    async fn open(app: &TestApp, settings: Value) -> Self {
        let (shop, ann) = (
            Mailbox::new("shop", "example.test"),
            Mailbox::new("ann", "client.test"),
        );
        let line = app.line("Lamp shop", json!({})).await;
        let mails = app.channel("email", &line, shop.settings()).await;
        let chat = app.channel("webchat", &line, settings).await;
        let contact = json!({"name": "Ann", "email": ann.address});
        let body = json!({"contact": contact, "page": {"language": "ru-RU"}});
        let opened = app.widget(&chat, "sessions", None, body).await.expect(200);
        let token = opened["visitor_token"].as_str().unwrap().to_owned();
        let said = app.says(&chat, &token, "Where is my lamp?").await;
        let talk = said["conversation_id"].as_str().unwrap().to_owned();
        Self {
            shop,
            ann,
            chat,
            mails,
            token,
            talk,
        }
    }

    async fn staff(&self, app: &TestApp, kind: &str, text: &str) -> Value {
        let path = format!("/conversations/{}/messages", self.talk);
        app.post(&path, json!({"text": text, "kind": kind}))
            .await
            .expect(201)
    }

    async fn messages(&self, app: &TestApp) -> Vec<Value> {
        let path = format!("/conversations/{}/messages", self.talk);
        app.get(&path).await["items"].as_array().unwrap().clone()
    }

    /// The lines that say what was mailed.
    async fn mailed(&self, app: &TestApp) -> Vec<Value> {
        let all = self.messages(app).await;
        all.into_iter()
            .filter(|row| row["kind"] == "system" && row["delivery"].is_object())
            .collect()
    }

    async fn sent(&self, app: &TestApp) -> Value {
        let look = || async {
            let mailed = self.mailed(app).await;
            mailed.into_iter().find(|row| row["delivery"]["state"] == "sent")
        };
        app.until("the mail is sent", look).await
    }

    /// Waits until the replies are noted as perhaps unseen.
    async fn noted(&self, app: &TestApp) {
        let look = || async {
            chat_absence::Entity::find_by_id(&self.talk)
                .one(app.app.db.read())
                .await
                .unwrap()
        };
        app.until("the reply is noted", look).await;
    }

    async fn look(&self, app: &TestApp) -> usize {
        app.app.chat_mail.look(app.app.clock.now()).await.unwrap()
    }

    async fn history(&self, app: &TestApp) -> Vec<Value> {
        let url = format!(
            "{}/widget/v1/{}/messages",
            app.base,
            self.chat["key"].as_str().unwrap()
        );
        let answer = app
            .ask(app.client.get(url).bearer_auth(&self.token))
            .await
            .expect(200);
        answer["items"].as_array().unwrap().clone()
    }

    async fn socket(&self, app: &TestApp) -> Socket {
        let base = app.base.replacen("http", "ws", 1);
        let url = format!(
            "{base}/widget/v1/{}/socket?token={}",
            self.chat["key"].as_str().unwrap(),
            self.token
        );
        let mut socket = Socket::at(&url).await;
        socket.until(|frame| frame["type"] == "hello").await;
        socket
    }

    async fn close(&self, app: &TestApp) {
        app.post(&format!("/conversations/{}/close", self.talk), json!({}))
            .await
            .expect(200);
    }

    async fn ask(&self, app: &TestApp, body: Value) -> crate::support::Answer {
        app.widget(&self.chat, "transcript", Some(&self.token), body)
            .await
    }
}

fn text(mail: &str) -> String {
    MessageParser::default()
        .parse(mail.as_bytes())
        .unwrap()
        .body_text(0)
        .unwrap()
        .into_owned()
}

both_databases_by_the_clock! {
    async fn replies_a_visitor_left_before_go_out_in_one_mail_and_the_answer_joins_the_chat(app: TestApp, clock: Clock) {
        let scene = Scene::open(&app, json!({"mail_after_minutes": 5})).await;
        scene.staff(&app, "reply", "It is on its way.").await;
        scene.staff(&app, "note", "A difficult one").await;
        scene.staff(&app, "reply", "It comes on Monday.").await;
        scene.noted(&app).await;
        assert_eq!(scene.look(&app).await, 0, "they may come back");
        clock.advance(TimeDelta::minutes(6));
        assert_eq!(scene.look(&app).await, 1);
        assert_eq!(scene.look(&app).await, 0, "once");
        let line = scene.sent(&app).await;
        let expected = format!("The visitor left before they saw 2 replies: they are sent to {} by e-mail", scene.ann.address);
        assert_eq!(line["text"], json!(expected));
        let mails = scene.ann.mails(1).await;
        let mail = MessageParser::default().parse(mails[0].as_bytes()).unwrap();
        assert_eq!(mail.subject(), Some("Новые сообщения: Lamp shop"));
        assert_eq!(mail.from().unwrap().first().unwrap().address(), Some(scene.shop.address.as_str()));
        let body = text(&mails[0]);
        let (first, second) = (body.find("It is on its way.").unwrap(), body.find("It comes on Monday.").unwrap());
        assert!(first < second, "{body}");
        // The replies, and neither what came before nor what is for the staff.
        assert!(!body.contains("Where is my lamp?") && !body.contains("difficult"), "{body}");
        assert!(!scene.history(&app).await.iter().any(|row| row["text"].as_str().unwrap().contains("by e-mail")));

        // Ann answers by mail, later than what she answers was sent.
        clock.advance(TimeDelta::seconds(1));
        let raw = format!("From: Ann <{}>\nTo: {}\nMessage-ID: <one-{}>\nIn-Reply-To: <{own}>\nReferences: <{own}>\n\
            Subject: Re: anything\nContent-Type: text/plain; charset=utf-8\n\nThank you, Monday is fine.\n",
            scene.ann.address, scene.shop.address, scene.ann.address, own = mail.message_id().unwrap());
        scene.ann.send(&scene.shop, &raw).await;
        let look = || async {
            let all = scene.messages(&app).await;
            all.into_iter().find(|row| row["kind"] == "inbound" && row["text"].as_str().unwrap().contains("Monday is fine"))
        };
        let answer = app.until("the answer is in the chat", look).await;
        assert_eq!((&answer["new_participant"], &answer["conversation_id"]), (&json!(false), &json!(scene.talk)));
        let of_mailbox = app.get(&format!("/conversations?channel={}", scene.mails["id"].as_str().unwrap())).await;
        assert_eq!(of_mailbox["items"], json!([]), "and in no conversation of its own");

        // Who merely typed the address on the site does not read what its owner mails.
        let seen = scene.history(&app).await;
        let by_mail = seen.iter().find(|row| row["by_mail"] == true).unwrap();
        assert_eq!((&by_mail["text"], &by_mail["html"], &by_mail["attachments"]), (&json!(""), &Value::Null, &json!([])));
        assert!(!json!(seen).to_string().contains("Monday is fine"));

        // The next reply goes out as a mail of the same thread.
        scene.staff(&app, "reply", "See you then.").await;
        scene.noted(&app).await;
        clock.advance(TimeDelta::minutes(6));
        assert_eq!(scene.look(&app).await, 1);
        let mails = scene.ann.mails(2).await;
        let mail = MessageParser::default().parse(mails[1].as_bytes()).unwrap();
        assert_eq!(mail.in_reply_to().as_text(), Some(format!("one-{}", scene.ann.address).as_str()));
        assert!(text(&mails[1]).contains("See you then.") && !text(&mails[1]).contains("It is on its way."));
        app.stop().await;
    }

    async fn who_is_there_or_has_seen_it_gets_no_mail_and_who_comes_back_in_between_gets_none_either(app: TestApp, clock: Clock) {
        let scene = Scene::open(&app, json!({"mail_after_minutes": 5})).await;
        let mut socket = scene.socket(&app).await;
        scene.staff(&app, "reply", "Here I am").await;
        let frame = socket.until(|frame| frame["message"]["text"] == "Here I am").await;
        scene.noted(&app).await;
        clock.advance(TimeDelta::minutes(6));
        assert_eq!(scene.look(&app).await, 0, "there, though not looking");
        // They leave without having looked: the time runs from there.
        drop(socket);
        let gone = || async { (app.app.visitors.count() == 0).then_some(()) };
        app.until("the socket is gone", gone).await;
        clock.advance(TimeDelta::minutes(4));
        assert_eq!(scene.look(&app).await, 0);
        // The mailbox is off for a while: the mail waits, and its visitor comes back to the chat.
        let path = format!("/channels/{}", scene.mails["id"].as_str().unwrap());
        clock.advance(TimeDelta::minutes(2));
        let mut off = scene.mails.clone();
        off["settings"] = json!({"smtp": {"host": "127.0.0.1", "port": 1, "tls": "none"}});
        app.patch(&path, json!({"settings": off["settings"]})).await;
        assert_eq!(scene.look(&app).await, 1);
        let failed = || async { scene.mailed(&app).await.into_iter().find(|row| row["delivery"]["attempts"].as_i64() > Some(0) && row["delivery"]["state"] == "queued") };
        app.until("it could not be sent, and says so", failed).await;
        let read = json!({"seq": frame["message"]["seq"]});
        app.widget(&scene.chat, "read", Some(&scene.token), read).await.expect(204);
        app.patch(&path, json!({"settings": scene.shop.settings()})).await.expect(200);
        clock.advance(TimeDelta::hours(1));
        let spared = || async {
            let all = scene.messages(&app).await;
            all.into_iter().find(|row| row["text"] == "The visitor came back and saw the replies in the chat: no e-mail was sent")
        };
        assert_eq!(app.until("the mail is spared", spared).await["delivery"], Value::Null);
        // Once seen, nothing is mailed at all.
        clock.advance(TimeDelta::hours(1));
        assert_eq!(scene.look(&app).await, 0);
        app.stop().await;
    }

    async fn an_ended_chat_is_sent_to_its_visitor_once_and_to_one_address(app: TestApp, clock: Clock) {
        let scene = Scene::open(&app, json!({"staff_name": "The lamp people"})).await;
        let other = Mailbox::new("other", "client.test");
        scene.ask(&app, json!({})).await.expect(409);
        scene.close(&app).await;
        let unanswered = scene.ask(&app, json!({})).await.expect(409);
        assert_eq!(unanswered["detail"], "nobody has answered in this chat");
        app.says(&scene.chat, &scene.token, "Hello again").await;
        scene.staff(&app, "reply", "Good day").await;
        scene.staff(&app, "note", "Secret note").await;
        scene.ask(&app, json!({})).await.expect(409);
        scene.close(&app).await;
        let opened = app.widget(&scene.chat, "sessions", None, json!({"visitor_token": scene.token})).await.expect(200);
        assert_eq!(opened["transcript"], json!({"email": scene.ann.address}));
        scene.ask(&app, json!({"email": "nobody"})).await.expect(422);
        scene.ask(&app, json!({"email": scene.shop.address})).await.expect(422);
        scene.ask(&app, json!({})).await.expect(204);
        scene.ask(&app, json!({"email": scene.ann.address})).await.expect(204);
        scene.ask(&app, json!({"email": other.address})).await.expect(409);
        let mails = scene.ann.mails(1).await;
        let mail = MessageParser::default().parse(mails[0].as_bytes()).unwrap();
        assert_eq!(mail.subject(), Some("Ваш чат: Lamp shop"));
        assert!(mails[0].contains("Auto-Submitted: auto-replied"));
        let body = text(&mails[0]);
        assert!(body.contains("Вы, ") && body.contains("Hello again") && body.contains("The lamp people, "), "{body}");
        // The session that ended, without notes and without the names that are masked.
        assert!(!body.contains("Where is my lamp?") && !body.contains("Secret") && !body.contains("test,"), "{body}");
        let opened = app.widget(&scene.chat, "sessions", None, json!({"visitor_token": scene.token})).await.expect(200);
        assert_eq!(opened["transcript"], Value::Null);
        assert_eq!(scene.sent(&app).await["text"], format!("The visitor asked for the transcript: it is sent to {} by e-mail", scene.ann.address));

        // Strangers cannot have one address written to again and again.
        for round in 0..3 {
            clock.advance(TimeDelta::minutes(1));
            let token = app.visitor(&scene.chat).await;
            let said = app.says(&scene.chat, &token, "Buy at evil.example").await;
            let talk = said["conversation_id"].as_str().unwrap();
            app.post(&format!("/conversations/{talk}/messages"), json!({"text": "What is it?"})).await.expect(201);
            app.post(&format!("/conversations/{talk}/close"), json!({})).await.expect(200);
            let asked = app.widget(&scene.chat, "transcript", Some(&token), json!({"email": scene.ann.address})).await;
            asked.expect(if round < 2 { 204 } else { 429 });
        }
        app.stop().await;
    }

    async fn an_operator_sends_a_transcript_and_hears_when_there_is_no_way(app: TestApp, clock: Clock) {
        let scene = Scene::open(&app, json!({})).await;
        scene.staff(&app, "reply", "Good day").await;
        let path = format!("/conversations/{}/transcript", scene.talk);
        assert_eq!(app.get(&path).await, json!({"available": true, "email": scene.ann.address}));
        let other = Mailbox::new("other", "client.test");
        app.post(&path, json!({"email": "noreply@client.test"})).await.expect(422);
        let line = app.post(&path, json!({"email": other.address})).await.expect(201);
        assert_eq!((&line["delivery"]["state"], &line["kind"]), (&json!("queued"), &json!("system")));
        assert!(text(&other.mails(1).await[0]).contains("Where is my lamp?"));
        // Without a mailbox nothing is offered, and nothing pretended.
        clock.advance(TimeDelta::minutes(1));
        app.patch(&format!("/channels/{}", scene.mails["id"].as_str().unwrap()), json!({"enabled": false})).await.expect(200);
        assert_eq!(app.get(&path).await["available"], false);
        app.post(&path, json!({})).await.expect(409);
        scene.close(&app).await;
        scene.ask(&app, json!({})).await.expect(409);
        let opened = app.widget(&scene.chat, "sessions", None, json!({"visitor_token": scene.token})).await.expect(200);
        assert_eq!(opened["transcript"], Value::Null);
        app.stop().await;
    }

    async fn what_was_answered_long_ago_is_not_mailed_when_the_log_is_read_anew(app: TestApp, clock: Clock) {
        let scene = Scene::open(&app, json!({"mail_after_minutes": null})).await;
        scene.staff(&app, "reply", "An old answer").await;
        clock.advance(TimeDelta::hours(7));
        let path = format!("/channels/{}", scene.chat["id"].as_str().unwrap());
        app.patch(&path, json!({"settings": {"mail_after_minutes": 5}})).await.expect(200);
        let database = app.stop().await;
        let db = database.open().await;
        let write = db.write().await.unwrap();
        consumer_cursor::Entity::delete_by_id("visitor.unseen").exec(write.tx()).await.unwrap();
        write.commit().await.unwrap();
        db.close().await.unwrap();
        let app = TestApp::start_at(database, clock.clone()).await;
        // A new answer is behind the old one in the log: once it is noted, the old one was passed over.
        let token = app.visitor(&scene.chat).await;
        let said = app.says(&scene.chat, &token, "Me too").await;
        let other = said["conversation_id"].as_str().unwrap().to_owned();
        app.post(&format!("/conversations/{other}/messages"), json!({"text": "A new answer"})).await.expect(201);
        let noted = || async { chat_absence::Entity::find_by_id(&other).one(app.app.db.read()).await.unwrap() };
        app.until("the new answer is noted", noted).await;
        let old = chat_absence::Entity::find_by_id(&scene.talk).one(app.app.db.read()).await.unwrap();
        assert_eq!(old, None);
        app.stop().await;
    }
}
