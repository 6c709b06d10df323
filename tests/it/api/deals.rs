use serde_json::{Value, json};

use super::pipelines::{first, stage};
use crate::support::{Answer, TestApp};

async fn deal(app: &TestApp, title: &str, amount: &str, currency: &str) -> Value {
    app.post(
        "/deals",
        json!({"title": title, "amount": amount, "currency": currency}),
    )
    .await
    .expect(201)
}

async fn change(app: &TestApp, deal: &Value, change: Value) -> Answer {
    app.patch(&format!("/deals/{}", deal["id"].as_str().unwrap()), change)
        .await
}

fn titles(listed: &Value) -> Vec<&str> {
    let items = listed["items"].as_array().unwrap();
    items.iter().map(|deal| deal["title"].as_str().unwrap()).collect()
}

both_databases! {
    async fn a_deal_goes_through_its_stages_and_each_move_is_kept(app: TestApp) {
        let sales = first(&app).await;
        let made = deal(&app, " Ten chairs ", "1500.5", "USD").await;
        assert_eq!((&made["title"], &made["amount"], &made["state"], &made["closed_at"], &made["version"]),
            (&json!("Ten chairs"), &json!("1500.50"), &json!("open"), &Value::Null, &json!(1)));
        let offer = change(&app, &made, json!({"stage_id": stage(&sales, "Offer sent"), "version": 1})).await.expect(200);
        assert_eq!((&offer["stage_id"], &offer["version"]), (&stage(&sales, "Offer sent"), &json!(2)));
        change(&app, &made, json!({"title": "x", "version": 1})).await.expect(409);
        let won = change(&app, &made, json!({"stage_id": stage(&sales, "Won")})).await.expect(200);
        assert_eq!(won["state"], "won");
        assert!(won["closed_at"].is_string());
        let moves = app.get(&format!("/deals/{}/moves", made["id"].as_str().unwrap())).await;
        let to: Vec<&Value> = moves["items"].as_array().unwrap().iter().map(|step| &step["stage_id"]).collect();
        assert_eq!(to, [&stage(&sales, "New"), &stage(&sales, "Offer sent"), &stage(&sales, "Won")]);
        assert_eq!(moves["items"][0]["from_stage_id"], Value::Null);
        // What is no move is not kept as one.
        change(&app, &made, json!({"stage_id": stage(&sales, "Won"), "tags": ["VIP", " VIP "]})).await.expect(200);
        assert_eq!(app.get(&format!("/deals/{}/moves", made["id"].as_str().unwrap())).await, moves);
        let again = change(&app, &made, json!({"stage_id": stage(&sales, "New")})).await.expect(200);
        assert_eq!((&again["closed_at"], &again["state"], &again["tags"]), (&Value::Null, &json!("open"), &json!(["vip"])));
        assert_eq!(app.get("/tags?object=deal").await["items"], json!(["vip"]));
        assert_eq!(titles(&app.get("/deals?tag=VIP").await), ["Ten chairs"]);
        assert_eq!(titles(&app.get("/deals?tag=other").await), Vec::<&str>::new());
        let refused = change(&app, &made, json!({"tags": ["ok", " "]})).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], "tags.1");
        // A tag goes with its deal.
        app.call("DELETE", &format!("/deals/{}", made["id"].as_str().unwrap()), None).await.expect(204);
        assert_eq!(app.get("/tags?object=deal").await["items"], json!([]));
    }

    async fn a_deal_is_lost_for_a_reason(app: TestApp) {
        let sales = first(&app).await;
        let made = deal(&app, "Ten chairs", "10", "USD").await;
        let lost = json!({"stage_id": stage(&sales, "Lost")});
        assert_eq!(change(&app, &made, lost).await.expect(422)["errors"][0]["field"], "loss_reason");
        let reasons = app.get("/loss-reasons").await;
        let lost = json!({"stage_id": stage(&sales, "Lost"), "loss_reason": reasons["items"][0]["id"]});
        let lost = change(&app, &made, lost).await.expect(200);
        assert_eq!((&lost["state"], &lost["loss_reason"]), (&json!("lost"), &reasons["items"][0]["name"]));
        let words = change(&app, &made, json!({"loss_reason": "Their own words"})).await.expect(200);
        assert_eq!(words["loss_reason"], "Their own words");
        change(&app, &made, json!({"loss_reason": null})).await.expect(422);
        let back = change(&app, &made, json!({"stage_id": stage(&sales, "New")})).await.expect(200);
        assert_eq!(back["loss_reason"], Value::Null);
    }

    async fn amounts_are_exact_and_what_is_none_is_refused(app: TestApp) {
        for (given, currency, shown) in [(json!("0.1"), "USD", "0.10"), (json!(1500), "USD", "1500.00"), (json!(1500.5), "EUR", "1500.50"),
            (json!("99999999999999.99"), "UZS", "99999999999999.99"), (json!("100"), "JPY", "100"), (json!("0.125"), "KWD", "0.125")] {
            let made = app.post("/deals", json!({"title": "x", "amount": given, "currency": currency})).await.expect(201);
            assert_eq!(made["amount"], shown);
        }
        for (body, field) in [
            (json!({"title": "x", "amount": "1,5"}), "amount"),
            (json!({"title": "x", "amount": -1}), "amount"),
            (json!({"title": "x", "amount": "1.001", "currency": "USD"}), "amount"),
            (json!({"title": "x", "amount": "1e300"}), "amount"),
            (json!({"title": "x", "amount": true}), "amount"),
            (json!({"title": "x", "currency": "dollars"}), "currency"),
            (json!({"title": " "}), "title"),
            (json!({"amount": "1"}), "title"),
            (json!({"title": "x", "contact_id": "cnt_x"}), "contact_id"),
            (json!({"title": "x", "company_id": "cmp_x"}), "company_id"),
            (json!({"title": "x", "lead_id": "led_x"}), "lead_id"),
            (json!({"title": "x", "operator_id": "opr_x"}), "operator_id"),
            (json!({"title": "x", "pipeline_id": "pip_x"}), "pipeline_id"),
            (json!({"title": "x", "stage_id": "stg_x"}), "stage_id"),
            (json!({"title": "x", "price": 1}), "price"),
        ] {
            assert_eq!(app.post("/deals", body.clone()).await.expect(422)["errors"][0]["field"], field, "{body}");
        }
        let unknown = app.post("/deals", json!({"title": "x"})).await.expect(201);
        assert_eq!(unknown["amount"], Value::Null);
        let known = change(&app, &unknown, json!({"amount": "5", "currency": "RUB", "fields": {"size": "L", "gone": null}})).await.expect(200);
        assert_eq!((&known["amount"], &known["fields"]), (&json!("5.00"), &json!({"size": "L"})));
        assert_eq!(change(&app, &unknown, json!({"amount": null})).await.expect(200)["amount"], Value::Null);
    }

    async fn the_totals_of_the_stages_are_counted_and_summed_by_currency(app: TestApp) {
        let sales = first(&app).await;
        let first_deal = deal(&app, "One", "0.10", "USD").await;
        deal(&app, "Two", "0.20", "USD").await;
        deal(&app, "Three", "7", "EUR").await;
        app.post("/deals", json!({"title": "Unknown"})).await.expect(201);
        for _ in 0..3 {
            deal(&app, "Huge", "99999999999999.99", "UZS").await;
        }
        change(&app, &first_deal, json!({"stage_id": stage(&sales, "Won")})).await.expect(200);
        let totals = app.get(&format!("/deals/totals?pipeline={}", sales["id"].as_str().unwrap())).await;
        let of = |name: &str| totals["items"].as_array().unwrap().iter().find(|total| total["stage_id"] == stage(&sales, name)).unwrap().clone();
        assert_eq!(of("New")["count"], 6);
        assert_eq!(of("New")["sums"], json!([{"currency": "EUR", "amount": "7.00"}, {"currency": "USD", "amount": "0.20"}, {"currency": "UZS", "amount": "299999999999999.97"}]));
        assert_eq!((&of("Won")["count"], &of("Won")["sums"]), (&json!(1), &json!([{"currency": "USD", "amount": "0.10"}])));
        let narrowed = app.get("/deals/totals?q=three").await;
        assert_eq!(narrowed["items"][0]["count"], 1);
    }

    async fn deals_are_narrowed_and_walked_in_pages(app: TestApp) {
        let sales = first(&app).await;
        let line = app.line("Sales", json!({})).await;
        let form = app.channel("webform", &line, json!({})).await;
        app.submit(&form, json!({"name": "Anna", "email": "anna@x.example"}), None).await.expect(201);
        let lead = app.get("/leads").await["items"][0].clone();
        let (me, _) = app.operator("Olim", "operator").await;
        for n in 0..5 {
            deal(&app, &format!("Deal {n}"), "1", "USD").await;
        }
        let body = json!({"title": "Chairs", "contact_id": lead["contact_id"], "lead_id": lead["id"], "operator_id": me["id"]});
        let chairs = app.post("/deals", body).await.expect(201);
        assert_eq!((&chairs["contact_name"], &chairs["line_id"]), (&json!("Anna"), &line["id"]));
        change(&app, &chairs, json!({"stage_id": stage(&sales, "Qualified")})).await.expect(200);
        let (me, contact) = (me["id"].as_str().unwrap(), lead["contact_id"].as_str().unwrap());
        for (query, expected) in [("", 6), ("state=open", 6), ("state=won", 0), ("operator=me", 5), (&*format!("operator={me}"), 1), (&*format!("contact={contact}"), 1),
            (&*format!("lead={}", lead["id"].as_str().unwrap()), 1), ("line=sales", 1), ("line=nothing", 0), ("q=CHAIRS", 1), ("q=anna", 1), ("q=nobody", 0),
            (&*format!("stage={}", stage(&sales, "New").as_str().unwrap()), 5), (&*format!("pipeline={}", sales["id"].as_str().unwrap()), 6), ("pipeline=pip_x", 0)] {
            assert_eq!(app.get(&format!("/deals?{query}")).await["items"].as_array().unwrap().len(), expected, "{query}");
        }
        for query in [String::new(), format!("&stage={}", stage(&sales, "New").as_str().unwrap())] {
            let mut met: Vec<String> = Vec::new();
            let mut cursor = String::new();
            loop {
                let page = app.get(&format!("/deals?limit=2{query}{cursor}")).await;
                met.extend(titles(&page).into_iter().map(str::to_owned));
                match page["next_cursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
            let expected: Vec<String> = (0..5).rev().map(|n| format!("Deal {n}")).collect();
            met.retain(|title| title != "Chairs");
            assert_eq!(met, expected, "{query}");
        }
    }

    async fn operators_see_their_own_deals_and_those_of_their_lines(app: TestApp) {
        let (anna, anna_key) = app.operator("Anna", "operator").await;
        let (_, boris_key) = app.operator("Boris", "operator").await;
        let line = app.line("Sales", json!({"queue": [{"operator_id": anna["id"]}]})).await;
        let form = app.channel("webform", &line, json!({})).await;
        app.submit(&form, json!({"name": "Client", "email": "c@x.example"}), None).await.expect(201);
        let lead = app.get("/leads").await["items"][0].clone();
        let of_line = app.post("/deals", json!({"title": "Of the line", "lead_id": lead["id"]})).await.expect(201);
        let own = json!({"title": "Of Boris"});
        let own = app.call_as(&boris_key, "POST", "/deals", Some(own)).await.expect(201);
        deal(&app, "Of the admin", "1", "USD").await;
        let seen = async |key: &str| app.call_as(key, "GET", "/deals", None).await.expect(200);
        assert_eq!(titles(&seen(&anna_key).await), ["Of the line"]);
        assert_eq!(titles(&seen(&boris_key).await), ["Of Boris"]);
        let totals = app.call_as(&boris_key, "GET", "/deals/totals", None).await.expect(200);
        assert_eq!(totals["items"][0]["count"], 1);
        let path = format!("/deals/{}", of_line["id"].as_str().unwrap());
        for (method, path, body) in [("GET", path.clone(), None), ("PATCH", path.clone(), Some(json!({"title": "Mine"}))), ("GET", format!("{path}/moves"), None)] {
            app.call_as(&boris_key, method, &path, body).await.expect(404);
        }
        // A lead out of sight cannot be named: its line would come into sight with it.
        let named = json!({"lead_id": lead["id"]});
        let path = format!("/deals/{}", own["id"].as_str().unwrap());
        assert_eq!(app.call_as(&boris_key, "PATCH", &path, Some(named)).await.expect(422)["errors"][0]["field"], "lead_id");
        app.call_as(&boris_key, "DELETE", &path, None).await.expect(403);
        app.call("DELETE", &path, None).await.expect(204);
        app.call("DELETE", &path, None).await.expect(404);
    }

    async fn the_sockets_tell_of_deals_to_those_who_see_them(app: TestApp) {
        let (anna, anna_key) = app.operator("Anna", "operator").await;
        let mut mine = app.socket(&anna_key, None).await;
        mine.until(|frame| frame["type"] == "hello").await;
        deal(&app, "Not hers", "1", "USD").await;
        let made = app.post("/deals", json!({"title": "Hers", "operator_id": anna["id"]})).await.expect(201);
        let frame = mine.until(|frame| frame["type"] == "deal.created").await;
        assert_eq!((&frame["data"]["id"], &frame["data"]["title"]), (&made["id"], &json!("Hers")));
        change(&app, &made, json!({"amount": "3"})).await.expect(200);
        assert_eq!(mine.until(|frame| frame["type"] == "deal.updated").await["data"]["amount"], "3.00");
        app.call("DELETE", &format!("/deals/{}", made["id"].as_str().unwrap()), None).await.expect(204);
        assert_eq!(mine.until(|frame| frame["type"] == "deal.removed").await["data"], json!({"id": made["id"]}));
    }
}
