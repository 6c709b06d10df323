//! What a line says to a client by itself.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, sea_query::Query,
};

use super::{address::is_machine, enqueue, first_state};
use crate::{
    conversation::{
        message::{self, Author, MAX_TEXT_CHARS, MessageKind, NewMessage},
        view::Views,
    },
    db::{
        WriteTx,
        entity::{conversation, message as row},
    },
};

/// Mails that one contact gets by itself on one channel in a day. An answering machine that does not say
/// what it is would go on with ours for ever.
const MAILS_A_DAY: u64 = 5;

/// Sends a text of the line in a locked conversation, in the transaction of what it tells about. Answers
/// whether the channel carries it; where nothing can be sent back, nothing is.
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
    if capabilities.threads
        && said_since(write.tx(), conversation, now - TimeDelta::days(1)).await? >= MAILS_A_DAY
    {
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
    };
    let stored = message::append(write, conversation, new, now).await?;
    if !capabilities.hosted {
        enqueue(write, &stored, conversation, now).await?;
    }
    Ok(true)
}

/// Texts of a line that the contact of this conversation got on its channel since then, in any thread.
async fn said_since(
    db: &impl ConnectionTrait,
    conversation: &conversation::Model,
    since: DateTime<Utc>,
) -> Result<u64, DbErr> {
    let threads = Query::select()
        .column(conversation::Column::Id)
        .from(conversation::Entity)
        .and_where(conversation::Column::ContactId.eq(&conversation.contact_id))
        .and_where(conversation::Column::ChannelId.eq(&conversation.channel_id))
        .to_owned();
    row::Entity::find()
        .filter(row::Column::ConversationId.in_subquery(threads))
        .filter(row::Column::Kind.eq("reply"))
        .filter(row::Column::AuthorType.eq("system"))
        .filter(row::Column::CreatedAt.gte(since))
        .count(db)
        .await
}
