//! What time alone does to a session: nobody took it, so it moves to the overflow line; nobody answered
//! it, so it goes back to the queue; the client is silent, so it ends. The rule is pure ([`due`]); the
//! first two are done here, the third in `automation`, for it also speaks to the client; so is the no-answer action
//! ([`unanswered`]).
//!
//! Times count while the line is open.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, Query, SelectStatement},
};

use super::{
    decide::{Outcome, Rejection},
    explain::{NO_REPLY, TIMER},
    hand,
};
use crate::{
    conversation::{
        session::{Error, Held, hold},
        state::{self, Stage},
    },
    db::{
        Db, WriteTx,
        entity::{line, routing_decision, session},
        fixed::is,
    },
    line::{Rules, hours, rules::NoAnswerAction},
};

/// Sessions of one line read at once.
const PAGE: u64 = 200;

/// Why a session was closed whose line closes what nobody answers, in the API and in the database.
pub const UNANSWERED: &str = "no_answer";

/// What is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// It goes to the queue of this line.
    Overflow {
        /// `lin_…`
        to: String,
    },
    /// It goes back to the queue, away from its owner.
    Return,
    /// It ends.
    Close,
}

/// What is due for a session on a line with these rules, if anything.
pub fn due(rules: &Rules, session: &session::Model, now: DateTime<Utc>) -> Option<Due> {
    let passed = |since: DateTime<Utc>, secs: Option<u32>| {
        let secs = secs?;
        let at = hours::after(rules.hours.as_ref(), since, TimeDelta::seconds(i64::from(secs)))?;
        (at <= now).then_some(())
    };
    match Stage::of(session) {
        Stage::Closed { .. } => return None,
        Stage::Waiting { since } | Stage::Offered { since } => {
            let to = rules.overflow.line_id.as_ref();
            let to = to.filter(|to| **to != session.line_id);
            let since = session.queued_at.unwrap_or(since);
            if let (Some(to), Some(())) = (to, passed(since, rules.overflow.after_secs)) {
                return Some(Due::Overflow { to: to.clone() });
            }
        }
        Stage::Assigned { since, .. } => {
            // A new owner has the whole time, however long the client waited before.
            let owed = session.owed_since.map(|owed| Ord::max(owed, since));
            if owed
                .and_then(|owed| passed(owed, rules.return_after_secs))
                .is_some()
            {
                return Some(Due::Return);
            }
        }
    }
    // The last word is ours, and the client says nothing.
    let silent = session.answered_at.filter(|_| session.owed_since.is_none());
    silent
        .and_then(|answered| passed(answered, rules.auto_close.after_secs))
        .map(|()| Due::Close)
}

/// Whether the no-answer action of these rules is due for a session, on the line's open time. Pure.
///
/// It counts from when the client began to wait for somebody: from their message, or from when the
/// session came back to the queue if that was later. Who is owned by an operator has somebody to answer;
/// `return_after_secs` brings them back here. Without a time, it is due on a line with offers when all were
/// asked and nobody took it: `round_over`.
pub fn unanswered(rules: &Rules, session: &session::Model, round_over: bool, now: DateTime<Utc>) -> bool {
    let Some(owed) = session.owed_since else {
        return false;
    };
    let since = Ord::max(owed, session.waiting_since);
    let passed = match rules.no_answer.after_secs {
        Some(secs) => hours::after(rules.hours.as_ref(), since, TimeDelta::seconds(i64::from(secs)))
            .is_some_and(|at| at <= now),
        None => round_over,
    };
    passed
        && rules.no_answer.action != NoAnswerAction::None
        && session.operator_id.is_none()
        && session.closed_at.is_none()
}

/// A line whose rules have a timer.
#[derive(Debug, Clone)]
pub struct Timed {
    /// `lin_…`
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its rules.
    pub rules: Rules,
}

/// One line, enabled or not.
pub async fn line(db: &Db, id: &str) -> Result<Option<Timed>, DbErr> {
    line_of(db.read(), id).await
}

/// The same within a write.
pub async fn line_of(db: &impl ConnectionTrait, id: &str) -> Result<Option<Timed>, DbErr> {
    let Some(row) = line::Entity::find_by_id(id).one(db).await? else {
        return Ok(None);
    };
    let rules = Rules::from_stored(&row.rules)?;
    Ok(Some(Timed {
        id: row.id,
        name: row.name,
        rules,
    }))
}

/// The enabled lines.
pub async fn lines(db: &Db) -> Result<Vec<Timed>, DbErr> {
    let lines = line::Entity::find()
        .filter(line::Column::Enabled.eq(true))
        .order_by_asc(line::Column::Id)
        .all(db.read())
        .await?;
    let mut timed = Vec::with_capacity(lines.len());
    for line in lines {
        match Rules::from_stored(&line.rules) {
            Ok(rules) => timed.push(Timed {
                id: line.id,
                name: line.name,
                rules,
            }),
            // One line that cannot be read does not stop the clocks of the others.
            Err(error) => tracing::warn!(line.id = line.id, %error, "the rules of a line cannot be read"),
        }
    }
    Ok(timed)
}

impl Timed {
    /// Sessions of this line in `state` for which `secs` have passed since the time in `column`, the
    /// oldest first; on the clock, so that fewer may be due.
    pub fn passed(
        &self,
        column: session::Column,
        secs: u32,
        now: DateTime<Utc>,
    ) -> sea_orm::Select<session::Entity> {
        session::Entity::find()
            .filter(session::Column::LineId.eq(&self.id))
            .filter(column.lte(now - TimeDelta::seconds(i64::from(secs))))
            .order_by_asc(column)
            .order_by_asc(session::Column::Id)
            .limit(PAGE)
    }
}

/// Moves and returns what is due on these lines (all enabled ones: they may be targets). Answers how many sessions.
pub async fn run(db: &Db, lines: &[Timed], now: DateTime<Utc>) -> Result<usize, DbErr> {
    let mut done = 0;
    for line in lines {
        let overflow = &line.rules.overflow;
        let target = lines
            .iter()
            .find(|other| Some(&other.id) == overflow.line_id.as_ref());
        if let (Some(target), Some(secs)) = (target, overflow.after_secs) {
            // Nobody stands longer in the present queue than the session waits.
            let query = line
                .passed(session::Column::WaitingSince, secs, now)
                .filter(session::Column::State.is_in(["waiting", "offered"]))
                .filter(Expr::exists(came_from(&target.id)).not());
            done += act(db, line, query, now).await?;
        }
        if let Some(secs) = line.rules.return_after_secs {
            let query = line
                .passed(session::Column::OwedSince, secs, now)
                .filter(is(session::Column::State, "assigned"));
            done += act(db, line, query, now).await?;
        }
    }
    Ok(done)
}

/// Two lines do not play ball: what came from there stays here.
fn came_from(line_id: &str) -> SelectStatement {
    Query::select()
        .expr(Expr::val(1))
        .from(routing_decision::Entity)
        .and_where(
            Expr::col((routing_decision::Entity, routing_decision::Column::SessionId))
                .equals((session::Entity, session::Column::Id)),
        )
        .and_where(routing_decision::Column::Outcome.eq(Outcome::Overflow.as_str()))
        .and_where(routing_decision::Column::LineId.eq(line_id))
        .to_owned()
}

async fn act(
    db: &Db,
    line: &Timed,
    query: sea_orm::Select<session::Entity>,
    now: DateTime<Utc>,
) -> Result<usize, DbErr> {
    let mut pages = Pages::of(query);
    while let Some(sessions) = pages.next(db).await? {
        for seen in sessions {
            let result = match due(&line.rules, &seen, now) {
                Some(Due::Overflow { to }) => {
                    let why = "Nobody was free";
                    overflow(db, &seen.conversation_id, &to, why, now, |held| held == &seen).await
                }
                Some(Due::Return) => send_back(db, &seen, now).await,
                Some(Due::Close) | None => Ok(false),
            };
            pages.count(result)?;
        }
    }
    Ok(pages.acted)
}

/// Sessions page by page while they are acted on: what was acted on is not found any more.
#[derive(Debug)]
pub struct Pages {
    query: sea_orm::Select<session::Entity>,
    left: u64,
    ended: bool,
    /// How many were acted on.
    pub acted: usize,
}

impl Pages {
    /// Of a query made by [`Timed::passed`].
    pub fn of(query: sea_orm::Select<session::Entity>) -> Self {
        Self {
            query,
            left: 0,
            ended: false,
            acted: 0,
        }
    }

    /// The next page; each session of the one before must have been counted.
    pub async fn next(&mut self, db: &Db) -> Result<Option<Vec<session::Model>>, DbErr> {
        if self.ended {
            return Ok(None);
        }
        let sessions = self.query.clone().offset(self.left).all(db.read()).await?;
        self.ended = (sessions.len() as u64) < PAGE;
        Ok(Some(sessions))
    }

    /// Whether a session was acted on. One that was closed, taken or answered in this very moment was
    /// not, and nothing is left to do about it.
    pub fn count(&mut self, result: Result<bool, Error>) -> Result<(), DbErr> {
        match result {
            Ok(true) => self.acted += 1,
            Err(Error::Db(error)) => return Err(error),
            Ok(false) | Err(Error::NotFound | Error::Refused(_) | Error::AtCapacity | Error::Invalid(_)) => {
                self.left += 1;
            }
        }
        Ok(())
    }
}

/// Moves a session that waits on a closed line to its overflow line. Answers whether it went: one that
/// came from there stays.
pub async fn move_from_closed(
    db: &Db,
    seen: &session::Model,
    to: &str,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let stays = session::Entity::find_by_id(&seen.id)
        .filter(Expr::exists(came_from(to)))
        .one(db.read())
        .await?;
    if stays.is_some() {
        return Ok(false);
    }
    let why = "The line is closed";
    overflow(db, &seen.conversation_id, to, why, now, |held| held == seen).await
}

/// Stores that the line's no-answer action is done for a held session.
pub async fn record_no_answer(write: &WriteTx, held: &Held, now: DateTime<Utc>) -> Result<(), Error> {
    hand::record(write, held, TIMER, Outcome::NoAnswer, None, None, now).await
}

/// Moves a session that is still as it was seen to the queue of another line, if that is enabled.
pub(super) async fn overflow(
    db: &Db,
    conversation_id: &str,
    to: &str,
    why: &str,
    now: DateTime<Utc>,
    as_seen: impl Fn(&session::Model) -> bool,
) -> Result<bool, Error> {
    let mut write = db.write().await?;
    let mut held = hold(&write, conversation_id).await?;
    if !as_seen(&held.session) {
        return Ok(false);
    }
    let Some(target) = line::Entity::find_by_id(to)
        .filter(line::Column::Enabled.eq(true))
        .one(write.tx())
        .await?
    else {
        return Ok(false);
    };
    let stage = state::move_to_line(&held.stage(), held.answered(), held.session.waiting_since, now)?;
    // The decision is the old line's.
    hand::record(&write, &held, TIMER, Outcome::Overflow, None, None, now).await?;
    held.write(&mut write, &stage, &target.id, now).await?;
    let text = format!("{why}: the conversation moved to {}", target.name);
    held.say(&mut write, text, true, now).await?;
    write.commit().await?;
    Ok(true)
}

async fn send_back(db: &Db, seen: &session::Model, now: DateTime<Utc>) -> Result<bool, Error> {
    let mut write = db.write().await?;
    let mut held = hold(&write, &seen.conversation_id).await?;
    if held.session != *seen {
        return Ok(false);
    }
    hand::to_queue(&mut write, &mut held, NO_REPLY, Rejection::Lapsed, 0.0, now).await?;
    let text = "No reply in time: the conversation went back to the queue".to_owned();
    held.say(&mut write, text, true, now).await?;
    write.commit().await?;
    Ok(true)
}

#[cfg(test)]
#[path = "timers_tests.rs"]
mod tests;
