//! The address fields of a mail, both ways. Pure.

use std::collections::HashSet;

use lettre::{Address, message::Mailbox};
use mail_parser::{HeaderName, Message};
use switchboard_sdk::{OutboundMessage, Recipient, RecipientRole};

use crate::{headers, who};

/// Most addresses that are kept of one mail: a mailing to thousands is no thread.
const MAX: usize = 100;

/// Who stands in the address fields of a mail that came.
pub fn of(message: &Message<'_>) -> Vec<Recipient> {
    let fields = [
        (HeaderName::From, RecipientRole::From),
        (HeaderName::ReplyTo, RecipientRole::ReplyTo),
        (HeaderName::To, RecipientRole::To),
        (HeaderName::Cc, RecipientRole::Cc),
    ];
    let mut seen = HashSet::new();
    fields
        .into_iter()
        .flat_map(|(field, role)| {
            who::mailboxes(message, field)
                .into_iter()
                .map(move |mailbox| Recipient {
                    role,
                    name: mailbox.name,
                    address: mailbox.address,
                })
        })
        .filter(|recipient| seen.insert((recipient.role, recipient.address.clone())))
        .take(MAX)
        .collect()
}

/// Whom a mail goes to.
#[derive(Debug, PartialEq, Eq)]
pub struct Addressed {
    /// `To`; never empty.
    pub to: Vec<Mailbox>,
    /// `Cc`.
    pub cc: Vec<Mailbox>,
    /// In the envelope alone.
    pub bcc: Vec<Mailbox>,
}

/// Whom an answer goes to.
///
/// # Errors
/// What is not an address.
pub fn addressed(message: &OutboundMessage) -> Result<Addressed, String> {
    let mailbox = |address: &str, name: Option<&str>| {
        let name = name.map(headers::one_line).filter(|name| !name.is_empty());
        let parsed: Result<Address, _> = address.trim().parse();
        parsed
            .map(|address| Mailbox::new(name, address))
            .map_err(|_| format!("{address} is not an address to send to"))
    };
    let mut seen = HashSet::new();
    let mut field = |role: RecipientRole| -> Result<Vec<Mailbox>, String> {
        message
            .recipients
            .iter()
            .filter(|recipient| recipient.role == role)
            // Nobody gets it twice; the more visible field counts.
            .filter(|recipient| seen.insert(recipient.address.trim().to_lowercase()))
            .map(|recipient| mailbox(&recipient.address, recipient.name.as_deref()))
            .collect()
    };
    let (mut to, cc, bcc) = (
        field(RecipientRole::To)?,
        field(RecipientRole::Cc)?,
        field(RecipientRole::Bcc)?,
    );
    if to.is_empty() {
        to.push(mailbox(&message.to, message.to_name.as_deref())?);
    }
    Ok(Addressed { to, cc, bcc })
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;

    use super::*;

    #[test]
    fn all_address_fields_are_kept_once_and_in_order() {
        let raw = b"From: Ivan <Ivan@client.example>\r\nReply-To: office@client.example\r\nTo: support@shop.example, \"Olga B.\" <olga@client.example>\r\nCc: olga@client.example, boss@client.example, olga@client.example, nobody\r\nSubject: x\r\n\r\nHi";
        let found = of(&MessageParser::default().parse(raw.as_slice()).unwrap());
        let shown: Vec<String> = found
            .iter()
            .map(|one| {
                format!(
                    "{:?} {} {}",
                    one.role,
                    one.name.as_deref().unwrap_or("-"),
                    one.address
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                "From Ivan ivan@client.example",
                "ReplyTo - office@client.example",
                "To - support@shop.example",
                "To Olga B. olga@client.example",
                "Cc - olga@client.example",
                "Cc - boss@client.example",
            ]
        );
    }
}
