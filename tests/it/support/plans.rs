//! A connection that asks the database how it answers each question, before it asks the question.

use std::sync::Mutex;

use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, Statement};

/// SQLite, and what it does.
pub struct Plans {
    db: DatabaseConnection,
    steps: Mutex<Vec<(String, Vec<String>)>>,
}

impl Plans {
    pub fn of(db: &DatabaseConnection) -> Self {
        Self {
            db: db.clone(),
            steps: Mutex::default(),
        }
    }

    /// The statements since the last time, each with the steps of its plan.
    pub fn taken(&self) -> Vec<(String, Vec<String>)> {
        std::mem::take(&mut self.steps.lock().unwrap())
    }

    async fn explain(&self, statement: &Statement) -> Result<(), DbErr> {
        let mut explained = statement.clone();
        explained.sql = format!("EXPLAIN QUERY PLAN {}", statement.sql);
        let rows = self.db.query_all_raw(explained).await?;
        let steps = rows
            .iter()
            .map(|row| row.try_get::<String>("", "detail"))
            .collect::<Result<_, _>>()?;
        self.steps.lock().unwrap().push((statement.sql.clone(), steps));
        Ok(())
    }
}

#[async_trait]
impl ConnectionTrait for Plans {
    fn get_database_backend(&self) -> DbBackend {
        self.db.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.db.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.db.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.explain(&statement).await?;
        self.db.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.explain(&statement).await?;
        self.db.query_all_raw(statement).await
    }
}
