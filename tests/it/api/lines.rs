//! Open lines.

use serde_json::{Value, json};

fn fields(answer: &Value) -> Vec<&str> {
    answer["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["field"].as_str().unwrap())
        .collect()
}

both_databases! {
    async fn only_the_name_is_required_and_the_rest_has_its_defaults(app: TestApp) {
        let line = app.line("Sales & Support", json!({})).await;
        assert_eq!((&line["key"], &line["version"], &line["enabled"]), (&json!("sales-support"), &json!(1), &json!(true)));
        assert_eq!((&line["distribution"], &line["acceptance"]), (&json!("even"), &json!("automatic")));
        assert_eq!(line["sticky"], json!({"enabled": true, "grace_secs": 30}));
        assert_eq!((&line["queue"], &line["hours"], &line["open"]), (&json!([]), &Value::Null, &json!(true)));
        // The same name again is another line with another key.
        assert_eq!(app.line("Sales & Support", json!({})).await["key"], "sales-support-2");
        let errors = app.post("/lines", json!({"name": " ", "key": "sales-support", "queue": [{"operator_id": "opr_x"}]}));
        assert_eq!(fields(&errors.await.expect(422)), ["name", "queue", "key"]);
    }

    async fn a_change_makes_a_version_and_a_stale_one_is_refused(app: TestApp) {
        let line = app.line("Support", json!({})).await;
        let path = format!("/lines/{}", line["id"].as_str().unwrap());
        let (admin, _) = app.operator("Anna", "admin").await;
        let change = json!({"version": 1, "name": "Help", "limit_per_operator": 3, "sticky": {"grace_secs": 5},
            "queue": [{"operator_id": admin["id"]}]});
        let changed = app.patch(&path, change.clone()).await.expect(200);
        assert_eq!((&changed["version"], &changed["name"]), (&json!(2), &json!("Help")));
        assert_eq!(changed["sticky"], json!({"enabled": true, "grace_secs": 5}));
        assert_eq!(app.patch(&path, change).await.expect(409)["type"], "/problems/conflict");
        // What changes nothing makes no version.
        let same = app.patch(&path, json!({"version": 2, "name": "Help"})).await.expect(200);
        assert_eq!(same["version"], 2);
        let versions = app.get(&format!("{path}/versions?limit=1")).await;
        assert_eq!(versions["items"][0]["version"], 2);
        let cursor = versions["next_cursor"].as_str().unwrap();
        let versions = app.get(&format!("{path}/versions?limit=1&cursor={cursor}")).await;
        assert_eq!((&versions["items"][0]["version"], &versions["next_cursor"]), (&json!(1), &Value::Null));
        let wrong = json!({"distribution": "random", "offer_timeout_secs": 0, "overflow": {"line_id": "lin_x"}});
        assert_eq!(fields(&app.patch(&path, wrong).await.expect(422)), ["distribution"]);
        let wrong = json!({"offer_timeout_secs": 0});
        assert_eq!(fields(&app.patch(&path, wrong).await.expect(422)), ["offer_timeout_secs"]);
        let wrong = json!({"overflow": {"line_id": "lin_x"}});
        assert_eq!(fields(&app.patch(&path, wrong).await.expect(422)), ["overflow.line_id"]);
    }

    async fn everybody_reads_lines_and_only_admins_change_them(app: TestApp) {
        let line = app.line("Support", json!({})).await;
        let path = format!("/lines/{}", line["id"].as_str().unwrap());
        let (_, supervisor) = app.operator("Sara", "supervisor").await;
        let (_, operator) = app.operator("Olim", "operator").await;
        for key in [&supervisor, &operator] {
            assert_eq!(app.call_as(key, "GET", &path, None).await.expect(200)["id"], line["id"]);
            assert_eq!(app.call_as(key, "GET", "/lines", None).await.expect(200)["items"][0]["id"], line["id"]);
            app.call_as(key, "PATCH", &path, Some(json!({"name": "Mine"}))).await.expect(403);
            app.call_as(key, "POST", "/lines", Some(json!({"name": "Mine"}))).await.expect(403);
        }
        app.call("GET", "/lines/lin_nothing", None).await.expect(404);
        app.call("GET", "/lines?cursor=rubbish", None).await.expect(400);
    }
}
