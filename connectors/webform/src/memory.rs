//! What was posted lately, to know a flood of the same again.
//!
//! Kept in the memory of the process, of bounded size: it only adds to the weight of a post, and a post that
//! weighs too much is held, not lost. Another node, or a start anew, begins with nothing.

use std::{
    collections::VecDeque,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};

/// Most posts that are remembered.
const MOST: usize = 2_000;
/// How long one is remembered.
const KEPT: TimeDelta = TimeDelta::hours(1);
/// How long one counts toward a burst of its network.
const BURST: TimeDelta = TimeDelta::minutes(10);

/// One post, as far as it is remembered.
#[derive(Debug, Clone)]
pub struct Seen {
    /// When.
    pub at: DateTime<Utc>,
    /// Its key of de-duplication: a repeat is no second post.
    pub id: String,
    /// All that was filled in, as a digest.
    pub whole: String,
    /// Its longest text, as a digest; none when it is short.
    pub text: Option<String>,
    /// Where it came from.
    pub network: Option<String>,
}

/// How much of the same there was before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sameness {
    /// Other posts with exactly the same values.
    pub whole: usize,
    /// Posts of other values with the same long text.
    pub text: usize,
    /// Posts of the same network within ten minutes.
    pub network: usize,
}

/// The posts of one form.
#[derive(Debug, Default)]
pub struct Memory(Mutex<VecDeque<Seen>>);

impl Memory {
    /// Counts what is alike, and remembers the post.
    pub fn note(&self, seen: Seen) -> Sameness {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|other| seen.at - other.at < KEPT);
        let others = || kept.iter().filter(|other| other.id != seen.id);
        let same = Sameness {
            whole: others().filter(|other| other.whole == seen.whole).count(),
            text: others()
                .filter(|other| other.whole != seen.whole && other.text.is_some() && other.text == seen.text)
                .count(),
            network: others()
                .filter(|other| {
                    seen.at - other.at < BURST && other.network.is_some() && other.network == seen.network
                })
                .count(),
        };
        if !kept.iter().any(|other| other.id == seen.id) {
            if kept.len() >= MOST {
                kept.pop_front();
            }
            kept.push_back(seen);
        }
        same
    }
}

/// The network of an address, as far as a customer of a provider has one: an IPv4 address, an IPv6 network of /64.
pub fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(minutes: i64, id: &str, whole: &str, text: Option<&str>) -> Seen {
        Seen {
            at: DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes),
            id: id.to_owned(),
            whole: whole.to_owned(),
            text: text.map(str::to_owned),
            network: Some("192.0.2.1".to_owned()),
        }
    }

    #[test]
    fn the_same_is_counted_for_an_hour_and_a_repeat_is_none() {
        let memory = Memory::default();
        assert_eq!(memory.note(seen(0, "a", "w", Some("t"))), Sameness::default());
        assert_eq!(
            memory.note(seen(0, "a", "w", Some("t"))),
            Sameness::default(),
            "a repeat"
        );
        assert_eq!(
            memory.note(seen(1, "b", "w", Some("t"))),
            Sameness {
                whole: 1,
                text: 0,
                network: 1
            }
        );
        assert_eq!(
            memory.note(seen(2, "c", "x", Some("t"))),
            Sameness {
                whole: 0,
                text: 2,
                network: 2
            }
        );
        assert_eq!(
            memory.note(seen(30, "d", "w", None)),
            Sameness {
                whole: 2,
                text: 0,
                network: 0
            }
        );
        assert_eq!(memory.note(seen(120, "e", "w", Some("t"))), Sameness::default());
    }

    #[test]
    fn no_more_is_kept_than_there_is_room() {
        let memory = Memory::default();
        for at in 0..(MOST + 50) {
            memory.note(seen(0, &at.to_string(), "w", None));
        }
        assert_eq!(memory.note(seen(0, "last", "w", None)).whole, MOST);
    }
}
