//! Asking HubSpot, and what its refusals mean.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::HubSpot;
use crate::{
    SyncError,
    shared::{
        client::{Answer, Effect, at},
        text, value,
    },
};

impl HubSpot {
    pub(super) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, SyncError> {
        let url = at(&self.api, path, query)?;
        self.rest.send(Method::GET, &url, None, Effect::Reads).await
    }

    pub(super) async fn read(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, SyncError> {
        self.good(&self.get(path, query).await?)
    }

    /// A search or a reading of many: a POST that changes nothing.
    pub(super) async fn ask_for(&self, path: &str, body: &Value) -> Result<Value, SyncError> {
        let url = at(&self.api, path, &[])?;
        self.good(
            &self
                .rest
                .send(Method::POST, &url, Some(body), Effect::Reads)
                .await?,
        )
    }

    pub(super) async fn send(&self, method: Method, path: &str, body: &Value) -> Result<Answer, SyncError> {
        let url = at(&self.api, path, &[])?;
        self.rest.send(method, &url, Some(body), Effect::Writes).await
    }

    pub(super) async fn write(&self, method: Method, path: &str, body: &Value) -> Result<Value, SyncError> {
        self.good(&self.send(method, path, body).await?)
    }

    pub(super) fn good(&self, answer: &Answer) -> Result<Value, SyncError> {
        if !answer.status.is_success() {
            return Err(self.failure(answer));
        }
        match answer.json() {
            Value::Null => Err(self.rest.client.strange(answer.effect)),
            said => Ok(said),
        }
    }

    pub(super) fn failure(&self, answer: &Answer) -> SyncError {
        let said = answer.json();
        let words = value::text(&said, "message");
        match answer.status.as_u16() {
            429 => self.limited(answer, value::text(&said, "policyName")),
            // 423: the record is being written by somebody; 477: the account is being moved. Nothing was done.
            423 | 477 => SyncError::Limited {
                message: "HubSpot asks to come back".to_owned(),
                after: answer
                    .retry_after(self.rest.client.now())
                    .or(Some(Duration::from_secs(5))),
            },
            403 => {
                let scopes = ["requiredGranularScopes", "requiredScopes"]
                    .iter()
                    .find_map(|name| said.pointer(&format!("/errors/0/context/{name}")));
                let scopes = scopes
                    .map(|scopes| value::plain(scopes, ", "))
                    .unwrap_or_default();
                SyncError::Auth(format!(
                    "HubSpot refuses access: give the app the scopes it lacks ({})",
                    if scopes.is_empty() {
                        text::said(words)
                    } else {
                        scopes
                    }
                ))
            }
            400 | 409 => SyncError::Refused {
                message: text::said(&format!("HubSpot refuses: {words}")),
                field: field(&said),
            },
            _ => self.rest.client.by_status(answer, Some(words)),
        }
    }

    fn limited(&self, answer: &Answer, policy: &str) -> SyncError {
        let interval = answer
            .header("x-hubspot-ratelimit-interval-milliseconds")
            .and_then(|value| value.parse().ok())
            .map_or(Duration::from_secs(10), Duration::from_millis);
        let (what, usual) = match policy {
            // The day ends at midnight of the account's time zone, which the answer does not tell.
            "DAILY" => ("its requests of today are used up", Duration::from_secs(3600)),
            "SECONDLY" => ("too many requests in a second", Duration::from_secs(1)),
            _ => ("too many requests in a row", interval),
        };
        SyncError::Limited {
            message: format!("HubSpot was asked too much: {what}"),
            after: Some(answer.retry_after(self.rest.client.now()).unwrap_or(usual)),
        }
    }
}

/// The property that was refused.
pub(super) fn field(said: &Value) -> Option<String> {
    let named = said
        .pointer("/errors/0/context/propertyName/0")
        .or_else(|| said.pointer("/errors/0/name"))
        .and_then(Value::as_str);
    if let Some(named) = named {
        return Some(named.to_owned());
    }
    // Older answers carry a list in JSON inside their message.
    let message = value::text(said, "message");
    let (_, list) = message.split_once('[')?;
    let list: Value = serde_json::from_str(&format!("[{list}")).ok()?;
    list.pointer("/0/name").and_then(Value::as_str).map(str::to_owned)
}

/// Whether a refusal is about this property.
pub(super) fn names(answer: &Answer, property: &str) -> bool {
    String::from_utf8_lossy(&answer.body).contains(property)
}

/// The record that is in the way: `Contact already exists. Existing ID: 51`.
pub(super) fn existing(words: &str) -> Option<String> {
    let (_, rest) = words.split_once("Existing ID:")?;
    let id: String = rest.trim().chars().take_while(char::is_ascii_digit).collect();
    (!id.is_empty()).then_some(id)
}

/// A connection to make together with a record.
pub(super) fn association(to: &str, kind: u32) -> Value {
    json!({
        "to": {"id": to},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind}],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refused_property_is_found_in_new_and_old_answers() {
        let new = json!({"errors": [{"context": {"propertyName": ["amount"]}}]});
        assert_eq!(field(&new).as_deref(), Some("amount"));
        let old = json!({"message": "Property values were not valid: [{\"isValid\":false,\"name\":\"closedate\"}]"});
        assert_eq!(field(&old).as_deref(), Some("closedate"));
        assert_eq!(field(&json!({"message": "something [else"})), None);
        assert_eq!(
            existing("Contact already exists. Existing ID: 51").as_deref(),
            Some("51")
        );
    }
}
