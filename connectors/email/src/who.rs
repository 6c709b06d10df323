//! Who wrote a mail, and whether anybody should see it. Pure.

use mail_parser::{Addr, Address, HeaderName, HeaderValue, Message};
use switchboard_sdk::{Identity, IdentityKind, Person};

use crate::{headers, ids, settings::Settings, token};

/// How many others on a mail are kept.
const MAX_OTHERS: usize = 50;

/// The author of a mail.
#[derive(Debug, PartialEq, Eq)]
pub enum Author {
    /// A customer.
    Customer(Mailbox),
    /// Our own mail coming back: a copy to ourselves, a mailing list, a message we sent.
    Ourselves,
    /// No address anywhere that could be answered.
    Nobody,
}

/// A name and an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The display name, decoded.
    pub name: Option<String>,
    /// The address in lower case.
    pub address: String,
}

impl Mailbox {
    /// Of a name and an address that stand in a text.
    pub fn written(name: &str, address: &str) -> Option<Self> {
        Self::new(&Addr {
            name: Some(name.into()),
            address: Some(address.into()),
        })
    }

    fn new(addr: &Addr<'_>) -> Option<Self> {
        let address = addr
            .address
            .as_deref()?
            .trim()
            .trim_matches(['<', '>'])
            .to_lowercase();
        let (local, domain) = address.rsplit_once('@')?;
        if local.is_empty()
            || domain.is_empty()
            || address.len() > 254
            || address.contains(|c: char| c.is_whitespace() || c.is_control())
        {
            return None;
        }
        let name = addr
            .name
            .as_deref()
            .map(headers::one_line)
            .filter(|name| !name.is_empty() && name.to_lowercase() != address);
        Some(Self { name, address })
    }

    /// As the server knows people. The address is only claimed: nothing here proves who wrote, until the
    /// results of our boundary's authentication (RFC 8601) are judged.
    pub fn into_person(self) -> Person {
        let identity = Identity {
            kind: IdentityKind::Email,
            value: self.address,
            verified: false,
        };
        Person {
            name: self.name,
            identities: vec![identity],
            ..Person::default()
        }
    }
}

/// Finds the customer: `From`, unless that is our own address, when the web site or the mailing list that
/// wrote in our name says in `Reply-To` (or `X-Original-From`) for whom it wrote.
pub fn author(message: &Message<'_>, settings: &Settings) -> Author {
    let ours = settings.address.to_lowercase();
    let from = mailbox(message, HeaderName::From)
        .or_else(|| mailbox(message, HeaderName::Sender))
        .or_else(|| return_path(message));
    let Some(from) = from else { return Author::Nobody };
    let others: Vec<Mailbox> = mailboxes(message, HeaderName::ReplyTo)
        .into_iter()
        .chain(headers::text(message, "X-Original-From").and_then(|value| written(&value)))
        .collect();
    // Our own mail through a mailing list: the list may have put itself into From. The id alone would not
    // do: a sister channel of the same domain writes ids of the same kind, and its mail is real mail.
    let id = message.message_id().map(ids::normal).unwrap_or_default();
    let names_us = others
        .iter()
        .chain([&from])
        .any(|mailbox| mailbox.address == ours);
    if names_us && ids::is_ours(&id, &settings.domain()) {
        return Author::Ourselves;
    }
    if from.address != ours {
        return Author::Customer(from);
    }
    let for_whom = others.into_iter().find(|other| other.address != ours);
    for_whom.map_or(Author::Ourselves, Author::Customer)
}

/// The first address of a header.
pub fn mailbox(message: &Message<'_>, name: HeaderName<'static>) -> Option<Mailbox> {
    mailboxes(message, name).into_iter().next()
}

/// All addresses of a header.
pub fn mailboxes(message: &Message<'_>, name: HeaderName<'static>) -> Vec<Mailbox> {
    message
        .header_values(name)
        .filter_map(HeaderValue::as_address)
        .flat_map(Address::iter)
        .filter_map(Mailbox::new)
        .collect()
}

/// Everybody a mail was written to.
pub fn addressed(message: &Message<'_>) -> Vec<Mailbox> {
    let mut all = mailboxes(message, HeaderName::To);
    all.extend(mailboxes(message, HeaderName::Cc));
    all
}

/// All addresses it was written or delivered to, as far as its header shows: what a token may stand in.
pub fn recipients(message: &Message<'_>) -> Vec<String> {
    const DELIVERED: [&str; 4] = ["Delivered-To", "X-Original-To", "X-Forwarded-To", "Envelope-To"];
    let delivered = DELIVERED.iter().flat_map(|name| {
        let lists: Vec<String> = headers::all(message, name).collect();
        lists
    });
    let delivered = delivered.flat_map(|list| {
        list.split(',')
            .map(|address| address.trim().trim_matches(['<', '>']).to_lowercase())
            .collect::<Vec<_>>()
    });
    let mut all: Vec<String> = addressed(message)
        .into_iter()
        .map(|mailbox| mailbox.address)
        .collect();
    all.extend(delivered);
    all.truncate(200);
    all
}

/// Everybody it was written to, but us.
pub fn others(message: &Message<'_>, settings: &Settings) -> Vec<Mailbox> {
    let mut others: Vec<Mailbox> = Vec::new();
    for mailbox in addressed(message) {
        let known = others.iter().any(|other| other.address == mailbox.address);
        if !known && !token::is_ours(&mailbox.address, settings) && others.len() < MAX_OTHERS {
            others.push(mailbox);
        }
    }
    others
}

fn return_path(message: &Message<'_>) -> Option<Mailbox> {
    let address = message.return_path().as_text()?;
    Mailbox::new(&Addr {
        name: None,
        address: Some(address.into()),
    })
}

/// `Name <address>` out of a header no parser knows as an address.
fn written(value: &str) -> Option<Mailbox> {
    let (name, address) = match value.rsplit_once('<') {
        Some((name, rest)) => (name.trim().trim_matches(['"', '\'']), rest.split('>').next()?),
        None => ("", value),
    };
    Mailbox::written(name, address)
}

/// Whether the admin does not want mail from this address.
pub fn ignored(address: &str, settings: &Settings) -> bool {
    settings
        .ignore_senders
        .iter()
        .filter_map(|pattern| Glob::new(pattern))
        .any(|glob| glob.matches(address))
}

/// An address pattern in which `*` stands for any characters; upper and lower case are the same.
#[derive(Debug)]
pub struct Glob {
    parts: Vec<String>,
}

impl Glob {
    /// `None` for a pattern that says nothing: empty, stars only, or without an `@` or a star.
    pub fn new(pattern: &str) -> Option<Self> {
        let pattern = pattern.trim().to_lowercase();
        let says_something = pattern.contains(|c: char| c != '*' && c != '@') && pattern.contains(['@', '*']);
        says_something.then(|| Self {
            parts: pattern.split('*').map(str::to_owned).collect(),
        })
    }

    /// Whether the whole address fits.
    pub fn matches(&self, address: &str) -> bool {
        let address = address.to_lowercase();
        let [first, middle @ .., last] = self.parts.as_slice() else {
            return self.parts.first().is_some_and(|only| *only == address);
        };
        let Some(mut rest) = address.strip_prefix(first.as_str()) else {
            return false;
        };
        for part in middle {
            let Some((_, after)) = rest.split_once(part.as_str()) else {
                return false;
            };
            rest = after;
        }
        rest.ends_with(last.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything_and_case_does_not_matter() {
        let fits = |pattern: &str, address: &str| Glob::new(pattern).unwrap().matches(address);
        assert!(fits("noreply@*", "NoReply@shop.example"));
        assert!(fits("*@ads.example", "x@ads.example"));
        assert!(fits("*no*reply*@*.example", "do-no-reply-here@shop.example"));
        assert!(fits("ann@shop.example", "ann@shop.example"));
        assert!(!fits("noreply@*", "x-noreply@shop.example"));
        assert!(!fits("*@ads.example", "x@ads.example.org"));
        assert!(!fits("ann@shop.example", "joann@shop.example"));
        assert!(!fits("a*a@x", "a@x"), "the same letter is not matched twice");
        assert!(
            ["", "*", "**", "*@*", "noreply"]
                .iter()
                .all(|pattern| Glob::new(pattern).is_none())
        );
    }
}
