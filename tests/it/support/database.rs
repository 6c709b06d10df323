//! A database for one test: a file in a temporary folder, or a database of its own on the test server.

use sea_orm::{ConnectionTrait, Database as SeaDatabase};
use switchboard::db::Db;
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// The PostgreSQL template with the schema, made once per run: copying it is faster than migrating.
static TEMPLATE: OnceCell<String> = OnceCell::const_new();

/// A database that goes away with its test.
pub struct Database {
    pub url: String,
    pub folder: TempDir,
    server: Option<(String, String)>,
}

impl Database {
    /// A file of its own.
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/switchboard.db", folder.path().display());
        Self {
            url,
            folder,
            server: None,
        }
    }

    /// A database of its own on the server of `SWITCHBOARD_TEST_POSTGRES`.
    pub async fn postgres() -> Self {
        let server = std::env::var("SWITCHBOARD_TEST_POSTGRES").expect(
            "SWITCHBOARD_TEST_POSTGRES is not set: run `make test-rust`, or start the servers: eval \"$(make -s servers)\"",
        );
        let template = TEMPLATE
            .get_or_init(|| make_template(server.clone()))
            .await
            .clone();
        let name = format!("sb_{}", uuid::Uuid::new_v4().simple());
        // Two copies of one template at the same time refuse each other.
        let mut tries = 0;
        while let Err(error) = run(&server, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await {
            tries += 1;
            assert!(tries < 200, "{error}");
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        Self {
            url: beside(&server, &name),
            folder: tempfile::tempdir().unwrap(),
            server: Some((server, name)),
        }
    }

    /// The same database for another process; this one takes it away.
    pub fn shared(&self) -> Self {
        Self {
            url: self.url.clone(),
            folder: tempfile::tempdir().unwrap(),
            server: None,
        }
    }

    /// Opens it, with its schema.
    pub async fn open(&self) -> Db {
        let db = Db::connect(&self.url).await.unwrap();
        db.migrate().await.unwrap();
        db
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some((server, name)) = self.server.take() {
            // Outside the test's runtime, which may be ending.
            let dropped = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                runtime.block_on(run(
                    &server,
                    &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
                ))
            });
            drop(dropped.join());
        }
    }
}

async fn make_template(server: String) -> String {
    let name = format!("sb_template_{}", uuid::Uuid::new_v4().simple());
    run(&server, &format!("CREATE DATABASE {name}")).await.unwrap();
    let db = Db::connect(&beside(&server, &name)).await.unwrap();
    db.migrate().await.unwrap();
    db.close().await.unwrap();
    name
}

async fn run(server: &str, sql: &str) -> Result<(), sea_orm::DbErr> {
    let connection = SeaDatabase::connect(server).await?;
    let result = connection.execute_unprepared(sql).await.map(|_| ());
    connection.close().await?;
    result
}

fn beside(server: &str, name: &str) -> String {
    let (before, _) = server.rsplit_once('/').expect("a URL with a database");
    format!("{before}/{name}")
}
