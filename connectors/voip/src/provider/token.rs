//! Systems that a company runs itself: a token says who they are, or a signature where they can make one.

use http::HeaderMap;
use switchboard_sdk::Rejection;

use super::{Proof, stranger};
use crate::{proof, push::Push, settings::Secret, standard, window};

const OWN_SIGNATURE: &str = "x-signature";
const OWN_TIMESTAMP: &str = "x-timestamp";

/// Verifies a push by a channel's token.
///
/// A token that begins with `whsec_` signs (Standard Webhooks); while one is set nothing unsigned is taken, or the
/// signature would be no more than decoration. Any other token stands in a header, in the query or at the
/// end of the path; or it is the key of `X-Signature`, hex HMAC-SHA256 of `X-Timestamp`, a dot and the body.
pub fn verify(push: &Push<'_>, tokens: &Secret) -> Result<Proof, Rejection> {
    if tokens.is_empty() {
        return Err(stranger("this channel takes no pushes: no token is set"));
    }
    if standard::is_signed(push.headers()) {
        let verified = standard::verify(tokens.all(), push.headers(), push.body(), push.now);
        let (id, _) = verified.map_err(stranger)?;
        return Ok(Proof { nonce: Some(id) });
    }
    let mut plain = tokens
        .all()
        .filter(|token| !token.starts_with("whsec_"))
        .peekable();
    if plain.peek().is_none() {
        return Err(stranger(
            "the header webhook-signature is missing: this channel's token signs",
        ));
    }
    if let Some(signature) = push.header(OWN_SIGNATURE) {
        return signed(push, signature, plain);
    }
    let said = said(push);
    let mut good = false;
    for token in plain {
        good |= said
            .iter()
            .fold(false, |good, one| good | proof::same(one, token));
    }
    if good {
        Ok(Proof::default())
    } else {
        Err(stranger(
            "the token is missing or wrong: say it as \"Authorization: Bearer …\", as ?token=… or at the end of the address",
        ))
    }
}

fn signed<'a>(
    push: &Push<'_>,
    signature: &str,
    tokens: impl Iterator<Item = &'a str>,
) -> Result<Proof, Rejection> {
    let timestamp = push
        .header(OWN_TIMESTAMP)
        .ok_or_else(|| stranger("the header X-Timestamp is missing"))?;
    window::seconds(timestamp, push.now).map_err(|why| stranger(format!("X-Timestamp {why}")))?;
    let good = tokens.fold(false, |good, token| {
        let expected = hex::encode(proof::hmac_sha256(
            token.as_bytes(),
            &[timestamp.as_bytes(), b".", push.body()],
        ));
        good | proof::same(signature, &expected)
    });
    if good {
        Ok(Proof::default())
    } else {
        Err(stranger(
            "X-Signature does not fit: hex HMAC-SHA256 of X-Timestamp, a dot and the body, under the token",
        ))
    }
}

/// All that may be meant as a token.
fn said(push: &Push<'_>) -> Vec<String> {
    let mut said = bearer(push.headers());
    said.extend(
        ["x-token", "x-api-key", "x-auth-token"]
            .iter()
            .filter_map(|name| push.header(name))
            .map(str::to_owned),
    );
    said.extend(push.query().get("token").map(str::to_owned));
    said.extend(
        push.rest
            .rsplit('/')
            .next()
            .filter(|part| !part.is_empty())
            .map(str::to_owned),
    );
    said
}

/// `Bearer token`, or the password of `Basic`.
fn bearer(headers: &HeaderMap) -> Vec<String> {
    let read = || {
        let text = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, value) = text.split_once(' ')?;
        match scheme.to_ascii_lowercase().as_str() {
            "bearer" | "token" => Some(value.trim().to_owned()),
            "basic" => {
                use base64::Engine;
                let both = base64::engine::general_purpose::STANDARD
                    .decode(value.trim())
                    .ok()?;
                let both = String::from_utf8(both).ok()?;
                both.split_once(':').map(|(_, password)| password.to_owned())
            }
            _ => None,
        }
    };
    read().into_iter().collect()
}
