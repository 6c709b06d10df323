//! A file's rows as records, read on a thread of their own while the database is at the ones before.

use std::ops::ControlFlow;

use bytes::Bytes;
use switchboard_exchange::{Layout, Mapping, Reading, Record, Unreadable, Wrong};
use tokio::sync::mpsc;

/// Rows handled in one transaction.
pub const BATCH: usize = 500;

/// A row of the file, read.
#[derive(Debug, Clone)]
pub struct Read {
    /// From 1.
    pub row_no: i64,
    /// The line of the file.
    pub line: i64,
    /// What it tells, as far as it can be read.
    pub record: Record,
    /// What is wrong with the rest: such a row is not taken in.
    pub wrong: Vec<Wrong>,
}

/// Why a file cannot be read to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] Unreadable),
    /// The mapping names columns that are not there.
    #[error("the file has no column {}", .0.join(", "))]
    Columns(Vec<String>),
}

/// Batches of rows after `after`, in order. An error is the last that comes.
pub fn batches(
    bytes: Bytes,
    layout: Layout,
    mapping: Mapping,
    reading: Reading,
    after: i64,
) -> mpsc::Receiver<Result<Vec<Read>, Error>> {
    let (sender, receiver) = mpsc::channel(2);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = send(&bytes, &layout, &mapping, &reading, after, &sender) {
            // Whoever went away needs no answer.
            drop(sender.blocking_send(Err(error)));
        }
    });
    receiver
}

fn send(
    bytes: &[u8],
    layout: &Layout,
    mapping: &Mapping,
    reading: &Reading,
    after: i64,
    to: &mpsc::Sender<Result<Vec<Read>, Error>>,
) -> Result<(), Error> {
    let columns = layout.head(bytes, 20)?.columns;
    let places = mapping.resolve(&columns).map_err(Error::Columns)?;
    let (mut row_no, mut batch) = (0_i64, Vec::with_capacity(BATCH));
    layout.rows(bytes, &mut |row| {
        row_no += 1;
        if row_no <= after {
            return ControlFlow::Continue(());
        }
        let (record, wrong) = Record::parse(&row, &places, reading);
        batch.push(Read {
            row_no,
            line: i64::try_from(row.number).unwrap_or(i64::MAX),
            record,
            wrong,
        });
        if batch.len() < BATCH {
            return ControlFlow::Continue(());
        }
        let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
        match to.blocking_send(Ok(full)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_gone) => ControlFlow::Break(()),
        }
    })?;
    if !batch.is_empty() {
        drop(to.blocking_send(Ok(batch)));
    }
    Ok(())
}
