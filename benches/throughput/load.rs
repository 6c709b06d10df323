//! The program itself under load: forms over HTTP, and the way from a visitor's post to the
//! operator's socket.

use std::{
    collections::HashMap,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};

/// Form posts of one measurement.
const POSTS: usize = 20_000;
/// Connections they come on.
const CONNECTIONS: usize = 64;
/// Visitors' messages a second, and for how long.
const RATE: u64 = 500;
const SECONDS: u64 = 10;
/// Visitors that share them.
const VISITORS: usize = 100;

/// A client that keeps its connections.
pub fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .pool_max_idle_per_host(CONNECTIONS)
        .build()
        .unwrap()
}

/// The release binary on an empty folder.
pub struct Server {
    pub child: Child,
    pub base: String,
    pub key: String,
    pub folder: tempfile::TempDir,
    pub started_in: Duration,
}

impl Server {
    pub async fn start() -> Self {
        // The client and the program share one provider of TLS, though nothing here is encrypted.
        drop(rustls::crypto::ring::default_provider().install_default());
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let base = format!("http://127.0.0.1:{port}");
        let run = |arguments: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_switchboard"));
            command
                .args(arguments)
                .current_dir(folder.path())
                .env("SWITCHBOARD__SERVER__LISTEN", format!("127.0.0.1:{port}"))
                .env("SWITCHBOARD__SERVER__PUBLIC_URL", &base)
                .env("SWITCHBOARD__LIMITS__ENABLED", "false")
                .env("SWITCHBOARD__LOG__LEVEL", "warn");
            command
        };
        assert!(
            run(&["migrate"])
                .stdout(Stdio::null())
                .status()
                .unwrap()
                .success()
        );
        let made = run(&["apikey", "create", "--name", "bench", "--role", "admin"])
            .output()
            .unwrap();
        let key = String::from_utf8(made.stdout).unwrap().trim().to_owned();
        let begun = Instant::now();
        let child = run(&["serve"]).stdout(Stdio::null()).spawn().unwrap();
        let client = client();
        while client.get(format!("{base}/health/ready")).send().await.is_err() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Self {
            child,
            base,
            key,
            started_in: begun.elapsed(),
            folder,
        }
    }

    pub async fn get(&self, path: &str) -> Value {
        self.ask(client().get(self.address(path)), path).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        self.ask(client().post(self.address(path)).json(&body), path)
            .await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Value {
        self.ask(client().patch(self.address(path)).json(&body), path)
            .await
    }

    fn address(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.base)
    }

    async fn ask(&self, request: reqwest::RequestBuilder, path: &str) -> Value {
        let response = request.bearer_auth(&self.key).send().await.unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.status());
        response.json().await.unwrap()
    }

    pub async fn channel(&self, kind: &str) -> Value {
        let line = self.post("/lines", json!({"name": "Bench"})).await;
        self.post(
            "/channels",
            json!({"kind": kind, "line_id": line["id"], "name": kind, "settings": {}}),
        )
        .await
    }

    /// Stops as SIGTERM does, so that the database is closed.
    pub fn stop(&mut self) {
        let id = self.child.id().to_string();
        drop(Command::new("kill").args(["-TERM", &id]).status());
        drop(self.child.wait());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Durable submissions a second through the form's HTTP endpoint; the client runs on the same cores.
pub async fn http() {
    let mut server = Server::start().await;
    let form = server.channel("webform").await;
    let url = format!("{}/f/{}", server.base, form["key"].as_str().unwrap());
    let client = client();
    let begun = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for connection in 0..CONNECTIONS {
        let (client, url) = (client.clone(), url.clone());
        tasks.spawn(async move {
            for n in (connection..POSTS).step_by(CONNECTIONS) {
                let fields = json!({
                    "name": format!("Customer {n}"), "email": format!("customer{n}@example.test"),
                    "phone": format!("+99890{:07}", 1_000_000 + n), "comment": "Please call me back about the offer.",
                });
                let response = client.post(&url).header("accept", "application/json").json(&fields).send().await.unwrap();
                assert_eq!(response.status(), 201);
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let taken = begun.elapsed();
    server.stop();
    super::report(
        "forms over HTTP",
        POSTS,
        taken,
        &server.folder.path().join("data/switchboard.db"),
    )
    .await;
}

/// From the moment before a visitor's POST to the frame at the operator's socket.
pub async fn latency() {
    let server = Server::start().await;
    let channel = server.channel("webchat").await;
    let key = channel["key"].as_str().unwrap();
    let mut request = format!("{}/api/v1/realtime", server.base.replacen("http", "ws", 1))
        .into_client_request()
        .unwrap();
    request
        .headers_mut()
        .insert("authorization", format!("Bearer {}", server.key).parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let sent: Arc<Mutex<HashMap<String, Instant>>> = Arc::default();
    let total = usize::try_from(RATE * SECONDS).unwrap();
    let reader = tokio::spawn({
        let sent = Arc::clone(&sent);
        async move {
            let mut waits = Vec::with_capacity(total);
            while waits.len() < total {
                let Some(Ok(Message::Text(text))) = socket.next().await else {
                    continue;
                };
                let arrived = Instant::now();
                let frame: Value = serde_json::from_str(&text).unwrap();
                if frame["type"] == "message.created"
                    && let Some(begun) = sent
                        .lock()
                        .await
                        .remove(frame["data"]["text"].as_str().unwrap_or_default())
                {
                    waits.push(arrived - begun);
                }
            }
            waits
        }
    });
    let client = client();
    let mut tokens = Vec::new();
    for _ in 0..VISITORS {
        let url = format!("{}/widget/v1/{key}/sessions", server.base);
        let session: Value = client
            .post(url)
            .json(&json!({}))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        tokens.push(session["visitor_token"].as_str().unwrap().to_owned());
    }
    let url = format!("{}/widget/v1/{key}/messages", server.base);
    let mut tick = tokio::time::interval(Duration::from_micros(1_000_000 / RATE));
    let mut posts = tokio::task::JoinSet::new();
    for n in 0..total {
        tick.tick().await;
        let (client, url, token, sent) = (
            client.clone(),
            url.clone(),
            tokens[n % VISITORS].clone(),
            Arc::clone(&sent),
        );
        posts.spawn(async move {
            let text = format!("message number {n}");
            sent.lock().await.insert(text.clone(), Instant::now());
            let body = json!({"client_id": format!("c{n}"), "text": text});
            let response = client
                .post(url)
                .bearer_auth(token)
                .json(&body)
                .send()
                .await
                .unwrap();
            assert_eq!(response.status(), 201);
        });
    }
    while let Some(done) = posts.join_next().await {
        done.unwrap();
    }
    let mut waits = tokio::time::timeout(Duration::from_secs(20), reader)
        .await
        .expect("all frames arrive")
        .unwrap();
    waits.sort_unstable();
    let at = |part: f64| waits[((waits.len() - 1) as f64 * part) as usize].as_secs_f64() * 1000.0;
    println!(
        "visitor's POST to operator's frame at {RATE} messages/s: p50 {:.1} ms, p99 {:.1} ms, worst {:.1} ms ({} messages)",
        at(0.5),
        at(0.99),
        at(1.0),
        waits.len()
    );
}
