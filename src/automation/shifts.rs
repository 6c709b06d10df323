//! Shifts, breaks and absences that begin or end: nobody writes an event for the time, so it is done here.
//! The router and the sockets follow the log as ever.

use chrono::{DateTime, Utc};
use sea_orm::DbErr;

use crate::{db::Db, operator::roster};

/// Tells of everybody whose schedule has changed their availability by `now`. Answers how many.
pub async fn tell(db: &Db, now: DateTime<Utc>) -> Result<usize, DbErr> {
    let told = roster::tell_changes(db, now).await?;
    for id in &told {
        tracing::debug!(operator.id = id, "a schedule changed an operator's availability");
    }
    Ok(told.len())
}
