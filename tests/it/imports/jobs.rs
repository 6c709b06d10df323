//! From the upload to the undo, over the API.

use serde_json::{Value, json};

use super::{act, ended, excel, table, upload};
use crate::support::TestApp;

const FILE: &str = "sep=;\r\nФИО;Телефон;Почта;Компания;Статус;Бюджет\r\n\
    Анна Белова;8 900 123-45-67;anna@shop.example;«Ромашка»;Новый;10 000\r\n\
    Пётр;7,90E+10;petr@shop.example;;;\r\n\
    Мария;8 900 123-45-69 / 8 495 123-45-67;;«Ромашка»;В работе;\r\n\
    ;;;;;\r\n\
    Ольга;;olga@;;выдумка;\r\n";

async fn leads(app: &TestApp) -> Vec<Value> {
    app.get("/leads?limit=200").await["items"]
        .as_array()
        .unwrap()
        .clone()
}

async fn mapped(app: &TestApp, import: &Value, options: Value) -> Value {
    let mut mapping = import["mapping"].as_array().unwrap().clone();
    mapping.push(json!({"column": "Бюджет", "field": "lead.fields.budget"}));
    let path = format!("/imports/{}", import["id"].as_str().unwrap());
    app.patch(&path, json!({"mapping": mapping, "options": options}))
        .await
        .expect(200)
}

both_databases! {
    async fn a_table_is_recognised_mapped_checked_taken_in_and_taken_back(app: TestApp) {
        let import = upload(&app, &app.key, "leads.csv", excel(FILE)).await.expect(201);
        assert_eq!(import["layout"]["encoding"], "windows-1251");
        assert_eq!((&import["layout"]["delimiter"], &import["total"]), (&json!(";"), &json!(4)));
        assert_eq!(import["mapping"][1], json!({"column": "Телефон", "field": "contact.phone"}));
        let id = import["id"].as_str().unwrap();
        mapped(&app, &import, json!({"region": "RU"})).await;
        let preview = app.get(&format!("/imports/{id}/preview")).await;
        assert_eq!((&preview["rows"][0]["line"], &preview["rows"][0]["errors"]), (&json!(3), &json!([])));
        assert_eq!(preview["rows"][1]["errors"][0]["code"], "ruined_number");

        let checked = act(&app, &import, "check").await;
        assert_eq!((&checked["state"], &checked["counts"]["created"], &checked["counts"]["failed"]), (&json!("checked"), &json!(2), &json!(2)));
        assert!(leads(&app).await.is_empty(), "a check writes nothing");
        let wrong = app.get(&format!("/imports/{id}/errors?limit=1")).await;
        assert_eq!((&wrong["items"][0]["line"], &wrong["items"][0]["errors"][0]["field"]), (&json!(4), &json!("contact.phone")));
        let next = wrong["next_cursor"].as_str().unwrap();
        let rest = app.get(&format!("/imports/{id}/errors?limit=1&cursor={next}")).await;
        assert_eq!(rest["items"][0]["errors"].as_array().unwrap().len(), 2);
        assert_eq!((&rest["items"][0]["line"], &rest["next_cursor"]), (&json!(7), &json!(null)));

        let done = act(&app, &import, "start").await;
        assert_eq!(done["state"], "done", "{done}");
        assert_eq!(done["counts"], json!({"rows": 4, "created": 2, "updated": 0, "skipped": 0, "failed": 2, "contacts": 2, "leads": 2, "companies": 1, "deals": 0, "removed": 0, "kept": 0}));
        let made = leads(&app).await;
        let anna = made.iter().find(|lead| lead["title"] == "Анна Белова").unwrap();
        assert_eq!((&anna["source"], &anna["fields"]["budget"], &anna["status"]), (&json!("import"), &json!("10 000"), &json!("new")));
        let contact = app.get(&format!("/contacts/{}", anna["contact_id"].as_str().unwrap())).await;
        assert_eq!((&contact["phones"], &contact["company_name"]), (&json!(["+79001234567"]), &json!("«Ромашка»")));
        assert_eq!(contact["identities"][0]["verified"], false, "what stands in a file is a claim");
        let table = app.get(&format!("/imports/{id}/errors/export")).await;
        assert!(table.as_str().unwrap().contains("4,contact.phone,Телефон,ruined_number,"), "{table}");
        app.post(&format!("/imports/{id}/start"), json!({})).await.expect(409);
        app.patch(&format!("/imports/{id}"), json!({"kind": "contacts"})).await.expect(409);

        // Somebody works on one of them: it stays.
        app.patch(&format!("/leads/{}", anna["id"].as_str().unwrap()), json!({"status": "in_progress"})).await.expect(200);
        let undone = act(&app, &import, "undo").await;
        assert_eq!((&undone["state"], &undone["counts"]["removed"], &undone["counts"]["kept"]), (&json!("undone"), &json!(2), &json!(3)));
        assert_eq!(leads(&app).await.len(), 1);
        assert_eq!(app.get("/contacts").await["items"].as_array().unwrap().len(), 1);
    }

    async fn the_same_file_is_not_taken_in_twice_by_mistake(app: TestApp) {
        let file = || table(60).into_bytes();
        let first = upload(&app, &app.key, "leads.csv", file()).await.expect(201);
        let done = act(&app, &first, "start").await;
        assert_eq!((&done["counts"]["created"], &done["counts"]["failed"]), (&json!(59), &json!(1)));
        let second = upload(&app, &app.key, "again.csv", file()).await.expect(201);
        let path = format!("/imports/{}/start", second["id"].as_str().unwrap());
        app.post(&path, json!({})).await.expect(409);
        app.post(&path, json!({"again": true})).await.expect(200);
        let again = ended(&app, &second).await;
        assert_eq!((&again["counts"]["skipped"], &again["counts"]["created"]), (&json!(59), &json!(0)));
        assert_eq!(leads(&app).await.len(), 59);
    }

    async fn people_who_are_known_are_skipped_filled_updated_or_doubled_as_the_rule_says(app: TestApp) {
        let file = |name: &str, city: &str| format!("name,email,city\r\n{name},anna@shop.example,{city}\r\n").into_bytes();
        let first = upload(&app, &app.key, "1.csv", file("Anna", "")).await.expect(201);
        act(&app, &first, "start").await;
        for (rule, name, city, leads_then) in [
            ("skip", "Anna", json!(null), 1),
            ("fill", "Anna", json!("Riga"), 1),
            ("update", "Maria", json!("Oslo"), 1),
            ("create", "Maria", json!("Oslo"), 2),
        ] {
            let said = file(if rule == "create" { "Third" } else { "Maria" }, if rule == "fill" { "Riga" } else { "Oslo" });
            let import = upload(&app, &app.key, "2.csv", said).await.expect(201);
            let path = format!("/imports/{}", import["id"].as_str().unwrap());
            app.patch(&path, json!({"options": {"on_duplicate": rule}})).await.expect(200);
            app.post(&format!("{path}/start"), json!({"again": true})).await.expect(200);
            let done = ended(&app, &import).await;
            assert_eq!(done["state"], "done", "{rule} {done}");
            assert_eq!(leads(&app).await.len(), leads_then, "{rule}");
            let known = app.get("/contacts?q=anna@shop.example").await;
            assert_eq!((&known["items"][0]["name"], &known["items"][0]["fields"]["city"]), (&json!(name), &city), "{rule}");
        }
    }

    async fn a_mapping_is_kept_and_nonsense_is_refused_with_its_field(app: TestApp) {
        let import = upload(&app, &app.key, "a.csv", b"what,who\r\n1,2\r\n".to_vec()).await.expect(201);
        let path = format!("/imports/{}", import["id"].as_str().unwrap());
        let refused = app.post(&format!("{path}/check"), json!({})).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], "mapping");
        for (body, field) in [
            (json!({"mapping": [{"column": "none", "field": "contact.name"}]}), "mapping"),
            (json!({"mapping": [{"column": "who", "field": "contact.nothing"}]}), "mapping"),
            (json!({"options": {"region": "Russia"}}), "options.region"),
            (json!({"options": {"line_id": "lin_none"}}), "options.line_id"),
            (json!({"layout": {"format": "csv"}}), "layout"),
        ] {
            let refused = app.patch(&path, body).await.expect(422);
            assert_eq!(refused["errors"][0]["field"], field);
        }
        let mapping = json!([{"column": "who", "field": "contact.name"}]);
        app.patch(&path, json!({"mapping": mapping})).await.expect(200);
        for _ in 0..2 {
            app.post("/import-mappings", json!({"name": "Old CRM", "mapping": mapping})).await.expect(201);
        }
        let kept = app.get("/import-mappings").await;
        assert_eq!((kept["items"].as_array().unwrap().len(), &kept["items"][0]["mapping"]), (1, &mapping));
        app.call("DELETE", &format!("/import-mappings/{}", kept["items"][0]["id"].as_str().unwrap()), None).await.expect(204);
        upload(&app, &app.key, "a.pdf", b"%PDF-1.7".to_vec()).await.expect(422);
        let (_, operator) = app.operator("Olga", "operator").await;
        upload(&app, &operator, "a.csv", b"name\r\nAnna\r\n".to_vec()).await.expect(403);
        app.call("DELETE", &path, None).await.expect(204);
        app.call("GET", &path, None).await.expect(404);
    }
}
