//! What operators write where a message is more than its words: address fields, signatures, templates, files
//! that are passed on, and limits of the account it goes out by.

use std::time::Duration;

use serde_json::{Value, json};
use switchboard_sdk::{
    Batch, Identity, IdentityKind, InboundAttachment, InboundBody, InboundEvent, InboundMessage, Outcome,
    Person, Recipient, RecipientRole, SendError, Sent, Thread,
};

use crate::{
    fake::{FAKE, LETTERS, Script},
    support::{Database, TestApp},
};

/// A mailbox that nobody can reach: what is written waits.
fn mailbox(address: &str) -> Value {
    json!({
        "address": address,
        "imap": {"host": "127.0.0.1", "port": 1, "tls": "none", "password": "secret"},
        "smtp": {"host": "127.0.0.1", "port": 1, "tls": "none"},
        "max_message_mb": 1,
    })
}

fn field(role: RecipientRole, name: Option<&str>, address: &str) -> Recipient {
    Recipient {
        role,
        name: name.map(str::to_owned),
        address: address.to_owned(),
    }
}

/// Ivan writes to the shop and to Olga, with his boss and the shop's other mailbox in copy.
fn from_ivan() -> Vec<Recipient> {
    use RecipientRole::{Cc, From, To};
    vec![
        field(From, Some("Ivan"), "ivan@client.example"),
        field(To, None, "support@shop.example"),
        field(To, Some("Olga"), "olga@client.example"),
        field(Cc, None, "boss@client.example"),
        field(Cc, None, "sales+x@shop.example"),
        field(Cc, None, "no-reply@list.example"),
    ]
}

async fn mail(
    app: &TestApp,
    channel: &Value,
    from: &str,
    recipients: Vec<Recipient>,
    files: Vec<InboundAttachment>,
) -> String {
    let id = uuid::Uuid::new_v4().to_string();
    let body = InboundMessage {
        from: Person {
            name: Some("Ivan".to_owned()),
            identities: vec![Identity {
                kind: IdentityKind::Email,
                value: from.to_owned(),
                verified: false,
            }],
            ..Person::default()
        },
        thread: Thread::Messages {
            own: format!("{id}@client.example"),
            earlier: Vec::new(),
        },
        text: "Where is my order?".to_owned(),
        html: Some("<p>Where is <b>my</b> order?</p>".to_owned()),
        subject: Some("Order 7".to_owned()),
        attachments: files,
        recipients,
        ..InboundMessage::default()
    };
    let event = InboundEvent {
        external_id: id,
        at: app.app.clock.now(),
        body: InboundBody::Message(body),
    };
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

async fn shop(app: &TestApp) -> (Value, Value) {
    let line = app.line("Support", json!({})).await;
    let channel = app.channel("email", &line, mailbox("support@shop.example")).await;
    app.channel("email", &line, mailbox("sales@shop.example")).await;
    (line, channel)
}

fn addresses(list: &Value) -> Vec<String> {
    let shown = |one: &Value| {
        format!(
            "{} {}",
            one["role"].as_str().unwrap(),
            one["address"].as_str().unwrap()
        )
    };
    list.as_array().unwrap().iter().map(shown).collect()
}

both_databases! {
    async fn a_reply_to_all_reaches_all_but_ourselves_and_machines(app: TestApp) {
        let (_, channel) = shop(&app).await;
        let id = mail(&app, &channel, "ivan@client.example", from_ivan(), Vec::new()).await;
        let path = format!("/conversations/{id}");
        let seen = app.get(&path).await;
        assert_eq!((&seen["recipients"], &seen["rich_text"], &seen["max_message_bytes"]), (&json!(true), &json!(true), &json!(1_048_576)));
        let came = app.get(&format!("{path}/messages")).await["items"][0].clone();
        assert_eq!(came["recipients"].as_array().unwrap().len(), 6);
        assert_eq!(came["recipients"][2], json!({"role": "to", "name": "Olga", "address": "olga@client.example"}));

        let writing = app.get(&format!("{path}/writing")).await;
        assert_eq!(addresses(&writing["reply"]), ["to ivan@client.example"]);
        let all = ["to ivan@client.example", "to olga@client.example", "cc boss@client.example"];
        assert_eq!(addresses(&writing["reply_all"]), all);
        assert_eq!(addresses(&writing["people"]), ["to olga@client.example", "cc boss@client.example", "cc no-reply@list.example"]);
        assert_eq!((&writing["unanswerable"], &writing["values"]["contact.name"]), (&json!(false), &json!("Ivan")));

        let messages = format!("{path}/messages");
        let sent = app.post(&messages, json!({"text": "On its way", "mode": "reply_all"})).await.expect(201);
        assert_eq!((addresses(&sent["recipients"]), &sent["mode"]), (all.map(str::to_owned).to_vec(), &json!("reply_all")));
        let sent = app.post(&messages, json!({"text": "x", "to": ["Ivan@Client.example"], "bcc": [{"name": "A", "address": "archive@else.example"}]})).await.expect(201);
        assert_eq!(addresses(&sent["recipients"]), ["to ivan@client.example", "bcc archive@else.example"]);
        // Who says nothing answers the customer alone.
        let sent = app.post(&messages, json!({"text": "x"})).await.expect(201);
        assert_eq!((addresses(&sent["recipients"]), &sent["mode"]), (vec!["to ivan@client.example".to_owned()], &json!("reply")));
        // A note goes nowhere.
        let note = app.post(&messages, json!({"text": "x", "kind": "note"})).await.expect(201);
        assert_eq!((&note["recipients"], &note["mode"]), (&json!([]), &Value::Null));
    }

    async fn what_would_come_back_or_go_nowhere_is_refused_with_its_field(app: TestApp) {
        let (line, channel) = shop(&app).await;
        let id = mail(&app, &channel, "ivan@client.example", from_ivan(), Vec::new()).await;
        let messages = format!("/conversations/{id}/messages");
        for (body, field) in [
            (json!({"text": "x", "to": ["support@shop.example"]}), "to"),
            (json!({"text": "x", "cc": ["SALES+1@shop.example"]}), "cc"),
            (json!({"text": "x", "bcc": ["noreply@else.example"]}), "bcc"),
            (json!({"text": "x", "to": ["not an address"]}), "to"),
            (json!({"text": "x", "mode": "forward"}), "to"),
            (json!({"text": "x", "mode": "shout"}), "mode"),
            (json!({"text": "x", "mode": "forward", "to": ["a@else.example"], "forward_of": "msg_none"}), "forward_of"),
            (json!({"text": "x", "kind": "note", "to": ["a@else.example"]}), "mode"),
            (json!({"text": "x", "to": (0..51).map(|n| format!("a{n}@else.example")).collect::<Vec<_>>()}), "to"),
        ] {
            let problem = app.post(&messages, body.clone()).await.expect(422);
            assert_eq!(problem["errors"][0]["field"], field, "{body}: {problem}");
        }
        let chat = app.channel("webchat", &line, json!({})).await;
        let talk = format!("/conversations/{}/messages", app.writes(&chat, "olga", "Hello").await);
        for (body, field) in [(json!({"text": "x", "mode": "reply_all"}), "mode"), (json!({"text": "x", "html": "<b>x</b>"}), "html")] {
            let problem = app.post(&talk, body).await.expect(422);
            assert_eq!(problem["errors"][0]["field"], field, "{problem}");
        }
        let writing = app.get(&talk.replace("/messages", "/writing")).await;
        assert_eq!((&writing["reply"], &writing["signature"]), (&json!([]), &Value::Null));

        // A machine wrote: nobody would read the answer.
        let machine = vec![field_of("no-reply@bank.example")];
        let id = mail(&app, &channel, "no-reply@bank.example", machine, Vec::new()).await;
        let path = format!("/conversations/{id}");
        assert_eq!(app.get(&format!("{path}/writing")).await["unanswerable"], true);
        let messages = format!("{path}/messages");
        for body in [json!({"text": "x"}), json!({"text": "x", "mode": "reply_all"})] {
            let problem = app.post(&messages, body).await.expect(422);
            assert_eq!(problem["errors"][0]["field"], "to", "{problem}");
        }
        app.post(&messages, json!({"text": "x", "to": ["desk@bank.example"]})).await.expect(201);
    }

    async fn a_message_is_passed_on_with_its_files_and_is_no_answer(app: TestApp) {
        let (_, channel) = shop(&app).await;
        let file = InboundAttachment {
            name: "photo.png".to_owned(),
            content_type: "image/png".to_owned(),
            data: vec![1; 1000].into(),
            ..InboundAttachment::default()
        };
        let id = mail(&app, &channel, "ivan@client.example", from_ivan(), vec![file]).await;
        let path = format!("/conversations/{id}");
        let came = app.get(&format!("{path}/messages")).await["items"][0].clone();
        let body = json!({"text": "Please look", "mode": "forward", "to": ["expert@works.example"], "forward_of": came["id"]});
        let sent = app.post(&format!("{path}/messages"), body).await.expect(201);
        let text = sent["text"].as_str().unwrap();
        assert!(text.starts_with("Please look\n\n---------- Forwarded message"), "{text}");
        for part in ["From: Ivan <ivan@client.example>", "Subject: Order 7", "Cc: boss@client.example", "Where is my order?"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(sent["html"].as_str().unwrap().contains("<p>Where is <b>my</b> order?</p>"));
        assert_eq!(addresses(&sent["recipients"]), ["to expert@works.example"]);
        let copy = &sent["attachments"][0];
        assert_eq!((&copy["name"], &copy["size"]), (&json!("photo.png"), &json!(1000)));
        assert_ne!(copy["id"], came["attachments"][0]["id"]);
        for file in [copy, &came["attachments"][0]] {
            let got = app.client.get(format!("{}{}", app.base, file["url"].as_str().unwrap())).bearer_auth(&app.key).send().await.unwrap();
            assert_eq!(got.bytes().await.unwrap().as_ref(), &[1; 1000]);
        }
        let after = app.get(&path).await;
        assert_eq!((&after["session"]["state"], &after["session"]["first_reply_at"]), (&json!("waiting"), &Value::Null));
    }

    async fn signatures_stand_under_mails_once_and_rich_text_is_cleaned(app: TestApp) {
        let (line, channel) = shop(&app).await;
        let (anna, key) = app.operator("Anna", "operator").await;
        let queue = json!({"queue": [{"operator_id": anna["id"]}], "signature": "{{line.name}} of the shop\nCase {{conversation.number}}"});
        app.patch(&format!("/lines/{}", line["id"].as_str().unwrap()), queue).await.expect(200);
        let put = |signature: Value| app.call_as(&key, "PUT", "/me/signature", Some(json!({"signature": signature})));
        assert_eq!(put(json!("{{wait_minutes}}")).await.expect(422)["errors"][0]["field"], "signature");
        put(json!("  Yours, {{operator.name}} ")).await.expect(200);
        let id = mail(&app, &channel, "ivan@client.example", from_ivan(), Vec::new()).await;
        let path = format!("/conversations/{id}");
        let number = app.get(&path).await["number"].clone();
        let signature = format!("Yours, Anna\nSupport of the shop\nCase {number}");
        let writing = app.call_as(&key, "GET", &format!("{path}/writing"), None).await.expect(200);
        assert_eq!(writing["signature"], signature);
        let post = |body: Value| {
            let (app, key, path) = (&app, &key, format!("{path}/messages"));
            async move { app.call_as(key, "POST", &path, Some(body)).await.expect(201) }
        };
        let sent = post(json!({"text": "Hello", "html": "<p onclick=x>Hello <strong>you</strong><script>x()</script></p>"})).await;
        assert_eq!(sent["text"], format!("Hello\n\n-- \n{signature}"));
        let html = sent["html"].as_str().unwrap();
        assert!(html.starts_with("<p>Hello <strong>you</strong></p><p>-- <br>Yours, Anna<br>"), "{html}");
        let again = post(json!({"text": sent["text"]})).await;
        assert_eq!(again["text"], sent["text"], "what is signed is not signed twice");
        assert_eq!(post(json!({"text": "Hello", "signature": false})).await["text"], "Hello");
        assert_eq!(post(json!({"text": "Inside", "kind": "note"})).await["text"], "Inside");
        put(Value::Null).await.expect(200);
        assert_eq!(app.call_as(&key, "GET", "/me/signature", None).await.expect(200)["signature"], Value::Null);
        assert_eq!(post(json!({"text": "Bye"})).await["text"], format!("Bye\n\n-- \nSupport of the shop\nCase {number}"));
    }

    async fn what_the_provider_would_not_take_is_said_before_it_is_sent(app: TestApp) {
        let (_, channel) = shop(&app).await;
        let id = mail(&app, &channel, "ivan@client.example", from_ivan(), Vec::new()).await;
        let upload = |size: usize| {
            let part = reqwest::multipart::Part::bytes(vec![0; size]).file_name("a.bin");
            let form = reqwest::multipart::Form::new().part("file", part);
            let request = app.client.post(format!("{}/api/v1/attachments", app.base)).bearer_auth(&app.key).multipart(form);
            async { app.ask(request).await.expect(201)["id"].clone() }
        };
        let messages = format!("/conversations/{id}/messages");
        let (a, b) = (upload(600_000).await, upload(200_000).await);
        let problem = app.post(&messages, json!({"text": "x", "attachments": [a, b]})).await.expect(422);
        assert_eq!(problem["errors"][0]["field"], "attachments");
        assert!(problem["errors"][0]["message"].as_str().unwrap().contains("1.0 MB"), "{problem}");
        // What was refused is still there for the next try.
        app.post(&messages, json!({"text": "x", "attachments": [a]})).await.expect(201);
    }
}

fn field_of(address: &str) -> Recipient {
    field(RecipientRole::From, None, address)
}

/// On both databases with connectors that do as they are told.
macro_rules! with_fakes {
    ($($name:ident => $scenario:ident),+ $(,)?) => {
        $(
            mod $name {
                use super::*;

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_sqlite() {
                    $scenario(TestApp::start_with(Database::sqlite().await, vec![&FAKE, &LETTERS]).await).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_postgres() {
                    $scenario(TestApp::start_with(Database::postgres().await, vec![&FAKE, &LETTERS]).await).await;
                }
            }
        )+
    };
}

with_fakes! {
    what_is_over_the_accounts_limit_waits_in_order_and_is_no_attempt => limited,
    who_does_not_get_it_is_named_on_a_message_that_others_got => partly,
}

async fn sent_texts(app: &TestApp, id: &str, count: usize) -> Vec<Value> {
    app.until("all is sent", || async {
        let page = app.get(&format!("/conversations/{id}/messages")).await;
        let rows: Vec<Value> = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| row["kind"] == "reply")
            .cloned()
            .collect();
        let done = rows.len() == count && rows.iter().all(|row| row["delivery"]["state"] == "sent");
        done.then_some(rows)
    })
    .await
}

async fn limited(app: TestApp) {
    let script = Script::new();
    let line = app.line(&script.name, json!({})).await;
    let channel = app.channel("fake", &line, script.settings()).await;
    let (a, b) = (
        app.writes(&channel, "ann", "Hello").await,
        app.writes(&channel, "bob", "Hello").await,
    );
    let wait = || {
        Err(SendError::Wait {
            after: Duration::from_millis(300),
            reason: "this account sends 1 mail a minute at most".to_owned(),
        })
    };
    script.will_answer([wait(), wait(), wait()]);
    for (id, text) in [(&a, "a1"), (&a, "a2"), (&b, "b1"), (&b, "b2")] {
        app.post(&format!("/conversations/{id}/messages"), json!({"text": text}))
            .await
            .expect(201);
    }
    for id in [&a, &b] {
        for row in sent_texts(&app, id, 2).await {
            assert_eq!(
                row["delivery"],
                json!({"state": "sent", "attempts": 1, "error": null})
            );
        }
    }
    let sent: Vec<String> = script.sent().into_iter().map(|message| message.text).collect();
    let place = |text: &str| sent.iter().position(|sent| sent == text).unwrap();
    assert_eq!(sent.len(), 4, "{sent:?}");
    assert!(place("a1") < place("a2") && place("b1") < place("b2"), "{sent:?}");
}

async fn partly(app: TestApp) {
    let script = Script::new();
    let line = app.line(&script.name, json!({})).await;
    let channel = app.channel("letters", &line, script.settings()).await;
    let id = mail(&app, &channel, "ivan@client.example", from_ivan(), Vec::new()).await;
    script.will_answer([Ok(Sent {
        external_id: Some("p-1".to_owned()),
        refused: vec!["olga@client.example: 550 5.1.1 no such user".to_owned()],
        ..Sent::default()
    })]);
    let body = json!({"text": "Hello", "mode": "reply_all"});
    app.post(&format!("/conversations/{id}/messages"), body)
        .await
        .expect(201);
    let rows = sent_texts(&app, &id, 1).await;
    assert_eq!(
        rows[0]["delivery"]["error"],
        "olga@client.example: 550 5.1.1 no such user"
    );
    let sent = script.sent();
    assert_eq!(sent[0].recipients.len(), 5, "{:?}", sent[0].recipients);
    assert!(!sent[0].forward);
}
