//! On a line whose queue gives, operators do not choose: nobody picks the easy ones past the queue.

use serde_json::json;

use crate::routing::{act, conversation, line, operator, owner, write};

both_databases! {
    async fn where_the_queue_gives_operators_take_nothing_past_it(app: TestApp) {
        let anna = operator(&app, "Anna", 5.0).await;
        let boris = operator(&app, "Boris", 5.0).await;
        let (made, channel) = line(&app, &[&anna, &boris], json!({"may_pull": false})).await;
        let id = write(&app, &channel, "u1", 1).await;
        assert_eq!(conversation(&app, &id).await["may_pull"], false);
        let refused = act(&app, &anna.key, &id, "take", json!({})).await.expect(403);
        assert!(refused["detail"].as_str().unwrap().contains("the queue gives"));
        act(&app, &anna.key, &id, "transfer", json!({"to_operator": boris.id})).await.expect(403);
        let reply = json!({"kind": "reply", "text": "Hello", "client_id": "c1"});
        act(&app, &anna.key, &id, "messages", reply.clone()).await.expect(403);
        assert_eq!(conversation(&app, &id).await["session"]["state"], "waiting");
        assert_eq!(app.get(&format!("/conversations/{id}/messages")).await["items"].as_array().unwrap().len(), 1);
        // A note takes nothing.
        act(&app, &anna.key, &id, "messages", json!({"kind": "note", "text": "VIP", "client_id": "c2"})).await.expect(201);
        // The rule is the line's, and holds at once.
        app.patch(&format!("/lines/{}", made["id"].as_str().unwrap()), json!({"may_pull": true})).await.expect(200);
        act(&app, &anna.key, &id, "take", json!({})).await.expect(200);
        assert_eq!(owner(&app, &id).await, anna.id);
    }

    async fn what_the_queue_gave_or_offered_is_answered_and_handed_on_as_ever(app: TestApp) {
        let anna = operator(&app, "Anna", 5.0).await;
        let boris = operator(&app, "Boris", 5.0).await;
        let rules = json!({"may_pull": false, "distribution": "strict", "acceptance": "offer", "offer_timeout_secs": 60});
        let (_, channel) = line(&app, &[&anna, &boris], rules).await;
        app.go_online(&anna.key).await;
        let id = write(&app, &channel, "u1", 1).await;
        let offered = || async {
            let found = conversation(&app, &id).await;
            (found["session"]["offered_to"] == json!([anna.id])).then_some(())
        };
        app.until("the offer", offered).await;
        act(&app, &boris.key, &id, "take", json!({})).await.expect(403);
        let reply = json!({"kind": "reply", "text": "Hello", "client_id": "c1"});
        act(&app, &anna.key, &id, "messages", reply).await.expect(201);
        assert_eq!(owner(&app, &id).await, anna.id);
        act(&app, &anna.key, &id, "transfer", json!({"to_operator": boris.id})).await.expect(200);
        assert_eq!(owner(&app, &id).await, boris.id);
    }

    async fn supervisors_take_and_give_where_the_queue_gives(app: TestApp) {
        let anna = operator(&app, "Anna", 5.0).await;
        let (_, sam) = app.operator("Sam", "supervisor").await;
        let (_, channel) = line(&app, &[&anna], json!({"may_pull": false})).await;
        let first = write(&app, &channel, "u1", 1).await;
        act(&app, &sam, &first, "take", json!({})).await.expect(200);
        let second = write(&app, &channel, "u2", 1).await;
        act(&app, &sam, &second, "transfer", json!({"to_operator": anna.id})).await.expect(200);
        assert_eq!(owner(&app, &second).await, anna.id);
    }
}
