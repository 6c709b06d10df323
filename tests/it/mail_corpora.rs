//! Mails nobody here wrote: every one of them is taken in or quarantined with a reason, and none takes long.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::json;
use switchboard_sdk::{Batch, Content, InboundBody, Outcome};

use crate::support::{
    Database, TestApp,
    reads::{connector, mailbox},
};

/// The slowest takes a few milliseconds where nothing else runs.
const LONGEST: Duration = Duration::from_secs(5);

fn files(name: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(".cache/mails")
        .join(name);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| {
        panic!(
            "{} ({error}): the mails of others are missing; run scripts/mails",
            folder.display()
        )
    });
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mail_of_others_is_a_message_or_quarantined_with_a_reason() {
    let app = TestApp::start(Database::sqlite().await).await;
    let channel = mailbox(&app).await;
    let connector = connector();
    for (corpus, at_least) in [("mail-parser", 100), ("cpython", 40)] {
        let (mut stored, mut quarantined, mut repeated) = (0, 0, 0);
        let files = files(corpus);
        assert!(files.len() >= at_least, "{corpus} holds {} mails", files.len());
        for file in &files {
            let raw = Content::from(std::fs::read(file).unwrap());
            let begun = Instant::now();
            let event = connector.reparse("", raw.clone()).unwrap();
            if let InboundBody::Poison { reason, raw: kept } = &event.body {
                assert!(!reason.is_empty() && *kept == raw, "{}", file.display());
            }
            let id = channel["id"].as_str().unwrap();
            let receipt = app.app.ingest.deliver(id, Batch::one(event)).await.unwrap();
            assert!(
                begun.elapsed() < LONGEST,
                "{} took {:?}",
                file.display(),
                begun.elapsed()
            );
            match &receipt.outcomes[0] {
                Outcome::Stored { message_id, .. } => {
                    stored += 1;
                    // What is stored is shown.
                    if let Some(message) = message_id {
                        let path = format!("/api/v1/messages/{message}/original");
                        let answer = app
                            .client
                            .get(format!("{}{path}", app.base))
                            .bearer_auth(&app.key);
                        assert_eq!(
                            answer.send().await.unwrap().bytes().await.unwrap(),
                            raw.read_all().unwrap(),
                            "{}",
                            file.display()
                        );
                    }
                }
                Outcome::Quarantined { .. } => quarantined += 1,
                Outcome::Duplicate { .. } => repeated += 1,
            }
        }
        println!(
            "{corpus}: {} mails, {stored} stored, {quarantined} quarantined, {repeated} the same as another",
            files.len()
        );
        assert!(stored > files.len() / 2, "{corpus}");
    }
    let waiting = app.get("/quarantine?limit=200").await;
    for entry in waiting["items"].as_array().unwrap() {
        assert_ne!(entry["reason"], json!(""));
    }
}
