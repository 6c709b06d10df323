//! The queries of mails of chats.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, OnConflict, Query},
};

use super::{Kind, VISITOR};
use crate::db::{
    WriteTx, bulk,
    entity::{
        chat_absence, chat_mail, chat_mail_reply, conversation, conversation_member, identity, message,
        session,
    },
    fixed::is,
};

/// Replies of one mail, and messages of one transcript.
pub(super) const REPLIES: u64 = 100;
pub(super) const MESSAGES: u64 = 500;
/// Absences looked at in one round.
const ABSENCES: u64 = 1_000;

/// The proven e-mail address of a contact.
pub(super) async fn proven_email(
    db: &impl ConnectionTrait,
    contact_id: &str,
) -> Result<Option<String>, DbErr> {
    let row = identity::Entity::find()
        .filter(identity::Column::ContactId.eq(contact_id))
        .filter(identity::Column::Kind.eq("email"))
        .filter(identity::Column::Verified.eq(true))
        .order_by_asc(identity::Column::CreatedAt)
        .order_by_asc(identity::Column::Value)
        .one(db)
        .await?;
    Ok(row.map(|row| row.value))
}

/// Whether nothing reaches an address, as far as is known.
pub(super) async fn is_dead(db: &impl ConnectionTrait, address: &str) -> Result<bool, DbErr> {
    let key = ("email".to_owned(), address.to_owned());
    let row = identity::Entity::find_by_id(key).one(db).await?;
    Ok(row.is_some_and(|row| row.unreachable_since.is_some()))
}

/// How many mails of a kind went to an address since then; of those that `by` asked for, when that is given.
pub(super) async fn sent_since(
    db: &impl ConnectionTrait,
    address: &str,
    kind: Kind,
    by: Option<&str>,
    since: DateTime<Utc>,
) -> Result<u64, DbErr> {
    let mut query = chat_mail::Entity::find()
        .filter(chat_mail::Column::Address.eq(address))
        .filter(chat_mail::Column::CreatedAt.gt(since))
        .filter(chat_mail::Column::Kind.eq(kind.as_str()));
    if let Some(by) = by {
        query = query.filter(chat_mail::Column::AskedBy.eq(by));
    }
    query.count(db).await
}

/// Keeps a mail that was put on its way, what it brings, and who may answer it.
pub(super) async fn keep(
    write: &WriteTx,
    mail: chat_mail::Model,
    replies: Vec<String>,
    conversation_id: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let member = conversation_member::Model {
        conversation_id: conversation_id.to_owned(),
        address: mail.address.clone(),
        created_at: now,
    };
    let columns = [
        conversation_member::Column::ConversationId,
        conversation_member::Column::Address,
    ];
    conversation_member::Entity::insert(member.into_active_model())
        .on_conflict(OnConflict::columns(columns).do_nothing().to_owned())
        .exec_without_returning(write.tx())
        .await?;
    let mail_id = mail.message_id.clone();
    chat_mail::Entity::insert(mail.into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    for message_id in replies {
        let row = chat_mail_reply::Model {
            message_id,
            mail_id: mail_id.clone(),
        };
        chat_mail_reply::Entity::insert(row.into_active_model())
            .exec_without_returning(write.tx())
            .await?;
    }
    Ok(())
}

/// Replies of operators since then that the visitor has neither seen nor been mailed, oldest first.
pub(super) async fn unseen(
    db: &impl ConnectionTrait,
    conversation: &conversation::Model,
    since: DateTime<Utc>,
) -> Result<Vec<message::Model>, DbErr> {
    let mailed = Query::select()
        .column(chat_mail_reply::Column::MessageId)
        .from(chat_mail_reply::Entity)
        .and_where(
            Expr::col((chat_mail_reply::Entity, chat_mail_reply::Column::MessageId))
                .equals((message::Entity, message::Column::Id)),
        )
        .to_owned();
    message::Entity::find()
        .filter(message::Column::ConversationId.eq(&conversation.id))
        .filter(message::Column::Seq.gt(conversation.client_read_seq))
        .filter(message::Column::CreatedAt.gt(since))
        .filter(message::Column::Kind.eq("reply"))
        .filter(message::Column::AuthorType.eq("operator"))
        .filter(message::Column::Hidden.eq(false))
        .filter(message::Column::DeletedAt.is_null())
        .filter(Expr::exists(mailed).not())
        .order_by_asc(message::Column::Seq)
        .limit(REPLIES)
        .all(db)
        .await
}

/// What was said between the visitor and the staff in a session, the newest of it, oldest first.
pub(super) async fn of_session(
    db: &impl ConnectionTrait,
    session_id: &str,
    conversation_id: &str,
) -> Result<Vec<message::Model>, DbErr> {
    let mut rows = message::Entity::find()
        .filter(message::Column::ConversationId.eq(conversation_id))
        .filter(message::Column::SessionId.eq(session_id))
        .filter(message::Column::Kind.is_in(["inbound", "reply"]))
        .filter(message::Column::Hidden.eq(false))
        .filter(message::Column::DeletedAt.is_null())
        .order_by_desc(message::Column::Seq)
        .limit(MESSAGES)
        .all(db)
        .await?;
    rows.reverse();
    Ok(rows)
}

/// A session.
pub(super) async fn session(db: &impl ConnectionTrait, id: &str) -> Result<Option<session::Model>, DbErr> {
    session::Entity::find_by_id(id).one(db).await
}

/// The mail that the visitor asked for in a session.
pub(super) async fn asked(
    db: &impl ConnectionTrait,
    session_id: &str,
    conversation_id: &str,
) -> Result<Option<chat_mail::Model>, DbErr> {
    let here = Query::select()
        .column(message::Column::Id)
        .from(message::Entity)
        .and_where(message::Column::ConversationId.eq(conversation_id))
        .and_where(message::Column::SessionId.eq(session_id))
        .and_where(message::Column::Kind.eq("system"))
        .to_owned();
    chat_mail::Entity::find()
        .filter(chat_mail::Column::MessageId.in_subquery(here))
        .filter(chat_mail::Column::AskedBy.eq(VISITOR))
        .one(db)
        .await
}

/// Of these messages, those that are an operator's reply to a visitor: conversation, channel and time.
pub(super) async fn replies(
    db: &impl ConnectionTrait,
    message_ids: &[&String],
) -> Result<Vec<(String, String, DateTime<Utc>)>, DbErr> {
    let rows = message::Entity::find()
        .filter(message::Column::Id.is_in(bulk::padded(message_ids.iter().copied())))
        .filter(is(message::Column::Kind, "reply"))
        .filter(message::Column::AuthorType.eq("operator"))
        .filter(message::Column::Hidden.eq(false))
        .all(db)
        .await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids = rows.iter().map(|row| &row.conversation_id);
    let talks = conversation::Entity::find()
        .filter(conversation::Column::Id.is_in(bulk::padded(ids)))
        .all(db)
        .await?;
    let found = rows.into_iter().filter_map(|row| {
        let talk = talks.iter().find(|talk| talk.id == row.conversation_id)?;
        Some((talk.id.clone(), talk.channel_id.clone(), row.created_at))
    });
    Ok(found.collect())
}

/// Begins to look whether a visitor sees what was written to them.
pub(super) async fn begin(write: &WriteTx, conversation_id: String, at: DateTime<Utc>) -> Result<(), DbErr> {
    let row = chat_absence::Model {
        conversation_id,
        here_at: at,
    };
    let known = OnConflict::column(chat_absence::Column::ConversationId)
        .do_nothing()
        .to_owned();
    chat_absence::Entity::insert(row.into_active_model())
        .on_conflict(known)
        .exec_without_returning(write.tx())
        .await?;
    Ok(())
}

/// Chats that are looked at, those away the longest first.
pub(super) async fn absences(db: &impl ConnectionTrait) -> Result<Vec<chat_absence::Model>, DbErr> {
    chat_absence::Entity::find()
        .order_by_asc(chat_absence::Column::HereAt)
        .limit(ABSENCES)
        .all(db)
        .await
}

/// The visitor is on the site now.
pub(super) async fn here(write: &WriteTx, conversation_id: &str, now: DateTime<Utc>) -> Result<(), DbErr> {
    chat_absence::Entity::update_many()
        .col_expr(chat_absence::Column::HereAt, Expr::value(now))
        .filter(chat_absence::Column::ConversationId.eq(conversation_id))
        .exec(write.tx())
        .await?;
    Ok(())
}

/// As another process left it meanwhile.
pub(super) async fn absence(
    db: &impl ConnectionTrait,
    conversation_id: &str,
) -> Result<Option<chat_absence::Model>, DbErr> {
    chat_absence::Entity::find_by_id(conversation_id).one(db).await
}

/// Nothing waits for this visitor any more.
pub(super) async fn end(write: &WriteTx, conversation_id: &str) -> Result<(), DbErr> {
    chat_absence::Entity::delete_by_id(conversation_id)
        .exec(write.tx())
        .await?;
    Ok(())
}
