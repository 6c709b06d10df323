//! SQLite without the driver between: the thread that writes batches.
//!
//! The driver hands each statement to its thread and back and copies each value twice on the way, which
//! took as long as SQLite itself when a batch has thousands of values. Here rows go to the thread table
//! by table and nobody waits for them: the next table's rows are made while this one's are inserted with
//! one prepared statement. The first failure is kept, what follows it is skipped, and the next command
//! that has an answer tells it.

use std::{fmt::Write, path::PathBuf, thread};

use chrono::{DateTime, SecondsFormat, Utc};
use rusqlite::{Connection, Statement as Prepared, types::Null};
use sea_orm::{DbErr, RuntimeErr, Statement, Value};
use tokio::sync::{mpsc, oneshot};

use super::connect::{BUSY_TIMEOUT, PRAGMAS};

/// Prepared statements kept: a batch has about twenty different ones.
const STATEMENTS: usize = 64;

/// Rows of one table.
#[derive(Debug)]
pub(super) struct Rows {
    /// The statement that inserts one row.
    pub sql: String,
    pub rows: Vec<Vec<Value>>,
}

type Answer<T> = oneshot::Sender<Result<T, DbErr>>;

enum Command {
    Begin,
    Insert(Rows),
    InsertNumbered(&'static str, Rows, Answer<i64>),
    NextNumbers(&'static str, i64, Answer<i64>),
    Execute(Statement, Answer<u64>),
    Commit(Answer<()>),
    Rollback,
    Close(oneshot::Sender<()>),
}

/// The way to the thread. It ends with the last handle.
#[derive(Debug, Clone)]
pub(super) struct Engine {
    commands: mpsc::UnboundedSender<Command>,
}

impl Engine {
    /// Starts the thread; the file is opened with the first batch.
    pub fn start(path: PathBuf) -> Result<Self, DbErr> {
        let (commands, mut receiver) = mpsc::unbounded_channel();
        let run = move || {
            let mut worker = Worker {
                path,
                connection: None,
                failed: None,
                time: Time::default(),
            };
            while let Some(command) = receiver.blocking_recv() {
                if let Command::Close(done) = command {
                    drop(worker);
                    // Whoever asked may have gone.
                    let _gone = done.send(());
                    return;
                }
                worker.handle(command);
            }
        };
        thread::Builder::new()
            .name("sqlite-batches".to_owned())
            .spawn(run)
            .map_err(|error| {
                DbErr::Custom(format!("cannot start the thread that writes batches: {error}"))
            })?;
        Ok(Self { commands })
    }

    /// Begins a transaction. One at a time: the caller holds the gate of writers. As with [`Self::insert`]
    /// nobody waits, and a failure is told later.
    pub fn begin(&self) {
        drop(self.commands.send(Command::Begin));
    }

    /// Inserts rows; a failure is told by the next command with an answer.
    pub fn insert(&self, rows: Rows) {
        // A thread that has ended is told by the next command with an answer, too.
        drop(self.commands.send(Command::Insert(rows)));
    }

    /// Takes a number of `counter` for each row, puts it in the row's first column and inserts them.
    /// Answers the last number.
    pub async fn insert_numbered(&self, counter: &'static str, rows: Rows) -> Result<i64, DbErr> {
        self.ask(|answer| Command::InsertNumbered(counter, rows, answer))
            .await
    }

    /// Takes `count` numbers from a counter and answers the last of them.
    pub async fn next_numbers(&self, counter: &'static str, count: i64) -> Result<i64, DbErr> {
        self.ask(|answer| Command::NextNumbers(counter, count, answer))
            .await
    }

    /// Runs any statement and answers how many rows it changed.
    pub async fn execute(&self, statement: Statement) -> Result<u64, DbErr> {
        self.ask(|answer| Command::Execute(statement, answer)).await
    }

    /// Makes it durable.
    pub async fn commit(&self) -> Result<(), DbErr> {
        self.ask(Command::Commit).await
    }

    /// Undoes what was begun and not committed.
    pub fn rollback(&self) {
        drop(self.commands.send(Command::Rollback));
    }

    /// Ends the thread, after what it is at.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.commands.send(Command::Close(done)).is_ok() {
            drop(closed.await);
        }
    }

    async fn ask<T>(&self, command: impl FnOnce(Answer<T>) -> Command) -> Result<T, DbErr> {
        let (answer, answered) = oneshot::channel();
        drop(self.commands.send(command(answer)));
        answered
            .await
            .unwrap_or_else(|_| Err(failure("its thread is closed")))
    }
}

struct Worker {
    path: PathBuf,
    connection: Option<Connection>,
    failed: Option<String>,
    time: Time,
}

impl Worker {
    fn handle(&mut self, command: Command) {
        match command {
            Command::Begin => {
                self.failed = None;
                drop(self.attempt(|connection, _| connection.execute_batch("BEGIN IMMEDIATE")));
            }
            Command::Insert(rows) => {
                // Kept in `failed`, and told by whoever asks next.
                drop(self.attempt(|connection, time| insert(connection, time, &rows)));
            }
            Command::InsertNumbered(counter, mut rows, answer) => {
                let inserted = self.attempt(|connection, time| {
                    let count = i64::try_from(rows.rows.len()).unwrap_or(i64::MAX);
                    let last = next_numbers(connection, counter, count)?;
                    for (number, row) in (last - count + 1..).zip(&mut rows.rows) {
                        if let Some(place) = row.first_mut() {
                            *place = number.into();
                        }
                    }
                    insert(connection, time, &rows)?;
                    Ok(last)
                });
                drop(answer.send(inserted));
            }
            Command::NextNumbers(counter, count, answer) => {
                drop(answer.send(self.attempt(|connection, _| next_numbers(connection, counter, count))));
            }
            Command::Execute(statement, answer) => {
                let values = statement.values.map(|values| values.0).unwrap_or_default();
                let changed = self.attempt(|connection, time| {
                    let mut prepared = connection.prepare_cached(&statement.sql)?;
                    execute(&mut prepared, time, &values)
                });
                drop(answer.send(changed.map(|count| u64::try_from(count).unwrap_or(u64::MAX))));
            }
            Command::Commit(answer) => {
                let committed = self.attempt(|connection, _| connection.execute_batch("COMMIT"));
                if committed.is_err() {
                    self.undo();
                }
                drop(answer.send(committed));
            }
            Command::Rollback => self.undo(),
            Command::Close(_) => {}
        }
    }

    fn attempt<T>(
        &mut self,
        run: impl FnOnce(&Connection, &mut Time) -> rusqlite::Result<T>,
    ) -> Result<T, DbErr> {
        if let Some(message) = &self.failed {
            return Err(failure(message));
        }
        let result = match &mut self.connection {
            Some(connection) => run(connection, &mut self.time),
            none => open(&self.path).and_then(|connection| run(none.insert(connection), &mut self.time)),
        };
        result.map_err(|error| {
            let message = error.to_string();
            let told = failure(&message);
            self.failed = Some(message);
            told
        })
    }

    fn undo(&mut self) {
        self.failed = None;
        let Some(connection) = &self.connection else {
            return;
        };
        if !connection.is_autocommit()
            && let Err(error) = connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a batch could not be undone; its connection is opened again");
            self.connection = None;
        }
    }
}

fn failure(message: &str) -> DbErr {
    DbErr::Exec(RuntimeErr::Internal(format!("SQLite: {message}")))
}

fn open(path: &PathBuf) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    for (name, value) in PRAGMAS {
        connection.pragma_update(None, name, value)?;
    }
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// The statement that inserts one row. `tail` follows the values.
pub(super) fn insert_sql(table: &str, columns: &[&str], tail: &str) -> String {
    let mut sql = format!("INSERT INTO \"{table}\" (");
    for (position, column) in columns.iter().enumerate() {
        let comma = if position > 0 { ", " } else { "" };
        let _infallible = write!(sql, "{comma}\"{column}\"");
    }
    sql.push_str(") VALUES (");
    for position in 0..columns.len() {
        sql.push_str(if position > 0 { ",?" } else { "?" });
    }
    sql.push_str(") ");
    sql.push_str(tail);
    sql
}

fn insert(connection: &Connection, time: &mut Time, rows: &Rows) -> rusqlite::Result<()> {
    let mut prepared = connection.prepare_cached(&rows.sql)?;
    for row in &rows.rows {
        execute(&mut prepared, time, row)?;
    }
    Ok(())
}

fn execute(prepared: &mut Prepared<'_>, time: &mut Time, values: &[Value]) -> rusqlite::Result<usize> {
    for (place, value) in (1..).zip(values) {
        bind(prepared, time, place, value)?;
    }
    prepared.raw_execute()
}

fn next_numbers(connection: &Connection, counter: &str, count: i64) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("UPDATE counter SET value = value + ? WHERE name = ? RETURNING value")?
        .query_row((count, counter), |row| row.get(0))
}

/// Binds a value in the form in which the driver would store it, so that a column has one form.
fn bind(prepared: &mut Prepared<'_>, time: &mut Time, place: usize, value: &Value) -> rusqlite::Result<()> {
    match value {
        Value::Bool(Some(value)) => prepared.raw_bind_parameter(place, value),
        Value::Int(Some(value)) => prepared.raw_bind_parameter(place, value),
        Value::BigInt(Some(value)) => prepared.raw_bind_parameter(place, value),
        Value::Double(Some(value)) => prepared.raw_bind_parameter(place, value),
        Value::String(Some(value)) => prepared.raw_bind_parameter(place, value.as_str()),
        Value::Bytes(Some(value)) => prepared.raw_bind_parameter(place, value.as_slice()),
        Value::Json(Some(value)) => prepared.raw_bind_parameter(place, value.to_string()),
        Value::ChronoDateTimeUtc(Some(value)) => prepared.raw_bind_parameter(place, time.text(*value)),
        Value::Bool(None)
        | Value::Int(None)
        | Value::BigInt(None)
        | Value::Double(None)
        | Value::String(None)
        | Value::Bytes(None)
        | Value::Json(None)
        | Value::ChronoDateTimeUtc(None) => prepared.raw_bind_parameter(place, Null),
        other => Err(rusqlite::Error::ToSqlConversionFailure(
            format!("no column of ours holds a {other:?}").into(),
        )),
    }
}

/// Nearly all times of a batch are the same one: it is put into words once.
#[derive(Default)]
struct Time {
    of: DateTime<Utc>,
    text: String,
}

impl Time {
    fn text(&mut self, value: DateTime<Utc>) -> &str {
        if self.text.is_empty() || self.of != value {
            self.of = value;
            self.text = value.to_rfc3339_opts(SecondsFormat::AutoSi, false);
        }
        &self.text
    }
}
