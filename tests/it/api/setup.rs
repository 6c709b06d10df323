//! The first start.

use serde_json::{Value, json};
use switchboard::auth::setup;

fn input(token: &str) -> Value {
    let admin = json!({"email": "anna@x.example", "name": "Anna", "password": "correct horse"});
    json!({"token": token, "admin": admin, "line_name": "Help", "site_origin": "https://shop.example"})
}

both_databases! {
    async fn the_link_of_the_first_start_makes_everything_once(app: TestApp) {
        let token = setup::renew(&app.app.db).await.unwrap().unwrap();
        let state = app.get(&format!("/setup?token={token}")).await;
        assert_eq!(state, json!({"needed": true, "token_valid": true}));
        assert_eq!(app.get("/setup?token=wrong").await, json!({"needed": true, "token_valid": false}));
        app.post("/setup", input("wrong")).await.expect(403);
        for (path, value, field) in [
            ("/admin/password", json!("short"), "admin.password"),
            ("/admin/email", json!("anna"), "admin.email"),
            ("/admin/name", json!(" "), "admin.name"),
            ("/line_name", json!(""), "line_name"),
            ("/site_origin", json!("shop"), "site_origin"),
        ] {
            let mut wrong = input(&token);
            *wrong.pointer_mut(path).unwrap() = value;
            let problem = app.post("/setup", wrong).await.expect(422);
            assert_eq!(problem["errors"][0]["field"], field, "{problem}");
        }
        // What was refused used nothing up and left nothing behind.
        assert_eq!(app.get("/lines").await["items"], json!([]));
        let request = app.client.post(format!("{}/api/v1/setup", app.base)).json(&input(&token));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 201);
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let made: Value = answer.json().await.unwrap();
        let me = app.ask(app.client.get(format!("{}/api/v1/me", app.base)).header("cookie", &cookie)).await.expect(200);
        assert_eq!((&me["id"], &me["role"], &me["csrf_token"]), (&made["user"]["id"], &json!("admin"), &made["csrf_token"]));
        assert_eq!((&made["line"]["name"], &made["line"]["queue"]), (&json!("Help"), &json!([{"operator_id": me["id"]}])));
        let key = made["webchat"]["key"].as_str().unwrap();
        let snippet = made["snippet"].as_str().unwrap();
        assert!(snippet.contains(&format!("{}/widget/v1.js", app.base)) && snippet.contains(key), "{snippet}");
        for field in ["demo_url", "form_url"] {
            let page = app.client.get(format!("{}{}", app.base, made[field].as_str().unwrap())).send().await.unwrap();
            assert_eq!(page.status(), 200, "{field}");
            assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
        }
        assert_eq!(made["webchat"]["settings"]["allowed_origins"], json!(["https://shop.example"]));
        let lead = app.submit(&made["webform"], json!({"name": "Boris", "phone": "+998901234567"}), None).await;
        lead.expect(201);
        // Once.
        app.post("/setup", input(&token)).await.expect(403);
        assert_eq!(app.get(&format!("/setup?token={token}")).await, json!({"needed": false, "token_valid": false}));
        assert_eq!(setup::renew(&app.app.db).await.unwrap(), None);
    }

    async fn of_two_who_hold_the_link_one_becomes_the_admin(app: TestApp) {
        let token = setup::renew(&app.app.db).await.unwrap().unwrap();
        let mut second = input(&token);
        second["admin"]["email"] = json!("boris@x.example");
        let answers = tokio::join!(app.post("/setup", input(&token)), app.post("/setup", second));
        let mut statuses = [answers.0.status, answers.1.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 403]);
        assert_eq!(app.get("/lines").await["items"].as_array().unwrap().len(), 1);
    }

    async fn a_restart_makes_a_new_link_and_ends_the_old_one(app: TestApp) {
        let old = setup::renew(&app.app.db).await.unwrap().unwrap();
        let new = setup::renew(&app.app.db).await.unwrap().unwrap();
        app.post("/setup", input(&old)).await.expect(403);
        app.post("/setup", input(&new)).await.expect(201);
    }
}
