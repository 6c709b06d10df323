//! Whether a mail that answers an earlier one belongs to its conversation. Pure.
//!
//! What a mail answers is found by a signed reply address or by the ids of earlier mails, never by its
//! subject. That alone does not open the conversation to its sender: ids stand in every copy of a mail and in
//! public archives. Whoever holds a reply address was sent it by us or by somebody on the thread, so they
//! join, marked for the staff to look at; anybody else who is not on the thread begins a conversation of
//! their own, with a link.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use switchboard_sdk::{ThreadRules, base_subject};

/// The conversation that a mail answers.
#[derive(Debug, Clone, Copy)]
pub struct Answered<'a> {
    /// Whom it is with.
    pub contact_id: &'a str,
    /// Their address.
    pub address: &'a str,
    /// Everybody who was on its mails.
    pub members: Option<&'a BTreeSet<String>>,
    /// Its subject.
    pub subject: Option<&'a str>,
    /// Since when it is closed.
    pub closed_at: Option<DateTime<Utc>>,
    /// It was found by a reply address.
    pub by_token: bool,
}

/// The mail.
#[derive(Debug, Clone, Copy)]
pub struct Letter<'a> {
    /// The contact its sender is.
    pub contact_id: &'a str,
    /// The sender's address.
    pub from: &'a str,
    /// Its subject.
    pub subject: Option<&'a str>,
    /// A machine wrote it.
    pub automatic: bool,
    /// What the channel says.
    pub rules: ThreadRules,
}

/// Where a mail goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Into the conversation.
    Join,
    /// Into it, marked: its sender was not on it before.
    JoinForReview,
    /// Into a conversation of its own, linked to it.
    Own(Why),
}

/// Why a mail that answers another begins a conversation of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Its sender is not on the thread.
    Stranger,
    /// The conversation was closed long ago.
    Old,
    /// It speaks of something else.
    Subject,
}

impl Why {
    /// The word in the API and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stranger => "stranger",
            Self::Old => "old",
            Self::Subject => "subject",
        }
    }
}

/// Decides.
pub fn place(answered: &Answered<'_>, letter: &Letter<'_>, now: DateTime<Utc>) -> Place {
    // A bounce or a vacation reply belongs to what it answers, whoever sends it; it opens nothing.
    if letter.automatic {
        return Place::Join;
    }
    let belongs = letter.contact_id == answered.contact_id
        || letter.from == answered.address
        || answered
            .members
            .is_some_and(|members| members.contains(letter.from));
    if !belongs && !answered.by_token {
        return Place::Own(Why::Stranger);
    }
    let days = TimeDelta::days(i64::from(letter.rules.new_after_days));
    if !days.is_zero() && answered.closed_at.is_some_and(|closed| now - closed > days) {
        return Place::Own(Why::Old);
    }
    let other = |(one, two): (&str, &str)| base_subject(one) != base_subject(two);
    let subjects = answered.subject.zip(letter.subject);
    if letter.rules.new_on_changed_subject && subjects.is_some_and(other) {
        return Place::Own(Why::Subject);
    }
    if belongs {
        Place::Join
    } else {
        Place::JoinForReview
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(days: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::days(days)
    }

    const RULES: ThreadRules = ThreadRules {
        new_after_days: 90,
        new_on_changed_subject: false,
    };

    fn answered(members: &BTreeSet<String>) -> Answered<'_> {
        Answered {
            contact_id: "cnt_ivan",
            address: "ivan@x.example",
            members: Some(members),
            subject: Some("Order 5"),
            closed_at: None,
            by_token: false,
        }
    }

    fn letter(from: &'static str) -> Letter<'static> {
        Letter {
            contact_id: "cnt_other",
            from,
            subject: Some("Re: Order 5"),
            automatic: false,
            rules: RULES,
        }
    }

    #[test]
    fn the_client_under_any_address_and_everybody_on_copy_belong() {
        let members = BTreeSet::from(["kate@x.example".to_owned()]);
        let answered = answered(&members);
        let again = Letter {
            contact_id: "cnt_ivan",
            ..letter("ivan@home.example")
        };
        for mail in [again, letter("ivan@x.example"), letter("kate@x.example")] {
            assert_eq!(place(&answered, &mail, at(0)), Place::Join);
        }
    }

    #[test]
    fn a_stranger_begins_their_own_unless_they_hold_a_reply_address() {
        let members = BTreeSet::new();
        let by_ids = answered(&members);
        let by_token = Answered {
            by_token: true,
            ..by_ids
        };
        let eve = letter("eve@y.example");
        assert_eq!(place(&by_ids, &eve, at(0)), Place::Own(Why::Stranger));
        assert_eq!(place(&by_token, &eve, at(0)), Place::JoinForReview);
        let bounce = Letter {
            automatic: true,
            ..letter("mailer-daemon@y.example")
        };
        assert_eq!(place(&by_ids, &bounce, at(0)), Place::Join);
    }

    #[test]
    fn what_was_closed_long_ago_is_continued_elsewhere() {
        let members = BTreeSet::new();
        let closed = Answered {
            closed_at: Some(at(0)),
            ..answered(&members)
        };
        let ivan = letter("ivan@x.example");
        assert_eq!(place(&closed, &ivan, at(90)), Place::Join);
        assert_eq!(place(&closed, &ivan, at(91)), Place::Own(Why::Old));
        let never = Letter {
            rules: ThreadRules::default(),
            ..ivan
        };
        assert_eq!(place(&closed, &never, at(5000)), Place::Join);
        assert_eq!(
            place(&answered(&members), &ivan, at(5000)),
            Place::Join,
            "it is open"
        );
    }

    #[test]
    fn a_changed_subject_counts_only_where_the_channel_says_so() {
        let members = BTreeSet::new();
        let other = Letter {
            subject: Some("Invoice"),
            ..letter("ivan@x.example")
        };
        assert_eq!(place(&answered(&members), &other, at(0)), Place::Join);
        let ruled = |subject| Letter {
            subject,
            rules: ThreadRules {
                new_on_changed_subject: true,
                ..RULES
            },
            ..letter("ivan@x.example")
        };
        assert_eq!(
            place(&answered(&members), &ruled(Some("Invoice")), at(0)),
            Place::Own(Why::Subject)
        );
        assert_eq!(
            place(&answered(&members), &ruled(Some("AW: ORDER 5")), at(0)),
            Place::Join
        );
        assert_eq!(place(&answered(&members), &ruled(None), at(0)), Place::Join);
    }

    proptest! {
        #[test]
        fn nobody_enters_unmarked_who_does_not_belong(
            by_token: bool, closed in proptest::option::of(0_i64..200), subject in proptest::option::of("[a-c]{1,2}"),
            new: bool, days in 0_u32..200,
        ) {
            let members = BTreeSet::new();
            let to = Answered { by_token, closed_at: closed.map(at), ..answered(&members) };
            let rules = ThreadRules { new_after_days: days, new_on_changed_subject: new };
            let mail = Letter { subject: subject.as_deref(), rules, ..letter("eve@y.example") };
            prop_assert_ne!(place(&to, &mail, at(200)), Place::Join);
        }
    }
}
