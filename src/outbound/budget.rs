//! How much one person is told by itself, over all channels. Pure.
//!
//! An answering machine that does not say what it is would go on with ours for ever, and one that hops
//! from channel to channel too. Whoever has had enough is told nothing more by itself until the window has
//! moved on; people go on answering.

use chrono::{DateTime, TimeDelta, Utc};

/// The window.
pub const WINDOW: TimeDelta = TimeDelta::days(1);
/// Automatic messages to one contact in the window, over all channels,
const MOST: usize = 20;
/// and how many of them on channels whose messages are letters, where the other side may be a machine.
const MOST_LETTERS: usize = 5;

/// An automatic message that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// When.
    pub at: DateTime<Utc>,
    /// On a channel of letters.
    pub letter: bool,
}

/// Whether one more may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    May,
    /// No.
    Spent {
        /// How many were sent that count.
        sent: usize,
        /// The first of them: it names this time of silence.
        since: DateTime<Utc>,
        /// When the first of them leaves the window.
        until: DateTime<Utc>,
    },
}

/// Decides about one more, a letter or not, after those that were `sent`.
pub fn one_more(sent: &[Sent], letter: bool, now: DateTime<Utc>) -> Verdict {
    let over = |counts: &dyn Fn(&Sent) -> bool, most: usize| {
        let mut times: Vec<DateTime<Utc>> = sent
            .iter()
            .filter(|sent| now - sent.at < WINDOW && counts(sent))
            .map(|sent| sent.at)
            .collect();
        times.sort_unstable();
        let first = times
            .len()
            .checked_sub(most)
            .and_then(|at| times.get(at).copied());
        first.map(|since| Verdict::Spent {
            sent: times.len(),
            since,
            until: since + WINDOW,
        })
    };
    let letters = letter.then(|| over(&|sent| sent.letter, MOST_LETTERS)).flatten();
    letters.or_else(|| over(&|_| true, MOST)).unwrap_or(Verdict::May)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::minutes(minutes)
    }

    fn sent(count: i64, letter: bool) -> Vec<Sent> {
        (0..count).map(|n| Sent { at: at(n), letter }).collect()
    }

    #[test]
    fn the_sixth_letter_of_a_day_is_not_sent_and_chats_have_more() {
        assert_eq!(one_more(&sent(4, true), true, at(10)), Verdict::May);
        let spent = Verdict::Spent {
            sent: 5,
            since: at(0),
            until: at(24 * 60),
        };
        assert_eq!(one_more(&sent(5, true), true, at(10)), spent);
        assert_eq!(one_more(&sent(5, true), false, at(10)), Verdict::May);
        assert_eq!(
            one_more(&sent(5, true), true, at(24 * 60)),
            Verdict::May,
            "a day later"
        );
    }

    #[test]
    fn all_channels_count_together() {
        let mut all = sent(17, false);
        all.extend(sent(3, true));
        assert!(matches!(
            one_more(&all, false, at(30)),
            Verdict::Spent { sent: 20, .. }
        ));
        assert!(matches!(
            one_more(&all, true, at(30)),
            Verdict::Spent { sent: 20, .. }
        ));
    }

    proptest! {
        #[test]
        fn whoever_asks_each_time_never_sends_more_than_the_budget_in_any_window(
            wishes in proptest::collection::vec((0_i64..90, any::<bool>()), 0..300),
        ) {
            let mut made: Vec<Sent> = Vec::new();
            let mut now = at(0);
            for (pause, letter) in wishes {
                now += TimeDelta::minutes(pause);
                match one_more(&made, letter, now) {
                    Verdict::May => made.push(Sent { at: now, letter }),
                    Verdict::Spent { until, .. } => {
                        prop_assert!(until > now);
                        prop_assert_eq!(one_more(&made, letter, until), Verdict::May);
                    }
                }
                let recent = made.iter().filter(|sent| now - sent.at < WINDOW);
                prop_assert!(recent.clone().count() <= MOST);
                prop_assert!(recent.filter(|sent| sent.letter).count() <= MOST_LETTERS);
            }
        }
    }
}
