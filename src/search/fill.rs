//! Records of what was there before records were kept: read once, a piece a transaction, from where it stopped.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbErr, EntityTrait, Statement};
use switchboard_sdk::CancellationToken;

use super::record::{self, Kind, Records};
use crate::{
    db::{Db, entity::setting, fixed::the_one},
    setting as settings,
};

/// The setting that says how far it is.
const PLACE: &str = "search.filled";
/// What it says at the end.
const DONE: &str = "done";
/// Objects in one transaction.
const PIECE: usize = 512;
/// How long others may write between two pieces,
const PAUSE: Duration = Duration::from_millis(5);
/// and how long to wait after a failure.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Whether everything has its record.
pub async fn is_done(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let place = the_one(setting::Entity::find_by_id(PLACE), db).await?;
    Ok(place.is_some_and(|row| row.value == DONE))
}

/// Fills until everything has its record, or until `stop`.
pub async fn run(db: Db, stop: CancellationToken) {
    loop {
        let pause = match step(&db).await {
            Ok(true) => PAUSE,
            // A follower ends when it is told to.
            Ok(false) => return stop.cancelled().await,
            Err(error) => {
                tracing::error!(%error, "records for search were not filled in; it will be tried again");
                PAUSE_AFTER_FAILURE
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// One piece; answers whether there may be more.
pub async fn step(db: &Db) -> Result<bool, DbErr> {
    let place = settings::get(db.read(), PLACE).await?.unwrap_or_default();
    if place == DONE {
        return Ok(false);
    }
    let (word, after) = place.split_once(' ').unwrap_or((Kind::ALL[0].as_str(), ""));
    let kinds = Kind::ALL.into_iter().skip_while(|kind| kind.as_str() != word);
    let mut after = after.to_owned();
    for kind in kinds {
        let ids = ids(db, kind, &after).await?;
        after.clear();
        let Some(last) = ids.last() else { continue };
        let mut work = Records::default();
        record::changed(db.read(), kind, &ids, &mut work).await?;
        let write = db.write().await?;
        record::put(&write, work).await?;
        settings::put(write.tx(), PLACE, &format!("{} {last}", kind.as_str())).await?;
        write.commit().await?;
        return Ok(true);
    }
    let write = db.write().await?;
    settings::put(write.tx(), PLACE, DONE).await?;
    write.commit().await?;
    Ok(false)
}

async fn ids(db: &Db, kind: Kind, after: &str) -> Result<Vec<String>, DbErr> {
    let table = kind.as_str();
    let sql = format!("SELECT id FROM {table} WHERE id > $1 ORDER BY id LIMIT {PIECE}");
    let statement = Statement::from_sql_and_values(db.backend(), sql, [after.into()]);
    let rows = db.read().query_all_raw(statement).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}
