//! What went wrong between us and Telegram, in words that may be shown: no address of a request, and so no token.

use std::{error::Error, time::Duration};

use serde_json::Value;
use switchboard_sdk::Fault;
use teloxide_core::{ApiError, RequestError};

/// Why a call did not do what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// Too much: silence for so long.
    #[error("Telegram asks this bot to be silent for {} s", .0.as_secs())]
    Later(Duration),
    /// Nothing reaches this chat any more.
    #[error("{0}")]
    Unreachable(String),
    /// Never like this.
    #[error("{0}")]
    Refused(String),
    /// The special parts of the text, or the buttons, are not taken.
    #[error("{0}")]
    Markup(String),
    /// The token is no good.
    #[error(
        "Telegram does not know this bot token: it was revoked or mistyped. Get the present one from @BotFather (/mybots, API Token) and put it into the channel's settings"
    )]
    Token,
    /// Somebody else takes the bot's updates.
    #[error("{0}")]
    Conflict(String),
    /// The group has another number now.
    #[error("the group was given another number by Telegram")]
    Migrated(i64),
    /// Certainly nothing was sent.
    #[error("Telegram cannot be reached: {0}")]
    NotSent(String),
    /// It may have been sent.
    #[error("{0}")]
    Unknown(String),
}

/// Another program polls,
const TWO_POLLERS: &str = "another program takes this bot's messages at the same time (409 Conflict), and Telegram gives each message to one of them alone. Stop the other program or switch off the other channel; if nobody knows of one, make a new token with @BotFather (/revoke) and put it here";
/// or waits to be called.
const WEBHOOK_IS_SET: &str = "somebody set a webhook for this bot while this channel was asking for messages (409 Conflict): another program uses the same bot. Stop it, or make a new token with @BotFather (/revoke) and put it here";

impl Trouble {
    /// Of a running channel.
    pub fn fault(self) -> Fault {
        match self {
            Self::Token => Fault::permanent(self.to_string()),
            other => Fault::temporary(other.to_string()),
        }
    }

    /// Worth asking once more.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Later(_) | Self::NotSent(_) | Self::Unknown(_))
    }

    /// What Telegram said, by its own words.
    pub fn said(description: &str) -> Self {
        let words = description.to_owned();
        let (kind, rest) = description.split_once(':').unwrap_or((description, ""));
        let rest = rest.trim().to_ascii_lowercase();
        match kind {
            "Unauthorized" | "Not Found" if rest.is_empty() => Self::Token,
            "Forbidden" | "Unauthorized" => Self::Unreachable(unreachable(&rest).unwrap_or(words)),
            "Conflict" if rest.contains("webhook") => Self::Conflict(WEBHOOK_IS_SET.to_owned()),
            "Conflict" => Self::Conflict(TWO_POLLERS.to_owned()),
            "Internal Server Error" | "Bad Gateway" | "Gateway Timeout" | "Service Unavailable" => {
                Self::Unknown(format!("Telegram failed over it: {words}"))
            }
            _ if rest.contains("chat not found") => {
                Self::Unreachable("Telegram knows no such chat for this bot".to_owned())
            }
            _ if rest.contains("is not modified") => Self::Refused(words),
            _ if rest.contains("parse entities")
                || rest.contains("entity")
                || rest.contains("button_")
                || rest.contains("inline keyboard")
                || rest.contains("reply markup") =>
            {
                Self::Markup(words)
            }
            _ => Self::Refused(words),
        }
    }
}

fn unreachable(rest: &str) -> Option<String> {
    let words = [
        ("blocked by the user", "they blocked the bot"),
        ("user is deactivated", "their Telegram account is deleted"),
        ("was kicked", "the bot was removed from the group"),
        ("is not a member", "the bot is not in the group"),
        (
            "can't initiate",
            "they never wrote to the bot, and a bot may not write first",
        ),
        (
            "can't send messages to bots",
            "that is a bot: bots do not read each other",
        ),
    ];
    let found = words.iter().find(|(sign, _)| rest.contains(sign));
    found.map(|(_, words)| (*words).to_owned())
}

/// An answer that teloxide could not read as what it expected.
#[derive(Debug)]
pub enum Answered {
    /// It went well; this is the result as it came.
    Well(Value),
    /// It did not.
    Badly(Trouble),
}

/// Reads what came of a call. teloxide takes an answer it cannot read for a failure; when Telegram says that the
/// call went well, it did.
pub fn of(error: RequestError) -> Answered {
    match error {
        RequestError::RetryAfter(secs) => Answered::Badly(Trouble::Later(secs.duration())),
        RequestError::MigrateToChatId(chat) => Answered::Badly(Trouble::Migrated(chat.0)),
        RequestError::Api(error) => Answered::Badly(of_api(error)),
        RequestError::InvalidJson { raw, .. } => of_raw(&raw),
        RequestError::Network(error) => {
            Answered::Badly(of_network(error.as_ref(), error.is_connect(), error.is_timeout()))
        }
        RequestError::Io(error) => {
            Answered::Badly(Trouble::Refused(format!("a file cannot be read: {error}")))
        }
    }
}

fn of_api(error: ApiError) -> Trouble {
    match error {
        ApiError::InvalidToken => Trouble::Token,
        ApiError::CantGetUpdates => Trouble::Conflict(WEBHOOK_IS_SET.to_owned()),
        ApiError::TerminatedByOtherGetUpdates => Trouble::Conflict(TWO_POLLERS.to_owned()),
        ApiError::Unknown(words) => Trouble::said(&words),
        known => Trouble::said(&known.to_string()),
    }
}

fn of_raw(raw: &str) -> Answered {
    let Ok(answer) = serde_json::from_str::<Value>(raw) else {
        return Answered::Badly(Trouble::Unknown(
            "something on the way answered in Telegram's place, with a page and not with data: look at the proxy or the Bot API address"
                .to_owned(),
        ));
    };
    match (answer.get("ok").and_then(Value::as_bool), answer.get("result")) {
        (Some(true), Some(result)) => Answered::Well(result.clone()),
        _ => {
            let words = answer.get("description").and_then(Value::as_str);
            Answered::Badly(words.map_or_else(
                || Trouble::Unknown("Telegram answered something that is no answer".to_owned()),
                Trouble::said,
            ))
        }
    }
}

/// The causes of a failure without the failure itself, whose words hold the address.
pub fn of_network(error: &dyn Error, connecting: bool, late: bool) -> Trouble {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes.dedup();
    let words = causes.join(": ");
    match (connecting, late) {
        (true, true) => Trouble::NotSent("no connection in time".to_owned()),
        (true, false) => Trouble::NotSent(words),
        (false, true) => Trouble::Unknown("Telegram did not answer in time".to_owned()),
        (false, false) => Trouble::Unknown(format!("the connection to Telegram broke: {words}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_telegram_says_is_told_apart() {
        for (said, kind) in [
            ("Forbidden: bot was blocked by the user", "unreachable"),
            ("Forbidden: user is deactivated", "unreachable"),
            (
                "Forbidden: bot was kicked from the supergroup chat",
                "unreachable",
            ),
            ("Bad Request: chat not found", "unreachable"),
            ("Unauthorized", "token"),
            ("Not Found", "token"),
            (
                "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
                "conflict",
            ),
            (
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
                "conflict",
            ),
            (
                "Bad Request: can't parse entities: Unsupported start tag",
                "markup",
            ),
            ("Bad Request: BUTTON_URL_INVALID", "markup"),
            (
                "Bad Request: message is not modified: specified new message content and reply markup are the same",
                "refused",
            ),
            ("Bad Request: message is too long", "refused"),
            ("Internal Server Error", "unknown"),
            ("Something new", "refused"),
        ] {
            let found = match Trouble::said(said) {
                Trouble::Unreachable(_) => "unreachable",
                Trouble::Token => "token",
                Trouble::Conflict(_) => "conflict",
                Trouble::Markup(_) => "markup",
                Trouble::Refused(_) => "refused",
                Trouble::Unknown(_) => "unknown",
                other => panic!("{other:?}"),
            };
            assert_eq!(found, kind, "{said}");
        }
    }

    #[test]
    fn a_success_that_cannot_be_read_is_a_success() {
        let answer = of_raw(r#"{"ok":true,"result":{"message_id":7,"sticker":"of a new kind"}}"#);
        assert!(matches!(answer, Answered::Well(result) if result["message_id"] == 7));
        assert!(matches!(
            of_raw("<html>502 Bad Gateway</html>"),
            Answered::Badly(Trouble::Unknown(_))
        ));
        let refused =
            of_raw(r#"{"ok":false,"error_code":400,"description":"Bad Request: x","parameters":{"new":1}}"#);
        assert!(matches!(refused, Answered::Badly(Trouble::Refused(words)) if words == "Bad Request: x"));
    }
}
