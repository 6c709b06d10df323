//! Time comes in through one seam, so that tests can drive it.

use chrono::{DateTime, Utc};

/// Tells the time. The server has one; connectors get it in [`crate::BuildContext`].
pub trait Clock: Send + Sync + 'static {
    /// The present moment in UTC, to the microsecond: what both databases give back unchanged.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the machine's clock"
        )]
        let now = Utc::now();
        DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
    }
}
