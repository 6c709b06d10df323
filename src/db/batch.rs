//! Many rows of many tables, one transaction: how ingest writes.

use sea_orm::{DatabaseExecutor, DbBackend, DbErr, Statement, Value};
use tokio::sync::watch;

use super::{
    Db, WriteTx, advance, bulk,
    engine::{Engine, Rows, insert_sql},
    gate::Turn,
    next_numbers,
};
use crate::event::NewEvent;

/// A batch in progress; not committed it is undone.
///
/// The same promises as [`WriteTx`]: the writer's turn is held from the beginning, and events get dense
/// numbers in the order of commits. It differs in what it sees: on SQLite [`BatchTx::read`] looks at the
/// state before the batch (no one else can change it meanwhile), so a batch decides first and writes
/// then.
#[derive(Debug)]
#[must_use = "a batch that is not committed is undone"]
pub struct BatchTx(Inner);

#[derive(Debug)]
enum Inner {
    Sqlite(Sqlite),
    Postgres(WriteTx),
}

#[derive(Debug)]
struct Sqlite {
    db: Db,
    engine: Engine,
    events: Vec<NewEvent>,
    head: watch::Sender<i64>,
    open: bool,
    // Last: the next writer's turn comes after the rollback was asked for.
    _turn: Turn,
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        if self.open {
            self.engine.rollback();
        }
    }
}

impl BatchTx {
    pub(super) fn on_sqlite(db: Db, engine: Engine, turn: Turn, head: watch::Sender<i64>) -> Self {
        engine.begin();
        let batch = Sqlite {
            db,
            engine,
            events: Vec::new(),
            head,
            open: true,
            _turn: turn,
        };
        Self(Inner::Sqlite(batch))
    }

    pub(super) fn on_postgres(write: WriteTx) -> Self {
        Self(Inner::Postgres(write))
    }

    /// Where to read what the batch decides upon, before it writes.
    pub fn read(&self) -> DatabaseExecutor<'_> {
        match &self.0 {
            Inner::Sqlite(batch) => batch.db.read().into(),
            Inner::Postgres(write) => write.tx().into(),
        }
    }

    /// Which database this is.
    pub fn backend(&self) -> DbBackend {
        match &self.0 {
            Inner::Sqlite(_) => DbBackend::Sqlite,
            Inner::Postgres(write) => write.backend(),
        }
    }

    /// As [`WriteTx::lock`].
    pub async fn lock(&self, name: i64) -> Result<(), DbErr> {
        match &self.0 {
            Inner::Sqlite(_) => Ok(()),
            Inner::Postgres(write) => write.lock(name).await,
        }
    }

    /// Inserts rows. `tail` follows the values (`ON CONFLICT …`); it is written by us, never by a caller
    /// from outside. On SQLite a failure may come with a later step, at the latest with the commit.
    pub async fn insert(
        &mut self,
        table: &'static str,
        columns: &[&str],
        rows: impl ExactSizeIterator<Item = Vec<Value>>,
        tail: &str,
    ) -> Result<(), DbErr> {
        if rows.len() == 0 {
            return Ok(());
        }
        match &self.0 {
            Inner::Sqlite(batch) => {
                batch.engine.insert(Rows {
                    sql: insert_sql(table, columns, tail),
                    rows: rows.collect(),
                });
                Ok(())
            }
            Inner::Postgres(write) => {
                let statements = bulk::statements(write.backend(), table, columns, rows, tail);
                bulk::run(write.tx(), statements).await
            }
        }
    }

    /// Runs one statement; answers how many rows it changed.
    pub async fn execute(&mut self, statement: Statement) -> Result<u64, DbErr> {
        match &self.0 {
            Inner::Sqlite(batch) => batch.engine.execute(statement).await,
            Inner::Postgres(write) => {
                use sea_orm::ConnectionTrait;
                Ok(write.tx().execute_raw(statement).await?.rows_affected())
            }
        }
    }

    /// As [`next_numbers`].
    pub async fn next_numbers(&mut self, counter: &'static str, count: i64) -> Result<i64, DbErr> {
        match &self.0 {
            Inner::Sqlite(batch) => batch.engine.next_numbers(counter, count).await,
            Inner::Postgres(write) => next_numbers(write.tx(), counter, count).await,
        }
    }

    /// As [`WriteTx::record`].
    pub fn record(&mut self, event: NewEvent) {
        match &mut self.0 {
            Inner::Sqlite(batch) => batch.events.push(event),
            Inner::Postgres(write) => write.record(event),
        }
    }

    /// As [`WriteTx::commit`].
    pub async fn commit(self) -> Result<(), DbErr> {
        let mut batch = match self.0 {
            Inner::Postgres(write) => return write.commit().await,
            Inner::Sqlite(batch) => batch,
        };
        let mut last = None;
        if !batch.events.is_empty() {
            let rows = Rows {
                sql: insert_sql("event", &NewEvent::COLUMNS, ""),
                // The thread puts the numbers in.
                rows: batch.events.iter().map(|event| event.row(0)).collect(),
            };
            last = Some(batch.engine.insert_numbered("event", rows).await?);
        }
        batch.engine.commit().await?;
        batch.open = false;
        if let Some(last) = last {
            advance(&batch.head, last);
        }
        Ok(())
    }
}
