//! An archive that is written on a thread while what goes in is read.

use std::{
    io::{self, Write},
    path::Path,
};

use bytes::Bytes;
use switchboard_sdk::{Content, Spool};
use tokio::sync::mpsc;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// Pieces that wait for the thread.
const WAITING: usize = 16;

enum Piece {
    File { name: String, packed: bool },
    Bytes(Bytes),
}

/// An archive on its way.
pub(super) struct Pack {
    pieces: mpsc::Sender<Piece>,
    thread: tokio::task::JoinHandle<io::Result<Content>>,
}

impl Pack {
    /// An empty one, in a temporary file of this folder.
    pub fn new(folder: &Path) -> Self {
        let (pieces, receiver) = mpsc::channel(WAITING);
        let folder = folder.to_owned();
        Self {
            pieces,
            thread: tokio::task::spawn_blocking(move || write(&folder, receiver)),
        }
    }

    /// Begins a file; `packed` is for texts.
    pub async fn file(&mut self, name: String, packed: bool) {
        // A thread that has ended says why at the end.
        drop(self.pieces.send(Piece::File { name, packed }).await);
    }

    /// Goes on with the file.
    pub async fn bytes(&mut self, bytes: impl Into<Bytes>) {
        drop(self.pieces.send(Piece::Bytes(bytes.into())).await);
    }

    /// A whole text.
    pub async fn text(&mut self, name: &str, text: String) {
        self.file(name.to_owned(), true).await;
        self.bytes(text).await;
    }

    /// The archive.
    pub async fn finish(self) -> io::Result<Content> {
        drop(self.pieces);
        self.thread.await.map_err(io::Error::other)?
    }
}

/// A temporary file that only grows.
struct Grown(Spool);

impl Write for Grown {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write(folder: &Path, mut pieces: mpsc::Receiver<Piece>) -> io::Result<Content> {
    let mut zip = ZipWriter::new_stream(Grown(Spool::new(folder)?));
    while let Some(piece) = pieces.blocking_recv() {
        match piece {
            Piece::File { name, packed } => {
                let method = if packed {
                    CompressionMethod::Deflated
                } else {
                    CompressionMethod::Stored
                };
                let options = SimpleFileOptions::default()
                    .compression_method(method)
                    .large_file(true);
                zip.start_file(name, options).map_err(io::Error::other)?;
            }
            Piece::Bytes(bytes) => zip.write_all(&bytes)?,
        }
    }
    let grown = zip.finish().map_err(io::Error::other)?.into_inner();
    Ok(grown.0.finish())
}
