//! Opening the database and bringing its schema up.

use std::{path::Path, time::Duration};

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DbErr, EntityTrait};
use switchboard_migrations::Migrator;
use tokio::sync::watch;

use super::{Db, engine::Engine, entity::counter, gate::Gate};

/// SQLite readers: WAL lets them run beside the writer and each other.
const SQLITE_READERS: u32 = 8;
/// PostgreSQL connections of one node.
const POSTGRES_CONNECTIONS: u32 = 16;
/// How long a write waits for another process on the same SQLite file (a command beside the server).
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(15);
/// What the writer keeps of the database, in kibibytes with a minus.
const WRITER_CACHE: &str = "-8000";
/// What each reader keeps: what eight of them keep the system's cache keeps too.
const READER_CACHE: &str = "-3000";
/// What each SQLite connection is set to; a reader's cache is another.
pub(super) const PRAGMAS: [(&str, &str); 6] = [
    ("journal_mode", "WAL"),
    // NORMAL may lose the last commits on power loss, and a provider was told after the commit.
    ("synchronous", "FULL"),
    ("temp_store", "MEMORY"),
    ("cache_size", WRITER_CACHE),
    ("journal_size_limit", "67108864"),
    // What was removed is written over: a person who is erased is not to be found in the file.
    ("secure_delete", "ON"),
];

impl Db {
    /// Opens `sqlite://path` or `postgres://…`, creating the SQLite file and its folder when needed.
    /// The schema is left as it is; see [`Db::migrate`].
    pub async fn connect(url: &str) -> Result<Self, DbErr> {
        let (read, write, batches) = if let Some(path) = sqlite_path(url) {
            if let Some(folder) = Path::new(path)
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty())
            {
                std::fs::create_dir_all(folder).map_err(|error| {
                    DbErr::Custom(format!(
                        "cannot create the database's folder {}: {error}",
                        folder.display()
                    ))
                })?;
            }
            // The writer first: it creates the file and switches it to WAL.
            let write = Database::connect(sqlite(url, 1)).await?;
            let batches = (Engine::start(path.into())?, Gate::default());
            let read = Database::connect(sqlite(url, SQLITE_READERS)).await?;
            (read, write, Some(batches))
        } else {
            let pool = Database::connect(postgres(url)).await?;
            (pool.clone(), pool, None)
        };
        Ok(Self {
            read,
            write,
            batches,
            head: watch::Sender::new(0),
        })
    }

    /// Brings the schema up to this version and learns where the log ends.
    pub async fn migrate(&self) -> Result<(), DbErr> {
        use sea_orm_migration::MigratorTrait;
        Migrator::up(&self.write, None).await?;
        self.learn_head().await
    }

    /// Learns where the log ends, for a database whose schema is known to be up.
    pub async fn learn_head(&self) -> Result<(), DbErr> {
        let head = counter::Entity::find_by_id("event").one(&self.read).await?;
        self.announce(head.map_or(0, |row| row.value));
        Ok(())
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), DbErr> {
        self.read.execute_unprepared("SELECT 1").await.map(|_| ())
    }
}

/// The file of a SQLite URL.
pub fn sqlite_path(url: &str) -> Option<&str> {
    let rest = url
        .strip_prefix("sqlite://")
        .or_else(|| url.strip_prefix("sqlite:"))?;
    Some(rest.split('?').next().unwrap_or(rest))
}

fn sqlite(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(Duration::from_secs(30))
        .sqlx_logging(false)
        // PRAGMAs by statement would reach one connection of the pool only.
        .map_sqlx_sqlite_opts(move |options| {
            let options = options
                .create_if_missing(true)
                .foreign_keys(true)
                .busy_timeout(BUSY_TIMEOUT);
            let options = PRAGMAS
                .into_iter()
                .fold(options, |options, (name, value)| options.pragma(name, value));
            if connections > 1 {
                options.pragma("cache_size", READER_CACHE)
            } else {
                options
            }
        });
    options
}

fn postgres(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(POSTGRES_CONNECTIONS)
        .min_connections(1)
        .acquire_timeout(Duration::from_secs(30))
        .sqlx_logging(false);
    options
}
