//! The log: numbers are dense and in the order of commits, whatever runs at the same time.

use std::{collections::BTreeSet, time::Duration};

use switchboard::{
    clock::{Clock, SystemClock},
    event::{self, EventType, NewEvent},
};

use crate::support::Database;

/// Writers that hold their transaction open for different times, and a reader that asks for
/// "everything after N" all the while, as a socket does.
async fn nobody_who_reads_after_n_skips_a_slow_transaction(database: Database) {
    const WRITERS: usize = 8;
    const WRITES: usize = 25;
    let db = database.open().await;
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let db = db.clone();
        tasks.spawn(async move {
            for n in 0..WRITES {
                let mut write = db.write().await.unwrap();
                let id = format!("{writer}-{n}");
                write.record(NewEvent::new(EventType::LineUpdated, &id, SystemClock.now()));
                if n % 3 == 0 {
                    write.record(NewEvent::new(EventType::ChannelUpdated, &id, SystemClock.now()));
                }
                // What makes a transaction slow is not the point; that others commit meanwhile is.
                tokio::time::sleep(Duration::from_millis(((writer * 7 + n * 3) % 5) as u64)).await;
                if n % 10 == 9 {
                    drop(write);
                } else {
                    write.commit().await.unwrap();
                }
            }
        });
    }
    let reader = tokio::spawn({
        let db = db.clone();
        async move {
            let mut seen: Vec<(i64, String)> = Vec::new();
            let mut head = db.head();
            let expected = WRITERS
                * (0..WRITES)
                    .filter(|n| n % 10 != 9)
                    .map(|n| if n % 3 == 0 { 2 } else { 1 })
                    .sum::<usize>();
            while seen.len() < expected {
                let after = seen.last().map_or(0, |(seq, _)| *seq);
                for event in event::after(db.read(), after, 7).await.unwrap() {
                    seen.push((event.seq, event.object_id));
                }
                drop(tokio::time::timeout(Duration::from_millis(1), head.changed()).await);
            }
            seen
        }
    });
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let seen = tokio::time::timeout(Duration::from_secs(20), reader)
        .await
        .expect("the reader sees all")
        .unwrap();
    for (position, (seq, _)) in (1..).zip(&seen) {
        assert_eq!(*seq, position, "numbers are dense and in order");
    }
    let distinct: BTreeSet<&String> = seen.iter().map(|(_, id)| id).collect();
    assert_eq!(
        distinct.len(),
        WRITERS * (0..WRITES).filter(|n| n % 10 != 9).count()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_sqlite_nobody_skips_a_slow_transaction() {
    nobody_who_reads_after_n_skips_a_slow_transaction(Database::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_postgres_nobody_skips_a_slow_transaction() {
    nobody_who_reads_after_n_skips_a_slow_transaction(Database::postgres().await).await;
}
