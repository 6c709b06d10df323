//! Whether a customer can be reached in a conversation, and what the list shows of its newest message.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DbErr, EntityTrait, QueryFilter, Set, Unchanged,
    sea_query::{Expr, ExprTrait},
};

use crate::{
    db::{WriteTx, entity::conversation},
    event::NewEvent,
};

/// Longest stored reason, in characters.
const MAX_REASON: usize = 500;

/// The channel says that nothing reaches this customer: remembered until they write, or the channel says
/// otherwise.
pub async fn unreachable(
    write: &mut WriteTx,
    conversation_id: &str,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let reason: String = reason
        .chars()
        .filter(|char| !char.is_control())
        .take(MAX_REASON)
        .collect();
    let done = conversation::Entity::update_many()
        .col_expr(conversation::Column::UnreachableSince, Expr::value(now))
        .col_expr(conversation::Column::UnreachableReason, Expr::value(reason))
        .col_expr(
            conversation::Column::Version,
            Expr::col(conversation::Column::Version).add(1),
        )
        .col_expr(conversation::Column::UpdatedAt, Expr::value(now))
        .filter(conversation::Column::Id.eq(conversation_id))
        .filter(conversation::Column::UnreachableSince.is_null())
        .exec(write.tx())
        .await?;
    if done.rows_affected > 0 {
        write.record(NewEvent::conversation(conversation_id, now));
    }
    Ok(())
}

/// Forgets that nothing reaches this customer. The conversation is locked.
pub async fn reachable(
    write: &mut WriteTx,
    conversation: &conversation::Model,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    if conversation.unreachable_since.is_none() {
        return Ok(());
    }
    let change = conversation::ActiveModel {
        id: Unchanged(conversation.id.clone()),
        unreachable_since: Set(None),
        unreachable_reason: Set(None),
        version: Set(conversation.version + 1),
        updated_at: Set(now),
        ..Default::default()
    };
    change.update_without_returning(write.tx()).await?;
    write.record(NewEvent::conversation(&conversation.id, now));
    Ok(())
}

/// The newest message begins otherwise now. The conversation is locked.
pub async fn show_last(
    write: &mut WriteTx,
    conversation: &conversation::Model,
    text: String,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let change = conversation::ActiveModel {
        id: Unchanged(conversation.id.clone()),
        last_message_text: Set(Some(text)),
        version: Set(conversation.version + 1),
        updated_at: Set(now),
        ..Default::default()
    };
    change.update_without_returning(write.tx()).await?;
    write.record(NewEvent::conversation(&conversation.id, now));
    Ok(())
}
