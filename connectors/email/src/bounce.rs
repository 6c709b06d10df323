//! Bounces in plain words, as Exim, qmail and older servers write them. Pure.
//!
//! There is no standard to go by: a mail counts as one only when a mail system wrote it and says one of the
//! known sentences; everything else stays a mail.

use mail_parser::{HeaderName, HeaderValue, Message};
use switchboard_sdk::ReceiptState;

use crate::{headers, ids, report::Verdict, who};

/// How much of a bounce is looked through.
const MAX_TEXT: usize = 64 * 1024;

const FAILED: [&str; 8] = [
    "could not be delivered",
    "wasn't able to deliver",
    "was not able to deliver",
    "permanent error",
    "i've given up",
    "delivery has failed",
    "undeliverable",
    "undelivered mail returned",
];
const DELAYED: [&str; 5] = [
    "has not yet been delivered",
    "not yet been delivered",
    "delivery is delayed",
    "will continue to be attempted",
    "will be retried",
];
/// After such a line the original mail begins.
const COPIES: [&str; 5] = [
    "--- below this line is a copy of the message",
    "this is a copy of the message",
    "this is a copy of your message",
    "----- original message -----",
    "--- original message",
];

/// What a mail system says of a mail, in words.
pub fn verdict(message: &Message<'_>) -> Option<Verdict> {
    if !of_a_mail_system(message) {
        return None;
    }
    let (said, _) = halves(message);
    let low = said.to_lowercase();
    let subject = message.subject().unwrap_or_default().to_lowercase();
    let says = |sentences: &[&str]| {
        sentences
            .iter()
            .any(|sentence| low.contains(sentence) || subject.contains(sentence))
    };
    let named = headers::text(message, "X-Failed-Recipients");
    let state = if says(&DELAYED) || (subject.starts_with("warning") && subject.contains("delayed")) {
        ReceiptState::Delayed
    } else if named.is_some() || says(&FAILED) {
        ReceiptState::Failed
    } else {
        return None;
    };
    let (found, why) = recipient(&said);
    Some(Verdict {
        state,
        recipient: named
            .and_then(|list| address(list.split(',').next().unwrap_or_default()))
            .or(found),
        status: status(&why).or_else(|| status(&said)),
        said: Some(why).filter(|why| !why.is_empty()),
    })
}

/// The ids by which such a bounce names the mail it returns: in its own references, or in the copy.
pub fn original_ids(message: &Message<'_>) -> Vec<String> {
    if !of_a_mail_system(message) {
        return Vec::new();
    }
    let of = |value: &HeaderValue<'_>| match value {
        HeaderValue::Text(id) => vec![ids::normal(id)],
        HeaderValue::TextList(list) => list.iter().map(|id| ids::normal(id)).collect(),
        _ => Vec::new(),
    };
    let (_, copy) = halves(message);
    let quoted = copy.lines().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        let named = name
            .trim_start_matches(['>', ' '])
            .eq_ignore_ascii_case("message-id");
        named.then(|| ids::normal(value))
    });
    let mut found = of(message.in_reply_to());
    found.extend(of(message.references()));
    found.extend(quoted);
    found
}

/// The first status code of a text: `5.1.1` of `550 5.1.1 no such user` or `(#5.1.1)`.
pub fn status(text: &str) -> Option<String> {
    text.split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .map(|word| word.trim_matches('.'))
        .find(|word| {
            let parts: Vec<&str> = word.split('.').collect();
            let [class, subject, detail] = parts.as_slice() else {
                return false;
            };
            matches!(*class, "2" | "4" | "5")
                && [subject, detail].iter().all(|part| (1..=3).contains(&part.len()))
        })
        .map(str::to_owned)
}

fn of_a_mail_system(message: &Message<'_>) -> bool {
    headers::has(message, "X-Failed-Recipients")
        || headers::text(message, "Return-Path").is_some_and(|path| path == "<>")
        || who::mailbox(message, HeaderName::From).is_some_and(|from| {
            let local = from.address.split('@').next().unwrap_or_default();
            matches!(local, "mailer-daemon" | "postmaster" | "mail-daemon")
        })
}

/// What the mail system says, and the copy of the original below it.
fn halves(message: &Message<'_>) -> (String, String) {
    let text = message.body_text(0).unwrap_or_default();
    let text: String = text.chars().take(MAX_TEXT).collect();
    let mut said = String::new();
    let mut lines = text.lines();
    for line in lines.by_ref() {
        let low = line.to_lowercase();
        if COPIES.iter().any(|copy| low.contains(copy)) {
            break;
        }
        said.push_str(line);
        said.push('\n');
    }
    (said, lines.collect::<Vec<_>>().join("\n"))
}

/// The address on a line of its own, and what stands below it until the next empty line.
fn recipient(said: &str) -> (Option<String>, String) {
    let mut lines = said.lines();
    while let Some(line) = lines.next() {
        let alone = line
            .starts_with([' ', '\t', '<'])
            .then(|| address(line))
            .flatten();
        let Some(address) = alone else { continue };
        let why: Vec<&str> = lines
            .by_ref()
            .map(str::trim)
            .take_while(|line| !line.is_empty())
            .collect();
        return (Some(address), why.join(" "));
    }
    (None, String::new())
}

/// The address that a line is, in brackets or bare, with a colon behind it or not.
fn address(line: &str) -> Option<String> {
    let bare = line
        .trim()
        .trim_end_matches(':')
        .trim_matches(['<', '>'])
        .to_lowercase();
    let (local, domain) = bare.rsplit_once('@')?;
    let fits = !local.is_empty()
        && domain.contains('.')
        && !bare.contains(|c: char| c.is_whitespace() || "<>()[]\"".contains(c));
    fits.then_some(bare)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::status;

    #[test]
    fn a_status_code_is_found_among_other_numbers() {
        for (text, code) in [
            ("550 5.1.1 no such user", Some("5.1.1")),
            ("host 10.0.0.7 said: 550 5.7.1 no", Some("5.7.1")),
            ("Sorry, no mailbox here by that name. (#5.1.1)", Some("5.1.1")),
            ("4.4.7", Some("4.4.7")),
            ("250 ok 1.2.3.4", None),
            ("version 3.2.1", None),
        ] {
            assert_eq!(status(text).as_deref(), code, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,200}") {
            drop((status(&text), super::recipient(&text)));
        }
    }
}
