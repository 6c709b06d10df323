//! The store: connecting, reading, writing. Only this folder begins transactions.

pub mod bulk;
pub mod entity;
pub mod fixed;
pub mod keyset;
mod names;
pub mod text;

mod batch;
mod connect;
mod disk;
mod engine;
mod gate;
mod write;

pub use batch::BatchTx;
pub use connect::sqlite_path;
pub use names::names;
use sea_orm::{DatabaseConnection, DbBackend, DbErr, SqlErr};
use tokio::sync::watch;
pub use write::{WriteTx, next_numbers};

use self::{engine::Engine, gate::Gate};

/// Both ways into the database.
///
/// On SQLite one connection writes (a second could only wait for it) and several read; on PostgreSQL
/// both are the same pool.
#[derive(Debug, Clone)]
pub struct Db {
    read: DatabaseConnection,
    write: DatabaseConnection,
    /// SQLite's other writer; see [`engine`].
    batches: Option<(Engine, Gate)>,
    head: watch::Sender<i64>,
}

impl Db {
    /// For everything that only looks.
    pub fn read(&self) -> &DatabaseConnection {
        &self.read
    }

    /// Begins a write. Dropped without [`WriteTx::commit`] it is undone, so `?` is always safe.
    pub async fn write(&self) -> Result<WriteTx, DbErr> {
        let turn = match &self.batches {
            Some((_, gate)) => Some(gate.turn().await?),
            None => None,
        };
        WriteTx::begin(&self.write, turn, self.head.clone()).await
    }

    /// Begins a write of many rows.
    pub async fn batch(&self) -> Result<BatchTx, DbErr> {
        let Some((engine, gate)) = &self.batches else {
            return self.write().await.map(BatchTx::on_postgres);
        };
        let turn = gate.turn().await?;
        Ok(BatchTx::on_sqlite(
            self.clone(),
            engine.clone(),
            turn,
            self.head.clone(),
        ))
    }

    /// The turn of one who writes outside of transactions; on PostgreSQL nobody needs one.
    async fn turn(&self) -> Result<Option<gate::Turn>, DbErr> {
        match &self.batches {
            Some((_, gate)) => gate.turn().await.map(Some),
            None => Ok(None),
        }
    }

    /// Which database this is.
    pub fn backend(&self) -> DbBackend {
        self.read.get_database_backend()
    }

    /// Whether this is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        self.backend() == DbBackend::Postgres
    }

    /// The newest event of the log that a commit of this process made. Changes after each such
    /// commit: whoever follows the log waits on it and then reads what is new.
    pub fn head(&self) -> watch::Receiver<i64> {
        self.head.subscribe()
    }

    /// Tells the followers of the log that another node may have written.
    pub fn announce(&self, seq: i64) {
        advance(&self.head, seq);
    }

    /// Closes all connections; waits for what runs.
    pub async fn close(self) -> Result<(), DbErr> {
        if let Some((engine, _)) = &self.batches {
            engine.close().await;
        }
        self.write.close().await?;
        self.read.close().await
    }
}

fn advance(head: &watch::Sender<i64>, seq: i64) {
    head.send_if_modified(|head| {
        let newer = seq > *head;
        *head = (*head).max(seq);
        newer
    });
}

/// Whether an error says "somebody else wrote that first": a unique or foreign key, a deadlock, a
/// serialization failure. The operation can be done again from its beginning.
pub fn is_conflict(error: &DbErr) -> bool {
    if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) {
        return true;
    }
    let text = error.to_string();
    [
        "40001",
        "40P01",
        "deadlock detected",
        "could not serialize",
        "database is locked",
        "UNIQUE constraint failed",
    ]
    .iter()
    .any(|sign| text.contains(sign))
}

/// Whether an error is the violation of a unique index.
pub fn is_unique_violation(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}
