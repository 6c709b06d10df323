//! By what a mail finds its conversation beside the ids it names, and what it asks of us. Channels without
//! threads say none of it.

use std::fmt;

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

/// The subject without the marks that mail programs of many languages put before answers and forwards, in
/// lower case: what two subjects are compared by.
pub fn base_subject(subject: &str) -> String {
    const MARKS: [&str; 23] = [
        "re",
        "aw",
        "sv",
        "vs",
        "antw",
        "odp",
        "отв",
        "ответ",
        "ynt",
        "rif",
        "回复",
        "答复",
        "fwd",
        "fw",
        "wg",
        "tr",
        "rv",
        "пересл",
        "пересылка",
        "doorst",
        "vl",
        "转发",
        "转寄",
    ];
    let mut rest = subject.trim();
    loop {
        // A list's tag: "[support] Re: order".
        if let Some((_, after)) = rest.strip_prefix('[').and_then(|inner| inner.split_once(']'))
            && !after.trim().is_empty()
        {
            rest = after.trim();
            continue;
        }
        let Some((mark, after)) = rest.split_once([':', '：']) else {
            break;
        };
        let word = mark.split('[').next().unwrap_or_default().trim().to_lowercase();
        if !MARKS.contains(&word.as_str()) || after.trim().is_empty() {
            break;
        }
        rest = after.trim();
    }
    rest.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::{SigningKey, base_subject};

    #[test]
    fn a_subject_is_the_same_under_marks_of_any_language_and_lists() {
        for subject in [
            "Order 5",
            "RE: order  5",
            "Re[2]: Fwd: Order 5",
            "[support] Отв: Order 5",
            "转发：回复：Order 5",
        ] {
            assert_eq!(base_subject(subject), "order 5", "{subject}");
        }
        assert_eq!(base_subject("Refund: when?"), "refund: when?");
        assert_eq!(base_subject("Re:"), "re:");
    }

    #[test]
    fn a_key_is_not_shown() {
        assert_eq!(format!("{:?}", SigningKey::new([7; 32])), "…");
    }
}
