//! What counts toward an operator's load: set by an admin, it holds at once.

use serde_json::{Value, json};

use crate::{
    routing::{Op, act, conversation, line, operator, owner, write},
    support::TestApp,
};

async fn answer(app: &TestApp, who: &Op, id: &str) {
    let body = json!({"kind": "reply", "text": "One moment", "client_id": format!("answer {id}")});
    act(app, &who.key, id, "messages", body).await.expect(201);
}

async fn count(app: &TestApp, client_wait_secs: Value) {
    let mut counting = app.get("/routing/counting").await;
    counting["client_wait_secs"] = client_wait_secs;
    let set = app
        .call("PUT", "/routing/counting", Some(counting.clone()))
        .await
        .expect(200);
    assert_eq!(set, counting);
}

both_databases! {
    async fn a_session_that_waits_for_its_client_makes_room_for_another(app: TestApp) {
        count(&app, Value::Null).await;
        let anna = operator(&app, "Anna", 1.0).await;
        let (_, channel) = line(&app, &[&anna], json!({})).await;
        app.go_online(&anna.key).await;
        let silent = write(&app, &channel, "u1", 1).await;
        assert_eq!(owner(&app, &silent).await, anna.id);
        let next = write(&app, &channel, "u2", 1).await;
        answer(&app, &anna, &silent).await;
        let preview = app.get(&format!("/conversations/{next}/routing/preview")).await;
        assert_eq!(preview["candidates"][0]["rejected_by"], "at_capacity");
        // Time alone: nobody does anything any more.
        count(&app, json!(1)).await;
        assert_eq!(owner(&app, &next).await, anna.id);
        let me = app.get(&format!("/users/{}", anna.id)).await;
        assert_eq!((&me["load"], &me["resting"]), (&json!(1.0), &json!(1)));
        // Who speaks again counts again, and stays with whom they spoke to.
        write(&app, &channel, "u1", 2).await;
        assert_eq!(owner(&app, &silent).await, anna.id);
        let me = app.get(&format!("/users/{}", anna.id)).await;
        assert_eq!((&me["load"], &me["resting"]), (&json!(2.0), &json!(0)));
        let third = write(&app, &channel, "u3", 1).await;
        act(&app, &anna.key, &next, "close", json!({})).await.expect(200);
        let preview = app.get(&format!("/conversations/{third}/routing/preview")).await;
        assert_eq!(preview["candidates"][0]["rejected_by"], "at_capacity");
        assert_eq!(conversation(&app, &third).await["session"]["state"], "waiting");
    }

    async fn a_lighter_kind_of_channel_makes_room_at_once(app: TestApp) {
        let anna = operator(&app, "Anna", 1.0).await;
        let (_, channel) = line(&app, &[&anna], json!({})).await;
        app.go_online(&anna.key).await;
        let first = write(&app, &channel, "u1", 1).await;
        assert_eq!(owner(&app, &first).await, anna.id);
        let second = write(&app, &channel, "u2", 1).await;
        assert_eq!(conversation(&app, &second).await["session"]["state"], "waiting");
        let mut counting = app.get("/routing/counting").await;
        let kind = conversation(&app, &first).await["channel_kind"].as_str().unwrap().to_owned();
        counting["weights"][kind] = json!(0.5);
        app.call("PUT", "/routing/counting", Some(counting)).await.expect(200);
        assert_eq!(owner(&app, &second).await, anna.id);
    }

    async fn only_an_admin_says_what_counts_and_only_what_can_be(app: TestApp) {
        let (_, supervisor) = app.operator("Sam", "supervisor").await;
        let (_, key) = app.operator("Olga", "operator").await;
        let counting = app.get("/routing/counting").await;
        app.call_as(&supervisor, "GET", "/routing/counting", None).await.expect(200);
        app.call_as(&key, "GET", "/routing/counting", None).await.expect(403);
        app.call_as(&supervisor, "PUT", "/routing/counting", Some(counting.clone())).await.expect(403);
        let mut wrong = counting.clone();
        wrong["weights"]["email"] = json!(-1);
        wrong["client_wait_secs"] = json!(0);
        let refused = app.call("PUT", "/routing/counting", Some(wrong)).await.expect(422);
        let fields: Vec<&Value> = refused["errors"].as_array().unwrap().iter().map(|one| &one["field"]).collect();
        assert_eq!(fields, ["weights.email", "client_wait_secs"]);
        assert_eq!(app.get("/routing/counting").await, counting);
    }
}
