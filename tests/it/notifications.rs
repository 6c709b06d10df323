//! What forms tell of their submissions: by mail on the real SMTP server, by Telegram on the Bot API server of the
//! testkit, and to webhooks.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it cannot go on"
)]

use serde_json::{Value, json};
use switchboard_testkit::telegram::{BotApi, TOKEN, Trick};

use crate::{
    support::{Mailbox, TestApp},
    webhooks::{Receiver, webhook},
};

struct Desk {
    line: Value,
}

impl Desk {
    async fn new(app: &TestApp) -> Self {
        Self {
            line: app.line("Sales", json!({"crm": {"create_lead": "always"}})).await,
        }
    }

    async fn form(&self, app: &TestApp, more: Value) -> Value {
        let mut settings = json!({"fields": [
            {"name": "name", "label": "Your name", "maps_to": "contact.name"},
            {"name": "phone", "label": "Phone", "type": "phone", "maps_to": "contact.phone"},
        ]});
        settings
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().cloned().unwrap());
        app.channel("webform", &self.line, settings).await
    }

    async fn bot(&self, app: &TestApp) -> (BotApi, Value) {
        let api = BotApi::start().await;
        let settings = json!({"token": TOKEN, "api_url": api.url()});
        let channel = app.channel("telegram", &self.line, settings).await;
        (api, channel)
    }
}

async fn fill(app: &TestApp, form: &Value, name: &str) -> String {
    let fields = json!({"name": name, "phone": "+998901234567", "utm_source": "spring-ads"});
    let made = app.submit(form, fields, None).await.expect(201);
    made["submission_id"].as_str().unwrap().to_owned()
}

async fn told(app: &TestApp, submission: &str) -> Vec<Value> {
    let page = app.get(&format!("/submissions/{submission}/notifications")).await;
    page["items"].as_array().unwrap().clone()
}

async fn until_over(app: &TestApp, submission: &str, count: usize) -> Vec<Value> {
    app.until("the notifications are over", || async {
        let rows = told(app, submission).await;
        let over = rows.len() == count && rows.iter().all(|row| row["finished_at"].is_string());
        over.then_some(rows)
    })
    .await
}

both_databases! {
    async fn an_accepted_submission_is_told_by_mail_telegram_and_webhook_once_each(app: TestApp) {
        let desk = Desk::new(&app).await;
        let (shop, boss) = (Mailbox::new("shop", "example.test"), Mailbox::new("boss", "client.test"));
        let mail = app.channel("email", &desk.line, shop.settings()).await;
        let (api, bot) = desk.bot(&app).await;
        let receiver = Receiver::serve().await;
        let hook = webhook(&app, &receiver, "crm", &["submission.created"]).await;
        let form = desk.form(&app, json!({"notifications": [
            {"kind": "mail", "to": [boss.address], "channel_id": mail["id"]},
            {"kind": "telegram", "to": ["77"], "channel_id": bot["id"], "language": "ru"},
            {"kind": "webhook", "webhook_id": hook["id"]},
        ]})).await;
        let id = fill(&app, &form, "Ann").await;
        let rows = until_over(&app, &id, 3).await;
        let said: Vec<(&str, &str)> = rows.iter().map(|row| (row["kind"].as_str().unwrap(), row["state"].as_str().unwrap())).collect();
        assert_eq!(said, [("mail", "sent"), ("telegram", "sent"), ("webhook", "sent")]);
        let letter = boss.mails(1).await.remove(0);
        assert!(letter.contains("Subject: New submission: Our webform"), "{letter}");
        assert!(letter.contains("Your name: Ann") && letter.contains("utm_source: spring-ads"), "{letter}");
        assert!(letter.contains("Auto-Submitted:"), "{letter}");
        let message = api.sent(77).remove(0);
        let text = message["text"].as_str().unwrap();
        assert!(text.starts_with("Новая заявка: Our webform") && text.contains("Your name: Ann"), "{text}");
        // The webhook hears it as an event of its own choice, and as this form's notification.
        let heard = receiver.heard("crm", 2).await;
        let accepted = heard.iter().find(|one| one.body["type"] == "submission.accepted").unwrap();
        assert!(accepted.fits(hook["secret"].as_str().unwrap()));
        let data = &accepted.body["data"];
        assert_eq!((&data["id"], &data["values"]["name"], &data["form"]["key"]), (&json!(id), &json!("Ann"), &form["key"]));
        assert_eq!(data["attribution"]["last"]["utm_source"], "spring-ads");
        assert_eq!((boss.mails(1).await.len(), api.sent(77).len()), (1, 1));
    }

    async fn a_held_submission_tells_nobody_before_it_is_approved_and_spam_never_does(app: TestApp) {
        let desk = Desk::new(&app).await;
        let (api, bot) = desk.bot(&app).await;
        let form = desk.form(&app, json!({"moderation": true, "notifications": [
            {"kind": "telegram", "to": ["77"], "channel_id": bot["id"]},
        ]})).await;
        let (spam, wanted) = (fill(&app, &form, "Spam").await, fill(&app, &form, "Ann").await);
        app.post(&format!("/submissions/{spam}/reject"), json!({})).await.expect(200);
        app.post(&format!("/submissions/{wanted}/approve"), json!({})).await.expect(200);
        until_over(&app, &wanted, 1).await;
        assert_eq!(told(&app, &spam).await.len(), 0);
        let texts = api.sent(77);
        assert_eq!(texts.len(), 1);
        assert!(texts[0]["text"].as_str().unwrap().contains("Ann"));
        // Approving again tells nothing again.
        app.post(&format!("/submissions/{wanted}/approve"), json!({})).await.expect(200);
        assert_eq!(until_over(&app, &wanted, 1).await[0]["attempts"], 1);
    }

    async fn what_cannot_be_sent_is_shown_and_repeated_by_hand(app: TestApp) {
        let desk = Desk::new(&app).await;
        let (api, bot) = desk.bot(&app).await;
        let form = desk.form(&app, json!({"notifications": [
            {"kind": "telegram", "to": ["77"], "channel_id": bot["id"]},
        ]})).await;
        api.fail_always("sendMessage", Trick::Refuse(400, "Bad Request: chat not found"));
        let id = fill(&app, &form, "Ann").await;
        let row = until_over(&app, &id, 1).await.remove(0);
        assert_eq!(row["state"], "failed");
        assert!(row["error"].is_string());
        // What the check says is the same as what happens.
        // To another chat: one chat is written to once a second.
        let body = json!({"kind": "telegram", "channel_id": bot["id"], "to": "78"});
        let tried = app.post("/forms/try-notification", body).await.expect(200);
        assert_eq!((&tried["ok"], &tried["detail"]), (&json!(false), &row["error"]));
        api.heal();
        let repeat = format!("/submissions/{id}/notifications/{}/repeat", row["id"].as_str().unwrap());
        app.post(&repeat, json!({})).await.expect(200);
        let again = app.until("the repeat is over", || async {
            let row = told(&app, &id).await.remove(0);
            row["finished_at"].is_string().then_some(row)
        }).await;
        assert_eq!((&again["state"], api.sent(77).len()), (&json!("sent"), 1));
    }

    async fn a_channel_that_is_off_keeps_its_notifications_until_it_is_on(app: TestApp) {
        let desk = Desk::new(&app).await;
        let (api, bot) = desk.bot(&app).await;
        let form = desk.form(&app, json!({"notifications": [
            {"kind": "telegram", "to": ["77"], "channel_id": bot["id"]},
        ]})).await;
        let path = format!("/channels/{}", bot["id"].as_str().unwrap());
        app.patch(&path, json!({"enabled": false})).await.expect(200);
        let id = fill(&app, &form, "Ann").await;
        let waiting = app.until("it was tried in vain", || async {
            let row = told(&app, &id).await.into_iter().next()?;
            (row["state"] == "queued" && row["error"].is_string()).then_some(row)
        }).await;
        assert!(waiting["error"].as_str().unwrap().contains("switched off"), "{waiting}");
        app.patch(&path, json!({"enabled": true})).await.expect(200);
        assert_eq!(until_over(&app, &id, 1).await[0]["state"], "sent");
        assert_eq!(api.sent(77).len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_of_telegram_is_uncertain_and_not_sent_twice() {
    let app = TestApp::start(crate::support::Database::sqlite().await).await;
    let desk = Desk::new(&app).await;
    let (api, bot) = desk.bot(&app).await;
    let form = desk
        .form(
            &app,
            json!({"notifications": [{"kind": "telegram", "to": ["77"], "channel_id": bot["id"]}]}),
        )
        .await;
    api.fail_next("sendMessage", Trick::LoseAnswer);
    let id = fill(&app, &form, "Ann").await;
    let row = until_over(&app, &id, 1).await.remove(0);
    assert_eq!(row["state"], "uncertain");
    assert_eq!(api.sent(77).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_check_says_what_is_missing_and_settings_name_the_field() {
    let app = TestApp::start(crate::support::Database::sqlite().await).await;
    let desk = Desk::new(&app).await;
    let (api, bot) = desk.bot(&app).await;
    let ask = |body: Value| {
        let app = &app;
        async move { app.post("/forms/try-notification", body).await }
    };
    let good = ask(json!({"kind": "telegram", "channel_id": bot["id"], "to": "77"}))
        .await
        .expect(200);
    assert_eq!(good["ok"], true, "{good}");
    assert_eq!(api.sent(77).len(), 1);
    for (body, words) in [
        (
            json!({"kind": "telegram", "channel_id": "chn_none", "to": "77"}),
            "is gone",
        ),
        (
            json!({"kind": "mail", "channel_id": bot["id"], "to": "a@b.example"}),
            "another kind",
        ),
    ] {
        let tried = ask(body.clone()).await.expect(200);
        assert_eq!(tried["ok"], false, "{body}");
        assert!(tried["detail"].as_str().unwrap().contains(words), "{tried}");
    }
    ask(json!({"kind": "webhook", "channel_id": "x", "to": "y"}))
        .await
        .expect(422);
    let body = json!({"kind": "webform", "line_id": desk.line["id"], "name": "F",
        "settings": {"notifications": [{"kind": "telegram", "to": ["@shop"], "channel_id": "chn_1"}]}});
    let refused = app.post("/channels", body).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "settings.notifications[0].to");
}
