//! `winmail.dat`: what Outlook packs files and text into for its own kind (MS-OXTNEF). Pure and bounded.
//!
//! The one crate for it stops at the first attribute it does not know and reads no MAPI properties, where long file
//! names and the text are; so this reads what people need and skips the rest.

use bytes::Bytes;
use mail_parser::decoders::charsets::map::charset_decoder;
use switchboard_sdk::Content;

use crate::rtf::{self, Wrapped};

/// `0x223E9F78`, little end first.
const SIGNATURE: [u8; 4] = [0x78, 0x9f, 0x3e, 0x22];
/// Files taken out, and properties read of one object.
const MAX_FILES: usize = 100;
const MAX_PROPERTIES: usize = 2000;
/// Attributes looked at, and how much of one that is no file is read.
const MAX_ATTRIBUTES: usize = 10_000;
const MAX_ATTRIBUTE: u64 = 8 * 1024 * 1024;

const OEM_CODEPAGE: u32 = 0x0006_9007;
const BODY: u32 = 0x0002_800c;
const ATTACH_BEGINS: u32 = 0x0006_9002;
const ATTACH_TITLE: u32 = 0x0001_8010;
const ATTACH_DATA: u32 = 0x0006_800f;
const ATTACH_PROPERTIES: u32 = 0x0006_9005;
const MESSAGE_PROPERTIES: u32 = 0x0006_9003;

/// What was packed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// The text, when it is there as text.
    pub text: Option<String>,
    /// The HTML.
    pub html: Option<String>,
    /// The files.
    pub files: Vec<File>,
}

/// One packed file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct File {
    /// Its name, when it has one.
    pub name: Option<String>,
    /// Its declared type.
    pub content_type: Option<String>,
    /// `Content-ID`, when the HTML shows it.
    pub content_id: Option<String>,
    /// Its bytes.
    pub data: Content,
}

/// Unpacks as far as it can be read; none when there is nothing to be had.
pub fn unpack(packed: &Content) -> Option<Unpacked> {
    if packed.read_at(0, SIGNATURE.len()).ok()? != SIGNATURE.as_slice() {
        return None;
    }
    let mut found = Unpacked::default();
    let mut wrapped = None;
    let mut codepage = 1252;
    for (id, content) in attributes(packed).take(MAX_ATTRIBUTES) {
        // A file stays where it is.
        let data = match id {
            ATTACH_DATA => Bytes::new(),
            _ if content.len() > MAX_ATTRIBUTE => continue,
            _ => content.read_all().ok()?,
        };
        let data = data.as_ref();
        match id {
            OEM_CODEPAGE => codepage = Input(data).u32().unwrap_or(1252),
            BODY => found.text = text(data, codepage),
            MESSAGE_PROPERTIES => {
                for (id, value) in properties(data) {
                    match id {
                        0x1000 => found.text = value.text(codepage).or(found.text.take()),
                        0x1013 => found.html = value.text(codepage).or(found.html.take()),
                        0x1009 => wrapped = rtf::unpack(value.bytes).or(wrapped),
                        _ => {}
                    }
                }
            }
            ATTACH_BEGINS if found.files.len() >= MAX_FILES => break,
            ATTACH_BEGINS => found.files.push(File::default()),
            ATTACH_TITLE | ATTACH_DATA | ATTACH_PROPERTIES => {
                let Some(file) = found.files.last_mut() else {
                    continue;
                };
                match id {
                    ATTACH_TITLE if file.name.is_none() => file.name = text(data, codepage),
                    ATTACH_DATA => file.data = content,
                    ATTACH_PROPERTIES => file.read(data, codepage),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    found.files.retain(|file| !file.data.is_empty());
    let is_empty = |text: &Option<String>| text.as_ref().is_none_or(|text| text.trim().is_empty());
    if is_empty(&found.text) && is_empty(&found.html) {
        match wrapped {
            Some(Wrapped::Html(html)) => found.html = Some(html),
            Some(Wrapped::Text(text)) => found.text = Some(text),
            None => {}
        }
    }
    (!found.files.is_empty() || !is_empty(&found.text) || !is_empty(&found.html)).then_some(found)
}

impl File {
    fn read(&mut self, data: &[u8], codepage: u32) {
        for (id, value) in properties(data) {
            let text = || value.text(codepage).filter(|text| !text.trim().is_empty());
            match id {
                0x3707 => self.name = text().or(self.name.take()),
                0x370e => self.content_type = text(),
                0x3712 => self.content_id = text(),
                // The bytes themselves, when the attribute for them is empty.
                0x3701 if self.data.is_empty() => {
                    self.data = value.bytes.to_vec().into();
                }
                _ => {}
            }
        }
    }
}

/// The value of a MAPI property; of several the first.
#[derive(Debug)]
struct Value<'a> {
    kind: u16,
    bytes: &'a [u8],
}

impl Value<'_> {
    fn text(&self, codepage: u32) -> Option<String> {
        match self.kind {
            0x1f => {
                let units = self
                    .bytes
                    .chunks_exact(2)
                    .map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
                let text: String = char::decode_utf16(units)
                    .map(|c| c.unwrap_or('\u{fffd}'))
                    .collect();
                Some(text.trim_end_matches('\0').to_owned())
            }
            0x1e | 0x102 => text(self.bytes, codepage),
            _ => None,
        }
    }
}

fn text(bytes: &[u8], codepage: u32) -> Option<String> {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let bytes = bytes.get(..end)?;
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Some(text.to_owned());
    }
    let decode =
        charset_decoder(rtf::charset(codepage).as_bytes()).or_else(|| charset_decoder(b"windows-1252"))?;
    Some(decode(bytes))
}

/// Properties by their number; named ones (above 0x8000) are nobody's business here.
fn properties(data: &[u8]) -> Vec<(u16, Value<'_>)> {
    let mut input = Input(data);
    let count = input.u32().unwrap_or_default() as usize;
    let mut found = Vec::new();
    for _ in 0..count.min(MAX_PROPERTIES) {
        match input.property() {
            Some((id, Some(value))) => found.push((id, value)),
            Some((_, None)) => {}
            None => break,
        }
    }
    found
}

/// Level, number, length, bytes, checksum, behind the signature and a key. A wrong checksum is no reason to throw a
/// file away.
fn attributes(packed: &Content) -> impl Iterator<Item = (u32, Content)> {
    const HEAD: u64 = 9;
    const CHECKSUM: u64 = 2;
    let mut at = SIGNATURE.len() as u64 + 2;
    std::iter::from_fn(move || {
        let head = packed.read_at(at, HEAD as usize).ok()?;
        let mut input = Input(&head);
        input.take(1)?;
        let id = input.u32()?;
        let length = u64::from(input.u32()?);
        let begins = at + HEAD;
        at = begins + length + CHECKSUM;
        (at <= packed.len()).then(|| (id, packed.slice(begins..begins + length)))
    })
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_le_bytes)
    }

    /// `None` when what follows cannot be read; no value when it is of a kind that is none of ours.
    fn property(&mut self) -> Option<(u16, Option<Value<'a>>)> {
        let kind = self.u16()?;
        let id = self.u16()?;
        if id >= 0x8000 {
            self.take(16)?;
            if self.u32()? == 0 {
                self.take(4)?;
            } else {
                let length = self.u32()? as usize;
                self.padded(length)?;
            }
        }
        let several = kind & 0x1000 != 0;
        let kind = kind & 0x0fff;
        let size = match kind {
            0x02 | 0x03 | 0x04 | 0x0a | 0x0b => 4,
            0x05 | 0x06 | 0x07 | 0x14 | 0x40 => 8,
            0x48 => 16,
            0x0d | 0x1e | 0x1f | 0x102 => 0,
            _ => return None,
        };
        let count = if several || size == 0 {
            self.u32()? as usize
        } else {
            1
        };
        let mut first = None;
        for _ in 0..count {
            let bytes = if size == 0 {
                let length = self.u32()? as usize;
                self.padded(length)?
            } else {
                self.take(size)?
            };
            first = first.or(Some(bytes));
        }
        Some((id, first.map(|bytes| Value { kind, bytes })))
    }

    fn padded(&mut self, length: usize) -> Option<&'a [u8]> {
        let data = self.take(length)?;
        let padding = (4 - length % 4) % 4;
        // The last value may end without its padding.
        self.take(padding.min(self.0.len()))?;
        Some(data)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn attribute(level: u8, id: u32, data: &[u8]) -> Vec<u8> {
        let sum = data
            .iter()
            .fold(0u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
        let length = u32::try_from(data.len()).unwrap();
        [
            &[level][..],
            &id.to_le_bytes(),
            &length.to_le_bytes(),
            data,
            &sum.to_le_bytes(),
        ]
        .concat()
    }

    fn property(kind: u16, id: u16, data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).unwrap();
        let padding = vec![0; (4 - data.len() % 4) % 4];
        [
            &kind.to_le_bytes()[..],
            &id.to_le_bytes(),
            &1u32.to_le_bytes(),
            &length.to_le_bytes(),
            data,
            &padding,
        ]
        .concat()
    }

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16()
            .chain([0])
            .flat_map(u16::to_le_bytes)
            .collect()
    }

    fn packed() -> Vec<u8> {
        let body = [
            &2u32.to_le_bytes()[..],
            &[0x03, 0, 0x17, 0, 1, 0, 0, 0],
            &property(0x1f, 0x1000, &utf16("Привет")),
        ]
        .concat();
        let named = [
            &1u32.to_le_bytes()[..],
            &property(0x1f, 0x3707, &utf16("Счёт за ноябрь.pdf")),
        ]
        .concat();
        [
            &SIGNATURE[..],
            &[1, 0],
            &attribute(1, OEM_CODEPAGE, &[0xe3, 4, 0, 0, 0, 0, 0, 0]),
            &attribute(1, MESSAGE_PROPERTIES, &body),
            &attribute(2, ATTACH_BEGINS, &[0; 14]),
            &attribute(2, ATTACH_TITLE, b"INVOIC~1.PDF\0"),
            &attribute(2, ATTACH_DATA, b"%PDF-1.4"),
            &attribute(2, 0x1234_5678, b"unknown"),
            &attribute(2, ATTACH_PROPERTIES, &named),
            &attribute(2, ATTACH_BEGINS, &[0; 14]),
            &attribute(2, ATTACH_TITLE, b"\xd1\xf7\xb8\xf2.txt\0"),
            &attribute(2, ATTACH_DATA, b"12"),
        ]
        .concat()
    }

    #[test]
    fn files_come_out_with_their_long_names_and_the_text_too() {
        let found = unpack(&packed().into()).unwrap();
        assert_eq!(found.text.as_deref(), Some("Привет"));
        let files: Vec<_> = found
            .files
            .iter()
            .map(|file| {
                (
                    file.name.as_deref().unwrap(),
                    file.data.in_memory().unwrap().as_ref(),
                )
            })
            .collect();
        assert_eq!(
            files,
            [
                ("Счёт за ноябрь.pdf", b"%PDF-1.4".as_slice()),
                ("Счёт.txt", b"12")
            ]
        );
    }

    #[test]
    fn rich_text_stands_in_where_there_is_nothing_else() {
        let rtf = br"{\rtf1\ansi\ansicpg1251\fromtext \'cf\'f0\'e8\'e2\'e5\'f2\par }";
        let size = u32::try_from(rtf.len()).unwrap();
        let compressed = [
            &(size + 12).to_le_bytes(),
            &size.to_le_bytes(),
            b"MELA",
            &[0; 4],
            &rtf[..],
        ]
        .concat();
        let properties = [&1u32.to_le_bytes()[..], &property(0x102, 0x1009, &compressed)].concat();
        let packed = [
            &SIGNATURE[..],
            &[1, 0],
            &attribute(1, MESSAGE_PROPERTIES, &properties),
        ]
        .concat();
        let found = unpack(&packed.into()).unwrap();
        assert_eq!((found.text.as_deref(), found.html), (Some("Привет\n"), None));
    }

    #[test]
    fn what_is_cut_off_gives_what_was_whole_before_and_other_bytes_give_nothing() {
        let whole = packed();
        let unpack = |bytes: &[u8]| super::unpack(&bytes.to_vec().into());
        let cut = unpack(&whole[..whole.len() - 4]).unwrap();
        assert_eq!(cut.files.len(), 1);
        assert_eq!(
            (unpack(b""), unpack(b"PK\x03\x04"), unpack(&SIGNATURE)),
            (None, None, None)
        );
    }

    proptest! {
        #[test]
        fn damage_is_survived_and_nothing_grows(at in 0..400usize, byte: u8, tail in proptest::collection::vec(any::<u8>(), 0..40)) {
            let mut bytes = packed();
            if let Some(place) = bytes.get_mut(at) { *place = byte; }
            bytes.extend(tail);
            let size = bytes.len();
            if let Some(found) = unpack(&bytes.into()) {
                prop_assert!(found.files.iter().map(|file| file.data.len()).sum::<u64>() <= size as u64);
            }
        }
    }
}
