//! The first schema: people, lines, channels, conversations, leads, the log and its consumers.

use sea_orm_migration::prelude::*;

use crate::run_script;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, include_str!("m20261122_000001_initial.sql")).await?;
        let search = match manager.get_database_backend() {
            sea_orm_migration::sea_orm::DbBackend::Sqlite => {
                include_str!("m20261122_000001_search_sqlite.sql")
            }
            _ => include_str!("m20261122_000001_search_postgres.sql"),
        };
        run_script(manager, search).await
    }
}
