//! Learning of changed channels: from the log, and by a slow sweep should the log ever be cut.

use std::time::Duration;

use sea_orm::DbErr;
use switchboard_sdk::CancellationToken;

use super::Host;
use crate::event::{self, EventType};

/// Other nodes write without waking this one: look this often anyway.
const LOOK_ANYWAY: Duration = Duration::from_secs(2);
/// Under load many commits are looked at together. A change made by this process does not wait for it
/// (see [`Host::reload`]).
const GATHER: Duration = Duration::from_millis(100);
/// How often all rows are compared.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// Events read at once.
const BATCH: u64 = 1000;

/// Follows until `stop`.
pub async fn run(host: Host, stop: CancellationToken) {
    let mut head = host.parts().db.head();
    let mut seen = *head.borrow_and_update();
    let mut sweep = tokio::time::interval(SWEEP_EVERY);
    sweep.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let result = tokio::select! {
            () = stop.cancelled() => return,
            // The first tick comes at once: what changed before `seen` is in the rows.
            _ = sweep.tick() => host.load().await,
            _ = head.changed() => {
                tokio::time::sleep(GATHER).await;
                catch_up(&host, &mut seen).await
            }
            () = tokio::time::sleep(LOOK_ANYWAY) => catch_up(&host, &mut seen).await,
        };
        if let Err(error) = result {
            tracing::error!(%error, "changed channels could not be read; trying again");
            tokio::time::sleep(GATHER).await;
        }
    }
}

async fn catch_up(host: &Host, seen: &mut i64) -> Result<(), DbErr> {
    loop {
        let events = event::after(host.parts().db.read(), *seen, BATCH).await?;
        for event in &events {
            if event.kind == Some(EventType::ChannelUpdated) {
                host.reload(&event.object_id).await?;
            }
        }
        let Some(last) = events.last() else { return Ok(()) };
        *seen = last.seq;
        if (events.len() as u64) < BATCH {
            return Ok(());
        }
    }
}
