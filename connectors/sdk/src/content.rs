//! What came in, byte for byte: in memory, or in a temporary file when it is too large for that.
//!
//! The file has no name: the system forgets it with its last handle, whatever becomes of the program.

use std::{
    fmt,
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    ops::Range,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use tokio::task::spawn_blocking;

/// Bytes that are read in pieces; cloning copies none of them.
#[derive(Clone, PartialEq, Eq)]
pub struct Content(Place);

#[derive(Clone)]
enum Place {
    Memory(Bytes),
    File {
        file: Arc<Mutex<File>>,
        range: Range<u64>,
    },
}

/// Files are equal when they are the same place of the same file: nothing is read to compare.
impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Memory(one), Self::Memory(other)) => one == other,
            (
                Self::File { file, range },
                Self::File {
                    file: other,
                    range: place,
                },
            ) => Arc::ptr_eq(file, other) && range == place,
            _ => false,
        }
    }
}

impl Eq for Place {}

impl Content {
    /// A good size of pieces to read it in.
    pub const PIECE: usize = 1024 * 1024;

    /// How many bytes.
    pub fn len(&self) -> u64 {
        match &self.0 {
            Place::Memory(bytes) => bytes.len() as u64,
            Place::File { range, .. } => range.end - range.start,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes, when they are in memory anyway.
    pub fn in_memory(&self) -> Option<&Bytes> {
        match &self.0 {
            Place::Memory(bytes) => Some(bytes),
            Place::File { .. } => None,
        }
    }

    /// A part of it; what lies beyond its end is left out.
    pub fn slice(&self, part: Range<u64>) -> Self {
        let end = part.end.min(self.len());
        let start = part.start.min(end);
        Self(match &self.0 {
            Place::Memory(bytes) => {
                let at = |place: u64| usize::try_from(place).unwrap_or(bytes.len());
                Place::Memory(bytes.slice(at(start)..at(end)))
            }
            Place::File { file, range } => Place::File {
                file: Arc::clone(file),
                range: range.start + start..range.start + end,
            },
        })
    }

    /// Up to so many bytes from a place on; fewer only at the end. Blocks while it reads a file.
    pub fn read_at(&self, at: u64, most: usize) -> io::Result<Bytes> {
        let part = self.slice(at..at.saturating_add(most as u64));
        match part.0 {
            Place::Memory(bytes) => Ok(bytes),
            Place::File { file, range } => {
                let length = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
                let mut bytes = vec![0; length];
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.seek(SeekFrom::Start(range.start))?;
                file.read_exact(&mut bytes)?;
                Ok(Bytes::from(bytes))
            }
        }
    }

    /// The same without blocking.
    pub async fn piece(&self, at: u64, most: usize) -> io::Result<Bytes> {
        if self.in_memory().is_some() {
            return self.read_at(at, most);
        }
        let content = self.clone();
        spawn_blocking(move || content.read_at(at, most))
            .await
            .map_err(io::Error::other)?
    }

    /// All of it in memory: for what is known to be small.
    pub fn read_all(&self) -> io::Result<Bytes> {
        self.read_at(0, usize::MAX)
    }
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        Self(Place::Memory(bytes))
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl Default for Content {
    fn default() -> Self {
        Bytes::new().into()
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len()) // they are somebody's mail
    }
}

/// A temporary file that is being written; what is finished becomes a [`Content`].
#[derive(Debug)]
pub struct Spool {
    file: File,
    len: u64,
}

impl Spool {
    /// An empty one in this folder. Blocks.
    pub fn new(folder: &Path) -> io::Result<Self> {
        Ok(Self {
            file: tempfile::tempfile_in(folder)?,
            len: 0,
        })
    }

    /// How much was written.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing was.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Writes at its end. Blocks.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Everything that was written.
    pub fn finish(self) -> Content {
        Content(Place::File {
            file: Arc::new(Mutex::new(self.file)),
            range: 0..self.len,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both() -> [Content; 2] {
        let mut spool = Spool::new(&std::env::temp_dir()).unwrap();
        spool.write(b"hello ").unwrap();
        spool.write(b"world").unwrap();
        [Content::from(b"hello world".to_vec()), spool.finish()]
    }

    #[tokio::test]
    async fn memory_and_file_read_the_same() {
        for content in both() {
            assert_eq!((content.len(), content.is_empty()), (11, false));
            assert_eq!(content.read_all().unwrap(), "hello world");
            assert_eq!(content.read_at(6, 3).unwrap(), "wor");
            assert_eq!(content.piece(9, 100).await.unwrap(), "ld");
            assert_eq!(content.read_at(50, 3).unwrap(), "");
            let part = content.slice(2..9);
            assert_eq!(
                (part.len(), part.slice(1..3).read_all().unwrap()),
                (7, "lo".into())
            );
            assert_eq!(content, content.slice(0..99));
            assert_ne!(content, part);
        }
    }

    #[test]
    fn nothing_is_left_in_the_folder_even_while_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(folder.path()).unwrap();
        spool.write(b"x").unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert_eq!(spool.finish().read_all().unwrap(), "x");
    }

    #[test]
    fn what_is_in_it_is_not_shown() {
        assert_eq!(format!("{:?}", both()), "[11 bytes, 11 bytes]");
    }
}
