//! What is noted of a lead there.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::*;

async fn chat(app: &TestApp) -> Value {
    let line = app
        .line("Support", json!({"crm": {"create_lead": "always"}}))
        .await;
    app.channel("webchat", &line, json!({})).await
}

/// A visitor's conversation with its lead.
async fn conversation(app: &TestApp) -> Value {
    app.until("it has a lead", || async {
        let page = app.get("/conversations?view=all").await;
        let found = page["items"].as_array()?.first().cloned()?;
        (!found["lead_id"].is_null()).then_some(found)
    })
    .await
}

with_a_crm! {
    async fn a_transcript_is_noted_once_and_without_what_the_client_may_not_read(app: TestApp, crm: Script, clock: Clock) {
        let connection = connect(&app, &crm, json!({})).await;
        let channel = chat(&app).await;
        let visitor = app.visitor(&channel).await;
        app.says(&channel, &visitor, "Do you have red ones?").await;
        let talk = conversation(&app).await;
        let path = format!("/conversations/{}", id(&talk));
        app.post(&format!("{path}/messages"), json!({"kind": "note", "text": "a difficult one"})).await.expect(201);
        app.post(&format!("{path}/messages"), json!({"kind": "reply", "text": "Yes, two."})).await.expect(201);
        let lead = talk["lead_id"].as_str().unwrap();
        crm.until("the lead is there", |crm| crm.of(lead).len() == 1).await;
        app.post(&format!("{path}/close"), json!({})).await.expect(200);
        crm.until("it is noted", |crm| crm.of(lead)[0].notes.len() == 1).await;
        settled(&app, &connection).await;
        let note = crm.of(lead)[0].notes.values().next().unwrap().clone();
        assert_eq!(note.kind, switchboard_crm::NoteKind::Conversation);
        assert!(note.text.contains("Do you have red ones?") && note.text.contains("Yes, two."), "{}", note.text);
        assert!(!note.text.contains("difficult"));
        // Whatever else happens to the conversation.
        app.post(&format!("{path}/tags"), json!({"add": ["vip"]})).await;
        app.patch(&format!("/leads/{lead}"), json!({"title": "Red ones"})).await.expect(200);
        crm.until("the title is there", |crm| crm.of(lead)[0].lead.title == "Red ones").await;
        pass(&app, &clock, TimeDelta::minutes(2));
        settled(&app, &connection).await;
        assert_eq!(crm.asked("note").len(), 1);
    }

    async fn a_note_waits_for_its_lead_and_colleagues_words_go_only_when_chosen(app: TestApp, crm: Script, clock: Clock) {
        let options = json!({"remarks": true, "transcripts": false, "two_way": false});
        let connection = connect(&app, &crm, json!({"options": options})).await;
        crm.is_down(true);
        let channel = chat(&app).await;
        let visitor = app.visitor(&channel).await;
        app.says(&channel, &visitor, "Hello").await;
        let talk = conversation(&app).await;
        let path = format!("/conversations/{}", id(&talk));
        app.post(&format!("{path}/messages"), json!({"kind": "note", "text": "call them on Monday"})).await.expect(201);
        app.post(&format!("{path}/close"), json!({})).await.expect(200);
        app.until("lead and note wait", || async { (current(&app, &connection).await["waiting"] == 2).then_some(()) }).await;
        assert_eq!(crm.asked("note"), []);
        crm.is_down(false);
        pass(&app, &clock, TimeDelta::hours(25));
        settled(&app, &connection).await;
        let notes = crm.of(talk["lead_id"].as_str().unwrap()).remove(0).notes;
        assert_eq!(notes.len(), 1);
        assert!(notes.values().all(|note| note.text.contains("call them on Monday")));
    }
}
