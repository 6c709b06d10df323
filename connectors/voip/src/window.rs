//! How old a signed report may be, and that its number is used once.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

/// How far a signed time may be from our clock, in seconds, in both directions.
pub const SECS: i64 = 300;
/// How many numbers are remembered. A telephone system of a thousand calls an hour has some ten thousand
/// reports a day; what is older is refused by its time where the provider signs one, and is a duplicate by its
/// id in any case.
const REMEMBERED: usize = 20_000;

/// A time in unix seconds that is not too far away.
pub fn seconds(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    let secs: i64 = text
        .parse()
        .map_err(|_| "is not a number of seconds".to_owned())?;
    let at = DateTime::from_timestamp(secs, 0).ok_or("is no time")?;
    near(at, now).map(|()| at)
}

/// Whether a signed time is near enough.
pub fn near(at: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), String> {
    if (now - at).num_seconds().abs() > SECS {
        return Err(format!("is more than {SECS} seconds from this server's time"));
    }
    Ok(())
}

/// Numbers that were used, with what they were used for.
///
/// A provider that repeats a report does so byte for byte, number and all: that is a duplicate, which the server
/// recognises by its id and answers as the first time. The same number with anything else in the request is
/// somebody who plays with what they overheard.
///
/// In memory, and of one process: signatures cover the number, so that other content needs the secret anyway,
/// but where a provider signs less than all (the address, most often). This is the second bolt on that door.
#[derive(Default)]
pub struct Nonces {
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    uses: HashMap<[u8; 32], [u8; 32]>,
    order: VecDeque<[u8; 32]>,
}

impl Nonces {
    /// Whether this number may be used for this; remembers it if so.
    pub fn allow(&self, nonce: &str, used_for: &[&[u8]]) -> bool {
        let number: [u8; 32] = Sha256::digest(nonce.as_bytes()).into();
        let mut hash = Sha256::new();
        for part in used_for {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        let content: [u8; 32] = hash.finalize().into();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = seen.uses.get(&number) {
            return *known == content;
        }
        if seen.order.len() >= REMEMBERED
            && let Some(oldest) = seen.order.pop_front()
        {
            seen.uses.remove(&oldest);
        }
        seen.uses.insert(number, content);
        seen.order.push_back(number);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_good_for_one_content_as_often_as_it_comes() {
        let nonces = Nonces::default();
        assert!(nonces.allow("n1", &[b"a", b"b"]));
        assert!(nonces.allow("n1", &[b"a", b"b"]));
        assert!(!nonces.allow("n1", &[b"ab", b""]), "lengths are part of it");
        assert!(!nonces.allow("n1", &[b"a", b"c"]));
        assert!(nonces.allow("n2", &[b"a", b"c"]));
    }

    #[test]
    fn memory_is_bounded_and_loses_the_oldest_first() {
        let nonces = Nonces::default();
        for number in 0..=REMEMBERED {
            assert!(nonces.allow(&number.to_string(), &[b"a"]));
        }
        assert_eq!(nonces.seen.lock().unwrap().uses.len(), REMEMBERED);
        assert!(nonces.allow("0", &[b"other"]), "forgotten");
        assert!(!nonces.allow("2", &[b"other"]), "remembered");
    }

    #[test]
    fn a_time_is_near_or_it_is_not() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        for (text, good) in [
            ("1800000000", true),
            ("1799999700", true),
            ("1800000300", true),
            ("1799999699", false),
            ("1800000301", false),
            ("", false),
            ("x", false),
            ("9999999999999999", false),
        ] {
            assert_eq!(seconds(text, now).is_ok(), good, "{text}");
        }
    }
}
