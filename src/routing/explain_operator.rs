//! Why an operator gets nothing: the rule of [`super::decide`] asked about each line whose queue they stand
//! in and about the sessions at the head of those queues. Nothing is stored.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, Statement,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    decide::{Outcome, Rejection},
    plan::{decide_with_candidates, plan},
    snapshot::{self, Which},
    world::{Round, Waiting, World},
};
use crate::{
    conversation::view::shown_name,
    db::{
        bulk,
        entity::{contact, conversation, line, operator},
    },
    line::{check::Attached, hours, store::lines_of, warnings},
    operator::{Availability, Counting, Presence},
};

/// Sessions at the head that are explained.
const HEAD: u64 = 20;

/// What an operator gets and why not more.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OperatorRouting {
    /// Who.
    pub operator_id: String,
    /// When this was so.
    pub at: DateTime<Utc>,
    /// Switched on.
    pub enabled: bool,
    /// What is observed.
    pub presence: Presence,
    /// What they say.
    pub availability: Availability,
    /// Their weighted load over all lines.
    pub load: f64,
    /// The load they may have.
    pub capacity: f64,
    /// The lines whose queue they stand in.
    pub lines: Vec<LineReason>,
    /// The sessions that wait on these lines, in the order they are served; at most twenty.
    pub waiting: Vec<WaitingReason>,
}

/// One line, as a typical session of it finds the operator.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LineReason {
    /// `lin_…`
    pub line_id: String,
    /// What people call it.
    pub line_name: String,
    /// A line that is not enabled assigns nothing.
    pub enabled: bool,
    /// Whether its hours say that it is open now.
    pub open: bool,
    /// When it opens next, if it is closed.
    pub opens_at: Option<DateTime<Utc>>,
    /// The first check that fails now; none: they would get a session when it is their turn. The session
    /// assumed is the lightest that the line's channels bring, from a contact of whom nothing is known.
    pub rejected_by: Option<Rejection>,
    /// Their place in the order of the distribution, from 1.
    pub rank: Option<u32>,
    /// How many stand in the queue.
    pub members: usize,
    /// How many before them could take a session now.
    pub free_before: usize,
    /// How many sessions wait on the line.
    pub waiting: i64,
}

/// A session that waits, and why this operator does not get it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct WaitingReason {
    /// `cnv_…`
    pub conversation_id: String,
    /// The number people use.
    pub number: i64,
    /// The contact's name, or the address while no name is known.
    pub contact_name: Option<String>,
    /// Its line.
    pub line_id: String,
    /// Its channel's kind.
    pub channel_kind: String,
    /// Higher goes first.
    pub priority: i64,
    /// Since when it waits.
    pub waiting_since: DateTime<Utc>,
    /// What the router decides about it now.
    pub outcome: Outcome,
    /// By which rule: a distribution, or `sticky`.
    pub algorithm: String,
    /// Who gets it, when somebody does.
    pub operator_id: Option<String>,
    /// Their place in the order of the distribution; none, when they were not looked at.
    pub rank: Option<u32>,
    /// The first check that fails for them; none when none does, or they were not looked at.
    pub rejected_by: Option<Rejection>,
}

/// Reads what is needed and asks the rule: a fixed number of queries.
pub async fn of_operator(
    db: &impl ConnectionTrait,
    row: &operator::Model,
    counting: &Counting,
    now: DateTime<Utc>,
) -> Result<OperatorRouting, DbErr> {
    let line_ids = lines_of(db, std::slice::from_ref(&row.id)).await?;
    let ids: Vec<String> = line_ids.iter().cloned().collect();
    let mut world = snapshot::world(db, &line_ids, counting, now).await?;
    let (waiting, _) = snapshot::waiting(db, &line_ids, Which::After(None, HEAD), counting, now).await?;
    let mut others: BTreeSet<String> = waiting.iter().filter_map(|one| one.responsible.clone()).collect();
    others.insert(row.id.clone());
    others.retain(|id| !world.operators.contains_key(id));
    world
        .operators
        .extend(snapshot::operators(db, &others, counting, now).await?);
    world.waiting = waiting;
    let facts = LineFacts {
        names: names(db, &ids).await?,
        channels: warnings::channels(db, &ids).await?,
        waiting: counts(db, &ids, now).await?,
    };
    let shown = shown(db, &world.waiting).await?;
    let operator = world.operators.get(&row.id).cloned();
    let operator =
        operator.ok_or_else(|| DbErr::RecordNotFound("the operator that was just read".to_owned()))?;
    Ok(OperatorRouting {
        operator_id: row.id.clone(),
        at: now,
        enabled: operator.enabled,
        presence: operator.observed.presence,
        availability: operator.availability,
        load: operator.load.total,
        capacity: operator.capacity,
        lines: lines(&world, &row.id, &facts, counting, now),
        waiting: heads(&world, &row.id, shown, now),
    })
}

/// What is said about lines beside the router's world.
#[derive(Debug, Default)]
struct LineFacts {
    names: BTreeMap<String, String>,
    channels: BTreeMap<String, Vec<Attached>>,
    waiting: BTreeMap<String, i64>,
}

/// Each line, and what stands between a typical session and the operator. Pure.
fn lines(
    world: &World,
    operator_id: &str,
    facts: &LineFacts,
    counting: &Counting,
    now: DateTime<Utc>,
) -> Vec<LineReason> {
    let mut reasons: Vec<LineReason> = Vec::new();
    for (line_id, line) in &world.lines {
        let opening = hours::opening(line.rules.hours.as_ref(), now);
        let channels = facts.channels.get(line_id).map_or(&[][..], Vec::as_slice);
        let typical = typical(line_id, channels, counting, now);
        // As if it were on and open: whether it is stands beside the operator's own reason.
        let mut open = World {
            lines: BTreeMap::from([(line_id.clone(), line.clone())]),
            operators: world.operators.clone(),
            waiting: Vec::new(),
        };
        if let Some(line) = open.lines.get_mut(line_id) {
            line.enabled = true;
            line.rules.hours = None;
        }
        let (_, candidates) = decide_with_candidates(&open, &typical, now);
        let own = candidates.iter().position(|one| one.operator_id == operator_id);
        let before = candidates.iter().take(own.unwrap_or_default());
        let own = own.and_then(|position| candidates.get(position));
        reasons.push(LineReason {
            line_id: line_id.clone(),
            line_name: facts.names.get(line_id).cloned().unwrap_or_default(),
            enabled: line.enabled,
            open: opening.open,
            opens_at: opening.opens_at,
            rejected_by: own.and_then(|candidate| candidate.rejected_by),
            rank: own.map(|candidate| candidate.rank),
            members: line.queue.len(),
            free_before: before.filter(|one| one.rejected_by.is_none()).count(),
            waiting: facts.waiting.get(line_id).copied().unwrap_or_default(),
        });
    }
    reasons
}

/// The lightest session that the line's channels bring, from a contact of whom nothing is known: who has
/// no room for it has room for nothing.
fn typical(line_id: &str, channels: &[Attached], counting: &Counting, now: DateTime<Utc>) -> Waiting {
    let brought = channels.iter().filter(|channel| channel.enabled);
    let weight = brought
        .map(|channel| counting.weight_of(&channel.kind))
        .reduce(f64::min);
    Waiting {
        session_id: String::new(),
        version: 0,
        conversation_id: String::new(),
        line_id: line_id.to_owned(),
        weight: weight.unwrap_or(1.0),
        priority: 0,
        due_at: None,
        waiting_since: now,
        language: None,
        responsible: None,
        declined: BTreeSet::new(),
        lapsed: BTreeSet::new(),
        round: Round::default(),
    }
}

/// The sessions at the head as the router would place them now, with this operator's own reason. Pure.
fn heads(
    world: &World,
    operator_id: &str,
    mut shown: BTreeMap<String, Shown>,
    now: DateTime<Utc>,
) -> Vec<WaitingReason> {
    let mut reasons = Vec::new();
    let plan = plan(world, now);
    for placement in &plan.placements {
        let Some(session) = world.waiting.get(placement.index) else {
            continue;
        };
        let Some(shown) = shown.remove(&session.conversation_id) else {
            continue;
        };
        let decision = &placement.decision;
        let candidates = plan.candidates(placement);
        let own = candidates.iter().find(|one| one.operator_id == operator_id);
        reasons.push(WaitingReason {
            conversation_id: session.conversation_id.clone(),
            number: shown.number,
            contact_name: shown.contact_name,
            line_id: session.line_id.clone(),
            channel_kind: shown.channel_kind,
            priority: session.priority,
            waiting_since: session.waiting_since,
            outcome: decision.outcome,
            algorithm: decision.algorithm.to_owned(),
            rank: own.map(|candidate| candidate.rank),
            rejected_by: own.and_then(|candidate| candidate.rejected_by),
            operator_id: decision.operator_id.clone(),
        });
    }
    reasons
}

/// How people know a conversation.
#[derive(Debug)]
struct Shown {
    number: i64,
    contact_name: Option<String>,
    channel_kind: String,
}

async fn shown(db: &impl ConnectionTrait, waiting: &[Waiting]) -> Result<BTreeMap<String, Shown>, DbErr> {
    if waiting.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ids = waiting.iter().map(|session| session.conversation_id.as_str());
    let rows = conversation::Entity::find()
        .filter(conversation::Column::Id.is_in(ids))
        .all(db)
        .await?;
    let contacts = rows.iter().map(|row| row.contact_id.as_str());
    let names: BTreeMap<String, Option<String>> = contact::Entity::find()
        .select_only()
        .columns([contact::Column::Id, contact::Column::Name])
        .filter(contact::Column::Id.is_in(contacts))
        .into_tuple::<(String, Option<String>)>()
        .all(db)
        .await?
        .into_iter()
        .collect();
    let shown = |row: conversation::Model| {
        let shown = Shown {
            number: row.number,
            contact_name: shown_name(
                names.get(&row.contact_id).cloned().flatten(),
                &row.channel_kind,
                &row.address,
            ),
            channel_kind: row.channel_kind,
        };
        (row.id, shown)
    };
    Ok(rows.into_iter().map(shown).collect())
}

async fn names(db: &impl ConnectionTrait, line_ids: &[String]) -> Result<BTreeMap<String, String>, DbErr> {
    let rows: Vec<(String, String)> = line::Entity::find()
        .select_only()
        .columns([line::Column::Id, line::Column::Name])
        .filter(line::Column::Id.is_in(line_ids))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}

#[derive(FromQueryResult)]
struct Count {
    line_id: String,
    sessions: i64,
}

/// How many sessions wait on each line and are not snoozed.
async fn counts(
    db: &impl ConnectionTrait,
    line_ids: &[String],
    now: DateTime<Utc>,
) -> Result<BTreeMap<String, i64>, DbErr> {
    if line_ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let (lines, mut values) = bulk::in_list(1, line_ids.iter().map(|id| id.clone().into()).collect());
    values.push(now.into());
    let sql = format!(
        "SELECT s.line_id, COUNT(*) AS sessions FROM session s JOIN conversation c ON c.id = s.conversation_id \
         WHERE s.state = 'waiting' AND s.line_id IN {lines} AND (c.snoozed_until IS NULL OR c.snoozed_until <= ${}) \
         GROUP BY s.line_id",
        values.len()
    );
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let rows = Count::find_by_statement(statement).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.line_id, row.sessions)).collect())
}

#[cfg(test)]
#[path = "explain_operator_tests.rs"]
mod tests;
