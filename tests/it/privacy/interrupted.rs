//! Cut short anywhere, gone on with by the next process.

use std::{sync::Arc, time::Duration};

use sea_orm::EntityTrait;
use switchboard::{
    clock::SystemClock,
    db::{Db, entity::erasure},
    erase::{Tools, run, store},
    storage::Storage,
};
use switchboard_sdk::{CancellationToken, Clock as _};

use super::{found_in_tables, found_on_disk, seed};
use crate::support::{Database, TestApp};

async fn tools(url: &str, folder: &std::path::Path, vault: switchboard::secret::Vault) -> Tools {
    Tools {
        db: Db::connect(url).await.unwrap(),
        storage: Storage::open(&format!("file://{}/attachments", folder.display())).unwrap(),
        clock: Arc::new(SystemClock),
        vault,
        node: "node".to_owned(),
    }
}

async fn cut_short_after_each_piece(database: Database) {
    let app = TestApp::start(database).await;
    let known = seed(&app).await;
    let vault = app.app.vault.clone();
    let database = app.stop().await;
    let folder = database.folder.path().to_owned();
    let never = CancellationToken::new();

    let first = tools(&database.url, &folder, vault.clone()).await;
    let mut write = first.db.write().await.unwrap();
    let admin = switchboard::db::entity::operator::Entity::find()
        .one(first.db.read())
        .await
        .unwrap()
        .unwrap();
    // A merged contact is the person it was merged into.
    let begun = store::begin(
        &mut write,
        &first,
        &known.merged,
        Some(&admin.id),
        SystemClock.now(),
    )
    .await
    .unwrap();
    assert_eq!(begun.person_id, known.contact);
    write.commit().await.unwrap();
    first.db.close().await.unwrap();

    let mut pieces = 0;
    loop {
        let next = tools(&database.url, &folder, vault.clone()).await;
        // Dropped in its midst first, as if the process were gone; then one piece further.
        let cut = Duration::from_micros(300 * (pieces % 7));
        drop(tokio::time::timeout(cut, run::work(&next, &begun.id, &never, 1)).await);
        let done = run::work(&next, &begun.id, &never, 1).await.unwrap();
        next.db.close().await.unwrap();
        if done {
            break;
        }
        pieces += 1;
        assert!(pieces < 500, "it goes on");
    }
    assert!(pieces > 20, "it was cut short often: {pieces}");
    let db = database.open().await;
    let row = erasure::Entity::find_by_id(&begun.id)
        .one(db.read())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((row.state.as_str(), row.sealed), ("done", None));
    assert_eq!(found_in_tables(&db, &known).await, Vec::<String>::new());
    assert_eq!(found_on_disk(&folder, &known), Vec::<String>::new());
    db.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erasure_that_is_cut_short_after_each_piece_goes_on_to_the_end_on_sqlite() {
    cut_short_after_each_piece(Database::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erasure_that_is_cut_short_after_each_piece_goes_on_to_the_end_on_postgres() {
    cut_short_after_each_piece(Database::postgres().await).await;
}
