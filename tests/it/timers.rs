//! What time alone does to sessions. The rules' times are hours and the shells are told a later `now`, so
//! nothing here waits.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use switchboard::{automation::silence, routing::timers};
use switchboard_sdk::{Clock, SystemClock};

use crate::support::TestApp;

fn in_two_hours() -> DateTime<Utc> {
    SystemClock.now() + TimeDelta::hours(2)
}

async fn line(app: &TestApp, name: &str, operators: &[&str], rules: Value) -> Value {
    let queue: Vec<Value> = operators.iter().map(|id| json!({"operator_id": id})).collect();
    let mut fields = json!({"queue": queue, "distribution": "strict"});
    fields
        .as_object_mut()
        .unwrap()
        .extend(rules.as_object().unwrap().clone());
    app.line(name, fields).await
}

/// The one conversation, when it looks like this.
async fn conversation(app: &TestApp, wanted: impl Fn(&Value) -> bool) -> Value {
    let look = || async {
        let listed = app.get("/conversations").await;
        listed["items"].get(0).filter(|found| wanted(found)).cloned()
    };
    app.until("the conversation", look).await
}

async fn run_timers(app: &TestApp, now: DateTime<Utc>) -> usize {
    let lines = timers::lines(&app.app.db).await.unwrap();
    timers::run(&app.app.db, &lines, now).await.unwrap()
}

async fn close_silent(app: &TestApp, now: DateTime<Utc>) -> usize {
    let lines = timers::lines(&app.app.db).await.unwrap();
    silence::close(&app.app.db, &app.app.voice, &lines, now)
        .await
        .unwrap()
}

both_databases! {
    async fn an_owner_who_does_not_answer_loses_the_session_to_somebody_else(app: TestApp) {
        let (anna, anna_key) = app.operator("Anna", "operator").await;
        let (boris, key) = app.operator("Boris", "operator").await;
        app.go_online(&anna_key).await;
        app.go_online(&key).await;
        let (anna, boris) = (anna["id"].as_str().unwrap(), boris["id"].as_str().unwrap());
        let line = line(&app, "Support", &[anna, boris], json!({"return_after_secs": 3600})).await;
        let channel = app.channel("webchat", &line, json!({})).await;
        let visitor = app.visitor(&channel).await;
        app.says(&channel, &visitor, "Hello").await;
        let found = conversation(&app, |found| found["session"]["operator_id"] == anna).await;
        assert_eq!(run_timers(&app, SystemClock.now()).await, 0);
        assert_eq!(run_timers(&app, in_two_hours()).await, 1);
        conversation(&app, |found| found["session"]["operator_id"] == boris).await;
        let id = found["id"].as_str().unwrap();
        let why = app.get(&format!("/conversations/{id}/routing")).await;
        let returned = why["items"].as_array().unwrap().iter().find(|one| one["trigger"] == "no_reply").unwrap();
        assert_eq!((&returned["operator_id"], &returned["candidates"][0]["rejected_by"]), (&json!(anna), &json!("lapsed")));
        // Once answered nothing is owed, until the client writes again.
        app.call_as(&key, "POST", &format!("/conversations/{id}/messages"), Some(json!({"kind": "reply", "text": "Hi"}))).await.expect(201);
        assert_eq!(run_timers(&app, in_two_hours()).await, 0);
        app.says(&channel, &visitor, "And the price?").await;
        assert_eq!(run_timers(&app, in_two_hours()).await, 1);
    }

    async fn a_session_nobody_takes_moves_to_the_overflow_line_and_not_back(app: TestApp) {
        let first = line(&app, "First", &[], json!({})).await;
        let overflow = |to: &Value| json!({"overflow": {"line_id": to["id"], "after_secs": 3600}});
        let second = line(&app, "Second", &[], overflow(&first)).await;
        app.patch(&format!("/lines/{}", first["id"].as_str().unwrap()), overflow(&second)).await.expect(200);
        let channel = app.channel("webchat", &first, json!({})).await;
        let visitor = app.visitor(&channel).await;
        app.says(&channel, &visitor, "Hello").await;
        let id = conversation(&app, |_| true).await["id"].as_str().unwrap().to_owned();
        assert_eq!(run_timers(&app, in_two_hours()).await, 1);
        let moved = app.get(&format!("/conversations/{id}")).await;
        assert_eq!((&moved["line_id"], &moved["session"]["state"]), (&second["id"], &json!("waiting")));
        let why = app.get(&format!("/conversations/{id}/routing")).await;
        assert!(why["items"].as_array().unwrap().iter().any(|one| one["outcome"] == "overflow" && one["line_id"] == first["id"]));
        let much_later = in_two_hours() + TimeDelta::days(1);
        assert_eq!(run_timers(&app, much_later).await, 0);
    }

    async fn a_session_of_a_silent_client_ends_with_the_words_of_the_line(app: TestApp) {
        let (me, key) = app.operator("Anna", "operator").await;
        app.go_online(&key).await;
        let rules = json!({"auto_close": {"after_secs": 3600, "text": "We close this for now. Write any time!"}});
        let line = line(&app, "Support", &[me["id"].as_str().unwrap()], rules).await;
        let channel = app.channel("webchat", &line, json!({})).await;
        let visitor = app.visitor(&channel).await;
        app.says(&channel, &visitor, "Hello").await;
        let id = conversation(&app, |found| found["session"]["state"] == "assigned").await["id"].as_str().unwrap().to_owned();
        assert_eq!(close_silent(&app, in_two_hours()).await, 0, "the client waits, not we");
        app.call_as(&key, "POST", &format!("/conversations/{id}/messages"), Some(json!({"kind": "reply", "text": "Hi"}))).await.expect(201);
        assert_eq!(close_silent(&app, SystemClock.now()).await, 0);
        assert_eq!(close_silent(&app, in_two_hours()).await, 1);
        let closed = app.get(&format!("/conversations/{id}")).await;
        assert_eq!((&closed["session"]["state"], &closed["session"]["close_reason"]), (&json!("closed"), &json!("client_silent")));
        let messages = app.get(&format!("/conversations/{id}/messages")).await;
        let words = messages["items"].as_array().unwrap().iter().find(|one| one["kind"] == "reply" && one["author"]["type"] == "system").unwrap().clone();
        assert_eq!((&words["text"], &words["delivery"]["state"]), (&json!("We close this for now. Write any time!"), &json!("sent")));
        assert_eq!(close_silent(&app, in_two_hours()).await, 0);
        // Who comes back begins a new session.
        app.says(&channel, &visitor, "One more thing").await;
        conversation(&app, |found| found["session"]["state"] == "assigned").await;
    }
}
