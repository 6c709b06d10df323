//! Pictures inside the HTML: which part each reference means. Pure.
//!
//! A part that is referenced is part of the text, whatever its disposition says; one that is not is a file. Programs
//! spell references as they like, so they are all rewritten to `cid:` and the one id the file is handed over with.

use std::collections::HashMap;

use mail_parser::{Message, MimeHeaders};

/// References followed.
const MAX_REFERENCES: usize = 500;

/// The HTML with its references rewritten, and the ids of the referenced parts by the number of the part.
pub fn resolve(message: &Message<'_>, html: &str) -> (String, HashMap<u32, String>) {
    let names = names(message);
    let mut ids: HashMap<u32, String> = HashMap::new();
    let mut out = String::with_capacity(html.len());
    let mut written = 0;
    if !names.is_empty() {
        for (start, end) in sources(html).take(MAX_REFERENCES) {
            let Some(value) = html.get(start..end) else {
                continue;
            };
            let Some(part) = wanted(value).find_map(|name| names.get(&name)) else {
                continue;
            };
            let id = ids.entry(*part).or_insert_with(|| id_of(message, *part));
            out.push_str(html.get(written..start).unwrap_or_default());
            out.push_str("cid:");
            out.push_str(id);
            written = end;
        }
    }
    out.push_str(html.get(written..).unwrap_or_default());
    (out, ids)
}

/// Parts by what they can be referenced by, in lower case: `cid:x` and locations.
fn names(message: &Message<'_>) -> HashMap<String, u32> {
    let mut names = HashMap::new();
    for id in &message.attachments {
        let Some(part) = message.parts.get(*id as usize) else {
            continue;
        };
        if let Some(cid) = part.content_id() {
            let cid = cid.trim().trim_matches(['<', '>']).to_lowercase();
            if !cid.is_empty() {
                names.entry(format!("cid:{cid}")).or_insert(*id);
            }
        }
        if let Some(location) = part.content_location() {
            let location = location.trim().to_lowercase();
            let last = location.rsplit(['/', '\\']).next().unwrap_or_default();
            for name in [location.as_str(), last] {
                if !name.is_empty() && name.len() <= 1000 {
                    names.entry(name.to_owned()).or_insert(*id);
                }
            }
        }
    }
    names
}

/// The names a reference may mean: as written, percent-decoded, and the last segment of a relative one.
fn wanted(value: &str) -> impl Iterator<Item = String> {
    let value = value.trim();
    let value = if value.len() > 1000 { "" } else { value };
    let plain = value.replace("&amp;", "&").to_lowercase();
    let plain = match plain.strip_prefix("cid:") {
        Some(id) => format!("cid:{}", id.trim_start_matches("//").trim_matches(['<', '>'])),
        None => plain,
    };
    let decoded = percent_decoded(&plain).unwrap_or_default();
    [plain, decoded].into_iter().filter(|name| !name.is_empty())
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = (*first == b'%')
            .then(|| after.get(..2).and_then(|hex| hex::decode(hex).ok()))
            .flatten();
        match escaped.as_deref() {
            Some([byte]) => {
                bytes.push(*byte);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

/// The id a part is handed over with: its own where that fits into markup, else one made up.
fn id_of(message: &Message<'_>, part: u32) -> String {
    let own = message
        .parts
        .get(part as usize)
        .and_then(|part| part.content_id())
        .map(|id| id.trim().trim_matches(['<', '>']).to_owned())
        .filter(|id| {
            (1..=200).contains(&id.len())
                && id
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b".-_@$+=".contains(&byte))
        });
    own.unwrap_or_else(|| format!("part-{part}"))
}

/// Where the values of `src` and `background` stand.
fn sources(html: &str) -> impl Iterator<Item = (usize, usize)> + '_ {
    let bytes = html.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let equals = at + bytes.get(at..)?.iter().position(|byte| *byte == b'=')?;
            at = equals + 1;
            let name = bytes.get(..equals)?.trim_ascii_end();
            let is = |word: &[u8]| {
                name.len() > word.len()
                    && name
                        .get(name.len() - word.len()..)
                        .is_some_and(|end| end.eq_ignore_ascii_case(word))
                    && !name
                        .get(name.len() - word.len() - 1)
                        .is_some_and(|before| before.is_ascii_alphanumeric() || *before == b'-')
            };
            if !is(b"src") && !is(b"background") {
                continue;
            }
            let mut start = at;
            while bytes.get(start).is_some_and(u8::is_ascii_whitespace) {
                start += 1;
            }
            let quote = bytes.get(start).copied().filter(|byte| b"\"'".contains(byte));
            let start = start + usize::from(quote.is_some());
            let value = bytes.get(start..)?;
            let end = value.iter().take(2000).position(|byte| match quote {
                Some(quote) => *byte == quote,
                None => byte.is_ascii_whitespace() || *byte == b'>',
            });
            let Some(end) = end.map(|end| start + end) else {
                continue;
            };
            at = end;
            return Some((start, end));
        }
    })
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;
    use proptest::prelude::*;

    use super::{resolve, sources};

    fn resolved(html: &str) -> (String, Vec<(u32, String)>) {
        let mail = "From: a@b.example\r\nContent-Type: multipart/related; boundary=x\r\n\r\n\
            --x\r\nContent-Type: text/html\r\n\r\nhtml\r\n\
            --x\r\nContent-Type: image/png\r\nContent-ID: <Logo@b.example>\r\n\r\n1\r\n\
            --x\r\nContent-Type: image/png\r\nContent-ID: <ein bild>\r\nContent-Disposition: attachment\r\n\r\n2\r\n\
            --x\r\nContent-Type: image/png\r\nContent-Location: http://b.example/pics/image003.png\r\n\r\n3\r\n--x--\r\n";
        let message = MessageParser::default().parse(mail.as_bytes()).unwrap();
        let (html, ids) = resolve(&message, html);
        let mut ids: Vec<_> = ids.into_iter().collect();
        ids.sort();
        (html, ids)
    }

    #[test]
    fn references_are_found_however_they_are_spelt() {
        let (html, ids) = resolved(
            "<img src=\"cid:logo%40b.example\"><IMG SRC = 'CID:Logo@b.example'><img src=cid:ein%20bild><img src=\"image003.png\"><img src=\"https://c.example/x.png\">",
        );
        assert_eq!(
            html,
            "<img src=\"cid:Logo@b.example\"><IMG SRC = 'cid:Logo@b.example'><img src=cid:part-3><img src=\"cid:part-4\"><img src=\"https://c.example/x.png\">"
        );
        assert_eq!(
            ids,
            [
                (2, "Logo@b.example".to_owned()),
                (3, "part-3".to_owned()),
                (4, "part-4".to_owned())
            ]
        );
    }

    #[test]
    fn a_part_nobody_refers_to_is_a_file() {
        let (html, ids) =
            resolved("<p>data-src=\"cid:Logo@b.example\" is only said</p><img src=\"cid:other\">");
        assert!(html.contains("cid:other") && ids.is_empty(), "{ids:?}");
    }

    proptest! {
        #[test]
        fn values_lie_between_characters(html in "(?s)(.|src=|\"|'|=|ю|background =){0,60}") {
            for (start, end) in sources(&html) {
                prop_assert!(html.get(start..end).is_some());
            }
        }
    }
}
