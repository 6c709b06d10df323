//! Webhooks in the database, and looking back at their deliveries; those on their way are [`super::queue`]'s.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, LockType},
};

use crate::db::{
    Db, WriteTx, bulk,
    entity::{counter, webhook, webhook_attempt, webhook_delivery},
};

/// What was delivered is kept this long, what was given up or never sent longer.
const KEEP_DELIVERED: TimeDelta = TimeDelta::days(14);
const KEEP_OTHERS: TimeDelta = TimeDelta::days(30);
/// Rows removed at once.
const CHUNK: u64 = 1_000;

/// All webhooks, in the order they were made.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<webhook::Model>, DbErr> {
    webhook::Entity::find()
        .order_by_asc(webhook::Column::Id)
        .all(db)
        .await
}

/// One webhook.
pub async fn find(db: &impl ConnectionTrait, id: &str) -> Result<Option<webhook::Model>, DbErr> {
    // Out of an address anything may come: PostgreSQL takes a NUL for an error.
    if id.contains('\0') {
        return Ok(None);
    }
    webhook::Entity::find_by_id(id).one(db).await
}

/// How many there are.
pub async fn count(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    webhook::Entity::find().count(db).await
}

/// One webhook, held until the end of this write.
pub async fn hold(write: &WriteTx, id: &str) -> Result<Option<webhook::Model>, DbErr> {
    if id.contains('\0') {
        return Ok(None);
    }
    // Not against inserts of deliveries, which only need the webhook to be there.
    webhook::Entity::find_by_id(id)
        .lock(LockType::NoKeyUpdate)
        .one(write.tx())
        .await
}

/// Adds a webhook.
pub async fn insert(write: &WriteTx, row: webhook::Model) -> Result<(), DbErr> {
    webhook::Entity::insert(row.into_active_model())
        .exec_without_returning(write.tx())
        .await
        .map(drop)
}

/// Writes all columns of a webhook that is held.
pub async fn replace(write: &WriteTx, row: webhook::Model) -> Result<(), DbErr> {
    row.into_active_model()
        .reset_all()
        .update_without_returning(write.tx())
        .await
        .map(drop)
}

/// Removes a webhook; answers whether there was one.
pub async fn delete(write: &WriteTx, id: &str) -> Result<bool, DbErr> {
    if id.contains('\0') {
        return Ok(false);
    }
    let gone = webhook::Entity::delete_by_id(id).exec(write.tx()).await?;
    Ok(gone.rows_affected > 0)
}

/// The number of the newest event of the log.
pub async fn head(db: &impl ConnectionTrait) -> Result<i64, DbErr> {
    let row = counter::Entity::find_by_id("event").one(db).await?;
    Ok(row.map_or(0, |row| row.value))
}

/// What waits for one webhook.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// How many deliveries.
    pub count: i64,
    /// When the oldest of them was made.
    pub oldest: DateTime<Utc>,
}

/// What waits for each webhook.
pub async fn waiting(db: &impl ConnectionTrait) -> Result<HashMap<String, Waiting>, DbErr> {
    let rows: Vec<(String, i64, Option<DateTime<Utc>>)> = webhook_delivery::Entity::find()
        .select_only()
        .column(webhook_delivery::Column::WebhookId)
        .column_as(webhook_delivery::Column::Id.count(), "waiting")
        .column_as(webhook_delivery::Column::CreatedAt.min(), "oldest")
        .filter(webhook_delivery::Column::DueAt.is_not_null())
        .group_by(webhook_delivery::Column::WebhookId)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .filter_map(|(id, count, oldest)| {
            Some((
                id,
                Waiting {
                    count,
                    oldest: oldest?,
                },
            ))
        })
        .collect())
}

/// Which deliveries are asked for.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// In this state.
    pub state: Option<String>,
    /// Of this word.
    pub kind: Option<String>,
    /// About this object.
    pub object_id: Option<String>,
}

/// Deliveries of a webhook, the newest first: up to `limit`, after the one of this id.
pub async fn deliveries(
    db: &impl ConnectionTrait,
    webhook_id: &str,
    filter: &Filter,
    after: Option<&str>,
    limit: u64,
) -> Result<Vec<webhook_delivery::Model>, DbErr> {
    let mut query = webhook_delivery::Entity::find()
        .filter(webhook_delivery::Column::WebhookId.eq(webhook_id))
        .order_by_desc(webhook_delivery::Column::Id)
        .limit(limit);
    if let Some(state) = &filter.state {
        query = query.filter(webhook_delivery::Column::State.eq(state));
    }
    if let Some(kind) = &filter.kind {
        query = query.filter(webhook_delivery::Column::Type.eq(kind));
    }
    if let Some(object_id) = &filter.object_id {
        query = query.filter(webhook_delivery::Column::ObjectId.eq(object_id));
    }
    if let Some(after) = after {
        query = query.filter(webhook_delivery::Column::Id.lt(after));
    }
    query.all(db).await
}

/// One delivery of a webhook.
pub async fn delivery(
    db: &impl ConnectionTrait,
    webhook_id: &str,
    id: &str,
) -> Result<Option<webhook_delivery::Model>, DbErr> {
    if id.contains('\0') || webhook_id.contains('\0') {
        return Ok(None);
    }
    let row = webhook_delivery::Entity::find_by_id(id).one(db).await?;
    Ok(row.filter(|row| row.webhook_id == webhook_id))
}

/// The attempts of a delivery, the newest first.
pub async fn attempts(
    db: &impl ConnectionTrait,
    delivery_id: &str,
) -> Result<Vec<webhook_attempt::Model>, DbErr> {
    webhook_attempt::Entity::find()
        .filter(webhook_attempt::Column::DeliveryId.eq(delivery_id))
        .order_by_desc(webhook_attempt::Column::Number)
        .limit(100)
        .all(db)
        .await
}

/// Which finished deliveries are sent again.
#[derive(Debug, Clone)]
pub enum Again<'a> {
    /// This one.
    One(&'a str),
    /// Those that failed and were made in this time.
    Failed {
        /// From.
        since: DateTime<Utc>,
        /// Before; none: until now.
        until: Option<DateTime<Utc>>,
    },
}

/// Queues finished deliveries anew, under their ids and with the whole schedule before them; answers how many.
pub async fn replay(
    write: &WriteTx,
    webhook_id: &str,
    which: Again<'_>,
    now: DateTime<Utc>,
) -> Result<u64, DbErr> {
    let mut query = webhook_delivery::Entity::update_many()
        .col_expr(webhook_delivery::Column::State, Expr::value("queued"))
        .col_expr(webhook_delivery::Column::DueAt, Expr::value(Some(now)))
        .col_expr(
            webhook_delivery::Column::AttemptsBefore,
            Expr::col(webhook_delivery::Column::Attempts),
        )
        .col_expr(
            webhook_delivery::Column::FinishedAt,
            Expr::value(Option::<DateTime<Utc>>::None),
        )
        .filter(webhook_delivery::Column::WebhookId.eq(webhook_id))
        .filter(webhook_delivery::Column::DueAt.is_null());
    query = match which {
        Again::One(id) => query.filter(webhook_delivery::Column::Id.eq(id)),
        Again::Failed { since, until } => {
            let query = query
                .filter(webhook_delivery::Column::State.eq("failed"))
                .filter(webhook_delivery::Column::CreatedAt.gte(since));
            match until {
                Some(until) => query.filter(webhook_delivery::Column::CreatedAt.lt(until)),
                None => query,
            }
        }
    };
    Ok(query.exec(write.tx()).await?.rows_affected)
}

/// Removes what was delivered or given up long ago, and what waits for a webhook that has been off for as long.
pub async fn sweep(db: &Db, now: DateTime<Utc>) -> Result<(), DbErr> {
    let old =
        webhook_delivery::Column::FinishedAt
            .lt(now - KEEP_OTHERS)
            .or(webhook_delivery::Column::FinishedAt
                .lt(now - KEEP_DELIVERED)
                .and(webhook_delivery::Column::State.eq("delivered")));
    let unsent = webhook_delivery::Column::State
        .eq("queued")
        .and(webhook_delivery::Column::CreatedAt.lt(now - KEEP_OTHERS));
    for which in [old, unsent] {
        let ids: Vec<String> = webhook_delivery::Entity::find()
            .select_only()
            .column(webhook_delivery::Column::Id)
            .filter(which)
            .limit(CHUNK)
            .into_tuple()
            .all(db.read())
            .await?;
        if ids.is_empty() {
            continue;
        }
        let write = db.write().await?;
        webhook_delivery::Entity::delete_many()
            .filter(webhook_delivery::Column::Id.is_in(ids))
            .filter(webhook_delivery::Column::State.ne("sending"))
            .exec(write.tx())
            .await?;
        write.commit().await?;
    }
    Ok(())
}

/// Removes what was to be told, and was told, of these objects: of a person who is erased, with everything of theirs.
/// What hangs on a conversation is removed by its id.
pub async fn forget(write: &WriteTx, object_ids: &[String]) -> Result<(), DbErr> {
    if object_ids.is_empty() {
        return Ok(());
    }
    let ids = bulk::padded(object_ids.iter().cloned());
    webhook_delivery::Entity::delete_many()
        .filter(
            webhook_delivery::Column::ObjectId
                .is_in(ids.clone())
                .or(webhook_delivery::Column::OrderKey.is_in(ids)),
        )
        .exec(write.tx())
        .await
        .map(drop)
}

/// The same, but for what says that they are gone and what says nothing of them any more (a deal whose person was erased,
/// `nameless`): who was told of them is to hear that.
pub async fn forget_content(write: &WriteTx, object_ids: &[String], nameless: &str) -> Result<(), DbErr> {
    if object_ids.is_empty() {
        return Ok(());
    }
    let ids = bulk::padded(object_ids.iter().cloned());
    let gone =
        webhook_delivery::Column::Type.is_in(["contact.erased", "conversation.removed", "task.removed"]);
    let clean = webhook_delivery::Column::Type
        .eq("deal.updated")
        .and(webhook_delivery::Column::Body.contains(nameless));
    webhook_delivery::Entity::delete_many()
        .filter(
            webhook_delivery::Column::ObjectId
                .is_in(ids.clone())
                .or(webhook_delivery::Column::OrderKey.is_in(ids)),
        )
        .filter(gone.or(clean).not())
        .exec(write.tx())
        .await
        .map(drop)
}
