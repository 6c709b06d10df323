//! Lists as files: tables for spreadsheets, cards for address books. Whatever a list is narrowed to, its file is too.
//!
//! Files are written while they are read, page by page: a million rows are never in memory.

mod cards;
mod names;
pub mod person;
mod tables;

use std::io::{Seek, SeekFrom};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use sea_orm::DbErr;
use switchboard_exchange::sheet::{self, Book};
use tokio::sync::mpsc;
use tokio_util::io::ReaderStream;

pub use cards::Cards;
pub use tables::{Calls, Companies, Contacts, Leads, Submissions};

/// Rows read at once.
const PAGE: u64 = 500;

/// A list that becomes a table.
#[async_trait]
pub trait Table: Send {
    /// The names of its columns, read first.
    async fn columns(&mut self) -> Result<Vec<String>, DbErr>;

    /// The next rows; none at the end.
    async fn next(&mut self) -> Result<Option<Vec<Vec<String>>>, DbErr>;
}

/// A table on its way.
pub type Rows = Box<dyn Table>;

/// Why a file broke off.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbErr),
    /// There is no room for the temporary file.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The spreadsheet could not be written.
    #[error("the spreadsheet could not be written: {0}")]
    Book(String),
}

/// A table as CSV: UTF-8 with its mark, commas, quotes where they are needed.
pub fn csv(table: Rows) -> impl Stream<Item = Result<Bytes, Error>> + Send {
    enum At {
        Head(Rows),
        Rows(Rows),
        End,
    }
    stream::unfold(At::Head(table), |at| async move {
        match at {
            At::Head(mut table) => match table.columns().await {
                Ok(columns) => {
                    let head = format!("{}{}", sheet::MARK, sheet::line(columns));
                    Some((Ok(Bytes::from(head)), At::Rows(table)))
                }
                Err(error) => Some((Err(error.into()), At::End)),
            },
            At::Rows(mut table) => match table.next().await {
                Ok(Some(rows)) => {
                    let lines: String = rows.into_iter().map(sheet::line).collect();
                    Some((Ok(Bytes::from(lines)), At::Rows(table)))
                }
                Ok(None) => None,
                Err(error) => Some((Err(error.into()), At::End)),
            },
            At::End => None,
        }
    })
    // Whoever packs the answer asks once more after its end.
    .fuse()
}

/// A table as a spreadsheet of Excel. It is written to a temporary file first: a zip has its list of contents at the end.
pub fn xlsx(table: Rows) -> impl Stream<Item = Result<Bytes, Error>> + Send {
    stream::once(written(table))
        .map_ok(|file| {
            ReaderStream::new(tokio::fs::File::from_std(file)).map(|piece| piece.map_err(Error::from))
        })
        .try_flatten()
        .fuse()
}

async fn written(mut table: Rows) -> Result<std::fs::File, Error> {
    let columns = table.columns().await?;
    let (sender, mut rows) = mpsc::channel::<Vec<Vec<String>>>(2);
    let writer = tokio::task::spawn_blocking(move || {
        let names: Vec<&str> = columns.iter().map(String::as_str).collect();
        let mut sheets = Book::new(&names).map_err(book)?;
        while let Some(rows) = rows.blocking_recv() {
            for row in rows {
                // What a sheet cannot hold is left out; CSV has no such limit.
                sheets.row(row).map_err(book)?;
            }
        }
        let mut file = tempfile::tempfile()?;
        sheets.finish(&mut file).map_err(book)?;
        file.seek(SeekFrom::Start(0))?;
        Ok(file)
    });
    while let Some(rows) = table.next().await? {
        if sender.send(rows).await.is_err() {
            break;
        }
    }
    drop(sender);
    writer.await.map_err(|error| Error::Book(error.to_string()))?
}

fn book(error: impl std::fmt::Display) -> Error {
    Error::Book(error.to_string())
}
