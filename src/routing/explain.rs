//! Decisions as they were taken: written with the change they explain, read back as "why".

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::ExprTrait,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    decide::{BROADCAST, Candidate, Outcome, Rejection},
    world::Round,
};
use crate::{
    db::{WriteTx, bulk, entity::routing_decision},
    id::{self, Kind},
};

/// Somebody gave a session back by hand; see [`Known::declined`].
pub const GIVEN_BACK: &str = "return";
/// The owner did not answer in time; see [`Known::lapsed`].
pub const NO_REPLY: &str = "no_reply";
/// Somebody who was asked to take a session said no; see [`Known::declined`].
pub const DECLINED: &str = "decline";
/// Those asked to take a session did not answer in time; see [`Known::lapsed`].
pub const OFFER_LAPSED: &str = "offer_lapsed";
/// Somebody accepted.
pub const ACCEPTED: &str = "accept";
/// Everybody is asked anew.
pub const ROUND: &str = "round";
/// A time of the line's rules has passed.
pub const TIMER: &str = "timer";

/// A decision about to be stored.
#[derive(Debug, Clone)]
pub struct Record {
    /// `cnv_…`
    pub conversation_id: String,
    /// `ses_…`
    pub session_id: String,
    /// `lin_…`
    pub line_id: String,
    /// The version of its rules.
    pub line_version: i64,
    /// What made the router look, or what was done by hand.
    pub trigger: &'static str,
    /// A distribution, `sticky`, `hand` or `timer`.
    pub algorithm: &'static str,
    /// What came of it.
    pub outcome: Outcome,
    /// To whom; for `return`, `no_reply` and `owner_left`: from whom.
    pub operator_id: Option<String>,
    /// Who was looked at.
    pub candidates: Vec<Candidate>,
    /// What the operator said when they declined.
    pub reason: Option<String>,
}

/// Stores decisions, in few statements.
pub async fn store(write: &WriteTx, records: Vec<Record>, now: DateTime<Utc>) -> Result<(), DbErr> {
    const COLUMNS: [&str; 12] = [
        "id",
        "conversation_id",
        "session_id",
        "line_id",
        "line_version",
        "trigger",
        "algorithm",
        "outcome",
        "operator_id",
        "candidates",
        "at",
        "reason",
    ];
    let row = |record: Record| {
        vec![
            id::new(Kind::Decision, now).into(),
            record.conversation_id.into(),
            record.session_id.into(),
            record.line_id.into(),
            record.line_version.into(),
            record.trigger.into(),
            record.algorithm.into(),
            record.outcome.as_str().into(),
            record.operator_id.into(),
            json!(record.candidates).into(),
            now.into(),
            record.reason.into(),
        ]
    };
    bulk::insert(
        write.tx(),
        "routing_decision",
        &COLUMNS,
        records.into_iter().map(row).collect(),
        "",
    )
    .await
}

/// A decision as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Explanation {
    /// When.
    pub at: DateTime<Utc>,
    /// What made the router look: `conversation`, `operator`, `line`, `sweep`, `start`, `round` (everybody
    /// is asked anew); or what was done by hand: `take`, `transfer`, `return`, `reopen`, `accept`,
    /// `decline`; or `owner_left`; or what time brought: `no_reply`, `offer_lapsed`, `timer`.
    pub trigger: String,
    /// `strict`, `even`, `least_loaded`, `all`, `sticky`, `broadcast`, `hand` or `timer`.
    pub algorithm: String,
    /// The line.
    pub line_id: String,
    /// The version of its rules.
    pub line_version: i64,
    /// What came of it.
    pub outcome: String,
    /// To whom; for `return`, `no_reply` and `owner_left`: from whom.
    pub operator_id: Option<String>,
    /// Who was looked at, by rank, each with the first check that failed.
    pub candidates: Vec<Candidate>,
    /// What the operator said when they declined.
    pub reason: Option<String>,
}

/// A place in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    at: DateTime<Utc>,
    id: String,
}

/// Up to `limit` decisions about a conversation, the newest first, and where the next page begins.
pub async fn list(
    db: &impl ConnectionTrait,
    conversation_id: &str,
    after: Option<&Place>,
    limit: u64,
) -> Result<(Vec<Explanation>, Option<Place>), DbErr> {
    use routing_decision::Column::{At, ConversationId, Id};
    let mut query = routing_decision::Entity::find()
        .filter(ConversationId.eq(conversation_id))
        .order_by_desc(At)
        .order_by_desc(Id)
        .limit(limit + 1);
    if let Some(place) = after {
        query = query.filter(At.lt(place.at).or(At.eq(place.at).and(Id.lt(&place.id))));
    }
    let mut rows = query.all(db).await?;
    let more = rows.len() as u64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = rows.last().filter(|_| more).map(|row| Place {
        at: row.at,
        id: row.id.clone(),
    });
    let items = rows.into_iter().map(Explanation::from).collect();
    Ok((items, next))
}

impl From<routing_decision::Model> for Explanation {
    fn from(row: routing_decision::Model) -> Self {
        Self {
            at: row.at,
            trigger: row.trigger,
            algorithm: row.algorithm,
            line_id: row.line_id,
            line_version: row.line_version,
            outcome: row.outcome,
            operator_id: row.operator_id,
            candidates: read_candidates(row.candidates),
            reason: row.reason,
        }
    }
}

/// What is stored about a session.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    /// Who gave it back since it was last assigned to somebody else: it is not given to them again
    /// in this round.
    pub declined: BTreeSet<String>,
    /// Who let it lie in this round: it is given to them again only if nobody else is there.
    pub lapsed: BTreeSet<String>,
    /// How far the asking has come.
    pub round: Round,
    /// On which line the last decision was made: a round is one line's.
    line_id: String,
    /// The last decision that left it waiting: what it came to and why each was rejected.
    pub last: Option<Reasons>,
    /// The check the present owner failed when the session was given to them by hand all the same.
    pub in_spite_of: Option<Rejection>,
}

/// What makes one waiting decision differ from another. Loads and ranks move all the time and are not
/// part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reasons {
    line_id: String,
    line_version: i64,
    algorithm: String,
    outcome: String,
    rejected: BTreeMap<String, Option<Rejection>>,
}

impl Reasons {
    /// The reasons of a decision.
    pub fn of(
        line_id: &str,
        line_version: i64,
        algorithm: &str,
        outcome: &str,
        candidates: &[Candidate],
    ) -> Self {
        let rejected = candidates
            .iter()
            .map(|one| (one.operator_id.clone(), one.rejected_by))
            .collect();
        Self {
            line_id: line_id.to_owned(),
            line_version,
            algorithm: algorithm.to_owned(),
            outcome: outcome.to_owned(),
            rejected,
        }
    }
}

/// What is stored about these sessions; who has no decision is missing.
pub async fn known(
    db: &impl ConnectionTrait,
    session_ids: &[String],
) -> Result<BTreeMap<String, Known>, DbErr> {
    let mut known: BTreeMap<String, Known> = BTreeMap::new();
    for ids in session_ids.chunks(500) {
        let rows = routing_decision::Entity::find()
            .filter(routing_decision::Column::SessionId.is_in(bulk::padded(ids)))
            .order_by_asc(routing_decision::Column::At)
            .order_by_asc(routing_decision::Column::Id)
            .all(db)
            .await?;
        for row in rows {
            known.entry(row.session_id.clone()).or_default().add(row);
        }
    }
    Ok(known)
}

impl Known {
    fn add(&mut self, row: routing_decision::Model) {
        let candidates = read_candidates(row.candidates);
        if row.line_id != self.line_id {
            self.round.broadcast = false;
            self.round.over_at = None;
            self.line_id.clone_from(&row.line_id);
        }
        if row.trigger == ROUND {
            self.begin_round();
        }
        if row.outcome == Outcome::Assigned.as_str() {
            // Somebody else had it: the round is over.
            let again = row.operator_id.clone().filter(|who| self.lapsed.contains(who));
            self.begin_round();
            self.lapsed.extend(again);
            self.last = None;
            self.in_spite_of = candidates
                .iter()
                .find(|candidate| Some(&candidate.operator_id) == row.operator_id.as_ref())
                .and_then(|candidate| candidate.rejected_by);
            return;
        }
        let who = candidates.iter().map(|candidate| candidate.operator_id.clone());
        match row.trigger.as_str() {
            GIVEN_BACK => return self.declined.extend(row.operator_id),
            NO_REPLY => return self.lapsed.extend(row.operator_id),
            DECLINED => return self.declined.extend(who),
            OFFER_LAPSED => return self.lapsed.extend(who),
            _ => {}
        }
        match row.outcome.as_str() {
            "offered" => self.round.broadcast |= row.algorithm == BROADCAST,
            "no_answer" => self.round.over_at = Some(row.at),
            "overflow" => {
                self.round.overflowed_from.insert(row.line_id.clone());
            }
            _ => {}
        }
        self.last = Some(Reasons::of(
            &row.line_id,
            row.line_version,
            &row.algorithm,
            &row.outcome,
            &candidates,
        ));
    }
}

impl Known {
    fn begin_round(&mut self) {
        self.declined.clear();
        self.lapsed.clear();
        self.round.broadcast = false;
        self.round.over_at = None;
    }
}

fn read_candidates(stored: Value) -> Vec<Candidate> {
    serde_json::from_value(stored).unwrap_or_default()
}
