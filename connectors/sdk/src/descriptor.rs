//! What a connector says about itself before any channel of it exists.

use std::{fmt, path::PathBuf, sync::Arc};

use serde::Serialize;
use serde_json::Value;

use crate::{Clock, Connector, Http, SecretKeeper, SigningKey};

/// One connector, described: the registry entry of its crate.
pub struct Descriptor {
    /// The channel kind in the API: `email`, `webchat`, `webform`, …
    pub kind: &'static str,
    /// What the admin app calls it.
    pub label: &'static str,
    /// What channels of this kind can do.
    pub capabilities: Capabilities,
    /// JSON Schema of the settings; the admin form is drawn from it. A secret carries
    /// `"x-secret": true`, is encrypted at rest and never read back.
    pub settings_schema: fn() -> Value,
    /// Settings that pass the schema and [`Descriptor::build`] (a test holds this).
    pub example: fn() -> Value,
    /// Checks settings and makes the connector of one channel. No I/O.
    pub build: fn(Value, BuildContext) -> Result<Arc<dyn Connector>, SettingsError>,
}

impl fmt::Debug for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Descriptor")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// What a kind of channel can do; checked before anything is sent to it.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Capabilities {
    /// Customers can write.
    pub inbound: bool,
    /// Operators can answer.
    pub outbound: bool,
    /// Files go both ways.
    pub attachments: bool,
    /// Longest text of one outbound message, in characters; `None` is unlimited.
    pub max_text_chars: Option<u32>,
    /// Largest single outbound file, in bytes; `None` leaves it to the server's upload limit.
    pub max_attachment_bytes: Option<u64>,
    /// Typing indicators go both ways.
    pub typing: bool,
    /// The customer's side reports delivery or reading.
    pub receipts: bool,
    /// The provider drops a second send with the same id, so an interrupted send may be repeated.
    pub idempotent_send: bool,
    /// Customers read the conversation from the server itself (web chat): stored is sent.
    pub hosted: bool,
    /// A conversation is one mail thread rather than everything from one contact.
    pub threads: bool,
    /// Messages have address fields (To, CC, BCC): they can be answered to all and forwarded.
    pub recipients: bool,
    /// Carries rich text beside the plain one.
    pub rich_text: bool,
    /// Largest message with all its files as the provider counts it, when a channel's setting
    /// `max_message_mb` says nothing else; `None` is unlimited.
    pub max_message_bytes: Option<u64>,
    /// What was sent can be changed at the customer's side.
    pub edit: bool,
    /// What was sent can be taken back from the customer's side.
    pub delete: bool,
    /// An answer can name the message it answers.
    pub reply_to: bool,
    /// Messages can have buttons.
    pub buttons: bool,
    /// The customer's side wants to know when a session was closed.
    pub closings: bool,
}

impl Capabilities {
    /// A channel that can do nothing: `Capabilities { inbound: true, ..Capabilities::NONE }`.
    pub const NONE: Self = Self {
        inbound: false,
        outbound: false,
        attachments: false,
        max_text_chars: None,
        max_attachment_bytes: None,
        typing: false,
        receipts: false,
        idempotent_send: false,
        hosted: false,
        threads: false,
        recipients: false,
        rich_text: false,
        max_message_bytes: None,
        edit: false,
        delete: false,
        reply_to: false,
        buttons: false,
        closings: false,
    };
}

/// What the server lends a channel.
#[derive(Clone)]
pub struct BuildContext {
    /// `chn_…`, for spans and derived names.
    pub channel_id: String,
    /// The channel's key in URLs.
    pub channel_key: String,
    /// The channel's name, as the admin typed it.
    pub channel_name: String,
    /// The server's own address as the world sees it, without a trailing slash.
    pub public_url: String,
    /// Largest accepted upload, in bytes.
    pub max_upload_bytes: u64,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Signs what the channel writes into addresses; the same as long as the channel lives.
    pub signing_key: SigningKey,
    /// A folder for temporary files, on the disk that files are kept on.
    pub scratch: PathBuf,
    /// Keeps secrets that change while the channel runs.
    pub secrets: Arc<dyn SecretKeeper>,
    /// Asks over HTTP, within the server's rules for addresses.
    pub http: Arc<dyn Http>,
}

impl fmt::Debug for BuildContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BuildContext")
            .field("channel_id", &self.channel_id)
            .finish_non_exhaustive()
    }
}

/// Settings that cannot work, said per field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct SettingsError {
    /// Dotted path of the field (`imap.host`); empty when it is about the whole.
    pub field: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl SettingsError {
    /// An error about one field.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}

/// Reads settings into the connector's own type; the message names the offending field.
impl From<serde_json::Error> for SettingsError {
    fn from(error: serde_json::Error) -> Self {
        Self::new("", error.to_string())
    }
}

/// The paths of all fields a settings schema marks with `"x-secret": true`, each as its list of
/// property names (`["imap", "password"]`). Follows local `$ref`s, not arrays: a secret inside a
/// list has no stable address.
pub fn secret_paths(schema: &Value) -> Vec<Vec<String>> {
    fn walk(root: &Value, node: &Value, path: &mut Vec<String>, found: &mut Vec<Vec<String>>, depth: usize) {
        if depth > 16 {
            return;
        }
        if node.get("x-secret").and_then(Value::as_bool) == Some(true) {
            found.push(path.clone());
            return;
        }
        if let Some(target) = node
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|r| r.strip_prefix('#'))
            && let Some(node) = root.pointer(target)
        {
            walk(root, node, path, found, depth + 1);
        }
        for combined in ["allOf", "anyOf", "oneOf"] {
            for node in node.get(combined).and_then(Value::as_array).into_iter().flatten() {
                walk(root, node, path, found, depth + 1);
            }
        }
        for (name, node) in node
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            path.push(name.clone());
            walk(root, node, path, found, depth + 1);
            path.pop();
        }
    }
    let mut found = Vec::new();
    walk(schema, schema, &mut Vec::new(), &mut found, 0);
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::secret_paths;

    #[test]
    fn secrets_are_found_through_references_and_nesting() {
        let schema = json!({
            "properties": {
                "imap": {"$ref": "#/$defs/Server"},
                "token": {"type": "string", "x-secret": true},
                "name": {"type": "string"}
            },
            "$defs": {"Server": {"properties": {"host": {}, "password": {"x-secret": true}}}}
        });
        assert_eq!(
            secret_paths(&schema),
            vec![
                vec!["imap".to_owned(), "password".to_owned()],
                vec!["token".to_owned()]
            ]
        );
    }
}
