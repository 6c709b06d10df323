//! Signatures that the providers' own libraries made: taken as they are, and refused when one byte is another.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::{
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
    sync::Arc,
};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderValue;
use serde_json::{Value, json};
use support::{HOOK, PATH, built, form, settings};
use switchboard_sdk::{Clock, Connector, Rejection, SystemClock, WebhookRequest};

fn now() -> DateTime<Utc> {
    SystemClock.now()
}

/// The headers the libraries make for each request.
fn signed(asks: &[Value]) -> Vec<Value> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("../../.cache/telephony-sdks/bin/python");
    assert!(
        python.exists(),
        "the providers' libraries are missing; run scripts/telephony-sdks"
    );
    let mut child = Command::new(python)
        .arg(root.join("tests/sdks/sign.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input
        .write_all(Value::from(asks.to_vec()).to_string().as_bytes())
        .unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the libraries did not sign");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn request(method: &str, target: &str, kind: Option<&str>, body: &str, headers: &Value) -> WebhookRequest {
    let mut request = http::Request::builder().method(method).uri(target);
    if let Some(kind) = kind {
        request = request.header("content-type", kind);
    }
    for (name, value) in headers.as_object().unwrap() {
        if name != "public" {
            request = request.header(name, value.as_str().unwrap());
        }
    }
    request.body(Bytes::copy_from_slice(body.as_bytes())).unwrap()
}

fn accept(
    connector: &Arc<dyn Connector>,
    request: &WebhookRequest,
    at: DateTime<Utc>,
) -> Result<usize, Rejection> {
    let batch = connector.webhook().unwrap().accept(request, at)?;
    Ok(batch.events.len())
}

/// Every byte of a text replaced by each other byte of `alternatives`.
fn changed(text: &[u8], alternatives: impl Fn(u8) -> Vec<u8>) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for (at, byte) in text.iter().enumerate() {
        for other in alternatives(*byte).into_iter().filter(|other| other != byte) {
            let mut text = text.to_vec();
            text[at] = other;
            all.push(text);
        }
    }
    all
}

fn any_byte(_: u8) -> Vec<u8> {
    (0..=255).collect()
}

fn any_bit(byte: u8) -> Vec<u8> {
    (0..8).map(|bit| byte ^ (1 << bit)).collect()
}

/// What else a connector may say to a request that was changed: nothing but "that is not the provider".
fn refused(build: &dyn Fn() -> Arc<dyn Connector>, request: &WebhookRequest, what: &str) {
    // A fresh one each time: no memory of numbers helps it.
    let answer = accept(&build(), request, now());
    assert!(
        matches!(answer, Err(Rejection::Unauthenticated(_))),
        "{what} is answered {answer:?}: {request:?}"
    );
}

fn every_byte_counts(
    build: &dyn Fn() -> Arc<dyn Connector>,
    good: &WebhookRequest,
    signatures: &[&'static str],
    url: bool,
    others: fn(u8) -> Vec<u8>,
) {
    assert!(
        accept(&build(), good, now()).is_ok_and(|events| events > 0),
        "{:?}",
        accept(&build(), good, now())
    );
    let connector = build();
    let fresh = || Arc::clone(&connector);
    let mut tried = 0;
    for body in changed(good.body(), others) {
        let mut request = good.clone();
        *request.body_mut() = Bytes::from(body);
        refused(&fresh, &request, "another body");
        tried += 1;
    }
    if url {
        let target = good.uri().path_and_query().unwrap().as_str().as_bytes();
        for target in changed(target, others) {
            // A target that is none, or that ends at a fragment, never arrives.
            let Some(uri) = std::str::from_utf8(&target)
                .ok()
                .and_then(|text| text.parse::<http::Uri>().ok())
            else {
                continue;
            };
            if target.contains(&b'#') || !target.starts_with(b"/") {
                continue;
            }
            let mut request = good.clone();
            *request.uri_mut() = uri;
            refused(&fresh, &request, "another address");
            tried += 1;
        }
    }
    for name in signatures {
        let value = good.headers()[*name].as_bytes().to_vec();
        // The word before a token is the scheme, and no part of what is signed.
        let from = if *name == "authorization" {
            "Bearer ".len()
        } else {
            0
        };
        for tail in changed(&value[from..], others) {
            let whole = [&value[..from], &tail].concat();
            let Ok(header) = HeaderValue::from_bytes(&whole) else {
                continue;
            };
            let mut request = good.clone();
            request.headers_mut().insert(*name, header);
            refused(&fresh, &request, name);
            tried += 1;
        }
        let mut without = good.clone();
        without.headers_mut().remove(*name);
        refused(&fresh, &without, "a header less");
    }
    assert!(tried > 500, "only {tried} changes were tried");
    // The good one still is: repeated by the provider, byte for byte, it is a duplicate.
    assert!(accept(&connector, good, now()).is_ok());
    assert!(accept(&connector, good, now()).is_ok());
}

const CALL: [(&str, &str); 8] = [
    ("CallSid", "CA1234567890abcdef1234567890abcdef"),
    ("AccountSid", "AC1234567890abcdef1234567890abcdef"),
    ("From", "+79161234567"),
    ("To", "+74951234567"),
    ("CallStatus", "ringing"),
    ("Direction", "inbound"),
    ("CallerName", "Анна & Co = 100%"),
    ("Zone", "z"),
];

#[test]
fn twilios_library_signs_and_no_byte_can_be_another() {
    let build = || {
        built(settings(
            "twilio",
            json!({"auth_token": ["before", "12345"], "shared_key": "key_1:shared-secret"}),
        ))
    };
    let repeated = [
        ("CallSid", "CA1"),
        ("CallStatus", "ringing"),
        ("Say", "b"),
        ("Say", "a"),
        ("Say", "b"),
    ];
    let target = format!("{PATH}?foo=1&bar=a%2Bb");
    let json_body = r#"{"CallSid":"CA1"}"#;
    let asks = [
        json!({"provider": "twilio", "token": "12345", "url": format!("https://desk.example{target}"), "params": CALL}),
        json!({"provider": "twilio", "token": "12345", "url": format!("https://desk.example:443{target}"), "params": CALL}),
        json!({"provider": "twilio", "token": "12345", "url": format!("{HOOK}?{}", form(&CALL)), "params": []}),
        json!({"provider": "twilio", "token": "12345", "url": HOOK, "params": [], "json": json_body}),
        json!({"provider": "twilio", "token": "12345", "url": HOOK, "params": repeated}),
        json!({"provider": "twilio", "token": "shared-secret", "key": "key_1", "url": HOOK, "params": CALL}),
        json!({"provider": "twilio", "token": "other", "url": format!("https://desk.example{target}"), "params": CALL}),
    ];
    let headers = signed(&asks);
    let kind = Some("application/x-www-form-urlencoded");
    let posted = request("POST", &target, kind, &form(&CALL), &headers[0]);
    every_byte_counts(&build, &posted, &["x-twilio-signature"], true, any_byte);
    let with_port = request("POST", &target, kind, &form(&CALL), &headers[1]);
    assert_eq!(accept(&build(), &with_port, now()), Ok(1), "signed with the port");
    let asked = request("GET", &format!("{PATH}?{}", form(&CALL)), None, "", &headers[2]);
    every_byte_counts(&build, &asked, &["x-twilio-signature"], true, any_bit);
    let hash = support::hex_sha256(json_body);
    let as_json = request(
        "POST",
        &format!("{PATH}?bodySHA256={hash}"),
        Some("application/json"),
        json_body,
        &headers[3],
    );
    every_byte_counts(&build, &as_json, &["x-twilio-signature"], true, any_bit);
    refused(
        &build,
        &request("POST", &target, kind, &form(&CALL), &headers[4]),
        "another account's token",
    );
}

#[test]
fn plivos_library_signs_and_no_byte_can_be_another() {
    let fields = [
        ("CallUUID", "u-1"),
        ("From", "79161234567"),
        ("To", "74951234567"),
        ("CallStatus", "ringing"),
        ("Direction", "inbound"),
        ("Zone", "z"),
    ];
    let other = [
        ("CallUUID", "u-2"),
        ("From", "79161234567"),
        ("To", "74951234567"),
        ("CallStatus", "ringing"),
        ("Direction", "inbound"),
    ];
    let build = || built(settings("plivo", json!({"auth_token": "tok"})));
    let target = format!("{PATH}?b=2&a=%2B1");
    let ask = |method: &str, url: &str, params: &[(&str, &str)], nonce: &str| json!({"provider": "plivo", "token": "tok", "method": method, "url": url, "params": params, "nonce": nonce});
    let url = format!("https://desk.example{target}");
    let headers = signed(&[
        ask("POST", &url, &fields, "12345678901234567890"),
        ask("POST", HOOK, &fields, "n-2"),
        ask("GET", &format!("{HOOK}?{}", form(&fields)), &[], "n-3"),
        ask("POST", HOOK, &other, "n-2"),
    ]);
    let kind = Some("application/x-www-form-urlencoded");
    let with_query = request("POST", &target, kind, &form(&fields), &headers[0]);
    let proofs = ["x-plivo-signature-v3", "x-plivo-signature-v3-nonce"];
    every_byte_counts(&build, &with_query, &proofs, true, any_byte);
    let plain = request("POST", PATH, kind, &form(&fields), &headers[1]);
    every_byte_counts(&build, &plain, &proofs, true, any_bit);
    let asked = request("GET", &format!("{PATH}?{}", form(&fields)), None, "", &headers[2]);
    every_byte_counts(&build, &asked, &proofs, true, any_bit);
    // Several signatures, as while a token is being changed.
    let both = support::with_header(
        plain.clone(),
        "x-plivo-signature-v3",
        &format!("AAAA,{}", headers[1]["x-plivo-signature-v3"].as_str().unwrap()),
    );
    assert_eq!(accept(&build(), &both, now()), Ok(1));
    // A number that was used, well signed for something else.
    let connector = build();
    assert_eq!(accept(&connector, &plain, now()), Ok(1));
    let replayed = request("POST", PATH, kind, &form(&other), &headers[3]);
    assert!(matches!(
        accept(&connector, &replayed, now()),
        Err(Rejection::Unauthenticated(_))
    ));
    assert_eq!(accept(&build(), &replayed, now()), Ok(1), "good as such");
}

#[test]
fn vonages_library_verifies_what_is_signed_here_and_no_byte_can_be_another() {
    let body = r#"{"from":"79161234567","to":"74951234567","uuid":"u1","conversation_uuid":"CON-1","status":"ringing","direction":"inbound","timestamp":"2026-01-05T10:00:00.000Z"}"#;
    let other = body.replace("u1", "u2");
    let secret = "a-signature-secret-of-thirty-two-bytes!";
    let build = || {
        built(settings(
            "vonage",
            json!({"signature_secret": ["before-the-change-of-the-secret-it-was", secret], "api_key": "a1b2c3d4"}),
        ))
    };
    let at = now().timestamp();
    let ask = |at: i64, jti: &str, body: &str| json!({"provider": "vonage", "secret": secret, "at": at, "jti": jti, "body": body});
    let headers = signed(&[
        ask(at, "j-1", body),
        ask(at - 301, "j-2", body),
        ask(at, "j-1", &other),
    ]);
    let kind = Some("application/json");
    let good = request("POST", PATH, kind, body, &headers[0]);
    every_byte_counts(&build, &good, &["authorization"], false, any_bit);
    refused(
        &build,
        &request("POST", PATH, kind, body, &headers[1]),
        "an old one",
    );
    assert!(matches!(
        accept(&build(), &good, now() + TimeDelta::seconds(400)),
        Err(Rejection::Unauthenticated(_))
    ));
    assert!(matches!(
        accept(&build(), &good, now() - TimeDelta::seconds(400)),
        Err(Rejection::Unauthenticated(_))
    ));
    let connector = build();
    assert_eq!(accept(&connector, &good, now()), Ok(1));
    let replayed = request("POST", PATH, kind, &other, &headers[2]);
    assert!(matches!(
        accept(&connector, &replayed, now()),
        Err(Rejection::Unauthenticated(_))
    ));
    let elsewhere = request("POST", &format!("{PATH}?leg=client"), kind, body, &headers[0]);
    assert!(matches!(
        accept(&connector, &elsewhere, now()),
        Err(Rejection::Unauthenticated(_))
    ));
    // Nothing but HS256, whatever the token says of itself.
    for alg in ["none", "RS256", "HS512"] {
        let token = headers[0]["authorization"].as_str().unwrap();
        let mut parts: Vec<String> = token
            .trim_start_matches("Bearer ")
            .split('.')
            .map(str::to_owned)
            .collect();
        parts[0] = support::base64url(json!({"alg": alg, "typ": "JWT"}).to_string());
        let signature = support::sha256(secret, format!("{}.{}", parts[0], parts[1]));
        parts[2] = support::base64url(signature);
        refused(
            &build,
            &support::with_header(
                good.clone(),
                "authorization",
                &format!("Bearer {}", parts.join(".")),
            ),
            alg,
        );
    }
}

#[test]
fn telnyxs_library_verifies_what_is_signed_here_and_no_byte_can_be_another() {
    let body = r#"{"data":{"record_type":"event","event_type":"call.initiated","id":"e1","occurred_at":"2026-01-05T10:00:00.000Z","payload":{"call_session_id":"s1","call_leg_id":"l1","direction":"incoming","from":"+79161234567","to":"+74951234567"}},"meta":{"attempt":1}}"#;
    let seed = support::base64([7_u8; 32]);
    let at = now().timestamp();
    let ask = |at: i64| json!({"provider": "telnyx", "seed": seed, "at": at, "body": body, "stale": at < now().timestamp() - 290});
    let headers = signed(&[ask(at), ask(at - 301)]);
    let public = headers[0]["public"].as_str().unwrap().to_owned();
    let other = support::base64([9_u8; 32]);
    let build = || built(settings("telnyx", json!({"public_key": [other, public]})));
    let kind = Some("application/json");
    let good = request("POST", PATH, kind, body, &headers[0]);
    every_byte_counts(
        &build,
        &good,
        &["telnyx-signature-ed25519", "telnyx-timestamp"],
        false,
        any_bit,
    );
    refused(
        &build,
        &request("POST", PATH, kind, body, &headers[1]),
        "an old one",
    );
    assert!(matches!(
        accept(&build(), &good, now() + TimeDelta::seconds(400)),
        Err(Rejection::Unauthenticated(_))
    ));
    let stranger = || {
        built(settings(
            "telnyx",
            json!({"public_key": support::base64([9_u8; 32])}),
        ))
    };
    refused(&stranger, &good, "another account's");
}
