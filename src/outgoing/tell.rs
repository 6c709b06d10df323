//! Telling a program something: what counts is the status of its answer.

use std::time::Duration;

use futures_util::StreamExt;
use http::header;
use switchboard_sdk::{HttpError, HttpRequest};

use super::{Outgoing, Typed};

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The status.
    pub status: u16,
    /// `Retry-After`, as it stands.
    pub retry_after: Option<String>,
    /// The beginning of the body; what is no text in it is replaced.
    pub text: String,
}

impl Outgoing {
    /// Sends one request to an address that an admin typed. Of the answer `keep` bytes are read; what follows, or
    /// breaks off, changes nothing.
    pub async fn tell(&self, request: HttpRequest, limit: Duration, keep: usize) -> Result<Told, HttpError> {
        let answer = self.head(Typed::ByAdmin, request, limit).await?;
        let status = answer.status().as_u16();
        let retry_after = answer
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let mut text = Vec::new();
        let mut stream = answer.bytes_stream();
        while let Some(Ok(chunk)) = stream.next().await {
            let room = keep.saturating_sub(text.len());
            text.extend(chunk.iter().take(room));
            if text.len() >= keep {
                break;
            }
        }
        Ok(Told {
            status,
            retry_after,
            text: String::from_utf8_lossy(&text).into_owned(),
        })
    }
}
