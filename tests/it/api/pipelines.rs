use serde_json::{Value, json};

use crate::support::TestApp;

/// The stages of a pipeline by name.
pub fn stage(pipeline: &Value, name: &str) -> Value {
    let stages = pipeline["stages"].as_array().unwrap();
    let found = stages.iter().find(|stage| stage["name"] == name);
    found.unwrap_or_else(|| panic!("{name}: {pipeline}"))["id"].clone()
}

/// The pipeline of a new installation.
pub async fn first(app: &TestApp) -> Value {
    app.get("/pipelines").await["items"][0].clone()
}

both_databases! {
    async fn a_new_installation_has_a_pipeline_and_reasons_to_lose(app: TestApp) {
        let sales = first(&app).await;
        let kinds: Vec<&str> = sales["stages"].as_array().unwrap().iter().map(|stage| stage["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["open", "open", "open", "won", "lost"]);
        assert!(!app.get("/loss-reasons").await["items"].as_array().unwrap().is_empty());
    }

    async fn admins_make_pipelines_and_others_only_read_them(app: TestApp) {
        let body = json!({"name": "Wholesale", "currency": "EUR", "stages": [
            {"name": "Asked", "kind": "open", "color": "teal"}, {"name": "Sold", "kind": "won"}, {"name": "Gone", "kind": "lost"}]});
        let made = app.post("/pipelines", body.clone()).await.expect(201);
        assert_eq!((&made["name"], &made["currency"], &made["stages"][0]["color"]), (&json!("Wholesale"), &json!("EUR"), &json!("teal")));
        assert_eq!(app.get(&format!("/pipelines/{}", made["id"].as_str().unwrap())).await, made);
        assert_eq!(app.get("/pipelines").await["items"][1], made);
        for role in ["operator", "supervisor"] {
            let (_, key) = app.operator(role, role).await;
            app.call_as(&key, "GET", "/pipelines", None).await.expect(200);
            app.call_as(&key, "POST", "/pipelines", Some(body.clone())).await.expect(403);
        }
        for (change, field) in [
            (json!({"name": "wholesale", "stages": [{"name": "A"}]}), "name"),
            (json!({"name": "B", "stages": []}), "stages"),
            (json!({"name": "B", "stages": [{"name": "Sold", "kind": "won"}]}), "stages"),
            (json!({"name": "B", "stages": [{"name": "A", "kind": "maybe"}]}), "stages[0].kind"),
            (json!({"name": "B", "currency": "euro", "stages": [{"name": "A"}]}), "currency"),
        ] {
            assert_eq!(app.post("/pipelines", change.clone()).await.expect(422)["errors"][0]["field"], field, "{change}");
        }
    }

    async fn a_stage_in_use_goes_only_with_a_place_for_its_deals(app: TestApp) {
        let sales = first(&app).await;
        let path = format!("/pipelines/{}", sales["id"].as_str().unwrap());
        let deal = app.post("/deals", json!({"title": "Ten chairs"})).await.expect(201);
        assert_eq!(deal["stage_id"], stage(&sales, "New"));
        let mut left = sales["stages"].as_array().unwrap().clone();
        left.remove(0);
        let refused = app.patch(&path, json!({"stages": left})).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], json!(format!("move_deals.{}", stage(&sales, "New").as_str().unwrap())));
        let moved = json!({stage(&sales, "New").as_str().unwrap(): stage(&sales, "Qualified")});
        let changed = app.patch(&path, json!({"stages": left, "move_deals": moved, "version": sales["version"]})).await.expect(200);
        assert_eq!(changed["stages"].as_array().unwrap().len(), 4);
        let path_of_deal = format!("/deals/{}", deal["id"].as_str().unwrap());
        let now = app.get(&path_of_deal).await;
        assert_eq!((&now["stage_id"], &now["version"]), (&stage(&sales, "Qualified"), &json!(2)));
        let moves = app.get(&format!("{path_of_deal}/moves")).await;
        assert_eq!(moves["items"][1]["from_stage_id"], stage(&sales, "New"), "the past stays: {moves}");
        app.patch(&path, json!({"name": "Other", "version": 1})).await.expect(409);
        // The stage that is gone takes no deals.
        let back = app.patch(&path_of_deal, json!({"stage_id": stage(&sales, "New")})).await.expect(422);
        assert_eq!(back["errors"][0]["field"], "stage_id");
    }

    async fn a_pipeline_goes_when_nothing_is_in_it_and_one_stays(app: TestApp) {
        let sales = first(&app).await;
        let path = |pipeline: &Value| format!("/pipelines/{}", pipeline["id"].as_str().unwrap());
        app.call("DELETE", &path(&sales), None).await.expect(409);
        let other = app.post("/pipelines", json!({"name": "Other", "stages": [{"name": "A"}]})).await.expect(201);
        let deal = app.post("/deals", json!({"title": "x", "pipeline_id": other["id"]})).await.expect(201);
        app.call("DELETE", &path(&other), None).await.expect(409);
        let moved = app.patch(&format!("/deals/{}", deal["id"].as_str().unwrap()), json!({"pipeline_id": sales["id"]})).await.expect(200);
        assert_eq!(moved["stage_id"], stage(&sales, "New"));
        app.call("DELETE", &path(&other), None).await.expect(204);
        app.call("GET", &path(&other), None).await.expect(404);
        assert_eq!(app.get("/pipelines").await["items"].as_array().unwrap().len(), 1);
        let gone = app.post("/deals", json!({"title": "x", "pipeline_id": other["id"]})).await.expect(422);
        assert_eq!(gone["errors"][0]["field"], "pipeline_id");
    }

    async fn reasons_are_replaced_as_one_list_and_keep_who_they_are(app: TestApp) {
        let before = app.get("/loss-reasons").await["items"].clone();
        let items = json!([{"name": "Budget cut"}, {"id": before[0]["id"], "name": "Price"}]);
        let after = app.call("PUT", "/loss-reasons", Some(json!({"items": items}))).await.expect(200);
        assert_eq!((&after["items"][1]["id"], &after["items"][1]["name"]), (&before[0]["id"], &json!("Price")));
        assert_eq!(after["items"].as_array().unwrap().len(), 2);
        assert_eq!(app.get("/loss-reasons").await, after);
        let (_, key) = app.operator("Olim", "operator").await;
        app.call_as(&key, "PUT", "/loss-reasons", Some(json!({"items": []}))).await.expect(403);
        assert_eq!(app.call("PUT", "/loss-reasons", Some(json!({"items": [{"name": " "}]}))).await.expect(422)["errors"][0]["field"], "items.0.name");
    }
}
