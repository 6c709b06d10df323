//! vCard 2.1, 3.0 and 4.0 as programs write them, read without complaint: what cannot be understood is left out.

use std::{borrow::Cow, ops::ControlFlow};

use encoding_rs::{UTF_8, WINDOWS_1251};

use crate::{
    layout::{MAX_CELL, Row},
    text::Encoding,
};

/// A card as a row of a table: its columns, under names that are recognised.
pub const COLUMNS: [&str; 14] = [
    "Name",
    "First name",
    "Middle name",
    "Last name",
    "E-mail",
    "Phone",
    "Company",
    "Position",
    "Website",
    "Address",
    "Note",
    "Birthday",
    "UID",
    "contact.fields.messenger",
];
/// Most values of one kind that are taken from a card.
const MOST: usize = 20;

/// Whether a text is a file of cards.
pub fn is_card(text: &str) -> bool {
    let first = text.trim_start().lines().next().unwrap_or_default();
    first.trim().eq_ignore_ascii_case("BEGIN:VCARD")
}

/// What a card says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Card {
    /// The whole name.
    pub name: String,
    /// Family, given and middle name.
    pub names: [String; 3],
    /// E-mail addresses.
    pub emails: Vec<String>,
    /// Telephone numbers.
    pub phones: Vec<String>,
    /// The company.
    pub company: String,
    /// What they are there.
    pub position: String,
    /// Pages.
    pub websites: Vec<String>,
    /// Postal addresses.
    pub addresses: Vec<String>,
    /// A remark.
    pub note: String,
    /// As it is written.
    pub birthday: String,
    /// The card's own id.
    pub uid: String,
    /// Addresses in messengers.
    pub messengers: Vec<String>,
}

/// Hands over the cards as rows, numbered from 1.
pub fn rows(bytes: &[u8], encoding: Encoding, take: &mut dyn FnMut(Row) -> ControlFlow<()>) {
    let mut number = 0;
    let _told = cards(bytes, encoding, &mut |card| {
        number += 1;
        take(card.row(number))
    });
}

/// Hands over the cards of a file.
pub fn cards(
    bytes: &[u8],
    encoding: Encoding,
    take: &mut dyn FnMut(Card) -> ControlFlow<()>,
) -> ControlFlow<()> {
    // UTF-16 has no bytes to unfold; everything else is unfolded as bytes, since a fold may stand amid a character.
    let recoded: Cow<'_, [u8]> = match encoding {
        Encoding::Utf16Le | Encoding::Utf16Be => Cow::Owned(encoding.decode(bytes).into_owned().into_bytes()),
        _ => Cow::Borrowed(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)),
    };
    let mut card: Option<Card> = None;
    for line in Lines::new(&recoded) {
        let Some(property) = Property::of(&line) else {
            continue;
        };
        match property.name.as_str() {
            "BEGIN" if property.value.eq_ignore_ascii_case("VCARD") => card = Some(Card::default()),
            "END" if property.value.eq_ignore_ascii_case("VCARD") => {
                if let Some(card) = card.take() {
                    take(card)?;
                }
            }
            _ => {
                if let Some(card) = &mut card {
                    card.set(&property);
                }
            }
        }
    }
    ControlFlow::Continue(())
}

impl Card {
    fn row(self, number: u64) -> Row {
        let [last, first, middle] = self.names;
        let cells = vec![
            self.name,
            first,
            middle,
            last,
            self.emails.join(", "),
            self.phones.join(", "),
            self.company,
            self.position,
            self.websites.join(", "),
            self.addresses.join("; "),
            self.note,
            self.birthday,
            self.uid,
            self.messengers.join(", "),
        ];
        Row { number, cells }
    }

    fn set(&mut self, property: &Property) {
        let whole = || unescaped(&property.value);
        let more = |all: &mut Vec<String>, value: String| {
            if !value.is_empty() && all.len() < MOST && !all.contains(&value) {
                all.push(value);
            }
        };
        match property.name.as_str() {
            "FN" => self.name = whole(),
            "N" => {
                for (name, part) in self.names.iter_mut().zip(parts(&property.value)) {
                    *name = part;
                }
            }
            "ORG" => self.company = parts(&property.value).into_iter().next().unwrap_or_default(),
            "TITLE" | "ROLE" if self.position.is_empty() => self.position = whole(),
            "EMAIL" => more(&mut self.emails, whole().trim_start_matches("mailto:").to_owned()),
            "TEL" => {
                let value = whole();
                let value = value.strip_prefix("tel:").unwrap_or(&value);
                let value = value.split(";ext=").next().unwrap_or_default();
                more(&mut self.phones, value.to_owned());
            }
            "URL" => more(&mut self.websites, whole()),
            "ADR" => {
                let filled: Vec<String> = parts(&property.value)
                    .into_iter()
                    .filter(|part| !part.is_empty())
                    .collect();
                more(&mut self.addresses, filled.join(", "));
            }
            "NOTE" => self.note = whole(),
            "BDAY" => self.birthday = whole(),
            "UID" => self.uid = whole().trim_start_matches("urn:uuid:").to_owned(),
            "IMPP" | "X-TELEGRAM" | "X-SKYPE" | "X-JABBER" | "X-ICQ" => more(&mut self.messengers, whole()),
            _ => {}
        }
    }
}

/// A line of a card: `group.NAME;PARAMETER=value:value`.
struct Property {
    name: String,
    value: String,
}

impl Property {
    fn of(line: &[u8]) -> Option<Self> {
        let colon = unquoted(line, b':')?;
        let (head, value) = (line.get(..colon)?, line.get(colon + 1..)?);
        let head = String::from_utf8_lossy(head);
        let mut parameters = head.split(';');
        let name = parameters.next()?.trim();
        // A group (`item1.TEL`) only ties lines together.
        let name = name.rsplit('.').next().unwrap_or(name).to_ascii_uppercase();
        if matches!(name.as_str(), "PHOTO" | "LOGO" | "SOUND" | "KEY") {
            return None;
        }
        let mut quoted_printable = false;
        let mut encoding = None;
        for parameter in parameters {
            let (key, word) = parameter.split_once('=').unwrap_or(("ENCODING", parameter));
            if key.trim().eq_ignore_ascii_case("ENCODING")
                && word.trim().eq_ignore_ascii_case("QUOTED-PRINTABLE")
            {
                quoted_printable = true;
            }
            if key.trim().eq_ignore_ascii_case("CHARSET") {
                encoding = Encoding::named(word.trim_matches('"'));
            }
        }
        let bytes: Cow<'_, [u8]> = if quoted_printable {
            Cow::Owned(from_quoted_printable(value))
        } else {
            Cow::Borrowed(value)
        };
        // Who names no encoding writes UTF-8, or what their machine speaks.
        let encoding = encoding.unwrap_or_else(|| match std::str::from_utf8(&bytes) {
            Ok(_) => UTF_8,
            Err(_) => WINDOWS_1251,
        });
        let value = encoding.decode_without_bom_handling(&bytes).0.trim().to_owned();
        Some(Self { name, value })
    }
}

/// Where a byte stands that is in no quotes.
fn unquoted(line: &[u8], wanted: u8) -> Option<usize> {
    let mut quoted = false;
    line.iter().position(|byte| {
        quoted ^= *byte == b'"';
        *byte == wanted && !quoted
    })
}

fn from_quoted_printable(value: &[u8]) -> Vec<u8> {
    let hex = |byte: Option<&u8>| {
        char::from(*byte?)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let mut bytes = Vec::with_capacity(value.len());
    let mut at = 0;
    while let Some(byte) = value.get(at) {
        match (byte, hex(value.get(at + 1)), hex(value.get(at + 2))) {
            (b'=', Some(high), Some(low)) => {
                bytes.push(high << 4 | low);
                at += 3;
            }
            _ => {
                bytes.push(*byte);
                at += 1;
            }
        }
    }
    bytes
}

/// The parts of a value between semicolons, unescaped.
fn parts(value: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for char in value.chars() {
        if char == ';' && !escaped {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(char);
        }
        escaped = char == '\\' && !escaped;
    }
    parts.iter().map(|part| unescaped(part)).collect()
}

fn unescaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some('n' | 'N') => text.push('\n'),
                Some(other) => text.push(other),
                None => {}
            },
            other => text.push(other),
        }
    }
    text.trim().to_owned()
}

type Split<'a> = std::slice::Split<'a, u8, fn(&u8) -> bool>;

/// The lines of a file, unfolded as bytes: a line that begins with a space or a tab goes on with the one before, and so
/// does the one after a quoted-printable line that ends with `=`.
struct Lines<'a> {
    rest: std::iter::Peekable<Split<'a>>,
}

impl<'a> Lines<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let is_end: fn(&u8) -> bool = |byte| *byte == b'\n';
        Self {
            rest: bytes.split(is_end).peekable(),
        }
    }
}

impl Iterator for Lines<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let bare = |line: &[u8]| line.strip_suffix(b"\r").unwrap_or(line).to_vec();
        let mut line = bare(self.rest.next()?);
        let soft = line
            .to_ascii_uppercase()
            .windows(16)
            .any(|window| window == b"QUOTED-PRINTABLE");
        while let Some(next) = self.rest.peek() {
            if next.first().is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
                line.extend(bare(next).get(1..).unwrap_or_default());
            } else if soft && line.last() == Some(&b'=') {
                line.pop();
                line.extend(bare(next));
            } else {
                break;
            }
            self.rest.next();
            // Photographs are long lines; nobody reads them.
            line.truncate(MAX_CELL);
        }
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::{Card, cards};
    use crate::{
        layout::{Format, Layout},
        text::Encoding,
    };

    fn read(bytes: &[u8]) -> Vec<Card> {
        let mut all = Vec::new();
        let _told = cards(bytes, Encoding::of(bytes), &mut |card| {
            all.push(card);
            ControlFlow::Continue(())
        });
        all
    }

    #[test]
    fn a_card_of_an_old_telephone_is_read() {
        let text = "BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=D0=91=D0=B5=D0=BB=\r\n=D0=BE=D0=B2=D0=B0;=D0=90=D0=BD=D0=BD=D0=B0;;;\r\nTEL;CELL;PREF:8 900 123-45-67\r\nTEL;WORK:+74951234567\r\nEMAIL;INTERNET:a@b.example\r\nPHOTO;ENCODING=BASE64;TYPE=JPEG:/9j/4AAQ\r\n /9j/\r\n\r\nEND:VCARD\r\n";
        let cards = read(text.as_bytes());
        assert_eq!(cards.len(), 1);
        assert_eq!(cards[0].names, ["Белова", "Анна", ""]);
        assert_eq!(cards[0].phones, ["8 900 123-45-67", "+74951234567"]);
        assert_eq!(cards[0].emails, ["a@b.example"]);
    }

    #[test]
    fn folds_amid_a_character_groups_and_escapes_are_read() {
        let mut bytes = b"BEGIN:VCARD\nVERSION:3.0\nFN:\xd0\x90\xd0".to_vec();
        bytes.extend(b"\n \xbd\xd0\xbd\xd0\xb0\nORG:Shop\\; Co;Sales\nitem1.TEL;TYPE=\"a:b\":tel:+7-900-123-45-67;ext=1\nNOTE:one\\ntwo\\, three\nUID:urn:uuid:4\nEND:VCARD\nBEGIN:VCARD\nFN:Second\nEND:VCARD\n");
        let cards = read(&bytes);
        assert_eq!(cards.len(), 2);
        assert_eq!(cards[0].name, "Анна");
        assert_eq!(cards[0].company, "Shop; Co");
        assert_eq!(cards[0].phones, ["+7-900-123-45-67"]);
        assert_eq!(
            (cards[0].note.as_str(), cards[0].uid.as_str()),
            ("one\ntwo, three", "4")
        );
    }

    #[test]
    fn a_file_of_cards_is_a_table_with_known_columns() {
        let (bytes, _, _) =
            encoding_rs::WINDOWS_1251.encode("BEGIN:VCARD\r\nFN;CHARSET=windows-1251:Анна\r\nEND:VCARD\r\n");
        let layout = Layout::of(&bytes).unwrap();
        assert_eq!(layout.format, Format::Vcard);
        let head = layout.head(&bytes, 20).unwrap();
        assert_eq!(head.rows[0].cells[0], "Анна");
        let guessed = crate::guess::fields(&head.columns);
        assert!(guessed.iter().all(Option::is_some), "{guessed:?}");
    }
}
