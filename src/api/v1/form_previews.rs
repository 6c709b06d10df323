//! Forms that are looked at before they are saved.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use switchboard_sdk::{PageRequest, secret_paths};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::channels::{descriptor_of, find};
use crate::{
    api::{
        Json,
        auth::Admin,
        problem::{Problem, Result},
    },
    app::App,
    db::entity::channel,
};

/// The kind of channel that is a form.
const KIND: &str = "webform";

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(preview_form))
}

/// A form as its editor has it now.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = FormPreviewIn)]
struct PreviewIn {
    /// The form, by id or key, when it exists: its address and its seal are then its own.
    channel: Option<String>,
    /// The settings as they would be saved.
    #[schema(value_type = Object)]
    settings: Value,
}

/// What a script needs to draw it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FormPreview)]
struct Preview {
    /// For the page `/form-preview/frame`, which takes it by `postMessage`.
    #[schema(value_type = Object)]
    definition: Value,
}

/// Draws a form that is not saved, or not saved so. What is wrong with its settings is named as when saving.
#[utoipa::path(post, path = "/api/v1/forms/preview", tag = "channels", request_body = PreviewIn,
    responses((status = 200, body = Preview)))]
async fn preview_form(
    State(app): State<App>,
    Admin(_caller): Admin,
    Json(input): Json<PreviewIn>,
) -> Result<Json<Preview>> {
    let descriptor = descriptor_of(&app, KIND)?;
    let row = match &input.channel {
        Some(word) => find(&app, word).await?,
        None => unsaved(&app),
    };
    let mut settings = input.settings;
    for path in secret_paths(&(descriptor.settings_schema)()) {
        stand_in(&mut settings, &path);
    }
    let connector = app.host.build(&row, settings).map_err(|error| {
        let field = if error.field.is_empty() {
            "settings".to_owned()
        } else {
            format!("settings.{}", error.field)
        };
        Problem::invalid(&field, error.message)
    })?;
    let request = PageRequest {
        path: "definition.json".to_owned(),
        now: app.clock.now(),
        ..PageRequest::default()
    };
    let page = connector.page().and_then(|pages| pages.page(&request));
    let page = page.ok_or_else(|| Problem::not_found("form"))?;
    let definition = serde_json::from_str(&page.body).map_err(|error| Problem::from_cause(&error))?;
    Ok(Json(Preview { definition }))
}

/// Secrets are never read back, so that an editor has none to send; nothing here is sent with them.
pub(super) fn stand_in(settings: &mut Value, path: &[String]) {
    let Some((last, above)) = path.split_last() else {
        return;
    };
    let mut at = settings;
    for name in above {
        match at.get_mut(name) {
            Some(inner) => at = inner,
            None => return,
        }
    }
    if let Some(fields) = at.as_object_mut() {
        let empty = fields
            .get(last)
            .is_none_or(|value| value.as_str().is_none_or(str::is_empty));
        if empty {
            fields.insert(last.clone(), "not-read-back".into());
        }
    }
}

/// A form without a row.
pub fn unsaved(app: &App) -> channel::Model {
    let now = app.clock.now();
    channel::Model {
        id: "chn_preview".to_owned(),
        key: "preview".to_owned(),
        kind: KIND.to_owned(),
        line_id: String::new(),
        name: String::new(),
        enabled: true,
        settings: Value::Object(serde_json::Map::new()),
        secrets: None,
        version: 0,
        health_state: "starting".to_owned(),
        last_success_at: None,
        last_error: None,
        last_error_at: None,
        looked_at: None,
        behind_since: None,
        created_at: now,
        updated_at: now,
    }
}
