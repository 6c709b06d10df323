//! Any bytes as a mail: mapped without a panic, in bounded time, with the promises the server relies on.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use switchboard_email::{
    Settings,
    large::Limits,
    map::{Mapped, Raw, map},
    settings::example,
};
use switchboard_sdk::{InboundBody, Thread};

static SETTINGS: LazyLock<Settings> = LazyLock::new(|| {
    let mut settings = example();
    settings["authserv_id"] = "mx.shop.example".into();
    Settings::parse(settings).unwrap_or_else(|error| panic!("{error:?}"))
});

/// The same as a large mail: what is a message either way is known by the same id. With limits as small as these a
/// report may not be seen for one.
fn taken_apart(small: &Raw, whole: &Mapped) {
    let limits = Limits {
        file: 64,
        text: 512,
        beginning: 128,
        head: 64 * 1024,
        full: 4096,
        most: 16 * 1024,
        parts: 50,
    };
    let large = Raw::large(small.whole(), small.arrived, &std::env::temp_dir(), &limits);
    let large = large.unwrap_or_else(|error| panic!("{error}"));
    assert!(large.bytes.len() <= small.bytes.len() + 200);
    let Mapped::Event(apart) = map(&large, &SETTINGS) else {
        return;
    };
    match (&apart.body, whole) {
        (InboundBody::Poison { reason, .. }, _) => {
            assert!(!reason.contains("nobody expected"), "{reason}");
        }
        (InboundBody::Message(_), Mapped::Event(event)) if matches!(event.body, InboundBody::Message(_)) => {
            assert_eq!(apart.external_id, event.external_id);
        }
        _ => {}
    }
}

fuzz_target!(|data: &[u8]| {
    let raw = Raw {
        bytes: bytes::Bytes::copy_from_slice(data),
        arrived: "2026-11-20T05:00:05Z".parse().unwrap_or_default(),
        cut_from: None,
        large: None,
    };
    let mapped = map(&raw, &SETTINGS);
    taken_apart(&raw, &mapped);
    let Mapped::Event(event) = mapped else {
        return;
    };
    assert!(!event.external_id.is_empty() && event.external_id.len() <= 300);
    match event.body {
        InboundBody::Message(message) => {
            assert!(!message.from.identities.is_empty());
            assert!(matches!(message.thread, Thread::Messages { .. }));
            assert!(!message.text.contains('\0'));
            let mail = message
                .mail
                .unwrap_or_else(|| panic!("a mail without what is known of it"));
            assert!(
                mail.quoted_text_at
                    .is_none_or(|at| message.text.is_char_boundary(at))
            );
            let html = message.html.unwrap_or_default();
            assert!(mail.quoted_html_at.is_none_or(|at| html.is_char_boundary(at)));
            // What `map` hands out may be a bit larger than what came (letters of old encodings take more
            // bytes in UTF-8), never many times.
            let files: u64 = message.attachments.iter().map(|file| file.data.len()).sum();
            assert!(message.text.len() as u64 + files <= 64 * 1024 + 8 * data.len() as u64);
        }
        // `map` catches panics, because a live server must; here each is a finding.
        InboundBody::Poison { reason, .. } => assert!(!reason.contains("nobody expected"), "{reason}"),
        InboundBody::Submission(_)
        | InboundBody::Receipt(_)
        | InboundBody::Edit(_)
        | InboundBody::Deletion(_)
        | InboundBody::Reaction(_)
        | InboundBody::Reachability(_)
        | InboundBody::Call(_) => {}
    }
});
