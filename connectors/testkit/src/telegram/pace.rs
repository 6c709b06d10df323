//! Telegram's limits on what a bot sends, as it enforces them.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

/// What was sent of late.
#[derive(Debug, Default)]
pub struct Pace {
    frozen_until: Duration,
    bot: VecDeque<Duration>,
    chats: HashMap<i64, VecDeque<Duration>>,
}

impl Pace {
    /// Takes so many messages in a chat, or says for how many seconds the bot is to be silent. Who is told so and
    /// goes on is told again.
    pub fn take(&mut self, chat: i64, count: usize, now: Duration) -> Result<(), u64> {
        if now < self.frozen_until {
            return Err((self.frozen_until - now).as_secs() + 1);
        }
        let room = self.chats.entry(chat).or_default();
        let second = Duration::from_secs(1);
        let minute = Duration::from_secs(60);
        let within = |said: &VecDeque<Duration>, window: Duration| {
            said.iter().filter(|at| **at + window > now).count()
        };
        // An album is one message for a chat's second, and as many as it has files for everything else.
        let full = within(&self.bot, second) + count > 30
            || within(room, second) > 0
            || (chat < 0 && within(room, minute) + count > 20);
        if full {
            self.frozen_until = now + Duration::from_secs(3);
            return Err(3);
        }
        for _ in 0..count {
            self.bot.push_back(now);
            room.push_back(now);
        }
        while self.bot.len() > 100 {
            self.bot.pop_front();
        }
        while room.len() > 100 {
            room.pop_front();
        }
        Ok(())
    }
}
