//! Leads that came by a file.

use serde_json::{Value, json};

use super::*;
use crate::imports::{act, upload};

async fn imported(app: &TestApp, name: &str, options: Value) -> Value {
    let file = format!("name,email\r\n{name},{name}@shop.example\r\n");
    let import = upload(app, &app.key, "people.csv", file.into_bytes())
        .await
        .expect(201);
    let path = format!("/imports/{}", id(&import));
    app.patch(&path, json!({"options": options})).await.expect(200);
    act(app, &import, "start").await;
    app.get("/leads?limit=1").await["items"][0].clone()
}

with_a_crm! {
    async fn an_import_that_keeps_inside_sends_nothing_to_the_crm(app: TestApp, crm: Script, clock: Clock) {
        let connection = connect(&app, &crm, json!({})).await;
        let quiet = imported(&app, "anna", json!({"send_out": false})).await;
        pass(&app, &clock, chrono::TimeDelta::seconds(1));
        let loud = imported(&app, "boris", json!({})).await;
        crm.until("the other one is made", |crm| crm.of(id(&loud)).len() == 1).await;
        settled(&app, &connection).await;
        assert_eq!(crm.of(id(&quiet)).len(), 0);
        // Whoever works on it sends it there, as any lead.
        app.patch(&format!("/leads/{}", id(&quiet)), json!({"title": "Two bicycles"})).await.expect(200);
        crm.until("it is made", |crm| crm.of(id(&quiet)).len() == 1).await;
    }
}
