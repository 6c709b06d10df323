//! Operators are asked, and one of them says yes: offers on real databases.

use std::time::Duration;

use chrono::TimeDelta;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use switchboard::{
    db::entity::{offer, session},
    routing,
};
use switchboard_sdk::{Clock, SystemClock};

use crate::{
    routing::{Op, act, conversation, decision, line, operator, owner, write},
    support::TestApp,
};

fn offers(more: &Value) -> Value {
    let mut rules = json!({"acceptance": "offer", "distribution": "strict", "offer_timeout_secs": 600});
    rules
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    rules
}

/// Waits until exactly these are asked.
async fn asked(app: &TestApp, id: &str, who: &[&Op]) -> Value {
    let wanted: Vec<&str> = who.iter().map(|op| op.id.as_str()).collect();
    let look = || async {
        let found = conversation(app, id).await;
        let asked: Vec<&str> = found["session"]["offered_to"]
            .as_array()
            .unwrap()
            .iter()
            .map(|id| id.as_str().unwrap())
            .collect();
        (asked == wanted).then_some(found.clone())
    };
    app.until("an offer", look).await
}

async fn history(app: &TestApp, id: &str) -> Vec<(String, String)> {
    let listed = app.get(&format!("/conversations/{id}/routing?limit=200")).await;
    let pair = |one: &Value| {
        let word = |field: &str| one[field].as_str().unwrap().to_owned();
        (word("trigger"), word("outcome"))
    };
    listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(pair)
        .collect()
}

/// What holds at any moment: a session is offered exactly when somebody is asked.
async fn offers_and_sessions_agree(app: &TestApp) {
    let open = offer::Entity::find()
        .filter(offer::Column::EndedAt.is_null())
        .all(app.app.db.read())
        .await
        .unwrap();
    let offered = session::Entity::find()
        .filter(session::Column::State.eq("offered"))
        .all(app.app.db.read())
        .await
        .unwrap();
    for one in &open {
        assert!(
            offered.iter().any(|session| session.id == one.session_id),
            "{one:?}"
        );
    }
    for one in &offered {
        assert!(open.iter().any(|offer| offer.session_id == one.id), "{one:?}");
    }
}

both_databases! {
    async fn an_offer_rings_for_one_operator_and_accepting_makes_them_the_owner(app: TestApp) {
        let (a, b) = (operator(&app, "Anna", 5.0).await, operator(&app, "Boris", 5.0).await);
        let (_, channel) = line(&app, &[&a, &b], offers(&json!({}))).await;
        app.go_online(&a.key).await;
        app.go_online(&b.key).await;
        let mut rings = app.socket(&a.key, None).await;
        let mut silent = app.socket(&b.key, None).await;
        let id = write(&app, &channel, "v1", 1).await;
        let found = asked(&app, &id, &[&a]).await;
        assert_eq!(found["session"]["state"], "offered");
        assert!(found["session"]["offer_expires_at"].is_string() && found["session"]["operator_id"].is_null());
        let ring = rings.until(|frame| frame["type"] == "offer.created").await;
        assert_eq!((&ring["data"]["conversation_id"], &ring["data"]["operator_id"]), (&json!(id), &json!(a.id)));
        let mine = app.call_as(&a.key, "GET", "/offers", None).await.expect(200);
        assert_eq!(mine["items"][0]["conversation"]["id"], json!(id));
        assert_eq!(app.call_as(&b.key, "GET", "/offers", None).await.expect(200)["items"], json!([]));
        act(&app, &b.key, &id, "accept", json!({})).await.expect(409);
        let owned = act(&app, &a.key, &id, "accept", json!({})).await.expect(200);
        assert_eq!((&owned["session"]["state"], &owned["session"]["operator_id"]), (&json!("assigned"), &json!(a.id)));
        assert_eq!(owned["session"]["offered_to"], json!([]));
        // A click that was sent twice.
        act(&app, &a.key, &id, "accept", json!({})).await.expect(200);
        let ended = rings.until(|frame| frame["type"] == "offer.ended").await;
        assert_eq!(ended["data"]["outcome"], "accepted");
        assert_eq!(history(&app, &id).await, [("conversation".to_owned(), "offered".to_owned()), ("accept".to_owned(), "assigned".to_owned())]);
        // Nothing of it reached the other's socket, which has everything up to a later change.
        app.call_as(&b.key, "PUT", "/me/availability", Some(json!({"state": "paused"}))).await.expect(200);
        let heard = silent.until(|frame| {
            assert!(!frame["type"].as_str().unwrap().starts_with("offer."), "{frame}");
            frame["type"] == "operator.updated" && frame["data"]["id"] == json!(b.id) && frame["data"]["availability"] == "paused"
        });
        heard.await;
    }

    async fn who_declines_is_not_asked_again_and_the_reason_is_kept(app: TestApp) {
        let (a, b) = (operator(&app, "Anna", 5.0).await, operator(&app, "Boris", 5.0).await);
        let (_, channel) = line(&app, &[&a, &b], offers(&json!({}))).await;
        app.go_online(&a.key).await;
        let id = write(&app, &channel, "v1", 1).await;
        asked(&app, &id, &[&a]).await;
        let long = "x".repeat(201);
        act(&app, &a.key, &id, "decline", json!({"reason": long})).await.expect(422);
        act(&app, &a.key, &id, "decline", json!({"reason": "I do not know the product"})).await.expect(200);
        act(&app, &a.key, &id, "decline", json!({})).await.expect(409);
        act(&app, &a.key, &id, "accept", json!({})).await.expect(409);
        app.go_online(&b.key).await;
        asked(&app, &id, &[&b]).await;
        let listed = app.get(&format!("/conversations/{id}/routing")).await;
        let no = listed["items"].as_array().unwrap().iter().find(|one| one["trigger"] == "decline").unwrap();
        assert_eq!((&no["operator_id"], &no["reason"]), (&json!(a.id), &json!("I do not know the product")));
        let offered = &listed["items"][0];
        assert_eq!((&offered["outcome"], &offered["candidates"][0]["rejected_by"]), (&json!("offered"), &json!("declined")));
    }

    async fn a_round_goes_through_everybody_then_asks_all_and_then_begins_anew(app: TestApp) {
        let (a, b) = (operator(&app, "Anna", 5.0).await, operator(&app, "Boris", 5.0).await);
        let (_, channel) = line(&app, &[&a, &b], offers(&json!({"offer_timeout_secs": 1}))).await;
        app.go_online(&a.key).await;
        app.go_online(&b.key).await;
        let id = write(&app, &channel, "v1", 1).await;
        let anew = || async {
            let past = history(&app, &id).await;
            past.iter().any(|(trigger, _)| trigger == "round").then_some(past)
        };
        let past = app.until("a second round", anew).await;
        let outcomes: Vec<&str> = past.iter().filter(|(trigger, _)| trigger != "offer_lapsed").map(|(_, outcome)| outcome.as_str()).collect();
        assert_eq!(outcomes[..4], ["offered", "offered", "offered", "no_answer"], "{past:?}");
        assert_eq!(past.iter().filter(|(trigger, _)| trigger == "offer_lapsed").count(), 3);
        offers_and_sessions_agree(&app).await;
    }

    async fn a_session_nobody_takes_in_a_round_goes_to_the_overflow_line(app: TestApp) {
        let (a, b) = (operator(&app, "Anna", 5.0).await, operator(&app, "Boris", 5.0).await);
        let (second, _) = line(&app, &[&b], json!({})).await;
        let (_, channel) = line(&app, &[&a], offers(&json!({"overflow": {"line_id": second["id"]}}))).await;
        app.go_online(&a.key).await;
        app.go_online(&b.key).await;
        let id = write(&app, &channel, "v1", 1).await;
        asked(&app, &id, &[&a]).await;
        act(&app, &a.key, &id, "decline", json!({})).await.expect(200);
        assert_eq!(owner(&app, &id).await, b.id);
        assert_eq!(conversation(&app, &id).await["line_id"], second["id"]);
    }

    async fn of_all_who_are_asked_and_accept_at_once_one_gets_it(app: TestApp) {
        let mut people = Vec::new();
        for name in ["Anna", "Boris", "Clara", "David"] {
            people.push(operator(&app, name, 1.0).await);
        }
        let everybody: Vec<&Op> = people.iter().collect();
        let (_, channel) = line(&app, &everybody, offers(&json!({"distribution": "all"}))).await;
        for op in &people {
            app.go_online(&op.key).await;
        }
        let look = || async { (app.get("/users").await["items"].as_array().unwrap().iter().filter(|user| user["presence"] == "online").count() == 4).then_some(()) };
        app.until("four online", look).await;
        let (first, second) = (write(&app, &channel, "v1", 1).await, write(&app, &channel, "v2", 1).await);
        for id in [&first, &second] {
            let look = || async { (conversation(&app, id).await["session"]["offered_to"].as_array().unwrap().len() == 4).then_some(()) };
            app.until("four offers", look).await;
        }
        let tries = people.iter().flat_map(|op| [&first, &second].map(|id| act(&app, &op.key, id, "accept", json!({}))));
        let answers = futures_util::future::join_all(tries).await;
        let won = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(won, 2, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
        assert_ne!(owner(&app, &first).await, owner(&app, &second).await, "capacity is one");
        offers_and_sessions_agree(&app).await;
    }

    async fn an_offer_keeps_room_until_it_ends(app: TestApp) {
        let a = operator(&app, "Anna", 1.0).await;
        let (_, channel) = line(&app, &[&a], offers(&json!({}))).await;
        app.go_online(&a.key).await;
        let first = write(&app, &channel, "v1", 1).await;
        asked(&app, &first, &[&a]).await;
        let second = write(&app, &channel, "v2", 1).await;
        decision(&app, &second, |newest| newest["candidates"][0]["rejected_by"] == "at_capacity").await;
        assert_eq!(app.get(&format!("/users/{}", a.id)).await["load"], 1.0);
        act(&app, &a.key, &first, "accept", json!({})).await.expect(200);
        act(&app, &a.key, &first, "close", json!({})).await.expect(200);
        asked(&app, &second, &[&a]).await;
    }

    async fn whatever_else_happens_to_the_session_ends_its_offers(app: TestApp) {
        let (a, b) = (operator(&app, "Anna", 5.0).await, operator(&app, "Boris", 5.0).await);
        let (_, channel) = line(&app, &[&a], offers(&json!({}))).await;
        app.go_online(&a.key).await;
        app.go_online(&b.key).await;
        let ways = [("take", json!({})), ("close", json!({})), ("transfer", json!({"to_operator": b.id})), ("messages", json!({"kind": "reply", "text": "Hi"}))];
        for (number, (action, body)) in ways.into_iter().enumerate() {
            let id = write(&app, &channel, &format!("v{number}"), 1).await;
            asked(&app, &id, &[&a]).await;
            let answer = app.post(&format!("/conversations/{id}/{action}"), body).await;
            assert!(answer.status < 300, "{action}: {}", answer.body);
            assert_eq!(conversation(&app, &id).await["session"]["offered_to"], json!([]), "{action}");
            act(&app, &a.key, &id, "accept", json!({})).await.expect(409);
            offers_and_sessions_agree(&app).await;
        }
        let load = app.get(&format!("/users/{}", a.id)).await["load"].clone();
        assert_eq!(load, 0.0);
    }

    async fn who_pauses_is_not_asked_any_more_and_others_are(app: TestApp) {
        let (a, b) = (operator(&app, "Anna", 5.0).await, operator(&app, "Boris", 5.0).await);
        let (_, channel) = line(&app, &[&a, &b], offers(&json!({}))).await;
        app.go_online(&a.key).await;
        app.go_online(&b.key).await;
        let id = write(&app, &channel, "v1", 1).await;
        asked(&app, &id, &[&a]).await;
        app.call_as(&a.key, "PUT", "/me/availability", Some(json!({"state": "paused"}))).await.expect(200);
        asked(&app, &id, &[&b]).await;
        offers_and_sessions_agree(&app).await;
    }

    async fn an_offer_that_lapsed_while_the_server_was_down_is_over_and_nothing_is_forgotten(app: TestApp) {
        let (a, b) = (operator(&app, "Anna", 5.0).await, operator(&app, "Boris", 5.0).await);
        let (_, channel) = line(&app, &[&a, &b], offers(&json!({}))).await;
        for op in [&a, &b] {
            app.call_as(&op.key, "PUT", "/me/presence", Some(json!({"state": "online", "ttl_secs": 3600}))).await.expect(200);
        }
        let id = write(&app, &channel, "v1", 1).await;
        asked(&app, &id, &[&a]).await;
        let app = TestApp::start(app.stop().await).await;
        asked(&app, &id, &[&a]).await;
        // The deadline, by another node's clock.
        let later = SystemClock.now() + TimeDelta::seconds(700);
        assert_eq!(routing::offer::lapse(&app.app.db, later).await.unwrap(), 1);
        asked(&app, &id, &[&b]).await;
        act(&app, &a.key, &id, "accept", json!({})).await.expect(409);
        tokio::time::timeout(Duration::from_secs(60), async { act(&app, &b.key, &id, "accept", json!({})).await.expect(200) }).await.unwrap();
        assert_eq!(owner(&app, &id).await, b.id);
    }
}
