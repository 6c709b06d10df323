//! What an admin sets for a bridge.

use std::fmt;

use chrono::{DateTime, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use switchboard_sdk::SettingsError;
use url::Url;

use crate::signature::Secret;

/// Settings of one bridge (API.md, "custom").
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Custom connector")]
pub struct Settings {
    /// Where your program takes answers: an address that this server can reach. Empty: messages come in, and cannot be answered.
    #[serde(default)]
    #[schemars(title = "Callback address", length(max = 2000))]
    pub callback_url: Option<String>,
    /// Signs both directions (Standard Webhooks): `whsec_` and 24 to 64 random bytes in base64.
    #[schemars(title = "Secret")]
    pub secret: Text,
    /// The secret before the last rotation; good until its end.
    #[serde(default)]
    #[schemars(title = "Previous secret")]
    pub previous_secret: Option<Text>,
    /// Until when the previous secret is good.
    #[serde(default)]
    #[schemars(title = "Previous secret is good until")]
    pub previous_until: Option<Time>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An address may carry a token in its query.
        f.debug_struct("Settings")
            .field("callback_url", &self.callback_url.as_ref().map(|_| "…"))
            .field("previous_until", &self.previous_until)
            .finish_non_exhaustive()
    }
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Text(String);

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Text(…)")
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

impl JsonSchema for Text {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "maxLength": 400})
    }
}

/// A moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Time(pub DateTime<Utc>);

impl JsonSchema for Time {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date-time", "maxLength": 40})
    }
}

/// Settings, read and judged.
#[derive(Debug, Clone)]
pub struct Bridge {
    /// Where answers go.
    pub callback: Option<Url>,
    secret: Secret,
    previous: Option<(Secret, DateTime<Utc>)>,
}

impl Bridge {
    /// The secrets that are good now, the newest first.
    pub fn secrets(&self, now: DateTime<Utc>) -> Vec<&Secret> {
        let previous = self.previous.as_ref().filter(|(_, until)| now < *until);
        std::iter::once(&self.secret)
            .chain(previous.map(|(secret, _)| secret))
            .collect()
    }
}

/// The JSON Schema of [`Settings`], its secrets marked.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Settings).to_value();
    for name in ["secret", "previous_secret"] {
        let place = schema.pointer_mut(&format!("/properties/{name}"));
        if let Some(secret) = place.and_then(Value::as_object_mut) {
            secret.insert("x-secret".to_owned(), Value::Bool(true));
        }
    }
    // Set by rotating, never by hand.
    for name in ["previous_secret", "previous_until"] {
        let place = schema.pointer_mut(&format!("/properties/{name}"));
        if let Some(field) = place.and_then(Value::as_object_mut) {
            field.insert("readOnly".to_owned(), Value::Bool(true));
        }
    }
    schema
}

/// Reads and judges; errors name the field.
pub fn read(settings: Value) -> Result<Bridge, SettingsError> {
    let read: Settings = serde_path_to_error::deserialize(settings).map_err(|error| {
        let path = error.path().to_string();
        let message = error.inner().to_string();
        let field = named(&message).unwrap_or(path);
        SettingsError::new(if field == "." { String::new() } else { field }, message)
    })?;
    let secret =
        |field: &str, text: &Text| Secret::read(&text.0).map_err(|what| SettingsError::new(field, what));
    let callback = match read.callback_url.as_deref().map(str::trim) {
        None | Some("") => None,
        Some(url) => Some(callback(url)?),
    };
    let previous = match (&read.previous_secret, read.previous_until) {
        (Some(text), Some(until)) if !text.0.is_empty() => Some((secret("previous_secret", text)?, until.0)),
        _ => None,
    };
    Ok(Bridge {
        callback,
        secret: secret("secret", &read.secret)?,
        previous,
    })
}

fn callback(text: &str) -> Result<Url, SettingsError> {
    let wrong = |what: &str| SettingsError::new("callback_url", what);
    let url = Url::parse(text)
        .map_err(|_| wrong("is not a web address: write https://bridge.example/switchboard"))?;
    if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
        return Err(wrong("begins with https:// or http://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(
            "holds a user name or password: the signature says who asks",
        ));
    }
    Ok(url)
}

/// The field that serde's words are about, where its path ends one above.
fn named(message: &str) -> Option<String> {
    let rest = message
        .strip_prefix("unknown field `")
        .or_else(|| message.strip_prefix("missing field `"))?;
    rest.split_once('`').map(|(field, _)| field.to_owned())
}

/// Settings that work.
pub fn example() -> Value {
    serde_json::json!({
        "callback_url": "https://bridge.example/switchboard",
        "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    })
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::json;

    use super::*;

    #[test]
    fn errors_name_their_field() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        for (settings, field) in [
            (json!({}), "secret"),
            (json!({"secret": "plain"}), "secret"),
            (json!({"secret": "whsec_AAAA"}), "secret"),
            (json!({"secret": 5}), "secret"),
            (
                json!({"secret": secret, "callback_url": "bridge"}),
                "callback_url",
            ),
            (
                json!({"secret": secret, "callback_url": "ftp://bridge.example"}),
                "callback_url",
            ),
            (
                json!({"secret": secret, "callback_url": "https://a:b@bridge.example"}),
                "callback_url",
            ),
            (
                json!({"secret": secret, "previous_until": "soon"}),
                "previous_until",
            ),
            (json!({"secret": secret, "callbackurl": ""}), "callbackurl"),
        ] {
            assert_eq!(read(settings.clone()).unwrap_err().field, field, "{settings}");
        }
        assert!(read(json!({"secret": secret})).unwrap().callback.is_none());
    }

    #[test]
    fn the_previous_secret_lapses() {
        let until: DateTime<Utc> = "2026-11-23T00:00:00Z".parse().unwrap();
        let settings = json!({
            "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "previous_secret": "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "previous_until": until,
        });
        let bridge = read(settings).unwrap();
        assert_eq!(bridge.secrets(until - TimeDelta::seconds(1)).len(), 2);
        assert_eq!(bridge.secrets(until).len(), 1);
    }
}
