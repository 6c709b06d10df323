//! Every error is problem+json, and every answer has safe headers.

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::support::TestApp;

async fn send(
    app: &TestApp,
    method: Method,
    path: &str,
    kind: Option<&str>,
    body: Vec<u8>,
) -> (StatusCode, String, Value) {
    let mut request = app
        .client
        .request(method, format!("{}{path}", app.base))
        .bearer_auth(&app.key)
        .body(body);
    if let Some(kind) = kind {
        request = request.header(header::CONTENT_TYPE, kind);
    }
    let response = request.send().await.unwrap();
    let kind = response.headers()[header::CONTENT_TYPE]
        .to_str()
        .unwrap()
        .to_owned();
    (response.status(), kind, response.json().await.unwrap())
}

both_databases! {
    async fn errors_have_one_form_whoever_makes_them(app: TestApp) {
        let json_type = Some("application/json");
        for (method, path, kind, body, status, problem) in [
            (Method::GET, "/api/v1/nothing", None, b"".to_vec(), 404, "/problems/not-found"),
            (Method::GET, "/api", None, b"".to_vec(), 404, "/problems/not-found"),
            (Method::GET, "/api/v1/conversations/cnv_0", None, b"".to_vec(), 404, "/problems/not-found"),
            (Method::GET, "/assets/gone.js", None, b"".to_vec(), 404, "/problems/not-found"),
            (Method::DELETE, "/api/v1/me", None, b"".to_vec(), 405, "/problems/method-not-allowed"),
            (Method::POST, "/inbox", None, b"".to_vec(), 405, "/problems/method-not-allowed"),
            (Method::POST, "/api/v1/lines", None, b"{}".to_vec(), 415, "/problems/unsupported-media-type"),
            (Method::POST, "/api/v1/lines", Some("text/plain"), b"{}".to_vec(), 415, "/problems/unsupported-media-type"),
            (Method::POST, "/api/v1/lines", json_type, b"{".to_vec(), 400, "/problems/bad-request"),
            (Method::POST, "/api/v1/lines", json_type, b"".to_vec(), 400, "/problems/bad-request"),
            (Method::POST, "/api/v1/apikeys", json_type, b"{}".to_vec(), 422, "/problems/validation"),
            (Method::POST, "/api/v1/lines", json_type, vec![b' '; 3 << 20], 413, "/problems/too-large"),
            (Method::GET, "/api/v1/lines?limit=201", None, b"".to_vec(), 400, "/problems/bad-request"),
            (Method::GET, "/api/v1/lines?limit=x", None, b"".to_vec(), 400, "/problems/bad-request"),
            (Method::GET, "/api/v1/lines?cursor=x", None, b"".to_vec(), 400, "/problems/bad-request"),
        ] {
            let (found, content_type, answer) = send(&app, method.clone(), path, kind, body).await;
            assert_eq!((found.as_u16(), content_type.as_str()), (status, "application/problem+json"), "{method} {path} {answer}");
            assert_eq!((&answer["type"], &answer["status"]), (&json!(problem), &json!(status)), "{method} {path}");
            assert!(answer["title"].is_string() && answer["detail"].is_string(), "{method} {path}");
        }
        let missing = app.client.get(format!("{}/api/v1/lines", app.base)).send().await.unwrap();
        assert_eq!(missing.status(), 401);
        assert_eq!(missing.headers()[header::CONTENT_TYPE], "application/problem+json");
    }

    async fn every_answer_has_safe_headers_and_an_id(app: TestApp) {
        for path in ["/", "/api/v1/lines", "/health/live"] {
            let response = app.client.get(format!("{}{path}", app.base)).send().await.unwrap();
            let headers = response.headers();
            assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
            assert!(headers["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'none'"), "{path}");
            assert!(headers.contains_key("x-request-id") && headers.contains_key("referrer-policy"), "{path}");
        }
        let request = app.client.get(format!("{}/health/live", app.base));
        let kept = request.header("x-request-id", "abc-1").send().await.unwrap();
        assert_eq!(kept.headers()["x-request-id"], "abc-1");
        let request = app.client.get(format!("{}/health/live", app.base));
        let replaced = request.header("x-request-id", "two words").send().await.unwrap();
        assert_ne!(replaced.headers()["x-request-id"], "two words");
    }

    async fn the_figures_are_there_for_who_may_see_them(app: TestApp) {
        let line = app.line("Support", json!({})).await;
        let channel = app.channel("webchat", &line, json!({})).await;
        let token = app.visitor(&channel).await;
        app.says(&channel, &token, "hello").await;
        let text = app.client.get(format!("{}/metrics", app.base)).send().await.unwrap().text().await.unwrap();
        for metric in ["http_requests_total{", "http_request_seconds_bucket{", "sessions{state=\"waiting\"} ", "event_head ", "channels{health="] {
            assert!(text.contains(metric), "{metric} is missing in\n{text}");
        }
        assert!(!text.contains(&token) && !text.contains("hello"));
    }

    async fn readiness_ends_with_the_begin_of_a_shutdown(app: TestApp) {
        let url = format!("{}/health/ready", app.base);
        assert_eq!(app.client.get(&url).send().await.unwrap().status(), 200);
        // On a connection that is there already: new ones are not accepted any more.
        let service = switchboard::api::router(app.app.clone());
        app.app.stop.cancel();
        let request = axum::http::Request::get("/health/ready").body(axum::body::Body::empty()).unwrap();
        let response = tower::ServiceExt::oneshot(service, request).await.unwrap();
        assert_eq!(response.status(), 503);
    }
}
