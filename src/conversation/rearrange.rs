//! Splitting a conversation, merging two, and taking that back.
//!
//! Messages change their conversation and their number; nothing else of them does. What hangs on them
//! follows: the ids that answers are threaded by, what is still on its way out, what search knows. Numbers
//! only grow, so a client that asks for what came after those it knows is told of everything that moved.
//! While it lasts no mail is taken in ([`INTAKE`]): a mail that answers a message finds it on one side or the
//! other.

mod open;
pub mod order;
mod rows;

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect,
};
use serde_json::json;

use self::{
    open::{begin_like, open_beside, open_like},
    order::{Line, Voice},
    rows::{copy_people, lines, place, put, recount, repoint},
};
use super::{
    session::{self, Error, Held, hold},
    state::Stage,
    view::{Views, strings},
};
use crate::{
    db::{
        WriteTx,
        entity::{conversation_link as link, operator},
    },
    id::{self, Kind},
};

/// The lock under which nodes take turns at taking messages in; any fixed number of our own.
pub const INTAKE: i64 = 0x5357_4249;
/// Takes this message and what follows into a conversation of its own. Answers its id.
pub async fn split(
    write: &mut WriteTx,
    views: &Views,
    id: &str,
    message_id: &str,
    by: &operator::Model,
    now: DateTime<Utc>,
) -> Result<String, Error> {
    write.lock(INTAKE).await?;
    let mut held = hold(write, id).await?;
    threaded(views, &held)?;
    let mut rest = lines(write, id).await?;
    let at = rest
        .iter()
        .position(|line| line.id == message_id)
        .ok_or_else(|| Error::invalid("message_id", "is not a message of this conversation"))?;
    let moved = rest.split_off(at);
    let speaks = |line: &Line| line.voice != Voice::Inside;
    if !moved.first().is_some_and(speaks) {
        return Err(Error::invalid("message_id", "is a mail or an answer, not a note"));
    }
    if !rest.iter().any(speaks) {
        return Err(Error::invalid(
            "message_id",
            "is where the conversation begins: there is nothing to split it from",
        ));
    }
    let mut apart = open_beside(write, &held, &moved, now).await?;
    place(write, &mut held, &mut apart, rest, moved.clone(), now).await?;
    copy_people(write, id, &apart.conversation.id).await?;
    remember(write, "split", &apart, &held, by, &moved, now).await?;
    let (here, there) = (held.conversation.number, apart.conversation.number);
    let count = moved.iter().filter(|line| speaks(line)).count();
    held.say(
        write,
        format!(
            "{} split {count} messages off into conversation #{there}",
            by.name
        ),
        true,
        now,
    )
    .await?;
    apart
        .say(
            write,
            format!("{} split this off conversation #{here}", by.name),
            true,
            now,
        )
        .await?;
    Ok(apart.conversation.id)
}

/// Takes all of one conversation into another of the same channel.
pub async fn merge(
    write: &mut WriteTx,
    views: &Views,
    id: &str,
    into: &str,
    by: &operator::Model,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    write.lock(INTAKE).await?;
    if id == into {
        return Err(Error::invalid("into", "is the same conversation"));
    }
    let (mut from, mut to) = hold_both(write, id, into).await?;
    threaded(views, &from)?;
    if from.conversation.channel_id != to.conversation.channel_id {
        return Err(Error::invalid("into", "is on another channel"));
    }
    for held in [&from, &to] {
        if merged(write, &held.conversation.id).await?.is_some() {
            return Err(Error::invalid(
                "into",
                "one of both was merged into another already",
            ));
        }
    }
    let (others, own) = (lines(write, id).await?, lines(write, into).await?);
    let moved = others.clone();
    open_like(write, &mut to, &from, now).await?;
    if !matches!(from.stage(), Stage::Closed { .. }) {
        session::end(write, &mut from, Some("merged".to_owned()), now).await?;
    }
    let unread = from.conversation.unread + to.conversation.unread;
    let last = Ord::max(from.conversation.last_seq, to.conversation.last_seq);
    let mine: HashSet<String> = own.iter().map(|line| line.id.clone()).collect();
    let mut all = order::woven(own, others);
    let kept = order::renumber(&mut all, |line| mine.contains(&line.id), last);
    let changed = all.get(kept..).unwrap_or_default().to_vec();
    put(write, into, None, &changed, now).await?;
    recount(write, &mut to, &all, unread, now).await?;
    recount(write, &mut from, &[], 0, now).await?;
    copy_people(write, id, into).await?;
    repoint(write, &from, &mut to, now).await?;
    remember(write, "merged", &from, &to, by, &moved, now).await?;
    let (gone, stays) = (from.conversation.number, to.conversation.number);
    to.say(
        write,
        format!("{} merged conversation #{gone} into this one", by.name),
        true,
        now,
    )
    .await?;
    from.say(
        write,
        format!("{} merged this conversation into #{stays}", by.name),
        true,
        now,
    )
    .await?;
    Ok(())
}

/// Takes back a split or a merge, by the link it left. Answers the conversation that stays or comes back.
pub async fn undo(
    write: &mut WriteTx,
    views: &Views,
    link_id: &str,
    by: &operator::Model,
    now: DateTime<Utc>,
) -> Result<String, Error> {
    write.lock(INTAKE).await?;
    let found = link::Entity::find_by_id(link_id)
        .lock_exclusive()
        .one(write.tx())
        .await?
        .ok_or(Error::NotFound)?;
    if found.undone_at.is_some() {
        return Err(Error::invalid("link_id", "was undone already"));
    }
    let (from_id, to_id) = (found.from_id.clone(), found.to_id.clone());
    let back = match found.kind.as_str() {
        "split" => {
            done(write, &found, now).await?;
            // What was said in it since comes along.
            merge(write, views, &from_id, &to_id, by, now).await?;
            to_id
        }
        "merged" => {
            let ids: HashSet<String> = strings(&found.moved).into_iter().collect();
            let (mut from, mut to) = hold_both(write, &from_id, &to_id).await?;
            let all = lines(write, &to_id).await?;
            let (moved, rest): (Vec<Line>, Vec<Line>) =
                all.into_iter().partition(|line| ids.contains(&line.id));
            let lost = merged(write, &to_id).await?.is_some() || moved.is_empty() && !ids.is_empty();
            if lost || !rest.iter().any(|line| line.voice != Voice::Inside) {
                return Err(Error::invalid(
                    "link_id",
                    "cannot be undone any more: its messages were moved again since",
                ));
            }
            done(write, &found, now).await?;
            begin_like(write, &mut from, &to, &moved, now).await?;
            place(write, &mut to, &mut from, rest, moved, now).await?;
            let (came, stays) = (from.conversation.number, to.conversation.number);
            to.say(
                write,
                format!("{} took conversation #{came} out again", by.name),
                true,
                now,
            )
            .await?;
            from.say(
                write,
                format!("{} took this conversation out of #{stays} again", by.name),
                true,
                now,
            )
            .await?;
            from_id
        }
        _ => return Err(Error::invalid("link_id", "is neither a split nor a merge")),
    };
    Ok(back)
}

/// Only on channels whose conversations are threads: elsewhere a client has one conversation, and reads it.
fn threaded(views: &Views, held: &Held) -> Result<(), Error> {
    let capabilities = views.capabilities(&held.conversation.channel_kind);
    if capabilities.is_some_and(|capabilities| capabilities.threads) {
        return Ok(());
    }
    Err(Error::invalid(
        "id",
        "on this channel a contact has one conversation: it is neither split nor merged",
    ))
}

/// Both, locked in the order of their ids.
async fn hold_both(write: &WriteTx, one: &str, other: &str) -> Result<(Held, Held), Error> {
    if one < other {
        let first = hold(write, one).await?;
        Ok((first, hold(write, other).await?))
    } else {
        let second = hold(write, other).await?;
        Ok((hold(write, one).await?, second))
    }
}

/// Where a conversation was merged into.
async fn merged(write: &WriteTx, id: &str) -> Result<Option<link::Model>, DbErr> {
    link::Entity::find()
        .filter(link::Column::FromId.eq(id))
        .filter(link::Column::Kind.eq("merged"))
        .filter(link::Column::UndoneAt.is_null())
        .one(write.tx())
        .await
}

async fn remember(
    write: &WriteTx,
    kind: &str,
    from: &Held,
    to: &Held,
    by: &operator::Model,
    moved: &[Line],
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let moved: Vec<&String> = moved.iter().map(|line| &line.id).collect();
    let row = link::Model {
        id: id::new(Kind::Link, now),
        kind: kind.to_owned(),
        from_id: from.conversation.id.clone(),
        to_id: to.conversation.id.clone(),
        reason: None,
        operator_id: Some(by.id.clone()),
        moved: json!(moved),
        at: now,
        undone_at: None,
    };
    link::Entity::insert(row.into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    Ok(())
}

async fn done(write: &WriteTx, found: &link::Model, now: DateTime<Utc>) -> Result<(), DbErr> {
    let change = link::ActiveModel {
        id: Set(found.id.clone()),
        undone_at: Set(Some(now)),
        ..Default::default()
    };
    change.update_without_returning(write.tx()).await.map(|_| ())
}
