//! The schema of both databases, forward only.
//!
//! A migration is a script in SQL that both databases understand; the few types that differ are
//! written as placeholders. Scripts rather than a builder: the schema reads as what it is, and partial
//! indexes, triggers and full-text tables need no second way.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

mod m20261122_000001_initial;
mod m20261122_000002_timers;
mod m20261122_000003_offers;
mod m20261122_000004_schedules;
mod m20261122_000005_texts;
mod m20261122_000007_wall;
mod m20261122_000008_due;
mod m20261122_000010_lag;
mod m20261122_000011_mail;
mod m20261122_000012_writing;
mod m20261122_000013_threads;
mod m20261122_000015_changes;
mod m20261122_000020_calls;
mod m20261122_000022_visits;
mod m20261122_000024_judged;
mod m20261122_000026_people;
mod m20261122_000027_deals;
mod m20261122_000028_exchange;
mod m20261122_000029_webhooks;
mod m20261122_000030_sync;
mod m20261122_000031_chat_mail;
mod m20261122_000032_wishes;
mod m20261122_000037_roles;
mod m20261123_000033_erase;
mod m20261123_000034_person_export;
mod m20261123_000035_consent;
mod m20261123_000036_audit;
mod m20261123_000038_commerce;
mod m20261123_000039_cards;
mod m20261123_000040_scale;
mod m20261123_000041_import_deals;

/// All migrations, in order.
#[derive(Debug, Clone, Copy)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261122_000001_initial::Migration),
            Box::new(m20261122_000002_timers::Migration),
            Box::new(m20261122_000003_offers::Migration),
            Box::new(m20261122_000004_schedules::Migration),
            Box::new(m20261122_000005_texts::Migration),
            Box::new(m20261122_000007_wall::Migration),
            Box::new(m20261122_000008_due::Migration),
            Box::new(m20261122_000011_mail::Migration),
            Box::new(m20261122_000012_writing::Migration),
            Box::new(m20261122_000013_threads::Migration),
            Box::new(m20261122_000010_lag::Migration),
            Box::new(m20261122_000015_changes::Migration),
            Box::new(m20261122_000020_calls::Migration),
            Box::new(m20261122_000022_visits::Migration),
            Box::new(m20261122_000024_judged::Migration),
            Box::new(m20261122_000026_people::Migration),
            Box::new(m20261122_000027_deals::Migration),
            Box::new(m20261122_000028_exchange::Migration),
            Box::new(m20261122_000031_chat_mail::Migration),
            Box::new(m20261122_000032_wishes::Migration),
            Box::new(m20261122_000029_webhooks::Migration),
            Box::new(m20261122_000030_sync::Migration),
            Box::new(m20261123_000033_erase::Migration),
            Box::new(m20261123_000034_person_export::Migration),
            Box::new(m20261123_000035_consent::Migration),
            Box::new(m20261123_000036_audit::Migration),
            Box::new(m20261122_000037_roles::Migration),
            Box::new(m20261123_000038_commerce::Migration),
            Box::new(m20261123_000039_cards::Migration),
            Box::new(m20261123_000040_scale::Migration),
            Box::new(m20261123_000041_import_deals::Migration),
        ]
    }
}

/// The columns that differ between the databases, as `(placeholder, SQLite, PostgreSQL)`.
///
/// Ids are ASCII; the `C` collation makes their order the same on both and their index smaller.
const TYPES: [(&str, &str, &str); 6] = [
    ("{id}", "TEXT", "TEXT COLLATE \"C\""),
    ("{ts}", "TEXT", "TIMESTAMPTZ"),
    ("{json}", "TEXT", "JSONB"),
    ("{bytes}", "BLOB", "BYTEA"),
    // On SQLite only the word INTEGER makes a key the row's own place.
    ("{key}", "INTEGER", "BIGINT"),
    (
        "{serial}",
        "INTEGER PRIMARY KEY AUTOINCREMENT",
        "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    ),
];

/// Runs a script whose statements are separated by blank lines.
async fn run_script(manager: &SchemaManager<'_>, script: &str) -> Result<(), DbErr> {
    let backend = manager.get_database_backend();
    for statement in script.split("\n\n") {
        let lines: Vec<&str> = statement
            .lines()
            .filter(|line| !line.trim_start().starts_with("--"))
            .collect();
        let mut sql = lines.join("\n");
        if sql.trim().is_empty() {
            continue;
        }
        for (placeholder, sqlite, postgres) in TYPES {
            sql = sql.replace(
                placeholder,
                if backend == DbBackend::Sqlite {
                    sqlite
                } else {
                    postgres
                },
            );
        }
        manager.get_connection().execute_unprepared(&sql).await?;
    }
    Ok(())
}
