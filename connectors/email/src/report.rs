//! What mail servers report about mail we sent: bounces and delays (RFC 3464), read receipts (RFC 8098).
//! Pure. What older servers write in plain words is in `bounce`.

use mail_parser::{Message, MessagePart, MimeHeaders, PartType};
use switchboard_sdk::{DeliveryReceipt, ReceiptState};

use crate::{
    bounce, headers, ids,
    settings::Settings,
    token::{self, Found, Purpose},
    who,
};

/// What a report says of one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What became of the mail.
    pub state: ReceiptState,
    /// To whom.
    pub recipient: Option<String>,
    /// The status code (RFC 3463), `5.1.1`.
    pub status: Option<String>,
    /// What the server said.
    pub said: Option<String>,
}

/// Reads a report about one of our messages; `None` when the mail is no report, speaks of somebody else's
/// mail, or says nothing of its fate.
pub fn receipt(message: &Message<'_>, settings: &Settings) -> Option<DeliveryReceipt> {
    let verdict = if message.is_content_type("multipart", "report") {
        worst(message.parts.iter().flat_map(verdicts))
    } else {
        bounce::verdict(message)
    }?;
    let domain = settings.domain();
    let external_id = returned_to(message, settings).or_else(|| {
        original_ids(message)
            .into_iter()
            .chain(bounce::original_ids(message))
            .find(|id| ids::is_ours(id, &domain))
    })?;
    let failed = verdict.state == ReceiptState::Failed;
    let told = failed || verdict.state == ReceiptState::Delayed;
    Some(DeliveryReceipt {
        external_id,
        state: verdict.state,
        error: told.then(|| reason(&verdict)),
        dead_address: verdict
            .recipient
            .filter(|_| failed && verdict.status.as_deref().is_some_and(is_hard)),
        known_as: None,
    })
}

/// The message whose own bounce address the report came to: sure, even when it returns nothing of it.
fn returned_to(message: &Message<'_>, settings: &Settings) -> Option<String> {
    who::recipients(message)
        .iter()
        .find_map(|address| match token::read(address, settings)? {
            Found::Message(Purpose::Bounce, id) => Some(ids::outgoing(&id, &settings.domain())),
            Found::Message(Purpose::Reply, _) | Found::Capture => None,
        })
}

/// Whether a status code says that the address will never work: there is nobody, or no such domain.
fn is_hard(status: &str) -> bool {
    matches!(status, "5.1.1" | "5.1.2" | "5.1.3" | "5.1.6" | "5.1.10")
}

/// A verdict in words: which address, what it means, what the server said.
fn reason(verdict: &Verdict) -> String {
    let status = verdict.status.as_deref().unwrap_or_default();
    let means = match status {
        "5.1.1" | "5.1.10" => "the address does not exist",
        "5.1.2" => "there is no such domain",
        "5.1.3" => "this is not an address",
        "5.1.6" => "the mailbox has moved and left no address",
        "5.2.1" => "the mailbox is switched off",
        "4.2.2" | "5.2.2" => "the mailbox is full",
        "5.2.3" | "5.3.4" => "the mail is too large for the receiving server",
        "4.4.1" | "5.4.1" => "the receiving server does not answer",
        "4.4.7" | "5.4.7" => "the receiving server did not take it in time",
        "5.4.6" => "the mail went round in circles",
        "5.7.1" => "the receiving server refuses mail from us",
        _ if verdict.state == ReceiptState::Delayed => "the receiving server could not take it yet",
        _ => "returned by the receiving mail server",
    };
    let whom = verdict
        .recipient
        .as_deref()
        .map_or_else(String::new, |to| format!("{to}: "));
    // The diagnostic mostly begins with the same code.
    let said = verdict.said.as_deref().unwrap_or_default();
    let said = match (said.contains(status), said.is_empty()) {
        (_, true) => status.to_owned(),
        (true, false) => said.to_owned(),
        (false, false) => format!("{status} {said}"),
    };
    let told = match said.as_str() {
        "" => format!("{whom}{means}"),
        said => format!("{whom}{means} ({said})"),
    };
    told.chars().take(500).collect()
}

/// Of several recipients the one who fared worst: what failed must be seen.
fn worst(verdicts: impl Iterator<Item = Verdict>) -> Option<Verdict> {
    verdicts.reduce(|one, other| if other.state > one.state { other } else { one })
}

/// The ids of the mails a report is about: it then joins their conversation.
pub fn original_ids(message: &Message<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for part in &message.parts {
        let original = match &part.body {
            PartType::Message(original) => original.message_id().map(str::to_owned),
            _ if is(part, "text", "rfc822-headers") => field(&text(part), "message-id"),
            _ if is(part, "message", "disposition-notification") => field(&text(part), "original-message-id"),
            _ => None,
        };
        found.extend(original.map(|id| ids::normal(&id)).filter(|id| !id.is_empty()));
    }
    found
}

/// What a part says of each recipient.
fn verdicts(part: &MessagePart<'_>) -> Vec<Verdict> {
    if is(part, "message", "delivery-status") || is(part, "message", "global-delivery-status") {
        let text = text(part).replace("\r\n", "\n");
        return text.split("\n\n").filter_map(of_recipient).collect();
    }
    let shown = is(part, "message", "disposition-notification")
        && field(&text(part), "disposition")
            .is_some_and(|how| how.to_ascii_lowercase().contains("displayed"));
    let read = Verdict {
        state: ReceiptState::Read,
        recipient: None,
        status: None,
        said: None,
    };
    shown.then_some(read).into_iter().collect()
}

/// One block of a delivery status. The action decides: `failed` with a 4.x.x is a server that gave up.
fn of_recipient(block: &str) -> Option<Verdict> {
    let status = field(block, "status").and_then(|status| bounce::status(&status));
    let state = match field(block, "action")?.to_ascii_lowercase().as_str() {
        "failed" => ReceiptState::Failed,
        "delayed" => ReceiptState::Delayed,
        "delivered" => ReceiptState::Delivered,
        // On to where nobody reports from.
        "relayed" | "expanded" => ReceiptState::Relayed,
        _ => return None,
    };
    // As we wrote it, before aliases of theirs.
    let recipient = field(block, "original-recipient").or_else(|| field(block, "final-recipient"));
    Some(Verdict {
        state,
        recipient: recipient
            .map(|typed| typed.rsplit(';').next().unwrap_or_default().trim().to_lowercase())
            .filter(|address| address.contains('@') && !address.contains(char::is_whitespace)),
        status,
        said: field(block, "diagnostic-code").map(|said| {
            said.split_once(';')
                .map_or(said.clone(), |(_, said)| said.trim().to_owned())
        }),
    })
}

fn is(part: &MessagePart<'_>, kind: &str, subtype: &str) -> bool {
    part.is_content_type(kind, subtype)
}

fn text(part: &MessagePart<'_>) -> String {
    String::from_utf8_lossy(part.contents()).into_owned()
}

/// The first field of this name in a block of fields, unfolded.
fn field(block: &str, name: &str) -> Option<String> {
    let mut value: Option<String> = None;
    for line in block.lines() {
        match &mut value {
            Some(value) if line.starts_with([' ', '\t']) => {
                value.push(' ');
                value.push_str(line.trim());
            }
            Some(_) => break,
            None => {
                value = line
                    .split_once(':')
                    .filter(|(field, _)| field.trim().eq_ignore_ascii_case(name))
                    .map(|(_, value)| value.trim().to_owned());
            }
        }
    }
    value
        .map(|value| headers::one_line(&value))
        .filter(|value| !value.is_empty())
}
