//! Pushes over HTTP, and pages for strangers.
//!
//! Both are pure but for [`Webhook::complete`]: no I/O, so that they can be fuzzed and replayed. The server does the reading, the
//! limits and the commit, and answers 2xx only after it.

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::{Batch, Fault, Receipt, Typing};

/// A request as it came: raw body, exact target, all headers.
pub type WebhookRequest = http::Request<Bytes>;
/// What the caller gets.
pub type WebhookResponse = http::Response<Bytes>;

/// A connector that is pushed to.
#[async_trait]
pub trait Webhook: Send + Sync {
    /// Verifies, then parses. Verification is the connector's duty and has no default.
    fn accept(&self, request: &WebhookRequest, now: DateTime<Utc>) -> Result<Batch, Rejection>;

    /// Gets what an accepted push only names (files the provider keeps for a while), before anything of it is
    /// stored. A failure is our outage: the provider is told to bring it again.
    async fn complete(&self, _request: &WebhookRequest, batch: Batch) -> Result<Batch, Fault> {
        Ok(batch)
    }

    /// What an accepted request says beside its events: that a customer is typing. Asked after
    /// [`Self::accept`] took it; never stored.
    fn typing(&self, _request: &WebhookRequest) -> Option<Typing> {
        None
    }

    /// Whether admins may look at what was pushed lately, for a while, with what became of it. For channels
    /// whose other side an admin writes themselves, or maps.
    fn is_watched(&self, _request: &WebhookRequest) -> bool {
        false
    }

    /// What to answer after the commit.
    fn reply(&self, request: &WebhookRequest, receipt: &Receipt) -> WebhookResponse;

    /// What to answer when the push was not accepted; `None` leaves it to the server's problem+json.
    fn refuse(&self, _request: &WebhookRequest, _rejection: &Rejection) -> Option<WebhookResponse> {
        None
    }

    /// `Access-Control-Allow-Origin` for a page of this origin (the header as it came); `None` when no
    /// page may read the answers. The server adds it, with `Vary: Origin` and never with credentials, to
    /// its own answers: to a preflight, and to problem+json.
    fn allow_origin(&self, _origin: &str) -> Option<String> {
        None
    }
}

/// Why a push or a page is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The signature or the token is wrong: 401.
    #[error("{0}")]
    Unauthenticated(String),
    /// Not from here (an origin that is not allowed): 403.
    #[error("{0}")]
    Forbidden(String),
    /// The body cannot be read as what it claims to be: 400.
    #[error("{0}")]
    Malformed(String),
    /// A media type nobody here reads: 415.
    #[error("{0}")]
    UnsupportedMediaType(String),
    /// Too large: 413.
    #[error("{0}")]
    TooLarge(String),
    /// Fields that do not fit their definition, each with its message: 422.
    #[error("some fields are not right")]
    Invalid(Vec<(String, String)>),
}

/// A connector that serves a page of its own (the hosted form).
pub trait HostedPage: Send + Sync {
    /// Draws the page, or `None` when there is no such page.
    fn page(&self, request: &PageRequest) -> Option<Page>;
}

/// Which page is wanted.
#[derive(Debug, Clone, Default)]
pub struct PageRequest {
    /// The path below the channel's own: empty, `embed.js`, `thanks`, …
    pub path: String,
    /// The query as it came.
    pub query: Vec<(String, String)>,
    /// `Accept-Language`, as it came.
    pub accept_language: Option<String>,
    /// The channel takes nothing now (disabled).
    pub paused: bool,
    /// Now.
    pub now: DateTime<Utc>,
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// HTTP status.
    pub status: u16,
    /// Media type.
    pub content_type: &'static str,
    /// `Content-Security-Policy` of the page.
    pub csp: Option<String>,
    /// The body.
    pub body: String,
}
