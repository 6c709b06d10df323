//! Trying again what went to quarantine.

use sea_orm::{ActiveModelTrait, DbErr, EntityTrait, Set, Unchanged};
use switchboard_sdk::{Batch, InboundBody, Outcome};

use super::Host;
use crate::{
    db::entity::quarantine,
    event::{EventType, NewEvent},
    ingest, storage,
};

/// Why a replay did not store anything.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such entry.
    #[error("there is no such quarantine entry")]
    NotFound,
    /// The channel is gone, or its settings cannot work, or its connector cannot read raw events.
    #[error("{0}")]
    CannotRead(String),
    /// Tried, and still not understood.
    #[error("still not understood: {0}")]
    StillPoison(String),
    /// The store failed.
    #[error(transparent)]
    Db(#[from] DbErr),
    /// The raw bytes could not be read.
    #[error("the raw bytes could not be read: {0}")]
    Storage(#[from] storage::Error),
    /// It was understood and could not be stored.
    #[error(transparent)]
    Ingest(#[from] ingest::Error),
}

impl Host {
    /// Lets the connector read a quarantined event once more and stores what it makes of it.
    ///
    /// The event is stored under an id of its own (the first one is taken by the quarantine entry), the
    /// same each time: two replays make one message.
    pub async fn replay(&self, quarantine_id: &str) -> Result<Outcome, Error> {
        let parts = self.parts();
        let row = quarantine::Entity::find_by_id(quarantine_id)
            .one(parts.db.read())
            .await?
            .ok_or(Error::NotFound)?;
        if row.storage_key.is_empty() {
            return Err(Error::CannotRead(
                "this change waits for its message and is applied by itself when it comes".to_owned(),
            ));
        }
        let connector = self.connector(&row.channel_id).ok_or_else(|| {
            Error::CannotRead("the channel's settings do not work: correct them first".to_owned())
        })?;
        let raw = parts.storage.content(&row.storage_key).await?;
        let external_id = row.external_id.clone();
        // Spawned: a connector that crashes on these bytes must not take the request with it.
        let read = tokio::task::spawn_blocking(move || connector.reparse(&external_id, raw)).await;
        let event = read.map_err(|_panic| Error::StillPoison("the connector crashed on it".to_owned()))?;
        let mut event = event.ok_or_else(|| {
            Error::CannotRead(
                "this kind of channel cannot read its events again; let the sender repeat it".to_owned(),
            )
        })?;
        if let InboundBody::Poison { reason, .. } = event.body {
            return Err(Error::StillPoison(reason));
        }
        event.external_id = format!("{}#replay", row.external_id);
        let receipt = parts.ingest.deliver(&row.channel_id, Batch::one(event)).await?;
        let outcome = receipt.outcomes.into_iter().next();
        let outcome = outcome.ok_or_else(|| DbErr::Custom("ingest answered nothing".to_owned()))?;
        let now = parts.clock.now();
        let mut write = parts.db.write().await?;
        let done = quarantine::ActiveModel {
            id: Unchanged(row.id.clone()),
            replayed_at: Set(Some(now)),
            ..Default::default()
        };
        done.update(write.tx()).await?;
        write.record(NewEvent::new(EventType::QuarantineUpdated, row.id, now));
        write.commit().await?;
        Ok(outcome)
    }
}
