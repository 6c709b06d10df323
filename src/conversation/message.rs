//! Appending messages, and the rules of what may be written.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect, Set,
};
use serde::{Deserialize, Serialize};
use switchboard_sdk::Recipient;
use utoipa::ToSchema;

use super::extra::Extra;
use crate::{
    db::{
        WriteTx,
        entity::{attachment, conversation, message},
    },
    event::{EventType, NewEvent},
    id::{self, Kind},
};

/// Longest text of a message we write ourselves, in characters.
pub const MAX_TEXT_CHARS: usize = 64_000;
/// Most files of one message.
pub const MAX_ATTACHMENTS: usize = 20;
/// How much of a message the list shows, in characters.
const PREVIEW_CHARS: usize = 160;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// The customer wrote it.
    Inbound,
    /// An operator answered.
    Reply,
    /// For the staff only.
    Note,
    /// The server says what happened.
    System,
}

impl MessageKind {
    /// The word in the API and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Reply => "reply",
            Self::Note => "note",
            Self::System => "system",
        }
    }
}

/// Who writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Author {
    /// Somebody outside.
    Contact {
        /// `cnt_…`
        id: String,
        /// The name at this time.
        name: Option<String>,
    },
    /// Somebody inside.
    Operator {
        /// `opr_…`
        id: String,
        /// The name at this time.
        name: String,
    },
    /// The server.
    System,
}

/// A message to append.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// What it is.
    pub kind: MessageKind,
    /// Who writes.
    pub author: Author,
    /// Plain text.
    pub text: String,
    /// The writer's idempotency key.
    pub client_id: Option<String>,
    /// `queued` or `sent` for an answer; none for what is not sent.
    pub delivery_state: Option<&'static str>,
    /// Written by a hidden participant.
    pub hidden: bool,
    /// Files uploaded before; see [`claim_attachments`].
    pub attachment_ids: Vec<String>,
    /// Rich text, sanitised.
    pub html: Option<String>,
    /// Its address fields, on channels that have any.
    pub recipients: Vec<Recipient>,
    /// `reply`, `reply_all` or `forward`, where there is a choice.
    pub mode: Option<&'static str>,
    /// The message of the same conversation that it answers.
    pub reply_to: Option<String>,
    /// What it says beside its text.
    pub extra: Extra,
}

impl NewMessage {
    /// A line that says what happened ("Anna took the conversation").
    pub fn system(text: impl Into<String>) -> Self {
        Self {
            kind: MessageKind::System,
            author: Author::System,
            text: text.into(),
            client_id: None,
            delivery_state: None,
            hidden: false,
            attachment_ids: Vec::new(),
            html: None,
            recipients: Vec::new(),
            mode: None,
            reply_to: None,
            extra: Extra::default(),
        }
    }
}

/// Why a file cannot be attached.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// Not uploaded by this writer, or attached already.
    #[error("attachment {0} does not exist, belongs to somebody else, or was sent already")]
    Unknown(String),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbErr),
}

/// Locks a conversation for the rest of the write and reads it. On SQLite the write itself is the lock.
pub async fn lock(write: &WriteTx, id: &str) -> Result<Option<conversation::Model>, DbErr> {
    conversation::Entity::find_by_id(id)
        .lock_exclusive()
        .one(write.tx())
        .await
}

/// Appends a message to a locked conversation and records the events. `conversation` is written and
/// handed back as it is now; files must have been claimed before.
pub async fn append(
    write: &mut WriteTx,
    conversation: &mut conversation::Model,
    new: NewMessage,
    now: DateTime<Utc>,
) -> Result<message::Model, DbErr> {
    let seq = conversation.last_seq + 1;
    let (author_type, author_id, author_name) = match new.author {
        Author::Contact { id, name } => ("contact", Some(id), name),
        Author::Operator { id, name } => ("operator", Some(id), Some(name)),
        Author::System => ("system", None, None),
    };
    let row = message::Model {
        id: id::new(Kind::Message, now),
        conversation_id: conversation.id.clone(),
        session_id: Some(conversation.session_id.clone()),
        seq,
        kind: new.kind.as_str().to_owned(),
        author_type: author_type.to_owned(),
        author_id,
        author_name,
        body: new.text,
        html: new.html,
        external_id: None,
        client_id: new.client_id,
        has_attachments: !new.attachment_ids.is_empty(),
        hidden: new.hidden,
        delivery_state: new.delivery_state.map(str::to_owned),
        delivery_attempts: 0,
        delivery_error: None,
        created_at: now,
        mail: None,
        original_key: None,
        recipients: stored_recipients(&new.recipients),
        mode: new.mode.map(str::to_owned),
        automatic: false,
        new_participant: false,
        no_auto_reply: false,
        extra: new.extra.stored(),
        reply_to: new.reply_to,
        ..message::Model::default()
    };
    message::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    for (position, attachment_id) in (0..).zip(&new.attachment_ids) {
        attachment::Entity::update_many()
            .col_expr(attachment::Column::MessageId, row.id.clone().into())
            .col_expr(
                attachment::Column::Position,
                sea_orm::sea_query::Expr::value::<i64>(position),
            )
            .filter(attachment::Column::Id.eq(attachment_id))
            .exec(write.tx())
            .await?;
    }
    conversation.last_seq = seq;
    conversation.version += 1;
    conversation.updated_at = now;
    let mut change = conversation::ActiveModel {
        id: Set(conversation.id.clone()),
        last_seq: Set(seq),
        version: Set(conversation.version),
        updated_at: Set(now),
        ..Default::default()
    };
    // What the server says about itself is no news: the list keeps showing what people said.
    if new.kind != MessageKind::System {
        conversation.last_message_id = Some(row.id.clone());
        conversation.last_message_kind = Some(row.kind.clone());
        conversation.last_message_text = Some(preview(&row.body));
        conversation.last_message_at = Some(now);
        change.last_message_id = Set(conversation.last_message_id.clone());
        change.last_message_kind = Set(conversation.last_message_kind.clone());
        change.last_message_text = Set(conversation.last_message_text.clone());
        change.last_message_at = Set(conversation.last_message_at);
    }
    change.update_without_returning(write.tx()).await?;
    write.record(NewEvent::message(
        EventType::MessageCreated,
        &row.id,
        &conversation.id,
        now,
    ));
    write.record(NewEvent::conversation(&conversation.id, now));
    Ok(row)
}

/// Address fields as they are stored; none where there are none.
pub fn stored_recipients(recipients: &[Recipient]) -> Option<serde_json::Value> {
    (!recipients.is_empty()).then(|| serde_json::to_value(recipients).unwrap_or_default())
}

/// Reads stored address fields.
pub fn recipients(stored: Option<&serde_json::Value>) -> Vec<Recipient> {
    stored
        .and_then(|value| serde_json::from_value(value.clone()).ok())
        .unwrap_or_default()
}

/// Checks that files were uploaded by `owner` and belong to no message yet; answers their rows in the
/// order asked.
pub async fn claim_attachments(
    write: &WriteTx,
    owner: &str,
    ids: &[String],
) -> Result<Vec<attachment::Model>, AttachError> {
    let mut rows = Vec::with_capacity(ids.len());
    for id in ids {
        let row = attachment::Entity::find_by_id(id)
            .lock_exclusive()
            .one(write.tx())
            .await?;
        match row {
            Some(row) if row.owner == owner && row.message_id.is_none() => rows.push(row),
            _ => return Err(AttachError::Unknown(id.clone())),
        }
    }
    Ok(rows)
}

/// The beginning of a text on one line, for lists.
pub fn preview(text: &str) -> String {
    let mut preview = String::with_capacity(PREVIEW_CHARS);
    let mut chars = 0;
    for word in text.split_whitespace() {
        if chars > 0 {
            preview.push(' ');
            chars += 1;
        }
        for char in word.chars() {
            if chars >= PREVIEW_CHARS {
                preview.push('…');
                return preview;
            }
            preview.push(char);
            chars += 1;
        }
    }
    preview
}

#[cfg(test)]
mod tests {
    use super::preview;

    #[test]
    fn a_preview_is_one_short_line_cut_between_characters() {
        assert_eq!(preview("  Salom,\n\tdunyo "), "Salom, dunyo");
        let long = preview(&"ю".repeat(1000));
        assert_eq!(long.chars().count(), 161);
        assert!(long.ends_with('…'));
    }
}
