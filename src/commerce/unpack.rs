//! Archives: each of their files stands for itself afterwards.

use std::io::{self, Read, Seek, SeekFrom};

use chrono::{DateTime, Utc};
use tokio::runtime::Handle;

use super::{
    read::Parts,
    receive::{PART_BYTES, bare_name},
};
use crate::{
    id::{self, Kind},
    storage::{self, Storage},
};

/// Bytes of what an archive holds at most: a small one can hold more than any disk.
const UNPACKED_BYTES: u64 = 1 << 30;
/// Files in an archive that are looked at.
const FILES: usize = 1_000;

/// How archives begin.
pub const MARK: &[u8] = b"PK\x03\x04";

/// A file out of an archive.
#[derive(Debug)]
pub struct Unpacked {
    /// Its name, without folders.
    pub name: String,
    /// Its bytes.
    pub size: i64,
    /// Where its parts are.
    pub keys: Vec<String>,
}

/// Why an archive cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is broken, or made in a way nobody reads.
    #[error("the archive cannot be read: {0}")]
    Archive(#[from] zip::result::ZipError),
    /// What it holds is larger than anything 1C writes.
    #[error("what the archive holds is too large")]
    TooLarge,
    /// The storage or the disk failed: it is tried again.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Unpacks the XML files of an archive, part by part. On a thread that may block.
pub fn unpack(
    mut parts: Parts,
    storage: &Storage,
    handle: &Handle,
    now: DateTime<Utc>,
) -> Result<Vec<Unpacked>, Error> {
    // An archive is read from its end: it must lie somewhere as a whole.
    let mut whole = tempfile::tempfile_in(storage.folder())?;
    io::copy(&mut parts, &mut whole)?;
    whole.seek(SeekFrom::Start(0))?;
    let mut archive = zip::ZipArchive::new(whole)?;
    let (mut files, mut left) = (Vec::new(), UNPACKED_BYTES);
    let done = (|| {
        for place in 0..archive.len().min(FILES) {
            let mut entry = archive.by_index(place)?;
            let named = bare_name(&entry.name()?);
            let Some(name) = named.filter(|name| name.to_lowercase().ends_with(".xml")) else {
                continue;
            };
            files.push(Unpacked {
                name,
                size: 0,
                keys: Vec::new(),
            });
            let Some(file) = files.last_mut() else { continue };
            loop {
                let mut part = Vec::new();
                // What an entry says of its size may be a lie: it is counted.
                entry.by_ref().take(PART_BYTES).read_to_end(&mut part)?;
                if part.is_empty() {
                    break;
                }
                left = left.checked_sub(part.len() as u64).ok_or(Error::TooLarge)?;
                file.size += i64::try_from(part.len()).unwrap_or(i64::MAX);
                let key = storage::key(&id::new(Kind::CommerceFile, now));
                let put = handle.block_on(storage.put(&key, bytes::Bytes::from(part)));
                put.map_err(io::Error::other)?;
                file.keys.push(key);
            }
        }
        Ok(())
    })();
    if let Err(error) = done {
        for key in files.iter().flat_map(|file| &file.keys) {
            // What stays is found by the search for strays.
            drop(handle.block_on(storage.delete(key)));
        }
        return Err(error);
    }
    Ok(files)
}
