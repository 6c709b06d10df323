//! What a connector says it can do agrees with what it has.

use switchboard_sdk::Descriptor;

use super::{Options, example};

/// Kind and label can be used in URLs, in the database and on the screen.
pub fn the_descriptor_is_well_formed(descriptor: &'static Descriptor, _: &Options) {
    let kind = descriptor.kind;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    assert!(
        !kind.is_empty() && kind.len() <= 32 && kind.chars().all(plain),
        "kind {kind:?} is not a plain lower-case word"
    );
    assert!(!descriptor.label.trim().is_empty(), "{kind} has no label");
    let schema = (descriptor.settings_schema)();
    assert_eq!(
        schema.get("type").and_then(|kind| kind.as_str()),
        Some("object"),
        "the settings schema is not of an object"
    );
}

/// Inbound means a receiver, a webhook or a visitor desk; outbound means a sender or a hosted channel; and so on.
pub fn capabilities_agree_with_the_halves(descriptor: &'static Descriptor, _: &Options) {
    let can = descriptor.capabilities;
    let connector = example(descriptor);
    let takes =
        connector.receiver().is_some() || connector.webhook().is_some() || connector.visitor_desk().is_some();
    let sends = connector.sender().is_some();
    assert_eq!(
        can.inbound, takes,
        "inbound: a receiver, a webhook or a visitor desk"
    );
    assert_eq!(can.outbound, sends || can.hosted, "outbound: a sender, or hosted");
    assert!(
        !(can.hosted && sends),
        "hosted: stored is sent, so there is no sender"
    );
    assert_eq!(
        can.hosted,
        connector.visitor_desk().is_some(),
        "hosted: customers read from the server, let in by a visitor desk"
    );
    assert!(
        connector.page().is_none() || connector.webhook().is_some(),
        "a page is where its own webhook gets its posts from"
    );
    assert!(
        can.outbound || !(can.typing || can.receipts || can.threads),
        "typing, receipts and threads are about two directions"
    );
    assert!(
        !can.idempotent_send || sends,
        "idempotent_send is about the sender"
    );
    assert!(
        can.outbound || !(can.edit || can.delete || can.reply_to || can.buttons),
        "edit, delete, reply_to and buttons are about what is sent"
    );
    assert!(
        can.max_text_chars.is_none_or(|chars| chars > 0),
        "max_text_chars is nothing"
    );
    assert!(
        can.max_attachment_bytes.is_none_or(|bytes| bytes > 0),
        "max_attachment_bytes is nothing"
    );
}

/// A half that no fixture exercises would pass the suite unseen.
pub fn every_half_has_its_fixture(descriptor: &'static Descriptor, options: &Options) {
    let connector = example(descriptor);
    assert!(
        connector.receiver().is_none() || options.puller.is_some(),
        "there is a receiver: give Options::receiver"
    );
    assert!(
        connector.sender().is_none() || options.taker.is_some(),
        "there is a sender: give Options::sender"
    );
    assert!(
        connector.webhook().is_none() || !options.webhooks.is_empty(),
        "there is a webhook: give Options::webhook"
    );
}
