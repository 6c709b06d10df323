//! Leads, and when one is made.

use serde_json::{Value, json};

use crate::support::TestApp;

async fn leads(app: &TestApp, query: &str) -> Vec<Value> {
    app.get(&format!("/leads?{query}")).await["items"]
        .as_array()
        .unwrap()
        .clone()
}

/// A form on a line with this rule, and what Anna sends with it.
async fn form(app: &TestApp, rule: &str) -> Value {
    let line = app.line(rule, json!({"crm": {"create_lead": rule}})).await;
    app.channel("webform", &line, json!({})).await
}

async fn anna_submits(app: &TestApp, form: &Value) -> Value {
    let fields = json!({"name": "Anna", "email": "anna@x.example"});
    let made = app.submit(form, fields, None).await.expect(201);
    app.get(&format!(
        "/submissions/{}",
        made["submission_id"].as_str().unwrap()
    ))
    .await
}

async fn close(app: &TestApp, submission: &Value) {
    let path = format!(
        "/conversations/{}/close",
        submission["conversation_id"].as_str().unwrap()
    );
    app.post(&path, json!({})).await.expect(200);
}

async fn finish(app: &TestApp, lead: &Value, status: &str) {
    app.patch(
        &format!("/leads/{}", lead.as_str().unwrap()),
        json!({"status": status}),
    )
    .await
    .expect(200);
}

both_databases! {
    async fn a_lead_has_tags_that_are_found_and_remembered(app: TestApp) {
        let contact = app.post("/contacts", json!({"name": "Anna"})).await.expect(201);
        let lead = app.post("/leads", json!({"contact_id": contact["id"], "title": "Chairs", "tags": ["VIP", " vip "]})).await.expect(201);
        assert_eq!(lead["tags"], json!(["vip"]));
        let path = format!("/leads/{}", lead["id"].as_str().unwrap());
        assert_eq!(app.patch(&path, json!({"tags": ["Опт"]})).await.expect(200)["tags"], json!(["опт"]));
        assert_eq!(app.get("/leads?tag=ОПТ").await["items"][0]["id"], lead["id"]);
        assert_eq!(app.get("/leads?tag=vip").await["items"], json!([]));
        assert_eq!(app.get("/tags?object=lead").await["items"], json!(["опт"]));
        let changes = app.get(&format!("{path}/timeline?kinds=change")).await;
        assert_eq!(changes["items"][0]["change"]["old"], json!(["vip"]));
        assert_eq!(app.patch(&path, json!({"tags": [""]})).await.expect(422)["errors"][0]["field"], "tags.0");
    }

    async fn always_makes_a_lead_a_session_and_joins_an_open_one(app: TestApp) {
        let form = form(&app, "always").await;
        let first = anna_submits(&app, &form).await;
        close(&app, &first).await;
        let second = anna_submits(&app, &form).await;
        assert_eq!(second["lead_id"], first["lead_id"], "an open lead is joined");
        finish(&app, &first["lead_id"], "junk").await;
        close(&app, &second).await;
        let third = anna_submits(&app, &form).await;
        assert!(third["lead_id"].is_string() && third["lead_id"] != first["lead_id"]);
        assert_eq!(leads(&app, "").await.len(), 2);
        // Within a session nothing new begins.
        finish(&app, &third["lead_id"], "converted").await;
        assert_eq!(anna_submits(&app, &form).await["lead_id"], third["lead_id"]);
    }

    async fn unknown_makes_one_for_whom_nobody_knows_and_no_second_one(app: TestApp) {
        let form = form(&app, "unknown").await;
        let first = anna_submits(&app, &form).await;
        assert!(first["lead_id"].is_string());
        finish(&app, &first["lead_id"], "junk").await;
        close(&app, &first).await;
        anna_submits(&app, &form).await;
        assert_eq!(leads(&app, "").await.len(), 1);
        // Of another line they are known too, and their open lead is joined.
        finish(&app, &first["lead_id"], "new").await;
        let other = self::form(&app, "always").await;
        assert_eq!(anna_submits(&app, &other).await["lead_id"], first["lead_id"]);
    }

    async fn never_makes_none(app: TestApp) {
        let form = form(&app, "never").await;
        let made = anna_submits(&app, &form).await;
        assert_eq!((&made["lead_id"], &made["state"]), (&Value::Null, &json!("accepted")));
        assert!(made["conversation_id"].is_string() && leads(&app, "").await.is_empty());
    }

    async fn many_channels_at_once_make_one_lead_of_one_person(app: TestApp) {
        let (one, two) = (form(&app, "always").await, form(&app, "unknown").await);
        let posts = (0..20).map(|n| anna_submits(&app, if n % 2 == 0 { &one } else { &two }));
        let made = futures_util::future::join_all(posts).await;
        assert_eq!(leads(&app, "").await.len(), 1);
        assert!(made.iter().all(|submission| submission["lead_id"] == made[0]["lead_id"]));
        assert_eq!(app.get("/contacts").await["items"].as_array().unwrap().len(), 1);
    }

    async fn a_lead_says_where_it_came_from_and_keeps_its_first_touch(app: TestApp) {
        let form = form(&app, "always").await;
        let url = format!("{}/f/{}?utm_medium=cpc&gclid=g-1", app.base, form["key"].as_str().unwrap());
        let fields = [("name", "Anna"), ("email", "anna@x.example"), ("utm_source", "Google"), ("utm_campaign", "Весна")];
        let request = app.client.post(&url).header("accept", "application/json").header("referer", "https://shop.example/sale?utm_term=shoes");
        app.ask(request.form(&fields)).await.expect(201);
        let first = leads(&app, "").await.remove(0);
        assert_eq!((&first["source"], &first["channel_kind"]), (&json!("google"), &json!("webform")));
        for touch in ["first", "last"] {
            let touch = &first["attribution"][touch];
            let expected = [("utm_source", "Google"), ("utm_medium", "cpc"), ("utm_campaign", "Весна"), ("utm_term", "shoes"),
                ("gclid", "g-1"), ("landing_page", "https://shop.example/sale?utm_term=shoes")];
            for (name, value) in expected {
                assert_eq!(touch[name], value, "{touch}");
            }
        }
        let submission = app.get("/submissions").await["items"][0].clone();
        close(&app, &submission).await;
        app.submit(&form, json!({"name": "Anna", "email": "anna@x.example", "utm_source": "newsletter"}), None).await.expect(201);
        let again = leads(&app, "").await.remove(0);
        assert_eq!((&again["id"], &again["source"]), (&first["id"], &json!("google")));
        assert_eq!((&again["attribution"]["first"]["utm_source"], &again["attribution"]["last"]["utm_source"]), (&json!("Google"), &json!("newsletter")));
    }

    async fn leads_are_changed_and_narrowed(app: TestApp) {
        let form = form(&app, "always").await;
        let made = anna_submits(&app, &form).await;
        app.submit(&form, json!({"name": "Boris", "phone": "+998901234567", "utm_source": "ads"}), None).await.expect(201);
        let path = format!("/leads/{}", made["lead_id"].as_str().unwrap());
        let (me, _) = app.operator("Olim", "operator").await;
        let change = json!({"title": "Ten chairs", "status": "in_progress", "operator_id": me["id"], "fields": {"size": "L"}, "version": 1});
        let changed = app.patch(&path, change.clone()).await.expect(200);
        assert_eq!((&changed["title"], &changed["status"], &changed["operator_id"], &changed["fields"]),
            (&json!("Ten chairs"), &json!("in_progress"), &me["id"], &json!({"size": "L"})));
        app.patch(&path, change).await.expect(409);
        for (body, field) in [(json!({"title": " "}), "title"), (json!({"status": "lost"}), "status"), (json!({"operator_id": "opr_x"}), "operator_id"), (json!({"stage": 1}), "stage")] {
            assert_eq!(app.patch(&path, body).await.expect(422)["errors"][0]["field"], field);
        }
        let me = me["id"].as_str().unwrap();
        for (query, expected) in [("status=new", 1), ("status=in_progress", 1), ("source=ads", 1), ("line=always", 2), ("line=nothing", 0),
            (&*format!("operator={me}"), 1), ("operator=me", 0), ("q=chairs", 1), ("q=BORIS", 1), ("q=nobody", 0)] {
            assert_eq!(leads(&app, query).await.len(), expected, "{query}");
        }
        // By hand: one open lead a person.
        let by_hand = json!({"contact_id": changed["contact_id"], "title": "A table"});
        app.post("/leads", by_hand.clone()).await.expect(409);
        finish(&app, &changed["id"], "converted").await;
        let table = app.post("/leads", by_hand).await.expect(201);
        assert_eq!((&table["source"], &table["status"]), (&json!("manual"), &json!("new")));
        app.patch(&path, json!({"status": "new"})).await.expect(409);
        assert_eq!(app.post("/leads", json!({"contact_id": "cnt_x", "title": "x"})).await.expect(422)["errors"][0]["field"], "contact_id");
    }
}
