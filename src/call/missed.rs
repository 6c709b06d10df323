//! Nobody picked up: the caller waits in the line's queue for somebody to call back.
//!
//! Done once for each call. Attempts of the same caller wait in one session, counted. When it turns out that somebody
//! did talk to them, the session ends, unless an operator has begun to work on it.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, Set,
};

use super::store;
use crate::{
    conversation::session::{Error, Held, end, hold, opened},
    db::{
        WriteTx,
        entity::{call, conversation, line, message, session},
    },
    event::{NewEvent, Was},
    line::{Rules, due::Promise, hours},
};

/// Until when somebody calls back on a line that promises nothing: open time, from the end of the call.
const USUAL: TimeDelta = TimeDelta::minutes(30);
/// Why a session of missed calls was ended by itself.
pub const ANSWERED: &str = "call_answered";

/// The caller waits from now on.
pub(super) async fn wait(
    write: &mut WriteTx,
    row: &mut call::Model,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let Some(conversation_id) = row.conversation_id.clone() else {
        return Ok(());
    };
    let mut held = hold(write, &conversation_id).await.map_err(failed)?;
    let since = row.ended_at.unwrap_or(now).min(now);
    let due_at = due(write, &held.conversation.line_id, since).await?;
    let closed = held.session.state == "closed";
    if closed {
        reopen(write, &mut held, since, due_at, now).await?;
    } else if held.session.owed_since.is_none() {
        owe(write, &mut held, Some(since), due_at, now).await?;
    }
    let earlier = store::missed_in(write.tx(), &held.session.id, &row.id).await?;
    row.attempt = earlier.iter().map(|call| call.attempt).max().unwrap_or(0) + 1;
    row.opened = closed;
    row.session_id = Some(held.session.id.clone());
    row.missed_at = Some(now);
    let conversation = &mut held.conversation;
    conversation.unread += 1;
    conversation.version += 1;
    conversation::ActiveModel {
        id: Set(conversation.id.clone()),
        session_id: Set(conversation.session_id.clone()),
        snoozed_until: Set(None),
        unread: Set(conversation.unread),
        version: Set(conversation.version),
        updated_at: Set(now),
        ..Default::default()
    }
    .update_without_returning(write.tx())
    .await?;
    write.record(NewEvent::conversation(conversation_id, now));
    Ok(())
}

async fn reopen(
    write: &mut WriteTx,
    held: &mut Held,
    since: DateTime<Utc>,
    due_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let was = Was {
        line_id: held.conversation.line_id.clone(),
        operator_id: held.session.operator_id.clone(),
    };
    let (id, line) = (held.conversation.id.clone(), held.conversation.line_id.clone());
    held.session = session::Model {
        owed_since: Some(since),
        due_at,
        ..opened(&id, &line, &held.conversation.channel_kind, now)
    };
    session::Entity::insert(held.session.clone().into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    held.conversation.session_id.clone_from(&held.session.id);
    write.record(NewEvent::conversation(id, now).moved_from(was));
    Ok(())
}

/// What the line promises, else [`USUAL`].
async fn due(write: &WriteTx, line_id: &str, since: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, DbErr> {
    let Some(line) = line::Entity::find_by_id(line_id).one(write.tx()).await? else {
        return Ok(None);
    };
    let rules = Rules::from_stored(&line.rules)?;
    let promised = Promise::of(&rules).due_at(Some(since), false);
    Ok(promised.or_else(|| hours::after(rules.hours.as_ref(), since, USUAL)))
}

async fn owe(
    write: &mut WriteTx,
    held: &mut Held,
    since: Option<DateTime<Utc>>,
    due_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    held.session.owed_since = since;
    held.session.due_at = due_at;
    if since.is_none() {
        held.session.answered_at = Some(now);
        held.session.first_reply_at = held.session.first_reply_at.or(Some(now));
    }
    session::ActiveModel {
        id: Set(held.session.id.clone()),
        owed_since: Set(held.session.owed_since),
        due_at: Set(held.session.due_at),
        answered_at: Set(held.session.answered_at),
        first_reply_at: Set(held.session.first_reply_at),
        ..Default::default()
    }
    .update_without_returning(write.tx())
    .await?;
    Ok(())
}

/// Somebody talked to the client: what waited because of missed calls until then waits no longer.
pub(super) async fn answered(
    write: &mut WriteTx,
    row: &mut call::Model,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let Some(conversation_id) = row.conversation_id.clone() else {
        return Ok(());
    };
    let withdraws = row.missed_at.is_some() && row.withdrawn_at.is_none();
    if withdraws {
        row.withdrawn_at = Some(now);
    }
    let mut held = hold(write, &conversation_id).await.map_err(failed)?;
    if held.session.state == "closed" {
        return seen_by(write, &mut held, row.operator_id.as_deref(), now).await;
    }
    let when = row.answered_at.unwrap_or(now);
    let others = store::missed_in(write.tx(), &held.session.id, &row.id).await?;
    if others.iter().any(|other| other.started_at > when) {
        return Ok(());
    }
    let unowned = held.session.operator_id.is_none();
    if store::opened(write.tx(), &held.session.id).await?
        && (withdraws || unowned)
        && !touched(write, &held).await?
    {
        end(write, &mut held, Some(ANSWERED.to_owned()), now)
            .await
            .map_err(failed)?;
        let text = "The call was answered: nobody has to call back".to_owned();
        return held.say(write, text, true, now).await;
    }
    if held.session.owed_since.is_some() {
        owe(write, &mut held, None, None, now).await?;
        write.record(NewEvent::conversation(conversation_id, now));
    }
    Ok(())
}

/// Whether an operator has done anything in this session.
async fn touched(write: &WriteTx, held: &Held) -> Result<bool, DbErr> {
    let written = message::Entity::find()
        .filter(message::Column::ConversationId.eq(&held.conversation.id))
        .filter(message::Column::SessionId.eq(&held.session.id))
        .filter(message::Column::AuthorType.eq("operator"))
        .count(write.tx())
        .await?;
    Ok(written > 0 || held.session.first_reply_at.is_some())
}

/// Who answered sees the conversation from now on, when nobody has owned it.
async fn seen_by(
    write: &mut WriteTx,
    held: &mut Held,
    operator_id: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let calls_only = held.session.close_reason.as_deref() == Some(super::place::CALL);
    let Some(operator_id) = operator_id.filter(|_| calls_only && held.session.operator_id.is_none()) else {
        return Ok(());
    };
    session::ActiveModel {
        id: Set(held.session.id.clone()),
        operator_id: Set(Some(operator_id.to_owned())),
        ..Default::default()
    }
    .update_without_returning(write.tx())
    .await?;
    held.changed(write, now).await
}

fn failed(error: Error) -> DbErr {
    match error {
        Error::Db(error) => error,
        other => DbErr::Custom(other.to_string()),
    }
}
