//! Channels of each provider, and requests as each provider signs them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code,
    reason = "a test fails by panicking, and each file uses a part of this"
)]

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use switchboard_sdk::{CallEvent, Clock, Connector, InboundBody, Rejection, WebhookRequest};
use switchboard_testkit::{ManualClock, context};
use switchboard_voip::DESCRIPTOR;

/// Where the channel is.
pub const HOOK: &str = "https://desk.example/hooks/voip/test-channel";
/// Its path.
pub const PATH: &str = "/hooks/voip/test-channel";
/// A signing secret.
pub const WHSEC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// A token.
pub const TOKEN: &str = "a-word-that-nobody-guesses";

pub fn now() -> DateTime<Utc> {
    ManualClock::default().now()
}

/// Settings of a provider, with operators at 101 and 102.
pub fn settings(provider: &str, secrets: Value) -> Value {
    json!({
        "provider": provider,
        "secrets": secrets,
        "default_region": "RU",
        "numbers": {"+74951234567": {"label": "Ad: search", "source": "yandex", "medium": "cpc"}},
        "operators": {"101": "opr_1", "102": "opr_2"},
    })
}

pub fn built(settings: Value) -> Arc<dyn Connector> {
    (DESCRIPTOR.build)(settings, context()).unwrap()
}

pub fn form(fields: &[(&str, &str)]) -> String {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    fields.iter().for_each(|(name, value)| {
        body.append_pair(name, value);
    });
    body.finish()
}

pub fn post(path: &str, kind: &str, body: impl Into<Bytes>) -> WebhookRequest {
    http::Request::post(path)
        .header("content-type", kind)
        .body(body.into())
        .unwrap()
}

pub fn with_header(mut request: WebhookRequest, name: &'static str, value: &str) -> WebhookRequest {
    request.headers_mut().insert(name, value.parse().unwrap());
    request
}

/// As the specification's authors sign.
pub fn standard(path: &str, body: &Value) -> WebhookRequest {
    standard_at(path, body, now().timestamp(), "wh_1")
}

pub fn standard_at(path: &str, body: &Value, at: i64, id: &str) -> WebhookRequest {
    let body = body.to_string();
    let signature = standardwebhooks::Webhook::new(WHSEC)
        .unwrap()
        .sign(id, at, body.as_bytes())
        .unwrap();
    http::Request::post(path)
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", at.to_string())
        .header("webhook-signature", signature)
        .body(Bytes::from(body))
        .unwrap()
}

pub fn sha1(key: &str, text: &str) -> Vec<u8> {
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

pub fn sha256(key: &str, text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// A form as Twilio signs it under the token `12345`.
pub fn twilio(target: &str, fields: &[(&str, &str)]) -> WebhookRequest {
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    let joined: String = sorted
        .iter()
        .map(|(name, value)| format!("{name}{value}"))
        .collect();
    let signature = STANDARD.encode(sha1("12345", &format!("https://desk.example{target}{joined}")));
    let request = post(target, "application/x-www-form-urlencoded", form(fields));
    with_header(request, "x-twilio-signature", &signature)
}

/// The events a channel makes of a request.
pub fn taken(
    connector: &dyn Connector,
    request: &WebhookRequest,
) -> Result<Vec<(String, InboundBody)>, Rejection> {
    let batch = connector.webhook().unwrap().accept(request, now())?;
    Ok(batch
        .events
        .into_iter()
        .map(|event| (event.external_id, event.body))
        .collect())
}

/// The one call event a channel makes of a request.
pub fn call(connector: &dyn Connector, request: &WebhookRequest) -> (String, CallEvent) {
    let mut all = calls(connector, request);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

/// The call events a channel makes of a request.
pub fn calls(connector: &dyn Connector, request: &WebhookRequest) -> Vec<(String, CallEvent)> {
    taken(connector, request)
        .unwrap()
        .into_iter()
        .map(|(id, body)| match body {
            InboundBody::Call(call) => (id, *call),
            other => panic!("{other:?}"),
        })
        .collect()
}

pub fn base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

pub fn hex_sha256(text: &str) -> String {
    use sha2::Digest;
    hex::encode(Sha256::digest(text.as_bytes()))
}
