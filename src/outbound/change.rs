//! Operators change and take back what they wrote: in the thread at once, at the customer's side through
//! the outbox, after the message itself.
//!
//! A message has one row in the outbox at most. While it is being sent, what is asked for meanwhile is
//! noted in the row (`next_kind`) and done next; what is not out yet is changed in place.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DbErr, EntityTrait, IntoActiveModel, ModelTrait, QueryFilter, QuerySelect,
    Set, Unchanged, sea_query::OnConflict,
};
use switchboard_sdk::Capabilities;

use super::{retry as pauses, send::Outcome};
use crate::{
    connector::dice,
    conversation::{
        change::{self, Edited, Words},
        message::{self, MAX_TEXT_CHARS, preview},
        reach,
        view::Views,
    },
    db::{
        WriteTx,
        entity::{conversation, message as row, message_version, operator, outbox},
    },
    event::{EventType, NewEvent},
};

/// Longest stored reason, in characters.
const MAX_REASON: usize = 1000;

/// What an operator wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// It shall say this.
    Edit {
        /// Plain text.
        text: String,
    },
    /// It shall be gone.
    Delete,
}

impl Wish {
    fn kind(&self) -> &'static str {
        match self {
            Self::Edit { .. } => "edit",
            Self::Delete => "delete",
        }
    }
}

/// Why a message stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such message.
    #[error("no such message")]
    Missing,
    /// Not by this operator.
    #[error("only what you wrote yourself can be changed")]
    NotYours,
    /// Not now, or not on this channel.
    #[error("{0}")]
    Refused(&'static str),
    /// The new text does not fit.
    #[error("{0}")]
    Text(String),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbErr),
}

/// How a wish is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Only here: the customer does not have it, or reads it from here.
    Here,
    /// It is not out yet and shall not go out.
    Unsend,
    /// Through the channel.
    Channel,
    /// Through the channel, as soon as what is being sent is out.
    Next,
}

/// The rule. `pending` is the outbox row of the message. Pure.
fn way(
    message: &row::Model,
    wish: &Wish,
    can: Option<Capabilities>,
    pending: Option<&outbox::Model>,
    by: &str,
) -> Result<Way, Error> {
    if message.author_type != "operator" || message.author_id.as_deref() != Some(by) {
        return Err(Error::NotYours);
    }
    if message.deleted_at.is_some() {
        return Err(Error::Refused("this message was taken back"));
    }
    if message.kind == "note" || message.hidden {
        return Ok(Way::Here);
    }
    if message.kind != "reply" {
        return Err(Error::NotYours);
    }
    if message.mode.as_deref() == Some("forward") {
        return Err(Error::Refused("what was passed on cannot be changed"));
    }
    let supported = can.is_some_and(|can| match wish {
        Wish::Edit { .. } => can.edit,
        Wish::Delete => can.delete,
    });
    let unsupported = match wish {
        Wish::Edit { .. } => Error::Refused("on this channel nothing that was sent can be changed"),
        Wish::Delete => Error::Refused("on this channel nothing that was sent can be taken back"),
    };
    let through_channel = |way| if supported { Ok(way) } else { Err(unsupported) };
    if can.is_some_and(|can| can.hosted) {
        return through_channel(Way::Here);
    }
    match pending {
        Some(pending) if pending.kind == "send" => match (pending.state.as_str(), wish) {
            ("sending", _) => through_channel(Way::Next),
            ("uncertain", _) => Err(Error::Refused(
                "nobody knows whether this message went out; send it again or leave it",
            )),
            (_, Wish::Edit { .. }) => Ok(Way::Here),
            (_, Wish::Delete) => Ok(Way::Unsend),
        },
        Some(pending) if pending.state == "sending" => through_channel(Way::Next),
        Some(_) => through_channel(Way::Channel),
        None if message.delivery_state.as_deref() == Some("failed") => Ok(Way::Here),
        None => through_channel(Way::Channel),
    }
}

/// Carries out a wish of the operator who wrote the message. The caller checked that they see it, and
/// commits.
pub async fn apply(
    write: &mut WriteTx,
    views: &Views,
    message_id: &str,
    by: &operator::Model,
    wish: Wish,
    now: DateTime<Utc>,
) -> Result<row::Model, Error> {
    let found = row::Entity::find_by_id(message_id).one(write.tx()).await?;
    let found = found.ok_or(Error::Missing)?;
    // The conversation first, then the message: the order of locks everywhere.
    let conversation = message::lock(write, &found.conversation_id).await?;
    let conversation = conversation.ok_or(Error::Missing)?;
    let pending = outbox::Entity::find_by_id(message_id)
        .lock_exclusive()
        .one(write.tx())
        .await?;
    let mut message = row::Entity::find_by_id(message_id)
        .lock_exclusive()
        .one(write.tx())
        .await?
        .ok_or(Error::Missing)?;
    let can = views.capabilities(&conversation.channel_kind);
    let way = way(&message, &wish, can, pending.as_ref(), &by.id)?;
    let mut version = None;
    match &wish {
        Wish::Edit { text } => {
            check_text(text, &message, can)?;
            let words = Words {
                text: text.trim_end().to_owned(),
                ..Words::default()
            };
            match change::edit(&mut message, words, now) {
                Edited::Same => return Ok(message),
                Edited::Changed(before) | Edited::Late(before) => version = Some(before),
            }
        }
        Wish::Delete => {
            change::delete(&mut message, "operator", now);
            message.revision += 1;
        }
    }
    match (way, pending) {
        (Way::Here, _) => {}
        (Way::Unsend, Some(pending)) => {
            pending.delete(write.tx()).await?;
            message.delivery_state = None;
            message.delivery_error = None;
        }
        (Way::Next, Some(pending)) => {
            let note = outbox::ActiveModel {
                message_id: Unchanged(pending.message_id),
                next_kind: Set(Some(wish.kind().to_owned())),
                ..Default::default()
            };
            outbox::Entity::update(note)
                .exec_without_returning(write.tx())
                .await?;
            message.change_state = Some("queued".to_owned());
        }
        (Way::Channel, _) => {
            enqueue(write, &message, &conversation, wish.kind(), now).await?;
            message.change_state = Some("queued".to_owned());
            message.change_error = None;
        }
        (Way::Unsend | Way::Next, None) => {}
    }
    if let Some(version) = version {
        message_version::Entity::insert(version.into_active_model())
            .exec_without_returning(write.tx())
            .await?;
    }
    let message = save(write, message).await?;
    if conversation.last_message_id.as_deref() == Some(message_id) {
        reach::show_last(write, &conversation, preview(&message.body), now).await?;
    }
    told(write, &message.id, &message.conversation_id, now);
    Ok(message)
}

fn check_text(text: &str, message: &row::Model, can: Option<Capabilities>) -> Result<(), Error> {
    if text.trim().is_empty() && !message.has_attachments {
        return Err(Error::Text("write something, or delete the message".to_owned()));
    }
    if text.contains('\0') {
        return Err(Error::Text(
            "holds a character that no channel carries (NUL)".to_owned(),
        ));
    }
    let most = can
        .filter(|_| message.kind == "reply")
        .and_then(|can| can.max_text_chars);
    let most = most.map_or(MAX_TEXT_CHARS, |most| most as usize);
    let length = text.chars().count();
    if length > most {
        return Err(Error::Text(format!(
            "{length} characters; this channel carries {most}"
        )));
    }
    Ok(())
}

async fn save(write: &WriteTx, message: row::Model) -> Result<row::Model, DbErr> {
    let change = row::ActiveModel {
        id: Unchanged(message.id.clone()),
        body: Set(message.body.clone()),
        html: Set(message.html.clone()),
        edited_at: Set(message.edited_at),
        deleted_at: Set(message.deleted_at),
        deleted_by: Set(message.deleted_by.clone()),
        revision: Set(message.revision),
        delivery_state: Set(message.delivery_state.clone()),
        delivery_error: Set(message.delivery_error.clone()),
        change_state: Set(message.change_state.clone()),
        change_error: Set(message.change_error.clone()),
        ..Default::default()
    };
    change.update_without_returning(write.tx()).await?;
    Ok(message)
}

async fn enqueue(
    write: &WriteTx,
    message: &row::Model,
    conversation: &conversation::Model,
    kind: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let row = outbox::ActiveModel {
        message_id: Set(message.id.clone()),
        conversation_id: Set(conversation.id.clone()),
        channel_id: Set(conversation.channel_id.clone()),
        seq: Set(message.seq),
        state: Set("queued".to_owned()),
        attempts: Set(0),
        due_at: Set(Some(now)),
        claimed_by: Set(None),
        last_error: Set(None),
        created_at: Set(now),
        kind: Set(kind.to_owned()),
        next_kind: Set(None),
    };
    use outbox::Column;
    let again = OnConflict::column(Column::MessageId)
        .update_columns([
            Column::State,
            Column::Attempts,
            Column::DueAt,
            Column::ClaimedBy,
            Column::LastError,
            Column::Kind,
            Column::NextKind,
        ])
        .to_owned();
    outbox::Entity::insert(row)
        .on_conflict(again)
        .exec_without_returning(write.tx())
        .await?;
    Ok(())
}

/// An operator tries a failed change again. The message is locked.
pub(super) async fn retry(
    write: &mut WriteTx,
    mut message: row::Model,
    now: DateTime<Utc>,
) -> Result<row::Model, DbErr> {
    let again = outbox::ActiveModel {
        state: Set("queued".to_owned()),
        attempts: Set(0),
        due_at: Set(Some(now)),
        ..Default::default()
    };
    outbox::Entity::update_many()
        .set(again)
        .filter(outbox::Column::MessageId.eq(&message.id))
        .filter(outbox::Column::State.eq("failed"))
        .exec(write.tx())
        .await?;
    message.change_state = Some("queued".to_owned());
    message.change_error = None;
    let message = save(write, message).await?;
    told(write, &message.id, &message.conversation_id, now);
    Ok(message)
}

/// What comes after a row is done: what was asked for meanwhile, or nothing.
pub(super) async fn next(write: &WriteTx, row: outbox::Model, now: DateTime<Utc>) -> Result<(), DbErr> {
    let Some(kind) = row.next_kind.clone() else {
        row.delete(write.tx()).await?;
        return Ok(());
    };
    let change = outbox::ActiveModel {
        message_id: Unchanged(row.message_id),
        kind: Set(kind),
        next_kind: Set(None),
        state: Set("queued".to_owned()),
        attempts: Set(0),
        due_at: Set(Some(now)),
        claimed_by: Set(None),
        ..Default::default()
    };
    outbox::Entity::update(change)
        .exec_without_returning(write.tx())
        .await?;
    Ok(())
}

/// A message that was taken back before it went out.
pub(super) async fn never_sent(
    write: &mut WriteTx,
    row: outbox::Model,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let change = row::ActiveModel {
        id: Unchanged(row.message_id.clone()),
        delivery_state: Set(None),
        delivery_error: Set(None),
        change_state: Set(None),
        change_error: Set(None),
        ..Default::default()
    };
    row::Entity::update(change)
        .exec_without_returning(write.tx())
        .await?;
    told(write, &row.message_id, &row.conversation_id, now);
    row.delete(write.tx()).await?;
    Ok(())
}

/// Records what became of a change. A repeat does no harm, so what may have arrived is tried again.
pub(super) async fn record(
    write: &mut WriteTx,
    row: outbox::Model,
    outcome: &Outcome,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let (attempts, due, reason) = match outcome {
        Outcome::Sent(_) => (row.attempts, None, None),
        Outcome::Wait { after, reason } | Outcome::Hold { after, reason } => {
            (row.attempts - 1, Some(now + *after), Some(reason))
        }
        Outcome::Again { after, reason } => {
            let pause = pauses::pause(row.attempts, *after, dice());
            (row.attempts, pause.map(|pause| now + pause), Some(reason))
        }
        Outcome::Unknown(reason) => {
            let pause = pauses::pause(row.attempts, None, dice());
            (row.attempts, pause.map(|pause| now + pause), Some(reason))
        }
        Outcome::Refused(reason) => (row.attempts, None, Some(reason)),
        Outcome::Unreachable(reason) => {
            reach::unreachable(write, &row.conversation_id, reason, now).await?;
            (row.attempts, None, Some(reason))
        }
    };
    let reason: Option<String> = reason.map(|reason| {
        let kept = reason.chars().filter(|char| *char != '\0');
        kept.take(MAX_REASON).collect()
    });
    let state = if row.next_kind.is_some() {
        Some("queued")
    } else if reason.is_none() {
        None
    } else if due.is_some() {
        Some("queued")
    } else {
        Some("failed")
    };
    let change = row::ActiveModel {
        id: Unchanged(row.message_id.clone()),
        change_state: Set(state.map(str::to_owned)),
        change_error: Set(reason.clone().filter(|_| row.next_kind.is_none())),
        ..Default::default()
    };
    row::Entity::update(change)
        .exec_without_returning(write.tx())
        .await?;
    told(write, &row.message_id, &row.conversation_id, now);
    if state.is_none() || row.next_kind.is_some() {
        return next(write, row, now).await;
    }
    let change = outbox::ActiveModel {
        message_id: Unchanged(row.message_id),
        state: Set(state.unwrap_or("failed").to_owned()),
        attempts: Set(attempts),
        due_at: Set(due),
        claimed_by: Set(None),
        last_error: Set(reason),
        ..Default::default()
    };
    outbox::Entity::update(change)
        .exec_without_returning(write.tx())
        .await?;
    Ok(())
}

fn told(write: &mut WriteTx, message_id: &str, conversation_id: &str, now: DateTime<Utc>) {
    write.record(NewEvent::message(
        EventType::MessageUpdated,
        message_id,
        conversation_id,
        now,
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: &str, delivery: Option<&str>) -> row::Model {
        row::Model {
            kind: kind.to_owned(),
            author_type: "operator".to_owned(),
            author_id: Some("opr_1".to_owned()),
            delivery_state: delivery.map(str::to_owned),
            ..row::Model::default()
        }
    }

    fn pending(kind: &str, state: &str) -> outbox::Model {
        outbox::Model {
            message_id: String::new(),
            conversation_id: String::new(),
            channel_id: String::new(),
            seq: 1,
            state: state.to_owned(),
            attempts: 0,
            due_at: None,
            claimed_by: None,
            last_error: None,
            created_at: DateTime::UNIX_EPOCH,
            kind: kind.to_owned(),
            next_kind: None,
        }
    }

    const CAN: Capabilities = Capabilities {
        outbound: true,
        edit: true,
        delete: true,
        ..Capabilities::NONE
    };

    #[test]
    fn the_way_of_a_change_depends_on_where_the_message_is() {
        let edit = || Wish::Edit { text: "x".to_owned() };
        let hosted = Capabilities { hosted: true, ..CAN };
        let sent = message("reply", Some("sent"));
        let queued = message("reply", Some("queued"));
        let ask = |message: &row::Model, wish: Wish, can, pending: Option<outbox::Model>| {
            way(message, &wish, Some(can), pending.as_ref(), "opr_1").ok()
        };
        let none = Capabilities::NONE;
        for (case, got, expected) in [
            (
                "a note",
                ask(&message("note", None), edit(), none, None),
                Some(Way::Here),
            ),
            ("web chat", ask(&sent, edit(), hosted, None), Some(Way::Here)),
            ("sent", ask(&sent, edit(), CAN, None), Some(Way::Channel)),
            (
                "sent, by a channel that cannot",
                ask(&sent, edit(), none, None),
                None,
            ),
            (
                "not out",
                ask(&queued, edit(), none, Some(pending("send", "queued"))),
                Some(Way::Here),
            ),
            (
                "not out, gone",
                ask(&queued, Wish::Delete, none, Some(pending("send", "queued"))),
                Some(Way::Unsend),
            ),
            (
                "failed, gone",
                ask(&queued, Wish::Delete, none, Some(pending("send", "failed"))),
                Some(Way::Unsend),
            ),
            (
                "on its way",
                ask(&queued, Wish::Delete, CAN, Some(pending("send", "sending"))),
                Some(Way::Next),
            ),
            (
                "on its way, by a channel that cannot",
                ask(&queued, edit(), none, Some(pending("send", "sending"))),
                None,
            ),
            (
                "perhaps out",
                ask(&queued, edit(), CAN, Some(pending("send", "uncertain"))),
                None,
            ),
            (
                "a change waits",
                ask(&sent, Wish::Delete, CAN, Some(pending("edit", "queued"))),
                Some(Way::Channel),
            ),
            (
                "a change is made",
                ask(&sent, edit(), CAN, Some(pending("edit", "sending"))),
                Some(Way::Next),
            ),
            (
                "bounced",
                ask(&message("reply", Some("failed")), edit(), CAN, None),
                Some(Way::Here),
            ),
        ] {
            assert_eq!(got, expected, "{case}");
        }
        let of_somebody_else = way(&sent, &edit(), Some(CAN), None, "opr_2");
        assert!(matches!(of_somebody_else, Err(Error::NotYours)));
        let inbound = way(&message("inbound", None), &edit(), Some(CAN), None, "opr_1");
        assert!(matches!(inbound, Err(Error::NotYours)));
    }
}
