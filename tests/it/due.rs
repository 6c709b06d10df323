//! What a line promises its clients: when an answer is due, and that what is due is served first.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use switchboard_sdk::{Clock, SystemClock};

use crate::{
    routing::{act, conversation, line, operator, owner, write},
    support::TestApp,
};

fn moment(value: &Value) -> Option<DateTime<Utc>> {
    value.as_str().map(|text| text.parse().unwrap())
}

/// How long after another moment a conversation's answer is due.
async fn due_after(app: &TestApp, id: &str, since: &str) -> Option<TimeDelta> {
    let session = conversation(app, id).await["session"].clone();
    let due_at = moment(&session["due_at"])?;
    Some(due_at - moment(&session[since]).unwrap())
}

async fn queue(app: &TestApp) -> Vec<String> {
    let mut ids = Vec::new();
    let mut page = app.get("/conversations?view=queue&limit=1").await;
    loop {
        ids.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["id"].as_str().unwrap().to_owned()),
        );
        let Some(cursor) = page["next_cursor"].as_str() else {
            return ids;
        };
        page = app
            .get(&format!("/conversations?view=queue&limit=1&cursor={cursor}"))
            .await;
    }
}

both_databases! {
    async fn of_equal_priority_what_is_due_is_served_before_what_waits_longer(app: TestApp) {
        let anna = operator(&app, "Anna", 1.0).await;
        let (_, calm) = line(&app, &[&anna], json!({})).await;
        let (_, slow) = line(&app, &[&anna], json!({"sla": {"first_reply_secs": 7200}})).await;
        let (_, hasty) = line(&app, &[&anna], json!({"sla": {"first_reply_secs": 60}})).await;
        let first = write(&app, &calm, "u1", 1).await;
        let second = write(&app, &slow, "u2", 1).await;
        let third = write(&app, &hasty, "u3", 1).await;
        assert_eq!(due_after(&app, &third, "waiting_since").await, Some(TimeDelta::seconds(60)));
        assert_eq!(due_after(&app, &first, "waiting_since").await, None);
        assert_eq!(queue(&app).await, [third.clone(), second.clone(), first.clone()]);
        let wall = app.get("/wall").await;
        let waiting: Vec<&str> = wall["waiting"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
        assert_eq!(waiting, [&third, &second, &first]);
        app.go_online(&anna.key).await;
        assert_eq!(owner(&app, &third).await, anna.id);
        act(&app, &anna.key, &third, "close", json!({})).await.expect(200);
        assert_eq!(owner(&app, &second).await, anna.id);
        assert_eq!(conversation(&app, &third).await["session"]["due_at"], Value::Null);
    }

    async fn a_changed_promise_holds_at_once_for_those_who_wait(app: TestApp) {
        let anna = operator(&app, "Anna", 1.0).await;
        let (calm, early) = line(&app, &[&anna], json!({})).await;
        let (_, other) = line(&app, &[&anna], json!({"sla": {"first_reply_secs": 7200}})).await;
        let (first, second) = (write(&app, &early, "u1", 1).await, write(&app, &other, "u2", 1).await);
        assert_eq!(queue(&app).await, [second.clone(), first.clone()]);
        let path = format!("/lines/{}", calm["id"].as_str().unwrap());
        app.patch(&path, json!({"sla": {"first_reply_secs": 3600}})).await.expect(200);
        assert_eq!(due_after(&app, &first, "waiting_since").await, Some(TimeDelta::seconds(3600)));
        assert_eq!(queue(&app).await, [first.clone(), second.clone()]);
        app.patch(&path, json!({"sla": {"first_reply_secs": null}})).await.expect(200);
        assert_eq!(due_after(&app, &first, "waiting_since").await, None);
        let refused = app.patch(&path, json!({"sla": {"next_reply_secs": 0}})).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], "sla.next_reply_secs");
    }

    async fn an_answer_settles_what_is_due_and_the_next_message_begins_anew(app: TestApp) {
        let anna = operator(&app, "Anna", 5.0).await;
        let promise = json!({"sla": {"first_reply_secs": 60, "next_reply_secs": 900}});
        let (_, channel) = line(&app, &[&anna], promise).await;
        app.go_online(&anna.key).await;
        let id = write(&app, &channel, "u1", 1).await;
        assert_eq!(owner(&app, &id).await, anna.id);
        let body = json!({"kind": "reply", "text": "Good morning", "client_id": "c1"});
        act(&app, &anna.key, &id, "messages", body).await.expect(201);
        assert_eq!(conversation(&app, &id).await["session"]["due_at"], Value::Null);
        let before = SystemClock.now();
        write(&app, &channel, "u1", 2).await;
        let due_at = moment(&conversation(&app, &id).await["session"]["due_at"]).unwrap();
        assert!(due_at >= before + TimeDelta::seconds(899) && due_at <= SystemClock.now() + TimeDelta::seconds(901));
    }

    async fn a_conversation_that_moves_to_another_line_has_that_lines_promise(app: TestApp) {
        let anna = operator(&app, "Anna", 5.0).await;
        let (_, channel) = line(&app, &[&anna], json!({"sla": {"first_reply_secs": 60}})).await;
        let (sales, _) = line(&app, &[&anna], json!({"sla": {"first_reply_secs": 600}})).await;
        let (calm, _) = line(&app, &[&anna], json!({})).await;
        let id = write(&app, &channel, "u1", 1).await;
        for (to, due) in [(&sales, Some(TimeDelta::seconds(600))), (&calm, None)] {
            app.post(&format!("/conversations/{id}/transfer"), json!({"to_line": to["id"]})).await.expect(200);
            assert_eq!(due_after(&app, &id, "waiting_since").await, due);
        }
        // Another message of a client who waits already changes nothing; the line it is on counts.
        app.post(&format!("/conversations/{id}/transfer"), json!({"to_line": sales["id"]})).await.expect(200);
        write(&app, &channel, "u1", 2).await;
        assert_eq!(due_after(&app, &id, "waiting_since").await, Some(TimeDelta::seconds(600)));
    }
}
