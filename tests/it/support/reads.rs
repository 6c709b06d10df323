//! The e-mail connector as the server builds it, asked to read mails without a mailbox.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use switchboard::connector::registry;
use switchboard_sdk::{Batch, BuildContext, Connector, InboundEvent, Outcome, SystemClock};

use super::TestApp;

/// Settings of a channel whose mailbox nobody serves.
pub fn nowhere() -> Value {
    json!({
        "address": "support@shop.example", "from_name": "Example Shop", "authserv_id": "mx.shop.example",
        "imap": {"host": "127.0.0.1", "port": 1, "tls": "none", "password": "secret"},
        "smtp": {"host": "127.0.0.1", "port": 1, "tls": "none"},
    })
}

/// The connector.
pub fn connector() -> Arc<dyn Connector> {
    let descriptor = registry::ALL.iter().find(|known| known.kind == "email").unwrap();
    let context = BuildContext {
        signing_key: switchboard_sdk::SigningKey::default(),
        scratch: std::env::temp_dir(),
        secrets: Arc::new(switchboard_sdk::NoSecrets),
        http: switchboard_sdk::NoHttp::shared(),
        channel_id: "chn_reads".to_owned(),
        channel_key: "reads".to_owned(),
        channel_name: "Reads".to_owned(),
        public_url: "http://localhost".to_owned(),
        max_upload_bytes: 25 << 20,
        clock: Arc::new(SystemClock),
    };
    (descriptor.build)(nowhere(), context).unwrap()
}

/// What the connector makes of a mail.
pub fn read(raw: impl Into<Bytes>) -> InboundEvent {
    connector().reparse("", raw.into().into()).unwrap()
}

/// A channel that reads mails, and what becomes of one that comes in there.
pub async fn mailbox(app: &TestApp) -> Value {
    let line = app.line("Mail", json!({})).await;
    app.channel("email", &line, nowhere()).await
}

/// Delivers a mail as the mailbox would: its message, as the API shows it.
pub async fn comes(app: &TestApp, channel: &Value, raw: impl Into<Bytes>) -> Value {
    let batch = Batch::one(read(raw));
    let receipt = app
        .app
        .ingest
        .deliver(channel["id"].as_str().unwrap(), batch)
        .await
        .unwrap();
    let Outcome::Stored {
        conversation_id: Some(conversation),
        message_id: Some(message),
        ..
    } = &receipt.outcomes[0]
    else {
        panic!("{:?}", receipt.outcomes)
    };
    let messages = app.get(&format!("/conversations/{conversation}/messages")).await;
    let found = messages["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["id"] == json!(message));
    found.unwrap().clone()
}
