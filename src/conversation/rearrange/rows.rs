//! Reading and writing the messages that are rearranged, and what hangs on them.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, Statement, Value,
};

use super::order::{self, Line, Voice};
use crate::{
    conversation::{
        message::{self, preview},
        session::{Error, Held},
        state::Stage,
    },
    db::{
        WriteTx, bulk,
        entity::{conversation, message as row, session as session_row},
    },
    event::{EventType, NewEvent},
};

/// Longer conversations are not rearranged: it is done in one write, and tells of each message.
const MAX_MESSAGES: usize = 2000;
/// Rows of one statement.
const CHUNK: usize = 200;

/// All messages of a conversation, in order.
pub(super) async fn lines(write: &WriteTx, id: &str) -> Result<Vec<Line>, Error> {
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

/// Moves lines from one conversation, where `rest` stays, to another that has none.
pub(super) async fn place(
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
        let unread: Vec<Line> = lines
            .iter()
            .filter(|line| line.seq > unread_seq)
            .cloned()
            .collect();
        if here.conversation.unread == 0 {
            0
        } else {
            inbound(&unread)
        }
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
pub(super) async fn put(
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
pub(super) async fn recount(
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
pub(super) async fn copy_people(write: &WriteTx, from: &str, to: &str) -> Result<(), DbErr> {
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
pub(super) async fn repoint(
    write: &mut WriteTx,
    from: &Held,
    to: &mut Held,
    now: DateTime<Utc>,
) -> Result<(), Error> {
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
        run(
            write,
            sql,
            vec![lead.clone().into(), to.conversation.id.clone().into()],
        )
        .await?;
        write.record(NewEvent::conversation(&to.conversation.id, now));
    }
    Ok(())
}

pub(super) async fn run(write: &WriteTx, sql: String, values: Vec<Value>) -> Result<(), DbErr> {
    write
        .tx()
        .execute_raw(Statement::from_sql_and_values(write.backend(), sql, values))
        .await
        .map(|_| ())
}
