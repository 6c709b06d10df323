//! Recorded sessions and the people of a line, read for a simulation.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, Statement, Value,
};

use super::{
    explain::{GIVEN_BACK, NO_REPLY},
    simulate::{SimLine, Staff, today::Recorded},
    timers::UNANSWERED,
};
use crate::{
    conversation::offer::Ending,
    db::{
        bulk,
        entity::{line, operator},
    },
    line::{Rules, queue},
    operator::{roster, schedule::Plan, store::words},
};

/// Lines that overflow into each other and are played together, at most.
const LINES: usize = 20;

/// What makes a session go back to the queue; the last when its owner leaves.
const RETURNS: [&str; 3] = [GIVEN_BACK, NO_REPLY, "owner_left"];

/// What a line does by itself and is noted: without an answer, and outside its hours.
const NOTICES: [&str; 2] = ["no_answer", "off_hours"];

#[derive(FromQueryResult)]
struct Row {
    id: String,
    line_id: String,
    channel_kind: String,
    opened_at: DateTime<Utc>,
    language: Option<String>,
    priority: i64,
    responsible: Option<String>,
    operator_id: Option<String>,
    assigned_at: Option<DateTime<Utc>>,
    first_reply_at: Option<DateTime<Utc>>,
    closed_at: Option<DateTime<Utc>>,
    close_reason: Option<String>,
}

/// How often something was done about a session.
#[derive(FromQueryResult)]
struct Done {
    session_id: String,
    /// The outcome of an offer, or the kind of a notice.
    what: String,
    times: i64,
}

#[derive(FromQueryResult)]
struct Moved {
    session_id: String,
    line_id: String,
    outcome: String,
    trigger: String,
}

/// Up to `limit` sessions that came on these lines in a period, the oldest first. One that moved to an
/// overflow line came on the line it left. Who is responsible for the contact since that very session is
/// no reason to give it to them.
pub async fn recorded(
    db: &impl ConnectionTrait,
    line_ids: &[String],
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    limit: usize,
) -> Result<Vec<Recorded>, DbErr> {
    if line_ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids = || line_ids.iter().map(|id| Value::from(id.clone())).collect();
    let mut values: Vec<Value> = vec![from.into(), to.into()];
    let (here, more) = bulk::in_list(values.len() + 1, ids());
    values.extend(more);
    let (left, more) = bulk::in_list(values.len() + 1, ids());
    values.extend(more);
    let sql = format!(
        "SELECT s.id, s.line_id, s.channel_kind, s.opened_at, k.language, c.priority, \
         COALESCE(l.operator_id, CASE WHEN k.created_at < s.opened_at THEN k.operator_id END) AS responsible, \
         s.operator_id, s.assigned_at, s.first_reply_at, s.closed_at, s.close_reason \
         FROM session s JOIN conversation c ON c.id = s.conversation_id JOIN contact k ON k.id = c.contact_id \
         LEFT JOIN lead l ON l.id = c.lead_id AND l.created_at < s.opened_at \
         WHERE s.opened_at >= $1 AND s.opened_at < $2 AND (s.line_id IN {here} OR EXISTS (SELECT 1 FROM \
         routing_decision d WHERE d.session_id = s.id AND d.outcome = 'overflow' AND d.line_id IN {left})) \
         ORDER BY s.opened_at, s.id LIMIT {limit}"
    );
    let backend = db.get_database_backend();
    let rows = Row::find_by_statement(Statement::from_sql_and_values(backend, sql, values))
        .all(db)
        .await?;
    let sql = "SELECT d.session_id, d.line_id, d.outcome, d.trigger FROM routing_decision d \
               JOIN session s ON s.id = d.session_id WHERE s.opened_at >= $1 AND s.opened_at < $2 \
               AND (d.outcome = 'overflow' OR d.trigger IN ($3, $4, $5)) ORDER BY d.at, d.id";
    let [back, late, left] = RETURNS;
    let values: [Value; 5] = [from.into(), to.into(), back.into(), late.into(), left.into()];
    let moves = Moved::find_by_statement(Statement::from_sql_and_values(backend, sql, values))
        .all(db)
        .await?;
    let mut moved: BTreeMap<String, Vec<Moved>> = BTreeMap::new();
    for one in moves {
        moved.entry(one.session_id.clone()).or_default().push(one);
    }
    let mut done = done(db, from, to).await?;
    let record = |row: Row| {
        let moves = moved.remove(&row.id).unwrap_or_default();
        let overflowed = || moves.iter().filter(|one| one.outcome == "overflow");
        let done = done.remove(&row.id).unwrap_or_default();
        let times = |of: &dyn Fn(&str) -> bool| -> u64 {
            let those = done.iter().filter(|one| of(&one.what));
            those.map(|one| one.times.unsigned_abs()).sum()
        };
        let returned = moves.iter().filter(|one| RETURNS.contains(&one.trigger.as_str()));
        Recorded {
            line_id: overflowed()
                .next()
                .map_or(row.line_id, |first| first.line_id.clone()),
            channel_kind: row.channel_kind,
            opened_at: row.opened_at,
            language: row.language,
            priority: row.priority,
            responsible: row.responsible,
            operator_id: row.operator_id,
            assigned_at: row.assigned_at,
            first_reply_at: row.first_reply_at,
            closed_at: row.closed_at,
            closed_by_line: row.close_reason.as_deref() == Some(UNANSWERED),
            overflowed: overflowed().count() as u64,
            returned: returned.count() as u64,
            offers: times(&|what| !NOTICES.contains(&what)),
            offers_lapsed: times(&|what| what == Ending::Lapsed.as_str()),
            no_answer_actions: times(&|what| what == NOTICES[0]),
            off_hours_actions: times(&|what| what == NOTICES[1]),
        }
    };
    let records = rows.into_iter().map(record);
    // What came on another line and was moved here by its overflow is that line's.
    Ok(records
        .filter(|record| line_ids.contains(&record.line_id))
        .collect())
}

/// What was done about the sessions of a period: offers by what became of them, and what clients were told.
async fn done(
    db: &impl ConnectionTrait,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<BTreeMap<String, Vec<Done>>, DbErr> {
    let [no_answer, off_hours] = NOTICES;
    let sql = "SELECT o.session_id, COALESCE(o.outcome, 'open') AS what, COUNT(*) AS times FROM offer o \
               JOIN session s ON s.id = o.session_id WHERE s.opened_at >= $1 AND s.opened_at < $2 \
               GROUP BY o.session_id, o.outcome \
               UNION ALL SELECT n.session_id, n.kind AS what, COUNT(*) AS times FROM session_notice n \
               JOIN session s ON s.id = n.session_id WHERE s.opened_at >= $3 AND s.opened_at < $4 \
               AND n.kind IN ($5, $6) GROUP BY n.session_id, n.kind";
    let values: [Value; 6] = [
        from.into(),
        to.into(),
        from.into(),
        to.into(),
        no_answer.into(),
        off_hours.into(),
    ];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let mut found: BTreeMap<String, Vec<Done>> = BTreeMap::new();
    for one in Done::find_by_statement(statement).all(db).await? {
        found.entry(one.session_id.clone()).or_default().push(one);
    }
    Ok(found)
}

/// An operator as a simulation takes them: there whenever their schedule says so.
pub fn staff(row: &operator::Model, plan: Option<&Plan>) -> Staff {
    Staff {
        name: row.name.clone(),
        capacity: if row.enabled { row.capacity } else { 0.0 },
        languages: words(&row.languages),
        skills: words(&row.skills),
        schedule: plan.cloned(),
    }
}

/// These lines with those they overflow into, by id.
pub async fn lines(
    db: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = String>,
) -> Result<BTreeMap<String, SimLine>, DbErr> {
    let mut found = BTreeMap::new();
    let mut wanted: BTreeSet<String> = ids.into_iter().collect();
    while !wanted.is_empty() && found.len() < LINES {
        let rows = line::Entity::find()
            .filter(line::Column::Id.is_in(std::mem::take(&mut wanted)))
            .all(db)
            .await?;
        let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
        let mut queues = queue::resolved(db, &ids).await?;
        for row in rows {
            let rules = Rules::from_stored(&row.rules)?;
            wanted.extend(rules.overflow.line_id.clone());
            let line = SimLine {
                enabled: row.enabled,
                rules,
                queue: queues.remove(&row.id).unwrap_or_default(),
            };
            found.insert(row.id, line);
        }
        wanted.retain(|id| !found.contains_key(id));
    }
    Ok(found)
}

/// These operators, by id.
pub async fn people(
    db: &impl ConnectionTrait,
    ids: &BTreeSet<String>,
) -> Result<BTreeMap<String, Staff>, DbErr> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = operator::Entity::find()
        .filter(operator::Column::Id.is_in(ids))
        .all(db)
        .await?;
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let plans = roster::plans(db, &ids).await?;
    let staff = |row: &operator::Model| (row.id.clone(), staff(row, plans.get(&row.id)));
    Ok(rows.iter().map(staff).collect())
}
