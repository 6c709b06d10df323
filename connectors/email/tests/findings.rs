//! What fuzzing found, and mails nobody here wrote: read without a panic that only the server's net would catch.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::{
    path::Path,
    time::{Duration, Instant},
};

use bytes::Bytes;
use switchboard_email::{
    Settings,
    large::Limits,
    map::{Mapped, Raw, map},
    settings::example,
};
use switchboard_sdk::InboundBody;

/// Mails above a size are taken apart before they are read; here each is, by limits as small as the fuzzing's.
#[test]
fn what_was_found_by_fuzzing_has_the_same_ids_in_pieces() {
    let settings = Settings::parse(example()).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/findings");
    let limits = Limits {
        file: 64,
        text: 512,
        beginning: 128,
        head: 64 * 1024,
        full: 4096,
        most: 16 * 1024,
        parts: 50,
    };
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let small = raw(&path);
        let large = Raw::large(small.whole(), small.arrived, &std::env::temp_dir(), &limits).unwrap();
        let (Mapped::Event(whole), Mapped::Event(apart)) = (map(&small, &settings), map(&large, &settings))
        else {
            continue;
        };
        if matches!(
            (&whole.body, &apart.body),
            (InboundBody::Message(_), InboundBody::Message(_))
        ) {
            assert_eq!(whole.external_id, apart.external_id, "{}", path.display());
        }
    }
}

fn raw(path: &Path) -> Raw {
    Raw {
        bytes: Bytes::from(std::fs::read(path).unwrap()),
        arrived: "2026-11-20T05:00:05Z".parse().unwrap(),
        cut_from: None,
        large: None,
    }
}

#[test]
fn what_was_found_by_fuzzing_is_read_or_refused_with_a_reason() {
    let settings = Settings::parse(example()).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/findings");
    let mut read = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let raw = raw(&path);
        let begun = Instant::now();
        let mapped = map(&raw, &settings);
        assert!(begun.elapsed() < Duration::from_secs(5), "{}", path.display());
        if let Mapped::Event(event) = mapped
            && let InboundBody::Poison { reason, raw: kept } = event.body
        {
            assert!(!reason.is_empty() && kept == raw.whole(), "{}", path.display());
        }
        read += 1;
    }
    assert!(read >= 2, "the cases are gone");
}

/// The parser loses the outer mail where an attached mail is nothing but another one.
#[test]
fn a_mail_within_a_mail_never_stands_for_the_whole() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/findings/a-mail-directly-in-an-attached-mail.eml");
    let raw = raw(&path);
    let event = map(&raw, &Settings::parse(example()).unwrap()).event().unwrap();
    let InboundBody::Message(message) = event.body else {
        panic!("not a message")
    };
    assert_eq!(message.from.identities[0].value, "ann@client.example");
    assert_eq!(message.subject.as_deref(), Some("outer"));
    assert!(event.external_id.starts_with("outer@client.example "));
    assert!(
        !message.attachments.is_empty(),
        "its parts are there, at least as the mail itself"
    );
}
