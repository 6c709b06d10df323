//! Asking a CRM: in its turn, within limits, and what a missing answer means.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{HeaderMap, Method, StatusCode, header};
use serde_json::Value;
use switchboard_sdk::{Clock, Http, HttpError, HttpRequest};
use url::Url;

use super::text;
use crate::{BuildContext, SyncError, Turn};

/// Bitrix24 ends a request after 60 s; the others long before that.
const PATIENCE: Duration = Duration::from_secs(60);
/// A page of records with all their fields.
const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// Whether a request that may have arrived may have changed something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Reads,
    Writes,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) effect: Effect,
}

impl Answer {
    /// The body as JSON; `Null` when it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// `Retry-After` in seconds or as a date (RFC 9110 §10.2.3).
    pub(crate) fn retry_after(&self, now: DateTime<Utc>) -> Option<Duration> {
        let value = self.header("retry-after")?.trim();
        if let Ok(seconds) = value.parse::<u64>() {
            return Some(Duration::from_secs(seconds.min(7 * 24 * 3600)));
        }
        let at = DateTime::parse_from_rfc2822(value).ok()?;
        (at.with_timezone(&Utc) - now).to_std().ok()
    }
}

/// The way to one CRM.
#[derive(Clone)]
pub(crate) struct Client {
    /// What people call the CRM.
    pub(crate) crm: &'static str,
    http: Arc<dyn Http>,
    turn: Arc<dyn Turn>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.crm).finish()
    }
}

impl Client {
    pub(crate) fn new(crm: &'static str, context: &BuildContext) -> Self {
        Self {
            crm,
            http: context.http.clone(),
            turn: context.turn.clone(),
            clock: context.clock.clone(),
        }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Asks when it is our turn.
    pub(crate) async fn ask(&self, request: HttpRequest, effect: Effect) -> Result<Answer, SyncError> {
        self.turn.wait().await;
        match self.http.ask(request, PATIENCE, MAX_ANSWER).await {
            Ok(answer) => {
                let (parts, body) = answer.into_parts();
                Ok(Answer {
                    status: parts.status,
                    headers: parts.headers,
                    body,
                    effect,
                })
            }
            Err(HttpError::Forbidden(why)) => Err(SyncError::Auth(format!(
                "the address of {} is not asked: {}",
                self.crm,
                text::said(&why)
            ))),
            Err(HttpError::NotSent(why)) => Err(SyncError::Temporary(format!(
                "{} cannot be reached: {}",
                self.crm,
                text::said(&why)
            ))),
            Err(HttpError::Unknown(why)) => Err(self.ambiguous(effect, &text::said(&why))),
        }
    }

    /// No answer, or none that says whether it was done.
    pub(crate) fn ambiguous(&self, effect: Effect, why: &str) -> SyncError {
        match effect {
            Effect::Reads => SyncError::Temporary(format!("{} gave no answer: {why}", self.crm)),
            Effect::Writes => SyncError::Unknown(format!(
                "{} gave no answer, so it may have been done: {why}",
                self.crm
            )),
        }
    }

    /// Something was answered that makes no sense.
    pub(crate) fn strange(&self, effect: Effect) -> SyncError {
        self.ambiguous(effect, "its answer cannot be understood")
    }

    /// What a status means when the CRM's own words mean nothing to us.
    pub(crate) fn by_status(&self, answer: &Answer, words: Option<&str>) -> SyncError {
        let crm = self.crm;
        let status = answer.status.as_u16();
        let words = words.map(text::said).filter(|words| !words.is_empty());
        let said = words
            .as_ref()
            .map(|words| format!(": {words}"))
            .unwrap_or_default();
        match status {
            401 => SyncError::Auth(format!("{crm} does not accept the sign-in{said}: sign in anew")),
            402 => SyncError::Auth(format!("{crm} says that the account is not paid{said}")),
            403 => SyncError::Auth(format!(
                "{crm} refuses access{said}: give the connection's user the right to leads and contacts"
            )),
            408 => self.ambiguous(answer.effect, "it took too long"),
            429 => SyncError::Limited {
                message: format!("{crm} was asked too much{said}"),
                after: answer.retry_after(self.now()),
            },
            300..=399 => SyncError::Auth(format!(
                "{crm} answers from another address: check the account's address in the settings"
            )),
            500..=599 => self.ambiguous(answer.effect, &format!("status {status}{said}")),
            _ => SyncError::Refused {
                message: format!("{crm} refuses (status {status}){said}"),
                field: None,
            },
        }
    }
}

/// A request with JSON in it, or without a body.
pub(crate) fn request(method: Method, url: &Url, body: Option<&Value>) -> Result<HttpRequest, SyncError> {
    let mut made = http::Request::builder()
        .method(method)
        .uri(url.as_str())
        .header(header::ACCEPT, "application/json");
    let bytes = match body {
        Some(body) => {
            made = made.header(header::CONTENT_TYPE, "application/json");
            Bytes::from(body.to_string())
        }
        None => Bytes::new(),
    };
    made.body(bytes).map_err(|_| unfit())
}

/// Adds a header; a value that is none (a token with a line break in it) is an error without the value.
pub(crate) fn with_header(
    mut request: HttpRequest,
    name: &'static str,
    value: &str,
) -> Result<HttpRequest, SyncError> {
    let mut value = header::HeaderValue::from_str(value).map_err(|_| {
        SyncError::Auth("the token in the settings has characters that no token has: copy it anew".to_owned())
    })?;
    value.set_sensitive(true);
    request.headers_mut().insert(name, value);
    Ok(request)
}

fn unfit() -> SyncError {
    SyncError::Auth("the address in the settings cannot be asked: check it".to_owned())
}

/// An address below the account's.
pub(crate) fn at(base: &Url, path: &str, query: &[(&str, &str)]) -> Result<Url, SyncError> {
    let mut url = base.join(path).map_err(|_| unfit())?;
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(url)
}

/// One segment of a path, whatever is in it.
pub(crate) fn segment(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}
