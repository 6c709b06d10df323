//! Telegram: one bot, by long polling or webhook.
//!
//! The way in: `api` (asking, by teloxide) → `receive` (the loop, or the webhook's watch) and `hook` (what is
//! brought) → [`map`] (an update becomes events; its parts are in [`update`], [`content`], [`entities`], [`start`],
//! `menu`) → `fetch` (files, at once). The way out: [`plan`] (an answer becomes messages; [`markup`], [`split`]) →
//! [`limit`] (when each may leave) → `calls` (as teloxide sends it) → `send` (what became of it).

pub mod address;
mod api;
mod bots;
mod calls;
mod check;
pub mod content;
pub mod entities;
mod fetch;
mod hook;
pub mod limit;
pub mod map;
pub mod markup;
pub mod menu;
pub mod plan;
mod receive;
mod send;
pub mod settings;
pub mod split;
pub mod start;
mod trouble;
pub mod update;

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use switchboard_sdk::{
    Addressee, BuildContext, CancellationToken, Capabilities, CheckStep, Clock, Connector, Content,
    Descriptor, Fault, InboundEvent, Intake, OutboundDeletion, OutboundEdit, OutboundMessage, Receiver,
    SendError, Sender, Sent, SettingsError, Webhook,
};

pub use settings::Settings;

/// The registry entry.
pub static DESCRIPTOR: Descriptor = Descriptor {
    kind: "telegram",
    label: "Telegram",
    capabilities: Capabilities {
        inbound: true,
        outbound: true,
        attachments: true,
        max_attachment_bytes: Some(api::CLOUD_UPLOAD),
        typing: true,
        rich_text: true,
        edit: true,
        delete: true,
        reply_to: true,
        buttons: true,
        ..Capabilities::NONE
    },
    settings_schema: settings::schema,
    example: settings::example,
    build,
};

fn build(settings: Value, context: BuildContext) -> Result<Arc<dyn Connector>, SettingsError> {
    let settings = Arc::new(Settings::parse(settings)?);
    let api = api::Api::new(Arc::clone(&settings))
        .map_err(|trouble| SettingsError::new("api_url", trouble.to_string()))?;
    Ok(Arc::new(Telegram {
        outlet: send::Outlet::new(api.clone(), Arc::clone(&settings)),
        hook: hook::of(&settings, &context),
        file_limit: fetch::limit(&settings, context.max_upload_bytes),
        channel_name: context.channel_name,
        clock: context.clock,
        settings,
        api,
    }))
}

/// One bot.
pub(crate) struct Telegram {
    settings: Arc<Settings>,
    api: api::Api,
    outlet: send::Outlet,
    hook: receive::Hook,
    file_limit: u64,
    channel_name: String,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl Connector for Telegram {
    async fn check(&self) -> Result<String, Fault> {
        CheckStep::summary(self.check_steps().await)
    }

    async fn check_steps(&self) -> Vec<CheckStep> {
        check::steps(&self.api, &self.settings, &self.hook).await
    }

    fn receiver(&self) -> Option<&dyn Receiver> {
        Some(self)
    }

    fn webhook(&self) -> Option<&dyn Webhook> {
        Some(self)
    }

    fn sender(&self) -> Option<&dyn Sender> {
        Some(self)
    }

    fn reparse(&self, external_id: &str, raw: Content) -> Option<InboundEvent> {
        let update: Value = serde_json::from_slice(&raw.read_all().ok()?).ok()?;
        let taken = map::map(&update, &self.api.known(), &self.settings, self.clock.now());
        let draft = taken.drafts.into_iter().next()?;
        let mut event = draft.event;
        event.external_id = external_id.to_owned();
        Some(event)
    }
}

#[async_trait]
impl Receiver for Telegram {
    async fn run(&self, intake: Arc<dyn Intake>, stop: CancellationToken) -> Result<(), Fault> {
        receive::Run {
            api: &self.api,
            settings: &self.settings,
            channel_name: &self.channel_name,
            hook: &self.hook,
            file_limit: self.file_limit,
            clock: self.clock.as_ref(),
            intake: intake.as_ref(),
            stop: &stop,
        }
        .run()
        .await
    }
}

#[async_trait]
impl Sender for Telegram {
    async fn send(&self, message: &OutboundMessage) -> Result<Sent, SendError> {
        self.outlet.send(message).await
    }

    async fn edit(&self, edit: &OutboundEdit) -> Result<(), SendError> {
        self.outlet.edit(edit).await
    }

    async fn delete(&self, deletion: &OutboundDeletion) -> Result<(), SendError> {
        self.outlet.delete(deletion).await
    }

    async fn typing(&self, to: &Addressee) -> Result<(), SendError> {
        self.outlet.typing(to).await
    }
}
