//! Reminding: the time of a reminder is a column, so it survives a restart, and whoever marks the row first gives
//! it, so several nodes give it once.

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};

use crate::{
    db::{Db, entity::task},
    event::{EventType, NewEvent},
};

/// Reminders given at once.
const CHUNK: u64 = 200;

/// Gives the reminders whose time has come. Answers how many.
pub async fn tell(db: &Db, now: DateTime<Utc>) -> Result<u64, DbErr> {
    let due: Vec<String> = task::Entity::find()
        .select_only()
        .column(task::Column::Id)
        .filter(task::Column::RemindAt.is_not_null())
        .filter(task::Column::RemindAt.lte(now))
        .filter(task::Column::RemindedAt.is_null())
        .filter(task::Column::DoneAt.is_null())
        .order_by_asc(task::Column::RemindAt)
        .limit(CHUNK)
        .into_tuple()
        .all(db.read())
        .await?;
    if due.is_empty() {
        return Ok(0);
    }
    let mut write = db.write().await?;
    let mut told = 0;
    for id in due {
        let marked = task::Entity::update_many()
            .col_expr(task::Column::RemindedAt, Expr::value(now))
            .filter(task::Column::Id.eq(&id))
            .filter(task::Column::RemindedAt.is_null())
            .filter(task::Column::RemindAt.lte(now))
            .filter(task::Column::DoneAt.is_null())
            .exec(write.tx())
            .await?;
        if marked.rows_affected > 0 {
            write.record(NewEvent::new(EventType::TaskDue, &id, now));
            told += 1;
        }
    }
    write.commit().await?;
    Ok(told)
}
