//! Bytes to text: the encodings tables are found in.

use std::borrow::Cow;

use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1251};
use serde::{Deserialize, Serialize};

/// How much is looked at to recognise an encoding that no mark names.
const SAMPLE: usize = 64 << 10;

/// An encoding we recognise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoding {
    /// What everything new writes.
    #[serde(rename = "utf-8")]
    Utf8,
    /// Excel's "Unicode text".
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// The same from other machines.
    #[serde(rename = "utf-16be")]
    Utf16Be,
    /// Excel's CSV on a Russian Windows, and 1C.
    #[serde(rename = "windows-1251")]
    Windows1251,
}

impl Encoding {
    /// Recognises the encoding of a file: by its mark, by the zeros of UTF-16, by being UTF-8; what is none of these is
    /// taken for windows-1251.
    pub fn of(bytes: &[u8]) -> Self {
        match bytes {
            [0xef, 0xbb, 0xbf, ..] => return Self::Utf8,
            [0xff, 0xfe, ..] => return Self::Utf16Le,
            [0xfe, 0xff, ..] => return Self::Utf16Be,
            _ => {}
        }
        let sample = bytes.get(..bytes.len().min(SAMPLE)).unwrap_or_default();
        let zeros = |odd: usize| {
            sample
                .iter()
                .skip(odd)
                .step_by(2)
                .filter(|byte| **byte == 0)
                .count()
        };
        let half = sample.len() / 2;
        if half > 1 && zeros(1) * 4 > half && zeros(0) * 8 < half {
            Self::Utf16Le
        } else if half > 1 && zeros(0) * 4 > half && zeros(1) * 8 < half {
            Self::Utf16Be
        } else if std::str::from_utf8(bytes).is_ok() {
            Self::Utf8
        } else {
            Self::Windows1251
        }
    }

    /// The text, without its mark. What cannot be is shown as `\u{fffd}`.
    pub fn decode(self, bytes: &[u8]) -> Cow<'_, str> {
        let encoding = match self {
            Self::Utf8 => UTF_8,
            Self::Utf16Le => UTF_16LE,
            Self::Utf16Be => UTF_16BE,
            Self::Windows1251 => WINDOWS_1251,
        };
        encoding.decode_with_bom_removal(bytes).0
    }

    /// Recognises the encoding by a name that a file gives itself (`CHARSET=…`, an XML declaration).
    pub fn named(name: &str) -> Option<&'static encoding_rs::Encoding> {
        encoding_rs::Encoding::for_label(name.trim().as_bytes())
    }
}

/// Text as an old Windows reads it; a letter that windows-1251 does not have becomes a question mark.
pub fn windows_1251(text: &str) -> Vec<u8> {
    let known = |char: char| !WINDOWS_1251.encode(char.encode_utf8(&mut [0; 4])).2;
    let fit: String = text
        .chars()
        .map(|char| if known(char) { char } else { '?' })
        .collect();
    WINDOWS_1251.encode(&fit).0.into_owned()
}

#[cfg(test)]
mod tests {
    use super::{Encoding, windows_1251};

    #[test]
    fn what_windows_1251_does_not_have_becomes_a_question_mark() {
        assert_eq!(windows_1251("Да ✓ ё"), [0xc4, 0xe0, b' ', b'?', b' ', 0xb8]);
    }

    #[test]
    fn encodings_are_recognised_with_and_without_their_mark() {
        let text = "Имя;Телефон\r\nАнна;+7";
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let marked: Vec<u8> = [0xff, 0xfe].into_iter().chain(utf16).collect();
        let (windows, _, _) = encoding_rs::WINDOWS_1251.encode(text);
        let latin: Vec<u8> = "name;phone\r\nAnna;+7"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let table = [
            (text.as_bytes().to_vec(), Encoding::Utf8, text),
            (format!("\u{feff}{text}").into_bytes(), Encoding::Utf8, text),
            (marked, Encoding::Utf16Le, text),
            (latin, Encoding::Utf16Le, "name;phone\r\nAnna;+7"),
            (windows.into_owned(), Encoding::Windows1251, text),
        ];
        for (bytes, encoding, text) in table {
            assert_eq!(Encoding::of(&bytes), encoding);
            assert_eq!(encoding.decode(&bytes), text);
        }
    }
}
