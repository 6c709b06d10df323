//! Companies that may be the same.

use serde_json::{Value, json};
use switchboard::company::keys;

use super::{items, text};
use crate::support::TestApp;

async fn company(app: &TestApp, said: Value) -> String {
    let made = app.post("/companies", said).await.expect(201);
    text(&made["id"]).to_owned()
}

/// The names of those that are shown as alike, with what they have in common.
async fn alike(app: &TestApp, key: &str, id: &str) -> Vec<(String, Value)> {
    // The server does it each second; a test does not wait for it.
    while keys::renew(&app.app.db).await.unwrap() > 0 {}
    let found = app
        .call_as(key, "GET", &format!("/companies/{id}/duplicates"), None)
        .await
        .expect(200);
    items(&found)
        .iter()
        .map(|one| (text(&one["company"]["name"]).to_owned(), one["signs"].clone()))
        .collect()
}

both_databases! {
    async fn companies_are_alike_by_name_domain_tax_number_or_phone(app: TestApp) {
        let orion = company(&app, json!({"name": "Orion LLC", "website": "https://www.orion.example", "tax_number": "7701234567"})).await;
        let named = company(&app, json!({"name": "ORION"})).await;
        company(&app, json!({"name": "Orion Trade", "emails": ["info@orion.example"]})).await;
        company(&app, json!({"name": "Holding", "tax_number": "77 0123 4567", "website": "https://orion.example/about"})).await;
        company(&app, json!({"name": "Onion", "emails": ["onion@gmail.com"]})).await;
        company(&app, json!({"name": "Garlic", "emails": ["garlic@gmail.com"]})).await;
        assert_eq!(alike(&app, &app.key, &orion).await, [
            ("Holding".to_owned(), json!(["tax_number", "domain"])),
            ("Orion Trade".to_owned(), json!(["domain"])),
            ("ORION".to_owned(), json!(["name"])),
        ]);
        assert_eq!(alike(&app, &app.key, &named).await.len(), 1);
        // What changes is looked at anew, and what is gone is alike to nothing.
        app.patch(&format!("/companies/{named}"), json!({"name": "Sirius", "phones": ["+998712000000"]})).await.expect(200);
        assert_eq!(alike(&app, &app.key, &orion).await.len(), 2);
        let sister = company(&app, json!({"name": "Vega", "phones": ["+998 71 200-00-00"]})).await;
        assert_eq!(alike(&app, &app.key, &sister).await, [("Sirius".to_owned(), json!(["phone"]))]);
        app.call("DELETE", &format!("/companies/{named}"), None).await.expect(204);
        assert_eq!(alike(&app, &app.key, &sister).await, []);
        app.call("GET", "/companies/cmp_x/duplicates", None).await.expect(404);
    }

    async fn a_company_that_a_form_named_is_alike_too_and_only_who_sees_both_is_told(app: TestApp) {
        let (anna, key) = app.operator("Anna", "operator").await;
        let line = app.line("Sales", json!({})).await;
        let fields = json!({"fields": [
            {"name": "email", "label": "Email", "type": "email", "required": true, "maps_to": "contact.email"},
            {"name": "firm", "label": "Company", "type": "text", "maps_to": "company.name"},
        ]});
        let form = app.channel("webform", &line, fields).await;
        app.submit(&form, json!({"email": "a@client.example", "firm": "«Орион» ООО"}), None).await.expect(201);
        let ours = company(&app, json!({"name": "ОРИОН", "operator_id": anna["id"]})).await;
        assert_eq!(alike(&app, &app.key, &ours).await, [("«Орион» ООО".to_owned(), json!(["name"]))]);
        assert_eq!(alike(&app, &key, &ours).await, []);
    }
}
