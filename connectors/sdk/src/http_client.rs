//! Asking over HTTP, lent by the server.
//!
//! The server alone decides which addresses may be reached, keeps connections and never follows a
//! redirect; a test lends one that answers from memory.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;

/// A request: method, absolute URL, headers, body.
pub type HttpRequest = http::Request<Bytes>;
/// An answer whose body was read whole.
pub type HttpResponse = http::Response<Bytes>;

/// Asks over HTTP.
#[async_trait]
pub trait Http: Send + Sync {
    /// Sends one request to an address that an admin typed, and reads at most `max_bytes` of the answer.
    /// Redirects come back as they are.
    async fn ask(
        &self,
        request: HttpRequest,
        limit: Duration,
        max_bytes: usize,
    ) -> Result<HttpResponse, HttpError>;
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The address may not be asked, or is none; a person must change it.
    #[error("{0}")]
    Forbidden(String),
    /// Certainly nothing was sent: no such host, nobody there, no TLS.
    #[error("{0}")]
    NotSent(String),
    /// The request may have arrived.
    #[error("{0}")]
    Unknown(String),
}

/// For channels that ask nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoHttp;

impl NoHttp {
    /// As a context holds it.
    pub fn shared() -> Arc<dyn Http> {
        Arc::new(Self)
    }
}

#[async_trait]
impl Http for NoHttp {
    async fn ask(&self, _: HttpRequest, _: Duration, _: usize) -> Result<HttpResponse, HttpError> {
        Err(HttpError::Forbidden("there is no way out here".to_owned()))
    }
}
