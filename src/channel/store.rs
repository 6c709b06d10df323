//! Channels in the database.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Set, Unchanged,
};
use serde_json::Value;

use super::Error;
use crate::{
    db::{
        WriteTx,
        entity::{channel, channel_cursor, conversation, line},
        is_unique_violation,
    },
    event::{EventType, NewEvent},
};

/// One by its id.
pub async fn load(db: &impl ConnectionTrait, id: &str) -> Result<Option<channel::Model>, DbErr> {
    channel::Entity::find_by_id(id).one(db).await
}

/// The names of all channels, by id.
pub async fn names(db: &impl ConnectionTrait) -> Result<HashMap<String, String>, DbErr> {
    crate::db::names::<channel::Entity>(db, channel::Column::Id, channel::Column::Name).await
}

/// One by the key in its URLs.
pub async fn by_key(db: &impl ConnectionTrait, key: &str) -> Result<Option<channel::Model>, DbErr> {
    // Keys come out of addresses, where anything may stand: PostgreSQL takes a NUL for an error.
    if key.contains('\0') {
        return Ok(None);
    }
    channel::Entity::find()
        .filter(channel::Column::Key.eq(key))
        .one(db)
        .await
}

/// Up to `limit`, oldest first, after the id given.
pub async fn list(
    db: &impl ConnectionTrait,
    after: Option<&str>,
    limit: u64,
) -> Result<Vec<channel::Model>, DbErr> {
    let mut rows = channel::Entity::find()
        .order_by_asc(channel::Column::Id)
        .limit(limit);
    if let Some(after) = after {
        rows = rows.filter(channel::Column::Id.gt(after));
    }
    rows.all(db).await
}

/// Whether a line of this id exists.
pub async fn line_exists(db: &impl ConnectionTrait, line_id: &str) -> Result<bool, DbErr> {
    Ok(line::Entity::find_by_id(line_id).count(db).await? > 0)
}

/// Stores a new one and tells the host.
pub(super) async fn insert(
    write: &mut WriteTx,
    row: channel::Model,
    now: DateTime<Utc>,
) -> Result<channel::Model, Error> {
    let row = channel::ActiveModel::from(row)
        .reset_all()
        .insert(write.tx())
        .await
        .map_err(|error| {
            if is_unique_violation(&error) {
                Error::KeyTaken
            } else {
                Error::Database(error)
            }
        })?;
    write.record(NewEvent::new(EventType::ChannelUpdated, &row.id, now));
    Ok(row)
}

/// Stores changes of what an admin sets (never of the health), if nobody else did since `row.version`.
pub(super) async fn update(
    write: &mut WriteTx,
    row: channel::Model,
    now: DateTime<Utc>,
) -> Result<channel::Model, Error> {
    let changes = channel::ActiveModel {
        id: Unchanged(row.id.clone()),
        key: Set(row.key),
        line_id: Set(row.line_id),
        name: Set(row.name),
        enabled: Set(row.enabled),
        settings: Set(row.settings),
        secrets: Set(row.secrets),
        version: Set(row.version + 1),
        updated_at: Set(now),
        ..Default::default()
    };
    let done = channel::Entity::update_many()
        .set(changes)
        .filter(channel::Column::Id.eq(&row.id))
        .filter(channel::Column::Version.eq(row.version))
        .exec(write.tx())
        .await
        .map_err(|error| {
            if is_unique_violation(&error) {
                Error::KeyTaken
            } else {
                Error::Database(error)
            }
        })?;
    if done.rows_affected == 0 {
        return Err(Error::Stale);
    }
    write.record(NewEvent::new(EventType::ChannelUpdated, &row.id, now));
    load(write.tx(), &row.id).await?.ok_or(Error::NotFound)
}

/// Removes one that nothing was ever said on.
pub async fn delete(write: &mut WriteTx, id: &str, now: DateTime<Utc>) -> Result<(), Error> {
    let used = conversation::Entity::find()
        .filter(conversation::Column::ChannelId.eq(id))
        .one(write.tx())
        .await?;
    if used.is_some() {
        return Err(Error::InUse);
    }
    let done = channel::Entity::delete_by_id(id).exec(write.tx()).await?;
    if done.rows_affected == 0 {
        return Err(Error::NotFound);
    }
    write.record(NewEvent::new(EventType::ChannelUpdated, id, now));
    Ok(())
}

/// The cursors of a channel whose names begin so.
pub(super) async fn cursors(
    db: &impl ConnectionTrait,
    channel_id: &str,
    begin: &str,
) -> Result<Vec<channel_cursor::Model>, DbErr> {
    let rows = channel_cursor::Entity::find()
        .filter(channel_cursor::Column::ChannelId.eq(channel_id))
        .filter(channel_cursor::Column::Name.starts_with(begin));
    rows.all(db).await
}

/// Stores a cursor that is not there.
pub(super) async fn put_cursor(
    write: &mut WriteTx,
    channel_id: &str,
    name: &str,
    value: Value,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let row = channel_cursor::ActiveModel {
        channel_id: Set(channel_id.to_owned()),
        name: Set(name.to_owned()),
        value: Set(value),
        updated_at: Set(now),
    };
    channel_cursor::Entity::insert(row)
        .exec_without_returning(write.tx())
        .await
        .map(drop)
}

/// Forgets the cursors of a channel whose names begin so.
pub(super) async fn remove_cursors(write: &mut WriteTx, channel_id: &str, begin: &str) -> Result<(), DbErr> {
    channel_cursor::Entity::delete_many()
        .filter(channel_cursor::Column::ChannelId.eq(channel_id))
        .filter(channel_cursor::Column::Name.starts_with(begin))
        .exec(write.tx())
        .await
        .map(drop)
}
