//! What lines do by themselves where it is not routing: for now, ending sessions of silent clients.

pub mod silence;

use std::time::Duration;

use switchboard_sdk::CancellationToken;

use crate::{clock::SharedClock, conversation::view::Views, db::Db};

/// How often the timers are looked at.
const TICK: Duration = Duration::from_secs(1);

/// Runs until `stop`.
pub async fn run(db: Db, clock: SharedClock, views: Views, stop: CancellationToken) {
    loop {
        if let Err(error) = silence::close(&db, &views, clock.now()).await {
            tracing::error!(%error, "silent sessions could not be closed; it will be tried again");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(TICK) => {}
        }
    }
}
