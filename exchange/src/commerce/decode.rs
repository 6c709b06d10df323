//! Any encoding a file declares, as UTF-8, piece by piece.

use std::io::{BufReader, Cursor, Read};

use encoding_rs::{Decoder, UTF_8};

use super::Broken;
use crate::text::Encoding;

/// How much is read to find the declaration; it stands at the very beginning.
const HEAD: usize = 256;
const PIECE: usize = 32 << 10;

/// A reader of UTF-8 over bytes of any encoding. What cannot be is shown as `\u{fffd}`.
pub(super) struct Utf8<R> {
    bytes: std::io::Chain<Cursor<Vec<u8>>, R>,
    decoder: Decoder,
    raw: Vec<u8>,
    text: Vec<u8>,
    /// Where in `text` the next read begins.
    at: usize,
    ended: bool,
}

impl<R> std::fmt::Debug for Utf8<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Utf8")
            .field("encoding", &self.decoder.encoding())
            .finish_non_exhaustive()
    }
}

impl<R: Read> Utf8<R> {
    pub fn new(mut bytes: R) -> Result<BufReader<Self>, Broken> {
        let mut head = Vec::with_capacity(HEAD);
        bytes.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
        // A mark of the encoding wins over what is declared.
        let encoding = match declared(&head) {
            Some(name) => Encoding::named(&name).ok_or(Broken::Encoding(name))?,
            None => UTF_8,
        };
        Ok(BufReader::new(Self {
            bytes: Cursor::new(head).chain(bytes),
            decoder: encoding.new_decoder(),
            raw: vec![0; PIECE],
            text: Vec::new(),
            at: 0,
            ended: false,
        }))
    }

    /// Decodes the next piece.
    fn fill(&mut self) -> std::io::Result<()> {
        let read = self.bytes.read(&mut self.raw)?;
        let last = read == 0;
        let room = self.decoder.max_utf8_buffer_length(read).unwrap_or(PIECE * 4);
        self.text.resize(room, 0);
        let raw = self.raw.get(..read).unwrap_or_default();
        let (_, _, written, _) = self.decoder.decode_to_utf8(raw, &mut self.text, last);
        self.text.truncate(written);
        self.at = 0;
        self.ended = last;
        Ok(())
    }
}

impl<R: Read> Read for Utf8<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while self.at == self.text.len() && !self.ended {
            self.fill()?;
        }
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.len().min(into.len());
        if let (Some(into), Some(from)) = (into.get_mut(..length), rest.get(..length)) {
            into.copy_from_slice(from);
        }
        self.at += length;
        Ok(length)
    }
}

/// The encoding that the XML declaration names. UTF-16 is told by its mark.
fn declared(head: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(head);
    let declaration = head.split_once("<?xml")?.1.split_once("?>")?.0;
    let value = declaration
        .split_once("encoding")?
        .1
        .trim_start()
        .strip_prefix('=')?
        .trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let name = value.get(1..)?.split(quote).next()?;
    Some(name.chars().take(40).collect())
}
