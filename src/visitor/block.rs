//! Who may not use a chat: a visitor, by the key of their conversation, or all who come from an address.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{ExprTrait, OnConflict},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::store;
use crate::{
    db::{
        Db,
        entity::{conversation, operator, visitor, visitor_block},
    },
    id::{self, Kind},
};

/// An address is blocked for so long: it is somebody else's some day.
const ADDRESS_ENDS: TimeDelta = TimeDelta::days(7);
/// Blocks that are listed.
const LISTED: u64 = 500;

const VISITOR: &str = "visitor";
const ADDRESS: &str = "address";

/// Somebody who may not use a chat.
#[derive(Debug, Serialize, ToSchema)]
pub struct BlockView {
    /// `blk_…`
    pub id: String,
    /// `visitor` or `address`.
    pub kind: String,
    /// The address, where it is one.
    pub address: Option<String>,
    /// The conversation from which it was done.
    pub conversation_id: String,
    /// Who did it.
    pub operator_name: Option<String>,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Until when; for good, when there is no end.
    pub ends_at: Option<DateTime<Utc>>,
}

/// Whether somebody may not use a chat. Who proved who they are is not held to an address: an office shares one.
pub async fn is_blocked(
    db: &impl ConnectionTrait,
    channel_id: &str,
    visitor: Option<&visitor::Model>,
    origin: Option<&str>,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    use visitor_block::Column;
    let mut any = Condition::any();
    if let Some(visitor) = visitor {
        any = any.add(
            Column::Kind
                .eq(VISITOR)
                .and(Column::Value.eq(store::thread_key(visitor))),
        );
    }
    let proven = visitor.is_some_and(store::is_proven);
    if let Some(origin) = origin.filter(|_| !proven) {
        any = any.add(Column::Kind.eq(ADDRESS).and(Column::Value.eq(origin)));
    }
    if any.is_empty() {
        return Ok(false);
    }
    let found = visitor_block::Entity::find()
        .filter(Column::ChannelId.eq(channel_id))
        .filter(any)
        .all(db)
        .await?;
    Ok(found.iter().any(|row| row.ends_at.is_none_or(|ends| now < ends)))
}

/// Blocks the visitor of a conversation, and where they come from if that is asked for and known.
pub async fn block(
    db: &Db,
    conversation: &conversation::Model,
    address: bool,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let origin = match store::latest_of_conversation(db.read(), conversation).await? {
        Some(visitor) if address => visitor.origin,
        _ => None,
    };
    let wanted = [
        Some((VISITOR, conversation.thread_key.clone(), None)),
        origin.map(|origin| (ADDRESS, origin, Some(now + ADDRESS_ENDS))),
    ];
    let write = db.write().await?;
    for (kind, value, ends_at) in wanted.into_iter().flatten() {
        let row = visitor_block::Model {
            id: id::new(Kind::Block, now),
            channel_id: conversation.channel_id.clone(),
            kind: kind.to_owned(),
            value,
            operator_id: by.to_owned(),
            conversation_id: conversation.id.clone(),
            created_at: now,
            ends_at,
        };
        let again = OnConflict::columns([
            visitor_block::Column::ChannelId,
            visitor_block::Column::Kind,
            visitor_block::Column::Value,
        ])
        .update_columns([visitor_block::Column::EndsAt])
        .to_owned();
        visitor_block::Entity::insert(row.into_active_model())
            .on_conflict(again)
            .exec_without_returning(write.tx())
            .await?;
    }
    write.commit().await
}

/// Lets the visitor of a conversation in again, and the address that was blocked from it.
pub async fn unblock(db: &Db, conversation: &conversation::Model) -> Result<(), DbErr> {
    use visitor_block::Column;
    let write = db.write().await?;
    visitor_block::Entity::delete_many()
        .filter(Column::ChannelId.eq(&conversation.channel_id))
        .filter(
            Condition::any()
                .add(Column::ConversationId.eq(&conversation.id))
                .add(
                    Column::Kind
                        .eq(VISITOR)
                        .and(Column::Value.eq(&conversation.thread_key)),
                ),
        )
        .exec(write.tx())
        .await?;
    write.commit().await
}

/// Whether the visitor of a conversation is blocked.
pub async fn of_conversation(
    db: &impl ConnectionTrait,
    conversation: &conversation::Model,
) -> Result<bool, DbErr> {
    use visitor_block::Column;
    let found = visitor_block::Entity::find()
        .filter(Column::ChannelId.eq(&conversation.channel_id))
        .filter(Column::Kind.eq(VISITOR))
        .filter(Column::Value.eq(&conversation.thread_key))
        .one(db)
        .await?;
    Ok(found.is_some())
}

/// Who may not use a channel, the newest first.
pub async fn list(db: &impl ConnectionTrait, channel_id: &str) -> Result<Vec<BlockView>, DbErr> {
    let rows = visitor_block::Entity::find()
        .filter(visitor_block::Column::ChannelId.eq(channel_id))
        .order_by_desc(visitor_block::Column::Id)
        .limit(LISTED)
        .all(db)
        .await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let by: Vec<&str> = rows.iter().map(|row| row.operator_id.as_str()).collect();
    let people = operator::Entity::find()
        .filter(operator::Column::Id.is_in(by))
        .all(db)
        .await?;
    let name = |id: &str| people.iter().find(|one| one.id == id).map(|one| one.name.clone());
    Ok(rows
        .into_iter()
        .map(|row| BlockView {
            address: (row.kind == ADDRESS).then(|| row.value.clone()),
            id: row.id,
            kind: row.kind,
            conversation_id: row.conversation_id,
            operator_name: name(&row.operator_id),
            created_at: row.created_at,
            ends_at: row.ends_at,
        })
        .collect())
}

/// Takes one away; whether it was there.
pub async fn remove(db: &Db, channel_id: &str, id: &str) -> Result<bool, DbErr> {
    let write = db.write().await?;
    let gone = visitor_block::Entity::delete_many()
        .filter(visitor_block::Column::ChannelId.eq(channel_id))
        .filter(visitor_block::Column::Id.eq(id))
        .exec(write.tx())
        .await?;
    write.commit().await?;
    Ok(gone.rows_affected > 0)
}
