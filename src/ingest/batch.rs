//! Many events, one transaction.
//!
//! The events of a batch are read against the store with a handful of queries, applied one after the
//! other in memory, and written with a handful of statements. On PostgreSQL one lock lets nodes take
//! turns, as the single writer does on SQLite; that costs a wait of one commit and saves every race
//! between two first messages of one person.

mod apply;
mod change;
mod dedupe;
mod flush;
mod forward;
mod load;
mod mail;
mod own;
mod world;

use chrono::{DateTime, Utc};
use sea_orm::DbErr;
use switchboard_sdk::{Cursor, Outcome, Receipt};

use self::{
    dedupe::{Place, Told},
    world::World,
};
use super::{Error, prepare::Prepared};
use crate::{conversation::rearrange::INTAKE, db::Db};

/// One job of a batch, as the writer hands it over.
#[derive(Debug, Clone)]
pub(super) struct Work {
    pub channel_id: String,
    pub events: Vec<Prepared>,
    pub cursor: Option<Cursor>,
}

/// Whether to look for events that were stored before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeats {
    /// Look, and answer them with what they became.
    Expected,
    /// Do not look: the batch is one question shorter, and the unique index fails it when there is one.
    Unexpected,
}

/// Stores all jobs in one transaction; answers each when it is durable. An error means that nothing
/// is stored.
pub(super) async fn store(
    db: &Db,
    works: &[Work],
    repeats: Repeats,
    now: DateTime<Utc>,
) -> Result<Vec<Result<Receipt, Error>>, DbErr> {
    let mut write = db.batch().await?;
    write.lock(INTAKE).await?;
    let told = Told::of(works);
    let (mut world, known) = World::load(now, &write, works, &told, repeats).await?;

    let mut outcomes: Vec<Vec<Option<Outcome>>> =
        works.iter().map(|work| vec![None; work.events.len()]).collect();
    for (&(work, event), outcome) in &known {
        outcomes[work][event] = Some(outcome.clone());
    }
    told.answer_repeats(&known, &mut outcomes);
    let fresh: Vec<Place> = told
        .first
        .iter()
        .copied()
        .filter(|place| !known.contains_key(place) && world.channels.contains_key(&works[place.0].channel_id))
        .collect();
    told.claim(&mut write, &fresh, &world, now).await?;
    for &(work, event) in &fresh {
        let Some(channel) = world.channel(&works[work].channel_id) else {
            continue;
        };
        outcomes[work][event] = Some(world.apply(&channel, &works[work].events[event]));
    }
    world.flush(&mut write, works).await?;
    write.commit().await?;

    Ok(works
        .iter()
        .zip(outcomes)
        .map(|(work, outcomes)| {
            if world.channel(&work.channel_id).is_none() {
                return Err(Error::NoChannel);
            }
            Ok(Receipt {
                outcomes: outcomes.into_iter().flatten().collect(),
            })
        })
        .collect())
}
