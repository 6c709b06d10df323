//! Looking through a large mail: a window of it is in memory at a time.

use std::io;

use bytes::Bytes;
use memchr::memmem;
use switchboard_sdk::Content;

/// How much is read at once.
const WINDOW: usize = 256 * 1024;

/// The mail and the part of it that is in memory.
#[derive(Debug)]
pub struct Reader<'a> {
    whole: &'a Content,
    window: Bytes,
    window_at: u64,
}

impl<'a> Reader<'a> {
    /// Of this mail.
    pub fn new(whole: &'a Content) -> Self {
        Self {
            whole,
            window: Bytes::new(),
            window_at: 0,
        }
    }

    /// Its size.
    pub fn len(&self) -> u64 {
        self.whole.len()
    }

    /// Up to `most` bytes from a place on; fewer only at the end.
    pub fn bytes(&mut self, at: u64, most: usize) -> io::Result<Bytes> {
        let end = at.saturating_add(most as u64).min(self.len());
        let held = self.window_at..self.window_at + self.window.len() as u64;
        if at < held.start || end > held.end {
            self.window = self.whole.read_at(at, most.max(WINDOW))?;
            self.window_at = at;
        }
        let from = place(at.saturating_sub(self.window_at));
        let to = place(end.saturating_sub(self.window_at)).max(from);
        Ok(self
            .window
            .slice(from.min(self.window.len())..to.min(self.window.len())))
    }

    /// One byte.
    pub fn byte(&mut self, at: u64) -> io::Result<Option<u8>> {
        Ok(self.bytes(at, 1)?.first().copied())
    }

    /// Where these bytes stand first, from a place on.
    pub fn find(&mut self, wanted: &[u8], mut at: u64) -> io::Result<Option<u64>> {
        let finder = memmem::Finder::new(wanted);
        loop {
            let window = self.bytes(at, WINDOW.max(2 * wanted.len()))?;
            if let Some(found) = finder.find(&window) {
                return Ok(Some(at + found as u64));
            }
            let next = at + window.len() as u64;
            if next >= self.len() {
                return Ok(None);
            }
            // They may lie across the edge.
            at = next - (wanted.len() as u64 - 1).min(window.len() as u64 - 1);
        }
    }

    /// Shows a part to somebody, piece by piece, until they have seen enough.
    pub fn each<E>(
        &mut self,
        from: u64,
        to: u64,
        mut see: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> io::Result<Result<(), E>> {
        let mut at = from;
        while at < to {
            let piece = self.bytes(at, WINDOW.min(place(to - at)))?;
            if piece.is_empty() {
                break;
            }
            at += piece.len() as u64;
            if let Err(enough) = see(&piece) {
                return Ok(Err(enough));
            }
        }
        Ok(Ok(()))
    }
}

fn place(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_across_the_edge_of_a_window_is_found() {
        for before in [0, 1, WINDOW - 3, WINDOW - 1, WINDOW, 3 * WINDOW - 2] {
            let mut bytes = vec![b'-'; before];
            bytes.extend_from_slice(b"--edge and more");
            let whole = Content::from(bytes);
            let mut reader = Reader::new(&whole);
            assert_eq!(reader.find(b"--edge", 0).unwrap(), Some(before as u64));
            assert_eq!(reader.find(b"--edge", before as u64 + 1).unwrap(), None);
        }
    }
}
