//! Contacts and companies known once: cards, fields of admins, tags, merges and their undoing, what changed.

use sea_orm_migration::prelude::*;

use crate::run_script;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, include_str!("m20261122_000026_people.sql")).await
    }
}
