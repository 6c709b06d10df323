//! The one-time link of an empty installation. It works until the first person exists; a restart
//! prints a new one and the old one stops working.

use sea_orm::{ConnectionTrait, DbErr};
use subtle::ConstantTimeEq;

use crate::{
    db::{Db, WriteTx},
    id,
    operator::store::count_people,
    secret, setting,
};

const SETTING: &str = "setup_token_hash";
/// Names the lock under which the first person is made: two browsers may hold the link.
const LOCK: i64 = 0x5e70;

/// Makes a new token, or answers `None` when somebody exists already.
pub async fn renew(db: &Db) -> Result<Option<String>, DbErr> {
    if !is_needed(db.read()).await? {
        return Ok(None);
    }
    let token = id::token();
    let write = db.write().await?;
    setting::put(write.tx(), SETTING, &secret::hash_token(&token)).await?;
    write.commit().await?;
    Ok(Some(token))
}

/// Whether nobody exists yet.
pub async fn is_needed(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    count_people(db).await.map(|people| people == 0)
}

/// Whether this is the token of the printed link and nobody exists yet.
pub async fn is_valid(db: &impl ConnectionTrait, token: &str) -> Result<bool, DbErr> {
    if !is_needed(db).await? {
        return Ok(false);
    }
    let stored = setting::get(db, SETTING).await?;
    let hash = secret::hash_token(token);
    Ok(stored.is_some_and(|stored| bool::from(stored.as_bytes().ct_eq(hash.as_bytes()))))
}

/// Uses the token up inside the write that makes the first person; `false` when it is not valid (any
/// more). Of two that race, one waits here and then sees the other's person.
pub async fn consume(write: &WriteTx, token: &str) -> Result<bool, DbErr> {
    write.lock(LOCK).await?;
    if !is_valid(write.tx(), token).await? {
        return Ok(false);
    }
    setting::remove(write.tx(), SETTING).await?;
    Ok(true)
}
