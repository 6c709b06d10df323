//! How fast, and against what:
//! `cargo bench --bench throughput [-- ingest http latency routing calls mail telegram import commerce footprint sockets crm]`. What `crm`
//! seeds takes a while: it runs only when it is named.
//!
//! Ingest is measured as a ratio to the bare engine inserting **the same rows in the same batches in the
//! same run**: after each run the rows it made are read back, grouped by the transaction that made them
//! (all rows of a batch carry one time), and inserted once more into an empty database of the same
//! schema and settings with prepared statements of rusqlite, one transaction a batch.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measuring program"
)]

mod bare;
mod calls;
mod commerce;
mod crm;
mod footprint;
mod import;
mod load;
mod mail;
mod routing;
mod sockets;
mod telegram;

/// Ingest and sockets make and drop many small values; the system's allocator was a fifth of their time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use std::{sync::Arc, time::Instant};

use serde_json::json;
use switchboard::{
    clock::{Clock, SystemClock},
    db::Db,
    ingest::Ingest,
    storage::Storage,
};
use switchboard_sdk::{
    Batch, CancellationToken, Identity, IdentityKind, InboundBody, InboundEvent, Person, Submission,
};

/// Submissions of the measurement of ingest.
const EVENTS: usize = 40_000;
/// Callers that wait for their own acknowledgement at the same time.
const CALLERS: usize = 256;

#[tokio::main]
async fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let runs = |name: &str| wanted.is_empty() || wanted.iter().any(|word| word == name);
    if runs("ingest") {
        // The machine is shared and its disk uneven: three runs, each with its own ratio.
        for _ in 0..3 {
            ingest().await;
        }
    }
    if runs("http") {
        for _ in 0..3 {
            load::http().await;
        }
    }
    if runs("latency") {
        load::latency().await;
    }
    if runs("routing") {
        routing::measure().await;
    }
    if runs("calls") {
        calls::measure().await;
    }
    if runs("mail") {
        mail::measure().await;
    }
    if runs("sockets") {
        sockets::measure().await;
    }
    if runs("telegram") {
        telegram::measure().await;
    }
    if runs("commerce") {
        commerce::measure().await;
    }
    if runs("import") {
        import::measure().await;
    }
    if wanted.iter().any(|word| word == "crm") {
        crm::measure().await;
    }
    if runs("footprint") {
        footprint::measure().await;
    }
}

/// `ingest` alone: many callers, each waiting for the durable commit of its submission.
async fn ingest() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("switchboard.db");
    let db = Db::connect(&format!("sqlite://{}", path.display()))
        .await
        .unwrap();
    db.migrate().await.unwrap();
    let channel = form(&db).await;
    let storage = Storage::open(&format!("file://{}/files", folder.path().display())).unwrap();
    let stop = CancellationToken::new();
    let (ingest, writer) = Ingest::start(db.clone(), storage, Arc::new(SystemClock), stop.clone());
    let writer = tokio::spawn(writer);
    let begun = Instant::now();
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..CALLERS {
        let (ingest, channel) = (ingest.clone(), channel.clone());
        callers.spawn(async move {
            for n in (caller..EVENTS).step_by(CALLERS) {
                ingest.deliver(&channel, Batch::one(submission(n))).await.unwrap();
            }
        });
    }
    while let Some(done) = callers.join_next().await {
        done.unwrap();
    }
    let taken = begun.elapsed();
    stop.cancel();
    writer.await.unwrap();
    db.close().await.unwrap();
    report("ingest alone", EVENTS, taken, &path).await;
}

/// Says how many submissions a second were durable, and how the bare engine does with the same rows.
pub async fn report(what: &str, events: usize, taken: std::time::Duration, path: &std::path::Path) {
    let bare = bare::replay(path).await;
    let rate = events as f64 / taken.as_secs_f64();
    let bare_rate = events as f64 / bare.taken.as_secs_f64();
    println!(
        "{what}: {rate:.0} submissions/s ({:.0} rows/s, {:.1} rows each, {} batches of {:.0}); \
         bare engine, same rows and batches: {bare_rate:.0}/s ({:.0} rows/s); ratio {:.0} %",
        bare.rows as f64 / taken.as_secs_f64(),
        bare.rows as f64 / events as f64,
        bare.batches,
        events as f64 / bare.batches as f64,
        bare.rows as f64 / bare.taken.as_secs_f64(),
        100.0 * rate / bare_rate,
    );
}

fn submission(n: usize) -> InboundEvent {
    let email = format!("customer{n}@example.test");
    let phone = format!("+99890{n:07}");
    let identity = |kind, value: &str| Identity {
        kind,
        value: value.to_owned(),
        verified: false,
    };
    InboundEvent {
        external_id: format!("key:{n}"),
        at: SystemClock.now(),
        body: InboundBody::Submission(Submission {
            from: Person {
                name: Some(format!("Customer {n}")),
                identities: vec![
                    identity(IdentityKind::Email, &email),
                    identity(IdentityKind::Phone, &phone),
                ],
                ..Person::default()
            },
            values: [
                ("name", json!(format!("Customer {n}"))),
                ("email", json!(email)),
                ("phone", json!(phone)),
            ]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
            text: format!(
                "Name: Customer {n}\nEmail: {email}\nPhone: {phone}\nComment: Please call me back about the offer."
            ),
            ..Submission::default()
        }),
    }
}

/// A line and a form, without the server around them.
async fn form(db: &Db) -> String {
    use sea_orm::ConnectionTrait;
    let write = db.write().await.unwrap();
    let now = "'2026-01-01T00:00:00+00:00'";
    for sql in [
        format!(
            "INSERT INTO line (id, key, name, enabled, version, rules, created_at, updated_at) VALUES ('lin_1', 'l', 'L', true, 1, '{{}}', {now}, {now})"
        ),
        format!(
            "INSERT INTO channel (id, key, kind, line_id, name, enabled, settings, version, health_state, created_at, updated_at) VALUES ('chn_1', 'f', 'webform', 'lin_1', 'F', true, '{{}}', 1, 'ok', {now}, {now})"
        ),
    ] {
        write.tx().execute_unprepared(&sql).await.unwrap();
    }
    write.commit().await.unwrap();
    "chn_1".to_owned()
}
