//! Asking Pipedrive, and what its refusals mean.

use std::time::Duration;

use chrono::{Days, NaiveTime};
use http::Method;
use serde_json::Value;

use super::Pipedrive;
use crate::{
    SyncError,
    shared::{
        client::{Answer, Effect, at},
        text, value,
    },
};

/// How long an address stays away that was blocked for asking too much.
const BLOCKED: Duration = Duration::from_secs(3600);

impl Pipedrive {
    pub(super) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, SyncError> {
        let url = at(&self.company, path, query)?;
        self.rest.send(Method::GET, &url, None, Effect::Reads).await
    }

    pub(super) async fn read(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, SyncError> {
        self.good(&self.get(path, query).await?)
    }

    /// Writes; answers the record.
    pub(super) async fn write(&self, method: Method, path: &str, body: &Value) -> Result<Value, SyncError> {
        let url = at(&self.company, path, &[])?;
        let of_one = method == Method::PATCH;
        let answer = self.rest.send(method, &url, Some(body), Effect::Writes).await?;
        if !answer.status.is_success() {
            return Err(match self.failure(&answer, body) {
                // A right to this record is missing, not to all of them.
                SyncError::Auth(message) if of_one && answer.status.as_u16() == 403 => {
                    SyncError::Refused { message, field: None }
                }
                error => error,
            });
        }
        let said = answer.json();
        match said.get("data") {
            Some(data) if !data.is_null() => Ok(data.clone()),
            _ => Err(self.rest.client.strange(Effect::Writes)),
        }
    }

    pub(super) fn good(&self, answer: &Answer) -> Result<Value, SyncError> {
        if !answer.status.is_success() {
            return Err(self.failure(answer, &Value::Null));
        }
        match answer.json() {
            Value::Null => Err(self.rest.client.strange(answer.effect)),
            said => Ok(said),
        }
    }

    fn failure(&self, answer: &Answer, body: &Value) -> SyncError {
        let said = answer.json();
        let words = [value::text(&said, "error"), value::text(&said, "error_info")].join(" ");
        match answer.status.as_u16() {
            429 => SyncError::Limited {
                message: format!("Pipedrive was asked too much: {}", text::said(&words)),
                after: Some(self.limit(answer, &words)),
            },
            // A missing right is told in JSON; a blocked address gets the page of the gate before it.
            403 if said.is_null() => SyncError::Limited {
                message: "Pipedrive has blocked this server's address for asking too much".to_owned(),
                after: Some(answer.retry_after(self.rest.client.now()).unwrap_or(BLOCKED)),
            },
            400 | 422 => SyncError::Refused {
                message: text::said(&format!("Pipedrive refuses: {words}")),
                field: field(&words, body),
            },
            _ => self.rest.client.by_status(answer, Some(&words)),
        }
    }

    /// The budget of a day comes back with the next day (UTC), the one of two seconds with the header.
    fn limit(&self, answer: &Answer, words: &str) -> Duration {
        let now = self.rest.client.now();
        let spent =
            answer.header("x-daily-requests-left") == Some("0") || words.to_lowercase().contains("daily");
        if spent {
            let tomorrow = now.date_naive().checked_add_days(Days::new(1));
            let tomorrow = tomorrow.map(|day| day.and_time(NaiveTime::MIN).and_utc());
            if let Some(left) = tomorrow.and_then(|tomorrow| (tomorrow - now).to_std().ok()) {
                return left;
            }
        }
        let reset = answer
            .header("x-ratelimit-reset")
            .and_then(|value| value.parse().ok());
        answer
            .retry_after(now)
            .or(reset.map(Duration::from_secs))
            .unwrap_or(Duration::from_secs(2))
    }
}

/// Which of the fields that were sent the words are about.
fn field(words: &str, body: &Value) -> Option<String> {
    let custom = body.get("custom_fields").and_then(Value::as_object);
    let sent = body
        .as_object()
        .into_iter()
        .chain(custom)
        .flat_map(|fields| fields.keys());
    let mut named: Vec<&String> = sent
        .filter(|name| {
            words
                .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
                .any(|word| word == name.as_str())
        })
        .collect();
    // The field itself rather than the group it is in.
    named.sort_by_key(|name| *name == "custom_fields");
    named.first().map(|name| (*name).clone())
}

/// The records in an answer.
pub(super) fn data(answer: &Value) -> Vec<Value> {
    let data = answer.get("data").map(value::items).unwrap_or_default();
    data.into_iter().cloned().collect()
}

/// Where the next page begins.
pub(super) fn next(answer: &Value) -> Option<String> {
    answer.pointer("/additional_data/next_cursor").and_then(value::id)
}
