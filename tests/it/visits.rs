//! What visitors may do beyond writing, what operators know of them, and what keeps floods and pests out.

use reqwest::header;
use serde_json::{Value, json};
use switchboard_webchat::sign;

use crate::support::{Database, Socket, TestApp};

async fn chat(app: &TestApp, settings: Value) -> Value {
    let line = app.line("Support", json!({"rating": {"enabled": true}})).await;
    app.channel("webchat", &line, settings).await
}

fn url(app: &TestApp, channel: &Value, path: &str) -> String {
    format!(
        "{}/widget/v1/{}/{path}",
        app.base,
        channel["key"].as_str().unwrap()
    )
}

async fn socket(app: &TestApp, channel: &Value, token: &str) -> Socket {
    let url = url(app, channel, &format!("socket?token={token}&after=0"));
    Socket::at(&url.replacen("http", "ws", 1)).await
}

/// A visitor who said hello: their token, and the conversation.
async fn talk(app: &TestApp, channel: &Value) -> (String, String) {
    let token = app.visitor(channel).await;
    let said = app.says(channel, &token, "hello").await;
    (token, said["conversation_id"].as_str().unwrap().to_owned())
}

async fn reply(app: &TestApp, conversation: &str, text: &str) -> Value {
    app.post(
        &format!("/conversations/{conversation}/messages"),
        json!({"text": text, "kind": "reply"}),
    )
    .await
    .expect(201)
}

async fn history(app: &TestApp, channel: &Value, token: &str, query: &str) -> Value {
    let request = app
        .client
        .get(url(app, channel, &format!("messages{query}")))
        .bearer_auth(token);
    app.ask(request).await.expect(200)
}

both_databases! {
    async fn a_visitor_ends_the_talk_is_asked_for_a_rating_and_goes_on_by_writing(app: TestApp) {
        let channel = chat(&app, json!({})).await;
        let stranger = app.visitor(&channel).await;
        app.widget(&channel, "end", Some(&stranger), json!({})).await.expect(409);
        let (token, conversation) = talk(&app, &channel).await;
        reply(&app, &conversation, "good morning").await;
        app.widget(&channel, "end", Some(&token), json!({})).await.expect(204);
        app.widget(&channel, "end", Some(&token), json!({})).await.expect(204);
        let ended = app.get(&format!("/conversations/{conversation}")).await;
        assert_eq!((&ended["session"]["state"], &ended["session"]["close_reason"]), (&json!("closed"), &json!("visitor")));
        let seen = history(&app, &channel, &token, "").await;
        assert!(seen["rating"]["session_id"].is_string(), "{seen}");
        assert!(!seen.to_string().contains("ended the chat"), "{seen}");
        assert_eq!(app.says(&channel, &token, "one more thing").await["conversation_id"], conversation.as_str());
        let again = app.get(&format!("/conversations/{conversation}")).await;
        assert_ne!(again["session"]["id"], ended["session"]["id"]);
        app.stop().await;
    }

    async fn a_request_without_a_socket_waits_for_news_and_no_longer_than_for_them(app: TestApp) {
        let channel = chat(&app, json!({})).await;
        let (token, conversation) = talk(&app, &channel).await;
        let listeners = async |count: usize| {
            app.until("as many listen", || async { (app.app.visitors.count() == count).then_some(()) }).await;
        };
        // Somebody else, to whom nobody says anything, waits as long: whoever has news is answered first.
        let (other, _) = talk(&app, &channel).await;
        let known = tokio::select! {
            known = history(&app, &channel, &token, "?wait=20") => known,
            nothing = history(&app, &channel, &other, "?after=1&wait=20") => panic!("{nothing}"),
        };
        assert_eq!(known["items"].as_array().unwrap().len(), 1);
        listeners(0).await;
        let told = async {
            let waiting = history(&app, &channel, &token, "?after=1&wait=20");
            tokio::join!(waiting, async {
                listeners(2).await;
                reply(&app, &conversation, "good morning").await;
            }).0
        };
        let news = tokio::select! {
            news = told => news,
            nothing = history(&app, &channel, &other, "?after=1&wait=20") => panic!("{nothing}"),
        };
        assert_eq!(news["items"][0]["text"], "good morning");
        let nothing = history(&app, &channel, &token, "?after=2&wait=1").await;
        assert_eq!(nothing["items"], json!([]));
        listeners(0).await;
        app.stop().await;
    }

    async fn who_is_blocked_neither_writes_nor_comes_back_until_let_in_again(app: TestApp) {
        let channel = chat(&app, json!({"identity_secret": "k"})).await;
        let (token, conversation) = talk(&app, &channel).await;
        let (other, _) = talk(&app, &channel).await;
        let block = format!("/conversations/{conversation}/visitor/block");
        assert_eq!(app.post(&block, json!({})).await.expect(200)["blocked"], true);
        let message = json!({"client_id": "c", "text": "let me in"});
        app.widget(&channel, "messages", Some(&token), message.clone()).await.expect(403);
        app.widget(&channel, "sessions", None, json!({"visitor_token": token})).await.expect(403);
        app.says(&channel, &other, "I am somebody else at the same address").await;
        // The address too: strangers and the other one are out, whom the site knows is in.
        app.post(&block, json!({"address": true})).await.expect(200);
        app.widget(&channel, "messages", Some(&other), message.clone()).await.expect(403);
        app.widget(&channel, "sessions", None, json!({})).await.expect(403);
        let exp = app.app.clock.now().timestamp() + 60;
        let identity = json!({"user_id": "u1", "exp": exp, "signature": sign("k", "u1", exp)});
        let path = format!("/channels/{}/blocks", channel["id"].as_str().unwrap());
        let blocks = app.get(&path).await;
        assert_eq!(blocks["items"].as_array().unwrap().len(), 2, "{blocks}");
        let address = blocks["items"].as_array().unwrap().iter().find(|one| one["kind"] == "address").unwrap().clone();
        assert_eq!(address["address"], "127.0.0.1");
        assert!(address["ends_at"].is_string());
        let known = app.widget(&channel, "sessions", None, json!({"identity": identity})).await.expect(200);
        app.says(&channel, known["visitor_token"].as_str().unwrap(), "I am signed in").await;
        app.call("DELETE", &format!("{path}/{}", address["id"].as_str().unwrap()), None).await.expect(204);
        app.says(&channel, &other, "thank you").await;
        app.widget(&channel, "messages", Some(&token), message.clone()).await.expect(403);
        assert_eq!(app.call("DELETE", &block, None).await.expect(200)["blocked"], false);
        app.widget(&channel, "messages", Some(&token), message).await.expect(201);
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_words_of_a_burst_of_typing_are_shown_where_the_chat_says_so() {
    let app = TestApp::start(Database::sqlite().await).await;
    let channel = chat(&app, json!({"typing_preview": true})).await;
    let (token, _) = talk(&app, &channel).await;
    let mut operators = app.socket(&app.key, None).await;
    operators.until(|frame| frame["type"] == "hello").await;
    let mut visitor = socket(&app, &channel, &token).await;
    visitor.until(|frame| frame["type"] == "receipt").await;
    for text in ["H", "He", "Hel", "Hello ther"] {
        visitor.say(json!({"type": "typing", "text": text})).await;
    }
    let last = operators
        .until(|frame| frame["type"] == "typing" && frame["data"]["text"] == "Hello ther")
        .await;
    assert_eq!(last["data"]["author"]["type"], "contact");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_written_stays_with_the_visitor_unless_the_chat_says_so() {
    let app = TestApp::start(Database::sqlite().await).await;
    let channel = chat(&app, json!({})).await;
    let (token, _) = talk(&app, &channel).await;
    let mut operators = app.socket(&app.key, None).await;
    operators.until(|frame| frame["type"] == "hello").await;
    app.widget(&channel, "typing", Some(&token), json!({"text": "my secret"}))
        .await
        .expect(204);
    let hint = operators.until(|frame| frame["type"] == "typing").await;
    assert_eq!(hint["data"]["text"], Value::Null);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_with_a_name_for_its_staff_never_tells_theirs() {
    let app = TestApp::start(Database::sqlite().await).await;
    let channel = chat(&app, json!({"staff_name": "The lamp shop"})).await;
    let (_, key) = app.operator("Zarina Karimova", "admin").await;
    let (token, conversation) = talk(&app, &channel).await;
    let mut visitor = socket(&app, &channel, &token).await;
    let mut operator = app.socket(&key, None).await;
    let messages = format!("/conversations/{conversation}/messages");
    let first = app
        .call_as(
            &key,
            "POST",
            &messages,
            Some(json!({"text": "Good day", "kind": "reply"})),
        )
        .await
        .expect(201);
    let quoting = json!({"text": "And further", "kind": "reply", "reply_to": first["id"]});
    app.call_as(&key, "POST", &messages, Some(quoting))
        .await
        .expect(201);
    let seen = visitor
        .until(|frame| frame["message"]["text"] == "Good day")
        .await;
    assert_eq!(seen["message"]["author"]["name"], "The lamp shop");
    operator
        .say(json!({"type": "typing", "conversation_id": conversation}))
        .await;
    let typing = visitor.until(|frame| frame["type"] == "typing").await;
    assert_eq!(typing["author"]["name"], "The lamp shop");
    app.call_as(
        &key,
        "POST",
        &format!("/conversations/{conversation}/close"),
        Some(json!({})),
    )
    .await
    .expect(200);
    let all = history(&app, &channel, &token, "").await;
    assert!(!all.to_string().contains("Zarina"), "{all}");
    assert!(
        all.to_string().contains("The lamp shop closed the conversation"),
        "{all}"
    );
    assert!(all["items"][2]["reply_to"]["name"] == "The lamp shop", "{all}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_who_watches_is_told_where_the_visitor_is() {
    let app = TestApp::start(Database::sqlite().await).await;
    let channel = chat(&app, json!({})).await;
    let token = app
        .widget(
            &channel,
            "sessions",
            None,
            json!({"page": {"url": "https://shop.example/", "title": "Lamps"}}),
        )
        .await
        .expect(200);
    let token = token["visitor_token"].as_str().unwrap().to_owned();
    let said = app.says(&channel, &token, "hello").await;
    let conversation = said["conversation_id"].as_str().unwrap();
    let path = format!("/conversations/{conversation}/visitor");
    let away = app.get(&path).await;
    assert_eq!(
        (&away["online"], &away["page"]["title"], &away["proven"]),
        (&json!(false), &json!("Lamps"), &json!(false))
    );
    let mut operator = app.socket(&app.key, None).await;
    operator
        .say(json!({"type": "watch", "conversation_id": conversation}))
        .await;
    let first = operator.until(|frame| frame["type"] == "visitor").await;
    assert_eq!(first["data"]["online"], false);
    let mut visitor = socket(&app, &channel, &token).await;
    let page = json!({"type": "page", "url": "https://shop.example/green", "title": "The green lamp", "hidden": false});
    visitor.say(page).await;
    let there = operator
        .until(|frame| frame["type"] == "visitor" && frame["data"]["page"]["title"] == "The green lamp")
        .await;
    assert_eq!(there["data"]["online"], true);
    assert_eq!(app.get(&path).await["page"]["url"], "https://shop.example/green");
    drop(visitor);
    operator
        .until(|frame| frame["type"] == "visitor" && frame["data"]["online"] == false)
        .await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_who_does_not_see_a_conversation_learns_nothing_of_its_visitor() {
    let app = TestApp::start(Database::sqlite().await).await;
    let channel = chat(&app, json!({})).await;
    let (token, conversation) = talk(&app, &channel).await;
    let (_, key) = app.operator("Stranger", "operator").await;
    for (method, path) in [("GET", "visitor"), ("POST", "visitor/block")] {
        let path = format!("/conversations/{conversation}/{path}");
        app.call_as(&key, method, &path, Some(json!({})))
            .await
            .expect(404);
    }
    let _here = socket(&app, &channel, &token).await;
    let mut operator = app.socket(&key, None).await;
    operator
        .say(json!({"type": "watch", "conversation_id": conversation}))
        .await;
    operator.say(json!({"type": "ping"})).await;
    let heard = operator
        .until(|frame| frame["type"] == "visitor" || frame["type"] == "pong")
        .await;
    assert_eq!(heard["type"], "pong");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_writes_before_they_agreed_and_the_words_go_with_them() {
    let app = TestApp::start(Database::sqlite().await).await;
    let channel = chat(&app, json!({"consent_text": "I agree."})).await;
    let token = app.visitor(&channel).await;
    let message = json!({"client_id": "c", "text": "hello"});
    let refused = app
        .widget(&channel, "messages", Some(&token), message.clone())
        .await
        .expect(422);
    assert_eq!(refused["errors"][0]["field"], "consent");
    app.widget(
        &channel,
        "sessions",
        None,
        json!({"visitor_token": token, "contact": {"consent": "true"}}),
    )
    .await
    .expect(200);
    app.widget(&channel, "messages", Some(&token), message)
        .await
        .expect(201);
    let leads = app.get("/leads").await;
    let kept = leads["items"][0]["attribution"]["last"]["prechat_consent"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert!(kept.ends_with(": I agree."), "{leads}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invitations_are_the_channels_and_kept_by_browsers_of_its_sites() {
    let app = TestApp::start(Database::sqlite().await).await;
    let rule = json!({"text": "May we help?", "after_secs": 20, "url": "/prices", "visitors": "returning"});
    let channel = chat(
        &app,
        json!({"invitations": [rule], "allowed_origins": ["https://shop.example"]}),
    )
    .await;
    let ask = |origin: &'static str| {
        app.client
            .get(url(&app, &channel, "invitations"))
            .header(header::ORIGIN, origin)
            .send()
    };
    let answer = ask("https://shop.example").await.unwrap();
    assert_eq!(answer.headers()["cache-control"], "private, max-age=300");
    assert_eq!(
        answer.headers()["access-control-allow-origin"],
        "https://shop.example"
    );
    assert_eq!(answer.json::<Value>().await.unwrap()["items"], json!([rule]));
    assert_eq!(ask("https://evil.example").await.unwrap().status(), 403);
    app.stop().await;
}

/// The nonce that solves a puzzle, by trying.
fn solve(puzzle: &Value) -> Value {
    use sha2::{Digest, Sha256};
    let challenge = puzzle["challenge"].as_str().unwrap();
    let bits = u32::try_from(puzzle["bits"].as_u64().unwrap()).unwrap();
    let zeros = |nonce: u64| {
        let hash = Sha256::digest(format!("{challenge}:{nonce}"));
        u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]).leading_zeros()
    };
    let nonce = (0_u64..).find(|nonce| zeros(*nonce) >= bits).unwrap();
    json!({"challenge": challenge, "nonce": nonce.to_string()})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_strangers_costs_each_of_them_work_and_turns_nobody_away() {
    let app = TestApp::start_set(
        Database::sqlite().await,
        &[
            ("SWITCHBOARD__LIMITS__ENABLED", "true"),
            ("SWITCHBOARD__LIMITS__CHAT_STRANGERS_PER_MINUTE", "12"),
            ("SWITCHBOARD__SERVER__TRUSTED_PROXIES", "[\"127.0.0.0/8\"]"),
        ],
    )
    .await;
    let channel = chat(&app, json!({})).await;
    let open = |from: String, body: Value| {
        let request = app
            .client
            .post(url(&app, &channel, "sessions"))
            .header("x-forwarded-for", from)
            .json(&body);
        app.ask(request)
    };
    // An office: three come as they are, the fourth solves, who is known does not.
    let office = || "203.0.113.7".to_owned();
    let mut tokens = Vec::new();
    for _ in 0..3 {
        tokens.push(open(office(), json!({})).await.expect(200)["visitor_token"].clone());
    }
    let asked = open(office(), json!({})).await.expect(429);
    assert!(asked["work"]["bits"].as_u64() > Some(0), "{asked}");
    let solution = solve(&asked["work"]);
    open(office(), json!({"work": solution})).await.expect(200);
    open(office(), json!({"work": solution})).await.expect(429);
    open(office(), json!({"visitor_token": tokens[0]}))
        .await
        .expect(200);
    // From everywhere at once: the channel's own budget.
    let mut answers = Vec::new();
    for n in 0..20 {
        answers.push(open(format!("198.51.100.{n}"), json!({})).await.status);
    }
    assert!(answers.contains(&429) && answers[0] == 200, "{answers:?}");
    app.stop().await;
}
