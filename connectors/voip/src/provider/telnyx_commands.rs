//! What Telnyx is told to do: a click to call is a dialogue of commands, for Call Control has no script that runs there.
//!
//! The operator's telephone is rung ("Dial"); once it is answered the call is transferred to the client ("Transfer"); when
//! the client cannot be had, the operator's leg is hung up, which Telnyx leaves standing. What to do next travels in
//! `client_state`, which comes back with every webhook of its leg, so nothing is remembered here; `command_id` lets
//! Telnyx drop repetitions (<https://developers.telnyx.com/api-reference/call-commands/dial>).

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use switchboard_sdk::HttpRequest;

use super::{Dial, post_json};
use crate::{proof, push::text, secret::Secrets};

/// How long a telephone rings, in seconds.
const RING_SECS: u32 = 45;

/// What is needed to command.
pub struct Commands {
    api_key: String,
    connection_id: String,
    api: String,
}

/// What is to be done next, and on which leg's behalf.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "switchboard", rename_all = "snake_case")]
enum Next {
    /// This is the operator's leg: once answered, ring the client.
    RingClient { id: String, to: String, from: String },
    /// This is the client's leg: once it ended without an answer, end the operator's.
    HangUp { id: String, operator_leg: String },
}

impl Next {
    fn written(&self) -> String {
        STANDARD.encode(json!(self).to_string())
    }

    fn read(state: &str) -> Option<Self> {
        serde_json::from_slice(&STANDARD.decode(state).ok()?).ok()
    }
}

impl Commands {
    /// With the account's key and its application, where both are set.
    pub fn of(secrets: &Secrets, api: String) -> Option<Self> {
        Some(Self {
            api_key: secrets.api_key.first()?.to_owned(),
            connection_id: secrets.application_id.first()?.to_owned(),
            api,
        })
    }

    /// Rings the operator's telephone.
    pub fn dial(&self, dial: &Dial<'_>) -> Result<HttpRequest, String> {
        let shown = dial
            .rules
            .shown_number()
            .ok_or("set an own number to show to the client")?;
        let telephone = match dial.rules.telephone(dial.extension) {
            Some(telephone) => telephone,
            None if dial.extension.starts_with('+') => dial.extension.to_owned(),
            None => format!("sip:{}@sip.telnyx.com", dial.extension),
        };
        let next = Next::RingClient {
            id: dial.id.to_owned(),
            to: dial.number.to_owned(),
            from: shown.to_owned(),
        };
        self.command(
            "calls",
            &json!({
                "connection_id": self.connection_id,
                "to": telephone,
                "from": shown,
                "timeout_secs": RING_SECS,
                "webhook_url": dial.hook,
                "webhook_url_method": "POST",
                "client_state": next.written(),
                "command_id": command_id("dial", dial.id),
            }),
        )
    }

    /// What a webhook asks for, if it belongs to a dialogue of ours.
    pub fn next(&self, body: &Value) -> Option<Result<HttpRequest, String>> {
        let payload = body.pointer("/data/payload")?;
        let next = Next::read(&text(payload, "/client_state")?)?;
        let leg = text(payload, "/call_control_id")?;
        match (text(body, "/data/event_type")?.as_ref(), next) {
            ("call.answered", Next::RingClient { id, to, from }) => {
                let state = Next::HangUp {
                    id: id.clone(),
                    operator_leg: leg.clone().into_owned(),
                };
                Some(self.action(
                    &leg,
                    "transfer",
                    &json!({
                        "to": to,
                        "from": from,
                        "timeout_secs": RING_SECS,
                        "target_leg_client_state": state.written(),
                        "command_id": command_id("transfer", &id),
                    }),
                ))
            }
            // A leg that was talked on takes the other with it.
            ("call.hangup", Next::HangUp { id, operator_leg }) => Some(self.action(
                &operator_leg,
                "hangup",
                &json!({"command_id": command_id("hangup", &id)}),
            )),
            _ => None,
        }
    }

    fn action(&self, leg: &str, action: &str, body: &Value) -> Result<HttpRequest, String> {
        let leg: String = url::form_urlencoded::byte_serialize(leg.as_bytes()).collect();
        self.command(&format!("calls/{leg}/actions/{action}"), body)
    }

    fn command(&self, path: &str, body: &Value) -> Result<HttpRequest, String> {
        post_json(
            &format!("{}/v2/{path}", self.api),
            &format!("Bearer {}", self.api_key),
            body,
        )
    }
}

/// The client, and the own number they are shown, of a leg that was begun by a click and is the operator's.
pub fn clicked(payload: &Value) -> Option<(String, String)> {
    match Next::read(&text(payload, "/client_state")?)? {
        Next::RingClient { to, from, .. } => Some((to, from)),
        Next::HangUp { .. } => None,
    }
}

/// A wish's command of one kind; no longer than Telnyx takes.
fn command_id(kind: &str, wish: &str) -> String {
    proof::sha256_hex(&[kind.as_bytes(), b" ", wish.as_bytes()])
        .chars()
        .take(36)
        .collect()
}
