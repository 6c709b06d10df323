//! What holds for every path: pages, errors, versions.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde_json::{Value, json};
use switchboard_sdk::{
    Batch, Clock, Identity, IdentityKind, InboundBody, InboundEvent, InboundMessage, Person, SystemClock,
};

use crate::support::TestApp;

/// Rows of each list.
const ROWS: usize = 7;

fn event(external_id: &str, body: InboundBody) -> InboundEvent {
    InboundEvent {
        external_id: external_id.to_owned(),
        at: SystemClock.now(),
        body,
    }
}

/// A line with several of everything, most of it made in one transaction: rows of one instant are
/// where a cursor goes wrong. The paths of all lists.
async fn filled(app: &TestApp) -> Vec<String> {
    let line = app.line("Support", json!({})).await;
    let path = format!("/lines/{}", line["id"].as_str().unwrap());
    let chat = app.channel("webchat", &line, json!({})).await;
    let form = app.channel("webform", &line, json!({})).await;
    let mail = json!({"address": "shop@example.test", "imap": {"host": "127.0.0.1", "port": 1, "tls": "none", "password": "x"},
        "smtp": {"host": "127.0.0.1", "port": 1, "tls": "none"}});
    let mail =
        json!({"kind": "email", "line_id": line["id"], "name": "Mail", "enabled": false, "settings": mail});
    let mail = app.post("/channels", mail).await.expect(201);
    let mut events: Vec<InboundEvent> = (0..ROWS)
        .map(|n| {
            let identity = Identity {
                kind: IdentityKind::Email,
                value: format!("c{n}@x.example"),
                verified: true,
            };
            let from = Person {
                identities: vec![identity],
                ..Person::default()
            };
            let message = InboundMessage {
                from,
                text: "Hello".to_owned(),
                ..InboundMessage::default()
            };
            event(&format!("m{n}"), InboundBody::Message(message))
        })
        .collect();
    events.extend((0..ROWS).map(|n| {
        event(
            &format!("p{n}"),
            InboundBody::Poison {
                reason: "rubbish".to_owned(),
                raw: Bytes::from_static(b"x").into(),
            },
        )
    }));
    app.app
        .ingest
        .deliver(mail["id"].as_str().unwrap(), Batch { events, cursor: None })
        .await
        .unwrap();
    for n in 0..ROWS {
        app.patch(&path, json!({"name": format!("Support {n}")}))
            .await
            .expect(200);
        app.line(&format!("Line {n}"), json!({})).await;
        app.channel("webchat", &line, json!({})).await;
        app.post(
            "/templates",
            json!({"name": format!("Template {n}"), "body": "x"}),
        )
        .await
        .expect(201);
        app.post("/teams", json!({"name": format!("Team {n}")}))
            .await
            .expect(201);
        app.operator(&format!("Op {n}"), "operator").await;
        app.post("/deals", json!({"title": format!("Deal {n}")}))
            .await
            .expect(201);
        let task = json!({"title": format!("Task {n}"), "due_at": "2020-01-01T00:00:00Z"});
        app.post("/tasks", task).await.expect(201);
        app.submit(
            &form,
            json!({"name": format!("N{n}"), "phone": format!("+99890123450{n}")}),
            None,
        )
        .await
        .expect(201);
        let closed = app.writes(&chat, &format!("closed{n}"), "Bye").await;
        app.post(&format!("/conversations/{closed}/close"), json!({}))
            .await
            .expect(200);
    }
    let listed = app
        .get(&format!(
            "/conversations?channel={}",
            mail["id"].as_str().unwrap()
        ))
        .await;
    let mut ids: Vec<&str> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), ROWS);
    let spoken = ids.pop().unwrap();
    for id in ids {
        // Taken by the admin as they answer, and kept in the outbox, as the channel is off.
        app.post(&format!("/conversations/{id}/messages"), json!({"text": "Hi"}))
            .await
            .expect(201);
    }
    for n in 0..ROWS {
        app.post(
            &format!("/conversations/{spoken}/messages"),
            json!({"text": format!("Note {n}"), "kind": "note"}),
        )
        .await
        .expect(201);
    }
    for n in 0..ROWS {
        app.post("/companies", json!({"name": format!("Company {n}")}))
            .await
            .expect(201);
    }
    [
        "/users",
        "/teams",
        "/templates",
        "/lines",
        "/channels",
        "/apikeys",
        "/conversations",
        "/conversations?view=mine",
        "/conversations?view=queue",
        "/conversations?view=closed",
        "/contacts",
        "/companies",
        "/leads",
        "/deals",
        "/deals?stage=stg_00000000000000000000000000000001",
        "/tasks",
        "/tasks?due=overdue",
        "/submissions",
        "/quarantine",
        "/outbox",
        &format!("{path}/versions"),
        &format!("/conversations/{spoken}/messages"),
        &format!("/conversations/{spoken}/messages?after_seq=0"),
    ]
    .map(str::to_owned)
    .to_vec()
}

fn with(path: &str, query: &str) -> String {
    let sign = if path.contains('?') { '&' } else { '?' };
    format!("{path}{sign}{query}")
}

fn keys(page: &Value) -> Vec<String> {
    let key = |row: &Value| {
        ["id", "message_id", "version"]
            .iter()
            .find_map(|name| row.get(*name))
            .unwrap()
            .to_string()
    };
    page["items"].as_array().unwrap().iter().map(key).collect()
}

both_databases! {
    async fn every_list_is_walked_by_its_cursor_and_each_row_is_met_once(app: TestApp) {
        for path in filled(&app).await {
            let whole = app.get(&with(&path, "limit=200")).await;
            assert_eq!(whole["next_cursor"], Value::Null, "{path}");
            let whole: BTreeSet<String> = keys(&whole).into_iter().collect();
            assert!(whole.len() >= ROWS - 1, "{path} has {} rows", whole.len());
            let mut met = Vec::new();
            let mut next = with(&path, "limit=2");
            loop {
                let page = app.get(&next).await;
                let rows = keys(&page);
                assert!((1..=2).contains(&rows.len()), "{path}: {page}");
                met.extend(rows);
                let Some(cursor) = page["next_cursor"].as_str() else { break };
                next = with(&path, &format!("limit=2&cursor={cursor}"));
            }
            assert_eq!(met.len(), whole.len(), "{path}: {met:?}");
            assert_eq!(met.into_iter().collect::<BTreeSet<_>>(), whole, "{path}");
        }
    }

    async fn a_bad_cursor_and_a_limit_out_of_bounds_are_400(app: TestApp) {
        let paths = filled(&app).await;
        for path in &paths {
            for query in ["cursor=rubbish", "cursor=e30", "limit=0", "limit=201", "limit=-1", "limit=many"] {
                let path = with(path, query);
                let answer = app.call("GET", &path, None).await;
                assert_eq!(answer.status, 400, "{path}: {}", answer.body);
                assert_eq!(answer.body["status"], 400, "{path}: {}", answer.body);
            }
        }
    }

    async fn text_that_a_database_cannot_hold_is_never_an_error_of_ours(app: TestApp) {
        let line = app.line("Support", json!({})).await;
        let chat = app.channel("webchat", &line, json!({})).await;
        let conversation = app.writes(&chat, "anna", "Hello").await;
        let contact = app.get(&format!("/conversations/{conversation}")).await["contact"]["id"].as_str().unwrap().to_owned();
        let lead = app.get("/leads").await["items"][0]["id"].as_str().unwrap().to_owned();
        for path in ["/conversations/%00", "/contacts/%00", "/leads/%00", "/users/%00", "/lines/%00", "/channels/%00",
            "/companies/%00", "/companies?q=%00", "/companies?tag=%00", "/contacts?tag=%00&company=%00&operator=%00", "/tags?object=%00",
            "/teams/%00", "/attachments/%00", "/submissions/%00", "/contacts?q=%00", "/leads?q=%00", "/leads?status=%00",
            "/conversations?q=a%00", "/conversations?line=%00", "/conversations?channel=%00", "/conversations?contact=%00",
            "/search?q=a%00b", "/search?q=%00", "/submissions?channel=%00", "/submissions?state=%00", "/webhooks/%00", "/webhooks/%00/deliveries", "/quarantine?channel=%00"] {
            let answer = app.call("GET", path, None).await;
            assert!(answer.status < 500, "GET {path}: {}", answer.body);
        }
        let nul = "a\0b";
        let talk = format!("/conversations/{conversation}");
        for (method, path, body) in [
            ("POST", "/lines".to_owned(), json!({"name": nul})),
            ("POST", "/teams".to_owned(), json!({"name": nul})),
            ("POST", "/users".to_owned(), json!({"name": nul, "email": "a\0b@x.example"})),
            ("POST", "/users".to_owned(), json!({"name": "Anna", "email": "c@x.example", "skills": [nul]})),
            ("POST", "/apikeys".to_owned(), json!({"name": nul, "role": "operator"})),
            ("POST", "/channels".to_owned(), json!({"kind": "webchat", "line_id": line["id"], "name": nul})),
            ("POST", "/channels".to_owned(), json!({"kind": "webchat", "line_id": nul, "name": "Chat"})),
            ("POST", "/channels".to_owned(), json!({"kind": "webchat", "line_id": line["id"], "name": "Chat", "settings": {"title": nul}})),
            ("POST", format!("{talk}/messages"), json!({"text": nul, "kind": "note"})),
            ("POST", format!("{talk}/messages"), json!({"text": "x", "kind": "note", "client_id": nul})),
            ("POST", format!("{talk}/messages"), json!({"text": "x", "kind": "note", "attachments": [nul]})),
            ("POST", format!("{talk}/tags"), json!({"add": [nul]})),
            ("POST", format!("{talk}/participants"), json!({"operator_id": nul})),
            ("POST", format!("{talk}/transfer"), json!({"to_line": nul})),
            ("POST", format!("{talk}/transfer"), json!({"to_operator": nul})),
            ("POST", format!("{talk}/transfer"), json!({"to_line": line["id"], "comment": nul})),
            ("POST", format!("{talk}/close"), json!({"reason": nul})),
            ("PATCH", format!("/contacts/{contact}"), json!({"name": nul, "fields": {"note": nul, "a\0": 1}})),
            ("PATCH", format!("/contacts/{contact}"), json!({"operator_id": nul})),
            ("PATCH", format!("/contacts/{contact}"), json!({"tags": [nul], "language": nul})),
            ("PATCH", format!("/contacts/{contact}"), json!({"company_id": nul})),
            ("POST", format!("/contacts/{contact}/merge"), json!({"from": nul})),
            ("POST", format!("/contacts/{contact}/unmerge"), json!({"merge_id": nul})),
            ("POST", format!("/contacts/{contact}/not-the-same"), json!({"other_id": nul})),
            ("POST", format!("/contacts/{contact}/identities"), json!({"kind": "email", "value": nul})),
            ("POST", "/companies".to_owned(), json!({"name": nul, "website": nul, "tax_number": nul, "fields": {"note": nul}})),
            ("POST", "/custom-fields".to_owned(), json!({"object": "contact", "key": nul, "label": nul, "type": "text"})),
            ("PATCH", format!("/leads/{lead}"), json!({"title": nul, "source": nul, "fields": {"note": nul, "a\0": 1}})),
            ("PUT", "/me/availability".to_owned(), json!({"state": "paused", "reason": nul})),
            ("POST", "/auth/login".to_owned(), json!({"email": nul, "password": nul})),
            ("POST", "/webhooks".to_owned(), json!({"url": "https://crm.example/a\0", "name": nul})),
            ("POST", "/webhooks".to_owned(), json!({"url": "https://crm.example/a\0"})),
            ("POST", "/webhooks".to_owned(), json!({"url": "https://crm.example/", "events": [nul], "secret": nul})),
            ("POST", "/forms/try-notification".to_owned(), json!({"kind": "mail", "channel_id": nul, "to": nul})),
        ] {
            let answer = app.call(method, &path, Some(body.clone())).await;
            assert!(answer.status < 500, "{method} {path} {body}: {}", answer.body);
        }
        let token = app.visitor(&chat).await;
        for (path, body) in [
            ("sessions", json!({"contact": {"name": nul, "email": nul}, "page": {"url": nul, "title": nul}})),
            ("sessions", json!({"visitor_token": nul})),
            ("messages", json!({"client_id": nul, "text": "x"})),
            ("messages", json!({"client_id": "c", "text": nul})),
            ("messages", json!({"client_id": "d", "text": "x", "attachments": [nul]})),
            ("typing", json!({"text": nul})),
            ("rating", json!({"score": 5, "comment": nul})),
        ] {
            let answer = app.widget(&chat, path, Some(&token), body.clone()).await;
            assert!(answer.status < 500, "{path} {body}: {}", answer.body);
        }
        let form = app.channel("webform", &line, json!({})).await;
        let answer = app.submit(&form, json!({"name": nul, "phone": nul, "comment": nul, "utm_source": nul}), None).await;
        assert!(answer.status < 500, "{}", answer.body);
        for path in [format!("/f/{}?name=%00", form["key"].as_str().unwrap()), "/f/%00".to_owned(), "/demo/%00".to_owned(), "/hooks/lead/%00".to_owned(),
            "/widget/v1/%00/messages".to_owned()] {
            let answer = app.ask(app.client.get(format!("{}{path}", app.base))).await;
            assert!(answer.status < 500, "{path}: {}", answer.body);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_error_is_a_problem_that_says_what_is_wrong() {
    let app = TestApp::start(crate::support::Database::sqlite().await).await;
    let (_, operator) = app.operator("Olim", "operator").await;
    let admin = app.key.clone();
    let large = json!({"name": "x".repeat(3 << 20)}).to_string();
    let cases: [(&str, &str, &str, &str, &str, u16, &str); 21] = [
        ("GET", "/api/v1/conversations", "", "", "", 401, "unauthenticated"),
        (
            "GET",
            "/api/v1/conversations",
            "sb_wrong",
            "",
            "",
            401,
            "unauthenticated",
        ),
        (
            "GET",
            "/api/v1/realtime",
            "sb_wrong",
            "",
            "",
            401,
            "unauthenticated",
        ),
        (
            "POST",
            "/api/v1/lines",
            &operator,
            "application/json",
            r#"{"name":"x"}"#,
            403,
            "forbidden",
        ),
        ("GET", "/api/v1/apikeys", &operator, "", "", 403, "forbidden"),
        ("GET", "/api/v1/nothing", &admin, "", "", 404, "not-found"),
        ("GET", "/api/nothing", "", "", "", 404, "not-found"),
        (
            "GET",
            "/api/v1/lines/lin_nothing",
            &admin,
            "",
            "",
            404,
            "not-found",
        ),
        (
            "GET",
            "/api/v1/conversations/cnv_nothing/messages",
            &admin,
            "",
            "",
            404,
            "not-found",
        ),
        (
            "POST",
            "/api/v1/messages/msg_nothing/retry",
            &admin,
            "",
            "",
            404,
            "not-found",
        ),
        ("PUT", "/api/v1/lines", &admin, "application/json", "{}", 405, ""),
        ("DELETE", "/api/v1/users", &admin, "", "", 405, ""),
        ("POST", "/health/live", "", "", "", 405, ""),
        (
            "POST",
            "/api/v1/lines",
            &admin,
            "application/json",
            &large,
            413,
            "too-large",
        ),
        (
            "POST",
            "/api/v1/lines",
            &admin,
            "text/plain",
            r#"{"name":"x"}"#,
            415,
            "unsupported-media-type",
        ),
        (
            "POST",
            "/api/v1/lines",
            &admin,
            "",
            "x",
            415,
            "unsupported-media-type",
        ),
        (
            "POST",
            "/api/v1/attachments",
            &admin,
            "application/json",
            "{}",
            415,
            "unsupported-media-type",
        ),
        ("POST", "/api/v1/lines", &admin, "application/json", "{", 400, ""),
        ("POST", "/api/v1/lines", &admin, "application/json", "", 400, ""),
        (
            "POST",
            "/api/v1/lines",
            &admin,
            "application/json",
            r#"{"name":5}"#,
            422,
            "validation",
        ),
        (
            "POST",
            "/api/v1/users",
            &admin,
            "application/json",
            r#"{"name":"x"}"#,
            422,
            "validation",
        ),
    ];
    for (method, path, key, kind, body, status, word) in cases {
        let what = format!("{method} {path} {kind}");
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = app.client.request(method, format!("{}{path}", app.base));
        if !key.is_empty() {
            request = request.bearer_auth(key);
        }
        if !kind.is_empty() {
            request = request.header("content-type", kind);
        }
        let answer = request.body(body.to_owned()).send().await.unwrap();
        assert_eq!(answer.status(), status, "{what}");
        assert_eq!(
            answer.headers()["content-type"],
            "application/problem+json",
            "{what}"
        );
        let allow = answer.headers().contains_key("allow");
        assert_eq!(allow, status == 405, "{what}: Allow");
        assert_eq!(
            answer.headers().contains_key("www-authenticate"),
            status == 401,
            "{what}: WWW-Authenticate"
        );
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["status"], status, "{what}: {problem}");
        assert!(
            problem["type"].as_str().unwrap().starts_with("/problems/"),
            "{what}: {problem}"
        );
        assert!(
            word.is_empty() || problem["type"] == format!("/problems/{word}"),
            "{what}: {problem}"
        );
        assert!(
            !problem["title"].as_str().unwrap().is_empty() && problem["detail"].is_string(),
            "{what}: {problem}"
        );
        if status == 422 {
            let error = &problem["errors"][0];
            assert!(
                ["name", "email"].contains(&error["field"].as_str().unwrap()),
                "{problem}"
            );
            assert!(!error["message"].as_str().unwrap().is_empty(), "{problem}");
        }
    }
}

both_databases! {
    async fn long_texts_are_compressed_and_short_answers_are_not(app: TestApp) {
        let client = reqwest::Client::builder().no_gzip().build().unwrap();
        let encoding = async |path: &str| {
            let answer = client
                .get(format!("{}{path}", app.base))
                .header("accept-encoding", "gzip")
                .send()
                .await
                .unwrap();
            assert_eq!(answer.status(), 200, "{path}");
            answer.headers().get("content-encoding").cloned()
        };
        assert_eq!(encoding("/api/openapi.json").await.unwrap(), "gzip");
        assert_eq!(encoding("/health/live").await, None);
        assert_eq!(encoding("/api/v1/setup").await, None);
    }
}
