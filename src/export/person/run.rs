//! Whoever finds one that waits holds its lease and makes the file.

use std::time::Duration;

use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use switchboard_sdk::CancellationToken;

use super::{Tools, end, gather, sweep};
use crate::{
    connector::lease,
    db::entity::{contact, person_export},
    storage,
};

/// Another node may have been asked: look this often.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Why a file could not be made; it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbErr),
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// There is no room for it.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

static ASKED: tokio::sync::Notify = tokio::sync::Notify::const_new();

/// One was asked for: no need to wait for the next look.
pub fn wake() {
    ASKED.notify_one();
}

/// Makes files until `stop`.
pub async fn run(tools: Tools, stop: CancellationToken) {
    loop {
        if let Err(error) = look(&tools, &stop).await {
            tracing::warn!(%error, "a file about a person could not be made; it will be tried again");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = ASKED.notified() => {}
        }
    }
}

async fn look(tools: &Tools, stop: &CancellationToken) -> Result<(), Error> {
    sweep(tools).await?;
    let waiting = person_export::Entity::find()
        .filter(person_export::Column::State.eq("waiting"))
        .order_by_asc(person_export::Column::CreatedAt)
        .limit(20)
        .all(tools.db.read())
        .await?;
    for row in waiting {
        let name = format!("person_export:{}", row.id);
        if !lease::hold(&tools.db, &name, &tools.node, tools.clock.now()).await? {
            continue;
        }
        let made = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            made = make(tools, &row, &name) => made,
        };
        lease::release(&tools.db, &name, &tools.node).await?;
        made?;
    }
    Ok(())
}

async fn make(tools: &Tools, row: &person_export::Model, name: &str) -> Result<(), Error> {
    let known = contact::Entity::find_by_id(&row.person_id)
        .one(tools.db.read())
        .await?;
    let outcome = if known.is_some() {
        let key = storage::key(&row.id);
        let keep = async {
            loop {
                tokio::time::sleep(lease::RENEW_EVERY).await;
                // One that is lost makes the file twice, under the same key.
                drop(lease::hold(&tools.db, name, &tools.node, tools.clock.now()).await);
            }
        };
        let content = tokio::select! {
            content = gather::archive(tools, &row.person_id) => content?,
            () = keep => return Ok(()),
        };
        let size = content.len();
        tools.storage.put(&key, content).await?;
        Ok((key, size))
    } else {
        Err("the contact is gone".to_owned())
    };
    let key = outcome.as_ref().ok().map(|(key, _)| key.clone());
    let write = tools.db.write().await?;
    let kept = end(&write, &row.id, outcome, tools.clock.now()).await?;
    write.commit().await?;
    // The person was erased meanwhile.
    if let Some(key) = key
        && !kept
        && person_export::Entity::find_by_id(&row.id)
            .one(tools.db.read())
            .await?
            .is_none()
    {
        tools.storage.delete(&key).await?;
    }
    Ok(())
}
