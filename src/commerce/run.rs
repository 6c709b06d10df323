//! Files at work: whoever finds one that is whole holds its exchange's lease and goes on after its cursor.

use std::time::{Duration, Instant};

use sea_orm::DbErr;
use serde_json::json;
use switchboard_exchange::commerce::{Broken, Item, Unfit};
use switchboard_sdk::CancellationToken;

use super::{
    Counts, Options, State, Tools,
    orders::Outcome,
    parties::{Fault, Step},
    read::{self, Numbered, Parts},
    store::{self, MAX_FAULTS},
    turn::{claim, fail, put_off, unpacked},
    unpack,
};
use crate::{
    connector::lease,
    conversation::rearrange::INTAKE,
    db::{
        entity::{commerce_exchange, commerce_fault, commerce_file},
        is_conflict, is_unique_violation,
    },
    deal::pipeline::{self, Pipeline},
    event::{EventType, NewEvent},
    storage,
};

/// Another node may have been told of one, and silence makes no noise: look this often.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often old files are forgotten.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);
/// How often a batch is tried that others were in the way of.
const TRIES: u32 = 8;

/// Why a file stopped.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// It cannot be read: it has failed.
    #[error("{0}")]
    File(String),
    /// Its end did not come, and nobody said that it is whole.
    #[error("the file is cut off")]
    Unfinished,
    /// The database failed: it goes on later.
    #[error(transparent)]
    Db(#[from] DbErr),
    /// The storage failed: it goes on later.
    #[error(transparent)]
    Storage(storage::Error),
    /// A thread was lost: it goes on later.
    #[error(transparent)]
    Thread(#[from] tokio::task::JoinError),
    /// The disk failed: it goes on later.
    #[error(transparent)]
    Io(std::io::Error),
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::NotFound {
            Self::File("a part of the file is gone: begin the exchange again".to_owned())
        } else {
            Self::Io(error)
        }
    }
}

impl From<storage::Error> for Error {
    fn from(error: storage::Error) -> Self {
        match error {
            storage::Error::Missing => std::io::Error::from(std::io::ErrorKind::NotFound).into(),
            other => Self::Storage(other),
        }
    }
}

impl From<Broken> for Error {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Io(error) => error.into(),
            Broken::CutOff => Self::Unfinished,
            other => Self::File(other.to_string()),
        }
    }
}

/// Works on files until `stop`.
pub async fn run(tools: Tools, stop: CancellationToken) {
    let mut swept = Instant::now();
    loop {
        match look(&tools, &stop).await {
            // There may be more than one look takes.
            Ok(true) if !stop.is_cancelled() => continue,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "files of 1C could not be looked for; it will be tried again")
            }
        }
        if swept.elapsed() > SWEEP_EVERY {
            swept = Instant::now();
            if let Err(error) = store::sweep(&tools.db, tools.clock.now()).await {
                tracing::warn!(%error, "old files of 1C could not be forgotten");
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = tools.bell.asked() => {}
        }
    }
}

/// Whether anything came to its end.
async fn look(tools: &Tools, stop: &CancellationToken) -> Result<bool, Error> {
    let mut ended = false;
    for file in store::work(tools.db.read(), tools.clock.now()).await? {
        if stop.is_cancelled() {
            return Ok(false);
        }
        let name = format!("commerce:{}", file.exchange_id);
        if !lease::hold(&tools.db, &name, &tools.node, tools.clock.now()).await? {
            continue;
        }
        let worked = Job::work(tools, &file, &name, stop).await;
        lease::release(&tools.db, &name, &tools.node).await?;
        match worked {
            Ok(over) => ended |= over,
            Err(Error::File(reason)) => {
                fail(tools, &file.id, &reason).await?;
                ended = true;
            }
            Err(Error::Unfinished) => ended |= put_off(tools, &file.id).await?,
            // The files of others go on.
            Err(error) => {
                tracing::warn!(commerce_file.id = file.id, %error, "a file of 1C could not go on; it will be tried again");
            }
        }
        tools.bell.moved();
    }
    Ok(ended)
}

/// A file at work.
struct Job<'a> {
    tools: &'a Tools,
    exchange: commerce_exchange::Model,
    options: Options,
    pipeline: Option<Pipeline>,
    file_id: &'a str,
    cursor: i64,
    counts: Counts,
    lease: &'a str,
    renewed: Instant,
}

impl<'a> Job<'a> {
    /// Takes a file to its end, however far it was; answers whether it came there.
    async fn work(
        tools: &'a Tools,
        found: &'a commerce_file::Model,
        lease: &'a str,
        stop: &CancellationToken,
    ) -> Result<bool, Error> {
        let Some(file) = claim(tools, &found.id).await? else {
            return Ok(false);
        };
        let Some(exchange) = store::find(tools.db.read(), &file.exchange_id).await? else {
            return Ok(false);
        };
        let keys = store::parts(tools.db.read(), &file.id).await?;
        if let Some(first) = keys.first()
            && tools.storage.get_first(first, 4).await?.starts_with(unpack::MARK)
        {
            unpacked(tools, &file, keys).await?;
            return Ok(true);
        }
        let options = Options::read(&exchange.options);
        let pipelines = pipeline::list(tools.db.read()).await?;
        let chosen = options.pipeline_id.as_ref();
        let chosen = chosen.and_then(|id| pipelines.iter().find(|pipeline| pipeline.id == *id));
        let pipeline = chosen.or_else(|| pipelines.first()).cloned();
        let parts = Parts::new(tools.storage.clone(), keys);
        let mut batches = read::batches(parts, options.region.clone(), file.cursor);
        let mut job = Self {
            tools,
            exchange,
            options,
            pipeline,
            file_id: &found.id,
            cursor: file.cursor,
            counts: Counts::read(&file.counts),
            lease,
            renewed: Instant::now(),
        };
        while let Some(batch) = batches.recv().await {
            if stop.is_cancelled() || !job.keep_lease().await? {
                return Ok(false);
            }
            if !job.batch(&batch?).await? {
                return Ok(false);
            }
            tools.bell.moved();
        }
        job.end().await
    }

    async fn keep_lease(&mut self) -> Result<bool, DbErr> {
        if self.renewed.elapsed() < lease::RENEW_EVERY {
            return Ok(true);
        }
        self.renewed = Instant::now();
        lease::hold(
            &self.tools.db,
            self.lease,
            &self.tools.node,
            self.tools.clock.now(),
        )
        .await
    }

    /// Takes some things in at once; where one of them cannot be, each for itself. Answers whether the file is still ours.
    async fn batch(&mut self, items: &[Numbered]) -> Result<bool, DbErr> {
        match self.patiently(items).await {
            Ok(here) => return Ok(here),
            Err(Fault::Db(error)) => return Err(error),
            Err(Fault::Unfit(_)) => {}
        }
        for one in items {
            let here = match self.patiently(std::slice::from_ref(one)).await {
                Ok(here) => here,
                Err(Fault::Db(error)) => return Err(error),
                Err(Fault::Unfit(reason)) => self.refuse(one, &reason).await?,
            };
            if !here {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Again where others were in the way: by hand somebody made the very company at the same moment.
    async fn patiently(&mut self, items: &[Numbered]) -> Result<bool, Fault> {
        let mut tries = 0;
        loop {
            match self.attempt(items).await {
                Err(Fault::Db(error))
                    if tries < TRIES && (is_conflict(&error) || is_unique_violation(&error)) =>
                {
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(20 << tries)).await;
                }
                done => return done,
            }
        }
    }

    async fn attempt(&mut self, items: &[Numbered]) -> Result<bool, Fault> {
        let now = self.tools.clock.now();
        let mut write = self.tools.db.write().await?;
        write.lock(INTAKE).await?;
        let Some(mut row) = self.ours(&write).await? else {
            return Ok(false);
        };
        let mut step = Step {
            write: &mut write,
            exchange_id: &self.exchange.id,
            options: &self.options,
            now,
            counts: self.counts,
            addresses: None,
        };
        let mut refused = Vec::new();
        for one in items {
            if let Some(fault) = self.one(&mut step, one).await? {
                step.counts.failed += 1;
                refused.push(fault);
            }
        }
        let counts = step.counts;
        let mut room = MAX_FAULTS.saturating_sub(self.counts.failed);
        for fault in refused {
            if room > 0 {
                room -= 1;
                store::insert_fault(&write, fault).await?;
            }
        }
        row.cursor = items.last().map_or(self.cursor, |one| one.number);
        row.counts = json!(counts);
        let cursor = row.cursor;
        store::replace_file(&write, row).await?;
        write.commit().await?;
        self.cursor = cursor;
        self.counts = counts;
        Ok(true)
    }

    /// Takes one thing in; answers why it cannot be read.
    async fn one(&self, step: &mut Step<'_>, one: &Numbered) -> Result<Option<commerce_fault::Model>, Fault> {
        match &one.item {
            Item::Order(order) => {
                step.counts.orders += 1;
                let Some(pipeline) = self.pipeline.as_ref().filter(|_| self.options.orders) else {
                    step.counts.skipped += 1;
                    return Ok(None);
                };
                match step.order(order, pipeline).await? {
                    Outcome::Created => step.counts.created += 1,
                    Outcome::Updated => step.counts.updated += 1,
                    Outcome::Unchanged => step.counts.unchanged += 1,
                    Outcome::Removed => step.counts.skipped += 1,
                }
            }
            Item::Party(party) => {
                step.counts.parties += 1;
                if !self.options.parties {
                    step.counts.skipped += 1;
                    return Ok(None);
                }
                let before = step.counts;
                let (who, changed) = step.party(party).await?;
                let made = step.counts.companies > before.companies || step.counts.contacts > before.contacts;
                match (who, changed) {
                    (super::parties::Who::Removed, _) => step.counts.skipped += 1,
                    (_, false) => step.counts.unchanged += 1,
                    (_, true) if made => step.counts.created += 1,
                    (_, true) => step.counts.updated += 1,
                }
            }
            Item::Other => step.counts.skipped += 1,
            Item::Unfit { known_as, why } => {
                if matches!(why, Unfit::NoName) {
                    step.counts.parties += 1;
                } else {
                    step.counts.orders += 1;
                }
                return Ok(Some(self.fault(one.number, known_as, &why.to_string())));
            }
        }
        Ok(None)
    }

    fn fault(&self, number: i64, known_as: &str, reason: &str) -> commerce_fault::Model {
        commerce_fault::Model {
            file_id: self.file_id.to_owned(),
            number,
            known_as: known_as.to_owned(),
            reason: reason.chars().take(500).collect(),
        }
    }

    /// Notes that one thing could not be taken in, and goes on after it.
    async fn refuse(&mut self, one: &Numbered, reason: &str) -> Result<bool, DbErr> {
        let known_as = match &one.item {
            Item::Order(order) => order.number.clone().unwrap_or_else(|| order.id.clone()),
            Item::Party(party) => party.id.clone().unwrap_or_default(),
            Item::Unfit { known_as, .. } => known_as.clone(),
            Item::Other => String::new(),
        };
        let write = self.tools.db.write().await?;
        let Some(mut row) = self.ours(&write).await? else {
            return Ok(false);
        };
        let mut counts = self.counts;
        match &one.item {
            Item::Party(_) => counts.parties += 1,
            _ => counts.orders += 1,
        }
        if counts.failed < MAX_FAULTS {
            let known_as: String = known_as.chars().take(100).collect();
            store::insert_fault(&write, self.fault(one.number, &known_as, reason)).await?;
        }
        counts.failed += 1;
        row.cursor = one.number;
        row.counts = json!(counts);
        store::replace_file(&write, row).await?;
        write.commit().await?;
        self.cursor = one.number;
        self.counts = counts;
        Ok(true)
    }

    /// The file, when it is still where this job left it.
    async fn ours(&self, write: &crate::db::WriteTx) -> Result<Option<commerce_file::Model>, DbErr> {
        let row = store::hold_file(write, self.file_id).await?;
        Ok(row.filter(|row| row.state == State::Waiting.as_str() && row.cursor == self.cursor))
    }

    /// Everything is in: the file has done its duty, and is somebody's address book.
    async fn end(self) -> Result<bool, Error> {
        let now = self.tools.clock.now();
        let mut write = self.tools.db.write().await?;
        let Some(mut row) = self.ours(&write).await? else {
            return Ok(false);
        };
        let keys = store::forget_parts(&write, &row.id).await?;
        row.state = State::Done.as_str().to_owned();
        row.finished_at = Some(now);
        row.due_at = None;
        store::replace_file(&write, row).await?;
        if let Some(mut exchange) = store::hold(&write, &self.exchange.id).await? {
            exchange.last_success_at = Some(now);
            store::replace(&write, exchange).await?;
        }
        write.record(NewEvent::new(EventType::CommerceUpdated, &self.exchange.id, now));
        write.commit().await?;
        store::forget_bytes(&self.tools.storage, &keys).await;
        Ok(true)
    }
}
