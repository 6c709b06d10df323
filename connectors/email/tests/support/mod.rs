//! Mail servers that do as they are told.

#![allow(dead_code, reason = "each test binary uses its part")]

pub mod fake_imap;
pub mod fake_smtp;
pub mod proxy;
pub mod real;

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use switchboard_sdk::{Connector, OutboundAttachment, OutboundMessage};

/// Settings for servers on this machine without encryption.
pub fn settings(imap_port: u16, smtp_port: u16) -> Value {
    json!({
        "address": "support@shop.example",
        "from_name": "Example Shop",
        "imap": {"host": "127.0.0.1", "port": imap_port, "tls": "none", "username": "support@shop.example", "password": "secret"},
        "smtp": {"host": "127.0.0.1", "port": smtp_port, "tls": "none"},
        "backfill_days": 3,
        // Many mails of one sender are what most of these tests are about.
        "loops": {"max_per_sender": 0},
    })
}

/// A channel of these settings.
pub fn connector(settings: Value) -> Arc<dyn Connector> {
    (switchboard_email::DESCRIPTOR.build)(
        settings,
        switchboard_testkit::context_at(Arc::new(switchboard_sdk::SystemClock)),
    )
    .unwrap_or_else(|error| panic!("{error}"))
}

/// An answer to `to`.
pub fn answer(to: &str, text: &str) -> OutboundMessage {
    OutboundMessage {
        id: "msg_0198aaaabbbbccccddddeeeeffff0001".to_owned(),
        conversation_id: "cnv_1".to_owned(),
        conversation_number: 1042,
        to: to.to_owned(),
        to_name: Some("Иван Петров".to_owned()),
        recipients: Vec::new(),
        forward: false,
        text: text.to_owned(),
        html: None,
        subject: Some("Заказ № 5".to_owned()),
        references: vec![
            "first@client.example".to_owned(),
            "second@client.example".to_owned(),
        ],
        author_name: Some("Анна".to_owned()),
        attachments: Vec::new(),
        created_at: "2026-11-20T05:00:00Z".parse().unwrap(),
        attempt: 1,
        automatic: false,
        ..OutboundMessage::default()
    }
}

/// A small file with a name in Cyrillic.
pub fn file() -> OutboundAttachment {
    OutboundAttachment {
        name: "Счёт № 5 на оплату заказа из магазина.pdf".to_owned(),
        content_type: "application/pdf".to_owned(),
        content_id: None,
        data: Bytes::from_static(b"%PDF-1.4\n\r\n\x00\xff"),
        ..OutboundAttachment::default()
    }
}
