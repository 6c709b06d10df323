//! "Exactly one node does this": a named lease that lapses when its owner dies.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr, Statement};

use crate::db::{Db, WriteTx};

/// How long a lease lasts without being renewed: the longest silence after the death of a node.
pub const TERM: Duration = Duration::from_secs(15);
/// How often its owner renews it, and how often others look whether it is free.
pub const RENEW_EVERY: Duration = Duration::from_secs(5);

/// Takes or renews the lease; answers whether it is ours until `now + TERM`.
pub async fn hold(db: &Db, name: &str, owner: &str, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let write = db.write().await?;
    let held = hold_in(&write, name, owner, now).await?;
    write.commit().await?;
    Ok(held)
}

/// The same in the transaction of what it is for: whoever sees that sees whose it is.
pub async fn hold_in(write: &WriteTx, name: &str, owner: &str, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let sql = "INSERT INTO lease (name, owner, expires_at) VALUES ($1, $2, $3) \
               ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, expires_at = excluded.expires_at \
               WHERE lease.owner = excluded.owner OR lease.expires_at <= $4";
    let values = [name.into(), owner.into(), (now + TERM).into(), now.into()];
    let done = write
        .tx()
        .execute_raw(Statement::from_sql_and_values(write.backend(), sql, values))
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Gives the lease back, if it is still ours.
pub async fn release(db: &Db, name: &str, owner: &str) -> Result<(), DbErr> {
    let sql = "DELETE FROM lease WHERE name = $1 AND owner = $2";
    let write = db.write().await?;
    write
        .tx()
        .execute_raw(Statement::from_sql_and_values(
            write.backend(),
            sql,
            [name.into(), owner.into()],
        ))
        .await?;
    write.commit().await
}
