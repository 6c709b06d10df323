//! Exactly one receiver a bot: of two that ask, Telegram ends the other's question, again and again, and each gets
//! some of the messages. The server runs each channel once; two channels with the same bot are told apart here,
//! and on two nodes by Telegram's 409.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The channel that runs a bot, by server and bot.
type Taken = BTreeMap<(String, i64), String>;

static TAKEN: Mutex<Taken> = Mutex::new(Taken::new());

/// The right to receive for a bot, until it is dropped.
#[derive(Debug)]
pub struct Claim((String, i64));

impl Claim {
    /// Takes it.
    ///
    /// # Errors
    /// With the name of the channel that has it.
    pub fn take(api_url: &str, bot: i64, channel: &str) -> Result<Self, String> {
        let key = (api_url.to_owned(), bot);
        let mut taken = lock();
        match taken.get(&key) {
            Some(other) => Err(other.clone()),
            None => {
                taken.insert(key.clone(), channel.to_owned());
                Ok(Self(key))
            }
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        lock().remove(&self.0);
    }
}

fn lock() -> MutexGuard<'static, Taken> {
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::Claim;

    #[test]
    fn a_bot_is_received_by_one_channel_until_that_ends() {
        let first = Claim::take("https://a.example", 1, "Support").unwrap();
        assert_eq!(
            Claim::take("https://a.example", 1, "Sales").unwrap_err(),
            "Support"
        );
        let _elsewhere = Claim::take("https://b.example", 1, "Sales").unwrap();
        drop(first);
        let _again = Claim::take("https://a.example", 1, "Sales").unwrap();
    }
}
