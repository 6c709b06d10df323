//! Programs nobody here wrote: a client library that uses our server for tests as if it were Telegram's, and a
//! server for tests that our connector uses as if it were.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::{path::PathBuf, process::Stdio, time::Duration};

use serde_json::{Value, json};
use switchboard_testkit::{
    MemoryIntake,
    telegram::{BotApi, TOKEN},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use support::{Run, answer, connector, message};

const PATIENCE: Duration = Duration::from_secs(60);

struct Program {
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Program {
    fn start(script: &str, arguments: &[&str]) -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
        assert!(
            folder.join("node_modules").is_dir(),
            "the programs of others are missing; run scripts/telegram-clients"
        );
        let mut child = Command::new("node")
            .arg(folder.join(script))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        Self {
            _child: child,
            input,
            output,
        }
    }

    /// Its next line; none when it ended.
    async fn line(&mut self) -> Option<String> {
        timeout(PATIENCE, self.output.next_line())
            .await
            .expect("says something in time")
            .unwrap()
    }
}

#[tokio::test]
async fn a_client_library_of_others_finds_our_server_to_be_telegrams() {
    let api = BotApi::start().await;
    let file = api.file("a.txt", b"contents");
    for number in 0..10 {
        api.write(42, &format!("text {number}"));
    }
    api.block(7);
    let mut program = Program::start("grammy.mjs", &[&api.url(), TOKEN, &file]);
    let mut held = Vec::new();
    loop {
        match program.line().await.as_deref() {
            None => panic!("ended after {held:?}"),
            Some("webhook") => {
                for text in ["one", "two", "three"] {
                    api.write(42, text);
                }
            }
            Some("fast") => {
                api.enforce_limits();
                program.input.write_all(b"go\n").await.unwrap();
            }
            Some("all held") => break,
            Some(what) => held.push(what.to_owned()),
        }
    }
    assert_eq!(held.len(), 9, "{held:?}");
}

/// A smoke test: that server gives each update once, whatever the offset says, and knows texts alone.
#[tokio::test]
async fn texts_go_both_ways_at_a_server_of_others() {
    let port = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port().to_string()
    };
    let mut program = Program::start("foreign-server.mjs", &[&port, TOKEN, "5"]);
    assert_eq!(program.line().await.as_deref(), Some("ready"));
    let ours = BotApi::start().await; // lends its settings alone
    let there = connector(&ours, json!({"api_url": format!("http://127.0.0.1:{port}")}));
    let intake = MemoryIntake::new();
    let run = Run::start(there.clone(), &intake);
    intake.wait_stored(5).await;
    run.stop().await;
    let texts: Vec<String> = intake
        .events()
        .iter()
        .map(|event| message(event).text.clone())
        .collect();
    assert_eq!(texts, ["text 1", "text 2", "text 3", "text 4", "text 5"]);
    there
        .sender()
        .unwrap()
        .send(&answer(42, "an answer"))
        .await
        .unwrap();
    let line: Value = serde_json::from_str(&program.line().await.unwrap()).unwrap();
    assert_eq!(
        (line["chat"].as_i64(), line["text"].as_str()),
        (Some(42), Some("an answer"))
    );
}
