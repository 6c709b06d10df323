//! What of a mail's body goes into its ids, taken while it goes by. Pure.
//!
//! [`crate::ids`] says the same of a mail that is in memory as a whole; a test holds them together.

use sha2::{Digest, Sha256};

/// How much of the body goes into the key of de-duplication.
pub const BEGINNING: usize = 4096;

/// Takes a body piece by piece.
#[derive(Debug, Clone)]
pub struct Fingerprint {
    lines: Sha256,
    /// A carriage return that belongs to the line unless a line feed follows.
    held_return: bool,
    in_line: bool,
    /// Bytes without carriage returns, up to here and up to the last that is no white space.
    passed: usize,
    length: usize,
    beginning: Vec<u8>,
}

/// What was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Length without carriage returns and without white space at the end.
    pub length: usize,
    /// The first [`BEGINNING`] bytes of that.
    pub beginning: Vec<u8>,
    /// The hash over what it began with and the lines of the body, each ended by a line feed.
    pub lines: [u8; 32],
}

impl Fingerprint {
    /// Goes on from the hash of the header block.
    pub fn after(head: Sha256) -> Self {
        Self {
            lines: head,
            held_return: false,
            in_line: false,
            passed: 0,
            length: 0,
            beginning: Vec::new(),
        }
    }

    /// Takes what comes next.
    pub fn take(&mut self, bytes: &[u8]) {
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line(line);
        }
        let kept = bytes.iter().filter(|byte| **byte != b'\r');
        let room = BEGINNING.saturating_sub(self.beginning.len());
        self.beginning.extend(kept.clone().take(room));
        let solid = bytes
            .iter()
            .rposition(|byte| !byte.is_ascii_whitespace())
            .map(|last| bytes.split_at(last + 1).0);
        let count = |bytes: &[u8]| bytes.iter().filter(|byte| **byte != b'\r').count();
        if let Some(solid) = solid {
            self.length = self.passed + count(solid);
        }
        self.passed += kept.count();
    }

    /// One line, or a part of one.
    fn line(&mut self, part: &[u8]) {
        let (text, ends) = part
            .strip_suffix(b"\n")
            .map_or((part, false), |text| (text, true));
        if self.held_return && !(ends && text.is_empty()) {
            self.lines.update(b"\r");
        }
        self.held_return = false;
        let text = match text.strip_suffix(b"\r") {
            Some(text) => {
                self.held_return = !ends;
                text
            }
            None => text,
        };
        self.lines.update(text);
        if ends {
            self.lines.update(b"\n");
        }
        self.in_line = !ends;
    }

    /// Ends it.
    pub fn end(mut self) -> Taken {
        if self.held_return {
            self.lines.update(b"\r");
        }
        if self.in_line {
            self.lines.update(b"\n");
        }
        self.beginning.truncate(self.length);
        Taken {
            length: self.length,
            beginning: self.beginning,
            lines: self.lines.finalize().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(pieces: &[&[u8]]) -> Taken {
        let mut taken = Fingerprint::after(Sha256::new_with_prefix(b"head"));
        for piece in pieces {
            taken.take(piece);
        }
        taken.end()
    }

    #[test]
    fn line_ends_and_white_space_at_the_end_do_not_count() {
        let one = of(&[b"a\r\nb\r\n"]);
        assert_eq!((one.length, one.beginning.as_slice()), (3, b"a\nb".as_slice()));
        assert_eq!(one, of(&[b"a\nb\n"]));
        assert_ne!(one.lines, of(&[b"a\rb\n"]).lines);
        assert_eq!(of(&[b"a\n \t\r\n"]).length, 1);
    }

    proptest! {
        #[test]
        fn it_is_the_same_however_the_body_is_cut(
            words in proptest::collection::vec(prop_oneof![Just("a"), Just("\r"), Just("\n"), Just("\r\n"), Just(" "), Just("long ")], 0..60),
            at in any::<proptest::sample::Index>(), more in any::<proptest::sample::Index>(),
        ) {
            let body = words.concat();
            let body = body.as_bytes();
            let (first, rest) = body.split_at(at.index(body.len() + 1));
            let (second, third) = rest.split_at(more.index(rest.len() + 1));
            prop_assert_eq!(of(&[body]), of(&[first, second, third]));
        }
    }
}
