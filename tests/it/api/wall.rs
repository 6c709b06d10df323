//! The supervisors' wall.

use serde_json::{Value, json};

fn of<'a>(list: &'a Value, id: &Value) -> &'a Value {
    list.as_array()
        .unwrap()
        .iter()
        .find(|one| one["id"] == *id)
        .unwrap()
}

both_databases! {
    async fn the_wall_shows_lines_people_and_who_waits(app: TestApp) {
        let (anna, anna_key) = app.operator("Anna", "operator").await;
        let (boris, _) = app.operator("Boris", "operator").await;
        app.patch(&format!("/users/{}", anna["id"].as_str().unwrap()), json!({"capacity": 1.0})).await.expect(200);
        let queue = json!([{"operator_id": anna["id"]}, {"operator_id": boris["id"]}]);
        let line = app.line("Support", json!({"queue": queue})).await;
        let closed = app.line("Night", json!({"hours": {"time_zone": "UTC", "weekly": {}}})).await;
        let channel = app.channel("webchat", &line, json!({})).await;
        app.go_online(&anna_key).await;
        let first = app.writes(&channel, "c1", "Hello").await;
        let path = format!("/conversations/{first}");
        let owned = || async { (app.get(&path).await["session"]["state"] == "assigned").then_some(()) };
        app.until("the assignment", owned).await;
        let second = app.writes(&channel, "c2", "Hello").await;
        let third = app.writes(&channel, "c3", "Hello").await;
        app.post(&format!("/conversations/{third}/priority"), json!({"priority": 2})).await.expect(200);
        let pause = json!({"state": "paused", "reason": "Lunch"});
        app.call_as(&anna_key, "PUT", "/me/availability", Some(pause)).await.expect(200);
        // Unanswered, it goes back to the queue with the pause; what is taken by hand then stays.
        let back = || async { (app.get(&path).await["session"]["state"] == "waiting").then_some(()) };
        app.until("the return to the queue", back).await;
        app.call_as(&anna_key, "POST", &format!("{path}/take"), Some(json!({}))).await.expect(200);
        let (sara, supervisor) = app.operator("Sara", "supervisor").await;
        let hidden = json!({"operator_id": sara["id"], "hidden": true});
        app.call_as(&supervisor, "POST", &format!("{path}/participants"), Some(hidden.clone())).await.expect(200);
        let wall = app.get("/wall").await;
        let support = of(&wall["lines"], &line["id"]);
        assert_eq!((&support["open"], &support["waiting"], &support["assigned"], &support["offered"]),
            (&json!(true), &json!(2), &json!(1), &json!(0)));
        assert_eq!(support["operators"], json!({"accepting": 0, "away": 0, "paused": 1, "off": 1}));
        let waiting: Vec<&Value> = wall["waiting"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
        assert_eq!(waiting, [&json!(third), &json!(second)]);
        assert_eq!((&wall["waiting_total"], &wall["cut"]), (&json!(2), &json!(false)));
        assert_eq!(support["oldest_waiting_since"], wall["waiting"][1]["session"]["waiting_since"]);
        assert_eq!((&of(&wall["lines"], &closed["id"])["open"], &of(&wall["lines"], &closed["id"])["waiting"]), (&json!(false), &json!(0)));
        let shown = of(&wall["operators"], &anna["id"]);
        assert_eq!((&shown["availability"], &shown["availability_reason"], &shown["load"], &shown["line_ids"]),
            (&json!("paused"), &json!("Lunch"), &json!(1.0), &json!([line["id"]])));
        assert!(shown["availability_since"].is_string());
        assert_eq!((&shown["sessions"][0]["conversation_id"], &shown["sessions"][0]["contact_name"]), (&json!(first), &json!("c1")));
        assert_eq!(shown["sessions"][0]["participants"], json!([hidden]));
        assert_eq!(of(&wall["operators"], &boris["id"])["presence"], "offline");
        // Snoozed, it is nobody's worry for a while.
        app.post(&format!("/conversations/{third}/snooze"), json!({"until": "2099-01-01T00:00:00Z"})).await.expect(200);
        let wall = app.get("/wall").await;
        assert_eq!((&of(&wall["lines"], &line["id"])["waiting"], &wall["waiting_total"]), (&json!(1), &json!(1)));
    }

    async fn the_wall_is_for_supervisors(app: TestApp) {
        let (_, supervisor) = app.operator("Sara", "supervisor").await;
        let (_, operator) = app.operator("Olim", "operator").await;
        let wall = app.call_as(&supervisor, "GET", "/wall", None).await.expect(200);
        assert_eq!((&wall["lines"], &wall["operators"], &wall["waiting"]), (&json!([]), &json!([]), &json!([])));
        app.call_as(&operator, "GET", "/wall", None).await.expect(403);
    }

    async fn since_when_somebody_pauses_changes_with_the_state_alone(app: TestApp) {
        let (me, key) = app.operator("Anna", "operator").await;
        let say = |state: &'static str, reason: &'static str| { let (app, key) = (&app, &key); async move {
            app.call_as(key, "PUT", "/me/availability", Some(json!({"state": state, "reason": reason}))).await.expect(200)
        } };
        let paused = say("paused", "Lunch").await;
        assert_ne!(paused["availability_since"], me["availability_since"]);
        assert_eq!(say("paused", "Still lunch").await["availability_since"], paused["availability_since"]);
        assert_ne!(say("accepting", "").await["availability_since"], paused["availability_since"]);
    }
}
