//! Who has read how far, on both sides. Marks only move forward.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect, Set,
    sea_query::Expr,
};

use super::message;
use crate::{
    db::{
        WriteTx,
        entity::{conversation, message as message_row},
    },
    event::{EventType, NewEvent},
};

/// Operators have read up to `seq`. Answers whether anything changed; `None` when there is no such
/// conversation.
pub async fn by_staff(
    write: &mut WriteTx,
    conversation_id: &str,
    seq: i64,
    now: DateTime<Utc>,
) -> Result<Option<bool>, DbErr> {
    let Some(row) = message::lock(write, conversation_id).await? else {
        return Ok(None);
    };
    let seq = seq.min(row.last_seq);
    if seq <= row.read_seq {
        return Ok(Some(false));
    }
    let unread = if seq >= row.last_inbound_seq {
        0
    } else {
        let later = message_row::Entity::find()
            .filter(message_row::Column::ConversationId.eq(conversation_id))
            .filter(message_row::Column::Kind.eq("inbound"))
            .filter(message_row::Column::Seq.gt(seq))
            .count(write.tx())
            .await?;
        i64::try_from(later).unwrap_or(i64::MAX)
    };
    conversation::ActiveModel {
        id: Set(row.id.clone()),
        read_seq: Set(seq),
        unread: Set(unread),
        version: Set(row.version + 1),
        ..Default::default()
    }
    .update_without_returning(write.tx())
    .await?;
    write.record(NewEvent::conversation(conversation_id, now));
    Ok(Some(true))
}

/// How far the customer's side is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClientMarks {
    /// Arrived up to here.
    pub delivered: Option<i64>,
    /// Read up to here; what is read has arrived.
    pub read: Option<i64>,
}

/// The customer's side has received or read up to these numbers: marks the conversation and the
/// answers it covers. Answers whether anything changed.
pub async fn by_client(
    write: &mut WriteTx,
    conversation_id: &str,
    marks: ClientMarks,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let Some(row) = message::lock(write, conversation_id).await? else {
        return Ok(false);
    };
    let read = marks.read.unwrap_or(0).min(row.last_seq).max(row.client_read_seq);
    let delivered = marks
        .delivered
        .unwrap_or(0)
        .min(row.last_seq)
        .max(row.client_delivered_seq)
        .max(read);
    if read == row.client_read_seq && delivered == row.client_delivered_seq {
        return Ok(false);
    }
    conversation::ActiveModel {
        id: Set(row.id.clone()),
        client_read_seq: Set(read),
        client_delivered_seq: Set(delivered),
        version: Set(row.version + 1),
        ..Default::default()
    }
    .update_without_returning(write.tx())
    .await?;
    for (upto, state, before) in [
        (delivered, "delivered", vec!["sent"]),
        (read, "read", vec!["sent", "delivered"]),
    ] {
        let changed: Vec<String> = message_row::Entity::find()
            .select_only()
            .column(message_row::Column::Id)
            .filter(message_row::Column::ConversationId.eq(conversation_id))
            .filter(message_row::Column::Kind.eq("reply"))
            .filter(message_row::Column::DeliveryState.is_in(before))
            .filter(message_row::Column::Seq.lte(upto))
            .into_tuple()
            .all(write.tx())
            .await?;
        if changed.is_empty() {
            continue;
        }
        message_row::Entity::update_many()
            .col_expr(message_row::Column::DeliveryState, Expr::value(state))
            .filter(message_row::Column::Id.is_in(&changed))
            .exec(write.tx())
            .await?;
        for id in changed {
            write.record(NewEvent::message(
                EventType::MessageUpdated,
                id,
                conversation_id,
                now,
            ));
        }
    }
    write.record(NewEvent::conversation(conversation_id, now));
    Ok(true)
}
