//! Time. Everything that needs it gets a [`SharedClock`]; tests hand in one they move.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Instant,
};

use chrono::{DateTime, TimeDelta, Utc};
pub use switchboard_sdk::{Clock, SystemClock};

/// A clock this much behind was set back.
const STEP: TimeDelta = TimeDelta::milliseconds(50);

/// The clock as it is passed around.
pub type SharedClock = Arc<dyn Clock>;

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// Stands at `now`.
    pub fn at(now: DateTime<Utc>) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(now.timestamp_micros())))
    }

    /// Moves forward.
    pub fn advance(&self, by: TimeDelta) {
        self.0
            .fetch_add(by.num_microseconds().unwrap_or_default(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0.load(Ordering::SeqCst)).unwrap_or_default()
    }
}

/// The machine's clock for as long as it runs forward. Set back, it would put new decisions before old
/// ones and give offers and leases a longer life; so time then goes on from where it was, at its own pace,
/// until the machine's clock is ahead again. Set forward, it is followed at once.
#[derive(Debug)]
pub struct SteadyClock<C = SystemClock> {
    wall: C,
    told: Mutex<Told>,
}

/// What the clock goes on from.
#[derive(Debug)]
struct Told {
    /// The machine's clock was believed, and said this,
    anchor: DateTime<Utc>,
    /// at this instant.
    at: Instant,
    /// The latest time that was told.
    last: DateTime<Utc>,
}

impl<C: Clock> SteadyClock<C> {
    /// Begins with what the machine's clock says now.
    pub fn new(wall: C) -> Self {
        let now = wall.now();
        let told = Told {
            anchor: now,
            at: Instant::now(),
            last: now,
        };
        Self {
            wall,
            told: Mutex::new(told),
        }
    }
}

impl<C: Clock> Clock for SteadyClock<C> {
    fn now(&self) -> DateTime<Utc> {
        let wall = self.wall.now();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = TimeDelta::from_std(told.at.elapsed()).unwrap_or_default();
        match steady(told.anchor + passed, wall) {
            Some(expected) => told.last = expected.max(told.last),
            None => {
                let last = wall.max(told.last);
                *told = Told {
                    anchor: last,
                    at: Instant::now(),
                    last,
                };
            }
        }
        told.last
    }
}

/// The time to go by in place of `wall`, when that is behind what was expected by more than the two
/// drift apart.
fn steady(expected: DateTime<Utc>, wall: DateTime<Utc>) -> Option<DateTime<Utc>> {
    (wall < expected - STEP).then_some(expected)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::{DateTime, TimeDelta, Utc};
    use proptest::prelude::*;

    use super::{Clock, ManualClock, SteadyClock};

    fn at(millis: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::milliseconds(millis)
    }

    struct Set(Arc<ManualClock>);

    impl Clock for Set {
        fn now(&self) -> DateTime<Utc> {
            self.0.now()
        }
    }

    #[test]
    fn a_clock_set_back_goes_on_from_where_it_was_and_one_set_forward_is_followed() {
        let wall = ManualClock::at(at(0));
        let clock = SteadyClock::new(Set(Arc::clone(&wall)));
        wall.advance(TimeDelta::hours(2));
        assert_eq!(clock.now(), at(7_200_000));
        wall.advance(TimeDelta::hours(-1));
        let first = clock.now();
        assert!(first >= at(7_200_000) && clock.now() >= first);
        wall.advance(TimeDelta::hours(3));
        assert_eq!(clock.now(), at(14_400_000));
    }

    proptest! {
        #[test]
        fn whatever_the_machines_clock_does_time_never_runs_backwards(
            jumps in prop::collection::vec(-100_000_i64..100_000, 1..50)
        ) {
            let wall = ManualClock::at(at(0));
            let clock = SteadyClock::new(Set(Arc::clone(&wall)));
            let mut last = clock.now();
            for jump in jumps {
                wall.advance(TimeDelta::milliseconds(jump));
                let now = clock.now();
                prop_assert!(now >= last && now >= wall.now(), "{now} after {last}");
                last = now;
            }
        }
    }
}
