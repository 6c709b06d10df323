use serde_json::{Value, json};

use super::pipelines::{first, stage};
use crate::support::TestApp;

/// A form on a line, and the lead somebody makes with it.
async fn lead(app: &TestApp, line: &Value, fields: Value) -> Value {
    let form = app.channel("webform", line, json!({})).await;
    let made = app.submit(&form, fields, None).await.expect(201);
    let made = app
        .get(&format!(
            "/submissions/{}",
            made["submission_id"].as_str().unwrap()
        ))
        .await;
    app.get(&format!("/leads/{}", made["lead_id"].as_str().unwrap()))
        .await
}

fn path(lead: &Value, action: &str) -> String {
    format!("/leads/{}{action}", lead["id"].as_str().unwrap())
}

async fn rules(app: &TestApp, rules: Value) {
    app.call("PUT", "/lead-assignment", Some(json!({"rules": rules})))
        .await
        .expect(200);
}

both_databases! {
    async fn a_lead_becomes_contact_company_and_deal_in_one_step_and_not_twice(app: TestApp) {
        let sales = first(&app).await;
        let line = app.line("Sales", json!({})).await;
        let lead = lead(&app, &line, json!({"name": "Anna", "email": "anna@x.example"})).await;
        let body = json!({"contact": true, "company": true, "company_name": "Example Ltd",
            "deal": {"pipeline_id": sales["id"], "title": "Ten chairs", "amount": "1500", "currency": "EUR"}});
        let made = app.post(&path(&lead, "/convert"), body.clone()).await.expect(200);
        assert_eq!((&made["id"], &made["status"], &made["deal_id"]), (&lead["id"], &json!("converted"), &made["deal"]["id"]));
        let deal = &made["deal"];
        assert_eq!((&deal["title"], &deal["amount"], &deal["currency"], &deal["company_name"], &deal["contact_name"]),
            (&json!("Ten chairs"), &json!("1500.00"), &json!("EUR"), &json!("Example Ltd"), &json!("Anna")));
        assert_eq!((&deal["lead_id"], &deal["line_id"], &deal["stage_id"]), (&lead["id"], &line["id"], &stage(&sales, "New")));
        let contact = app.get(&format!("/contacts/{}", lead["contact_id"].as_str().unwrap())).await;
        assert_eq!(contact["company_id"], deal["company_id"]);
        let again = app.post(&path(&lead, "/convert"), body).await.expect(200);
        assert_eq!(again["deal"]["id"], deal["id"]);
        assert_eq!(app.get("/deals").await["items"].as_array().unwrap().len(), 1);
        // By somebody who asks at the same moment, too.
        let second = self::lead(&app, &line, json!({"name": "Boris", "email": "boris@x.example"})).await;
        let to = path(&second, "/convert");
        let asked = (0..8).map(|_| app.post(&to, json!({"deal": {}})));
        let answers = futures_util::future::join_all(asked).await;
        assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
        assert_eq!(app.get("/deals").await["items"].as_array().unwrap().len(), 2);
    }

    async fn what_a_lead_cannot_become_is_named_and_nothing_is_made(app: TestApp) {
        let line = app.line("Sales", json!({})).await;
        let lead = lead(&app, &line, json!({"name": "Anna", "email": "anna@x.example"})).await;
        for (body, field) in [
            (json!({"company": true, "deal": {}}), "company_name"),
            (json!({"deal": {"amount": "much"}}), "deal.amount"),
            (json!({"deal": {"pipeline_id": "pip_x"}}), "deal.pipeline_id"),
            (json!({"company": true, "company_name": "Ltd", "deal": {"currency": "x"}}), "deal.currency"),
            (json!({"deals": {}}), "deals"),
        ] {
            assert_eq!(app.post(&path(&lead, "/convert"), body.clone()).await.expect(422)["errors"][0]["field"], field, "{body}");
        }
        let now = app.get(&path(&lead, "")).await;
        assert_eq!(now["status"], "new");
        let contact = app.get(&format!("/contacts/{}", lead["contact_id"].as_str().unwrap())).await;
        assert_eq!(contact["company_id"], Value::Null);
        app.post(&path(&lead, "/convert"), json!({"version": 7, "deal": {}})).await.expect(409);
        let (_, stranger) = app.operator("Stranger", "operator").await;
        app.call_as(&stranger, "POST", &path(&lead, "/convert"), Some(json!({}))).await.expect(404);
        let without = app.post(&path(&lead, "/convert"), json!({"contact": true})).await.expect(200);
        assert_eq!((&without["status"], &without["deal"]), (&json!("converted"), &Value::Null));
    }

    async fn a_conversion_is_taken_back_as_long_as_nothing_has_come_of_it(app: TestApp) {
        let line = app.line("Sales", json!({})).await;
        let lead = lead(&app, &line, json!({"name": "Anna", "email": "anna@x.example"})).await;
        let body = json!({"company": true, "company_name": "Example Ltd", "deal": {}});
        let made = app.post(&path(&lead, "/convert"), body.clone()).await.expect(200);
        let back = app.post(&path(&lead, "/reopen"), json!({})).await.expect(200);
        assert_eq!((&back["status"], &back["deal_id"]), (&json!("new"), &Value::Null));
        app.call("GET", &format!("/deals/{}", made["deal_id"].as_str().unwrap()), None).await.expect(404);
        let contact = app.get(&format!("/contacts/{}", lead["contact_id"].as_str().unwrap())).await;
        assert_eq!(contact["company_id"], Value::Null);
        // Opening what is open changes nothing.
        assert_eq!(app.post(&path(&lead, "/reopen"), json!({})).await.expect(200)["version"], back["version"]);
        let made = app.post(&path(&lead, "/convert"), body).await.expect(200);
        let deal = format!("/deals/{}", made["deal_id"].as_str().unwrap());
        app.patch(&deal, json!({"amount": "10"})).await.expect(200);
        app.post(&path(&lead, "/reopen"), json!({})).await.expect(409);
        let kept = app.post(&path(&lead, "/reopen"), json!({"keep_deal": true})).await.expect(200);
        assert_eq!(kept["status"], "new");
        assert_eq!(app.get(&deal).await["lead_id"], lead["id"]);
    }

    async fn a_lead_is_junk_for_a_reason_and_is_opened_again_without(app: TestApp) {
        let line = app.line("Sales", json!({})).await;
        let lead = lead(&app, &line, json!({"name": "Anna", "email": "anna@x.example"})).await;
        let junk = app.patch(&path(&lead, ""), json!({"status": "junk", "loss_reason": "No answer"})).await.expect(200);
        assert_eq!(junk["loss_reason"], "No answer");
        assert_eq!(app.get("/leads?status=junk").await["items"][0]["loss_reason"], "No answer");
        app.post(&path(&lead, "/convert"), json!({"deal": {}})).await.expect(409);
        let open = app.post(&path(&lead, "/reopen"), json!({})).await.expect(200);
        assert_eq!((&open["status"], &open["loss_reason"]), (&json!("new"), &Value::Null));
        app.patch(&path(&lead, ""), json!({"status": "junk"})).await.expect(200);
        app.post("/leads", json!({"contact_id": lead["contact_id"], "title": "Another"})).await.expect(201);
        app.post(&path(&lead, "/reopen"), json!({})).await.expect(409);
    }

    async fn a_client_with_an_open_deal_joins_it_where_the_line_says_so(app: TestApp) {
        for (repeat, leads) in [("join_deal", 1), ("new_lead", 2)] {
            let line = app.line(repeat, json!({"crm": {"create_lead": "always", "repeat": repeat}})).await;
            assert_eq!(line["crm"]["repeat"], repeat);
            let chat = app.channel("webchat", &line, json!({})).await;
            let conversation = app.writes(&chat, repeat, "Hello").await;
            let path = format!("/conversations/{conversation}");
            let lead = app.get(&path).await["lead_id"].clone();
            let converted = format!("/leads/{}/convert", lead.as_str().unwrap());
            app.post(&converted, json!({"deal": {"title": "Ten chairs"}})).await.expect(200);
            app.post(&format!("{path}/close"), json!({})).await.expect(200);
            app.writes(&chat, repeat, "Me again").await;
            let now = app.get(&path).await;
            let of_contact = format!("/leads?contact={}", now["contact"]["id"].as_str().unwrap());
            assert_eq!(app.get(&of_contact).await["items"].as_array().unwrap().len(), leads, "{repeat}");
            let notes = app.get(&format!("{path}/messages")).await;
            let noted = notes["items"].as_array().unwrap().iter().any(|message| message["kind"] == "note" && message["text"].as_str().unwrap().contains("Ten chairs"));
            assert_eq!((noted, now["lead_id"] == lead), (repeat == "join_deal", repeat == "join_deal"), "{notes}");
        }
    }

    async fn who_has_a_deal_is_not_unknown(app: TestApp) {
        let line = app.line("Sales", json!({"crm": {"create_lead": "unknown"}})).await;
        let chat = app.channel("webchat", &line, json!({})).await;
        let never = app.line("Quiet", json!({"crm": {"create_lead": "never"}})).await;
        let quiet = app.channel("webchat", &never, json!({})).await;
        let conversation = app.writes(&quiet, "anna", "Hello").await;
        let contact = app.get(&format!("/conversations/{conversation}")).await["contact"]["id"].clone();
        app.post("/deals", json!({"title": "x", "contact_id": contact})).await.expect(201);
        app.writes(&chat, "anna", "Hello here").await;
        assert_eq!(app.get("/leads").await["items"].as_array().unwrap().len(), 0);
        app.writes(&chat, "boris", "Hello here").await;
        assert_eq!(app.get("/leads").await["items"].as_array().unwrap().len(), 1);
    }

    async fn new_leads_are_given_by_the_first_rule_that_finds_somebody(app: TestApp) {
        let (anna, _) = app.operator("Anna", "operator").await;
        let (boris, boris_key) = app.operator("Boris", "operator").await;
        let team = app.post("/teams", json!({"name": "Sales", "member_ids": [anna["id"], boris["id"]]})).await.expect(201);
        let (one, two) = (app.line("One", json!({})).await, app.line("Two", json!({})).await);
        rules(&app, json!([
            {"name": "Large", "min_amount": "1000", "to": [{"operator_id": boris["id"]}]},
            {"name": "Online", "line_ids": [two["id"]], "online_only": true, "to": [{"team_id": team["id"]}]},
            {"name": "Shared", "line_ids": [one["id"]], "to": [{"team_id": team["id"]}]},
        ])).await;
        let mut given = Vec::new();
        for n in 0..4 {
            given.push(lead(&app, &one, json!({"name": "x", "email": format!("c{n}@x.example")})).await["operator_id"].clone());
        }
        assert_eq!(given, [&anna["id"], &boris["id"], &anna["id"], &boris["id"]].map(Clone::clone), "by load");
        let nobody = lead(&app, &two, json!({"name": "x", "email": "d@x.example"})).await;
        assert_eq!((&nobody["operator_id"], &nobody["status"]), (&Value::Null, &json!("new")));
        app.go_online(&boris_key).await;
        let there = lead(&app, &two, json!({"name": "x", "email": "e@x.example"})).await;
        assert_eq!(there["operator_id"], boris["id"]);
        let settings = json!({"fields": [{"name": "email", "label": "E-mail", "type": "email", "maps_to": "contact.email"},
            {"name": "budget", "label": "Budget", "type": "text", "maps_to": "lead.fields.amount"}]});
        let form = app.channel("webform", &one, settings).await;
        app.submit(&form, json!({"email": "f@x.example", "budget": "5 000"}), None).await.expect(201);
        assert_eq!(app.get("/leads").await["items"][0]["operator_id"], boris["id"]);
    }

    async fn assignment_rules_are_the_admins(app: TestApp) {
        assert_eq!(app.get("/lead-assignment").await["rules"], json!([]));
        let (anna, key) = app.operator("Anna", "supervisor").await;
        let body = json!({"rules": [{"name": "All", "to": [{"operator_id": anna["id"]}]}], "version": 0});
        app.call_as(&key, "PUT", "/lead-assignment", Some(body.clone())).await.expect(403);
        let made = app.call("PUT", "/lead-assignment", Some(body.clone())).await.expect(200);
        assert_eq!((&made["version"], &made["rules"][0]["choose"]), (&json!(1), &json!("least_loaded")));
        app.call("PUT", "/lead-assignment", Some(body)).await.expect(409);
        assert_eq!(app.call_as(&key, "GET", "/lead-assignment", None).await.expect(200), made);
        let wrong = json!({"rules": [{"to": []}]});
        assert_eq!(app.call("PUT", "/lead-assignment", Some(wrong)).await.expect(422)["errors"][0]["field"], "rules.0.to");
    }
}
