//! How fast a CRM is asked: a bucket of requests, full at the start, refilled evenly.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use switchboard_crm::{Pace, Turn};
use tokio::time::Instant;

/// The bucket itself. Pure: time is what passed since its beginning.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    burst: f64,
    per_second: f64,
    /// May be below zero: what is promised to those who wait.
    left: f64,
    at: Duration,
}

impl Bucket {
    fn full(pace: Pace) -> Self {
        let burst = f64::from(pace.burst.max(1));
        Self {
            burst,
            per_second: pace.per_second.max(0.001),
            left: burst,
            at: Duration::ZERO,
        }
    }

    /// Takes one; answers how long to wait before it may be used.
    fn take(&mut self, at: Duration) -> Duration {
        let passed = at.saturating_sub(self.at);
        self.at = self.at.max(at);
        self.left = (self.left + passed.as_secs_f64() * self.per_second).min(self.burst) - 1.0;
        Duration::try_from_secs_f64((-self.left / self.per_second).max(0.0)).unwrap_or(Duration::MAX)
    }
}

/// Whose turn it is at one connection, in this process: one process at a time works for a connection.
#[derive(Debug)]
pub struct Turns {
    began: Instant,
    bucket: Mutex<Bucket>,
}

impl Turns {
    /// Of a CRM that may be asked so fast.
    pub fn new(pace: Pace) -> Self {
        Self {
            began: Instant::now(),
            bucket: Mutex::new(Bucket::full(pace)),
        }
    }
}

#[async_trait]
impl Turn for Turns {
    async fn wait(&self) {
        let pause = {
            let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
            bucket.take(self.began.elapsed())
        };
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever the moments at which requests ask, those that go in any stretch of time are no more than the burst
        /// and what was refilled meanwhile.
        #[test]
        fn no_stretch_of_time_has_more_requests_than_the_pace_allows(
            gaps in proptest::collection::vec(0_u64..2_000, 1..60), burst in 1_u32..10, per_second in 0.5_f64..20.0,
        ) {
            let mut bucket = Bucket::full(Pace { burst, per_second });
            let mut at = Duration::ZERO;
            let mut gone = Vec::new();
            for gap in gaps {
                at += Duration::from_millis(gap);
                gone.push((at + bucket.take(at)).as_secs_f64());
            }
            for first in 0..gone.len() {
                for last in first..gone.len() {
                    let allowed = f64::from(burst) + (gone[last] - gone[first]) * per_second;
                    prop_assert!((last - first + 1) as f64 <= allowed + 0.001);
                }
            }
        }
    }
}
