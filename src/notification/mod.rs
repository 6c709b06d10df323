//! What a form tells of its submissions: by mail through an e-mail channel, by a Telegram channel's bot, or to an
//! outgoing webhook.
//!
//! [`follow`] makes the rows when a submission is accepted, at once or by a moderator; what is held or spam tells
//! nobody. [`dispatch`] sends mails and Telegram messages through the channels' own way out, and [`attempt`] is one
//! such sending; webhooks have a way of their own ([`crate::webhook`]). [`text`] is pure.

pub mod attempt;
pub mod dispatch;
pub mod follow;
pub mod store;
pub mod text;

use serde::Deserialize;
use serde_json::Value;

use self::text::Language;

/// The event that webhooks named by forms are told of.
pub const ACCEPTED: &str = "submission.accepted";
/// The name of this list in the settings of a form.
const LIST: &str = "notifications";

/// One notification of a form, as its settings have it; the form's connector checked it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Notification {
    /// By which way.
    pub kind: Way,
    /// Addresses, or chats.
    pub to: Vec<String>,
    /// The e-mail or Telegram channel it goes out by.
    pub channel_id: Option<String>,
    /// The webhook.
    pub webhook_id: Option<String>,
    /// Of its words.
    pub language: Option<Language>,
}

/// A way to tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// A mail through an e-mail channel.
    #[default]
    Mail,
    /// A message of a Telegram channel's bot.
    Telegram,
    /// An outgoing webhook.
    Webhook,
}

impl Way {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Telegram => "telegram",
            Self::Webhook => "webhook",
        }
    }

    /// The kind of channel it goes out by.
    pub fn channel_kind(self) -> Option<&'static str> {
        match self {
            Self::Mail => Some("email"),
            Self::Telegram => Some("telegram"),
            Self::Webhook => None,
        }
    }
}

/// The notifications in a form's settings; those that a newer version wrote are left out.
pub fn of(settings: &Value) -> Vec<Notification> {
    let list = settings.get(LIST).and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|one| serde_json::from_value(one.clone()).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_understood_stops_nothing_else() {
        let settings = json!({"notifications": [
            {"kind": "mail", "to": ["a@b.example"], "channel_id": "chn_1", "language": "ru"},
            {"kind": "pigeon"},
            {"kind": "webhook", "webhook_id": "whk_1"},
        ]});
        let read = of(&settings);
        let ways: Vec<&str> = read.iter().map(|one| one.kind.as_str()).collect();
        assert_eq!(ways, ["mail", "webhook"]);
        assert_eq!(read[0].language, Some(Language::Ru));
        assert!(of(&json!({})).is_empty());
    }
}
