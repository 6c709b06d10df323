//! Leads in a CRM: told of what happens here, and heard when something happens there.

mod adapter;
mod both_ways;
mod failing;
mod imported;
mod notes;
mod setting_up;

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::{Value, json};
use switchboard::clock::ManualClock;

use self::adapter::{SCRIPTED, Script};
use crate::support::{Database, TestApp};

/// Runs a scenario with a CRM on both databases, as two tests; its clock stands still until it is moved.
macro_rules! with_a_crm {
    ($($(#[$attribute:meta])* async fn $name:ident($app:ident: TestApp, $crm:ident: Script, $clock:ident: Clock) $body:block)+) => {
        $(
            $(#[$attribute])*
            mod $name {
                #[allow(unused_imports, reason = "not every scenario needs all of them")]
                use super::*;

                async fn scenario(
                    $app: $crate::support::TestApp,
                    $crm: std::sync::Arc<$crate::crm::adapter::Script>,
                    $clock: std::sync::Arc<switchboard::clock::ManualClock>,
                ) $body

                async fn on(database: $crate::support::Database) {
                    let clock = $crate::crm::clock();
                    let app = $crate::crm::start(database, &clock).await;
                    scenario(app, $crate::crm::adapter::Script::new(), clock).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_sqlite() {
                    on($crate::support::Database::sqlite().await).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_postgres() {
                    on($crate::support::Database::postgres().await).await;
                }
            }
        )+
    };
}
use with_a_crm;

fn clock() -> Arc<ManualClock> {
    ManualClock::at("2026-11-23T08:00:00Z".parse().unwrap())
}

async fn start(database: Database, clock: &Arc<ManualClock>) -> TestApp {
    TestApp::start_crm(database, Arc::clone(clock), &SCRIPTED).await
}

/// A connection to the scripted CRM; `fields` are added to what it is made with.
async fn connect(app: &TestApp, crm: &Script, fields: Value) -> Value {
    let mut body = json!({"kind": "scripted", "name": "Our CRM", "settings": crm.settings()});
    body.as_object_mut()
        .unwrap()
        .extend(fields.as_object().cloned().unwrap_or_default());
    app.post("/crm-connections", body).await.expect(201)
}

/// A form; each submission makes a lead.
async fn form(app: &TestApp) -> Value {
    let name = format!("Sales {}", uuid::Uuid::new_v4().simple());
    let line = app.line(&name, json!({"crm": {"create_lead": "always"}})).await;
    app.channel("webform", &line, json!({})).await
}

/// Somebody fills the form: their lead.
async fn lead(app: &TestApp, form: &Value, number: u32) -> Value {
    let phone = format!("+99890{:07}", 1_234_500 + number);
    let fields = json!({"name": format!("Ann {number}"), "phone": phone});
    app.submit(form, fields, None).await.expect(201);
    let name = format!("Ann {number}");
    app.until("the lead is made", || async {
        let page = app.get("/leads?limit=200").await;
        let found = page["items"]
            .as_array()?
            .iter()
            .find(|lead| lead["contact_name"] == name.as_str());
        found.cloned()
    })
    .await
}

fn id(object: &Value) -> &str {
    object["id"].as_str().unwrap()
}

async fn current(app: &TestApp, connection: &Value) -> Value {
    app.get(&format!("/crm-connections/{}", id(connection))).await
}

async fn queue(app: &TestApp, connection: &Value, query: &str) -> Vec<Value> {
    let page = app
        .get(&format!("/crm-connections/{}/queue{query}", id(connection)))
        .await;
    page["items"].as_array().unwrap().clone()
}

/// Time passes, and the worker looks.
fn pass(app: &TestApp, clock: &ManualClock, by: TimeDelta) {
    clock.advance(by);
    app.app.crm.bell().ring();
}

/// Waits until nothing waits for the CRM any more.
async fn settled(app: &TestApp, connection: &Value) -> Value {
    app.until("nothing waits", || async {
        let shown = current(app, connection).await;
        (shown["waiting"] == 0).then_some(shown)
    })
    .await
}
