//! Forms and hooks as sites and services use them.

use reqwest::{Response, header};
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use switchboard::db::entity::{lead, message};

use crate::support::{Database, TestApp};

async fn form(app: &TestApp) -> Value {
    let line = app.line("Sales", json!({})).await;
    let settings = json!({"title": "Call me", "allowed_origins": ["https://shop.example"], "fields": [
        {"name": "name", "label": "Name", "type": "text", "required": true, "maps_to": "contact.name"},
        {"name": "phone", "label": "Phone", "type": "phone", "required": true, "maps_to": "contact.phone"},
        {"name": "file", "label": "File", "type": "file"}
    ]});
    app.channel("webform", &line, settings).await
}

fn filled() -> Value {
    json!({"name": "Ann", "phone": "+998901234567"})
}

fn url(app: &TestApp, channel: &Value, path: &str) -> String {
    format!("{}/f/{}{path}", app.base, channel["key"].as_str().unwrap())
}

async fn leads(app: &TestApp) -> u64 {
    lead::Entity::find().count(app.app.db.read()).await.unwrap()
}

both_databases! {
    async fn a_submission_sent_twice_with_one_key_is_one_lead(app: TestApp) {
        let channel = form(&app).await;
        let first = app.submit(&channel, filled(), Some("k-1")).await.expect(201);
        let again = app.submit(&channel, filled(), Some("k-1")).await.expect(200);
        assert_eq!(first, again);
        assert!(first["submission_id"].as_str().unwrap().starts_with("sub_"));
        assert_eq!((leads(&app).await, message::Entity::find().count(app.app.db.read()).await.unwrap()), (1, 1));
        app.stop().await;
    }

    async fn many_posts_at_once_are_each_stored_once(app: TestApp) {
        let channel = form(&app).await;
        let posts = (0..40).map(|number| {
            let fields = json!({"name": format!("N{number}"), "phone": format!("+9989012345{:02}", number % 20)});
            let (app, channel) = (&app, &channel);
            async move { app.submit(channel, fields, Some(&format!("k-{}", number % 20))).await.status }
        });
        let statuses = futures_util::future::join_all(posts).await;
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 20, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 20, "{statuses:?}");
        assert_eq!(leads(&app).await, 20);
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_does_not_fit_is_named_and_stores_nothing() {
    let app = TestApp::start(Database::sqlite().await).await;
    let channel = form(&app).await;
    let problem = app
        .submit(&channel, json!({"name": "Ann", "phone": "soon"}), None)
        .await
        .expect(422);
    assert_eq!(problem["errors"][0]["field"], "phone");
    assert_eq!(leads(&app).await, 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_body_a_wrong_type_and_a_huge_file_get_clear_errors() {
    let app = TestApp::start(Database::sqlite().await).await;
    let channel = form(&app).await;
    let post = || {
        app.client
            .post(url(&app, &channel, ""))
            .header(header::ACCEPT, "application/json")
    };
    let status = |response: Response| async move {
        let status = response.status().as_u16();
        let problem: Value = response.json().await.unwrap();
        assert_eq!(problem["status"], status, "{problem}");
        status
    };
    let empty = post()
        .header(header::CONTENT_TYPE, "application/json")
        .send()
        .await
        .unwrap();
    assert!([400, 422].contains(&status(empty).await));
    let wrong = post()
        .header(header::CONTENT_TYPE, "image/png")
        .body("x")
        .send()
        .await
        .unwrap();
    assert_eq!(status(wrong).await, 415);
    let part = reqwest::multipart::Part::bytes(vec![0; 50 << 20]).file_name("large.bin");
    let huge = reqwest::multipart::Form::new()
        .text("name", "Ann")
        .text("phone", "+998901234567")
        .part("file", part);
    assert_eq!(status(post().multipart(huge).send().await.unwrap()).await, 413);
    // Without a length it is counted while it is read.
    let chunks = futures_util::stream::iter((0..50).map(|_| Ok::<_, std::io::Error>(vec![0_u8; 1 << 20])));
    let body = reqwest::Body::wrap_stream(chunks);
    let chunked = post()
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=x")
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(status(chunked).await, 413);
    assert_eq!(leads(&app).await, 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_get_a_page_and_go_on_to_the_thanks() {
    let app = TestApp::start(Database::sqlite().await).await;
    let channel = form(&app).await;
    let page = app.client.get(url(&app, &channel, "")).send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert!(
        page.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    assert!(page.text().await.unwrap().contains("Call me"));
    let html = "text/html,application/xhtml+xml";
    let sent = app
        .client
        .post(url(&app, &channel, ""))
        .header(header::ACCEPT, html);
    let sent = sent
        .form(&[("name", "Ann"), ("phone", "+998901234567")])
        .send()
        .await
        .unwrap();
    assert_eq!(sent.status(), 303);
    let thanks = sent.headers()["location"].to_str().unwrap().to_owned();
    let thanks = app
        .client
        .get(format!("{}{thanks}", app.base))
        .send()
        .await
        .unwrap();
    assert_eq!(thanks.status(), 200);
    let script = app
        .client
        .get(url(&app, &channel, "/embed.js"))
        .send()
        .await
        .unwrap();
    assert!(
        script.headers()["content-type"]
            .to_str()
            .unwrap()
            .contains("javascript")
    );
    let missing = app
        .client
        .get(format!("{}/f/nobody", app.base))
        .header(header::ACCEPT, html)
        .send()
        .await
        .unwrap();
    assert_eq!(missing.status(), 404);
    assert!(missing.text().await.unwrap().contains("no form here"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_off_says_when_to_come_back() {
    let app = TestApp::start(Database::sqlite().await).await;
    let channel = form(&app).await;
    app.patch(
        &format!("/channels/{}", channel["id"].as_str().unwrap()),
        json!({"enabled": false}),
    )
    .await
    .expect(200);
    for accept in ["text/html", "application/json"] {
        for request in [
            app.client.get(url(&app, &channel, "")),
            app.client.post(url(&app, &channel, "")).json(&filled()),
        ] {
            let answer = request.header(header::ACCEPT, accept).send().await.unwrap();
            assert_eq!(answer.status(), 503);
            assert!(answer.headers().contains_key("retry-after"));
        }
    }
    let hook = format!("{}/hooks/lead/{}", app.base, channel["key"].as_str().unwrap());
    assert_eq!(
        app.client
            .post(hook)
            .json(&filled())
            .send()
            .await
            .unwrap()
            .status(),
        503
    );
    assert_eq!(leads(&app).await, 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_listed_sites_may_post_from_a_page_and_read_the_answer() {
    let app = TestApp::start(Database::sqlite().await).await;
    let channel = form(&app).await;
    for (origin, status, allowed) in [
        ("https://shop.example", 422, "https://shop.example"),
        ("https://evil.example", 403, ""),
    ] {
        let preflight = app
            .client
            .request(reqwest::Method::OPTIONS, url(&app, &channel, ""))
            .header(header::ORIGIN, origin);
        let preflight = preflight
            .header("access-control-request-method", "POST")
            .send()
            .await
            .unwrap();
        let post = app
            .client
            .post(url(&app, &channel, ""))
            .header(header::ORIGIN, origin)
            .header(header::ACCEPT, "application/json");
        let post = post.json(&json!({"name": "Ann"})).send().await.unwrap();
        assert_eq!(post.status(), status);
        for answer in [preflight, post] {
            let shown = answer
                .headers()
                .get("access-control-allow-origin")
                .map_or("", |value| value.to_str().unwrap());
            assert_eq!(shown, allowed);
        }
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lead_hooks_of_other_services_end_in_a_form_and_other_kinds_do_not() {
    let app = TestApp::start(Database::sqlite().await).await;
    let channel = form(&app).await;
    let hook = |kind: &str, key: &str| format!("{}/hooks/{kind}/{key}", app.base);
    let key = channel["key"].as_str().unwrap();
    let taken = app
        .client
        .post(hook("lead", key))
        .json(&filled())
        .send()
        .await
        .unwrap();
    assert!(taken.status().is_success(), "{}", taken.status());
    assert_eq!(leads(&app).await, 1);
    for url in [hook("telegram", key), hook("lead", "nobody")] {
        assert_eq!(
            app.client
                .post(url)
                .json(&filled())
                .send()
                .await
                .unwrap()
                .status(),
            404
        );
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_of_a_megabyte_is_refused_with_its_field_in_every_writing() {
    let app = TestApp::start(Database::sqlite().await).await;
    let channel = form(&app).await;
    let long = "x".repeat(1 << 20);
    let post = || {
        app.client
            .post(url(&app, &channel, ""))
            .header(header::ACCEPT, "application/json")
    };
    let parts = reqwest::multipart::Form::new()
        .text("name", long.clone())
        .text("phone", "+998901234567");
    for request in [
        post().json(&json!({"name": long, "phone": "+998901234567"})),
        post().form(&[("name", long.as_str()), ("phone", "+998901234567")]),
        post().multipart(parts),
    ] {
        let problem = app.ask(request).await.expect(422);
        assert_eq!(problem["errors"][0]["field"], "name", "{problem}");
    }
    assert_eq!(leads(&app).await, 0);
    app.stop().await;
}

both_databases! {
    async fn however_it_is_written_a_post_becomes_contact_lead_and_conversation(app: TestApp) {
        let channel = form(&app).await;
        let post = || app.client.post(url(&app, &channel, "")).header(header::ACCEPT, "application/json");
        let file = reqwest::multipart::Part::bytes(b"%PDF plan".to_vec()).file_name("план.pdf").mime_str("application/pdf").unwrap();
        let parts = reqwest::multipart::Form::new().text("name", "Вера").text("phone", "+998901234503").part("file", file);
        for (request, name) in [
            (post().json(&json!({"name": "Анна", "phone": "+998 90 123-45-01"})), "Анна"),
            (post().form(&[("name", "Боб"), ("phone", "+998901234502")]), "Боб"),
            (post().multipart(parts), "Вера"),
        ] {
            let made = app.ask(request).await.expect(201);
            let submission = app.get(&format!("/submissions/{}", made["submission_id"].as_str().unwrap())).await;
            let talk = app.get(&format!("/conversations/{}", submission["conversation_id"].as_str().unwrap())).await;
            assert_eq!((&talk["contact"]["name"], &talk["lead_id"]), (&json!(name), &submission["lead_id"]));
            let thread = app.get(&format!("/conversations/{}/messages", talk["id"].as_str().unwrap())).await;
            assert!(thread["items"][0]["text"].as_str().unwrap().contains(name), "{thread}");
            let files = thread["items"][0]["attachments"].as_array().unwrap();
            assert_eq!(files.len(), usize::from(name == "Вера"));
            if let Some(file) = files.first() {
                assert_eq!((&file["name"], &file["content_type"]), (&json!("план.pdf"), &json!("application/pdf")));
                let down = app.client.get(format!("{}{}", app.base, file["url"].as_str().unwrap())).bearer_auth(&app.key);
                assert_eq!(down.send().await.unwrap().bytes().await.unwrap().as_ref(), b"%PDF plan");
            }
        }
        assert_eq!(leads(&app).await, 3);
        app.stop().await;
    }
}
