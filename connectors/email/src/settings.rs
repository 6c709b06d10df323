//! What an admin sets for one mailbox: its servers in `servers`, the rules for its mails in `rules`, and what of it can
//! work in `validate`.

mod rules;
mod servers;
mod validate;

use std::{collections::BTreeMap, sync::Arc};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use switchboard_sdk::{SettingsError, SigningKey};

pub use rules::{CaptureSettings, ChangedSubject, Loops, Threads};
pub use servers::{Imap, SaveSent, Secret, Smtp, Tls};

use crate::{auth::Auth, oauth::Tokens};

/// Settings of one email channel.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Email", description = "One mailbox: read by IMAP, answered by SMTP.")]
pub struct Settings {
    /// The address customers write to and get answers from.
    #[schemars(title = "Address", length(min = 3, max = 254), extend("format" = "email"))]
    pub address: String,
    /// The name customers see beside the address, such as "Example Shop". Answers read "Anna via Example Shop".
    #[serde(default)]
    #[schemars(title = "Sender name", length(max = 100))]
    pub from_name: Option<String>,
    /// How the channel gets into the mailbox.
    #[serde(default)]
    #[schemars(title = "Sign-in", extend("x-sign-in" = true))]
    pub auth: Auth,
    /// Where mail comes from.
    #[schemars(title = "Incoming mail (IMAP)")]
    pub imap: Imap,
    /// Where answers go out.
    #[schemars(title = "Outgoing mail (SMTP)")]
    pub smtp: Smtp,
    /// How many days of earlier mail are taken in when the mailbox is connected first; 0 begins with the next mail that arrives.
    #[serde(default = "default_backfill_days")]
    #[schemars(title = "Days of earlier mail", range(min = 0, max = 3650))]
    pub backfill_days: u32,
    /// Mail from these addresses is passed over. `*` stands for anything: `noreply@*`, `*@ads.example`.
    #[serde(default)]
    #[schemars(title = "Ignored senders", length(max = 1000))]
    pub ignore_senders: Vec<String>,
    /// Mail to a tagged address opens its conversation in a line of its own: billing is for support+billing@….
    #[serde(default)]
    #[schemars(title = "Tags in the address", length(max = 100), extend("x-lines" = true))]
    pub tags: BTreeMap<String, String>,
    /// Accept certificates that no known authority signed, or that are made out to another name. Only for a server on your own network.
    #[serde(default)]
    #[schemars(title = "Accept invalid certificates")]
    pub accept_invalid_certs: bool,
    /// The name under which your own mail server says whether a sender is genuine: the first word of its
    /// `Authentication-Results` fields, such as `mx.shop.example`. Empty believes no such field, and no sender counts as proven.
    #[serde(default)]
    #[schemars(
        title = "Name of your mail server in Authentication-Results",
        length(max = 253)
    )]
    pub authserv_id: Option<String>,
    /// Whether a copy of each answer is put into the mailbox's folder for sent mail. "auto" leaves it to Gmail and Microsoft 365, which do it by themselves.
    #[serde(default)]
    #[schemars(title = "Keep sent mail in the mailbox")]
    pub save_sent: SaveSent,
    /// Largest mail the provider takes, with its files, in MB; files grow by a third on their way. Most take 25.
    #[serde(default = "default_max_message")]
    #[schemars(title = "Largest mail in MB", range(min = 1, max = 150))]
    pub max_message_mb: u32,
    /// How mails find their conversation.
    #[serde(default, deserialize_with = "object")]
    #[schemars(title = "Conversations")]
    pub threads: Threads,
    /// What is held back because it looks like two machines writing to each other.
    #[serde(default, deserialize_with = "object")]
    #[schemars(title = "Loops")]
    pub loops: Loops,
    /// Mail of colleagues that is filed with the contact it was sent to.
    #[serde(default, deserialize_with = "object")]
    #[schemars(title = "Send and save")]
    pub capture: CaptureSettings,
    /// Signs reply addresses; not a setting, the server gives it.
    #[serde(skip)]
    pub signing_key: SigningKey,
    /// The way to an access token, lent when the channel is built.
    #[serde(skip)]
    #[schemars(skip)]
    pub tokens: Option<Arc<Tokens>>,
}

fn default_backfill_days() -> u32 {
    3
}

fn default_max_message() -> u32 {
    25
}

impl Settings {
    /// Reads settings and refuses what cannot work, naming the field.
    pub fn parse(value: Value) -> Result<Self, SettingsError> {
        let mut settings: Self = serde_path_to_error::deserialize(&value).map_err(|error| named(&error))?;
        settings.tidy();
        settings.validate()?;
        Ok(settings)
    }

    fn tidy(&mut self) {
        fn trimmed(value: &mut Option<String>) {
            *value = value
                .take()
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty());
        }
        trimmed(&mut self.authserv_id);
        self.address = self.address.trim().to_owned();
        trimmed(&mut self.from_name);
        trimmed(&mut self.imap.username);
        trimmed(&mut self.smtp.username);
        trimmed(&mut self.capture.address);
        self.imap.host = self.imap.host.trim().to_owned();
        self.smtp.host = self.smtp.host.trim().to_owned();
        for password in [&mut self.imap.password, &mut self.smtp.password] {
            *password = password.take().filter(|password| !password.expose().is_empty());
        }
        self.auth.tidy();
        self.imap.mailboxes.retain(|folder| !folder.trim().is_empty());
        self.tags = std::mem::take(&mut self.tags)
            .into_iter()
            .map(|(tag, line)| (tag.trim().to_ascii_lowercase(), line.trim().to_owned()))
            .collect();
    }

    /// Whether a copy of what is sent goes into the mailbox; `None`: when its server does not do so itself,
    /// which some say only after the login.
    pub fn saves_sent(&self) -> Option<bool> {
        const KEEP_THEIR_OWN: [&str; 6] = [
            "gmail.com",
            "googlemail.com",
            "google.com",
            "office365.com",
            "outlook.com",
            "office.com",
        ];
        let keeps = |host: &str| {
            let host = host.to_lowercase();
            KEEP_THEIR_OWN.iter().any(|domain| {
                host == *domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
            })
        };
        match self.save_sent {
            SaveSent::Always => Some(true),
            SaveSent::Never => Some(false),
            SaveSent::Auto if keeps(&self.smtp.host) => Some(false),
            SaveSent::Auto => None,
        }
    }

    /// The domain of the address, in lower case.
    pub fn domain(&self) -> String {
        self.address
            .rsplit_once('@')
            .map_or_else(String::new, |(_, domain)| domain.to_lowercase())
    }

    /// The name to log in with at the SMTP server; with a sign-in the same as for IMAP, unless it has a password.
    pub fn smtp_token_username(&self) -> &str {
        self.smtp.username.as_deref().unwrap_or(self.imap_username())
    }

    /// The name to log in with at the IMAP server.
    pub fn imap_username(&self) -> &str {
        self.imap.username.as_deref().unwrap_or(&self.address)
    }
}

/// A group of settings that all have defaults: only as an object, for serde would take a list as well.
fn object<'de, D: serde::Deserializer<'de>, T: serde::de::DeserializeOwned>(from: D) -> Result<T, D::Error> {
    let fields = serde_json::Map::deserialize(from)?;
    serde_path_to_error::deserialize(Value::Object(fields)).map_err(serde::de::Error::custom)
}

/// Serde's message with the path of the field it speaks of. A missing field is named in the message
/// alone: the path leads to what lacks it.
fn named(error: &serde_path_to_error::Error<serde_json::Error>) -> SettingsError {
    let message = error.inner().to_string();
    let path = error.path().to_string();
    let parent = if path == "." { "" } else { path.as_str() };
    let missing = message
        .strip_prefix("missing field `")
        .and_then(|rest| rest.split_once('`'));
    let field = match missing {
        Some((field, _)) if parent.is_empty() => field.to_owned(),
        Some((field, _)) => format!("{parent}.{field}"),
        None => parent.to_owned(),
    };
    SettingsError::new(field, message)
}

/// The JSON Schema of the settings.
pub fn schema() -> Value {
    schemars::schema_for!(Settings).to_value()
}

/// Settings that pass.
pub fn example() -> Value {
    json!({
        "address": "support@shop.example",
        "from_name": "Example Shop",
        "auth": {"method": "password"},
        "imap": {"host": "imap.shop.example", "port": 993, "tls": "implicit", "username": "support@shop.example", "password": "app-password", "mailbox": "INBOX"},
        "smtp": {"host": "smtp.shop.example", "port": 465, "tls": "implicit", "username": "support@shop.example", "password": "app-password"},
        "backfill_days": 3,
        "ignore_senders": ["noreply@*", "*@ads.example"],
        "accept_invalid_certs": false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut Value)) -> SettingsError {
        let mut value = example();
        change(&mut value);
        Settings::parse(value).unwrap_err()
    }

    #[test]
    fn the_least_that_is_needed_gets_the_documented_defaults() {
        let least = json!({"address": " support@shop.example ", "imap": {"host": "imap.shop.example", "password": "p"}, "smtp": {"host": "smtp.shop.example"}});
        let settings = Settings::parse(least).unwrap();
        assert_eq!(
            (settings.imap.port(), settings.smtp.port(), settings.backfill_days),
            (993, 465, 3)
        );
        assert_eq!(
            (settings.imap_username(), settings.imap.mailbox.as_str()),
            ("support@shop.example", "INBOX")
        );
        assert_eq!(
            (settings.imap.tls, settings.accept_invalid_certs),
            (Tls::Implicit, false)
        );
    }

    #[test]
    fn each_wrong_setting_is_named_by_its_path() {
        assert_eq!(refused(|v| v["address"] = json!("support")).field, "address");
        assert_eq!(
            refused(|v| v["imap"]["host"] = json!("imap.shop.example:993")).field,
            "imap.host"
        );
        assert_eq!(
            refused(|v| v["smtp"]["host"] = json!("smtps://smtp.shop.example")).field,
            "smtp.host"
        );
        assert_eq!(
            refused(|v| v["smtp"]["password"] = Value::Null).field,
            "smtp.password"
        );
        assert_eq!(refused(|v| v["smtp"]["nope"] = json!(1)).field, "smtp.nope");
        assert_eq!(refused(|v| v["backfil_days"] = json!(1)).field, "backfil_days");
        assert_eq!(
            refused(|v| v["ignore_senders"] = json!(["*"])).field,
            "ignore_senders"
        );
        assert_eq!(
            refused(|v| drop(v["imap"].as_object_mut().unwrap().remove("password"))).field,
            "imap.password"
        );
        assert_eq!(refused(|v| v["imap"]["tls"] = json!("ssl")).field, "imap.tls");
        assert_eq!(refused(|v| v["imap"]["port"] = json!(99_999)).field, "imap.port");
    }

    #[test]
    fn providers_that_keep_sent_mail_are_known_by_their_servers() {
        let saves = |host: &str, save: &str| {
            let mut value = example();
            value["smtp"]["host"] = json!(host);
            value["save_sent"] = json!(save);
            Settings::parse(value).unwrap().saves_sent()
        };
        assert_eq!(saves("smtp.gmail.com", "auto"), Some(false));
        assert_eq!(saves("SMTP.Office365.com", "auto"), Some(false));
        assert_eq!(saves("mail.shop.example", "auto"), None);
        assert_eq!(saves("notgmail.com", "auto"), None);
        assert_eq!(saves("smtp.gmail.com", "always"), Some(true));
        assert_eq!(saves("mail.shop.example", "never"), Some(false));
    }

    #[test]
    fn with_a_sign_in_no_password_is_needed_and_nothing_is_forgotten_when_the_method_changes() {
        let mut value = example();
        value["imap"].as_object_mut().unwrap().remove("password");
        value["smtp"].as_object_mut().unwrap().remove("password");
        value["auth"] =
            json!({"method": "oauth2", "provider": "microsoft", "client_id": "id", "refresh_token": "r"});
        let settings = Settings::parse(value.clone()).unwrap();
        assert!(settings.auth.is_oauth() && settings.auth.refresh_token.is_some());
        value["auth"]["method"] = json!("password");
        assert_eq!(Settings::parse(value).unwrap_err().field, "imap.password");
    }

    #[test]
    fn folders_are_read_once_each_the_old_setting_first() {
        let mut value = example();
        value["imap"]["mailboxes"] = json!(["Support", "inbox", " ", "Support"]);
        assert_eq!(
            Settings::parse(value).unwrap().imap.folders(),
            ["INBOX", "Support"]
        );
    }

    #[test]
    fn tags_are_words_with_a_line() {
        assert_eq!(refused(|v| v["tags"] = json!({"a b": "x"})).field, "tags");
        assert_eq!(refused(|v| v["tags"] = json!({"billing": " "})).field, "tags");
        let mut value = example();
        value["tags"] = json!({"Billing": "money"});
        assert_eq!(
            Settings::parse(value)
                .unwrap()
                .tags
                .get("billing")
                .map(String::as_str),
            Some("money")
        );
    }

    #[test]
    fn passwords_are_not_shown_by_debug_and_are_marked_secret_in_the_schema() {
        let shown = format!("{:?}", Settings::parse(example()).unwrap());
        assert!(!shown.contains("app-password"), "{shown}");
        let owned = |path: [&str; 2]| path.map(str::to_owned).to_vec();
        assert_eq!(
            switchboard_sdk::secret_paths(&schema()),
            vec![
                owned(["auth", "client_secret"]),
                owned(["auth", "refresh_token"]),
                owned(["imap", "password"]),
                owned(["smtp", "password"])
            ]
        );
    }
}
