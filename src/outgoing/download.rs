//! Large files from addresses that came from outside (recordings): into a temporary file, never whole in memory.
//!
//! Redirects are followed here, one by one: each address is judged like the first, and another host gets neither the
//! credentials nor any other header of the request.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, Method, header};
use reqwest::Url;
use switchboard_sdk::{Content, HttpRequest, Spool};

use super::{Outgoing, failed, said};

/// How many redirects are followed.
const REDIRECTS: usize = 5;
/// How long one answer may take to begin.
const BEGIN: Duration = Duration::from_secs(20);
/// How long nothing may come in the midst of it.
const SILENCE: Duration = Duration::from_secs(30);
/// Headers that another host gets too.
const HARMLESS: [header::HeaderName; 2] = [header::ACCEPT, header::ACCEPT_LANGUAGE];

/// A file that was fetched.
#[derive(Debug)]
pub struct Download {
    /// The media type that the other side says.
    pub content_type: String,
    /// The bytes.
    pub content: Content,
}

/// Why there is none. Never with the address: it may hold secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DownloadError {
    /// It must not be asked for, or never can be: trying again changes nothing.
    #[error("{0}")]
    Refused(String),
    /// It is larger than what is kept.
    #[error("too large: more than {0} MB")]
    TooLarge(u64),
    /// Not there (yet), or the other side is out of order. With the seconds it asks to be left alone for.
    #[error("{reason}")]
    Later {
        /// Why.
        reason: String,
        /// `Retry-After`.
        after: Option<u32>,
    },
}

impl DownloadError {
    fn later(reason: impl Into<String>) -> Self {
        Self::Later {
            reason: reason.into(),
            after: None,
        }
    }
}

impl Outgoing {
    /// Fetches a file of at most `max_bytes` into a temporary file in `folder`.
    pub async fn download(
        &self,
        request: HttpRequest,
        max_bytes: u64,
        folder: &std::path::Path,
    ) -> Result<Download, DownloadError> {
        let (parts, body) = request.into_parts();
        let no_address = || DownloadError::Refused("its address is no web address".to_owned());
        let mut url = Url::parse(&parts.uri.to_string()).map_err(|_| no_address())?;
        let (mut method, mut headers, mut body) = (parts.method, parts.headers, body);
        for _ in 0..=REDIRECTS {
            let answer = self.begin(&url, &method, &headers, &body).await?;
            let status = answer.status();
            let to = answer
                .headers()
                .get(header::LOCATION)
                .and_then(|to| to.to_str().ok());
            let (true, Some(to)) = (status.is_redirection(), to) else {
                return take(answer, max_bytes, folder).await;
            };
            let next = url.join(to).map_err(|_| no_address())?;
            if url.scheme() == "https" && next.scheme() != "https" {
                let reason = "it leads from a secure address to one that is not".to_owned();
                return Err(DownloadError::Refused(reason));
            }
            if next.origin() != url.origin() {
                headers = harmless(&headers);
            }
            // 307 and 308 are asked for in the same way again.
            if !matches!(status.as_u16(), 307 | 308) {
                (method, body) = (Method::GET, Bytes::new());
                headers.remove(header::CONTENT_TYPE);
                headers.remove(header::CONTENT_LENGTH);
            }
            url = next;
        }
        Err(DownloadError::Refused(format!(
            "it leads on more than {REDIRECTS} times"
        )))
    }

    async fn begin(
        &self,
        url: &Url,
        method: &Method,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<reqwest::Response, DownloadError> {
        self.guard
            .judge(url)
            .map_err(|refusal| DownloadError::Refused(refusal.to_string()))?;
        let asking = self
            .outside
            .request(method.clone(), url.clone())
            .headers(headers.clone())
            .body(body.clone())
            .send();
        match tokio::time::timeout(BEGIN, asking).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(match failed(error) {
                switchboard_sdk::HttpError::Forbidden(reason) => DownloadError::Refused(reason),
                switchboard_sdk::HttpError::NotSent(reason) | switchboard_sdk::HttpError::Unknown(reason) => {
                    DownloadError::later(format!("it could not be fetched: {reason}"))
                }
            }),
            Err(_late) => Err(DownloadError::later("no answer in time")),
        }
    }
}

fn harmless(headers: &HeaderMap) -> HeaderMap {
    let kept = headers.iter().filter(|(name, _)| HARMLESS.contains(name));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

async fn take(
    answer: reqwest::Response,
    max_bytes: u64,
    folder: &std::path::Path,
) -> Result<Download, DownloadError> {
    let status = answer.status();
    if status.as_u16() != 200 {
        let after = answer.headers().get(header::RETRY_AFTER);
        let after = after.and_then(|after| after.to_str().ok()?.parse().ok());
        let reason = format!("the server answered {status}");
        // An address that is gone for good, or asked for in a way that never works.
        return Err(match status.as_u16() {
            400 | 405 | 410 | 414 | 451 => DownloadError::Refused(reason),
            _ => DownloadError::Later { reason, after },
        });
    }
    let too_large = || DownloadError::TooLarge(max_bytes >> 20);
    if answer.content_length().is_some_and(|length| length > max_bytes) {
        return Err(too_large());
    }
    let content_type = answer
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or("application/octet-stream")
        .to_owned();
    let disk = |error: std::io::Error| DownloadError::later(format!("the disk: {error}"));
    let mut spool = Spool::new(folder).map_err(disk)?;
    let mut pieces = answer.bytes_stream();
    loop {
        let piece = tokio::time::timeout(SILENCE, pieces.next())
            .await
            .map_err(|_late| DownloadError::later("it broke off in the midst"))?;
        let Some(piece) = piece else { break };
        let piece = piece.map_err(|error| DownloadError::later(said(&error)))?;
        if spool.len() + piece.len() as u64 > max_bytes {
            return Err(too_large());
        }
        spool = tokio::task::spawn_blocking(move || spool.write(&piece).map(|()| spool))
            .await
            .map_err(|error| DownloadError::later(error.to_string()))?
            .map_err(disk)?;
    }
    if spool.is_empty() {
        return Err(DownloadError::later("it is empty"));
    }
    Ok(Download {
        content_type,
        content: spool.finish(),
    })
}
