//! Companies.

use serde_json::{Value, json};

use super::{by_hand, items, text};

both_databases! {
    async fn a_company_is_made_changed_listed_and_forgotten(app: TestApp) {
        let said = json!({
            "name": "Orion LLC", "phones": ["+998 71 200-00-00"], "emails": ["Info@Orion.example"], "website": "https://orion.example",
            "tax_number": "77 0123 4567", "fields": {"employees": 40}, "tags": ["Partner"],
        });
        let made = app.post("/companies", said).await.expect(201);
        assert_eq!((&made["tax_number"], &made["tags"], &made["emails"]), (&json!("7701234567"), &json!(["partner"]), &json!(["info@orion.example"])));
        let path = format!("/companies/{}", text(&made["id"]));
        let changed = app.patch(&path, json!({"website": null, "fields": {"employees": null}, "version": made["version"]})).await.expect(200);
        assert_eq!((&changed["website"], &changed["fields"]), (&Value::Null, &json!({})));
        app.patch(&path, json!({"name": "x", "version": made["version"]})).await.expect(409);
        app.post("/companies", json!({"name": "Alpha"})).await.expect(201);
        for (body, field) in [
            (json!({"name": "orion llc"}), "name"), (json!({}), "name"), (json!({"name": "x", "website": "javascript:x"}), "website"),
            (json!({"name": "x", "phones": ["12"]}), "phones.0"), (json!({"name": "x", "operator_id": "opr_x"}), "operator_id"),
        ] {
            assert_eq!(app.post("/companies", body).await.expect(422)["errors"][0]["field"], field);
        }
        for (query, expected) in [("", vec!["Alpha", "Orion LLC"]), ("q=ORION", vec!["Orion LLC"]), ("q=0123", vec!["Orion LLC"]),
            ("q=71200", vec!["Orion LLC"]), ("tag=partner", vec!["Orion LLC"]), ("operator=me", vec![])] {
            let found = app.get(&format!("/companies?{query}")).await;
            let names: Vec<&str> = items(&found).iter().map(|one| text(&one["name"])).collect();
            assert_eq!(names, expected, "{query}");
        }
        let page = app.get("/companies?limit=1").await;
        let next = app.get(&format!("/companies?limit=1&cursor={}", text(&page["next_cursor"]))).await;
        assert_eq!((text(&next["items"][0]["name"]), &next["next_cursor"]), ("Orion LLC", &Value::Null));
        let anna = by_hand(&app, json!({"name": "Anna", "company_id": made["id"]})).await;
        assert_eq!(app.get(&path).await["contact_count"], 1);
        app.call("DELETE", &path, None).await.expect(204);
        app.call("GET", &path, None).await.expect(404);
        assert_eq!(app.get(&format!("/contacts/{anna}")).await["company_id"], Value::Null);
    }

    async fn an_operator_sees_companies_of_their_own_and_of_the_contacts_they_see(app: TestApp) {
        let (anna, key) = app.operator("Anna", "operator").await;
        let hidden = app.post("/companies", json!({"name": "Hidden"})).await.expect(201);
        let owned = app.call_as(&key, "POST", "/companies", Some(json!({"name": "Owned"}))).await.expect(201);
        assert_eq!(owned["operator_id"], anna["id"]);
        let known = app.post("/companies", json!({"name": "Known"})).await.expect(201);
        by_hand(&app, json!({"name": "Boris", "company_id": known["id"], "operator_id": anna["id"]})).await;
        let found = app.call_as(&key, "GET", "/companies", None).await.expect(200);
        let names: Vec<&str> = items(&found).iter().map(|one| text(&one["name"])).collect();
        assert_eq!(names, ["Known", "Owned"]);
        let path = format!("/companies/{}", text(&hidden["id"]));
        app.call_as(&key, "GET", &path, None).await.expect(404);
        app.call_as(&key, "PATCH", &path, Some(json!({"name": "x"}))).await.expect(404);
        app.call_as(&key, "DELETE", &format!("/companies/{}", text(&owned["id"])), None).await.expect(403);
    }
}
