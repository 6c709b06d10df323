//! Their addresses in what is not theirs: cut out of texts, and rows that are nothing but an address removed.
//!
//! Each table is read through once in the order of its key, page by page and without holding up the writer; only what
//! was found is written. A table that was cut short is begun anew.

use std::fmt::Write as _;

use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement, Value};

use super::{
    Counts, Person, State, Tools,
    needles::Needles,
    register::{TABLES, Table},
    rows::{NAMELESS, Rows},
    store,
};
use crate::{
    conversation::rearrange::INTAKE,
    db::{WriteTx, entity::erasure},
    webhook,
};

/// Rows looked at in one go.
const PAGE: usize = 200;

/// What becomes of one row.
enum Fate {
    Dropped,
    Redacted(Vec<(&'static str, bool, String)>),
}

/// A row that holds an address.
struct Found {
    key: Vec<Value>,
    fate: Fate,
}

/// Reads the next table through; false when all are done.
pub(super) async fn step(
    tools: &Tools,
    row: &mut erasure::Model,
    person: &Person,
    counts: &mut Counts,
) -> Result<bool, DbErr> {
    let mut tables = TABLES.iter().filter(|table| table.is_searched());
    let place = usize::try_from(row.step).unwrap_or_default();
    let table = tables
        .nth(place)
        .filter(|_| !person.needles.is_empty() || !person.needles.names.is_empty());
    if let Some(table) = table {
        through(tools, row, table, &person.needles, counts).await?;
    }
    let now = tools.clock.now();
    let write = tools.db.write().await?;
    let next = if table.is_some() {
        (State::Mentions, row.step + 1)
    } else {
        late(&write, person).await?;
        (State::Files, 0)
    };
    store::advance(&write, row, next, counts, now).await?;
    write.commit().await?;
    Ok(table.is_some())
}

/// What followers of the log wrote of them while it was being removed.
pub(super) async fn late(write: &WriteTx, person: &Person) -> Result<(), DbErr> {
    for ids in person.objects.chunks(128) {
        webhook::store::forget_content(write, ids, NAMELESS).await?;
    }
    let sql = "DELETE FROM search_document WHERE conversation_id IS NOT NULL AND NOT EXISTS \
               (SELECT 1 FROM message WHERE message.id = search_document.object_id) AND kind = 'message'";
    write.tx().execute_unprepared(sql).await?;
    Ok(())
}

async fn through(
    tools: &Tools,
    row: &erasure::Model,
    table: &'static Table,
    needles: &Needles,
    counts: &mut Counts,
) -> Result<(), DbErr> {
    let mut after: Option<Vec<Value>> = None;
    loop {
        let Some(query) = question(tools, table, needles, after.as_deref()) else {
            return Ok(());
        };
        let page = tools.db.read().query_all_raw(query).await?;
        let mut found = Vec::new();
        for row in &page {
            let key = key_of(table, row)?;
            if let Some(fate) = judge(table, needles, row)? {
                found.push(Found {
                    key: key.clone(),
                    fate,
                });
            }
            after = Some(key);
        }
        if !found.is_empty() {
            counts.mentions += found.len() as u64;
            let mut write = tools.db.write().await?;
            write.lock(INTAKE).await?;
            apply(tools, &mut write, row, table, found, counts).await?;
            write.commit().await?;
        }
        if page.len() < PAGE {
            return Ok(());
        }
    }
}

/// The columns in which something is looked for: name, whether providers' names count, whether the row goes.
fn looked_at(table: &'static Table) -> impl Iterator<Item = (&'static str, bool, bool)> {
    let of = |columns: &'static str, named: bool, goes: bool| {
        columns
            .split_whitespace()
            .map(move |column| (column, named, goes))
    };
    of(table.text, false, false)
        .chain(of(table.json, false, false))
        .chain(of(table.dropped, false, true))
        .chain(of(table.named, true, true))
}

fn question(
    tools: &Tools,
    table: &'static Table,
    needles: &Needles,
    after: Option<&[Value]>,
) -> Option<Statement> {
    let (like, cast) = if tools.db.is_postgres() {
        ("ILIKE", "TEXT")
    } else {
        ("LIKE", "TEXT")
    };
    let mut values: Vec<Value> = Vec::new();
    let mut bind = |value: Value| {
        values.push(value);
        format!("${}", values.len())
    };
    let key: Vec<String> = table.key.iter().map(|column| format!("\"{column}\"")).collect();
    let mut tests = Vec::new();
    let mut shown = key.clone();
    let plain: Vec<String> = needles
        .patterns(false)
        .into_iter()
        .map(|one| bind(one.into()))
        .collect();
    let named: Vec<String> = needles
        .names
        .iter()
        .map(|one| bind(format!("%{one}%").into()))
        .collect();
    for (column, with_names, _) in looked_at(table) {
        let text = format!("CAST(\"{column}\" AS {cast})");
        let names = named.iter().filter(|_| with_names);
        tests.extend(
            plain
                .iter()
                .chain(names)
                .map(|pattern| format!("{text} {like} {pattern}")),
        );
        shown.push(format!("{text} AS \"t_{column}\""));
    }
    if tests.is_empty() {
        return None;
    }
    let mut sql = format!(
        "SELECT {} FROM \"{}\" WHERE ({})",
        shown.join(", "),
        table.name,
        tests.join(" OR ")
    );
    if let Some(after) = after {
        let marks: Vec<String> = after.iter().cloned().map(&mut bind).collect();
        let _infallible = write!(sql, " AND ({}) > ({})", key.join(", "), marks.join(", "));
    }
    let _infallible = write!(sql, " ORDER BY {} LIMIT {PAGE}", key.join(", "));
    Some(Statement::from_sql_and_values(tools.db.backend(), sql, values))
}

/// Keys are texts, and numbers.
fn key_of(table: &Table, row: &QueryResult) -> Result<Vec<Value>, DbErr> {
    table
        .key
        .iter()
        .map(|column| {
            row.try_get::<String>("", column)
                .map(Value::from)
                .or_else(|_| row.try_get::<i64>("", column).map(Value::from))
        })
        .collect()
}

fn judge(table: &'static Table, needles: &Needles, row: &QueryResult) -> Result<Option<Fate>, DbErr> {
    let mut redacted = Vec::new();
    for (column, with_names, goes) in looked_at(table) {
        let Some(text) = row.try_get::<Option<String>>("", &format!("t_{column}"))? else {
            continue;
        };
        if goes {
            let held = if with_names {
                needles.named(&text)
            } else {
                // As it is looked through as JSON, when it is some.
                needles.mentioned(&text)
            };
            if held {
                return Ok(Some(Fate::Dropped));
            }
            continue;
        }
        let is_json = table.json.split_whitespace().any(|json| json == column);
        let clean = if is_json {
            serde_json::from_str(&text)
                .ok()
                .and_then(|value| needles.redact_json(&value))
                .map(|value| value.to_string())
        } else {
            needles.redact(&text)
        };
        redacted.extend(clean.map(|clean| (column, is_json, clean)));
    }
    Ok((!redacted.is_empty()).then_some(Fate::Redacted(redacted)))
}

async fn apply(
    tools: &Tools,
    write: &mut WriteTx,
    erasure: &erasure::Model,
    table: &'static Table,
    found: Vec<Found>,
    counts: &mut Counts,
) -> Result<(), DbErr> {
    let now = tools.clock.now();
    for Found { key, fate } in found {
        let id = match key.first() {
            Some(Value::String(Some(id))) => id.clone(),
            _ => String::new(),
        };
        match fate {
            Fate::Dropped => {
                let mut rows = Rows::new(write, &erasure.id, now);
                let ids = [id];
                match table.name {
                    "call" => rows.calls(&ids, counts).await?,
                    "submission" => rows.submissions(&ids, counts).await?,
                    "visitor" => rows.visitors(&ids).await?,
                    "quarantine" => {
                        let sql = "SELECT storage_key FROM quarantine WHERE id IN {list}";
                        let keys = rows.ids(sql, &ids).await?;
                        rows.files(keys, counts).await?;
                        rows.run("DELETE FROM quarantine WHERE id IN {list}", &ids)
                            .await?;
                    }
                    _ => {
                        let sql = format!("DELETE FROM \"{}\" WHERE {}", table.name, same(table, 1));
                        execute(write, sql, key).await?;
                    }
                }
            }
            Fate::Redacted(columns) => {
                let is_postgres = tools.db.is_postgres();
                let sets: Vec<String> = columns
                    .iter()
                    .enumerate()
                    .map(|(place, (column, is_json, _))| {
                        let cast = if *is_json && is_postgres { "::jsonb" } else { "" };
                        format!("\"{column}\" = ${}{cast}", place + 1)
                    })
                    .collect();
                let sql = format!(
                    "UPDATE \"{}\" SET {} WHERE {}",
                    table.name,
                    sets.join(", "),
                    same(table, columns.len() + 1)
                );
                let values = columns
                    .into_iter()
                    .map(|(_, _, text)| Value::from(text))
                    .chain(key);
                execute(write, sql, values.collect()).await?;
                if table.name == "message" {
                    // The mail as it came holds the address too.
                    let mut rows = Rows::new(write, &erasure.id, now);
                    let ids = [id];
                    let sql =
                        "SELECT original_key FROM message WHERE original_key IS NOT NULL AND id IN {list}";
                    let keys = rows.ids(sql, &ids).await?;
                    rows.files(keys, counts).await?;
                    rows.run("UPDATE message SET original_key = NULL WHERE id IN {list}", &ids)
                        .await?;
                }
            }
        }
    }
    Ok(())
}

/// That a row has this key, its values from the `first` on.
fn same(table: &Table, first: usize) -> String {
    let tests: Vec<String> = table
        .key
        .iter()
        .enumerate()
        .map(|(place, column)| format!("\"{column}\" = ${}", first + place))
        .collect();
    tests.join(" AND ")
}

async fn execute(write: &WriteTx, sql: String, values: Vec<Value>) -> Result<(), DbErr> {
    let statement = Statement::from_sql_and_values(write.backend(), sql, values);
    write.tx().execute_raw(statement).await?;
    Ok(())
}
