//! Facts this installation remembers about itself: its set-up token, a check of its master key. What
//! an admin configures stands in [`crate::config`] and in lines and channels.

use sea_orm::{ConnectionTrait, DbErr, EntityTrait, Set, sea_query::OnConflict};

use crate::db::entity::setting;

/// Reads one.
pub async fn get(db: &impl ConnectionTrait, name: &str) -> Result<Option<String>, DbErr> {
    Ok(setting::Entity::find_by_id(name)
        .one(db)
        .await?
        .map(|row| row.value))
}

/// Writes one.
pub async fn put(db: &impl ConnectionTrait, name: &str, value: &str) -> Result<(), DbErr> {
    let row = setting::ActiveModel {
        name: Set(name.to_owned()),
        value: Set(value.to_owned()),
    };
    setting::Entity::insert(row)
        .on_conflict(
            OnConflict::column(setting::Column::Name)
                .update_column(setting::Column::Value)
                .to_owned(),
        )
        .exec_without_returning(db)
        .await
        .map(|_| ())
}

/// Forgets one.
pub async fn remove(db: &impl ConnectionTrait, name: &str) -> Result<(), DbErr> {
    setting::Entity::delete_by_id(name).exec(db).await.map(|_| ())
}
