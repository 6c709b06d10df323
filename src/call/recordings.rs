//! Recordings in the database: what is to be fetched, who is at it, and what came of it.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, UpdateMany,
    sea_query::{Expr, ExprTrait},
};

use crate::db::{
    Db, WriteTx,
    entity::{attachment, call, call_recording},
};

/// What is to be fetched now and is not being fetched, the longest due first.
pub async fn due(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<call_recording::Model>, DbErr> {
    call_recording::Entity::find()
        .filter(call_recording::Column::NextAttemptAt.is_not_null())
        .filter(call_recording::Column::NextAttemptAt.lte(now))
        .filter(free(now))
        .order_by_asc(call_recording::Column::NextAttemptAt)
        .limit(limit)
        .all(db)
        .await
}

/// Takes a row, unless somebody else was faster; counts the attempt.
pub async fn claim(db: &Db, id: &str, now: DateTime<Utc>, until: DateTime<Utc>) -> Result<bool, DbErr> {
    let write = db.write().await?;
    let claimed = one(id)
        .col_expr(call_recording::Column::LeasedUntil, Expr::value(until))
        .col_expr(
            call_recording::Column::Attempts,
            Expr::col(call_recording::Column::Attempts).add(1),
        )
        .filter(call_recording::Column::NextAttemptAt.is_not_null())
        .filter(free(now))
        .exec(write.tx())
        .await?;
    write.commit().await?;
    Ok(claimed.rows_affected > 0)
}

/// Says that whoever took it is still at it.
pub async fn renew(db: &Db, id: &str, until: DateTime<Utc>) -> Result<(), DbErr> {
    let write = db.write().await?;
    one(id)
        .col_expr(call_recording::Column::LeasedUntil, Expr::value(until))
        .exec(write.tx())
        .await?;
    write.commit().await
}

/// A recording as it is now, which may belong to another call than before, and that call.
pub async fn with_call(
    db: &impl ConnectionTrait,
    id: &str,
) -> Result<Option<(call_recording::Model, Option<call::Model>)>, DbErr> {
    let Some(known) = call_recording::Entity::find_by_id(id).one(db).await? else {
        return Ok(None);
    };
    let call = call::Entity::find_by_id(&known.call_id).one(db).await?;
    Ok(Some((known, call)))
}

/// It is here, as this file.
pub async fn stored(write: &WriteTx, id: &str, file: attachment::Model) -> Result<(), DbErr> {
    let file_id = file.id.clone();
    attachment::Entity::insert(file.into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    let done =
        ended(id, "stored", None, None).col_expr(call_recording::Column::AttachmentId, Expr::value(file_id));
    done.exec(write.tx()).await?;
    Ok(())
}

/// A try brought nothing; there is another at `again`, or none.
pub async fn missed(
    write: &WriteTx,
    id: &str,
    reason: String,
    again: Option<DateTime<Utc>>,
) -> Result<(), DbErr> {
    let state = if again.is_some() { "fetching" } else { "failed" };
    ended(id, state, Some(reason), again).exec(write.tx()).await?;
    Ok(())
}

/// The call shows what became of it, even when this process dies before it could.
pub async fn look_soon(write: &WriteTx, call_id: &str, now: DateTime<Utc>) -> Result<(), DbErr> {
    call::Entity::update_many()
        .col_expr(call::Column::CheckAt, Expr::value(now))
        .filter(call::Column::Id.eq(call_id))
        .exec(write.tx())
        .await?;
    Ok(())
}

fn one(id: &str) -> UpdateMany<call_recording::Entity> {
    call_recording::Entity::update_many().filter(call_recording::Column::Id.eq(id))
}

/// The end of a try: nobody is at it any more.
fn ended(
    id: &str,
    state: &str,
    error: Option<String>,
    again: Option<DateTime<Utc>>,
) -> UpdateMany<call_recording::Entity> {
    one(id)
        .col_expr(call_recording::Column::State, Expr::value(state))
        .col_expr(call_recording::Column::Error, Expr::value(error))
        .col_expr(call_recording::Column::NextAttemptAt, Expr::value(again))
        .col_expr(
            call_recording::Column::LeasedUntil,
            Expr::value(Option::<DateTime<Utc>>::None),
        )
}

fn free(now: DateTime<Utc>) -> Condition {
    Condition::any()
        .add(call_recording::Column::LeasedUntil.is_null())
        .add(call_recording::Column::LeasedUntil.lte(now))
}
