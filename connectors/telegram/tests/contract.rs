//! The rules every connector keeps.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Value, json};
use switchboard_sdk::{Connector, WebhookRequest};
use switchboard_testkit::{
    contract::{Answer, Options, PullProvider, SendProvider, WebhookSample},
    telegram::{BotApi, Trick},
};

struct Bot(BotApi);

#[async_trait]
impl PullProvider for Bot {
    fn connector(&self) -> Arc<dyn Connector> {
        support::connector(&self.0, json!({}))
    }

    async fn put(&self, text: &str) {
        self.0.write(42, text);
    }

    async fn acknowledged(&self) -> Option<usize> {
        Some(self.0.confirmed())
    }
}

#[async_trait]
impl SendProvider for Bot {
    fn connector(&self) -> Arc<dyn Connector> {
        support::connector(&self.0, json!({}))
    }

    async fn program(&self, answer: Answer) -> bool {
        match answer {
            Answer::Accept => {}
            Answer::Busy => self.0.fail_next("sendMessage", Trick::TooMany(5)),
            Answer::Refuse => self.0.fail_next(
                "sendMessage",
                Trick::Refuse(
                    400,
                    "Bad Request: not enough rights to send text messages to the chat",
                ),
            ),
            Answer::Cut => self.0.fail_next("sendMessage", Trick::LoseAnswer),
            Answer::Away => self.0.close(),
        }
        true
    }

    async fn taken(&self) -> Vec<String> {
        let sent = self.0.all_sent();
        sent.iter()
            .filter_map(|message| message.get("text").and_then(Value::as_str).map(str::to_owned))
            .collect()
    }

    fn address(&self) -> String {
        "42".to_owned()
    }
}

fn push(secret: Option<&str>) -> WebhookRequest {
    let update = json!({"update_id": 5, "message": {
        "message_id": 7, "date": 1_767_607_200, "text": "Hello",
        "chat": {"id": 42, "type": "private", "first_name": "Ann"},
        "from": {"id": 42, "is_bot": false, "first_name": "Ann"},
    }});
    let mut request =
        http::Request::post("/hooks/telegram/test-channel").header("content-type", "application/json");
    if let Some(secret) = secret {
        request = request.header("X-Telegram-Bot-Api-Secret-Token", secret);
    }
    request.body(Bytes::from(update.to_string())).unwrap_or_default()
}

fn options() -> Options {
    let sample = WebhookSample {
        name: "a text",
        request: push(Some("a-word-that-nobody-guesses")),
        keyed: true,
        unproven: Some(push(None)),
    };
    Options::default()
        .debug(|mut value| {
            // A token begins with the bot's number.
            value["token"] = json!(format!("42:{}", value["token"].as_str().unwrap_or_default()));
            format!("{:?}", switchboard_telegram::Settings::parse(value))
        })
        .webhook(sample)
        .receiver(|| async { Box::new(Bot(BotApi::start().await)) as Box<dyn PullProvider> })
        .sender(|| async { Box::new(Bot(BotApi::start().await)) as Box<dyn SendProvider> })
}

switchboard_testkit::contract!(switchboard_telegram::DESCRIPTOR, options());
