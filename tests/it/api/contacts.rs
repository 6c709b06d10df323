//! Contacts.

use serde_json::{Value, json};

use crate::support::TestApp;

async fn contact(app: &TestApp, fields: Value) -> String {
    let line = app.line("Sales", json!({})).await;
    let form = app.channel("webform", &line, json!({})).await;
    app.submit(&form, fields, None).await.expect(201);
    let listed = app.get("/contacts?limit=1").await;
    format!("/contacts/{}", listed["items"][0]["id"].as_str().unwrap())
}

both_databases! {
    async fn a_contact_is_changed_field_by_field(app: TestApp) {
        let path = contact(&app, json!({"name": "Anna", "email": "Anna@X.example", "phone": "+998 90 123-45-67"})).await;
        let seen = app.get(&path).await;
        assert_eq!((&seen["emails"], &seen["phones"]), (&json!(["anna@x.example"]), &json!(["+998901234567"])));
        assert!(seen["identities"].as_array().unwrap().iter().all(|one| one["verified"] == false), "what is typed is a claim");
        let (boris, _) = app.operator("Boris", "operator").await;
        let change = json!({"name": "Анна К.", "operator_id": boris["id"], "fields": {"size": "L", "vip": true}, "version": seen["version"]});
        let changed = app.patch(&path, change.clone()).await.expect(200);
        assert_eq!((&changed["name"], &changed["operator_id"]), (&json!("Анна К."), &boris["id"]));
        assert_eq!(app.patch(&path, change).await.expect(409)["type"], "/problems/conflict");
        let changed = app.patch(&path, json!({"fields": {"vip": null}, "operator_id": null})).await.expect(200);
        assert_eq!((&changed["fields"], &changed["operator_id"]), (&json!({"size": "L"}), &Value::Null));
        assert_eq!(changed["name"], "Анна К.");
        let addresses = json!({"emails": ["new@x.example"], "phones": ["+7 495 123-45-67", "+74951234567"]});
        let changed = app.patch(&path, addresses).await.expect(200);
        assert_eq!((&changed["emails"], &changed["phones"]), (&json!(["new@x.example"]), &json!(["+74951234567"])));
        let cleared = app.patch(&path, json!({"name": null})).await.expect(200);
        assert_eq!(cleared["name"], Value::Null);
    }

    async fn what_is_wrong_with_a_change_is_named_and_changes_nothing(app: TestApp) {
        contact(&app, json!({"name": "Boris", "email": "boris@x.example"})).await;
        let path = contact(&app, json!({"name": "Anna", "email": "anna@x.example"})).await;
        for (body, field) in [
            (json!({"emails": ["anna"]}), "emails.0"),
            (json!({"phones": ["+998901234567", "12"]}), "phones.1"),
            (json!({"emails": ["anna@x.example", "boris@x.example"]}), "emails"),
            (json!({"operator_id": "opr_nobody"}), "operator_id"),
            (json!({"nickname": "A"}), "nickname"),
            (json!({"fields": []}), "fields"),
        ] {
            let problem = app.patch(&path, body.clone()).await;
            assert_eq!(problem.status, 422, "{body}: {}", problem.body);
            assert!(problem.body["errors"][0]["field"].as_str().unwrap().starts_with(field), "{}", problem.body);
        }
        let seen = app.get(&path).await;
        assert_eq!((&seen["emails"], &seen["name"]), (&json!(["anna@x.example"]), &json!("Anna")));
        app.patch("/contacts/cnt_nothing", json!({"name": "x"})).await.expect(404);
    }

    async fn contacts_are_found_by_name_and_address_in_any_script(app: TestApp) {
        contact(&app, json!({"name": "Анна Каренина", "email": "anna_1@x.example"})).await;
        contact(&app, json!({"name": "Zoë Müller", "phone": "+4915123456789"})).await;
        for (query, expected) in [
            ("%D0%BA%D0%B0%D1%80%D0%B5%D0%BD", 1), // карен
            ("%D0%9A%D0%90%D0%A0%D0%95%D0%9D", 1), // КАРЕН
            ("anna_1", 1), ("annax1", 0), ("M%C3%9CLLER", 1), ("15123", 1), ("x.example", 1), ("%25", 0), ("nobody", 0),
        ] {
            let found = app.get(&format!("/contacts?q={query}")).await["items"].as_array().unwrap().len();
            assert_eq!(found, expected, "{query}");
        }
    }

    async fn the_lists_of_an_unknown_contact_are_not_found_and_take_a_cursor_as_all_do(app: TestApp) {
        let path = contact(&app, json!({"name": "Anna", "email": "anna@x.example"})).await;
        for list in ["conversations", "leads"] {
            app.call("GET", &format!("/contacts/cnt_nothing/{list}"), None).await.expect(404);
            app.call("GET", &format!("{path}/{list}?cursor=rubbish"), None).await.expect(400);
            app.call("GET", &format!("{path}/{list}?limit=201"), None).await.expect(400);
            assert_eq!(app.get(&format!("{path}/{list}")).await["items"].as_array().unwrap().len(), 1, "{list}");
        }
    }
}
