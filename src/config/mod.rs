//! Settings of the process: the built-in `config/default.toml`, a file, the environment, in this order.
//!
//! What belongs to the business (lines, channels, users) is in the database, not here.

mod load;
mod values;

use std::net::SocketAddr;

use ipnet::IpNet;
pub use load::{Error, load};
use serde::Deserialize;
pub use values::{BusUrl, Masked};

use crate::operator::{Counting, counting::Weights};

/// The built-in defaults, which are also the manual.
pub const DEFAULTS: &str = include_str!("../../config/default.toml");

/// All settings. What each means stands in `config/default.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The HTTP side.
    pub server: Server,
    /// The store.
    pub database: Database,
    /// Files.
    pub storage: Storage,
    /// Between nodes.
    pub bus: Bus,
    /// Keys and guards.
    pub security: Security,
    /// Budgets and sizes.
    pub limits: Limits,
    /// The router.
    pub routing: Routing,
    /// What operators' windows offer and do.
    pub operators: Operators,
    /// What is written to standard error.
    pub log: Log,
}

/// `[server]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Without a trailing slash; never empty once loaded.
    pub public_url: String,
    /// Guards `/metrics`.
    pub metrics_token: Masked,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Longest time of a request.
    pub request_timeout_secs: u64,
    /// Longest time of a shutdown.
    pub shutdown_timeout_secs: u64,
}

/// `[database]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `sqlite://…` or `postgres://…`; masked because it may hold a password.
    pub url: Masked,
}

/// `[storage]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// `file://folder`.
    pub url: String,
}

/// `[bus]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bus {
    /// In this process only, for now.
    pub url: BusUrl,
}

/// `[security]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Security {
    /// Empty: read from, or made into, the file beside the database.
    pub master_key: Masked,
    /// Exempt from the guard on addresses from outside.
    pub allowed_private_networks: Vec<IpNet>,
    /// Whether the guard also covers what an admin typed.
    pub guard_admin_urls: bool,
}

/// `[limits]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Budgets of requests.
    pub enabled: bool,
    /// Largest upload in MB.
    pub upload_mb: u64,
    /// New visitors a minute of one chat, above which each solves a puzzle.
    pub chat_strangers_per_minute: u32,
    /// Largest recording of a call in MB.
    pub recording_mb: u64,
}

impl Limits {
    /// Largest upload in bytes.
    pub fn upload_bytes(&self) -> u64 {
        self.upload_mb.saturating_mul(1 << 20)
    }

    /// Largest recording of a call in bytes.
    pub fn recording_bytes(&self) -> u64 {
        self.recording_mb.saturating_mul(1 << 20)
    }
}

/// `[routing]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Routing {
    /// By kind of channel.
    pub weights: Weights,
    /// For how many seconds a session counts that waits for the client; 0: as long as it is open.
    pub client_wait_secs: u32,
}

impl Routing {
    /// What counts until an admin says otherwise.
    pub fn counting(&self) -> Counting {
        Counting {
            weights: self.weights,
            client_wait_secs: Some(self.client_wait_secs).filter(|secs| *secs > 0),
        }
    }
}

/// `[operators]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operators {
    /// Offered when somebody pauses.
    pub pause_reasons: Vec<String>,
    /// Without a key or a mouse for this long a window is away.
    pub away_after_secs: u32,
}

/// `[log]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// Text or JSON.
    pub format: LogFormat,
    /// A filter of tracing-subscriber.
    pub level: String,
}

/// How a log line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl Config {
    /// Whether browsers come over https.
    pub fn is_https(&self) -> bool {
        self.server.public_url.starts_with("https://")
    }
}
