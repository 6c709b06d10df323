//! What visitors write, read and say about it.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension,
    body::Bytes,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use switchboard_sdk::VisitorDesk;

use super::{Chat, Shared, Visitor, spend};
use crate::{
    api::{
        extract::{Json, Query, read_json},
        problem::{Problem, Result},
    },
    app::App,
    conversation::{
        read::{ClientMarks, by_client},
        view::Views,
    },
    db::entity::{conversation, visitor},
    live::Typing,
    routing::place::InQueue,
    visitor::{
        self as visitors, Posted,
        hub::{Listener, Signal},
        mail::transcript::Offered,
        profile::Profile,
        standing::Asked,
        store,
        view::{self, VisitorMessage},
    },
};

/// Messages of a page, unless asked for fewer or more.
const PAGE: u64 = 50;
const LARGEST_PAGE: u64 = 200;
/// The longest a request waits for something new.
const LONGEST_WAIT_SECS: u64 = 25;
/// How much of an unsent text operators are shown, in characters.
const TYPED_CHARS: usize = 2000;

#[derive(Debug, Deserialize)]
pub(super) struct PostIn {
    client_id: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    attachments: Vec<String>,
}

#[derive(Debug, Serialize)]
struct PostOut {
    id: String,
    seq: i64,
    conversation_id: String,
}

pub(super) async fn create(
    State(app): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    Extension(chat): Extension<Chat>,
    Visitor(visitor): Visitor,
    body: Bytes,
) -> Result<Response> {
    chat.spend(&app, &shared.messages)?;
    spend(&app, &shared.visitor_messages, &visitor)?;
    chat.spend_of_channel(&app, &shared.channel_messages)?;
    let given: PostIn = read_json(&body)?;
    let posted = Posted {
        client_id: given.client_id,
        text: given.text,
        attachment_ids: given.attachments,
    };
    let accepted = visitors::post(
        &app.db,
        &app.ingest,
        chat.desk()?,
        &visitor,
        posted,
        app.clock.now(),
    )
    .await?;
    app.host.reached(chat.channel_id());
    let status = if accepted.is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let out = PostOut {
        id: accepted.id,
        seq: accepted.seq,
        conversation_id: accepted.conversation_id,
    };
    Ok((status, Json(out)).into_response())
}

#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    after: Option<i64>,
    cursor: Option<String>,
    limit: Option<u64>,
    /// Seconds to wait for something new, where there are no sockets.
    wait: Option<u64>,
}

#[derive(Debug, Serialize)]
pub(super) struct ListOut {
    items: Vec<VisitorMessage>,
    next_cursor: Option<String>,
    /// Their place in the queue, while they wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<InQueue>,
    /// The question for a rating, when the session ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    rating: Option<Asked>,
    /// They may have the session that ended sent to them.
    #[serde(skip_serializing_if = "Option::is_none")]
    transcript: Option<Offered>,
}

pub(super) async fn list(
    State(app): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    Extension(chat): Extension<Chat>,
    Visitor(visitor): Visitor,
    Query(query): Query<ListQuery>,
) -> Result<Json<ListOut>> {
    spend(&app, &shared.visitor_reads, &visitor)?;
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(Problem::bad_request(format!("limit must be 1 to {LARGEST_PAGE}")));
    }
    let after = match query.cursor.as_deref().filter(|cursor| !cursor.is_empty()) {
        Some(cursor) => cursor
            .parse()
            .map_err(|_| Problem::bad_request("this cursor is none of this list"))?,
        None => query.after.unwrap_or(0),
    };
    // Listening begins before the look, so that nothing falls between the two. Who has too many ears does not wait.
    let longest = LONGEST_WAIT_SECS.min(app.config.server.request_timeout_secs.saturating_sub(5));
    let wait = Duration::from_secs(query.wait.unwrap_or(0).min(longest));
    let mut listener = match wait.is_zero() {
        true => None,
        false => app.visitors.listen(&visitor),
    };
    let mut conversation = store::conversation(app.db.read(), &visitor).await?;
    if let (Some(listener), Some(found)) = (&mut listener, &conversation) {
        listener.bind(&found.id);
        // What was stored before the ear was there is seen, what comes after is heard.
        conversation = store::conversation_by_id(app.db.read(), &found.id).await?;
    }
    if let Some(mut listener) = listener
        && conversation.as_ref().is_none_or(|row| row.last_seq <= after)
    {
        tokio::select! {
            () = app.stop.cancelled() => {}
            _ = tokio::time::timeout(wait, news(&mut listener, after)) => {}
        }
        conversation = store::conversation(app.db.read(), &visitor).await?;
    }
    let Some(conversation) = conversation else {
        return Ok(Json(ListOut {
            items: Vec::new(),
            next_cursor: None,
            queue: None,
            rating: None,
            transcript: None,
        }));
    };
    let (items, more) = page(&app, &chat, &visitor, &conversation, after, limit).await?;
    let next_cursor = items.last().filter(|_| more).map(|last| last.seq.to_string());
    let now = app.clock.now();
    let standing = chat.standing(&app, &visitor, &conversation, now).await?;
    Ok(Json(ListOut {
        items,
        next_cursor,
        queue: standing.queue,
        rating: standing.rating,
        transcript: standing.transcript,
    }))
}

/// Resolves when there is something to come for: a message, or the session stands differently.
async fn news(listener: &mut Listener, after: i64) {
    let mut stood: Option<u64> = None;
    while let Some(signal) = listener.next().await {
        match signal {
            Signal::Message(message) if message.seq > after => return,
            Signal::Found(_) | Signal::Resync => return,
            Signal::Progress { stands, .. } => {
                if stood.replace(stands).is_some_and(|stood| stood != stands) {
                    return;
                }
            }
            Signal::Message(_) | Signal::Changed(_) | Signal::Typing { .. } | Signal::Queue(_) => {}
        }
    }
}

/// Messages after a number, and whether there are more.
pub(super) async fn page(
    app: &App,
    chat: &Chat,
    visitor: &visitor::Model,
    conversation: &conversation::Model,
    after: i64,
    limit: u64,
) -> Result<(Vec<VisitorMessage>, bool)> {
    // Nothing new is the usual answer to a poll, and the conversation's row knows it.
    if after >= conversation.last_seq {
        return Ok((Vec::new(), false));
    }
    let mut rows = store::messages(app.db.read(), &conversation.id, after, limit).await?;
    let size = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > size;
    rows.truncate(size);
    let views = Views::new(std::iter::empty())
        .messages(app.db.read(), rows)
        .await?;
    let (now, mask) = (app.clock.now(), chat.mask(app).await?);
    let (read_seq, proven) = (conversation.read_seq, store::is_proven(visitor));
    let seen = |message| view::message(message, read_seq, &mask, proven, &app.vault, chat.key(), now);
    Ok((views.iter().filter_map(seen).collect(), more))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TypingIn {
    text: Option<String>,
}

pub(super) async fn typing(
    State(app): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    Extension(chat): Extension<Chat>,
    Visitor(visitor): Visitor,
    body: Bytes,
) -> Result<StatusCode> {
    let given: TypingIn = if body.is_empty() {
        TypingIn::default()
    } else {
        read_json(&body)?
    };
    // Too often is no reason to bother a visitor: the hint is dropped.
    if spend(&app, &shared.visitor_hints, &visitor).is_ok()
        && let Some(conversation) = store::conversation(app.db.read(), &visitor).await?
    {
        tell_typing(&app, &chat, &visitor, &conversation, given.text);
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Tells the operators that the visitor is typing; what they type, where the chat says so.
pub(super) fn tell_typing(
    app: &App,
    chat: &Chat,
    visitor: &visitor::Model,
    conversation: &conversation::Model,
    text: Option<String>,
) {
    let shown = chat
        .connector
        .visitor_desk()
        .is_some_and(VisitorDesk::shows_typing);
    app.live.typing(Typing {
        conversation_id: conversation.id.clone(),
        author_type: "contact",
        author_id: conversation.contact_id.clone(),
        author_name: Profile::of(visitor).person(visitor).name,
        text: text
            .filter(|_| shown)
            .map(|text| text.chars().take(TYPED_CHARS).collect()),
    });
}

/// Ends the talk.
pub(super) async fn end(
    State(app): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    Visitor(visitor): Visitor,
) -> Result<StatusCode> {
    spend(&app, &shared.visitor_messages, &visitor)?;
    let conversation = store::conversation(app.db.read(), &visitor).await?;
    let conversation = conversation.ok_or(visitors::Error::NoConversation)?;
    visitors::end(&app.db, &conversation, app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize)]
pub(super) struct ReadIn {
    seq: i64,
}

pub(super) async fn read(
    State(app): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    Visitor(visitor): Visitor,
    body: Bytes,
) -> Result<StatusCode> {
    spend(&app, &shared.visitor_reads, &visitor)?;
    let given: ReadIn = read_json(&body)?;
    if let Some(conversation) = store::conversation(app.db.read(), &visitor).await? {
        mark(
            &app,
            &conversation,
            ClientMarks {
                delivered: None,
                read: Some(given.seq),
            },
        )
        .await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Writes down how far the visitor is, when that is news.
pub(super) async fn mark(app: &App, conversation: &conversation::Model, marks: ClientMarks) -> Result<()> {
    let read = marks.read.is_some_and(|seq| seq > conversation.client_read_seq);
    let delivered = marks
        .delivered
        .is_some_and(|seq| seq > conversation.client_delivered_seq);
    if !read && !delivered {
        return Ok(());
    }
    let mut write = app.db.write().await?;
    if by_client(&mut write, &conversation.id, marks, app.clock.now()).await? {
        write.commit().await?;
    }
    Ok(())
}

#[derive(Debug, Deserialize)]
pub(super) struct RatingIn {
    score: i64,
    #[serde(default)]
    comment: Option<String>,
}

pub(super) async fn rate(
    State(app): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    Visitor(visitor): Visitor,
    body: Bytes,
) -> Result<StatusCode> {
    spend(&app, &shared.visitor_messages, &visitor)?;
    let given: RatingIn = read_json(&body)?;
    let conversation = store::conversation(app.db.read(), &visitor).await?;
    let conversation = conversation.ok_or(visitors::Error::NoConversation)?;
    visitors::rate(
        &app.db,
        &conversation,
        given.score,
        given.comment.as_deref(),
        app.clock.now(),
    )
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TranscriptIn {
    email: Option<String>,
}

/// Mails the session that ended to its visitor, once.
pub(super) async fn transcript(
    State(app): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    Extension(chat): Extension<Chat>,
    Visitor(visitor): Visitor,
    body: Bytes,
) -> Result<StatusCode> {
    spend(&app, &shared.visitor_messages, &visitor)?;
    chat.spend(&app, &shared.transcripts)?;
    chat.spend_of_channel(&app, &shared.channel_transcripts)?;
    let given: TranscriptIn = if body.is_empty() {
        TranscriptIn::default()
    } else {
        read_json(&body)?
    };
    let conversation = store::conversation(app.db.read(), &visitor).await?;
    let conversation = conversation.ok_or(visitors::Error::NoConversation)?;
    let now = app.clock.now();
    app.chat_mail
        .ask(&visitor, &conversation.id, given.email.as_deref(), now)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
