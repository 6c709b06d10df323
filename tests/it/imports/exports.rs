//! Lists as files.

use serde_json::json;
use switchboard_exchange::Layout;

use super::{act, upload};
use crate::support::TestApp;

async fn file(app: &TestApp, key: &str, path: &str) -> (u16, String, Vec<u8>) {
    let response = app
        .client
        .get(format!("{}/api/v1{path}", app.base))
        .bearer_auth(key)
        .send()
        .await
        .unwrap();
    let status = response.status().as_u16();
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    (status, kind, response.bytes().await.unwrap().to_vec())
}

fn rows(bytes: &[u8]) -> Vec<std::collections::BTreeMap<String, String>> {
    let layout = Layout::of(bytes).unwrap();
    let head = layout.head(bytes, 1_000).unwrap();
    let row = |row: switchboard_exchange::Row| head.columns.iter().cloned().zip(row.cells).collect();
    head.rows.into_iter().map(row).collect()
}

both_databases! {
    async fn a_list_is_a_file_narrowed_alike_and_safe_to_open(app: TestApp) {
        let table = "name,email,phone,company,lead.title,comment,lead.fields.size,utm_source\r\n\
            \"=HYPERLINK(\"\"x\"\")\",a@shop.example,+79001234567,Shop,First,\"one, two\",12,yandex\r\n\
            Мария,m@shop.example,,Other,Second,,,\r\n";
        let import = upload(&app, &app.key, "a.csv", table.into()).await.expect(201);
        let done = act(&app, &import, "start").await;
        assert_eq!(done["counts"]["created"], 2, "{done}");
        for format in ["csv", "xlsx"] {
            let (status, kind, bytes) = file(&app, &app.key, &format!("/leads/export?format={format}")).await;
            assert_eq!(status, 200);
            assert!(kind.contains(if format == "csv" { "text/csv" } else { "spreadsheetml" }), "{kind}");
            let rows = rows(&bytes);
            let first = rows.iter().find(|row| row["title"] == "First").unwrap();
            assert_eq!((rows.len(), first["name"].as_str(), first["phone"].as_str()), (2, "=HYPERLINK(\"x\")", "+79001234567"));
            assert_eq!((first["comment"].as_str(), first["utm_source"].as_str(), first["other_fields"].as_str()), ("one, two", "yandex", "{\"size\":\"12\"}"));
            if format == "csv" {
                assert!(String::from_utf8(bytes).unwrap().contains("\"'=HYPERLINK"));
            }
        }
        let (_, _, narrowed) = file(&app, &app.key, "/leads/export?q=Second").await;
        assert_eq!(rows(&narrowed).len(), 1);
        let (_, _, nothing) = file(&app, &app.key, "/leads/export?line=none").await;
        assert_eq!(rows(&nothing).len(), 0);
        let (_, kind, cards) = file(&app, &app.key, "/contacts/export?format=vcf").await;
        assert!(kind.starts_with("text/vcard"));
        assert_eq!(rows(&cards).iter().filter(|row| row["Name"] == "Мария").count(), 1);
        let (_, _, companies) = file(&app, &app.key, "/companies/export?format=xlsx").await;
        assert_eq!(rows(&companies).len(), 2);
        let (status, _, _) = file(&app, &app.key, "/leads/export?format=vcf").await;
        assert_eq!(status, 422);
        let (_, operator) = app.operator("Olga", "operator").await;
        for path in ["/leads/export", "/contacts/export", "/companies/export", "/calls/export", "/submissions/export"] {
            assert_eq!(file(&app, &operator, path).await.0, 403, "{path}");
        }
    }

    async fn what_was_exported_is_recognised_when_it_is_taken_in(app: TestApp) {
        let table = "name,email,company\r\nAnna,a@shop.example,Shop\r\n";
        let import = upload(&app, &app.key, "a.csv", table.into()).await.expect(201);
        act(&app, &import, "start").await;
        let (_, _, bytes) = file(&app, &app.key, "/contacts/export").await;
        let again = upload(&app, &app.key, "b.csv", bytes).await.expect(201);
        let path = format!("/imports/{}", again["id"].as_str().unwrap());
        app.patch(&path, json!({"kind": "contacts", "options": {"on_duplicate": "update"}})).await.expect(200);
        let done = act(&app, &again, "start").await;
        assert_eq!((&done["counts"]["skipped"], &done["counts"]["failed"]), (&json!(1), &json!(0)), "{done}");
    }

    async fn submissions_of_one_form_have_its_fields_as_columns(app: TestApp) {
        let line = app.line("Sales", json!({})).await;
        let form = app.channel("webform", &line, json!({"fields": [{"name": "city", "label": "City", "type": "text"}, {"name": "email", "label": "E-mail", "type": "email"}]})).await;
        app.submit(&form, json!({"city": "@Riga", "email": "a@shop.example"}), None).await.expect(201);
        let (_, _, bytes) = file(&app, &app.key, &format!("/submissions/export?channel={}", form["key"].as_str().unwrap())).await;
        let rows = rows(&bytes);
        assert_eq!((rows[0]["city"].as_str(), rows[0]["email"].as_str()), ("@Riga", "a@shop.example"));
        assert!(String::from_utf8(bytes).unwrap().contains("'@Riga"));
    }
}
