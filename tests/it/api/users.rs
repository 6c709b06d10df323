//! Users, teams, presence and availability.

use serde_json::{Value, json};

both_databases! {
    async fn a_user_is_made_changed_and_switched_off(app: TestApp) {
        let input = json!({"email": "Anna@Shop.example", "name": "Anna", "role": "operator", "password": "correct horse",
            "languages": ["en", "uz"], "skills": ["billing"]});
        let user = app.post("/users", input.clone()).await.expect(201);
        assert_eq!((&user["email"], &user["capacity"], &user["enabled"]), (&json!("anna@shop.example"), &json!(5.0), &json!(true)));
        assert_eq!((&user["presence"], &user["availability"], &user["load"]), (&json!("offline"), &json!("accepting"), &json!(0.0)));
        let twice = app.post("/users", input).await.expect(422);
        assert_eq!(twice["errors"][0]["field"], "email");
        let path = format!("/users/{}", user["id"].as_str().unwrap());
        let changed = app.patch(&path, json!({"capacity": 0, "skills": [], "version": 1})).await.expect(200);
        assert_eq!((&changed["capacity"], &changed["skills"], &changed["version"]), (&json!(0.0), &json!([]), &json!(2)));
        app.patch(&path, json!({"name": "A", "version": 1})).await.expect(409);
        for wrong in [json!({"capacity": 1001}), json!({"capacity": -1}), json!({"name": ""}), json!({"password": "short"})] {
            assert_eq!(app.patch(&path, wrong).await.status, 422);
        }
        assert_eq!(app.patch(&path, json!({"enabled": false})).await.expect(200)["enabled"], false);
    }

    async fn the_last_admin_who_can_sign_in_stays_one(app: TestApp) {
        let input = json!({"email": "a@x.example", "name": "A", "role": "admin", "password": "correct horse"});
        let first = app.post("/users", input).await.expect(201);
        let path = format!("/users/{}", first["id"].as_str().unwrap());
        app.patch(&path, json!({"role": "operator"})).await.expect(409);
        app.patch(&path, json!({"enabled": false})).await.expect(409);
        let input = json!({"email": "b@x.example", "name": "B", "role": "admin", "password": "correct horse"});
        app.post("/users", input).await.expect(201);
        app.patch(&path, json!({"role": "operator"})).await.expect(200);
    }

    async fn presence_is_what_was_said_until_it_lapses(app: TestApp) {
        let (me, key) = app.operator("Anna", "operator").await;
        let path = format!("/users/{}", me["id"].as_str().unwrap());
        let mut socket = app.socket(&app.key, None).await;
        assert_eq!(socket.next().await.unwrap()["type"], "hello");
        let put = |body: Value| app.call_as(&key, "PUT", "/me/presence", Some(body));
        assert_eq!(put(json!({"state": "online", "ttl_secs": 5})).await.expect(200)["presence"], "online");
        assert_eq!(put(json!({"state": "online", "ttl_secs": 4})).await.status, 422);
        let away = put(json!({"state": "away", "ttl_secs": 60})).await.expect(200);
        assert_eq!(away["presence"], "away");
        assert_eq!(put(json!({"state": "offline"})).await.expect(200)["presence"], "offline");
        assert_eq!(app.get(&path).await["presence"], "offline");
        put(json!({"state": "online", "ttl_secs": 5})).await.expect(200);
        let lapsed = || async { (app.get(&path).await["presence"] == "offline").then_some(()) };
        app.until("the lease lapses", lapsed).await;
    }

    async fn availability_is_said_by_oneself_or_by_a_supervisor(app: TestApp) {
        let (me, key) = app.operator("Anna", "operator").await;
        let (_, supervisor) = app.operator("Sara", "supervisor").await;
        let path = format!("/users/{}/availability", me["id"].as_str().unwrap());
        let paused = json!({"state": "paused", "reason": "Lunch"});
        let said = app.call_as(&key, "PUT", "/me/availability", Some(paused.clone())).await.expect(200);
        assert_eq!((&said["availability"], &said["availability_reason"]), (&json!("paused"), &json!("Lunch")));
        app.call_as(&key, "PUT", &path, Some(paused)).await.expect(403);
        let said = app.call_as(&supervisor, "PUT", &path, Some(json!({"state": "accepting"}))).await.expect(200);
        assert_eq!((&said["availability"], &said["availability_reason"]), (&json!("accepting"), &Value::Null));
        app.call_as(&key, "PUT", "/me/availability", Some(json!({"state": "asleep"}))).await.expect(422);
    }

    async fn a_team_keeps_its_members_in_order(app: TestApp) {
        let (a, key) = app.operator("Anna", "operator").await;
        let (b, _) = app.operator("Boris", "operator").await;
        let made = app.post("/teams", json!({"name": "Day", "member_ids": [b["id"], a["id"], b["id"]]})).await.expect(201);
        assert_eq!(made["member_ids"], json!([b["id"], a["id"]]));
        let path = format!("/teams/{}", made["id"].as_str().unwrap());
        assert_eq!(app.call_as(&key, "GET", &path, None).await.expect(200)["name"], "Day");
        app.call_as(&key, "PATCH", &path, Some(json!({"name": "Mine"}))).await.expect(403);
        let wrong = app.patch(&path, json!({"member_ids": ["opr_nobody"]})).await.expect(422);
        assert_eq!(wrong["errors"][0]["field"], "member_ids");
        assert_eq!(app.patch(&path, json!({"member_ids": []})).await.expect(200)["member_ids"], json!([]));
        app.call("DELETE", &path, None).await.expect(204);
        app.call("GET", &path, None).await.expect(404);
    }
}
