//! What the cards of contacts, companies, leads and deals show: who did a task, tasks about companies, by what companies
//! are alike. Tags of deals move to where all tags are.

use std::collections::BTreeSet;

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, Statement},
};

use crate::run_script;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, include_str!("m20261123_000039_cards.sql")).await?;
        move_tags(manager).await?;
        run_script(manager, "ALTER TABLE deal DROP COLUMN tags").await
    }
}

/// Deals read at once.
const CHUNK: usize = 500;

/// Copies the tags of deals, in the small letters in which tags are kept: SQLite alone knows those of A to Z only.
async fn move_tags(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let (db, backend) = (manager.get_connection(), manager.get_database_backend());
    let mut after = String::new();
    loop {
        let sql = format!(
            "SELECT id, CAST(tags AS TEXT) AS tags FROM deal WHERE id > $1 AND CAST(tags AS TEXT) <> '[]' ORDER BY id LIMIT {CHUNK}"
        );
        let statement = Statement::from_sql_and_values(backend, sql, [after.clone().into()]);
        let rows = db.query_all_raw(statement).await?;
        for row in &rows {
            after = row.try_get("", "id")?;
            for tag in kept(&row.try_get::<String>("", "tags")?) {
                let statement = Statement::from_sql_and_values(
                    backend,
                    "INSERT INTO object_tag (object_id, tag) VALUES ($1, $2) ON CONFLICT (object_id, tag) DO NOTHING",
                    [after.clone().into(), tag.into()],
                );
                db.execute_raw(statement).await?;
            }
        }
        if rows.len() < CHUNK {
            return Ok(());
        }
    }
}

/// The tags of a JSON list as they are kept from now on.
fn kept(json: &str) -> BTreeSet<String> {
    let tags: Vec<String> = serde_json::from_str(json).unwrap_or_default();
    tags.iter()
        .map(|tag| {
            let plain = tag.replace(char::is_control, " ").to_lowercase();
            plain.trim().to_owned()
        })
        .filter(|tag| !tag.is_empty())
        .collect()
}
