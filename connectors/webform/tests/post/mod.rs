//! Posts as browsers and programs make them.
#![allow(dead_code, reason = "each test binary uses its part")]

use bytes::Bytes;
use http::header;
use switchboard_sdk::WebhookRequest;

/// A post of this body under this media type.
pub fn post(kind: &str, body: impl Into<Bytes>) -> WebhookRequest {
    let request = http::Request::post("/f/test-channel")
        .header(header::CONTENT_TYPE, kind)
        .header(header::USER_AGENT, "test");
    request.body(body.into()).unwrap_or_default()
}

/// What a form without script sends.
pub fn urlencoded(fields: &[(&str, &str)]) -> WebhookRequest {
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    post("application/x-www-form-urlencoded", body)
}

/// What a form with files sends; files are (field, file name, media type, bytes).
pub fn multipart(fields: &[(&str, &str)], files: &[(&str, &str, &str, &[u8])]) -> WebhookRequest {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend(
            format!("--b0undary\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
                .into_bytes(),
        );
    }
    for (name, file, kind, data) in files {
        let head = format!(
            "--b0undary\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file}\"\r\nContent-Type: {kind}\r\n\r\n"
        );
        body.extend(head.into_bytes());
        body.extend_from_slice(data);
        body.extend(b"\r\n");
    }
    body.extend(b"--b0undary--\r\n");
    post("multipart/form-data; boundary=b0undary", body)
}

/// What a program sends.
pub fn json(value: &serde_json::Value) -> WebhookRequest {
    post("application/json", value.to_string())
}

/// The request with one more header.
pub fn with(mut request: WebhookRequest, name: &'static str, value: &str) -> WebhookRequest {
    if let Ok(value) = http::HeaderValue::from_str(value) {
        request.headers_mut().insert(name, value);
    }
    request
}
