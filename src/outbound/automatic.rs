//! What a line says to a client by itself.

use chrono::{DateTime, Utc};
use sea_orm::DbErr;

use super::{enqueue, first_state};
use crate::{
    conversation::{
        message::{self, Author, MAX_TEXT_CHARS, MessageKind, NewMessage},
        view::Views,
    },
    db::{WriteTx, entity::conversation},
};

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
    };
    let stored = message::append(write, conversation, new, now).await?;
    if !capabilities.hosted {
        enqueue(write, &stored, conversation, now).await?;
    }
    Ok(true)
}
