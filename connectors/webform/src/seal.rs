//! What a drawing of the form says about itself: when it was drawn, and which fields it had. Pure.
//!
//! Pages stay open, scripts stay in caches, and snippets stay in sites for years, while the form changes.
//! Under the seal the server believes an old drawing: a field that it never showed is not asked of it, and one
//! that is gone since is kept. Nothing is lost without a seal; the present form counts then.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use switchboard_sdk::SigningKey;

/// Posted under this name.
pub const NAME: &str = "sb_v";
/// Sets these signatures apart from others made with the channel's key.
const PURPOSE: &[u8] = b"form-drawing.1";
/// Longest seal that is looked at: 200 names of 64 characters of four bytes, as base64.
const MAX_LENGTH: usize = 80_000;

/// A drawing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawing {
    /// When it was drawn.
    pub at: DateTime<Utc>,
    /// The names of its fields.
    pub fields: Vec<String>,
}

/// What a seal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seal {
    /// The post brought none.
    None,
    /// It is not ours.
    Broken,
    /// Ours.
    Good(Drawing),
}

/// Seals a drawing; empty where there is no key to seal with.
pub fn seal(key: &SigningKey, at: DateTime<Utc>, fields: &[&str]) -> String {
    let names = serde_json::to_string(fields).unwrap_or_default();
    let body = format!("{}.{}", at.timestamp_millis(), URL_SAFE_NO_PAD.encode(names));
    mac(key, body.as_bytes())
        .map(|mac| format!("{body}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())))
        .unwrap_or_default()
}

/// Opens a seal.
pub fn open(key: &SigningKey, seal: Option<&str>) -> Seal {
    let Some(seal) = seal else { return Seal::None };
    let read = || {
        let (body, signature) = seal.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        mac(key, body.as_bytes())?.verify_slice(&signature).ok()?;
        let (millis, names) = body.split_once('.')?;
        Some(Drawing {
            at: DateTime::from_timestamp_millis(millis.parse().ok()?)?,
            fields: serde_json::from_slice(&URL_SAFE_NO_PAD.decode(names).ok()?).ok()?,
        })
    };
    if seal.len() > MAX_LENGTH {
        return Seal::Broken;
    }
    read().map_or(Seal::Broken, Seal::Good)
}

fn mac(key: &SigningKey, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mac = Hmac::<Sha256>::new_from_slice(key.expose()?).ok()?;
    Some(mac.chain_update(PURPOSE).chain_update(body))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> SigningKey {
        SigningKey::new([7; 32])
    }

    #[test]
    fn a_seal_opens_with_its_key_alone_and_unchanged() {
        let at = DateTime::from_timestamp_millis(1_790_000_000_123).unwrap_or_default();
        let made = seal(&key(), at, &["name", "телефон"]);
        let drawing = Drawing {
            at,
            fields: vec!["name".to_owned(), "телефон".to_owned()],
        };
        assert_eq!(open(&key(), Some(&made)), Seal::Good(drawing));
        assert_eq!(open(&SigningKey::new([8; 32]), Some(&made)), Seal::Broken);
        assert_eq!(open(&key(), Some(&made.replacen('1', "2", 1))), Seal::Broken);
        assert_eq!(open(&key(), None), Seal::None);
        assert_eq!(seal(&SigningKey::default(), at, &[]), "");
    }

    proptest! {
        #[test]
        fn whatever_is_posted_is_no_seal(text: String) {
            prop_assert_eq!(open(&key(), Some(&text)), Seal::Broken);
        }
    }
}
