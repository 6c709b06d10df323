//! The one writer: takes what has gathered, stores it together, answers everybody.

use std::time::{Duration, Instant};

use sea_orm::{DbBackend, DbErr};
use switchboard_sdk::{CancellationToken, Content, Outcome, Receipt};
use tokio::sync::{mpsc, oneshot};

use super::{
    Error, Job,
    batch::{self, Repeats, Work},
    prepare::{self, Prepared, PreparedBody},
};
use crate::{
    clock::SharedClock,
    db::{self, Db},
    storage::Storage,
    telemetry::metrics::{Counter, Timer},
};

/// Events stored in one transaction at most.
const MAX_EVENTS: usize = 512;
/// How often a batch that lost a race is tried again.
const TRIES: u32 = 5;

/// Runs until `stop` fires and the queue is empty: what was taken in is stored before the end.
pub(super) async fn run(
    db: Db,
    storage: Storage,
    clock: SharedClock,
    mut jobs: mpsc::Receiver<Job>,
    stop: CancellationToken,
) {
    loop {
        let first = tokio::select! {
            biased;
            job = jobs.recv() => job,
            () = stop.cancelled() => {
                jobs.close();
                jobs.recv().await
            }
        };
        let Some(first) = first else { return };
        let (works, answers) = gather(first, &mut jobs);
        let begun = Instant::now();
        let results = store_or_quarantine(&db, &storage, &clock, works).await;
        Timer::IngestCommit.record(begun.elapsed(), &[]);
        count(&results);
        for (answer, result) in answers.into_iter().zip(results) {
            // Whoever asked may have gone (a closed connection); what is stored stays stored.
            drop(answer.send(result));
        }
    }
}

fn count(results: &[Result<Receipt, Error>]) {
    let (mut stored, mut known, mut quarantined, mut failed) = (0, 0, 0, 0);
    for result in results {
        match result {
            Err(_) => failed += 1,
            Ok(receipt) => {
                for outcome in &receipt.outcomes {
                    match outcome {
                        Outcome::Stored { .. } => stored += 1,
                        Outcome::Duplicate { .. } => known += 1,
                        Outcome::Quarantined { .. } => quarantined += 1,
                    }
                }
            }
        }
    }
    for (outcome, count) in [
        ("stored", stored),
        ("duplicate", known),
        ("quarantined", quarantined),
        ("failed", failed),
    ] {
        if count > 0 {
            Counter::InboundEvents.add(count, &[("outcome", outcome.to_owned())]);
        }
    }
}

type Answer = oneshot::Sender<Result<Receipt, Error>>;

fn gather(first: Job, jobs: &mut mpsc::Receiver<Job>) -> (Vec<Work>, Vec<Answer>) {
    let mut works = Vec::new();
    let mut answers = Vec::new();
    let mut events = 0;
    let mut next = Some(first);
    while let Some(job) = next.take() {
        events += job.events.len();
        works.push(Work {
            channel_id: job.channel_id,
            events: job.events,
            cursor: job.cursor,
        });
        answers.push(job.answer);
        if events < MAX_EVENTS {
            next = jobs.try_recv().ok();
        }
    }
    (works, answers)
}

/// Stores the jobs together; when that fails for a reason of one of them, each alone; when one alone
/// fails, each of its events alone, and the one that is to blame goes to quarantine.
async fn store_or_quarantine(
    db: &Db,
    storage: &Storage,
    clock: &SharedClock,
    works: Vec<Work>,
) -> Vec<Result<Receipt, Error>> {
    let error = match store_with_retries(db, clock, &works).await {
        Ok(results) => return results,
        Err(error) => error,
    };
    if !is_data_error(&error) {
        tracing::error!(%error, "the store failed; nothing of this batch was acknowledged");
        let error = Error::from(error);
        return works.iter().map(|_| Err(error.clone())).collect();
    }
    tracing::warn!(%error, jobs = works.len(), "a batch was refused by the store; its events are tried one by one");
    let mut results = Vec::with_capacity(works.len());
    for work in works {
        results.push(store_one_by_one(db, storage, clock, work).await);
    }
    results
}

async fn store_one_by_one(
    db: &Db,
    storage: &Storage,
    clock: &SharedClock,
    work: Work,
) -> Result<Receipt, Error> {
    let mut receipt = Receipt::default();
    for event in work.events {
        let alone = [Work {
            channel_id: work.channel_id.clone(),
            events: vec![event.clone()],
            cursor: None,
        }];
        let result = match store_with_retries(db, clock, &alone).await {
            Err(error) if is_data_error(&error) => {
                let poison = poison(storage, clock, event, &error).await?;
                let alone = [Work {
                    channel_id: work.channel_id.clone(),
                    events: vec![poison],
                    cursor: None,
                }];
                store_with_retries(db, clock, &alone).await
            }
            other => other,
        };
        let stored = result?.pop().unwrap_or(Err(Error::Stopping))?;
        receipt.outcomes.extend(stored.outcomes);
    }
    if work.cursor.is_some() {
        let cursor = [Work {
            channel_id: work.channel_id,
            events: Vec::new(),
            cursor: work.cursor,
        }];
        store_with_retries(db, clock, &cursor).await?;
    }
    Ok(receipt)
}

async fn poison(
    storage: &Storage,
    clock: &SharedClock,
    event: Prepared,
    error: &DbErr,
) -> Result<Prepared, Error> {
    let raw = Content::from(format!("{event:#?}"));
    let body = prepare::keep_poison(
        storage,
        &format!("the store refused it: {error}"),
        raw,
        clock.now(),
    )
    .await?;
    debug_assert!(matches!(body, PreparedBody::Poison { .. }));
    Ok(Prepared {
        external_id: event.external_id,
        at: event.at,
        body,
    })
}

async fn store_with_retries(
    db: &Db,
    clock: &SharedClock,
    works: &[Work],
) -> Result<Vec<Result<Receipt, Error>>, DbErr> {
    // A server's log would show each failure of an index, so only the embedded engine is taken by
    // surprise. Events alone were part of a batch that failed.
    let surprise = db.backend() == DbBackend::Sqlite && works.len() > 1;
    let mut repeats = if surprise {
        Repeats::Unexpected
    } else {
        Repeats::Expected
    };
    let mut tries = 0;
    loop {
        tries += 1;
        match batch::store(db, works, repeats, clock.now()).await {
            Err(error) if repeats == Repeats::Unexpected && db::is_conflict(&error) => {
                repeats = Repeats::Expected;
            }
            Err(error) if tries < TRIES && db::is_conflict(&error) => {
                tracing::debug!(%error, tries, "a batch lost a race and is tried again");
                tokio::time::sleep(Duration::from_millis(5 << tries)).await;
            }
            other => return other,
        }
    }
}

/// Whether the store refused the data, rather than being out of order itself.
fn is_data_error(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => false,
        other => {
            let text = other.to_string();
            ![
                "disk I/O",
                "disk is full",
                "database or disk",
                "readonly",
                "connection",
                "terminat",
                "closed",
                "locked",
            ]
            .iter()
            .any(|sign| text.contains(sign))
        }
    }
}
