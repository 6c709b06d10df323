//! The one way to write: a transaction that carries its events.

use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use tokio::sync::watch;

use super::{advance, bulk, gate::Turn};
use crate::event::NewEvent;

/// A write in progress.
///
/// Events recorded on it are appended to the log as the very last step before the commit. Their
/// numbers come from one counter row that stays locked until the commit, so numbers are dense and
/// their order is the order of commits, on both databases; nobody who reads "after N" can skip a
/// transaction that was slow.
#[derive(Debug)]
#[must_use = "a write that is not committed is undone"]
pub struct WriteTx {
    tx: DatabaseTransaction,
    events: Vec<NewEvent>,
    head: watch::Sender<i64>,
    // Last: the next writer's turn comes after the rollback was asked for.
    _turn: Option<Turn>,
}

impl WriteTx {
    pub(super) async fn begin(
        write: &DatabaseConnection,
        turn: Option<Turn>,
        head: watch::Sender<i64>,
    ) -> Result<Self, DbErr> {
        let options = TransactionOptions {
            isolation_level: None,
            access_mode: Some(AccessMode::ReadWrite),
            // A deferred transaction that reads before it writes fails under contention.
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        };
        let options = if write.get_database_backend() == DbBackend::Sqlite {
            TransactionOptions {
                access_mode: None,
                ..options
            }
        } else {
            TransactionOptions {
                sqlite_transaction_mode: None,
                ..options
            }
        };
        Ok(Self {
            tx: write.begin_with_options(options).await?,
            events: Vec::new(),
            head,
            _turn: turn,
        })
    }

    /// The connection to run statements on.
    pub fn tx(&self) -> &DatabaseTransaction {
        &self.tx
    }

    /// Which database this is.
    pub fn backend(&self) -> DbBackend {
        self.tx.get_database_backend()
    }

    /// Appends an event to the log when this write commits.
    pub fn record(&mut self, event: NewEvent) {
        self.events.push(event);
    }

    /// Takes a lock that others who ask for the same name wait for, until the end of this write.
    /// On SQLite every write holds the only one already.
    pub async fn lock(&self, name: i64) -> Result<(), DbErr> {
        if self.backend() == DbBackend::Postgres {
            let sql = "SELECT pg_advisory_xact_lock($1)";
            self.tx
                .execute_raw(Statement::from_sql_and_values(
                    DbBackend::Postgres,
                    sql,
                    [name.into()],
                ))
                .await?;
        }
        Ok(())
    }

    /// Makes it durable, then wakes the followers of the log.
    pub async fn commit(self) -> Result<(), DbErr> {
        let last = self.append_events().await?;
        self.tx.commit().await?;
        if let Some(last) = last {
            advance(&self.head, last);
        }
        Ok(())
    }

    async fn append_events(&self) -> Result<Option<i64>, DbErr> {
        if self.events.is_empty() {
            return Ok(None);
        }
        let count = i64::try_from(self.events.len()).unwrap_or(i64::MAX);
        let last = next_numbers(&self.tx, "event", count).await?;
        let rows = self
            .events
            .iter()
            .zip(last - count + 1..)
            .map(|(event, seq)| event.row(seq))
            .collect();
        bulk::insert(&self.tx, "event", &NewEvent::COLUMNS, rows, "").await?;
        Ok(Some(last))
    }
}

/// Takes `count` numbers from a counter and answers the last of them. Whoever comes next waits for
/// the end of this transaction.
pub async fn next_numbers(tx: &impl ConnectionTrait, counter: &str, count: i64) -> Result<i64, DbErr> {
    let sql = "UPDATE counter SET value = value + $1 WHERE name = $2 RETURNING value";
    let statement =
        Statement::from_sql_and_values(tx.get_database_backend(), sql, [count.into(), counter.into()]);
    let row = tx.query_one_raw(statement).await?;
    row.ok_or_else(|| DbErr::RecordNotFound(format!("counter {counter}")))?
        .try_get("", "value")
}
