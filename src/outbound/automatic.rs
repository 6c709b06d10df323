//! What a line says to a client by itself.

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, Statement};

use super::{
    address::is_machine,
    budget::{self, Sent, Verdict, WINDOW},
    enqueue, first_state,
};
use crate::{
    conversation::{
        extra::Extra,
        message::{self, Author, MAX_TEXT_CHARS, MessageKind, NewMessage},
        view::Views,
    },
    db::{
        WriteTx,
        entity::{conversation, message as row},
    },
};

/// Sends a text of the line in a locked conversation, in the transaction of what it tells about. Answers
/// whether it was sent: not where nothing can be sent back, not to a program that asks for no automatic
/// answers, and not when this contact was told enough by itself, which is then said to the staff.
pub async fn say(
    write: &mut WriteTx,
    views: &Views,
    conversation: &mut conversation::Model,
    text: &str,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let capabilities = views.capabilities(&conversation.channel_kind);
    let Some(capabilities) = capabilities.filter(|capabilities| capabilities.outbound) else {
        return Ok(false);
    };
    // Nobody reads it, and some machine might answer.
    if capabilities.recipients && is_machine(&conversation.address) {
        return Ok(false);
    }
    if capabilities.threads && wants_none(write.tx(), conversation).await? {
        return Ok(false);
    }
    let sent = sent_since(write.tx(), views, &conversation.contact_id, now - WINDOW).await?;
    if let Verdict::Spent { sent, since, .. } = budget::one_more(&sent, capabilities.threads, now) {
        note(write, conversation, sent, since, now).await?;
        return Ok(false);
    }
    let limit = capabilities
        .max_text_chars
        .map_or(MAX_TEXT_CHARS, |limit| limit as usize);
    let new = NewMessage {
        kind: MessageKind::Reply,
        author: Author::System,
        text: text.chars().take(limit).collect(),
        client_id: None,
        delivery_state: Some(first_state(capabilities.hosted)),
        hidden: false,
        attachment_ids: Vec::new(),
        html: None,
        recipients: Vec::new(),
        mode: None,
        reply_to: None,
        extra: Extra::default(),
    };
    let stored = message::append(write, conversation, new, now).await?;
    if !capabilities.hosted {
        enqueue(write, &stored, conversation, now).await?;
    }
    Ok(true)
}

/// Whether the client's last message asks for no automatic answer.
async fn wants_none(db: &impl ConnectionTrait, conversation: &conversation::Model) -> Result<bool, DbErr> {
    let last = row::Entity::find()
        .filter(row::Column::ConversationId.eq(&conversation.id))
        .filter(row::Column::Seq.eq(conversation.last_inbound_seq))
        .one(db)
        .await?;
    Ok(last.is_some_and(|last| last.no_auto_reply))
}

/// What lines told this contact by themselves since then, wherever.
async fn sent_since(
    db: &impl ConnectionTrait,
    views: &Views,
    contact_id: &str,
    since: DateTime<Utc>,
) -> Result<Vec<Sent>, DbErr> {
    // In words: an index that holds a part of a table is not found for bound values.
    let sql = "SELECT m.created_at, c.channel_kind FROM conversation c JOIN message m ON m.conversation_id = c.id \
               AND m.kind = 'reply' AND m.author_type = 'system' AND m.created_at >= $2 WHERE c.contact_id = $1";
    let values = [contact_id.into(), since.into()];
    let rows = db
        .query_all_raw(Statement::from_sql_and_values(
            db.get_database_backend(),
            sql,
            values,
        ))
        .await?;
    rows.iter()
        .map(|row| {
            let kind: String = row.try_get("", "channel_kind")?;
            Ok(Sent {
                at: row.try_get("", "created_at")?,
                letter: views
                    .capabilities(&kind)
                    .is_some_and(|capabilities| capabilities.threads),
            })
        })
        .collect()
}

/// Says in the thread that the line is silent from now on, once for each time of silence.
async fn note(
    write: &mut WriteTx,
    conversation: &mut conversation::Model,
    sent: usize,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let key = format!("budget:{}", since.timestamp_millis());
    let said = row::Entity::find()
        .filter(row::Column::ConversationId.eq(&conversation.id))
        .filter(row::Column::ClientId.eq(&key))
        .one(write.tx())
        .await?;
    if said.is_some() {
        return Ok(());
    }
    let text = format!(
        "No more automatic messages to this contact for now: {sent} were sent within a day, and it may be a machine that answers. \
         What you write yourself is sent as always."
    );
    let line = NewMessage {
        hidden: true,
        client_id: Some(key),
        ..NewMessage::system(text)
    };
    message::append(write, conversation, line, now).await.map(|_| ())
}
