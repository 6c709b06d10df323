//! What comes after a step to a CRM that was not done: when it is tried again, whether the connection rests or stops,
//! whether a person must look. Pure.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use switchboard_crm::SyncError;

/// The first pause; each next one is twice as long.
const FIRST: Duration = Duration::from_secs(30);
/// No pause is longer, whoever asks for it.
const LONGEST: Duration = Duration::from_hours(24);
/// What may have been done is looked for no sooner: the search of some CRMs lags behind by seconds.
const SETTLED: Duration = Duration::from_mins(1);
/// A pause grows by up to this part of itself, never shrinks.
const JITTER: f64 = 0.2;
/// From this many failures in a row it is the CRM that fails, not one step: it is asked for one thing at a time.
pub const TROUBLED: i64 = 3;
/// Steps of one connection that run side by side; no two of them are about one contact.
pub const TOGETHER: usize = 4;
/// The longest rest of a CRM that fails again and again.
const PROBE: Duration = Duration::from_mins(5);
/// The first rest.
const FIRST_REST: Duration = Duration::from_secs(10);

/// What happens to a step that was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It is tried again.
    Again {
        /// Not sooner.
        at: DateTime<Utc>,
        /// It may have been done: find it first.
        uncertain: bool,
        /// Nothing at all is asked before this time: the CRM said so.
        hold: Option<DateTime<Utc>>,
    },
    /// The connection stops until an admin changes its settings; the step waits.
    Stop,
    /// It cannot succeed as it is: a person must look.
    Dead,
    /// The record was deleted there: it is let go, and not made again.
    Unlink,
}

/// The word an error is kept under.
pub fn reason(error: &SyncError) -> &'static str {
    match error {
        SyncError::Auth(_) => "auth",
        SyncError::Refused { .. } => "refused",
        SyncError::Limited { .. } => "limited",
        SyncError::Temporary(_) => "temporary",
        SyncError::Unknown(_) => "unknown",
        SyncError::Gone(_) => "gone",
    }
}

/// What comes after attempt number `attempts` (1 for the first) failed so. `dice` is in `0.0..1.0`.
pub fn after(error: &SyncError, attempts: i64, dice: f64, now: DateTime<Utc>) -> Next {
    let own = pause(attempts, dice);
    match error {
        SyncError::Auth(_) => Next::Stop,
        SyncError::Refused { .. } => Next::Dead,
        SyncError::Gone(_) => Next::Unlink,
        SyncError::Limited { after, .. } => {
            let at = now + delta(after.map_or(own, |after| after.min(LONGEST)));
            Next::Again {
                at,
                uncertain: false,
                hold: Some(at),
            }
        }
        SyncError::Temporary(_) => Next::Again {
            at: now + delta(own),
            uncertain: false,
            hold: None,
        },
        SyncError::Unknown(_) => Next::Again {
            at: now + delta(own.max(SETTLED)),
            uncertain: true,
            hold: None,
        },
    }
}

/// Until when a CRM is left alone after its `failures`th failure in a row; `None`: it is not.
pub fn rest(failures: i64, dice: f64, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    if failures < TROUBLED {
        return None;
    }
    let doublings = u32::try_from(failures - TROUBLED).unwrap_or(u32::MAX).min(10);
    let rest = (FIRST_REST * 2_u32.saturating_pow(doublings)).min(PROBE);
    Some(now + delta(spread(rest, dice)))
}

/// How many steps of a connection may run at once.
pub fn together(failures: i64) -> usize {
    if failures >= TROUBLED { 1 } else { TOGETHER }
}

/// When a step may be looked for that was on its way when its process died.
pub fn settled(now: DateTime<Utc>) -> DateTime<Utc> {
    now + delta(SETTLED)
}

fn pause(attempts: i64, dice: f64) -> Duration {
    let doublings = u32::try_from(attempts.max(1) - 1).unwrap_or(u32::MAX).min(20);
    spread((FIRST * 2_u32.saturating_pow(doublings)).min(LONGEST), dice).min(LONGEST)
}

fn spread(pause: Duration, dice: f64) -> Duration {
    pause.mul_f64(1.0 + JITTER * dice.clamp(0.0, 1.0))
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn moment() -> DateTime<Utc> {
        "2026-11-23T08:00:00Z".parse().unwrap()
    }

    fn secs(error: &SyncError, attempts: i64) -> Option<i64> {
        match after(error, attempts, 0.0, moment()) {
            Next::Again { at, .. } => Some((at - moment()).num_seconds()),
            _ => None,
        }
    }

    fn limited(after: Option<u64>) -> SyncError {
        SyncError::Limited {
            message: "slowly".to_owned(),
            after: after.map(Duration::from_secs),
        }
    }

    #[test]
    fn pauses_double_to_a_day_and_there_is_always_another_attempt() {
        let error = SyncError::Temporary("down".to_owned());
        let first: Vec<i64> = (1..=5).filter_map(|attempt| secs(&error, attempt)).collect();
        assert_eq!(first, [30, 60, 120, 240, 480]);
        assert_eq!(
            (secs(&error, 13), secs(&error, i64::MAX)),
            (Some(86_400), Some(86_400))
        );
    }

    #[test]
    fn a_limit_has_its_own_time_and_holds_the_whole_connection() {
        assert_eq!(secs(&limited(Some(7)), 5), Some(7));
        assert_eq!(secs(&limited(None), 2), Some(60));
        assert_eq!(secs(&limited(Some(u64::MAX)), 1), Some(86_400));
        let Next::Again { at, hold, uncertain } = after(&limited(Some(7)), 1, 0.0, moment()) else {
            unreachable!("a limit passes");
        };
        assert_eq!((hold, uncertain), (Some(at), false));
    }

    #[test]
    fn what_may_have_been_done_is_looked_for_when_the_search_there_has_settled() {
        let unknown = SyncError::Unknown("no answer".to_owned());
        assert_eq!((secs(&unknown, 1), secs(&unknown, 3)), (Some(60), Some(120)));
        assert!(matches!(
            after(&unknown, 1, 0.0, moment()),
            Next::Again {
                uncertain: true,
                hold: None,
                ..
            }
        ));
    }

    #[test]
    fn the_rest_is_for_people() {
        let refused = SyncError::Refused {
            message: "empty".to_owned(),
            field: None,
        };
        assert_eq!(after(&refused, 1, 0.0, moment()), Next::Dead);
        assert_eq!(
            after(&SyncError::Auth("no".to_owned()), 1, 0.0, moment()),
            Next::Stop
        );
        assert_eq!(
            after(&SyncError::Gone("gone".to_owned()), 1, 0.0, moment()),
            Next::Unlink
        );
    }

    #[test]
    fn a_crm_that_fails_is_left_alone_for_at_most_minutes() {
        let rests = |failures| rest(failures, 0.0, moment()).map(|at| (at - moment()).num_seconds());
        assert_eq!(
            (rests(2), rests(3), rests(4), rests(i64::MAX)),
            (None, Some(10), Some(20), Some(300))
        );
        assert_eq!((together(2), together(3)), (TOGETHER, 1));
    }

    proptest! {
        #[test]
        fn no_pause_is_longer_than_a_day_or_in_the_past(attempts in any::<i64>(), dice in 0.0_f64..1.0, wanted in any::<Option<u64>>()) {
            for error in [limited(wanted), SyncError::Temporary(String::new()), SyncError::Unknown(String::new())] {
                let Next::Again { at, .. } = after(&error, attempts, dice, moment()) else {
                    return Err(TestCaseError::fail("there is another attempt"));
                };
                prop_assert!(at >= moment() && at <= moment() + TimeDelta::days(1));
            }
        }

        #[test]
        fn a_later_attempt_never_waits_less(attempts in 1_i64..40, dice in 0.0_f64..1.0) {
            prop_assert!(pause(attempts + 1, dice) >= pause(attempts, dice));
        }
    }
}
