//! Whom a form tells of its submissions: what an admin sets. The server does the telling. Pure.

use schemars::JsonSchema;
use serde::Deserialize;
use switchboard_sdk::SettingsError;

/// Most notifications of a form, and most addresses of one.
const MAX: usize = 10;
const MAX_TO: usize = 20;

/// One way to tell of accepted submissions.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Notification {
    /// A mail, a Telegram message, or a call of an outgoing webhook.
    #[schemars(title = "Way")]
    pub kind: Way,
    /// Mail addresses, or numbers of Telegram chats (a group's begins with -; a topic follows a slash).
    #[schemars(title = "To", length(max = 20))]
    pub to: Vec<String>,
    /// The e-mail or Telegram channel that sends it.
    #[schemars(title = "Channel", length(max = 64))]
    pub channel_id: Option<String>,
    /// The outgoing webhook.
    #[schemars(title = "Webhook", length(max = 64))]
    pub webhook_id: Option<String>,
    /// Language of its words; the form's own when empty.
    #[schemars(title = "Language")]
    pub language: Option<Language>,
}

/// By which way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Way {
    /// A mail through an e-mail channel.
    #[default]
    Mail,
    /// A message of a Telegram channel's bot.
    Telegram,
    /// An outgoing webhook.
    Webhook,
}

/// Languages that notifications have words in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Language {
    /// English.
    En,
    /// Russian.
    Ru,
}

/// What cannot work, by its field.
pub fn check(list: &[Notification]) -> Result<(), SettingsError> {
    let wrong = |field: String, message: String| Err(SettingsError::new(&field, message));
    if list.len() > MAX {
        return wrong("notifications".to_owned(), format!("at most {MAX} notifications"));
    }
    for (position, one) in list.iter().enumerate() {
        let at = |name: &str| format!("notifications[{position}].{name}");
        let chosen = |id: &Option<String>| id.as_deref().is_some_and(|id| !id.trim().is_empty());
        if one.kind == Way::Webhook {
            if !chosen(&one.webhook_id) {
                return wrong(at("webhook_id"), "choose a webhook".to_owned());
            }
            continue;
        }
        if !chosen(&one.channel_id) {
            return wrong(at("channel_id"), "choose the channel that sends it".to_owned());
        }
        if one.to.is_empty() || one.to.len() > MAX_TO {
            return wrong(at("to"), format!("say whom to tell: 1 to {MAX_TO}"));
        }
        let fits = match one.kind {
            Way::Mail => is_address,
            _ => is_chat,
        };
        if let Some(other) = one.to.iter().find(|to| !fits(to.trim())) {
            let what = match one.kind {
                Way::Mail => "a mail address",
                _ => "the number of a chat",
            };
            return wrong(at("to"), format!("{other:?} is not {what}"));
        }
    }
    Ok(())
}

/// Good enough to try; the server it goes to has the last word.
fn is_address(text: &str) -> bool {
    let Some((name, host)) = text.rsplit_once('@') else {
        return false;
    };
    let plain = |part: &str| {
        !part.is_empty()
            && !part.contains(|c: char| c.is_whitespace() || c.is_control() || "<>,;\"".contains(c))
    };
    text.len() <= 320 && plain(name) && plain(host) && !name.contains('@')
}

/// A number, with a topic behind a slash perhaps.
fn is_chat(text: &str) -> bool {
    let (chat, topic) = text.split_once('/').unwrap_or((text, "1"));
    chat.parse::<i64>().is_ok_and(|chat| chat != 0) && topic.parse::<i32>().is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn field(list: serde_json::Value) -> Option<String> {
        let list: Vec<Notification> = serde_json::from_value(list).unwrap();
        check(&list).err().map(|error| error.field)
    }

    #[test]
    fn what_cannot_work_is_refused_by_field() {
        for (one, expected) in [
            (
                json!({"kind": "mail", "to": ["a@b.example"], "channel_id": "chn_1"}),
                None,
            ),
            (json!({"kind": "mail", "to": ["a@b.example"]}), Some("channel_id")),
            (
                json!({"kind": "mail", "to": [], "channel_id": "chn_1"}),
                Some("to"),
            ),
            (
                json!({"kind": "mail", "to": ["a b@c"], "channel_id": "chn_1"}),
                Some("to"),
            ),
            (
                json!({"kind": "mail", "to": ["a@b\r\nBcc: c"], "channel_id": "chn_1"}),
                Some("to"),
            ),
            (
                json!({"kind": "telegram", "to": ["-1001234/7", "42"], "channel_id": "chn_1"}),
                None,
            ),
            (
                json!({"kind": "telegram", "to": ["@shop"], "channel_id": "chn_1"}),
                Some("to"),
            ),
            (json!({"kind": "webhook", "webhook_id": "whk_1"}), None),
            (json!({"kind": "webhook", "webhook_id": " "}), Some("webhook_id")),
        ] {
            let found = field(json!([one]));
            assert_eq!(
                found,
                expected.map(|name| format!("notifications[0].{name}")),
                "{one}"
            );
        }
        let many = vec![json!({"kind": "webhook", "webhook_id": "whk_1"}); 11];
        assert_eq!(field(json!(many)).as_deref(), Some("notifications"));
    }
}
