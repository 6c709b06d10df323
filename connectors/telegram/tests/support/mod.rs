//! What the tests of this crate share.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "each test takes what it needs, and fails by panicking"
)]

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use switchboard_sdk::{
    CancellationToken, Connector, Fault, InboundBody, InboundEvent, InboundMessage, OutboundMessage,
};
use switchboard_telegram::Settings;
use switchboard_testkit::{
    MemoryIntake, context,
    telegram::{BotApi, TOKEN},
};
use tokio::task::JoinHandle;

/// Settings of a channel at this server.
pub fn settings(api: &BotApi, more: Value) -> Value {
    let mut settings =
        json!({"token": TOKEN, "api_url": api.url(), "webhook_secret": "a-word-that-nobody-guesses"});
    if let (Some(settings), Value::Object(more)) = (settings.as_object_mut(), more) {
        settings.extend(more);
    }
    settings
}

/// The connector of such a channel.
pub fn connector(api: &BotApi, more: Value) -> Arc<dyn Connector> {
    (switchboard_telegram::DESCRIPTOR.build)(settings(api, more), context()).expect("settings that work")
}

/// Settings without a server.
pub fn offline(more: Value) -> Settings {
    let mut settings = json!({"token": TOKEN});
    settings
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().cloned().unwrap());
    Settings::parse(settings).unwrap()
}

/// An answer to a chat.
pub fn answer(chat: impl ToString, text: &str) -> OutboundMessage {
    OutboundMessage {
        id: "msg_1".to_owned(),
        conversation_id: "cnv_1".to_owned(),
        conversation_number: 1,
        to: chat.to_string(),
        text: text.to_owned(),
        attempt: 1,
        ..OutboundMessage::default()
    }
}

/// The message of an event.
pub fn message(event: &InboundEvent) -> &InboundMessage {
    match &event.body {
        InboundBody::Message(message) => message,
        other => panic!("no message: {other:?}"),
    }
}

/// A running receiver.
pub struct Run {
    stop: CancellationToken,
    task: JoinHandle<Result<(), Fault>>,
}

impl Run {
    pub fn start(connector: Arc<dyn Connector>, intake: &MemoryIntake) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn({
            let (intake, stop) = (intake.shared(), stop.clone());
            async move { connector.receiver().expect("a receiver").run(intake, stop).await }
        });
        Self { stop, task }
    }

    /// One that is started again whenever it fails, as the server does.
    pub fn supervised(make: impl Fn() -> Arc<dyn Connector> + Send + 'static, intake: &MemoryIntake) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn({
            let (intake, stop) = (intake.shared(), stop.clone());
            async move {
                loop {
                    let connector = make();
                    let end = connector
                        .receiver()
                        .expect("a receiver")
                        .run(Arc::clone(&intake), stop.clone())
                        .await;
                    if stop.is_cancelled() || matches!(end, Err(Fault::Permanent(_))) {
                        return end;
                    }
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        });
        Self { stop, task }
    }

    /// Asks it to end.
    pub async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(Duration::from_secs(1), self.task)
            .await
            .expect("ends within a second")
            .expect("no panic")
            .expect("no fault");
    }

    /// Ends it in the middle of whatever it does.
    pub async fn kill(self) {
        self.task.abort();
        assert!(
            self.task.await.is_err_and(|error| error.is_cancelled()),
            "it ended before"
        );
    }

    /// Waits for it to fail.
    pub async fn fault(self) -> Fault {
        tokio::time::timeout(Duration::from_secs(30), self.task)
            .await
            .expect("fails in time")
            .expect("no panic")
            .expect_err("a fault")
    }
}
