//! Killed in the middle and gone on with: nothing twice, nothing missing.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
    sync::Arc,
};

use bytes::Bytes;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::json;
use switchboard::{
    clock::SystemClock,
    db::{
        Db,
        entity::{contact, identity, import_row, lead},
    },
    import::{Kind, Tools, new::File, run, store},
    storage::Storage,
};
use switchboard_sdk::{CancellationToken, Clock as _};

use super::table;
use crate::{
    cli::{Server, program},
    support::Database,
};

const ROWS: usize = 5_000;

async fn begun(database: &Database, rows: usize) -> (Tools, String) {
    let db = database.open().await;
    let folder = database.folder.path().display();
    let tools = Tools {
        db,
        storage: Storage::open(&format!("file://{folder}/files")).unwrap(),
        clock: Arc::new(SystemClock),
        node: "node".to_owned(),
    };
    let bytes = Bytes::from(table(rows));
    let file = File::read("leads.csv".to_owned(), bytes.clone()).await.unwrap();
    let row = file.row(Kind::Leads, &[], SystemClock.now());
    let id = row.id.clone();
    tools
        .storage
        .put(row.storage_key.as_ref().unwrap(), bytes)
        .await
        .unwrap();
    let write = tools.db.write().await.unwrap();
    store::create(&write, row).await.unwrap();
    store::start(&write, &id, false, SystemClock.now()).await.unwrap();
    write.commit().await.unwrap();
    (tools, id)
}

async fn is_whole(db: &Db, id: &str, rows: usize) {
    let wrong = rows / 50;
    let good = (rows - wrong) as u64;
    let read = db.read();
    assert_eq!(import_row::Entity::find().count(read).await.unwrap(), rows as u64);
    assert_eq!(contact::Entity::find().count(read).await.unwrap(), good);
    assert_eq!(lead::Entity::find().count(read).await.unwrap(), good);
    assert_eq!(identity::Entity::find().count(read).await.unwrap(), 2 * good);
    let listed = store::wrong_rows(read, id, 0, 1_000).await.unwrap();
    assert_eq!(listed.len(), wrong);
    assert!(
        listed
            .iter()
            .all(|row| row.line == row.row + 1 && row.errors[0].code == "ruined_number")
    );
}

async fn cut_short_again_and_again(database: Database) {
    let (tools, id) = begun(&database, ROWS).await;
    // Dropped amid its third batch, as if the process were gone.
    for batches in [1, 2, 3] {
        let mut told = 0;
        let stop = CancellationToken::new();
        let asked = stop.clone();
        let mut tell = move |_: run::Progress<'_>| {
            told += 1;
            if told == batches {
                asked.cancel();
            }
        };
        let never = CancellationToken::new();
        let work = run::work(&tools, &id, &never, &mut tell);
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            done = work => done.unwrap(),
        }
    }
    let half = store::find(tools.db.read(), &id).await.unwrap();
    assert_eq!(half.state, "running");
    assert!(half.cursor > 0 && half.cursor < ROWS as i64, "{}", half.cursor);
    // Two who both believe that it is theirs.
    let stop = CancellationToken::new();
    let (mut one, mut other) = (|_: run::Progress<'_>| (), |_: run::Progress<'_>| ());
    let (one, other) = tokio::join!(
        run::work(&tools, &id, &stop, &mut one),
        run::work(&tools, &id, &stop, &mut other)
    );
    one.unwrap();
    other.unwrap();
    // Whoever was ahead at the end left nothing to do, or went away when the other one was ahead.
    run::work(&tools, &id, &stop, &mut |_| ()).await.unwrap();
    assert_eq!(store::find(tools.db.read(), &id).await.unwrap().state, "done");
    is_whole(&tools.db, &id, ROWS).await;
    assert!(
        !tools.storage.has(&switchboard::storage::key(&id)).await.unwrap(),
        "the file has done its duty"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_is_cut_short_goes_on_and_takes_nothing_in_twice_on_sqlite() {
    cut_short_again_and_again(Database::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_is_cut_short_goes_on_and_takes_nothing_in_twice_on_postgres() {
    cut_short_again_and_again(Database::postgres().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_is_killed_is_gone_on_with_by_the_server() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("leads.csv"), table(ROWS)).unwrap();
    let mut command = program(folder.path())
        .args(["import", "leads", "leads.csv"])
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // The first batch is in when its first wrong row is told.
    let first = BufReader::new(command.stderr.take().unwrap())
        .lines()
        .map_while(Result::ok)
        .find(|line| line.contains("contact.phone"));
    command.kill().unwrap();
    command.wait().unwrap();
    assert!(
        first
            .unwrap()
            .starts_with("leads.csv:51: contact.phone: \"7,90E+10\" ")
    );
    let url = format!("sqlite://{}/data/switchboard.db", folder.path().display());
    let db = Db::connect(&url).await.unwrap();
    let in_then = import_row::Entity::find().count(db.read()).await.unwrap();
    assert!(in_then > 0 && in_then < ROWS as u64, "{in_then}");
    let id = store::work(db.read()).await.unwrap().pop().unwrap().id;
    let server = Server::of(&mut program(folder.path()));
    // The lease of the one that was killed lapses first.
    let ended = tokio::task::block_in_place(|| server.until_it_says("an import ended"));
    assert_eq!(
        (&ended["import.id"], &ended["state"]),
        (&json!(id), &json!("done"))
    );
    is_whole(&db, &id, ROWS).await;
}
