//! Files in a mail: their bytes as they were, and names that are safe to show. Pure.

use bytes::Bytes;
use mail_parser::decoders::{base64::base64_decode, quoted_printable::quoted_printable_decode};
use mail_parser::{Encoding, Message, MessagePart, MimeHeaders, PartType};
use switchboard_sdk::InboundAttachment;

use crate::headers;

/// Longest file name kept, in characters: what file systems take even in UTF-8.
const MAX_NAME_CHARS: usize = 120;

/// All files of the mail, in their order.
pub fn all(message: &Message<'_>) -> impl Iterator<Item = InboundAttachment> {
    let parts = message
        .attachments
        .iter()
        .filter_map(|id| message.parts.get(*id as usize));
    parts
        .filter(|part| !matches!(part.body, PartType::Multipart(_)))
        .enumerate()
        .map(|(index, part)| one(message, part, index))
}

fn one(message: &Message<'_>, part: &MessagePart<'_>, index: usize) -> InboundAttachment {
    let content_type = content_type(part);
    let name = part
        .attachment_name()
        .map(clean_name)
        .filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| made_up_name(part, &content_type, index));
    let content_id = part
        .content_id()
        .map(|id| id.trim().trim_matches(['<', '>']).to_owned())
        .filter(|id| !id.is_empty());
    InboundAttachment {
        name,
        content_type,
        data: bytes(message, part),
        content_id,
        stored_id: None,
    }
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
