//! The timelines of companies, leads and deals, and tasks in all of them.

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

use super::{by_hand, contact_of, items, line_with_channel, text, writes};
use crate::{calls::Phone, support::TestApp};

/// What stands in a timeline, by kind, without what Switchboard notes by itself.
async fn kinds(app: &TestApp, key: &str, path: &str) -> Vec<String> {
    let page = app
        .call_as(key, "GET", &format!("{path}/timeline"), None)
        .await
        .expect(200);
    let mut kinds: Vec<String> = items(&page)
        .iter()
        .map(|one| text(&one["kind"]).to_owned())
        .filter(|kind| kind != "system")
        .collect();
    kinds.sort();
    kinds
}

/// Every id of a timeline, read two at a time.
async fn by_pages(app: &TestApp, path: &str) -> Vec<Value> {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app.get(&format!("{path}/timeline?limit=2{cursor}")).await;
        seen.extend(items(&page).iter().map(|one| one["id"].clone()));
        let Some(next) = page["next_cursor"].as_str() else {
            return seen;
        };
        cursor = format!("&cursor={next}");
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "telephone systems have clocks of their own"
)]
async fn rings(app: &TestApp, phone: &Phone) {
    let began = Utc::now() - TimeDelta::seconds(30);
    phone
        .says(app, "ringing", "c1", began, json!({}))
        .await
        .expect(200);
    let end = json!({"disposition": "missed"});
    phone
        .says(app, "ended", "c1", began + TimeDelta::seconds(9), end)
        .await
        .expect(200);
}

/// Anna of Orion wrote and rang and has a lead and a deal; so has Boris, and there is one deal with Orion itself.
struct Orion {
    company: String,
    lead: String,
    deal: String,
}

async fn orion(app: &TestApp) -> Orion {
    let company = app
        .post("/companies", json!({"name": "Orion LLC"}))
        .await
        .expect(201);
    let company = text(&company["id"]).to_owned();
    let (line, form) = line_with_channel(app, "Sales", json!({})).await;
    let chat = app
        .channel("webchat", &line, json!({"allowed_origins": ["*"]}))
        .await;
    let phone = Phone::on(app, json!({}), json!({"crm": {"create_lead": "never"}})).await;
    let thread = writes(app, &chat, "Anna", &["+998901234567!"], "hello").await;
    let anna = contact_of(app, &thread).await;
    let other = contact_of(app, &writes(app, &chat, "Boris", &["boris!"], "and I").await).await;
    for contact in [&anna, &other] {
        app.patch(&format!("/contacts/{contact}"), json!({"company_id": company}))
            .await
            .expect(200);
    }
    let form_of = json!({"name": "Anna", "phone": "+998901234567", "utm_source": "google"});
    app.submit(&form, form_of, None).await.expect(201);
    let note = json!({"text": "look", "kind": "note", "client_id": "n1"});
    app.post(&format!("/conversations/{thread}/messages"), note)
        .await
        .expect(201);
    rings(app, &phone).await;
    let leads = app.get(&format!("/leads?contact={anna}")).await;
    let lead = text(&leads["items"][0]["id"]).to_owned();
    let body = json!({"title": "Ten chairs", "contact_id": anna, "lead_id": lead, "company_id": company});
    let deal = app.post("/deals", body).await.expect(201);
    let deal = text(&deal["id"]).to_owned();
    app.patch(
        &format!("/deals/{deal}"),
        json!({"amount": "10", "tags": ["Big"]}),
    )
    .await
    .expect(200);
    for (kind, id) in [
        ("company", &company),
        ("contact", &anna),
        ("lead", &lead),
        ("deal", &deal),
        ("conversation", &thread),
    ] {
        let body = json!({"title": kind, "on": {"type": kind, "id": id}});
        app.post("/tasks", body).await.expect(201);
    }
    let path = format!("/contacts/{anna}/timeline?kinds=call");
    app.until("the call is folded", || async {
        let found = app.get(&path).await;
        items(&found)
            .iter()
            .any(|one| one["call"]["disposition"] == "missed")
            .then_some(())
    })
    .await;
    Orion { company, lead, deal }
}

both_databases! {
    async fn a_company_a_lead_and_a_deal_tell_what_was_said_and_done_around_them(app: TestApp) {
        let orion = orion(&app).await;
        let company = format!("/companies/{}", orion.company);
        // Two contacts were given the company; the deal got an amount and a tag.
        assert_eq!(kinds(&app, &app.key, &company).await, ["call", "change", "change", "change", "change", "deal", "form", "lead", "lead",
            "message", "message", "note", "task", "task", "task", "task", "task"]);
        let lead = format!("/leads/{}", orion.lead);
        // What is said with Boris is not about Anna's lead.
        assert_eq!(kinds(&app, &app.key, &lead).await, ["call", "change", "change", "change", "deal", "form", "lead", "message", "note",
            "task", "task", "task", "task"]);
        let deal = format!("/deals/{}", orion.deal);
        assert_eq!(kinds(&app, &app.key, &deal).await, kinds(&app, &app.key, &lead).await);
        let of = async |path: &str, kind: &str| items(&app.get(&format!("{path}/timeline?kinds={kind}")).await).clone();
        let step = &of(&company, "deal").await[0]["deal"];
        assert_eq!((&step["title"], &step["stage_name"], &step["from_stage_name"], &step["state"]),
            (&json!("Ten chairs"), &json!("New"), &Value::Null, &json!("open")));
        assert!(step["operator_name"].is_string());
        let lead_of_deal = &of(&deal, "lead").await[0]["lead"];
        assert_eq!(lead_of_deal["attribution"]["first"]["utm_source"], Value::Null, "the chat came first");
        assert_eq!(lead_of_deal["attribution"]["last"]["utm_source"], "google");
        let changes = of(&deal, "change").await;
        let tags = changes.iter().find(|one| one["change"]["field"] == "tags").unwrap();
        assert_eq!((&tags["change"]["new"], &tags["change"]["object_title"]), (&json!(["big"]), &json!("Ten chairs")));
        let moved = of(&company, "change").await.into_iter().find(|one| one["change"]["field"] == "company_id").unwrap();
        assert_eq!((&moved["change"]["old_title"], &moved["change"]["new_title"]), (&Value::Null, &json!("Orion LLC")));
        let said = of(&company, "message").await;
        let who: Vec<&str> = said.iter().map(|one| text(&one["conversation"]["contact"]["name"])).collect();
        assert_eq!(who, ["Boris", "Anna"]);
        for path in [&company, &lead, &deal] {
            let whole: Vec<_> = items(&app.get(&format!("{path}/timeline")).await).iter().map(|one| one["id"].clone()).collect();
            assert_eq!(by_pages(&app, path).await, whole);
            app.call("GET", &format!("{path}/timeline?kinds=fax"), None).await.expect(422);
        }
        for path in ["/companies/cmp_x", "/leads/led_x", "/deals/dea_x"] {
            app.call("GET", &format!("{path}/timeline"), None).await.expect(404);
        }
    }

    async fn a_deal_without_a_contact_tells_of_the_people_of_its_company(app: TestApp) {
        let orion = orion(&app).await;
        let made = app.post("/deals", json!({"title": "Frame contract", "company_id": orion.company})).await.expect(201);
        let path = format!("/deals/{}", text(&made["id"]));
        let seen = kinds(&app, &app.key, &path).await;
        assert_eq!(seen.iter().filter(|kind| *kind == "message").count(), 2);
        assert_eq!(seen.iter().filter(|kind| *kind == "deal").count(), 1);
        let alone = app.post("/deals", json!({"title": "Alone"})).await.expect(201);
        assert_eq!(kinds(&app, &app.key, &format!("/deals/{}", text(&alone["id"]))).await, ["deal"]);
    }

    async fn a_task_stands_where_it_was_made_and_where_it_was_done_with_who_did_it(app: TestApp) {
        let (anna, anna_key) = app.operator("Anna", "supervisor").await;
        let contact = by_hand(&app, json!({"name": "Client"})).await;
        let body = json!({"title": "Call back", "on": {"type": "contact", "id": contact}, "operator_id": anna["id"]});
        let task = app.post("/tasks", body).await.expect(201);
        let path = format!("/tasks/{}", text(&task["id"]));
        let done = app.call_as(&anna_key, "PATCH", &path, Some(json!({"done": true}))).await.expect(200);
        assert_eq!(done["done_by"], anna["id"]);
        // Said again by somebody else it was done by whoever did it.
        assert_eq!(app.patch(&path, json!({"done": true})).await.expect(200)["done_by"], anna["id"]);
        let card = format!("/contacts/{contact}");
        let all = app.get(&format!("{card}/timeline")).await;
        let seen: Vec<&str> = items(&all).iter().map(|one| text(&one["kind"])).collect();
        assert_eq!(seen, ["task_done", "task"]);
        for entry in items(&all) {
            assert_eq!((&entry["task"]["id"], &entry["task"]["done_by"]), (&task["id"], &anna["id"]));
        }
        // Even done at the very moment it was made it is there twice, whatever the page.
        app.patch(&path, json!({"done_at": task["created_at"]})).await.expect(200);
        let mut ids = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = app.get(&format!("{card}/timeline?limit=1{cursor}")).await;
            ids.extend(items(&page).iter().map(|one| text(&one["kind"]).to_owned()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(ids, ["task_done", "task"]);
        assert_eq!(app.patch(&path, json!({"done": false})).await.expect(200)["done_by"], Value::Null);
        assert_eq!(kinds(&app, &app.key, &card).await, ["task"]);
    }

    async fn an_operator_reads_of_a_company_what_they_see(app: TestApp) {
        let (anna, key) = app.operator("Anna", "operator").await;
        let company = app.post("/companies", json!({"name": "Orion", "operator_id": anna["id"]})).await.expect(201);
        let path = format!("/companies/{}", text(&company["id"]));
        let (ours, _) = line_with_channel(&app, "Ours", json!({"queue": [{"operator_id": anna["id"]}]})).await;
        let (theirs, _) = line_with_channel(&app, "Theirs", json!({})).await;
        for (line, name) in [(&ours, "Seen"), (&theirs, "Hidden")] {
            let chat = app.channel("webchat", line, json!({"allowed_origins": ["*"]})).await;
            let thread = writes(&app, &chat, name, &[&format!("{name}!")], name).await;
            let contact = contact_of(&app, &thread).await;
            app.patch(&format!("/contacts/{contact}"), json!({"company_id": company["id"]})).await.expect(200);
            app.post("/tasks", json!({"title": name, "on": {"type": "contact", "id": contact}})).await.expect(201);
            app.post("/deals", json!({"title": name, "contact_id": contact})).await.expect(201);
        }
        assert_eq!(kinds(&app, &key, &path).await, ["change", "lead", "message", "task"]);
        let all = kinds(&app, &app.key, &path).await;
        assert_eq!(all.iter().filter(|kind| *kind == "message" || *kind == "deal").count(), 4);
        // Deals of the company that are somebody else's stay theirs.
        let deal = app.post("/deals", json!({"title": "Theirs", "company_id": company["id"]})).await.expect(201);
        app.call_as(&key, "GET", &format!("/deals/{}/timeline", text(&deal["id"])), None).await.expect(404);
        assert_eq!(kinds(&app, &key, &path).await, ["change", "lead", "message", "task"]);
    }

    async fn tasks_of_a_person_are_those_about_anything_of_theirs(app: TestApp) {
        let orion = orion(&app).await;
        let lead = app.get(&format!("/leads/{}", orion.lead)).await;
        let contact = text(&lead["contact_id"]);
        let titles = |page: &Value| {
            let mut titles: Vec<String> = items(page).iter().map(|one| text(&one["title"]).to_owned()).collect();
            titles.sort();
            titles
        };
        let listed = app.get(&format!("/tasks?person={contact}")).await;
        assert_eq!(titles(&listed), ["contact", "conversation", "deal", "lead"]);
        let listed = app.get(&format!("/tasks?company={}", orion.company)).await;
        assert_eq!((titles(&listed), &listed["items"][0]["on_title"]), (vec!["company".to_owned()], &json!("Orion LLC")));
        let (_, stranger) = app.operator("Stranger", "operator").await;
        for query in [format!("person={contact}"), format!("company={}", orion.company)] {
            let seen = app.call_as(&stranger, "GET", &format!("/tasks?{query}"), None).await.expect(200);
            assert_eq!(titles(&seen), Vec::<String>::new());
        }
        let body = json!({"title": "x", "on": {"type": "company", "id": orion.company}});
        app.call_as(&stranger, "POST", "/tasks", Some(body)).await.expect(422);
        // Who erases a company erases what was to be done about it.
        app.call("DELETE", &format!("/companies/{}", orion.company), None).await.expect(204);
        assert_eq!(titles(&app.get("/tasks").await), ["contact", "conversation", "deal", "lead"]);
    }
}
