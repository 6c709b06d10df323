//! Email: one mailbox in by IMAP, out by SMTP.
//!
//! The way in: `imap` (one connection) → `receive` (the loop, by the place of `cursor`) → [`map`] (bytes to
//! event; its rules are in `who`, `ids`, `body`, `attachment`, `automatic`, `report`, `charset`, `plain`).
//! The way out: `compose` (answer to mail) → `smtp` (one connection, step by step) → `send`.

mod attachment;
mod automatic;
mod body;
mod bounce;
mod charset;
mod check;
mod compose;
mod cursor;
mod facts;
mod headers;
mod ids;
mod imap;
mod mailbox_name;
pub mod map;
mod memory;
mod net;
mod plain;
mod receive;
mod repeat;
mod report;
mod send;
pub mod settings;
mod smtp;
mod token;
mod who;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::Value;
use switchboard_sdk::{
    BuildContext, CancellationToken, Capabilities, Clock, Connector, Descriptor, Fault, InboundEvent, Intake,
    OutboundMessage, Receiver, SendError, Sender, Sent, SettingsError,
};

pub use settings::Settings;

/// The registry entry.
pub static DESCRIPTOR: Descriptor = Descriptor {
    kind: "email",
    label: "Email",
    capabilities: Capabilities {
        inbound: true,
        outbound: true,
        attachments: true,
        max_text_chars: None,
        max_attachment_bytes: Some(25 * 1024 * 1024),
        typing: false,
        receipts: false,
        idempotent_send: false,
        hosted: false,
        threads: true,
    },
    settings_schema: settings::schema,
    example: settings::example,
    build,
};

/// The reply address of a message, or its bounce address; none where the settings make none.
pub fn reply_address_of(message_id: &str, bounces: bool, settings: &Settings) -> Option<String> {
    let purpose = if bounces {
        token::Purpose::Bounce
    } else {
        token::Purpose::Reply
    };
    token::address(purpose, message_id, settings)
}

/// The address that colleagues put in copy; none where that is off.
pub fn capture_address_of(settings: &Settings) -> Option<String> {
    token::capture_address(settings)
}

fn build(settings: Value, context: BuildContext) -> Result<Arc<dyn Connector>, SettingsError> {
    let mut settings = Settings::parse(settings)?;
    settings.signing_key = context.signing_key;
    let settings = Arc::new(settings);
    let memory = memory::Memory::watching(context.clock.now());
    Ok(Arc::new(Email {
        settings,
        clock: context.clock,
        outlet: send::Outlet::default(),
        memory,
    }))
}

/// One mailbox.
struct Email {
    settings: Arc<Settings>,
    clock: Arc<dyn Clock>,
    outlet: send::Outlet,
    memory: memory::Memory,
}

#[async_trait]
impl Connector for Email {
    async fn check(&self) -> Result<String, Fault> {
        let found = check::check(&self.settings).await?;
        // The secret address is told nowhere else.
        Ok(match token::capture_address(&self.settings) {
            Some(address) => format!("{found} Colleagues file their mail here with {address} in copy."),
            None => found,
        })
    }

    fn receiver(&self) -> Option<&dyn Receiver> {
        Some(self)
    }

    fn sender(&self) -> Option<&dyn Sender> {
        Some(self)
    }

    fn reparse(&self, _external_id: &str, raw: Bytes) -> Option<InboundEvent> {
        let raw = map::Raw {
            bytes: raw,
            arrived: self.clock.now(),
            cut_from: None,
        };
        let mapped = match map::map(&raw, &self.settings) {
            map::Mapped::Passed(what) => {
                map::Mapped::poison(&raw, &format!("it is {what}: there is nothing to store"))
            }
            event => event,
        };
        mapped.event()
    }
}

#[async_trait]
impl Receiver for Email {
    async fn run(&self, intake: Arc<dyn Intake>, stop: CancellationToken) -> Result<(), Fault> {
        let run = receive::Run {
            settings: &self.settings,
            clock: self.clock.as_ref(),
            intake: intake.as_ref(),
            stop: &stop,
            memory: &self.memory,
        };
        run.run().await
    }
}

#[async_trait]
impl Sender for Email {
    async fn send(&self, message: &OutboundMessage) -> Result<Sent, SendError> {
        self.outlet.send(message, &self.settings).await
    }

    fn external_id(&self, message: &OutboundMessage) -> Option<String> {
        Some(compose::external_id(message, &self.settings))
    }
}
