//! What things are called, by id: for tables that people read.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, DbErr, EntityTrait, QuerySelect};

/// The names of all rows of a small table.
pub async fn names<E: EntityTrait>(
    db: &impl ConnectionTrait,
    id: E::Column,
    name: E::Column,
) -> Result<HashMap<String, String>, DbErr> {
    let rows: Vec<(String, String)> = E::find()
        .select_only()
        .columns([id, name])
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}
