//! The custom connector: pushes over HTTP, calls to a program, and the documented example from end to end.

use std::{
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use switchboard::db::entity::message;
use switchboard_custom::{Secret, sign};
use tokio::net::TcpListener;

use crate::support::{Answer, Database, TestApp};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A program behind a callback address, and files it serves.
#[derive(Clone, Default)]
struct Program(Arc<Mutex<Inner>>);

/// Headers of an answer.
type Headers = Vec<(&'static str, &'static str)>;

#[derive(Default)]
struct Inner {
    calls: Vec<(HeaderMap, Value)>,
    answers: Vec<(u16, Headers, Value)>,
}

impl Program {
    /// Serves it; answers its address.
    async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/callback", post(Self::called))
            .route(
                "/photo.png",
                get(|| async { ([("content-type", "image/png")], "a photo") }),
            )
            .route("/large", get(|| async { vec![0_u8; 26 << 20] }))
            .route(
                "/elsewhere",
                get(|| async { (StatusCode::FOUND, [("location", "http://169.254.169.254/")]) }),
            )
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        base
    }

    async fn called(State(program): State<Self>, headers: HeaderMap, body: Bytes) -> Response {
        let call: Value = serde_json::from_slice(&body).unwrap();
        let mut inner = program.0.lock().unwrap();
        if call["type"] == "message.send" && !inner.answers.is_empty() {
            let (status, extra, answer) = inner.answers.remove(0);
            let mut response = (StatusCode::from_u16(status).unwrap(), answer.to_string()).into_response();
            for (name, value) in extra {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            inner.calls.push((headers, call));
            return response;
        }
        let id = format!("x-{}", call["id"].as_str().unwrap_or_default());
        inner.calls.push((headers, call));
        axum::Json(json!({"external_id": id})).into_response()
    }

    fn will_answer(&self, status: u16, headers: Headers, body: Value) {
        self.0.lock().unwrap().answers.push((status, headers, body));
    }

    fn calls(&self, kind: &str) -> Vec<(HeaderMap, Value)> {
        let inner = self.0.lock().unwrap();
        inner
            .calls
            .iter()
            .filter(|(_, call)| call["type"] == kind)
            .cloned()
            .collect()
    }
}

struct Bridge {
    program: Program,
    files: String,
    channel: Value,
}

impl Bridge {
    async fn on(app: &TestApp) -> Self {
        let program = Program::default();
        let files = program.serve().await;
        let line = app.line("Bridges", json!({})).await;
        let settings = json!({"callback_url": format!("{files}/callback"), "secret": SECRET});
        let channel = app.channel("custom", &line, settings).await;
        Self {
            program,
            files,
            channel,
        }
    }

    async fn push(&self, app: &TestApp, path: &str, webhook_id: &str, body: &Value) -> Answer {
        push(app, &self.channel, SECRET, path, webhook_id, body).await
    }

    async fn says(&self, app: &TestApp, id: &str, text: &str) -> Value {
        self.push(app, "messages", id, &hello(id, text)).await.expect(200)
    }
}

fn hello(id: &str, text: &str) -> Value {
    json!({"id": id, "conversation": {"external_id": "room-7"}, "from": {"id": "u1", "name": "Ann"}, "text": text})
}

async fn push(
    app: &TestApp,
    channel: &Value,
    secret: &str,
    path: &str,
    webhook_id: &str,
    body: &Value,
) -> Answer {
    let (body, at) = (body.to_string(), app.app.clock.now().timestamp());
    let secret = Secret::read(secret).unwrap();
    let request = app
        .client
        .post(format!(
            "{}/hooks/custom/{}/{path}",
            app.base,
            channel["key"].as_str().unwrap()
        ))
        .header("webhook-id", webhook_id)
        .header("webhook-timestamp", at.to_string())
        .header(
            "webhook-signature",
            sign(&[&secret], webhook_id, at, body.as_bytes()),
        )
        .body(body);
    app.ask(request).await
}

async fn messages(app: &TestApp, id: &str) -> Vec<Value> {
    let list = app.get(&format!("/conversations/{id}/messages?limit=200")).await;
    list["items"].as_array().unwrap().clone()
}

async fn reply(app: &TestApp, id: &str, body: Value) -> String {
    let message = app
        .post(&format!("/conversations/{id}/messages"), body)
        .await
        .expect(201);
    message["id"].as_str().unwrap().to_owned()
}

#[track_caller]
fn until<'a>(
    app: &'a TestApp,
    id: &'a str,
    of: &'a str,
    what: &'a str,
    holds: fn(&Value) -> bool,
) -> impl Future<Output = Value> + 'a {
    app.until(what, move || async move {
        let all = messages(app, id).await;
        all.into_iter().find(|row| row["id"] == of).filter(holds)
    })
}

both_databases! {
    async fn a_push_is_answered_with_its_ids_after_the_commit_and_stored_once(app: TestApp) {
        let bridge = Bridge::on(&app).await;
        let first = bridge.says(&app, "m1", "Salom").await;
        let again = bridge.says(&app, "m1", "Salom").await;
        assert_eq!(first, again);
        assert!(first["message_id"].as_str().unwrap().starts_with("msg_"));
        let id = first["conversation_id"].as_str().unwrap();
        let edit = json!({"id": "m1", "text": "Salom!", "edited": true});
        assert_eq!(bridge.push(&app, "messages", "w2", &edit).await.expect(200), first);
        assert_eq!(bridge.push(&app, "messages", "w2", &edit).await.expect(200), first);
        let other = json!({"id": "m2", "conversation": {"external_id": "room-8"}, "from": {"id": "u1"}, "text": "another room"});
        let other = bridge.push(&app, "messages", "w3", &other).await.expect(200);
        assert_ne!(other["conversation_id"], first["conversation_id"], "conversations are the program's");
        let answer = json!({"id": "m3", "conversation": {"external_id": "room-7"}, "from": {"id": "u2", "name": "Bob"}, "text": "and me", "reply_to": "m1"});
        let answer = bridge.push(&app, "messages", "w4", &answer).await.expect(200);
        assert_eq!(answer["conversation_id"], first["conversation_id"]);
        let gone = json!({"id": "m3", "deleted": true});
        bridge.push(&app, "messages", "w5", &gone).await.expect(200);
        let now = messages(&app, id).await;
        assert_eq!((&now[0]["text"], now[0]["edited_at"].is_string()), (&json!("Salom!"), true));
        assert_eq!((&now[1]["reply_to"]["id"], &now[1]["deleted"]["by"], &now[1]["author"]["name"]), (&now[0]["id"], &json!("contact"), &json!("Bob")));
        assert_eq!(message::Entity::find().count(app.app.db.read()).await.unwrap(), 3);
    }

    async fn who_cannot_sign_is_refused_and_what_does_not_fit_names_its_field(app: TestApp) {
        let bridge = Bridge::on(&app).await;
        let stranger = push(&app, &bridge.channel, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "messages", "w1", &hello("m1", "x")).await;
        assert!(stranger.expect(401)["type"].is_string());
        let url = format!("{}/hooks/custom/{}/messages", app.base, bridge.channel["key"].as_str().unwrap());
        app.ask(app.client.post(&url).body("{}")).await.expect(401);
        app.ask(app.client.get(&url)).await.expect(400);
        let wrong = bridge.push(&app, "messages", "w1", &json!({"id": "m1", "text": "x", "from": {}})).await.expect(422);
        assert_eq!(wrong["errors"][0]["field"], "from.id");
        bridge.push(&app, "nothing", "w1", &json!({})).await.expect(400);
        let seen = app.get(&format!("/channels/{}/events", bridge.channel["id"].as_str().unwrap())).await;
        let verdicts: Vec<&Value> = seen["items"].as_array().unwrap().iter().map(|one| &one["verdict"]).collect();
        assert_eq!(verdicts, ["refused"; 5]);
        let reasons = seen.to_string();
        assert!(reasons.contains("from.id: missing field") && reasons.contains("webhook-signature"), "{reasons}");
        bridge.says(&app, "m1", "Salom").await;
        let seen = app.get(&format!("/channels/{}/events", bridge.channel["id"].as_str().unwrap())).await;
        let newest = &seen["items"][0];
        assert_eq!((&newest["verdict"], newest["payload"].as_str().unwrap().contains("Salom")), (&json!("stored"), true));
        let (_, operator) = app.operator("Tom", "operator").await;
        let path = format!("/channels/{}/events", bridge.channel["id"].as_str().unwrap());
        app.call_as(&operator, "GET", &path, None).await.expect(403);
        let off = app.patch(&format!("/channels/{}", bridge.channel["id"].as_str().unwrap()), json!({"enabled": false})).await;
        off.expect(200);
        bridge.push(&app, "messages", "w9", &hello("m9", "x")).await.expect(503);
    }

    async fn files_are_fetched_within_limits_and_none_is_lost_silently(app: TestApp) {
        let bridge = Bridge::on(&app).await;
        let files = json!([
            {"url": format!("{}/photo.png", bridge.files), "name": "photo.png"},
            {"url": format!("{}/large", bridge.files), "name": "film.mp4"},
            {"url": format!("{}/nothing", bridge.files)},
            {"url": format!("{}/elsewhere", bridge.files), "name": "redirect"},
            {"url": "http://169.254.169.254/latest/meta-data", "name": "inside"},
            {"url": "http://[::ffff:10.0.0.1]/x", "name": "disguised"},
        ]);
        let mut body = hello("m1", "");
        body["attachments"] = files;
        let stored = bridge.push(&app, "messages", "w1", &body).await.expect(200);
        let now = messages(&app, stored["conversation_id"].as_str().unwrap()).await;
        let file = &now[0]["attachments"][0];
        assert_eq!((now[0]["attachments"].as_array().unwrap().len(), &file["name"], &file["content_type"], &file["size"]), (1, &json!("photo.png"), &json!("image/png"), &json!(7)));
        let missing: Vec<(String, String)> = now[0]["missing_files"].as_array().unwrap().iter()
            .map(|file| (file["name"].as_str().unwrap().to_owned(), file["reason"].as_str().unwrap().to_owned())).collect();
        for (place, (name, reason)) in [("film.mp4", "too large"), ("nothing", "404"), ("redirect", "302"), ("inside", "private network"), ("disguised", "private network")].iter().enumerate() {
            assert_eq!(&missing[place].0, name);
            assert!(missing[place].1.contains(reason), "{missing:?}");
        }
    }

    async fn answers_go_out_signed_with_files_that_open_and_are_changed_and_taken_back(app: TestApp) {
        let bridge = Bridge::on(&app).await;
        let stored = bridge.says(&app, "m1", "Salom").await;
        let id = stored["conversation_id"].as_str().unwrap();
        let part = reqwest::multipart::Part::bytes(b"%PDF-1.4".to_vec()).file_name("price.pdf").mime_str("application/pdf").unwrap();
        let form = reqwest::multipart::Form::new().part("file", part);
        let upload = app.client.post(format!("{}/api/v1/attachments", app.base)).bearer_auth(&app.key).multipart(form);
        let file = app.ask(upload).await.expect(201);
        let sent = reply(&app, id, json!({"text": "Hello", "reply_to": stored["message_id"], "attachments": [file["id"]]})).await;
        let shown = until(&app, id, &sent, "sent", |m| m["delivery"]["state"] == "sent").await;
        assert_eq!(shown["external_id"], json!(format!("x-{sent}")));
        let (headers, call) = bridge.program.calls("message.send").remove(0);
        assert_eq!(headers["webhook-id"], sent.as_str());
        for (pointer, expected) in [
            ("/id", json!(sent)), ("/conversation/external_id", json!("room-7")), ("/to/id", json!("u1")),
            ("/text", json!("Hello")), ("/reply_to", json!("m1")), ("/attachments/0/name", json!("price.pdf")),
        ] {
            assert_eq!(call.pointer(pointer), Some(&expected), "{pointer}");
        }
        let url = call["attachments"][0]["url"].as_str().unwrap();
        let opened = app.client.get(url).send().await.unwrap();
        assert_eq!((opened.status().as_u16(), opened.bytes().await.unwrap().as_ref()), (200, b"%PDF-1.4".as_slice()));
        app.ask(app.client.get(url.replace("token=1", "token=2"))).await.expect(401);
        app.ask(app.client.get(url.split('?').next().unwrap())).await.expect(401);

        let path = format!("/messages/{sent}");
        app.patch(&path, json!({"text": "Hello!"})).await.expect(200);
        until(&app, id, &sent, "changed", |m| m["change"].is_null()).await;
        app.call("DELETE", &path, None).await.expect(200);
        until(&app, id, &sent, "gone", |m| m["change"].is_null()).await;
        let (edit, gone) = (bridge.program.calls("message.edit").remove(0).1, bridge.program.calls("message.delete").remove(0).1);
        assert_eq!((&edit["text"], &edit["external_id"]), (&json!("Hello!"), &json!(format!("x-{sent}"))));
        assert_eq!((&gone["id"], &gone["conversation"]["external_id"]), (&json!(sent), &json!("room-7")));
        let mut socket = app.socket(&app.key, None).await;
        socket.say(json!({"type": "typing", "conversation_id": id})).await;
        app.until("typing", || async { (!bridge.program.calls("typing").is_empty()).then_some(()) }).await;
        let typing = json!({"conversation": {"external_id": "room-7"}, "from": {"id": "u1", "name": "Ann"}});
        bridge.push(&app, "typing", "t1", &typing).await.expect(200);
        let heard = socket.until(|frame| frame["type"] == "typing").await;
        assert_eq!(heard["data"]["author"]["name"], "Ann");
        app.post(&format!("/conversations/{id}/close"), json!({})).await.expect(200);
        app.until("closed", || async { (!bridge.program.calls("session.closed").is_empty()).then_some(()) }).await;
    }

    async fn what_the_program_answers_decides(app: TestApp) {
        let bridge = Bridge::on(&app).await;
        let stored = bridge.says(&app, "m1", "Salom").await;
        let id = stored["conversation_id"].as_str().unwrap();
        bridge.program.will_answer(429, vec![("retry-after", "7")], json!({"error": "slowly"}));
        let sent = reply(&app, id, json!({"text": "one"})).await;
        let waiting = until(&app, id, &sent, "waiting", |m| m["delivery"]["error"].is_string()).await;
        assert_eq!((&waiting["delivery"]["state"], &waiting["delivery"]["error"]), (&json!("queued"), &json!("the bridge answered 429: slowly")));
        let row = switchboard::db::entity::outbox::Entity::find_by_id(&sent).one(app.app.db.read()).await.unwrap().unwrap();
        assert!((row.due_at.unwrap() - app.app.clock.now()).num_seconds() >= 4, "not before it asked");
        until(&app, id, &sent, "sent", |m| m["delivery"]["state"] == "sent").await;
        bridge.program.will_answer(400, vec![], json!({"detail": "no such room"}));
        let refused = reply(&app, id, json!({"text": "two"})).await;
        let refused = until(&app, id, &refused, "failed", |m| m["delivery"]["state"] == "failed").await;
        assert_eq!(refused["delivery"]["error"], "the bridge answered 400: no such room");
        let status = json!({"message_id": sent, "state": "read"});
        bridge.push(&app, "status", "s1", &status).await.expect(200);
        until(&app, id, &sent, "read", |m| m["delivery"]["state"] == "read").await;
        bridge.program.will_answer(403, vec![], json!({"error": "blocked you", "unreachable": true}));
        let blocked = reply(&app, id, json!({"text": "three"})).await;
        until(&app, id, &blocked, "failed", |m| m["delivery"]["state"] == "failed").await;
        let conversation = app.get(&format!("/conversations/{id}")).await;
        assert_eq!(conversation["address_problem"], "the bridge answered 403: blocked you");
        bridge.says(&app, "m2", "unblocked").await;
        assert_eq!(app.get(&format!("/conversations/{id}")).await["address_problem"], Value::Null);
    }

    async fn the_secret_is_rotated_with_an_overlap(app: TestApp) {
        let bridge = Bridge::on(&app).await;
        let path = format!("/channels/{}", bridge.channel["id"].as_str().unwrap());
        let (_, operator) = app.operator("Tom", "supervisor").await;
        app.call_as(&operator, "POST", &format!("{path}/rotate-secret"), Some(json!({}))).await.expect(403);
        let rotated = app.post(&format!("{path}/rotate-secret"), json!({"overlap_secs": 3600})).await.expect(200);
        let new = rotated["secret"].as_str().unwrap();
        assert!(new.starts_with("whsec_") && rotated["previous_until"].is_string());
        for (secret, id) in [(SECRET, "m1"), (new, "m2")] {
            push(&app, &bridge.channel, secret, "messages", id, &hello(id, "x")).await.expect(200);
        }
        assert_eq!(app.get(&path).await["settings"]["secret"], Value::Null);
        app.post(&format!("{path}/rotate-secret"), json!({"overlap_secs": 0})).await.expect(200);
        push(&app, &bridge.channel, SECRET, "messages", "m3", &hello("m3", "x")).await.expect(401);
        push(&app, &bridge.channel, new, "messages", "m3", &hello("m3", "x")).await.expect(401);
        let check = app.post(&format!("{path}/check"), json!({})).await.expect(200);
        assert_eq!(check["ok"], true, "{check}");
    }
}

/// The documented example, as it stands in the repository.
struct Example {
    child: Option<Child>,
    port: u16,
    folder: tempfile::TempDir,
}

impl Example {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        Self {
            child: None,
            port,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    async fn start(&mut self, app: &TestApp, key: &str) {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/custom-connector/bridge.py");
        let child = Command::new("python3")
            .arg("-B")
            .arg(program)
            .env("SWITCHBOARD_HOOKS", format!("{}/hooks/custom/{key}", app.base))
            .env("SWITCHBOARD_SECRET", SECRET)
            .env("BRIDGE_PORT", self.port.to_string())
            .env("BRIDGE_DB", self.folder.path().join("pigeon.db"))
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
        let url = self.url("/rooms/none");
        app.until("the example answers", || async {
            app.client.get(&url).send().await.ok()
        })
        .await;
    }

    /// Ends it as a crash does.
    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    async fn people(&self, client: &reqwest::Client, path: &str, body: Value) -> Value {
        client
            .post(self.url(path))
            .json(&body)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    async fn room(&self, client: &reqwest::Client, room: &str) -> Value {
        client
            .get(self.url(&format!("/rooms/{room}")))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    async fn shows(&self, app: &TestApp, room: &str, texts: &[&str]) {
        app.until(&format!("{room} shows {texts:?}"), || async {
            let room = self.room(&app.client, room).await;
            let seen: Vec<&str> = room["birds"]
                .as_array()
                .unwrap()
                .iter()
                .map(|bird| bird[1].as_str().unwrap())
                .collect();
            (seen == texts).then_some(())
        })
        .await;
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        self.kill();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documented_example_bridges_both_ways_and_over_restarts() {
    let app = TestApp::start(Database::sqlite().await).await;
    let line = app.line("Pigeon", json!({})).await;
    let mut example = Example::new().await;
    let settings = json!({"callback_url": example.url("/switchboard"), "secret": SECRET});
    let channel = app.channel("custom", &line, settings).await;
    let key = channel["key"].as_str().unwrap();
    example.start(&app, key).await;
    let check = app
        .post(
            &format!("/channels/{}/check", channel["id"].as_str().unwrap()),
            json!({}),
        )
        .await
        .expect(200);
    assert_eq!(check["ok"], true, "{check}");

    // In: a message, its edit, a second one and its deletion, typing.
    let client = app.client.clone();
    let made = example
        .people(
            &client,
            "/say",
            json!({"room": "attic", "user": "ann", "text": "Coo"}),
        )
        .await;
    let id = app
        .until("the conversation", || async {
            app.get("/conversations?view=all").await["items"][0]["id"]
                .as_str()
                .map(str::to_owned)
        })
        .await;
    example
        .people(
            &client,
            "/say",
            json!({"room": "attic", "user": "ann", "text": "Coo coo", "edit": made["id"]}),
        )
        .await;
    let second = example
        .people(
            &client,
            "/say",
            json!({"room": "attic", "user": "ann", "text": "oops"}),
        )
        .await;
    example
        .people(
            &client,
            "/say",
            json!({"room": "attic", "user": "ann", "delete": second["id"]}),
        )
        .await;
    let now = app
        .until("all of it", || async {
            let now = messages(&app, &id).await;
            (now.len() == 2 && now[1]["deleted"].is_object()).then_some(now)
        })
        .await;
    assert_eq!(
        (&now[0]["text"], &now[0]["author"]["name"]),
        (&json!("Coo coo"), &json!("Ann"))
    );
    let mut socket = app.socket(&app.key, None).await;
    example
        .people(&client, "/typing", json!({"room": "attic", "user": "ann"}))
        .await;
    socket.until(|frame| frame["type"] == "typing").await;

    // Out: an answer, its edit and deletion, typing, read states, a refusal.
    let kept = reply(&app, &id, json!({"text": "Hello, pigeon"})).await;
    let sent = reply(&app, &id, json!({"text": "We are opne"})).await;
    example
        .shows(&app, "attic", &["Coo coo", "Hello, pigeon", "We are opne"])
        .await;
    app.patch(&format!("/messages/{sent}"), json!({"text": "We are open"}))
        .await
        .expect(200);
    example
        .shows(&app, "attic", &["Coo coo", "Hello, pigeon", "We are open"])
        .await;
    app.call("DELETE", &format!("/messages/{sent}"), None)
        .await
        .expect(200);
    example.shows(&app, "attic", &["Coo coo", "Hello, pigeon"]).await;
    example
        .people(&client, "/seen", json!({"room": "attic", "user": "ann"}))
        .await;
    until(&app, &id, &kept, "read", |m| m["delivery"]["state"] == "read").await;
    socket.say(json!({"type": "typing", "conversation_id": id})).await;
    app.until("typing is shown", || async {
        (example.room(&client, "attic").await["hint"] == "typing").then_some(())
    })
    .await;
    example
        .people(
            &client,
            "/say",
            json!({"room": "nowhere", "user": "bob", "text": "?"}),
        )
        .await;
    let lost = app
        .until("bob's conversation", || async {
            let all = app.get("/conversations?view=all").await["items"].clone();
            let bob = all
                .as_array()
                .unwrap()
                .iter()
                .find(|row| row["contact"]["name"] == "Bob")
                .cloned();
            bob.and_then(|row| row["id"].as_str().map(str::to_owned))
        })
        .await;
    let refused = reply(&app, &lost, json!({"text": "where?"})).await;
    let refused = until(&app, &lost, &refused, "failed", |m| {
        m["delivery"]["state"] == "failed"
    })
    .await;
    assert_eq!(
        refused["delivery"]["error"],
        "the bridge answered 404: there is no such room"
    );

    // The program dies: what is answered meanwhile arrives after its restart, once.
    example.kill();
    let late = reply(&app, &id, json!({"text": "Are you there?"})).await;
    until(&app, &id, &late, "tried", |m| m["delivery"]["error"].is_string()).await;
    example.start(&app, key).await;
    example
        .shows(&app, "attic", &["Coo coo", "Hello, pigeon", "Are you there?"])
        .await;

    // Switchboard stops: what people say meanwhile waits in the program, which dies too, and arrives once.
    let database = app.stop().await;
    example
        .people(
            &client,
            "/say",
            json!({"room": "attic", "user": "ann", "text": "Still here"}),
        )
        .await;
    example.kill();
    let app = TestApp::start(database).await;
    let callback = json!({"settings": {"callback_url": example.url("/switchboard")}});
    app.patch(
        &format!("/channels/{}", channel["id"].as_str().unwrap()),
        callback,
    )
    .await
    .expect(200);
    example.start(&app, key).await;
    let path = format!("/conversations/{id}/messages?limit=200");
    app.until("what was said arrives", || async {
        let now = app.get(&path).await["items"].clone();
        let found = now
            .as_array()
            .unwrap()
            .iter()
            .filter(|m| m["text"] == "Still here")
            .count();
        (found == 1).then_some(())
    })
    .await;
    tokio::time::timeout(Duration::from_secs(20), app.stop())
        .await
        .unwrap();
}
