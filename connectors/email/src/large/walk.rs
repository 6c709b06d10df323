//! The steps of the mail parser through the parts of a mail, over a file.
//!
//! Each `fn` says which step it follows where that is not plain; the property tests compare the outcome.

use std::{io, ops::Range, path::Path};

use bytes::Bytes;
use mail_parser::{HeaderName, HeaderValue, MessageParser, MessagePart, MimeHeaders};
use switchboard_sdk::Spool;

use super::{
    Limits,
    decode::{Decoder, Encoding, EndedBy},
    read::Reader,
};

/// Boundaries that were looked for to the end in vain: each costs the reading of the whole rest.
const MAX_MISSES: usize = 30;
/// Text between the parts that nobody reads is kept up to this length.
const MAX_BETWEEN: u64 = 4096;
/// The smallest bodies, which stay even in a mail of very many.
const SMALLEST: u64 = 1024;

/// What came of it.
#[derive(Debug)]
pub struct Walked {
    /// The small mail.
    pub small: Vec<u8>,
    /// What is not in it.
    pub bodies: Vec<Found>,
    /// The decoded bodies, one after another, when there are any.
    pub decoded: Option<Spool>,
    /// It came to the end.
    pub complete: bool,
}

/// A body that is not in the small mail.
#[derive(Debug)]
pub struct Found {
    /// Where in the small mail it would begin.
    pub at: usize,
    /// Where it is.
    pub lies: Lies,
}

/// Where a body is.
#[derive(Debug)]
pub enum Lies {
    /// In the mail, as it came.
    InMail(Range<u64>),
    /// Among the decoded ones.
    Decoded(Range<u64>),
}

/// What holds the parts that are being looked at.
#[derive(Debug, Default)]
struct Level {
    kind: Kind,
    boundary: Option<Vec<u8>>,
}

#[derive(Debug, Default)]
enum Kind {
    /// The mail itself, or one inside it; of the latter, where it began.
    #[default]
    Mail,
    Inner(Began),
    Parts {
        digest: bool,
    },
}

#[derive(Debug)]
struct Began {
    /// In the small mail and in the large one.
    at: usize,
    from: u64,
    /// How much had been left out before.
    left_out: u64,
}

struct Walk<'a, 'b> {
    reader: &'a mut Reader<'b>,
    limits: &'a Limits,
    at: u64,
    small: Vec<u8>,
    bodies: Vec<Found>,
    folder: &'a Path,
    decoded: Option<Spool>,
    left_out: u64,
    misses: usize,
}

/// Header fields of a part, as far as they say what its body is.
struct Head {
    boundary: Option<Vec<u8>>,
    is_multipart: bool,
    is_digest: bool,
    is_mail: bool,
    is_text: bool,
    is_attached: bool,
    encoding: Option<Encoding>,
}

/// Goes through the parts; what is decoded lies in a temporary file in this folder.
pub fn walk(reader: &mut Reader<'_>, folder: &Path, limits: &Limits) -> io::Result<Walked> {
    let mut walk = Walk {
        reader,
        limits,
        at: 0,
        small: Vec::new(),
        bodies: Vec::new(),
        folder,
        decoded: None,
        left_out: 0,
        misses: 0,
    };
    let complete = walk.parts()?;
    let Walk {
        small,
        bodies,
        decoded,
        ..
    } = walk;
    Ok(Walked {
        small,
        bodies,
        decoded,
        complete,
    })
}

impl Walk<'_, '_> {
    /// The parser's outer loop. False when it is too much.
    fn parts(&mut self) -> io::Result<bool> {
        let mut level = Level::default();
        let mut above: Vec<Level> = Vec::new();
        for _ in 0..self.limits.parts {
            if self.small.len() > self.limits.most {
                return Ok(false);
            }
            let in_digest = matches!(level.kind, Kind::Parts { digest: true });
            let Some(head) = self.head(in_digest)? else {
                let end = self.reader.len();
                self.keep_to(end.min(self.at + self.limits.head as u64))?;
                self.end_inner(&level, &above, end);
                return Ok(self.at == end);
            };
            if head.is_multipart
                && let Some(boundary) = &head.boundary
            {
                if let Some(found) = self.find(boundary, self.at)? {
                    self.pass_to(found)?;
                    self.keep_to(found + 2 + boundary.len() as u64)?;
                    let parts = Level {
                        kind: Kind::Parts {
                            digest: head.is_digest,
                        },
                        boundary: head.boundary,
                    };
                    above.push(std::mem::replace(&mut level, parts));
                    self.skip_line_end()?;
                    continue;
                }
                if self.misses > MAX_MISSES {
                    return Ok(false);
                }
            }
            if head.is_mail && head.encoding.is_none() {
                let inner = Level {
                    kind: Kind::Inner(Began {
                        at: self.small.len(),
                        from: self.at,
                        left_out: self.left_out,
                    }),
                    boundary: level.boundary.take(),
                };
                above.push(std::mem::replace(&mut level, inner));
                continue;
            }
            let is_inside = above
                .iter()
                .chain([&level])
                .any(|level| matches!(level.kind, Kind::Inner(_)));
            if !self.body(&head, &mut level, is_inside)? {
                self.end_inner(&level, &above, self.at);
                return Ok(true);
            }
            if !self.next_part(&mut level, &mut above)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The parser's inner loop, at the place behind a boundary: whether another part follows.
    fn next_part(&mut self, level: &mut Level, above: &mut Vec<Level>) -> io::Result<bool> {
        loop {
            if !matches!(level.kind, Kind::Parts { .. }) {
                // A mail inside ends where the part that holds it ends.
                let Some(mut holder) = above.pop() else {
                    return Ok(false);
                };
                let boundary = level.boundary.take();
                if let Kind::Inner(began) = &level.kind {
                    let marks = boundary.as_ref().map_or(0, |boundary| boundary.len() as u64 + 2);
                    let line = self.at.saturating_sub(marks);
                    let return_before = line >= 2 && self.reader.byte(line - 2)? == Some(b'\r');
                    let end = line.saturating_sub(if return_before { 2 } else { 1 });
                    self.inner_ends(began, end);
                }
                holder.boundary = boundary;
                *level = holder;
            }
            if !self.is_last_boundary()? {
                return Ok(true);
            }
            let Some(holder) = above.pop() else {
                return Ok(false);
            };
            *level = holder;
            let found = match &level.boundary {
                Some(boundary) => self.find(boundary, self.at)?.map(|found| (found, boundary.len())),
                None => None,
            };
            let Some((found, length)) = found else {
                let here = self.at;
                self.pass_to(self.reader.len())?;
                self.end_inner(level, above, here);
                return Ok(false);
            };
            self.pass_to(found)?;
            self.keep_to(found + 2 + length as u64)?;
        }
    }

    /// Mails inside that end because nothing follows. One that is all of the mail takes what is left.
    fn end_inner(&mut self, level: &Level, above: &[Level], end: u64) {
        for (depth, level) in above.iter().chain([level]).enumerate() {
            if let Kind::Inner(began) = &level.kind {
                let end = if depth == 1 { self.reader.len() } else { end };
                self.inner_ends(began, end);
            }
        }
    }

    /// A mail inside, of which something was left out, is the file it was.
    fn inner_ends(&mut self, began: &Began, end: u64) {
        if self.left_out > began.left_out {
            self.bodies.push(Found {
                at: began.at,
                lies: Lies::InMail(began.from..end.max(began.from)),
            });
        }
    }

    /// The header block that begins here, kept. None when it does not end.
    fn head(&mut self, in_digest: bool) -> io::Result<Option<Head>> {
        for size in [64 * 1024, self.limits.head] {
            let window = self.reader.bytes(self.at, size)?;
            if let Some(length) = head_length(&window) {
                let block = window.slice(..length);
                self.keep_to(self.at + length as u64)?;
                return Ok(Some(Head::of(&block, in_digest)));
            }
        }
        Ok(None)
    }

    /// The body that begins here, with the boundary that ends it. False when nothing ends it but the end of all.
    fn body(&mut self, head: &Head, level: &mut Level, is_inside: bool) -> io::Result<bool> {
        let from = self.at;
        let found = match &level.boundary {
            Some(boundary) => self.find(boundary, from)?.map(|found| (found, boundary.len())),
            None => None,
        };
        let (end, next) = match found {
            Some((found, length)) => (self.before_line_end(found, from)?, found + 2 + length as u64),
            None => (self.reader.len(), self.reader.len()),
        };
        let is_cut_off = found.is_none() && level.boundary.is_some();
        let is_shown = head.is_text && !head.is_attached;
        let longest = if self.small.len() > self.limits.full {
            SMALLEST
        } else if is_shown {
            self.limits.text
        } else {
            self.limits.file
        };
        if end - from > longest {
            let ended_by = match found {
                Some((found, _)) if end == found => EndedBy::Boundary,
                Some(_) => EndedBy::Line,
                None => EndedBy::Nothing,
            };
            self.leave_out(head, from..end, is_cut_off, ended_by, is_inside)?;
            self.at = end;
        }
        self.keep_to(next)?;
        if is_cut_off {
            level.boundary = None;
        }
        Ok(found.is_some())
    }

    fn leave_out(
        &mut self,
        head: &Head,
        body: Range<u64>,
        is_cut_off: bool,
        ended_by: EndedBy,
        is_inside: bool,
    ) -> io::Result<()> {
        let at = self.small.len();
        self.left_out += body.end - body.start;
        let encoding = head.encoding.filter(|_| !is_cut_off);
        // Inside a mail that is a file itself nobody asks for it.
        let decoded = match encoding {
            Some(encoding) if !is_inside => Some(self.decode(encoding, &body, ended_by)?),
            _ => None,
        };
        if decoded == Some(None) {
            // It makes the parser give up on the small body as it would on the large one.
            self.small.extend_from_slice(match encoding {
                Some(Encoding::QuotedPrintable) => b"==",
                _ => b"!",
            });
        } else if (head.is_text && !head.is_attached) || head.is_mail {
            let beginning = self.reader.bytes(body.start, index(self.limits.beginning))?;
            self.small.extend_from_slice(lines_of(&beginning));
        }
        if !is_inside {
            let lies = decoded.flatten().map_or(Lies::InMail(body), Lies::Decoded);
            self.bodies.push(Found { at, lies });
        }
        Ok(())
    }

    /// Where the decoded body lies; none when it is not in its encoding.
    fn decode(
        &mut self,
        encoding: Encoding,
        body: &Range<u64>,
        ended_by: EndedBy,
    ) -> io::Result<Option<Range<u64>>> {
        let spool = match &mut self.decoded {
            Some(spool) => spool,
            none => none.insert(Spool::new(self.folder)?),
        };
        let start = spool.len();
        let mut decoder = Decoder::new(encoding);
        let mut out = Vec::new();
        let read = self.reader.each(body.start, body.end, |piece| {
            out.clear();
            decoder.push(piece, &mut out).map_err(|_| None)?;
            spool.write(&out).map_err(Some)
        })?;
        match read {
            Ok(()) => {}
            Err(None) => return Ok(None),
            Err(Some(error)) => return Err(error),
        }
        out.clear();
        if decoder.end(ended_by, &mut out).is_err() {
            return Ok(None);
        }
        spool.write(&out)?;
        Ok(Some(start..spool.len()))
    }

    /// The end of a body before a boundary: the line end in front of it is the boundary's.
    fn before_line_end(&mut self, boundary: u64, from: u64) -> io::Result<u64> {
        let is = |at: Option<u8>, wanted: u8| at == Some(wanted);
        if boundary <= from || !is(self.reader.byte(boundary - 1)?, b'\n') {
            return Ok(boundary);
        }
        let line = boundary - 1;
        let with_return = line > from && is(self.reader.byte(line - 1)?, b'\r');
        Ok(if with_return { line - 1 } else { line })
    }

    /// Two hyphens before a boundary's name, anywhere: programs put them into the middle of lines.
    fn find(&mut self, boundary: &[u8], from: u64) -> io::Result<Option<u64>> {
        let found = self.reader.find(&[b"--", boundary].concat(), from)?;
        self.misses += usize::from(found.is_none());
        Ok(found)
    }

    /// `is_multipart_end` of the parser: what follows a boundary.
    fn is_last_boundary(&mut self) -> io::Result<bool> {
        let next = self.reader.bytes(self.at, 2)?;
        match (next.first(), next.get(1)) {
            (Some(b'\r'), Some(b'\n')) => self.keep_to(self.at + 2)?,
            (Some(b'-'), Some(b'-')) => {
                self.keep_to(self.at + 2)?;
                return Ok(true);
            }
            (Some(b'\n'), _) => self.keep_to(self.at + 1)?,
            (Some(byte), _) if byte.is_ascii_whitespace() => {
                self.keep_to(self.at + 1)?;
                self.skip_line_end()?;
            }
            _ => {}
        }
        Ok(false)
    }

    /// `skip_crlf` of the parser.
    fn skip_line_end(&mut self) -> io::Result<()> {
        loop {
            match self.reader.byte(self.at)? {
                Some(b'\r' | b' ' | b'\t') => self.keep_to(self.at + 1)?,
                Some(b'\n') => return self.keep_to(self.at + 1),
                _ => return Ok(()),
            }
        }
    }

    /// Into the small mail as it is.
    fn keep_to(&mut self, to: u64) -> io::Result<()> {
        let small = &mut self.small;
        let Ok(()) = self.reader.each(self.at, to, |piece| {
            small.extend_from_slice(piece);
            Ok::<(), std::convert::Infallible>(())
        })?;
        self.at = self.at.max(to);
        Ok(())
    }

    /// What stands between parts: kept when it is short.
    fn pass_to(&mut self, to: u64) -> io::Result<()> {
        if to - self.at <= MAX_BETWEEN {
            return self.keep_to(to);
        }
        self.left_out += to - self.at;
        self.at = to;
        Ok(())
    }
}

impl Head {
    fn of(block: &[u8], in_digest: bool) -> Self {
        let message = MessageParser::default().parse_headers(block);
        let part = message.as_ref().and_then(|message| message.parts.first());
        let kind = part.and_then(MessagePart::content_type);
        let of_kind = |kind: &mail_parser::ContentType<'_>, name: &str| kind.ctype() == name;
        let is_multipart = kind.is_some_and(|kind| of_kind(kind, "multipart"));
        let subtype = kind.and_then(|kind| kind.subtype());
        let encoding = part.and_then(|part| {
            // The last field counts, as it does for the parser.
            let value = part
                .headers
                .iter()
                .rev()
                .find(|header| header.name == HeaderName::ContentTransferEncoding)?;
            match &value.value {
                HeaderValue::Text(name) if name.eq_ignore_ascii_case("base64") => Some(Encoding::Base64),
                HeaderValue::Text(name) if name.eq_ignore_ascii_case("quoted-printable") => {
                    Some(Encoding::QuotedPrintable)
                }
                _ => None,
            }
        });
        Self {
            boundary: kind
                .and_then(|kind| kind.attribute("boundary"))
                .filter(|boundary| !boundary.is_empty())
                .map(|boundary| boundary.as_bytes().to_vec()),
            is_multipart,
            is_digest: is_multipart && subtype == Some("digest"),
            is_mail: match kind {
                Some(kind) => of_kind(kind, "message") && matches!(subtype, Some("rfc822" | "global")),
                None => in_digest,
            },
            // A multipart whose boundary is nowhere is read as text; what mail servers report is text, too.
            is_text: kind.map_or(!in_digest, |kind| {
                ["text", "multipart", "message"]
                    .iter()
                    .any(|name| of_kind(kind, name))
            }),
            is_attached: part
                .and_then(MessagePart::content_disposition)
                .is_some_and(mail_parser::ContentType::is_attachment),
            encoding,
        }
    }
}

/// How long the header block is, with the empty line that ends it; none when it goes on beyond these bytes.
fn head_length(window: &Bytes) -> Option<usize> {
    let message = MessageParser::default().parse_headers(window);
    let fields = message.as_ref().and_then(|message| message.parts.first());
    let last = fields.and_then(|part| part.headers.iter().map(|header| header.offset_end).max());
    let mut at = last.unwrap_or_default() as usize;
    loop {
        match window.get(at)? {
            b'\n' => return Some(at + 1),
            byte if byte.is_ascii_whitespace() => at += 1,
            // A line without a colon is no field, and ends nothing.
            _ => at += window.get(at..)?.iter().position(|byte| *byte == b'\n')? + 1,
        }
    }
}

/// Whole lines, if there are any: a decoder can begin and end there.
fn lines_of(bytes: &[u8]) -> &[u8] {
    let end = bytes
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(bytes.len(), |last| last + 1);
    bytes.split_at(end).0
}

fn index(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}
