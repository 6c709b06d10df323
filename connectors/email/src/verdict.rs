//! What an SMTP server's "no" means, by its enhanced status code (RFC 3463) first. Pure.
//!
//! The three digits alone say too little: providers answer 550 to a rate limit and 452 to an address that
//! does not exist. The class of the enhanced code decides where there is one; a few codes say by themselves
//! that it is about the moment, the login or the size.

use std::time::Duration;

/// A quota of the provider, or a mailbox that is full: asking every few seconds makes it worse.
const AFTER_QUOTA: Duration = Duration::from_secs(3600);

/// Words of providers that count what we send. They come with permanent codes as well.
const RATE_WORDS: [&str; 9] = [
    "rate limit",
    "ratelimit",
    "too many",
    "quota exceeded",
    "sending limit",
    "limit exceeded",
    "try again",
    "temporarily",
    "throttl",
];

/// What was being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// `MAIL FROM`: about us.
    Sender,
    /// `RCPT TO`: about one of the people it is for.
    Recipient,
    /// `DATA` and what follows it: about the mail.
    Body,
}

/// What it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Not now; perhaps not before some time.
    Later(Option<Duration>),
    /// Never like this.
    Refused,
    /// The channel's login is wrong or missing: it waits for the admin.
    Login,
}

/// An enhanced status code: class, subject, detail.
pub type Enhanced = (u16, u16, u16);

/// Judges an answer: its three digits and its words, which begin with the enhanced code where there is one.
pub fn judge(step: Step, code: u16, words: &str) -> Verdict {
    let enhanced = enhanced(words);
    let permanent = enhanced.map_or(code >= 500, |(class, ..)| class == 5);
    let wants_login = code == 530
        || code == 535
        || matches!(enhanced, Some((5, 7, 8 | 57 | 139)))
        || (step == Step::Sender && matches!(enhanced, Some((5, 7, 0))));
    if wants_login && step != Step::Recipient {
        return Verdict::Login;
    }
    let lower = words.to_lowercase();
    let counted = RATE_WORDS.iter().any(|word| lower.contains(word))
        && matches!(enhanced, None | Some((_, 2 | 3 | 4 | 7, _)));
    // 5.2.2 is a full mailbox, 5.4.5 a spent quota; 552 to an address means "too many of them" (RFC 5321 §4.5.3.1.10).
    let about_now = matches!(enhanced, Some((5, 2, 2) | (5, 4, 5)))
        || (step == Step::Recipient && enhanced.is_none() && code == 552);
    match (permanent, counted || about_now) {
        (true, false) => Verdict::Refused,
        (_, true) => Verdict::Later(Some(AFTER_QUOTA).filter(|_| permanent)),
        (false, false) => Verdict::Later(None),
    }
}

/// The enhanced code that words begin with: `5.1.1 no such user`.
pub fn enhanced(words: &str) -> Option<Enhanced> {
    let mut digits = words.split_whitespace().next()?.split('.');
    let mut next = |longest: usize| {
        digits
            .next()
            .filter(|digits| {
                (1..=longest).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
            })
            .and_then(|digits| digits.parse::<u16>().ok())
    };
    let code = (next(1)?, next(3)?, next(3)?);
    (digits.next().is_none() && matches!(code.0, 2 | 4 | 5)).then_some(code)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_enhanced_code_decides_and_the_digits_only_without_one() {
        use Step::{Body, Recipient, Sender};
        for (step, code, words, expected) in [
            (Recipient, 451, "4.7.1 greylisted", Verdict::Later(None)),
            (Recipient, 550, "5.1.1 no such user", Verdict::Refused),
            (Recipient, 450, "5.1.1 no such user", Verdict::Refused),
            (Recipient, 550, "4.2.1 busy", Verdict::Later(None)),
            (Recipient, 550, "no such user", Verdict::Refused),
            (Recipient, 450, "mailbox busy", Verdict::Later(None)),
            (
                Recipient,
                552,
                "5.2.2 mailbox full",
                Verdict::Later(Some(AFTER_QUOTA)),
            ),
            (
                Recipient,
                552,
                "too many recipients",
                Verdict::Later(Some(AFTER_QUOTA)),
            ),
            (
                Sender,
                550,
                "5.7.1 rate limit exceeded",
                Verdict::Later(Some(AFTER_QUOTA)),
            ),
            (
                Sender,
                550,
                "5.4.5 Daily user sending quota exceeded",
                Verdict::Later(Some(AFTER_QUOTA)),
            ),
            (
                Sender,
                550,
                "5.7.1 you may not send as this address",
                Verdict::Refused,
            ),
            (Sender, 530, "5.7.0 Must issue STARTTLS", Verdict::Login),
            (Sender, 530, "5.7.57 Client not authenticated", Verdict::Login),
            (Recipient, 554, "5.7.1 relay access denied", Verdict::Refused),
            (Body, 552, "5.3.4 message too big", Verdict::Refused),
            (Body, 552, "message exceeds the maximum size", Verdict::Refused),
            (Body, 554, "5.7.1 looks like spam", Verdict::Refused),
            (Body, 421, "4.3.0 try again later", Verdict::Later(None)),
            // A code of the right look about the address is never a quota, whatever the words say.
            (Recipient, 550, "5.1.1 too many of that name", Verdict::Refused),
        ] {
            assert_eq!(judge(step, code, words), expected, "{step:?} {code} {words}");
        }
    }

    #[test]
    fn only_three_numbers_of_the_right_length_are_a_code() {
        assert_eq!(enhanced("5.1.1 x"), Some((5, 1, 1)));
        assert_eq!(enhanced("4.7.650"), Some((4, 7, 650)));
        for words in [
            "",
            "5.1",
            "5.1.1.1 x",
            "3.1.1",
            "5.1.1234",
            "55.1.1",
            "a.b.c",
            "5..1",
            "no 5.1.1",
        ] {
            assert_eq!(enhanced(words), None, "{words}");
        }
    }

    proptest! {
        #[test]
        fn a_temporary_class_never_becomes_a_refusal(subject in 0u16..10, detail in 0u16..1000, code in 400u16..600) {
            let words = format!("4.{subject}.{detail} x");
            prop_assert!(!matches!(judge(Step::Recipient, code, &words), Verdict::Refused));
        }
    }
}
