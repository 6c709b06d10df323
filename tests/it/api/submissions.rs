//! Submissions and their moderation.

use serde_json::{Value, json};

use crate::support::TestApp;

async fn moderated(app: &TestApp) -> (Value, Value) {
    let line = app.line("Sales", json!({})).await;
    let fields = json!([
        {"name": "name", "label": "Name", "type": "text", "maps_to": "contact.name"},
        {"name": "phone", "label": "Phone", "type": "phone", "required": true, "maps_to": "contact.phone"},
        {"name": "plan", "label": "Plan", "type": "file"}
    ]);
    let consent = json!({"required": true, "text": "I agree"});
    let form = app
        .channel(
            "webform",
            &line,
            json!({"fields": fields, "moderation": true, "consent": consent}),
        )
        .await;
    (line, form)
}

async fn submit(app: &TestApp, form: &Value) -> String {
    let fields = json!({"name": "Anna", "phone": "+998901234567", "consent": "on", "utm_source": "ads"});
    let made = app.submit(form, fields, None).await.expect(201);
    format!("/submissions/{}", made["submission_id"].as_str().unwrap())
}

async fn count(app: &TestApp, path: &str) -> usize {
    app.get(path).await["items"].as_array().unwrap().len()
}

both_databases! {
    async fn what_is_held_makes_its_lead_when_it_is_approved_and_only_once(app: TestApp) {
        let (_, form) = moderated(&app).await;
        let path = submit(&app, &form).await;
        let held = app.get(&path).await;
        assert_eq!((&held["state"], &held["lead_id"], &held["conversation_id"]), (&json!("held"), &Value::Null, &Value::Null));
        assert_eq!((&held["values"]["name"], &held["consent"]["given"], &held["consent"]["text"]), (&json!("Anna"), &json!(true), &json!("I agree")));
        for list in ["/leads", "/contacts", "/conversations"] {
            assert_eq!(count(&app, list).await, 0, "{list}");
        }
        assert_eq!(count(&app, "/submissions?state=held").await, 1);
        let approve = format!("{path}/approve");
        let (one, two) = tokio::join!(app.post(&approve, json!({})), app.post(&approve, json!({})));
        let approved = one.expect(200);
        two.expect(200);
        let again = app.post(&approve, json!({})).await.expect(200);
        assert_eq!(again["lead_id"], approved["lead_id"]);
        assert_eq!((&approved["state"], approved["lead_id"].is_string()), (&json!("accepted"), true));
        for list in ["/leads", "/contacts", "/conversations", "/submissions?state=accepted"] {
            assert_eq!(count(&app, list).await, 1, "{list}");
        }
        let messages = format!("/conversations/{}/messages", approved["conversation_id"].as_str().unwrap());
        assert_eq!(count(&app, &messages).await, 1);
        assert_eq!(app.get("/leads").await["items"][0]["source"], "ads");
        // What was accepted is a conversation now: rejecting it here would leave that behind.
        app.post(&format!("{path}/reject"), json!({})).await.expect(409);
    }

    async fn what_is_rejected_is_spam_and_leaves_no_lead(app: TestApp) {
        let (_, form) = moderated(&app).await;
        let path = submit(&app, &form).await;
        assert_eq!(app.post(&format!("{path}/reject"), json!({})).await.expect(200)["state"], "spam");
        assert_eq!(app.post(&format!("{path}/reject"), json!({})).await.expect(200)["state"], "spam");
        assert_eq!((count(&app, "/leads").await, count(&app, "/submissions?state=spam").await), (0, 1));
        // Taken for spam by mistake: it still can be let through.
        assert_eq!(app.post(&format!("{path}/approve"), json!({})).await.expect(200)["state"], "accepted");
        assert_eq!(count(&app, "/leads").await, 1);
    }

    async fn a_file_that_came_with_it_is_there_after_the_approval(app: TestApp) {
        let (_, form) = moderated(&app).await;
        let part = reqwest::multipart::Part::bytes(b"%PDF plan".to_vec()).file_name("план.pdf").mime_str("application/pdf").unwrap();
        let body = reqwest::multipart::Form::new().text("phone", "+998901234567").text("consent", "on").part("plan", part);
        let url = format!("{}/f/{}", app.base, form["key"].as_str().unwrap());
        let made = app.ask(app.client.post(url).header("accept", "application/json").multipart(body)).await.expect(201);
        let path = format!("/submissions/{}", made["submission_id"].as_str().unwrap());
        let approved = app.post(&format!("{path}/approve"), json!({})).await.expect(200);
        let messages = app.get(&format!("/conversations/{}/messages", approved["conversation_id"].as_str().unwrap())).await;
        let file = &messages["items"][0]["attachments"][0];
        assert_eq!(file["name"], "план.pdf");
        let down = app.client.get(format!("{}{}", app.base, file["url"].as_str().unwrap())).bearer_auth(&app.key).send().await.unwrap();
        assert_eq!(down.bytes().await.unwrap().as_ref(), b"%PDF plan");
    }

    async fn submissions_are_seen_by_those_who_stand_in_the_line(app: TestApp) {
        let (line, form) = moderated(&app).await;
        let path = submit(&app, &form).await;
        let (anna, key) = app.operator("Anna", "operator").await;
        app.call_as(&key, "GET", &path, None).await.expect(404);
        app.call_as(&key, "POST", &format!("{path}/approve"), None).await.expect(404);
        app.call_as(&key, "POST", &format!("{path}/reject"), None).await.expect(404);
        for list in ["/submissions".to_owned(), format!("/submissions?channel={}", form["key"].as_str().unwrap())] {
            assert_eq!(app.call_as(&key, "GET", &list, None).await.expect(200)["items"], json!([]), "{list}");
        }
        app.patch(&format!("/lines/{}", line["id"].as_str().unwrap()), json!({"queue": [{"operator_id": anna["id"]}]})).await.expect(200);
        app.call_as(&key, "GET", &path, None).await.expect(200);
        assert_eq!(app.call_as(&key, "GET", "/submissions", None).await.expect(200)["items"].as_array().unwrap().len(), 1);
    }

    async fn a_trap_that_only_machines_fill_holds_a_post_that_is_otherwise_accepted(app: TestApp) {
        let line = app.line("Sales", json!({})).await;
        let form = app.channel("webform", &line, json!({})).await;
        let fields = json!({"name": "Anna", "phone": "+998901234567"});
        let plain = app.submit(&form, fields.clone(), None).await.expect(201);
        let plain = app.get(&format!("/submissions/{}", plain["submission_id"].as_str().unwrap())).await;
        assert_eq!(plain["state"], "accepted", "{plain}");
        let mut trapped = fields;
        trapped["sb_hp"] = json!("https://pills.example");
        let trapped = app.submit(&form, trapped, None).await.expect(201);
        let trapped = app.get(&format!("/submissions/{}", trapped["submission_id"].as_str().unwrap())).await;
        assert_eq!((&trapped["state"], trapped["spam_score"].as_f64() > Some(0.8)), (&json!("held"), true));
        assert_eq!(trapped["spam_reasons"][0], "honeypot");
    }
}
