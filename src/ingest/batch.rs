//! Many events, one transaction.
//!
//! The events of a batch are read against the store with a handful of queries, applied one after the
//! other in memory, and written with a handful of statements. On PostgreSQL one lock lets nodes take
//! turns, as the single writer does on SQLite; that costs a wait of one commit and saves every race
//! between two first messages of one person.

mod apply;
mod flush;
mod world;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{DbErr, Value};
use switchboard_sdk::{Cursor, Outcome, Receipt};

use self::world::World;
use super::{
    Error,
    prepare::{Prepared, PreparedBody},
};
use crate::db::{Db, WriteTx, bulk};

/// The lock nodes take turns with; any fixed number of our own.
const INGEST_LOCK: i64 = 0x5357_4249;

/// One job of a batch, as the writer hands it over.
#[derive(Debug, Clone)]
pub(super) struct Work {
    pub channel_id: String,
    pub events: Vec<Prepared>,
    pub cursor: Option<Cursor>,
}

/// Stores all jobs in one transaction; answers each when it is durable. An error means that nothing
/// is stored.
pub(super) async fn store(
    db: &Db,
    works: &[Work],
    now: DateTime<Utc>,
) -> Result<Vec<Result<Receipt, Error>>, DbErr> {
    let mut write = db.write().await?;
    write.lock(INGEST_LOCK).await?;
    let mut world = World::new(now);
    world.load_channels(&write, works).await?;

    let mut outcomes: Vec<Vec<Option<Outcome>>> =
        works.iter().map(|work| vec![None; work.events.len()]).collect();
    let fresh = dedupe(&mut write, &world, works, &mut outcomes, now).await?;
    world.load(&write, works, &fresh).await?;
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

/// Claims the external ids. What is new comes back as `(job, event)`; what is known gets its outcome.
async fn dedupe(
    write: &mut WriteTx,
    world: &World,
    works: &[Work],
    outcomes: &mut [Vec<Option<Outcome>>],
    now: DateTime<Utc>,
) -> Result<Vec<(usize, usize)>, DbErr> {
    let mut first: HashMap<(&str, &str), (usize, usize)> = HashMap::new();
    let mut order = Vec::new();
    let mut repeats = Vec::new();
    for (w, work) in works.iter().enumerate() {
        if world.channel(&work.channel_id).is_none() {
            continue;
        }
        for (e, event) in work.events.iter().enumerate() {
            match first.entry((&work.channel_id, &event.external_id)) {
                std::collections::hash_map::Entry::Vacant(slot) => {
                    slot.insert((w, e));
                    order.push((w, e));
                }
                std::collections::hash_map::Entry::Occupied(slot) => repeats.push(((w, e), *slot.get())),
            }
        }
    }
    let rows = order
        .iter()
        .map(|&(w, e)| {
            let (message_id, submission_id) = own_ids(&works[w].events[e].body);
            vec![
                works[w].channel_id.clone().into(),
                works[w].events[e].external_id.clone().into(),
                message_id.into(),
                submission_id.into(),
                now.into(),
            ]
        })
        .collect();
    const COLUMNS: [&str; 5] = [
        "channel_id",
        "external_id",
        "message_id",
        "submission_id",
        "received_at",
    ];
    let tail = "ON CONFLICT DO NOTHING RETURNING channel_id, external_id";
    let claimed = bulk::insert_returning(write.tx(), "inbound_event", &COLUMNS, rows, tail).await?;
    let mut new = std::collections::HashSet::with_capacity(claimed.len());
    for row in &claimed {
        let channel_id: String = row.try_get("", "channel_id")?;
        let external_id: String = row.try_get("", "external_id")?;
        new.insert((channel_id, external_id));
    }
    let is_new = |w: usize, e: usize| {
        new.contains(&(
            works[w].channel_id.clone(),
            works[w].events[e].external_id.clone(),
        ))
    };
    let fresh: Vec<(usize, usize)> = order.iter().copied().filter(|&(w, e)| is_new(w, e)).collect();
    for &(w, e) in order.iter().filter(|&&(w, e)| !is_new(w, e)) {
        outcomes[w][e] = Some(known(write, &works[w].channel_id, &works[w].events[e].external_id).await?);
    }
    // A repeat inside the batch is a duplicate of its first occurrence, whose ids are known now.
    for ((w, e), (fw, fe)) in repeats {
        let (message_id, submission_id) = own_ids(&works[fw].events[fe].body);
        outcomes[w][e] = Some(match &outcomes[fw][fe] {
            Some(outcome) => outcome.clone(),
            None => Outcome::Duplicate {
                message_id,
                seq: None,
                conversation_id: None,
                submission_id,
            },
        });
    }
    Ok(fresh)
}

fn own_ids(body: &PreparedBody) -> (Option<String>, Option<String>) {
    match body {
        PreparedBody::Message(message) => (Some(message.id.clone()), None),
        PreparedBody::Submission(submission) if submission.held => (None, Some(submission.id.clone())),
        PreparedBody::Submission(submission) => {
            (Some(submission.message_id.clone()), Some(submission.id.clone()))
        }
        PreparedBody::Receipt(_) | PreparedBody::Poison { .. } => (None, None),
    }
}

/// What an event was when it came the first time.
async fn known(write: &WriteTx, channel_id: &str, external_id: &str) -> Result<Outcome, DbErr> {
    use sea_orm::{ConnectionTrait, Statement};
    let sql = "SELECT i.message_id, i.submission_id, m.seq, m.conversation_id FROM inbound_event i \
               LEFT JOIN message m ON m.id = i.message_id WHERE i.channel_id = $1 AND i.external_id = $2";
    let values: [Value; 2] = [channel_id.into(), external_id.into()];
    let row = write
        .tx()
        .query_one_raw(Statement::from_sql_and_values(write.backend(), sql, values))
        .await?;
    let Some(row) = row else {
        return Ok(Outcome::Duplicate {
            message_id: None,
            seq: None,
            conversation_id: None,
            submission_id: None,
        });
    };
    Ok(Outcome::Duplicate {
        message_id: row.try_get("", "message_id")?,
        seq: row.try_get("", "seq")?,
        conversation_id: row.try_get("", "conversation_id")?,
        submission_id: row.try_get("", "submission_id")?,
    })
}
