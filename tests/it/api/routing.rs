//! Who would get a conversation now, and why an operator gets nothing.

use serde_json::{Value, json};

use crate::support::TestApp;

async fn with_capacity(app: &TestApp, name: &str, capacity: f64) -> (Value, String) {
    let (me, key) = app.operator(name, "operator").await;
    let path = format!("/users/{}", me["id"].as_str().unwrap());
    app.patch(&path, json!({"capacity": capacity})).await.expect(200);
    (me, key)
}

async fn owned_by(app: &TestApp, conversation: &str, operator: &Value) {
    let path = format!("/conversations/{conversation}");
    let look = || async { (app.get(&path).await["session"]["operator_id"] == operator["id"]).then_some(()) };
    app.until("the assignment", look).await;
}

both_databases! {
    async fn the_preview_decides_as_the_router_would_and_stores_nothing(app: TestApp) {
        let (anna, anna_key) = with_capacity(&app, "Anna", 1.0).await;
        let (boris, boris_key) = with_capacity(&app, "Boris", 1.0).await;
        let queue = json!([{"operator_id": anna["id"]}, {"operator_id": boris["id"]}]);
        let line = app.line("Support", json!({"queue": queue, "distribution": "strict"})).await;
        let channel = app.channel("webchat", &line, json!({})).await;
        let id = app.writes(&channel, "c1", "Hello").await;
        let path = format!("/conversations/{id}/routing/preview");
        let told = app.get(&path).await;
        assert_eq!((&told["trigger"], &told["outcome"], &told["line_id"]), (&json!("preview"), &json!("waiting"), &line["id"]));
        assert_eq!(told["candidates"][0]["rejected_by"], "offline");
        app.go_online(&anna_key).await;
        owned_by(&app, &id, &anna).await;
        // Anna is full with this very session: as if it waited, she has room for it.
        let before = app.get(&format!("/conversations/{id}/routing")).await;
        let told = app.get(&path).await;
        assert_eq!((&told["outcome"], &told["operator_id"]), (&json!("assigned"), &anna["id"]));
        assert_eq!((&told["candidates"][0]["load"], &told["candidates"][1]["rejected_by"]), (&json!(0.0), &json!("offline")));
        app.go_online(&boris_key).await;
        app.call_as(&anna_key, "PUT", "/me/availability", Some(json!({"state": "paused"}))).await.expect(200);
        owned_by(&app, &id, &boris).await;
        let told = app.get(&path).await;
        assert_eq!((&told["operator_id"], &told["candidates"][0]["rejected_by"]), (&boris["id"], &json!("paused")));
        let after = app.get(&format!("/conversations/{id}/routing")).await;
        assert!(after["items"].as_array().unwrap().iter().all(|one| one["trigger"] != "preview"));
        assert!(after["items"].as_array().unwrap().len() >= before["items"].as_array().unwrap().len());
        let (_, stranger) = app.operator("Olim", "operator").await;
        app.call_as(&stranger, "GET", &path, None).await.expect(404);
        app.call_as(&boris_key, "POST", &format!("/conversations/{id}/close"), Some(json!({}))).await.expect(200);
        app.call("GET", &path, None).await.expect(409);
    }

    async fn an_operator_is_told_what_stands_between_them_and_each_line(app: TestApp) {
        let (anna, anna_key) = with_capacity(&app, "Anna", 1.0).await;
        let (boris, boris_key) = with_capacity(&app, "Boris", 5.0).await;
        let queue = json!([{"operator_id": boris["id"]}, {"operator_id": anna["id"]}]);
        let rules = json!({"queue": queue, "distribution": "strict", "required_skills": ["billing"]});
        let support = app.line("Support", rules).await;
        let night = json!({"queue": [{"operator_id": anna["id"]}], "hours": {"time_zone": "UTC", "weekly": {}}});
        let night = app.line("Night", night).await;
        let channel = app.channel("webchat", &support, json!({})).await;
        let conversation = app.writes(&channel, "c1", "Hello").await;
        let path = format!("/users/{}/routing", anna["id"].as_str().unwrap());
        app.go_online(&anna_key).await;
        let told = app.call_as(&anna_key, "GET", &path, None).await.expect(200);
        assert_eq!((&told["presence"], &told["availability"], &told["load"]), (&json!("online"), &json!("accepting"), &json!(0.0)));
        let of = |told: &Value, line: &Value| {
            told["lines"].as_array().unwrap().iter().find(|one| one["line_id"] == line["id"]).cloned().unwrap()
        };
        let here = of(&told, &support);
        assert_eq!((&here["rejected_by"], &here["rank"], &here["members"], &here["waiting"]),
            (&json!("missing_skill"), &json!(2), &json!(2), &json!(1)));
        let closed = of(&told, &night);
        assert_eq!((&closed["open"], &closed["rejected_by"], &closed["waiting"]), (&json!(false), &Value::Null, &json!(0)));
        let head = &told["waiting"][0];
        assert_eq!((&head["conversation_id"], &head["outcome"], &head["rejected_by"]),
            (&json!(conversation), &json!("waiting"), &json!("missing_skill")));
        assert_eq!(head["contact_name"], "c1");
        app.call_as(&anna_key, "PUT", "/me/availability", Some(json!({"state": "paused"}))).await.expect(200);
        let told = app.call_as(&anna_key, "GET", &path, None).await.expect(200);
        assert_eq!(of(&told, &support)["rejected_by"], "paused");
        app.call_as(&boris_key, "GET", &path, None).await.expect(403);
        let (_, supervisor) = app.operator("Sara", "supervisor").await;
        app.call_as(&supervisor, "GET", &path, None).await.expect(200);
        app.call_as(&supervisor, "GET", "/users/opr_nobody/routing", None).await.expect(404);
    }

    async fn who_stands_in_no_queue_is_told_so_by_an_empty_list(app: TestApp) {
        let (me, key) = app.operator("Olim", "operator").await;
        let path = format!("/users/{}/routing", me["id"].as_str().unwrap());
        let told = app.call_as(&key, "GET", &path, None).await.expect(200);
        assert_eq!((&told["lines"], &told["waiting"]), (&json!([]), &json!([])));
    }
}
