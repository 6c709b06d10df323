//! The outbox's queries.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect, Statement, Value,
    sea_query::{ExprTrait, Query},
};

use crate::db::{
    Db, WriteTx, bulk,
    entity::{attachment, chat_mail, chat_mail_reply, contact, conversation, message, outbox, thread_ref},
};

/// How long a claimed row stays claimed without being renewed: after a crash nobody looks at it sooner.
pub const LEASE: Duration = Duration::from_secs(30);
/// Earlier messages named in the references of a mail, at most; the newest ones.
const REFERENCES: u64 = 100;

/// A row may be sent when it is due and the oldest of its conversation that is still on its way. Changes of
/// what was sent before hold nothing back.
const SENDABLE: &str = "o.state = 'queued' AND o.due_at <= $1 AND NOT EXISTS (\
     SELECT 1 FROM outbox b WHERE b.conversation_id = o.conversation_id AND b.seq < o.seq AND b.due_at IS NOT NULL \
     AND b.kind = 'send')";

#[derive(FromQueryResult)]
struct ChannelRow {
    channel_id: String,
}

/// The channels that have something to send now.
pub async fn waiting_channels(db: &Db, now: DateTime<Utc>) -> Result<Vec<String>, DbErr> {
    let sql = format!("SELECT DISTINCT o.channel_id FROM outbox o WHERE {SENDABLE}");
    let statement = Statement::from_sql_and_values(db.backend(), sql, [now.into()]);
    Ok(ChannelRow::find_by_statement(statement)
        .all(db.read())
        .await?
        .into_iter()
        .map(|row| row.channel_id)
        .collect())
}

/// When the next row becomes due that is not due yet.
pub async fn next_due(db: &Db, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, DbErr> {
    let first: Vec<Option<DateTime<Utc>>> = outbox::Entity::find()
        .select_only()
        .column_as(outbox::Column::DueAt.min(), "due_at")
        .filter(outbox::Column::DueAt.gt(now))
        .into_tuple()
        .all(db.read())
        .await?;
    Ok(first.into_iter().flatten().next())
}

/// Claims up to `limit` rows of a channel for `node`: no other node sees them as due until the lease ends.
pub async fn claim(
    write: &WriteTx,
    channel_id: &str,
    limit: usize,
    node: &str,
    now: DateTime<Utc>,
) -> Result<Vec<outbox::Model>, DbErr> {
    // A sub-select in place could be run more than once by PostgreSQL, and claim more than `limit`.
    let skip = if write.backend() == DbBackend::Postgres {
        " FOR UPDATE OF o SKIP LOCKED"
    } else {
        ""
    };
    let sql = format!(
        "WITH due AS MATERIALIZED (SELECT o.message_id FROM outbox o WHERE {SENDABLE} AND o.channel_id = $2 \
         ORDER BY o.due_at LIMIT $3{skip}) \
         UPDATE outbox SET state = 'sending', claimed_by = $4, due_at = $5, attempts = attempts + 1 \
         WHERE message_id IN (SELECT message_id FROM due) RETURNING *"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values: [Value; 5] = [
        now.into(),
        channel_id.into(),
        limit.into(),
        node.into(),
        (now + LEASE).into(),
    ];
    outbox::Model::find_by_statement(Statement::from_sql_and_values(write.backend(), sql, values))
        .all(write.tx())
        .await
}

/// Prolongs the leases of what is being sent now.
pub async fn renew(db: &Db, message_ids: Vec<String>, node: &str, now: DateTime<Utc>) -> Result<(), DbErr> {
    if message_ids.is_empty() {
        return Ok(());
    }
    let (list, ids) = bulk::in_list(3, message_ids.into_iter().map(Value::from).collect());
    let sql = format!(
        "UPDATE outbox SET due_at = $1 WHERE claimed_by = $2 AND state = 'sending' AND message_id IN {list}"
    );
    let values = [(now + LEASE).into(), node.into()].into_iter().chain(ids);
    let write = db.write().await?;
    write
        .tx()
        .execute_raw(Statement::from_sql_and_values(write.backend(), sql, values))
        .await?;
    write.commit().await
}

/// Rows whose sender died in the middle: the lease has ended, or they carry the name of this process
/// from before it started (`own`).
pub async fn abandoned(
    db: &impl ConnectionTrait,
    own: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Vec<outbox::Model>, DbErr> {
    let mut ended = outbox::Column::DueAt.lte(now);
    if let Some(node) = own {
        ended = ended.or(outbox::Column::ClaimedBy.eq(node));
    }
    outbox::Entity::find()
        .filter(outbox::Column::State.eq("sending"))
        .filter(ended)
        .order_by_asc(outbox::Column::CreatedAt)
        .limit(500)
        .all(db)
        .await
}

/// What a message to be sent is made of, but for the bytes of its files.
#[derive(Debug)]
pub struct Letter {
    /// The message.
    pub message: message::Model,
    /// Its conversation.
    pub conversation: conversation::Model,
    /// The customer's name.
    pub contact_name: Option<String>,
    /// Ids of earlier messages on the channel, oldest first.
    pub references: Vec<String>,
    /// Its files.
    pub attachments: Vec<attachment::Model>,
    /// The provider's id of the message it answers.
    pub reply_to: Option<String>,
    /// The mail that is to be sent in place of the message itself, of a chat that goes on by mail.
    pub mail: Option<chat_mail::Model>,
}

/// Reads all of it; `None` when the message or its conversation is gone.
pub async fn letter(db: &impl ConnectionTrait, message_id: &str) -> Result<Option<Letter>, DbErr> {
    let Some(message) = message::Entity::find_by_id(message_id).one(db).await? else {
        return Ok(None);
    };
    let conversation = conversation::Entity::find_by_id(&message.conversation_id)
        .one(db)
        .await?;
    let Some(conversation) = conversation else {
        return Ok(None);
    };
    let contact = contact::Entity::find_by_id(&conversation.contact_id)
        .one(db)
        .await?;
    let mut references = thread_ref::Entity::find()
        .filter(thread_ref::Column::ConversationId.eq(&conversation.id))
        .filter(
            thread_ref::Column::MessageId
                .is_null()
                .or(thread_ref::Column::MessageId.ne(message_id)),
        )
        .order_by_desc(thread_ref::Column::CreatedAt)
        .limit(REFERENCES)
        .all(db)
        .await?;
    references.reverse();
    let attachments = if message.has_attachments {
        attachment::Entity::find()
            .filter(attachment::Column::MessageId.eq(message_id))
            .filter(attachment::Column::Replaced.eq(false))
            .order_by_asc(attachment::Column::Position)
            .all(db)
            .await?
    } else {
        Vec::new()
    };
    let reply_to = match &message.reply_to {
        Some(id) => provider_id(db, id).await?,
        None => None,
    };
    let mail = match message.kind.as_str() {
        "system" => chat_mail(db, message_id).await?,
        _ => None,
    };
    Ok(Some(Letter {
        mail,
        reply_to,
        message,
        conversation,
        contact_name: contact.and_then(|contact| contact.name),
        references: references.into_iter().map(|row| row.external_id).collect(),
        attachments,
    }))
}

/// The mail of a chat that hangs on a message.
pub async fn chat_mail(
    db: &impl ConnectionTrait,
    message_id: &str,
) -> Result<Option<chat_mail::Model>, DbErr> {
    chat_mail::Entity::find_by_id(message_id).one(db).await
}

/// Whether a mail brings replies and its visitor has seen them all in the chat meanwhile, or they were taken back.
pub async fn is_seen(
    db: &impl ConnectionTrait,
    mail: &chat_mail::Model,
    client_read_seq: i64,
) -> Result<bool, DbErr> {
    if mail.kind != "replies" {
        return Ok(false);
    }
    let brought = Query::select()
        .column(chat_mail_reply::Column::MessageId)
        .from(chat_mail_reply::Entity)
        .and_where(chat_mail_reply::Column::MailId.eq(&mail.message_id))
        .to_owned();
    let news = message::Entity::find()
        .filter(message::Column::Id.in_subquery(brought))
        .filter(message::Column::Seq.gt(client_read_seq))
        .filter(message::Column::DeletedAt.is_null())
        .one(db)
        .await?;
    Ok(news.is_none())
}

/// What the provider calls a message: an id of its own before that of the event it came under.
async fn provider_id(db: &impl ConnectionTrait, message_id: &str) -> Result<Option<String>, DbErr> {
    let named = thread_ref::Entity::find()
        .filter(thread_ref::Column::MessageId.eq(message_id))
        .order_by_asc(thread_ref::Column::CreatedAt)
        .order_by_asc(thread_ref::Column::ExternalId)
        .one(db)
        .await?;
    if let Some(row) = named {
        return Ok(Some(row.external_id));
    }
    let row = message::Entity::find_by_id(message_id).one(db).await?;
    Ok(row.and_then(|row| row.external_id))
}

/// Which part of the outbox a list shows.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// One state; `None` is all.
    pub state: Option<String>,
    /// Continue after this row: its creation and id.
    pub after: Option<(DateTime<Utc>, String)>,
}

/// Rows of the outbox, newest first; one more than `limit` when there are more.
pub async fn list(
    db: &impl ConnectionTrait,
    filter: &Filter,
    limit: u64,
) -> Result<Vec<outbox::Model>, DbErr> {
    let mut query = outbox::Entity::find();
    if let Some(state) = &filter.state {
        query = query.filter(outbox::Column::State.eq(state));
    }
    if let Some((at, id)) = &filter.after {
        let earlier = outbox::Column::CreatedAt.lt(*at).or(outbox::Column::CreatedAt
            .eq(*at)
            .and(outbox::Column::MessageId.lt(id)));
        query = query.filter(earlier);
    }
    query
        .order_by_desc(outbox::Column::CreatedAt)
        .order_by_desc(outbox::Column::MessageId)
        .limit(limit + 1)
        .all(db)
        .await
}
