//! Nobody picked up: work, once, and not when somebody did after all.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{CLIENT, OURS, Phone, call_that, conversation, entries, is};
use crate::support::TestApp;

type Clock = std::sync::Arc<switchboard::clock::ManualClock>;

/// A missed call that is settled: its conversation.
async fn missed(app: &TestApp, phone: &Phone, clock: &Clock, call: &str) -> Value {
    let now = app.app.clock.now();
    phone.says(app, "ringing", call, now, json!({})).await.expect(200);
    clock.advance(TimeDelta::seconds(20));
    phone
        .says(app, "ended", call, now + TimeDelta::seconds(20), json!({}))
        .await
        .expect(200);
    clock.advance(TimeDelta::seconds(11));
    let call = app
        .until("the caller waits", || async {
            let calls = app.get("/calls?disposition=missed").await["items"]
                .as_array()
                .unwrap()
                .clone();
            let newest = calls.first()?.clone();
            (!newest["session_id"].is_null()).then_some(newest)
        })
        .await;
    call["conversation_id"].clone()
}

both_databases_by_the_clock! {
    async fn a_missed_call_waits_in_the_queue_with_a_due_time_once_it_has_settled(app: TestApp, clock: Clock) {
        let phone = Phone::on(&app, json!({}), json!({"sla": {"first_reply_secs": 600}})).await;
        let begin = app.app.clock.now();
        // The end comes first, the beginning fifteen seconds later.
        phone.says(&app, "ended", "c1", begin + TimeDelta::seconds(10), json!({})).await.expect(200);
        let call = call_that(&app, "it ended", |call| is(call, "disposition", "missed")).await;
        assert!(call["session_id"].is_null());
        clock.advance(TimeDelta::seconds(9));
        phone.says(&app, "ringing", "c1", begin, json!({})).await.expect(200);
        call_that(&app, "the beginning is known", |call| call["ring_secs"] == 10).await;
        assert_eq!(conversation(&app, &call["conversation_id"]).await["session"]["state"], "closed");
        clock.advance(TimeDelta::seconds(2));
        let call = call_that(&app, "it is settled", |call| !call["session_id"].is_null()).await;
        let thread = conversation(&app, &call["conversation_id"]).await;
        assert_eq!((&thread["session"]["state"], &thread["unread"]), (&json!("waiting"), &json!(1)));
        let due = (begin + TimeDelta::seconds(10 + 600)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let said: chrono::DateTime<chrono::Utc> = thread["session"]["due_at"].as_str().unwrap().parse().unwrap();
        assert_eq!(said.to_rfc3339_opts(chrono::SecondsFormat::Secs, true), due);
        assert_eq!(entries(&app, &call["conversation_id"]).await[0]["text"], json!(format!("Missed call from {CLIENT}")));
    }

    async fn an_answer_that_is_heard_of_in_time_leaves_nobody_waiting(app: TestApp, clock: Clock) {
        let phone = Phone::on(&app, json!({}), json!({})).await;
        let begin = app.app.clock.now();
        phone.says(&app, "ended", "c1", begin + TimeDelta::seconds(30), json!({})).await.expect(200);
        clock.advance(TimeDelta::seconds(9));
        phone.says(&app, "answered", "c1", begin + TimeDelta::seconds(5), json!({})).await.expect(200);
        call_that(&app, "it was answered", |call| is(call, "disposition", "answered")).await;
        clock.advance(TimeDelta::seconds(60));
        // A call after it settles, so the first one has been looked at.
        let other = missed(&app, &phone, &clock, "c2").await;
        let calls = app.get("/calls?disposition=answered").await;
        assert!(calls["items"][0]["session_id"].is_null());
        assert_eq!(conversation(&app, &other).await["unread"], 1);
    }

    async fn an_answer_fifteen_seconds_late_withdraws_the_work(app: TestApp, clock: Clock) {
        let phone = Phone::on(&app, json!({}), json!({})).await;
        let begin = app.app.clock.now();
        let id = missed(&app, &phone, &clock, "c1").await;
        assert_eq!(conversation(&app, &id).await["session"]["state"], "waiting");
        clock.advance(TimeDelta::seconds(4));
        phone.says(&app, "answered", "c1", begin + TimeDelta::seconds(6), json!({})).await.expect(200);
        let call = call_that(&app, "it was answered after all", |call| is(call, "disposition", "answered")).await;
        let session = conversation(&app, &id).await["session"].clone();
        assert_eq!((&session["state"], &session["close_reason"]), (&json!("closed"), &json!("call_answered")));
        assert_eq!(call["attempt"], 0);
        assert_eq!(call["talk_secs"], 14);
    }

    async fn work_that_an_operator_has_begun_is_not_taken_from_them(app: TestApp, clock: Clock) {
        let phone = Phone::on(&app, json!({}), json!({})).await;
        let begin = app.app.clock.now();
        let id = missed(&app, &phone, &clock, "c1").await;
        let note = json!({"kind": "note", "text": "I will call", "client_id": "n1"});
        app.post(&format!("/conversations/{}/messages", id.as_str().unwrap()), note).await.expect(201);
        phone.says(&app, "answered", "c1", begin + TimeDelta::seconds(6), json!({})).await.expect(200);
        call_that(&app, "it was answered after all", |call| is(call, "disposition", "answered")).await;
        let session = conversation(&app, &id).await["session"].clone();
        assert_ne!(session["state"], "closed");
        assert_eq!(session["due_at"], json!(null), "nothing is owed any more");
    }

    async fn attempts_of_one_caller_wait_together_and_a_call_back_ends_the_wait(app: TestApp, clock: Clock) {
        let phone = Phone::on(&app, json!({}), json!({})).await;
        let id = missed(&app, &phone, &clock, "c1").await;
        let session = conversation(&app, &id).await["session"]["id"].clone();
        for (call, count) in [("c2", 2), ("c3", 3)] {
            let now = app.app.clock.now();
            phone.says(&app, "ended", call, now, json!({})).await.expect(200);
            clock.advance(TimeDelta::seconds(11));
            call_that(&app, "the attempt is counted", |call| call["attempt"] == count).await;
        }
        let thread = conversation(&app, &id).await;
        assert_eq!((&thread["session"]["id"], &thread["unread"]), (&session, &json!(3)));
        let found = entries(&app, &id).await;
        assert_eq!(found.len(), 3);
        assert_eq!(found[2]["text"], json!(format!("Missed call from {CLIENT} (attempt 3)")));
        assert_eq!(phone.conversations(&app).await.len(), 1);
        let out = json!({"direction": "outbound", "from": OURS, "to": CLIENT});
        phone.says(&app, "answered", "o1", app.app.clock.now(), out).await.expect(200);
        app.until("nobody waits any more", || async {
            let session = conversation(&app, &id).await["session"].clone();
            (session["state"] == "closed" && session["close_reason"] == "call_answered").then_some(())
        }).await;
    }

    async fn a_call_whose_end_is_lost_is_missed_after_three_minutes(app: TestApp, clock: Clock) {
        let phone = Phone::on(&app, json!({}), json!({})).await;
        phone.says(&app, "ringing", "c1", app.app.clock.now(), json!({})).await.expect(200);
        call_that(&app, "it rings", |call| is(call, "state", "ringing")).await;
        clock.advance(TimeDelta::seconds(181));
        let call = call_that(&app, "it is over", |call| is(call, "disposition", "missed")).await;
        assert_eq!(call["stale"], true);
        clock.advance(TimeDelta::seconds(11));
        call_that(&app, "somebody has to call back", |call| call["attempt"] == 1).await;
    }

    async fn voicemail_is_work_too_and_a_missed_call_is_given_to_who_is_there(app: TestApp, clock: Clock) {
        let (anna, key) = app.operator("Anna", "operator").await;
        app.go_online(&key).await;
        let phone = Phone::on(&app, json!({}), json!({"queue": [{"operator_id": anna["id"]}]})).await;
        phone.says(&app, "ended", "c1", app.app.clock.now(), json!({"disposition": "voicemail"})).await.expect(200);
        let call = call_that(&app, "a voicemail", |call| is(call, "disposition", "voicemail")).await;
        clock.advance(TimeDelta::seconds(11));
        app.until("Anna has it", || async {
            let session = conversation(&app, &call["conversation_id"]).await["session"].clone();
            (session["operator_id"] == anna["id"]).then_some(())
        }).await;
    }
}
