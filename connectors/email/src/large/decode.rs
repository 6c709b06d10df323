//! Base64 and quoted-printable, piece by piece, forgiving what the mail parser forgives and giving up where it does. Pure.

/// How a body is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// RFC 2045 §6.8.
    Base64,
    /// RFC 2045 §6.7.
    QuotedPrintable,
}

/// What ends a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBy {
    /// The line end before a boundary.
    Line,
    /// A boundary in the middle of a line.
    Boundary,
    /// The end of the mail.
    Nothing,
}

/// A body that is not in its encoding: it is kept as it came.
#[derive(Debug, PartialEq, Eq)]
pub struct NotEncoded;

/// Decodes one body.
#[derive(Debug)]
pub enum Decoder {
    /// From base64.
    Base64(Base64),
    /// From quoted-printable.
    QuotedPrintable(Quoted),
}

impl Decoder {
    /// At the beginning of a body.
    pub fn new(encoding: Encoding) -> Self {
        match encoding {
            Encoding::Base64 => Self::Base64(Base64::default()),
            Encoding::QuotedPrintable => Self::QuotedPrintable(Quoted::default()),
        }
    }

    /// Decodes what comes next.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), NotEncoded> {
        bytes.iter().try_for_each(|byte| match self {
            Self::Base64(state) => state.push(*byte, out),
            Self::QuotedPrintable(state) => state.push(*byte, out),
        })
    }

    /// Ends the body before what ends it.
    pub fn end(self, by: EndedBy, out: &mut Vec<u8>) -> Result<(), NotEncoded> {
        match self {
            // Two hyphens in a row are a boundary or an error.
            Self::Base64(state) if by == EndedBy::Boundary && state.hyphen => Err(NotEncoded),
            Self::Base64(_) => Ok(()),
            Self::QuotedPrintable(mut state) => {
                if by != EndedBy::Line {
                    out.append(&mut state.held);
                }
                Ok(())
            }
        }
    }
}

/// The state between two letters of base64.
#[derive(Debug, Default)]
pub struct Base64 {
    bits: u32,
    letters: u8,
    hyphen: bool,
}

impl Base64 {
    fn push(&mut self, byte: u8, out: &mut Vec<u8>) -> Result<(), NotEncoded> {
        let after_hyphen = std::mem::take(&mut self.hyphen);
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                self.pad(out);
                return Ok(());
            }
            b' ' | b'\t' | b'\r' | b'\n' => return Ok(()),
            b'-' if !after_hyphen => {
                self.hyphen = true;
                return Ok(());
            }
            _ => return Err(NotEncoded),
        };
        self.bits = self.bits << 6 | u32::from(value);
        self.letters += 1;
        if self.letters == 4 {
            let [_, bytes @ ..] = self.bits.to_be_bytes();
            out.extend_from_slice(&bytes);
            *self = Self::default();
        }
        Ok(())
    }

    fn pad(&mut self, out: &mut Vec<u8>) {
        // To 24 bits, as if the missing letters were zero.
        let [_, first, second, _] = (self.bits << (6 * (4 - u32::from(self.letters)))).to_be_bytes();
        match self.letters {
            0 => {}
            3 => out.extend_from_slice(&[first, second]),
            _ => out.push(first),
        }
        *self = Self::default();
    }
}

/// The state between two bytes of quoted-printable.
#[derive(Debug, Default)]
pub struct Quoted {
    escape: Escape,
    /// White space that counts only if the line goes on.
    held: Vec<u8>,
    returns: bool,
}

#[derive(Debug, Default, Clone, Copy)]
enum Escape {
    #[default]
    No,
    Equals,
    One(u8),
}

impl Quoted {
    fn push(&mut self, byte: u8, out: &mut Vec<u8>) -> Result<(), NotEncoded> {
        let digit = || {
            char::from(byte)
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        };
        match (byte, self.escape) {
            (b'=', Escape::No) => self.escape = Escape::Equals,
            (b'=', _) => return Err(NotEncoded),
            (b'\n', Escape::Equals) => {
                self.escape = Escape::No;
                out.append(&mut self.held);
            }
            (b'\n', _) => {
                self.held.clear();
                out.extend_from_slice(if self.returns { b"\r\n" } else { b"\n" });
            }
            (b'\r', _) => self.returns = true,
            (_, Escape::No) if byte.is_ascii_whitespace() => self.held.push(byte),
            (_, Escape::No) => self.solid(&[byte], out),
            (_, Escape::Equals) => match digit() {
                Some(_) => self.escape = Escape::One(byte),
                None if byte.is_ascii_whitespace() => {}
                None => {
                    self.escape = Escape::No;
                    self.solid(&[b'=', byte], out);
                }
            },
            (_, Escape::One(first)) => {
                self.escape = Escape::No;
                let high = char::from(first)
                    .to_digit(16)
                    .and_then(|digit| u8::try_from(digit).ok());
                match (high, digit()) {
                    (Some(high), Some(low)) => self.solid(&[high << 4 | low], out),
                    _ => self.solid(&[b'=', first, byte], out),
                }
            }
        }
        Ok(())
    }

    fn solid(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        out.append(&mut self.held);
        out.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use mail_parser::decoders::{base64::base64_decode, quoted_printable::quoted_printable_decode};
    use proptest::prelude::*;

    use super::*;

    fn decoded(encoding: Encoding, pieces: &[&[u8]]) -> Result<Vec<u8>, NotEncoded> {
        let mut decoder = Decoder::new(encoding);
        let mut out = Vec::new();
        for piece in pieces {
            decoder.push(piece, &mut out)?;
        }
        decoder.end(EndedBy::Boundary, &mut out)?;
        Ok(out)
    }

    #[test]
    fn what_is_not_base64_is_said_to_be_none() {
        assert_eq!(
            decoded(Encoding::Base64, &[b"QUJD\r\nRA==\r\n"]),
            Ok(b"ABCD".to_vec())
        );
        assert_eq!(
            decoded(Encoding::Base64, &[b"QUI=", b"Q0Q="]),
            Ok(b"ABCD".to_vec())
        );
        assert_eq!(decoded(Encoding::Base64, &[b"QUJD!"]), Err(NotEncoded));
        assert_eq!(decoded(Encoding::Base64, &[b"QU-", b"-JD"]), Err(NotEncoded));
    }

    #[test]
    fn what_ends_a_body_decides_about_its_last_letters() {
        let end = |encoding, text: &[u8], by| {
            let (mut decoder, mut out) = (Decoder::new(encoding), Vec::new());
            decoder.push(text, &mut out)?;
            decoder.end(by, &mut out).map(|()| out)
        };
        assert_eq!(
            end(Encoding::Base64, b"QUJD-", EndedBy::Line),
            Ok(b"ABC".to_vec())
        );
        assert_eq!(
            end(Encoding::Base64, b"QUJD-", EndedBy::Boundary),
            Err(NotEncoded)
        );
        assert_eq!(
            end(Encoding::QuotedPrintable, b"a ", EndedBy::Line),
            Ok(b"a".to_vec())
        );
        assert_eq!(
            end(Encoding::QuotedPrintable, b"a ", EndedBy::Boundary),
            Ok(b"a ".to_vec())
        );
    }

    #[test]
    fn quoted_printable_keeps_what_is_no_escape() {
        let of = |text: &[u8]| decoded(Encoding::QuotedPrintable, &[text]);
        assert_eq!(
            of(b"a=\r\nb =D0=bf \r\nc=zz"),
            Ok("ab п\r\nc=zz".as_bytes().to_vec())
        );
        assert_eq!(of(b"a=="), Err(NotEncoded));
    }

    proptest! {
        #[test]
        fn pieces_decode_like_the_whole(
            text in "([A-Za-z0-9+/]{4}|\r\n){0,40}", at in any::<proptest::sample::Index>(),
            words in proptest::collection::vec(prop_oneof![Just("=C3=A9"), Just("a b"), Just(" "), Just("\r\n"), Just("=\r\n"), Just("Z")], 0..40),
        ) {
            let (first, rest) = text.as_bytes().split_at(at.index(text.len() + 1));
            prop_assert_eq!(decoded(Encoding::Base64, &[first, rest]).ok(), base64_decode(text.as_bytes()));
            // A line of white space alone ends what is before it in the one and not in the other.
            let quoted = words.concat();
            let (first, rest) = quoted.as_bytes().split_at(at.index(quoted.len() + 1));
            prop_assert_eq!(decoded(Encoding::QuotedPrintable, &[first, rest]), decoded(Encoding::QuotedPrintable, &[quoted.as_bytes()]));
            let lines: Vec<&str> = quoted.split("\r\n").map(|line| line.trim_end_matches(' ')).collect();
            let tidy = lines.join("\r\n");
            prop_assert_eq!(decoded(Encoding::QuotedPrintable, &[tidy.as_bytes()]).ok(), quoted_printable_decode(tidy.as_bytes()));
        }
    }
}
