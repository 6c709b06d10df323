//! Two machines that write to each other: too many mails of one sender, or the same text again and again.
//! Pure; times are those at which mails arrived in the mailbox, and what lay there before the channel was built is
//! a backlog and no flood.
//!
//! What is held goes to the quarantine whole, where an admin reads the reason and can replay it. The memory is
//! of this process: after a restart counting begins anew.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use switchboard_sdk::{InboundBody, InboundEvent, InboundMessage};

use crate::settings::Loops;

/// The time in which mails of one sender are counted,
const FLOOD: TimeDelta = TimeDelta::minutes(10);
/// and the one in which repeats of a text are.
const REPEATS: TimeDelta = TimeDelta::hours(1);
/// People do write "ok" three times: shorter texts are not compared.
const SHORT: usize = 40;
/// Senders remembered at once; whoever was silent longest is forgotten first.
const SENDERS: usize = 2000;
/// Mails remembered of one sender.
const MAILS: usize = 500;

/// What a channel remembers of its senders.
#[derive(Debug, Default)]
pub struct Watch {
    /// Nothing that arrived before is held: it is a backlog.
    since: DateTime<Utc>,
    senders: Mutex<HashMap<String, VecDeque<Mail>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mail {
    at: DateTime<Utc>,
    /// By which a mail that is fetched again is known.
    id: [u8; 8],
    text: Option<[u8; 8]>,
}

impl Watch {
    /// Watches what arrives from now on.
    pub fn since(since: DateTime<Utc>) -> Self {
        Self {
            since,
            ..Self::default()
        }
    }

    /// Why this mail should be held back, if it should. A mail that is fetched again counts once.
    pub fn held(&self, event: &InboundEvent, loops: &Loops) -> Option<String> {
        let InboundBody::Message(message) = &event.body else {
            return None;
        };
        // Neither held nor counted: somebody with a long backlog may write once more.
        if event.at < self.since {
            return None;
        }
        let sender = &message.from.identities.first()?.value;
        let mail = Mail {
            at: event.at,
            id: short(event.external_id.as_bytes()),
            text: text(message),
        };
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        if senders.len() >= SENDERS && !senders.contains_key(sender) {
            let silent = senders
                .iter()
                .min_by_key(|(_, mails)| mails.back().map(|mail| mail.at));
            if let Some(silent) = silent.map(|(sender, _)| sender.clone()) {
                senders.remove(&silent);
            }
        }
        let mails = senders.entry(sender.clone()).or_default();
        if !mails.iter().any(|known| known.id == mail.id) {
            if mails.len() >= MAILS {
                mails.pop_front();
            }
            mails.push_back(mail);
        }
        verdict(sender, mails.make_contiguous(), mail, loops)
    }
}

/// The rule: `mail` is one of `mails`.
fn verdict(sender: &str, mails: &[Mail], mail: Mail, loops: &Loops) -> Option<String> {
    let earlier = |window: TimeDelta| {
        mails
            .iter()
            .take_while(|other| other.id != mail.id)
            .filter(move |other| (mail.at - other.at).abs() <= window)
    };
    let over = |count: usize, most: u32| most > 0 && count >= most as usize;
    let repeats = earlier(REPEATS).filter(|other| mail.text.is_some() && other.text == mail.text);
    if over(repeats.count(), loops.max_repeats) {
        return Some(format!(
            "{sender} sent the same text more than {} times within an hour: two machines may be writing to each other",
            loops.max_repeats
        ));
    }
    over(earlier(FLOOD).count(), loops.max_per_sender).then(|| {
        format!(
            "{sender} sent more than {} mails within ten minutes: a loop, or a flood",
            loops.max_per_sender
        )
    })
}

/// The fingerprint of a text without what machines change in it: numbers and white space.
fn text(message: &InboundMessage) -> Option<[u8; 8]> {
    let words: String = message
        .text
        .chars()
        .filter(|c| c.is_alphabetic())
        .take(4096)
        .collect();
    (words.chars().count() >= SHORT).then(|| short(words.to_lowercase().as_bytes()))
}

fn short(bytes: &[u8]) -> [u8; 8] {
    let mut short = [0; 8];
    short.copy_from_slice(&Sha256::digest(bytes)[..8]);
    short
}

#[cfg(test)]
mod tests {
    use switchboard_sdk::{Identity, IdentityKind, Person};

    use super::*;

    fn mail(id: usize, from: &str, minute: i64, text: &str) -> InboundEvent {
        let identity = Identity {
            kind: IdentityKind::Email,
            value: from.to_owned(),
            verified: false,
        };
        let from = Person {
            identities: vec![identity],
            ..Person::default()
        };
        InboundEvent {
            external_id: format!("{id}"),
            at: DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::minutes(minute),
            body: InboundBody::Message(InboundMessage {
                from,
                text: text.to_owned(),
                ..InboundMessage::default()
            }),
        }
    }

    const THANKS: &str = "Thank you for your request number 17, we will answer it within two days.";

    #[test]
    fn the_same_text_is_held_from_the_fourth_time_on_whatever_its_numbers() {
        let watch = Watch::default();
        let held = |id: usize, minute, text: &str| {
            watch.held(&mail(id, "bot@x.example", minute, text), &Loops::default())
        };
        for n in 0..3 {
            assert_eq!(held(n, 1, &THANKS.replace("17", &n.to_string())), None);
        }
        assert!(held(3, 2, THANKS).is_some_and(|why| why.contains("same text")));
        assert_eq!(
            held(0, 1, &THANKS.replace("17", "0")),
            None,
            "fetched again, it is the first"
        );
        assert!(held(3, 2, THANKS).is_some(), "and this one still the fourth");
        assert_eq!(
            held(4, 3, "Something else that is long enough to be compared at all"),
            None
        );
        assert_eq!(held(5, 100, THANKS), None, "an hour later it is no loop");
        for n in 10..20 {
            assert_eq!(held(n, 1, "ok"), None, "people do that");
        }
    }

    #[test]
    fn a_flood_is_counted_by_arrival_so_a_backlog_is_none() {
        let watch = Watch::default();
        for n in 0..300 {
            let minute = i64::try_from(n).unwrap() * 5;
            assert_eq!(
                watch.held(&mail(n, "anna@x.example", minute, "hi"), &Loops::default()),
                None
            );
        }
        let mut held = 0;
        for n in 300..340 {
            held += usize::from(
                watch
                    .held(&mail(n, "bob@x.example", 1, &format!("{n}")), &Loops::default())
                    .is_some(),
            );
        }
        assert_eq!(held, 10);
        let off = Loops {
            max_per_sender: 0,
            max_repeats: 0,
        };
        assert_eq!(watch.held(&mail(400, "bob@x.example", 1, "x"), &off), None);
    }

    #[test]
    fn what_lay_there_before_is_no_flood_however_much_it_is() {
        let watch = Watch::since(DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::minutes(5));
        for n in 0..100 {
            let mail = mail(n, "anna@x.example", 4, THANKS);
            assert_eq!(watch.held(&mail, &Loops::default()), None);
        }
        let loops = Loops::default();
        let live = (100..104).map(|n| {
            watch
                .held(&mail(n, "anna@x.example", 6, THANKS), &loops)
                .is_some()
        });
        assert_eq!(
            live.collect::<Vec<_>>(),
            [false, false, false, true],
            "nor is it counted"
        );
    }

    #[test]
    fn memory_is_bounded() {
        let watch = Watch::default();
        for n in 0..SENDERS + 50 {
            let minute = i64::try_from(n).unwrap();
            watch.held(
                &mail(n, &format!("{n}@x.example"), minute, "hi"),
                &Loops::default(),
            );
        }
        assert_eq!(watch.senders.lock().unwrap().len(), SENDERS);
    }
}
