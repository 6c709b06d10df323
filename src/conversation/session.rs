//! What is done with a session: rows locked, the rule asked ([`state`]), rows written, people told.
//!
//! Locks are taken in one order everywhere: conversation, then session, then operators by id. Who may
//! do a thing is the caller's question; whether it can be done now is answered here.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, DbErr, EntityTrait, IntoActiveModel, QuerySelect};

use super::{
    message::{self, NewMessage},
    offer,
    state::{self, Refusal, Stage},
};
use crate::{
    db::{
        WriteTx,
        entity::{conversation, operator, session},
    },
    event::{EventType, NewEvent, Was},
    id::{self, Kind},
    line,
};

/// Characters of a closing reason.
const REASON_CHARS: usize = 200;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such conversation.
    #[error("no such conversation")]
    NotFound,
    /// Not in this state.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The operator has as much as they can hold.
    #[error("the operator is at capacity")]
    AtCapacity,
    /// Fields that cannot be: `(field, what is wrong)`.
    #[error("the fields are not valid")]
    Invalid(Vec<(String, String)>),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbErr),
}

impl Error {
    /// One field that cannot be.
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![(field.to_owned(), message.into())])
    }
}

/// A conversation with its current session, locked until the end of the write.
#[derive(Debug, Clone)]
pub struct Held {
    /// The conversation.
    pub conversation: conversation::Model,
    /// Its current session.
    pub session: session::Model,
}

/// Locks a conversation and its current session.
pub async fn hold(write: &WriteTx, id: &str) -> Result<Held, Error> {
    let conversation = message::lock(write, id).await?.ok_or(Error::NotFound)?;
    let session = session::Entity::find_by_id(&conversation.session_id)
        .lock_exclusive()
        .one(write.tx())
        .await?
        .ok_or(Error::NotFound)?;
    Ok(Held {
        conversation,
        session,
    })
}

impl Held {
    /// Where it stands.
    pub fn stage(&self) -> Stage {
        Stage::of(&self.session)
    }

    /// Whether a client of this session was ever answered.
    pub fn answered(&self) -> bool {
        self.session.first_reply_at.is_some()
    }

    /// Writes the stage that a rule of [`state`] allowed, on this line. Records the change, where the
    /// conversation came from when its line or owner changes, and the operators whose load changes.
    /// Answers whether anything changed.
    pub async fn write(
        &mut self,
        write: &mut WriteTx,
        stage: &Stage,
        line_id: &str,
        now: DateTime<Utc>,
    ) -> Result<bool, DbErr> {
        if *stage == self.stage() && line_id == self.session.line_id {
            return Ok(false);
        }
        let was = Was {
            line_id: self.conversation.line_id.clone(),
            operator_id: self.session.operator_id.clone(),
        };
        let session = &mut self.session;
        let before = Stage::of(session);
        if stage.is_queued() && (!before.is_queued() || session.line_id != line_id) {
            session.queued_at = Some(now);
        }
        if let Stage::Closed { .. } = stage {
            session.due_at = None;
        } else if session.line_id != line_id {
            let promise = line::store::promise(write.tx(), line_id).await?;
            session.due_at = promise.due_at(session.owed_since, session.first_reply_at.is_some());
        }
        session.state = stage.as_str().to_owned();
        session.line_id = line_id.to_owned();
        match stage {
            Stage::Waiting { since } | Stage::Offered { since } => {
                session.operator_id = None;
                session.assigned_at = None;
                session.waiting_since = *since;
            }
            Stage::Assigned { to, since } => {
                session.operator_id = Some(to.clone());
                session.assigned_at = Some(*since);
            }
            // A closed session keeps its owner: reports and the right to see it hang on that.
            Stage::Closed { at } => session.closed_at = Some(*at),
        }
        session.version += 1;
        session::ActiveModel {
            id: Set(session.id.clone()),
            line_id: Set(session.line_id.clone()),
            state: Set(session.state.clone()),
            operator_id: Set(session.operator_id.clone()),
            waiting_since: Set(session.waiting_since),
            assigned_at: Set(session.assigned_at),
            closed_at: Set(session.closed_at),
            close_reason: Set(session.close_reason.clone()),
            version: Set(session.version),
            queued_at: Set(session.queued_at),
            due_at: Set(session.due_at),
            ..Default::default()
        }
        .update_without_returning(write.tx())
        .await?;
        let was_offered = matches!(before, Stage::Offered { .. });
        if was_offered && !matches!(stage, Stage::Offered { .. }) {
            offer::end_all(write, &self.session.id, stage.owner(), now).await?;
        }
        self.conversation.line_id = line_id.to_owned();
        self.write_conversation(write, now).await?;
        let moved = was.line_id != line_id || was.operator_id != self.session.operator_id;
        let event = NewEvent::conversation(&self.conversation.id, now);
        let before = was.operator_id.clone();
        write.record(if moved { event.moved_from(was) } else { event });
        let after = stage.owner().map(str::to_owned);
        if before != after {
            for operator in [before, after].into_iter().flatten() {
                write.record(NewEvent::new(EventType::OperatorUpdated, operator, now));
            }
        }
        Ok(true)
    }

    /// Writes those columns of the conversation that are changed here, with a new version.
    pub(super) async fn write_conversation(
        &mut self,
        write: &WriteTx,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let row = &mut self.conversation;
        row.version += 1;
        row.updated_at = now;
        conversation::ActiveModel {
            id: Set(row.id.clone()),
            line_id: Set(row.line_id.clone()),
            session_id: Set(row.session_id.clone()),
            priority: Set(row.priority),
            tags: Set(row.tags.clone()),
            snoozed_until: Set(row.snoozed_until),
            version: Set(row.version),
            updated_at: Set(row.updated_at),
            ..Default::default()
        }
        .update_without_returning(write.tx())
        .await?;
        Ok(())
    }

    /// Writes the conversation's own fields and tells about it.
    pub async fn changed(&mut self, write: &mut WriteTx, now: DateTime<Utc>) -> Result<(), DbErr> {
        self.write_conversation(write, now).await?;
        write.record(NewEvent::conversation(&self.conversation.id, now));
        Ok(())
    }

    /// Says in the thread what happened; `inside`: to the staff only.
    pub async fn say(
        &mut self,
        write: &mut WriteTx,
        text: String,
        inside: bool,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let line = NewMessage {
            hidden: inside,
            ..NewMessage::system(text)
        };
        message::append(write, &mut self.conversation, line, now)
            .await
            .map(|_| ())
    }
}

/// Ends the session.
pub async fn close(
    write: &mut WriteTx,
    id: &str,
    by: &operator::Model,
    reason: Option<String>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let reason = reason
        .map(|reason| reason.trim().to_owned())
        .filter(|reason| !reason.is_empty());
    if reason
        .as_ref()
        .is_some_and(|reason| reason.chars().count() > REASON_CHARS)
    {
        return Err(Error::invalid(
            "reason",
            format!("at most {REASON_CHARS} characters"),
        ));
    }
    let mut held = hold(write, id).await?;
    end(write, &mut held, reason, now).await?;
    held.say(write, format!("{} closed the conversation", by.name), false, now)
        .await?;
    Ok(())
}

/// Ends the session as spam; the client is not told.
pub async fn spam(
    write: &mut WriteTx,
    id: &str,
    by: &operator::Model,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let mut held = hold(write, id).await?;
    end(write, &mut held, Some("spam".to_owned()), now).await?;
    held.say(
        write,
        format!("{} marked the conversation as spam", by.name),
        true,
        now,
    )
    .await?;
    Ok(())
}

/// Ends a session that is held.
pub async fn end(
    write: &mut WriteTx,
    held: &mut Held,
    reason: Option<String>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let stage = state::close(&held.stage(), now)?;
    held.session.close_reason = reason;
    held.conversation.snoozed_until = None;
    let line = held.conversation.line_id.clone();
    held.write(write, &stage, &line, now).await?;
    Ok(())
}

/// A session that begins now and waits on this line.
pub fn opened(
    conversation_id: &str,
    line_id: &str,
    channel_kind: &str,
    now: DateTime<Utc>,
) -> session::Model {
    session::Model {
        id: id::new(Kind::Session, now),
        conversation_id: conversation_id.to_owned(),
        line_id: line_id.to_owned(),
        channel_kind: channel_kind.to_owned(),
        state: "waiting".to_owned(),
        operator_id: None,
        opened_at: now,
        waiting_since: now,
        assigned_at: None,
        first_reply_at: None,
        closed_at: None,
        close_reason: None,
        rating: None,
        version: 1,
        queued_at: Some(now),
        owed_since: None,
        answered_at: None,
        due_at: None,
    }
}

/// Begins a new session that waits. The caller may assign it in the same write.
pub async fn reopen(
    write: &mut WriteTx,
    id: &str,
    by: &operator::Model,
    now: DateTime<Utc>,
) -> Result<Held, Error> {
    let mut held = hold(write, id).await?;
    state::reopen(&held.stage(), now)?;
    let was = Was {
        line_id: held.conversation.line_id.clone(),
        operator_id: held.session.operator_id.clone(),
    };
    held.session = opened(
        id,
        &held.conversation.line_id,
        &held.conversation.channel_kind,
        now,
    );
    session::Entity::insert(held.session.clone().into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    held.conversation.session_id.clone_from(&held.session.id);
    held.write_conversation(write, now).await?;
    write.record(NewEvent::conversation(id, now).moved_from(was));
    held.say(write, format!("{} reopened the conversation", by.name), true, now)
        .await?;
    Ok(held)
}
