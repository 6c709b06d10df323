//! What waits to be told a CRM: one row for each subject, claimed by lease, put back when who sent it is no more.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, FromQueryResult, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Set, Statement, Value,
    sea_query::{Expr, ExprTrait},
};

use super::schedule;
use crate::{
    db::{Db, WriteTx, bulk, entity::crm_job},
    id::{self, Kind},
};

/// How long a step that is being done is nobody else's: longer than any step may take.
pub const LEASE: Duration = Duration::from_mins(5);

/// Happens now.
pub const LIVE: i64 = 0;
/// Was there before the connection.
pub const EARLIER: i64 = 1;

/// Something about to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// To which CRM.
    pub connection_id: String,
    /// Of which lead.
    pub lead_id: String,
    /// `lead`, `conversation`, `call` or `remark`.
    pub kind: &'static str,
    /// The id of the lead, session, call or message.
    pub subject: String,
    /// [`LIVE`] or [`EARLIER`].
    pub rank: i64,
    /// Not sooner.
    pub due_at: DateTime<Utc>,
}

/// Adds wishes. A lead that is known is told again; a note is told once, whatever happens.
pub async fn add(write: &WriteTx, wishes: Vec<Wish>, now: DateTime<Utc>) -> Result<(), DbErr> {
    const COLUMNS: [&str; 12] = [
        "id",
        "connection_id",
        "lead_id",
        "kind",
        "subject",
        "state",
        "rank",
        "wanted",
        "attempts",
        "uncertain",
        "due_at",
        "created_at",
    ];
    // One that is on its way or waits goes with what the lead is then; one that is over begins anew.
    const AGAIN: &str = "ON CONFLICT (connection_id, subject) DO UPDATE SET wanted = crm_job.wanted + 1, \
         attempts = CASE WHEN crm_job.due_at IS NULL THEN 0 ELSE crm_job.attempts END, \
         rank = CASE WHEN crm_job.due_at IS NULL OR crm_job.rank > excluded.rank THEN excluded.rank ELSE crm_job.rank END, \
         state = CASE WHEN crm_job.due_at IS NULL THEN 'queued' ELSE crm_job.state END, \
         finished_at = NULL, \
         due_at = CASE WHEN crm_job.due_at IS NULL THEN excluded.due_at ELSE crm_job.due_at END";
    let (leads, notes): (Vec<Wish>, Vec<Wish>) = wishes.into_iter().partition(|wish| wish.kind == "lead");
    for (wishes, tail) in [
        (leads, AGAIN),
        (notes, "ON CONFLICT (connection_id, subject) DO NOTHING"),
    ] {
        // One statement must not meet a row twice.
        let mut seen = std::collections::HashSet::new();
        let rows: Vec<Vec<Value>> = wishes
            .into_iter()
            .filter(|wish| seen.insert((wish.connection_id.clone(), wish.subject.clone())))
            .map(|wish| {
                vec![
                    id::new(Kind::CrmJob, now).into(),
                    wish.connection_id.into(),
                    wish.lead_id.into(),
                    wish.kind.into(),
                    wish.subject.into(),
                    "queued".into(),
                    wish.rank.into(),
                    1_i64.into(),
                    0_i64.into(),
                    false.into(),
                    wish.due_at.into(),
                    now.into(),
                ]
            })
            .collect();
        if !rows.is_empty() {
            bulk::insert(write.tx(), "crm_job", &COLUMNS, rows, tail).await?;
        }
    }
    Ok(())
}

#[derive(FromQueryResult)]
struct Due {
    at: Option<DateTime<Utc>>,
}

/// When the next step of a connection is due; of what is claimable by its time alone.
pub async fn next_due(
    db: &impl ConnectionTrait,
    connection_id: &str,
) -> Result<Option<DateTime<Utc>>, DbErr> {
    let sql = format!(
        "SELECT MIN(d.due_at) AS at FROM crm_job d WHERE d.connection_id = $1 AND d.state = 'queued' AND {CAN_GO}"
    );
    let row = Due::find_by_statement(Statement::from_sql_and_values(
        db.get_database_backend(),
        sql,
        [connection_id.into()],
    ))
    .one(db)
    .await?;
    Ok(row.and_then(|row| row.at))
}

/// A note waits until its lead has a record there.
const CAN_GO: &str = "(d.kind = 'lead' OR EXISTS (SELECT 1 FROM crm_link l WHERE l.connection_id = d.connection_id \
     AND l.lead_id = d.lead_id))";

/// Claims the next step of a connection that is due, for `node`. No two steps at once are about one contact, so that
/// no person is made twice. Whoever calls holds the connection's row.
pub async fn claim(
    write: &WriteTx,
    connection_id: &str,
    node: &str,
    now: DateTime<Utc>,
) -> Result<Option<crm_job::Model>, DbErr> {
    let skip = if write.backend() == DbBackend::Postgres {
        " FOR UPDATE OF d SKIP LOCKED"
    } else {
        ""
    };
    let sql = format!(
        "WITH due AS MATERIALIZED (SELECT d.id FROM crm_job d JOIN lead o ON o.id = d.lead_id \
         WHERE d.connection_id = $1 AND d.state = 'queued' AND d.due_at <= $2 AND {CAN_GO} \
         AND NOT EXISTS (SELECT 1 FROM crm_job b JOIN lead bo ON bo.id = b.lead_id \
         WHERE b.connection_id = d.connection_id AND b.state = 'sending' AND bo.contact_id = o.contact_id) \
         ORDER BY d.rank, d.due_at, d.id LIMIT 1{skip}) \
         UPDATE crm_job SET state = 'sending', claimed_by = $3, due_at = $4, attempts = attempts + 1 \
         WHERE id IN (SELECT id FROM due) RETURNING *"
    );
    let values: [Value; 4] = [
        connection_id.into(),
        now.into(),
        node.into(),
        (now + LEASE).into(),
    ];
    crm_job::Model::find_by_statement(Statement::from_sql_and_values(write.backend(), sql, values))
        .one(write.tx())
        .await
}

/// Puts back what somebody was doing who is no more: the lease has ended, or it carries the name of this process from
/// before it started (`own`). It may have been done: it is looked for, when the CRM's search has settled.
pub async fn recover(db: &Db, own: Option<&str>, now: DateTime<Utc>) -> Result<(), DbErr> {
    let mut ended = crm_job::Column::DueAt.lte(now);
    if let Some(node) = own {
        ended = ended.or(crm_job::Column::ClaimedBy.eq(node));
    }
    let lost = crm_job::Entity::find()
        .filter(crate::db::fixed::is(crm_job::Column::State, "sending"))
        .filter(ended.clone())
        .count(db.read())
        .await?;
    if lost == 0 {
        return Ok(());
    }
    let write = db.write().await?;
    crm_job::Entity::update_many()
        .col_expr(crm_job::Column::State, Expr::value("queued"))
        .col_expr(crm_job::Column::DueAt, Expr::value(Some(schedule::settled(now))))
        .col_expr(crm_job::Column::Uncertain, Expr::value(true))
        .col_expr(crm_job::Column::Reason, Expr::value(Some("crashed")))
        .col_expr(crm_job::Column::ClaimedBy, Expr::value(Option::<String>::None))
        .filter(crm_job::Column::State.eq("sending"))
        .filter(ended)
        .exec(write.tx())
        .await?;
    write.commit().await
}

/// How a step ended.
#[derive(Debug, Clone)]
pub enum End {
    /// Done.
    Done,
    /// There is nothing to do any more, for this reason.
    Skipped(String),
    /// Not done.
    Failed {
        /// Tried again then; none: a person must look.
        again: Option<DateTime<Utc>>,
        /// It may have been done.
        uncertain: bool,
        /// `refused`, `limited`, …
        reason: &'static str,
        /// In words.
        error: String,
        /// The CRM's name of the field.
        field: Option<String>,
    },
}

const MAX_ERROR: usize = 1_000;

/// Writes how a claimed step ended. A lead that was asked for again meanwhile is told again.
pub async fn end(write: &WriteTx, job: &crm_job::Model, end: End, now: DateTime<Utc>) -> Result<(), DbErr> {
    let over = !matches!(&end, End::Failed { again: Some(_), .. });
    let mut change = crm_job::ActiveModel {
        claimed_by: Set(None),
        uncertain: Set(false),
        due_at: Set(None),
        finished_at: Set(Some(now)),
        ..Default::default()
    };
    match end {
        End::Done => {
            change.state = Set("done".to_owned());
            change.reason = Set(None);
            change.error = Set(None);
            change.field = Set(None);
        }
        End::Skipped(why) => {
            change.state = Set("skipped".to_owned());
            change.reason = Set(None);
            change.error = Set(Some(cut(&why)));
            change.field = Set(None);
        }
        End::Failed {
            again,
            uncertain,
            reason,
            error,
            field,
        } => {
            let waits = again.is_some();
            change.state = Set(if waits { "queued" } else { "dead" }.to_owned());
            change.uncertain = Set(uncertain);
            change.reason = Set(Some(reason.to_owned()));
            change.error = Set(Some(cut(&error)));
            change.field = Set(field.as_deref().map(cut));
            change.due_at = Set(again);
            change.finished_at = Set((!waits).then_some(now));
        }
    }
    let held = |update: sea_orm::UpdateMany<crm_job::Entity>| {
        update
            .filter(crm_job::Column::Id.eq(&job.id))
            .filter(crm_job::Column::State.eq("sending"))
            .filter(crm_job::Column::ClaimedBy.eq(job.claimed_by.as_deref().unwrap_or_default()))
    };
    if over && job.kind == "lead" {
        let again = held(crm_job::Entity::update_many())
            .col_expr(crm_job::Column::State, Expr::value("queued"))
            .col_expr(crm_job::Column::DueAt, Expr::value(Some(now)))
            .col_expr(crm_job::Column::Attempts, Expr::value(0_i64))
            .col_expr(crm_job::Column::ClaimedBy, Expr::value(Option::<String>::None))
            .col_expr(crm_job::Column::Uncertain, Expr::value(false))
            .filter(crm_job::Column::Wanted.gt(job.wanted))
            .exec(write.tx())
            .await?;
        if again.rows_affected > 0 {
            return Ok(());
        }
    }
    held(crm_job::Entity::update_many().set(change))
        .exec(write.tx())
        .await
        .map(drop)
}

/// Puts a claimed step back as if it had not been begun.
pub async fn put_back(
    write: &WriteTx,
    job: &crm_job::Model,
    error: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    crm_job::Entity::update_many()
        .col_expr(crm_job::Column::State, Expr::value("queued"))
        .col_expr(crm_job::Column::DueAt, Expr::value(Some(now)))
        .col_expr(
            crm_job::Column::Attempts,
            Expr::value(std::cmp::max(job.attempts - 1, 0)),
        )
        .col_expr(crm_job::Column::ClaimedBy, Expr::value(Option::<String>::None))
        .col_expr(crm_job::Column::Error, Expr::value(error.map(cut)))
        .filter(crm_job::Column::Id.eq(&job.id))
        .filter(crm_job::Column::State.eq("sending"))
        .exec(write.tx())
        .await
        .map(drop)
}

/// The CRM answers again: what waited for that goes now.
pub async fn hurry(write: &WriteTx, connection_id: &str, now: DateTime<Utc>) -> Result<(), DbErr> {
    crm_job::Entity::update_many()
        .col_expr(crm_job::Column::DueAt, Expr::value(Some(now)))
        .filter(crm_job::Column::ConnectionId.eq(connection_id))
        .filter(crm_job::Column::State.eq("queued"))
        .filter(crm_job::Column::Reason.eq("temporary"))
        .filter(crm_job::Column::DueAt.gt(now))
        .exec(write.tx())
        .await
        .map(drop)
}

/// There is no record to tell any more: what waits for it is skipped.
pub async fn skip_lead(
    write: &WriteTx,
    connection_id: &str,
    lead_id: &str,
    why: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    crm_job::Entity::update_many()
        .col_expr(crm_job::Column::State, Expr::value("skipped"))
        .col_expr(crm_job::Column::DueAt, Expr::value(Option::<DateTime<Utc>>::None))
        .col_expr(crm_job::Column::FinishedAt, Expr::value(Some(now)))
        .col_expr(crm_job::Column::Error, Expr::value(Some(cut(why))))
        .filter(crm_job::Column::ConnectionId.eq(connection_id))
        .filter(crm_job::Column::LeadId.eq(lead_id))
        .filter(crm_job::Column::State.is_in(["queued", "dead"]))
        .exec(write.tx())
        .await
        .map(drop)
}

/// Which steps a person means.
#[derive(Debug, Clone, Default)]
pub struct Which {
    /// These; none: all that are in `state`.
    pub ids: Option<Vec<String>>,
    /// In this state.
    pub state: Option<String>,
}

/// Steps of one page at most that are named one by one.
pub const MAX_NAMED: usize = 200;

fn meant(which: &Which) -> sea_orm::Condition {
    let mut condition = sea_orm::Condition::all();
    if let Some(ids) = &which.ids {
        let ids = ids.iter().filter(|id| !id.contains('\0')).cloned();
        condition = condition.add(crm_job::Column::Id.is_in(bulk::padded(ids)));
    }
    if let Some(state) = &which.state {
        condition = condition.add(crm_job::Column::State.eq(state));
    }
    condition
}

/// Tries failed steps again now; answers how many.
pub async fn retry(
    write: &WriteTx,
    connection_id: &str,
    which: &Which,
    now: DateTime<Utc>,
) -> Result<u64, DbErr> {
    let done = crm_job::Entity::update_many()
        .col_expr(crm_job::Column::State, Expr::value("queued"))
        .col_expr(crm_job::Column::DueAt, Expr::value(Some(now)))
        .col_expr(crm_job::Column::Attempts, Expr::value(0_i64))
        .col_expr(
            crm_job::Column::FinishedAt,
            Expr::value(Option::<DateTime<Utc>>::None),
        )
        .filter(crm_job::Column::ConnectionId.eq(connection_id))
        .filter(crm_job::Column::State.is_in(["queued", "dead", "skipped"]))
        .filter(meant(which))
        .exec(write.tx())
        .await?;
    Ok(done.rows_affected)
}

/// Gives steps up; answers how many.
pub async fn discard(
    write: &WriteTx,
    connection_id: &str,
    which: &Which,
    now: DateTime<Utc>,
) -> Result<u64, DbErr> {
    let done = crm_job::Entity::update_many()
        .col_expr(crm_job::Column::State, Expr::value("skipped"))
        .col_expr(crm_job::Column::DueAt, Expr::value(Option::<DateTime<Utc>>::None))
        .col_expr(crm_job::Column::FinishedAt, Expr::value(Some(now)))
        .filter(crm_job::Column::ConnectionId.eq(connection_id))
        .filter(crm_job::Column::State.is_in(["queued", "dead"]))
        .filter(meant(which))
        .exec(write.tx())
        .await?;
    Ok(done.rows_affected)
}

/// Steps of a connection, the newest first: up to `limit`, after the one of this id. Without a state those that have
/// not gone well: they wait after a failure, or a person must look.
pub async fn list(
    db: &impl ConnectionTrait,
    connection_id: &str,
    state: Option<&str>,
    after: Option<&str>,
    limit: u64,
) -> Result<Vec<crm_job::Model>, DbErr> {
    let mut query = crm_job::Entity::find()
        .filter(crm_job::Column::ConnectionId.eq(connection_id))
        .order_by_desc(crm_job::Column::Id)
        .limit(limit);
    query = match state {
        Some(state) => query.filter(crm_job::Column::State.eq(state)),
        None => query.filter(
            crm_job::Column::State.eq("dead").or(crm_job::Column::State
                .eq("queued")
                .and(crm_job::Column::Reason.is_not_null())),
        ),
    };
    if let Some(after) = after {
        query = query.filter(crm_job::Column::Id.lt(after));
    }
    query.all(db).await
}

/// How many steps of a connection are in each state.
#[derive(Debug, Clone, Default, FromQueryResult)]
pub struct Count {
    /// Of which connection.
    pub connection_id: String,
    /// The state.
    pub state: String,
    /// How many.
    pub steps: i64,
    /// When the oldest of them was asked for.
    pub oldest: Option<DateTime<Utc>>,
}

/// How many steps wait or need a person, for each connection.
pub async fn counts(db: &impl ConnectionTrait) -> Result<Vec<Count>, DbErr> {
    let sql = "SELECT connection_id, state, COUNT(*) AS steps, MIN(created_at) AS oldest FROM crm_job \
               WHERE state IN ('queued', 'sending', 'dead') GROUP BY connection_id, state";
    Count::find_by_statement(Statement::from_string(db.get_database_backend(), sql))
        .all(db)
        .await
}

/// How many leads that were there before still wait.
pub async fn earlier(db: &impl ConnectionTrait, connection_id: &str) -> Result<u64, DbErr> {
    crm_job::Entity::find()
        .filter(crm_job::Column::ConnectionId.eq(connection_id))
        .filter(crate::db::fixed::is(crm_job::Column::State, "queued"))
        .filter(crm_job::Column::Rank.eq(EARLIER))
        .count(db)
        .await
}

/// Of these leads, which a connection was asked to tell before, as `(connection, lead)`.
pub async fn known(db: &impl ConnectionTrait, lead_ids: &[String]) -> Result<Vec<(String, String)>, DbErr> {
    if lead_ids.is_empty() {
        return Ok(Vec::new());
    }
    crm_job::Entity::find()
        .select_only()
        .columns([crm_job::Column::ConnectionId, crm_job::Column::LeadId])
        .filter(crm_job::Column::LeadId.is_in(bulk::padded(lead_ids.iter().cloned())))
        .filter(crm_job::Column::Kind.eq("lead"))
        .into_tuple()
        .all(db)
        .await
}

fn cut(text: &str) -> String {
    text.replace('\0', "").chars().take(MAX_ERROR).collect()
}
