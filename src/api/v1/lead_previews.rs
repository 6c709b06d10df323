//! What a form would make of something that another service pushed: looked at before its mapping is saved.

use std::sync::Arc;

use axum::extract::State;
use http::{Method, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use switchboard_sdk::{InboundBody, Rejection, WebhookRequest, secret_paths};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    channels::{descriptor_of, find},
    form_previews::{stand_in, unsaved},
};
use crate::{
    api::{
        Json,
        auth::Admin,
        problem::{Problem, Result},
        push,
    },
    app::App,
    connector::pushes::PAYLOAD,
};

/// The kind of channel that is a form.
const KIND: &str = "webform";

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(preview_lead))
}

/// A push, and a form as its editor has it now.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LeadPreviewIn {
    /// The form, by id or key, when it exists.
    channel: Option<String>,
    /// The settings as they would be saved.
    #[schema(value_type = Object)]
    settings: Value,
    /// What was pushed: JSON, or names and values as forms send them. At most 16 KB.
    payload: String,
}

/// What would become of it.
#[derive(Debug, Serialize, ToSchema)]
struct LeadPreview {
    /// Nothing is stored of it: a service's trial.
    is_test: bool,
    /// What the operator would read.
    text: String,
    /// The contact's name.
    name: Option<String>,
    /// E-mail addresses and phone numbers, as they would be stored.
    identities: Vec<String>,
    /// The fields of the form, by name.
    #[schema(value_type = Object)]
    values: Value,
    /// What finds no field and is kept beside them.
    #[schema(value_type = Object)]
    extra: Value,
    /// Where it would be counted as coming from.
    #[schema(value_type = Object)]
    attribution: Value,
    /// What comes twice under this is one; none, when each push is a lead of its own.
    number: Option<String>,
}

/// Reads a push as this form would, storing nothing. Neither a secret nor a signature is asked for.
#[utoipa::path(post, path = "/api/v1/forms/lead-preview", tag = "channels", request_body = LeadPreviewIn,
    operation_id = "preview_lead", responses((status = 200, body = LeadPreview)))]
async fn preview_lead(
    State(app): State<App>,
    Admin(_caller): Admin,
    Json(input): Json<LeadPreviewIn>,
) -> Result<Json<LeadPreview>> {
    if input.payload.len() > PAYLOAD {
        return Err(Problem::invalid("payload", "at most 16 KB"));
    }
    let descriptor = descriptor_of(&app, KIND)?;
    let row = match &input.channel {
        Some(word) => find(&app, word).await?,
        None => unsaved(&app),
    };
    let mut settings = input.settings;
    for path in secret_paths(&(descriptor.settings_schema)()) {
        stand_in(&mut settings, &path);
    }
    // Nothing here is signed.
    if let Some(leads) = settings.get_mut("leads").and_then(Value::as_object_mut) {
        leads.remove("secret");
    }
    let connector = app
        .host
        .build(&row, settings)
        .map_err(|error| Problem::invalid(format!("settings.{}", error.field), error.message))?;
    let request = pushed(&row.key, input.payload)?;
    let now = app.clock.now();
    let connector = Arc::clone(&connector);
    let batch = match connector.webhook() {
        Some(hook) => hook.accept(&request, now),
        None => Err(Rejection::Malformed("this channel takes no pushes".to_owned())),
    };
    let batch = batch.map_err(|rejection| match rejection {
        Rejection::Invalid(_) | Rejection::Malformed(_) => {
            Problem::invalid("payload", push::words(&rejection))
        }
        other => push::rejected(&other),
    })?;
    let Some(event) = batch.events.into_iter().next() else {
        return Ok(Json(LeadPreview {
            is_test: true,
            text: String::new(),
            name: None,
            identities: Vec::new(),
            values: json!({}),
            extra: json!({}),
            attribution: json!({}),
            number: None,
        }));
    };
    let number = event.external_id.starts_with("lead:") || event.external_id.starts_with("key:");
    let InboundBody::Submission(lead) = event.body else {
        return Err(Problem::invalid("payload", "this is no lead"));
    };
    Ok(Json(LeadPreview {
        is_test: false,
        text: lead.text,
        name: lead.from.name,
        identities: lead.from.identities.into_iter().map(|it| it.value).collect(),
        values: json!(lead.values),
        extra: json!(lead.extra),
        attribution: json!(lead.attribution.last),
        number: number.then_some(event.external_id),
    }))
}

/// The push as it would come.
fn pushed(key: &str, payload: String) -> Result<WebhookRequest> {
    let json = payload.trim_start().starts_with(['{', '[']);
    let kind = if json {
        "application/json"
    } else {
        "application/x-www-form-urlencoded"
    };
    http::Request::builder()
        .method(Method::POST)
        .uri(format!("/hooks/lead/{key}"))
        .header(header::CONTENT_TYPE, kind)
        .body(payload.into())
        .map_err(|error| Problem::from_cause(&error))
}
