//! "Who should get this caller?" is asked while the caller hears it ring: how long the answer takes with a full house.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::load::{Server, client};

/// Operators who are there, each with an extension.
const OPERATORS: usize = 30;
/// Clients who rang before, each known and with a lead.
const KNOWN: usize = 200;
/// Questions of one measurement.
const QUESTIONS: usize = 2_000;
/// What the telephone system's token is.
const TOKEN: &str = "a-word-that-nobody-guesses";
/// The goal, of the slowest but one in a hundred.
const GOAL: Duration = Duration::from_millis(50);

pub async fn measure() {
    let mut server = Server::start().await;
    let operators = operators(&server).await;
    let queue: Vec<Value> = operators.iter().map(|id| json!({"operator_id": id})).collect();
    let line = server
        .post(
            "/lines",
            json!({"name": "Calls", "queue": queue, "crm": {"create_lead": "always"}}),
        )
        .await;
    let extensions: serde_json::Map<String, Value> = operators
        .iter()
        .enumerate()
        .map(|(n, id)| ((100 + n).to_string(), json!(id)))
        .collect();
    let channel = server
        .post(
            "/channels",
            json!({"kind": "voip", "line_id": line["id"], "name": "PBX", "settings": {
                "provider": "3cx", "secrets": {"token": TOKEN}, "numbers": {"+74951234567": {"label": "Ad"}},
                "operators": extensions, "settle_secs": 1}}),
        )
        .await;
    let hook = format!("{}/hooks/voip/{}", server.base, channel["key"].as_str().unwrap());
    clients(&hook).await;
    for at_once in [1, 20] {
        let waits = ask(&hook, at_once).await;
        report(at_once, waits);
    }
    server.stop();
}

/// Users who hold a key of their own and say that they are there.
async fn operators(server: &Server) -> Vec<String> {
    let mut ids = Vec::new();
    for n in 0..OPERATORS {
        let made = server
            .post(
                "/apikeys",
                json!({"name": format!("operator {n}"), "role": "operator"}),
            )
            .await;
        let key = made["key"].as_str().unwrap().to_owned();
        let as_them = |request: reqwest::RequestBuilder| request.bearer_auth(key.clone());
        let me = as_them(client().get(format!("{}/api/v1/me", server.base)));
        let me: Value = me.send().await.unwrap().json().await.unwrap();
        ids.push(me["id"].as_str().unwrap().to_owned());
        for (path, body) in [
            ("presence", json!({"state": "online", "ttl_secs": 3600})),
            ("availability", json!({"state": "accepting"})),
        ] {
            let put = client()
                .put(format!("{}/api/v1/me/{path}", server.base))
                .json(&body);
            assert!(as_them(put).send().await.unwrap().status().is_success());
        }
    }
    ids
}

fn number(n: usize) -> String {
    format!("+99890{:07}", 1_000_000 + n)
}

/// Calls that were answered, so that their callers are known and somebody is responsible.
async fn clients(hook: &str) {
    let http = client();
    for n in 0..KNOWN {
        let report = json!({
            "call_type": "Inbound", "number": number(n), "agent": (100 + n % OPERATORS).to_string(), "duration": "30",
            "call_start_time_utc": format!("2026-01-05T10:{:02}:00Z", n % 60), "name": format!("Client {n}"),
        });
        let request = http.post(hook).bearer_auth(TOKEN).json(&report);
        assert!(request.send().await.unwrap().status().is_success());
    }
    // The reports are folded by whoever follows them.
    tokio::time::sleep(Duration::from_secs(5)).await;
}

async fn ask(hook: &str, at_once: usize) -> Vec<Duration> {
    let http = client();
    let mut tasks = JoinSet::new();
    for first in 0..at_once {
        let (http, hook) = (http.clone(), hook.to_owned());
        tasks.spawn(async move {
            let mut waits = Vec::new();
            // Every second caller is a stranger.
            for n in (first..QUESTIONS).step_by(at_once) {
                let from = number(if n % 2 == 0 { n % KNOWN } else { KNOWN + n });
                let url = format!(
                    "{hook}/route?token={TOKEN}&to=%2B74951234567&from={}",
                    from.replace('+', "%2B")
                );
                let begun = Instant::now();
                let answer: Value = http.get(url).send().await.unwrap().json().await.unwrap();
                waits.push(begun.elapsed());
                let extensions = answer["extensions"].as_array().unwrap();
                assert_eq!(extensions.len(), OPERATORS, "{answer}");
            }
            waits
        });
    }
    tasks.join_all().await.into_iter().flatten().collect()
}

fn report(at_once: usize, mut waits: Vec<Duration>) {
    waits.sort_unstable();
    let at = |part: f64| waits[((waits.len() as f64 * part) as usize).min(waits.len() - 1)];
    println!(
        "who should get this caller, {OPERATORS} operators there, {at_once} asked at once: \
         median {:.1} ms, p99 {:.1} ms, longest {:.1} ms ({} questions; goal {} ms)",
        at(0.5).as_secs_f64() * 1e3,
        at(0.99).as_secs_f64() * 1e3,
        at(1.0).as_secs_f64() * 1e3,
        waits.len(),
        GOAL.as_millis(),
    );
}
