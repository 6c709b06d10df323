//! Mails as they come, each named by its problem, and what must become of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::path::PathBuf;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use switchboard_email::{
    Settings,
    map::{Mapped, Raw, map},
    settings::example,
};
use switchboard_sdk::{IdentityKind, InboundBody, InboundEvent, InboundMessage, ReceiptState, Thread};

fn settings() -> Settings {
    Settings::parse(example()).unwrap()
}

fn raw(name: &str) -> Raw {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("testdata")
        .join(format!("{name}.eml"));
    as_mail(&std::fs::read(path).unwrap())
}

fn as_mail(bytes: &[u8]) -> Raw {
    Raw {
        bytes: Bytes::copy_from_slice(bytes),
        arrived: "2026-11-20T05:00:05Z".parse().unwrap(),
        cut_from: None,
        large: None,
    }
}

fn event_of(raw: &Raw) -> InboundEvent {
    map(raw, &settings()).event().expect("the mail was passed over")
}

fn event(name: &str) -> InboundEvent {
    event_of(&raw(name))
}

fn message_of(event: InboundEvent) -> InboundMessage {
    match event.body {
        InboundBody::Message(message) => message,
        other => panic!("not a message: {other:?}"),
    }
}

fn message(name: &str) -> InboundMessage {
    message_of(event(name))
}

fn address(message: &InboundMessage) -> &str {
    &message.from.identities[0].value
}

#[test]
fn names_subject_and_text_are_decoded_and_the_address_is_in_lower_case() {
    let event = event("plain-with-names-in-cyrillic");
    assert_eq!(event.at, "2026-11-20T05:00:05Z".parse::<DateTime<Utc>>().unwrap());
    let message = message_of(event);
    assert_eq!(message.from.name.as_deref(), Some("Иван Петров"));
    assert_eq!(
        (message.from.identities[0].kind, address(&message)),
        (IdentityKind::Email, "ivan@client.example")
    );
    assert!(!message.from.identities[0].verified);
    assert_eq!(message.subject.as_deref(), Some("Заказ № 5"));
    assert_eq!(message.text, "Здравствуйте!\nГде мой заказ?\n\n--\nИван");
    assert!(message.html.is_none() && message.attachments.is_empty() && !message.automatic);
    let Thread::Messages { own, earlier } = message.thread else {
        panic!("not threaded")
    };
    assert_eq!((own.as_str(), earlier.len()), ("first@client.example", 0));
}

#[test]
fn old_encodings_are_read_declared_or_not() {
    let koi8 = message("koi8-r-body-and-encoded-subject");
    assert_eq!(
        (koi8.from.name.as_deref(), koi8.subject.as_deref()),
        (Some("Мария"), Some("Вопрос"))
    );
    assert_eq!(koi8.text, "Сколько стоит доставка?");
    let raw1251 = message("windows-1251-undeclared-in-headers-and-body");
    assert_eq!(
        (raw1251.from.name.as_deref(), raw1251.subject.as_deref()),
        (Some("Ольга"), Some("Срочный вопрос"))
    );
    assert_eq!(raw1251.text, "Почему никто не отвечает на звонки?");
}

#[test]
fn a_mail_without_an_id_gets_the_same_one_whatever_transport_added() {
    let first = raw("no-message-id");
    let text = String::from_utf8(first.bytes.to_vec()).unwrap();
    let moved = text
        .replace("id 123", "id 456")
        .replace("X-Spam-Score: 0.1", "X-Spam-Score: 9")
        .replace("\r\n", "\n");
    let again = as_mail(moved.as_bytes());
    assert_eq!(event_of(&first).external_id, event_of(&again).external_id);
    let other = as_mail(text.replace("write none", "write nothing").as_bytes());
    assert_ne!(event_of(&first).external_id, event_of(&other).external_id);
    let empty = raw("empty-message-id");
    let text = String::from_utf8(empty.bytes.to_vec()).unwrap();
    let other = as_mail(text.replace("not one mail", "two").as_bytes());
    assert_ne!(
        event_of(&empty).external_id,
        event_of(&other).external_id,
        "an empty id glues nothing together"
    );
}

#[test]
fn the_key_holds_over_fetches_and_two_mails_with_one_id_stay_two() {
    let first = raw("plain-with-names-in-cyrillic");
    let key = event_of(&first).external_id;
    assert!(key.starts_with("first@client.example "), "{key}");
    let mut later = first.clone();
    later.arrived += chrono::TimeDelta::days(40);
    let received = [
        b"Received: from elsewhere\r\nX-UID: 9\r\n".as_slice(),
        &first.bytes,
    ]
    .concat();
    assert_eq!(event_of(&later).external_id, key);
    assert_eq!(event_of(&as_mail(&received)).external_id, key);
    let text = String::from_utf8(first.bytes.to_vec()).unwrap();
    assert_ne!(
        event_of(&as_mail(text.replace("заказ?", "деньги?").as_bytes())).external_id,
        key
    );
}

#[test]
fn references_are_read_nearest_first() {
    let Thread::Messages { own, earlier } = message("reply-in-a-thread-with-many-references").thread else {
        panic!()
    };
    assert_eq!(own, "third@client.example");
    assert_eq!(
        earlier,
        [
            "second@shop.example",
            "first@client.example",
            "zero@client.example"
        ]
    );
}

#[test]
fn html_alone_is_read_as_text_and_kept_raw() {
    let message = message("html-only-outlook");
    assert_eq!(message.text, "Hello,\nthe price is 5 < 6 €.\nBob");
    assert!(
        message.html.is_some_and(|html| html.contains("<script>")),
        "the server sanitises, not we"
    );
    assert!(message.attachments.is_empty());
}

#[test]
fn a_stub_beside_html_is_not_taken_for_the_text() {
    let message = message("alternative-with-stub-text");
    assert!(message.text.starts_with("A long story"), "{}", message.text);
}

#[test]
fn pictures_in_the_text_and_files_keep_names_and_bytes() {
    let message = message("inline-image-by-cid-and-file-with-rfc2231-name");
    assert_eq!(message.text, "See the picture.");
    assert!(
        message
            .html
            .is_some_and(|html| html.contains("cid:pic.1@client.example"))
    );
    let files: Vec<(&str, &str, Option<&str>)> = message
        .attachments
        .iter()
        .map(|a| (a.name.as_str(), a.content_type.as_str(), a.content_id.as_deref()))
        .collect();
    assert_eq!(
        files,
        [
            ("pic.png", "image/png", Some("pic.1@client.example")),
            ("Договор №5 final.pdf", "application/pdf", None),
            ("Прайс.csv", "text/csv", None),
            ("passwd", "application/octet-stream", None),
        ]
    );
    assert!(
        message.attachments[0]
            .data
            .read_all()
            .unwrap()
            .starts_with(b"\x89PNG")
    );
    assert_eq!(
        &message.attachments[2].data.read_all().unwrap()[..6],
        b"\xd2\xee\xe2\xe0\xf0;",
        "a file keeps its own encoding"
    );
    assert_eq!(&message.attachments[3].data.read_all().unwrap()[..], [0, 1, 2]);
}

#[test]
fn flowed_lines_are_joined() {
    assert_eq!(
        message("flowed-text").text,
        "This is one long paragraph.\n\n> quoted words"
    );
}

#[test]
fn an_attached_mail_is_a_file_and_its_words_are_not_the_customers() {
    let message = message("forwarded-mail-attached");
    assert_eq!(message.text, "Please look.");
    assert_eq!(
        (message.attachments.len(), message.attachments[0].name.as_str()),
        (1, "The original.eml")
    );
    let file = String::from_utf8(message.attachments[0].data.read_all().unwrap().to_vec()).unwrap();
    assert!(
        file.starts_with("From: Zed") && file.trim_end().ends_with("Original words."),
        "{file}"
    );
}

#[test]
fn other_shapes_of_mail_keep_everything() {
    let file = message("nothing-but-an-attachment");
    assert_eq!(
        (file.text.as_str(), file.attachments[0].name.as_str()),
        ("", "scan.pdf")
    );
    let invitation = message("calendar-invitation");
    assert_eq!(
        (invitation.text.as_str(), invitation.attachments.len()),
        ("Let us meet.", 1)
    );
    assert_eq!(invitation.attachments[0].content_type, "text/calendar");
    let broken = message("broken-mime-boundary-never-ends");
    assert_eq!(broken.text, "The first part is fine.");
    assert_eq!(broken.attachments.len(), 1);
    assert_eq!(
        address(&message("from-is-broken-sender-is-not")),
        "ivy@client.example"
    );
}

#[test]
fn machines_are_told_from_people_and_web_forms_are_people() {
    let automatic = |name| message(name).automatic;
    assert!(automatic("auto-reply-vacation"));
    assert!(automatic("newsletter"));
    assert!(automatic("bounce-of-somebody-elses-mail"));
    assert!(!automatic("web-form-auto-generated"), "a lead");
    assert!(!automatic("through-our-own-group"), "support@ is often a group");
    assert!(!automatic("plain-with-names-in-cyrillic"));
}

#[test]
fn the_one_who_is_answered_is_found_behind_forms_and_groups() {
    assert_eq!(address(&message("web-form-auto-generated")), "gil@client.example");
    let through = message("through-our-own-group");
    assert_eq!(
        (address(&through), through.from.name.as_deref()),
        ("hal@client.example", Some("Hal"))
    );
}

#[test]
fn a_bounce_of_our_answer_is_a_receipt_and_a_delay_is_not_a_failure() {
    let InboundBody::Receipt(receipt) = event("bounce-of-our-answer").body else {
        panic!("no receipt")
    };
    assert_eq!(
        receipt.external_id,
        "msg_0198aaaabbbbccccddddeeeeffff0000@shop.example"
    );
    assert_eq!(receipt.state, ReceiptState::Failed);
    assert!(
        receipt
            .error
            .is_some_and(|error| error.contains("5.1.1") && error.contains("no such user"))
    );
    assert_eq!(receipt.dead_address.as_deref(), Some("gone@client.example"));
    let InboundBody::Receipt(delayed) = event("bounce-delayed").body else {
        panic!("no receipt")
    };
    assert_eq!(delayed.state, ReceiptState::Delayed);
    assert_eq!(
        (delayed.external_id.as_str(), delayed.dead_address),
        ("msg_0198aaaabbbbccccddddeeeeffff0000@shop.example", None)
    );
}

#[test]
fn our_own_mail_and_ignored_senders_are_passed_over() {
    for name in [
        "our-answer-coming-back-through-a-list",
        "from-ourselves",
        "ignored-sender",
    ] {
        assert!(
            matches!(map(&raw(name), &settings()), Mapped::Passed(_)),
            "{name}"
        );
    }
    let sister = message("sister-channel-writes-to-us");
    assert_eq!(
        address(&sister),
        "sales@shop.example",
        "not ours, though its id looks so"
    );
}

#[test]
fn what_nobody_can_read_is_poison_with_its_bytes() {
    let poison = |raw: &Raw| match event_of(raw).body {
        InboundBody::Poison { reason, raw } => (reason, raw),
        other => panic!("not poison: {other:?}"),
    };
    let nobody = raw("nobody-wrote-it");
    assert_eq!(poison(&nobody).1, nobody.whole());
    assert!(poison(&as_mail(b"")).0.contains("empty"));
    assert!(poison(&as_mail(b" \r\n")).0.contains("empty"));
    let level = "Content-Type: message/rfc822\r\n\r\n";
    let nested = format!("From: a@b.example\r\n{}deep", level.repeat(100_000));
    assert!(
        poison(&as_mail(nested.as_bytes()))
            .0
            .contains("mails within mails")
    );
}

#[test]
fn a_deep_but_allowed_nesting_is_survived() {
    let boundaries: String = (0..2000)
        .map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n"))
        .collect();
    let mail = format!("From: a@b.example\r\n{boundaries}Content-Type: text/plain\r\n\r\ndeep");
    drop(event_of(&as_mail(mail.as_bytes())));
    let mail = format!(
        "From: a@b.example\r\n{}deep",
        "Content-Type: message/rfc822\r\n\r\n".repeat(490)
    );
    drop(event_of(&as_mail(mail.as_bytes())));
}

#[test]
fn ids_and_threads_stay_small_whatever_is_in_the_header() {
    let event = event("huge-header");
    assert!(event.external_id.len() < 300, "{}", event.external_id.len());
    let message = message_of(event);
    let Thread::Messages { own, earlier } = message.thread else {
        panic!()
    };
    assert!(own.len() < 300);
    assert_eq!((earlier.len(), earlier[0].as_str()), (20, "2999@client.example"));
    assert!(message.subject.is_some_and(|subject| subject.len() <= 500));
    assert_eq!(message.text, "Short.");
}

#[test]
fn of_a_mail_too_large_its_beginning_is_shown_and_marked() {
    let mut cut = raw("inline-image-by-cid-and-file-with-rfc2231-name");
    cut.cut_from = Some(60 << 20);
    cut.bytes = cut.bytes.slice(..900);
    let message = message_of(event_of(&cut));
    assert!(
        message.text.starts_with("See the picture.") && message.text.contains("too large (60 MB)"),
        "{}",
        message.text
    );
    assert!(message.attachments.is_empty());
}

#[test]
fn a_text_or_a_number_of_files_beyond_all_measure_becomes_a_file() {
    let long = format!(
        "From: a@b.example\r\nMessage-ID: <l@b>\r\n\r\n{}",
        "слово ".repeat(200_000)
    );
    let message = message_of(event_of(&as_mail(long.as_bytes())));
    assert!(message.text.len() < 600_000);
    assert_eq!(message.attachments[0].name, "text.txt");
    assert!(message.attachments[0].data.len() > 2_000_000);
    let part = "--x\r\nContent-Type: image/png\r\n\r\nabc\r\n";
    let many = format!(
        "From: a@b.example\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n{}--x--\r\n",
        part.repeat(300)
    );
    let message = message_of(event_of(&as_mail(many.as_bytes())));
    assert_eq!(
        (message.attachments.len(), message.attachments[0].name.as_str()),
        (1, "original.eml")
    );
}
