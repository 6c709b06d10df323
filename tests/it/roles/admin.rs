//! Making roles, giving them to users and programs, and what the router makes of them.

use serde_json::{Value, json};

use crate::{
    people::{items, text},
    support::TestApp,
};

async fn role(app: &TestApp, name: &str, rights: Value) -> Value {
    let said = json!({"name": name, "rights": rights});
    app.post("/roles", said).await.expect(201)
}

fn path(value: &Value, list: &str) -> String {
    format!("{list}/{}", text(&value["id"]))
}

both_databases! {
    async fn a_role_is_made_copied_changed_counted_and_removed(app: TestApp) {
        let made = role(&app, " Sales  team ", json!({"deal": {"view": "team", "edit": "own"}, "lead": {"view": "all"}})).await;
        assert_eq!((&made["name"], &made["built_in"], &made["user_count"], &made["version"]), (&json!("Sales team"), &json!(false), &json!(0), &json!(1)));
        assert_eq!(made["rights"]["deal"], json!({"view": "team", "edit": "own", "delete": "none"}));
        assert_eq!(made["rights"]["lead"], json!({"view": "all", "edit": "none", "export": "none"}));
        role(&app, "Copy", made["rights"].clone()).await;
        let names = |list: &Value| items(list).iter().map(|one| text(&one["name"]).to_owned()).collect::<Vec<_>>();
        assert_eq!(names(&app.get("/roles").await), ["admin", "supervisor", "operator", "Copy", "Sales team"]);
        let (user, key) = app.operator("Anna", "operator").await;
        let given = json!({"role_id": made["id"]});
        let anna = app.patch(&path(&user, "/users"), given.clone()).await.expect(200);
        assert_eq!((&anna["role"], &anna["role_id"]), (&json!("operator"), &made["id"]));
        assert_eq!(app.get(&path(&made, "/roles")).await["user_count"], 1);
        let said = app.call("DELETE", &path(&made, "/roles"), None).await.expect(409);
        assert!(text(&said["detail"]).contains("1 users have this role"), "{said}");
        let changed = app.patch(&path(&made, "/roles"), json!({"rights": {"deal": {"view": "own"}}, "version": 1})).await.expect(200);
        assert_eq!((&changed["version"], &changed["rights"]["lead"]["view"]), (&json!(2), &json!("none")));
        app.patch(&path(&made, "/roles"), json!({"name": "x", "version": 1})).await.expect(409);
        let me = app.call_as(&key, "GET", "/me", None).await.expect(200);
        assert_eq!((&me["rights"], &me["role_id"]), (&changed["rights"], &made["id"]));
        app.patch(&path(&user, "/users"), json!({"role_id": "operator"})).await.expect(200);
        app.call("DELETE", &path(&made, "/roles"), None).await.expect(204);
        app.call("GET", &path(&made, "/roles"), None).await.expect(404);
        app.patch(&path(&user, "/users"), given).await.expect(422);
    }

    async fn what_cannot_be_is_named_by_its_field(app: TestApp) {
        role(&app, "Sales", json!({})).await;
        for (body, field) in [
            (json!({"name": "", "rights": {}}), "name"), (json!({"name": "SALES"}), "name"), (json!({"name": "Admin"}), "name"), (json!({}), "name"),
            (json!({"name": "x", "rights": {"deal": {"view": "own", "edit": "team"}}}), "rights.deal.edit"),
            (json!({"name": "x", "rights": {"lead": {"view": "all", "delete": "own"}}}), "rights.lead.delete"),
        ] {
            assert_eq!(app.post("/roles", body.clone()).await.expect(422)["errors"][0]["field"], field, "{body}");
        }
        app.post("/roles", json!({"name": "x", "rights": {"secrets": {"view": "all"}}})).await.expect(422);
        app.post("/roles", json!({"name": "x", "rights": {"deal": {"view": "everybody"}}})).await.expect(422);
        let (anna, key) = app.operator("Anna", "operator").await;
        let user = path(&anna, "/users");
        for said in [json!({"role_id": "rol_x"}), json!({"role_id": "a\0b"}), json!({"role_id": "admin", "role": "operator"})] {
            assert_eq!(app.patch(&user, said).await.expect(422)["errors"][0]["field"], "role_id");
        }
        for (method, path) in [("POST", "/roles"), ("PATCH", "/roles/operator"), ("DELETE", "/roles/operator")] {
            app.call_as(&key, method, path, Some(json!({"name": "x"}))).await.expect(403);
        }
        app.call_as(&key, "GET", "/roles", None).await.expect(200);
    }

    async fn built_in_roles_stay_and_say_what_they_give(app: TestApp) {
        for id in ["admin", "supervisor", "operator"] {
            let found = app.get(&format!("/roles/{id}")).await;
            assert_eq!(found["built_in"], true);
            app.patch(&format!("/roles/{id}"), json!({"rights": {}})).await.expect(409);
            app.call("DELETE", &format!("/roles/{id}"), None).await.expect(409);
        }
        let operator = app.get("/roles/operator").await["rights"].clone();
        assert_eq!(operator["deal"], json!({"view": "lines", "edit": "lines", "delete": "none"}));
        assert_eq!(operator["report"], json!({"view": "none", "export": "none"}));
        let mut supervisor = app.get("/roles/supervisor").await["rights"].clone();
        // People are erased by admins.
        assert_eq!(supervisor["contact"]["delete"].take(), "none");
        supervisor["contact"]["delete"] = json!("all");
        assert!(supervisor.as_object().unwrap().values().all(|actions| actions.as_object().unwrap().values().all(|reach| reach == "all")));
        let (_, key) = app.operator("Anna", "operator").await;
        let me = app.call_as(&key, "GET", "/me", None).await.expect(200);
        assert_eq!((&me["rights"], &me["role_id"]), (&operator, &json!("operator")));
    }

    async fn the_last_admin_stays_one(app: TestApp) {
        let made = role(&app, "Nothing", json!({})).await;
        let said = |name: &str| json!({"email": format!("{name}@shop.example"), "name": name, "role": "admin", "password": "correct horse"});
        let boss = app.post("/users", said("boss")).await.expect(201);
        assert_eq!(boss["role_id"], "admin");
        for less in [json!({"role_id": made["id"]}), json!({"role_id": "supervisor"}), json!({"role": "operator"})] {
            app.patch(&path(&boss, "/users"), less).await.expect(409);
        }
        app.post("/users", said("second")).await.expect(201);
        let boss = app.patch(&path(&boss, "/users"), json!({"role_id": made["id"]})).await.expect(200);
        assert_eq!((&boss["role"], &boss["role_id"]), (&json!("operator"), &made["id"]));
        // A built-in role takes the other one away.
        let boss = app.patch(&path(&boss, "/users"), json!({"role": "supervisor"})).await.expect(200);
        assert_eq!(boss["role_id"], "supervisor");
    }

    async fn a_key_has_the_rights_of_its_role_and_a_revoked_one_holds_no_role(app: TestApp) {
        let made = role(&app, "Exporter", json!({"lead": {"view": "all", "export": "all"}})).await;
        app.post("/apikeys", json!({"name": "x"})).await.expect(422);
        let key = app.post("/apikeys", json!({"name": "Export", "role_id": made["id"]})).await.expect(201);
        assert_eq!((&key["role"], &key["role_id"]), (&json!("operator"), &made["id"]));
        let secret = text(&key["key"]);
        app.call_as(secret, "GET", "/leads/export", None).await.expect(200);
        for path in ["/contacts/export", "/conversations", "/deals", "/tasks", "/calls", "/submissions", "/companies", "/reports/leads"] {
            let refused = app.call_as(secret, "GET", path, None).await.expect(403);
            assert_eq!(refused["code"], "no_right", "{path}");
        }
        let listed = app.get("/apikeys").await;
        assert!(items(&listed).iter().any(|one| one["role_id"] == made["id"]));
        app.call("DELETE", &path(&made, "/roles"), None).await.expect(409);
        app.call("DELETE", &path(&key, "/apikeys"), None).await.expect(204);
        app.call("DELETE", &path(&made, "/roles"), None).await.expect(204);
    }

    async fn who_may_not_answer_is_given_nothing_and_the_reason_is_said(app: TestApp) {
        let reader = role(&app, "Reader", json!({"conversation": {"view": "all"}})).await;
        let (anna, key) = app.operator("Anna", "operator").await;
        app.patch(&path(&anna, "/users"), json!({"role_id": reader["id"]})).await.expect(200);
        app.go_online(&key).await;
        let line = app.line("Sales", json!({"queue": [{"operator_id": anna["id"]}]})).await;
        let chat = app.channel("webchat", &line, json!({"allowed_origins": ["*"]})).await;
        let thread = app.writes(&chat, "client", "hello").await;
        let thread = format!("/conversations/{thread}");
        let looked = app.until("somebody is looked for", || async {
            let found = app.get(&format!("{thread}/routing")).await;
            items(&found).first().cloned()
        }).await;
        assert_eq!(looked["candidates"][0]["rejected_by"], "no_right", "{looked}");
        let why = app.get(&format!("{}/routing", path(&anna, "/users"))).await;
        assert!(why.to_string().contains("no_right"), "{why}");
        app.call_as(&key, "GET", &thread, None).await.expect(200);
        for (action, body) in [("take", json!({})), ("messages", json!({"text": "hi"})), ("read", json!({"seq": 1})), ("tags", json!({"add": ["x"]}))] {
            let refused = app.call_as(&key, "POST", &format!("{thread}/{action}"), Some(body)).await.expect(403);
            assert_eq!(refused["right"], json!({"object": "conversation", "action": "edit"}), "{action}");
        }
        let given = json!({"to_operator": anna["id"]});
        app.post(&format!("{thread}/transfer"), given).await.expect(422);
        // With the right the router gives it at once.
        let rights = json!({"conversation": {"view": "all", "edit": "own"}});
        app.patch(&path(&reader, "/roles"), json!({"rights": rights})).await.expect(200);
        app.until("the router gives it", || async {
            (app.get(&thread).await["session"]["operator_id"] == anna["id"]).then_some(())
        }).await;
        app.call_as(&key, "POST", &format!("{thread}/messages"), Some(json!({"text": "hi"}))).await.expect(201);
        // And who may not any more gives it back.
        app.patch(&path(&reader, "/roles"), json!({"rights": {"conversation": {"view": "own"}}})).await.expect(200);
        app.call_as(&key, "POST", &format!("{thread}/messages"), Some(json!({"text": "hi"}))).await.expect(403);
    }

    async fn who_sees_only_their_own_takes_what_they_are_asked_to_take(app: TestApp) {
        let shy = role(&app, "Own alone", json!({"conversation": {"view": "own", "edit": "own"}})).await;
        let (anna, key) = app.operator("Anna", "operator").await;
        app.patch(&path(&anna, "/users"), json!({"role_id": shy["id"]})).await.expect(200);
        app.go_online(&key).await;
        let line = app.line("Sales", json!({"queue": [{"operator_id": anna["id"]}], "acceptance": "offer"})).await;
        let chat = app.channel("webchat", &line, json!({"allowed_origins": ["*"]})).await;
        let first = app.writes(&chat, "client", "hello").await;
        app.until("it is offered", || async {
            let offers = app.call_as(&key, "GET", "/offers", None).await.expect(200);
            items(&offers).first().cloned()
        }).await;
        let path = format!("/conversations/{first}");
        app.call_as(&key, "GET", &path, None).await.expect(200);
        let listed = app.call_as(&key, "GET", "/conversations?view=all", None).await.expect(200);
        assert_eq!(items(&listed).len(), 1);
        app.call_as(&key, "POST", &format!("{path}/accept"), Some(json!({}))).await.expect(200);
        app.call_as(&key, "POST", &format!("{path}/messages"), Some(json!({"text": "hi"}))).await.expect(201);
    }
}
