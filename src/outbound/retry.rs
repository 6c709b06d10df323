//! When a message that could not be sent is tried again. Pure.

use std::time::Duration;

/// The pause after each failed attempt; the sum is about a day.
const PAUSES: [Duration; 16] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_mins(2),
    Duration::from_mins(10),
    Duration::from_mins(30),
    Duration::from_hours(1),
    Duration::from_hours(2),
    Duration::from_hours(2),
    Duration::from_hours(2),
    Duration::from_hours(2),
    Duration::from_hours(2),
    Duration::from_hours(2),
    Duration::from_hours(2),
    Duration::from_hours(2),
    Duration::from_hours(2),
    Duration::from_hours(2),
];
/// A pause varies by this part of itself in both directions.
const JITTER: f64 = 0.2;
/// A provider that asks for more patience than this is asked again after it.
const LONGEST: Duration = Duration::from_hours(24);

/// The pause after attempt number `attempts` (1 for the first) failed in a way that may pass; `None`
/// when it was the last. `after` is the provider's own word and is never undercut; `dice` in `0.0..1.0`
/// spreads those that failed together.
pub fn pause(attempts: i64, after: Option<Duration>, dice: f64) -> Option<Duration> {
    let index = usize::try_from(attempts.max(1) - 1).unwrap_or(usize::MAX);
    let planned = PAUSES
        .get(index)?
        .mul_f64(1.0 - JITTER + 2.0 * JITTER * dice.clamp(0.0, 1.0));
    Some(after.map_or(planned, |after| after.min(LONGEST).max(planned)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{PAUSES, pause};

    #[test]
    fn pauses_grow_from_seconds_to_hours_and_end_after_about_a_day() {
        for (attempts, secs) in [
            (1, 5),
            (2, 30),
            (3, 120),
            (4, 600),
            (5, 1800),
            (6, 3600),
            (7, 7200),
            (16, 7200),
        ] {
            assert_eq!(
                pause(attempts, None, 0.5),
                Some(Duration::from_secs(secs)),
                "after attempt {attempts}"
            );
        }
        assert_eq!(pause(17, None, 0.5), None);
        assert_eq!(pause(i64::MAX, None, 0.5), None);
        let day = PAUSES.iter().sum::<Duration>().as_secs_f64() / 3600.0;
        assert!((20.0..26.0).contains(&day), "{day} hours");
    }

    #[test]
    fn jitter_stays_within_a_fifth() {
        assert_eq!(pause(1, None, 0.0), Some(Duration::from_secs(4)));
        assert_eq!(pause(1, None, 1.0), Some(Duration::from_secs(6)));
    }

    #[test]
    fn the_providers_word_is_never_undercut_but_bounded() {
        for (after, expected) in [(60, 60), (1, 5), (10_000_000, 24 * 3600)] {
            let got = pause(1, Some(Duration::from_secs(after)), 0.5);
            assert_eq!(
                got,
                Some(Duration::from_secs(expected)),
                "the provider said {after} s"
            );
        }
    }
}
