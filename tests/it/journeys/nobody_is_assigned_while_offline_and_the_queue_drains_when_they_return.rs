//! What sets the router going: somebody comes, capacity is freed, a pause ends.

use serde_json::{Value, json};

use crate::support::TestApp;

async fn states(app: &TestApp, ids: &[String]) -> Vec<Value> {
    let mut states = Vec::new();
    for id in ids {
        states.push(app.get(&format!("/conversations/{id}")).await["session"]["operator_id"].clone());
    }
    states
}

async fn until(app: &TestApp, what: &str, ids: &[String], wanted: &[&Value]) {
    let look = || async { (states(app, ids).await.iter().collect::<Vec<_>>() == wanted).then_some(()) };
    app.until(what, look).await;
}

both_databases! {
    async fn in_one_line(app: TestApp) {
        let (anna, key) = app.operator("Anna", "operator").await;
        app.patch(&format!("/users/{}", anna["id"].as_str().unwrap()), json!({"capacity": 2})).await.expect(200);
        let line = app.line("Support", json!({"queue": [{"operator_id": anna["id"]}]})).await;
        let chat = app.channel("webchat", &line, json!({})).await;
        let mut ids = Vec::new();
        for name in ["first", "second", "third", "fourth"] {
            ids.push(app.writes(&chat, name, "Hello").await);
        }
        // Looked at and left waiting, with the reason.
        let path = format!("/conversations/{}/routing", ids[3]);
        let why = app.until("a decision", || async { app.get(&path).await["items"].get(0).cloned() }).await;
        assert_eq!((&why["outcome"], &why["candidates"][0]["rejected_by"]), (&json!("waiting"), &json!("offline")));
        let (none, hers) = (&Value::Null, &anna["id"]);
        assert_eq!(states(&app, &ids).await, [Value::Null, Value::Null, Value::Null, Value::Null]);
        // Paused, she is there and still gets nothing.
        app.call_as(&key, "PUT", "/me/availability", Some(json!({"state": "paused"}))).await.expect(200);
        app.call_as(&key, "PUT", "/me/presence", Some(json!({"state": "online", "ttl_secs": 3600}))).await.expect(200);
        let paused = || async { (app.get(&path).await["items"][0]["candidates"][0]["rejected_by"] == "paused").then_some(()) };
        app.until("the reason changes", paused).await;
        assert_eq!(states(&app, &ids).await[0], Value::Null);
        // Accepting: as many as she can hold, the longest waiting first.
        app.call_as(&key, "PUT", "/me/availability", Some(json!({"state": "accepting"}))).await.expect(200);
        until(&app, "she comes", &ids, &[hers, hers, none, none]).await;
        assert_eq!(app.get(&format!("/users/{}", anna["id"].as_str().unwrap())).await["load"], 2.0);
        // One is closed: the next one in line.
        app.call_as(&key, "POST", &format!("/conversations/{}/close", ids[0]), None).await.expect(200);
        until(&app, "capacity is freed", &ids[1..], &[hers, hers, none]).await;
        // More capacity: the last one.
        app.patch(&format!("/users/{}", anna["id"].as_str().unwrap()), json!({"capacity": 3})).await.expect(200);
        until(&app, "capacity grows", &ids[1..], &[hers, hers, hers]).await;
        // She goes without having answered: all of it waits again.
        app.call_as(&key, "PUT", "/me/presence", Some(json!({"state": "offline"}))).await.expect(200);
        until(&app, "she goes", &ids[1..], &[none, none, none]).await;
        let queue = app.get("/conversations?view=queue").await;
        let order: Vec<&str> = queue["items"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
        assert_eq!(order, [&ids[1], &ids[2], &ids[3]], "in the order they came");
        app.go_online(&key).await;
        until(&app, "she returns", &ids[1..], &[hers, hers, hers]).await;
        app.stop().await;
    }
}
