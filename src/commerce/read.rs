//! A file's things, read on a thread of their own while the database is at the ones before.

use std::io::Read;

use bytes::Bytes;
use switchboard_exchange::commerce::{Broken, Item, Items};
use tokio::{runtime::Handle, sync::mpsc};

use crate::storage::{self, Storage};

/// Things handled in one transaction.
pub const BATCH: usize = 100;

/// A thing of a file, with its number from 1.
#[derive(Debug, Clone)]
pub struct Numbered {
    /// Which one of the file it is.
    pub number: i64,
    /// What it says.
    pub item: Item,
}

/// The parts of a file as one, each held in memory only while it is read.
#[derive(Debug)]
pub struct Parts {
    storage: Storage,
    handle: Handle,
    /// Those that were not begun yet, the last first.
    rest: Vec<String>,
    part: Bytes,
}

impl Parts {
    /// To be read on a thread that may block.
    pub fn new(storage: Storage, mut keys: Vec<String>) -> Self {
        keys.reverse();
        Self {
            storage,
            handle: Handle::current(),
            rest: keys,
            part: Bytes::new(),
        }
    }
}

impl Read for Parts {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while self.part.is_empty() {
            let Some(key) = self.rest.pop() else { return Ok(0) };
            let got = self.handle.block_on(self.storage.get(&key));
            self.part = got.map_err(|error| match error {
                storage::Error::Missing => std::io::ErrorKind::NotFound.into(),
                other => std::io::Error::other(other),
            })?;
        }
        let length = self.part.len().min(into.len());
        let piece = self.part.split_to(length);
        if let Some(into) = into.get_mut(..length) {
            into.copy_from_slice(&piece);
        }
        Ok(length)
    }
}

/// Batches of things after `after`, in order. An error is the last that comes.
pub fn batches(
    parts: Parts,
    region: Option<String>,
    after: i64,
) -> mpsc::Receiver<Result<Vec<Numbered>, Broken>> {
    let (sender, receiver) = mpsc::channel(2);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = send(parts, region.as_deref(), after, &sender) {
            // Whoever went away needs no answer.
            drop(sender.blocking_send(Err(error)));
        }
    });
    receiver
}

fn send(
    parts: Parts,
    region: Option<&str>,
    after: i64,
    to: &mpsc::Sender<Result<Vec<Numbered>, Broken>>,
) -> Result<(), Broken> {
    let mut items = Items::new(parts, region)?;
    let (mut number, mut batch) = (0_i64, Vec::with_capacity(BATCH));
    while let Some(item) = items.read()? {
        number += 1;
        if number <= after {
            continue;
        }
        batch.push(Numbered { number, item });
        if batch.len() == BATCH {
            let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
            if to.blocking_send(Ok(full)).is_err() {
                return Ok(());
            }
        }
    }
    if !batch.is_empty() {
        drop(to.blocking_send(Ok(batch)));
    }
    Ok(())
}
