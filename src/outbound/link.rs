//! Addresses of files for programs outside: signed, and good for a day or two. Pure.

use chrono::{DateTime, Utc};

use crate::secret::Vault;

/// What a signature on an address is for.
const PURPOSE: &str = "outbound-attachment";
/// An address opens for at least so long; it ends at a fixed hour, so that a repeated send says the same.
const DAY_SECS: i64 = 86_400;

/// Where a file can be fetched without a login.
pub fn url(vault: &Vault, public_url: &str, attachment_id: &str, now: DateTime<Utc>) -> String {
    let ends = (now.timestamp() / DAY_SECS + 2) * DAY_SECS;
    let signature = vault.sign(PURPOSE, signed(attachment_id, ends).as_bytes());
    format!("{public_url}/files/{attachment_id}?token={ends}.{signature}")
}

/// Whether a token of [`url`] opens this file now.
pub fn opens(vault: &Vault, attachment_id: &str, token: &str, now: DateTime<Utc>) -> bool {
    let Some((ends, signature)) = token.split_once('.') else {
        return false;
    };
    let Ok(ends) = ends.parse::<i64>() else {
        return false;
    };
    now.timestamp() < ends && vault.verify(PURPOSE, signed(attachment_id, ends).as_bytes(), signature)
}

fn signed(attachment_id: &str, ends: i64) -> String {
    format!("{attachment_id}.{ends}")
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn an_address_opens_its_own_file_for_a_day_or_two() {
        let vault = Vault::new("a master key of the test");
        let now = DateTime::UNIX_EPOCH + TimeDelta::hours(500_000);
        let url = url(&vault, "https://desk.example", "att_1", now);
        let (path, token) = url.split_once("?token=").unwrap();
        assert_eq!(path, "https://desk.example/files/att_1");
        for (id, token, after, expected) in [
            ("att_1", token, TimeDelta::hours(24), true),
            ("att_1", token, TimeDelta::hours(49), false),
            ("att_2", token, TimeDelta::zero(), false),
            ("att_1", &token.replace('1', "2"), TimeDelta::zero(), false),
            ("att_1", "", TimeDelta::zero(), false),
        ] {
            assert_eq!(
                opens(&vault, id, token, now + after),
                expected,
                "{id} {token} {after}"
            );
        }
        let visitor = crate::visitor::files::url(&vault, "chat", "att_1", now);
        let (_, of_visitor) = visitor.split_once("token=").unwrap();
        assert!(
            !opens(&vault, "att_1", of_visitor, now),
            "each purpose has its own"
        );
    }
}
