//! What was acknowledged is a call, whenever the server dies.

use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};
use serde_json::{Value, json};
use switchboard::{
    clock::Clock as _,
    db::{Db, entity::call_event},
    id::{self, Kind},
};

use super::{CLIENT, OURS, Phone, signed};
use crate::{
    cli::{Server, program, run},
    support::{Database, TestApp},
};

/// A report that was stored by a process that died before it looked at it.
async fn left_behind(database: Database) {
    let app = TestApp::start(database).await;
    let phone = Phone::on(&app, json!({}), json!({})).await;
    let channel = phone.channel["id"].as_str().unwrap().to_owned();
    let now = app.app.clock.now();
    let url = app.database.url.clone();
    let database = app.stop().await;
    let db = Db::connect(&url).await.unwrap();
    let write = db.write().await.unwrap();
    for (external_id, kind) in [("e2", "ended"), ("e1", "started")] {
        let row = call_event::Model {
            id: id::new(Kind::CallEvent, now),
            channel_id: channel.clone(),
            external_id: external_id.to_owned(),
            call_id: None,
            event: json!({"call": "c1", "kind": kind, "direction": "inbound", "from": {"kind": "number", "address": CLIENT}}),
            at: now,
            received_at: now,
        };
        row.into_active_model().insert(write.tx()).await.unwrap();
    }
    write.commit().await.unwrap();
    db.close().await.unwrap();
    let app = TestApp::start(database).await;
    let call = super::call_that(&app, "it is folded", |call| super::is(call, "state", "ended")).await;
    assert_eq!(super::entries(&app, &call["conversation_id"]).await.len(), 1);
    let left = call_event::Entity::find().all(app.app.db.read()).await.unwrap();
    assert!(left.iter().all(|row| row.call_id.is_some()) && left.len() == 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_process_left_is_folded_by_the_next_on_sqlite() {
    left_behind(Database::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_process_left_is_folded_by_the_next_on_postgres() {
    left_behind(Database::postgres().await).await;
}

/// Kills the program right after it said yes, again and again: each call it took is there once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_program_loses_and_doubles_no_call_that_it_took() {
    const ROUNDS: usize = 6;
    let folder = tempfile::tempdir().unwrap();
    let made = run(
        folder.path(),
        &["apikey", "create", "--name", "test", "--role", "admin"],
    );
    let key = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder().build().unwrap();
    let clock = switchboard::clock::SystemClock;
    let (mut hook, mut taken) = (String::new(), Vec::new());
    for round in 0..ROUNDS {
        let server = Server::of(&mut program(folder.path()));
        let api = |path: &str| format!("{}/api/v1{path}", server.base);
        if hook.is_empty() {
            let post = async |path: &str, body: Value| -> Value {
                client
                    .post(api(path))
                    .bearer_auth(&key)
                    .json(&body)
                    .send()
                    .await
                    .unwrap()
                    .json()
                    .await
                    .unwrap()
            };
            let line = post("/lines", json!({"name": "Calls"})).await;
            let settings = json!({"provider": "generic", "secrets": {"signing_secret": super::SECRET}});
            let channel = post(
                "/channels",
                json!({"kind": "voip", "line_id": line["id"], "name": "PBX", "settings": settings}),
            )
            .await;
            hook = format!("/hooks/voip/{}", channel["key"].as_str().unwrap());
        }
        for n in 0..8 {
            let call = format!("r{round}n{n}");
            let from = format!("+9989012345{round}{n}");
            for event in ["ringing", "ended"] {
                let body = json!({"event": event, "call_id": call, "direction": "inbound", "from": from, "to": OURS, "at": clock.now()});
                let answer = signed(&client, &format!("{}{hook}", server.base), &body, clock.now())
                    .send()
                    .await
                    .unwrap();
                assert_eq!(answer.status(), 200);
            }
            taken.push(from);
        }
        drop(server); // SIGKILL
    }
    let server = Server::of(&mut program(folder.path()));
    let mut seen: Vec<String> = Vec::new();
    for _ in 0..200 {
        let url = format!("{}/api/v1/calls?limit=200&state=ended", server.base);
        let calls: Value = client
            .get(url)
            .bearer_auth(&key)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let calls = calls["items"].as_array().unwrap().clone();
        seen = calls
            .iter()
            .map(|call| call["from"].as_str().unwrap().to_owned())
            .collect();
        if seen.len() >= taken.len() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    seen.sort_unstable();
    taken.sort_unstable();
    assert_eq!(seen, taken);
}
