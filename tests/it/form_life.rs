//! The life of a form: looked at before it is saved, judged in bulk, changed under old pages, counted.

use reqwest::header;
use serde_json::{Value, json};

use crate::support::{Database, TestApp};

/// What would run in a page, a spreadsheet or a template, if anything did.
const HOSTILE: &str =
    "=HYPERLINK(\"http://evil.test\")<script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}";

fn fields() -> Value {
    json!([
        {"name": "name", "label": "Name", "maps_to": "contact.name"},
        {"name": "phone", "label": "Phone", "type": "phone", "required": true, "maps_to": "contact.phone"},
        {"name": "topic", "label": "Topic", "type": "text", "maps_to": "lead.fields.topic"},
        {"name": "comment", "label": "Comment", "type": "textarea", "maps_to": "lead.comment"}
    ])
}

async fn form(app: &TestApp, more: Value) -> Value {
    let line = app.line("Sales", json!({})).await;
    let mut settings = json!({"fields": fields()});
    for (name, value) in more.as_object().into_iter().flatten() {
        settings[name] = value.clone();
    }
    app.channel("webform", &line, settings).await
}

async fn sent(app: &TestApp, form: &Value, fields: Value) -> Value {
    let made = app.submit(form, fields, None).await.expect(201);
    app.get(&format!(
        "/submissions/{}",
        made["submission_id"].as_str().unwrap()
    ))
    .await
}

async fn judge(app: &TestApp, ids: &[&Value], verdict: &str) -> Value {
    app.post("/submissions/judge", json!({"ids": ids, "verdict": verdict}))
        .await
        .expect(200)
}

fn states(answer: &Value) -> Vec<(&str, Option<&str>)> {
    let items = answer["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| (item["state"].as_str().unwrap(), item["verdict"].as_str()))
        .collect()
}

async fn count(app: &TestApp, path: &str) -> usize {
    app.get(path).await["items"].as_array().unwrap().len()
}

both_databases! {
    async fn several_are_judged_at_once_and_a_verdict_can_be_taken_back(app: TestApp) {
        let form = form(&app, json!({"moderation": true})).await;
        let mut held = Vec::new();
        for at in 0..4 {
            held.push(sent(&app, &form, json!({"name": format!("N{at}"), "phone": format!("+99890123450{at}")})).await);
        }
        let ids: Vec<&Value> = held.iter().map(|row| &row["id"]).collect();
        let me = app.get("/me").await["id"].clone();
        assert_eq!(states(&judge(&app, &ids[..2], "spam").await), [("spam", Some("spam")); 2]);
        assert_eq!(states(&judge(&app, &ids[2..3], "reject").await), [("spam", Some("rejected"))]);
        assert_eq!(count(&app, "/leads").await, 0);
        let back = judge(&app, &ids[..3], "hold").await;
        assert_eq!(states(&back), [("held", None); 3]);
        assert_eq!(back["items"][0]["judged_by"], Value::Null);
        // One that is not there holds up no other.
        let missing = json!("sub_nobody");
        let approved = judge(&app, &[ids[0], &missing, ids[1]], "approve").await;
        assert_eq!(states(&approved), [("accepted", Some("approved")); 2]);
        assert_eq!((&approved["items"][0]["judged_by"], approved["items"][0]["judged_at"].is_string()), (&me, true));
        assert_eq!(approved["failed"][0]["id"], "sub_nobody");
        assert_eq!(count(&app, "/leads").await, 2);
        // What was accepted is a conversation: it does not go back by a key.
        let late = judge(&app, &ids[..1], "hold").await;
        assert_eq!((late["items"].as_array().unwrap().len(), late["failed"].as_array().unwrap().len()), (0, 1));
        assert_eq!(app.get(&format!("/submissions/{}", ids[0].as_str().unwrap())).await["state"], "accepted");
        app.post("/submissions/judge", json!({"ids": [], "verdict": "spam"})).await.expect(422);
        app.stop().await;
    }

    async fn a_form_makes_what_it_is_told_for_whom_it_is_told(app: TestApp) {
        let (anna, _) = app.operator("Anna", "operator").await;
        let filled = json!({"name": "Ann", "phone": "+998901234567"});
        let lead = form(&app, json!({"creates": {"what": "lead", "operator_id": anna["id"]}})).await;
        let made = sent(&app, &lead, filled.clone()).await;
        let lead = app.get(&format!("/leads/{}", made["lead_id"].as_str().unwrap())).await;
        assert_eq!(lead["operator_id"], anna["id"]);
        let quiet = app.channel("webform", &app.line("Quiet", json!({})).await, json!({"fields": fields(), "creates": {"what": "contact"}})).await;
        let made = sent(&app, &quiet, json!({"name": "Bob", "phone": "+998901234568"})).await;
        assert_eq!((&made["state"], made["contact_id"].is_string(), &made["lead_id"], &made["conversation_id"]), (&json!("accepted"), true, &Value::Null, &Value::Null));
        let talk = app.channel("webform", &app.line("Talk", json!({})).await, json!({"fields": fields(), "creates": {"what": "conversation"}})).await;
        let made = sent(&app, &talk, json!({"name": "Eve", "phone": "+998901234569"})).await;
        assert_eq!((made["conversation_id"].is_string(), &made["lead_id"]), (true, &Value::Null));
        // Somebody who is gone keeps no lead from being made.
        let gone = app.channel("webform", &app.line("Gone", json!({})).await, json!({"fields": fields(), "creates": {"operator_id": "opr_gone"}})).await;
        let made = sent(&app, &gone, json!({"name": "Joe", "phone": "+998901234570"})).await;
        let lead = app.get(&format!("/leads/{}", made["lead_id"].as_str().unwrap())).await;
        assert_eq!(lead["operator_id"], Value::Null);
        app.stop().await;
    }

    async fn what_an_old_page_sends_is_kept_while_it_waits_and_after(app: TestApp) {
        let form = form(&app, json!({"moderation": true})).await;
        let held = sent(&app, &form, json!({"phone": "+998901234567", "colour": "green", "csrf_token": "x"})).await;
        assert_eq!(held["extra"], json!({"colour": "green"}));
        let approved = judge(&app, &[&held["id"]], "approve").await;
        assert_eq!(approved["items"][0]["extra"], json!({"colour": "green"}));
        app.stop().await;
    }

    async fn leads_are_counted_by_what_brought_them(app: TestApp) {
        let form = form(&app, json!({})).await;
        for (at, source, campaign) in [(1, "ads", "spring"), (2, "ads", "spring"), (3, "mail", "=1+1")] {
            sent(&app, &form, json!({"phone": format!("+99890123450{at}"), "utm_source": source, "utm_medium": "cpc", "utm_campaign": campaign})).await;
        }
        let told = json!({"first": {"utm_source": "Blog"}, "last": {"utm_source": "mail"}});
        sent(&app, &form, json!({"phone": "+998901234509", "sb_attribution": told})).await;
        let report = app.get("/reports/leads?by=source,campaign&time_zone=Asia/Tashkent").await;
        let rows: Vec<_> = report["rows"].as_array().unwrap().iter().map(|row| (row["source"].as_str().unwrap(), row["campaign"].as_str().unwrap(), row["leads"].as_u64().unwrap())).collect();
        assert_eq!(rows, [("ads", "spring", 2), ("mail", "", 1), ("mail", "=1+1", 1)]);
        assert_eq!((report["leads"].as_u64(), report["days"].as_array().unwrap().len()), (Some(4), 1));
        let first = app.get("/reports/leads?by=source&touch=first").await;
        assert!(first["rows"].as_array().unwrap().iter().any(|row| row["source"] == "blog"), "{first}");
        let by_channel = app.get("/reports/leads?by=channel").await;
        assert_eq!((&by_channel["rows"][0]["channel_id"], by_channel["rows"][0]["leads"].as_u64()), (&form["id"], Some(4)));
        let csv = app.client.get(format!("{}/api/v1/reports/leads.csv?by=source,campaign,channel", app.base)).bearer_auth(&app.key).send().await.unwrap();
        assert_eq!(csv.headers()[header::CONTENT_TYPE], "text/csv; charset=utf-8");
        let csv = csv.text().await.unwrap();
        assert!(csv.starts_with("source,campaign,channel,leads,converted,junk\r\nads,spring,"), "{csv}");
        assert!(csv.contains(",'=1+1,"), "{csv}");
        for bad in ["by=colour", "by=", "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "time_zone=Mars", "touch=middle"] {
            let status = app.client.get(format!("{}/api/v1/reports/leads?{bad}", app.base)).bearer_auth(&app.key).send().await.unwrap().status();
            assert!(status.is_client_error(), "{bad}: {status}");
        }
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_reads_no_reports_and_draws_no_previews() {
    let app = TestApp::start(Database::sqlite().await).await;
    let (_, key) = app.operator("Anna", "operator").await;
    app.call_as(&key, "GET", "/reports/leads", None).await.expect(403);
    app.call_as(&key, "GET", "/reports/leads.csv", None)
        .await
        .expect(403);
    app.call_as(&key, "POST", "/forms/preview", Some(json!({"settings": {}})))
        .await
        .expect(403);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_drawn_before_it_is_saved_and_its_faults_are_named() {
    let app = TestApp::start(Database::sqlite().await).await;
    let settings =
        json!({"title": "Draft", "captcha": {"provider": "turnstile", "site_key": "k", "secret": null}});
    let drawn = app
        .post("/forms/preview", json!({"settings": settings}))
        .await
        .expect(200);
    assert_eq!(drawn["definition"]["texts"]["en"]["title"], "Draft");
    let wrong = app
        .post(
            "/forms/preview",
            json!({"settings": {"fields": [{"name": "a"}, {"name": "a"}]}}),
        )
        .await
        .expect(422);
    assert_eq!(wrong["errors"][0]["field"], "settings.fields[1].name");
    let form = form(&app, json!({})).await;
    let own = app
        .post("/forms/preview", json!({"settings": {}, "channel": form["id"]}))
        .await
        .expect(200);
    assert!(
        own["definition"]["url"]
            .as_str()
            .unwrap()
            .ends_with(form["key"].as_str().unwrap())
    );
    let frame = app
        .client
        .get(format!("{}/form-preview/frame", app.base))
        .send()
        .await
        .unwrap();
    let policy = frame.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        policy.contains("frame-ancestors 'self'")
            && policy.contains("script-src 'self'")
            && policy.contains("form-action 'none'"),
        "{policy}"
    );
    assert_eq!(
        app.client
            .get(format!("{}/form-preview/other", app.base))
            .send()
            .await
            .unwrap()
            .status(),
        404
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_to_a_foreign_host_is_refused_in_the_settings_and_in_a_post() {
    let app = TestApp::start(Database::sqlite().await).await;
    let line = app.line("Sales", json!({})).await;
    let settings = json!({"allowed_origins": ["https://shop.example"], "success": {"redirect_url": "https://evil.test/"}});
    let refused = app
        .post(
            "/channels",
            json!({"kind": "webform", "line_id": line["id"], "name": "F", "settings": settings}),
        )
        .await
        .expect(422);
    assert_eq!(refused["errors"][0]["field"], "settings.success.redirect_url");
    let form = form(
        &app,
        json!({"success": {"redirect_origins": ["https://shop.example"]}}),
    )
    .await;
    for (next, goes) in [
        ("https://shop.example/done", "https://shop.example/done"),
        ("https://evil.test/", "/thanks"),
        ("//evil.test/", "/thanks"),
    ] {
        let url = format!("{}/f/{}", app.base, form["key"].as_str().unwrap());
        let post = app
            .client
            .post(url)
            .form(&[("phone", "+998901234567"), ("sb_next", next)])
            .send()
            .await
            .unwrap();
        let location = post.headers()["location"].to_str().unwrap().to_owned();
        assert_eq!(post.status(), 303);
        assert!(location.ends_with(goes), "{next} → {location}");
    }
    app.stop().await;
}

/// Texts are stored as they were typed, and each place that shows them makes them harmless in its own way: as JSON to
/// the app (whose tests look at the pages), escaped in pages, with an apostrophe in tables.
#[tokio::test(flavor = "multi_thread")]
async fn what_would_run_is_text_wherever_it_is_shown() {
    let app = TestApp::start(Database::sqlite().await).await;
    let form = form(&app, json!({"moderation": true})).await;
    let filled = json!({"name": HOSTILE, "phone": "+998901234567", "topic": HOSTILE, "comment": HOSTILE, "utm_source": HOSTILE, "utm_campaign": HOSTILE, "extra": HOSTILE});
    let held = sent(&app, &form, filled).await;
    for place in [
        &held["values"]["name"],
        &held["values"]["comment"],
        &held["extra"]["extra"],
    ] {
        assert_eq!(place, HOSTILE);
    }
    let approved = judge(&app, &[&held["id"]], "approve").await;
    let item = &approved["items"][0];
    let talk = item["conversation_id"].as_str().unwrap();
    let thread = app.get(&format!("/conversations/{talk}/messages")).await;
    let message = &thread["items"][0];
    assert!(message["text"].as_str().unwrap().contains(HOSTILE));
    assert_eq!(message["html"], Value::Null, "nothing of a form is markup");
    let lead = app
        .get(&format!("/leads/{}", item["lead_id"].as_str().unwrap()))
        .await;
    assert_eq!(
        (&lead["fields"]["comment"], &lead["fields"]["topic"]),
        (&json!(HOSTILE), &json!(HOSTILE))
    );
    let contact = app
        .get(&format!("/contacts/{}", item["contact_id"].as_str().unwrap()))
        .await;
    assert!(
        contact["name"].as_str().unwrap().contains("<script>"),
        "stored as typed"
    );
    // JSON is never taken for a page.
    let raw = app
        .client
        .get(format!(
            "{}/api/v1/submissions/{}",
            app.base,
            held["id"].as_str().unwrap()
        ))
        .bearer_auth(&app.key);
    let raw = raw.header(header::ACCEPT, "text/html").send().await.unwrap();
    assert!(
        raw.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("application/json")
    );
    assert_eq!(raw.headers()["x-content-type-options"], "nosniff");
    let csv = app
        .client
        .get(format!(
            "{}/api/v1/reports/leads.csv?by=source,campaign",
            app.base
        ))
        .bearer_auth(&app.key)
        .send()
        .await
        .unwrap();
    assert_eq!(csv.headers()["x-content-type-options"], "nosniff");
    let csv = csv.text().await.unwrap();
    let row = csv.lines().nth(1).unwrap();
    assert!(
        row.starts_with("\"'=hyperlink(\"\"http://evil.test\"\")") && row.contains(",\"'=HYPERLINK("),
        "{row}"
    );
    // The form that comes back with what was typed.
    let url = format!("{}/f/{}", app.base, form["key"].as_str().unwrap());
    let again = app.client.post(url).header(header::ACCEPT, "text/html").form(&[
        ("name", HOSTILE),
        ("phone", "soon"),
        ("comment", HOSTILE),
        ("utm_source", HOSTILE),
    ]);
    let again = again.send().await.unwrap();
    assert_eq!(again.status(), 422);
    let page = again.text().await.unwrap();
    assert!(
        !page.contains("<script>") && !page.contains("<img") && page.contains("&lt;script&gt;"),
        "{page}"
    );
    app.stop().await;
}

both_databases! {
    async fn how_far_visitors_come_is_counted_by_day_and_field_without_visitors(app: TestApp) {
        let line = app.line("Sales", json!({})).await;
        let form = app.channel("webform", &line, json!({"fields": [{"name": "name"}, {"name": "phone", "type": "phone"}]})).await;
        let tell = |word: Value| {
            let url = format!("{}/f/{}/use", app.base, form["key"].as_str().unwrap());
            app.client.post(url).header("content-type", "text/plain").body(word.to_string()).send()
        };
        for word in [
            json!({"what": "view"}), json!({"what": "view"}), json!({"what": "start"}), json!({"what": "left", "field": "phone"}),
            json!({"what": "left", "field": "<script>"}),
            // Nobody can say that something was sent, nor anything else.
            json!({"what": "done"}), json!({"what": "bought"}), json!("x".repeat(9_000)),
        ] {
            assert_eq!(tell(word).await.unwrap().status(), 204);
        }
        app.submit(&form, json!({"name": "Ann", "sb_id": "page-1"}), None).await.expect(201);
        app.submit(&form, json!({"name": "A program"}), None).await.expect(201);
        app.app.form_usage.write(&app.app.db).await.unwrap();
        app.app.form_usage.write(&app.app.db).await.unwrap();
        let path = format!("/channels/{}/use", form["id"].as_str().unwrap());
        let seen = app.get(&path).await;
        assert_eq!([&seen["views"], &seen["starts"], &seen["completions"], &seen["left"]], [2, 1, 1, 2].map(|n| json!(n)).each_ref());
        assert_eq!(seen["left_at"], json!([{"field": "", "count": 1}, {"field": "phone", "count": 1}]));
        assert_eq!(seen["days"].as_array().unwrap().len(), 1);
        tell(json!({"what": "view"})).await.unwrap();
        app.app.form_usage.write(&app.app.db).await.unwrap();
        assert_eq!(app.get(&path).await["views"], 3);
        app.call("GET", &format!("{path}?days=0"), None).await.expect(400);
        app.stop().await;
    }
}
