//! Shifts, breaks, absences and pauses: what they do to who works and to what they have. Time is the
//! test's: it stands still until a scenario moves it.

use chrono::TimeDelta;
use serde_json::{Value, json};
use switchboard::{
    automation::shifts,
    event::{self, EventType},
    operator::Counting,
    routing::returns,
};

use crate::support::{Answer, TestApp};

/// One operator, online for a day and accepting since they were made.
struct Op {
    id: String,
    key: String,
}

async fn operator(app: &TestApp, name: &str) -> Op {
    let (me, key) = app.operator(name, "operator").await;
    let presence = json!({"state": "online", "ttl_secs": 86_400});
    app.call_as(&key, "PUT", "/me/presence", Some(presence))
        .await
        .expect(200);
    let id = me["id"].as_str().unwrap().to_owned();
    Op { id, key }
}

/// A web chat on a line of its own.
async fn chat(app: &TestApp, operators: &[&Op]) -> Value {
    let queue: Vec<Value> = operators.iter().map(|op| json!({"operator_id": op.id})).collect();
    let rules = json!({"queue": queue, "distribution": "strict", "sticky": {"enabled": false}});
    let line = app.line("Support", rules).await;
    app.channel("webchat", &line, json!({})).await
}

async fn put(app: &TestApp, op: &Op, schedule: Value) -> Answer {
    app.call("PUT", &format!("/users/{}/schedule", op.id), Some(schedule))
        .await
}

/// Mondays and Tuesdays from nine to twelve, with a break at ten.
fn mornings() -> Value {
    let (shift, pause) = (json!([["09:00", "12:00"]]), json!([["10:00", "10:15"]]));
    json!({"time_zone": "UTC", "weekly": {"mon": shift, "tue": shift}, "breaks": {"mon": pause}})
}

async fn say(app: &TestApp, op: &Op, said: Value) -> Value {
    app.call_as(&op.key, "PUT", "/me/availability", Some(said))
        .await
        .expect(200)
}

async fn reply(app: &TestApp, op: &Op, id: &str) {
    let body = json!({"kind": "reply", "text": "Hi", "client_id": uuid::Uuid::new_v4().to_string()});
    app.call_as(
        &op.key,
        "POST",
        &format!("/conversations/{id}/messages"),
        Some(body),
    )
    .await
    .expect(201);
}

async fn session(app: &TestApp, id: &str) -> Value {
    app.get(&format!("/conversations/{id}")).await["session"].clone()
}

async fn owned(app: &TestApp, id: &str, by: &Op) {
    let look = || async { (session(app, id).await["operator_id"] == json!(by.id)).then_some(()) };
    app.until("an owner", look).await;
}

async fn waits(app: &TestApp, id: &str) {
    let look = || async { (session(app, id).await["state"] == "waiting").then_some(()) };
    app.until("a return to the queue", look).await;
}

/// What everybody sees of an operator: availability, why, until when.
async fn seen(app: &TestApp, op: &Op) -> [Value; 3] {
    let user = app.get(&format!("/users/{}", op.id)).await;
    ["availability", "availability_why", "availability_changes_at"].map(|field| user[field].clone())
}

fn as_seen(availability: &str, why: &str, until: &str) -> [Value; 3] {
    [
        json!(availability),
        json!(why),
        json!(format!("2026-11-{until}:00Z")),
    ]
}

/// Looks for owners who have left, beside the router.
async fn look_for_the_left(app: &TestApp) -> usize {
    returns::unanswered(&app.app.db, None, &Counting::default(), app.app.clock.now())
        .await
        .unwrap()
}

both_databases_by_the_clock! {
    async fn who_waits_is_given_out_when_the_shift_begins_and_three_things_happen_when_it_ends(app: TestApp, clock: Clock) {
        let anna = operator(&app, "Anna").await;
        let chat = chat(&app, &[&anna]).await;
        put(&app, &anna, mornings()).await.expect(200);
        assert_eq!(seen(&app, &anna).await, as_seen("off", "off_shift", "23T09:00"));
        let unanswered = app.writes(&chat, "Ulla", "Hello").await;
        let listed = || async {
            let why = app.get(&format!("/conversations/{unanswered}/routing")).await;
            why["items"].get(0).map(|newest| newest["candidates"][0]["rejected_by"].clone())
        };
        assert_eq!(app.until("a decision", listed).await, "off_shift");
        clock.advance(TimeDelta::hours(1));
        owned(&app, &unanswered, &anna).await;
        assert_eq!(seen(&app, &anna).await, as_seen("accepting", "said", "23T10:00"));
        reply(&app, &anna, &unanswered).await;
        // Past the break, so that only the end of the shift is looked at.
        clock.advance(TimeDelta::minutes(90));
        let (owing, waiting) = (unanswered, app.writes(&chat, "Wanda", "Hello").await);
        let unanswered = app.writes(&chat, "Nora", "Hello").await;
        for id in [&waiting, &unanswered] {
            owned(&app, id, &anna).await;
        }
        reply(&app, &anna, &waiting).await;
        app.writes(&chat, "Ulla", "And the price?").await;
        clock.advance(TimeDelta::minutes(90));
        waits(&app, &unanswered).await;
        assert_eq!(seen(&app, &anna).await, as_seen("off", "off_shift", "24T09:00"));
        clock.advance(TimeDelta::seconds(299));
        assert_eq!(look_for_the_left(&app).await, 0, "five minutes for an answer that is owed");
        assert_eq!(session(&app, &owing).await["operator_id"], json!(anna.id));
        clock.advance(TimeDelta::seconds(10));
        waits(&app, &owing).await;
        let why = app.get(&format!("/conversations/{owing}/routing")).await;
        let left = why["items"].as_array().unwrap().iter().find(|one| one["trigger"] == "owner_left").unwrap();
        assert_eq!((&left["operator_id"], &left["candidates"][0]["rejected_by"]), (&json!(anna.id), &json!("off_shift")));
        assert_eq!(session(&app, &waiting).await["operator_id"], json!(anna.id));
        app.writes(&chat, "Wanda", "One more thing").await;
        waits(&app, &waiting).await;
    }

    async fn a_break_pauses_and_ends_by_itself(app: TestApp, clock: Clock) {
        let anna = operator(&app, "Anna").await;
        let chat = chat(&app, &[&anna]).await;
        put(&app, &anna, mornings()).await.expect(200);
        clock.advance(TimeDelta::minutes(90));
        let id = app.writes(&chat, "Ulla", "Hello").await;
        owned(&app, &id, &anna).await;
        clock.advance(TimeDelta::minutes(30));
        waits(&app, &id).await;
        assert_eq!(seen(&app, &anna).await, as_seen("paused", "break", "23T10:15"));
        clock.advance(TimeDelta::minutes(15));
        owned(&app, &id, &anna).await;
        assert_eq!(seen(&app, &anna).await, as_seen("accepting", "said", "23T12:00"));
    }

    async fn who_says_accepting_off_shift_works_overtime_until_the_schedule_changes(app: TestApp, clock: Clock) {
        let anna = operator(&app, "Anna").await;
        let chat = chat(&app, &[&anna]).await;
        put(&app, &anna, mornings()).await.expect(200);
        let id = app.writes(&chat, "Ulla", "Hello").await;
        let said = say(&app, &anna, json!({"state": "accepting"})).await;
        assert_eq!((&said["availability_said"], &said["availability_why"]), (&json!("accepting"), &json!("overtime")));
        owned(&app, &id, &anna).await;
        assert_eq!(seen(&app, &anna).await, as_seen("accepting", "overtime", "23T09:00"));
        clock.advance(TimeDelta::hours(4));
        waits(&app, &id).await;
        assert_eq!(seen(&app, &anna).await, as_seen("off", "off_shift", "24T09:00"));
        // To say the same again is a word of now.
        say(&app, &anna, json!({"state": "accepting"})).await;
        owned(&app, &id, &anna).await;
    }

    async fn an_absence_begins_at_once_and_its_reason_stays_with_who_may_read_the_schedule(app: TestApp, clock: Clock) {
        let (anna, boris) = (operator(&app, "Anna").await, operator(&app, "Boris").await);
        let chat = chat(&app, &[&anna, &boris]).await;
        let id = app.writes(&chat, "Ulla", "Hello").await;
        owned(&app, &id, &anna).await;
        clock.advance(TimeDelta::minutes(1));
        let ill = json!({"time_zone": "Europe/Berlin", "weekly": null,
            "absences": [{"from": "2026-11-23", "to": "2026-11-24", "kind": "sick", "note": "Flu"}]});
        put(&app, &anna, ill).await.expect(200);
        owned(&app, &id, &boris).await;
        assert_eq!(seen(&app, &anna).await, as_seen("off", "absence", "24T23:00"));
        let colleague = app.call_as(&boris.key, "GET", &format!("/users/{}", anna.id), None).await.expect(200);
        assert!(colleague["availability_reason"].is_null() && !colleague.to_string().contains("Flu"), "{colleague}");
        clock.advance(TimeDelta::hours(39));
        assert_eq!(seen(&app, &anna).await, [json!("accepting"), json!("said"), Value::Null]);
    }

    async fn a_pause_with_a_reason_is_seen_by_colleagues_at_once(app: TestApp, clock: Clock) {
        let (anna, boris) = (operator(&app, "Anna").await, operator(&app, "Boris").await);
        let me = app.call_as(&anna.key, "GET", "/me", None).await.expect(200);
        assert_eq!((&me["pause_reasons"][0], &me["away_after_secs"]), (&json!("lunch"), &json!(600)));
        let mut socket = app.socket(&boris.key, None).await;
        socket.until(|frame| frame["type"] == "hello").await;
        say(&app, &anna, json!({"state": "paused", "reason": "lunch"})).await;
        let told = socket.until(|frame| frame["type"] == "operator.updated" && frame["data"]["id"] == json!(anna.id)).await;
        let data = &told["data"];
        assert_eq!((&data["availability"], &data["availability_reason"], &data["availability_why"]), (&json!("paused"), &json!("lunch"), &json!("said")));
        clock.advance(TimeDelta::minutes(1));
        let long = json!({"state": "paused", "reason": "x".repeat(201)});
        let refused = app.call_as(&anna.key, "PUT", "/me/availability", Some(long)).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], "reason");
    }

    async fn an_answer_that_is_owed_outlives_a_pause_and_an_absence_of_presence_by_the_grace_of_its_line(app: TestApp, clock: Clock) {
        for leave in ["pause", "off", "presence"] {
            let op = operator(&app, leave).await;
            let chat = chat(&app, &[&op]).await;
            app.patch(&format!("/lines/{}", chat["line_id"].as_str().unwrap()), json!({"leave_grace_secs": 120})).await.expect(200);
            let id = app.writes(&chat, leave, "Hello").await;
            owned(&app, &id, &op).await;
            clock.advance(TimeDelta::minutes(1));
            reply(&app, &op, &id).await;
            app.writes(&chat, leave, "And the price?").await;
            clock.advance(TimeDelta::minutes(1));
            match leave {
                "pause" => drop(say(&app, &op, json!({"state": "paused"})).await),
                "off" => drop(say(&app, &op, json!({"state": "off"})).await),
                _ => drop(app.call_as(&op.key, "PUT", "/me/presence", Some(json!({"state": "offline"}))).await.expect(200)),
            }
            clock.advance(TimeDelta::seconds(119));
            assert_eq!(look_for_the_left(&app).await, 0, "{leave}");
            assert_eq!(session(&app, &id).await["operator_id"], json!(op.id), "{leave}");
            clock.advance(TimeDelta::seconds(10));
            waits(&app, &id).await;
        }
    }

    async fn each_beginning_and_end_is_told_once_however_many_look(app: TestApp, clock: Clock) {
        let (anna, boris) = (operator(&app, "Anna").await, operator(&app, "Boris").await);
        put(&app, &anna, mornings()).await.expect(200);
        put(&app, &boris, json!({"time_zone": "UTC", "weekly": {"tue": [["09:00", "12:00"]]}})).await.expect(200);
        let (db, head) = (app.app.db.clone(), *app.app.db.head().borrow());
        clock.advance(TimeDelta::hours(1));
        let now = app.app.clock.now();
        let looks = futures_util::future::join_all((0..4).map(|_| shifts::tell(&db, now))).await;
        assert!(looks.into_iter().all(|told| told.is_ok()));
        assert_eq!(shifts::tell(&db, now).await.unwrap(), 0);
        let told = event::after(db.read(), head, 1_000).await.unwrap();
        let told: Vec<&str> = told.iter().filter(|event| event.kind == Some(EventType::OperatorUpdated)).map(|event| event.object_id.as_str()).collect();
        assert_eq!(told, [&anna.id]);
    }

    async fn a_shift_that_began_while_the_server_was_down_has_begun_when_it_starts(app: TestApp, clock: Clock) {
        let anna = operator(&app, "Anna").await;
        let chat = chat(&app, &[&anna]).await;
        put(&app, &anna, mornings()).await.expect(200);
        let id = app.writes(&chat, "Ulla", "Hello").await;
        let database = app.stop().await;
        clock.advance(TimeDelta::minutes(61));
        let app = TestApp::start_at(database, clock.clone()).await;
        owned(&app, &id, &anna).await;
    }

    async fn admins_change_schedules_supervisors_read_them_and_operators_read_their_own(app: TestApp, clock: Clock) {
        let (anna, boris) = (operator(&app, "Anna").await, operator(&app, "Boris").await);
        let (_, chief) = app.operator("Chief", "supervisor").await;
        clock.advance(TimeDelta::minutes(1));
        let path = format!("/users/{}/schedule", anna.id);
        let none = app.get(&path).await;
        assert_eq!((&none["weekly"], &none["version"], &none["outlook"]["duty"]), (&Value::Null, &json!(0), &json!("working")));
        let made = put(&app, &anna, mornings()).await.expect(200);
        assert_eq!((&made["version"], &made["outlook"]["duty"], &made["outlook"]["next_shift"]["to"]), (&json!(1), &json!("off_shift"), &json!("2026-11-23T12:00:00Z")));
        assert_eq!(put(&app, &anna, mornings()).await.expect(200)["version"], 1, "nothing changed");
        let mut stale = mornings();
        stale["version"] = json!(0);
        stale["breaks"] = json!({});
        put(&app, &anna, stale.clone()).await.expect(409);
        stale["version"] = json!(1);
        assert_eq!(put(&app, &anna, stale).await.expect(200)["version"], 2);
        app.call_as(&anna.key, "GET", &path, None).await.expect(200);
        app.call_as(&chief, "GET", &path, None).await.expect(200);
        app.call_as(&boris.key, "GET", &path, None).await.expect(403);
        app.call_as(&chief, "PUT", &path, Some(mornings())).await.expect(403);
        app.call("GET", "/users/opr_nobody/schedule", None).await.expect(404);
        app.call("PUT", "/users/opr_nobody/schedule", Some(mornings())).await.expect(404);
        let wrong = json!({"time_zone": "Mars/Base", "weekly": {"mon": [["9:00", "12:00"]]}, "absences": [{"from": "2026-11-24", "to": "2026-11-23"}]});
        for (method, path) in [("PUT", path.as_str()), ("POST", "/schedules/preview")] {
            let refused = app.call(method, path, Some(wrong.clone())).await.expect(422);
            let fields: Vec<&str> = refused["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
            assert_eq!(fields, ["time_zone", "weekly.mon", "absences[0].to"]);
        }
        let vague = json!({"time_zone": "UTC", "absences": [{"from": "soon"}]});
        let refused = put(&app, &anna, vague).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], "absences[0].from");
        let preview = app.post("/schedules/preview", mornings()).await.expect(200);
        assert_eq!((&preview["duty"], &preview["until"]), (&json!("off_shift"), &json!("2026-11-23T09:00:00Z")));
    }
}
