//! A large mail gives the same as a small one: whatever its structure, taking its large bodies out changes nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::{path::Path, sync::LazyLock};

use bytes::Bytes;
use proptest::prelude::*;
use switchboard_email::{
    Settings,
    large::Limits,
    map::{Mapped, Raw, map},
    settings::example,
};
use switchboard_sdk::{Content, InboundBody, InboundEvent, InboundMessage, Spool};

static SETTINGS: LazyLock<Settings> = LazyLock::new(|| Settings::parse(example()).unwrap());

/// Everything that is a file leaves the small mail; texts stay.
const TINY: Limits = Limits {
    file: 0,
    text: 1 << 20,
    beginning: 512,
    head: 1 << 20,
    full: 1 << 20,
    most: 8 << 20,
    parts: 1000,
};

fn arrived() -> chrono::DateTime<chrono::Utc> {
    "2026-11-20T05:00:05Z".parse().unwrap()
}

fn whole(mail: &[u8]) -> Raw {
    Raw {
        bytes: Bytes::copy_from_slice(mail),
        arrived: arrived(),
        cut_from: None,
        large: None,
    }
}

fn apart(mail: &[u8], limits: &Limits) -> Raw {
    let mut spool = Spool::new(&std::env::temp_dir()).unwrap();
    spool.write(mail).unwrap();
    Raw::large(spool.finish(), arrived(), &std::env::temp_dir(), limits).unwrap()
}

fn event(raw: &Raw) -> InboundEvent {
    match map(raw, &SETTINGS) {
        Mapped::Event(event) => *event,
        Mapped::Passed(why) => panic!("passed: {why}"),
    }
}

fn message(raw: &Raw) -> InboundMessage {
    match event(raw).body {
        InboundBody::Message(message) => message,
        other => panic!("not a message: {other:?}"),
    }
}

/// Names, types, ids and bytes.
fn files(message: &InboundMessage) -> Vec<(String, String, Option<String>, Bytes)> {
    let file = |file: &switchboard_sdk::InboundAttachment| {
        (
            file.name.clone(),
            file.content_type.clone(),
            file.content_id.clone(),
            file.data.read_all().unwrap(),
        )
    };
    message.attachments.iter().map(file).collect()
}

/// Reads a mail both ways and compares what matters; answers what came of it.
fn same(mail: &[u8], limits: &Limits) -> Option<InboundMessage> {
    let (small, large) = (whole(mail), apart(mail, limits));
    assert_eq!(
        large.whole().read_all().unwrap(),
        mail,
        "the original stays byte for byte"
    );
    match (map(&small, &SETTINGS), map(&large, &SETTINGS)) {
        (Mapped::Passed(one), Mapped::Passed(other)) => {
            assert_eq!(one, other);
            None
        }
        (Mapped::Event(one), Mapped::Event(other)) => {
            assert_eq!(one.external_id, other.external_id);
            match (one.body, other.body) {
                (InboundBody::Message(one), InboundBody::Message(other)) => {
                    assert_eq!(files(&one), files(&other));
                    assert_eq!((&one.text, &one.html), (&other.text, &other.html));
                    assert_eq!((&one.thread, &one.from), (&other.thread, &other.from));
                    assert_eq!(
                        one.mail.as_ref().unwrap().protection,
                        other.mail.as_ref().unwrap().protection
                    );
                    Some(other)
                }
                (
                    InboundBody::Poison { reason, raw },
                    InboundBody::Poison {
                        reason: why,
                        raw: kept,
                    },
                ) => {
                    assert_eq!((reason, raw.read_all().unwrap()), (why, kept.read_all().unwrap()));
                    None
                }
                (InboundBody::Receipt(one), InboundBody::Receipt(other)) => {
                    assert_eq!(one, other);
                    None
                }
                (one, other) => panic!("{one:?}\n{other:?}"),
            }
        }
        (one, other) => panic!("{one:?}\n{other:?}"),
    }
}

/// A part of a made-up mail.
#[derive(Debug, Clone)]
enum Part {
    Text(String),
    File {
        encoding: u8,
        data: Vec<u8>,
        name: String,
    },
    Table(String),
    Mail(Box<Part>),
    Many {
        boundary: u8,
        kind: u8,
        parts: Vec<Part>,
        open: bool,
    },
}

const BOUNDARIES: [&str; 5] = ["x", "xx", "--x", "=_b", "a-b"];
const KINDS: [&str; 5] = [
    "mixed",
    "alternative",
    "related",
    "signed; protocol=\"application/pgp-signature\"",
    "digest",
];

fn parts() -> impl Strategy<Value = Part> {
    // Words that look like boundaries, encodings and ends of lines.
    let words = prop_oneof![
        Just("hello "),
        Just("--"),
        Just("-"),
        Just("--y"),
        Just("\r\n"),
        Just("\n"),
        Just("Content-Type: x"),
        Just("=3D"),
        Just("ж"),
        Just("x--"),
    ];
    let text = proptest::collection::vec(words, 0..12).prop_map(|words| words.concat());
    let leaf = prop_oneof![
        text.clone().prop_map(Part::Text),
        (
            0..5u8,
            proptest::collection::vec(any::<u8>(), 0..200),
            "[a-z]{1,6}"
        )
            .prop_map(|(encoding, data, name)| Part::File { encoding, data, name }),
        text.prop_map(Part::Table),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            inner.clone().prop_map(|part| Part::Mail(Box::new(part))),
            (
                0..5u8,
                0..5u8,
                proptest::collection::vec(inner, 0..5),
                proptest::bool::weighted(0.15)
            )
                .prop_map(|(boundary, kind, parts, open)| Part::Many {
                    boundary,
                    kind,
                    parts,
                    open
                }),
        ]
    })
}

fn base64(data: &[u8], end: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letters: String = data
        .chunks(3)
        .map(|three| {
            let mut bits = [0u8; 4];
            bits[1..=three.len()].copy_from_slice(three);
            let bits = u32::from_be_bytes(bits);
            (0..4usize)
                .map(|at| {
                    if at > three.len() {
                        '='
                    } else {
                        char::from(LETTERS[(bits >> (18 - 6 * at) & 63) as usize])
                    }
                })
                .collect::<String>()
        })
        .collect();
    let lines: Vec<String> = letters
        .as_bytes()
        .chunks(76)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
    lines.join(end)
}

/// Header fields and body of a part, after which its line end follows.
fn written(part: &Part, level: usize, end: &str, out: &mut Vec<u8>) {
    let mut say = |text: &str| out.extend_from_slice(text.as_bytes());
    match part {
        Part::Text(text) => {
            say(&format!(
                "Content-Type: text/plain; charset=utf-8{end}{end}{text}"
            ));
        }
        Part::Table(text) => {
            say(&format!(
                "Content-Type: text/csv; charset=koi8-r{end}Content-Disposition: attachment; filename=t.csv{end}{end}{text}"
            ));
        }
        Part::File { encoding, data, name } => {
            let (how, body): (&str, Vec<u8>) = match encoding {
                0 => ("base64", base64(data, end).into_bytes()),
                1 => {
                    let quoted: Vec<String> = data.iter().map(|byte| format!("={byte:02X}")).collect();
                    (
                        "quoted-printable",
                        quoted.join(if data.len() > 30 { "" } else { "." }).into_bytes(),
                    )
                }
                2 => ("8bit", data.clone()),
                3 => ("binary", data.clone()),
                // Broken: it says base64 and is none.
                _ => ("base64", [base64(data, end).as_bytes(), b"!!"].concat()),
            };
            say(&format!(
                "Content-Type: application/x-{name}; name={name}.bin{end}Content-Transfer-Encoding: {how}{end}Content-ID: <{name}@x>{end}{end}"
            ));
            out.extend_from_slice(&body);
        }
        Part::Mail(inner) => {
            say(&format!(
                "Content-Type: message/rfc822{end}{end}From: Inner <inner@client.example>{end}Subject: inner{end}"
            ));
            written(inner, level + 1, end, out);
        }
        Part::Many {
            boundary,
            kind,
            parts,
            open,
        } => {
            let mark = format!("{}{level}", BOUNDARIES[usize::from(*boundary) % BOUNDARIES.len()]);
            say(&format!(
                "Content-Type: multipart/{}; boundary=\"{mark}\"{end}{end}before",
                KINDS[usize::from(*kind) % KINDS.len()]
            ));
            for part in parts {
                out.extend_from_slice(format!("{end}--{mark}{end}").as_bytes());
                written(part, level + 1, end, out);
            }
            if !open {
                out.extend_from_slice(format!("{end}--{mark}--{end}after").as_bytes());
            }
        }
    }
}

fn mail_of(part: &Part, end: &str) -> Vec<u8> {
    let mut mail =
        format!("From: Ann <ann@client.example>{end}Message-ID: <1@client.example>{end}Subject: s{end}")
            .into_bytes();
    written(part, 0, end, &mut mail);
    mail
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn taking_a_mail_apart_changes_nothing_of_it(part in parts(), returns in any::<bool>()) {
        same(&mail_of(&part, if returns { "\r\n" } else { "\n" }), &TINY);
    }

    #[test]
    fn nor_where_it_was_cut_off_or_spoilt(
        part in parts(), returns in any::<bool>(), cut in any::<proptest::sample::Index>(),
        at in any::<proptest::sample::Index>(), byte in prop_oneof![Just(b'-'), Just(b'\n'), Just(b' '), Just(b':'), Just(b'='), Just(b'x')],
    ) {
        let mut mail = mail_of(&part, if returns { "\r\n" } else { "\n" });
        let place = at.index(mail.len());
        mail[place] = byte;
        // What may be spoilt is what is read of it, never its original nor its ids.
        let (small, large) = (whole(&mail), apart(&mail, &TINY));
        prop_assert_eq!(large.whole().read_all().unwrap(), Bytes::from(mail.clone()));
        if let (Some(one), Some(other)) = (map(&small, &SETTINGS).event(), map(&large, &SETTINGS).event()) {
            prop_assert_eq!(one.external_id, other.external_id);
        }
        mail = mail_of(&part, "\r\n");
        mail.truncate(cut.index(mail.len()).max(70));
        let (small, large) = (whole(&mail), apart(&mail, &TINY));
        if let (InboundBody::Message(one), InboundBody::Message(other)) = (event(&small).body, event(&large).body) {
            prop_assert_eq!(files(&one), files(&other));
        }
    }

    #[test]
    fn any_bytes_are_survived_and_kept(bytes in proptest::collection::vec(any::<u8>(), 0..2000), limits in 0..3u64) {
        let limits = Limits { file: limits, text: limits * 10, beginning: limits * 5, full: 100, most: 1000, parts: 5, ..TINY };
        let raw = apart(&bytes, &limits);
        prop_assert!(raw.bytes.len() <= bytes.len() + 10);
        prop_assert_eq!(raw.whole().read_all().unwrap(), Bytes::from(bytes));
        map(&raw, &SETTINGS);
    }
}

#[test]
fn every_sample_is_the_same_taken_apart() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    for entry in std::fs::read_dir(folder).unwrap() {
        // Cards, calendars and what Outlook packs are read, not only kept.
        let limits = Limits { file: 1200, ..TINY };
        same(&std::fs::read(entry.unwrap().path()).unwrap(), &limits);
    }
}

/// A mail of 3 MB as it comes over the wire.
fn letter(parts: &str) -> Vec<u8> {
    format!("From: Ann <ann@client.example>\r\nSubject: s\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n{parts}--b--\r\n").into_bytes()
}

#[test]
fn a_large_file_never_is_in_the_small_mail() {
    let data: Vec<u8> = (0..=255u8).cycle().take(2_000_000).collect();
    let mail = letter(&format!(
        "--b\r\nContent-Type: video/mp4; name=film.mp4\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n",
        base64(&data, "\r\n")
    ));
    let raw = apart(&mail, &Limits::default());
    assert!(raw.bytes.len() < 1000, "{}", raw.bytes.len());
    let message = same(&mail, &Limits::default()).unwrap();
    assert_eq!(message.text, "hello");
    let [file] = &message.attachments[..] else {
        panic!("{message:?}")
    };
    assert!(file.data.in_memory().is_none());
    assert_eq!(file.data.read_all().unwrap(), data);
}

#[test]
fn a_forwarded_mail_with_a_large_file_is_the_file_it_was() {
    let inner = format!(
        "From: Zed <zed@else.example>\r\nSubject: Film\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\nlook\r\n--i\r\nContent-Type: video/mp4\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--i--\r\n",
        base64(&vec![7; 1_000_000], "\r\n")
    );
    let mail = letter(&format!("--b\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n"));
    let message = same(&mail, &Limits::default()).unwrap();
    assert_eq!(message.attachments[0].name, "Film.eml");
    assert_eq!(message.attachments[0].data.read_all().unwrap(), inner.as_bytes());
    assert!(message.attachments[0].data.in_memory().is_none());
}

#[test]
fn a_text_longer_than_anybody_reads_is_shown_by_its_beginning_and_kept_as_a_file() {
    let text = "Eine Zeile.\r\n".repeat(200_000);
    let mail =
        format!("From: Ann <ann@client.example>\r\nContent-Type: text/plain\r\n\r\n{text}").into_bytes();
    let read = message(&apart(&mail, &Limits::default()));
    assert!(read.text.starts_with("Eine Zeile.\nEine Zeile.") && read.text.len() < 400_000);
    assert!(
        read.text
            .ends_with("[The text goes on in the attached file text.txt.]")
    );
    let [file] = &read.attachments[..] else { panic!() };
    assert_eq!(
        (file.name.as_str(), file.data.read_all().unwrap()),
        ("text.txt", Bytes::from(text.clone()))
    );
    let page = format!("From: Ann <ann@client.example>\r\nContent-Type: text/html\r\n\r\n<p>{text}</p>")
        .into_bytes();
    let read = message(&apart(&page, &Limits::default()));
    assert_eq!(
        (read.html, read.attachments[0].name.as_str()),
        (None, "message.html")
    );
    assert!(read.text.starts_with("Eine Zeile."));
}

#[test]
fn protected_mails_stay_byte_for_byte_and_their_parts_are_files() {
    let cipher = base64(&vec![9; 900_000], "\r\n");
    let smime = format!(
        "From: Ann <ann@client.example>\r\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\n{cipher}\r\n"
    );
    let message = same(smime.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(message.attachments[0].data.len(), 900_000);
    let original = message.mail.unwrap().original.unwrap();
    assert_eq!(original.data.read_all().unwrap(), smime.as_bytes());
}

#[test]
fn what_is_too_much_to_take_apart_is_attached_whole() {
    let many = "--b\r\nContent-Type: image/png\r\n\r\nx\r\n".repeat(3000);
    let mail = letter(&many);
    let read = message(&apart(&mail, &Limits::default()));
    assert_eq!(read.text, "hello");
    let [file] = &read.attachments[..] else {
        panic!("{}", read.attachments.len())
    };
    assert_eq!(
        (file.name.as_str(), file.data.read_all().unwrap()),
        ("original.eml", Bytes::from(mail))
    );
}

#[test]
fn a_mail_without_an_id_is_known_again_however_it_was_read() {
    let mail = letter("--b\r\nContent-Type: image/png\r\n\r\nxyz\r\n");
    assert_eq!(
        event(&whole(&mail)).external_id,
        event(&apart(&mail, &TINY)).external_id
    );
    let other = letter("--b\r\nContent-Type: image/png\r\n\r\nxyy\r\n");
    assert_ne!(
        event(&apart(&mail, &TINY)).external_id,
        event(&apart(&other, &TINY)).external_id
    );
}

#[test]
fn what_lies_in_memory_is_read_as_it_was() {
    let mail = letter("");
    let raw = Raw::of(Content::from(mail.clone()), arrived(), Path::new("/nowhere")).unwrap();
    assert!(raw.large.is_none() && raw.bytes == mail);
}
