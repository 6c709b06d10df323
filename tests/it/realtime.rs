//! The operators' socket: everything they may see, in order, without gaps.

use sea_orm::{ConnectionTrait, EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use switchboard::db::entity::event;

use crate::support::{Socket, TestApp};

async fn chat(app: &TestApp, queue: Value) -> Value {
    let line = app.line("Support", json!({"queue": queue})).await;
    app.channel("webchat", &line, json!({})).await
}

/// Everything up to this message, and the socket's own numbers strictly growing.
async fn heard(socket: &mut Socket, last: &str) -> Vec<Value> {
    let mut frames: Vec<Value> = Vec::new();
    loop {
        let frame = socket.next().await.expect("the socket stays open");
        if let (Some(before), Some(now)) = (
            frames.iter().rev().find_map(|frame| frame["seq"].as_i64()),
            frame["seq"].as_i64(),
        ) {
            assert!(now > before, "{now} after {before}");
        }
        let end = frame["type"] == "message.created" && frame["data"]["text"] == last;
        frames.push(frame);
        if end {
            return frames;
        }
    }
}

/// What the socket hears until a change of the line that was made just now: everything before it has then
/// been judged by the rights of its own time.
async fn heard_before(app: &TestApp, socket: &mut Socket, path: &str, name: &str) -> Vec<Value> {
    app.patch(path, json!({"name": name})).await.expect(200);
    let mut frames = Vec::new();
    loop {
        let frame = socket.next().await.expect("the socket stays open");
        if frame["type"] == "line.updated" && frame["data"]["name"] == name {
            return frames;
        }
        frames.push(frame);
    }
}

fn texts(frames: &[Value]) -> Vec<&str> {
    let created = frames.iter().filter(|frame| frame["type"] == "message.created");
    created
        .map(|frame| frame["data"]["text"].as_str().unwrap())
        .collect()
}

both_databases! {
    async fn a_socket_says_hello_and_then_what_happens_as_whole_objects(app: TestApp) {
        let chat = chat(&app, json!([])).await;
        let mut socket = app.socket(&app.key, None).await;
        let hello = socket.next().await.unwrap();
        assert_eq!((&hello["type"], &hello["resumed"]), (&json!("hello"), &json!(true)));
        let id = app.writes(&chat, "olga", "Hello").await;
        let mut seen = heard(&mut socket, "Hello").await;
        while !seen.iter().any(|frame| frame["type"] == "conversation.updated") {
            seen.push(socket.next().await.unwrap());
        }
        let of = |kind: &str| seen.iter().find(|frame| frame["type"] == kind).unwrap_or_else(|| panic!("{kind} in {seen:?}"));
        let message = of("message.created");
        assert!(message["seq"].as_i64() > hello["seq"].as_i64() && message["at"].is_string());
        assert_eq!((&message["data"]["conversation_id"], &message["data"]["kind"]), (&json!(id), &json!("inbound")));
        assert_eq!(of("conversation.updated")["data"]["id"], json!(id));
        assert_eq!(of("lead.created")["data"]["conversation_id"], json!(id));
        socket.say(json!({"type": "ping"})).await;
        socket.until(|frame| frame["type"] == "pong").await;
    }

    async fn a_socket_that_was_cut_gets_exactly_what_it_missed(app: TestApp) {
        let chat = chat(&app, json!([])).await;
        let mut socket = app.socket(&app.key, None).await;
        app.writes(&chat, "olga", "before the cut").await;
        let last = heard(&mut socket, "before the cut").await.last().unwrap()["seq"].as_i64().unwrap();
        drop(socket);
        let mut expected: Vec<String> = Vec::new();
        for n in 0..50 {
            let text = format!("message {n}");
            app.writes(&chat, &format!("visitor {}", n % 7), &text).await;
            expected.push(text);
        }
        let mut socket = app.socket(&app.key, Some(last)).await;
        let hello = socket.next().await.unwrap();
        assert_eq!(hello, json!({"type": "hello", "seq": last, "resumed": true}));
        // Some more while it catches up: neither lost between the log and the bus, nor sent by both.
        for n in 50..60 {
            let text = format!("message {n}");
            app.writes(&chat, "visitor 1", &text).await;
            expected.push(text);
        }
        let frames = heard(&mut socket, "message 59").await;
        assert_eq!(texts(&frames), expected);
        assert!(frames[0]["seq"].as_i64().unwrap() == last + 1, "an admin sees every number");
        let numbers: Vec<i64> = frames.iter().filter_map(|frame| frame["seq"].as_i64()).collect();
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
    }

    async fn many_sockets_that_come_and_go_while_many_write_miss_nothing(app: TestApp) {
        let chat = chat(&app, json!([])).await;
        let since = *app.app.db.head().borrow();
        let writer = async {
            let mut tasks = Vec::new();
            for n in 0..4 {
                let (app, chat) = (&app, &chat);
                tasks.push(async move {
                    for m in 0..15 {
                        app.writes(chat, &format!("visitor {n}"), &format!("{n}:{m}")).await;
                    }
                });
            }
            futures_util::future::join_all(tasks).await;
            app.writes(&chat, "visitor 0", "the end").await;
        };
        let reader = |step: usize| {
            let app = &app;
            async move {
                let (mut since, mut seen) = (since, Vec::new());
                loop {
                    let mut socket = app.socket(&app.key, Some(since)).await;
                    assert_eq!(socket.next().await.unwrap()["resumed"], true);
                    for _ in 0..step {
                        let frame = socket.next().await.unwrap();
                        let Some(seq) = frame["seq"].as_i64() else { continue };
                        assert!(seq > since, "{seq} after {since}");
                        since = seq;
                        if frame["type"] == "message.created" {
                            seen.push(frame["data"]["text"].as_str().unwrap().to_owned());
                        }
                        if seen.last().is_some_and(|text| text == "the end") {
                            return seen;
                        }
                    }
                }
            }
        };
        let ((), one, two, three) = tokio::join!(writer, reader(1000), reader(17), reader(40));
        for mut seen in [one, two, three] {
            assert_eq!(seen.len(), 61);
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), 61, "each once");
        }
    }

    async fn a_number_that_cannot_be_resumed_from_is_told(app: TestApp) {
        let chat = chat(&app, json!([])).await;
        for n in 0..5 {
            app.writes(&chat, "olga", &n.to_string()).await;
        }
        for beyond in [Some(1), Some(1_000_000), None] {
            let head = *app.app.db.head().borrow();
            let since = beyond.map_or(-1, |beyond| head + beyond);
            let mut socket = app.socket(&app.key, Some(since)).await;
            let hello = socket.next().await.unwrap();
            // (A presence that begins or ends meanwhile moves the head.)
            assert_eq!((&hello["resumed"], hello["seq"].as_i64() >= Some(head)), (&json!(false), true), "{since}: {hello}");
            // It is alive all the same, from now on.
            let text = format!("after {since}");
            app.writes(&chat, "ivan", &text).await;
            assert_eq!(texts(&heard(&mut socket, &text).await), [text.as_str()]);
        }
        // The beginning of the log was removed.
        assert!(event::Entity::find().count(app.app.db.read()).await.unwrap() > 5);
        let write = app.app.db.write().await.unwrap();
        write.tx().execute_unprepared("DELETE FROM event WHERE seq <= 3").await.unwrap();
        write.commit().await.unwrap();
        for (since, resumed) in [(0, false), (2, false), (3, true)] {
            let mut socket = app.socket(&app.key, Some(since)).await;
            assert_eq!(socket.next().await.unwrap()["resumed"], resumed, "{since}");
        }
    }

    async fn an_operator_hears_nothing_of_others_conversations(app: TestApp) {
        let (anna, key) = app.operator("Anna", "operator").await;
        let own = chat(&app, json!([{"operator_id": anna["id"]}])).await;
        let line = app.line("Sales", json!({})).await;
        let other = app.channel("webchat", &line, json!({})).await;
        let mut socket = app.socket(&key, None).await;
        let since = socket.next().await.unwrap()["seq"].as_i64().unwrap();
        for n in 0..10 {
            app.writes(&other, &format!("stranger {n}"), "Secret words").await;
        }
        app.writes(&own, "olga", "Hello").await;
        let live = heard(&mut socket, "Hello").await;
        let mut again = app.socket(&key, Some(since)).await;
        let replayed = heard(&mut again, "Hello").await;
        let foreign = app.get(&format!("/conversations?channel={}", other["id"].as_str().unwrap())).await;
        assert_eq!(foreign["items"].as_array().unwrap().len(), 10);
        for frames in [live, replayed] {
            let all = json!(frames).to_string();
            assert_eq!(texts(&frames), ["Hello"]);
            assert!(!all.contains("Secret"), "{all}");
            for row in foreign["items"].as_array().unwrap() {
                assert!(!all.contains(row["id"].as_str().unwrap()), "{all}");
                assert!(!all.contains(row["lead_id"].as_str().unwrap()), "{all}");
            }
        }
    }

    async fn a_conversation_that_is_moved_away_is_taken_from_the_list(app: TestApp) {
        let (anna, anna_key) = app.operator("Anna", "operator").await;
        let (boris, boris_key) = app.operator("Boris", "operator").await;
        let chat = chat(&app, json!([{"operator_id": anna["id"]}])).await;
        app.line("Sales", json!({"queue": [{"operator_id": boris["id"]}]})).await;
        let id = app.writes(&chat, "olga", "Hello").await;
        let mut annas = app.socket(&anna_key, None).await;
        let mut boriss = app.socket(&boris_key, None).await;
        let since = annas.next().await.unwrap()["seq"].as_i64().unwrap();
        app.call_as(&anna_key, "POST", &format!("/conversations/{id}/transfer"), Some(json!({"to_line": "sales"}))).await.expect(200);
        let removed = annas.until(|frame| frame["type"] == "conversation.removed").await;
        assert_eq!((&removed["data"], removed["seq"].as_i64() > Some(since)), (&json!({"id": id}), true));
        let came = boriss.until(|frame| frame["type"] == "conversation.updated").await;
        assert_eq!(came["data"]["id"], json!(id));
        // Who was away meanwhile is told too.
        let mut again = app.socket(&anna_key, Some(since)).await;
        again.until(|frame| frame["type"] == "conversation.removed" && frame["data"]["id"] == json!(id)).await;
        // Nothing more of it comes.
        app.writes(&chat, "olga", "Are you there?").await;
        app.writes(&chat, "ivan", "Another one").await;
        for socket in [&mut annas, &mut again] {
            let frames = heard(socket, "Another one").await;
            assert!(!json!(frames).to_string().contains("Are you there?"), "{frames:?}");
        }
        assert_eq!(anna["role"], "operator");
    }

    async fn who_leaves_a_queue_or_joins_one_hears_accordingly_at_once(app: TestApp) {
        let (anna, key) = app.operator("Anna", "operator").await;
        let line = app.line("Support", json!({})).await;
        let chat = app.channel("webchat", &line, json!({})).await;
        let path = format!("/lines/{}", line["id"].as_str().unwrap());
        let mut socket = app.socket(&key, None).await;
        socket.until(|frame| frame["type"] == "hello").await;
        app.writes(&chat, "one", "unseen").await;
        assert!(texts(&heard_before(&app, &mut socket, &path, "First").await).is_empty());
        app.patch(&path, json!({"queue": [{"operator_id": anna["id"]}]})).await.expect(200);
        app.writes(&chat, "two", "seen").await;
        assert_eq!(texts(&heard(&mut socket, "seen").await), ["seen"]);
        app.patch(&path, json!({"queue": []})).await.expect(200);
        app.writes(&chat, "three", "unseen again").await;
        assert!(texts(&heard_before(&app, &mut socket, &path, "Second").await).is_empty());
        let team = app.post("/teams", json!({"name": "Night", "member_ids": [anna["id"]]})).await.expect(201);
        app.patch(&path, json!({"queue": [{"team_id": team["id"]}]})).await.expect(200);
        app.writes(&chat, "four", "seen again").await;
        assert_eq!(texts(&heard(&mut socket, "seen again").await), ["seen again"]);
        app.patch(&format!("/teams/{}", team["id"].as_str().unwrap()), json!({"member_ids": []})).await.expect(200);
        app.writes(&chat, "five", "not for her").await;
        assert!(texts(&heard_before(&app, &mut socket, &path, "Third").await).is_empty());
        app.patch(&format!("/users/{}", anna["id"].as_str().unwrap()), json!({"role": "supervisor"})).await.expect(200);
        app.writes(&chat, "six", "for a supervisor").await;
        assert_eq!(texts(&heard(&mut socket, "for a supervisor").await), ["for a supervisor"]);
    }

    async fn typing_is_told_to_those_who_see_the_conversation_and_not_to_the_typist(app: TestApp) {
        let (anna, anna_key) = app.operator("Anna", "operator").await;
        let (_, boris_key) = app.operator("Boris", "operator").await;
        let chat = chat(&app, json!([{"operator_id": anna["id"]}])).await;
        let id = app.writes(&chat, "olga", "Hello").await;
        let mut sockets = Vec::new();
        for key in [&app.key, &anna_key, &boris_key] {
            let mut socket = app.socket(key, None).await;
            socket.until(|frame| frame["type"] == "hello").await;
            sockets.push(socket);
        }
        // Boris may not type where he sees nothing.
        sockets[2].say(json!({"type": "typing", "conversation_id": id})).await;
        sockets[2].say(json!({"type": "ping"})).await;
        sockets[2].until(|frame| frame["type"] == "pong").await;
        sockets[1].say(json!({"type": "typing", "conversation_id": id})).await;
        let told = sockets[0].until(|frame| frame["type"] == "typing").await;
        assert_eq!(told, json!({"type": "typing", "data": {"conversation_id": id, "text": null,
            "author": {"type": "operator", "id": anna["id"], "name": "Anna"}}}));
        app.writes(&chat, "ivan", "the end").await;
        heard(&mut sockets[1], "the end").await.iter().for_each(|frame| assert_ne!(frame["type"], "typing"));
        sockets[2].say(json!({"type": "ping"})).await;
        assert_ne!(sockets[2].until(|frame| ["pong", "typing"].contains(&frame["type"].as_str().unwrap())).await["type"], "typing");
    }

    async fn what_a_client_says_wrong_is_passed_over(app: TestApp) {
        let mut socket = app.socket(&app.key, None).await;
        for frame in [json!({"type": "dance"}), json!([]), json!("x"), json!({"type": "typing"}), json!({"type": "typing", "conversation_id": "cnv_x"}),
            json!({"type": "typing", "conversation_id": "a\0b"}), json!({}), json!({"type": 5})] {
            socket.say(frame).await;
        }
        socket.say(json!({"type": "ping"})).await;
        socket.until(|frame| frame["type"] == "pong").await;
    }

    async fn presence_follows_the_socket(app: TestApp) {
        let (anna, key) = app.operator("Anna", "operator").await;
        let path = format!("/users/{}", anna["id"].as_str().unwrap());
        let presence = |wanted: &'static str| {
            let (app, path) = (&app, &path);
            app.until(wanted, move || async move { (app.get(path).await["presence"] == wanted).then_some(()) })
        };
        let mut watcher = app.socket(&app.key, None).await;
        watcher.until(|frame| frame["type"] == "hello").await;
        assert_eq!(app.get(&path).await["presence"], "offline");
        let mut socket = app.socket(&key, None).await;
        presence("online").await;
        let told = watcher.until(|frame| frame["type"] == "operator.updated" && frame["data"]["id"] == anna["id"]).await;
        assert_eq!(told["data"]["presence"], "online");
        socket.say(json!({"type": "away"})).await;
        presence("away").await;
        socket.say(json!({"type": "active"})).await;
        presence("online").await;
        // A second window keeps the presence when the first one goes.
        let second = app.socket(&key, None).await;
        socket.say(json!({"type": "ping"})).await;
        socket.until(|frame| frame["type"] == "pong").await;
        drop(socket);
        drop(second);
        // A reload is no absence: it lasts for some seconds, then it ends and is told.
        assert_eq!(app.get(&path).await["presence"], "online");
        presence("offline").await;
        watcher.until(|frame| frame["type"] == "operator.updated" && frame["data"]["presence"] == "offline").await;
    }
}
