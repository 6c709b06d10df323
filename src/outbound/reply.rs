//! What an operator writes: stored, and on its way, in one transaction.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect, Set,
    Unchanged,
};

use super::{
    enqueue, first_state,
    mail::{self, Mail, Mode, Place},
};
use crate::{
    conversation::{
        extra::Extra,
        member,
        message::{self, AttachError, Author, MAX_ATTACHMENTS, MAX_TEXT_CHARS, MessageKind, NewMessage},
        offer,
        session::opened,
        state::{Refusal, Stage},
        view::Views,
    },
    db::{
        WriteTx,
        entity::{conversation, message as row, operator, participant, session},
    },
    event::{EventType, NewEvent, Was},
    line::store::may_pull,
};
use switchboard_sdk::ButtonAction;

/// Longest label of a button, in characters.
const MAX_BUTTON_CHARS: usize = 64;
/// Longest address or data of a button, in bytes.
const MAX_BUTTON_DATA: usize = 2000;
/// Most rows of buttons.
const MAX_BUTTON_ROWS: usize = 20;
/// Most buttons beside each other.
const MAX_BUTTONS_IN_ROW: usize = 8;

/// What an operator sends.
#[derive(Debug, Clone)]
pub struct Draft {
    /// `Reply` or `Note`.
    pub kind: MessageKind,
    /// Plain text.
    pub text: String,
    /// The sender's idempotency key: the same one twice is the same message.
    pub client_id: Option<String>,
    /// Files the operator uploaded.
    pub attachment_ids: Vec<String>,
    /// What only some channels carry.
    pub mail: Mail,
    /// The message of this conversation that it answers.
    pub reply_to: Option<String>,
    /// What it says beside its text.
    pub extra: Extra,
}

/// Why a draft is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such conversation.
    #[error("no such conversation")]
    Missing,
    /// A field does not fit.
    #[error("{field}: {message}")]
    Invalid {
        /// Which.
        field: &'static str,
        /// Why.
        message: String,
    },
    /// Nothing can be sent on this channel.
    #[error(
        "on this channel nothing can be sent back; write a note, or answer by another channel of the contact"
    )]
    CannotReply,
    /// Nobody has it, and on its line the queue gives.
    #[error("{}", Refusal::QueueGives)]
    QueueGives,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbErr),
}

impl Error {
    pub(super) fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid {
            field,
            message: message.into(),
        }
    }
}

/// Stores what an operator wrote and, when it is a reply, puts it on its way. Answers the message and
/// whether it is new; a known `client_id` answers the first one.
///
/// Who replies to a waiting or closed conversation becomes its owner, whatever their capacity: they are
/// at it already.
pub async fn post(
    write: &mut WriteTx,
    views: &Views,
    conversation_id: &str,
    author: &operator::Model,
    draft: Draft,
    now: DateTime<Utc>,
) -> Result<(row::Model, bool), Error> {
    let mut conversation = message::lock(write, conversation_id)
        .await?
        .ok_or(Error::Missing)?;
    if let Some(client_id) = &draft.client_id {
        let known = row::Entity::find()
            .filter(row::Column::ConversationId.eq(conversation_id))
            .filter(row::Column::ClientId.eq(client_id))
            .one(write.tx())
            .await?;
        if let Some(known) = known {
            return Ok((known, false));
        }
    }
    check(views, &conversation, &draft)?;
    let owner = format!("operator:{}", author.id);
    let files = message::claim_attachments(write, &owner, &draft.attachment_ids)
        .await
        .map_err(|error| match error {
            AttachError::Unknown(_) => Error::invalid("attachments", error.to_string()),
            AttachError::Db(error) => Error::Db(error),
        })?;
    let capabilities = views.capabilities(&conversation.channel_kind);
    if let Some(limit) = capabilities.and_then(|capabilities| capabilities.max_attachment_bytes)
        && let Some(file) = files
            .iter()
            .find(|file| u64::try_from(file.size).unwrap_or(0) > limit)
    {
        let message = format!(
            "{} is too large for this channel: at most {} MB",
            file.name,
            limit / 1_048_576
        );
        return Err(Error::invalid("attachments", message));
    }

    let reply = draft.kind == MessageKind::Reply;
    let reply_to = answered(write, views, &conversation, &draft).await?;
    let hidden = reply && is_hidden(write, conversation_id, &author.id).await?;
    let hosted = capabilities.is_some_and(|capabilities| capabilities.hosted);
    let place = Place {
        write,
        views,
        conversation: &conversation,
        author,
    };
    let written = mail::written(&place, &draft, hidden).await?;
    if reply && !hidden {
        let sizes = files.iter().chain(&written.copies).map(|file| file.size);
        mail::check_size(&place, &written.text, sizes).await?;
    }
    let copies = mail::keep_copies(&place, written.copies, now).await?;
    // Passing something on is no answer to the customer.
    if reply && !hidden && written.mode != Some(Mode::Forward) {
        own(write, &mut conversation, author, now).await?;
    }
    if reply && !hidden {
        member::written_to(write, &conversation.id, &written.recipients, now).await?;
    }
    let new = NewMessage {
        kind: draft.kind,
        author: Author::Operator {
            id: author.id.clone(),
            name: author.name.clone(),
        },
        text: written.text.plain,
        client_id: draft.client_id,
        // A hidden participant's words stay inside.
        delivery_state: (reply && !hidden).then(|| first_state(hosted)),
        hidden,
        attachment_ids: draft.attachment_ids.into_iter().chain(copies).collect(),
        html: written.text.html,
        recipients: written.recipients,
        mode: written.mode.map(Mode::as_str),
        reply_to,
        extra: draft.extra,
    };
    let stored = message::append(write, &mut conversation, new, now).await?;
    if reply && !hidden && !hosted {
        enqueue(write, &stored, &conversation, now).await?;
    }
    Ok((stored, true))
}

fn check(views: &Views, conversation: &conversation::Model, draft: &Draft) -> Result<(), Error> {
    if draft.text.trim().is_empty() && draft.attachment_ids.is_empty() && draft.mail.forward_of.is_none() {
        return Err(Error::invalid("text", "write something, or attach a file"));
    }
    if draft.text.contains('\0') {
        return Err(Error::invalid(
            "text",
            "holds a character that no channel carries (NUL)",
        ));
    }
    let buttons = draft.extra.buttons.iter().flatten();
    let well = |label: &str, what: &str| {
        let length = label.chars().count();
        (1..=MAX_BUTTON_CHARS).contains(&length) && (1..=MAX_BUTTON_DATA).contains(&what.len())
    };
    for button in buttons.clone() {
        let (ButtonAction::Url(what) | ButtonAction::Data(what)) = &button.action;
        let web = |url: &str| url.starts_with("https://") || url.starts_with("http://");
        let opens = !matches!(&button.action, ButtonAction::Url(url) if !web(url));
        if !well(&button.label, what) || !opens {
            return Err(Error::invalid(
                "buttons",
                "each has a label and a web address (url) or a short text (data)",
            ));
        }
    }
    let has_buttons = buttons.count() > 0;
    if has_buttons && draft.extra.request_phone {
        return Err(Error::invalid(
            "request_phone",
            "a message asks for the phone number or has other buttons, not both",
        ));
    }
    let asks = has_buttons || draft.extra.request_phone;
    let can_ask = views
        .capabilities(&conversation.channel_kind)
        .is_some_and(|can| can.buttons);
    if asks && !(can_ask && draft.kind == MessageKind::Reply) {
        return Err(Error::invalid("buttons", "this channel has no buttons"));
    }
    if draft.extra.buttons.len() > MAX_BUTTON_ROWS
        || draft
            .extra
            .buttons
            .iter()
            .any(|row| row.len() > MAX_BUTTONS_IN_ROW)
    {
        return Err(Error::invalid(
            "buttons",
            format!("at most {MAX_BUTTON_ROWS} rows of {MAX_BUTTONS_IN_ROW}"),
        ));
    }
    if draft.attachment_ids.len() > MAX_ATTACHMENTS {
        return Err(Error::invalid(
            "attachments",
            format!("at most {MAX_ATTACHMENTS} files in one message"),
        ));
    }
    let length = draft.text.chars().count();
    let capabilities = views.capabilities(&conversation.channel_kind);
    let limit = match draft.kind {
        MessageKind::Reply => {
            let capabilities = capabilities.ok_or(Error::CannotReply)?;
            if !capabilities.outbound {
                return Err(Error::CannotReply);
            }
            if !capabilities.attachments && !draft.attachment_ids.is_empty() {
                return Err(Error::invalid("attachments", "this channel carries no files"));
            }
            capabilities
                .max_text_chars
                .map_or(MAX_TEXT_CHARS, |limit| limit as usize)
        }
        MessageKind::Note => MAX_TEXT_CHARS,
        MessageKind::Inbound | MessageKind::System => {
            return Err(Error::invalid("kind", "is `reply` or `note`"));
        }
    };
    if length > limit {
        return Err(Error::invalid(
            "text",
            format!("{length} characters; this channel carries {limit}"),
        ));
    }
    Ok(())
}

/// The message that is answered, when it is one of this conversation.
async fn answered(
    write: &WriteTx,
    views: &Views,
    conversation: &conversation::Model,
    draft: &Draft,
) -> Result<Option<String>, Error> {
    let Some(id) = &draft.reply_to else {
        return Ok(None);
    };
    let can = views.capabilities(&conversation.channel_kind);
    let reply = draft.kind == MessageKind::Reply;
    if reply && !can.is_some_and(|can| can.reply_to) {
        return Err(Error::invalid(
            "reply_to",
            "on this channel an answer cannot name the message it answers",
        ));
    }
    let found = row::Entity::find_by_id(id).one(write.tx()).await?;
    let found = found.filter(|row| row.conversation_id == conversation.id);
    let found = found.ok_or_else(|| Error::invalid("reply_to", "is no message of this conversation"))?;
    let inside = found.hidden || matches!(found.kind.as_str(), "note" | "system");
    if reply && inside {
        return Err(Error::invalid(
            "reply_to",
            "the customer does not have this message",
        ));
    }
    Ok(Some(found.id))
}

async fn is_hidden(write: &WriteTx, conversation_id: &str, operator_id: &str) -> Result<bool, DbErr> {
    let key = (conversation_id.to_owned(), operator_id.to_owned());
    Ok(participant::Entity::find_by_id(key)
        .one(write.tx())
        .await?
        .is_some_and(|row| row.hidden))
}

/// Makes the replying operator the owner where nobody is, and notes the first reply.
async fn own(
    write: &mut WriteTx,
    conversation: &mut conversation::Model,
    author: &operator::Model,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let session = session::Entity::find_by_id(&conversation.session_id)
        .lock_exclusive()
        .one(write.tx())
        .await?
        .ok_or_else(|| DbErr::RecordNotFound(format!("session {}", conversation.session_id)))?;
    let was = Was {
        line_id: conversation.line_id.clone(),
        operator_id: None,
    };
    match Stage::of(&session) {
        Stage::Assigned { .. } => {
            let first = session.first_reply_at.is_none();
            let change = session::ActiveModel {
                id: Unchanged(session.id),
                first_reply_at: Set(session.first_reply_at.or(Some(now))),
                // The router looks at sessions that wait: only what concerns it makes a new version.
                version: Set(session.version + i64::from(first)),
                owed_since: Set(None),
                due_at: Set(None),
                answered_at: Set(Some(now)),
                ..Default::default()
            };
            change.update_without_returning(write.tx()).await?;
            return Ok(());
        }
        Stage::Waiting { .. } | Stage::Offered { .. } => {
            let asked = offer::of_session(write.tx(), &session.id).await?;
            let asked = asked.iter().any(|offer| offer.operator_id == author.id);
            if !asked && !may_pull(write.tx(), &conversation.line_id, author).await? {
                return Err(Error::QueueGives);
            }
            offer::end_all(write, &session.id, Some(&author.id), now).await?;
            let change = session::ActiveModel {
                id: Unchanged(session.id),
                state: Set("assigned".to_owned()),
                operator_id: Set(Some(author.id.clone())),
                assigned_at: Set(Some(now)),
                first_reply_at: Set(session.first_reply_at.or(Some(now))),
                version: Set(session.version + 1),
                owed_since: Set(None),
                due_at: Set(None),
                answered_at: Set(Some(now)),
                ..Default::default()
            };
            change.update_without_returning(write.tx()).await?;
        }
        Stage::Closed { .. } => {
            let opened = session::Model {
                state: "assigned".to_owned(),
                operator_id: Some(author.id.clone()),
                assigned_at: Some(now),
                first_reply_at: Some(now),
                answered_at: Some(now),
                ..opened(
                    &conversation.id,
                    &conversation.line_id,
                    &conversation.channel_kind,
                    now,
                )
            };
            session::Entity::insert(opened.clone().into_active_model())
                .exec_without_returning(write.tx())
                .await?;
            conversation.session_id = opened.id.clone();
            let change = conversation::ActiveModel {
                id: Unchanged(conversation.id.clone()),
                session_id: Set(opened.id),
                ..Default::default()
            };
            change.update_without_returning(write.tx()).await?;
        }
    }
    write.record(NewEvent::conversation(&conversation.id, now).moved_from(was));
    write.record(NewEvent::new(EventType::OperatorUpdated, &author.id, now));
    Ok(())
}
