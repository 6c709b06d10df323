//! Standard Webhooks 1.0.0: the same signature both ways. Pure.
//!
//! Signed is `id.timestamp.body`, with HMAC-SHA256 under the decoded secret. Several secrets may be active
//! while one is rotated: a request is good when any signature fits any of them, and ours carry one for each.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use sha2::Sha256;

/// How far a timestamp may be from our clock, in seconds, in both directions.
pub const WINDOW_SECS: i64 = 300;
/// Shortest and longest secret, in bytes.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 16..=256;
/// Most signatures of one request that are looked at.
const MAX_SIGNATURES: usize = 8;

pub const ID: &str = "webhook-id";
pub const TIMESTAMP: &str = "webhook-timestamp";
pub const SIGNATURE: &str = "webhook-signature";

type HmacSha256 = Hmac<Sha256>;

/// A secret, decoded.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// Reads `whsec_` and base64.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        let coded = text
            .trim()
            .strip_prefix("whsec_")
            .ok_or("begins with whsec_, followed by the key in base64")?;
        let key = STANDARD.decode(coded).map_err(|_| "is not base64 after whsec_")?;
        if KEY_BYTES.contains(&key.len()) {
            Ok(Self(key))
        } else {
            Err("has 16 to 256 bytes of key, in base64 after whsec_")
        }
    }

    fn mac(&self, id: &str, timestamp: &str, body: &[u8]) -> Option<HmacSha256> {
        let mut mac = HmacSha256::new_from_slice(&self.0).ok()?;
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        Some(mac)
    }
}

/// The value of `webhook-signature`: one signature for each secret.
pub fn sign(secrets: &[&Secret], id: &str, timestamp: i64, body: &[u8]) -> String {
    let timestamp = timestamp.to_string();
    let signatures = secrets.iter().filter_map(|secret| {
        let mac = secret.mac(id, &timestamp, body)?;
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    });
    signatures.collect::<Vec<_>>().join(" ")
}

/// Who a request says it is, once its signature holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`.
    pub at: DateTime<Utc>,
}

/// Verifies a request; the reason of a refusal tells its sender what to look at.
pub fn verify(
    secrets: &[&Secret],
    headers: &HeaderMap,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<Verified, String> {
    let header = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value
            .map(str::trim)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| format!("the header {name} is missing"))
    };
    let (id, timestamp, signatures) = (header(ID)?, header(TIMESTAMP)?, header(SIGNATURE)?);
    let secs: i64 = timestamp
        .parse()
        .map_err(|_| format!("{TIMESTAMP} is not a number of seconds"))?;
    let at = DateTime::from_timestamp(secs, 0).ok_or_else(|| format!("{TIMESTAMP} is no time"))?;
    if (now - at).num_seconds().abs() > WINDOW_SECS {
        return Err(format!(
            "{TIMESTAMP} is more than {WINDOW_SECS} seconds from this server's time"
        ));
    }
    let given = signatures
        .split_ascii_whitespace()
        .filter_map(|one| one.strip_prefix("v1,"))
        .take(MAX_SIGNATURES)
        .filter_map(|one| STANDARD.decode(one).ok());
    // No early end: how many were tried says nothing about the secret, but there is nothing to gain either.
    let mut good = false;
    for signature in given {
        for secret in secrets {
            // Compared in constant time.
            good |= secret
                .mac(id, timestamp, body)
                .is_some_and(|mac| mac.verify_slice(&signature).is_ok());
        }
    }
    if good {
        Ok(Verified {
            id: id.to_owned(),
            at,
        })
    } else {
        Err(format!(
            "{SIGNATURE} does not fit: sign \"id.timestamp.body\" with HMAC-SHA256 under the decoded secret"
        ))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn secret() -> Secret {
        Secret::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap()
    }

    fn headers(id: &str, timestamp: &str, signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in [(ID, id), (TIMESTAMP, timestamp), (SIGNATURE, signature)] {
            headers.insert(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn the_specifications_own_vector_is_signed_and_verified() {
        // From the libraries of standardwebhooks.com.
        let body = br#"{"test": 2432232314}"#;
        let (id, at) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330);
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(sign(&[&secret()], id, at, body), expected);
        let now = DateTime::from_timestamp(at, 0).unwrap();
        let given = headers(id, &at.to_string(), expected);
        assert_eq!(verify(&[&secret()], &given, body, now).unwrap().id, id);
    }

    #[test]
    fn anything_that_does_not_fit_is_refused() {
        let (id, at, body) = ("msg_1", 1_800_000_000_i64, b"{}".as_slice());
        let now = DateTime::from_timestamp(at, 0).unwrap();
        let good = sign(&[&secret()], id, at, body);
        let other = Secret::read("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").unwrap();
        let stamp = at.to_string();
        let ask = |headers: HeaderMap, secret: &Secret, body: &[u8], now| {
            verify(&[secret], &headers, body, now).is_ok()
        };
        let given = || headers(id, &stamp, &good);
        assert!(ask(given(), &secret(), body, now));
        assert!(ask(
            headers(id, &stamp, &format!("v1a,xx v1,AAAA {good}")),
            &secret(),
            body,
            now
        ));
        for (case, ok) in [
            ("another secret", ask(given(), &other, body, now)),
            ("another body", ask(given(), &secret(), b"{ }", now)),
            (
                "another id",
                ask(headers("msg_2", &stamp, &good), &secret(), body, now),
            ),
            (
                "another time",
                ask(headers(id, "1800000001", &good), &secret(), body, now),
            ),
            ("no time", ask(headers(id, "soon", &good), &secret(), body, now)),
            (
                "a time beyond all",
                ask(headers(id, "9223372036854775807", &good), &secret(), body, now),
            ),
            (
                "the wrong version",
                ask(
                    headers(id, &stamp, &good.replace("v1,", "v2,")),
                    &secret(),
                    body,
                    now,
                ),
            ),
            (
                "too old",
                ask(given(), &secret(), body, now + chrono::TimeDelta::seconds(301)),
            ),
            (
                "from the future",
                ask(given(), &secret(), body, now - chrono::TimeDelta::seconds(301)),
            ),
            ("nothing", ask(HeaderMap::new(), &secret(), body, now)),
        ] {
            assert!(!ok, "{case}");
        }
        assert!(ask(
            given(),
            &secret(),
            body,
            now + chrono::TimeDelta::seconds(300)
        ));
    }

    #[test]
    fn while_a_secret_is_rotated_both_hold() {
        let (old, new) = (
            secret(),
            Secret::read("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").unwrap(),
        );
        let (id, at, body) = ("msg_1", 1_800_000_000_i64, b"{}".as_slice());
        let now = DateTime::from_timestamp(at, 0).unwrap();
        for signer in [&old, &new] {
            let given = headers(id, &at.to_string(), &sign(&[signer], id, at, body));
            assert!(verify(&[&new, &old], &given, body, now).is_ok());
        }
        let both = headers(id, &at.to_string(), &sign(&[&new, &old], id, at, body));
        assert!(verify(&[&old], &both, body, now).is_ok() && verify(&[&new], &both, body, now).is_ok());
    }

    proptest! {
        #[test]
        fn no_headers_make_it_panic_or_pass(id in "[ -~]{0,40}", stamp in "[ -~]{0,25}", signature in "[ -~]{0,80}") {
            let given = headers(&id, &stamp, &signature);
            let judged = verify(&[&secret()], &given, b"{}", DateTime::UNIX_EPOCH);
            prop_assert!(judged.is_err());
        }
    }
}
