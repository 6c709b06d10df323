//! Writing down what became of a message.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, QuerySelect, Set, Statement,
    Unchanged,
    sea_query::{Expr, ExprTrait},
};
use switchboard_sdk::Sent;

use super::{change, dispatch::remember, retry, send::Outcome, store};
use crate::{
    connector::dice,
    conversation::reach,
    db::{
        Db, WriteTx,
        entity::{message, outbox},
    },
    event::{EventType, NewEvent},
};

/// States a message may be in while its outbox row lives; a receipt that came first is never undone.
const BEFORE_SENT: [&str; 4] = ["queued", "sending", "uncertain", "failed"];
/// Longest stored reason, in characters.
const MAX_REASON: usize = 1000;

/// Where a row goes when its message is not sent.
enum Next {
    /// Tried again at this time; it certainly is not out.
    Queued(DateTime<Utc>),
    /// Tried again at this time; it may be out, and the provider drops repeats.
    Perhaps(DateTime<Utc>),
    /// A dead letter.
    Failed,
    /// A person must look.
    Uncertain,
}

impl Next {
    fn word(&self) -> &'static str {
        match self {
            Self::Queued(_) | Self::Perhaps(_) => "queued",
            Self::Failed => "failed",
            Self::Uncertain => "uncertain",
        }
    }
}

/// Records the outcome of an attempt on `claimed`, the row as it was claimed.
pub(super) async fn outcome(
    db: &Db,
    claimed: &outbox::Model,
    outcome: &Outcome,
    idempotent: bool,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let mut write = db.write().await?;
    let Some(row) = locked(&write, &claimed.conversation_id, &claimed.message_id).await? else {
        return Ok(());
    };
    // Lost when the lease ended under us: somebody else decides then, unless we know that it was sent.
    let ours =
        row.state == "sending" && row.claimed_by == claimed.claimed_by && row.attempts == claimed.attempts;
    if row.kind != "send" {
        if ours {
            change::record(&mut write, row, outcome, now).await?;
        }
        return write.commit().await;
    }
    match outcome {
        Outcome::Sent(done) => {
            if ours || row.state != "sending" {
                sent(&mut write, row, done, now).await?;
            }
        }
        _ if !ours => {}
        // Due since it was written, so that nobody who wrote later goes first.
        Outcome::Wait { reason, .. } => {
            let at = std::cmp::Ord::min(row.created_at, now);
            wait(&mut write, row, at, reason, now).await?;
        }
        Outcome::Hold { after, reason } => wait(&mut write, row, now + *after, reason, now).await?,
        Outcome::Again { after, reason } => again(&mut write, row, *after, reason, Next::Queued, now).await?,
        Outcome::Unknown(reason) if idempotent => {
            again(&mut write, row, None, reason, Next::Perhaps, now).await?;
        }
        Outcome::Unknown(reason) => stay(&mut write, row, Next::Uncertain, reason, now).await?,
        Outcome::Refused(reason) => stay(&mut write, row, Next::Failed, reason, now).await?,
        Outcome::Unreachable(reason) => {
            // A mail of a chat says nothing about the chat.
            if store::chat_mail(write.tx(), &row.message_id).await?.is_none() {
                reach::unreachable(&mut write, &row.conversation_id, reason, now).await?;
            }
            stay(&mut write, row, Next::Failed, reason, now).await?;
        }
    }
    write.commit().await
}

/// The visitor came back and saw in the chat what was to be mailed: it is not.
pub(super) async fn spared(
    write: &mut WriteTx,
    row: &outbox::Model,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    outbox::Entity::delete_by_id(&row.message_id)
        .exec(write.tx())
        .await?;
    let change = message::ActiveModel {
        id: Unchanged(row.message_id.clone()),
        body: Set("The visitor came back and saw the replies in the chat: no e-mail was sent".to_owned()),
        delivery_state: Set(None),
        ..Default::default()
    };
    message::Entity::update(change)
        .exec_without_returning(write.tx())
        .await?;
    write.record(NewEvent::message(
        EventType::MessageUpdated,
        &row.message_id,
        &row.conversation_id,
        now,
    ));
    Ok(())
}

/// Records that the process that was sending `seen` is gone.
pub(super) async fn abandoned(
    db: &Db,
    seen: &outbox::Model,
    idempotent: bool,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let mut write = db.write().await?;
    let Some(row) = locked(&write, &seen.conversation_id, &seen.message_id).await? else {
        return Ok(());
    };
    if row.state != "sending" || row.claimed_by != seen.claimed_by || row.due_at != seen.due_at {
        return Ok(());
    }
    tracing::warn!(
        message.id = row.message_id,
        idempotent,
        "a message was being sent by a process that is gone"
    );
    let reason = "the server stopped while it was sending this";
    if row.kind != "send" {
        let again = Outcome::Again {
            after: None,
            reason: reason.to_owned(),
        };
        change::record(&mut write, row, &again, now).await?;
    } else if idempotent {
        stay(&mut write, row, Next::Perhaps(now), reason, now).await?;
    } else {
        stay(
            &mut write,
            row,
            Next::Uncertain,
            &format!("{reason}; it may have gone out"),
            now,
        )
        .await?;
    }
    write.commit().await
}

async fn locked(
    write: &WriteTx,
    conversation_id: &str,
    message_id: &str,
) -> Result<Option<outbox::Model>, DbErr> {
    if write.backend() == DbBackend::Postgres {
        // Storing a thread id looks at the conversation: before the message, as everybody does.
        let sql = "SELECT id FROM conversation WHERE id = $1 FOR KEY SHARE";
        write
            .tx()
            .execute_raw(Statement::from_sql_and_values(
                DbBackend::Postgres,
                sql,
                [conversation_id.into()],
            ))
            .await?;
    }
    outbox::Entity::find_by_id(message_id)
        .lock_exclusive()
        .one(write.tx())
        .await
}

async fn sent(write: &mut WriteTx, row: outbox::Model, done: &Sent, now: DateTime<Utc>) -> Result<(), DbErr> {
    let refused = done.refused.join("; ");
    let refused: String = refused
        .chars()
        .filter(|char| *char != '\0')
        .take(MAX_REASON)
        .collect();
    let mut change = message::ActiveModel {
        delivery_state: Set(Some("sent".to_owned())),
        delivery_error: Set(Some(refused).filter(|refused| !refused.is_empty())),
        ..Default::default()
    };
    if let Some(external_id) = done.external_id.as_deref() {
        remember(write, &row, external_id, now).await?;
        change.external_id = Set(Some(external_id.to_owned()));
    }
    for part in &done.parts {
        remember(write, &row, part, now).await?;
    }
    if !done.parts.is_empty() {
        change.parts = Set(Some(serde_json::json!(done.parts)));
    }
    if row.next_kind.is_some() {
        change.change_state = Set(Some("queued".to_owned()));
    }
    message::Entity::update_many()
        .set(change)
        .filter(message::Column::Id.eq(&row.message_id))
        .filter(message::Column::DeliveryState.is_in(BEFORE_SENT))
        .exec(write.tx())
        .await?;
    write.record(NewEvent::message(
        EventType::MessageUpdated,
        &row.message_id,
        &row.conversation_id,
        now,
    ));
    change::next(write, row, now).await?;
    Ok(())
}

/// Puts a row back as if it had not been claimed, to be due `at`: nothing was tried.
async fn wait(
    write: &mut WriteTx,
    row: outbox::Model,
    at: DateTime<Utc>,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    outbox::Entity::update_many()
        .col_expr(outbox::Column::Attempts, Expr::value(row.attempts - 1))
        .filter(outbox::Column::MessageId.eq(&row.message_id))
        .exec(write.tx())
        .await?;
    message::Entity::update_many()
        .col_expr(
            message::Column::DeliveryAttempts,
            Expr::col(message::Column::DeliveryAttempts).sub(1),
        )
        .filter(message::Column::Id.eq(&row.message_id))
        .exec(write.tx())
        .await?;
    stay(write, row, Next::Queued(at), reason, now).await
}

async fn again(
    write: &mut WriteTx,
    row: outbox::Model,
    after: Option<std::time::Duration>,
    reason: &str,
    next: fn(DateTime<Utc>) -> Next,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    match retry::pause(row.attempts, after, dice()) {
        Some(pause) => stay(write, row, next(now + pause), reason, now).await,
        None => {
            let reason = format!(
                "given up after {} attempts; the last said: {reason}",
                row.attempts
            );
            stay(write, row, Next::Failed, &reason, now).await
        }
    }
}

async fn stay(
    write: &mut WriteTx,
    row: outbox::Model,
    next: Next,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let certain = matches!(next, Next::Queued(_) | Next::Failed);
    if certain && row.next_kind.as_deref() == Some("delete") {
        // It was taken back meanwhile, and is certainly not out.
        return change::never_sent(write, row, now).await;
    }
    let reason: String = reason
        .chars()
        .filter(|char| *char != '\0')
        .take(MAX_REASON)
        .collect();
    let change = outbox::ActiveModel {
        // What is not out goes out as it is now, or waits for a person.
        next_kind: Set(row.next_kind.clone().filter(|_| matches!(next, Next::Perhaps(_)))),
        message_id: Unchanged(row.message_id.clone()),
        state: Set(next.word().to_owned()),
        due_at: Set(match next {
            Next::Queued(at) | Next::Perhaps(at) => Some(at),
            Next::Failed | Next::Uncertain => None,
        }),
        claimed_by: Set(None),
        last_error: Set(Some(reason.clone())),
        ..Default::default()
    };
    outbox::Entity::update(change)
        .exec_without_returning(write.tx())
        .await?;
    let mut change = message::ActiveModel {
        delivery_state: Set(Some(next.word().to_owned())),
        delivery_error: Set(Some(reason)),
        ..Default::default()
    };
    if row.next_kind.is_some() && !matches!(next, Next::Perhaps(_)) {
        change.change_state = Set(None);
    }
    message::Entity::update_many()
        .set(change)
        .filter(message::Column::Id.eq(&row.message_id))
        .filter(message::Column::DeliveryState.is_in(BEFORE_SENT))
        .exec(write.tx())
        .await?;
    write.record(NewEvent::message(
        EventType::MessageUpdated,
        row.message_id,
        row.conversation_id,
        now,
    ));
    Ok(())
}
