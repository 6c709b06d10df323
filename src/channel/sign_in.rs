//! Signing a channel in at its provider: the state that goes through the admin's browser, and what it proves.
//!
//! The state is sealed and says everything: which channel, which admin, until when, and the verifier of
//! RFC 7636 that only we may know. Nothing is stored until the provider's answer is there; a code is good for
//! one use, by the provider's own rule.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use switchboard_sdk::SecretChange;

use crate::{
    id,
    secret::{self, Vault},
};

/// How long an admin may take at the provider.
const LASTS: TimeDelta = TimeDelta::minutes(15);
/// A state of ours is shorter.
const MAX_STATE: usize = 2000;

/// A sign-in on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// `chn_…`
    pub channel_id: String,
    /// Who began it, and alone may end it.
    pub operator_id: String,
    /// The proof that the code was asked for here.
    pub verifier: String,
    /// Where the provider sends the browser.
    pub redirect_uri: String,
    expires_at: DateTime<Utc>,
}

/// Why a sign-in cannot end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not our state.
    #[error("this sign-in was not begun here: begin again from the channel")]
    Foreign,
    /// Somebody else's.
    #[error("somebody else began this sign-in: begin again from the channel")]
    NotYours,
    /// Took too long.
    #[error("this sign-in took too long: begin again from the channel")]
    Late,
}

impl Pending {
    /// One that begins now.
    pub fn new(channel_id: &str, operator_id: &str, redirect_uri: String, now: DateTime<Utc>) -> Self {
        Self {
            channel_id: channel_id.to_owned(),
            operator_id: operator_id.to_owned(),
            verifier: id::token(),
            redirect_uri,
            expires_at: now + LASTS,
        }
    }

    /// What goes through the browser.
    pub fn state(&self, vault: &Vault) -> Result<String, secret::Error> {
        let plain = serde_json::to_vec(self).unwrap_or_default();
        Ok(BASE64_URL_SAFE_NO_PAD.encode(vault.seal(&plain)?))
    }

    /// What the provider is shown of the verifier.
    pub fn challenge(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.as_bytes()))
    }

    /// Reads what came back through the browser of this operator.
    pub fn of_state(
        vault: &Vault,
        state: &str,
        operator_id: &str,
        now: DateTime<Utc>,
    ) -> Result<Self, Refused> {
        let opened = (state.len() <= MAX_STATE)
            .then(|| BASE64_URL_SAFE_NO_PAD.decode(state).ok())
            .flatten()
            .and_then(|sealed| vault.open(&sealed).ok())
            .and_then(|plain| serde_json::from_slice::<Self>(&plain).ok());
        let pending = opened.ok_or(Refused::Foreign)?;
        if pending.operator_id != operator_id {
            return Err(Refused::NotYours);
        }
        if pending.expires_at < now {
            return Err(Refused::Late);
        }
        Ok(pending)
    }
}

/// Settings as a patch of the settings, see [`super::settings::patched`].
pub fn patch(changes: Vec<SecretChange>) -> Value {
    let mut patch = json!({});
    for SecretChange { path, value } in changes {
        let mut place = &mut patch;
        for name in path {
            if !place.is_object() {
                *place = json!({});
            }
            place = &mut place[name];
        }
        *place = value;
    }
    patch
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn only_who_began_it_ends_it_and_in_time() {
        let (vault, now) = (
            Vault::new("a master key of enough length"),
            at("2026-11-22T12:00:00Z"),
        );
        let pending = Pending::new("chn_1", "opr_1", "https://desk.example/x".to_owned(), now);
        let state = pending.state(&vault).unwrap();
        assert!(!state.contains(&pending.verifier), "the verifier stays here");
        let read = |state: &str, who: &str, when: &str| Pending::of_state(&vault, state, who, at(when));
        assert_eq!(read(&state, "opr_1", "2026-11-22T12:10:00Z"), Ok(pending));
        assert_eq!(
            read(&state, "opr_2", "2026-11-22T12:10:00Z"),
            Err(Refused::NotYours)
        );
        assert_eq!(read(&state, "opr_1", "2026-11-22T12:16:00Z"), Err(Refused::Late));
        for foreign in ["", "x", state.get(1..).unwrap(), &"A".repeat(5000)] {
            assert_eq!(
                read(foreign, "opr_1", "2026-11-22T12:10:00Z"),
                Err(Refused::Foreign)
            );
        }
        let other = Vault::new("another key of enough length");
        assert_eq!(
            Pending::of_state(&other, &state, "opr_1", now),
            Err(Refused::Foreign)
        );
    }

    #[test]
    fn the_challenge_is_that_of_the_standard() {
        let pending = Pending {
            verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned(),
            ..Pending::new("chn_1", "opr_1", String::new(), at("2026-11-22T12:00:00Z"))
        };
        assert_eq!(pending.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn changes_become_one_patch() {
        let change = |name: &str, value| SecretChange {
            path: vec!["auth".to_owned(), name.to_owned()],
            value,
        };
        assert_eq!(
            patch(vec![
                change("refresh_token", json!("r")),
                change("signed_in_at", json!(1))
            ]),
            json!({"auth": {"refresh_token": "r", "signed_in_at": 1}})
        );
    }
}
