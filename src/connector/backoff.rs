//! How long a broken channel waits before it is started again. Pure.

use std::time::Duration;

/// The first pause is drawn from below this, each next one from below twice as much.
const FIRST: Duration = Duration::from_secs(1);
/// No pause is longer.
const LONGEST: Duration = Duration::from_secs(300);
/// A run this long, with at least one success in it, counts as health: what follows is a new failure.
pub const HEALTHY_AFTER: Duration = Duration::from_secs(60);

/// The pause after `failures` failures in a row (1 for the first), with full jitter: `dice` in `0.0..1.0`
/// is the drawn part. Never shorter than a tenth of a second, so that a crash loop cannot spin.
pub fn pause(failures: u32, dice: f64) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let ceiling = FIRST.saturating_mul(1 << doublings).min(LONGEST);
    ceiling
        .mul_f64(dice.clamp(0.0, 1.0))
        .max(Duration::from_millis(100))
}

/// Failures in a row after one more run that failed: 1 when the run before the failure was a healthy one.
pub fn count(failures: u32, ran_for: Duration, had_success: bool) -> u32 {
    if had_success && ran_for >= HEALTHY_AFTER {
        1
    } else {
        failures.saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{count, pause};

    #[test]
    fn pauses_double_from_one_second_to_five_minutes() {
        let ceilings = [
            (1, 1.0),
            (2, 2.0),
            (3, 4.0),
            (5, 16.0),
            (9, 256.0),
            (10, 300.0),
            (1000, 300.0),
            (u32::MAX, 300.0),
        ];
        for (failures, secs) in ceilings {
            assert_eq!(
                pause(failures, 1.0),
                Duration::from_secs_f64(secs),
                "after {failures} failures"
            );
        }
    }

    #[test]
    fn jitter_takes_any_part_of_the_pause_but_never_spins() {
        for (failures, dice, expected_ms) in [
            (4, 0.5, 4000),
            (4, 0.0, 100),
            (1, 0.25, 250),
            (1, -3.0, 100),
            (1, 7.0, 1000),
        ] {
            assert_eq!(
                pause(failures, dice),
                Duration::from_millis(expected_ms),
                "{failures} failures, dice {dice}"
            );
        }
    }

    #[test]
    fn only_a_healthy_run_resets_the_count() {
        let minute = Duration::from_secs(60);
        for (failures, ran_for, had_success, expected) in [
            (0, Duration::ZERO, false, 1),
            (4, Duration::from_secs(59), true, 5),
            (4, minute, true, 1),
            // It hung for an hour without reaching anybody: not health.
            (4, minute * 60, false, 5),
        ] {
            assert_eq!(count(failures, ran_for, had_success), expected);
        }
    }
}
