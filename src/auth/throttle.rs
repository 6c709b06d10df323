//! A budget of sign-in attempts, so that passwords cannot be tried by the thousand.

use std::{net::IpAddr, num::NonZeroU32, sync::Arc};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock};

use crate::secret;

/// Attempts a minute on one account from one address.
const PER_ACCOUNT: NonZeroU32 = NonZeroU32::new(10).unwrap();
/// Attempts a minute from one address, whatever the account.
const PER_ADDRESS: NonZeroU32 = NonZeroU32::new(60).unwrap();

/// Counts sign-in attempts. Cheap to clone.
#[derive(Clone)]
pub struct SignInThrottle(Option<Arc<Budgets>>);

struct Budgets {
    account: DefaultKeyedRateLimiter<String>,
    address: DefaultKeyedRateLimiter<IpAddr>,
}

impl std::fmt::Debug for SignInThrottle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignInThrottle")
    }
}

impl SignInThrottle {
    /// With `enabled` false every attempt is let through (setting `limits.enabled`).
    pub fn new(enabled: bool) -> Self {
        Self(enabled.then(|| {
            Arc::new(Budgets {
                account: RateLimiter::keyed(Quota::per_minute(PER_ACCOUNT)),
                address: RateLimiter::keyed(Quota::per_minute(PER_ADDRESS)),
            })
        }))
    }

    /// Counts one attempt; answers the seconds to wait when the budget is used up.
    pub fn check(&self, address: IpAddr, email: &str) -> Result<(), u64> {
        let Some(budgets) = &self.0 else { return Ok(()) };
        // The hash keeps keys of equal size however long the input is.
        let account = secret::hash_token(&format!("{address} {}", email.trim().to_lowercase()));
        let clock = governor::clock::DefaultClock::default();
        let seconds = |wait: std::time::Duration| wait.as_secs() + 1;
        budgets
            .address
            .check_key(&address)
            .map_err(|until| seconds(until.wait_time_from(clock.now())))?;
        budgets
            .account
            .check_key(&account)
            .map_err(|until| seconds(until.wait_time_from(clock.now())))
    }

    /// Forgets addresses whose budget is full again.
    pub fn sweep(&self) {
        if let Some(budgets) = &self.0 {
            budgets.account.retain_recent();
            budgets.address.retain_recent();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::SignInThrottle;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn an_account_is_closed_after_ten_attempts_and_others_are_not() {
        let throttle = SignInThrottle::new(true);
        for _ in 0..10 {
            assert_eq!(throttle.check(HERE, "anna@shop.example"), Ok(()));
        }
        assert!(throttle.check(HERE, "Anna@shop.example ").is_err());
        assert_eq!(throttle.check(HERE, "karim@shop.example"), Ok(()));
    }

    #[test]
    fn switched_off_it_counts_nothing() {
        let throttle = SignInThrottle::new(false);
        assert!((0..1000).all(|_| throttle.check(HERE, "anna@shop.example").is_ok()));
    }
}
