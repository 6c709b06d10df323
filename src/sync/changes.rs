//! What happened to leads in a CRM, brought here: their state, and that they were deleted.
//!
//! What the CRM caused is not sent back to it: a status that came from there is what both sides agree on, and only
//! what they do not agree on is told. What we caused comes back as the state we said and changes nothing.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::Value;
use switchboard_crm::{RemoteChange, SyncError};

use super::{
    Options,
    engine::{Engine, guarded},
    mapping::Mapping,
    queue,
    schedule::{self, Next},
    step::{self, DELETED},
    store,
};
use crate::{
    connector::dice,
    db::{
        WriteTx,
        entity::{crm_connection, crm_link, lead},
    },
    lead::store::{self as leads, Change, ChangeError, MERGED, Status},
};

/// How often a CRM is asked what happened there.
pub const EVERY: TimeDelta = TimeDelta::seconds(60);
const LIMIT: Duration = Duration::from_secs(60);
/// Pages read in a row before others have their turn.
const PAGES: usize = 20;

/// Whether it is time to ask.
pub fn is_due(row: &crm_connection::Model, two_way: bool, now: DateTime<Utc>) -> bool {
    two_way && Options::read(&row.options).two_way && row.looked_at.is_none_or(|at| now - at >= EVERY)
}

/// Asks once, and applies what is told.
pub async fn look(engine: &Engine, connection_id: &str) -> Result<(), DbErr> {
    let parts = engine.parts();
    let Some(row) = store::find(parts.db.read(), connection_id).await? else {
        return Ok(());
    };
    let Ok(adapter) = engine.adapter(&row) else {
        // The next step to be done says so.
        return looked(engine, connection_id, row.change_cursor).await;
    };
    let mut cursor = row.change_cursor.clone();
    for _ in 0..PAGES {
        let told = match guarded(adapter.changes(cursor.clone()), LIMIT).await {
            Ok(told) => told,
            Err(error) => return refused(engine, connection_id, &error).await,
        };
        for change in &told.changes {
            apply(engine, &row, change).await?;
        }
        // After those it covers: once more after a crash changes nothing.
        cursor = told.cursor.or(cursor);
        looked(engine, connection_id, cursor.clone()).await?;
        if !told.more {
            break;
        }
    }
    Ok(())
}

async fn looked(engine: &Engine, connection_id: &str, cursor: Option<Value>) -> Result<(), DbErr> {
    let parts = engine.parts();
    let write = parts.db.write().await?;
    if let Some(mut row) = store::hold(&write, connection_id).await? {
        row.change_cursor = cursor;
        row.looked_at = Some(parts.clock.now());
        store::replace(&write, row).await?;
    }
    write.commit().await
}

async fn refused(engine: &Engine, connection_id: &str, error: &SyncError) -> Result<(), DbErr> {
    let parts = engine.parts();
    let now = parts.clock.now();
    let mut write = parts.db.write().await?;
    match schedule::after(error, 1, dice(), now) {
        Next::Stop => step::stop(&mut write, connection_id, &error.to_string(), now).await?,
        Next::Again { hold, .. } => {
            step::trouble(&mut write, connection_id, &error.to_string(), hold, now).await?;
        }
        Next::Dead | Next::Unlink => {
            step::trouble(&mut write, connection_id, &error.to_string(), None, now).await?;
        }
    }
    if let Some(mut row) = store::hold(&write, connection_id).await? {
        row.looked_at = Some(now);
        store::replace(&write, row).await?;
    }
    write.commit().await
}

async fn apply(engine: &Engine, row: &crm_connection::Model, change: &RemoteChange) -> Result<(), DbErr> {
    let parts = engine.parts();
    let links = store::links_of_remote(parts.db.read(), &row.id, &change.id).await?;
    let mapping = Mapping::read(&row.mapping);
    for link in links {
        let now = parts.clock.now();
        let mut write = parts.db.write().await?;
        // As it is now that nobody else changes it.
        let Some(link) = store::link(write.tx(), &link.connection_id, &link.lead_id).await? else {
            continue;
        };
        let applied = if change.gone {
            store::unlink(&write, &row.id, &link.lead_id, now).await?;
            queue::skip_lead(&write, &row.id, &link.lead_id, DELETED, now).await?;
            Ok(())
        } else {
            came_into(&mut write, &mapping, &link, change, now).await
        };
        match applied {
            Ok(()) => write.commit().await?,
            Err(ChangeError::Db(error)) => return Err(error),
            Err(error) => {
                drop(write);
                tracing::warn!(lead.id = link.lead_id, %error, "a lead could not follow its state in the CRM");
            }
        }
    }
    Ok(())
}

async fn came_into(
    write: &mut WriteTx,
    mapping: &Mapping,
    link: &crm_link::Model,
    change: &RemoteChange,
    now: DateTime<Utc>,
) -> Result<(), ChangeError> {
    if change.status_id.is_some() && change.status_id == link.status_id {
        return Ok(());
    }
    let lead = lead::Entity::find_by_id(&link.lead_id)
        .one(write.tx())
        .await
        .map_err(ChangeError::Db)?;
    let Some(lead) = lead.filter(|lead| lead.status != MERGED) else {
        return Ok(());
    };
    // What was changed here and is not told yet goes before: it will be their state in a moment.
    if link
        .agreed_status
        .as_deref()
        .is_some_and(|agreed| agreed != lead.status)
    {
        return Ok(());
    }
    let ours = Status::parse(&lead.status);
    let next = mapping.status_back(ours, change.status_id.as_deref(), change.stage);
    let opens = matches!(next, Some(Status::New | Status::InProgress));
    if opens && matches!(ours, Status::Converted | Status::Junk) && has_open(write.tx(), &lead).await? {
        tracing::info!(
            lead.id = lead.id,
            "a lead that is open again in the CRM stays closed: its contact has another open one"
        );
        return store::agreed(write, link, None, change.status_id.as_deref())
            .await
            .map_err(ChangeError::Db);
    }
    if let Some(next) = next {
        let status = Change {
            status: Some(next),
            ..Change::default()
        };
        leads::change(write, &lead.id, status, now).await?;
    }
    let agreed = match next {
        Some(next) => next.as_str(),
        None => lead.status.as_str(),
    };
    store::agreed(write, link, Some(agreed), change.status_id.as_deref())
        .await
        .map_err(ChangeError::Db)
}

async fn has_open(db: &impl ConnectionTrait, row: &lead::Model) -> Result<bool, ChangeError> {
    let open = lead::Entity::find()
        .filter(lead::Column::ContactId.eq(&row.contact_id))
        .filter(lead::Column::Status.is_in(["new", "in_progress"]))
        .filter(lead::Column::Id.ne(&row.id))
        .count(db)
        .await;
    Ok(open.map_err(ChangeError::Db)? > 0)
}
