//! Proof of work: what strangers are asked for while a chat is flooded.
//!
//! A budget that is used up would lock out everybody, or an office behind one address. A puzzle costs a
//! visitor a fraction of a second, and somebody who opens thousands of sessions that much for each. It is
//! signed, so the server keeps nothing of those it issued; what was solved is remembered until it lapses.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::secret::Vault;

/// What a signature on a puzzle is for.
const PURPOSE: &str = "visitor-work";
/// Leading zero bits asked for: 65,536 hashes on average.
pub const BITS: u32 = 16;
/// A puzzle may be solved for so long.
const LASTS: TimeDelta = TimeDelta::minutes(2);
/// Longest nonce taken.
const NONCE_BYTES: usize = 20;
/// Solved ones remembered; beyond it the oldest are asked for anew.
const REMEMBERED: usize = 100_000;

/// What a stranger must solve: a nonce for which SHA-256 of `"{challenge}:{nonce}"` begins with `bits` zero bits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Puzzle {
    /// Signed; comes back as it is.
    pub challenge: String,
    /// Zero bits.
    pub bits: u32,
}

/// What comes back.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Solution {
    /// The puzzle's.
    pub challenge: String,
    /// What was found.
    pub nonce: String,
}

/// A puzzle for a channel. `salt` makes it a different one each time. Pure.
pub fn puzzle(vault: &Vault, channel_id: &str, salt: &str, now: DateTime<Utc>) -> Puzzle {
    let said = format!("{BITS}.{}.{salt}", (now + LASTS).timestamp());
    let signature = vault.sign(PURPOSE, signed(channel_id, &said).as_bytes());
    Puzzle {
        challenge: format!("{said}.{signature}"),
        bits: BITS,
    }
}

/// When the puzzle that this solves lapses; `None` when it is not solved, not ours, or too late. Pure.
pub fn solved(
    vault: &Vault,
    channel_id: &str,
    solution: &Solution,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let (said, signature) = solution.challenge.rsplit_once('.')?;
    if solution.nonce.len() > NONCE_BYTES
        || !vault.verify(PURPOSE, signed(channel_id, said).as_bytes(), signature)
    {
        return None;
    }
    let mut parts = said.split('.');
    let bits: u32 = parts.next()?.parse().ok()?;
    let ends = DateTime::from_timestamp(parts.next()?.parse().ok()?, 0)?;
    let hash = Sha256::digest(format!("{}:{}", solution.challenge, solution.nonce));
    (now < ends && leading_zeros(&hash) >= bits).then_some(ends)
}

fn signed(channel_id: &str, said: &str) -> String {
    format!("{channel_id} {said}")
}

fn leading_zeros(hash: &[u8]) -> u32 {
    let mut count = 0;
    for byte in hash {
        count += byte.leading_zeros();
        if *byte != 0 {
            break;
        }
    }
    count
}

/// Puzzles that were solved: each counts once.
#[derive(Debug, Default)]
pub struct Spent(Mutex<HashMap<String, DateTime<Utc>>>);

impl Spent {
    /// Whether this solution is good, and is shown for the first time.
    pub fn take(&self, vault: &Vault, channel_id: &str, solution: &Solution, now: DateTime<Utc>) -> bool {
        let Some(ends) = solved(vault, channel_id, solution, now) else {
            return false;
        };
        let mut spent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.len() >= REMEMBERED {
            spent.retain(|_, ends| *ends > now);
            if spent.len() >= REMEMBERED {
                return false;
            }
        }
        spent.insert(solution.challenge.clone(), ends).is_none()
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use proptest::prelude::*;

    use super::{BITS, Puzzle, Solution, Spent, leading_zeros, puzzle, solved};
    use crate::secret::Vault;

    fn vault() -> Vault {
        Vault::new("a master key of enough length")
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    /// As the widget does.
    fn solve(puzzle: &Puzzle) -> Solution {
        use sha2::Digest;
        let found = (0_u64..).find(|nonce| {
            leading_zeros(&sha2::Sha256::digest(format!("{}:{nonce}", puzzle.challenge))) >= puzzle.bits
        });
        Solution {
            challenge: puzzle.challenge.clone(),
            nonce: found.unwrap().to_string(),
        }
    }

    #[test]
    fn a_solution_counts_once_on_its_channel_and_in_its_time() {
        let (vault, spent) = (vault(), Spent::default());
        let solution = solve(&puzzle(&vault, "chn_1", "a", now()));
        assert!(solved(&vault, "chn_1", &solution, now()).is_some());
        assert!(solved(&vault, "chn_2", &solution, now()).is_none());
        assert!(solved(&vault, "chn_1", &solution, now() + TimeDelta::minutes(2)).is_none());
        assert!(spent.take(&vault, "chn_1", &solution, now()));
        assert!(!spent.take(&vault, "chn_1", &solution, now()));
    }

    #[test]
    fn what_asks_for_less_work_is_not_ours() {
        let vault = vault();
        let easy = puzzle(&vault, "chn_1", "a", now())
            .challenge
            .replacen(&BITS.to_string(), "0", 1);
        let solution = Solution {
            challenge: easy,
            nonce: "0".to_owned(),
        };
        assert!(solved(&vault, "chn_1", &solution, now()).is_none());
    }

    #[test]
    fn zero_bits_are_counted_over_bytes() {
        assert_eq!(leading_zeros(&[0, 0x0f, 0]), 12);
        assert_eq!(leading_zeros(&[0x80]), 0);
    }

    proptest! {
        #[test]
        fn garbage_solves_nothing(challenge in any::<String>(), nonce in any::<String>()) {
            let solution = Solution { challenge, nonce };
            prop_assert!(solved(&vault(), "chn_1", &solution, now()).is_none());
        }
    }
}
