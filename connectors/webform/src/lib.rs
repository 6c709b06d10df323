//! Web forms: a post from a site becomes a submission.
//!
//! One channel is one form. The way of a post: `body` reads what came by its media type, `accept` checks
//! it against the definition in `settings`, `attribution` finds where the visitor came from, `spam` weighs
//! it with `content` and `memory`, and one [`InboundEvent`](switchboard_sdk::InboundEvent) goes out. `answer`
//! words what the caller gets, `next` says where they go, `page` draws the hosted form and `embed` the scripts
//! that put it into other pages, each in the visitor's `tongue`. A `seal` lets old drawings go on working.
//!
//! What other services push (`/hooks/lead/…`) must bring its `proof`, where a secret is set, and is read in the shapes
//! of `foreign`, by the `mapping` an admin drew, or, from `meta`, fetched.
//!
//! Nearly everything here is pure: no clock, no network, no state but a counter and what was posted lately. Only a
//! `captcha`, where an admin wants one, asks its service, and `meta` asks the Graph API.

mod accept;
mod answer;
mod attribution;
mod body;
mod captcha;
mod content;
mod embed;
mod extra;
mod foreign;
mod form;
mod mapping;
mod memory;
mod meta;
mod next;
mod notify;
mod page;
mod proof;
mod seal;
mod settings;
mod spam;
mod tongue;
mod words;

use std::sync::Arc;

use async_trait::async_trait;
pub use captcha::{CaptchaSettings, Provider};
use form::Form;
pub use mapping::Mapping;
pub use memory::Sameness;
pub use meta::MetaSettings;
use serde_json::{Value, json};
pub use settings::{ConsentSettings, CreatesSettings, LeadsSettings, Settings, SuccessSettings, Theme};
pub use spam::{HOLD_FROM, Signals, Verdict, judge};
use switchboard_sdk::{
    BuildContext, Capabilities, Connector, Descriptor, Fault, HostedPage, SettingsError, Webhook,
};

/// The registry entry.
pub static DESCRIPTOR: Descriptor = Descriptor {
    kind: "webform",
    label: "Web form",
    capabilities: Capabilities {
        inbound: true,
        outbound: false,
        attachments: true,
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
        ..Capabilities::NONE
    },
    settings_schema: settings::schema,
    example: || {
        json!({
            "title": "Call me back",
            "fields": [
                {"name": "name", "label": "Your name", "type": "text", "required": true, "maps_to": "contact.name"},
                {"name": "phone", "label": "Phone", "type": "phone", "required": true, "maps_to": "contact.phone", "placeholder": "+998 90 123 45 67"},
                {"name": "topic", "label": "About", "type": "select", "options": ["Prices", "Delivery"], "maps_to": "lead.fields.topic"},
                {"name": "comment", "label": "Comment", "type": "textarea", "maps_to": "lead.comment"}
            ],
            "submit_label": "Send",
            "success": {"message": "Thank you, we will call you.", "redirect_url": null},
            "consent": {"required": true, "text": "I agree to the processing of my data", "url": "https://shop.example/privacy"},
            "allowed_origins": ["*"],
            "moderation": false,
            "captcha": null,
            "color": "#2563eb",
            "default_region": "UZ"
        })
    },
    build,
};

fn build(settings: Value, context: BuildContext) -> Result<Arc<dyn Connector>, SettingsError> {
    Ok(Arc::new(WebForm {
        form: Form::new(Settings::read(settings)?, context),
    }))
}

struct WebForm {
    form: Form,
}

#[async_trait]
impl Connector for WebForm {
    async fn check(&self) -> Result<String, Fault> {
        Ok(self.form.describe())
    }

    fn webhook(&self) -> Option<&dyn Webhook> {
        Some(&self.form)
    }

    fn page(&self) -> Option<&dyn HostedPage> {
        Some(&self.form)
    }
}
