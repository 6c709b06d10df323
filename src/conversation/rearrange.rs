//! Splitting a conversation, merging two, and taking that back.
//!
//! Messages change their conversation and their number; nothing else of them does. What hangs on them
//! follows: the ids that answers are threaded by, what is still on its way out, what search knows. Numbers
//! only grow, so a client that asks for what came after those it knows is told of everything that moved.
//! While it lasts no mail is taken in ([`INTAKE`]): a mail that answers a message finds it on one side or the
//! other.

pub mod order;

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect, Statement, Value,
};
use serde_json::json;

use self::order::{Line, Voice};
use super::{
    message::{self, preview},
    session::{self, Error, Held, hold, opened},
    state::Stage,
    view::{Views, strings},
};
use crate::{
    db::{
        WriteTx, bulk,
        entity::{
            conversation, conversation_link as link, identity, message as row, operator,
            session as session_row,
        },
        next_numbers,
    },
    event::{EventType, NewEvent},
    id::{self, Kind},
};

/// The lock under which nodes take turns at taking messages in; any fixed number of our own.
pub const INTAKE: i64 = 0x5357_4249;
/// Longer conversations are not rearranged: it is done in one write, and tells of each message.
const MAX_MESSAGES: usize = 2000;
/// Rows of one statement.
const CHUNK: usize = 200;

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
        format!("{} split {count} messages off into conversation #{there}", by.name),
        true,
        now,
    )
    .await?;
    apart
        .say(write, format!("{} split this off conversation #{here}", by.name), true, now)
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
            return Err(Error::invalid("into", "one of both was merged into another already"));
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
    to.say(write, format!("{} merged conversation #{gone} into this one", by.name), true, now)
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
            let (moved, rest): (Vec<Line>, Vec<Line>) = all.into_iter().partition(|line| ids.contains(&line.id));
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
            to.say(write, format!("{} took conversation #{came} out again", by.name), true, now)
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

/// All messages of a conversation, in order.
async fn lines(write: &WriteTx, id: &str) -> Result<Vec<Line>, Error> {
    type Columns = (
        String,
        i64,
        String,
        String,
        Option<String>,
        bool,
        bool,
        DateTime<Utc>,
    );
    let rows: Vec<Columns> = row::Entity::find()
        .select_only()
        .column(row::Column::Id)
        .column(row::Column::Seq)
        .column(row::Column::Kind)
        .column(row::Column::AuthorType)
        .column(row::Column::AuthorId)
        .column(row::Column::Automatic)
        .column(row::Column::Hidden)
        .column(row::Column::CreatedAt)
        .filter(row::Column::ConversationId.eq(id))
        .order_by_asc(row::Column::Seq)
        .limit(MAX_MESSAGES as u64 + 1)
        .into_tuple()
        .all(write.tx())
        .await?;
    if rows.len() > MAX_MESSAGES {
        return Err(Error::invalid(
            "id",
            format!("conversations of more than {MAX_MESSAGES} messages stay as they are"),
        ));
    }
    let line = |(id, seq, kind, author, author_id, automatic, hidden, at): Columns| Line {
        id,
        seq,
        at,
        voice: match (kind.as_str(), author.as_str()) {
            ("inbound", _) if automatic => Voice::Machine,
            ("inbound", _) => Voice::Client,
            ("reply", "operator") if !hidden => Voice::Operator,
            _ => Voice::Inside,
        },
        contact_id: author_id.filter(|_| author == "contact"),
    };
    Ok(rows.into_iter().map(line).collect())
}

/// A conversation for what is split off, beside the one it was part of: of whoever wrote the first of it.
async fn open_beside(
    write: &WriteTx,
    held: &Held,
    moved: &[Line],
    now: DateTime<Utc>,
) -> Result<Held, Error> {
    let was = &held.conversation;
    let writer = moved.iter().find_map(|line| line.contact_id.clone());
    let contact_id = writer.unwrap_or_else(|| was.contact_id.clone());
    let same = contact_id == was.contact_id;
    let address = if same {
        was.address.clone()
    } else {
        address_of(write, &contact_id).await?.unwrap_or_else(|| was.address.clone())
    };
    let id = id::new(Kind::Conversation, now);
    let session = like(held, &id, moved, now);
    let conversation = conversation::Model {
        number: next_numbers(write.tx(), "conversation", 1).await?,
        thread_key: format!("s:{id}"),
        contact_id,
        address,
        claimed: was.claimed && same,
        lead_id: was.lead_id.clone().filter(|_| same),
        session_id: session.id.clone(),
        tags: was.tags.clone(),
        last_seq: 0,
        last_inbound_seq: 0,
        unread: 0,
        read_seq: 0,
        client_read_seq: 0,
        client_delivered_seq: 0,
        last_message_id: None,
        last_message_kind: None,
        last_message_text: None,
        last_message_at: None,
        snoozed_until: None,
        version: 0,
        created_at: now,
        updated_at: now,
        id,
        ..was.clone()
    };
    conversation::Entity::insert(conversation.clone().into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    session_row::Entity::insert(session.clone().into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    Ok(Held {
        conversation,
        session,
    })
}

async fn address_of(write: &WriteTx, contact_id: &str) -> Result<Option<String>, DbErr> {
    let found = identity::Entity::find()
        .filter(identity::Column::ContactId.eq(contact_id))
        .filter(identity::Column::Kind.eq("email"))
        .order_by_desc(identity::Column::Verified)
        .order_by_asc(identity::Column::CreatedAt)
        .one(write.tx())
        .await?;
    Ok(found.map(|row| row.value))
}

/// A session that stands where another does: with its owner, at its place in the queue, or closed.
fn like(other: &Held, conversation_id: &str, lines: &[Line], now: DateTime<Utc>) -> session_row::Model {
    let kind = &other.conversation.channel_kind;
    let answered = lines.iter().find(|line| line.voice == Voice::Operator);
    let session = session_row::Model {
        first_reply_at: answered.map(|line| line.at),
        ..opened(conversation_id, &other.conversation.line_id, kind, now)
    };
    match other.stage() {
        Stage::Waiting { since } | Stage::Offered { since } => session_row::Model {
            waiting_since: since,
            ..session
        },
        Stage::Assigned { to, .. } => session_row::Model {
            state: "assigned".to_owned(),
            operator_id: Some(to),
            waiting_since: other.session.waiting_since,
            assigned_at: Some(now),
            ..session
        },
        Stage::Closed { at } => session_row::Model {
            state: "closed".to_owned(),
            operator_id: other.session.operator_id.clone(),
            closed_at: Some(at),
            close_reason: other.session.close_reason.clone(),
            ..session
        },
    }
}

/// A merged conversation comes back: a new session of it begins, like that of where it was.
async fn begin_like(
    write: &mut WriteTx,
    back: &mut Held,
    other: &Held,
    lines: &[Line],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    if matches!(other.stage(), Stage::Closed { .. }) {
        return Ok(());
    }
    let session = like(other, &back.conversation.id, lines, now);
    session_row::Entity::insert(session.clone().into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    back.conversation.session_id.clone_from(&session.id);
    back.conversation.line_id.clone_from(&session.line_id);
    back.session = session;
    back.changed(write, now).await?;
    Ok(())
}

/// What is merged into a conversation brings its session along: an open one opens it, an owner owns it, and
/// who waited longer keeps the place.
async fn open_like(write: &mut WriteTx, to: &mut Held, from: &Held, now: DateTime<Utc>) -> Result<(), Error> {
    match (to.stage(), from.stage()) {
        (_, Stage::Closed { .. })
        | (Stage::Assigned { .. }, _)
        | (Stage::Offered { .. }, Stage::Waiting { .. } | Stage::Offered { .. }) => {}
        (Stage::Closed { .. }, _) => begin_like(write, to, from, &[], now).await?,
        (Stage::Waiting { .. } | Stage::Offered { .. }, Stage::Assigned { to: owner, .. }) => {
            let line = to.conversation.line_id.clone();
            let stage = Stage::Assigned {
                to: owner,
                since: now,
            };
            to.write(write, &stage, &line, now).await?;
        }
        (Stage::Waiting { since }, Stage::Waiting { since: other } | Stage::Offered { since: other }) => {
            let line = to.conversation.line_id.clone();
            let stage = Stage::Waiting {
                since: Ord::min(since, other),
            };
            to.write(write, &stage, &line, now).await?;
        }
    }
    Ok(())
}

/// Moves lines from one conversation, where `rest` stays, to another that has none.
async fn place(
    write: &mut WriteTx,
    here: &mut Held,
    there: &mut Held,
    rest: Vec<Line>,
    mut moved: Vec<Line>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let inbound = |lines: &[Line]| {
        let count = lines.iter().filter(|line| line.voice.is_inbound()).count();
        i64::try_from(count).unwrap_or(i64::MAX)
    };
    // The unread ones are the last.
    let unread_seq = order::read_up_to(
        &order::woven(rest.clone(), moved.clone()),
        here.conversation.unread,
    );
    let unread = |lines: &[Line]| {
        let unread: Vec<Line> = lines.iter().filter(|line| line.seq > unread_seq).cloned().collect();
        if here.conversation.unread == 0 { 0 } else { inbound(&unread) }
    };
    let (stay, go) = (unread(&rest), unread(&moved));
    order::renumber(&mut moved, |_| false, there.conversation.last_seq);
    let session_id = there.session.id.clone();
    let id = there.conversation.id.clone();
    put(write, &id, Some(&session_id), &moved, now).await?;
    recount(write, here, &rest, stay, now).await?;
    recount(write, there, &moved, go, now).await?;
    if let Some(owner) = there.stage().owner() {
        write.record(NewEvent::new(EventType::OperatorUpdated, owner, now));
    }
    Ok(())
}

/// Writes where messages are now, and takes along what hangs on them.
async fn put(
    write: &mut WriteTx,
    conversation_id: &str,
    session_id: Option<&str>,
    lines: &[Line],
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    for chunk in lines.chunks(CHUNK) {
        let mut values: Vec<Value> = vec![conversation_id.into()];
        let rows: Vec<String> = chunk
            .iter()
            .map(|line| {
                values.push(line.id.clone().into());
                values.push(line.seq.into());
                format!("(${}, CAST(${} AS BIGINT))", values.len() - 1, values.len())
            })
            .collect();
        let sql = format!(
            "WITH moved(id, seq) AS (VALUES {}) UPDATE message SET conversation_id = $1, seq = moved.seq \
             FROM moved WHERE message.id = moved.id",
            rows.join(", ")
        );
        run(write, sql, values).await?;
        let ids = || chunk.iter().map(|line| Value::from(line.id.clone())).collect();
        let (list, of) = bulk::in_list(2, ids());
        for (table, column) in [("thread_ref", "message_id"), ("search_document", "object_id")] {
            let sql = format!("UPDATE {table} SET conversation_id = $1 WHERE {column} IN {list}");
            let values = [Value::from(conversation_id)].into_iter().chain(of.clone());
            run(write, sql, values.collect()).await?;
        }
        let (list, of) = bulk::in_list(1, ids());
        let sql = format!(
            "UPDATE outbox SET conversation_id = m.conversation_id, seq = m.seq FROM message m \
             WHERE m.id = outbox.message_id AND outbox.message_id IN {list}"
        );
        run(write, sql, of).await?;
        if let Some(session_id) = session_id {
            let (list, of) = bulk::in_list(2, ids());
            let sql = format!("UPDATE message SET session_id = $1 WHERE id IN {list}");
            let values = [Value::from(session_id)].into_iter().chain(of);
            run(write, sql, values.collect()).await?;
        }
        for line in chunk {
            write.record(NewEvent::message(
                EventType::MessageUpdated,
                &line.id,
                conversation_id,
                now,
            ));
        }
    }
    Ok(())
}

/// Writes what a conversation knows of its messages, and what its session owes.
async fn recount(
    write: &mut WriteTx,
    held: &mut Held,
    lines: &[Line],
    unread: i64,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let last = newest(write, &held.conversation.id).await?;
    let row = &mut held.conversation;
    row.last_seq = Ord::max(row.last_seq, lines.last().map_or(0, |line| line.seq));
    let inbound = lines.iter().rev().find(|line| line.voice.is_inbound());
    row.last_inbound_seq = inbound.map_or(0, |line| line.seq);
    row.unread = unread;
    row.read_seq = order::read_up_to(lines, unread);
    row.last_message_id = last.as_ref().map(|last| last.id.clone());
    row.last_message_kind = last.as_ref().map(|last| last.kind.clone());
    row.last_message_text = last.as_ref().map(|last| preview(&last.body));
    row.last_message_at = last.as_ref().map(|last| last.created_at);
    row.version += 1;
    row.updated_at = now;
    conversation::ActiveModel {
        id: Set(row.id.clone()),
        last_seq: Set(row.last_seq),
        last_inbound_seq: Set(row.last_inbound_seq),
        unread: Set(row.unread),
        read_seq: Set(row.read_seq),
        last_message_id: Set(row.last_message_id.clone()),
        last_message_kind: Set(row.last_message_kind.clone()),
        last_message_text: Set(row.last_message_text.clone()),
        last_message_at: Set(row.last_message_at),
        version: Set(row.version),
        updated_at: Set(now),
        ..Default::default()
    }
    .update_without_returning(write.tx())
    .await?;
    write.record(NewEvent::conversation(&held.conversation.id, now));
    if matches!(held.stage(), Stage::Closed { .. }) {
        return Ok(());
    }
    let session = &mut held.session;
    (session.owed_since, session.answered_at) = order::owed(lines);
    session.version += 1;
    session_row::ActiveModel {
        id: Set(session.id.clone()),
        owed_since: Set(session.owed_since),
        answered_at: Set(session.answered_at),
        version: Set(session.version),
        ..Default::default()
    }
    .update_without_returning(write.tx())
    .await?;
    Ok(())
}

/// The newest message that people read in lists.
async fn newest(write: &WriteTx, id: &str) -> Result<Option<row::Model>, DbErr> {
    row::Entity::find()
        .filter(row::Column::ConversationId.eq(id))
        .filter(row::Column::Kind.ne(message::MessageKind::System.as_str()))
        .order_by_desc(row::Column::Seq)
        .one(write.tx())
        .await
}

/// Whoever is on one conversation is on the other: clients by address, and operators who joined.
async fn copy_people(write: &WriteTx, from: &str, to: &str) -> Result<(), DbErr> {
    let values = || vec![Value::from(to), Value::from(from)];
    let people = "INSERT INTO participant (conversation_id, operator_id, hidden, joined_at) \
                  SELECT $1, operator_id, hidden, joined_at FROM participant WHERE conversation_id = $2 \
                  ON CONFLICT DO NOTHING";
    run(write, people.to_owned(), values()).await?;
    let members = "INSERT INTO conversation_member (conversation_id, address, created_at) \
                   SELECT $1, address, created_at FROM conversation_member WHERE conversation_id = $2 \
                   ON CONFLICT DO NOTHING";
    run(write, members.to_owned(), values()).await?;
    let client = "INSERT INTO conversation_member (conversation_id, address, created_at) \
                  SELECT $1, address, created_at FROM conversation WHERE id = $2 ON CONFLICT DO NOTHING";
    run(write, client.to_owned(), values()).await
}

/// What named the merged conversation names the other one now.
async fn repoint(write: &mut WriteTx, from: &Held, to: &mut Held, now: DateTime<Utc>) -> Result<(), Error> {
    for table in ["lead", "submission"] {
        let sql = format!("UPDATE {table} SET conversation_id = $1 WHERE conversation_id = $2");
        let ids = [&to.conversation.id, &from.conversation.id];
        run(write, sql, ids.map(|id| Value::from(id.clone())).to_vec()).await?;
    }
    let lead = &from.conversation.lead_id;
    if to.conversation.lead_id.is_none()
        && lead.is_some()
        && from.conversation.contact_id == to.conversation.contact_id
    {
        to.conversation.lead_id.clone_from(lead);
        let sql = "UPDATE conversation SET lead_id = $1 WHERE id = $2".to_owned();
        run(write, sql, vec![lead.clone().into(), to.conversation.id.clone().into()]).await?;
        write.record(NewEvent::conversation(&to.conversation.id, now));
    }
    Ok(())
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

async fn run(write: &WriteTx, sql: String, values: Vec<Value>) -> Result<(), DbErr> {
    write
        .tx()
        .execute_raw(Statement::from_sql_and_values(write.backend(), sql, values))
        .await
        .map(|_| ())
}
