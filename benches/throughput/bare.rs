//! The bound: the same rows in the same batches, by the bare engine.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::{Connection, types::Value};
use switchboard::db::Db;

/// The tables a submission writes, in the order ingest writes them, with the query that tells each
/// row's batch: all rows of a batch carry the time of its transaction.
const TABLES: [(&str, &str); 9] = [
    ("inbound_event", "SELECT received_at, t.* FROM inbound_event t"),
    ("contact", "SELECT created_at, t.* FROM contact t"),
    ("identity", "SELECT created_at, t.* FROM identity t"),
    ("lead", "SELECT created_at, t.* FROM lead t"),
    ("conversation", "SELECT created_at, t.* FROM conversation t"),
    ("session", "SELECT opened_at, t.* FROM session t"),
    ("message", "SELECT created_at, t.* FROM message t"),
    (
        "submission",
        "SELECT i.received_at, t.* FROM submission t JOIN inbound_event i ON i.submission_id = t.id",
    ),
    (
        "event",
        "SELECT at, t.* FROM event t WHERE type IN ('message.created','conversation.updated','lead.created','contact.updated','submission.created')",
    ),
];

/// What the bare engine took.
pub struct Bare {
    pub taken: Duration,
    pub rows: usize,
    pub batches: usize,
}

type Rows = Vec<(&'static str, Vec<Vec<Value>>)>;

/// Reads the rows of `path` and inserts them into an empty database beside it.
pub async fn replay(path: &Path) -> Bare {
    let batches = read(path);
    let target = path.with_file_name("bare.db");
    for file in [
        target.clone(),
        target.with_extension("db-wal"),
        target.with_extension("db-shm"),
    ] {
        drop(std::fs::remove_file(file));
    }
    let db = Db::connect(&format!("sqlite://{}", target.display()))
        .await
        .unwrap();
    db.migrate().await.unwrap();
    db.close().await.unwrap();
    let connection = Connection::open(&target).unwrap();
    for pragma in [
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        "cache_size=-8000",
        "journal_size_limit=67108864",
    ] {
        connection.execute_batch(&format!("PRAGMA {pragma};")).unwrap();
    }
    // What the rows refer to and ingest did not make.
    connection
        .execute("ATTACH DATABASE ?1 AS made", [path.to_str().unwrap()])
        .unwrap();
    connection
        .execute_batch(
            "INSERT INTO line SELECT * FROM made.line; INSERT INTO channel SELECT * FROM made.channel;",
        )
        .unwrap();
    connection.execute_batch("DETACH DATABASE made;").unwrap();
    connection.set_prepared_statement_cache_capacity(64);
    let mut rows = 0;
    let begun = Instant::now();
    for batch in &batches {
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        for (table, values) in batch {
            let Some(width) = values.first().map(Vec::len) else {
                continue;
            };
            let places = vec!["?"; width].join(",");
            let mut insert = connection
                .prepare_cached(&format!("INSERT INTO {table} VALUES ({places})"))
                .unwrap();
            for row in values {
                insert.execute(rusqlite::params_from_iter(row)).unwrap();
                rows += 1;
            }
        }
        connection.execute_batch("COMMIT").unwrap();
    }
    Bare {
        taken: begun.elapsed(),
        rows,
        batches: batches.len(),
    }
}

fn read(path: &Path) -> Vec<Rows> {
    let connection = Connection::open(path).unwrap();
    let mut batches: BTreeMap<String, BTreeMap<&'static str, Vec<Vec<Value>>>> = BTreeMap::new();
    for (table, sql) in TABLES {
        let mut select = connection.prepare(&format!("{sql} ORDER BY 1, t.rowid")).unwrap();
        let width = select.column_count();
        let mut rows = select.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let at: String = row.get(0).unwrap();
            let values = (1..width).map(|column| row.get(column).unwrap()).collect();
            batches
                .entry(at)
                .or_default()
                .entry(table)
                .or_default()
                .push(values);
        }
    }
    batches
        .into_values()
        // Only transactions of ingest: those with events that came in.
        .filter(|batch| batch.contains_key("inbound_event"))
        .map(|mut batch| {
            TABLES
                .iter()
                .map(|(table, _)| (*table, batch.remove(table).unwrap_or_default()))
                .collect()
        })
        .collect()
}
