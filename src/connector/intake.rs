//! The server's side of the boundary: what a connector delivers goes to ingest, and the answer comes
//! back only after the commit.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::EntityTrait;
use serde_json::Value;
use switchboard_sdk::{Batch, Fault, Intake, Receipt, Typing};

use super::health::Pulse;
use crate::{
    clock::SharedClock,
    conversation,
    db::{Db, entity::channel_cursor},
    ingest::Ingest,
    live::{self, Live},
};

/// The intake of one channel.
#[derive(Clone)]
pub struct ChannelIntake {
    /// `chn_…`
    pub channel_id: String,
    /// Where cursors are read.
    pub db: Db,
    /// Where events go.
    pub ingest: Ingest,
    /// Feeds the channel's health.
    pub pulse: Arc<Pulse>,
    /// Time.
    pub clock: SharedClock,
    /// Tells the sockets who is typing.
    pub live: Live,
}

#[async_trait]
impl Intake for ChannelIntake {
    async fn cursor(&self, name: &str) -> Result<Option<Value>, Fault> {
        let key = (self.channel_id.clone(), name.to_owned());
        let row = channel_cursor::Entity::find_by_id(key).one(self.db.read()).await;
        Ok(row
            .map_err(|error| Fault::temporary(format!("the cursor cannot be read: {error}")))?
            .map(|row| row.value))
    }

    async fn deliver(&self, batch: Batch) -> Result<Receipt, Fault> {
        let receipt = self.ingest.deliver(&self.channel_id, batch).await;
        let receipt =
            receipt.map_err(|error| Fault::temporary(format!("the events could not be stored: {error}")))?;
        self.pulse.success(self.clock.now());
        Ok(receipt)
    }

    fn alive(&self) {
        self.pulse.success(self.clock.now());
    }

    fn behind(&self, oldest: Option<DateTime<Utc>>) {
        self.pulse.behind(oldest);
    }

    fn typing(&self, hint: Typing) {
        let (db, live, channel_id) = (self.db.clone(), self.live.clone(), self.channel_id.clone());
        tokio::spawn(async move { tell_typing(&db, &live, &channel_id, hint).await });
    }

    fn warn(&self, message: String) {
        self.pulse.warn(message);
    }
}

/// How much of an unsent text operators are shown, in characters.
const TYPED_CHARS: usize = 2000;

/// Tells the operators that a customer is typing, when there is a conversation with them.
pub async fn tell_typing(db: &Db, live: &Live, channel_id: &str, hint: Typing) {
    match conversation::store::of_sender(db.read(), channel_id, &hint.from, &hint.thread).await {
        Ok(Some(row)) => live.typing(live::Typing {
            conversation_id: row.id,
            author_type: "contact",
            author_id: row.contact_id,
            author_name: hint.name,
            text: hint.text.map(|text| text.chars().take(TYPED_CHARS).collect()),
        }),
        Ok(None) => {}
        Err(error) => tracing::debug!(channel.id = channel_id, %error, "a typing hint was not told"),
    }
}
