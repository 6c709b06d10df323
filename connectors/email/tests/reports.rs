//! What mail systems and machines write, in the forms they really use.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use bytes::Bytes;
use switchboard_email::{
    Settings,
    map::{Raw, map},
    settings::example,
};
use switchboard_sdk::{
    Capture, DeliveryReceipt, InboundBody, InboundMessage, ReceiptState, SigningKey, ThreadFacts,
};

const OURS: &str = "msg_0198aaaabbbbccccddddeeeeffff0000@shop.example";

fn settings() -> Settings {
    let mut settings = Settings::parse(example()).unwrap();
    settings.signing_key = SigningKey::new([9; 32]);
    settings.threads.signed_addresses = true;
    settings.capture.enabled = true;
    settings
}

fn body(mail: &str) -> InboundBody {
    let raw = Raw {
        bytes: Bytes::from(mail.replace('\n', "\r\n")),
        arrived: "2026-11-20T05:00:05Z".parse().unwrap(),
        cut_from: None,
        large: None,
    };
    map(&raw, &settings()).event().expect("an event").body
}

fn receipt(mail: &str) -> DeliveryReceipt {
    match body(mail) {
        InboundBody::Receipt(receipt) => receipt,
        other => panic!("no receipt: {other:?}"),
    }
}

fn message(mail: &str) -> InboundMessage {
    match body(mail) {
        InboundBody::Message(message) => message,
        other => panic!("no message: {other:?}"),
    }
}

fn report(blocks: &str, original: &str) -> String {
    format!(
        "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nTo: support@shop.example\nSubject: Report\nMessage-ID: <r1@mx.example>\n\
         MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: text/plain\n\n\
         words\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n{blocks}\n--b\n\
         Content-Type: text/rfc822-headers\n\n{original}\n--b--\n"
    )
}

const ORIGINAL: &str =
    "From: support@shop.example\nMessage-ID: <msg_0198aaaabbbbccccddddeeeeffff0000@shop.example>\n";

#[test]
fn exim_says_in_words_what_failed() {
    let mail = format!(
        "Return-path: <>\nFrom: Mail Delivery System <Mailer-Daemon@exim.example>\nTo: support@shop.example\n\
         X-Failed-Recipients: nobody@client.example\nAuto-Submitted: auto-replied\nSubject: Mail delivery failed: returning message to sender\n\
         Message-Id: <E1abc@exim.example>\n\nThis message was created automatically by mail delivery software.\n\n\
         A message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n\
         \x20 nobody@client.example\n    SMTP error from remote mail server after RCPT TO:<nobody@client.example>:\n    host mx.client.example [192.0.2.7]: 550 5.1.1 User unknown\n\n\
         ------ This is a copy of the message, including all the headers. ------\n\nReturn-path: <support@shop.example>\nFrom: support@shop.example\n\
         Message-ID: <{OURS}>\nSubject: Re: Order\n\nHello\n"
    );
    let receipt = receipt(&mail);
    assert_eq!(
        (receipt.external_id.as_str(), receipt.state),
        (OURS, ReceiptState::Failed)
    );
    assert_eq!(receipt.dead_address.as_deref(), Some("nobody@client.example"));
    let error = receipt.error.unwrap();
    assert!(
        error.starts_with("nobody@client.example: the address does not exist")
            && error.contains("User unknown"),
        "{error}"
    );
}

#[test]
fn exim_warns_of_a_delay_and_names_the_mail_in_its_references() {
    let mail = format!(
        "Return-path: <>\nFrom: Mail Delivery System <Mailer-Daemon@exim.example>\nTo: support@shop.example\nReferences: <{OURS}>\n\
         Subject: Warning: message 1abc-2 delayed 24 hours\nMessage-Id: <E2abc@exim.example>\n\n\
         This message was created automatically by mail delivery software.\nA message that you sent has not yet been delivered to one or more of its\n\
         recipients after more than 24 hours on the queue on exim.example.\n\nThe address to which the message has not yet been delivered is:\n\n\
         \x20 slow@client.example\n    Delay reason: Connection timed out\n\nNo action is required on your part.\n"
    );
    let receipt = receipt(&mail);
    assert_eq!(
        (receipt.external_id.as_str(), receipt.state),
        (OURS, ReceiptState::Delayed)
    );
    assert!(receipt.error.unwrap().contains("Connection timed out"));
    assert_eq!(receipt.dead_address, None);
}

#[test]
fn qmail_says_in_words_what_failed() {
    let mail = format!(
        "Return-Path: <>\nFrom: MAILER-DAEMON@qmail.example\nTo: support@shop.example\nSubject: failure notice\nMessage-ID: <q1@qmail.example>\n\n\
         Hi. This is the qmail-send program at qmail.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\n\
         This is a permanent error; I've given up. Sorry it didn't work out.\n\n<nobody@client.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n\
         --- Below this line is a copy of the message.\n\nReturn-Path: <support@shop.example>\nMessage-ID: <{OURS}>\nSubject: x\n\nHello\n"
    );
    let receipt = receipt(&mail);
    assert_eq!(
        (receipt.external_id.as_str(), receipt.state),
        (OURS, ReceiptState::Failed)
    );
    assert_eq!(receipt.dead_address.as_deref(), Some("nobody@client.example"));
}

#[test]
fn a_customer_who_quotes_a_bounce_is_a_customer() {
    let mail = format!(
        "From: ann@client.example\nTo: support@shop.example\nSubject: your mail\nMessage-ID: <c1@client.example>\nReferences: <{OURS}>\n\n\
         I got this: your message could not be delivered. This is a permanent error.\n\n  ann@client.example\n\nMessage-ID: <{OURS}>\n"
    );
    let message = message(&mail);
    assert!(!message.automatic);
}

#[test]
fn of_several_recipients_the_one_that_failed_is_told() {
    let blocks = "Final-Recipient: rfc822; a@client.example\nAction: delivered\nStatus: 2.0.0\n\n\
        Original-Recipient: rfc822;B@client.example\nFinal-Recipient: rfc822; b@inside.example\nAction: failed\nStatus: 5.2.2\nDiagnostic-Code: smtp; 552 5.2.2 over quota\n\n\
        Final-Recipient: rfc822; c@client.example\nAction: delayed\nStatus: 4.4.1\n";
    let receipt = receipt(&report(blocks, ORIGINAL));
    assert_eq!(receipt.state, ReceiptState::Failed);
    assert_eq!(
        receipt.error.as_deref(),
        Some("b@client.example: the mailbox is full (552 5.2.2 over quota)")
    );
    assert_eq!(receipt.dead_address, None, "a full mailbox is there");
}

#[test]
fn a_server_that_gave_up_after_a_temporary_error_has_failed_and_the_address_lives() {
    let blocks = "Final-Recipient: rfc822; a@client.example\nAction: failed\nStatus: 4.4.7\nDiagnostic-Code: smtp; 421 busy\n";
    let receipt = receipt(&report(blocks, ORIGINAL));
    assert_eq!(
        (receipt.state, receipt.dead_address),
        (ReceiptState::Failed, None)
    );
}

#[test]
fn a_delivery_and_a_relay_are_told_apart() {
    let delivered = "Final-Recipient: rfc822; a@client.example\nAction: delivered\nStatus: 2.0.0\n";
    assert_eq!(
        receipt(&report(delivered, ORIGINAL)).state,
        ReceiptState::Delivered
    );
    let relayed = delivered.replace("delivered", "relayed");
    assert_eq!(receipt(&report(&relayed, ORIGINAL)).state, ReceiptState::Relayed);
}

#[test]
fn a_report_to_the_bounce_address_needs_no_copy_of_the_mail() {
    let mail = report(
        "Final-Recipient: rfc822; a@client.example\nAction: failed\nStatus: 5.1.1\n",
        "From: support@shop.example\n",
    );
    assert!(
        matches!(body(&mail), InboundBody::Message(_)),
        "nothing says which mail it was"
    );
    let address =
        switchboard_email::reply_address_of("msg_0198aaaabbbbccccddddeeeeffff0000", true, &settings())
            .unwrap();
    let receipt = receipt(&mail.replace("To: support@shop.example", &format!("To: {address}")));
    assert_eq!(receipt.external_id, OURS);
}

fn facts(mail: &str) -> ThreadFacts {
    *message(mail).threading.unwrap()
}

#[test]
fn a_reply_token_in_any_recipient_names_the_message_and_others_are_without_us() {
    let settings = settings();
    let id = "msg_0198aaaabbbbccccddddeeeeffff0000";
    let token = switchboard_email::reply_address_of(id, false, &settings).unwrap();
    let mail = |to: &str, more: &str| {
        format!(
            "From: ann@client.example\nTo: {to}\nMessage-ID: <c1@client.example>\nSubject: x\n{more}\nwords\n"
        )
    };
    let in_to = facts(&mail(
        &format!("Shop <{token}>, Bob <BOB@client.example>"),
        "Cc: support@shop.example, eve@x.example, bob@client.example\n",
    ));
    assert_eq!(in_to.token.as_deref(), Some(id));
    assert_eq!(in_to.others, ["bob@client.example", "eve@x.example"]);
    let delivered = facts(&mail(
        "support@shop.example",
        &format!("Delivered-To: {}\n", token.to_uppercase()),
    ));
    assert_eq!(delivered.token.as_deref(), Some(id));
    let mut forged = token.clone();
    forged.replace_range(12..13, if token.as_bytes()[12] == b'a' { "b" } else { "a" });
    assert_eq!(facts(&mail(&forged, "")).token, None);
}

#[test]
fn a_reply_token_in_a_mail_whose_sender_was_disproved_names_nothing() {
    let mut value = serde_json::json!({
        "address": "support@shop.example", "authserv_id": "mx.shop.example",
        "imap": {"host": "imap.shop.example", "password": "p"}, "smtp": {"host": "smtp.shop.example"},
        "threads": {"signed_addresses": true},
    });
    let read = |value: &serde_json::Value, result: &str| {
        let mut settings = Settings::parse(value.clone()).unwrap();
        settings.signing_key = SigningKey::new([7; 32]);
        let address =
            switchboard_email::reply_address_of("msg_0198aaaabbbbccccddddeeeeffff0000", false, &settings)
                .unwrap();
        let raw = format!(
            "Authentication-Results: mx.shop.example; dmarc={result} header.from=client.example\n\
             From: ann@client.example\nTo: {address}\nMessage-ID: <c1@client.example>\nSubject: x\n\nwords\n"
        );
        let raw = Raw {
            bytes: Bytes::from(raw),
            arrived: chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
            cut_from: None,
            large: None,
        };
        match map(&raw, &settings).event().unwrap().body {
            InboundBody::Message(message) => message.threading.unwrap().token,
            other => panic!("{other:?}"),
        }
    };
    assert!(read(&value, "pass").is_some());
    assert_eq!(read(&value, "fail"), None);
    value["authserv_id"] = serde_json::Value::Null;
    assert!(read(&value, "fail").is_some(), "nobody of ours said so");
}

#[test]
fn machines_that_answer_are_told_by_what_they_say_and_by_our_own_mark() {
    let automatic = |fields: &str| {
        message(&format!(
            "From: bot@client.example\nTo: support@shop.example\nMessage-ID: <m@client.example>\nSubject: Re: x\n{fields}\n\nwords\n"
        ))
        .automatic
    };
    assert!(
        automatic("Auto-Submitted: auto-generated\nIn-Reply-To: <a@shop.example>"),
        "a ticket system's receipt"
    );
    assert!(!automatic("Auto-Submitted: auto-generated"), "a web form");
    assert!(
        automatic("X-Loop: support@shop.example"),
        "our own automatic mail come round"
    );
    assert!(!automatic("X-Loop: someone@elsewhere.example"));
    assert!(automatic(
        "Feedback-ID: 1:camp:esp\nList-Unsubscribe: <mailto:u@esp.example>"
    ));
    assert!(
        !automatic("List-Unsubscribe: <mailto:u@crm.example>"),
        "some CRMs mark what people write"
    );
    assert!(
        !automatic("X-Auto-Response-Suppress: All"),
        "it asks, it does not say"
    );
    let asks = |value: &str| {
        facts(&format!(
            "From: a@client.example\nTo: support@shop.example\nMessage-ID: <m@c.example>\nX-Auto-Response-Suppress: {value}\n\nx\n"
        ))
        .no_auto_reply
    };
    assert!(asks("DR, OOF, AutoReply") && asks("all") && !asks("DR, RN, NRN"));
}

#[test]
fn the_capture_address_in_copy_is_seen_and_a_bare_address_is_not_believed() {
    let address = switchboard_email::capture_address_of(&settings()).unwrap();
    let facts = facts(&format!(
        "From: anna@shop.example\nTo: Ivan <ivan@client.example>\nCc: {address}, kate@client.example\nMessage-ID: <m@shop.example>\n\nThe offer.\n"
    ));
    let Capture::Filed { to, trusted, only } = facts.capture else {
        panic!("not captured")
    };
    assert!(!trusted && only);
    let to: Vec<&str> = to
        .iter()
        .map(|person| person.identities[0].value.as_str())
        .collect();
    assert_eq!(to, ["ivan@client.example", "kate@client.example"]);
}
