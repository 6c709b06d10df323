//! When a recording is asked for again. Pure.
//!
//! Providers announce recordings before they can be had, so the first tries follow each other closely; then about a
//! day is waited for a provider that is away.

use chrono::{DateTime, TimeDelta, Utc};

/// The pauses after the first, second, … failure, in seconds.
const PAUSES: [i64; 14] = [
    2, 3, 5, 10, 20, 40, 90, 300, 900, 1_800, 3_600, 10_800, 21_600, 43_200,
];
/// No pause that a provider asks for is longer.
const LONGEST: i64 = 43_200;

/// What comes after a failed try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Again then.
    At(DateTime<Utc>),
    /// Not any more.
    GiveUp,
}

/// After `attempts` tries of which the last has just failed. `asked` are the seconds that the provider wants to be
/// left alone; an address that has run out by then is not asked again.
pub fn next(
    attempts: u32,
    asked: Option<u32>,
    expires_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Next {
    let index = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    let Some(pause) = PAUSES.get(index) else {
        return Next::GiveUp;
    };
    let pause = asked.map_or(*pause, |asked| i64::from(asked).clamp(*pause, LONGEST));
    let at = now + TimeDelta::seconds(pause);
    if expires_at.is_some_and(|expires_at| expires_at <= at) {
        // One last try just before, if there is time for one.
        let last = expires_at.map(|expires_at| expires_at - TimeDelta::seconds(1));
        return match last {
            Some(last) if last > now + TimeDelta::seconds(1) => Next::At(last),
            _ => Next::GiveUp,
        };
    }
    Next::At(at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    #[test]
    fn the_first_tries_are_close_and_all_of_them_take_about_a_day() {
        let (mut now, mut tries) = (NOW, 0);
        for attempts in 1.. {
            match next(attempts, None, None, now) {
                Next::At(at) => now = at,
                Next::GiveUp => break,
            }
            tries += 1;
        }
        assert_eq!(tries, PAUSES.len());
        let hours = (now - NOW).num_hours();
        assert!((20..=28).contains(&hours), "{hours}");
        assert_eq!(next(1, None, None, NOW), Next::At(NOW + TimeDelta::seconds(2)));
    }

    #[test]
    fn an_address_that_runs_out_is_asked_once_more_just_before() {
        let soon = NOW + TimeDelta::seconds(60);
        let table = [
            (1, NOW + TimeDelta::seconds(2)),
            (7, soon - TimeDelta::seconds(1)),
        ];
        for (attempts, expected) in table {
            assert_eq!(next(attempts, None, Some(soon), NOW), Next::At(expected));
        }
        assert_eq!(
            next(7, None, Some(NOW + TimeDelta::seconds(2)), NOW),
            Next::GiveUp
        );
    }

    proptest! {
        #[test]
        fn a_try_is_never_in_the_past_nor_after_the_address_has_run_out(
            attempts in 0_u32..30,
            asked in proptest::option::of(0_u32..100_000),
            left in proptest::option::of(-10_i64..100_000),
        ) {
            let expires_at = left.map(|left| NOW + TimeDelta::seconds(left));
            if let Next::At(at) = next(attempts, asked, expires_at, NOW) {
                prop_assert!(at > NOW && at <= NOW + TimeDelta::seconds(LONGEST));
                prop_assert!(expires_at.is_none_or(|expires_at| at < expires_at));
            }
        }
    }
}
