//! Budgets of strangers: how often one address, or one visitor, may ask.
//!
//! They stop a flood, not a person, and not an office behind one address: generous, and per purpose,
//! so that opening the chat on many pages cannot use up what messages need.

use std::{
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};

use super::problem::Problem;

/// Keys are forgotten once they are full again; looked at after so many requests.
const TIDY_EVERY: u32 = 4096;

/// One budget, kept per key.
#[derive(Debug)]
pub struct Budget<K: Hash + Eq + Clone> {
    limiter: DefaultKeyedRateLimiter<K>,
    clock: DefaultClock,
    asked: AtomicU32,
}

impl<K: Hash + Eq + Clone> Budget<K> {
    /// `burst` requests at once, refilled at `per_minute`.
    pub fn new(per_minute: u32, burst: u32) -> Self {
        let at_least_one = |count: u32| NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_minute(at_least_one(per_minute)).allow_burst(at_least_one(burst));
        Self {
            limiter: RateLimiter::keyed(quota),
            clock: DefaultClock::default(),
            asked: AtomicU32::new(0),
        }
    }

    /// Takes one; 429 with `Retry-After` when there is none left.
    pub fn take(&self, key: &K) -> Result<(), Problem> {
        if self
            .asked
            .fetch_add(1, Ordering::Relaxed)
            .is_multiple_of(TIDY_EVERY)
        {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(key).map_err(|refused| {
            let wait = refused.wait_time_from(self.clock.now());
            Problem::rate_limited(wait.max(Duration::from_secs(1)).as_secs_f64().ceil() as u64)
        })
    }
}

/// Who asks, as far as budgets care: an IPv4 address, or an IPv6 network of /64, which one customer has
/// to himself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Origin(IpAddr);

impl From<IpAddr> for Origin {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(v6) => Self(IpAddr::V6(Ipv6Addr::from(u128::from(v6) >> 64 << 64))),
            v4 @ IpAddr::V4(_) => Self(v4),
        }
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            IpAddr::V4(address) => write!(f, "{address}"),
            IpAddr::V6(network) => write!(f, "{network}/64"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{Budget, Origin};

    fn origin(address: &str) -> Origin {
        address.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn neighbours_in_an_ipv6_network_are_one_and_a_mapped_address_is_its_ipv4_self() {
        assert_eq!(origin("2001:db8:1:2:3::4"), origin("2001:db8:1:2::9"));
        assert_eq!(origin("2001:db8:1:2:3::4").to_string(), "2001:db8:1:2::/64");
        assert_ne!(origin("2001:db8:1:2::9"), origin("2001:db8:1:3::9"));
        assert_eq!(origin("::ffff:203.0.113.7"), origin("203.0.113.7"));
        assert_ne!(origin("203.0.113.8"), origin("203.0.113.7"));
    }

    #[test]
    fn a_budget_is_per_key_and_says_when_to_come_back() {
        let budget = Budget::new(1, 2);
        assert!(budget.take(&"a").is_ok() && budget.take(&"a").is_ok());
        let refused = budget.take(&"a").unwrap_err();
        assert_eq!(refused.status, 429);
        assert!(
            refused
                .retry_after_secs
                .is_some_and(|secs| (1..=60).contains(&secs))
        );
        assert!(budget.take(&"b").is_ok());
    }
}
