//! What lines keep no longer.

use chrono::TimeDelta;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use switchboard::{
    db::entity::{attachment, contact, conversation, message},
    erase::aging,
};

use crate::{
    people::{contact_of, items, writes},
    support::TestApp,
};

async fn closed(app: &TestApp, channel: &Value, name: &str) -> String {
    let id = writes(app, channel, name, &[&format!("{name}@client.example")], "Hello").await;
    app.post(&format!("/conversations/{id}/close"), json!({"reason": "done"}))
        .await
        .expect(200);
    id
}

both_databases_by_the_clock! {
    async fn closed_conversations_go_after_their_days_and_open_ones_stay(app: TestApp, clock: Clock) {
        let line = app.line("Support", json!({"crm": {"create_lead": "never"}})).await;
        let channel = app.channel("webform", &line, json!({})).await;
        let old = closed(&app, &channel, "old").await;
        clock.advance(TimeDelta::days(5));
        let young = closed(&app, &channel, "young").await;
        let open = writes(&app, &channel, "open", &["open@client.example"], "Hello").await;
        let path = format!("/lines/{}", line["id"].as_str().unwrap());
        let rule = json!({"conversations_days": 8});

        clock.advance(TimeDelta::days(4));
        let would = app.post(&format!("{path}/retention"), rule.clone()).await.expect(200);
        assert_eq!(would["conversations"], 1, "{would}");
        let refused = app.patch(&path, json!({"retention": {"conversations_days": 0}})).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], "retention.conversations_days");
        let tools = app.app.erasing();
        aging::sweep(&tools).await.unwrap();
        assert_eq!(conversation::Entity::find().count(app.app.db.read()).await.unwrap(), 3, "nothing was asked for");

        app.patch(&path, json!({"retention": rule})).await.expect(200);
        aging::sweep(&tools).await.unwrap();
        app.call("GET", &format!("/conversations/{old}"), None).await.expect(404);
        for kept in [young, open] {
            app.get(&format!("/conversations/{kept}")).await;
        }
        let left = message::Entity::find().filter(message::Column::ConversationId.eq(&old));
        assert_eq!(left.count(app.app.db.read()).await.unwrap(), 0);
        assert_eq!(contact::Entity::find().count(app.app.db.read()).await.unwrap(), 3, "people stay");
    }

    async fn contacts_are_erased_when_nothing_happens_with_them_any_more(app: TestApp, clock: Clock) {
        let line = app.line("Support", json!({"crm": {"create_lead": "never"}, "retention": {"contacts_days": 30}})).await;
        let channel = app.channel("webform", &line, json!({})).await;
        let gone = contact_of(&app, &closed(&app, &channel, "gone").await).await;
        let busy = contact_of(&app, &closed(&app, &channel, "busy").await).await;
        let task = json!({"title": "Call", "on": {"type": "contact", "id": busy}});
        app.post("/tasks", task).await.expect(201);
        clock.advance(TimeDelta::days(31));
        aging::sweep(&app.app.erasing()).await.unwrap();
        app.until("the contact is erased", || async {
            let erasures = app.get("/erasures").await;
            items(&erasures).iter().any(|one| one["state"] == "done").then_some(())
        })
        .await;
        app.call("GET", &format!("/contacts/{gone}"), None).await.expect(404);
        app.get(&format!("/contacts/{busy}")).await;
        let erasures = app.get("/erasures").await;
        assert_eq!(items(&erasures).len(), 1);
        assert!(items(&erasures)[0]["operator_id"].is_null(), "nobody asked: the line's rule did");
    }

    async fn files_go_and_what_was_said_stays(app: TestApp, clock: Clock) {
        let line = app.line("Support", json!({"retention": {"attachments_days": 3}})).await;
        let channel = app.channel("webchat", &line, json!({})).await;
        let token = app.visitor(&channel).await;
        let part = reqwest::multipart::Part::bytes(b"a picture".to_vec()).file_name("me.txt");
        let form = reqwest::multipart::Form::new().part("file", part);
        let url = format!("{}/widget/v1/{}/attachments", app.base, channel["key"].as_str().unwrap());
        let file = app.ask(app.client.post(url).bearer_auth(&token).multipart(form)).await.expect(201);
        let said = json!({"client_id": "one", "text": "Look", "attachments": [file["id"]]});
        app.widget(&channel, "messages", Some(&token), said).await.expect(201);
        let listed = app.get("/conversations?view=all").await;
        let id = items(&listed)[0]["id"].as_str().unwrap().to_owned();
        app.post(&format!("/conversations/{id}/close"), json!({"reason": "done"})).await.expect(200);
        let row = attachment::Entity::find().one(app.app.db.read()).await.unwrap().unwrap();
        clock.advance(TimeDelta::days(4));
        aging::sweep(&app.app.erasing()).await.unwrap();
        assert!(!app.app.storage.has(&row.storage_key).await.unwrap());
        let messages = app.get(&format!("/conversations/{id}/messages")).await;
        let said = items(&messages).iter().find(|message| message["text"] == "Look").unwrap();
        assert_eq!(said["attachments"], json!([]));
    }
}
