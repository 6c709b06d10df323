//! Reading the wall.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, JoinType, QueryFilter,
    QueryOrder, QuerySelect, Statement, sea_query::Expr,
};

use super::{Staffing, Wall, WallLine, WallOperator, WallSession};
use crate::{
    conversation::{
        store::due_or_never,
        view::{ParticipantView, Views, shown_name},
    },
    db::entity::{conversation, line, operator, participant, session},
    line::{Rules, hours, queue},
    operator::{
        Counting,
        view::{self, User},
    },
};

/// Lines on the wall.
const LINES: u64 = 200;
/// Operators on the wall.
const OPERATORS: usize = 500;
/// Waiting sessions on the wall.
const WAITING: u64 = 100;
/// Sessions that somebody has, over all operators.
const HELD: u64 = 1_000;

/// Finds open sessions by their own index, however many are closed: SQLite takes a partial index only when
/// its condition stands there word for word, and likes one whose column is asked for.
const OPEN: &str = "session.conversation_id > '' AND session.state <> 'closed'";

/// The wall as it is now.
pub async fn wall(
    db: &impl ConnectionTrait,
    views: &Views,
    counting: &Counting,
    now: DateTime<Utc>,
) -> Result<Wall, DbErr> {
    let mut cut = false;
    let mut lines = line::Entity::find()
        .order_by_asc(line::Column::Id)
        .limit(LINES + 1)
        .all(db)
        .await?;
    cut |= shorten(&mut lines, LINES);
    let ids: Vec<String> = lines.iter().map(|line| line.id.clone()).collect();
    let queues = queue::resolved(db, &ids).await?;
    let mut held = held(db).await?;
    cut |= shorten(&mut held, HELD);
    join(db, &mut held).await?;
    let mut shown: BTreeSet<String> = queues.values().flatten().cloned().collect();
    shown.extend(held.iter().map(|(owner, _)| owner.clone()));
    let mut people = people(db, &shown, counting, now).await?;
    let lines = with_counts(lines, &queues, &people, counts(db, now).await?, now)?;
    cut |= people.len() > OPERATORS;
    people.truncate(OPERATORS);
    let mut rows = waiting(db, now).await?;
    cut |= shorten(&mut rows, WAITING);
    Ok(Wall {
        at: now,
        waiting_total: lines.iter().map(|line| line.waiting + line.offered).sum(),
        operators: with_sessions(people, &queues, held),
        waiting: views.of_rows(db, rows).await?,
        lines,
        cut,
    })
}

/// Cuts a list that was read one longer than its bound; answers whether there was more.
fn shorten<T>(rows: &mut Vec<T>, limit: u64) -> bool {
    let more = rows.len() as u64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    more
}

#[derive(FromQueryResult)]
struct Count {
    line_id: String,
    state: String,
    sessions: i64,
    oldest: Option<DateTime<Utc>>,
    overdue: i64,
}

/// Open sessions by line and state, and since when the oldest waits; those that wait without the snoozed.
async fn counts(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<Vec<Count>, DbErr> {
    let sql = format!(
        "SELECT session.line_id, session.state, COUNT(*) AS sessions, MIN(session.waiting_since) AS oldest, \
         COUNT(CASE WHEN session.due_at <= $2 THEN 1 END) AS overdue \
         FROM session JOIN conversation c ON c.id = session.conversation_id \
         WHERE {OPEN} AND (session.state = 'assigned' OR c.snoozed_until IS NULL OR c.snoozed_until <= $1) \
         GROUP BY session.line_id, session.state"
    );
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [now.into(), now.into()]);
    Count::find_by_statement(statement).all(db).await
}

fn with_counts(
    rows: Vec<line::Model>,
    queues: &BTreeMap<String, Vec<String>>,
    people: &[User],
    counts: Vec<Count>,
    now: DateTime<Utc>,
) -> Result<Vec<WallLine>, DbErr> {
    let people: BTreeMap<&str, &User> = people.iter().map(|user| (user.id.as_str(), user)).collect();
    let mut by_line: BTreeMap<String, Vec<Count>> = BTreeMap::new();
    for count in counts {
        by_line.entry(count.line_id.clone()).or_default().push(count);
    }
    rows.into_iter()
        .map(|row| {
            let rules = Rules::from_stored(&row.rules)?;
            let opening = hours::opening(rules.hours.as_ref(), now);
            let mut staffing = Staffing::default();
            let members = queues.get(&row.id).into_iter().flatten();
            for user in members.filter_map(|id| people.get(id.as_str())) {
                staffing.add(user.presence, user.availability);
            }
            let mut line = WallLine {
                id: row.id,
                name: row.name,
                enabled: row.enabled,
                open: opening.open,
                opens_at: opening.opens_at,
                closes_at: hours::closing(rules.hours.as_ref(), now),
                waiting: 0,
                oldest_waiting_since: None,
                offered: 0,
                assigned: 0,
                overdue: 0,
                operators: staffing,
            };
            for count in by_line.remove(&line.id).unwrap_or_default() {
                match count.state.as_str() {
                    "waiting" => line.waiting = count.sessions,
                    "offered" => line.offered = count.sessions,
                    _ => line.assigned += count.sessions,
                }
                line.overdue += count.overdue;
                if count.state != "assigned" {
                    let known = line.oldest_waiting_since;
                    line.oldest_waiting_since = [known, count.oldest].into_iter().flatten().min();
                }
            }
            Ok(line)
        })
        .collect()
}

/// These users who are switched on, by name.
async fn people(
    db: &impl ConnectionTrait,
    ids: &BTreeSet<String>,
    counting: &Counting,
    now: DateTime<Utc>,
) -> Result<Vec<User>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = operator::Entity::find()
        .filter(operator::Column::Id.is_in(ids))
        .filter(operator::Column::Enabled.eq(true))
        .order_by_asc(operator::Column::Name)
        .order_by_asc(operator::Column::Id)
        .all(db)
        .await?;
    view::views(db, rows, counting, now).await
}

fn with_sessions(
    people: Vec<User>,
    queues: &BTreeMap<String, Vec<String>>,
    held: Vec<(String, WallSession)>,
) -> Vec<WallOperator> {
    let mut sessions: BTreeMap<String, Vec<WallSession>> = BTreeMap::new();
    for (owner, session) in held {
        sessions.entry(owner).or_default().push(session);
    }
    let mut lines: BTreeMap<&String, Vec<String>> = BTreeMap::new();
    for (line, members) in queues {
        for member in members {
            lines.entry(member).or_default().push(line.clone());
        }
    }
    let operator = |user: User| WallOperator {
        line_ids: lines.remove(&user.id).unwrap_or_default(),
        sessions: sessions.remove(&user.id).unwrap_or_default(),
        id: user.id,
        name: user.name,
        presence: user.presence,
        availability: user.availability,
        availability_reason: user.availability_reason,
        availability_since: user.availability_since,
        load: user.load,
        resting: user.resting,
        capacity: user.capacity,
    };
    people.into_iter().map(operator).collect()
}

#[derive(FromQueryResult)]
struct Held {
    operator_id: String,
    conversation_id: String,
    line_id: String,
    channel_kind: String,
    assigned_at: Option<DateTime<Utc>>,
    owed_since: Option<DateTime<Utc>>,
    due_at: Option<DateTime<Utc>>,
    number: i64,
    unread: i64,
    address: String,
    snoozed_until: Option<DateTime<Utc>>,
    contact_name: Option<String>,
}

/// The sessions that operators have, with their owners, the longest held first.
async fn held(db: &impl ConnectionTrait) -> Result<Vec<(String, WallSession)>, DbErr> {
    let sql = format!(
        "SELECT session.operator_id, session.conversation_id, session.line_id, session.channel_kind, \
         session.assigned_at, session.owed_since, session.due_at, c.number, c.unread, c.address, c.snoozed_until, \
         k.name AS contact_name FROM session JOIN conversation c ON c.id = session.conversation_id \
         JOIN contact k ON k.id = c.contact_id \
         WHERE {OPEN} AND session.state = 'assigned' AND session.operator_id IS NOT NULL \
         ORDER BY session.assigned_at, session.id LIMIT {}",
        HELD + 1
    );
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let held = |row: Held| {
        let session = WallSession {
            contact_name: shown_name(row.contact_name, &row.channel_kind, &row.address),
            participants: Vec::new(),
            conversation_id: row.conversation_id,
            number: row.number,
            line_id: row.line_id,
            channel_kind: row.channel_kind,
            unread: row.unread,
            assigned_at: row.assigned_at,
            owed_since: row.owed_since,
            due_at: row.due_at,
            snoozed_until: row.snoozed_until,
        };
        (row.operator_id, session)
    };
    let rows = Held::find_by_statement(statement).all(db).await?;
    Ok(rows.into_iter().map(held).collect())
}

/// Puts those who joined beside the owners.
async fn join(db: &impl ConnectionTrait, held: &mut [(String, WallSession)]) -> Result<(), DbErr> {
    if held.is_empty() {
        return Ok(());
    }
    let ids = held.iter().map(|(_, session)| session.conversation_id.as_str());
    let rows = participant::Entity::find()
        .filter(participant::Column::ConversationId.is_in(ids))
        .order_by_asc(participant::Column::JoinedAt)
        .all(db)
        .await?;
    let mut people: BTreeMap<String, Vec<ParticipantView>> = BTreeMap::new();
    for row in rows {
        let view = ParticipantView {
            operator_id: row.operator_id,
            hidden: row.hidden,
        };
        people.entry(row.conversation_id).or_default().push(view);
    }
    for (_, session) in held {
        session.participants = people.remove(&session.conversation_id).unwrap_or_default();
    }
    Ok(())
}

/// The conversations that wait or are offered, in the order they are served.
async fn waiting(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<Vec<conversation::Model>, DbErr> {
    let awake = Condition::any()
        .add(conversation::Column::SnoozedUntil.is_null())
        .add(conversation::Column::SnoozedUntil.lte(now));
    conversation::Entity::find()
        .join(
            JoinType::InnerJoin,
            conversation::Entity::belongs_to(session::Entity)
                .from(conversation::Column::SessionId)
                .to(session::Column::Id)
                .into(),
        )
        .filter(Expr::cust(OPEN))
        .filter(session::Column::State.is_in(["waiting", "offered"]))
        .filter(awake)
        .order_by_desc(conversation::Column::Priority)
        .order_by_asc(due_or_never())
        .order_by_asc(session::Column::WaitingSince)
        .order_by_asc(session::Column::Id)
        .limit(WAITING + 1)
        .all(db)
        .await
}
