//! The web chat as a visitor's browser uses it.

use reqwest::{Response, header};
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use switchboard::db::entity::{contact, visitor};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Database, Socket, TestApp};

const SITE: &str = "https://shop.example";

async fn chat(app: &TestApp, settings: Value) -> Value {
    let line = app.line("Support", json!({})).await;
    app.channel("webchat", &line, settings).await
}

fn url(app: &TestApp, channel: &Value, path: &str) -> String {
    format!(
        "{}/widget/v1/{}/{path}",
        app.base,
        channel["key"].as_str().unwrap()
    )
}

async fn session(app: &TestApp, channel: &Value, body: Value) -> Value {
    app.widget(channel, "sessions", None, body).await.expect(200)
}

async fn history(app: &TestApp, channel: &Value, token: &str, query: &str) -> Value {
    let request = app
        .client
        .get(url(app, channel, &format!("messages{query}")))
        .bearer_auth(token);
    request.send().await.unwrap().json().await.unwrap()
}

async fn texts(app: &TestApp, channel: &Value, token: &str) -> Vec<String> {
    let history = history(app, channel, token, "").await;
    history["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["text"].as_str().unwrap().to_owned())
        .collect()
}

async fn conversation_of(app: &TestApp, channel: &Value, token: &str) -> Value {
    session(app, channel, json!({"visitor_token": token})).await["conversation_id"].clone()
}

async fn staff_says(app: &TestApp, conversation: &Value, kind: &str, text: &str) -> Value {
    let path = format!("/conversations/{}/messages", conversation.as_str().unwrap());
    app.post(&path, json!({"text": text, "kind": kind}))
        .await
        .expect(201)
}

async fn socket(app: &TestApp, channel: &Value, token: &str, after: Option<i64>) -> Socket {
    let after = after.map(|after| format!("&after={after}")).unwrap_or_default();
    let url = url(app, channel, &format!("socket?token={token}{after}"));
    Socket::at(&url.replacen("http", "ws", 1)).await
}

fn is_message(frame: &Value) -> bool {
    frame["type"] == "message"
}

both_databases! {
    async fn a_visitor_who_wrote_nothing_leaves_no_trace_among_conversations(app: TestApp) {
        let channel = chat(&app, json!({})).await;
        let opened = session(&app, &channel, json!({"contact": {"name": "Ann", "email": "ann@shop.example"}})).await;
        assert_eq!((&opened["conversation_id"], &opened["line_open"], &opened["opens_at"]), (&Value::Null, &json!(true), &Value::Null));
        assert!(opened["settings"]["max_text_chars"].as_i64() > Some(1000));
        let token = opened["visitor_token"].as_str().unwrap();
        assert_eq!(history(&app, &channel, token, "").await, json!({"items": [], "next_cursor": null}));
        assert_eq!(contact::Entity::find().count(app.app.db.read()).await.unwrap(), 0);
        assert_eq!(visitor::Entity::find().count(app.app.db.read()).await.unwrap(), 1);
        // The token is in no table.
        let row = visitor::Entity::find().one(app.app.db.read()).await.unwrap().unwrap();
        assert!(!format!("{row:?}").contains(token));
        app.stop().await;
    }

    async fn a_repeated_message_is_the_first_one_and_a_known_token_finds_its_conversation(app: TestApp) {
        let channel = chat(&app, json!({})).await;
        let token = app.visitor(&channel).await;
        let body = json!({"client_id": "c-1", "text": "hello"});
        let first = app.widget(&channel, "messages", Some(&token), body.clone()).await.expect(201);
        let again = app.widget(&channel, "messages", Some(&token), body).await.expect(200);
        assert_eq!((&first["id"], &first["seq"]), (&again["id"], &again["seq"]));
        let opened = session(&app, &channel, json!({"visitor_token": token})).await;
        assert_eq!(opened["visitor_token"], token.as_str());
        assert_eq!(opened["conversation_id"], first["conversation_id"]);
        let stored = history(&app, &channel, &token, "").await;
        assert_eq!(stored["items"].as_array().unwrap().len(), 1);
        assert_eq!((&stored["items"][0]["client_id"], &stored["items"][0]["read"]), (&json!("c-1"), &json!(false)));
        app.stop().await;
    }

    async fn notes_and_hidden_words_never_reach_a_visitor(app: TestApp) {
        let channel = chat(&app, json!({})).await;
        let token = app.visitor(&channel).await;
        let mut socket = socket(&app, &channel, &token, Some(0)).await;
        app.says(&channel, &token, "hello").await;
        let conversation = conversation_of(&app, &channel, &token).await;
        staff_says(&app, &conversation, "note", "a difficult one").await;
        app.widget(&channel, "rating", Some(&token), json!({"score": 2, "comment": "slow"})).await.expect(204);
        staff_says(&app, &conversation, "reply", "good morning").await;
        let mut seen = Vec::new();
        while seen.last() != Some(&"good morning".to_owned()) {
            seen.push(socket.until(is_message).await["message"]["text"].as_str().unwrap().to_owned());
        }
        for shown in [seen, texts(&app, &channel, &token).await] {
            assert!(!shown.iter().any(|text| text.contains("difficult") || text.contains("slow")), "{shown:?}");
        }
        let all = app.get(&format!("/conversations/{}/messages", conversation.as_str().unwrap())).await;
        assert!(all.to_string().contains("slow") && all.to_string().contains("difficult"));
        let rated = app.get(&format!("/conversations/{}", conversation.as_str().unwrap())).await;
        assert_eq!(rated["session"]["rating"], 2);
        app.stop().await;
    }

    async fn a_socket_opened_before_the_first_message_and_one_that_comes_back_miss_nothing(app: TestApp) {
        let channel = chat(&app, json!({})).await;
        let token = app.visitor(&channel).await;
        let mut early = socket(&app, &channel, &token, None).await;
        assert_eq!(early.next().await, Some(json!({"type": "hello", "seq": 0})));
        app.says(&channel, &token, "one").await;
        let first = early.until(is_message).await;
        assert_eq!(first["message"]["text"], "one");
        let conversation = conversation_of(&app, &channel, &token).await;
        drop(early);
        for number in 2..=130 {
            if number % 2 == 0 {
                staff_says(&app, &conversation, "reply", &number.to_string()).await;
            } else {
                app.says(&channel, &token, &number.to_string()).await;
            }
        }
        // While the socket catches up, more is written.
        let seq = first["message"]["seq"].as_i64();
        let (mut back, _) = tokio::join!(socket(&app, &channel, &token, seq), staff_says(&app, &conversation, "reply", "131"));
        let mut seen = Vec::new();
        while seen.len() < 130 {
            let frame = back.until(is_message).await;
            if frame["message"]["kind"] != "system" {
                seen.push(frame["message"]["text"].as_str().unwrap().parse::<i64>().unwrap());
            }
        }
        assert_eq!(seen, (2..=131).collect::<Vec<_>>());
        back.say(json!({"type": "ping"})).await;
        back.until(|frame| frame["type"] == "pong").await;
        app.stop().await;
    }

    async fn a_typed_address_joins_the_contact_and_opens_nobodys_history(app: TestApp) {
        let channel = chat(&app, json!({})).await;
        let open = json!({"contact": {"name": "Ann", "email": "ann@shop.example"}});
        let real = session(&app, &channel, open.clone()).await["visitor_token"].as_str().unwrap().to_owned();
        app.says(&channel, &real, "my secret").await;
        let other = session(&app, &channel, open).await;
        assert_eq!(other["conversation_id"], Value::Null);
        let other = other["visitor_token"].as_str().unwrap().to_owned();
        app.says(&channel, &other, "who am I?").await;
        assert_eq!(texts(&app, &channel, &other).await, ["who am I?"]);
        assert_eq!(texts(&app, &channel, &real).await, ["my secret"]);
        let list = app.get("/conversations?view=all").await;
        let items = list["items"].as_array().unwrap();
        assert_eq!(items.len(), 2);
        assert_eq!(items[0]["contact"]["id"], items[1]["contact"]["id"]);
        app.stop().await;
    }

    async fn a_signed_identity_is_one_conversation_on_every_device_and_takes_the_anonymous_one_along(app: TestApp) {
        let secret = "a-long-random-string-known-to-the-site";
        let channel = chat(&app, json!({"identity_secret": secret})).await;
        let exp = app.app.clock.now().timestamp() + 600;
        let signed = |user: &str| json!({"user_id": user, "exp": exp, "signature": switchboard_webchat::sign(secret, user, exp)});
        let phone = app.visitor(&channel).await;
        app.says(&channel, &phone, "before signing in").await;
        let first = session(&app, &channel, json!({"visitor_token": phone, "identity": signed("u7")})).await;
        assert_eq!(first["visitor_token"], phone.as_str());
        assert!(first["conversation_id"].is_string());
        let laptop = session(&app, &channel, json!({"identity": signed("u7")})).await;
        assert_eq!(laptop["conversation_id"], first["conversation_id"]);
        let token = laptop["visitor_token"].as_str().unwrap();
        app.says(&channel, token, "from the laptop").await;
        assert_eq!(texts(&app, &channel, &phone).await, ["before signing in", "from the laptop"]);
        // Somebody else signs in on the same browser: another visitor, nothing of the first.
        let next = session(&app, &channel, json!({"visitor_token": phone, "identity": signed("u8")})).await;
        assert_ne!(next["visitor_token"], phone.as_str());
        assert_eq!(next["conversation_id"], Value::Null);
        let mut forged = signed("u7");
        forged["user_id"] = json!("admin");
        app.widget(&channel, "sessions", None, json!({"identity": forged})).await.expect(401);
        let past = exp - 1200;
        let expired = json!({"user_id": "u7", "exp": past, "signature": switchboard_webchat::sign(secret, "u7", past)});
        app.widget(&channel, "sessions", None, json!({"identity": expired})).await.expect(401);
        let contact = app.get("/conversations?view=all").await["items"][0]["contact"]["id"].clone();
        let identities = app.get(&format!("/contacts/{}", contact.as_str().unwrap())).await["identities"].to_string();
        assert!(identities.contains("\"u7\""), "{identities}");
        app.stop().await;
    }

    async fn what_a_visitor_has_read_shows_on_the_answer_and_what_staff_has_read_shows_to_the_visitor(app: TestApp) {
        let channel = chat(&app, json!({})).await;
        let token = app.visitor(&channel).await;
        let said = app.says(&channel, &token, "hello").await;
        let conversation = conversation_of(&app, &channel, &token).await;
        let answer = staff_says(&app, &conversation, "reply", "hi").await;
        assert_eq!(answer["delivery"]["state"], "sent");
        let state = |wanted: &'static str| {
            let path = format!("/conversations/{}/messages", conversation.as_str().unwrap());
            let (app, answer) = (&app, &answer);
            app.until(wanted, move || {
                let path = path.clone();
                async move {
                    let messages = app.get(&path).await;
                    let row = messages["items"].as_array().unwrap().iter().find(|row| row["id"] == answer["id"]).unwrap().clone();
                    (row["delivery"]["state"] == wanted).then_some(())
                }
            })
        };
        let mut socket = socket(&app, &channel, &token, Some(0)).await;
        socket.say(json!({"type": "delivered", "seq": answer["seq"]})).await;
        state("delivered").await;
        app.widget(&channel, "read", Some(&token), json!({"seq": answer["seq"]})).await.expect(204);
        state("read").await;
        let read = format!("/conversations/{}/read", conversation.as_str().unwrap());
        app.post(&read, json!({"seq": said["seq"]})).await.expect(200);
        socket.until(|frame| frame["type"] == "receipt" && frame["read_seq"] == said["seq"]).await;
        let items = history(&app, &channel, &token, "").await["items"].clone();
        assert_eq!(items[0]["read"], true);
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_goes_both_ways_and_a_hidden_participant_does_not_show() {
    let app = TestApp::start(Database::sqlite().await).await;
    let channel = chat(&app, json!({"typing_preview": true})).await;
    let token = app.visitor(&channel).await;
    app.says(&channel, &token, "hello").await;
    let conversation = conversation_of(&app, &channel, &token).await;
    let mut operators = app.socket(&app.key, None).await;
    operators.until(|frame| frame["type"] == "hello").await;
    app.widget(&channel, "typing", Some(&token), json!({"text": "I would li"}))
        .await
        .expect(204);
    let typing = operators.until(|frame| frame["type"] == "typing").await;
    assert_eq!(
        (&typing["data"]["text"], &typing["data"]["author"]["type"]),
        (&json!("I would li"), &json!("contact"))
    );
    let mut visitor = socket(&app, &channel, &token, None).await;
    visitor.until(|frame| frame["type"] == "receipt").await;
    operators
        .say(json!({"type": "typing", "conversation_id": conversation}))
        .await;
    let frame = visitor.until(|frame| frame["type"] == "typing").await;
    assert!(
        frame["author"]["name"].is_string() && frame["author"].get("id").is_none(),
        "{frame}"
    );
    app.stop().await;
}

async fn from_site(app: &TestApp, channel: &Value, method: reqwest::Method, origin: &str) -> Response {
    let request = app
        .client
        .request(method, url(app, channel, "sessions"))
        .header(header::ORIGIN, origin);
    request.json(&json!({})).send().await.unwrap()
}

fn shown<'a>(response: &'a Response, name: &str) -> &'a str {
    response
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_pages_of_listed_sites_may_use_the_chat_and_read_its_answers() {
    let app = TestApp::start(Database::sqlite().await).await;
    let channel = chat(&app, json!({"allowed_origins": [SITE]})).await;
    let good = from_site(&app, &channel, reqwest::Method::POST, SITE).await;
    assert_eq!(
        (
            good.status().as_u16(),
            shown(&good, "access-control-allow-origin")
        ),
        (200, SITE)
    );
    assert!(
        good.headers().get_all("vary").iter().any(|value| value
            .to_str()
            .unwrap()
            .to_lowercase()
            .contains("origin"))
    );
    assert!(good.headers().get("access-control-allow-credentials").is_none());
    let preflight = from_site(&app, &channel, reqwest::Method::OPTIONS, SITE).await;
    assert_eq!(preflight.status(), 204);
    assert!(shown(&preflight, "access-control-allow-headers").contains("authorization"));
    for method in [reqwest::Method::POST, reqwest::Method::OPTIONS] {
        let bad = from_site(&app, &channel, method, "https://evil.example").await;
        assert_eq!(
            (bad.status().as_u16(), shown(&bad, "access-control-allow-origin")),
            (403, "")
        );
    }
    // A socket has no CORS: the handshake itself is refused.
    let token = app.visitor(&channel).await;
    let request = app
        .client
        .get(url(&app, &channel, &format!("socket?token={token}")))
        .header(header::ORIGIN, "https://evil.example");
    let request = request
        .header("connection", "upgrade")
        .header("upgrade", "websocket");
    let request = request
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    assert_eq!(request.send().await.unwrap().status(), 403);
    app.stop().await;
}

async fn upload(
    app: &TestApp,
    channel: &Value,
    token: &str,
    name: &str,
    kind: &str,
    data: Vec<u8>,
) -> Response {
    let part = reqwest::multipart::Part::bytes(data)
        .file_name(name.to_owned())
        .mime_str(kind)
        .unwrap();
    let form = reqwest::multipart::Form::new().part("file", part);
    app.client
        .post(url(app, channel, "attachments"))
        .bearer_auth(token)
        .multipart(form)
        .send()
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_go_both_ways_and_open_for_nobody_else() {
    let app = TestApp::start(Database::sqlite().await).await;
    let channel = chat(&app, json!({})).await;
    let (token, stranger) = (app.visitor(&channel).await, app.visitor(&channel).await);
    let png = b"\x89PNG\r\n\x1a\nand so on".to_vec();
    let picture: Value = upload(&app, &channel, &token, "Фото 1.png", "image/png", png.clone())
        .await
        .json()
        .await
        .unwrap();
    let page: Value = upload(
        &app,
        &channel,
        &token,
        "x.html",
        "text/html",
        b"<script>".to_vec(),
    )
    .await
    .json()
    .await
    .unwrap();
    let body = json!({"client_id": "c-1", "text": "", "attachments": [picture["id"], page["id"]]});
    app.widget(&channel, "messages", Some(&stranger), body.clone())
        .await
        .expect(422);
    let first = app
        .widget(&channel, "messages", Some(&token), body.clone())
        .await
        .expect(201);
    let again = app
        .widget(&channel, "messages", Some(&token), body)
        .await
        .expect(200);
    assert_eq!(first["id"], again["id"]);
    let items = history(&app, &channel, &token, "").await["items"].clone();
    let files = items[0]["attachments"].as_array().unwrap().clone();
    assert_eq!(
        (files.len(), &files[0]["name"], &files[0]["size"]),
        (2, &json!("Фото 1.png"), &json!(png.len()))
    );
    let open = |address: String| app.client.get(format!("{}{address}", app.base)).send();
    let shown_picture = open(files[0]["url"].as_str().unwrap().to_owned()).await.unwrap();
    assert_eq!(
        (
            shown_picture.status().as_u16(),
            shown(&shown_picture, "content-type")
        ),
        (200, "image/png")
    );
    assert!(shown(&shown_picture, "content-disposition").starts_with("inline"));
    assert_eq!(shown(&shown_picture, "x-content-type-options"), "nosniff");
    assert_eq!(shown_picture.bytes().await.unwrap(), png);
    let saved = open(files[1]["url"].as_str().unwrap().to_owned()).await.unwrap();
    assert!(shown(&saved, "content-disposition").starts_with("attachment"));
    let id = picture["id"].as_str().unwrap();
    for (token, status) in [(&token, 200), (&stranger, 404)] {
        let path = format!(
            "/widget/v1/{}/attachments/{id}?token={token}",
            channel["key"].as_str().unwrap()
        );
        assert_eq!(open(path).await.unwrap().status(), status);
    }
    let bare = format!("/widget/v1/{}/attachments/{id}", channel["key"].as_str().unwrap());
    assert_eq!(open(bare).await.unwrap().status(), 401);
    let large = upload(
        &app,
        &channel,
        &token,
        "large",
        "application/zip",
        vec![0; 27 << 20],
    )
    .await;
    assert_eq!(large.status(), 413);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_that_is_off_says_so_and_an_unknown_one_is_not_found() {
    let app = TestApp::start(Database::sqlite().await).await;
    let channel = chat(&app, json!({})).await;
    let token = app.visitor(&channel).await;
    app.patch(
        &format!("/channels/{}", channel["id"].as_str().unwrap()),
        json!({"enabled": false}),
    )
    .await
    .expect(200);
    let off = from_site(&app, &channel, reqwest::Method::POST, SITE).await;
    assert_eq!(
        (off.status().as_u16(), shown(&off, "access-control-allow-origin")),
        (503, SITE)
    );
    assert!(off.headers().contains_key("retry-after"));
    let body = json!({"client_id": "c-1", "text": "hello"});
    app.widget(&channel, "messages", Some(&token), body.clone())
        .await
        .expect(503);
    app.widget(&json!({"key": "nobody"}), "messages", Some(&token), body)
        .await
        .expect(404);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_visitor_sends_wrong_is_named() {
    let app = TestApp::start(Database::sqlite().await).await;
    let channel = chat(&app, json!({})).await;
    let token = app.visitor(&channel).await;
    for (token, body, status, field) in [
        (
            Some(token.as_str()),
            json!({"client_id": "c", "text": "x".repeat(9000)}),
            422,
            "text",
        ),
        (
            Some(token.as_str()),
            json!({"client_id": "c", "text": " "}),
            422,
            "text",
        ),
        (Some(token.as_str()), json!({"text": "hi"}), 422, "client_id"),
        (
            Some(token.as_str()),
            json!({"client_id": "c", "text": "hi", "attachments": ["att_1"]}),
            422,
            "attachments",
        ),
        (
            Some(token.as_str()),
            json!({"client_id": "c", "text": "x".repeat(200_000)}),
            413,
            "",
        ),
        (Some("nobody"), json!({"client_id": "c", "text": "hi"}), 401, ""),
        (None, json!({"client_id": "c", "text": "hi"}), 401, ""),
    ] {
        let problem = app.widget(&channel, "messages", token, body).await.expect(status);
        assert_eq!(
            problem["errors"][0]["field"].as_str().unwrap_or_default(),
            field,
            "{problem}"
        );
    }
    let other = chat(&app, json!({})).await;
    app.widget(
        &other,
        "messages",
        Some(&token),
        json!({"client_id": "c", "text": "hi"}),
    )
    .await
    .expect(401);
    app.widget(&channel, "rating", Some(&token), json!({"score": 5}))
        .await
        .expect(409);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_heard_by_who_is_still_sending() {
    let app = TestApp::start(Database::sqlite().await).await;
    let channel = chat(&app, json!({})).await;
    let token = app.visitor(&channel).await;
    let address = app.base.trim_start_matches("http://").to_owned();
    // Refused for who asks before the body is looked at, and for its length in the midst of it.
    for (token, status) in [("nobody", "401"), (token.as_str(), "413")] {
        let mut line = tokio::net::TcpStream::connect(&address).await.unwrap();
        let piece = "x".repeat(4096);
        let head = format!(
            "POST /widget/v1/{}/messages HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            channel["key"].as_str().unwrap(),
            400 * piece.len(),
        );
        line.write_all(head.as_bytes()).await.unwrap();
        for sent in 0..400 {
            line.write_all(piece.as_bytes())
                .await
                .unwrap_or_else(|error| panic!("{status}: cut off after {sent} pieces: {error}"));
        }
        let mut answer = [0; 12];
        line.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, format!("HTTP/1.1 {status}").as_bytes());
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_server_tells_sockets_to_come_back() {
    let app = TestApp::start(Database::sqlite().await).await;
    let channel = chat(&app, json!({})).await;
    let token = app.visitor(&channel).await;
    let mut open = socket(&app, &channel, &token, None).await;
    open.until(|frame| frame["type"] == "hello").await;
    let (_, closed) = tokio::join!(app.stop(), open.next());
    assert_eq!(closed, None);
}
