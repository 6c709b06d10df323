//! Reading the world for [`super::decide`]: a fixed number of queries, however many wait.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, Statement,
    Value,
};

use super::{
    explain::{self, Known},
    world::{LineState, OperatorState, Waiting, World},
};
use crate::{
    db::{
        bulk,
        entity::{line, line_turn, operator},
    },
    line::{Rules, due, queue},
    operator::{
        Counting, load,
        presence::{self, Observed},
        role, roster,
        schedule::standing,
        store::words,
    },
};

/// A place in the order of those who wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    priority: i64,
    due: DateTime<Utc>,
    waiting_since: DateTime<Utc>,
    session_id: String,
}

impl Place {
    /// Where this session stands.
    pub fn of(session: &Waiting) -> Self {
        Self {
            priority: session.priority,
            due: session.due(),
            waiting_since: session.waiting_since,
            session_id: session.session_id.clone(),
        }
    }
}

/// Which of those who wait are read.
#[derive(Debug, Clone, Copy)]
pub enum Which<'a> {
    /// A page of all on the lines, in the order they are served, after this place.
    After(Option<&'a Place>, u64),
    /// The sessions of these conversations.
    Of(&'a BTreeSet<String>),
    /// The open sessions of these conversations, whoever has them and snoozed or not: as if they waited.
    AsIfWaiting(&'a BTreeSet<String>),
}

#[derive(FromQueryResult)]
struct Row {
    id: String,
    version: i64,
    conversation_id: String,
    line_id: String,
    channel_kind: String,
    due_at: Option<DateTime<Utc>>,
    waiting_since: DateTime<Utc>,
    priority: i64,
    language: Option<String>,
    responsible: Option<String>,
}

/// Sessions that wait and are not snoozed, in the order they are served, with what was decided about
/// them last.
pub async fn waiting(
    db: &impl ConnectionTrait,
    line_ids: &BTreeSet<String>,
    which: Which<'_>,
    counting: &Counting,
    now: DateTime<Utc>,
) -> Result<(Vec<Waiting>, BTreeMap<String, Known>), DbErr> {
    if line_ids.is_empty() {
        return Ok(Default::default());
    }
    // Each use has a parameter of its own: PostgreSQL infers one type for each.
    let (lines, mut values) = bulk::in_list(1, line_ids.iter().map(|id| id.clone().into()).collect());
    let mut parameter = |value: Value| {
        values.push(value);
        format!("${}", values.len())
    };
    let due = format!("COALESCE(s.due_at, {})", parameter(due::never().into()));
    let state = match which {
        Which::AsIfWaiting(_) => "s.state <> 'closed'".to_owned(),
        Which::After(..) | Which::Of(_) => {
            let awake = parameter(now.into());
            format!("s.state = 'waiting' AND (c.snoozed_until IS NULL OR c.snoozed_until <= {awake})")
        }
    };
    let mut sql = format!(
        "SELECT s.id, s.version, s.conversation_id, s.line_id, s.channel_kind, s.due_at, s.waiting_since, c.priority, k.language, \
         COALESCE(l.operator_id, k.operator_id) AS responsible \
         FROM session s JOIN conversation c ON c.id = s.conversation_id \
         JOIN contact k ON k.id = c.contact_id \
         LEFT JOIN lead l ON l.id = c.lead_id AND l.status IN ('new', 'in_progress') \
         WHERE s.line_id IN {lines} AND {state}"
    );
    let mut limit = None;
    match which {
        Which::After(place, page) => {
            if let Some(place) = place {
                let (p1, p2) = (parameter(place.priority.into()), parameter(place.priority.into()));
                let (d1, d2) = (parameter(place.due.into()), parameter(place.due.into()));
                let (t1, t2) = (
                    parameter(place.waiting_since.into()),
                    parameter(place.waiting_since.into()),
                );
                let id = parameter(place.session_id.clone().into());
                sql.push_str(&format!(
                    " AND (c.priority < {p1} OR (c.priority = {p2} AND ({due} > {d1} OR ({due} = {d2} AND \
                     (s.waiting_since > {t1} OR (s.waiting_since = {t2} AND s.id > {id}))))))"
                ));
            }
            limit = Some(page);
        }
        Which::Of(conversations) | Which::AsIfWaiting(conversations) => {
            let first = values.len() + 1;
            let (list, more) =
                bulk::in_list(first, conversations.iter().map(|id| id.clone().into()).collect());
            values.extend(more);
            sql.push_str(&format!(" AND s.conversation_id IN {list}"));
        }
    }
    sql.push_str(&format!(
        " ORDER BY c.priority DESC, {due}, s.waiting_since, s.id"
    ));
    if let Some(limit) = limit {
        sql.push_str(&format!(" LIMIT {limit}"));
    }
    let rows = Row::find_by_statement(Statement::from_sql_and_values(
        db.get_database_backend(),
        sql,
        values,
    ))
    .all(db)
    .await?;
    let sessions: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let known = explain::known(db, &sessions).await?;
    let session = |row: Row| {
        let known = known.get(&row.id).cloned().unwrap_or_default();
        Waiting {
            weight: counting.weight_of(&row.channel_kind),
            declined: known.declined,
            lapsed: known.lapsed,
            round: known.round,
            session_id: row.id,
            version: row.version,
            conversation_id: row.conversation_id,
            line_id: row.line_id,
            priority: row.priority,
            due_at: row.due_at,
            waiting_since: row.waiting_since,
            language: row.language,
            responsible: row.responsible,
        }
    };
    let waiting = rows.into_iter().map(session).collect();
    Ok((waiting, known))
}

/// The lines and everybody in their queues, without those who wait.
pub async fn world(
    db: &impl ConnectionTrait,
    line_ids: &BTreeSet<String>,
    counting: &Counting,
    now: DateTime<Utc>,
) -> Result<World, DbErr> {
    let mut world = World::default();
    if line_ids.is_empty() {
        return Ok(world);
    }
    let ids: Vec<String> = line_ids.iter().cloned().collect();
    let lines = line::Entity::find()
        .filter(line::Column::Id.is_in(bulk::padded(&ids)))
        .all(db)
        .await?;
    let mut queues = queue::resolved(db, &ids).await?;
    let mut turns: BTreeMap<String, BTreeMap<String, DateTime<Utc>>> = BTreeMap::new();
    for row in line_turn::Entity::find()
        .filter(line_turn::Column::LineId.is_in(bulk::padded(&ids)))
        .all(db)
        .await?
    {
        turns
            .entry(row.line_id)
            .or_default()
            .insert(row.operator_id, row.last_assigned_at);
    }
    let people: BTreeSet<String> = queues.values().flatten().cloned().collect();
    let mut read: Vec<(line::Model, Rules)> = Vec::with_capacity(lines.len());
    for line in lines {
        let rules = Rules::from_stored(&line.rules)?;
        read.push((line, rules));
    }
    let targets = read
        .iter()
        .filter_map(|(_, rules)| rules.overflow.line_id.clone());
    let targets = enabled(db, targets.collect()).await?;
    for (line, rules) in read {
        let to = rules.overflow.line_id.clone();
        let state = LineState {
            version: line.version,
            enabled: line.enabled,
            overflow_to: to.filter(|to| *to != line.id && targets.contains(to)),
            rules,
            queue: queues.remove(&line.id).unwrap_or_default(),
            turns: turns.remove(&line.id).unwrap_or_default(),
        };
        world.lines.insert(line.id, state);
    }
    world.operators = operators(db, &people, counting, now).await?;
    Ok(world)
}

/// Which of these lines are enabled.
async fn enabled(db: &impl ConnectionTrait, ids: BTreeSet<String>) -> Result<BTreeSet<String>, DbErr> {
    if ids.is_empty() {
        return Ok(ids);
    }
    let found: Vec<String> = line::Entity::find()
        .select_only()
        .column(line::Column::Id)
        .filter(line::Column::Id.is_in(ids))
        .filter(line::Column::Enabled.eq(true))
        .into_tuple()
        .all(db)
        .await?;
    Ok(found.into_iter().collect())
}

/// These operators as they are now.
pub async fn operators(
    db: &impl ConnectionTrait,
    ids: &BTreeSet<String>,
    counting: &Counting,
    now: DateTime<Utc>,
) -> Result<BTreeMap<String, OperatorState>, DbErr> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = operator::Entity::find()
        .filter(operator::Column::Id.is_in(bulk::padded(ids)))
        .all(db)
        .await?;
    states(db, rows, counting, now).await
}

/// Rows that were read (and perhaps locked) already, with what is observed of them, what they
/// have, and what their schedules say.
pub async fn states(
    db: &impl ConnectionTrait,
    rows: Vec<operator::Model>,
    counting: &Counting,
    now: DateTime<Utc>,
) -> Result<BTreeMap<String, OperatorState>, DbErr> {
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let observed = presence::observed(db, &ids, now).await?;
    let mut loads = load::loads(db, &ids, counting, now).await?;
    let plans = roster::plans(db, &ids).await?;
    let rights = role::rights_of(db, &rows).await?;
    let state = |row: operator::Model| {
        let state = OperatorState {
            enabled: row.enabled,
            may_answer: role::rights_among(&rights, &row).takes_conversations(),
            availability: standing(roster::said(&row), plans.get(&row.id), now).0,
            observed: observed.get(&row.id).copied().unwrap_or(Observed::NEVER),
            languages: words(&row.languages),
            skills: words(&row.skills),
            capacity: row.capacity,
            load: loads.remove(&row.id).unwrap_or_default(),
        };
        (row.id, state)
    };
    Ok(rows.into_iter().map(state).collect())
}
