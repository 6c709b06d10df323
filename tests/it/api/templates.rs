//! Templates: who uses them, and who changes them.

use serde_json::{Value, json};

fn names(page: &Value) -> Vec<&str> {
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect()
}

both_databases! {
    async fn everybody_uses_the_shared_ones_those_of_their_lines_and_their_own(app: TestApp) {
        let (anna, anna_key) = app.operator("Anna", "operator").await;
        let (_, bob_key) = app.operator("Bob", "operator").await;
        let line = app.line("Support", json!({"queue": [{"operator_id": anna["id"]}]})).await;
        let shared = json!({"scope": "shared", "name": "Hello", "shortcut": "/Hi", "body": "Hello, {{contact.name}}!"});
        let made = app.post("/templates", shared.clone()).await.expect(201);
        assert_eq!((&made["scope"], &made["shortcut"], &made["version"]), (&json!("shared"), &json!("hi"), &json!(1)));
        app.post("/templates", json!({"scope": "line", "line_id": line["id"], "name": "Lines", "body": "x"})).await.expect(201);
        let own = app.call_as(&anna_key, "POST", "/templates", Some(json!({"name": "Mine", "body": "x"}))).await.expect(201);
        assert_eq!(own["scope"], "own");
        let hers = app.call_as(&anna_key, "GET", "/templates", None).await.expect(200);
        assert_eq!(names(&hers), ["Hello", "Lines", "Mine"]);
        let his = app.call_as(&bob_key, "GET", "/templates", None).await.expect(200);
        assert_eq!(names(&his), ["Hello"]);
        assert_eq!(names(&app.get("/templates").await), ["Hello", "Lines"]);

        // What others use is changed by admins; what is somebody's own is nobody else's business.
        let path = |row: &Value| format!("/templates/{}", row["id"].as_str().unwrap());
        app.call_as(&anna_key, "POST", "/templates", Some(shared)).await.expect(403);
        app.call_as(&anna_key, "PATCH", &path(&made), Some(json!({"name": "x"}))).await.expect(403);
        app.call_as(&anna_key, "DELETE", &path(&made), None).await.expect(403);
        app.call("GET", &path(&own), None).await.expect(404);
        app.patch(&path(&own), json!({"name": "x"})).await.expect(404);
        app.call_as(&bob_key, "DELETE", &path(&own), None).await.expect(404);

        let changed = app.call_as(&anna_key, "PATCH", &path(&own), Some(json!({"body": "y", "shortcut": "m", "version": 1}))).await.expect(200);
        assert_eq!((&changed["body"], &changed["shortcut"], &changed["version"]), (&json!("y"), &json!("m"), &json!(2)));
        app.call_as(&anna_key, "PATCH", &path(&own), Some(json!({"body": "z", "version": 1}))).await.expect(409);
        let bare = app.call_as(&anna_key, "PATCH", &path(&own), Some(json!({"shortcut": ""}))).await.expect(200);
        assert_eq!(bare["shortcut"], Value::Null);
        app.call_as(&anna_key, "DELETE", &path(&own), None).await.expect(204);
        app.call_as(&anna_key, "GET", &path(&own), None).await.expect(404);
    }

    async fn what_cannot_be_a_template_is_refused_with_its_field(app: TestApp) {
        for (body, field) in [
            (json!({"name": "", "body": "x"}), "name"),
            (json!({"name": "a\0", "body": "x"}), "name"),
            (json!({"name": "x", "body": " "}), "body"),
            (json!({"name": "x", "body": "a\0"}), "body"),
            (json!({"name": "x", "body": "{{who}}"}), "body"),
            (json!({"name": "x", "body": "{{queue_position}}"}), "body"),
            (json!({"name": "x", "body": "x".repeat(4001)}), "body"),
            (json!({"name": "x", "body": "x", "shortcut": "two words"}), "shortcut"),
            (json!({"name": "x", "body": "x", "scope": "line"}), "line_id"),
            (json!({"name": "x", "body": "x", "scope": "line", "line_id": "lin_none\0"}), "line_id"),
            (json!({"name": "x", "body": "x", "scope": "world"}), "scope"),
        ] {
            let problem = app.post("/templates", body.clone()).await.expect(422);
            assert_eq!(problem["errors"][0]["field"], field, "{body}: {problem}");
        }
        app.call("GET", "/templates/%00", None).await.expect(404);
        assert!(names(&app.get("/templates").await).is_empty());
    }
}
