//! When replies that a visitor has not seen are mailed. Pure.

use chrono::{DateTime, TimeDelta, Utc};

/// Somebody who wrote this short a while ago may be writing on.
const QUIET: TimeDelta = TimeDelta::minutes(1);
/// For whom writes on and on, the mail is held up no longer than this.
const HELD_UP: TimeDelta = TimeDelta::minutes(10);

/// Replies that wait for their visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unseen {
    /// When the first of them was written.
    pub first_at: DateTime<Utc>,
    /// When the last of them was written.
    pub last_at: DateTime<Utc>,
    /// When the visitor was last on the site.
    pub here_at: DateTime<Utc>,
}

/// When they are mailed: the visitor was away for `after` since the first of them, and nobody wrote just now.
pub fn due_at(unseen: &Unseen, after: TimeDelta) -> DateTime<Utc> {
    let away = unseen.here_at.max(unseen.first_at) + after;
    let quiet = unseen.last_at + QUIET.min(after);
    quiet.clamp(away, away + HELD_UP)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(secs: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + secs, 0).unwrap()
    }

    fn unseen(first: i64, last: i64, here: i64) -> Unseen {
        Unseen {
            first_at: at(first),
            last_at: at(last),
            here_at: at(here),
        }
    }

    const AFTER: TimeDelta = TimeDelta::minutes(5);

    #[test]
    fn a_visitor_who_left_before_the_reply_gets_it_by_mail_when_they_stayed_away() {
        assert_eq!(due_at(&unseen(0, 0, -3_600), AFTER), at(300));
    }

    #[test]
    fn who_left_after_the_reply_is_given_the_time_from_their_leaving() {
        assert_eq!(due_at(&unseen(0, 0, 120), AFTER), at(420));
    }

    #[test]
    fn one_mail_waits_for_what_is_still_being_written_but_not_for_ever() {
        assert_eq!(due_at(&unseen(0, 290, 0), AFTER), at(350));
        assert_eq!(due_at(&unseen(0, 5_000, 0), AFTER), at(900));
    }

    proptest! {
        #[test]
        fn never_before_they_were_away_long_enough_and_never_much_later(
            first in 0_i64..10_000, more in 0_i64..10_000, here in -10_000_i64..10_000, minutes in 1_i64..1_440,
        ) {
            let after = TimeDelta::minutes(minutes);
            let unseen = unseen(first, first + more, here);
            let due = due_at(&unseen, after);
            prop_assert!(due >= unseen.here_at + after && due >= unseen.first_at + after);
            prop_assert!(due <= unseen.here_at.max(unseen.first_at) + after + HELD_UP);
            // Coming back never makes it sooner.
            let back = Unseen { here_at: unseen.here_at + TimeDelta::minutes(1), ..unseen };
            prop_assert!(due_at(&back, after) >= due);
        }
    }
}
