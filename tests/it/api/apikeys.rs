//! Keys for programs.

use serde_json::json;

both_databases! {
    async fn a_key_is_shown_once_and_stops_working_when_it_is_revoked(app: TestApp) {
        let made = app.post("/apikeys", json!({"name": "CRM", "role": "supervisor"})).await.expect(201);
        let key = made["key"].as_str().unwrap();
        assert!(key.starts_with("sb_") && key.starts_with(made["prefix"].as_str().unwrap()));
        let me = app.call_as(key, "GET", "/me", None).await.expect(200);
        assert_eq!((&me["name"], &me["role"], &me["csrf_token"]), (&json!("CRM"), &json!("supervisor"), &json!(null)));
        let listed = app.get("/apikeys").await;
        assert!(!listed.to_string().contains(key), "a key is kept as its hash");
        assert!(listed["items"].as_array().unwrap().iter().any(|row| row["id"] == made["id"] && row["role"] == "supervisor"));
        let mut socket = app.socket(key, None).await;
        assert_eq!(socket.next().await.unwrap()["type"], "hello");
        let path = format!("/apikeys/{}", made["id"].as_str().unwrap());
        app.call("DELETE", &path, None).await.expect(204);
        app.call_as(key, "GET", "/me", None).await.expect(401);
        while socket.next().await.is_some() {}
        app.call("DELETE", &path, None).await.expect(404);
        // Its user stays as the author of what it wrote.
        let user = app.get(&format!("/users/{}", me["id"].as_str().unwrap())).await;
        assert_eq!(user["enabled"], false);
    }

    async fn only_admins_see_and_make_keys(app: TestApp) {
        for role in ["operator", "supervisor"] {
            let (_, key) = app.operator("Sara", role).await;
            app.call_as(&key, "GET", "/apikeys", None).await.expect(403);
            app.call_as(&key, "POST", "/apikeys", Some(json!({"name": "x", "role": "admin"}))).await.expect(403);
        }
        let wrong = app.post("/apikeys", json!({"name": " ", "role": "operator"})).await.expect(422);
        assert_eq!(wrong["errors"][0]["field"], "name");
        let wrong = app.post("/apikeys", json!({"name": "x", "role": "emperor"})).await.expect(422);
        assert_eq!(wrong["errors"][0]["field"], "role");
    }
}
