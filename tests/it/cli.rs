//! The program as people start it: its commands, its words, its end.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use serde_json::{Value, json};
use switchboard::api;

/// How long anything may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// The program with its data in a folder of its own.
pub(crate) fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_switchboard"));
    command
        .current_dir(folder)
        .env("SWITCHBOARD__SERVER__LISTEN", "127.0.0.1:0")
        .env("SWITCHBOARD__LOG__FORMAT", "json");
    command
}

pub fn run(folder: &Path, arguments: &[&str]) -> Output {
    program(folder).args(arguments).output().unwrap()
}

pub fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A server that runs, with what it says.
pub(crate) struct Server {
    process: Child,
    pub(crate) base: String,
    out: Receiver<String>,
    err: Receiver<String>,
}

impl Server {
    fn start(folder: &Path) -> Self {
        Self::of(&mut program(folder))
    }

    /// Serves with this command and waits until it says where.
    pub(crate) fn of(program: &mut Command) -> Self {
        let mut process = program
            .arg("serve")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = lines(process.stdout.take().unwrap());
        let err = lines(process.stderr.take().unwrap());
        let mut server = Self {
            process,
            base: String::new(),
            out,
            err,
        };
        let address = loop {
            let line = server.err.recv_timeout(PATIENCE).unwrap();
            let line: Value = serde_json::from_str(&line).unwrap();
            if line["message"] == "serving" {
                break line["address"].as_str().unwrap().to_owned();
            }
        };
        server.base = format!("http://{address}");
        server
    }

    /// Waits until it has said this, and answers the whole line.
    pub(crate) fn until_it_says(&self, message: &str) -> Value {
        loop {
            let line = self.err.recv_timeout(PATIENCE * 2).unwrap();
            let line: Value = serde_json::from_str(&line).unwrap();
            if line["message"] == message {
                return line;
            }
        }
    }

    /// The token of the link that was printed.
    fn token(&self) -> Option<String> {
        let said: Vec<String> = self.out.try_iter().collect();
        let link = said.iter().find_map(|line| line.split_once("/setup?token="));
        link.map(|(_, token)| token.trim().to_owned())
    }

    /// What SIGTERM leads to: the exit code and the rest of what was said.
    fn stop(mut self) -> (Option<i32>, Vec<String>) {
        let killed = Command::new("kill")
            .args(["-TERM", &self.process.id().to_string()])
            .status()
            .unwrap();
        assert!(killed.success());
        let code = self.process.wait().unwrap().code();
        (code, self.err.iter().collect())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn lines(from: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

fn client() -> reqwest::Client {
    // A second time it is there already.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().build().unwrap()
}

async fn get(server: &Server, path: &str, key: &str) -> (u16, Value) {
    let response = client()
        .get(format!("{}{path}", server.base))
        .bearer_auth(key)
        .send()
        .await
        .unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn set_up(server: &Server, token: &str) -> Value {
    let admin = json!({"email": "anna@shop.example", "name": "Anna", "password": "correct horse"});
    let body = json!({"token": token, "admin": admin});
    let response = client()
        .post(format!("{}/api/v1/setup", server.base))
        .json(&body)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 201);
    response.json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_start_prints_a_link_and_a_later_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let first = server.token().unwrap();
    assert_eq!(server.stop().0, Some(0));
    let server = Server::start(folder.path());
    let token = server.token().unwrap();
    assert_ne!(token, first);
    set_up(&server, &token).await;
    let (code, said) = server.stop();
    assert_eq!(code, Some(0));
    assert!(said.iter().any(|line| line.contains("\"stopped\"")), "{said:?}");
    let server = Server::start(folder.path());
    assert_eq!(server.token(), None);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let key = std::fs::metadata(folder.path().join("data/master.key")).unwrap();
        assert_eq!(key.permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_and_keys_are_made_while_the_server_runs() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let made = run(
        folder.path(),
        &["apikey", "create", "--name", "bot", "--role", "supervisor"],
    );
    let key = out(&made).trim_end().to_owned();
    assert!(
        made.status.success() && key.starts_with("sb_") && !key.contains(char::is_whitespace),
        "{key}"
    );
    let (status, me) = get(&server, "/api/v1/me", &key).await;
    assert_eq!(
        (status, &me["role"], &me["name"]),
        (200, &json!("supervisor"), &json!("bot"))
    );

    let create = [
        "user",
        "create",
        "--email",
        "k@shop.example",
        "--name",
        "Karim",
        "--role",
        "operator",
        "--password-stdin",
    ];
    let mut process = program(folder.path())
        .args(create)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    process
        .stdin
        .take()
        .unwrap()
        .write_all("пароль Карима\n".as_bytes())
        .unwrap();
    let made = process.wait_with_output().unwrap();
    assert!(made.status.success() && !out(&made).contains("пароль"));
    let body = json!({"email": "k@shop.example", "password": "пароль Карима"});
    let login = client()
        .post(format!("{}/api/v1/auth/login", server.base))
        .json(&body)
        .send()
        .await
        .unwrap();
    assert_eq!(login.status(), 200);

    let twice = run(folder.path(), &create[..8]);
    assert!(
        !twice.status.success() && err(&twice).contains("email"),
        "{}",
        err(&twice)
    );
}

#[test]
fn settings_that_cannot_be_are_named_before_anything_happens() {
    let folder = tempfile::tempdir().unwrap();
    for (name, value, words) in [
        (
            "SWITCHBOARD__SERVER__LITSEN",
            "x",
            "unknown setting `server.litsen`",
        ),
        ("SWITCHBOARD__LIMITS__UPLOAD_MB", "lots", "`limits.upload_mb`"),
        (
            "SWITCHBOARD__SECURITY__MASTER_KEY",
            "short",
            "`security.master_key`",
        ),
        ("SWITCHBOARD__BUS__URL", "nats://127.0.0.1", "`bus.url`"),
    ] {
        for command in ["check-config", "serve"] {
            let refused = program(folder.path())
                .arg(command)
                .env(name, value)
                .output()
                .unwrap();
            assert!(
                !refused.status.success() && err(&refused).contains(words),
                "{}",
                err(&refused)
            );
        }
    }
    assert!(run(folder.path(), &["check-config"]).status.success());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_master_key_is_refused_and_a_lost_one_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Server::start(folder.path()).stop().0, Some(0));
    let other = program(folder.path())
        .arg("serve")
        .env("SWITCHBOARD__SECURITY__MASTER_KEY", "k".repeat(32))
        .output()
        .unwrap();
    assert!(
        !other.status.success() && err(&other).contains("not the master key of this database"),
        "{}",
        err(&other)
    );
    let file = folder.path().join("data/master.key");
    std::fs::remove_file(&file).unwrap();
    let lost = run(folder.path(), &["serve"]);
    assert!(
        !lost.status.success() && err(&lost).contains("master.key is gone"),
        "{}",
        err(&lost)
    );
    assert!(!file.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_running_server_comes_back_elsewhere() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Server::start(here.path());
    let made = set_up(&server, &server.token().unwrap()).await;
    let key = out(&run(
        here.path(),
        &["apikey", "create", "--name", "k", "--role", "admin"],
    ))
    .trim_end()
    .to_owned();
    let form = format!("{}{}", server.base, made["form_url"].as_str().unwrap());
    let posted = client()
        .post(form)
        .header("accept", "application/json")
        .json(&json!({"name": "Ann"}));
    assert_eq!(posted.send().await.unwrap().status(), 201);
    let upload = format!("{}/api/v1/attachments", server.base);
    let part = reqwest::multipart::Part::bytes(b"hello".to_vec()).file_name("hello.txt");
    let uploaded = client()
        .post(upload)
        .bearer_auth(&key)
        .multipart(reqwest::multipart::Form::new().part("file", part));
    let uploaded: Value = uploaded.send().await.unwrap().json().await.unwrap();

    let archive = here.path().join("all.tar").display().to_string();
    let saved = run(here.path(), &["backup", &archive]);
    assert!(saved.status.success(), "{}", err(&saved));
    assert!(
        !run(here.path(), &["backup", &archive]).status.success(),
        "an archive is not overwritten"
    );
    let refused = run(there.path(), &["restore", &archive]);
    assert!(
        !refused.status.success() && err(&refused).contains("master key"),
        "{}",
        err(&refused)
    );
    std::fs::create_dir(there.path().join("data")).unwrap();
    std::fs::copy(
        here.path().join("data/master.key"),
        there.path().join("data/master.key"),
    )
    .unwrap();
    let restored = run(there.path(), &["restore", &archive]);
    assert!(restored.status.success(), "{}", err(&restored));
    assert!(
        !run(there.path(), &["restore", &archive]).status.success(),
        "a database is not overwritten"
    );

    let server = Server::start(there.path());
    let (_, leads) = get(&server, "/api/v1/leads", &key).await;
    assert_eq!(leads["items"].as_array().unwrap().len(), 1);
    let file = format!("{}{}", server.base, uploaded["url"].as_str().unwrap());
    let file = client().get(file).bearer_auth(&key).send().await.unwrap();
    assert_eq!(file.bytes().await.unwrap().as_ref(), b"hello");
}

#[test]
fn the_document_is_printed_alone() {
    let folder = tempfile::tempdir().unwrap();
    let printed = run(folder.path(), &["openapi"]);
    assert_eq!(out(&printed).trim_end(), api::document_text());
}
