//! Many rows in few statements.
//!
//! A statement costs about as much as the rows it carries, so rows go out in statements of a few
//! fixed sizes: their texts repeat, and the driver's cache of prepared statements holds them. (The query
//! builder would write a new text for each number of rows.)

use std::fmt::Write;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value};

/// Rows a statement carries, largest first. With at most 30 columns the largest stays far below both
/// databases' limits of bound values (32,766 and 65,535).
const SIZES: [usize; 8] = [128, 64, 32, 16, 8, 4, 2, 1];

/// Inserts rows. `tail` follows the values (`ON CONFLICT …`); it is written by us, never by a caller
/// from outside.
pub async fn insert(
    db: &impl ConnectionTrait,
    table: &'static str,
    columns: &[&str],
    rows: Vec<Vec<Value>>,
    tail: &str,
) -> Result<(), DbErr> {
    run(
        db,
        statements(db.get_database_backend(), table, columns, rows.into_iter(), tail),
    )
    .await
}

/// The statements that insert rows of a table, each made when it is asked for.
pub fn statements(
    backend: DbBackend,
    table: &'static str,
    columns: &[&str],
    mut rows: impl ExactSizeIterator<Item = Vec<Value>>,
    tail: &str,
) -> impl Iterator<Item = Statement> {
    std::iter::from_fn(move || {
        (rows.len() > 0).then(|| next_statement(backend, table, columns, &mut rows, tail))
    })
}

/// Runs statements in their order; the next one is made while the database is at the present one.
pub async fn run(
    db: &impl ConnectionTrait,
    mut statements: impl Iterator<Item = Statement>,
) -> Result<(), DbErr> {
    let mut next = statements.next();
    while let Some(statement) = next {
        let (done, following) = tokio::join!(db.execute_raw(statement), async { statements.next() });
        done?;
        next = following;
    }
    Ok(())
}

/// The tail that overwrites all columns but the first (the key) where the key is known.
pub fn or_update(columns: &[&str]) -> String {
    let mut tail = String::from("ON CONFLICT (");
    let Some((key, others)) = columns.split_first() else {
        return String::new();
    };
    push_quoted(&mut tail, key);
    tail.push_str(") DO UPDATE SET ");
    for (position, column) in others.iter().enumerate() {
        if position > 0 {
            tail.push_str(", ");
        }
        push_quoted(&mut tail, column);
        tail.push_str(" = excluded.");
        push_quoted(&mut tail, column);
    }
    tail
}

/// The size of a list of so many values: one of few, see [`padded`].
fn list_size(values: usize) -> usize {
    SIZES
        .iter()
        .rev()
        .copied()
        .find(|size| *size >= values)
        .unwrap_or_else(|| values.next_multiple_of(SIZES[0]))
}

/// The values of an `IN`, padded to one of few sizes by repeating the last one: a list of each length
/// would be a statement of its own, parsed and planned anew each time. None stay none.
pub fn padded<T: Clone>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.into_iter().collect();
    if let Some(last) = values.last().cloned() {
        values.resize(list_size(values.len()), last);
    }
    values
}

/// `($1, $2, …)` placeholders for `IN`, padded as [`padded`] does. Answers the list and the values.
pub fn in_list(first: usize, values: Vec<Value>) -> (String, Vec<Value>) {
    let values = padded(values);
    let mut list = String::from("(");
    for position in 0..values.len() {
        if position > 0 {
            list.push_str(", ");
        }
        let _infallible = write!(list, "${}", first + position);
    }
    list.push(')');
    (list, values)
}

fn next_statement(
    backend: DbBackend,
    table: &str,
    columns: &[&str],
    rest: &mut impl ExactSizeIterator<Item = Vec<Value>>,
    tail: &str,
) -> Statement {
    let size = SIZES
        .iter()
        .copied()
        .find(|size| *size <= rest.len())
        .unwrap_or(1);
    let mut sql = String::with_capacity(64 + size * columns.len() * 6);
    sql.push_str("INSERT INTO ");
    push_quoted(&mut sql, table);
    sql.push_str(" (");
    for (position, column) in columns.iter().enumerate() {
        if position > 0 {
            sql.push_str(", ");
        }
        push_quoted(&mut sql, column);
    }
    sql.push_str(") VALUES ");
    let mut number = 0;
    // A numbered place has a name to SQLite, and the driver asks for the name of each place, which is a
    // search through all of them: with thousands of values that search was most of the work.
    let sqlite = backend == DbBackend::Sqlite;
    for row in 0..size {
        sql.push_str(if row > 0 { ", (" } else { "(" });
        for position in 0..columns.len() {
            number += 1;
            if position > 0 {
                sql.push_str(", ");
            }
            if sqlite {
                sql.push('?');
            } else {
                let _infallible = write!(sql, "${number}");
            }
        }
        sql.push(')');
    }
    sql.push(' ');
    sql.push_str(tail);
    let mut values = Vec::with_capacity(size * columns.len());
    for row in rest.take(size) {
        values.extend(row);
    }
    Statement::from_sql_and_values(backend, sql, values)
}

fn push_quoted(sql: &mut String, name: &str) {
    sql.push('"');
    sql.push_str(name);
    sql.push('"');
}
