//! What a person reads in a mail: its text, and its HTML as it came. Pure.

use mail_parser::{Message, MessagePart, MimeHeaders, PartType, decoders::charsets::map::charset_decoder};
use switchboard_sdk::{Content, InboundAttachment};

use crate::{attachment, charset, plain};

/// Longest text kept in the message itself, in bytes; the whole becomes a file beside it.
const MAX_TEXT_BYTES: usize = 512 * 1024;
/// Longest HTML kept as such, in bytes; longer HTML becomes a file.
const MAX_HTML_BYTES: usize = 2 * 1024 * 1024;
/// What a text ends with whose rest is a file.
const GOES_ON: &str = "[The text goes on in the attached file text.txt.]";

/// The readable part of a mail.
#[derive(Debug, Default)]
pub struct Body {
    /// Plain text, quotes and signature included.
    pub text: String,
    /// HTML as it came; dangerous until sanitised.
    pub html: Option<String>,
    /// What was too long to be a message.
    pub overlong: Vec<InboundAttachment>,
}

/// Picks the text to show. Plain text is preferred, unless it is a stub beside HTML that says more.
pub fn of(message: &Message<'_>) -> Body {
    let part = |id: &u32| message.parts.get(*id as usize);
    let htmls: Vec<String> = message
        .html_body
        .iter()
        .filter_map(part)
        .filter(|part| matches!(part.body, PartType::Html(_)))
        .map(|part| decoded(message, part))
        .collect();
    let html = htmls.join("\n");
    let written: Vec<String> = message
        .text_body
        .iter()
        .filter_map(part)
        .filter_map(|part| match part.body {
            PartType::Text(_) => Some(unflowed(part, decoded(message, part))),
            // A mail of several parts may say one thing in text and the next in HTML.
            PartType::Html(_) => Some(plain::of_html(&decoded(message, part))),
            _ => None,
        })
        .collect();
    let mut text = plain::tidy(&written.join("\n\n"));
    if !html.is_empty() {
        let from_html = plain::tidy(&plain::of_html(&html));
        if is_stub(&text, &from_html) {
            text = from_html;
        }
    }
    let mut body = Body {
        text,
        html: Some(html).filter(|html| !html.trim().is_empty()),
        overlong: Vec::new(),
    };
    body.limit();
    body
}

/// What a body that is shown is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// As plain text.
    Plain,
    /// As HTML.
    Html,
}

impl Body {
    /// Only the beginning of a body was read: the whole of it is this file.
    pub fn goes_on(&mut self, written: Written, content: Content) {
        let (name, content_type) = match written {
            Written::Plain => ("text.txt", "text/plain"),
            Written::Html => ("message.html", "text/html"),
        };
        // What was made of the beginning alone is no file.
        self.overlong.retain(|file| file.name != name);
        match written {
            Written::Html => self.html = None,
            Written::Plain if !self.text.ends_with(GOES_ON) => {
                self.text = format!("{}\n\n{GOES_ON}", self.text)
            }
            Written::Plain => {}
        }
        self.overlong.push(InboundAttachment {
            name: name.to_owned(),
            content_type: content_type.to_owned(),
            data: content,
            ..InboundAttachment::default()
        });
    }

    fn limit(&mut self) {
        if self.text.len() > MAX_TEXT_BYTES {
            let whole = std::mem::take(&mut self.text);
            let mut end = MAX_TEXT_BYTES;
            while !whole.is_char_boundary(end) {
                end -= 1;
            }
            let (start, _) = whole.split_at(end);
            self.text = format!("{start}\n\n{GOES_ON}");
            self.overlong
                .push(file("text.txt", "text/plain; charset=utf-8", whole));
        }
        if self.html.as_ref().is_some_and(|html| html.len() > MAX_HTML_BYTES) {
            self.overlong.extend(
                self.html
                    .take()
                    .map(|html| file("message.html", "text/html; charset=utf-8", html)),
            );
        }
    }
}

fn file(name: &str, content_type: &str, text: String) -> InboundAttachment {
    InboundAttachment {
        name: name.to_owned(),
        content_type: content_type.to_owned(),
        data: text.into(),
        ..InboundAttachment::default()
    }
}

/// "Your program cannot show HTML" beside a long HTML part.
fn is_stub(text: &str, from_html: &str) -> bool {
    text.trim().is_empty() || (from_html.len() > 400 && text.len() * 5 < from_html.len())
}

fn unflowed(part: &MessagePart<'_>, text: String) -> String {
    let Some(kind) = part.content_type() else {
        return text;
    };
    let flowed = kind
        .attribute("format")
        .is_some_and(|format| format.eq_ignore_ascii_case("flowed"));
    let delete_space = kind
        .attribute("delsp")
        .is_some_and(|delete| delete.eq_ignore_ascii_case("yes"));
    if flowed {
        plain::unflow(&text, delete_space)
    } else {
        text
    }
}

/// The text of a part. Where the parser had to give up on letters (no declared encoding, or a wrong one),
/// the bytes are looked at again.
fn decoded(message: &Message<'_>, part: &MessagePart<'_>) -> String {
    let (PartType::Text(text) | PartType::Html(text)) = &part.body else {
        return String::new();
    };
    let declared = part.content_type().and_then(|kind| kind.attribute("charset"));
    let known = declared.filter(|name| charset_decoder(name.as_bytes()).is_some());
    let is_wide = known.is_some_and(|name| {
        name.to_ascii_lowercase().starts_with("utf-16") || name.to_ascii_lowercase().starts_with("iso-2022")
    });
    let doubtful = text.contains('\u{fffd}')
        || (!text.is_ascii() && known.is_none_or(|name| name.to_ascii_lowercase().contains("ascii")));
    if !doubtful || is_wide {
        return text.clone().into_owned();
    }
    let bytes = attachment::bytes(message, part);
    let of_page = matches!(part.body, PartType::Html(_))
        .then(|| charset::of_page(&bytes))
        .flatten();
    charset::decode(&bytes, known.or(of_page.as_deref()).or(declared))
}
