//! Erasing people: the work on its way, and an index of words that keeps nothing of what was removed from it.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::run_script;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, include_str!("m20261123_000033_erase.sql")).await?;
        if manager.get_database_backend() == DbBackend::Sqlite {
            // Otherwise a word that was removed stays in the index until its segments are merged
            // (<https://sqlite.org/fts5.html#the_secure_delete_configuration_option>).
            let sql = "INSERT INTO search_index (search_index, rank) VALUES ('secure-delete', 1)";
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }
}
