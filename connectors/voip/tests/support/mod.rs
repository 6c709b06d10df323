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
use switchboard_testkit::{FakeHttp, ManualClock, context};
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

/// A channel, and the network it asks by.
pub fn with_http(settings: Value) -> (Arc<dyn Connector>, FakeHttp) {
    let http = FakeHttp::default();
    let mut context = context();
    context.http = Arc::new(http.clone());
    ((DESCRIPTOR.build)(settings, context).unwrap(), http)
}

/// A key as an application has it.
pub fn private_key() -> String {
    let made = std::process::Command::new("openssl")
        .args([
            "genpkey",
            "-quiet",
            "-algorithm",
            "RSA",
            "-pkeyopt",
            "rsa_keygen_bits:2048",
        ])
        .output()
        .unwrap();
    String::from_utf8(made.stdout).unwrap()
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

pub fn sha256(key: impl AsRef<[u8]>, text: impl AsRef<[u8]>) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_ref()).unwrap();
    mac.update(text.as_ref());
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

/// Every provider, with a channel and a request of it that is good.
pub fn providers() -> Vec<(&'static str, Arc<dyn Connector>, WebhookRequest)> {
    use ring::signature::KeyPair;
    let bearer = |path: &str, body: Value| {
        let request = post(path, "application/json", body.to_string());
        with_header(request, "authorization", &format!("Bearer {TOKEN}"))
    };
    let inbound = json!({"event": "ringing", "call_id": "c1", "direction": "inbound", "from": "+79161234567", "to": "+74951234567"});
    let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let at = now().timestamp();
    let telnyx = json!({"data": {"event_type": "call.initiated", "id": "e1", "payload": {"call_session_id": "s1", "call_leg_id": "l1", "direction": "incoming", "from": "+79161234567", "to": "+74951234567"}}}).to_string();
    let telnyx_signature = base64(pair.sign(format!("{at}|{telnyx}").as_bytes()));
    let telnyx = with_header(
        post(PATH, "application/json", telnyx),
        "telnyx-timestamp",
        &at.to_string(),
    );
    let vonage = json!({"status": "started", "uuid": "u1", "conversation_uuid": "CON-1", "direction": "inbound", "from": "79161234567", "to": "74951234567"}).to_string();
    let claims = json!({"iat": at, "jti": "j1", "payload_hash": hex_sha256(&vonage)});
    let jwt = format!(
        "{}.{}",
        base64url(r#"{"alg":"HS256"}"#),
        base64url(claims.to_string())
    );
    let jwt = format!("Bearer {jwt}.{}", base64url(sha256("vonage-secret", &jwt)));
    let plivo = [
        ("CallUUID", "p1"),
        ("CallStatus", "ringing"),
        ("Direction", "inbound"),
        ("From", "79161234567"),
        ("To", "74951234567"),
    ];
    let plivo_text: String = {
        let mut sorted = plivo.to_vec();
        sorted.sort_unstable();
        sorted
            .iter()
            .map(|(name, value)| format!("{name}{value}"))
            .collect()
    };
    let plivo_signature = base64(sha256("tok", format!("{HOOK}?{plivo_text}.n1")));
    let urlencoded = "application/x-www-form-urlencoded";
    let plivo = with_header(
        post(PATH, urlencoded, form(&plivo)),
        "x-plivo-signature-v3-nonce",
        "n1",
    );
    let zadarma = form(&[
        ("event", "NOTIFY_START"),
        ("caller_id", "1"),
        ("called_did", "2"),
        ("call_start", "3"),
        ("pbx_call_id", "in_1"),
    ]);
    let mango = r#"{"entry_id":"e1","call_id":"c1","seq":1,"call_state":"Appeared","location":"ivr","from":{"number":"79161234567"},"to":{"line_number":"74951234567"}}"#;
    let mango_sign = hex_sha256(&format!("key{mango}salt"));
    vec![
        (
            "twilio",
            built(settings("twilio", json!({"auth_token": "12345"}))),
            twilio(
                PATH,
                &[
                    ("CallSid", "CA1"),
                    ("CallStatus", "ringing"),
                    ("From", "+79161234567"),
                    ("To", "+74951234567"),
                    ("Direction", "inbound"),
                ],
            ),
        ),
        (
            "telnyx",
            built(settings(
                "telnyx",
                json!({"public_key": base64(pair.public_key())}),
            )),
            with_header(telnyx, "telnyx-signature-ed25519", &telnyx_signature),
        ),
        (
            "vonage",
            built(settings("vonage", json!({"signature_secret": "vonage-secret"}))),
            with_header(post(PATH, "application/json", vonage), "authorization", &jwt),
        ),
        (
            "plivo",
            built(settings("plivo", json!({"auth_token": "tok"}))),
            with_header(plivo, "x-plivo-signature-v3", &plivo_signature),
        ),
        (
            "zadarma",
            built(settings("zadarma", json!({"secret": "secret"}))),
            with_header(
                post(PATH, urlencoded, zadarma),
                "signature",
                &base64(hex::encode(sha1("secret", "123"))),
            ),
        ),
        (
            "mango",
            built(settings("mango", json!({"api_key": "key", "salt": "salt"}))),
            post(
                &format!("{PATH}/events/call"),
                urlencoded,
                form(&[("vpbx_api_key", "key"), ("sign", &mango_sign), ("json", mango)]),
            ),
        ),
        (
            "voximplant",
            built(settings("voximplant", json!({"token": TOKEN}))),
            bearer(PATH, inbound.clone()),
        ),
        (
            "asterisk",
            built(settings("asterisk", json!({"token": TOKEN}))),
            bearer(
                PATH,
                json!({"event": "started", "linkedid": "l1", "from": "+79161234567"}),
            ),
        ),
        (
            "3cx",
            built(settings("3cx", json!({"token": TOKEN}))),
            bearer(
                PATH,
                json!({"number": "+79161234567", "call_type": "Missed", "agent": "101"}),
            ),
        ),
        (
            "zammad_cti",
            built(settings("zammad_cti", json!({"token": TOKEN}))),
            bearer(
                PATH,
                json!({"event": "newCall", "from": "79161234567", "to": "74951234567", "direction": "in", "callId": "z1"}),
            ),
        ),
        (
            "generic",
            built(settings("generic", json!({"signing_secret": WHSEC}))),
            standard(PATH, &inbound),
        ),
    ]
}
