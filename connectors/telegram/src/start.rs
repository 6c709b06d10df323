//! Deep links: `t.me/BOT?start=PAYLOAD` says where somebody comes from and which line is theirs. Pure.
//!
//! A payload is at most 64 of `A-Z a-z 0-9 _ -`. `SOURCE__CAMPAIGN__LINE` can be read and typed by people; what
//! does not fit into that stands in the channel's settings under a short key.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use switchboard_sdk::{Attribution, Touch};

/// The longest payload Telegram takes.
pub const MAX_PAYLOAD: usize = 64;
/// What stands between the parts of a payload.
const BETWEEN: &str = "__";

/// Where a link says that people come from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Origin {
    /// The source, as `utm_source`: yandex.
    #[schemars(title = "Source", length(max = 200))]
    pub source: String,
    /// The campaign, as `utm_campaign`: autumn sale.
    #[schemars(title = "Campaign", length(max = 200))]
    pub campaign: String,
    /// The line their conversation is opened in, by key or id; empty is the channel's own.
    #[schemars(title = "Line", length(max = 200))]
    pub line: String,
}

impl Origin {
    /// The payload that says all of it, if there is one.
    pub fn payload(&self) -> Option<String> {
        let parts = [&self.source, &self.campaign, &self.line];
        let plain = |part: &&String| {
            !part.contains(BETWEEN)
                && !part.starts_with('_')
                && !part.ends_with('_')
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        };
        if !parts.iter().all(plain) {
            return None;
        }
        // Two parts tell it from any other word; a third one only when there is a line.
        let said = if self.line.is_empty() { 2 } else { 3 };
        let said: Vec<&str> = parts.into_iter().take(said).map(String::as_str).collect();
        let payload = said.join(BETWEEN);
        (payload.len() <= MAX_PAYLOAD).then_some(payload)
    }

    /// Reads a payload that [`Self::payload`] or a person wrote.
    fn read(payload: &str) -> Option<Self> {
        let mut parts = payload.split(BETWEEN);
        let origin = Self {
            source: parts.next()?.to_owned(),
            campaign: parts.next()?.to_owned(),
            line: parts.next().unwrap_or_default().to_owned(),
        };
        parts.next().is_none().then_some(origin)
    }

    /// As it is told to the lead.
    fn touch(&self, payload: &str) -> Touch {
        [
            ("start_payload", payload),
            ("utm_source", &self.source),
            ("utm_campaign", &self.campaign),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
    }
}

/// What a message that starts the bot says: where from, and the line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Start {
    /// Where they come from.
    pub attribution: Attribution,
    /// Which line, when it says so.
    pub line: Option<String>,
}

/// Reads `/start`, with or without a payload; `None` is any other text.
pub fn read(text: &str, known: &BTreeMap<String, Origin>) -> Option<Start> {
    let mut words = text.split_whitespace();
    let command = words.next()?;
    if command != "/start" && !command.starts_with("/start@") {
        return None;
    }
    let Some(payload) = words.next() else {
        return Some(Start::default());
    };
    let origin = known
        .get(payload)
        .cloned()
        .or_else(|| Origin::read(payload))
        .unwrap_or_default();
    Some(Start {
        attribution: Attribution {
            first: Touch::new(),
            last: origin.touch(payload),
        },
        line: Some(origin.line).filter(|line| !line.is_empty()),
    })
}

/// The address that starts the bot so.
pub fn link(username: &str, payload: &str) -> String {
    format!("https://t.me/{username}?start={payload}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn origin(source: &str, campaign: &str, line: &str) -> Origin {
        Origin {
            source: source.to_owned(),
            campaign: campaign.to_owned(),
            line: line.to_owned(),
        }
    }

    #[test]
    fn a_payload_becomes_attribution_and_line() {
        let known = BTreeMap::from([("k7".to_owned(), origin("яндекс", "осень 2026", "sales"))]);
        let touched = |text: &str| {
            let start = read(text, &known).unwrap();
            let last: Vec<String> = start
                .attribution
                .last
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            (last.join(" "), start.line)
        };
        for (text, said, line) in [
            ("/start", "", None),
            ("/start abc", "start_payload=abc", None),
            (
                "/start yandex__autumn__sales",
                "start_payload=yandex__autumn__sales utm_campaign=autumn utm_source=yandex",
                Some("sales"),
            ),
            ("/start@shop_bot vk__", "start_payload=vk__ utm_source=vk", None),
            (
                "/start k7",
                "start_payload=k7 utm_campaign=осень 2026 utm_source=яндекс",
                Some("sales"),
            ),
            ("/start a__b__c__d", "start_payload=a__b__c__d", None),
        ] {
            assert_eq!(
                touched(text),
                (said.to_owned(), line.map(str::to_owned)),
                "{text}"
            );
        }
        assert_eq!(read("/started", &known), None);
        assert_eq!(read("hello /start x", &known), None);
    }

    #[test]
    fn what_a_payload_cannot_say_has_none() {
        assert_eq!(
            origin("yandex", "autumn", "").payload().as_deref(),
            Some("yandex__autumn")
        );
        for bad in [
            origin("яндекс", "", ""),
            origin("a b", "", ""),
            origin("a__b", "", ""),
            origin("a_", "b", ""),
            origin(&"x".repeat(63), "", ""),
        ] {
            assert_eq!(bad.payload(), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn a_payload_reads_back(source in "[a-zA-Z0-9_-]{0,20}", campaign in "[a-zA-Z0-9_-]{0,20}", line in "[a-z0-9-]{0,20}") {
            let origin = origin(&source, &campaign, &line);
            if let Some(payload) = origin.payload() {
                prop_assert!(payload.len() <= MAX_PAYLOAD);
                prop_assert_eq!(Origin::read(&payload), Some(origin));
            }
        }
    }
}
