//! The servers of a mailbox and the way to them.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

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

fn default_connections() -> u32 {
    4
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
