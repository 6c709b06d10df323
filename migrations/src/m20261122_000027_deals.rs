//! Pipelines with their stages, deals with the journal of their moves, tasks, what became of leads, and to whom
//! leads are given.

use sea_orm_migration::prelude::*;

use crate::run_script;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, include_str!("m20261122_000027_deals.sql")).await
    }
}
