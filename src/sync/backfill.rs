//! Leads that were there before a connection: queued page by page, no faster than they are told.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::{
    Options,
    engine::Engine,
    queue::{self, EARLIER, Wish},
    store,
};
use crate::{
    db::entity::{crm_connection, lead},
    event::{EventType, NewEvent},
    lead::store::MERGED,
};

/// Leads queued in one transaction.
const PAGE: u64 = 200;
/// No more are queued while so many of them wait.
const ENOUGH: u64 = 500;

fn meant(row: &crm_connection::Model, from: DateTime<Utc>) -> Condition {
    let options = Options::read(&row.options);
    let mut condition = Condition::all()
        .add(lead::Column::CreatedAt.gte(from))
        .add(lead::Column::Status.ne(MERGED));
    if !options.lines.is_empty() {
        condition = condition.add(lead::Column::LineId.is_in(options.lines));
    }
    condition
}

/// How many leads there are to take.
pub async fn count(
    db: &impl ConnectionTrait,
    row: &crm_connection::Model,
    from: DateTime<Utc>,
) -> Result<i64, DbErr> {
    let count = lead::Entity::find().filter(meant(row, from)).count(db).await?;
    Ok(i64::try_from(count).unwrap_or(i64::MAX))
}

/// Queues the next page of a connection, when there is one and those before it are mostly told; answers whether it did.
pub async fn page(engine: &Engine, connection_id: &str) -> Result<bool, DbErr> {
    let parts = engine.parts();
    if queue::earlier(parts.db.read(), connection_id).await? >= ENOUGH {
        return Ok(false);
    }
    let mut write = parts.db.write().await?;
    let Some(mut row) = store::hold(&write, connection_id).await? else {
        return Ok(false);
    };
    let Some(from) = row.backfill_from else {
        return Ok(false);
    };
    let now = parts.clock.now();
    let mut query = lead::Entity::find()
        .select_only()
        .column(lead::Column::Id)
        .filter(meant(&row, from))
        .order_by_asc(lead::Column::Id)
        .limit(PAGE);
    if let Some(after) = &row.backfill_after {
        query = query.filter(lead::Column::Id.gt(after));
    }
    let ids: Vec<String> = query.into_tuple().all(write.tx()).await?;
    let known = queue::known(write.tx(), &ids).await?;
    let fresh = ids.iter().filter(|id| {
        let is_known = |(connection, lead): &(String, String)| *connection == row.id && lead == *id;
        !known.iter().any(is_known)
    });
    let wishes = fresh.map(|id| Wish {
        connection_id: row.id.clone(),
        lead_id: id.clone(),
        kind: "lead",
        subject: id.clone(),
        rank: EARLIER,
        due_at: now,
    });
    let wishes: Vec<Wish> = wishes.collect();
    let full = ids.len() as u64 == PAGE;
    row.backfill_done += i64::try_from(ids.len()).unwrap_or_default();
    row.backfill_after = ids.last().cloned().or(row.backfill_after);
    if !full {
        row.backfill_from = None;
        row.backfill_after = None;
    }
    queue::add(&write, wishes, now).await?;
    let id = row.id.clone();
    store::replace(&write, row).await?;
    write.record(NewEvent::new(EventType::CrmUpdated, id, now));
    write.commit().await?;
    Ok(true)
}
