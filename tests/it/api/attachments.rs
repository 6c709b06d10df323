//! Files of the staff.

use reqwest::{
    Response,
    multipart::{Form, Part},
};
use serde_json::{Value, json};

use crate::support::TestApp;

async fn upload(app: &TestApp, key: &str, name: &str, kind: &str, data: Vec<u8>) -> crate::support::Answer {
    let part = Part::bytes(data)
        .file_name(name.to_owned())
        .mime_str(kind)
        .unwrap();
    let form = Form::new().text("before", "ignored").part("file", part);
    app.ask(
        app.client
            .post(format!("{}/api/v1/attachments", app.base))
            .bearer_auth(key)
            .multipart(form),
    )
    .await
}

async fn open(app: &TestApp, key: &str, file: &Value) -> Response {
    app.client
        .get(format!("{}{}", app.base, file["url"].as_str().unwrap()))
        .bearer_auth(key)
        .send()
        .await
        .unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers()[name].to_str().unwrap()
}

both_databases! {
    async fn a_file_goes_up_with_a_message_and_comes_down_as_it_was(app: TestApp) {
        let line = app.line("Support", json!({})).await;
        let chat = app.channel("webchat", &line, json!({})).await;
        let id = app.writes(&chat, "olga", "Hello").await;
        let data: Vec<u8> = (0..=255).cycle().take(300_000).collect();
        let file = upload(&app, &app.key, "Счёт № 1.pdf", "application/pdf", data.clone()).await.expect(201);
        assert_eq!((&file["name"], &file["size"], &file["content_type"]), (&json!("Счёт № 1.pdf"), &json!(300_000), &json!("application/pdf")));
        let path = format!("/conversations/{id}/messages");
        let sent = app.post(&path, json!({"text": "", "attachments": [file["id"]]})).await.expect(201);
        assert_eq!(sent["attachments"][0]["id"], file["id"]);
        let down = open(&app, &app.key, &sent["attachments"][0]).await;
        assert_eq!((down.status().as_u16(), header(&down, "content-type")), (200, "application/pdf"));
        assert_eq!(header(&down, "x-content-type-options"), "nosniff");
        let disposition = header(&down, "content-disposition").to_owned();
        assert!(disposition.starts_with("attachment;") && disposition.contains("filename*=UTF-8''%D0%A1%D1%87"), "{disposition}");
        assert!(down.bytes().await.unwrap() == data);
        // Sent once; a second message cannot carry it off.
        let again = app.post(&path, json!({"text": "", "attachments": [file["id"]]})).await.expect(422);
        assert_eq!(again["errors"][0]["field"], "attachments");
    }

    async fn files_of_others_do_not_exist(app: TestApp) {
        let (anna, boris) = (app.operator("Anna", "operator").await, app.operator("Boris", "operator").await);
        let line = app.line("Support", json!({"queue": [{"operator_id": anna.0["id"]}]})).await;
        let chat = app.channel("webchat", &line, json!({})).await;
        let id = app.writes(&chat, "olga", "Hello").await;
        let file = upload(&app, &anna.1, "a.txt", "text/plain", b"words".to_vec()).await.expect(201);
        assert_eq!(open(&app, &boris.1, &file).await.status(), 404);
        assert_eq!(app.client.get(format!("{}{}", app.base, file["url"].as_str().unwrap())).send().await.unwrap().status(), 401);
        // Nor can Boris send it as his.
        let own_line = app.line("Sales", json!({"queue": [{"operator_id": boris.0["id"]}]})).await;
        let own_chat = app.channel("webchat", &own_line, json!({})).await;
        let own = app.writes(&own_chat, "ivan", "Hello").await;
        let body = json!({"text": "x", "attachments": [file["id"]]});
        app.call_as(&boris.1, "POST", &format!("/conversations/{own}/messages"), Some(body.clone())).await.expect(422);
        app.call_as(&anna.1, "POST", &format!("/conversations/{id}/messages"), Some(body)).await.expect(201);
        assert_eq!(open(&app, &boris.1, &file).await.status(), 404);
        assert_eq!(open(&app, &anna.1, &file).await.status(), 200);
        // With the conversation the file comes into sight.
        let join = json!({"operator_id": boris.0["id"]});
        app.post(&format!("/conversations/{id}/participants"), join).await.expect(200);
        assert_eq!(open(&app, &boris.1, &file).await.status(), 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_browser_could_run_is_a_download() {
    let app = TestApp::start(crate::support::Database::sqlite().await).await;
    for (name, kind, inline) in [
        ("page.html", "text/html", false),
        ("drawing.svg", "image/svg+xml", false),
        ("paper.pdf", "application/pdf", false),
        ("photo.png", "image/png", true),
        ("../../etc/passwd", "text/plain", true),
    ] {
        let file = upload(&app, &app.key, name, kind, b"<script>alert(1)</script>".to_vec())
            .await
            .expect(201);
        assert!(!file["name"].as_str().unwrap().contains('/'), "{file}");
        let down = open(&app, &app.key, &file).await;
        assert_eq!(
            header(&down, "content-disposition").starts_with("inline"),
            inline,
            "{name}"
        );
        assert_eq!(header(&down, "x-content-type-options"), "nosniff");
        assert!(
            header(&down, "content-security-policy").contains("sandbox"),
            "{name}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_too_large_empty_or_missing_is_refused() {
    let app = TestApp::start(crate::support::Database::sqlite().await).await;
    let large = upload(
        &app,
        &app.key,
        "large.bin",
        "application/zip",
        vec![0; (25 << 20) + 1],
    )
    .await;
    assert_eq!(large.expect(413)["type"], "/problems/too-large");
    upload(&app, &app.key, "fits.bin", "application/zip", vec![0; 25 << 20])
        .await
        .expect(201);
    let huge = upload(&app, &app.key, "huge.bin", "application/zip", vec![0; 50 << 20]).await;
    assert_eq!(huge.expect(413)["type"], "/problems/too-large");
    let empty = upload(&app, &app.key, "empty", "text/plain", Vec::new())
        .await
        .expect(422);
    assert_eq!(empty["errors"][0]["field"], "file");
    let url = format!("{}/api/v1/attachments", app.base);
    let none = app
        .ask(
            app.client
                .post(&url)
                .bearer_auth(&app.key)
                .multipart(Form::new().text("name", "x")),
        )
        .await
        .expect(422);
    assert_eq!(none["errors"][0]["field"], "file");
    let broken = app
        .client
        .post(&url)
        .bearer_auth(&app.key)
        .header("content-type", "multipart/form-data; boundary=b")
        .body("--b\r\nnonsense");
    assert_eq!(app.ask(broken).await.expect(400)["status"], 400);
}
