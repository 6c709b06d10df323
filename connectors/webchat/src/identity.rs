//! Signed identities: the site's own server vouches for its signed-in user.

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use switchboard_sdk::{Identity, IdentityKind, Rejection, SignedIdentity};

use crate::Secret;

/// Longest user id taken, in characters.
const MAX_USER_ID_CHARS: usize = 255;
/// Expiry beyond this is a time in milliseconds taken for seconds.
const FARTHEST_EXPIRY: TimeDelta = TimeDelta::days(100 * 366);

/// What the site's server computes: hex HMAC-SHA256 of `"{user_id}.{exp}"`. The last point separates, so
/// ids with points are unambiguous.
pub fn sign(secret: &str, user_id: &str, exp: i64) -> String {
    hex::encode(mac(secret, user_id, exp).finalize().into_bytes())
}

/// The proven identity, or [`Rejection::Unauthenticated`]: whoever gives a signature wants it checked, so
/// one that cannot be checked is refused too, never silently ignored.
pub fn verify(
    secret: Option<&Secret>,
    signed: &SignedIdentity,
    now: DateTime<Utc>,
) -> Result<Identity, Rejection> {
    let refuse = |why: &str| Err(Rejection::Unauthenticated(why.to_owned()));
    let Some(secret) = secret else {
        return refuse("this chat has no identity_secret, so signed identities cannot be checked");
    };
    // The comparison is in constant time, on bytes.
    let given = hex::decode(signed.signature.trim()).unwrap_or_default();
    if mac(secret.expose(), &signed.user_id, signed.exp)
        .verify_slice(&given)
        .is_err()
    {
        return refuse("the signature of the identity is wrong");
    }
    let Some(expiry) =
        DateTime::from_timestamp(signed.exp, 0).filter(|expiry| *expiry < now + FARTHEST_EXPIRY)
    else {
        return refuse("exp of the identity is not a time in unix seconds");
    };
    if expiry <= now {
        return refuse("the signature of the identity has expired");
    }
    let user_id = signed.user_id.trim();
    let fits = !user_id.is_empty()
        && user_id.chars().count() <= MAX_USER_ID_CHARS
        && !user_id.chars().any(char::is_control);
    if !fits {
        return Err(Rejection::Invalid(vec![(
            "identity.user_id".to_owned(),
            format!("must have 1 to {MAX_USER_ID_CHARS} printable characters"),
        )]));
    }
    Ok(Identity {
        kind: IdentityKind::External,
        value: user_id.to_owned(),
        verified: true,
    })
}

fn mac(secret: &str, user_id: &str, exp: i64) -> Hmac<Sha256> {
    // HMAC takes keys of every length (RFC 2104 §2): the alternative is not reached.
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap_or_else(|_| Hmac::new(&Default::default()));
    mac.update(user_id.as_bytes());
    mac.update(b".");
    mac.update(exp.to_string().as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;

    const EXP: i64 = 1_800_000_000;

    fn secret() -> Option<Secret> {
        Settings::read(serde_json::json!({"identity_secret": "k"}))
            .ok()
            .and_then(|settings| settings.identity_secret)
    }

    fn signed(signature: String) -> SignedIdentity {
        SignedIdentity {
            user_id: "u.17".to_owned(),
            exp: EXP,
            signature,
        }
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap_or_default()
    }

    #[test]
    fn the_signature_is_the_documented_one() {
        // printf 'u.17.1800000000' | openssl dgst -sha256 -hmac k
        assert_eq!(sign("k", "u.17", EXP), SIGNATURE);
    }

    const SIGNATURE: &str = "eda45bc8959956b67f05d6b1058a6ceb0f6e436941c8831b5b3cc9b88b818e86";

    #[test]
    fn a_good_signature_proves_the_user_until_it_expires() {
        let proven = verify(secret().as_ref(), &signed(SIGNATURE.to_uppercase()), at(EXP - 1));
        assert_eq!(
            proven,
            Ok(Identity {
                kind: IdentityKind::External,
                value: "u.17".to_owned(),
                verified: true
            })
        );
        assert!(matches!(
            verify(secret().as_ref(), &signed(SIGNATURE.to_owned()), at(EXP)),
            Err(Rejection::Unauthenticated(_))
        ));
    }

    #[test]
    fn wrong_short_foreign_and_uncheckable_signatures_prove_nothing() {
        let mut moved = signed(SIGNATURE.to_owned());
        moved.exp += 1;
        let half: String = SIGNATURE.chars().take(32).collect();
        for (secret, signed) in [
            (secret(), signed(String::new())),
            (secret(), signed("zz".to_owned())),
            (secret(), signed(half)),
            (secret(), signed(sign("other", "u.17", EXP))),
            (secret(), moved),
            (None, signed(SIGNATURE.to_owned())),
        ] {
            assert!(matches!(
                verify(secret.as_ref(), &signed, at(EXP - 1)),
                Err(Rejection::Unauthenticated(_))
            ));
        }
    }

    #[test]
    fn an_expiry_in_milliseconds_is_told() {
        let exp = EXP * 1000;
        let signed = SignedIdentity {
            user_id: "u".to_owned(),
            exp,
            signature: sign("k", "u", exp),
        };
        assert!(verify(secret().as_ref(), &signed, at(EXP)).is_err());
    }
}
