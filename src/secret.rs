//! The master key: seals secrets at rest and signs short-lived links.
//!
//! Both uses have a key of their own, derived from the master key, so that neither can be turned
//! against the other. A sealed value is a version byte, a 24-byte nonce and XChaCha20-Poly1305; random
//! nonces of that size do not meet.

use std::fmt;

use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit as _},
};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::id;

/// First byte of what [`Vault::seal`] writes.
const SEALED_V1: u8 = 1;
const NONCE_BYTES: usize = 24;
/// Fewer characters than this in a master key are a mistake, not a key.
pub const MIN_KEY_CHARS: usize = 16;

type HmacSha256 = Hmac<Sha256>;

/// Holds the keys derived from the master key.
#[derive(Clone)]
pub struct Vault {
    seal: [u8; 32],
    sign: [u8; 32],
    check: [u8; 32],
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

/// A sealed value that cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It was cut, changed, or sealed with another master key.
    #[error("a stored secret cannot be opened: it was damaged or sealed with another master key")]
    Unreadable,
    /// The machine refused to encrypt.
    #[error("a secret cannot be sealed")]
    Refused,
}

impl Vault {
    /// Derives the keys. `master_key` is any text of at least [`MIN_KEY_CHARS`] characters.
    pub fn new(master_key: &str) -> Self {
        let derive = |purpose: &str| mac(master_key.as_bytes(), &[b"switchboard/", purpose.as_bytes()]);
        Self {
            seal: derive("seal/1"),
            sign: derive("sign/1"),
            check: derive("check/1"),
        }
    }

    /// Encrypts; only this master key opens it.
    pub fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, Error> {
        let mut nonce = [0_u8; NONCE_BYTES];
        id::fill_random(&mut nonce);
        let cipher = XChaCha20Poly1305::new(&self.seal.into());
        let sealed = cipher
            .encrypt(&XNonce::from(nonce), plain)
            .map_err(|_| Error::Refused)?;
        let mut out = Vec::with_capacity(1 + NONCE_BYTES + sealed.len());
        out.push(SEALED_V1);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        Ok(out)
    }

    /// Decrypts what [`Vault::seal`] wrote.
    pub fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let (&SEALED_V1, rest) = sealed.split_first().ok_or(Error::Unreadable)? else {
            return Err(Error::Unreadable);
        };
        let (nonce, body) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(Error::Unreadable)?;
        let cipher = XChaCha20Poly1305::new(&self.seal.into());
        cipher
            .decrypt(&XNonce::from(*nonce), body)
            .map_err(|_| Error::Unreadable)
    }

    /// Signs `data` for one `purpose`, in hex. What is signed for one purpose is worth nothing for another.
    pub fn sign(&self, purpose: &str, data: &[u8]) -> String {
        hex::encode(mac(&self.sign, &[purpose.as_bytes(), &[0], data]))
    }

    /// Whether this is our signature, in constant time.
    pub fn verify(&self, purpose: &str, data: &[u8], signature: &str) -> bool {
        let Ok(given) = hex::decode(signature) else {
            return false;
        };
        keyed(&self.sign, &[purpose.as_bytes(), &[0], data])
            .verify_slice(&given)
            .is_ok()
    }

    /// The key with which a channel signs what it writes into addresses.
    pub fn key_of_channel(&self, channel_id: &str) -> [u8; 32] {
        mac(&self.sign, &[b"channel\0", channel_id.as_bytes()])
    }

    /// Tells this master key from another without giving it away; kept in the database.
    pub fn fingerprint(&self) -> String {
        hex::encode(mac(&self.check, &[b"fingerprint"]))
    }
}

/// The hash under which a random token is kept: it has 256 bits, so nothing slower is needed.
pub fn hash_token(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    keyed(key, parts).finalize().into_bytes().into()
}

fn keyed(key: &[u8], parts: &[&[u8]]) -> HmacSha256 {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = HmacSha256::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac
}

#[cfg(test)]
mod tests {
    use super::{Error, Vault};

    #[test]
    fn only_the_same_master_key_opens_what_was_sealed() {
        let vault = Vault::new("a master key of enough length");
        let sealed = vault.seal(b"password").unwrap_or_default();
        assert_eq!(vault.open(&sealed), Ok(b"password".to_vec()));
        assert_eq!(
            Vault::new("another key of enough length").open(&sealed),
            Err(Error::Unreadable)
        );
        let mut damaged = sealed.clone();
        if let Some(last) = damaged.last_mut() {
            *last ^= 1;
        }
        assert_eq!(vault.open(&damaged), Err(Error::Unreadable));
        assert_eq!(vault.open(&[]), Err(Error::Unreadable));
        assert_ne!(vault.seal(b"password").unwrap_or_default(), sealed);
    }

    #[test]
    fn a_signature_holds_for_its_purpose_alone() {
        let vault = Vault::new("a master key of enough length");
        let signature = vault.sign("attachment", b"att_1");
        assert!(vault.verify("attachment", b"att_1", &signature));
        assert!(!vault.verify("export", b"att_1", &signature));
        assert!(!vault.verify("attachment", b"att_2", &signature));
        assert!(!vault.verify("attachment", b"att_1", "zz"));
    }
}
