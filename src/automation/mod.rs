//! What happens by itself when time passes: lines greet, say that they are closed or that nobody answered,
//! move, return and end sessions; shifts begin and end; operators are reminded of their tasks; companies
//! that were made or changed get the keys by which they are found to be alike.

pub mod closed;
pub mod greet;
pub mod shifts;
pub mod silence;
mod store;
pub mod unanswered;
pub mod voice;

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::DbErr;
use switchboard_sdk::CancellationToken;

pub use self::voice::Voice;
use crate::{clock::SharedClock, company::keys, db::Db, routing::timers, task::remind};

/// How often the timers are looked at.
const TICK: Duration = Duration::from_secs(1);
/// Who waits on a closed line is told when they write; every so many ticks it is looked who is left.
const SWEEP_EVERY: u64 = 10;

/// Runs until `stop`.
pub async fn run(db: Db, clock: SharedClock, voice: Voice, stop: CancellationToken) {
    for count in 0_u64.. {
        if let Err(error) = tick(&db, &voice, clock.now()).await {
            tracing::error!(%error, "the timers of the lines failed; they will be tried again");
        }
        if count % SWEEP_EVERY == 0
            && let Err(error) = sweep(&db, &voice, clock.now()).await
        {
            tracing::error!(%error, "clients on closed lines could not be told; it will be tried again");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(TICK) => {}
        }
    }
}

/// Does what is due at `now`. What fails of one kind does not hold up the others.
pub async fn tick(db: &Db, voice: &Voice, now: DateTime<Utc>) -> Result<(), DbErr> {
    let shifted = shifts::tell(db, now).await;
    let reminded = remind::tell(db, now).await;
    let keyed = keys::renew(db).await;
    let lines = timers::lines(db).await?;
    let moved = timers::run(db, &lines, now).await;
    let unanswered = unanswered::act(db, voice, &lines, now).await;
    let closed = silence::close(db, voice, &lines, now).await;
    let reminded = reminded.map(|_| ());
    shifted
        .and(reminded)
        .and(keyed.map(|_| ()))
        .and(moved)
        .and(unanswered)
        .and(closed)
        .map(|_| ())
}

/// Tells those who wait on a closed line and were not told when they wrote.
pub async fn sweep(db: &Db, voice: &Voice, now: DateTime<Utc>) -> Result<(), DbErr> {
    let lines = timers::lines(db).await?;
    closed::sweep(db, voice, &lines, now).await.map(|_| ())
}
