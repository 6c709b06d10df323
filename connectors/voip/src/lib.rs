//! Telephone connector: what providers say of calls becomes [`CallEvent`](switchboard_sdk::CallEvent)s.
//!
//! The way of a report: [`push`] reads the request, a provider's own file in `provider` verifies it as that
//! provider signs and translates it, [`number`] says who is at each end. Nothing is folded here: each report is
//! translated by itself, and the server computes the call from all of them.

mod ami;
mod check;
mod jwt;
mod line;
mod number;
mod proof;
mod provider;
mod push;
mod rules;
mod secret;
mod settings;
mod standard;
mod window;

use std::sync::Arc;

use serde_json::Value;
pub use settings::Settings;
use switchboard_sdk::{BuildContext, Capabilities, Connector, Descriptor, SettingsError};

use crate::line::Line;

/// The registry entry.
pub static DESCRIPTOR: Descriptor = Descriptor {
    kind: "voip",
    label: "Telephony",
    capabilities: Capabilities {
        inbound: true,
        ..Capabilities::NONE
    },
    settings_schema: settings::schema,
    example: settings::example,
    build,
};

fn build(settings: Value, context: BuildContext) -> Result<Arc<dyn Connector>, SettingsError> {
    Ok(Arc::new(Line::new(settings::read(settings)?, context)))
}
