//! The mail an operator's answer becomes. Pure.

use std::time::SystemTime;

use lettre::{
    Address, Message,
    message::{
        Attachment, Mailbox, MultiPart, SinglePart,
        header::{ContentType, HeaderName, HeaderValue},
    },
};
use switchboard_sdk::{OutboundAttachment, OutboundMessage, SendError, without_answer_marks};

use crate::{
    headers, ids, recipients,
    settings::Settings,
    token::{self, Purpose},
};

/// How many references are kept beside the first: enough for every mail program to find its thread.
const MAX_REFERENCES: usize = 20;

/// Builds the mail, with the same id at every attempt.
pub fn compose(message: &OutboundMessage, settings: &Settings) -> Result<Message, SendError> {
    let refused = |reason: String| SendError::Refused { reason };
    let from: Address = settings
        .address
        .parse()
        .map_err(|_| refused(format!("{} is not an address to send from", settings.address)))?;
    let addressed = recipients::addressed(message).map_err(refused)?;
    let references = references(&message.references);
    let mut builder = Message::builder()
        .from(Mailbox::new(
            from_name(message.author_name.as_deref(), settings.from_name.as_deref()),
            from,
        ))
        .subject(subject(
            message.subject.as_deref(),
            Manner::of(message, &references),
            settings,
        ))
        .date(SystemTime::from(message.created_at))
        .raw_header(raw(
            "Message-ID",
            &format!("<{}>", external_id(message, settings)),
        ));
    for to in addressed.to {
        builder = builder.to(to);
    }
    for cc in addressed.cc {
        builder = builder.cc(cc);
    }
    // Goes into the envelope; the header itself is dropped.
    for bcc in addressed.bcc {
        builder = builder.bcc(bcc);
    }
    if let Some(last) = references.last() {
        if !message.forward {
            builder = builder.raw_header(raw("In-Reply-To", &format!("<{last}>")));
        }
        let folded = references
            .iter()
            .map(|id| format!("<{id}>"))
            .collect::<Vec<_>>()
            .join("\r\n ");
        builder = builder.raw_header(raw("References", &folded));
    }
    if let Some(reply_to) = token::address(Purpose::Reply, &message.id, settings)
        && let Ok(reply_to) = reply_to.parse::<Address>()
    {
        let name = settings.from_name.as_deref().map(headers::one_line);
        builder = builder.reply_to(Mailbox::new(name.filter(|name| !name.is_empty()), reply_to));
    }
    if message.automatic {
        // RFC 3834: answering machines do not answer this; the last is our own mark, should it come round.
        builder = builder
            .raw_header(raw("Auto-Submitted", "auto-replied"))
            .raw_header(raw("X-Auto-Response-Suppress", "All"))
            .raw_header(raw("X-Loop", &settings.address));
    }
    let built = match (body(message), message.attachments.as_slice()) {
        (Body::Plain(text), []) => builder.singlepart(text),
        (Body::Both(both), []) => builder.multipart(both),
        (body, files) => {
            let mixed = MultiPart::mixed();
            let mixed = match body {
                Body::Plain(text) => mixed.singlepart(text),
                Body::Both(both) => mixed.multipart(both),
            };
            builder.multipart(files.iter().map(part).fold(mixed, MultiPart::singlepart))
        }
    };
    built.map_err(|error| refused(format!("the mail cannot be written: {error}")))
}

/// The `Message-ID`, without angle brackets.
pub fn external_id(message: &OutboundMessage, settings: &Settings) -> String {
    ids::outgoing(&message.id, &settings.domain())
}

/// Where bounces go: to an address that names the message, where the mailbox takes such addresses.
pub fn return_path(message: &OutboundMessage, settings: &Settings) -> Option<Address> {
    token::address(Purpose::Bounce, &message.id, settings)?
        .parse()
        .ok()
}

/// A header whose value is known to be ASCII and folded: the library's encoder would break long ids.
fn raw(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::dangerous_new_pre_encoded(
        HeaderName::new_from_ascii_str(name),
        value.to_owned(),
        value.to_owned(),
    )
}

enum Body {
    Plain(SinglePart),
    Both(MultiPart),
}

fn body(message: &OutboundMessage) -> Body {
    match &message.html {
        Some(html) if !html.trim().is_empty() => Body::Both(MultiPart::alternative_plain_html(
            message.text.clone(),
            html.clone(),
        )),
        _ => Body::Plain(SinglePart::plain(message.text.clone())),
    }
}

fn part(file: &OutboundAttachment) -> SinglePart {
    // A mail or a multipart must not be encoded (RFC 2046 §5.2.1), so it travels as plain bytes.
    let declared = file.content_type.to_ascii_lowercase();
    let kind = if declared.starts_with("message/") || declared.starts_with("multipart/") {
        None
    } else {
        ContentType::parse(&file.content_type).ok()
    };
    let name = headers::one_line(&file.name);
    let name = if name.is_empty() { "file".to_owned() } else { name };
    let place = match file.content_id.as_deref().map(headers::one_line) {
        Some(id) if !id.is_empty() => Attachment::new_inline_with_name(id, name),
        _ => Attachment::new(name),
    };
    // Bytes, never text: a file must arrive as it was, line ends and all.
    place.body(binary(file.data.to_vec()), kind.unwrap_or(octets()))
}

fn binary(data: Vec<u8>) -> lettre::message::Body {
    use lettre::message::header::ContentTransferEncoding::Base64;
    lettre::message::Body::new_with_encoding(data, Base64).unwrap_or_else(lettre::message::Body::new)
}

fn octets() -> ContentType {
    ContentType::parse("application/octet-stream").unwrap_or(ContentType::TEXT_PLAIN)
}

fn from_name(author: Option<&str>, brand: Option<&str>) -> Option<String> {
    let clean = |name: &str| Some(headers::one_line(name)).filter(|name| !name.is_empty());
    match (author.and_then(clean), brand.and_then(clean)) {
        (Some(author), Some(brand)) if author != brand => Some(format!("{author} via {brand}")),
        (author, brand) => brand.or(author),
    }
}

/// What a mail is to the thread it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    First,
    Answer,
    Forward,
}

impl Manner {
    fn of(message: &OutboundMessage, references: &[String]) -> Self {
        match (message.forward, references.is_empty()) {
            (true, _) => Self::Forward,
            (false, true) => Self::First,
            (false, false) => Self::Answer,
        }
    }
}

fn subject(subject: Option<&str>, manner: Manner, settings: &Settings) -> String {
    let subject = subject
        .map(headers::one_line)
        .filter(|subject| !subject.is_empty());
    let Some(subject) = subject else {
        let who = settings
            .from_name
            .as_deref()
            .map_or_else(|| settings.address.clone(), headers::one_line);
        return match manner {
            Manner::First => format!("Message from {who}"),
            Manner::Answer => format!("Re: your message to {who}"),
            Manner::Forward => format!("Fwd: message to {who}"),
        };
    };
    match manner {
        Manner::First => subject,
        Manner::Answer => format!("Re: {}", without_answer_marks(&subject)),
        Manner::Forward => format!("Fwd: {}", without_answer_marks(&subject)),
    }
}

/// What the answer refers to: the first mail of the thread and the last ones.
fn references(known: &[String]) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for id in known {
        // The stored key may carry the fingerprint behind a space; ids we made up mean nothing to anybody else.
        let id = ids::normal(id.split_whitespace().next().unwrap_or_default());
        let usable = id.is_ascii() && id.contains('@') && !id.starts_with(ids::MADE_UP);
        if usable && !ids.contains(&id) {
            ids.push(id);
        }
    }
    if ids.len() > MAX_REFERENCES + 1 {
        ids.drain(1..ids.len() - MAX_REFERENCES);
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_threads_keep_their_first_and_last_references() {
        let known: Vec<String> = (0..60)
            .map(|n| format!("<{n}@x.example> 0123456789abcdef"))
            .collect();
        let kept = references(&known);
        assert_eq!(
            (kept.len(), kept[0].as_str(), kept[1].as_str(), kept[20].as_str()),
            (21, "0@x.example", "40@x.example", "59@x.example")
        );
        assert_eq!(
            references(&["sha256.abc".to_owned(), "a@b".to_owned(), "a@b".to_owned()]),
            ["a@b"]
        );
    }

    #[test]
    fn the_author_is_named_with_the_brand() {
        assert_eq!(
            from_name(Some("Anna"), Some("Shop")).as_deref(),
            Some("Anna via Shop")
        );
        assert_eq!(
            from_name(Some("Anna\r\nBcc: x@y"), None).as_deref(),
            Some("Anna Bcc: x@y")
        );
        assert_eq!(from_name(None, Some("Shop")).as_deref(), Some("Shop"));
        assert_eq!(from_name(Some("Shop"), Some("Shop")).as_deref(), Some("Shop"));
        assert_eq!(from_name(None, Some(" ")), None);
    }
}
