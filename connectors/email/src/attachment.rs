//! Files in a mail: their bytes as they were, and names that are safe to show. Pure.

use std::{borrow::Cow, collections::HashMap};

use bytes::Bytes;
use mail_parser::decoders::{base64::base64_decode, quoted_printable::quoted_printable_decode};
use mail_parser::{Encoding, Message, MessagePart, MimeHeaders, PartType};
use switchboard_sdk::{Content, InboundAttachment};

use crate::{body::Written, headers, map::Raw, tnef};

/// Longest file name kept, in characters: what file systems take even in UTF-8.
const MAX_NAME_CHARS: usize = 120;
/// How much of a file tells what it is.
const SNIFFED: usize = 64;

/// The bodies of a large mail that are not in the message, by the number of their part.
#[derive(Debug)]
pub struct Files {
    bodies: HashMap<u32, Content>,
    /// The mail was not too much to be taken apart.
    pub complete: bool,
}

impl Files {
    /// Those of this mail.
    pub fn of(message: &Message<'_>, raw: &Raw) -> Self {
        let Some(large) = raw.large.as_deref() else {
            return Self {
                bodies: HashMap::new(),
                complete: true,
            };
        };
        // Its header block may have been made readable, which moves what is behind it.
        let moved = message.raw_message.len() as i64 - raw.bytes.len() as i64;
        let places: HashMap<i64, &Content> = large
            .bodies
            .iter()
            .map(|body| (body.at as i64 + moved, &body.content))
            .collect();
        let body = |(part, id): (&MessagePart<'_>, u32)| {
            let content = places.get(&i64::from(part.offset_body))?;
            let is_body = !matches!(part.body, PartType::Multipart(_));
            is_body.then(|| (id, (*content).clone()))
        };
        Self {
            bodies: message.parts.iter().zip(0u32..).filter_map(body).collect(),
            complete: large.complete,
        }
    }

    /// Those that people read rather than open, in their order.
    pub fn shown(&self, message: &Message<'_>) -> Vec<(Written, Content)> {
        let shown = |(part, id): (&MessagePart<'_>, u32)| {
            let written = match part.body {
                PartType::Text(_) => Written::Plain,
                PartType::Html(_) => Written::Html,
                _ => return None,
            };
            let content = self
                .bodies
                .get(&id)
                .filter(|_| !message.attachments.contains(&id))?;
            Some((written, content.clone()))
        };
        message.parts.iter().zip(0u32..).filter_map(shown).collect()
    }
}

/// All files of the mail, in their order, taken out of it. `shown` are the ids of the parts that its HTML shows.
pub fn all(message: &mut Message<'_>, files: &Files, shown: &HashMap<u32, String>) -> Vec<InboundAttachment> {
    let is_file = |id: &u32| {
        let part = message.parts.get(*id as usize);
        part.is_some_and(|part| !matches!(part.body, PartType::Multipart(_)))
    };
    let ids: Vec<u32> = message.attachments.iter().copied().filter(is_file).collect();
    ids.into_iter()
        .enumerate()
        .filter_map(|(index, id)| one(message, id, index, files, shown))
        .collect()
}

fn one(
    message: &mut Message<'_>,
    id: u32,
    index: usize,
    files: &Files,
    shown: &HashMap<u32, String>,
) -> Option<InboundAttachment> {
    let part = message.parts.get(id as usize)?;
    let declared = content_type(part);
    let name = part
        .attachment_name()
        .map(clean_name)
        .filter(|name| !name.is_empty());
    let data = match (files.bodies.get(&id), &part.body) {
        (Some(content), _) => Some(content.clone()),
        (None, PartType::Binary(_) | PartType::InlineBinary(_)) => None,
        (None, _) => Some(bytes(message, part).into()),
    };
    let beginning = data
        .as_ref()
        .map(|data| data.read_at(0, SNIFFED).unwrap_or_default());
    let content_type = match beginning.as_deref().unwrap_or_else(|| part.contents()) {
        data if declared == "application/octet-stream" => sniffed(data).unwrap_or(&declared).to_owned(),
        _ => declared,
    };
    let name = name.unwrap_or_else(|| made_up_name(part, &content_type, index));
    Some(InboundAttachment {
        name,
        content_type,
        data: data.or_else(|| take_bytes(message, id).map(Content::from))?,
        content_id: shown.get(&id).cloned(),
        ..InboundAttachment::default()
    })
}

/// A file out of `winmail.dat`; `html` is the page packed with it, which may show it.
pub fn unpacked(file: tnef::File, index: usize, html: Option<&String>) -> InboundAttachment {
    let name = file
        .name
        .as_deref()
        .map(clean_name)
        .filter(|name| !name.is_empty());
    let is_type = |kind: &String| {
        kind.split_once('/').is_some()
            && kind.len() <= 127
            && kind
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"/!#$&-^_.+".contains(&byte))
    };
    let declared = file
        .content_type
        .map(|kind| kind.to_ascii_lowercase())
        .filter(is_type);
    let is_shown = |id: &String| html.is_some_and(|html| html.contains(&format!("cid:{id}")));
    InboundAttachment {
        name: name.unwrap_or_else(|| format!("attachment-{}.bin", index + 1)),
        content_type: declared
            .or_else(|| {
                let beginning = file.data.read_at(0, SNIFFED).unwrap_or_default();
                sniffed(&beginning).map(str::to_owned)
            })
            .unwrap_or_else(|| "application/octet-stream".to_owned()),
        content_id: file.content_id.filter(is_shown),
        data: file.data,
        ..InboundAttachment::default()
    }
}

/// The bytes of a part that the parser decoded, without a copy: a large file is in memory once.
fn take_bytes(message: &mut Message<'_>, id: u32) -> Option<Bytes> {
    let part = message.parts.get_mut(id as usize)?;
    let (PartType::Binary(bytes) | PartType::InlineBinary(bytes)) = &mut part.body else {
        return None;
    };
    Some(match std::mem::take(bytes) {
        Cow::Owned(bytes) => Bytes::from(bytes),
        Cow::Borrowed(bytes) => Bytes::copy_from_slice(bytes),
    })
}

/// What bytes of no declared type are, by how they begin.
fn sniffed(data: &[u8]) -> Option<&'static str> {
    const BEGINNINGS: [(&[u8], &str); 6] = [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"%PDF-", "application/pdf"),
        (b"BEGIN:VCARD", "text/vcard"),
    ];
    let is_webp = data.starts_with(b"RIFF") && data.get(8..12) == Some(b"WEBP");
    let known = BEGINNINGS.iter().find(|(start, _)| data.starts_with(start));
    known
        .map(|(_, kind)| *kind)
        .or_else(|| is_webp.then_some("image/webp"))
}

/// The bytes of a part as its author attached them. The parser turns text into UTF-8, which is wrong for a
/// file: a table in windows-1251 must open in the program it was made for.
pub fn bytes(message: &Message<'_>, part: &MessagePart<'_>) -> Bytes {
    match &part.body {
        PartType::Text(_) | PartType::Html(_) => {
            let encoded = message
                .raw_message
                .get(part.offset_body as usize..part.offset_end as usize);
            let decoded = encoded.and_then(|encoded| match part.encoding {
                Encoding::Base64 => base64_decode(encoded),
                Encoding::QuotedPrintable => quoted_printable_decode(encoded),
                Encoding::None => Some(encoded.to_vec()),
            });
            decoded.map_or_else(|| Bytes::copy_from_slice(part.contents()), Bytes::from)
        }
        PartType::Message(_) => {
            let whole = message
                .raw_message
                .get(part.offset_body as usize..part.offset_end as usize)
                .filter(|_| part.encoding == Encoding::None);
            Bytes::copy_from_slice(whole.unwrap_or_else(|| part.contents()))
        }
        _ => Bytes::copy_from_slice(part.contents()),
    }
}

fn content_type(part: &MessagePart<'_>) -> String {
    let declared = part.content_type().map(|kind| {
        format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or("octet-stream")).to_ascii_lowercase()
    });
    let is_plain = |kind: &String| {
        kind.len() <= 127
            && kind
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"/!#$&-^_.+".contains(&b))
    };
    declared.filter(is_plain).unwrap_or_else(|| match part.body {
        PartType::Text(_) => "text/plain".to_owned(),
        PartType::Html(_) => "text/html".to_owned(),
        PartType::Message(_) => "message/rfc822".to_owned(),
        _ => "application/octet-stream".to_owned(),
    })
}

fn made_up_name(part: &MessagePart<'_>, content_type: &str, index: usize) -> String {
    if let PartType::Message(inner) = &part.body {
        let subject = inner
            .subject()
            .map(clean_name)
            .filter(|subject| !subject.is_empty());
        return format!(
            "{}.eml",
            subject.unwrap_or_else(|| format!("message-{}", index + 1))
        );
    }
    let ending = match content_type {
        "text/plain" => "txt",
        "text/html" => "html",
        "text/calendar" => "ics",
        "text/csv" => "csv",
        "text/vcard" | "text/x-vcard" => "vcf",
        "image/jpeg" => "jpg",
        "image/png" => "png",
        "image/gif" => "gif",
        "image/webp" => "webp",
        "image/svg+xml" => "svg",
        "application/pdf" => "pdf",
        "application/zip" => "zip",
        "application/ms-tnef" => "dat",
        "message/delivery-status" | "text/rfc822-headers" => "txt",
        _ => "bin",
    };
    let kind = if content_type.starts_with("image/") {
        "image"
    } else {
        "attachment"
    };
    format!("{kind}-{}.{ending}", index + 1)
}

/// A file name without folders, control and direction characters; the ending survives shortening.
pub fn clean_name(name: &str) -> String {
    let name = headers::one_line(name);
    let name = name
        .rsplit(['/', '\\'])
        .find(|part| !part.trim().is_empty())
        .unwrap_or_default();
    let name: String = name
        .chars()
        .map(|c| if "<>:\"|?*".contains(c) { '_' } else { c })
        .collect();
    let name = name.trim().trim_start_matches('.').trim();
    if name.chars().count() <= MAX_NAME_CHARS {
        return name.to_owned();
    }
    let (stem, ending) = name
        .rsplit_once('.')
        .filter(|(_, ending)| ending.chars().count() <= 10)
        .unwrap_or((name, ""));
    let dot = if ending.is_empty() { "" } else { "." };
    let room = MAX_NAME_CHARS - ending.chars().count() - dot.len();
    format!("{}{dot}{ending}", stem.chars().take(room).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_folders_and_tricks_and_keep_their_letters() {
        assert_eq!(clean_name("../../etc/passwd"), "passwd");
        assert_eq!(clean_name("C:\\Users\\ann\\Счёт №5.pdf"), "Счёт №5.pdf");
        assert_eq!(clean_name("invoice\u{202e}fdp.exe"), "invoicefdp.exe");
        assert_eq!(clean_name("a\r\nContent-Type: x\0.txt"), "a Content-Type_ x .txt");
        assert_eq!(clean_name("..."), "");
        let long = clean_name(&format!("{}.pdf", "д".repeat(400)));
        assert!(
            long.ends_with(".pdf") && long.chars().count() == MAX_NAME_CHARS,
            "{long}"
        );
    }
}
