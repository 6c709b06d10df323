//! Cut short at any moment a file is gone on with: nothing twice, nothing missing.

use std::sync::Arc;

use bytes::Bytes;
use sea_orm::{EntityTrait, PaginatorTrait};
use switchboard::{
    clock::SystemClock,
    commerce::{self, Bell, New, Options, State, Tools, receive, run, store},
    db::entity::{commerce_fault, commerce_link, contact, deal, identity},
    storage::Storage,
};
use switchboard_sdk::{CancellationToken, Clock as _};

use super::{file, order, person};
use crate::support::Database;

const ORDERS: usize = 1_000;

async fn cut_short_again_and_again(database: Database) {
    let folder = database.folder.path().display();
    let tools = Tools {
        db: database.open().await,
        storage: Storage::open(&format!("file://{folder}/files")).unwrap(),
        clock: Arc::new(SystemClock),
        node: "node".to_owned(),
        bell: Bell::default(),
    };
    let mut write = tools.db.write().await.unwrap();
    let now = SystemClock.now();
    let new = New {
        name: None,
        options: Options::default(),
    };
    let (exchange, _) = commerce::create(&mut write, new, None, now).await.unwrap();
    write.commit().await.unwrap();
    let orders: String = (1..=ORDERS)
        .map(|number| {
            let amount = if number % 50 == 0 { "-1" } else { "100" };
            let customer = person(
                &format!("p-{}", number % 300),
                "Петров",
                &format!("+7916{:07}", number % 300),
            );
            order(&number.to_string(), amount, &customer, &[])
        })
        .collect();
    let text = file(&orders).replace("windows-1251", "utf-8");
    for part in text.as_bytes().chunks(100_000) {
        let part = Bytes::copy_from_slice(part);
        receive::part(&tools, &exchange.id, "sitting", "orders.xml", part)
            .await
            .unwrap();
    }
    let sent = receive::whole(&tools, &exchange.id, "sitting", "orders.xml")
        .await
        .unwrap();

    // Dropped after some of its batches, as if the process were gone.
    let never = CancellationToken::new();
    for batches in [1, 2, 1, 3] {
        let some = async {
            for _ in 0..batches {
                tools.bell.until_moved().await;
            }
        };
        tokio::select! {
            biased;
            () = some => {}
            () = run::run(tools.clone(), never.clone()) => {}
        }
    }
    let half = store::file(tools.db.read(), &sent.id).await.unwrap().unwrap();
    assert_eq!(half.state, State::Waiting.as_str());
    assert!(half.cursor > 0 && half.cursor < ORDERS as i64, "{}", half.cursor);
    // Two who both believe that it is theirs.
    let other = Tools {
        bell: tools.bell.clone(),
        ..tools.clone()
    };
    let ended = async {
        loop {
            // Before the look, so that what happens in between counts.
            let moved = tools.bell.until_moved();
            let file = store::file(tools.db.read(), &sent.id).await.unwrap().unwrap();
            if file.state == State::Done.as_str() {
                return;
            }
            moved.await;
        }
    };
    tokio::select! {
        () = ended => {}
        () = run::run(tools.clone(), never.clone()) => {}
        () = run::run(other, never.clone()) => {}
    }
    let (read, wrong) = (tools.db.read(), ORDERS as u64 / 50);
    let good = ORDERS as u64 - wrong;
    assert_eq!(deal::Entity::find().count(read).await.unwrap(), good);
    assert_eq!(commerce_fault::Entity::find().count(read).await.unwrap(), wrong);
    // Whose only orders were wrong are nobody here.
    let people = (0..300)
        .filter(|who| (1..=ORDERS).any(|number| number % 300 == *who && number % 50 != 0))
        .count() as u64;
    assert_eq!(contact::Entity::find().count(read).await.unwrap(), people);
    assert_eq!(identity::Entity::find().count(read).await.unwrap(), people);
    assert_eq!(
        commerce_link::Entity::find().count(read).await.unwrap(),
        good + people
    );
    let counts = commerce::Counts::read(&store::file(read, &sent.id).await.unwrap().unwrap().counts);
    assert_eq!(
        (counts.orders, counts.created, counts.failed, counts.contacts),
        (ORDERS as u64, good, wrong, people)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_cut_short_goes_on_and_takes_nothing_in_twice_on_sqlite() {
    cut_short_again_and_again(Database::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_cut_short_goes_on_and_takes_nothing_in_twice_on_postgres() {
    cut_short_again_and_again(Database::postgres().await).await;
}
