//! Outgoing webhooks, from the event to a program that checks signatures with the official library.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it cannot go on"
)]

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use chrono::TimeDelta;
use serde_json::{Value, json};
use switchboard::{clock::Clock as _, db::entity::webhook_delivery};
use tokio::{net::TcpListener, sync::watch};

use crate::{
    cli::{Server, program},
    support::{Database, TestApp},
};

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Heard {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Value,
    pub raw: Bytes,
}

impl Heard {
    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// As the official library verifies it.
    pub fn fits(&self, secret: &str) -> bool {
        let verifier = standardwebhooks::Webhook::new(secret).unwrap();
        verifier.verify(&self.raw, &self.headers).is_ok()
    }

    /// The same under a clock of the test's own: what the official library signs is what came.
    fn is_signed_as(&self, secret: &str) -> bool {
        let signer = standardwebhooks::Webhook::new(secret).unwrap();
        let at = self.header("webhook-timestamp").parse().unwrap();
        let signed = signer.sign(self.header("webhook-id"), at, &self.raw).unwrap();
        signed == self.header("webhook-signature")
    }
}

/// What a program answers: status and headers; `None` is silence.
type Reply = Option<(u16, Vec<(&'static str, String)>)>;

/// A program behind any number of addresses, `/{name}`.
#[derive(Clone)]
pub struct Receiver {
    inner: Arc<Mutex<Inner>>,
    heard: Arc<watch::Sender<usize>>,
    pub base: String,
}

#[derive(Default)]
struct Inner {
    heard: Vec<Heard>,
    next: BTreeMap<String, VecDeque<Reply>>,
    always: BTreeMap<String, Reply>,
}

impl Receiver {
    pub async fn serve() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            inner: Arc::default(),
            heard: Arc::new(watch::Sender::new(0)),
            base: format!("http://{}", listener.local_addr().unwrap()),
        };
        let router = Router::new()
            .route("/{name}", post(Self::called))
            .with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    async fn called(
        State(me): State<Self>,
        Path(path): Path<String>,
        headers: HeaderMap,
        raw: Bytes,
    ) -> Response {
        let reply = {
            let mut inner = me.inner.lock().unwrap();
            let body = serde_json::from_slice(&raw).unwrap();
            inner.heard.push(Heard {
                path: path.clone(),
                headers,
                body,
                raw,
            });
            let always = inner.always.get(&path).cloned();
            let next = inner.next.get_mut(&path).and_then(VecDeque::pop_front);
            next.or(always).unwrap_or(Some((200, Vec::new())))
        };
        me.heard.send_modify(|count| *count += 1);
        let Some((status, extra)) = reply else {
            return std::future::pending().await;
        };
        let mut response = (StatusCode::from_u16(status).unwrap(), "thanks").into_response();
        for (name, value) in extra {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        response
    }

    /// The next requests to `/name` are answered with these statuses.
    pub fn answers(&self, name: &str, statuses: &[u16]) {
        let replies = statuses.iter().map(|status| Some((*status, Vec::new())));
        let mut inner = self.inner.lock().unwrap();
        inner.next.entry(name.to_owned()).or_default().extend(replies);
    }

    fn answers_with(&self, name: &str, status: u16, headers: Vec<(&'static str, String)>) {
        let mut inner = self.inner.lock().unwrap();
        inner
            .next
            .entry(name.to_owned())
            .or_default()
            .push_back(Some((status, headers)));
    }

    /// From now on, when nothing else was said.
    pub fn always(&self, name: &str, reply: Option<u16>) {
        let mut inner = self.inner.lock().unwrap();
        inner
            .always
            .insert(name.to_owned(), reply.map(|status| (status, Vec::new())));
    }

    pub fn of(&self, name: &str) -> Vec<Heard> {
        let inner = self.inner.lock().unwrap();
        inner
            .heard
            .iter()
            .filter(|heard| heard.path == name)
            .cloned()
            .collect()
    }

    /// Waits until `/name` was asked so often.
    pub async fn heard(&self, name: &str, count: usize) -> Vec<Heard> {
        let mut changes = self.heard.subscribe();
        let wait = async {
            loop {
                changes.borrow_and_update();
                let heard = self.of(name);
                if heard.len() >= count {
                    return heard;
                }
                changes.changed().await.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait)
            .await
            .unwrap_or_else(|_| panic!("/{name} was asked {} times, not {count}", self.of(name).len()))
    }
}

pub async fn webhook(app: &TestApp, receiver: &Receiver, name: &str, events: &[&str]) -> Value {
    let body = json!({"name": name, "url": format!("{}/{name}", receiver.base), "events": events});
    app.post("/webhooks", body).await.expect(201)
}

async fn deliveries(app: &TestApp, webhook: &Value, query: &str) -> Vec<Value> {
    let path = format!("/webhooks/{}/deliveries{query}", webhook["id"].as_str().unwrap());
    let page = app.get(&path).await;
    page["items"].as_array().unwrap().clone()
}

async fn current(app: &TestApp, webhook: &Value) -> Value {
    app.get(&path(webhook, "")).await
}

fn path(webhook: &Value, rest: &str) -> String {
    format!("/webhooks/{}{rest}", webhook["id"].as_str().unwrap())
}

/// A form; each submission makes a lead.
async fn form(app: &TestApp) -> Value {
    let line = app.line("Sales", json!({"crm": {"create_lead": "always"}})).await;
    app.channel("webform", &line, json!({})).await
}

async fn settled(app: &TestApp, webhook: &Value) -> Vec<Value> {
    app.until("all deliveries are over", || async {
        let open = deliveries(app, webhook, "").await;
        let over = !open.is_empty()
            && open
                .iter()
                .all(|row| row["state"] == "delivered" || row["state"] == "failed");
        over.then_some(open)
    })
    .await
}

both_databases! {
    async fn a_lead_is_told_whole_and_signed_as_the_official_library_wants(app: TestApp) {
        let receiver = Receiver::serve().await;
        let made = webhook(&app, &receiver, "crm", &["lead.created", "submission.*"]).await;
        let secret = made["secret"].as_str().unwrap();
        assert_eq!(current(&app, &made).await["secret"], Value::Null);
        let form = form(&app).await;
        app.submit(&form, json!({"name": "Ann", "phone": "+998901234567"}), None).await.expect(201);
        let heard = receiver.heard("crm", 2).await;
        let lead = heard.iter().find(|one| one.body["type"] == "lead.created").unwrap();
        assert!(heard.iter().all(|one| one.fits(secret)));
        assert_eq!(lead.header("content-type"), "application/json");
        let shown = app.get(&format!("/leads/{}", lead.body["data"]["id"].as_str().unwrap())).await;
        let mut told = lead.body["data"].clone();
        assert!(told["event_seq"].as_i64().unwrap() > 0);
        told.as_object_mut().unwrap().remove("event_seq");
        assert_eq!(told, shown);
        let submission = heard.iter().find(|one| one.body["type"] == "submission.created").unwrap();
        assert_eq!(submission.body["data"]["values"]["name"], "Ann");
        let log = settled(&app, &made).await;
        assert_eq!(log.len(), 2);
        let lead_entry = log.iter().find(|row| row["type"] == "lead.created").unwrap();
        assert_eq!(lead_entry["id"], lead.header("webhook-id"));
        assert_eq!((&lead_entry["state"], &lead_entry["status"], &lead_entry["attempts"]), (&json!("delivered"), &json!(200), &json!(1)));
        let whole = app.get(&path(&made, &format!("/deliveries/{}", lead_entry["id"].as_str().unwrap()))).await;
        assert_eq!(whole["body"], lead.body);
        assert_eq!((&whole["log"][0]["number"], &whole["log"][0]["answer"]), (&json!(1), &json!("thanks")));
        assert_eq!(current(&app, &made).await["health"]["state"], "ok");
        // The secret is nowhere to be read in the database.
        let rows = switchboard::webhook::store::all(app.app.db.read()).await.unwrap();
        assert!(!String::from_utf8_lossy(&rows[0].secrets).contains(secret.trim_start_matches("whsec_")));
    }

    async fn a_webhook_is_checked_field_by_field_and_changed_by_version(app: TestApp) {
        for (body, field) in [
            (json!({"url": "crm.example"}), "url"),
            (json!({"url": "ftp://crm.example/x"}), "url"),
            (json!({"url": "https://user:word@crm.example/"}), "url"),
            (json!({"url": "https://crm.example/", "events": ["lead.created", "lead.eaten"]}), "events[1]"),
            (json!({"url": "https://crm.example/", "secret": "whsec_c2hvcnQ="}), "secret"),
            (json!({"url": "https://crm.example/", "name": "a\nb"}), "name"),
        ] {
            let refused = app.post("/webhooks", body.clone()).await.expect(422);
            assert_eq!(refused["errors"][0]["field"], field, "{body}");
        }
        let made = app.post("/webhooks", json!({"url": "https://crm.example/in", "events": ["lead.*", "*"]})).await.expect(201);
        assert_eq!((&made["name"], &made["version"], &made["health"]["state"]), (&json!("crm.example"), &json!(1), &json!("starting")));
        let changed = app.patch(&path(&made, ""), json!({"name": "CRM", "version": 1})).await.expect(200);
        assert_eq!((&changed["name"], &changed["version"]), (&json!("CRM"), &json!(2)));
        app.patch(&path(&made, ""), json!({"name": "X", "version": 1})).await.expect(409);
        let words = app.get("/webhooks/events").await;
        assert!(words["items"].as_array().unwrap().iter().any(|word| word["type"] == "lead.updated"));
        assert_eq!(app.call("DELETE", &path(&made, ""), None).await.status, 204);
        app.call("GET", &path(&made, ""), None).await.expect(404);
        let (_, key) = app.operator("Eva", "supervisor").await;
        assert_eq!(app.call_as(&key, "GET", "/webhooks", None).await.status, 403);
    }

    async fn what_happened_before_a_webhook_was_there_or_while_it_was_off_is_not_told(app: TestApp) {
        let receiver = Receiver::serve().await;
        let form = form(&app).await;
        app.submit(&form, json!({"name": "Before", "phone": "+998901234560"}), None).await.expect(201);
        let made = webhook(&app, &receiver, "crm", &["submission.created"]).await;
        app.submit(&form, json!({"name": "First", "phone": "+998901234561"}), None).await.expect(201);
        receiver.heard("crm", 1).await;
        app.patch(&path(&made, ""), json!({"enabled": false})).await.expect(200);
        app.submit(&form, json!({"name": "Off", "phone": "+998901234562"}), None).await.expect(201);
        app.patch(&path(&made, ""), json!({"enabled": true})).await.expect(200);
        app.submit(&form, json!({"name": "Second", "phone": "+998901234563"}), None).await.expect(201);
        let heard = receiver.heard("crm", 2).await;
        let names: Vec<&str> = heard.iter().map(|one| one.body["data"]["values"]["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["First", "Second"]);
    }

    async fn both_secrets_sign_while_one_follows_the_other(app: TestApp) {
        let receiver = Receiver::serve().await;
        let made = webhook(&app, &receiver, "crm", &[]).await;
        let old = made["secret"].as_str().unwrap();
        let rotated = app.post(&path(&made, "/rotate-secret"), json!({"overlap_secs": 3600})).await.expect(200);
        let new = rotated["secret"].as_str().unwrap();
        assert_ne!(old, new);
        app.post(&path(&made, "/test"), json!({})).await.expect(201);
        let heard = receiver.heard("crm", 1).await;
        assert!(heard[0].fits(old) && heard[0].fits(new));
        assert_eq!(heard[0].body["type"], "webhook.test");
        let third = app.post(&path(&made, "/rotate-secret"), json!({"overlap_secs": 0})).await.expect(200);
        app.post(&path(&made, "/test"), json!({})).await.expect(201);
        let heard = receiver.heard("crm", 2).await;
        assert!(heard[1].fits(third["secret"].as_str().unwrap()));
        // The first secret's hour is not over; the second was dropped at once.
        assert!(heard[1].fits(old) && !heard[1].fits(new));
        app.post(&path(&made, "/rotate-secret"), json!({"secret": "whsec_"})).await.expect(422);
    }

    async fn a_410_switches_off_with_notice_and_what_waits_goes_on_when_it_is_switched_on(app: TestApp) {
        let receiver = Receiver::serve().await;
        let made = webhook(&app, &receiver, "crm", &["submission.created"]).await;
        let mut socket = app.socket(&app.key, None).await;
        receiver.answers("crm", &[410]);
        let form = form(&app).await;
        app.submit(&form, json!({"name": "A", "phone": "+998901234561"}), None).await.expect(201);
        receiver.heard("crm", 1).await;
        let notice = socket.until(|frame| frame["type"] == "webhook.updated").await;
        assert_eq!((&notice["data"]["enabled"], &notice["data"]["disabled_because"]), (&json!(false), &json!("gone")));
        assert!(notice["data"].get("url").is_none());
        let now = current(&app, &made).await;
        assert_eq!((&now["enabled"], &now["health"]["state"], &now["health"]["last_error"]), (&json!(false), &json!("failed"), &json!("answered 410")));
        let failed = deliveries(&app, &made, "?state=failed").await;
        assert_eq!(failed.len(), 1);
        let again = path(&made, &format!("/deliveries/{}/replay", failed[0]["id"].as_str().unwrap()));
        app.post(&again, json!({})).await.expect(409);
        app.patch(&path(&made, ""), json!({"enabled": true})).await.expect(200);
        app.post(&again, json!({})).await.expect(200);
        let heard = receiver.heard("crm", 2).await;
        assert_eq!(heard[0].header("webhook-id"), heard[1].header("webhook-id"));
        assert_eq!(settled(&app, &made).await[0]["state"], "delivered");
    }

    async fn a_redirect_is_a_failure_and_never_followed(app: TestApp) {
        let receiver = Receiver::serve().await;
        let made = webhook(&app, &receiver, "crm", &[]).await;
        let location = vec![("location", format!("{}/elsewhere", receiver.base))];
        receiver.answers_with("crm", 307, location);
        app.post(&path(&made, "/test"), json!({})).await.expect(201);
        let entry = app.until("the redirect is recorded", || async {
            deliveries(&app, &made, "").await.into_iter().find(|row| row["status"] == 307)
        }).await;
        assert_eq!(entry["state"], "queued");
        assert!(entry["error"].as_str().unwrap().contains("redirects are not followed"), "{entry}");
        assert_eq!(receiver.of("elsewhere").len(), 0);
    }

    async fn one_bad_endpoint_never_slows_another(app: TestApp) {
        let receiver = Receiver::serve().await;
        for silent in ["silent-1", "silent-2", "silent-3"] {
            receiver.always(silent, None);
            webhook(&app, &receiver, silent, &["*"]).await;
        }
        webhook(&app, &receiver, "good", &["submission.created"]).await;
        let form = form(&app).await;
        for number in 0..20 {
            app.submit(&form, json!({"name": "A", "phone": format!("+9989012345{number:02}")}), None).await.expect(201);
        }
        // The silent ones hold their places for 20 seconds each; the good one has all its own in less than that.
        let began = std::time::Instant::now();
        receiver.heard("good", 20).await;
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        for silent in ["silent-1", "silent-2", "silent-3"] {
            assert!((1..=8).contains(&receiver.of(silent).len()), "{silent}: {}", receiver.of(silent).len());
        }
    }
}

both_databases_by_the_clock! {
    async fn what_is_not_taken_comes_again_under_the_same_id_with_a_time_of_its_own(app: TestApp, clock: Clock) {
        let receiver = Receiver::serve().await;
        let made = webhook(&app, &receiver, "crm", &[]).await;
        let secret = made["secret"].as_str().unwrap();
        receiver.answers("crm", &[500, 500]);
        app.post(&path(&made, "/test"), json!({})).await.expect(201);
        receiver.heard("crm", 1).await;
        for (count, wait) in [(2, 6), (3, 360)] {
            app.until("the failure is recorded", || async {
                let row = deliveries(&app, &made, "").await.remove(0);
                (row["state"] == "queued" && row["attempts"] == count - 1).then_some(())
            }).await;
            clock.advance(TimeDelta::seconds(wait));
            app.app.webhooks.ring();
            receiver.heard("crm", usize::try_from(count).unwrap()).await;
        }
        let heard = receiver.of("crm");
        let times: Vec<i64> = heard.iter().map(|one| one.header("webhook-timestamp").parse().unwrap()).collect();
        assert_eq!((times[1] - times[0], times[2] - times[1]), (6, 360));
        assert!(heard.iter().all(|one| one.header("webhook-id") == heard[0].header("webhook-id") && one.raw == heard[0].raw));
        assert!(heard.iter().all(|one| one.is_signed_as(secret)));
        assert_eq!(settled(&app, &made).await[0]["attempts"], 3);
        assert_eq!(current(&app, &made).await["failures"], 0);
    }

    async fn a_receiver_that_asks_for_patience_gets_it(app: TestApp, clock: Clock) {
        let receiver = Receiver::serve().await;
        let made = webhook(&app, &receiver, "crm", &[]).await;
        receiver.answers_with("crm", 429, vec![("retry-after", "900".to_owned())]);
        app.post(&path(&made, "/test"), json!({})).await.expect(201);
        let row = app.until("the refusal is recorded", || async {
            deliveries(&app, &made, "").await.into_iter().find(|row| row["status"] == 429)
        }).await;
        assert_eq!(row["next_attempt_at"], json!(clock.now() + TimeDelta::seconds(900)));
        // Others wait as well: it is the program that is busy.
        app.post(&path(&made, "/test"), json!({})).await.expect(201);
        clock.advance(TimeDelta::seconds(899));
        app.app.webhooks.ring();
        let quiet = tokio::time::timeout(Duration::from_millis(700), receiver.heard("crm", 2)).await;
        assert!(quiet.is_err());
        clock.advance(TimeDelta::seconds(1));
        app.app.webhooks.ring();
        receiver.heard("crm", 3).await;
    }

    async fn an_objects_order_holds_under_failures_while_others_go_on(app: TestApp, clock: Clock) {
        let receiver = Receiver::serve().await;
        let made = webhook(&app, &receiver, "crm", &["message.created"]).await;
        let line = app.line("Support", json!({})).await;
        let settings = json!({"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"});
        let channel = app.channel("custom", &line, settings).await;
        receiver.answers("crm", &[500]);
        let first = app.writes(&channel, "ann", "a1").await;
        receiver.heard("crm", 1).await;
        app.until("the failure is recorded", || async {
            let row = deliveries(&app, &made, "").await.remove(0);
            (row["state"] == "queued" && row["attempts"] == 1).then_some(())
        }).await;
        for text in ["a2", "a3"] {
            assert_eq!(app.writes(&channel, "ann", text).await, first);
        }
        app.writes(&channel, "bob", "b1").await;
        let heard = receiver.heard("crm", 2).await;
        assert_eq!(heard[1].body["data"]["text"], "b1", "another object does not wait");
        app.until("all are queued", || async {
            (deliveries(&app, &made, "").await.len() == 4).then_some(())
        }).await;
        clock.advance(TimeDelta::seconds(7));
        app.app.webhooks.ring();
        let heard = receiver.heard("crm", 5).await;
        let texts: Vec<&str> = heard[2..].iter().map(|one| one.body["data"]["text"].as_str().unwrap()).collect();
        assert_eq!(texts, ["a1", "a2", "a3"]);
        let numbers: Vec<i64> = heard[2..].iter().map(|one| one.body["data"]["event_seq"].as_i64().unwrap()).collect();
        assert!(numbers.is_sorted());
    }

    async fn days_of_failing_switch_off_and_all_that_failed_is_replayed(app: TestApp, clock: Clock) {
        let receiver = Receiver::serve().await;
        let made = webhook(&app, &receiver, "crm", &["submission.created"]).await;
        receiver.always("crm", Some(500));
        let form = form(&app).await;
        app.submit(&form, json!({"name": "A", "phone": "+998901234561"}), None).await.expect(201);
        // Each pause of the schedule, with all of its jitter.
        let pauses = [6, 360, 2_160, 8_640, 21_600, 43_200, 60_480, 86_400, 103_680];
        for count in 1..=10 {
            receiver.heard("crm", count).await;
            app.until("the failure is recorded", || async {
                let row = deliveries(&app, &made, "").await.remove(0);
                (row["state"] != "sending" && row["attempts"] == json!(count)).then_some(())
            }).await;
            if let Some(pause) = pauses.get(count - 1) {
                assert_eq!(current(&app, &made).await["enabled"], true, "after attempt {count}");
                clock.advance(TimeDelta::seconds(*pause));
                app.app.webhooks.ring();
            }
        }
        let off = current(&app, &made).await;
        assert_eq!((&off["enabled"], &off["disabled_because"]), (&json!(false), &json!("failing")));
        assert_eq!(deliveries(&app, &made, "?state=failed&type=submission.created").await.len(), 1);
        receiver.always("crm", Some(200));
        app.post(&path(&made, "/replay"), json!({"since": "2026-11-01T00:00:00Z"})).await.expect(409);
        app.patch(&path(&made, ""), json!({"enabled": true})).await.expect(200);
        let later = app.post(&path(&made, "/replay"), json!({"since": clock.now()})).await.expect(200);
        assert_eq!(later["queued"], 0);
        let replayed = app.post(&path(&made, "/replay"), json!({"since": "2026-11-01T00:00:00Z"})).await.expect(200);
        assert_eq!(replayed["queued"], 1);
        let heard = receiver.heard("crm", 11).await;
        assert!(heard.iter().all(|one| one.header("webhook-id") == heard[0].header("webhook-id")));
        assert_eq!(settled(&app, &made).await[0]["state"], "delivered");
    }

    async fn old_deliveries_are_swept_away_the_delivered_ones_first(app: TestApp, clock: Clock) {
        let receiver = Receiver::serve().await;
        let made = webhook(&app, &receiver, "crm", &[]).await;
        receiver.answers("crm", &[200, 410]);
        for _ in 0..2 {
            app.post(&path(&made, "/test"), json!({})).await.expect(201);
            settled(&app, &made).await;
        }
        let sweep = |days| {
            let (app, at) = (&app, clock.now() + TimeDelta::days(days));
            async move { switchboard::webhook::store::sweep(&app.app.db, at).await.unwrap() }
        };
        sweep(13).await;
        assert_eq!(deliveries(&app, &made, "").await.len(), 2);
        sweep(15).await;
        assert_eq!(deliveries(&app, &made, "").await.len(), 1);
        sweep(31).await;
        assert_eq!(deliveries(&app, &made, "").await.len(), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn private_addresses_are_refused_when_what_admins_type_is_guarded() {
    let settings = [
        ("SWITCHBOARD__SECURITY__GUARD_ADMIN_URLS", "true"),
        ("SWITCHBOARD__SECURITY__ALLOWED_PRIVATE_NETWORKS", "[]"),
    ];
    let app = TestApp::start_set(Database::sqlite().await, &settings).await;
    let refused = app
        .post("/webhooks", json!({"url": "http://169.254.169.254/latest"}))
        .await
        .expect(422);
    assert_eq!(refused["errors"][0]["field"], "url");
    // A name is judged by what it means when it is asked.
    let made = app
        .post("/webhooks", json!({"url": "http://localhost:1/x"}))
        .await
        .expect(201);
    app.post(&path(&made, "/test"), json!({})).await.expect(201);
    let row = app
        .until("the refusal is recorded", || async {
            deliveries(&app, &made, "")
                .await
                .into_iter()
                .find(|row| row["error"].is_string())
        })
        .await;
    assert!(
        row["error"].as_str().unwrap().contains("private network"),
        "{row}"
    );
}

/// A program that is killed between sending and recording tells it again, under the same id.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_between_sending_and_recording_sends_again_under_the_same_id() {
    let receiver = Receiver::serve().await;
    let folder = tempfile::tempdir().unwrap();
    let start = || {
        let mut command = program(folder.path());
        command.env("SWITCHBOARD__LIMITS__ENABLED", "false");
        Server::of(&mut command)
    };
    let made = program(folder.path())
        .args(["apikey", "create", "--name", "T", "--role", "admin"])
        .output()
        .unwrap();
    let key = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    let client = reqwest::Client::builder().build().unwrap();
    let server = start();
    let body = json!({"url": format!("{}/crm", receiver.base), "events": []});
    let url = format!("{}/api/v1/webhooks", server.base);
    let hook: Value = client
        .post(&url)
        .bearer_auth(&key)
        .json(&body)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    receiver.always("crm", None);
    let test = format!("{url}/{}/test", hook["id"].as_str().unwrap());
    let answer = client
        .post(test)
        .bearer_auth(&key)
        .json(&json!({}))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 201);
    receiver.heard("crm", 1).await;
    // The request is there, its answer is not: now the process dies.
    drop(server);
    receiver.always("crm", Some(200));
    let server = start();
    let heard = receiver.heard("crm", 2).await;
    assert_eq!(heard[0].header("webhook-id"), heard[1].header("webhook-id"));
    assert_eq!(heard[0].raw, heard[1].raw);
    drop(server);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_share_the_work_and_tell_each_event_once() {
    use sea_orm::EntityTrait;
    let app = TestApp::start(Database::postgres().await).await;
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(folder.path());
    command
        .env("SWITCHBOARD__DATABASE__URL", &app.database.url)
        .env("SWITCHBOARD__SECURITY__MASTER_KEY", "11".repeat(32))
        .env("SWITCHBOARD__LIMITS__ENABLED", "false");
    let other = Server::of(&mut command);
    let receiver = Receiver::serve().await;
    let made = webhook(&app, &receiver, "crm", &["submission.created"]).await;
    let form = form(&app).await;
    let key = form["key"].as_str().unwrap();
    for number in 0..40 {
        let base = if number % 2 == 0 { &app.base } else { &other.base };
        let fields = json!({"name": "A", "phone": format!("+9989012345{number:02}")});
        let post = app
            .client
            .post(format!("{base}/f/{key}"))
            .header("accept", "application/json")
            .json(&fields);
        assert_eq!(post.send().await.unwrap().status(), 201);
    }
    receiver.heard("crm", 40).await;
    let rows = app
        .until("all are recorded", || async {
            let rows = webhook_delivery::Entity::find()
                .all(app.app.db.read())
                .await
                .unwrap();
            rows.iter().all(|row| row.state == "delivered").then_some(rows)
        })
        .await;
    assert_eq!(rows.len(), 40);
    let heard = receiver.of("crm");
    let ids: std::collections::BTreeSet<&str> = heard.iter().map(|one| one.header("webhook-id")).collect();
    assert_eq!((heard.len(), ids.len()), (40, 40));
    assert!(heard.iter().all(|one| one.fits(made["secret"].as_str().unwrap())));
    drop(other);
}
