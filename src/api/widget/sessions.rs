//! Opening the chat.

use std::sync::Arc;

use axum::{Extension, body::Bytes, extract::State};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use switchboard_sdk::SessionRequest;

use super::{Chat, Shared};
use crate::{
    api::{
        extract::{Json, read_json},
        problem::Result,
    },
    app::App,
    line::{self, Rules, hours},
    routing::place::InQueue,
    visitor::{
        self as visitors,
        standing::{self, Asked, Standing},
        store,
    },
};

/// `POST sessions` answers.
#[derive(Debug, Serialize)]
pub(super) struct Session {
    visitor_token: String,
    conversation_id: Option<String>,
    line_open: bool,
    opens_at: Option<DateTime<Utc>>,
    queue: Option<InQueue>,
    rating: Option<Asked>,
    settings: Value,
}

pub(super) async fn open(
    State(app): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    Extension(chat): Extension<Chat>,
    body: Bytes,
) -> Result<Json<Session>> {
    chat.spend(&app, &shared.sessions)?;
    let request: SessionRequest = if body.is_empty() {
        SessionRequest::default()
    } else {
        read_json(&body)?
    };
    let now = app.clock.now();
    let desk = chat.desk()?;
    let opened = visitors::open(&app.db, desk, chat.channel_id(), &request, now).await?;
    let conversation = store::conversation(app.db.read(), &opened.visitor).await?;
    let standing = match &conversation {
        Some(row) => standing::of(&app.db, &app.board, &app.voice, row, now).await?,
        None => Standing::default(),
    };
    let opening = opening(&app, &chat, now).await?;
    let mut settings = desk.public_settings();
    if let Some(settings) = settings.as_object_mut() {
        settings
            .entry("max_upload_bytes")
            .or_insert_with(|| app.config.limits.upload_bytes().into());
    }
    Ok(Json(Session {
        visitor_token: opened.token,
        conversation_id: conversation.map(|row| row.id),
        line_open: opening.open,
        opens_at: opening.opens_at,
        queue: standing.queue,
        rating: standing.rating,
        settings,
    }))
}

async fn opening(app: &App, chat: &Chat, now: DateTime<Utc>) -> Result<hours::Opening> {
    let row = match line::store::find(app.db.read(), &chat.served.channel.line_id).await {
        Ok(row) => row,
        // A channel without its line takes messages all the same.
        Err(line::Error::Db(error)) => return Err(error.into()),
        Err(_) => return Ok(hours::Opening::ALWAYS),
    };
    Ok(hours::opening(
        Rules::from_stored(&row.rules)?.hours.as_ref(),
        now,
    ))
}
