//! Addresses with a tag (`support+billing@shop.example`): the tag names a line. Pure.

use mail_parser::MessageParser;
use switchboard_sdk::{InboundBody, InboundEvent};

use crate::{headers, ids, settings::Settings};

/// Longest tag.
const MAX_TAG: usize = 64;

/// Header fields that say which of our addresses a mail came to; what the delivering server wrote comes first.
const RECIPIENTS: [&str; 6] = [
    "Delivered-To",
    "X-Original-To",
    "Envelope-To",
    "X-Forwarded-To",
    "To",
    "Cc",
];

/// Whether this can be a tag.
pub fn is_tag(tag: &str) -> bool {
    !tag.is_empty()
        && tag.len() <= MAX_TAG
        && tag
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// The event with the line that its mail's address names.
pub fn routed(mut event: InboundEvent, raw: &[u8], settings: &Settings) -> InboundEvent {
    if let InboundBody::Message(message) = &mut event.body {
        message.line = line(raw, settings);
    }
    event
}

/// The line of the first tag that the settings know.
fn line(raw: &[u8], settings: &Settings) -> Option<String> {
    if settings.tags.is_empty() {
        return None;
    }
    let mut head = ids::split(raw).0.to_vec();
    head.extend_from_slice(b"\r\n");
    let message = MessageParser::default().parse_headers(&head)?;
    RECIPIENTS
        .iter()
        .flat_map(|name| headers::all(&message, name))
        .find_map(|field| named(&field, settings))
}

fn named(field: &str, settings: &Settings) -> Option<String> {
    field
        .split(|c: char| c.is_whitespace() || ",;:<>()\"".contains(c))
        .filter_map(|word| tag(word, &settings.address))
        .find_map(|tag| settings.tags.get(&tag).cloned())
}

/// The tag of an address that is ours, in lower case.
fn tag(address: &str, ours: &str) -> Option<String> {
    let (local, domain) = address.rsplit_once('@')?;
    let (our_local, our_domain) = ours.rsplit_once('@')?;
    let (name, tag) = local.split_once('+')?;
    // The channel's own address may have a tag: what is ours is the name before it.
    let our_name = our_local.split_once('+').map_or(our_local, |(name, _)| name);
    let is_ours = name.eq_ignore_ascii_case(our_name) && domain.eq_ignore_ascii_case(our_domain);
    (is_ours && is_tag(tag)).then(|| tag.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn line_of(mail: &str) -> Option<String> {
        let mut value = crate::settings::example();
        value["tags"] = json!({"billing": "money", "Press": "news"});
        line(mail.as_bytes(), &Settings::parse(value).unwrap())
    }

    #[test]
    fn a_known_tag_of_our_address_names_its_line_wherever_the_address_stands() {
        for mail in [
            "To: support+billing@shop.example\r\n\r\nx",
            "to: Ann <ann@x.example>, \"Shop\" <Support+Billing@SHOP.example>\r\n\r\nx",
            "Cc: <support+billing@shop.example>\r\nTo: sales@shop.example\r\n\r\nx",
            "To: list@x.example\r\nDelivered-To: support+billing@shop.example\r\n\r\nx",
            "To: a@x.example,\r\n support+billing@shop.example\r\n\r\nx",
        ] {
            assert_eq!(line_of(mail).as_deref(), Some("money"), "{mail}");
        }
        assert_eq!(
            line_of("To: support+press@shop.example\r\n\r\nx").as_deref(),
            Some("news")
        );
    }

    #[test]
    fn other_addresses_unknown_tags_and_the_text_name_none() {
        for mail in [
            "To: support@shop.example\r\n\r\nx",
            "To: support+unknown@shop.example\r\n\r\nx",
            "To: support+billing@elsewhere.example\r\n\r\nx",
            "To: other+billing@shop.example\r\n\r\nx",
            "Subject: support+billing@shop.example\r\n\r\nTo: support+billing@shop.example",
            "",
            "garbage",
        ] {
            assert_eq!(line_of(mail), None, "{mail}");
        }
    }

    #[test]
    fn the_envelope_comes_before_what_the_sender_wrote() {
        let mail = "To: support+press@shop.example\r\nX-Original-To: support+billing@shop.example\r\n\r\nx";
        assert_eq!(line_of(mail).as_deref(), Some("money"));
    }
}
