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

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};
    use serde_json::json;

    use crate::db::{Db, is_conflict};

    const PROBE: &str = "CREATE TABLE probe (id TEXT PRIMARY KEY, value)";

    async fn store() -> (tempfile::TempDir, Db) {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("probe.db").display());
        let db = Db::connect(&url).await.unwrap();
        let write = db.write().await.unwrap();
        write.tx().execute_unprepared(PROBE).await.unwrap();
        write.commit().await.unwrap();
        (folder, db)
    }

    fn row(id: &str, value: impl Into<Value>) -> Vec<Value> {
        vec![id.into(), value.into()]
    }

    async fn batch(db: &Db, rows: Vec<Vec<Value>>) -> Result<(), sea_orm::DbErr> {
        let mut batch = db.batch().await?;
        batch
            .insert("probe", &["id", "value"], rows.into_iter(), "")
            .await?;
        batch.commit().await
    }

    async fn stored(db: &Db) -> Vec<String> {
        let sql = "SELECT typeof(value) || ' ' || quote(value) AS form FROM probe ORDER BY id";
        db.read()
            .query_all_raw(Statement::from_string(DbBackend::Sqlite, sql))
            .await
            .unwrap()
            .iter()
            .map(|row| row.try_get("", "form").unwrap())
            .collect()
    }

    #[tokio::test]
    async fn a_batch_stores_each_value_in_the_form_of_the_driver() {
        let at = DateTime::<Utc>::from_timestamp(1_790_000_000, 0).unwrap();
        let values: Vec<Value> = vec![
            at.into(),
            (at + TimeDelta::milliseconds(120)).into(),
            (at + TimeDelta::microseconds(7)).into(),
            (at + TimeDelta::nanoseconds(1)).into(),
            json!({ "b": [1, null, "é"], "a": 0.5 }).into(),
            json!(null).into(),
            true.into(),
            7_i32.into(),
            i64::MIN.into(),
            0.25_f64.into(),
            "text 'quoted'".into(),
            vec![0_u8, 255].into(),
            Option::<String>::None.into(),
            Option::<DateTime<Utc>>::None.into(),
        ];
        let (_folder, db) = store().await;
        let rows = |prefix: &str| {
            let numbered = values.iter().enumerate();
            numbered
                .map(|(n, value)| row(&format!("{n:02}{prefix}"), value.clone()))
                .collect::<Vec<_>>()
        };
        batch(&db, rows("batch")).await.unwrap();
        let write = db.write().await.unwrap();
        crate::db::bulk::insert(write.tx(), "probe", &["id", "value"], rows("driver"), "")
            .await
            .unwrap();
        write.commit().await.unwrap();

        let forms = stored(&db).await;
        assert_eq!(forms.len(), 2 * values.len());
        for (pair, value) in forms.chunks(2).zip(&values) {
            assert_eq!(pair[0], pair[1], "{value:?}");
        }
    }

    #[tokio::test]
    async fn a_refused_row_fails_the_whole_batch_as_a_conflict_and_the_next_batch_is_stored() {
        let (_folder, db) = store().await;
        batch(&db, vec![row("1", 1)]).await.unwrap();
        let error = batch(&db, vec![row("0", 0), row("1", 2), row("2", 2)])
            .await
            .unwrap_err();
        assert!(is_conflict(&error), "{error}");
        batch(&db, vec![row("3", 3)]).await.unwrap();
        assert_eq!(stored(&db).await, ["integer 1", "integer 3"]);
    }

    #[tokio::test]
    async fn a_batch_that_is_dropped_leaves_nothing_and_lets_the_next_writer_in() {
        let (_folder, db) = store().await;
        let mut dropped = db.batch().await.unwrap();
        dropped
            .insert("probe", &["id", "value"], vec![row("1", 1)].into_iter(), "")
            .await
            .unwrap();
        drop(dropped);
        let write = db.write().await.unwrap();
        write
            .tx()
            .execute_unprepared("INSERT INTO probe VALUES ('2', 2)")
            .await
            .unwrap();
        write.commit().await.unwrap();
        assert_eq!(stored(&db).await, ["integer 2"]);
    }
}
