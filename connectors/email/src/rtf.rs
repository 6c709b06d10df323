//! Rich text as Outlook packs it: compressed (MS-OXRTFCP), with HTML or plain text wrapped into it (MS-OXRTFEX).
//! Pure and bounded.
//!
//! Only what people read is taken out: the HTML that was wrapped, else the text.

use mail_parser::decoders::charsets::map::charset_decoder;

/// Longest rich text that is unpacked.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Groups within groups, and fonts, that are followed.
const MAX_DEPTH: usize = 200;
const MAX_FONTS: usize = 500;

/// What the window of the compression holds before the first byte.
const BEFORE: &[u8; 207] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
const WINDOW: usize = 4096;

/// What was wrapped.
#[derive(Debug, PartialEq, Eq)]
pub enum Wrapped {
    /// A page.
    Html(String),
    /// Text, or rich text without its looks.
    Text(String),
}

/// Unpacks `PidTagRtfCompressed`. None when it cannot be read.
pub fn unpack(packed: &[u8]) -> Option<Wrapped> {
    Some(read(&decompress(packed)?))
}

/// Header of size, raw size, kind and checksum, then runs of eight items under a byte of flags. What is cut off gives
/// what came before.
fn decompress(packed: &[u8]) -> Option<Vec<u8>> {
    let number = |at: usize| {
        let bytes = packed.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_le_bytes(bytes))
    };
    let raw_size = usize::try_from(number(4)?).ok()?.min(MAX_BYTES);
    let kind = number(8)?;
    let rest = packed.get(16..)?;
    match kind {
        0x414c_454d => return Some(rest.get(..raw_size.min(rest.len()))?.to_vec()),
        0x7546_5a4c => {}
        _ => return None,
    }
    let mut window = [0u8; WINDOW];
    window.get_mut(..BEFORE.len())?.copy_from_slice(BEFORE);
    let mut at = BEFORE.len();
    let mut out = Vec::new();
    let mut input = rest.iter().copied();
    while let Some(flags) = input.next() {
        for bit in 0..8 {
            let Some(first) = input.next() else {
                return Some(out);
            };
            if flags >> bit & 1 == 0 {
                put(&mut window, &mut at, &mut out, first);
            } else {
                let Some(second) = input.next() else {
                    return Some(out);
                };
                let pair = u16::from_be_bytes([first, second]);
                let from = usize::from(pair >> 4);
                if from == at {
                    return Some(out);
                }
                for step in 0..usize::from(pair & 15) + 2 {
                    let byte = window.get((from + step) % WINDOW).copied().unwrap_or_default();
                    put(&mut window, &mut at, &mut out, byte);
                }
            }
            if out.len() >= raw_size {
                out.truncate(raw_size);
                return Some(out);
            }
        }
    }
    Some(out)
}

fn put(window: &mut [u8; WINDOW], at: &mut usize, out: &mut Vec<u8>, byte: u8) {
    if let Some(place) = window.get_mut(*at) {
        *place = byte;
    }
    *at = (*at + 1) % WINDOW;
    out.push(byte);
}

/// What holds inside one group.
#[derive(Debug, Clone)]
struct Group {
    /// Bytes after `\u` that repeat its letter for older programs.
    after_unicode: usize,
    codepage: u32,
    /// Nothing in it is text.
    hidden: bool,
    /// The rich twin of what stands beside it as HTML.
    twin: bool,
    /// A piece of wrapped HTML.
    tag: bool,
    in_fonts: bool,
    font: u32,
}

#[derive(Debug)]
struct Reading {
    html: bool,
    page: u32,
    fonts: Vec<(u32, u32)>,
    group: Group,
    above: Vec<Group>,
    /// Groups deeper than what is followed.
    deeper: usize,
    /// Bytes of one encoding that are not decoded yet.
    bytes: Vec<u8>,
    bytes_page: u32,
    out: String,
    /// Bytes to leave out after `\u`.
    skip: usize,
    first_half: Option<u16>,
}

/// The text of rich text.
fn read(rtf: &[u8]) -> Wrapped {
    let mut reading = Reading::new();
    let mut rest = rtf;
    while let Some((&byte, after)) = rest.split_first() {
        rest = match byte {
            b'{' => {
                reading.open(after);
                after
            }
            b'}' => {
                reading.close();
                after
            }
            b'\\' => reading.control(after),
            b'\r' | b'\n' => after,
            _ => {
                reading.byte(byte);
                after
            }
        };
    }
    reading.flush();
    if reading.html {
        Wrapped::Html(reading.out)
    } else {
        Wrapped::Text(reading.out)
    }
}

impl Reading {
    fn new() -> Self {
        Self {
            html: false,
            page: 1252,
            fonts: Vec::new(),
            group: Group {
                after_unicode: 1,
                codepage: 0,
                hidden: false,
                twin: false,
                tag: false,
                in_fonts: false,
                font: 0,
            },
            above: Vec::new(),
            deeper: 0,
            bytes: Vec::new(),
            bytes_page: 0,
            out: String::new(),
            skip: 0,
            first_half: None,
        }
    }

    /// A group that a program which does not know it must leave out begins with `\*`.
    fn open(&mut self, after: &[u8]) {
        self.skip = 0;
        if self.above.len() >= MAX_DEPTH {
            self.deeper += 1;
            return;
        }
        self.above.push(self.group.clone());
        if after.starts_with(b"\\*\\htmltag") {
            self.group.tag = true;
        } else if after.starts_with(b"\\*") {
            self.group.hidden = true;
        }
    }

    fn close(&mut self) {
        self.skip = 0;
        if self.deeper > 0 {
            self.deeper -= 1;
        } else if let Some(group) = self.above.pop() {
            self.group = group;
        }
    }

    /// A control word, a control letter, or a byte in hexadecimal; what comes after it.
    fn control<'a>(&mut self, after: &'a [u8]) -> &'a [u8] {
        let Some((&first, rest)) = after.split_first() else {
            return after;
        };
        if first == b'\'' {
            let byte = rest.get(..2).and_then(|hex| hex::decode(hex).ok());
            if let Some([byte]) = byte.as_deref() {
                self.byte(*byte);
                return rest.get(2..).unwrap_or_default();
            }
            return rest;
        }
        if !first.is_ascii_alphabetic() {
            match first {
                b'~' => self.text("\u{a0}"),
                b'_' => self.text("-"),
                b'\r' | b'\n' => self.line(),
                b'{' | b'}' | b'\\' => self.byte(first),
                _ => {}
            }
            return rest;
        }
        let length = after.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let (word, rest) = after.split_at(length);
        let sign = usize::from(rest.first() == Some(&b'-'));
        let digits = rest
            .iter()
            .skip(sign)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let (number, rest) = rest.split_at(if digits == 0 { 0 } else { sign + digits });
        let number = std::str::from_utf8(number)
            .ok()
            .and_then(|number| number.parse::<i32>().ok());
        self.word(word, number);
        rest.strip_prefix(b" ").unwrap_or(rest)
    }

    fn word(&mut self, word: &[u8], number: Option<i32>) {
        let positive = number.and_then(|number| u32::try_from(number).ok());
        match word {
            b"fromhtml" => self.html = number != Some(0),
            b"ansicpg" => self.page = positive.unwrap_or(self.page),
            b"uc" => self.group.after_unicode = positive.unwrap_or(1).min(10) as usize,
            b"u" => self.unicode(number.unwrap_or_default()),
            b"htmlrtf" => self.group.twin = number != Some(0),
            b"fonttbl" => self.group.in_fonts = true,
            b"f" => {
                self.group.font = positive.unwrap_or_default();
                let known = self.fonts.iter().find(|(font, _)| *font == self.group.font);
                self.group.codepage = known.map_or(0, |(_, page)| *page);
            }
            b"fcharset" if self.group.in_fonts && self.fonts.len() < MAX_FONTS => {
                self.fonts
                    .push((self.group.font, page_of(positive.unwrap_or_default())));
            }
            b"colortbl" | b"stylesheet" | b"info" | b"pict" | b"object" | b"header" | b"footer"
            | b"headerl" | b"headerr" | b"footerl" | b"footerr" | b"footnote" | b"fldinst" => {
                self.group.hidden = true
            }
            b"par" | b"line" | b"sect" | b"page" | b"row" => self.line(),
            b"tab" | b"cell" => self.text("\t"),
            b"lquote" => self.text("\u{2018}"),
            b"rquote" => self.text("\u{2019}"),
            b"ldblquote" => self.text("\u{201c}"),
            b"rdblquote" => self.text("\u{201d}"),
            b"bullet" => self.text("\u{2022}"),
            b"endash" => self.text("\u{2013}"),
            b"emdash" => self.text("\u{2014}"),
            b"bin" => self.group.hidden = true,
            _ => {}
        }
    }

    fn line(&mut self) {
        self.text(if self.html { "\r\n" } else { "\n" });
    }

    fn is_text(&self) -> bool {
        let group = &self.group;
        self.deeper == 0 && !group.hidden && !group.in_fonts && (!self.html || group.tag || !group.twin)
    }

    fn text(&mut self, text: &str) {
        if self.is_text() {
            self.flush();
            self.out.push_str(text);
        }
    }

    fn byte(&mut self, byte: u8) {
        if self.skip > 0 {
            self.skip -= 1;
        } else if self.is_text() {
            let page = match self.group.codepage {
                0 => self.page,
                page => page,
            };
            if page != self.bytes_page {
                self.flush();
                self.bytes_page = page;
            }
            self.bytes.push(byte);
        }
    }

    /// A letter beyond the basic plane comes as two halves.
    fn unicode(&mut self, number: i32) {
        self.skip = self.group.after_unicode;
        let unit = u16::try_from(number & 0xffff).unwrap_or_default();
        let units = match self.first_half.take() {
            Some(first) => vec![first, unit],
            None if (0xd800..0xdc00).contains(&unit) => {
                self.first_half = Some(unit);
                return;
            }
            None => vec![unit],
        };
        self.text(&String::from_utf16_lossy(&units));
    }

    fn flush(&mut self) {
        if self.bytes.is_empty() {
            return;
        }
        let bytes = std::mem::take(&mut self.bytes);
        let decoder = charset_decoder(charset(self.bytes_page).as_bytes());
        self.out.push_str(&match decoder.filter(|_| !bytes.is_ascii()) {
            Some(decode) => decode(&bytes),
            None => String::from_utf8_lossy(&bytes).into_owned(),
        });
    }
}

/// The code page of a font's character set.
fn page_of(charset: u32) -> u32 {
    match charset {
        128 => 932,
        129 => 949,
        134 => 936,
        136 => 950,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 => 1255,
        178 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        _ => 0,
    }
}

/// The name of a Windows code page.
pub fn charset(codepage: u32) -> String {
    match codepage {
        932 => "shift_jis".to_owned(),
        936 => "gbk".to_owned(),
        949 => "euc-kr".to_owned(),
        950 => "big5".to_owned(),
        20866 => "koi8-r".to_owned(),
        65001 => "utf-8".to_owned(),
        number => format!("windows-{number}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(rtf: &str) -> String {
        match read(rtf.as_bytes()) {
            Wrapped::Text(text) => text,
            Wrapped::Html(html) => panic!("html: {html}"),
        }
    }

    /// Uncompressed, as the format also allows.
    fn packed(rtf: &[u8]) -> Vec<u8> {
        let size = u32::try_from(rtf.len()).unwrap();
        [
            &(size + 12).to_le_bytes(),
            &size.to_le_bytes(),
            b"MELA",
            &[0; 4],
            rtf,
        ]
        .concat()
    }

    #[test]
    fn the_example_of_the_specification_is_decompressed() {
        // MS-OXRTFCP §3.1 and §3.2.
        let simple = "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0";
        let simple = hex::decode(simple).unwrap();
        let found = decompress(&simple).unwrap();
        assert_eq!(found, b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
        let repeats = hex::decode("1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0").unwrap();
        assert_eq!(decompress(&repeats).unwrap(), b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}");
    }

    #[test]
    fn rich_text_gives_its_words_in_every_encoding() {
        assert_eq!(
            text(
                r"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fswiss\fcharset0 Arial;}{\f1\fcharset204 Arial Cyr;}}{\colortbl;\red0\green0\blue0;}\f0 Gr\'fc\'dfe,\par {\f1\'cf\'f0\'e8\'e2\'e5\'f2}\f0 !\line \u1103\'ff\uc0\u8364 5{\*\generator X;}\{x\}}"
            ),
            "Grüße,\nПривет!\nя€5{x}"
        );
        assert_eq!(text(r"{\rtf1\uc1\u-10179?\u-8704?}"), "😀");
    }

    #[test]
    fn wrapped_html_comes_out_without_its_rich_twin() {
        let rtf = br"{\rtf1\ansi\ansicpg1251\fromhtml1 \deff0{\fonttbl{\f0\fswiss Arial;}}{\*\htmltag64 <p>}\htmlrtf \pard\htmlrtf0 {\*\htmltag84 <b>}\htmlrtf {\b \htmlrtf0 \'cf\'f0\'e8\'e2\'e5\'f2 {\*\htmltag84 &amp;}\htmlrtf &\htmlrtf0 {\*\htmltag92 </b>}\htmlrtf }\htmlrtf0 {\*\htmltag72 </p>}}";
        assert_eq!(
            unpack(&packed(rtf)),
            Some(Wrapped::Html("<p><b>Привет &amp;</b></p>".to_owned()))
        );
    }

    #[test]
    fn what_is_not_rich_text_gives_nothing() {
        assert_eq!(unpack(b""), None);
        assert_eq!(unpack(&[0; 40]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived_and_nothing_grows(kind in any::<bool>(), bytes in proptest::collection::vec(any::<u8>(), 0..300), words in "([{}]|\\\\[a-z]{1,8}-?[0-9]{0,3} ?|[a-z ]){0,60}") {
            let head: &[u8] = if kind { b"LZFu" } else { b"MELA" };
            let whole = [&[0xff; 8][..], head, &[0; 4], &bytes].concat();
            if let Some(out) = decompress(&whole) {
                prop_assert!(out.len() <= 9 * bytes.len() + 17);
            }
            let _ = unpack(&whole);
            let _ = read(words.as_bytes());
        }
    }
}
