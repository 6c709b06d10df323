//! Message ids: their normal form, the key of de-duplication, and the thread they lead to. Pure.

use mail_parser::{HeaderName, HeaderValue, Message};
use sha2::{Digest, Sha256};
use switchboard_sdk::Thread;

use crate::{
    fingerprint::{BEGINNING, Fingerprint, Taken},
    headers,
    map::Raw,
};

/// How many earlier messages a mail may name: enough for every thread people write, not for an attack.
const MAX_EARLIER: usize = 20;

/// Longer ids are replaced by their hash: they go into indexes.
const MAX_ID_BYTES: usize = 250;

/// What ids begin with that we made because the mail has none.
pub const MADE_UP: &str = "sha256.";

/// Header fields that transport adds or changes: not part of what was written.
const TRANSPORT: [&str; 7] = [
    "received",
    "return-path",
    "delivered-to",
    "envelope-to",
    "authentication-results",
    "received-spf",
    "dkim-signature",
];

/// The normal form of an id: without brackets and white space, case kept.
pub fn normal(id: &str) -> String {
    let id: String = id
        .chars()
        .filter(|c| !c.is_whitespace() && !c.is_control() && *c != '<' && *c != '>')
        .collect();
    if id.len() > MAX_ID_BYTES {
        format!("{MADE_UP}{}", hex::encode(Sha256::digest(id.as_bytes())))
    } else {
        id
    }
}

/// The id we give an outgoing message.
pub fn outgoing(message_id: &str, domain: &str) -> String {
    format!("{message_id}@{domain}")
}

/// Whether we gave this id: `msg_…@our.domain`.
pub fn is_ours(id: &str, domain: &str) -> bool {
    let Some((local, of)) = id.rsplit_once('@') else {
        return false;
    };
    of.eq_ignore_ascii_case(domain)
        && local
            .strip_prefix("msg_")
            .is_some_and(|rest| rest.len() >= 8 && rest.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// The ids of one mail.
#[derive(Debug, PartialEq, Eq)]
pub struct Ids {
    /// `Message-ID`, or a hash of the mail when it has none.
    pub own: String,
    /// The key of de-duplication: the same for the same mail at every fetch, in whatever folder generation.
    pub external: String,
}

/// Finds the ids of a mail.
pub fn of(message: &Message<'_>, raw: &Raw, from: &str) -> Ids {
    let complete = raw.cut_from.is_none();
    let own = message
        .message_id()
        .map(normal)
        .filter(|id| !id.is_empty())
        .unwrap_or_else(|| of_bytes(raw));
    // Message ids are not unique in practice: two different mails with one id are both kept. The raw body
    // goes in, not the decoded text, so that a better decoder does not make old mail look new.
    let (length, beginning) = match raw.large.as_deref() {
        Some(large) => (large.body.length, large.body.beginning.clone()),
        None => without_returns(split(&raw.bytes).1.trim_ascii_end()),
    };
    let mut hash = Sha256::new();
    for field in [from, &raw_field(message, "Date"), &raw_field(message, "Subject")] {
        hash.update(field.as_bytes());
        hash.update([0]);
    }
    if complete {
        hash.update(length.to_le_bytes());
    }
    hash.update(&beginning);
    // A space cannot be part of a message id, so the two halves never run together.
    let external = format!("{own} {}", hex::encode(&hash.finalize()[..8]));
    Ids { own, external }
}

/// The length of a text without its carriage returns, and its first bytes.
fn without_returns(body: &[u8]) -> (usize, Vec<u8>) {
    let returns = body.iter().filter(|byte| **byte == b'\r').count();
    let kept = body.iter().copied().filter(|byte| *byte != b'\r');
    (body.len() - returns, kept.take(BEGINNING).collect())
}

/// The key of a mail that names none, or of bytes that are no mail.
pub fn of_bytes(raw: &Raw) -> String {
    match raw.large.as_deref() {
        Some(large) => named(&large.body),
        None => {
            let (head, body) = split(&raw.bytes);
            let mut lines = fingerprint(head);
            lines.take(body);
            named(&lines.end())
        }
    }
}

/// The conversation a mail belongs to: its own id, then the ids it answers, the nearest first.
pub fn thread(message: &Message<'_>, own: &str) -> Thread {
    let mut earlier: Vec<String> = Vec::new();
    let answers = message.header_values(HeaderName::InReplyTo).flat_map(list);
    let references = message
        .header_values(HeaderName::References)
        .flat_map(|value| list(value).into_iter().rev());
    for id in answers.chain(references) {
        if earlier.len() == MAX_EARLIER {
            break;
        }
        // Some programs write words there ("Your message of Tuesday"): an id has an @.
        if id != own && id.contains('@') && !earlier.contains(&id) {
            earlier.push(id);
        }
    }
    Thread::Messages {
        own: own.to_owned(),
        earlier,
    }
}

fn list(value: &HeaderValue<'_>) -> Vec<String> {
    // Ids without brackets come as one text, separated by white space or commas.
    let split = |text: &str| {
        text.split(|c: char| c.is_whitespace() || c == ',')
            .map(normal)
            .filter(|id| !id.is_empty())
            .collect::<Vec<_>>()
    };
    match value {
        HeaderValue::Text(text) => split(text),
        HeaderValue::TextList(ids) => ids
            .iter()
            .map(|id| normal(id))
            .filter(|id| !id.is_empty())
            .collect(),
        _ => Vec::new(),
    }
}

fn raw_field(message: &Message<'_>, name: &str) -> String {
    headers::text(message, name).unwrap_or_default()
}

fn named(body: &Taken) -> String {
    format!("{MADE_UP}{}", hex::encode(body.lines))
}

/// The fingerprint of a body whose header block this is.
pub fn fingerprint(head: &[u8]) -> Fingerprint {
    let mut hash = Sha256::new();
    let mut skipping = false;
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            let name = line
                .split(|byte| *byte == b':')
                .next()
                .unwrap_or_default()
                .trim_ascii()
                .to_ascii_lowercase();
            skipping = TRANSPORT.iter().any(|field| field.as_bytes() == name)
                || name.starts_with(b"x-")
                || name.starts_with(b"arc-");
        }
        if !skipping {
            hash.update(line.trim_ascii_end());
            hash.update(b"\n");
        }
    }
    Fingerprint::after(hash)
}

/// Header block and body: the first empty line is between them.
pub fn split(raw: &[u8]) -> (&[u8], &[u8]) {
    let mut start = 0;
    while let Some(line) = raw.get(start..).and_then(|rest| {
        rest.iter()
            .position(|byte| *byte == b'\n')
            .map(|end| &rest[..=end])
    }) {
        let next = start + line.len();
        if line.trim_ascii().is_empty() {
            return (&raw[..start], &raw[next..]);
        }
        start = next;
    }
    (raw, &[])
}
