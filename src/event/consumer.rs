//! Following the log: read what is new, do the work and move the cursor in one transaction, repeat.

use std::time::Duration;

use async_trait::async_trait;
use sea_orm::{DbErr, EntityTrait, Set, sea_query::OnConflict};
use switchboard_sdk::CancellationToken;

use super::Event;
use crate::{
    clock::SharedClock,
    db::{Db, WriteTx, entity::consumer_cursor},
};

/// Events handled in one transaction.
const BATCH: u64 = 500;
/// How long to wait after a failure before the same events are tried again.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);
/// Other nodes write without waking this one: look this often anyway.
const LOOK_ANYWAY: Duration = Duration::from_secs(2);

/// Something that follows the log with a durable cursor.
#[async_trait]
pub trait Consumer: Send + Sync {
    /// The name its cursor is kept under.
    fn name(&self) -> &'static str;

    /// Whether it cares; events nobody cares about move the cursor without a write of their own.
    fn wants(&self, event: &Event) -> bool;

    /// Does the work of these events inside `write`. Runs again with the same events after a crash
    /// before the commit, never after it.
    async fn handle(&self, write: &mut WriteTx, events: &[Event]) -> Result<(), DbErr>;
}

/// Runs a consumer until `stop`.
pub async fn run(db: Db, clock: SharedClock, consumer: impl Consumer, stop: CancellationToken) {
    let mut head = db.head();
    loop {
        match step(&db, &clock, &consumer).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => {
                tracing::error!(consumer = consumer.name(), %error, "a follower of the log failed; it will try again");
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(PAUSE_AFTER_FAILURE) => continue,
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            _ = head.changed() => {}
            () = tokio::time::sleep(LOOK_ANYWAY) => {}
        }
    }
}

/// Handles one batch; answers whether there may be more.
pub async fn step(db: &Db, clock: &SharedClock, consumer: &impl Consumer) -> Result<bool, DbErr> {
    let cursor = consumer_cursor::Entity::find_by_id(consumer.name())
        .one(db.read())
        .await?;
    let from = cursor.map_or(0, |row| row.seq);
    let events = super::after(db.read(), from, BATCH).await?;
    let Some(last) = events.last().map(|event| event.seq) else {
        return Ok(false);
    };
    let full = events.len() as u64 == BATCH;
    let wanted: Vec<Event> = events.into_iter().filter(|event| consumer.wants(event)).collect();
    // Moving the cursor over nothing is worth a write only now and then.
    if wanted.is_empty() && !full && last - from < 200 {
        return Ok(false);
    }
    let mut write = db.write().await?;
    if !wanted.is_empty() {
        consumer.handle(&mut write, &wanted).await?;
    }
    let row = consumer_cursor::ActiveModel {
        name: Set(consumer.name().to_owned()),
        seq: Set(last),
        updated_at: Set(clock.now()),
    };
    consumer_cursor::Entity::insert(row)
        .on_conflict(
            OnConflict::column(consumer_cursor::Column::Name)
                .update_columns([consumer_cursor::Column::Seq, consumer_cursor::Column::UpdatedAt])
                .to_owned(),
        )
        .exec_without_returning(write.tx())
        .await?;
    write.commit().await?;
    Ok(full)
}
