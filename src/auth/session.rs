//! Sign-in sessions: a random token in a cookie, its hash in a table, thirty days from the last use.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, Set};

use crate::{
    db::{
        Db, WriteTx,
        entity::{auth_session, operator},
    },
    id, secret,
};

/// How long a session lives without being used.
pub const LIFETIME: TimeDelta = TimeDelta::days(30);
/// A session is prolonged once this much of its life is gone: not a write for each request.
const PROLONG_AFTER: TimeDelta = TimeDelta::days(1);

/// A session that was just made.
#[derive(Clone)]
pub struct NewSession {
    /// For the cookie; not kept anywhere else.
    pub token: String,
    /// For the header that shows a request comes from our page.
    pub csrf_token: String,
}

impl std::fmt::Debug for NewSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewSession")
    }
}

/// Signs a user in.
pub async fn create(write: &WriteTx, operator_id: &str, now: DateTime<Utc>) -> Result<NewSession, DbErr> {
    let new = NewSession {
        token: id::token(),
        csrf_token: id::token(),
    };
    auth_session::ActiveModel {
        token_hash: Set(secret::hash_token(&new.token)),
        operator_id: Set(operator_id.to_owned()),
        csrf_token: Set(new.csrf_token.clone()),
        created_at: Set(now),
        expires_at: Set(now + LIFETIME),
    }
    .insert(write.tx())
    .await?;
    Ok(new)
}

/// The session of a token and its user, when it is alive and the user is enabled.
pub async fn find(
    db: &impl ConnectionTrait,
    token: &str,
    now: DateTime<Utc>,
) -> Result<Option<(auth_session::Model, operator::Model)>, DbErr> {
    let Some(session) = auth_session::Entity::find_by_id(secret::hash_token(token))
        .one(db)
        .await?
    else {
        return Ok(None);
    };
    if session.expires_at <= now {
        return Ok(None);
    }
    let user = operator::Entity::find_by_id(&session.operator_id).one(db).await?;
    Ok(user.filter(|user| user.enabled).map(|user| (session, user)))
}

/// Prolongs a session in use, at most once a day.
pub async fn prolong(db: &Db, session: &auth_session::Model, now: DateTime<Utc>) -> Result<(), DbErr> {
    if session.expires_at - now > LIFETIME - PROLONG_AFTER {
        return Ok(());
    }
    let write = db.write().await?;
    auth_session::Entity::update_many()
        .col_expr(
            auth_session::Column::ExpiresAt,
            sea_orm::sea_query::Expr::value(now + LIFETIME),
        )
        .filter(auth_session::Column::TokenHash.eq(&session.token_hash))
        .exec(write.tx())
        .await?;
    write.commit().await
}

/// Signs one session out.
pub async fn delete(write: &WriteTx, token_hash: &str) -> Result<(), DbErr> {
    auth_session::Entity::delete_by_id(token_hash)
        .exec(write.tx())
        .await
        .map(|_| ())
}

/// Signs a user out everywhere but in the session kept.
pub async fn delete_others(write: &WriteTx, operator_id: &str, keep: Option<&str>) -> Result<(), DbErr> {
    let mut rows =
        auth_session::Entity::delete_many().filter(auth_session::Column::OperatorId.eq(operator_id));
    if let Some(keep) = keep {
        rows = rows.filter(auth_session::Column::TokenHash.ne(keep));
    }
    rows.exec(write.tx()).await.map(|_| ())
}

/// Forgets sessions that ended.
pub async fn sweep(db: &Db, now: DateTime<Utc>) -> Result<(), DbErr> {
    let write = db.write().await?;
    auth_session::Entity::delete_many()
        .filter(auth_session::Column::ExpiresAt.lte(now))
        .exec(write.tx())
        .await?;
    write.commit().await
}
