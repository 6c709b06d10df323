//! Imports at work: whoever finds one that waits holds its lease and goes on after its cursor.

use std::time::{Duration, Instant};

use bytes::Bytes;
use sea_orm::{DbErr, EntityTrait, QuerySelect, Statement};
use serde_json::json;
use switchboard_exchange::Wrong;
use switchboard_sdk::CancellationToken;

use super::{
    Counts, Kind, Options, State, Tools,
    judge::Rules,
    layout_of,
    plan::{How, World},
    read::{self, Read},
    read_json, store, undo,
    write::rows_of,
};
use crate::{
    connector::lease,
    conversation::rearrange::INTAKE,
    db::{BatchTx, WriteTx, entity::import, is_conflict},
};

/// Another node may have been told to begin one: look this often.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often a batch is tried that others were in the way of.
const TRIES: u32 = 8;
/// Wrong rows of a check that are kept; the rest is counted.
const KEPT_WRONG: u64 = 10_000;
/// How often files that nobody took in are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);

/// Why an import stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its file cannot be read: it has failed.
    #[error(transparent)]
    File(#[from] read::Error),
    /// Its file is gone: it has failed.
    #[error("the file is gone")]
    Gone,
    /// The database or the storage failed: it goes on later.
    #[error(transparent)]
    Db(#[from] DbErr),
    /// The storage failed: it goes on later.
    #[error(transparent)]
    Storage(#[from] crate::storage::Error),
}

/// Works on imports until `stop`.
pub async fn run(tools: Tools, stop: CancellationToken) {
    let mut swept = Instant::now();
    loop {
        if let Err(error) = look(&tools, &stop).await {
            tracing::warn!(%error, "an import could not go on; it will be tried again");
        }
        if swept.elapsed() > SWEEP_EVERY {
            swept = Instant::now();
            if let Err(error) = store::sweep(&tools.db, &tools.storage, tools.clock.now()).await {
                tracing::warn!(%error, "files that nobody takes in could not be removed");
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = asked() => {}
        }
    }
}

/// Told when an import was begun in this process.
static ASKED: tokio::sync::Notify = tokio::sync::Notify::const_new();

async fn asked() {
    ASKED.notified().await;
}

/// An import was begun: no need to wait for the next look.
pub fn wake() {
    ASKED.notify_one();
}

async fn look(tools: &Tools, stop: &CancellationToken) -> Result<(), Error> {
    for row in store::work(tools.db.read()).await? {
        if stop.is_cancelled() {
            return Ok(());
        }
        let name = lease_name(&row.id);
        if !lease::hold(&tools.db, &name, &tools.node, tools.clock.now()).await? {
            continue;
        }
        let worked = work(tools, &row.id, stop, &mut |_| ()).await;
        lease::release(&tools.db, &name, &tools.node).await?;
        match worked {
            Ok(()) => {}
            Err(error @ (Error::File(_) | Error::Gone)) => fail(tools, &row.id, &error.to_string()).await?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn lease_name(id: &str) -> String {
    format!("import:{id}")
}

/// How an import goes on, told after each batch.
#[derive(Debug)]
pub struct Progress<'a> {
    /// What became of the rows so far.
    pub counts: &'a Counts,
    /// The wrong rows of this batch: their lines, and what is wrong.
    pub wrong: Vec<(i64, Vec<Wrong>)>,
}

/// Takes an import to its end, however far it was. Whoever calls holds its lease.
pub async fn work(
    tools: &Tools,
    id: &str,
    stop: &CancellationToken,
    tell: &mut (dyn FnMut(Progress<'_>) + Send),
) -> Result<(), Error> {
    let Some(row) = import::Entity::find_by_id(id).one(tools.db.read()).await? else {
        return Ok(());
    };
    match State::parse(&row.state) {
        State::Undoing => undo::work(tools, row, stop).await?,
        State::Checking | State::Running => take_in(tools, row, stop, tell).await?,
        _ => {}
    }
    Ok(())
}

async fn take_in(
    tools: &Tools,
    row: import::Model,
    stop: &CancellationToken,
    tell: &mut (dyn FnMut(Progress<'_>) + Send),
) -> Result<(), Error> {
    let key = row.storage_key.clone().ok_or(Error::Gone)?;
    let bytes = match tools.storage.get(&key).await {
        Ok(bytes) => bytes,
        Err(crate::storage::Error::Missing) => return Err(Error::Gone),
        Err(error) => return Err(error.into()),
    };
    let mut job = Job::new(tools, row, bytes).await?;
    while let Some(batch) = job.rows.recv().await {
        if stop.is_cancelled() || !job.keep_lease().await? {
            return Ok(());
        }
        let batch = batch?;
        if !job.batch(batch, tell).await? {
            return Ok(());
        }
    }
    job.end().await
}

/// An import at work.
struct Job<'a> {
    tools: &'a Tools,
    row: import::Model,
    options: Options,
    /// Nothing is written but what is wrong.
    dry: bool,
    counts: Counts,
    cursor: i64,
    rows: tokio::sync::mpsc::Receiver<Result<Vec<Read>, read::Error>>,
    /// What is known; of a check all that it would have made as well.
    world: World,
    renewed: Instant,
}

impl<'a> Job<'a> {
    async fn new(tools: &'a Tools, row: import::Model, bytes: Bytes) -> Result<Self, Error> {
        let layout = layout_of(&row).ok_or(Error::Gone)?;
        let options: Options = read_json(row.options.clone());
        let dry = State::parse(&row.state) == State::Checking;
        // A check that was cut short knows nothing any more of what it would have made: it begins anew.
        let (cursor, counts) = if dry {
            (0, Counts::default())
        } else {
            (row.cursor, read_json(row.counts.clone()))
        };
        if dry && row.cursor > 0 {
            let write = tools.db.write().await?;
            store::check_again(&write, &row.id, tools.clock.now()).await?;
            write.commit().await?;
        }
        let kind = Kind::parse(&row.kind).unwrap_or_default();
        let mapping = read_json(row.mapping.clone());
        let world = World {
            rules: Rules::load(tools.db.read(), kind, &options, &mapping).await?,
            ..World::default()
        };
        let rows = read::batches(bytes, layout, mapping, options.reading(kind), cursor);
        Ok(Self {
            tools,
            row,
            options,
            dry,
            counts,
            cursor,
            rows,
            world,
            renewed: Instant::now(),
        })
    }

    /// Answers false when another node has taken over.
    async fn keep_lease(&mut self) -> Result<bool, Error> {
        if self.renewed.elapsed() < lease::RENEW_EVERY {
            return Ok(true);
        }
        self.renewed = Instant::now();
        let now = self.tools.clock.now();
        Ok(lease::hold(&self.tools.db, &lease_name(&self.row.id), &self.tools.node, now).await?)
    }

    /// One batch, one transaction; tried again when somebody was in the way. Answers false when the import is not to go
    /// on: it was cancelled, or somebody else went on with it.
    async fn batch(
        &mut self,
        rows: Vec<Read>,
        tell: &mut (dyn FnMut(Progress<'_>) + Send),
    ) -> Result<bool, Error> {
        let mut tries = 0;
        loop {
            match self.attempt(rows.clone()).await {
                Ok(None) => return Ok(false),
                Ok(Some((counts, wrong))) => {
                    self.counts = counts;
                    self.cursor = rows.last().map_or(self.cursor, |row| row.row_no);
                    tell(Progress {
                        counts: &self.counts,
                        wrong,
                    });
                    return Ok(true);
                }
                Err(error) if is_conflict(&error) && tries < TRIES && !self.dry => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(20 << tries)).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn attempt(&mut self, rows: Vec<Read>) -> Result<Option<(Counts, Vec<(i64, Vec<Wrong>)>)>, DbErr> {
        if !self.dry {
            // What others wrote since the last batch counts.
            self.world = World {
                rules: std::mem::take(&mut self.world.rules),
                ..World::default()
            };
        }
        let now = self.tools.clock.now();
        let mut write = self.tools.db.batch().await?;
        write.lock(INTAKE).await?;
        if !self.is_here(&write).await? {
            return Ok(None);
        }
        let last = rows.last().map_or(self.cursor, |row| row.row_no);
        self.world.load(&write, &rows).await?;
        let how = How {
            import_id: &self.row.id,
            options: &self.options,
            now,
        };
        let mut changes = self.world.take(rows, &how);
        let failed = changes.rows.iter().filter(|row| row.outcome == "failed");
        let wrong = failed
            .map(|row| (row.line, row.errors.clone().map(read_json).unwrap_or_default()))
            .collect();
        let counts = self.counts.plus(&changes.counts);
        if self.dry {
            let room = KEPT_WRONG.saturating_sub(self.counts.failed);
            let failed = std::mem::take(&mut changes.rows)
                .into_iter()
                .filter(|row| row.outcome == "failed");
            rows_of(
                &mut write,
                failed.take(usize::try_from(room).unwrap_or(0)).collect(),
            )
            .await?;
        } else {
            self.world.flush(&mut write, changes, &how).await?;
        }
        let sql = "UPDATE \"import\" SET \"cursor\" = $1, counts = $2, updated_at = $3 WHERE id = $4";
        let values = [
            last.into(),
            json!(counts).into(),
            now.into(),
            self.row.id.clone().into(),
        ];
        write
            .execute(Statement::from_sql_and_values(write.backend(), sql, values))
            .await?;
        write.commit().await?;
        Ok(Some((counts, wrong)))
    }

    /// Whether the import is still where this job left it.
    async fn is_here(&self, write: &BatchTx) -> Result<bool, DbErr> {
        let row = import::Entity::find_by_id(&self.row.id)
            .lock_exclusive()
            .one(&write.read())
            .await?;
        let begun_anew = self.dry && self.cursor == 0;
        Ok(row.is_some_and(|row| row.state == self.row.state && (begun_anew || row.cursor == self.cursor)))
    }

    /// Everything is in: the file has done its duty, and is somebody's address book.
    async fn end(self) -> Result<(), Error> {
        let state = if self.dry { State::Checked } else { State::Done };
        let write = self.tools.db.write().await?;
        let ended = store::end(&write, &self.row, self.cursor, state, self.tools.clock.now()).await?;
        write.commit().await?;
        if ended && !self.dry {
            forget_file(self.tools, &self.row).await;
        }
        if ended {
            tracing::info!(import.id = self.row.id, state = state.as_str(), "an import ended");
        }
        Ok(())
    }
}

impl Counts {
    fn plus(&self, more: &Self) -> Self {
        Self {
            rows: self.rows + more.rows,
            created: self.created + more.created,
            updated: self.updated + more.updated,
            skipped: self.skipped + more.skipped,
            failed: self.failed + more.failed,
            contacts: self.contacts + more.contacts,
            leads: self.leads + more.leads,
            companies: self.companies + more.companies,
            deals: self.deals + more.deals,
            removed: self.removed + more.removed,
            kept: self.kept + more.kept,
        }
    }
}

/// Forgets an import's file; a row that names a file that is gone does no harm.
pub async fn forget_file(tools: &Tools, row: &import::Model) {
    let Some(key) = &row.storage_key else { return };
    if let Err(error) = tools.storage.delete(key).await {
        tracing::warn!(import.id = row.id, %error, "the file of an import could not be removed");
    }
}

async fn fail(tools: &Tools, id: &str, reason: &str) -> Result<(), DbErr> {
    let write = tools.db.write().await?;
    store::fail(&write, id, reason, tools.clock.now()).await?;
    write.commit().await
}

/// Makes an import this process's own in the transaction that begins it, so that no server takes it up in between;
/// for the command line, which goes on with [`work_alone`].
///
/// # Errors
/// When the database fails.
pub async fn claim(write: &WriteTx, tools: &Tools, id: &str) -> Result<bool, DbErr> {
    lease::hold_in(write, &lease_name(id), &tools.node, tools.clock.now()).await
}

/// Takes in an import that was claimed.
///
/// # Errors
/// When it cannot be read or stored. What is in stays, and a server that runs goes on with it.
pub async fn work_alone(
    tools: &Tools,
    id: &str,
    tell: &mut (dyn FnMut(Progress<'_>) + Send),
) -> Result<(), Error> {
    let worked = work(tools, id, &CancellationToken::new(), tell).await;
    lease::release(&tools.db, &lease_name(id), &tools.node).await?;
    if let Err(error @ (Error::File(_) | Error::Gone)) = &worked {
        fail(tools, id, &error.to_string()).await?;
    }
    worked
}
