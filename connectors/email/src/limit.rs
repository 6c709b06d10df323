//! How many mails an account may send in a minute and in an hour. Pure.

use std::{collections::VecDeque, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};

use crate::settings::Smtp;

/// What was sent within the last hour.
#[derive(Debug, Default)]
pub struct Budget {
    sent: VecDeque<DateTime<Utc>>,
}

impl Budget {
    /// Takes a place for one mail.
    ///
    /// # Errors
    /// How long it is until there is one, and which limit it is, in words.
    pub fn take(&mut self, server: &Smtp, now: DateTime<Utc>) -> Result<(), (Duration, String)> {
        let hour = TimeDelta::hours(1);
        while self.sent.front().is_some_and(|at| *at + hour <= now) {
            self.sent.pop_front();
        }
        let windows = [
            (server.max_per_minute, TimeDelta::minutes(1), "a minute"),
            (server.max_per_hour, hour, "an hour"),
        ];
        let longest = windows
            .into_iter()
            .filter_map(|(limit, window, word)| {
                let limit = limit?;
                // The mail whose leaving the window makes room for the next.
                let index = self.sent.len().checked_sub(usize::try_from(limit).ok()?)?;
                let free = *self.sent.get(index)? + window;
                let wait = (free - now).to_std().ok().filter(|wait| !wait.is_zero())?;
                Some((wait, format!("this account sends {limit} mails {word} at most")))
            })
            .max_by_key(|(wait, _)| *wait);
        match longest {
            Some(full) => Err(full),
            None => {
                self.sent.push_back(now);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::settings::Tls;

    fn server(max_per_minute: Option<u32>, max_per_hour: Option<u32>) -> Smtp {
        Smtp {
            host: "mail.shop.example".to_owned(),
            port: None,
            tls: Tls::Implicit,
            username: None,
            password: None,
            max_per_minute,
            max_per_hour,
            max_connections: 4,
        }
    }

    #[test]
    fn the_next_place_is_free_when_the_oldest_leaves_its_window() {
        let start = DateTime::<Utc>::UNIX_EPOCH;
        let at = |secs| start + TimeDelta::seconds(secs);
        let (mut budget, server) = (Budget::default(), server(Some(2), Some(3)));
        assert!(budget.take(&server, at(0)).is_ok());
        assert!(budget.take(&server, at(10)).is_ok());
        let (wait, reason) = budget.take(&server, at(30)).unwrap_err();
        assert_eq!(
            (wait, reason.contains("2 mails a minute")),
            (Duration::from_secs(30), true)
        );
        assert!(budget.take(&server, at(60)).is_ok());
        let (wait, reason) = budget.take(&server, at(200)).unwrap_err();
        assert_eq!(
            (wait, reason.contains("3 mails an hour")),
            (Duration::from_secs(3400), true)
        );
        assert!(budget.take(&server, at(3600)).is_ok());
    }

    #[test]
    fn no_limit_is_no_limit() {
        let (mut budget, server) = (Budget::default(), server(None, None));
        assert!((0..1000).all(|_| budget.take(&server, DateTime::UNIX_EPOCH).is_ok()));
    }

    proptest! {
        #[test]
        fn no_window_ever_holds_more_than_its_limit_and_waiting_long_enough_helps(
            steps in prop::collection::vec(0i64..40, 1..200), minute in 1u32..5, hour in 1u32..20,
        ) {
            let server = server(Some(minute), Some(hour));
            let (mut budget, mut now, mut taken) = (Budget::default(), DateTime::<Utc>::UNIX_EPOCH, Vec::new());
            for step in steps {
                now += TimeDelta::seconds(step);
                if let Err((wait, _)) = budget.take(&server, now) {
                    now += TimeDelta::from_std(wait).unwrap();
                    prop_assert!(budget.take(&server, now).is_ok());
                }
                taken.push(now);
                let within = |secs| taken.iter().filter(|at| **at > now - TimeDelta::seconds(secs)).count();
                prop_assert!(within(60) <= minute as usize && within(3600) <= hour as usize);
            }
        }
    }
}
