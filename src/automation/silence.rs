//! A client who says nothing after an answer: the session ends, with the line's words.

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, DbErr, QueryFilter};

use crate::{
    conversation::{
        session::{self, Error, hold},
        view::Views,
    },
    db::{Db, entity::session as row},
    line::Rules,
    outbound::automatic,
    routing::timers::{Due, Pages, Timed, due},
};

/// Why such a session was closed, in the API and in the database.
pub const REASON: &str = "client_silent";

/// Closes what is due on these lines. Answers how many sessions.
pub async fn close(db: &Db, views: &Views, lines: &[Timed], now: DateTime<Utc>) -> Result<usize, DbErr> {
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
                    close_one(db, views, &line.rules, &seen, now).await
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
    views: &Views,
    rules: &Rules,
    seen: &row::Model,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let mut write = db.write().await?;
    let mut held = hold(&write, &seen.conversation_id).await?;
    if held.session != *seen {
        return Ok(false);
    }
    if let Some(text) = &rules.auto_close.text {
        automatic::say(&mut write, views, &mut held.conversation, text, now).await?;
    }
    session::end(&mut write, &mut held, Some(REASON.to_owned()), now).await?;
    held.say(&mut write, "Closed: the client was silent".to_owned(), true, now)
        .await?;
    write.commit().await?;
    Ok(true)
}
