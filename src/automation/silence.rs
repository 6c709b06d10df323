//! A client who says nothing after an answer: the session ends, with the line's words.

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, DbErr, QueryFilter};

use super::voice::{Form, Voice};
use crate::{
    conversation::session::{self, Error, hold},
    db::{Db, entity::session as row},
    line::language::Said,
    routing::timers::{Due, Pages, Timed, due},
};

/// Why such a session was closed, in the API and in the database.
pub const REASON: &str = "client_silent";

/// Closes what is due on these lines. Answers how many sessions.
pub async fn close(db: &Db, voice: &Voice, lines: &[Timed], now: DateTime<Utc>) -> Result<usize, DbErr> {
    let mut closed = 0;
    for line in lines {
        let Some(secs) = line.rules.auto_close.after_secs else {
            continue;
        };
        let query = line
            .passed(row::Column::AnsweredAt, secs, now)
            .filter(row::Column::State.ne("closed"))
            .filter(row::Column::OwedSince.is_null());
        let mut pages = Pages::of(query);
        while let Some(sessions) = pages.next(db).await? {
            for seen in sessions {
                let is_due = due(&line.rules, &seen, now) == Some(Due::Close);
                pages.count(if is_due {
                    close_one(db, voice, line, &seen, now).await
                } else {
                    Ok(false)
                })?;
            }
        }
        closed += pages.acted;
    }
    Ok(closed)
}

async fn close_one(
    db: &Db,
    voice: &Voice,
    line: &Timed,
    seen: &row::Model,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let mut write = db.write().await?;
    let mut held = hold(&write, &seen.conversation_id).await?;
    if held.session != *seen {
        return Ok(false);
    }
    voice
        .say(&mut write, &mut held, line, Said::AutoClose, Form::Plain, now)
        .await?;
    session::end(&mut write, &mut held, Some(REASON.to_owned()), now).await?;
    held.say(&mut write, "Closed: the client was silent".to_owned(), true, now)
        .await?;
    write.commit().await?;
    Ok(true)
}
