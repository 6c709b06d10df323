//! What was said in a chat, sent to its visitor by mail.

use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    conversation_actions::to_act_on,
    conversations::{reached, visible},
};
use crate::{
    api::{
        Json, Path,
        problem::{Problem, Result},
        right::{May, on, to},
    },
    app::App,
    conversation::view::MessageView,
    operator::rights::Action,
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(see_transcript, send_transcript))
}

/// Whether the transcript of a chat can be sent.
#[derive(Debug, Serialize, ToSchema)]
struct TranscriptView {
    /// An e-mail channel carries it.
    available: bool,
    /// The address the visitor gave, or that is proven to be theirs.
    email: Option<String>,
}

/// To whom.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct TranscriptIn {
    /// An address; the one that is known when empty.
    email: Option<String>,
}

/// Whether the transcript of a chat can be sent, and to which address that is known.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/transcript", tag = "conversations",
    operation_id = "see_transcript", params(("id" = String, Path, description = "`cnv_…`")),
    responses((status = 200, body = TranscriptView)))]
async fn see_transcript(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::View>,
    Path(id): Path<String>,
) -> Result<Json<TranscriptView>> {
    visible(&app, &caller.scope, &id).await?;
    let found = app.chat_mail.sendable(&id).await?;
    Ok(Json(TranscriptView {
        available: found.is_some(),
        email: found.and_then(|offered| offered.email),
    }))
}

/// Sends what was said in the present session of a web chat, or the last one, to its visitor by e-mail: what they may
/// read in the chat, never notes nor what hidden participants wrote. Answers the line that says so, with its delivery.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/transcript", tag = "conversations",
    operation_id = "send_transcript", params(("id" = String, Path, description = "`cnv_…`")), request_body = TranscriptIn,
    responses((status = 201, body = MessageView),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "No e-mail channel of its line can send it"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The address is none, or none is known"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "Too many mails went to this address")))]
async fn send_transcript(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::Export>,
    Path(id): Path<String>,
    Json(body): Json<TranscriptIn>,
) -> Result<(StatusCode, Json<MessageView>)> {
    to_act_on(&app, &caller, &id).await?;
    reached(&app, &caller.scope, Action::Export, &id).await?;
    let now = app.clock.now();
    let row = app
        .chat_mail
        .send(&id, &caller.operator, body.email.as_deref(), now)
        .await?;
    Ok((StatusCode::CREATED, Json(MessageView::new(row, Vec::new()))))
}
