//! Signatures by Standard Webhooks 1.0.0. Pure but for the making of secrets.
//!
//! Signed is `id.timestamp.body` with HMAC-SHA256 under the decoded secret. For a while after a secret was
//! changed each request carries a signature by the new one and by the old.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::id;

/// The headers, by name.
pub const ID: &str = "webhook-id";
/// Unix seconds of the attempt.
pub const TIMESTAMP: &str = "webhook-timestamp";
/// `v1,…`, one for each secret, with spaces between.
pub const SIGNATURE: &str = "webhook-signature";

const PREFIX: &str = "whsec_";
/// What the specification allows.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// Old secrets kept at once.
const MAX_OLD: usize = 3;

/// A new secret.
pub fn new_secret() -> String {
    let mut key = [0_u8; 32];
    id::fill_random(&mut key);
    format!("{PREFIX}{}", STANDARD.encode(key))
}

/// What is wrong with a secret that an admin typed.
pub fn secret_problem(text: &str) -> Option<String> {
    let bytes = text
        .strip_prefix(PREFIX)
        .and_then(|coded| STANDARD.decode(coded).ok());
    match bytes {
        None => {
            Some("must be whsec_ followed by the key in base64; leave it out to have one made".to_owned())
        }
        Some(bytes) if !KEY_BYTES.contains(&bytes.len()) => Some(format!(
            "has {} bytes of key; it needs {} to {}",
            bytes.len(),
            KEY_BYTES.start(),
            KEY_BYTES.end()
        )),
        Some(_) => None,
    }
}

/// The secrets of one webhook, as they are sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secrets {
    current: String,
    #[serde(default)]
    old: Vec<Old>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Old {
    secret: String,
    until: DateTime<Utc>,
}

impl Secrets {
    /// One secret.
    pub fn new(secret: String) -> Self {
        Self {
            current: secret,
            old: Vec::new(),
        }
    }

    /// Signs by `secret` from now on, and by the one before it too until `until`.
    #[must_use]
    pub fn changed(self, secret: String, until: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        let mut old = vec![Old {
            secret: self.current,
            until,
        }];
        old.extend(self.old);
        old.retain(|one| one.until > now);
        old.truncate(MAX_OLD);
        Self { current: secret, old }
    }

    /// Until when an older secret signs too.
    pub fn old_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.old
            .iter()
            .map(|one| one.until)
            .max()
            .filter(|until| *until > now)
    }

    /// The value of `webhook-signature`.
    pub fn sign(&self, id: &str, now: DateTime<Utc>, body: &[u8]) -> String {
        let timestamp = now.timestamp().to_string();
        let old = self
            .old
            .iter()
            .filter(|one| one.until > now)
            .map(|one| one.secret.as_str());
        let signatures: Vec<String> = std::iter::once(self.current.as_str())
            .chain(old)
            .filter_map(|secret| signature(secret, &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body]))
            .collect();
        signatures.join(" ")
    }
}

fn signature(secret: &str, parts: &[&[u8]]) -> Option<String> {
    // Decoded: signing with the text itself is the mistake that every second sender makes.
    let key = STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn at(secs: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(secs, 0).unwrap()
    }

    #[test]
    fn the_specifications_own_vector_comes_out() {
        // From the libraries of standardwebhooks.com.
        let secrets = Secrets::new(SECRET.to_owned());
        let signed = secrets.sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            at(1_614_265_330),
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn the_old_secret_signs_beside_the_new_one_until_its_time_is_over() {
        let now = at(1_800_000_000);
        let before = Secrets::new(SECRET.to_owned());
        let old = before.sign("dlv_1", now, b"{}");
        let until = now + TimeDelta::hours(24);
        let both = before.changed(new_secret(), until, now);
        let parts: Vec<String> = both
            .sign("dlv_1", now, b"{}")
            .split(' ')
            .map(str::to_owned)
            .collect();
        assert_eq!((parts.len(), &parts[1]), (2, &old));
        assert_eq!(both.old_until(now), Some(until));
        assert_eq!(both.sign("dlv_1", until, b"{}").split(' ').count(), 1);
        assert_eq!(both.old_until(until), None);
    }

    #[test]
    fn a_secret_that_is_changed_again_and_again_leaves_a_few_behind() {
        let now = at(1_800_000_000);
        let mut secrets = Secrets::new(new_secret());
        for _ in 0..10 {
            secrets = secrets.changed(new_secret(), now + TimeDelta::hours(1), now);
        }
        assert_eq!(secrets.sign("dlv_1", now, b"{}").split(' ').count(), 1 + MAX_OLD);
    }

    #[test]
    fn secrets_are_as_the_specification_wants_them() {
        assert_eq!(secret_problem(&new_secret()), None);
        assert_eq!(secret_problem(SECRET), None);
        for wrong in ["", "secret", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!!"] {
            assert!(secret_problem(wrong).is_some(), "{wrong}");
        }
        let long = format!("whsec_{}", STANDARD.encode([7_u8; 65]));
        assert!(secret_problem(&long).is_some());
    }
}
