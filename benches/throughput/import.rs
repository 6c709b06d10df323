//! A hundred thousand rows from a file: what one batch after the other costs, with 2 % of them wrong.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use switchboard::{
    clock::{Clock, SystemClock},
    db::Db,
    import::{Kind, Tools, new::File, run, store},
    storage::Storage,
};
use switchboard_sdk::CancellationToken;

const ROWS: usize = 100_000;

pub async fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::connect(&format!("sqlite://{}/bench.db", folder.path().display()))
        .await
        .unwrap();
    db.migrate().await.unwrap();
    let tools = Tools {
        db,
        storage: Storage::open(&format!("file://{}/files", folder.path().display())).unwrap(),
        clock: Arc::new(SystemClock),
        node: "bench".to_owned(),
    };
    let bytes = Bytes::from(table());
    let begun = Instant::now();
    let file = File::read("leads.csv".to_owned(), bytes.clone()).await.unwrap();
    println!(
        "import: {ROWS} rows recognised and counted in {:.2?}",
        begun.elapsed()
    );
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
    let begun = Instant::now();
    run::work(&tools, &id, &CancellationToken::new(), &mut |_| ())
        .await
        .unwrap();
    let took = begun.elapsed();
    let ended = store::find(tools.db.read(), &id).await.unwrap();
    let count = |name: &str| ended.counts[name].as_u64();
    let wrong = ROWS as u64 / 50;
    assert_eq!(
        (count("failed"), count("contacts"), count("leads")),
        (Some(wrong), Some(ROWS as u64 - wrong), Some(ROWS as u64 - wrong)),
        "not what the file says"
    );
    println!(
        "import: {ROWS} rows taken in in {took:.2?}, {:.0} rows a second; {}",
        ROWS as f64 / took.as_secs_f64(),
        ended.counts
    );
}

fn table() -> String {
    let mut table = String::from("Name,E-mail,Phone,Company,Comment\r\n");
    for row in 1..=ROWS {
        let phone = if row % 50 == 0 {
            "7,90E+10".to_owned()
        } else {
            format!("+79{:09}", 1_000_000 + row)
        };
        table.push_str(&format!(
            "Person {row},p{row}@shop.example,\"{phone}\",Company {},\"said, once\"\r\n",
            row % 997
        ));
    }
    table
}
