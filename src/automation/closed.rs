//! A client waits on a line that is closed: they are told, or go to the overflow line. The session goes on
//! waiting; the router stores the decision (`off_hours`) and hands it out when the line opens.
//!
//! Told are those whom nobody owns: who writes while the line is closed, who still waits when it closes,
//! whom an operator gave back. With an owner there is somebody to answer.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, DbErr, EntityTrait, QueryFilter,
    sea_query::{Expr, ExprTrait},
};

use super::{
    store::{self, Notice},
    voice::{Form, Voice},
};
use crate::{
    conversation::session::{Error, hold},
    db::{Db, entity::session},
    line::{hours, language::Said, rules::OffHoursAction},
    routing::timers::{Pages, Timed, move_from_closed},
};

/// Lines that a session may be passed through before it stays.
const HOPS: usize = 5;

/// One time of being closed, by its end. Hours that change make a new one: then clients know something
/// that is not so any more.
fn round(opens_at: Option<DateTime<Utc>>) -> String {
    opens_at.map_or_else(|| "never".to_owned(), |at| at.to_rfc3339())
}

/// Whether anything is to be done on this line now, and in which round.
fn closed(line: &Timed, now: DateTime<Utc>) -> Option<String> {
    let opening = hours::opening(line.rules.hours.as_ref(), now);
    let acts = line.rules.off_hours.action != OffHoursAction::None;
    (acts && !opening.open).then(|| round(opening.opens_at))
}

/// Tells the client of this session, if it is theirs to be told. Answers whether anything was done.
pub async fn tell(
    db: &Db,
    voice: &Voice,
    lines: &[Timed],
    session_id: &str,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let mut done = false;
    for _ in 0..HOPS {
        let Some(seen) = session::Entity::find_by_id(session_id).one(db.read()).await? else {
            return Ok(done);
        };
        let line = lines.iter().find(|line| line.id == seen.line_id);
        let Some((line, round)) = line.and_then(|line| Some((line, closed(line, now)?))) else {
            return Ok(done);
        };
        if !waits(&seen) {
            return Ok(done);
        }
        let to = line.rules.overflow.line_id.as_ref();
        if line.rules.off_hours.action == OffHoursAction::Overflow
            && let Some(to) = to.filter(|to| **to != line.id && lines.iter().any(|line| line.id == **to))
            && move_from_closed(db, &seen, to, now).await?
        {
            // That line may be closed as well, and has words of its own for it.
            done = true;
            continue;
        }
        return Ok(say(db, voice, line, &seen, &round, now).await? || done);
    }
    Ok(done)
}

/// Nobody owns it, and the client waits for an answer.
fn waits(session: &session::Model) -> bool {
    session.operator_id.is_none() && session.closed_at.is_none() && session.owed_since.is_some()
}

async fn say(
    db: &Db,
    voice: &Voice,
    line: &Timed,
    seen: &session::Model,
    round: &str,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let form = if line.rules.off_hours.action == OffHoursAction::Form {
        Form::WithForm
    } else {
        Form::Plain
    };
    let mut write = db.write().await?;
    let mut held = hold(&write, &seen.conversation_id).await?;
    let same = held.session.id == seen.id && held.session.line_id == line.id && waits(&held.session);
    if !same || !store::once(&write, &seen.id, Notice::OffHours, round, now).await? {
        return Ok(false);
    }
    voice
        .say(&mut write, &mut held, line, Said::OffHours, form, now)
        .await?;
    write.commit().await?;
    Ok(true)
}

/// Tells whoever waits on a closed line and was not told yet: who waited when it closed, and who came back
/// to the queue since. Answers how many sessions.
pub async fn sweep(db: &Db, voice: &Voice, lines: &[Timed], now: DateTime<Utc>) -> Result<usize, DbErr> {
    let mut done = 0;
    for line in lines {
        let Some(round) = closed(line, now) else { continue };
        let query = line
            .passed(session::Column::WaitingSince, 0, now)
            .filter(session::Column::OperatorId.is_null())
            .filter(session::Column::ClosedAt.is_null())
            .filter(session::Column::OwedSince.is_not_null())
            .filter(Expr::exists(store::told(Notice::OffHours, Some(&round))).not());
        let mut pages = Pages::of(query);
        while let Some(sessions) = pages.next(db).await? {
            for seen in sessions {
                pages.count(tell(db, voice, lines, &seen.id, now).await)?;
            }
        }
        done += pages.acted;
    }
    Ok(done)
}
