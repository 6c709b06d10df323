//! From an event to a stored message: one transaction for many.
//!
//! Events wait in a bounded queue; one writer takes what has gathered, stores it in one transaction
//! and answers everybody after the commit. Nobody waits for a timer: while one batch is being synced,
//! the next gathers. What cannot be stored ends in quarantine and never stops what comes after it.

mod batch;
mod call;
mod change;
mod held;
mod html;
mod prepare;
mod rows;
pub mod threading;
mod writer;

use std::{sync::Arc, thread};

use futures_util::{StreamExt, TryStreamExt, stream};
use sea_orm::DbErr;
use switchboard_sdk::{Batch, CancellationToken, Receipt};
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
};

use self::prepare::Prepared;
pub use self::{
    held::approve,
    prepare::{clean_content_type, clean_file_name, clean_line},
};
use crate::{clock::SharedClock, db::Db, storage::Storage};

/// Batches that may wait; a connector that is faster than the disk waits for a place.
const QUEUE: usize = 1024;

/// Events of one batch that are prepared at the same time.
const PREPARED_TOGETHER: usize = 8;

/// The way in. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Ingest {
    queue: mpsc::Sender<Job>,
    storage: Storage,
    clock: SharedClockBox,
}

/// [`SharedClock`] without `Debug` of its own.
#[derive(Clone)]
struct SharedClockBox(SharedClock);

impl std::fmt::Debug for SharedClockBox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

/// Why a batch is not stored. Nothing of it is; deliver it again.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The server is stopping.
    #[error("the server is stopping; try again in a moment")]
    Stopping,
    /// The channel is gone.
    #[error("the channel does not exist any more")]
    NoChannel,
    /// The database failed.
    #[error("the store failed: {0}")]
    Store(Arc<DbErr>),
    /// A file could not be kept.
    #[error("a file could not be stored: {0}")]
    File(String),
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        Self::Store(Arc::new(error))
    }
}

/// What waits in the queue.
#[derive(Debug)]
struct Job {
    channel_id: String,
    events: Vec<Prepared>,
    cursor: Option<switchboard_sdk::Cursor>,
    answer: oneshot::Sender<Result<Receipt, Error>>,
}

impl Ingest {
    /// Makes the way in and starts its writer, which ends when `stop` fires and the queue is empty.
    pub fn start(
        db: Db,
        storage: Storage,
        clock: SharedClock,
        stop: CancellationToken,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let writer = on_own_thread(writer::run(db, storage.clone(), Arc::clone(&clock), jobs, stop));
        (
            Self {
                queue,
                storage,
                clock: SharedClockBox(clock),
            },
            writer,
        )
    }

    /// Stores a batch; resolves after the durable commit of all its events and its cursor.
    pub async fn deliver(&self, channel_id: &str, batch: Batch) -> Result<Receipt, Error> {
        let now = self.clock.0.now();
        // Each file waits for the disk; those of several mails wait together.
        let prepared = batch.events.into_iter().map(|event| {
            let storage = self.storage.clone();
            async move { prepare::prepare(&storage, event, now).await }
        });
        let events: Vec<Prepared> = stream::iter(prepared)
            .buffered(PREPARED_TOGETHER)
            .try_collect()
            .await?;
        self.enqueue(channel_id, events, batch.cursor).await
    }

    async fn enqueue(
        &self,
        channel_id: &str,
        events: Vec<Prepared>,
        cursor: Option<switchboard_sdk::Cursor>,
    ) -> Result<Receipt, Error> {
        let (answer, answered) = oneshot::channel();
        let job = Job {
            channel_id: channel_id.to_owned(),
            events,
            cursor,
            answer,
        };
        self.queue.send(job).await.map_err(|_| Error::Stopping)?;
        answered.await.map_err(|_| Error::Stopping)?
    }
}

/// Runs the writer on a thread of its own. Among the runtime's tasks each of its steps waited behind
/// whoever was ready to run (a batch wakes hundreds of callers), and with it everybody behind it.
async fn on_own_thread(writer: impl Future<Output = ()> + Send + 'static) {
    let (done, ended) = oneshot::channel();
    let runtime = Handle::current();
    let thread = thread::Builder::new().name("ingest".to_owned()).spawn(move || {
        runtime.block_on(writer);
        // Whoever waited may have gone.
        let _gone = done.send(());
    });
    match thread {
        Ok(_) => drop(ended.await),
        Err(error) => tracing::error!(%error, "ingest cannot run: no thread for its writer"),
    }
}
