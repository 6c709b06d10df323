//! What happens by itself when time passes: sessions return, overflow, or end; shifts begin and end.

pub mod shifts;
pub mod silence;

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::DbErr;
use switchboard_sdk::CancellationToken;

use crate::{clock::SharedClock, conversation::view::Views, db::Db, routing::timers};

/// How often the timers are looked at.
const TICK: Duration = Duration::from_secs(1);

/// Runs until `stop`.
pub async fn run(db: Db, clock: SharedClock, views: Views, stop: CancellationToken) {
    loop {
        if let Err(error) = tick(&db, &views, clock.now()).await {
            tracing::error!(%error, "the timers of the lines failed; they will be tried again");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(TICK) => {}
        }
    }
}

/// Does what is due on all lines at `now`. What fails of one kind does not hold up the other.
pub async fn tick(db: &Db, views: &Views, now: DateTime<Utc>) -> Result<(), DbErr> {
    let shifted = shifts::tell(db, now).await;
    let lines = timers::lines(db).await?;
    let moved = timers::run(db, &lines, now).await;
    let closed = silence::close(db, views, &lines, now).await;
    shifted.and(moved).and(closed).map(|_| ())
}
