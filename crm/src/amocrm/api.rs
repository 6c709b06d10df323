//! Asking amoCRM, and what its refusals mean.

use std::time::Duration;

use http::Method;
use serde_json::Value;

use super::Amo;
use crate::{
    SyncError,
    shared::{
        client::{Answer, Effect, at},
        text, value,
    },
};

/// How long an address stays away that was blocked for asking too much.
const BLOCKED: Duration = Duration::from_secs(3600);

impl Amo {
    pub(super) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, SyncError> {
        let url = at(&self.account, &format!("/api/v4/{path}"), query)?;
        self.rest.send(Method::GET, &url, None, Effect::Reads).await
    }

    /// What is there; nothing is answered with 204 and no body.
    pub(super) async fn read(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, SyncError> {
        let answer = self.get(path, query).await?;
        self.good(answer)
    }

    pub(super) async fn write(&self, method: Method, path: &str, body: &Value) -> Result<Value, SyncError> {
        let url = at(&self.account, &format!("/api/v4/{path}"), &[])?;
        let of_one = method == Method::PATCH;
        let answer = self.rest.send(method, &url, Some(body), Effect::Writes).await?;
        if answer.status.is_success() {
            let said = answer.json();
            return match said {
                Value::Null => Err(self.rest.client.strange(Effect::Writes)),
                said => Ok(said),
            };
        }
        Err(match self.failure(&answer, body) {
            // A right to this record is missing, not to all of them.
            SyncError::Auth(message) if of_one && answer.status.as_u16() == 403 => {
                SyncError::Refused { message, field: None }
            }
            error => error,
        })
    }

    /// Makes one record; answers its id.
    pub(super) async fn make(&self, path: &str, record: &Value) -> Result<String, SyncError> {
        let made = self
            .write(Method::POST, path, &Value::Array(vec![record.clone()]))
            .await?;
        let kind = path.rsplit('/').next().unwrap_or(path);
        embedded(&made, kind)
            .first()
            .and_then(|one| one.get("id"))
            .and_then(value::reference)
            .ok_or_else(|| self.rest.client.strange(Effect::Writes))
    }

    pub(super) fn good(&self, answer: Answer) -> Result<Value, SyncError> {
        if !answer.status.is_success() {
            return Err(self.failure(&answer, &Value::Null));
        }
        match answer.json() {
            Value::Null if !answer.body.is_empty() => Err(self.rest.client.strange(answer.effect)),
            said => Ok(said),
        }
    }

    fn failure(&self, answer: &Answer, body: &Value) -> SyncError {
        let said = answer.json();
        let status = answer.status.as_u16();
        let words = match value::text(&said, "detail") {
            "" => value::text(&said, "title"),
            detail => detail,
        };
        match status {
            429 => SyncError::Limited {
                message: "amoCRM was asked more than seven times a second".to_owned(),
                after: Some(
                    answer
                        .retry_after(self.rest.client.now())
                        .unwrap_or(Duration::from_secs(2)),
                ),
            },
            // A missing right is told in JSON; a blocked address gets the page of the gate before it.
            403 if said.is_null() => SyncError::Limited {
                message: "amoCRM has blocked this server's address for asking too much".to_owned(),
                after: Some(answer.retry_after(self.rest.client.now()).unwrap_or(BLOCKED)),
            },
            400 => {
                let Some(first) = said.pointer("/validation-errors/0/errors/0") else {
                    return self.rest.client.by_status(answer, Some(words));
                };
                let path = value::text(first, "path");
                let field = field_at(body, path);
                let named = field.as_deref().unwrap_or(path);
                SyncError::Refused {
                    message: text::said(&format!(
                        "amoCRM refuses {named}: {}",
                        value::text(first, "detail")
                    )),
                    field,
                }
            }
            _ => self.rest.client.by_status(answer, Some(words)),
        }
    }
}

/// The records in an answer.
pub(super) fn embedded(answer: &Value, kind: &str) -> Vec<Value> {
    let found = answer.get("_embedded").and_then(|embedded| embedded.get(kind));
    found.and_then(Value::as_array).cloned().unwrap_or_default()
}

/// The field that a path into what was sent (`custom_fields_values.0.values.0.value`) is about.
fn field_at(body: &Value, path: &str) -> Option<String> {
    let mut place = match body {
        Value::Array(items) => items.first()?,
        other => other,
    };
    let mut first = None;
    for part in path.split('.').filter(|part| !part.is_empty()) {
        if first.is_none() && part.parse::<usize>().is_err() {
            first = Some(part.to_owned());
        }
        let next = match part.parse::<usize>() {
            Ok(at) => place.get(at).or(Some(place).filter(|place| place.is_object())),
            Err(_) => place.get(part),
        };
        let Some(next) = next else { break };
        place = next;
        if let Some(id) = place.get("field_id").or_else(|| place.get("field_code")) {
            return value::id(id);
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_leads_to_the_field_that_was_sent() {
        let body = json!([{"custom_fields_values": [{"field_id": 1, "values": []}, {"field_id": 77, "values": [{"value": "x"}]}]}]);
        let at = |path: &str| field_at(&body, path);
        assert_eq!(at("custom_fields_values.1.values.0.value").as_deref(), Some("77"));
        assert_eq!(at("0.custom_fields_values.0.field_id").as_deref(), Some("1"));
        assert_eq!(at("status_id").as_deref(), Some("status_id"));
        assert_eq!(at(""), None);
    }
}
