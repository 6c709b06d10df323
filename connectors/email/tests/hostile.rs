//! No mail, however broken, may make the reader panic, hang or forget its promises.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::{path::PathBuf, sync::LazyLock};

use bytes::Bytes;
use proptest::prelude::*;
use switchboard_email::{
    Settings,
    map::{Mapped, Raw, map},
    settings::example,
};
use switchboard_sdk::{InboundBody, Thread};

static SAMPLES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
});

static SETTINGS: LazyLock<Settings> = LazyLock::new(|| Settings::parse(example()).unwrap());

/// Maps and checks what holds for every mail.
fn check(bytes: Vec<u8>, cut_from: Option<u64>) {
    let raw = Raw {
        bytes: Bytes::from(bytes),
        arrived: "2026-11-20T05:00:05Z".parse().unwrap(),
        cut_from,
        large: None,
    };
    let Mapped::Event(event) = map(&raw, &SETTINGS) else {
        return;
    };
    assert!(
        !event.external_id.is_empty() && event.external_id.len() <= 300,
        "{}",
        event.external_id
    );
    assert_eq!(event.at, raw.arrived);
    let Mapped::Event(again) = map(&raw, &SETTINGS) else {
        panic!("once an event, once not")
    };
    assert_eq!(again.external_id, event.external_id);
    match event.body {
        InboundBody::Message(message) => {
            let identity = &message.from.identities[0].value;
            assert!(
                identity.contains('@') && *identity == identity.to_lowercase(),
                "{identity}"
            );
            let Thread::Messages { own, earlier } = message.thread else {
                panic!("not threaded")
            };
            assert!(!own.is_empty() && earlier.len() <= 20 && !earlier.contains(&own));
            assert!(
                message
                    .subject
                    .is_none_or(|subject| !subject.contains(['\r', '\n', '\0']))
            );
            assert!(!message.text.contains('\0') && message.text.len() < 600_000);
            for file in message.attachments {
                assert!(
                    !file.name.is_empty() && !file.name.contains(['/', '\\', '\0', '\r', '\n']),
                    "{:?}",
                    file.name
                );
            }
        }
        InboundBody::Poison { reason, raw: kept } => {
            assert!(!reason.contains("nobody expected"), "it panicked inside");
            assert_eq!(kept, raw.whole());
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        check(bytes, None);
    }

    #[test]
    fn any_body_behind_a_fine_header_is_survived(bytes in proptest::collection::vec(any::<u8>(), 0..2000), kind in 0..6usize) {
        let kinds = ["text/plain", "text/html; charset=utf-16", "multipart/mixed; boundary=\"\"", "message/rfc822", "text/plain; format=flowed; delsp=yes", "multipart/report; report-type=delivery-status; boundary=a"];
        let head = format!("From: a@b.example\r\nMessage-ID: <a@b>\r\nContent-Type: {}\r\n\r\n", kinds[kind]);
        check([head.as_bytes(), &bytes].concat(), None);
    }

    #[test]
    fn a_sample_cut_and_spoiled_anywhere_is_survived(
        which in 0..1000usize,
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..12),
        cut in any::<proptest::sample::Index>(),
        truncated in any::<bool>(),
    ) {
        let mut bytes = SAMPLES[which % SAMPLES.len()].clone();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if truncated {
            bytes.truncate(cut.index(bytes.len()));
        }
        check(bytes, truncated.then_some(60 << 20));
    }

    #[test]
    fn halves_of_two_samples_are_survived(one in 0..1000usize, other in 0..1000usize, at in any::<proptest::sample::Index>()) {
        let (one, other) = (&SAMPLES[one % SAMPLES.len()], &SAMPLES[other % SAMPLES.len()]);
        let at = at.index(one.len());
        check([&one[..at], &other[at.min(other.len())..]].concat(), None);
    }
}

#[test]
fn a_large_mail_is_read_in_a_moment() {
    let part = format!(
        "--x\r\nContent-Type: application/octet-stream; name=a\r\nContent-Transfer-Encoding: base64\r\n\r\n{}--x--\r\n",
        "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2\r\n".repeat(200_000)
    );
    let mail = format!("From: a@b.example\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n{part}");
    let started = std::time::Instant::now();
    check(mail.into_bytes(), None);
    assert!(
        started.elapsed() < std::time::Duration::from_secs(20),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn hostile_html_and_headers_take_no_longer_than_their_size() {
    let started = std::time::Instant::now();
    for body in [
        "<".repeat(1 << 20),
        "<div>".repeat(1 << 18),
        "&".repeat(1 << 20),
        "> ".repeat(1 << 19),
        "<!--".repeat(1 << 18),
    ] {
        check(
            format!("From: a@b.example\r\nContent-Type: text/html\r\n\r\n{body}").into_bytes(),
            None,
        );
        check(
            format!("From: a@b.example\r\nContent-Type: text/plain; format=flowed\r\n\r\n{body}")
                .into_bytes(),
            None,
        );
    }
    check(
        format!("From: {}a@b.example\r\n\r\nx", "(".repeat(1 << 18)).into_bytes(),
        None,
    );
    check(
        format!(
            "From: a@b.example\r\nSubject: {}\r\n\r\nx",
            "=?utf-8?q?".repeat(1 << 16)
        )
        .into_bytes(),
        None,
    );
    check(
        format!("{}From: a@b.example\r\n\r\nx", "X-A: b\r\n".repeat(1 << 17)).into_bytes(),
        None,
    );
    assert!(
        started.elapsed() < std::time::Duration::from_secs(60),
        "{:?}",
        started.elapsed()
    );
}
