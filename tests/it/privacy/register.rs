//! The register of what erasing does to each column, held against the schema.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, Statement};
use switchboard::erase::register::TABLES;

use crate::support::Database;

#[tokio::test(flavor = "multi_thread")]
async fn every_column_of_every_table_is_judged_once() {
    let database = Database::sqlite().await;
    let db = database.open().await;
    let sql = "SELECT m.name || '.' || c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c \
               WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE 'search_index%' \
               AND m.name <> 'seaql_migrations'";
    let rows = db
        .read()
        .query_all_raw(Statement::from_string(db.backend(), sql))
        .await
        .unwrap();
    let there: BTreeSet<String> = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
    let mut judged = BTreeSet::new();
    for table in TABLES {
        for column in table.columns() {
            assert!(
                judged.insert(format!("{}.{column}", table.name)),
                "{}.{column} is judged twice",
                table.name
            );
        }
    }
    let unjudged: Vec<&String> = there.difference(&judged).collect();
    assert!(
        unjudged.is_empty(),
        "say in src/erase/register.rs what erasing a person does to {unjudged:?}"
    );
    let gone: Vec<&String> = judged.difference(&there).collect();
    assert!(
        gone.is_empty(),
        "src/erase/register.rs judges what is not there: {gone:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_searched_as_json_is_json_and_keys_are_keys() {
    let database = Database::postgres().await;
    let db = database.open().await;
    let sql = "SELECT table_name || '.' || column_name FROM information_schema.columns \
               WHERE table_schema = 'public' AND data_type = 'jsonb'";
    let rows = db
        .read()
        .query_all_raw(Statement::from_string(db.backend(), sql))
        .await
        .unwrap();
    let json: BTreeSet<String> = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
    for table in TABLES {
        for column in table.json.split_whitespace() {
            assert!(
                json.contains(&format!("{}.{column}", table.name)),
                "{}.{column}",
                table.name
            );
        }
        for column in table.text.split_whitespace() {
            assert!(
                !json.contains(&format!("{}.{column}", table.name)),
                "{}.{column}",
                table.name
            );
        }
        let columns: Vec<&str> = table.columns().collect();
        assert!(
            table.key.iter().all(|column| columns.contains(column)),
            "{}",
            table.name
        );
    }
}
