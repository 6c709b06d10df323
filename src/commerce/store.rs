//! Exchanges, their files and links in the database.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr, EntityTrait,
    IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Set, Statement,
    sea_query::{Expr, LockType},
};
use serde_json::json;

use super::{Counts, State};
use crate::{
    db::{
        Db, WriteTx,
        entity::{commerce_exchange, commerce_fault, commerce_file, commerce_link, commerce_part},
    },
    event::{EventType, NewEvent},
    storage::Storage,
};

/// Files worked on in one look.
const AT_ONCE: u64 = 50;
/// How long it is remembered what became of a file.
const KEPT: TimeDelta = TimeDelta::days(90);
/// Faults of a file that are kept; the rest is counted.
pub(super) const MAX_FAULTS: u64 = 1_000;

/// All exchanges, in the order they were made.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<commerce_exchange::Model>, DbErr> {
    commerce_exchange::Entity::find()
        .order_by_asc(commerce_exchange::Column::Id)
        .all(db)
        .await
}

/// One exchange.
pub async fn find(db: &impl ConnectionTrait, id: &str) -> Result<Option<commerce_exchange::Model>, DbErr> {
    // Out of an address anything may come: PostgreSQL takes a NUL for an error.
    if id.contains('\0') {
        return Ok(None);
    }
    commerce_exchange::Entity::find_by_id(id).one(db).await
}

/// The exchange of an address.
pub async fn by_key(db: &impl ConnectionTrait, key: &str) -> Result<Option<commerce_exchange::Model>, DbErr> {
    if key.contains('\0') {
        return Ok(None);
    }
    commerce_exchange::Entity::find()
        .filter(commerce_exchange::Column::Key.eq(key))
        .one(db)
        .await
}

/// How many there are.
pub async fn count(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    commerce_exchange::Entity::find().count(db).await
}

/// One exchange, held until the end of this write.
pub async fn hold(write: &WriteTx, id: &str) -> Result<Option<commerce_exchange::Model>, DbErr> {
    if id.contains('\0') {
        return Ok(None);
    }
    // Not against files and links, which only need the exchange to be there.
    commerce_exchange::Entity::find_by_id(id)
        .lock(LockType::NoKeyUpdate)
        .one(write.tx())
        .await
}

/// Adds an exchange.
pub async fn insert(write: &WriteTx, row: commerce_exchange::Model) -> Result<(), DbErr> {
    commerce_exchange::Entity::insert(row.into_active_model())
        .exec_without_returning(write.tx())
        .await
        .map(drop)
}

/// Writes all columns of an exchange that is held.
pub async fn replace(write: &WriteTx, row: commerce_exchange::Model) -> Result<(), DbErr> {
    row.into_active_model()
        .reset_all()
        .update_without_returning(write.tx())
        .await
        .map(drop)
}

/// Removes an exchange with its files and links; answers where the parts of files were, or none when there is no such
/// exchange. What it made stays.
pub async fn delete(write: &WriteTx, id: &str) -> Result<Option<Vec<String>>, DbErr> {
    if id.contains('\0') {
        return Ok(None);
    }
    let files = commerce_file::Entity::find()
        .filter(commerce_file::Column::ExchangeId.eq(id))
        .filter(commerce_file::Column::State.is_in([State::Receiving.as_str(), State::Waiting.as_str()]))
        .all(write.tx())
        .await?;
    let mut keys = Vec::new();
    for file in files {
        keys.extend(parts(write.tx(), &file.id).await?);
    }
    let gone = commerce_exchange::Entity::delete_by_id(id)
        .exec(write.tx())
        .await?;
    Ok((gone.rows_affected > 0).then_some(keys))
}

/// 1C signed in.
pub async fn seen(write: &mut WriteTx, id: &str, now: DateTime<Utc>) -> Result<(), DbErr> {
    commerce_exchange::Entity::update_many()
        .col_expr(commerce_exchange::Column::SeenAt, Expr::value(Some(now)))
        .filter(commerce_exchange::Column::Id.eq(id))
        .exec(write.tx())
        .await?;
    write.record(NewEvent::new(EventType::CommerceUpdated, id, now));
    Ok(())
}

/// One file.
pub async fn file(db: &impl ConnectionTrait, id: &str) -> Result<Option<commerce_file::Model>, DbErr> {
    if id.contains('\0') {
        return Ok(None);
    }
    commerce_file::Entity::find_by_id(id).one(db).await
}

/// A file of a sitting by its name.
pub async fn file_named(
    db: &impl ConnectionTrait,
    exchange_id: &str,
    sitting: &str,
    name: &str,
) -> Result<Option<commerce_file::Model>, DbErr> {
    commerce_file::Entity::find()
        .filter(commerce_file::Column::ExchangeId.eq(exchange_id))
        .filter(commerce_file::Column::Sitting.eq(sitting))
        .filter(commerce_file::Column::Name.eq(name))
        .one(db)
        .await
}

/// Archives of a sitting that were not unpacked yet.
pub async fn archives(
    db: &impl ConnectionTrait,
    exchange_id: &str,
    sitting: &str,
) -> Result<Vec<commerce_file::Model>, DbErr> {
    commerce_file::Entity::find()
        .filter(commerce_file::Column::ExchangeId.eq(exchange_id))
        .filter(commerce_file::Column::Sitting.eq(sitting))
        .filter(commerce_file::Column::State.is_in([State::Receiving.as_str(), State::Waiting.as_str()]))
        .filter(commerce_file::Column::Name.like("%.zip"))
        .order_by_asc(commerce_file::Column::Id)
        .all(db)
        .await
}

/// One page of an exchange's files, the last first. `limit + 1` rows when there are more.
pub async fn files(
    db: &impl ConnectionTrait,
    exchange_id: &str,
    before: Option<&str>,
    limit: u64,
) -> Result<Vec<commerce_file::Model>, DbErr> {
    let mut query = commerce_file::Entity::find()
        .filter(commerce_file::Column::ExchangeId.eq(exchange_id))
        .order_by_desc(commerce_file::Column::Id)
        .limit(limit + 1);
    if let Some(id) = before {
        query = query.filter(commerce_file::Column::Id.lt(id));
    }
    query.all(db).await
}

/// Files to be taken in, the oldest first: those that are whole, and those of which nothing more came.
pub async fn work(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<Vec<commerce_file::Model>, DbErr> {
    let silent = Condition::all()
        .add(commerce_file::Column::State.eq(State::Receiving.as_str()))
        .add(commerce_file::Column::DueAt.lte(now));
    commerce_file::Entity::find()
        .filter(
            Condition::any()
                .add(commerce_file::Column::State.eq(State::Waiting.as_str()))
                .add(silent),
        )
        .order_by_asc(commerce_file::Column::Id)
        .limit(AT_ONCE)
        .all(db)
        .await
}

/// A file, held until the end of this write.
pub async fn hold_file(write: &WriteTx, id: &str) -> Result<Option<commerce_file::Model>, DbErr> {
    commerce_file::Entity::find_by_id(id)
        .lock(LockType::NoKeyUpdate)
        .one(write.tx())
        .await
}

/// Adds a file.
pub async fn insert_file(write: &WriteTx, row: commerce_file::Model) -> Result<(), DbErr> {
    commerce_file::Entity::insert(row.into_active_model())
        .exec_without_returning(write.tx())
        .await
        .map(drop)
}

/// Writes all columns of a file that is held.
pub async fn replace_file(write: &WriteTx, row: commerce_file::Model) -> Result<(), DbErr> {
    row.into_active_model()
        .reset_all()
        .update_without_returning(write.tx())
        .await
        .map(drop)
}

/// Adds a part of a file.
pub async fn insert_part(
    write: &WriteTx,
    file_id: &str,
    number: i64,
    storage_key: &str,
) -> Result<(), DbErr> {
    let row = commerce_part::ActiveModel {
        file_id: Set(file_id.to_owned()),
        number: Set(number),
        storage_key: Set(storage_key.to_owned()),
    };
    commerce_part::Entity::insert(row)
        .exec_without_returning(write.tx())
        .await
        .map(drop)
}

/// Where the parts of a file are, in their order.
pub async fn parts(db: &impl ConnectionTrait, file_id: &str) -> Result<Vec<String>, DbErr> {
    commerce_part::Entity::find()
        .select_only()
        .column(commerce_part::Column::StorageKey)
        .filter(commerce_part::Column::FileId.eq(file_id))
        .order_by_asc(commerce_part::Column::Number)
        .into_tuple()
        .all(db)
        .await
}

/// Forgets the parts of a file; their bytes go after the commit.
pub async fn forget_parts(write: &WriteTx, file_id: &str) -> Result<Vec<String>, DbErr> {
    let keys = parts(write.tx(), file_id).await?;
    commerce_part::Entity::delete_many()
        .filter(commerce_part::Column::FileId.eq(file_id))
        .exec(write.tx())
        .await?;
    Ok(keys)
}

/// Forgets bytes that no row names any more; what cannot be removed now is found by the search for strays.
pub async fn forget_bytes(storage: &Storage, keys: &[String]) {
    for key in keys {
        if let Err(error) = storage.delete(key).await {
            tracing::warn!(%error, "a part of a file of 1C could not be removed");
        }
    }
}

/// A file cannot be taken in. Answers where its parts were; their bytes go after the commit.
pub async fn fail(
    write: &mut WriteTx,
    id: &str,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<Vec<String>, DbErr> {
    let Some(mut row) = hold_file(write, id).await? else {
        return Ok(Vec::new());
    };
    let keys = forget_parts(write, id).await?;
    let (exchange_id, name) = (row.exchange_id.clone(), row.name.clone());
    row.state = State::Failed.as_str().to_owned();
    row.error = Some(reason.to_owned());
    row.finished_at = Some(now);
    row.due_at = None;
    replace_file(write, row).await?;
    if let Some(mut exchange) = hold(write, &exchange_id).await? {
        exchange.last_error = Some(format!("{name}: {reason}"));
        exchange.last_error_at = Some(now);
        replace(write, exchange).await?;
    }
    write.record(NewEvent::new(EventType::CommerceUpdated, &exchange_id, now));
    Ok(keys)
}

/// Files that were not taken in yet.
pub async fn open_files(db: &impl ConnectionTrait) -> Result<Vec<commerce_file::Model>, DbErr> {
    commerce_file::Entity::find()
        .filter(commerce_file::Column::State.is_in([State::Receiving.as_str(), State::Waiting.as_str()]))
        .order_by_asc(commerce_file::Column::Id)
        .all(db)
        .await
}

/// Notes what could not be taken.
pub async fn insert_fault(write: &WriteTx, row: commerce_fault::Model) -> Result<(), DbErr> {
    commerce_fault::Entity::insert(row.into_active_model())
        .exec_without_returning(write.tx())
        .await
        .map(drop)
}

/// One page of what of a file could not be taken. `limit + 1` rows when there are more.
pub async fn faults(
    db: &impl ConnectionTrait,
    file_id: &str,
    after: Option<i64>,
    limit: u64,
) -> Result<Vec<commerce_fault::Model>, DbErr> {
    let mut query = commerce_fault::Entity::find()
        .filter(commerce_fault::Column::FileId.eq(file_id))
        .order_by_asc(commerce_fault::Column::Number)
        .limit(limit + 1);
    if let Some(number) = after {
        query = query.filter(commerce_fault::Column::Number.gt(number));
    }
    query.all(db).await
}

/// What is known of something of theirs, held until the end of this write.
pub async fn link(
    write: &WriteTx,
    exchange_id: &str,
    kind: &str,
    external_id: &str,
) -> Result<Option<commerce_link::Model>, DbErr> {
    commerce_link::Entity::find()
        .filter(commerce_link::Column::ExchangeId.eq(exchange_id))
        .filter(commerce_link::Column::Kind.eq(kind))
        .filter(commerce_link::Column::ExternalId.eq(external_id))
        .lock(LockType::NoKeyUpdate)
        .one(write.tx())
        .await
}

/// Keeps what is known of something of theirs.
pub async fn put_link(write: &WriteTx, row: commerce_link::Model, is_new: bool) -> Result<(), DbErr> {
    if is_new {
        commerce_link::Entity::insert(row.into_active_model())
            .exec_without_returning(write.tx())
            .await
            .map(drop)
    } else {
        row.into_active_model()
            .reset_all()
            .update_without_returning(write.tx())
            .await
            .map(drop)
    }
}

/// The orders that are a deal, with their exchanges' names.
pub async fn orders_of(
    db: &impl ConnectionTrait,
    deal_id: &str,
) -> Result<Vec<(commerce_link::Model, Option<commerce_exchange::Model>)>, DbErr> {
    let links = commerce_link::Entity::find()
        .filter(commerce_link::Column::DealId.eq(deal_id))
        .order_by_asc(commerce_link::Column::Id)
        .all(db)
        .await?;
    let mut orders = Vec::with_capacity(links.len());
    for link in links {
        let exchange = find(db, &link.exchange_id).await?;
        orders.push((link, exchange));
    }
    Ok(orders)
}

/// What statuses of orders are called there, the most frequent first.
pub async fn statuses(db: &impl ConnectionTrait, exchange_id: &str) -> Result<Vec<(String, i64)>, DbErr> {
    let status = match db.get_database_backend() {
        DbBackend::Postgres => "document ->> 'status'",
        _ => "json_extract(document, '$.status')",
    };
    let sql = format!(
        "SELECT {status} AS status, COUNT(*) AS orders FROM commerce_link \
         WHERE exchange_id = $1 AND kind = 'order' AND {status} IS NOT NULL \
         GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 100"
    );
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [exchange_id.into()]);
    let rows = db.query_all_raw(statement).await?;
    rows.iter()
        .map(|row| Ok((row.try_get("", "status")?, row.try_get("", "orders")?)))
        .collect()
}

/// Forgets what became of old files.
pub async fn sweep(db: &Db, now: DateTime<Utc>) -> Result<(), DbErr> {
    let write = db.write().await?;
    commerce_file::Entity::delete_many()
        .filter(commerce_file::Column::FinishedAt.lt(now - KEPT))
        .exec(write.tx())
        .await?;
    write.commit().await
}

/// A file about to be received.
pub(super) fn begun(
    id: String,
    exchange_id: &str,
    sitting: &str,
    name: &str,
    now: DateTime<Utc>,
) -> commerce_file::Model {
    commerce_file::Model {
        id,
        exchange_id: exchange_id.to_owned(),
        sitting: sitting.to_owned(),
        name: name.to_owned(),
        state: State::Receiving.as_str().to_owned(),
        size: 0,
        parts: 0,
        last_hash: None,
        cursor: 0,
        counts: json!(Counts::default()),
        error: None,
        due_at: None,
        created_at: now,
        finished_at: None,
    }
}
