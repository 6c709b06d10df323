//! The sessions of conversations that are split off, merged, or come back: like that of where they were.

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

use super::order::{Line, Voice};
use crate::{
    conversation::{
        session::{Error, Held, opened},
        state::Stage,
    },
    db::{
        WriteTx,
        entity::{conversation, identity, session as session_row},
        next_numbers,
    },
    id::{self, Kind},
};

/// A conversation for what is split off, beside the one it was part of: of whoever wrote the first of it.
pub(super) async fn open_beside(
    write: &WriteTx,
    held: &Held,
    moved: &[Line],
    now: DateTime<Utc>,
) -> Result<Held, Error> {
    let was = &held.conversation;
    let writer = moved.iter().find_map(|line| line.contact_id.clone());
    let contact_id = writer.unwrap_or_else(|| was.contact_id.clone());
    let same = contact_id == was.contact_id;
    let address = if same {
        was.address.clone()
    } else {
        address_of(write, &contact_id)
            .await?
            .unwrap_or_else(|| was.address.clone())
    };
    let id = id::new(Kind::Conversation, now);
    let session = like(held, &id, moved, now);
    let conversation = conversation::Model {
        number: next_numbers(write.tx(), "conversation", 1).await?,
        thread_key: format!("s:{id}"),
        contact_id,
        address,
        claimed: was.claimed && same,
        lead_id: was.lead_id.clone().filter(|_| same),
        session_id: session.id.clone(),
        tags: was.tags.clone(),
        last_seq: 0,
        last_inbound_seq: 0,
        unread: 0,
        read_seq: 0,
        client_read_seq: 0,
        client_delivered_seq: 0,
        last_message_id: None,
        last_message_kind: None,
        last_message_text: None,
        last_message_at: None,
        snoozed_until: None,
        version: 0,
        created_at: now,
        updated_at: now,
        unreachable_since: was.unreachable_since.filter(|_| same),
        unreachable_reason: was.unreachable_reason.clone().filter(|_| same),
        id,
        ..was.clone()
    };
    conversation::Entity::insert(conversation.clone().into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    session_row::Entity::insert(session.clone().into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    Ok(Held {
        conversation,
        session,
    })
}

async fn address_of(write: &WriteTx, contact_id: &str) -> Result<Option<String>, DbErr> {
    let found = identity::Entity::find()
        .filter(identity::Column::ContactId.eq(contact_id))
        .filter(identity::Column::Kind.eq("email"))
        .order_by_desc(identity::Column::Verified)
        .order_by_asc(identity::Column::CreatedAt)
        .one(write.tx())
        .await?;
    Ok(found.map(|row| row.value))
}

/// A session that stands where another does: with its owner, at its place in the queue, or closed.
fn like(other: &Held, conversation_id: &str, lines: &[Line], now: DateTime<Utc>) -> session_row::Model {
    let kind = &other.conversation.channel_kind;
    let answered = lines.iter().find(|line| line.voice == Voice::Operator);
    let session = session_row::Model {
        first_reply_at: answered.map(|line| line.at),
        ..opened(conversation_id, &other.conversation.line_id, kind, now)
    };
    match other.stage() {
        Stage::Waiting { since } | Stage::Offered { since } => session_row::Model {
            waiting_since: since,
            ..session
        },
        Stage::Assigned { to, .. } => session_row::Model {
            state: "assigned".to_owned(),
            operator_id: Some(to),
            waiting_since: other.session.waiting_since,
            assigned_at: Some(now),
            ..session
        },
        Stage::Closed { at } => session_row::Model {
            state: "closed".to_owned(),
            operator_id: other.session.operator_id.clone(),
            closed_at: Some(at),
            close_reason: other.session.close_reason.clone(),
            ..session
        },
    }
}

/// A merged conversation comes back: a new session of it begins, like that of where it was.
pub(super) async fn begin_like(
    write: &mut WriteTx,
    back: &mut Held,
    other: &Held,
    lines: &[Line],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    if matches!(other.stage(), Stage::Closed { .. }) {
        return Ok(());
    }
    let session = like(other, &back.conversation.id, lines, now);
    session_row::Entity::insert(session.clone().into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    back.conversation.session_id.clone_from(&session.id);
    back.conversation.line_id.clone_from(&session.line_id);
    back.session = session;
    back.changed(write, now).await?;
    Ok(())
}

/// What is merged into a conversation brings its session along: an open one opens it, an owner owns it, and
/// who waited longer keeps the place.
pub(super) async fn open_like(
    write: &mut WriteTx,
    to: &mut Held,
    from: &Held,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    match (to.stage(), from.stage()) {
        (_, Stage::Closed { .. })
        | (Stage::Assigned { .. }, _)
        | (Stage::Offered { .. }, Stage::Waiting { .. } | Stage::Offered { .. }) => {}
        (Stage::Closed { .. }, _) => begin_like(write, to, from, &[], now).await?,
        (Stage::Waiting { .. } | Stage::Offered { .. }, Stage::Assigned { to: owner, .. }) => {
            let line = to.conversation.line_id.clone();
            let stage = Stage::Assigned {
                to: owner,
                since: now,
            };
            to.write(write, &stage, &line, now).await?;
        }
        (Stage::Waiting { since }, Stage::Waiting { since: other } | Stage::Offered { since: other }) => {
            let line = to.conversation.line_id.clone();
            let stage = Stage::Waiting {
                since: Ord::min(since, other),
            };
            to.write(write, &stage, &line, now).await?;
        }
    }
    Ok(())
}
