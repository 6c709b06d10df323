//! Lists of conversations, and who sees what.

use serde_json::{Value, json};

use crate::support::TestApp;

/// Two lines with a chat each; Anna stands in the first one's queue, Boris in the second one's.
struct Scene {
    support: Value,
    sales: Value,
    chats: [Value; 2],
    anna: (Value, String),
    boris: (Value, String),
}

async fn scene(app: &TestApp) -> Scene {
    let (anna, boris) = (
        app.operator("Anna", "operator").await,
        app.operator("Boris", "operator").await,
    );
    let support = app
        .line("Support", json!({"queue": [{"operator_id": anna.0["id"]}]}))
        .await;
    let sales = app
        .line("Sales", json!({"queue": [{"operator_id": boris.0["id"]}]}))
        .await;
    let chats = [
        app.channel("webchat", &support, json!({})).await,
        app.channel("webchat", &sales, json!({})).await,
    ];
    Scene {
        support,
        sales,
        chats,
        anna,
        boris,
    }
}

async fn ids(app: &TestApp, key: &str, path: &str) -> Vec<String> {
    let listed = app.call_as(key, "GET", path, None).await.expect(200);
    listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect()
}

both_databases! {
    async fn each_view_shows_its_conversations_in_its_order(app: TestApp) {
        let scene = scene(&app).await;
        let key = &scene.anna.1;
        let mut made = Vec::new();
        for name in ["one", "two", "three", "four"] {
            made.push(app.writes(&scene.chats[0], name, "Hello").await);
        }
        let act = |id: &str, action: &str, body: Value| {
            let path = format!("/conversations/{id}/{action}");
            let app = &app;
            async move { app.call_as(key, "POST", &path, Some(body)).await.expect(200) }
        };
        act(&made[1], "priority", json!({"priority": 5})).await;
        act(&made[0], "take", json!({})).await;
        act(&made[3], "close", json!({"reason": "done"})).await;
        app.writes(&scene.chats[0], "three", "Are you there?").await;
        assert_eq!(ids(&app, key, "/conversations?view=mine").await, [made[0].clone()]);
        assert_eq!(ids(&app, key, "/conversations?view=queue").await, [made[1].clone(), made[2].clone()]);
        assert_eq!(ids(&app, key, "/conversations").await, [made[2].clone(), made[0].clone(), made[1].clone()]);
        assert_eq!(ids(&app, key, "/conversations?view=closed").await, [made[3].clone()]);
        assert_eq!(ids(&app, key, "/conversations?status=closed").await, [made[3].clone()]);
        let counts = app.call_as(key, "GET", "/conversations/counts", None).await.expect(200);
        assert_eq!(counts, json!({"mine": 1, "queue": 2, "all": 3, "unread_mine": 1}));
        app.call("GET", "/conversations?view=everything", None).await.expect(400);
    }

    async fn lists_are_narrowed_by_line_channel_operator_and_words(app: TestApp) {
        let scene = scene(&app).await;
        let anna = app.writes(&scene.chats[0], "Анна Каренина", "Hello").await;
        let ivan = app.writes(&scene.chats[1], "Ivan_100%", "Hello").await;
        app.call_as(&scene.boris.1, "POST", &format!("/conversations/{ivan}/take"), None).await.expect(200);
        let both = {
            let mut both = vec![anna.clone(), ivan.clone()];
            both.sort();
            both
        };
        let me = scene.boris.0["id"].as_str().unwrap();
        let admin = app.key.clone();
        for (query, expected) in [
            ("line=support", vec![anna.clone()]),
            (&*format!("line={}", scene.sales["id"].as_str().unwrap()), vec![ivan.clone()]),
            ("line=nothing", vec![]),
            (&*format!("channel={}", scene.chats[0]["key"].as_str().unwrap()), vec![anna.clone()]),
            (&*format!("channel={}", scene.chats[1]["id"].as_str().unwrap()), vec![ivan.clone()]),
            ("channel=nothing", vec![]),
            (&*format!("operator={me}"), vec![ivan.clone()]),
            ("operator=me", vec![]),
            ("status=waiting", vec![anna.clone()]),
            ("status=assigned", vec![ivan.clone()]),
            ("q=%D0%BA%D0%B0%D1%80%D0%B5%D0%BD", vec![anna.clone()]),
            ("q=IVAN_1", vec![ivan.clone()]),
            ("q=0%25", vec![ivan.clone()]),
            // A wildcard is a character like others.
            ("q=n_n", vec![]),
            ("q=%20", both.clone()),
        ] {
            let mut found = ids(&app, &admin, &format!("/conversations?{query}")).await;
            found.sort();
            assert_eq!(found, expected, "{query}");
        }
        assert_eq!(ids(&app, &scene.boris.1, "/conversations?operator=me").await, [ivan]);
        assert!(scene.support["id"].is_string());
    }

    async fn an_operator_sees_own_lines_own_conversations_and_those_joined_and_nothing_else(app: TestApp) {
        let scene = scene(&app).await;
        let (key, stranger) = (&scene.anna.1, app.writes(&scene.chats[1], "ivan", "Secret words").await);
        let own = app.writes(&scene.chats[0], "olga", "Hello").await;
        let message = app.get(&format!("/conversations/{stranger}/messages")).await["items"][0]["id"].as_str().unwrap().to_owned();
        let lead = app.get(&format!("/conversations/{stranger}")).await["lead_id"].as_str().unwrap().to_owned();
        let path = format!("/conversations/{stranger}");
        for (method, path, body) in [
            ("GET", path.clone(), None),
            ("GET", format!("{path}/messages"), None),
            ("GET", format!("{path}/routing"), None),
            ("POST", format!("{path}/messages"), Some(json!({"text": "x"}))),
            ("POST", format!("{path}/messages"), Some(json!({"text": "x", "kind": "note"}))),
            ("POST", format!("{path}/read"), Some(json!({"seq": 1}))),
            ("POST", format!("{path}/take"), Some(json!({}))),
            ("POST", format!("{path}/accept"), None),
            ("POST", format!("{path}/decline"), None),
            ("POST", format!("{path}/return"), None),
            ("POST", format!("{path}/transfer"), Some(json!({"to_line": "support"}))),
            ("POST", format!("{path}/close"), Some(json!({}))),
            ("POST", format!("{path}/reopen"), None),
            ("POST", format!("{path}/spam"), None),
            ("POST", format!("{path}/snooze"), Some(json!({"until": null}))),
            ("POST", format!("{path}/participants"), Some(json!({}))),
            ("DELETE", format!("{path}/participants/{}", scene.anna.0["id"].as_str().unwrap()), None),
            ("POST", format!("{path}/tags"), Some(json!({"add": ["x"]}))),
            ("POST", format!("{path}/priority"), Some(json!({"priority": 1}))),
            ("POST", format!("/messages/{message}/retry"), None),
            ("GET", format!("/leads/{lead}"), None),
            ("PATCH", format!("/leads/{lead}"), Some(json!({"title": "x"}))),
        ] {
            let answer = app.call_as(key, method, &path, body).await;
            assert_eq!((answer.status, &answer.body["type"]), (404, &json!("/problems/not-found")), "{method} {path}: {}", answer.body);
        }
        assert_eq!(ids(&app, key, "/conversations").await, std::slice::from_ref(&own));
        assert_eq!(app.call_as(key, "GET", "/conversations/counts", None).await.expect(200)["all"], 1);
        assert!(!ids(&app, key, "/leads").await.contains(&lead));
        let of_contact = app.get(&path).await["contact"]["id"].as_str().unwrap().to_owned();
        for list in ["conversations", "leads"] {
            app.call_as(key, "GET", &format!("/contacts/{of_contact}/{list}"), None).await.expect(404);
        }
        // Joined, it is seen; left, it is not; owned, it is.
        app.post(&format!("{path}/participants"), json!({"operator_id": scene.anna.0["id"]})).await.expect(200);
        assert_eq!(app.call_as(key, "GET", &path, None).await.expect(200)["id"], json!(stranger));
        assert_eq!(ids(&app, key, "/conversations").await.len(), 2);
        app.call("DELETE", &format!("{path}/participants/{}", scene.anna.0["id"].as_str().unwrap()), None).await.expect(200);
        app.call_as(key, "GET", &path, None).await.expect(404);
        app.post(&format!("{path}/transfer"), json!({"to_operator": scene.anna.0["id"]})).await.expect(200);
        app.call_as(key, "GET", &format!("{path}/messages"), None).await.expect(200);
    }

    async fn a_supervisor_sees_and_moves_everything_and_changes_no_settings(app: TestApp) {
        let scene = scene(&app).await;
        let (_, key) = app.operator("Sara", "supervisor").await;
        let id = app.writes(&scene.chats[1], "ivan", "Hello").await;
        let path = format!("/conversations/{id}");
        app.call_as(&scene.boris.1, "POST", &format!("{path}/take"), None).await.expect(200);
        assert_eq!(ids(&app, &key, "/conversations").await, std::slice::from_ref(&id));
        app.call_as(&key, "POST", &format!("{path}/transfer"), Some(json!({"to_line": "support"}))).await.expect(200);
        app.call_as(&key, "POST", &format!("{path}/transfer"), Some(json!({"to_operator": scene.boris.0["id"]}))).await.expect(200);
        app.call_as(&key, "POST", &format!("{path}/participants"), Some(json!({"hidden": true}))).await.expect(200);
        app.call_as(&key, "POST", &format!("{path}/close"), Some(json!({}))).await.expect(200);
        app.call_as(&key, "GET", "/outbox", None).await.expect(200);
        app.call_as(&key, "GET", "/quarantine", None).await.expect(200);
        let (line, chat, user) = (&scene.support["id"], &scene.chats[0]["id"], &scene.boris.0["id"]);
        for (method, path) in [
            ("POST", "/lines".to_owned()), ("PATCH", format!("/lines/{}", line.as_str().unwrap())),
            ("POST", "/channels".to_owned()), ("PATCH", format!("/channels/{}", chat.as_str().unwrap())),
            ("DELETE", format!("/channels/{}", chat.as_str().unwrap())),
            ("POST", "/users".to_owned()), ("PATCH", format!("/users/{}", user.as_str().unwrap())),
            ("POST", "/teams".to_owned()), ("POST", "/apikeys".to_owned()), ("GET", "/apikeys".to_owned()),
        ] {
            app.call_as(&key, method, &path, Some(json!({"name": "Mine"}))).await.expect(403);
        }
    }

    async fn what_is_read_is_counted_and_never_unread_again(app: TestApp) {
        let scene = scene(&app).await;
        let id = app.writes(&scene.chats[0], "olga", "one").await;
        app.writes(&scene.chats[0], "olga", "two").await;
        app.writes(&scene.chats[0], "olga", "three").await;
        let path = format!("/conversations/{id}/read");
        let read = async |seq: i64| {
            let body = json!({"seq": seq});
            app.call_as(&scene.anna.1, "POST", &path, Some(body)).await.expect(200)
        };
        let seen = read(2).await;
        assert_eq!((&seen["unread"], &seen["read_seq"]), (&json!(1), &json!(2)));
        let seen = read(1).await;
        assert_eq!((&seen["unread"], &seen["read_seq"]), (&json!(1), &json!(2)));
        let seen = read(999).await;
        assert_eq!((&seen["unread"], &seen["read_seq"]), (&json!(0), &json!(3)));
    }
}
