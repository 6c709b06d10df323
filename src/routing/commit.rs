//! Writing what was decided: one short transaction for a small group, everything looked at again under
//! locks. What does not hold any more is skipped; the worker plans anew.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    decide::{Candidate, Decision, Outcome, next_turn, unavailable},
    explain::{self, ROUND, Record},
    snapshot,
    world::{LineState, OperatorState, Waiting, World},
};
use crate::{
    conversation::{
        offer,
        session::Held,
        state::{self, Stage},
    },
    db::{
        Db, WriteTx, bulk,
        entity::{conversation, line, line_turn, operator, session},
        fixed::is,
    },
    operator::{Counting, load::fits},
    telemetry::metrics::{Counter, Timer},
};

/// Sessions of one transaction: enough to share a flush, few enough to hold no lock for long.
pub const GROUP: usize = 32;

/// A decision to be written.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// About this session.
    pub session: Waiting,
    /// What was decided.
    pub decision: Decision,
    /// Everybody looked at, by rank.
    pub candidates: Vec<Candidate>,
    /// What made the router look.
    pub trigger: &'static str,
    /// The version of the line's rules.
    pub line_version: i64,
}

impl Proposal {
    /// Whether operators get it or are asked: then they are looked at again under their locks.
    fn gives(&self) -> bool {
        matches!(self.decision.outcome, Outcome::Assigned | Outcome::Offered)
    }

    /// Everybody it would be given to, or who would be asked.
    fn takers(&self) -> impl Iterator<Item = &String> {
        self.decision.operator_id.iter().chain(&self.decision.offered_to)
    }

    fn record(self) -> Record {
        Record {
            conversation_id: self.session.conversation_id,
            session_id: self.session.session_id,
            line_id: self.session.line_id,
            line_version: self.line_version,
            trigger: if self.decision.new_round {
                ROUND
            } else {
                self.trigger
            },
            algorithm: self.decision.algorithm,
            outcome: self.decision.outcome,
            operator_id: self.decision.taker().map(str::to_owned),
            candidates: self.candidates,
            reason: None,
        }
    }
}

/// What became of the proposals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Committed {
    /// Sessions that have an owner now.
    pub assigned: usize,
    /// Sessions that operators are asked to take.
    pub offered: usize,
    /// Assignments and offers that did not hold any more.
    pub skipped: usize,
}

/// Writes a group of decisions: assignments and offers that still hold, and reasons of those who go on
/// waiting. Overflow is not among them: it moves the session to another line, which [`super::timers`] does.
pub async fn write(
    db: &Db,
    world: &World,
    group: Vec<Proposal>,
    counting: &Counting,
    now: DateTime<Utc>,
) -> Result<Committed, DbErr> {
    let mut write = db.write().await?;
    let (assignments, waits): (Vec<Proposal>, Vec<Proposal>) = group.into_iter().partition(Proposal::gives);
    let mut committed = Committed::default();
    let mut records: Vec<Record> = Vec::new();
    if !assignments.is_empty() {
        let mut locked = Locked::take(&write, &assignments, counting, now).await?;
        for mut proposal in assignments {
            let holds = match world.lines.get(&proposal.session.line_id) {
                Some(line) => locked.give(&mut write, &mut proposal, line, now).await?,
                None => false,
            };
            if holds && proposal.decision.outcome == Outcome::Offered {
                committed.offered += 1;
                records.push(proposal.record());
            } else if holds {
                committed.assigned += 1;
                let waited = (now - proposal.session.waiting_since)
                    .to_std()
                    .unwrap_or_default();
                Timer::QueueWait.record(waited, &[]);
                records.push(proposal.record());
            } else {
                committed.skipped += 1;
            }
        }
        take_turns(&write, locked.turns).await?;
    }
    // A session that was taken or closed meanwhile needs no reason for waiting.
    let ids: Vec<String> = waits
        .iter()
        .map(|proposal| proposal.session.session_id.clone())
        .collect();
    if !ids.is_empty() {
        let still: BTreeSet<String> = session::Entity::find()
            .select_only()
            .column(session::Column::Id)
            .filter(session::Column::Id.is_in(ids))
            .filter(is(session::Column::State, "waiting"))
            .into_tuple()
            .all(write.tx())
            .await?
            .into_iter()
            .collect();
        records.extend(
            waits
                .into_iter()
                .filter(|wait| still.contains(&wait.session.session_id))
                .map(Proposal::record),
        );
    }
    if records.is_empty() {
        return Ok(committed);
    }
    let mut outcomes: BTreeMap<&'static str, u64> = BTreeMap::new();
    for record in &records {
        *outcomes.entry(record.outcome.as_str()).or_default() += 1;
    }
    explain::store(&write, records, now).await?;
    write.commit().await?;
    for (outcome, count) in outcomes {
        Counter::RoutingDecisions.add(count, &[("outcome", outcome.to_owned())]);
    }
    Ok(committed)
}

/// The rows of a group of assignments, locked in the order everybody locks in.
struct Locked {
    conversations: BTreeMap<String, conversation::Model>,
    sessions: BTreeMap<String, session::Model>,
    operators: BTreeMap<String, OperatorState>,
    versions: BTreeMap<String, i64>,
    last_turns: BTreeMap<String, DateTime<Utc>>,
    turns: BTreeMap<(String, String), DateTime<Utc>>,
}

impl Locked {
    async fn take(
        write: &WriteTx,
        assignments: &[Proposal],
        counting: &Counting,
        now: DateTime<Utc>,
    ) -> Result<Self, DbErr> {
        let ids =
            |pick: fn(&Proposal) -> &String| -> BTreeSet<&String> { assignments.iter().map(pick).collect() };
        let conversations = conversation::Entity::find()
            .filter(conversation::Column::Id.is_in(bulk::padded(ids(|one| &one.session.conversation_id))))
            .order_by_asc(conversation::Column::Id)
            .lock_exclusive()
            .all(write.tx())
            .await?;
        let sessions = session::Entity::find()
            .filter(session::Column::Id.is_in(bulk::padded(ids(|one| &one.session.session_id))))
            .order_by_asc(session::Column::Id)
            .lock_exclusive()
            .all(write.tx())
            .await?;
        let takers: BTreeSet<&String> = assignments.iter().flat_map(Proposal::takers).collect();
        let people = operator::Entity::find()
            .filter(operator::Column::Id.is_in(takers))
            .order_by_asc(operator::Column::Id)
            .lock_exclusive()
            .all(write.tx())
            .await?;
        let lines = ids(|one| &one.session.line_id);
        let versions: Vec<(String, i64)> = line::Entity::find()
            .select_only()
            .columns([line::Column::Id, line::Column::Version])
            .filter(line::Column::Id.is_in(lines.clone()))
            .into_tuple()
            .all(write.tx())
            .await?;
        let mut last_turns: BTreeMap<String, DateTime<Utc>> = BTreeMap::new();
        for turn in line_turn::Entity::find()
            .filter(line_turn::Column::LineId.is_in(lines))
            .all(write.tx())
            .await?
        {
            let last = last_turns.entry(turn.line_id).or_insert(turn.last_assigned_at);
            *last = turn.last_assigned_at.max(*last);
        }
        Ok(Self {
            conversations: conversations
                .into_iter()
                .map(|row| (row.id.clone(), row))
                .collect(),
            sessions: sessions.into_iter().map(|row| (row.id.clone(), row)).collect(),
            operators: snapshot::states(write.tx(), people, counting, now).await?,
            versions: versions.into_iter().collect(),
            last_turns,
            turns: BTreeMap::new(),
        })
    }

    /// Writes one assignment or offer if it still holds: unowned, this version, the same rules, the
    /// operator there and with room. Of several who were to be asked, those for whom it holds are.
    async fn give(
        &mut self,
        write: &mut WriteTx,
        proposal: &mut Proposal,
        line: &LineState,
        now: DateTime<Utc>,
    ) -> Result<bool, DbErr> {
        let wanted = &proposal.session;
        let (Some(conversation), Some(session)) = (
            self.conversations.get(&wanted.conversation_id),
            self.sessions.get(&wanted.session_id),
        ) else {
            return Ok(false);
        };
        let same = conversation.session_id == session.id
            && session.version == wanted.version
            && session.line_id == wanted.line_id
            && self.versions.get(&wanted.line_id) == Some(&proposal.line_version);
        let absent_too = line.rules.assign_when_offline && proposal.decision.outcome == Outcome::Assigned;
        let can_take = |id: &String| {
            self.operators.get(id).is_some_and(|operator| {
                let room = fits(operator.load.total, wanted.weight, operator.capacity)
                    && line
                        .rules
                        .limit_per_operator
                        .is_none_or(|limit| operator.load.of_line(&wanted.line_id) < limit);
                room && unavailable(operator, true, absent_too).is_none()
            })
        };
        proposal.decision.offered_to.retain(can_take);
        let owner = proposal.decision.operator_id.clone();
        if !same || !proposal.takers().all(can_take) || proposal.takers().next().is_none() {
            return Ok(false);
        }
        let before = Stage::of(session);
        let stage = match &owner {
            Some(to) => state::assign(&before, to, now),
            None => state::offer(&before),
        };
        // Asked already, on another node.
        let Some(stage) = stage.ok().filter(|stage| *stage != before) else {
            return Ok(false);
        };
        let mut held = Held {
            conversation: conversation.clone(),
            session: session.clone(),
        };
        held.write(write, &stage, &wanted.line_id, now).await?;
        let taker = proposal.decision.taker().map(str::to_owned);
        if owner.is_none() {
            let until = now + TimeDelta::seconds(i64::from(line.rules.offer_timeout_secs));
            let to = &proposal.decision.offered_to;
            offer::open(write, &held, to, taker.is_none(), until, now).await?;
        }
        let Some(taker) = taker else { return Ok(true) };
        if let Some(operator) = self.operators.get_mut(&taker) {
            operator.load.add(&wanted.line_id, wanted.weight);
        }
        let turn = next_turn(self.last_turns.get(&wanted.line_id).copied(), now);
        self.last_turns.insert(wanted.line_id.clone(), turn);
        self.turns.insert((wanted.line_id.clone(), taker), turn);
        Ok(true)
    }
}

/// Remembers whose turn it was.
pub async fn take_turns(
    write: &WriteTx,
    turns: BTreeMap<(String, String), DateTime<Utc>>,
) -> Result<(), DbErr> {
    const COLUMNS: [&str; 3] = ["line_id", "operator_id", "last_assigned_at"];
    const AGAIN: &str =
        "ON CONFLICT (line_id, operator_id) DO UPDATE SET last_assigned_at = excluded.last_assigned_at";
    let rows = turns
        .into_iter()
        .map(|((line, operator), at)| vec![line.into(), operator.into(), at.into()])
        .collect();
    bulk::insert(write.tx(), "line_turn", &COLUMNS, rows, AGAIN).await
}
