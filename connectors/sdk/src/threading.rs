//! By what a mail finds its conversation beside the ids it names, and what it asks of us. Channels without
//! threads say none of it.

use std::fmt;

use chrono::{DateTime, Utc};

use crate::Person;

/// The facts of one mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ThreadFacts {
    /// The message of ours (`msg_…`) that a reply token in one of the recipients names. Its signature held.
    pub token: Option<String>,
    /// Everybody else it was written to, but us: addresses in lower case.
    pub others: Vec<String>,
    /// When a mail that names earlier ones begins a conversation of its own all the same.
    pub rules: ThreadRules,
    /// The writer's program asks for no automatic answer.
    pub no_auto_reply: bool,
    /// Whether it came by the capture address ("send and save").
    pub capture: Capture,
    /// The mail that was passed on with it.
    pub forwarded: Option<Box<ForwardedMail>>,
}

/// A mail that somebody passed on, as they show it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForwardedMail {
    /// Who wrote it, as a claim.
    pub from: Person,
    /// When, where the forward says so in a way programs read.
    pub at: Option<DateTime<Utc>>,
    /// Its subject.
    pub subject: Option<String>,
    /// Its id, without angle brackets,
    pub id: Option<String>,
    /// and those it answers, the nearest first.
    pub earlier: Vec<String>,
    /// Its words.
    pub text: String,
    /// What whoever passed it on wrote above it.
    pub note: String,
}

/// When an answer begins a new conversation, linked to the one it answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ThreadRules {
    /// When the earlier one has been closed for more days than this; 0 is never.
    pub new_after_days: u32,
    /// When the subject is another one.
    pub new_on_changed_subject: bool,
}

/// How a mail came by the capture address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Capture {
    /// It did not.
    #[default]
    No,
    /// It did. When a colleague wrote it, it is filed as their reply to whom it was written to; when a
    /// customer did, it is filed without asking anybody for an answer.
    Filed {
        /// To whom it was written, we and our capture address left out; the first is the client.
        to: Vec<Person>,
        /// The sender's address may be believed: its authentication passed, or the admin said so.
        trusted: bool,
        /// It was not written to the channel's own address as well: nobody here is asked anything.
        only: bool,
    },
}

/// Signs what a channel writes into addresses. Derived from the server's master key for one channel.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SigningKey(Option<[u8; 32]>);

impl SigningKey {
    /// From bytes that nobody else knows.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Some(bytes))
    }

    /// The bytes; none where settings are only looked at.
    pub fn expose(&self) -> Option<&[u8; 32]> {
        self.0.as_ref()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

#[cfg(test)]
mod tests {
    use super::SigningKey;

    #[test]
    fn a_key_is_not_shown() {
        assert_eq!(format!("{:?}", SigningKey::new([7; 32])), "…");
    }
}
