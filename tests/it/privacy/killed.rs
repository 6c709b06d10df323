//! The program killed (SIGKILL) in the middle of erasing somebody: the next one ends it, and nothing of them is left.

use std::{path::Path, time::Duration};

use reqwest::Client;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::Value;
use switchboard::db::{
    Db,
    entity::{erasure, lease},
};

use super::{found_in_tables, found_on_disk, seed};
use crate::{
    cli::{Server, program},
    imports,
    support::{Database, TestApp},
};

/// People beside her: so many rows are looked through that a kill comes in the midst of it.
const OTHERS: usize = 3_000;
const KILLS: usize = 4;

fn serve(database: &Database, folder: &Path) -> Server {
    let files = format!("file://{}/attachments", folder.display());
    Server::of(
        program(folder)
            .env("SWITCHBOARD__DATABASE__URL", &database.url)
            .env("SWITCHBOARD__STORAGE__URL", files)
            .env("SWITCHBOARD__SECURITY__MASTER_KEY", "11".repeat(32)),
    )
}

async fn row(db: &Db, id: &str) -> erasure::Model {
    let found = erasure::Entity::find_by_id(id).one(db.read()).await.unwrap();
    found.unwrap()
}

/// As far as it is when it has moved on from `from`. The server is another process: nothing here wakes when it writes.
async fn further(db: &Db, id: &str, from: Option<&(String, i64)>) -> (String, i64) {
    let moved = async {
        loop {
            let row = row(db, id).await;
            let at = (row.state, row.step);
            if Some(&at) != from {
                return at;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), moved)
        .await
        .unwrap()
}

async fn killed_in_the_midst(database: Database) {
    let app = TestApp::start(database).await;
    let others = imports::table(OTHERS).into_bytes();
    let import = imports::upload(&app, &app.key, "others.csv", others)
        .await
        .expect(201);
    imports::act(&app, &import, "start").await;
    let known = seed(&app).await;
    let key = app.key.clone();
    let database = app.stop().await;
    let folder = database.folder.path().to_owned();
    let db = Db::connect(&database.url).await.unwrap();
    assert!(!found_on_disk(&folder, &known).is_empty());

    let mut server = serve(&database, &folder);
    let client = Client::builder().build().unwrap();
    let url = format!("{}/api/v1/contacts/{}", server.base, known.contact);
    let answer = client.delete(url).bearer_auth(&key).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    let begun: Value = answer.json().await.unwrap();
    let id = begun["id"].as_str().unwrap();

    let (mut killed, mut at) = (Vec::new(), None);
    while killed.len() < KILLS {
        let reached = further(&db, id, at.as_ref()).await;
        drop(server); // SIGKILL
        let left = row(&db, id).await;
        if left.state != "done" {
            killed.push((left.state.clone(), left.step));
        }
        at = Some((left.state.clone(), left.step));
        // What a dead process held lapses in seconds; nobody waits for them here.
        lease::Entity::delete_many()
            .filter(lease::Column::Name.starts_with("erasure:"))
            .exec(db.read())
            .await
            .unwrap();
        server = serve(&database, &folder);
        if left.state == "done" {
            drop(reached);
            break;
        }
    }
    assert!(killed.len() >= 2, "it was killed in the midst: {killed:?}");

    let ended = async {
        while row(&db, id).await.state != "done" {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), ended)
        .await
        .unwrap();
    drop(server);
    assert_eq!(found_in_tables(&db, &known).await, Vec::<String>::new());
    db.close().await.unwrap();
    assert_eq!(found_on_disk(&folder, &known), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erasure_whose_program_is_killed_again_and_again_ends_and_leaves_nothing_on_sqlite() {
    killed_in_the_midst(Database::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erasure_whose_program_is_killed_again_and_again_ends_and_leaves_nothing_on_postgres() {
    killed_in_the_midst(Database::postgres().await).await;
}
