//! What an admin sets for one bot, and what of it can work.

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use switchboard_sdk::SettingsError;
use url::Url;

use crate::{menu, start};

/// Telegram's own server.
const CLOUD: &str = "https://api.telegram.org";
/// More buttons than this nobody reads.
const MAX_MENU: usize = 20;
/// More links than this are another program's business.
const MAX_LINKS: usize = 1000;

/// Settings of one Telegram channel.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Telegram", description = "One bot: by long polling or webhook.")]
pub struct Settings {
    /// What @BotFather gave for the bot: digits, a colon and a long word. Whoever has it is the bot.
    #[schemars(title = "Bot token", length(min = 10, max = 200), extend("x-secret" = true))]
    pub token: String,
    /// Where the Bot API is. Only for a Bot API server of your own.
    #[serde(default = "cloud")]
    #[schemars(title = "Bot API address", length(max = 500))]
    pub api_url: String,
    /// How messages come: "polling" asks for them and works everywhere, "webhook" lets Telegram bring them and needs this server to be reachable from the Internet by https.
    #[serde(default)]
    #[schemars(title = "Mode")]
    pub mode: Mode,
    /// The word by which Telegram proves itself when it brings messages: letters, digits, _ and -. Empty makes one up.
    #[serde(default)]
    #[schemars(title = "Webhook secret", length(max = 256), extend("x-secret" = true))]
    pub webhook_secret: Option<String>,
    /// What is taken of groups the bot is in: "ignore" nothing, "addressed" what mentions the bot or answers it, "all" everything the bot may read.
    #[serde(default)]
    #[schemars(title = "Groups")]
    pub groups: Groups,
    /// The menu under what the line says by itself, such as its welcome.
    #[serde(default)]
    #[schemars(title = "Menu", length(max = 20))]
    pub menu: Vec<menu::Item>,
    /// What stands on the button by which people share their own phone number, where an operator asks for it.
    #[serde(default = "share_phone")]
    #[schemars(title = "Button for the phone number", length(min = 1, max = 64))]
    pub share_phone: String,
    /// Commands that Telegram offers when somebody types a slash, with a line on each.
    #[serde(default)]
    #[schemars(title = "Commands")]
    pub commands: BTreeMap<String, String>,
    /// Links whose source, campaign or line do not fit into the link itself, by the short word that stands there.
    #[serde(default)]
    #[schemars(title = "Links")]
    pub links: BTreeMap<String, start::Origin>,
    /// Read files from this machine's disk where a Bot API server of your own says they lie (its --local mode). Only for a server you trust with that.
    #[serde(default)]
    #[schemars(title = "Read files of a local server")]
    pub local_files: bool,
}

/// How updates come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// We ask.
    #[default]
    Polling,
    /// Telegram brings them.
    Webhook,
}

/// What is taken of groups.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Groups {
    /// Nothing.
    #[default]
    Ignore,
    /// What mentions the bot or answers it.
    Addressed,
    /// Everything.
    All,
}

fn share_phone() -> String {
    "📱 Share my phone number".to_owned()
}

fn cloud() -> String {
    CLOUD.to_owned()
}

/// Without the secrets.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("bot", &self.bot_id())
            .field("api_url", &self.api_url)
            .field("mode", &self.mode)
            .field("groups", &self.groups)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Reads settings and says which field cannot work.
    pub fn parse(value: Value) -> Result<Self, SettingsError> {
        let mut settings: Self = serde_path_to_error::deserialize(value).map_err(|error| {
            let field = error.path().to_string();
            SettingsError::new(
                if field == "." { String::new() } else { field },
                error.inner().to_string(),
            )
        })?;
        settings.token = settings.token.trim().to_owned();
        settings.api_url = settings.api_url.trim().trim_end_matches('/').to_owned();
        settings.webhook_secret = settings.webhook_secret.take().filter(|secret| !secret.is_empty());
        settings.validate()?;
        Ok(settings)
    }

    fn validate(&self) -> Result<(), SettingsError> {
        let wrong = |field: &str, message: &str| Err(SettingsError::new(field, message));
        if !is_token(&self.token) {
            return wrong(
                "token",
                "is no bot token: @BotFather gives it, digits, a colon and a long word",
            );
        }
        let url = Url::parse(&self.api_url);
        if !url.is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
            return wrong("api_url", "is no address: it begins with https:// or http://");
        }
        if let Some(secret) = &self.webhook_secret
            && !(secret.len() <= 256 && secret.bytes().all(is_word))
        {
            return wrong(
                "webhook_secret",
                "may hold A-Z, a-z, 0-9, _ and - alone, 256 at most",
            );
        }
        if !(1..=64).contains(&self.share_phone.trim().chars().count()) {
            return wrong("share_phone", "has 1 to 64 characters");
        }
        if self.menu.len() > MAX_MENU {
            return wrong("menu", "has more than 20 buttons");
        }
        for (index, item) in self.menu.iter().enumerate() {
            if item.label.trim().is_empty() || item.label.chars().count() > 64 {
                return wrong(&format!("menu.{index}.label"), "has 1 to 64 characters");
            }
        }
        for (command, words) in &self.commands {
            let fits = (1..=32).contains(&command.len())
                && command
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
            if !fits {
                return wrong(
                    &format!("commands.{command}"),
                    "is no command: 1 to 32 of a-z, 0-9 and _, without the slash",
                );
            }
            if !(1..=256).contains(&words.chars().count()) {
                return wrong(
                    &format!("commands.{command}"),
                    "needs a line of 1 to 256 characters",
                );
            }
        }
        if self.commands.len() > 100 {
            return wrong("commands", "has more than 100 commands");
        }
        if self.links.len() > MAX_LINKS {
            return wrong("links", "has more than 1000 links");
        }
        for key in self.links.keys() {
            if !((1..=start::MAX_PAYLOAD).contains(&key.len()) && key.bytes().all(is_word)) {
                return wrong(
                    &format!("links.{key}"),
                    "is no payload: 1 to 64 of A-Z, a-z, 0-9, _ and -",
                );
            }
        }
        Ok(())
    }

    /// The number of the bot, which its token begins with.
    pub fn bot_id(&self) -> i64 {
        let digits = self.token.split(':').next().unwrap_or_default();
        digits.parse().unwrap_or_default()
    }

    /// Whether the bot is at Telegram's own server, with its limits.
    pub fn is_cloud(&self) -> bool {
        self.api_url == CLOUD
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

fn is_token(token: &str) -> bool {
    token.split_once(':').is_some_and(|(digits, word)| {
        (1..=19).contains(&digits.len())
            && digits.parse::<i64>().is_ok_and(|number| number > 0)
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && word.len() >= 8
            && word.bytes().all(is_word)
    })
}

/// The JSON Schema the admin form is drawn from.
pub fn schema() -> Value {
    schemars::schema_for!(Settings).to_value()
}

/// Settings that pass.
pub fn example() -> Value {
    json!({
        "token": "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
        "api_url": CLOUD,
        "mode": "polling",
        "webhook_secret": "a-word-that-nobody-guesses",
        "groups": "addressed",
        "menu": [{"label": "Where is my order?"}, {"label": "Sales", "line": "sales"}],
        "commands": {"start": "Begin"}
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_that_is_needed_gets_the_documented_defaults() {
        let settings = Settings::parse(json!({"token": " 42:abcdefgh_-1 "})).unwrap();
        assert_eq!(
            (settings.bot_id(), settings.api_url.as_str(), settings.mode),
            (42, CLOUD, Mode::Polling)
        );
        assert!(
            settings.is_cloud() && settings.groups == Groups::Ignore && settings.webhook_secret.is_none()
        );
    }

    #[test]
    fn what_cannot_work_is_named_by_its_field() {
        for (field, value) in [
            ("token", json!({"token": "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"})),
            ("token", json!({"token": "0:AAHdqTcvCH1vGWJxfSe"})),
            ("token", json!({"token": "12:AAHdqT cvCH1vGWJxfSe"})),
            (
                "api_url",
                json!({"token": "42:abcdefgh", "api_url": "api.telegram.org"}),
            ),
            (
                "webhook_secret",
                json!({"token": "42:abcdefgh", "webhook_secret": "two words"}),
            ),
            (
                "menu.0.label",
                json!({"token": "42:abcdefgh", "menu": [{"label": " "}]}),
            ),
            (
                "commands.Start",
                json!({"token": "42:abcdefgh", "commands": {"Start": "x"}}),
            ),
            ("links.a b", json!({"token": "42:abcdefgh", "links": {"a b": {}}})),
            ("mode", json!({"token": "42:abcdefgh", "mode": "push"})),
        ] {
            let error = Settings::parse(value).unwrap_err();
            assert_eq!(error.field, field, "{error}");
            assert!(
                !error.to_string().contains("abcdefgh") && !error.to_string().contains("AAHdqT"),
                "{error}"
            );
        }
    }
}
