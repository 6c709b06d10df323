//! Deals out of files of other programs, and custom fields by their type.

use serde_json::{Value, json};

use super::{act, ended, upload};
use crate::support::TestApp;

const FILE: &str = "ID,Deal Name,Amount,Currency,Pipeline,Deal Stage,Close Date,Deal owner,Tags,Contact,Email,Company,Rooms\r\n\
    1001,Flat on Main St,\"1,500.00\",EUR,Rent,Viewing,2026-12-24,,\"vip, flat\",Anna,anna@shop.example,Shop,3\r\n\
    1002,Office,250000,,Rent,Signed,2026-05-01,,,Anna,anna@shop.example,Shop,\r\n\
    1003,Garage,12.5,JPY,Rent,Viewing,,,,Boris,boris@shop.example,,\r\n\
    1004,Cellar,cheap,EUR,Rent,Elsewhere,soon,nobody,,,,Shop,many\r\n\
    1005,Roof,,,Rent,Lost,,,,,,Shop,1\r\n\
    ,,,,,,,,,,,,2\r\n";

async fn pipeline(app: &TestApp) -> Value {
    let stages = json!([
        {"name": "Viewing"}, {"name": "Signed", "kind": "won"}, {"name": "Lost", "kind": "lost"},
    ]);
    let body = json!({"name": "Rent", "currency": "USD", "stages": stages});
    let rooms = json!({"object": "deal", "key": "rooms", "label": "Rooms", "type": "number"});
    app.post("/custom-fields", rooms).await.expect(201);
    app.post("/pipelines", body).await.expect(201)
}

async fn deals(app: &TestApp) -> Vec<Value> {
    let page = app.get("/deals?limit=200").await;
    page["items"].as_array().unwrap().clone()
}

/// Uploads it; its last column is called as a custom field.
async fn of_deals(app: &TestApp, name: &str, file: &str, options: Value) -> Value {
    let import = upload(app, &app.key, name, file.as_bytes().to_vec())
        .await
        .expect(201);
    assert_eq!(import["kind"], "deals", "its columns say so");
    let mapping = import["mapping"].as_array().unwrap();
    assert_eq!(
        mapping.last(),
        Some(&json!({"column": "Rooms", "field": "deal.fields.rooms"}))
    );
    let path = format!("/imports/{}", import["id"].as_str().unwrap());
    app.patch(&path, json!({"options": options})).await.expect(200)
}

fn of<'a>(deals: &'a [Value], title: &str) -> &'a Value {
    deals.iter().find(|deal| deal["title"] == title).unwrap()
}

both_databases! {
    async fn deals_are_checked_taken_in_with_their_people_and_taken_back(app: TestApp) {
        let rent = pipeline(&app).await;
        let import = of_deals(&app, "deals.csv", FILE, json!({})).await;
        let id = import["id"].as_str().unwrap();
        let preview = app.get(&format!("/imports/{id}/preview")).await;
        assert_eq!(preview["rows"][0]["errors"], json!([]));
        assert_eq!(preview["rows"][2]["errors"][0]["field"], "deal.amount", "the preview judges as well: {preview}");

        let checked = act(&app, &import, "check").await;
        let counts = |import: &Value| (import["counts"]["created"].clone(), import["counts"]["failed"].clone(), import["counts"]["deals"].clone());
        assert_eq!(counts(&checked), (json!(3), json!(3), json!(3)), "{checked}");
        assert!(deals(&app).await.is_empty(), "a check writes nothing");
        let wrong = app.get(&format!("/imports/{id}/errors")).await;
        let told: Vec<(i64, String, String)> = wrong["items"].as_array().unwrap().iter().flat_map(|row| {
            let line = row["line"].as_i64().unwrap();
            let told = |one: &Value| (line, one["column"].as_str().unwrap_or_default().to_owned(), one["code"].as_str().unwrap().to_owned());
            row["errors"].as_array().unwrap().iter().map(told).collect::<Vec<_>>()
        }).collect();
        let told: Vec<(i64, &str, &str)> = told.iter().map(|(line, column, code)| (*line, column.as_str(), code.as_str())).collect();
        assert_eq!(told, [
            (4, "Amount", "bad_amount"),
            (5, "Amount", "bad_amount"),
            (5, "Close Date", "bad_date"),
            (5, "Deal owner", "unknown_operator"),
            (5, "Rooms", "not_number"),
            (5, "Deal Stage", "unknown_stage"),
            (7, "", "untitled"),
        ]);

        let done = act(&app, &import, "start").await;
        assert_eq!((done["state"].clone(), counts(&done)), (json!("done"), (json!(3), json!(3), json!(3))));
        let made = deals(&app).await;
        let flat = of(&made, "Flat on Main St");
        assert_eq!((&flat["amount"], &flat["currency"], &flat["state"]), (&json!("1500.00"), &json!("EUR"), &json!("open")));
        assert_eq!((&flat["pipeline_id"], &flat["tags"]), (&rent["id"], &json!(["flat", "vip"])));
        assert_eq!(flat["fields"], json!({"rooms": 3, "close_date": "2026-12-24"}));
        assert_eq!((&flat["contact_name"], &flat["company_name"], &flat["external_id"]), (&json!("Anna"), &json!("Shop"), &json!("1001")));
        let office = of(&made, "Office");
        assert_eq!((&office["state"], &office["currency"], &office["closed_at"]), (&json!("won"), &json!("USD"), &json!("2026-05-01T00:00:00Z")));
        assert_eq!(office["contact_id"], flat["contact_id"], "one person has two deals");
        let roof = of(&made, "Roof");
        assert_eq!((&roof["state"], &roof["loss_reason"], &roof["contact_id"]), (&json!("lost"), &json!("import"), &json!(null)));
        let moves = app.get(&format!("/deals/{}/moves", office["id"].as_str().unwrap())).await;
        assert_eq!((moves["items"].as_array().unwrap().len(), &moves["items"][0]["stage_id"]), (1, &office["stage_id"]));
        assert_eq!(app.get("/leads").await["items"], json!([]));

        // Somebody works on one of them: it stays, with its person.
        app.patch(&format!("/deals/{}", flat["id"].as_str().unwrap()), json!({"title": "Flat"})).await.expect(200);
        let undone = act(&app, &import, "undo").await;
        assert_eq!((&undone["state"], &undone["counts"]["removed"]), (&json!("undone"), &json!(2)), "{undone}");
        assert_eq!(deals(&app).await.len(), 1);
    }

    async fn the_number_of_a_deal_decides_whether_it_is_known(app: TestApp) {
        pipeline(&app).await;
        let file = |amount: &str, stage: &str| format!("ID,Deal Name,Amount,Deal Stage,Email,Rooms\r\n7,House,{amount},{stage},anna@shop.example,1\r\n");
        let first = of_deals(&app, "1.csv", &file("", "Viewing"), json!({})).await;
        act(&app, &first, "start").await;
        for (rule, amount, state, all) in [
            ("skip", json!(null), "open", 1),
            ("fill", json!("10.00"), "open", 1),
            ("update", json!("30.00"), "won", 1),
            ("create", json!("30.00"), "won", 2),
        ] {
            let said = match rule { "fill" => file("10", "Viewing"), _ => file("30", "Signed") };
            let import = of_deals(&app, "2.csv", &said, json!({"on_duplicate": rule})).await;
            let path = format!("/imports/{}/start", import["id"].as_str().unwrap());
            app.post(&path, json!({"again": true})).await.expect(200);
            assert_eq!(ended(&app, &import).await["state"], "done", "{rule}");
            let all_deals = deals(&app).await;
            assert_eq!(all_deals.len(), all, "{rule}");
            let known = all_deals.iter().find(|deal| deal["external_id"] == "7").unwrap();
            assert_eq!((&known["amount"], &known["state"]), (&amount, &json!(state)), "{rule}");
            assert_eq!(app.get("/contacts").await["items"].as_array().unwrap().len(), 1, "{rule}");
        }
        let known = deals(&app).await.into_iter().find(|deal| deal["external_id"] == "7").unwrap();
        let moves = app.get(&format!("/deals/{}/moves", known["id"].as_str().unwrap())).await;
        assert_eq!(moves["items"].as_array().unwrap().len(), 2, "its move to the other stage is journalled");
    }

    async fn what_rows_become_decides_which_fields_there_are(app: TestApp) {
        let import = upload(&app, &app.key, "deals.csv", b"Deal name,Stage,Email\r\nHouse,New,anna@shop.example\r\n".to_vec()).await.expect(201);
        let path = format!("/imports/{}", import["id"].as_str().unwrap());
        let fields = |import: &Value| -> Vec<String> {
            import["mapping"].as_array().unwrap().iter().map(|one| one["field"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(fields(&import), ["deal.title", "deal.stage", "contact.email"]);
        let leads = app.patch(&path, json!({"kind": "leads"})).await.expect(200);
        assert_eq!(fields(&leads), ["lead.title", "lead.status", "contact.email"], "nobody touched it");
        let mapping = json!([{"column": "Deal name", "field": "deal.title"}, {"column": "Email", "field": "contact.email"}]);
        app.patch(&path, json!({"mapping": mapping})).await.expect(200);
        let refused = app.post(&format!("{path}/check"), json!({})).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], "mapping");
        assert!(refused["errors"][0]["message"].as_str().unwrap().contains("deal.title"), "{refused}");
        let unknown = app.patch(&path, json!({"options": {"pipeline_id": "pip_none"}})).await.expect(422);
        assert_eq!(unknown["errors"][0]["field"], "options.pipeline_id");
    }

    async fn custom_fields_are_judged_by_their_type_in_the_check_and_in_the_run(app: TestApp) {
        for (key, kind) in [("size", "select"), ("born", "date"), ("weight", "number"), ("vip", "checkbox"), ("page", "url"), ("helper", "user")] {
            let mut field = json!({"object": "contact", "key": key, "label": key, "type": kind});
            if kind == "select" {
                field["options"] = json!([{"value": "s", "label": "Small"}, {"value": "l", "label": "Large"}]);
            }
            app.post("/custom-fields", field).await.expect(201);
        }
        let budget = json!({"object": "lead", "key": "budget", "label": "Budget", "type": "money"});
        app.post("/custom-fields", budget).await.expect(201);
        let (olga, _) = app.operator("Olga", "operator").await;
        let file = "name,email,contact.fields.size,contact.fields.born,contact.fields.weight,contact.fields.vip,contact.fields.page,contact.fields.helper,lead.fields.budget\r\n\
            Anna,anna@shop.example,Large,05.01.1990,\"70,5\",да,https://a.example,Olga,\"1 500,50 EUR\"\r\n\
            Boris,boris@shop.example,huge,soon,heavy,perhaps,a.example,Nobody,cheap\r\n";
        let import = upload(&app, &app.key, "people.csv", file.into()).await.expect(201);
        let told = |errors: &Value| -> Vec<String> {
            let errors = errors["items"][0]["errors"].as_array().unwrap();
            let mut told: Vec<String> = errors.iter().map(|one| format!("{} {}", one["column"].as_str().unwrap(), one["code"].as_str().unwrap())).collect();
            told.sort();
            told
        };
        let expected = [
            "contact.fields.born not_date",
            "contact.fields.helper not_user",
            "contact.fields.page not_url",
            "contact.fields.size not_select",
            "contact.fields.vip not_checkbox",
            "contact.fields.weight not_number",
            "lead.fields.budget not_money",
        ];
        let errors = format!("/imports/{}/errors", import["id"].as_str().unwrap());
        for action in ["check", "start"] {
            let done = act(&app, &import, action).await;
            assert_eq!((&done["counts"]["created"], &done["counts"]["failed"]), (&json!(1), &json!(1)), "{done}");
            assert_eq!(told(&app.get(&errors).await), expected, "{action}");
        }
        let anna = app.get("/contacts?q=anna@shop.example").await["items"][0].clone();
        assert_eq!(anna["fields"], json!({
            "size": "l", "born": "1990-01-05", "weight": 70.5, "vip": true, "page": "https://a.example", "helper": olga["id"],
        }));
        let lead = app.get("/leads").await["items"][0].clone();
        assert_eq!(lead["fields"]["budget"], json!({"amount": "1500.50", "currency": "EUR"}));
    }
}
