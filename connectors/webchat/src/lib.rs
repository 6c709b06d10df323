//! Web chat: what a visitor of a site says in the widget.
//!
//! The channel is hosted: the server keeps tokens, sockets and storage, and the visitor reads the
//! conversation from it. This crate keeps the rules ([`VisitorDesk`]): which sites may embed the chat
//! ([`desk`](Desk)), what a signed identity proves (`identity`), and how a visitor's words become an event
//! (`message`).

mod desk;
mod identity;
mod message;
mod settings;

use std::sync::Arc;

use async_trait::async_trait;
pub use desk::Desk;
pub use identity::sign;
pub use message::{MAX_CLIENT_ID_CHARS, MAX_TEXT_CHARS};
use serde_json::{Value, json};
pub use settings::{Secret, Settings};
use switchboard_sdk::{BuildContext, Capabilities, Connector, Descriptor, Fault, SettingsError, VisitorDesk};

/// The registry entry.
pub static DESCRIPTOR: Descriptor = Descriptor {
    kind: "webchat",
    label: "Web chat",
    capabilities: Capabilities {
        inbound: true,
        outbound: true,
        attachments: true,
        max_text_chars: Some(MAX_TEXT_CHARS as u32),
        max_attachment_bytes: None,
        typing: true,
        receipts: true,
        idempotent_send: false,
        hosted: true,
        threads: false,
        recipients: false,
        rich_text: false,
        max_message_bytes: None,
        edit: true,
        delete: true,
        reply_to: true,
        ..Capabilities::NONE
    },
    settings_schema: settings::schema,
    example: || {
        json!({
            "allowed_origins": ["https://shop.example", "https://*.shop.example"],
            "title": "Ask us",
            "accent_color": "#2563eb",
            "locale": "en",
            "prechat_fields": [
                {"name": "name", "label": "Your name", "type": "text", "required": true, "maps_to": "contact.name"},
                {"name": "email", "label": "E-mail", "type": "email", "maps_to": "contact.email"}
            ],
            "require_prechat": false,
            "identity_secret": "a-long-random-string-known-to-your-server"
        })
    },
    build,
};

fn build(settings: Value, context: BuildContext) -> Result<Arc<dyn Connector>, SettingsError> {
    Ok(Arc::new(WebChat {
        desk: Desk::new(Settings::read(settings)?, context),
    }))
}

struct WebChat {
    desk: Desk,
}

#[async_trait]
impl Connector for WebChat {
    async fn check(&self) -> Result<String, Fault> {
        Ok(self.desk.describe())
    }

    fn visitor_desk(&self) -> Option<&dyn VisitorDesk> {
        Some(&self.desk)
    }
}
