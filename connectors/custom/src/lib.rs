//! Custom connector: any messenger, brought by a program of the company's own over HTTP (API.md, "Custom
//! connector"). What the program needs to know stands in docs/custom-connector.md.
//!
//! [`push`] reads what the program sends, [`call`] writes what it is sent, [`signature`] is the same both
//! ways; all three are pure. [`bridge`] asks.

mod bridge;
mod call;
mod push;
mod settings;
mod signature;

use std::sync::Arc;

use serde_json::Value;
pub use settings::Settings;
pub use signature::{Secret, sign};
use switchboard_sdk::{BuildContext, Capabilities, Connector, Descriptor, SettingsError};

use crate::bridge::Channel;

/// The registry entry.
pub static DESCRIPTOR: Descriptor = Descriptor {
    kind: "custom",
    label: "Custom connector",
    capabilities: Capabilities {
        inbound: true,
        outbound: true,
        attachments: true,
        typing: true,
        receipts: true,
        // The contract asks the other side to drop a `webhook-id` it has seen.
        idempotent_send: true,
        edit: true,
        delete: true,
        reply_to: true,
        closings: true,
        ..Capabilities::NONE
    },
    settings_schema: settings::schema,
    example: settings::example,
    build,
};

fn build(settings: Value, context: BuildContext) -> Result<Arc<dyn Connector>, SettingsError> {
    let bridge = settings::read(settings)?;
    Ok(Arc::new(Channel { bridge, context }))
}
