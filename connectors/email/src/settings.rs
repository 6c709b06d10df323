//! What an admin sets for one mailbox, and what of it can work.

use std::{collections::BTreeMap, fmt, sync::Arc};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use switchboard_sdk::{SettingsError, SigningKey};

use crate::{auth::Auth, oauth::Tokens, tag, who::Glob};

/// More folders than this would be more connections than providers like to give one account.
const MAX_FOLDERS: usize = 10;
/// More tags than this nobody can look over.
const MAX_TAGS: usize = 100;

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

/// How mails find their conversation.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Threads {
    /// Answers go to support+c.…@ with a signed word that leads back to the conversation, whatever a relay does to the mail. Only when the mailbox takes mail for such addresses: send one to support+test@ first.
    #[schemars(title = "Signed reply addresses")]
    pub signed_addresses: bool,
    /// What stands between the address and the word: + at most providers, - at some.
    #[schemars(title = "Delimiter", length(min = 1, max = 3))]
    pub delimiter: String,
    /// An answer to a conversation closed for more days than this begins a new one, with a link to it; 0 never does.
    #[schemars(title = "New conversation after days", range(min = 0, max = 3650))]
    pub new_after_days: u32,
    /// What an answer under another subject does.
    #[schemars(title = "Changed subject")]
    pub changed_subject: ChangedSubject,
}

/// What an answer under another subject does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChangedSubject {
    /// It stays in its conversation.
    #[default]
    Keep,
    /// It begins a new one, with a link.
    New,
}

impl Default for Threads {
    fn default() -> Self {
        Self {
            signed_addresses: false,
            delimiter: "+".to_owned(),
            new_after_days: 90,
            changed_subject: ChangedSubject::Keep,
        }
    }
}

/// What is held back because it looks like two machines writing to each other.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Loops {
    /// More mails than this from one address within ten minutes go to the quarantine; 0 never.
    #[schemars(title = "Mails of one sender in ten minutes", range(min = 0, max = 10000))]
    pub max_per_sender: u32,
    /// The same text from one address more often than this within an hour goes to the quarantine; 0 never.
    #[schemars(title = "Repeats of one text in an hour", range(min = 0, max = 10000))]
    pub max_repeats: u32,
}

impl Default for Loops {
    fn default() -> Self {
        Self {
            max_per_sender: 30,
            max_repeats: 3,
        }
    }
}

/// Mail of colleagues that is filed with the contact it was sent to.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CaptureSettings {
    /// A colleague who puts the capture address in copy files the mail here.
    #[schemars(title = "On")]
    pub enabled: bool,
    /// An address whose mail arrives in this mailbox. Empty makes a secret one, which needs signed reply addresses.
    #[schemars(title = "Capture address", length(max = 254))]
    pub address: Option<String>,
    /// Believe the sender's address without authentication results. Only where nobody outside can write to the mailbox in a colleague's name.
    #[schemars(title = "Trust the sender's address")]
    pub trust_senders: bool,
}

/// The IMAP side.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Imap {
    /// Name of the IMAP server, without a port.
    #[schemars(title = "Server", length(min = 1, max = 253))]
    pub host: String,
    /// Empty takes the usual one: 993 with TLS from the start, else 143.
    #[serde(default)]
    #[schemars(title = "Port", range(min = 1, max = 65535))]
    pub port: Option<u16>,
    /// How the connection is protected.
    #[serde(default)]
    #[schemars(title = "Encryption")]
    pub tls: Tls,
    /// Login name; at most providers the whole address. Empty takes the address.
    #[serde(default)]
    #[schemars(title = "User name")]
    pub username: Option<String>,
    /// Password of the mailbox. Providers with two-step sign-in want an app password made for this purpose. Not used when you sign in at the provider.
    #[serde(default)]
    #[schemars(title = "Password", extend("x-secret" = true))]
    pub password: Option<Secret>,
    /// The folder that is read. Nothing in it is moved or deleted.
    #[serde(default = "default_mailbox")]
    #[schemars(title = "Folder", length(min = 1, max = 255))]
    pub mailbox: String,
    /// Other folders that are read too, each by a connection of its own. A mail that lies in several is taken once.
    #[serde(default)]
    #[schemars(title = "More folders", length(max = 9))]
    pub mailboxes: Vec<String>,
    /// Mark a mail as seen once it is stored here. Otherwise nothing in the mailbox changes.
    #[serde(default)]
    #[schemars(title = "Mark as seen")]
    pub mark_seen: bool,
}

/// The SMTP side.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    /// Name of the SMTP server, without a port.
    #[schemars(title = "Server", length(min = 1, max = 253))]
    pub host: String,
    /// Empty takes the usual one: 465 with TLS from the start, 587 with STARTTLS, 25 without encryption.
    #[serde(default)]
    #[schemars(title = "Port", range(min = 1, max = 65535))]
    pub port: Option<u16>,
    /// How the connection is protected.
    #[serde(default)]
    #[schemars(title = "Encryption")]
    pub tls: Tls,
    /// Login name. Empty for a relay that needs no login.
    #[serde(default)]
    #[schemars(title = "User name")]
    pub username: Option<String>,
    /// Password for sending. Empty when you sign in at the provider: that is for sending too.
    #[serde(default)]
    #[schemars(title = "Password", extend("x-secret" = true))]
    pub password: Option<Secret>,
    /// Mails this account may send in a minute; what is more waits its turn. Empty is no limit.
    #[serde(default)]
    #[schemars(title = "Mails a minute", range(min = 1, max = 100_000))]
    pub max_per_minute: Option<u32>,
    /// Mails this account may send in an hour; what is more waits its turn. Empty is no limit.
    #[serde(default)]
    #[schemars(title = "Mails an hour", range(min = 1, max = 100_000))]
    pub max_per_hour: Option<u32>,
    /// Connections to the server at once.
    #[serde(default = "default_connections")]
    #[schemars(title = "Connections", range(min = 1, max = 10))]
    pub max_connections: u32,
}

/// Whether a copy of what is sent is put into the mailbox's folder for sent mail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SaveSent {
    /// Unless the provider does it by itself, as Gmail and Microsoft 365 do.
    #[default]
    Auto,
    /// In any case.
    Always,
    /// Never.
    Never,
}

/// How a connection is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// TLS from the first byte.
    #[default]
    Implicit,
    /// Begins in the clear and must switch to TLS before the login.
    Starttls,
    /// No encryption: for a server on the same machine only.
    None,
}

/// A password: never shown, not even by `{:?}`.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Secret(String);

impl Secret {
    /// The password itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

fn default_backfill_days() -> u32 {
    3
}

fn default_connections() -> u32 {
    4
}

fn default_max_message() -> u32 {
    25
}

fn default_mailbox() -> String {
    "INBOX".to_owned()
}

impl Imap {
    /// All folders that are read, each once; INBOX has that name in any case (RFC 9051 §5.1).
    pub fn folders(&self) -> Vec<&str> {
        let mut folders: Vec<&str> = Vec::new();
        for name in std::iter::once(&self.mailbox).chain(&self.mailboxes) {
            let same = |known: &&str| {
                *known == name || (known.eq_ignore_ascii_case("INBOX") && name.eq_ignore_ascii_case("INBOX"))
            };
            if !folders.iter().any(same) {
                folders.push(name);
            }
        }
        folders
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.port
            .unwrap_or(if self.tls == Tls::Implicit { 993 } else { 143 })
    }
}

impl Smtp {
    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.tls {
            Tls::Implicit => 465,
            Tls::Starttls => 587,
            Tls::None => 25,
        })
    }
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

    fn validate(&self) -> Result<(), SettingsError> {
        let wrong = |field: &str, message: &str| Err(SettingsError::new(field, message));
        if self.address.parse::<lettre::Address>().is_err() {
            return wrong(
                "address",
                "is not an e-mail address, such as support@shop.example",
            );
        }
        for (field, host) in [("imap.host", &self.imap.host), ("smtp.host", &self.smtp.host)] {
            // A bare IPv6 address is a host too; anything else with a colon carries a port or a scheme.
            let is_address = host.parse::<std::net::IpAddr>().is_ok();
            if host.is_empty()
                || (!is_address
                    && host
                        .chars()
                        .any(|c| c.is_whitespace() || c.is_control() || ":/@".contains(c)))
            {
                return wrong(
                    field,
                    "is a server name alone, such as mail.shop.example: no scheme, no port",
                );
            }
        }
        for (field, port) in [("imap.port", self.imap.port), ("smtp.port", self.smtp.port)] {
            if port == Some(0) {
                return wrong(field, "is a number from 1 to 65535, or empty");
            }
        }
        self.auth.validate()?;
        if self.imap.password.is_none() && !self.auth.is_oauth() {
            return wrong("imap.password", "is needed to log in");
        }
        let named_alone = self.smtp.username.is_some() && self.auth.is_oauth();
        if self.smtp.username.is_some() != self.smtp.password.is_some() && !named_alone {
            return wrong(
                if self.smtp.username.is_some() {
                    "smtp.password"
                } else {
                    "smtp.username"
                },
                "user name and password are given both, or neither for a relay without login",
            );
        }
        if self.imap.mailbox.trim().is_empty() || self.imap.mailbox.chars().any(char::is_control) {
            return wrong("imap.mailbox", "is the name of a folder, such as INBOX");
        }
        if self
            .authserv_id
            .as_ref()
            .is_some_and(|id| id.len() > 253 || id.contains(|c: char| c.is_whitespace() || c == ';'))
        {
            return wrong("authserv_id", "is one word, such as mx.shop.example");
        }
        for (field, limit) in [
            ("smtp.max_per_minute", self.smtp.max_per_minute),
            ("smtp.max_per_hour", self.smtp.max_per_hour),
        ] {
            if limit.is_some_and(|limit| !(1..=100_000).contains(&limit)) {
                return wrong(field, "is a number from 1 to 100000, or empty for no limit");
            }
        }
        if !(1..=10).contains(&self.smtp.max_connections) {
            return wrong("smtp.max_connections", "is a number from 1 to 10");
        }
        if !(1..=150).contains(&self.max_message_mb) {
            return wrong("max_message_mb", "is a number from 1 to 150");
        }
        let wrong_folder = |folder: &String| folder.len() > 255 || folder.chars().any(char::is_control);
        if self.imap.mailboxes.iter().any(wrong_folder) {
            return wrong("imap.mailboxes", "are names of folders, such as INBOX");
        }
        if self.imap.folders().len() > MAX_FOLDERS {
            return wrong(
                "imap.mailboxes",
                "are too many: a channel reads at most ten folders",
            );
        }
        if self.tags.len() > MAX_TAGS {
            return wrong("tags", "are too many: at most a hundred");
        }
        if let Some((tag, _)) = self
            .tags
            .iter()
            .find(|(tag, line)| !tag::is_tag(tag) || line.is_empty())
        {
            return Err(SettingsError::new(
                "tags",
                format!("\"{tag}\" must be letters, digits, dots, hyphens and underscores, and have a line"),
            ));
        }
        if self.backfill_days > 3650 {
            return wrong("backfill_days", "is at most 3650 (ten years)");
        }
        self.validate_threads()?;
        if let Some(pattern) = self
            .ignore_senders
            .iter()
            .find(|pattern| Glob::new(pattern).is_none())
        {
            return Err(SettingsError::new(
                "ignore_senders",
                format!(
                    "\"{pattern}\" would match everybody or nobody: write an address, *@domain or name@*"
                ),
            ));
        }
        Ok(())
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

    fn validate_threads(&self) -> Result<(), SettingsError> {
        let wrong = |field: &str, message: &str| Err(SettingsError::new(field, message));
        let delimiter = &self.threads.delimiter;
        if !(1..=3).contains(&delimiter.len()) || !delimiter.bytes().all(|byte| b"+-_=.#~".contains(&byte)) {
            return wrong("threads.delimiter", "is one to three of + - _ = . # ~");
        }
        if self.threads.new_after_days > 3650 {
            return wrong("threads.new_after_days", "is at most 3650 (ten years)");
        }
        let address = self.capture.address.as_deref();
        if address.is_some_and(|address| address.parse::<lettre::Address>().is_err()) {
            return wrong(
                "capture.address",
                "is not an e-mail address, such as archive@shop.example",
            );
        }
        if address.is_some_and(|address| address.eq_ignore_ascii_case(&self.address)) {
            return wrong(
                "capture.address",
                "is another address than the one customers write to",
            );
        }
        if self.capture.enabled && address.is_none() && !self.threads.signed_addresses {
            return wrong(
                "capture.address",
                "is needed where signed reply addresses are off",
            );
        }
        Ok(())
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
