//! Lists of a million: what they are found by, and indexes in their order.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::run_script;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// What has records, by its table.
const KINDS: [&str; 4] = ["contact", "company", "lead", "deal"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, include_str!("m20261123_000040_scale.sql")).await?;
        let db = manager.get_connection();
        let sqlite = manager.get_database_backend() == DbBackend::Sqlite;
        if !sqlite {
            run_script(manager, include_str!("m20261123_000040_scale_postgres.sql")).await?;
        }
        for kind in KINDS {
            let statements = if sqlite {
                on_sqlite(kind)
            } else {
                on_postgres(kind)
            };
            for sql in statements {
                db.execute_unprepared(&sql).await?;
            }
        }
        Ok(())
    }
}

/// The index of a kind, and what keeps it as the records are. What is removed takes its record with it, whoever
/// removes it.
fn on_sqlite(kind: &str) -> Vec<String> {
    let index = format!("search_index_{kind}");
    let out = format!("INSERT INTO {index} ({index}, rowid, body) VALUES ('delete', old.id, old.body);");
    let into = format!("INSERT INTO {index} (rowid, body) VALUES (new.id, new.body);");
    vec![
        // Records are in small letters already; where a group stands in one is of no interest.
        format!(
            "CREATE VIRTUAL TABLE {index} USING fts5(body, content='search_record', content_rowid='id', \
             tokenize='trigram case_sensitive 1', detail='none')"
        ),
        format!("INSERT INTO {index} ({index}, rank) VALUES ('secure-delete', 1)"),
        format!(
            "CREATE TRIGGER search_record_insert_{kind} AFTER INSERT ON search_record WHEN new.kind = '{kind}' BEGIN {into} END"
        ),
        format!(
            "CREATE TRIGGER search_record_delete_{kind} AFTER DELETE ON search_record WHEN old.kind = '{kind}' BEGIN {out} END"
        ),
        format!(
            "CREATE TRIGGER search_record_update_{kind} AFTER UPDATE ON search_record WHEN old.kind = '{kind}' BEGIN {out} {into} END"
        ),
        format!(
            "CREATE TRIGGER {kind}_search_record AFTER DELETE ON {kind} BEGIN \
             DELETE FROM search_record WHERE object_id = old.id; END"
        ),
    ]
}

fn on_postgres(kind: &str) -> Vec<String> {
    vec![
        format!(
            "CREATE INDEX search_index_{kind} ON search_record USING gin (search_groups(body)) WHERE kind = '{kind}'"
        ),
        format!(
            "CREATE TRIGGER {kind}_search_record AFTER DELETE ON {kind} FOR EACH ROW EXECUTE FUNCTION search_record_forget()"
        ),
    ]
}
