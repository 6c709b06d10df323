//! Clicks to call. Telephone systems do not know a repetition by itself, so what was asked of them is written down first.

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, Set, sea_query::OnConflict};

use crate::db::{Db, entity::call_wish};

/// Writes a wish down; false when it was before.
pub async fn note(db: &Db, operator_id: &str, wish: &str, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let write = db.write().await?;
    let row = call_wish::ActiveModel {
        operator_id: Set(operator_id.to_owned()),
        wish: Set(wish.to_owned()),
        created_at: Set(now),
    };
    let fresh = call_wish::Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(write.tx())
        .await?;
    write.commit().await?;
    Ok(fresh > 0)
}

/// Nobody was rung: the same wish may be tried again.
pub async fn strike(db: &Db, operator_id: &str, wish: &str) -> Result<(), DbErr> {
    let write = db.write().await?;
    call_wish::Entity::delete_by_id((operator_id.to_owned(), wish.to_owned()))
        .exec(write.tx())
        .await?;
    write.commit().await
}

/// Forgets what is older: nobody repeats a click for so long.
pub async fn forget(db: &Db, before: DateTime<Utc>) -> Result<(), DbErr> {
    let old = call_wish::Entity::find()
        .filter(call_wish::Column::CreatedAt.lt(before))
        .one(db.read())
        .await?;
    if old.is_none() {
        return Ok(());
    }
    let write = db.write().await?;
    call_wish::Entity::delete_many()
        .filter(call_wish::Column::CreatedAt.lt(before))
        .exec(write.tx())
        .await?;
    write.commit().await
}
