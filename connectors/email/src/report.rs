//! What mail servers report about mail we sent: bounces (RFC 3464) and read receipts (RFC 8098). Pure.

use mail_parser::{Message, MessagePart, MimeHeaders, PartType};
use switchboard_sdk::{DeliveryReceipt, ReceiptState};

use crate::{headers, ids};

/// Reads a report about one of our messages; `None` when the mail is no report, speaks of somebody else's
/// mail, or decides nothing yet ("delayed").
pub fn receipt(message: &Message<'_>, our_domain: &str) -> Option<DeliveryReceipt> {
    if !message.is_content_type("multipart", "report") {
        return None;
    }
    let (state, error) = message.parts.iter().find_map(verdict)?;
    let id = original_ids(message)
        .into_iter()
        .find(|id| ids::is_ours(id, our_domain))?;
    Some(DeliveryReceipt {
        external_id: id,
        state,
        error,
    })
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

fn verdict(part: &MessagePart<'_>) -> Option<(ReceiptState, Option<String>)> {
    if is(part, "message", "delivery-status") || is(part, "message", "global-delivery-status") {
        let text = text(part);
        let state = match field(&text, "action")?.to_ascii_lowercase().as_str() {
            "failed" => ReceiptState::Failed,
            "delivered" => ReceiptState::Delivered,
            _ => return None,
        };
        let reason = [field(&text, "status"), field(&text, "diagnostic-code")]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" ");
        let reason = if reason.is_empty() {
            "returned by the receiving mail server".to_owned()
        } else {
            reason
        };
        return Some((
            state,
            (state == ReceiptState::Failed).then(|| reason.chars().take(500).collect()),
        ));
    }
    if is(part, "message", "disposition-notification") {
        let shown = field(&text(part), "disposition")?
            .to_ascii_lowercase()
            .contains("displayed");
        return shown.then_some((ReceiptState::Read, None));
    }
    None
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
