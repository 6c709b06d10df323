//! From the bytes of a mail to the event the server stores. Pure: no clock, no network, never a panic.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use mail_parser::{Message, MessageParser};
use switchboard_sdk::{InboundBody, InboundEvent, InboundMessage, Thread, Verdict};

use crate::{
    authentication, automatic, charset,
    content::{self, Content},
    facts, headers, ids,
    large::Large,
    recipients, report,
    settings::Settings,
    vcard, who,
};

/// Mails inside mails nested deeper than this are an attack on the stack of whoever walks them.
const MAX_NESTED: usize = 500;

/// A mail as it was fetched.
#[derive(Debug, Clone)]
pub struct Raw {
    /// The bytes, or the beginning of them; of a large mail those without its large bodies.
    pub bytes: Bytes,
    /// When the mail server took it in (IMAP `INTERNALDATE`).
    pub arrived: DateTime<Utc>,
    /// The size of the whole mail when only its beginning is here.
    pub cut_from: Option<u64>,
    /// What is not among the bytes of a large mail.
    pub large: Option<Arc<Large>>,
}

/// What a mail is to us.
#[derive(Debug)]
pub enum Mapped {
    /// To be stored.
    Event(Box<InboundEvent>),
    /// Not for anybody's eyes here: our own mail coming back, or an ignored sender.
    Passed(&'static str),
}

/// Maps one mail. What cannot be read becomes [`InboundBody::Poison`] with its bytes, so that it never
/// stands in the way of the next.
pub fn map(raw: &Raw, settings: &Settings) -> Mapped {
    // The parser is an excellent one; hostile mail has years to find its one mistake.
    catch_unwind(AssertUnwindSafe(|| mapped(raw, settings)))
        .unwrap_or_else(|_| Mapped::poison(raw, "reading it failed in a way nobody expected"))
}

impl Mapped {
    /// A mail for the quarantine.
    pub fn poison(raw: &Raw, reason: &str) -> Self {
        let body = InboundBody::Poison {
            reason: reason.to_owned(),
            raw: raw.whole(),
        };
        Self::Event(Box::new(InboundEvent {
            external_id: ids::of_bytes(raw),
            at: raw.arrived,
            body,
        }))
    }

    /// The event, if there is one.
    pub fn event(self) -> Option<InboundEvent> {
        match self {
            Self::Event(event) => Some(*event),
            Self::Passed(_) => None,
        }
    }
}

fn mapped(raw: &Raw, settings: &Settings) -> Mapped {
    if raw.bytes.trim_ascii().is_empty() {
        return Mapped::poison(raw, "it is empty");
    }
    if nesting(&raw.bytes) > MAX_NESTED {
        return Mapped::poison(raw, "it holds mails within mails, too many to take apart");
    }
    let bytes = charset::readable_headers(&raw.bytes);
    let Some((mut message, is_read)) = parsed(&bytes) else {
        return Mapped::poison(raw, "it has no header fields: this is not a mail");
    };
    let domain = settings.domain();
    if let Some(receipt) = report::receipt(&message, settings) {
        let from = who::mailbox(&message, mail_parser::HeaderName::From)
            .map_or_else(String::new, |from| from.address);
        let external_id = ids::of(&message, raw, &from).external;
        return Mapped::Event(Box::new(InboundEvent {
            external_id,
            at: raw.arrived,
            body: InboundBody::Receipt(receipt),
        }));
    }
    let from = match who::author(&message, settings) {
        who::Author::Customer(from) => from,
        who::Author::Ourselves => return Mapped::Passed("our own mail"),
        who::Author::Nobody => {
            return Mapped::poison(
                raw,
                "it does not say who wrote it: no usable address in From, Sender or Return-Path",
            );
        }
    };
    if who::ignored(&from.address, settings) {
        return Mapped::Passed("an ignored sender");
    }
    let ids = ids::of(&message, raw, &from.address);
    let thread = thread(&message, &ids.own);
    let subject = message
        .subject()
        .map(headers::one_line)
        .filter(|subject| !subject.is_empty())
        .map(|subject| subject.chars().take(500).collect());
    let automatic = automatic::is_automatic(&message, &domain);
    let authentication = authentication::of(&message, settings);
    let verdict = authentication.as_ref().map(|found| found.verdict);
    let card = vcard::of_sender(&message, &from.address).filter(|_| verdict != Some(Verdict::Fail));
    let is_proven = verdict == Some(Verdict::Pass)
        && who::mailbox(&message, mail_parser::HeaderName::From)
            .is_some_and(|mailbox| mailbox.address == from.address);
    let mut from = from.into_person();
    if let Some(own) = from.identities.first_mut().filter(|_| is_proven) {
        own.verified = true;
    }
    // Last: it takes the files out of the message.
    let Content {
        text,
        html,
        files,
        facts,
        says_nothing,
    } = content::of(&mut message, raw, is_read, authentication);
    let mut threading = facts::of(&message, &from, &text, settings);
    if verdict == Some(Verdict::Fail) {
        // Whoever writes in somebody's name may have read the address as well.
        threading.token = None;
    }
    let inbound = InboundMessage {
        threading: Some(Box::new(threading)),
        from,
        thread,
        text,
        html,
        subject,
        attachments: files,
        // A calendar's bare "accepted" is nobody's words.
        automatic: automatic || says_nothing,
        mail: Some(Box::new(facts)),
        card,
        recipients: recipients::of(&message),
        ..InboundMessage::default()
    };
    Mapped::Event(Box::new(InboundEvent {
        external_id: ids.external,
        at: raw.arrived,
        body: InboundBody::Message(inbound),
    }))
}

/// The mail, and whether its parts are read as well. Where they are nested in a broken way the parser answers with a
/// mail inside this one: then the header fields alone are believed.
fn parsed(bytes: &[u8]) -> Option<(Message<'_>, bool)> {
    let message = MessageParser::default().parse(bytes)?;
    if message.parts.first().is_some_and(|part| part.offset_header == 0) {
        return Some((message, true));
    }
    Some((MessageParser::default().parse_headers(bytes)?, false))
}

/// A bounce that names no ids of its own still belongs to the mail it returns.
fn thread(message: &Message<'_>, own: &str) -> Thread {
    match ids::thread(message, own) {
        Thread::Messages { own, earlier } if earlier.is_empty() => Thread::Messages {
            own,
            earlier: report::original_ids(message),
        },
        thread => thread,
    }
}

/// Upper bound of how deep mails are nested: how often a part is declared to hold mails.
fn nesting(raw: &[u8]) -> usize {
    [b"/rfc822".as_slice(), b"/global", b"/digest"]
        .iter()
        .map(|word| count(raw, word))
        .sum()
}

fn count(raw: &[u8], word: &[u8]) -> usize {
    let first = word.first().copied().unwrap_or_default();
    let mut found = 0;
    let mut rest = raw;
    while let Some(at) = rest.iter().position(|byte| *byte == first) {
        rest = rest.get(at..).unwrap_or_default();
        if rest
            .get(..word.len())
            .is_some_and(|here| here.eq_ignore_ascii_case(word))
        {
            found += 1;
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    found
}
