//! Following the log: read what is new, do the work and move the cursor in one transaction, repeat.

use std::time::Duration;

use async_trait::async_trait;
use sea_orm::{DbErr, EntityTrait, Set, sea_query::OnConflict};
use switchboard_sdk::CancellationToken;

use super::Event;
use crate::{
    clock::SharedClock,
    db::{Db, WriteTx, entity::consumer_cursor, fixed::the_one},
};

/// Events handled in one transaction.
const BATCH: u64 = 500;
/// Events that asked for nothing, before the cursor is stored all the same.
const UNSTORED: i64 = 500;
/// How long to wait after a failure before the same events are tried again.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);
/// How long to gather after the log has grown. Under load each step is a transaction between those of
/// ingest; what follows the log may be this late.
const GATHER: Duration = Duration::from_millis(100);
/// Other nodes write without waking this one: look this often anyway.
const LOOK_ANYWAY: Duration = Duration::from_secs(2);

/// Something that follows the log with a durable cursor.
#[async_trait]
pub trait Consumer: Send + Sync {
    /// What it finds to do about some events.
    type Work: Send;

    /// The name its cursor is kept under.
    fn name(&self) -> &'static str;

    /// Whether it cares; events nobody cares about move the cursor without a write of their own.
    fn wants(&self, event: &Event) -> bool;

    /// What there is to do about these events; nothing, when it is none. Runs before the write begins,
    /// so that reading holds nobody up.
    async fn look(&self, db: &Db, events: &[Event]) -> Result<Option<Self::Work>, DbErr>;

    /// Does it inside `write`. Runs again with the work of the same events after a crash before the
    /// commit, never after it.
    async fn handle(&self, write: &mut WriteTx, work: Self::Work) -> Result<(), DbErr>;

    /// Runs after the commit of what was handled: to wake whoever waits for it.
    fn handled(&self) {}
}

/// Runs a consumer until `stop`.
pub async fn run(db: Db, clock: SharedClock, consumer: impl Consumer, stop: CancellationToken) {
    let mut head = db.head();
    let mut passed = 0;
    loop {
        match step(&db, &clock, &consumer, &mut passed).await {
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
        let grown = async {
            if head.changed().await.is_ok() {
                tokio::time::sleep(GATHER).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = grown => {}
            () = tokio::time::sleep(LOOK_ANYWAY) => {}
        }
        // What came while gathering is read now.
        head.mark_unchanged();
    }
}

/// Handles one batch; answers whether there may be more. `passed` is the caller's memory of events that
/// asked for nothing and are behind it, though the stored cursor is not.
pub async fn step<C: Consumer>(
    db: &Db,
    clock: &SharedClock,
    consumer: &C,
    passed: &mut i64,
) -> Result<bool, DbErr> {
    let cursor = the_one(consumer_cursor::Entity::find_by_id(consumer.name()), db.read()).await?;
    let stored = cursor.map_or(0, |row| row.seq);
    let events = super::after(db.read(), stored.max(*passed), BATCH).await?;
    let Some(last) = events.last().map(|event| event.seq) else {
        return Ok(false);
    };
    let full = events.len() as u64 == BATCH;
    let wanted: Vec<Event> = events.into_iter().filter(|event| consumer.wants(event)).collect();
    let work = if wanted.is_empty() {
        None
    } else {
        consumer.look(db, &wanted).await?
    };
    // Moving the cursor over nothing is worth a write only now and then.
    if work.is_none() && last - stored < UNSTORED {
        *passed = last;
        return Ok(full);
    }
    let mut write = db.write().await?;
    let worked = work.is_some();
    if let Some(work) = work {
        consumer.handle(&mut write, work).await?;
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
    if worked {
        consumer.handled();
    }
    *passed = last;
    Ok(full)
}
