//! The router on real databases: what the pure rule decides stays true under any interleaving.

use std::{collections::BTreeMap, time::Duration};

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use switchboard::{
    db::entity::{routing_decision, session},
    operator::{Counting, Presence, presence},
    routing,
};
use switchboard_sdk::{
    Batch, CancellationToken, Clock, Identity, IdentityKind, InboundBody, InboundEvent, InboundMessage,
    Outcome, Person, SystemClock,
};

use crate::support::TestApp;

/// One operator in a queue: the user and the key.
pub(crate) struct Op {
    pub(crate) id: String,
    pub(crate) key: String,
}

pub(crate) async fn operator(app: &TestApp, name: &str, capacity: f64) -> Op {
    let (me, key) = app.operator(name, "operator").await;
    let id = me["id"].as_str().unwrap().to_owned();
    app.patch(&format!("/users/{id}"), json!({"capacity": capacity}))
        .await
        .expect(200);
    Op { id, key }
}

/// A line with this queue and a web chat on it: both.
pub(crate) async fn line(app: &TestApp, queue: &[&Op], rules: Value) -> (Value, String) {
    let queue: Vec<Value> = queue.iter().map(|op| json!({"operator_id": op.id})).collect();
    let mut fields = json!({"queue": queue});
    fields
        .as_object_mut()
        .unwrap()
        .extend(rules.as_object().unwrap().clone());
    let line = app.line("Support", fields).await;
    let channel = app.channel("webchat", &line, json!({})).await;
    (line, channel["id"].as_str().unwrap().to_owned())
}

fn event(visitor: &str, number: usize) -> InboundEvent {
    let identity = Identity {
        kind: IdentityKind::External,
        value: visitor.to_owned(),
        verified: true,
    };
    let from = Person {
        identities: vec![identity],
        ..Person::default()
    };
    InboundEvent {
        external_id: format!("{visitor}-{number}"),
        at: SystemClock.now(),
        body: InboundBody::Message(InboundMessage {
            from,
            text: "Hello".to_owned(),
            ..InboundMessage::default()
        }),
    }
}

/// A client writes: the conversation's id.
pub(crate) async fn write(app: &TestApp, channel: &str, visitor: &str, number: usize) -> String {
    let receipt = app
        .app
        .ingest
        .deliver(channel, Batch::one(event(visitor, number)))
        .await
        .unwrap();
    match &receipt.outcomes[0] {
        Outcome::Stored {
            conversation_id: Some(id),
            ..
        } => id.clone(),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn conversation(app: &TestApp, id: &str) -> Value {
    app.get(&format!("/conversations/{id}")).await
}

/// Waits until somebody owns it: who.
pub(crate) async fn owner(app: &TestApp, id: &str) -> String {
    let look = || async {
        conversation(app, id).await["session"]["operator_id"]
            .as_str()
            .map(str::to_owned)
    };
    app.until("an owner", look).await
}

/// Waits until it waits.
pub(crate) async fn back_in_queue(app: &TestApp, id: &str) {
    let look = || async { (conversation(app, id).await["session"]["state"] == "waiting").then_some(()) };
    app.until("a return to the queue", look).await;
}

/// Waits until the newest decision is the one wanted: it.
pub(crate) async fn decision(app: &TestApp, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let look = || async {
        let listed = app.get(&format!("/conversations/{id}/routing")).await;
        listed["items"].get(0).filter(|newest| wanted(newest)).cloned()
    };
    app.until("a decision", look).await
}

pub(crate) async fn act(
    app: &TestApp,
    key: &str,
    id: &str,
    action: &str,
    body: Value,
) -> crate::support::Answer {
    app.call_as(key, "POST", &format!("/conversations/{id}/{action}"), Some(body))
        .await
}

/// Open sessions by owner, and those that wait.
pub(crate) async fn owners(app: &TestApp) -> (BTreeMap<String, usize>, usize) {
    let open = session::Entity::find()
        .filter(session::Column::State.ne("closed"))
        .all(app.app.db.read())
        .await
        .unwrap();
    let mut owners = BTreeMap::new();
    let mut waiting = 0;
    for row in open {
        match row.operator_id {
            Some(owner) => *owners.entry(owner).or_default() += 1,
            None => waiting += 1,
        }
    }
    (owners, waiting)
}

both_databases! {
    async fn a_session_goes_to_who_is_there_and_the_reasons_are_kept(app: TestApp) {
        let (a, b) = (operator(&app, "Anna", 5.0).await, operator(&app, "Boris", 5.0).await);
        let (line, channel) = line(&app, &[&a, &b], json!({})).await;
        app.go_online(&b.key).await;
        let id = write(&app, &channel, "u1", 1).await;
        assert_eq!(owner(&app, &id).await, b.id);
        let why = decision(&app, &id, |one| one["outcome"] == "assigned").await;
        assert_eq!((&why["algorithm"], &why["line_id"], &why["line_version"]), (&json!("even"), &line["id"], &json!(1)));
        let reasons: Vec<(&Value, &Value)> =
            why["candidates"].as_array().unwrap().iter().map(|one| (&one["operator_id"], &one["rejected_by"])).collect();
        assert_eq!(reasons, [(&json!(a.id), &json!("offline")), (&json!(b.id), &Value::Null)]);
        // Load is seen by everybody.
        assert_eq!(app.get(&format!("/users/{}", b.id)).await["load"], 1.0);
    }

    async fn who_comes_online_gets_those_who_waited_longest_first(app: TestApp) {
        let a = operator(&app, "Anna", 2.0).await;
        let (_, channel) = line(&app, &[&a], json!({})).await;
        let mut ids = Vec::new();
        for n in 0..4 {
            ids.push(write(&app, &channel, &format!("u{n}"), 1).await);
        }
        decision(&app, &ids[3], |one| one["candidates"][0]["rejected_by"] == "offline").await;
        app.post(&format!("/conversations/{}/priority", ids[3]), json!({"priority": 5})).await.expect(200);
        app.go_online(&a.key).await;
        assert_eq!((owner(&app, &ids[3]).await, owner(&app, &ids[0]).await), (a.id.clone(), a.id.clone()));
        let why = decision(&app, &ids[1], |one| one["candidates"][0]["rejected_by"] == "at_capacity").await;
        assert_eq!(why["outcome"], "waiting");
        // Capacity that is freed is used at once, by the next in line.
        act(&app, &a.key, &ids[0], "close", json!({})).await.expect(200);
        assert_eq!(owner(&app, &ids[1]).await, a.id);
        assert_eq!(conversation(&app, &ids[2]).await["session"]["state"], "waiting");
    }

    async fn waiting_is_explained_once_and_again_only_when_the_reason_changes(app: TestApp) {
        let a = operator(&app, "Anna", 5.0).await;
        let (_, channel) = line(&app, &[&a], json!({})).await;
        let id = write(&app, &channel, "u1", 1).await;
        decision(&app, &id, |one| one["candidates"][0]["rejected_by"] == "offline").await;
        for n in 2..10 {
            write(&app, &channel, "u1", n).await;
        }
        app.call_as(&a.key, "PUT", "/me/presence", Some(json!({"state": "away", "ttl_secs": 600}))).await.expect(200);
        decision(&app, &id, |one| one["candidates"][0]["rejected_by"] == "away").await;
        let stored = routing_decision::Entity::find().all(app.app.db.read()).await.unwrap();
        assert_eq!(stored.len(), 2);
    }

    async fn nobody_is_above_capacity_and_even_is_even_with_three_routers_at_once(app: TestApp) {
        let mut operators = Vec::new();
        for name in ["Anna", "Boris", "Clara"] {
            operators.push(operator(&app, name, 5.0).await);
        }
        let (_, channel) = line(&app, &operators.iter().collect::<Vec<_>>(), json!({})).await;
        for op in &operators {
            app.go_online(&op.key).await;
        }
        let stop = CancellationToken::new();
        let mut others = tokio::task::JoinSet::new();
        for _ in 0..2 {
            let (db, clock) = (app.app.db.clone(), app.app.clock.clone());
            others.spawn(routing::run(db, clock, Counting::default().into(), stop.clone()));
        }
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..40 {
            let (ingest, channel) = (app.app.ingest.clone(), channel.clone());
            tasks.spawn(async move { ingest.deliver(&channel, Batch::one(event(&format!("u{n}"), 1))).await.unwrap() });
        }
        // Meanwhile people take by hand what they can get.
        for op in &operators {
            let listed = app.get("/conversations?view=queue&limit=3").await;
            for waiting in listed["items"].as_array().unwrap() {
                let answer = act(&app, &op.key, waiting["id"].as_str().unwrap(), "take", json!({})).await;
                assert!([200, 409].contains(&answer.status), "{answer:?}");
            }
        }
        while let Some(receipt) = tasks.join_next().await {
            receipt.unwrap();
        }
        let full = || async {
            let (owners, waiting) = owners(&app).await;
            assert!(owners.values().all(|count| *count <= 5), "above capacity: {owners:?}");
            (owners.values().sum::<usize>() == 15 && waiting == 25).then_some(())
        };
        app.until("everybody has what they can hold", full).await;
        // One owner each, and each assignment was decided exactly once.
        let decided = routing_decision::Entity::find()
            .filter(routing_decision::Column::Outcome.eq("assigned"))
            .all(app.app.db.read())
            .await
            .unwrap();
        let mut sessions: Vec<&String> = decided.iter().map(|row| &row.session_id).collect();
        sessions.sort_unstable();
        sessions.dedup();
        assert_eq!((decided.len(), sessions.len()), (15, 15));
        stop.cancel();
        while let Some(ended) = others.join_next().await {
            ended.unwrap();
        }
    }

    async fn turns_go_round_whatever_is_closed_in_between(app: TestApp) {
        let (a, b) = (operator(&app, "Anna", 50.0).await, operator(&app, "Boris", 50.0).await);
        let (_, channel) = line(&app, &[&a, &b], json!({"sticky": {"enabled": false}})).await;
        app.go_online(&a.key).await;
        app.go_online(&b.key).await;
        let mut got = Vec::new();
        for n in 0..6 {
            let id = write(&app, &channel, &format!("u{n}"), 1).await;
            let to = owner(&app, &id).await;
            if to == a.id {
                // A quick worker does not get more for it.
                act(&app, &a.key, &id, "close", json!({})).await.expect(200);
            }
            got.push(to);
        }
        assert_eq!(got, [&a.id, &b.id, &a.id, &b.id, &a.id, &b.id].map(String::clone));
    }

    async fn an_unanswered_session_leaves_with_the_presence_of_its_owner(app: TestApp) {
        let (a, b) = (operator(&app, "Anna", 5.0).await, operator(&app, "Boris", 5.0).await);
        let (_, channel) = line(&app, &[&a, &b], json!({"distribution": "strict"})).await;
        let now = SystemClock.now();
        presence::touch(&app.app.db, &a.id, "test", Presence::Online, Duration::from_secs(2), now).await.unwrap();
        app.go_online(&b.key).await;
        let id = write(&app, &channel, "u1", 1).await;
        assert_eq!(owner(&app, &id).await, a.id);
        let waiting_since = conversation(&app, &id).await["session"]["waiting_since"].clone();
        let moved = || async { (conversation(&app, &id).await["session"]["operator_id"] == json!(b.id)).then_some(()) };
        app.until("the lease lapses and Boris gets it", moved).await;
        assert_eq!(conversation(&app, &id).await["session"]["waiting_since"], waiting_since);
        assert_eq!(app.get(&format!("/users/{}", a.id)).await["presence"], "offline");
    }

    async fn who_pauses_gives_back_what_is_unanswered_and_the_rest_when_the_client_writes(app: TestApp) {
        let (a, b) = (operator(&app, "Anna", 5.0).await, operator(&app, "Boris", 5.0).await);
        let (_, channel) = line(&app, &[&a, &b], json!({"distribution": "strict", "sticky": {"enabled": false}})).await;
        app.go_online(&a.key).await;
        let (answered, unanswered) = (write(&app, &channel, "u1", 1).await, write(&app, &channel, "u2", 1).await);
        assert_eq!((owner(&app, &answered).await, owner(&app, &unanswered).await), (a.id.clone(), a.id.clone()));
        let path = format!("/conversations/{answered}/messages");
        let reply = json!({"text": "Yes?", "client_id": "r1"});
        app.call_as(&a.key, "POST", &path, Some(reply)).await.expect(201);
        app.call_as(&a.key, "PUT", "/me/availability", Some(json!({"state": "paused", "reason": "Lunch"}))).await.expect(200);
        back_in_queue(&app, &unanswered).await;
        assert_eq!(conversation(&app, &answered).await["session"]["operator_id"], json!(a.id));
        app.go_online(&b.key).await;
        assert_eq!(owner(&app, &unanswered).await, b.id);
        write(&app, &channel, "u1", 2).await;
        let moved = || async { (conversation(&app, &answered).await["session"]["operator_id"] == json!(b.id)).then_some(()) };
        app.until("the client's next message moves it to Boris", moved).await;
    }

    async fn what_is_taken_by_hand_while_paused_stays(app: TestApp) {
        let a = operator(&app, "Anna", 1.0).await;
        let (_, channel) = line(&app, &[&a], json!({})).await;
        app.go_online(&a.key).await;
        app.call_as(&a.key, "PUT", "/me/availability", Some(json!({"state": "paused"}))).await.expect(200);
        let (first, second) = (write(&app, &channel, "u1", 1).await, write(&app, &channel, "u2", 1).await);
        act(&app, &a.key, &first, "take", json!({})).await.expect(200);
        let refused = act(&app, &a.key, &second, "take", json!({})).await;
        assert_eq!(refused.expect(409)["type"], "/problems/at-capacity");
        act(&app, &a.key, &second, "take", json!({"force": true})).await.expect(403);
        // The router has looked at it again since.
        write(&app, &channel, "u1", 2).await;
        let third = write(&app, &channel, "u3", 1).await;
        decision(&app, &third, |one| one["candidates"][0]["rejected_by"] == "paused").await;
        assert_eq!(conversation(&app, &first).await["session"]["operator_id"], json!(a.id));
    }

    async fn of_many_who_take_one_session_one_gets_it(app: TestApp) {
        let mut keys = Vec::new();
        let mut operators = Vec::new();
        for n in 0..6 {
            let op = operator(&app, &format!("Op {n}"), 5.0).await;
            keys.push(op.key.clone());
            operators.push(op);
        }
        let (_, channel) = line(&app, &operators.iter().collect::<Vec<_>>(), json!({})).await;
        let id = write(&app, &channel, "u1", 1).await;
        let (app, id) = (&app, id.as_str());
        let answers = futures_util::future::join_all(keys.iter().map(|key| act(app, key, id, "take", json!({})))).await;
        let won = answers.iter().filter(|answer| answer.status == 200).count();
        let lost = answers.iter().filter(|answer| answer.status == 409).count();
        assert_eq!((won, lost), (1, 5), "{answers:?}");
    }

    async fn what_is_given_back_by_hand_goes_to_another(app: TestApp) {
        let (a, b) = (operator(&app, "Anna", 5.0).await, operator(&app, "Boris", 5.0).await);
        let (_, channel) = line(&app, &[&a, &b], json!({"distribution": "strict"})).await;
        app.go_online(&a.key).await;
        let id = write(&app, &channel, "u1", 1).await;
        assert_eq!(owner(&app, &id).await, a.id);
        act(&app, &a.key, &id, "return", json!({})).await.expect(200);
        let why = decision(&app, &id, |one| one["trigger"] != "return").await;
        assert_eq!(why["candidates"][0]["rejected_by"], "declined");
        app.go_online(&b.key).await;
        assert_eq!(owner(&app, &id).await, b.id);
    }

    async fn a_new_queue_and_a_new_team_are_used_at_once(app: TestApp) {
        let (a, b) = (operator(&app, "Anna", 1.0).await, operator(&app, "Boris", 5.0).await);
        let team = app.post("/teams", json!({"name": "Night"})).await.expect(201);
        let (line, channel) = line(&app, &[&a], json!({})).await;
        let path = format!("/lines/{}", line["id"].as_str().unwrap());
        app.go_online(&b.key).await;
        let id = write(&app, &channel, "u1", 1).await;
        decision(&app, &id, |one| one["outcome"] == "waiting").await;
        app.patch(&path, json!({"queue": [{"operator_id": a.id}, {"team_id": team["id"]}]})).await.expect(200);
        let members = json!({"member_ids": [b.id]});
        app.patch(&format!("/teams/{}", team["id"].as_str().unwrap()), members).await.expect(200);
        assert_eq!(owner(&app, &id).await, b.id);
    }

    async fn a_closed_line_keeps_sessions_waiting_and_says_why(app: TestApp) {
        let a = operator(&app, "Anna", 5.0).await;
        let hours = json!({"hours": {"time_zone": "UTC", "weekly": {}, "exceptions": []}});
        let (line, channel) = line(&app, &[&a], hours).await;
        assert_eq!((&line["open"], &line["opens_at"]), (&json!(false), &Value::Null));
        app.go_online(&a.key).await;
        let id = write(&app, &channel, "u1", 1).await;
        decision(&app, &id, |one| one["outcome"] == "off_hours").await;
        app.patch(&format!("/lines/{}", line["id"].as_str().unwrap()), json!({"hours": null})).await.expect(200);
        assert_eq!(owner(&app, &id).await, a.id);
    }

    async fn the_operator_who_answered_before_is_first_again(app: TestApp) {
        let (a, b) = (operator(&app, "Anna", 5.0).await, operator(&app, "Boris", 5.0).await);
        let (_, channel) = line(&app, &[&a, &b], json!({"distribution": "strict"})).await;
        app.go_online(&b.key).await;
        let id = write(&app, &channel, "u1", 1).await;
        assert_eq!(owner(&app, &id).await, b.id);
        let contact = conversation(&app, &id).await["contact"]["id"].as_str().unwrap().to_owned();
        app.patch(&format!("/contacts/{contact}"), json!({"operator_id": b.id})).await.expect(200);
        act(&app, &b.key, &id, "close", json!({"reason": "done"})).await.expect(200);
        app.go_online(&a.key).await;
        write(&app, &channel, "u1", 2).await;
        let why = decision(&app, &id, |one| one["algorithm"] == "sticky").await;
        assert_eq!((&why["outcome"], &why["operator_id"]), (&json!("assigned"), &json!(b.id)));
    }
}
