//! Kinds of channels this build has.

use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use switchboard_sdk::Descriptor;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{Json, auth::Staff, page::Page},
    app::App,
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_connectors))
}

/// A kind of channel.
#[derive(Debug, Serialize, ToSchema)]
pub struct Connector {
    /// The word for it.
    pub kind: &'static str,
    /// What people call it.
    pub label: &'static str,
    /// What its channels can do.
    pub capabilities: Capabilities,
    /// JSON Schema of the settings; a field with `x-secret` is never read back.
    #[schema(value_type = Object)]
    pub settings_schema: Value,
    /// Settings that work.
    #[schema(value_type = Object)]
    pub example: Value,
}

/// What channels of a kind can do.
#[derive(Debug, Serialize, ToSchema)]
pub struct Capabilities {
    /// Customers can write.
    pub inbound: bool,
    /// Operators can answer.
    pub outbound: bool,
    /// Files go both ways.
    pub attachments: bool,
    /// Longest answer in characters; null: unlimited.
    pub max_text_chars: Option<u32>,
    /// Largest file of an answer in bytes; null: the server's upload limit.
    pub max_attachment_bytes: Option<u64>,
    /// Typing is shown both ways.
    pub typing: bool,
    /// Delivery or reading is reported.
    pub receipts: bool,
    /// Customers read the conversation from this server.
    pub hosted: bool,
    /// Messages have address fields: they can be answered to all and forwarded.
    pub recipients: bool,
    /// Carries rich text.
    pub rich_text: bool,
    /// Largest message with its files, when the channel's settings say nothing else; null: unlimited.
    pub max_message_bytes: Option<u64>,
    /// What was sent can be changed.
    pub edit: bool,
    /// What was sent can be taken back.
    pub delete: bool,
    /// Answers can name the message they answer.
    pub reply_to: bool,
    /// Messages can have buttons.
    pub buttons: bool,
}

impl From<&'static Descriptor> for Connector {
    fn from(descriptor: &'static Descriptor) -> Self {
        let can = descriptor.capabilities;
        Self {
            kind: descriptor.kind,
            label: descriptor.label,
            capabilities: Capabilities {
                inbound: can.inbound,
                outbound: can.outbound,
                attachments: can.attachments,
                max_text_chars: can.max_text_chars,
                max_attachment_bytes: can.max_attachment_bytes,
                typing: can.typing,
                receipts: can.receipts,
                hosted: can.hosted,
                recipients: can.recipients,
                rich_text: can.rich_text,
                max_message_bytes: can.max_message_bytes,
                edit: can.edit,
                delete: can.delete,
                reply_to: can.reply_to,
                buttons: can.buttons,
            },
            settings_schema: (descriptor.settings_schema)(),
            example: (descriptor.example)(),
        }
    }
}

/// Lists the kinds of channels, in the order to offer them.
#[utoipa::path(get, path = "/api/v1/connectors", tag = "connectors", operation_id = "list_connectors",
    responses((status = 200, body = Page<Connector>)))]
async fn list_connectors(State(app): State<App>, Staff(_caller): Staff) -> Json<Page<Connector>> {
    Json(Page::whole(
        app.host
            .descriptors()
            .iter()
            .copied()
            .map(Connector::from)
            .collect(),
    ))
}
