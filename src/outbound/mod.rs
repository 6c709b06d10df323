//! The outbox: what operators answer, on its way out.
//!
//! [`enqueue`] puts a row beside the message in the same transaction; [`Dispatcher`] claims rows by
//! lease, sends them in order per conversation, and records what became of each. The delivery state of
//! the message says what is known and nothing more:
//!
//! - `queued`: not sent yet, or failed in a way that may pass (then with the error and its attempts);
//! - `sending`: a node is at it; `sent`: the provider took it;
//! - `delayed`: the provider took it and the receiving side could not yet; it is being tried there;
//! - `failed`: it was refused, or tried for a day; a dead letter, retried by hand;
//! - `uncertain`: the bytes may have gone out, and the provider cannot tell a repeat; never resent by
//!   itself.
//!
//! Order: only the oldest unsent row of a conversation is sent, and one that is being retried holds the
//! later ones back, so a customer never reads the second half first. A `failed` or `uncertain` row does
//! not: it waits for a person, who may be away, and later answers go out meanwhile. When it is retried
//! by hand it goes out late; the operator sees both.

pub mod address;
pub mod automatic;
pub mod budget;
pub mod change;
mod dispatch;
pub mod hints;
pub mod link;
pub mod mail;
mod record;
pub mod reply;
pub mod retry;
pub mod rich;
mod send;
pub mod store;
pub mod writing;

use chrono::{DateTime, Utc};
pub use dispatch::Dispatcher;
use sea_orm::{ActiveModelTrait, DbErr, EntityTrait, Set, sea_query::OnConflict};

use crate::{
    db::{
        WriteTx,
        entity::{conversation, message, outbox},
    },
    event::{EventType, NewEvent},
};

/// The delivery state a new answer begins with. On a hosted channel the customer reads from the server
/// itself: stored is sent, and there is no row in the outbox.
pub fn first_state(hosted: bool) -> &'static str {
    if hosted { "sent" } else { "queued" }
}

/// Puts a message on its way, in the transaction that stores it. Not for hosted channels, see
/// [`first_state`].
pub async fn enqueue(
    write: &mut WriteTx,
    message: &message::Model,
    conversation: &conversation::Model,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    enqueue_on(write, message, &conversation.channel_id, now).await
}

/// The same by another channel than the conversation's: a chat that goes on by mail.
pub async fn enqueue_on(
    write: &mut WriteTx,
    message: &message::Model,
    channel_id: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let row = outbox::ActiveModel {
        message_id: Set(message.id.clone()),
        conversation_id: Set(message.conversation_id.clone()),
        channel_id: Set(channel_id.to_owned()),
        seq: Set(message.seq),
        state: Set("queued".to_owned()),
        attempts: Set(0),
        due_at: Set(Some(now)),
        claimed_by: Set(None),
        last_error: Set(None),
        created_at: Set(now),
        kind: Set("send".to_owned()),
        next_kind: Set(None),
    };
    // A bounced message that is retried after it left the outbox begins anew.
    let again = OnConflict::column(outbox::Column::MessageId)
        .update_columns([
            outbox::Column::State,
            outbox::Column::Attempts,
            outbox::Column::DueAt,
            outbox::Column::ClaimedBy,
            outbox::Column::Kind,
            outbox::Column::NextKind,
        ])
        .to_owned();
    outbox::Entity::insert(row)
        .on_conflict(again)
        .exec_without_returning(write.tx())
        .await?;
    Ok(())
}

/// Why a message cannot be retried.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    /// No such message.
    #[error("there is no such message")]
    NotFound,
    /// Only what failed or is uncertain can be sent again.
    #[error("only a failed or uncertain answer can be sent again; this one is {0}")]
    NotFailed(String),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbErr),
}

/// An operator sends a failed or uncertain message again: it is queued, its schedule starts anew, and
/// `delivery_attempts` goes on counting. The caller checks rights and commits.
pub async fn retry(
    write: &mut WriteTx,
    message_id: &str,
    now: DateTime<Utc>,
) -> Result<message::Model, RetryError> {
    let found = message::Entity::find_by_id(message_id)
        .one(write.tx())
        .await?
        .ok_or(RetryError::NotFound)?;
    // The conversation first, then the message: the order of locks everywhere.
    let conversation = crate::conversation::message::lock(write, &found.conversation_id).await?;
    let conversation = conversation.ok_or(RetryError::NotFound)?;
    let message = message::Entity::find_by_id(message_id)
        .one(write.tx())
        .await?
        .ok_or(RetryError::NotFound)?;
    if message.change_state.as_deref() == Some("failed") {
        return Ok(change::retry(write, message, now).await?);
    }
    if message.deleted_at.is_some() {
        return Err(RetryError::NotFailed("deleted".to_owned()));
    }
    match message.delivery_state.as_deref() {
        Some("failed" | "uncertain") => {}
        Some(state) => return Err(RetryError::NotFailed(state.to_owned())),
        None => {
            return Err(RetryError::NotFailed(
                "not a message that is delivered".to_owned(),
            ));
        }
    }
    match store::chat_mail(write.tx(), message_id).await? {
        Some(mail) => enqueue_on(write, &message, &mail.channel_id, now).await?,
        None => {
            // Whoever presses the button means it: perhaps they can be reached again.
            crate::conversation::reach::reachable(write, &conversation, now).await?;
            enqueue(write, &message, &conversation, now).await?;
        }
    }
    let mut change: message::ActiveModel = message.into();
    change.delivery_state = Set(Some("queued".to_owned()));
    change.delivery_error = Set(None);
    let message = change.update(write.tx()).await?;
    write.record(NewEvent::message(
        EventType::MessageUpdated,
        message_id,
        &conversation.id,
        now,
    ));
    Ok(message)
}
