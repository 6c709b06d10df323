//! Email: one mailbox in by IMAP, out by SMTP.
//!
//! The way in: `imap` (one connection) → `receive` (the loop of a folder, by the place of
//! `cursor`; `backfill` for earlier mail; `mailbox` for all folders) → [`map`] (bytes to
//! event; its rules are in `who`, `ids`, `automatic`, `report`, `authentication`, `vcard`, `tag`, and those of what people
//! see in `content`: `body`, `attachment`, `inline`, `quote`, `invitation`, `protection`, `tnef`, `charset`, `plain`).
//! The way out: `compose` (answer to mail; its address fields in `recipients`) → `smtp` (one connection, step by
//! step; its answers judged by `verdict`) → `send` (within `limit`) → `sent` (a copy for the mailbox).

mod attachment;
pub mod auth;
mod authentication;
mod automatic;
mod backfill;
mod body;
mod bounce;
mod card_lines;
mod charset;
mod check;
mod compose;
mod content;
mod cursor;
mod facts;
mod fingerprint;
mod forward;
mod headers;
mod ids;
mod imap;
mod inline;
mod invitation;
pub mod large;
mod limit;
mod mailbox;
mod mailbox_name;
pub mod map;
mod memory;
mod net;
pub mod oauth;
mod plain;
mod protection;
mod quote;
mod quote_words;
mod receive;
mod recipients;
mod repeat;
mod report;
mod rtf;
mod send;
mod sent;
pub mod settings;
mod smtp;
mod tag;
mod tnef;
mod token;
mod trace;
mod vcard;
mod verdict;
mod who;

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use serde_json::Value;
use switchboard_sdk::{
    BuildContext, CancellationToken, Capabilities, CheckStep, Clock, Connector, Content, Descriptor, Fault,
    InboundEvent, Intake, OutboundMessage, Receiver, SendError, Sender, Sent, SettingsError, SignIn,
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
        max_attachment_bytes: None,
        typing: false,
        receipts: false,
        idempotent_send: false,
        hosted: false,
        threads: true,
        recipients: true,
        rich_text: true,
        max_message_bytes: Some(25 * 1024 * 1024),
        ..Capabilities::NONE
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
    settings.tokens = settings.auth.is_oauth().then(|| {
        Arc::new(oauth::Tokens::new(
            &settings.auth,
            settings.imap_username(),
            settings.accept_invalid_certs,
            Arc::clone(&context.clock),
            Arc::clone(&context.secrets),
        ))
    });
    let settings = Arc::new(settings);
    Ok(Arc::new(Email {
        mailbox: mailbox::Mailbox::new(&settings, context.clock.now(), context.scratch.clone()),
        outlet: send::Outlet::new(Arc::clone(&settings)),
        settings,
        scratch: context.scratch,
        clock: context.clock,
    }))
}

/// One mailbox.
struct Email {
    settings: Arc<Settings>,
    clock: Arc<dyn Clock>,
    /// Where temporary files lie.
    scratch: PathBuf,
    outlet: send::Outlet,
    mailbox: mailbox::Mailbox,
}

#[async_trait]
impl Connector for Email {
    async fn check(&self) -> Result<String, Fault> {
        let found = CheckStep::summary(check::steps(&self.settings).await)?;
        // The secret address is told nowhere else.
        Ok(match token::capture_address(&self.settings) {
            Some(address) => format!("{found} Colleagues file their mail here with {address} in copy."),
            None => found,
        })
    }

    async fn check_steps(&self) -> Vec<CheckStep> {
        check::steps(&self.settings).await
    }

    fn sign_in(&self) -> Option<&dyn SignIn> {
        let tokens = self.settings.tokens.as_deref()?;
        Some(tokens)
    }

    fn receiver(&self) -> Option<&dyn Receiver> {
        Some(self)
    }

    fn sender(&self) -> Option<&dyn Sender> {
        Some(self)
    }

    fn reparse(&self, _external_id: &str, raw: Content) -> Option<InboundEvent> {
        let raw = match map::Raw::of(raw, self.clock.now(), &self.scratch) {
            Ok(raw) => raw,
            Err(error) => {
                tracing::warn!(%error, "a large mail could not be taken apart");
                return None;
            }
        };
        let mapped = match map::map(&raw, &self.settings) {
            map::Mapped::Passed(what) => {
                map::Mapped::poison(&raw, &format!("it is {what}: there is nothing to store"))
            }
            event => event,
        };
        let event = mapped.event()?;
        Some(tag::routed(event, &raw.bytes, &self.settings))
    }
}

#[async_trait]
impl Receiver for Email {
    async fn run(&self, intake: Arc<dyn Intake>, stop: CancellationToken) -> Result<(), Fault> {
        let clock = self.clock.as_ref();
        self.mailbox
            .run(&self.settings, clock, intake.as_ref(), &stop)
            .await
    }

    fn takes_earlier(&self) -> bool {
        true
    }
}

#[async_trait]
impl Sender for Email {
    async fn send(&self, message: &OutboundMessage) -> Result<Sent, SendError> {
        self.outlet.send(message, self.clock.now()).await
    }

    fn external_id(&self, message: &OutboundMessage) -> Option<String> {
        Some(compose::external_id(message, &self.settings))
    }
}
