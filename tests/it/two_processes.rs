//! Two processes on one PostgreSQL: this one, and the program as it is installed. Both route, and people
//! answer offers and take by hand through both.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use switchboard::db::entity::{offer, routing_decision, session};

use crate::{
    cli::{Server, program},
    routing::{Op, line, operator, write},
    support::{Database, TestApp},
};

/// Calls the other process as this operator; the status.
async fn there(app: &TestApp, other: &Server, key: &str, method: &str, path: &str, body: &Value) -> u16 {
    let url = format!("{}/api/v1{path}", other.base);
    let request = app.client.request(method.parse().unwrap(), url);
    let answer = request.bearer_auth(key).json(body).send().await.unwrap();
    answer.status().as_u16()
}

/// Accepts here and takes there, at once: yes, or somebody was first.
async fn go_for(app: &TestApp, other: &Server, op: &Op, id: &str) {
    let accept = format!("/conversations/{id}/accept");
    let take = format!("/conversations/{id}/take");
    let nothing = json!({});
    let (here, remote) = tokio::join!(
        app.call_as(&op.key, "POST", &accept, Some(json!({}))),
        there(app, other, &op.key, "POST", &take, &nothing),
    );
    assert!([200, 409].contains(&here.status), "{}", here.body);
    assert!([200, 409].contains(&remote), "{remote}");
}

struct Held {
    /// Weighted, with what is kept free for offers.
    load: BTreeMap<String, usize>,
    waiting: usize,
}

async fn held(app: &TestApp) -> Held {
    let mut load: BTreeMap<String, usize> = BTreeMap::new();
    let mut waiting = 0;
    let sessions = session::Entity::find().all(app.app.db.read()).await.unwrap();
    for row in sessions.into_iter().filter(|row| row.state != "closed") {
        match row.operator_id {
            Some(owner) => *load.entry(owner).or_default() += 1,
            None => waiting += 1,
        }
    }
    Held { load, waiting }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_that_race_for_operators_and_sessions_give_each_one_owner_and_nobody_too_much() {
    let app = TestApp::start(Database::postgres().await).await;
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(folder.path());
    command
        .env("SWITCHBOARD__DATABASE__URL", &app.database.url)
        .env("SWITCHBOARD__SECURITY__MASTER_KEY", "11".repeat(32))
        .env("SWITCHBOARD__LIMITS__ENABLED", "false");
    let other = Server::of(&mut command);

    let mut people = Vec::new();
    for name in ["Anna", "Boris", "Clara", "David"] {
        people.push(operator(&app, name, 3.0).await);
    }
    let everybody: Vec<&Op> = people.iter().collect();
    let (_, straight) = line(&app, &everybody, json!({})).await;
    let (_, asking) = line(
        &app,
        &everybody,
        json!({"acceptance": "offer", "distribution": "all", "offer_timeout_secs": 5}),
    )
    .await;
    let present = json!({"state": "online", "ttl_secs": 600});
    for (number, op) in people.iter().enumerate() {
        if number % 2 == 0 {
            app.call_as(&op.key, "PUT", "/me/presence", Some(present.clone()))
                .await
                .expect(200);
        } else {
            let status = there(&app, &other, &op.key, "PUT", "/me/presence", &present).await;
            assert_eq!(status, 200);
        }
    }

    // Twice as many as all of them can hold.
    let mut conversations = Vec::new();
    for number in 0..24 {
        let channel = if number % 2 == 0 { &straight } else { &asking };
        conversations.push(write(&app, channel, &format!("v{number}"), 1).await);
    }
    // Everybody goes for everything, in both processes at once, until nobody has room.
    let full = async || {
        let held = held(&app).await;
        assert!(held.load.values().all(|count| *count <= 3), "{:?}", held.load);
        (held.load.values().sum::<usize>(), held.waiting)
    };
    while full().await != (12, 12) {
        let pairs = people
            .iter()
            .flat_map(|op| conversations.iter().map(move |id| (op, id)));
        let tries = pairs.map(|(op, id)| go_for(&app, &other, op, id));
        futures_util::future::join_all(tries).await;
    }

    // Each was given once, and whatever was asked and not accepted has ended.
    let given = routing_decision::Entity::find()
        .filter(routing_decision::Column::Outcome.eq("assigned"))
        .all(app.app.db.read())
        .await
        .unwrap();
    let sessions: BTreeSet<&String> = given.iter().map(|row| &row.session_id).collect();
    assert_eq!((given.len(), sessions.len()), (12, 12));
    let accepted = offer::Entity::find()
        .filter(offer::Column::Outcome.eq("accepted"))
        .all(app.app.db.read())
        .await
        .unwrap();
    let of: BTreeSet<&String> = accepted.iter().map(|row| &row.session_id).collect();
    assert_eq!(accepted.len(), of.len(), "one yes for a session");
}
