//! Ten thousand visitors with the chat open: what each costs in memory, how long messages take meanwhile, and how
//! soon all are back after all were cut off at once. The clients run on the same cores.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    sync::{Semaphore, mpsc},
    task::JoinSet,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest},
};

use super::load::{Server, client};

/// Visitors with an open socket; needs `ulimit -n` well above it, for the program and for this.
const SOCKETS: usize = 10_000;
/// Requests of the preparation at once.
const AT_ONCE: usize = 64;
/// Handshakes at once: browsers come by themselves, but a queue of pending connections has an end.
const HANDSHAKES: usize = 512;
/// Messages a second, half of them answers to visitors, half from visitors.
const RATE: u64 = 200;
const SECONDS: u64 = 30;
/// Answers written while all are cut off.
const MISSED: usize = 200;
/// Everybody must be back, with all they missed, within.
const BACK: Duration = Duration::from_secs(30);

/// A visitor who has said hello.
#[derive(Clone)]
struct Visitor {
    token: String,
    conversation: String,
    last: i64,
}

/// What a visitor's socket is told.
enum Heard {
    Hello,
    Message { text: String, at: Instant },
}

pub async fn measure() {
    let mut server = Server::start().await;
    let channel = server.channel("webchat").await;
    let key = channel["key"].as_str().unwrap().to_owned();
    let visitors = prepare(&server.base, &key).await;
    settle().await;
    let before = memory(&server, "VmRSS");

    let begun = Instant::now();
    let (told, mut heard) = mpsc::unbounded_channel();
    let open = connect_all(&server.base, &key, &visitors, &told).await;
    let opened = wait_for_hellos(&mut heard, SOCKETS).await;
    println!(
        "{SOCKETS} sockets opened in {:.1} s ({opened} greeted)",
        begun.elapsed().as_secs_f64()
    );
    settle().await;
    let with = memory(&server, "VmRSS");
    println!(
        "memory: {:.0} MB before, {:.0} MB with {SOCKETS} sockets: {:.1} KB each",
        before as f64 / 1e3,
        with as f64 / 1e3,
        with.saturating_sub(before) as f64 / SOCKETS as f64,
    );

    flow(&server, &key, &visitors, &mut heard).await;
    println!(
        "memory: {:.0} MB after {SECONDS} s of {RATE} messages a second, {:.0} MB at most",
        memory(&server, "VmRSS") as f64 / 1e3,
        memory(&server, "VmHWM") as f64 / 1e3,
    );

    // All wires are cut; answers are written; all come back at once.
    drop(open);
    let mut missed: HashMap<usize, usize> = HashMap::new();
    let (http, base) = (client(), server.base.clone());
    for n in 0..MISSED {
        let at = (n * 7919) % SOCKETS;
        *missed.entry(at).or_default() += 1;
        answer(
            &http,
            &base,
            &server.key,
            &visitors[at].conversation,
            &format!("missed {n}"),
        )
        .await;
    }
    while heard.try_recv().is_ok() {}
    let begun = Instant::now();
    let open = connect_all(&server.base, &key, &visitors, &told).await;
    let (mut greeted, mut caught_up) = (0, 0);
    while greeted < SOCKETS || caught_up < MISSED {
        match tokio::time::timeout(BACK * 2, heard.recv()).await {
            Ok(Some(Heard::Hello)) => greeted += 1,
            Ok(Some(Heard::Message { text, .. })) if text.starts_with("missed") => caught_up += 1,
            Ok(Some(Heard::Message { .. })) => {}
            _ => break,
        }
    }
    let back = begun.elapsed();
    println!(
        "all cut off and back at once: {greeted} of {SOCKETS} greeted, {caught_up} of {MISSED} missed answers there, in {:.1} s; \
         memory {:.0} MB, {:.0} MB at most",
        back.as_secs_f64(),
        memory(&server, "VmRSS") as f64 / 1e3,
        memory(&server, "VmHWM") as f64 / 1e3,
    );
    assert!(greeted == SOCKETS && caught_up == MISSED, "somebody is not back");
    assert!(back < BACK, "too slow: {back:?}");
    drop(open);
    server.stop();
}

/// Opens the sessions and lets everybody say hello.
async fn prepare(base: &str, key: &str) -> Vec<Visitor> {
    let (http, gate) = (client(), Arc::new(Semaphore::new(AT_ONCE)));
    let mut tasks = JoinSet::new();
    for n in 0..SOCKETS {
        let (http, gate) = (http.clone(), Arc::clone(&gate));
        let url = format!("{base}/widget/v1/{key}");
        tasks.spawn(async move {
            let _turn = gate.acquire_owned().await.unwrap();
            let page = json!({"page": {"url": format!("https://shop.example/lamps/{n}"), "title": "Lamps"}});
            let session: Value = post(&http, &format!("{url}/sessions"), None, &page).await;
            let token = session["visitor_token"].as_str().unwrap().to_owned();
            let hello = json!({"client_id": "hello", "text": format!("hello {n}")});
            let said: Value = post(&http, &format!("{url}/messages"), Some(&token), &hello).await;
            (
                n,
                Visitor {
                    token,
                    conversation: said["conversation_id"].as_str().unwrap().to_owned(),
                    last: said["seq"].as_i64().unwrap(),
                },
            )
        });
    }
    let mut made: Vec<(usize, Visitor)> = tasks.join_all().await;
    made.sort_by_key(|(n, _)| *n);
    made.into_iter().map(|(_, visitor)| visitor).collect()
}

async fn post(http: &reqwest::Client, url: &str, token: Option<&str>, body: &Value) -> Value {
    let mut request = http.post(url).json(body);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.unwrap();
    assert!(response.status().is_success(), "{url}: {}", response.status());
    response.json().await.unwrap()
}

async fn answer(http: &reqwest::Client, base: &str, key: &str, conversation: &str, text: &str) {
    let url = format!("{base}/api/v1/conversations/{conversation}/messages");
    post(http, &url, Some(key), &json!({"text": text, "kind": "reply"})).await;
}

/// One task a socket: it reads until it is dropped.
async fn connect_all(
    base: &str,
    key: &str,
    visitors: &[Visitor],
    told: &mpsc::UnboundedSender<Heard>,
) -> JoinSet<()> {
    let gate = Arc::new(Semaphore::new(HANDSHAKES));
    let mut open = JoinSet::new();
    for visitor in visitors {
        let url = format!(
            "{}/widget/v1/{key}/socket?token={}&after={}",
            base.replacen("http", "ws", 1),
            visitor.token,
            visitor.last
        );
        let (gate, told) = (Arc::clone(&gate), told.clone());
        open.spawn(async move {
            let turn = gate.acquire_owned().await.unwrap();
            let Some(mut socket) = connect(&url).await else {
                return;
            };
            drop(turn);
            let page = json!({"type": "page", "url": "https://shop.example/lamps", "title": "Lamps", "hidden": false});
            drop(socket.send(Message::Text(page.to_string().into())).await);
            while let Some(Ok(message)) = socket.next().await {
                let at = Instant::now();
                let Message::Text(text) = message else { continue };
                let frame: Value = serde_json::from_str(&text).unwrap();
                let heard = match frame["type"].as_str() {
                    Some("hello") => Heard::Hello,
                    Some("message") => Heard::Message {
                        text: frame["message"]["text"].as_str().unwrap_or_default().to_owned(),
                        at,
                    },
                    _ => continue,
                };
                drop(told.send(heard));
            }
        });
    }
    open
}

/// As the widget does: it comes back until it is let in.
async fn connect(url: &str) -> Option<WebSocketStream<TcpStream>> {
    let address = url.split('/').nth(2)?.to_owned();
    for attempt in 0..10 {
        if let Ok(stream) = TcpStream::connect(&address).await
            && let Ok((socket, _)) =
                tokio_tungstenite::client_async(url.into_client_request().ok()?, stream).await
        {
            return Some(socket);
        }
        tokio::time::sleep(Duration::from_millis(200 << attempt.min(4))).await;
    }
    None
}

async fn wait_for_hellos(heard: &mut mpsc::UnboundedReceiver<Heard>, count: usize) -> usize {
    let mut greeted = 0;
    while greeted < count {
        match tokio::time::timeout(Duration::from_secs(60), heard.recv()).await {
            Ok(Some(Heard::Hello)) => greeted += 1,
            Ok(Some(Heard::Message { .. })) => {}
            _ => break,
        }
    }
    greeted
}

/// Messages both ways, and how long each took: answers to the visitor's socket, visitors' messages to the operator's.
async fn flow(server: &Server, key: &str, visitors: &[Visitor], heard: &mut mpsc::UnboundedReceiver<Heard>) {
    let sent: Arc<Mutex<HashMap<String, Instant>>> = Arc::default();
    let mut request = format!("{}/api/v1/realtime", server.base.replacen("http", "ws", 1))
        .into_client_request()
        .unwrap();
    request
        .headers_mut()
        .insert("authorization", format!("Bearer {}", server.key).parse().unwrap());
    let (mut operator, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let each = usize::try_from(RATE * SECONDS / 2).unwrap();
    let listening = tokio::spawn({
        let sent = Arc::clone(&sent);
        async move {
            let mut waits = Vec::with_capacity(each);
            while waits.len() < each {
                let next = tokio::time::timeout(Duration::from_secs(20), operator.next()).await;
                let Ok(Some(Ok(message))) = next else { break };
                let at = Instant::now();
                let Message::Text(text) = message else { continue };
                let frame: Value = serde_json::from_str(&text).unwrap();
                if frame["type"] != "message.created" || frame["data"]["kind"] != "inbound" {
                    continue;
                }
                let text = frame["data"]["text"].as_str().unwrap_or_default();
                if let Some(begun) = sent.lock().unwrap().remove(text) {
                    waits.push(at - begun);
                }
            }
            waits
        }
    });
    let failed = Arc::new(AtomicUsize::new(0));
    let http = client();
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / u32::try_from(RATE).unwrap());
    let mut tasks = JoinSet::new();
    for n in 0..2 * each {
        ticks.tick().await;
        let visitor = visitors[(n * 7919) % SOCKETS].clone();
        let (http, sent, failed) = (http.clone(), Arc::clone(&sent), Arc::clone(&failed));
        let (base, key, own) = (server.base.clone(), key.to_owned(), server.key.clone());
        tasks.spawn(async move {
            let inbound = n % 2 == 0;
            let text = format!("{} {n}", if inbound { "asked" } else { "answered" });
            sent.lock().unwrap().insert(text.clone(), Instant::now());
            let (url, token, body) = if inbound {
                (
                    format!("{base}/widget/v1/{key}/messages"),
                    visitor.token,
                    json!({"client_id": format!("c{n}"), "text": text}),
                )
            } else {
                (
                    format!("{base}/api/v1/conversations/{}/messages", visitor.conversation),
                    own,
                    json!({"text": text, "kind": "reply"}),
                )
            };
            let answer = http.post(url).bearer_auth(token).json(&body).send().await;
            if !answer.is_ok_and(|answer| answer.status().is_success()) {
                failed.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    tasks.join_all().await;
    let to_operator = listening.await.unwrap();
    let mut to_visitors = Vec::with_capacity(each);
    while to_visitors.len() < each {
        match tokio::time::timeout(Duration::from_secs(20), heard.recv()).await {
            Ok(Some(Heard::Message { text, at })) => {
                // Their own messages come back too.
                if text.starts_with("answered")
                    && let Some(begun) = sent.lock().unwrap().remove(&text)
                {
                    to_visitors.push(at - begun);
                }
            }
            Ok(Some(Heard::Hello)) => {}
            _ => break,
        }
    }
    println!(
        "{RATE} messages a second for {SECONDS} s over {SOCKETS} sockets, {} failed",
        failed.load(Ordering::Relaxed)
    );
    report("from an operator's POST to the visitor's socket", to_visitors);
    report("from a visitor's POST to the operator's socket", to_operator);
}

fn report(what: &str, mut waits: Vec<Duration>) {
    waits.sort_unstable();
    let at = |part: f64| {
        waits
            .get(((waits.len() as f64 * part) as usize).min(waits.len().saturating_sub(1)))
            .copied()
            .unwrap_or_default()
            .as_secs_f64()
            * 1e3
    };
    println!(
        "  {what}: median {:.1} ms, p95 {:.1} ms, p99 {:.1} ms, longest {:.1} ms ({} messages)",
        at(0.5),
        at(0.95),
        at(0.99),
        at(1.0),
        waits.len()
    );
}

/// Kilobytes of the program.
fn memory(server: &Server, what: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with(what))
        .unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|word| word.parse().ok())
        .unwrap_or_default()
}

/// Long enough for what is made in passing to be given back.
async fn settle() {
    tokio::time::sleep(Duration::from_secs(5)).await;
}
