//! Standard Webhooks 1.0.0, as far as it is verified here. Pure.
//!
//! Signed is `id.timestamp.body`, with HMAC-SHA256 under the decoded secret; a request is good when any of its
//! signatures fits any active secret.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use http::HeaderMap;

use crate::{proof, window};

/// Shortest and longest key, in bytes.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 16..=256;
/// Most signatures of one request that are looked at.
const MAX_SIGNATURES: usize = 8;
/// Longest id.
const MAX_ID: usize = 256;

const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";

/// A secret, decoded.
pub struct Key(Vec<u8>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// Reads `whsec_` and base64.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        let coded = text.trim().strip_prefix("whsec_").ok_or("begins with whsec_")?;
        let key = STANDARD.decode(coded).map_err(|_| "is not base64 after whsec_")?;
        if KEY_BYTES.contains(&key.len()) {
            Ok(Self(key))
        } else {
            Err("has 16 to 256 bytes of key, in base64 after whsec_")
        }
    }
}

/// Whether the request brings such a signature at all.
pub fn is_signed(headers: &HeaderMap) -> bool {
    headers.contains_key(SIGNATURE)
}

/// Verifies; answers `webhook-id` and when it was sent. The reason of a refusal tells its sender what to look at.
pub fn verify<'a>(
    secrets: impl Iterator<Item = &'a str>,
    headers: &HeaderMap,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<(String, DateTime<Utc>), String> {
    let header = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value
            .filter(|value| !value.trim().is_empty())
            .ok_or_else(|| format!("the header {name} is missing"))
    };
    let (id, timestamp, signatures) = (header(ID)?, header(TIMESTAMP)?, header(SIGNATURE)?);
    if id.len() > MAX_ID {
        return Err(format!("{ID} has at most {MAX_ID} characters"));
    }
    let at = window::seconds(timestamp, now).map_err(|why| format!("{TIMESTAMP} {why}"))?;
    let given: Vec<&str> = signatures
        .split_ascii_whitespace()
        .filter_map(|one| one.strip_prefix("v1,"))
        .take(MAX_SIGNATURES)
        .collect();
    let mut good = false;
    for secret in secrets {
        let Ok(key) = Key::read(secret) else { continue };
        let parts: [&[u8]; 5] = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body];
        let expected = proof::base64(proof::hmac_sha256(&key.0, &parts));
        good |= given
            .iter()
            .fold(false, |good, one| good | proof::same(one, &expected));
    }
    if good {
        Ok((id.to_owned(), at))
    } else {
        Err(format!(
            "{SIGNATURE} does not fit: sign \"id.timestamp.body\" with HMAC-SHA256 under the decoded secret"
        ))
    }
}

/// The value of `webhook-signature` for what we send.
pub fn sign(secret: &str, id: &str, now: DateTime<Utc>, body: &[u8]) -> Result<String, String> {
    let key = Key::read(secret).map_err(|why| format!("the signing secret {why}"))?;
    let timestamp = now.timestamp().to_string();
    let parts: [&[u8]; 5] = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body];
    Ok(format!(
        "v1,{}",
        proof::base64(proof::hmac_sha256(&key.0, &parts))
    ))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_specifications_own_vector_holds_and_no_other() {
        let (id, at, body) = (
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        let mut headers = HeaderMap::new();
        headers.insert(ID, HeaderValue::from_static(id));
        headers.insert(TIMESTAMP, HeaderValue::from_static("1614265330"));
        headers.insert(
            SIGNATURE,
            HeaderValue::from_static("v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        );
        let now = DateTime::from_timestamp(at, 0).unwrap();
        let secrets = [
            "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        ];
        assert_eq!(
            verify(secrets.into_iter(), &headers, body, now),
            Ok((id.to_owned(), now))
        );
        assert!(verify(secrets.into_iter().take(1), &headers, body, now).is_err());
        assert!(verify(secrets.into_iter(), &headers, b"{}", now).is_err());
        assert!(
            verify(
                secrets.into_iter(),
                &headers,
                body,
                now + chrono::TimeDelta::seconds(301)
            )
            .is_err()
        );
    }
}
