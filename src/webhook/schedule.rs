//! When what was not taken is sent again, how a webhook that fails is spared, and when it is switched off. Pure.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// The pause after each failed attempt but the last; the sum is about three days (Standard Webhooks).
const PAUSES: [Duration; 9] = [
    Duration::from_secs(5),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(14),
    Duration::from_hours(20),
    Duration::from_hours(24),
];
/// A pause grows by up to this part of itself, never shrinks: who failed together does not come back together.
const JITTER: f64 = 0.2;
/// A receiver that asks for more patience than this is asked again after it.
const LONGEST: Duration = Duration::from_hours(24);
/// From this many failures in a row it is the program that fails, not one delivery: it is tried with one at a time.
pub const TROUBLED: i64 = 5;
/// Sent to one webhook at once.
pub const TOGETHER: usize = 8;
/// Longest time between two tries of a program that fails again and again.
const PROBE: Duration = Duration::from_mins(5);
/// Only days without any success switch a webhook off.
const FAILING_FOR: TimeDelta = TimeDelta::days(3);

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Taken.
    Delivered,
    /// It is not wanted any more, now or ever: the webhook is switched off.
    Gone,
    /// The program, or what stands before it, is too busy or not there: it is left alone for a while.
    Busy,
    /// Not taken, for whatever reason; a redirect too.
    Failed,
}

/// Judges an answer; `None` when there was none.
pub fn judge(status: Option<u16>) -> Verdict {
    match status {
        Some(200..=299) => Verdict::Delivered,
        Some(410) => Verdict::Gone,
        None | Some(429 | 502 | 503 | 504) => Verdict::Busy,
        Some(_) => Verdict::Failed,
    }
}

/// When a delivery whose attempt number `attempts` (1 for the first) failed is sent again; `None` when that was the
/// last. `after` is the receiver's own word and is never undercut; `dice` is in `0.0..1.0`.
pub fn again(attempts: i64, after: Option<Duration>, dice: f64, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let index = usize::try_from(attempts.max(1) - 1).unwrap_or(usize::MAX);
    let planned = spread(*PAUSES.get(index)?, dice);
    Some(now + after.map_or(planned, |after| after.min(LONGEST).max(planned)))
}

/// Until when a webhook is left alone after an attempt failed, its `failures`th in a row.
pub fn pause(
    failures: i64,
    verdict: Verdict,
    after: Option<Duration>,
    dice: f64,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let own = if failures >= TROUBLED {
        let doublings = u32::try_from(failures - TROUBLED).unwrap_or(u32::MAX).min(10);
        Some(spread(
            (PAUSES[0] * 2_u32.saturating_pow(doublings)).min(PROBE),
            dice,
        ))
    } else {
        (verdict == Verdict::Busy).then(|| spread(PAUSES[0], dice))
    };
    let asked = after
        .filter(|_| verdict == Verdict::Busy)
        .map(|after| after.min(LONGEST));
    own.max(asked).map(|pause| now + pause)
}

/// How many may be on their way to a webhook at once.
pub fn together(failures: i64) -> usize {
    if failures >= TROUBLED { 1 } else { TOGETHER }
}

/// Whether a webhook that failed again just now is switched off: nothing came through for days, over several
/// attempts, so that one failure after weeks of silence is not taken for weeks of failing.
pub fn is_lost(failing_since: DateTime<Utc>, failures: i64, now: DateTime<Utc>) -> bool {
    failures >= TROUBLED && now - failing_since >= FAILING_FOR
}

/// The patience asked for: seconds, or a date (RFC 9110 §10.2.3).
pub fn retry_after(value: &str, now: DateTime<Utc>) -> Option<Duration> {
    let value = value.trim();
    if let Ok(secs) = value.parse::<u64>() {
        return Some(Duration::from_secs(secs));
    }
    let at = DateTime::parse_from_rfc2822(value).ok()?;
    (at.with_timezone(&Utc) - now).to_std().ok()
}

fn spread(pause: Duration, dice: f64) -> Duration {
    pause.mul_f64(1.0 + JITTER * dice.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn moment() -> DateTime<Utc> {
        "2026-11-23T08:00:00Z".parse().unwrap()
    }

    fn waits(attempts: i64, after: Option<u64>) -> Option<i64> {
        again(attempts, after.map(Duration::from_secs), 0.0, moment()).map(|at| (at - moment()).num_seconds())
    }

    #[test]
    fn ten_attempts_over_three_days() {
        let pauses: Vec<i64> = (1..=10).map_while(|attempt| waits(attempt, None)).collect();
        assert_eq!(
            pauses,
            [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
        );
        assert!(TimeDelta::seconds(pauses.iter().sum()) > FAILING_FOR);
        assert_eq!(waits(10, None), None);
        assert_eq!(waits(i64::MAX, None), None);
    }

    #[test]
    fn the_receivers_word_is_never_undercut_but_bounded() {
        assert_eq!(waits(1, Some(60)), Some(60));
        assert_eq!(waits(2, Some(1)), Some(300));
        assert_eq!(waits(1, Some(u64::MAX)), Some(86_400));
    }

    #[test]
    fn only_2xx_is_success_and_a_redirect_is_none() {
        for (status, verdict) in [
            (Some(200), Verdict::Delivered),
            (Some(204), Verdict::Delivered),
            (Some(301), Verdict::Failed),
            (Some(308), Verdict::Failed),
            (Some(400), Verdict::Failed),
            (Some(410), Verdict::Gone),
            (Some(429), Verdict::Busy),
            (Some(500), Verdict::Failed),
            (Some(503), Verdict::Busy),
            (None, Verdict::Busy),
        ] {
            assert_eq!(judge(status), verdict, "{status:?}");
        }
    }

    #[test]
    fn one_refused_delivery_holds_up_no_other_and_a_dead_program_is_spared() {
        let secs = |failures, verdict, after: Option<u64>| {
            pause(failures, verdict, after.map(Duration::from_secs), 0.0, moment())
                .map(|at| (at - moment()).num_seconds())
        };
        assert_eq!(secs(1, Verdict::Failed, None), None);
        assert_eq!(secs(1, Verdict::Failed, Some(600)), None);
        assert_eq!(secs(1, Verdict::Busy, None), Some(5));
        assert_eq!(secs(1, Verdict::Busy, Some(600)), Some(600));
        assert_eq!(secs(5, Verdict::Failed, None), Some(5));
        assert_eq!(secs(7, Verdict::Failed, None), Some(20));
        assert_eq!(secs(i64::MAX, Verdict::Busy, None), Some(300));
        assert_eq!((together(4), together(5)), (TOGETHER, 1));
    }

    #[test]
    fn only_days_of_failing_switch_off() {
        let days = |days| moment() - TimeDelta::days(days);
        assert!(is_lost(days(3), 10, moment()));
        assert!(!is_lost(days(2), 1_000, moment()));
        assert!(
            !is_lost(days(30), 1, moment()),
            "one failure after a month of silence"
        );
    }

    #[test]
    fn patience_is_asked_for_in_seconds_or_by_date() {
        assert_eq!(retry_after("120", moment()), Some(Duration::from_secs(120)));
        assert_eq!(
            retry_after("Mon, 23 Nov 2026 08:01:00 GMT", moment()),
            Some(Duration::from_secs(60))
        );
        assert_eq!(retry_after("Mon, 23 Nov 2026 07:00:00 GMT", moment()), None);
        assert_eq!(retry_after("soon", moment()), None);
    }

    proptest! {
        #[test]
        fn jitter_only_adds_and_little(attempts in 1_i64..10, dice in 0.0_f64..1.0) {
            let plain = again(attempts, None, 0.0, moment()).map(|at| at - moment());
            let spread = again(attempts, None, dice, moment()).map(|at| at - moment());
            if let (Some(plain), Some(spread)) = (plain, spread) {
                prop_assert!(spread >= plain && spread.as_seconds_f64() <= plain.as_seconds_f64() * 1.2 + 0.001);
            }
        }
    }
}
