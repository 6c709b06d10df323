//! Letters whose encoding nobody declared, or declared wrongly. Pure.

use std::borrow::Cow;

use mail_parser::decoders::charsets::map::charset_decoder;

use crate::ids;

/// Makes raw 8-bit header fields (illegal, and common in mail of old programs) readable: a header block that
/// is not UTF-8 is taken to be in the encoding the mail declares for its text, else in the likeliest one.
pub fn readable_headers(raw: &[u8]) -> Cow<'_, [u8]> {
    let (head, _) = ids::split(raw);
    if std::str::from_utf8(head).is_ok() {
        return Cow::Borrowed(raw);
    }
    // Field by field: one may be UTF-8 and the next koi8-r.
    let declared = declared(head).filter(|name| keeps_ascii(name));
    let mut fixed = Vec::with_capacity(raw.len() + head.len());
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        // Whatever the letters become, a line stays one: where the block ends must not change.
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        match std::str::from_utf8(text) {
            Ok(_) => fixed.extend_from_slice(text),
            Err(_) => {
                fixed.extend_from_slice(decode(text, declared.as_deref()).replace('\n', " ").as_bytes())
            }
        }
        fixed.extend_from_slice(line.get(text.len()..).unwrap_or_default());
    }
    fixed.extend_from_slice(raw.get(head.len()..).unwrap_or_default());
    Cow::Owned(fixed)
}

/// Whether names of fields are still readable in it: those of UTF-16 never are, whatever a mail declares.
fn keeps_ascii(name: &str) -> bool {
    const FIELD: &str = "Subject: a";
    charset_decoder(name.as_bytes()).is_some_and(|decode| decode(FIELD.as_bytes()) == FIELD)
}

/// Decodes bytes as UTF-8 if they are, else as declared, else as what they look like.
pub fn decode(bytes: &[u8], declared: Option<&str>) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let says_nothing = |name: &&str| {
        [
            "utf-8",
            "utf8",
            "us-ascii",
            "ascii",
            "unknown-8bit",
            "x-unknown",
            "default",
        ]
        .contains(&name.to_ascii_lowercase().as_str())
    };
    if let Some(decoder) = declared
        .filter(|name| !says_nothing(name))
        .and_then(|name| charset_decoder(name.as_bytes()))
    {
        return decoder(bytes);
    }
    guess(bytes)
}

/// Old Cyrillic encodings permute the same letters: the right one shows mostly small letters.
fn guess(bytes: &[u8]) -> String {
    let sample = &bytes[..bytes.len().min(16 * 1024)];
    let candidates: &[&str] = if is_cyrillic(sample) {
        &["windows-1251", "koi8-r", "ibm866", "windows-1252"]
    } else {
        &["windows-1252"]
    };
    let best = candidates.iter().max_by_key(|name| {
        let text = charset_decoder(name.as_bytes())
            .map(|decode| decode(sample))
            .unwrap_or_default();
        let small = text.chars().filter(|c| matches!(c, 'а'..='я' | 'ё')).count();
        let strange = text
            .chars()
            .filter(|c| matches!(*c, '\u{80}'..='\u{9f}' | '\u{fffd}' | '\u{2500}'..='\u{259f}'))
            .count();
        i64::try_from(small).unwrap_or(0) - 3 * i64::try_from(strange).unwrap_or(0)
    });
    let decoder = best.and_then(|name| charset_decoder(name.as_bytes()));
    decoder.map_or_else(
        || String::from_utf8_lossy(bytes).into_owned(),
        |decode| decode(bytes),
    )
}

/// Western words have an odd letter among Latin ones ("Köln"); Cyrillic words have no Latin letter at all.
/// Words of one letter ("à") tell nothing.
fn is_cyrillic(sample: &[u8]) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte >= 0x80;
    let (mut high, mut latin) = (0usize, 0usize);
    for word in sample
        .split(|byte| !is_letter(byte))
        .filter(|word| word.len() > 1 && !word.is_ascii())
    {
        let odd = word.iter().filter(|byte| !byte.is_ascii()).count();
        high += odd;
        latin += word.len() - odd;
    }
    high > 2 * latin
}

/// The encoding a page declares of itself: `<meta charset=…>` and its older form.
pub fn of_page(html: &[u8]) -> Option<String> {
    declared(html.get(..html.len().min(2048))?)
}

fn declared(head: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let (_, after) = text.split_once("charset=")?;
    let name: String = after
        .trim_start_matches(['"', '\''])
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || "-_.:".contains(*c))
        .collect();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undeclared_cyrillic_is_recognised_in_its_old_encodings() {
        let koi8r = b"\xf0\xd2\xc9\xd7\xc5\xd4, \xcb\xc1\xcb \xc4\xc5\xcc\xc1?";
        let cp1251 = b"\xcf\xf0\xe8\xe2\xe5\xf2, \xea\xe0\xea \xe4\xe5\xeb\xe0?";
        assert_eq!(decode(koi8r, None), "Привет, как дела?");
        assert_eq!(decode(cp1251, Some("us-ascii")), "Привет, как дела?");
        assert_eq!(decode(cp1251, Some("utf-8")), "Привет, как дела?");
        assert_eq!(decode(b"Gr\xfc\xdfe aus K\xf6ln", None), "Grüße aus Köln");
        assert_eq!(decode(b"\xe0 c\xf4t\xe9", None), "à côté");
        assert_eq!(
            decode("уже".as_bytes(), Some("koi8-r")),
            "уже",
            "valid UTF-8 is UTF-8 whatever is declared"
        );
    }

    #[test]
    fn a_line_of_a_header_stays_a_line_whatever_encoding_is_declared() {
        let raw = b"Subject: \xff\r\nContent-Type: text/plain; charset=utf-16le; a=\xff\r\n\r\nbody";
        let fixed = readable_headers(raw);
        assert_eq!(
            std::str::from_utf8(&fixed).unwrap(),
            "Subject: ÿ\r\nContent-Type: text/plain; charset=utf-16le; a=ÿ\r\n\r\nbody"
        );
    }

    #[test]
    fn raw_bytes_in_headers_become_utf8_and_the_body_stays_as_it_is() {
        let raw = b"Subject: \xcf\xf0\xe8\xe2\xe5\xf2\r\nContent-Type: text/plain; charset=windows-1251\r\n\r\n\xcf\xf0";
        let fixed = readable_headers(raw);
        assert!(fixed.starts_with("Subject: Привет\r\n".as_bytes()) && fixed.ends_with(b"\r\n\r\n\xcf\xf0"));
        assert!(matches!(
            readable_headers(b"Subject: a\r\n\r\n\xff"),
            Cow::Borrowed(_)
        ));
    }
}
