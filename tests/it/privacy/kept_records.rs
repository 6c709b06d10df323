//! What is written down: consents, and who did what.

use serde_json::json;

use crate::people::{by_hand, items, text};

both_databases! {
    async fn what_was_agreed_to_on_a_form_or_by_telephone_is_written_down_once_and_moves_with_a_merge(app: TestApp) {
        let line = app.line("Support", json!({})).await;
        let form = json!({
            "fields": [{"name": "email", "label": "E-mail", "type": "email", "maps_to": "contact.email"}],
            "consent": {"required": true, "text": "I agree to be called."},
        });
        let form = app.channel("webform", &line, form).await;
        let filled = json!({"email": "ada@client.example", "consent": "true"});
        app.submit(&form, filled, Some("once")).await.expect(201);
        let contacts = app.get("/contacts").await;
        let ada = text(&items(&contacts)[0]["id"]).to_owned();
        let path = format!("/contacts/{ada}/consents");
        app.until("it is written down", || async {
            let list = app.get(&path).await;
            (items(&list).len() == 1).then_some(())
        })
        .await;
        app.post(&path, json!({"given": true, "text": " "})).await.expect(422);
        let taken_back = json!({"given": false, "text": "Asked by telephone not to be called"});
        app.post(&path, taken_back).await.expect(201);
        let list = app.get(&path).await;
        assert_eq!(items(&list)[0]["given"], false);
        assert_eq!(items(&list)[0]["source"], "operator");
        let on_form = &items(&list)[1];
        assert_eq!((&on_form["source"], &on_form["given"]), (&json!("form"), &json!(true)));
        assert!(text(&on_form["text"]).contains("I agree to be called"), "{on_form}");

        let other = by_hand(&app, json!({"name": "Ada L.", "emails": ["ada@home.example"]})).await;
        app.post(&format!("/contacts/{other}/merge"), json!({"from": ada})).await.expect(200);
        let moved = app.get(&format!("/contacts/{other}/consents")).await;
        assert_eq!(items(&moved).len(), 2);
    }

    async fn the_audit_log_tells_who_saw_changed_exported_and_signed_in_and_nothing_of_the_content(app: TestApp) {
        let contact = by_hand(&app, json!({"name": "Ada", "emails": ["ada@client.example"]})).await;
        let path = format!("/contacts/{contact}");
        let (sue, key) = app.operator("Sue", "supervisor").await;
        for _ in 0..3 {
            app.call_as(&key, "GET", &path, None).await.expect(200);
        }
        app.call_as(&key, "PATCH", &path, Some(json!({"name": "Ada L."}))).await.expect(200);
        app.call_as(&key, "PATCH", &path, Some(json!({"name": 5}))).await;
        app.call_as(&key, "GET", "/contacts/export", None).await;
        app.call_as(&key, "GET", "/audit", None).await.expect(403);
        let user = json!({"name": "Al", "email": "al@shop.example", "password": "a long password 1", "role": "admin"});
        let al = app.post("/users", user).await.expect(201);
        let login = json!({"email": "al@shop.example", "password": "a long password 1"});
        let url = format!("{}/api/v1/auth/login", app.base);
        assert_eq!(app.client.post(url).json(&login).send().await.unwrap().status(), 200);

        let hers = app.get(&format!("/audit?operator={}", text(&sue["id"]))).await;
        let told: Vec<(&str, &str)> =
            items(&hers).iter().map(|entry| (text(&entry["action"]), text(&entry["operation"]))).collect();
        let expected = [("exported", "GET /contacts/export"), ("changed", "PATCH /contacts/{id}"), ("seen", "GET /contacts/{id}")];
        assert_eq!(told, expected);
        assert_eq!(items(&hers)[1]["object_id"], contact.as_str());
        let signed_in = app.get("/audit?action=signed_in").await;
        assert_eq!(items(&signed_in)[0]["operator_id"], al["id"]);
        assert!(!app.get("/audit").await.to_string().contains("ada@"));
        app.call("GET", "/audit?action=danced", None).await.expect(422);
        let page = app.get("/audit?limit=2").await;
        let next = app.get(&format!("/audit?limit=2&cursor={}", text(&page["next_cursor"]))).await;
        assert_ne!(items(&page)[1]["id"], items(&next)[0]["id"]);

        let erased = app.call("DELETE", &path, None).await.expect(202);
        assert_eq!(erased["contact_id"], contact.as_str());
        let about = app.get(&format!("/audit?object={contact}&action=erased")).await;
        assert_eq!(items(&about).len(), 1);
        let csv = app.call("GET", "/audit/export", None).await;
        assert!(csv.body.as_str().unwrap().contains("DELETE /contacts/{id}"), "{csv:?}");
    }
}
