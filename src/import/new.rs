//! A file that was uploaded: recognised, counted, as the row of an import.

use std::ops::ControlFlow;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::json;
use sha2::{Digest, Sha256};
use switchboard_exchange::{Field, Head, Layout, Mapping, Unreadable, guess::is_deals};

use super::{Counts, Kind, Options, State};
use crate::{db::entity::import, id, storage};

/// Rows that are looked at to guess.
const HEAD: usize = 20;

/// A file that can be read.
#[derive(Debug, Clone)]
pub struct File {
    /// Its name.
    pub name: String,
    /// How it is read.
    pub layout: Layout,
    /// Its beginning.
    pub head: Head,
    /// Its rows.
    pub total: i64,
    size: i64,
    hash: String,
}

impl File {
    /// Recognises a file.
    ///
    /// # Errors
    /// When it is none that we read.
    pub async fn read(name: String, bytes: Bytes) -> Result<Self, Unreadable> {
        let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        let work = tokio::task::spawn_blocking(move || {
            let hash = hex::encode(Sha256::digest(&bytes));
            let layout = Layout::of(&bytes)?;
            let (head, total) = count(&bytes, &layout)?;
            Ok::<_, Unreadable>((hash, layout, head, total))
        });
        let (hash, layout, head, total) = work
            .await
            .map_err(|error| Unreadable::Broken(error.to_string()))??;
        Ok(Self {
            name,
            layout,
            head,
            total,
            size,
            hash,
        })
    }

    /// What its rows may be.
    pub fn suggested_kind(&self) -> Kind {
        if is_deals(&self.head.columns) {
            Kind::Deals
        } else {
            Kind::Leads
        }
    }

    /// The import of this file, with what its columns suggest.
    pub fn row(&self, kind: Kind, now: DateTime<Utc>) -> import::Model {
        let id = id::new(id::Kind::Import, now);
        import::Model {
            storage_key: Some(storage::key(&id)),
            id,
            kind: kind.as_str().to_owned(),
            state: State::Draft.as_str().to_owned(),
            file_name: self.name.clone(),
            size: self.size,
            hash: self.hash.clone(),
            total: self.total,
            layout: json!(self.layout),
            columns: json!(self.head.columns),
            mapping: json!(guess(kind, &self.head.columns)),
            options: json!(Options::default()),
            cursor: 0,
            counts: json!(Counts::default()),
            error: None,
            operator_id: None,
            version: 1,
            created_at: now,
            updated_at: now,
            started_at: None,
            ended_at: None,
        }
    }
}

/// What the names of columns suggest, by what rows become.
pub fn guess(kind: Kind, columns: &[String]) -> Mapping {
    match kind {
        Kind::Deals => Mapping::guess_deals(columns),
        Kind::Leads | Kind::Contacts => Mapping::guess(columns),
    }
}

/// Whether a field can be filled where rows become this. Fields of leads are passed over where rows become contacts.
pub fn suits(field: &Field, kind: Kind) -> bool {
    match kind {
        Kind::Deals => !field.is_of_lead(),
        Kind::Leads | Kind::Contacts => !field.is_of_deal(),
    }
}

/// The mapping after rows were to become something else: what nobody touched is guessed anew, else what still suits
/// stays.
pub fn remapped(mapping: Mapping, was: Kind, kind: Kind, columns: &[String]) -> Mapping {
    if mapping == guess(was, columns) {
        return guess(kind, columns);
    }
    let stays = mapping.0.into_iter();
    Mapping(stays.filter(|target| suits(&target.field, kind)).collect())
}

/// The beginning of a file under another layout, and the number of its rows.
///
/// # Errors
/// When it cannot be read so.
pub async fn look(bytes: Bytes, layout: Layout) -> Result<(Head, i64), Unreadable> {
    let work = tokio::task::spawn_blocking(move || count(&bytes, &layout));
    work.await
        .map_err(|error| Unreadable::Broken(error.to_string()))?
}

fn count(bytes: &[u8], layout: &Layout) -> Result<(Head, i64), Unreadable> {
    let mut total = 0;
    layout.rows(bytes, &mut |_| {
        total += 1;
        ControlFlow::Continue(())
    })?;
    Ok((layout.head(bytes, HEAD)?, total))
}

/// Whether telephone numbers can be of this country.
pub fn is_region(word: &str) -> bool {
    word.parse::<phonenumber::country::Id>().is_ok()
}
