//! People outside: who sees them, their cards, merging two and undoing it.

mod alike;
mod cards;
mod circles;
mod companies;
mod merging;
mod race;
mod timeline;
mod undoing;

use serde_json::{Value, json};
use switchboard_sdk::{
    Batch, Identity, IdentityKind, InboundBody, InboundEvent, InboundMessage, Outcome, Person,
};

use crate::support::TestApp;

/// Somebody writes: the conversation. A value that begins with `+` is a phone, one with an `@` an e-mail address, any
/// other an id of the channel's own; one that ends in `!` is proven.
pub async fn writes(app: &TestApp, channel: &Value, name: &str, identities: &[&str], text: &str) -> String {
    let identities = identities.iter().map(|value| {
        let bare = value.trim_end_matches('!');
        let kind = if bare.starts_with('+') {
            IdentityKind::Phone
        } else if bare.contains('@') {
            IdentityKind::Email
        } else {
            IdentityKind::External
        };
        Identity {
            kind,
            value: bare.to_owned(),
            verified: bare != *value,
        }
    });
    let body = InboundMessage {
        from: Person {
            identities: identities.collect(),
            name: Some(name.to_owned()),
            ..Person::default()
        },
        text: text.to_owned(),
        ..InboundMessage::default()
    };
    let event = InboundEvent {
        external_id: uuid::Uuid::new_v4().to_string(),
        at: app.app.clock.now(),
        body: InboundBody::Message(body),
    };
    let channel_id = channel["id"].as_str().unwrap();
    let receipt = app
        .app
        .ingest
        .deliver(channel_id, Batch::one(event))
        .await
        .unwrap();
    match &receipt.outcomes[0] {
        Outcome::Stored {
            conversation_id: Some(id),
            ..
        } => id.clone(),
        other => panic!("{other:?}"),
    }
}

/// The contact of a conversation.
pub async fn contact_of(app: &TestApp, conversation: &str) -> String {
    let conversation = app.get(&format!("/conversations/{conversation}")).await;
    conversation["contact"]["id"].as_str().unwrap().to_owned()
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

pub fn items(page: &Value) -> &Vec<Value> {
    page["items"].as_array().unwrap()
}

/// A contact made by hand: its id.
pub async fn by_hand(app: &TestApp, said: Value) -> String {
    let made = app.post("/contacts", said).await.expect(201);
    text(&made["id"]).to_owned()
}

/// A line with a channel on which each contact has one conversation.
pub async fn line_with_channel(app: &TestApp, name: &str, fields: Value) -> (Value, Value) {
    let line = app.line(name, fields).await;
    let channel = app.channel("webform", &line, json!({})).await;
    (line, channel)
}
