//! Whether a push to `/hooks/lead/…` comes from whom it says. Pure.
//!
//! With a secret set nothing is taken without it: services that sign are held to their signatures, the others send it
//! along in a header, in the body, or in the address they push to.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use http::header;
use serde_json::Value;
use sha2::Sha256;
use switchboard_sdk::{Rejection, WebhookRequest};

use crate::body;

/// How far a signed time may be from ours.
const FRESH: TimeDelta = TimeDelta::minutes(5);
/// Names under which services send a secret in the body.
const IN_BODY: [&str; 3] = ["google_key", "api_key", "secret"];

/// Refuses what does not know the secret.
pub fn verify(
    secret: &str,
    request: &WebhookRequest,
    max_bytes: u64,
    now: DateTime<Utc>,
) -> Result<(), Rejection> {
    let header = |name: &str| request.headers().get(name)?.to_str().ok();
    let body = request.body();
    let good = if let Some(signature) = header("typeform-signature") {
        let signature = signature.strip_prefix("sha256=");
        signature.is_some_and(|signature| signed_base64(secret, &[body], signature))
    } else if let Some(signature) = header("tally-signature") {
        signed_base64(secret, &[body], signature)
    } else if let Some(signature) = header("x-webflow-signature") {
        let time = header("x-webflow-timestamp").unwrap_or_default();
        is_fresh(time, now) && signed_hex(secret, &[time.as_bytes(), b":", body], signature)
    } else {
        sent_along(request, max_bytes)
            .iter()
            .any(|given| is_secret(secret, given))
    };
    if good {
        Ok(())
    } else {
        Err(Rejection::Unauthenticated(
            "the signature or the secret is missing or wrong: it is set in the channel".to_owned(),
        ))
    }
}

/// A signature in hex, as Meta's too.
pub fn signed_hex(secret: &str, parts: &[&[u8]], signature: &str) -> bool {
    hex::decode(signature.trim()).is_ok_and(|signature| signed(secret, parts, &signature))
}

/// A signature of ours, in hex.
pub fn sign_hex(secret: &str, parts: &[&[u8]]) -> String {
    mac(secret, parts).map_or_else(String::new, |mac| hex::encode(mac.finalize().into_bytes()))
}

/// Whether somebody knows a secret, compared in the same time whatever they say.
pub fn is_secret(secret: &str, given: &str) -> bool {
    let expected = mac(secret, &[secret.as_bytes()]).map(|mac| mac.finalize().into_bytes());
    let given = mac(secret, &[given.as_bytes()]);
    match (expected, given) {
        (Some(expected), Some(given)) => given.verify_slice(&expected).is_ok(),
        _ => false,
    }
}

fn signed_base64(secret: &str, parts: &[&[u8]], signature: &str) -> bool {
    STANDARD
        .decode(signature.trim())
        .is_ok_and(|signature| signed(secret, parts, &signature))
}

fn signed(secret: &str, parts: &[&[u8]], signature: &[u8]) -> bool {
    mac(secret, parts).is_some_and(|mac| mac.verify_slice(signature).is_ok())
}

fn mac(secret: &str, parts: &[&[u8]]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac)
}

/// Milliseconds since 1970, near now.
fn is_fresh(millis: &str, now: DateTime<Utc>) -> bool {
    let at = millis.parse().ok().and_then(DateTime::from_timestamp_millis);
    at.is_some_and(|at: DateTime<Utc>| (now - at).abs() <= FRESH)
}

/// What is sent along as the secret: in a header, in the address, in the body.
fn sent_along(request: &WebhookRequest, max_bytes: u64) -> Vec<String> {
    let header = |name: &str| request.headers().get(name)?.to_str().ok().map(str::to_owned);
    let bearer = header(header::AUTHORIZATION.as_str())
        .and_then(|value| value.split_once(' ').map(|(_, token)| token.trim().to_owned()));
    let mut given: Vec<String> = bearer.into_iter().chain(header("x-api-key")).collect();
    let query = request.uri().query().unwrap_or_default();
    let query = form_urlencoded::parse(query.as_bytes());
    given.extend(
        query
            .filter(|(name, _)| name == "secret")
            .map(|(_, value)| value.into_owned()),
    );
    match serde_json::from_slice::<Value>(request.body()) {
        Ok(body) => {
            let inside = IN_BODY.iter().filter_map(|name| body.get(name)?.as_str());
            given.extend(inside.map(str::to_owned));
        }
        Err(_) => {
            if let Ok(posted) = body::read(request, max_bytes) {
                let inside = IN_BODY.iter().filter_map(|name| posted.last(name));
                given.extend(inside.map(str::to_owned));
            }
        }
    }
    given
}
