//! Opening the chat.

use std::sync::Arc;

use axum::{
    Extension,
    body::Bytes,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use switchboard_sdk::SessionRequest;

use super::{Chat, Shared};
use crate::{
    api::{
        budget::Origin,
        extract::{Json, read_json},
        problem::{Problem, Result},
    },
    app::App,
    id,
    line::{self, Rules, hours},
    routing::place::InQueue,
    visitor::{
        self as visitors,
        mail::transcript::Offered,
        standing::{Asked, Standing},
        store,
        work::{self, Solution},
    },
};

/// Seconds for which a browser keeps the invitations.
const INVITATIONS_KEPT: &str = "private, max-age=300";

/// `POST sessions` answers.
#[derive(Debug, Serialize)]
pub(super) struct Session {
    visitor_token: String,
    conversation_id: Option<String>,
    line_open: bool,
    opens_at: Option<DateTime<Utc>>,
    queue: Option<InQueue>,
    rating: Option<Asked>,
    transcript: Option<Offered>,
    settings: Value,
}

/// What comes with a session request and is not the connector's to judge.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Beside {
    work: Option<Solution>,
}

pub(super) async fn open(
    State(app): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    Extension(chat): Extension<Chat>,
    body: Bytes,
) -> Result<Response> {
    chat.spend(&app, &shared.sessions)?;
    let (request, beside): (SessionRequest, Beside) = if body.is_empty() {
        Default::default()
    } else {
        (read_json(&body)?, read_json(&body)?)
    };
    let now = app.clock.now();
    let desk = chat.desk()?;
    let known = match request.visitor_token.as_deref() {
        Some(token) => store::by_token(app.db.read(), chat.channel_id(), token)
            .await?
            .map(|visitor| (token.to_owned(), visitor)),
        None => None,
    };
    // Who signed in is judged once the signature is: an address that is blocked is not theirs alone.
    if request.identity.is_none() {
        chat.judge(&app, known.as_ref().map(|(_, visitor)| visitor))
            .await?;
    }
    // Who is known, or whom the site's own server knows, is no stranger.
    let stranger = known.is_none() && request.identity.is_none();
    if stranger && let Some(puzzle) = asked_of(&app, &shared, &chat, beside.work.as_ref(), now) {
        return Ok(puzzle);
    }
    let origin = Some(chat.origin());
    let opened = visitors::open(&app.db, desk, chat.channel_id(), &request, origin, known, now).await?;
    if request.identity.is_some() {
        chat.judge(&app, Some(&opened.visitor)).await?;
    }
    let conversation = store::conversation(app.db.read(), &opened.visitor).await?;
    let standing = match &conversation {
        Some(row) => chat.standing(&app, &opened.visitor, row, now).await?,
        None => Standing::default(),
    };
    let opening = opening(&app, &chat, now).await?;
    let mut settings = desk.public_settings();
    if let Some(settings) = settings.as_object_mut() {
        settings
            .entry("max_upload_bytes")
            .or_insert_with(|| app.config.limits.upload_bytes().into());
    }
    let session = Session {
        visitor_token: opened.token,
        conversation_id: conversation.map(|row| row.id),
        line_open: opening.open,
        opens_at: opening.opens_at,
        queue: standing.queue,
        rating: standing.rating,
        transcript: standing.transcript,
        settings,
    };
    Ok(Json(session).into_response())
}

/// The puzzle a stranger has to solve first, while more of them come than a chat expects.
fn asked_of(
    app: &App,
    shared: &Shared,
    chat: &Chat,
    work: Option<&Solution>,
    now: DateTime<Utc>,
) -> Option<Response> {
    if !app.config.limits.enabled {
        return None;
    }
    let channel_id = chat.channel_id();
    if work.is_some_and(|solution| shared.spent.take(&app.vault, channel_id, solution, now)) {
        return None;
    }
    // Both are counted, so that a flood from one address is one of the channel too.
    let channel = shared.strangers.take(&chat.served.channel.id);
    let address = shared.neighbours.take(&Origin::from(chat.address));
    if channel.is_ok() && address.is_ok() {
        return None;
    }
    let problem = Problem {
        detail: "many visitors come at once: solve `work` and send it along as `work`".to_owned(),
        ..Problem::rate_limited(1)
    };
    let puzzle = work::puzzle(&app.vault, channel_id, &id::word(), now);
    let mut body = serde_json::to_value(&problem).unwrap_or_default();
    body["work"] = json!(puzzle);
    let mut response = problem.into_response();
    *response.body_mut() = body.to_string().into();
    response.headers_mut().remove(header::CONTENT_LENGTH);
    Some(response)
}

/// When visitors are invited to the chat, for the loader; the same for all, so browsers keep it for a while.
pub(super) async fn invitations(Extension(chat): Extension<Chat>) -> Result<Response> {
    let mut response = Json(json!({"items": chat.desk()?.invitations()})).into_response();
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static(INVITATIONS_KEPT));
    Ok(response)
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
