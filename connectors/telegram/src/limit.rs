//! How fast a bot may speak. Pure.
//!
//! Telegram takes about 30 messages a second of a bot, one a second in a chat and 20 a minute in a group, and
//! answers more with 429 and a pause for the whole bot. Whoever asks for a place gets a moment that is near, or
//! learns how long to wait and who has to: all of the bot, or this one chat, so that a busy chat holds up no other.
//!
//! Messages do not arrive as evenly as they leave. A place therefore counts from the answer to its message, which
//! comes after the arrival: what leaves a second after the answers to the thirty before it is never too much, however
//! long each was on its way. Until it leaves, a place can move back ([`Pace::due`]).

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};

/// Messages of a bot
const BOT_MESSAGES: usize = 30;
/// in this time.
const BOT_WINDOW: TimeDelta = TimeDelta::milliseconds(1_005);
/// Between two messages in a chat.
const CHAT_PAUSE: TimeDelta = TimeDelta::milliseconds(1_005);
/// Messages in a group
const GROUP_MESSAGES: usize = 20;
/// in this time.
const GROUP_WINDOW: TimeDelta = TimeDelta::milliseconds(61_000);
/// Who has to wait no longer than this does it in place: putting a message back and taking it up again costs more.
const NEAR: TimeDelta = TimeDelta::milliseconds(1_100);
/// The same for a chat, where the place of who waits is missed by others.
const NEAR_IN_CHAT: TimeDelta = TimeDelta::milliseconds(40);
/// An answer that did not come within this time does not count any more.
const LOST: TimeDelta = TimeDelta::seconds(30);
/// Chats that said nothing for this long are forgotten.
const FORGET: TimeDelta = TimeDelta::minutes(2);

/// Who has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whole {
    /// The bot.
    Bot,
    /// The chat.
    Chat,
}

/// No place is near.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Full {
    /// For whom.
    pub whole: Whole,
    /// For how long.
    pub after: Duration,
    /// Which limit it is.
    pub reason: &'static str,
}

/// A place that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// When the message may leave, as far as is known now; see [`Pace::due`].
    pub at: DateTime<Utc>,
    chat: i64,
    number: u64,
    count: usize,
}

/// What was said of late, and what is about to be.
#[derive(Debug, Default)]
pub struct Pace {
    frozen_until: Option<DateTime<Utc>>,
    last: u64,
    said: VecDeque<Said>,
    chats: HashMap<i64, Chat>,
}

/// One message.
#[derive(Debug, Clone, Copy)]
struct Said {
    place: u64,
    /// When it is to leave; once it was answered, when that was.
    at: DateTime<Utc>,
    answered: bool,
}

#[derive(Debug, Default)]
struct Chat {
    free_at: DateTime<Utc>,
    said: VecDeque<Said>,
}

impl Pace {
    /// Telegram asked for silence until then; never shortens one.
    pub fn freeze(&mut self, until: DateTime<Utc>) {
        self.frozen_until = self.frozen_until.max(Some(until));
    }

    /// Takes a place for `count` messages in a chat (an album has as many as it has files).
    ///
    /// # Errors
    /// When no place is near.
    pub fn take(&mut self, chat: i64, count: usize, now: DateTime<Utc>) -> Result<Place, Full> {
        self.forget(now);
        let full = |at: DateTime<Utc>, whole, reason| Full {
            whole,
            after: (at - now).to_std().unwrap_or_default(),
            reason,
        };
        if let Some(until) = self.frozen_until.filter(|until| *until > now) {
            return Err(full(
                until,
                Whole::Bot,
                "Telegram asked this bot to be silent for a while",
            ));
        }
        let room = self.chats.get(&chat);
        let in_chat = room.map_or(now, |room| room.free_at.max(now));
        let in_group = room
            .filter(|_| chat < 0)
            .and_then(|room| {
                next(
                    room.said.iter().map(|said| said.at),
                    GROUP_MESSAGES,
                    count,
                    GROUP_WINDOW,
                )
            })
            .unwrap_or(now);
        if in_group > now + NEAR_IN_CHAT {
            return Err(full(
                in_group,
                Whole::Chat,
                "Telegram takes 20 messages a minute in a group",
            ));
        }
        if in_chat > now + NEAR_IN_CHAT {
            return Err(full(
                in_chat,
                Whole::Chat,
                "Telegram takes a message a second in a chat",
            ));
        }
        let of_bot = next(
            self.said.iter().map(|said| said.at),
            BOT_MESSAGES,
            count,
            BOT_WINDOW,
        )
        .unwrap_or(now);
        // Never before what was promised earlier: the window is kept in order.
        let promised = self
            .said
            .iter()
            .filter(|said| !said.answered)
            .map(|said| said.at)
            .max();
        let at = [in_chat, in_group, of_bot]
            .into_iter()
            .chain(promised)
            .fold(now, Ord::max);
        if at > now + NEAR {
            return Err(full(
                at,
                Whole::Bot,
                "Telegram takes 30 messages a second of a bot",
            ));
        }
        let room = self.chats.entry(chat).or_default();
        room.free_at = at + pause_after(count);
        self.last += 1;
        let said = Said {
            place: self.last,
            at,
            answered: false,
        };
        self.said.extend(std::iter::repeat_n(said, count));
        room.said.extend(std::iter::repeat_n(said, count));
        Ok(Place {
            at,
            chat,
            number: self.last,
            count,
        })
    }

    /// When the message of a place may leave: later than was promised where those before it were late, or are still
    /// on their way. Then it is to be asked again once one of them was answered.
    pub fn due(&self, place: &Place, now: DateTime<Utc>) -> DateTime<Utc> {
        let before = self.said.iter().take_while(|said| said.place != place.number);
        let times = before.map(|said| match said {
            Said {
                answered: true, at, ..
            } => *at,
            // Given up by whoever sent it, or about to be.
            Said { at, .. } if *at + LOST <= now => *at,
            Said { at, .. } => now.max(*at),
        });
        next(times, BOT_MESSAGES, place.count, BOT_WINDOW).map_or(place.at, |due| due.max(place.at))
    }

    /// The message of this place was answered, or will not be sent.
    pub fn answered(&mut self, place: &Place, now: DateTime<Utc>) {
        let room = self.chats.get_mut(&place.chat);
        let in_room = room.map(|room| {
            room.free_at = room.free_at.max(now + pause_after(place.count));
            room.said.iter_mut()
        });
        for said in self.said.iter_mut().chain(in_room.into_iter().flatten()) {
            if said.place == place.number {
                (said.at, said.answered) = (now, true);
            }
        }
    }

    fn forget(&mut self, now: DateTime<Utc>) {
        let old = |said: &mut VecDeque<Said>, window: TimeDelta| {
            said.retain(|said| said.at + if said.answered { window } else { window.max(LOST) } > now);
        };
        old(&mut self.said, BOT_WINDOW);
        if self.chats.len() > 1000 {
            self.chats.retain(|_, room| room.free_at + FORGET > now);
        }
        for room in self.chats.values_mut() {
            old(&mut room.said, GROUP_WINDOW);
        }
    }
}

fn pause_after(count: usize) -> TimeDelta {
    CHAT_PAUSE * i32::try_from(count).unwrap_or(i32::MAX)
}

/// When the window has room for `count` more; none when it has now.
fn next(
    said: impl Iterator<Item = DateTime<Utc>>,
    limit: usize,
    count: usize,
    window: TimeDelta,
) -> Option<DateTime<Utc>> {
    let mut said: Vec<DateTime<Utc>> = said.collect();
    let index = (said.len() + count.min(limit)).checked_sub(limit + 1)?;
    said.sort_unstable();
    said.get(index).map(|at| *at + window)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// Takes a place, sends and is answered in the same moment.
    fn said(pace: &mut Pace, chat: i64, count: usize, now: DateTime<Utc>) -> Result<DateTime<Utc>, Full> {
        let place = pace.take(chat, count, now)?;
        pace.answered(&place, place.at);
        Ok(place.at)
    }

    fn at(millis: i64) -> DateTime<Utc> {
        DateTime::<Utc>::UNIX_EPOCH + TimeDelta::milliseconds(millis)
    }

    #[test]
    fn a_busy_chat_waits_alone() {
        let mut pace = Pace::default();
        assert_eq!(said(&mut pace, 1, 1, at(0)), Ok(at(0)));
        let full = said(&mut pace, 1, 1, at(0)).unwrap_err();
        assert_eq!(
            (full.whole, full.after),
            (Whole::Chat, Duration::from_millis(1_005))
        );
        assert_eq!(said(&mut pace, 2, 1, at(0)), Ok(at(0)));
        assert_eq!(said(&mut pace, 1, 1, at(1_005)), Ok(at(1_005)));
    }

    #[test]
    fn the_thirty_first_message_of_a_second_leaves_in_the_next() {
        let mut pace = Pace::default();
        for chat in 0..30 {
            assert_eq!(said(&mut pace, chat, 1, at(0)), Ok(at(0)));
        }
        assert_eq!(said(&mut pace, 30, 1, at(10)), Ok(at(1_005)));
        for chat in 31..60 {
            assert_eq!(said(&mut pace, chat, 1, at(10)), Ok(at(1_005)), "{chat}");
        }
        assert_eq!(said(&mut pace, 99, 1, at(10)).unwrap_err().whole, Whole::Bot);
    }

    #[test]
    fn a_group_takes_twenty_a_minute_and_an_album_counts_as_its_files() {
        let mut pace = Pace::default();
        assert_eq!(said(&mut pace, -5, 10, at(0)), Ok(at(0)));
        assert_eq!(said(&mut pace, -5, 10, at(11_000)), Ok(at(11_000)));
        let full = said(&mut pace, -5, 1, at(22_000)).unwrap_err();
        assert_eq!((full.whole, full.after), (Whole::Chat, Duration::from_secs(39)));
        assert_eq!(said(&mut pace, -5, 1, at(61_000)), Ok(at(61_000)));
        assert_eq!(said(&mut pace, 5, 1, at(61_000)), Ok(at(61_000)));
    }

    #[test]
    fn a_frozen_bot_says_nothing_anywhere() {
        let mut pace = Pace::default();
        pace.freeze(at(5_000));
        pace.freeze(at(3_000));
        let full = said(&mut pace, 1, 1, at(1_000)).unwrap_err();
        assert_eq!((full.whole, full.after), (Whole::Bot, Duration::from_secs(4)));
        assert_eq!(said(&mut pace, 1, 1, at(5_000)), Ok(at(5_000)));
    }

    /// 2,000 messages to 50 chats, written in this order, sent as the outbox does: of each chat the oldest may go, of
    /// those the one that is due longest, and who is put back is due when there is room.
    fn time_for(order: &[i64]) -> TimeDelta {
        let mut waiting: BTreeMap<i64, VecDeque<DateTime<Utc>>> = BTreeMap::new();
        for (index, chat) in (0..).zip(order) {
            let written = at(0) - TimeDelta::microseconds(10_000 - index);
            waiting.entry(*chat).or_default().push_back(written);
        }
        let (mut pace, mut now, mut last) = (Pace::default(), at(0), at(0));
        while let Some((chat, due)) = waiting
            .iter()
            .map(|(chat, queue)| (*chat, queue[0]))
            .min_by_key(|(_, due)| *due)
        {
            now = now.max(due);
            let queue = waiting.get_mut(&chat).unwrap();
            match said(&mut pace, chat, 1, now) {
                Ok(moment) => {
                    (now, last) = (moment, moment);
                    queue.pop_front();
                    if queue.is_empty() {
                        waiting.remove(&chat);
                    }
                }
                Err(full) => {
                    let room = now + TimeDelta::from_std(full.after).unwrap();
                    match full.whole {
                        Whole::Chat => queue[0] = room,
                        Whole::Bot => now = room,
                    }
                }
            }
        }
        last - at(0)
    }

    #[test]
    fn two_thousand_messages_take_hardly_longer_than_they_must() {
        let turns: Vec<i64> = (0..2000).map(|index| index % 50).collect();
        let blocks: Vec<i64> = (0..2000).map(|index| index / 40).collect();
        for order in [turns, blocks] {
            let took = time_for(&order);
            // 2,000 at 30 a second, the first 30 at once.
            let least = TimeDelta::milliseconds(1000 * (2000 - 30) / 30);
            assert!(
                took >= least && took <= least * 11 / 10,
                "{took} for at least {least}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_window_is_ever_overrun(asks in prop::collection::vec((-3_i64..40, 1_usize..11, 0_i64..120), 1..300)) {
            let (mut pace, mut now, mut sent) = (Pace::default(), at(0), Vec::new());
            for (chat, count, pause) in asks {
                now += TimeDelta::milliseconds(pause);
                if let Ok(moment) = said(&mut pace, chat, count, now) {
                    prop_assert!(moment >= now && moment <= now + NEAR);
                    sent.extend(std::iter::repeat_n((moment, chat), count));
                }
            }
            for (moment, chat) in &sent {
                let within = |window: i64, of_chat: bool| sent.iter().filter(|(other, room)| {
                    let age = *moment - *other;
                    age >= TimeDelta::zero() && age < TimeDelta::milliseconds(window) && (!of_chat || room == chat)
                }).count();
                prop_assert!(within(1_000, false) <= BOT_MESSAGES);
                // What leaves at one moment is one album.
                prop_assert!(within(1_000, true) <= 10);
                if *chat < 0 {
                    prop_assert!(within(60_000, true) <= GROUP_MESSAGES);
                }
            }
        }
    }

    proptest! {
        // Each plays seconds, millisecond by millisecond.
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn however_long_messages_are_on_their_way_never_too_many_arrive_in_a_second(
            ways in prop::collection::vec((0_i64..400, 0_i64..400), 1..100), senders in 1_usize..40,
        ) {
            let arrived = play(&ways, senders);
            prop_assert_eq!(arrived.len(), ways.len());
            for moment in &arrived {
                let within = arrived.iter().filter(|other| **other > *moment - TimeDelta::seconds(1) && **other <= *moment);
                prop_assert!(within.count() <= BOT_MESSAGES);
            }
        }
    }

    /// Each message goes to a chat of its own: how long it is on its way, and how long the answer is on its way back.
    /// So many are sent at the same time. Answers when they arrived.
    fn play(ways: &[(i64, i64)], senders: usize) -> Vec<DateTime<Utc>> {
        enum Sender {
            Free,
            Waits(Place, usize),
            Asks(Place, DateTime<Utc>),
        }
        let (mut pace, mut now, mut next, mut arrived) = (Pace::default(), at(0), 0, Vec::new());
        let mut all: Vec<Sender> = (0..senders).map(|_| Sender::Free).collect();
        while next < ways.len() || all.iter().any(|one| !matches!(one, Sender::Free)) {
            for one in &mut all {
                if let Sender::Asks(place, answered) = one
                    && *answered <= now
                {
                    pace.answered(place, now);
                    *one = Sender::Free;
                }
                if let Sender::Free = one
                    && next < ways.len()
                    && let Ok(place) = pace.take(i64::try_from(next).unwrap(), 1, now)
                {
                    *one = Sender::Waits(place, next);
                    next += 1;
                }
                if let Sender::Waits(place, number) = one
                    && pace.due(place, now) <= now
                {
                    let arrives = now + TimeDelta::milliseconds(ways[*number].0);
                    arrived.push(arrives);
                    *one = Sender::Asks(*place, arrives + TimeDelta::milliseconds(ways[*number].1));
                }
            }
            now += TimeDelta::milliseconds(1);
        }
        arrived
    }
}
