//! The token shows nowhere: not in answers, errors, events, addresses or logs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::{Arc, Mutex};

use serde_json::json;
use switchboard_sdk::{CancellationToken, Connector, SettingsError};
use switchboard_telegram::DESCRIPTOR;
use switchboard_testkit::{
    MemoryIntake, context,
    telegram::{BotApi, TOKEN, Trick},
};

use support::{answer, connector, settings};

/// Everything that is logged, at every level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl tracing::Subscriber for Log {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        self.note(&format!("{span:?}"));
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, values: &tracing::span::Record<'_>) {
        self.note(&format!("{values:?}"));
    }
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        // What libraries say of their own connections is off in the server's filter.
        if event.metadata().target().starts_with("switchboard")
            || *event.metadata().level() <= tracing::Level::INFO
        {
            self.note(&format!("{event:?}"));
        }
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

impl Log {
    fn note(&self, text: &str) {
        self.0.lock().unwrap().push_str(text);
    }
}

#[tokio::test]
async fn nothing_that_leaves_the_connector_holds_the_token() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let mut said = Vec::new();
    let tricks = [
        Trick::Refuse(404, "Not Found"),
        Trick::Refuse(
            400,
            "Bad Request: the bot 110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw did something odd",
        ),
        Trick::Refuse(409, "Conflict: terminated by other getUpdates request"),
        Trick::Refuse(403, "Forbidden: AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"),
        Trick::Page(404),
        Trick::Cut,
        Trick::LoseAnswer,
        Trick::TooMany(1),
    ];
    let all = ["getMe", "getWebhookInfo", "sendMessage", "getFile", "getUpdates"];
    let later = ["getUpdates", "getFile", "sendMessage", "setMyCommands"];
    let cases = tricks
        .iter()
        .flat_map(|trick| [(trick, all.as_slice()), (trick, later.as_slice())]);
    for (trick, methods) in cases {
        let api = BotApi::start().await;
        let file = api.file("a.pdf", b"pdf");
        api.write_more(42, json!({"document": {"file_id": file, "file_name": "a.pdf"}}));
        for method in methods {
            api.fail_always(method, trick.clone());
        }
        let there = connector(&api, json!({"commands": {"start": "Begin"}}));
        said.extend(
            there
                .check_steps()
                .await
                .into_iter()
                .map(|step| format!("{step:?}")),
        );
        said.push(format!(
            "{:?}",
            there.sender().unwrap().send(&answer(42, "x")).await
        ));
        said.push(format!(
            "{there:?} {:?}",
            switchboard_telegram::Settings::parse(settings(&api, json!({})))
        ));
        let intake = MemoryIntake::new();
        let receiver = there.receiver().unwrap();
        let stop = CancellationToken::new();
        let run = receiver.run(intake.shared(), stop.clone());
        let limited = tokio::time::timeout(std::time::Duration::from_secs(3), run).await;
        said.push(format!("{limited:?} {:?} {:?}", intake.steps(), intake.events()));
        api.close();
        said.push(format!(
            "{:?}",
            there.sender().unwrap().send(&answer(43, "x")).await
        ));
        said.push(format!("{:?}", there.check().await));
    }
    // An address that leads nowhere, and one that is none.
    for url in ["http://127.0.0.1:1", "https://nobody.invalid"] {
        let nowhere = (DESCRIPTOR.build)(json!({"token": TOKEN, "api_url": url}), context()).unwrap();
        said.push(format!("{:?}", nowhere.check().await));
    }
    let refused: Result<Arc<dyn Connector>, SettingsError> =
        (DESCRIPTOR.build)(json!({"token": TOKEN, "api_url": "nowhere"}), context());
    said.push(format!("{:?}", refused.map(drop)));
    said.push(log.0.lock().unwrap().clone());
    let secret = TOKEN.split_once(':').unwrap().1;
    for text in &said {
        assert!(!text.contains(secret), "{text}");
    }
}
