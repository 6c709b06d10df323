//! Messages of a conversation: reading, writing, retrying.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use sea_orm::EntityTrait;
use serde::Deserialize;
use switchboard_sdk::Button;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::conversations::{reached, visible};
use crate::{
    api::{
        Json, Path, Query, file,
        page::{DEFAULT_LIMIT, MAX_LIMIT, Page},
        problem::{Problem, Result},
        right::{May, on, to},
    },
    app::App,
    conversation::{
        extra::Extra,
        message::MessageKind,
        store::{self, Range},
        view::MessageView,
    },
    db::entity::message,
    operator::rights::Action,
    outbound::{
        self, RetryError,
        address::Typed,
        mail::{Mail, Mode},
        reply,
    },
};

/// Longest idempotency key of a message, in characters.
const MAX_CLIENT_ID: usize = 128;

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_messages, create_message))
        .routes(routes!(retry_message))
        .routes(routes!(get_original))
}

/// Which messages.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct MessagesQuery {
    /// Those after this number, oldest first.
    after_seq: Option<i64>,
    /// Those before this number: the page just before it, oldest first.
    before_seq: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Rows of a page, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u64>,
}

/// Messages, oldest first. Without a parameter: the newest page, whose `next_cursor` leads back in time.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/messages", tag = "messages",
    params(("id" = String, Path, description = "`cnv_…`"), MessagesQuery),
    responses((status = 200, body = Page<MessageView>)))]
async fn list_messages(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::View>,
    Path(id): Path<String>,
    Query(query): Query<MessagesQuery>,
) -> Result<Json<Page<MessageView>>> {
    let limit = match query.limit {
        None => DEFAULT_LIMIT,
        Some(limit) if (1..=MAX_LIMIT).contains(&limit) => limit,
        Some(_) => return Err(Problem::bad_request(format!("limit must be 1 to {MAX_LIMIT}"))),
    };
    let range = match (query.cursor.as_deref(), query.after_seq, query.before_seq) {
        (Some(cursor), _, _) => read_cursor(cursor)?,
        (None, Some(seq), _) => Range::After(seq),
        (None, None, Some(seq)) => Range::Before(seq),
        (None, None, None) => Range::Newest,
    };
    visible(&app, &caller.scope, &id).await?;
    let (rows, more) = store::messages(app.db.read(), &id, range, limit).await?;
    let next_cursor = more.then(|| match range {
        Range::After(_) => rows.last().map(|row| format!("a{}", row.seq)),
        Range::Before(_) | Range::Newest => rows.first().map(|row| format!("b{}", row.seq)),
    });
    let items = app.views.messages(app.db.read(), rows).await?;
    Ok(Json(Page {
        items,
        next_cursor: next_cursor.flatten(),
    }))
}

fn read_cursor(cursor: &str) -> Result<Range> {
    let refused = || Problem::bad_request("this cursor is none that a list of messages gave out");
    let mut chars = cursor.chars();
    let direction = chars.next().ok_or_else(refused)?;
    let seq: i64 = chars.as_str().parse().map_err(|_| refused())?;
    match direction {
        'a' => Ok(Range::After(seq)),
        'b' => Ok(Range::Before(seq)),
        _ => Err(refused()),
    }
}

/// A message to write.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = MessageIn)]
struct MessageIn {
    /// Plain text; may be empty when there are files.
    #[serde(default)]
    text: String,
    /// `reply` goes to the customer, `note` stays inside.
    #[serde(default = "reply_kind")]
    kind: MessageKind,
    /// The caller's idempotency key.
    client_id: Option<String>,
    /// Files uploaded by the caller.
    #[serde(default)]
    attachments: Vec<String>,
    /// The text as rich text, on channels that carry it; sanitised.
    html: Option<String>,
    /// What the answer is, on channels with address fields; decides whom it goes to where `to` is empty. Without
    /// it: the customer.
    mode: Option<Mode>,
    /// Whom it is for.
    #[serde(default)]
    to: Vec<AddressIn>,
    /// Who is to know of it.
    #[serde(default)]
    cc: Vec<AddressIn>,
    /// Who gets it without the others knowing.
    #[serde(default)]
    bcc: Vec<AddressIn>,
    /// The message of this conversation that is passed on, with its files.
    forward_of: Option<String>,
    /// The message of this conversation that it answers, where the channel can name one (`can_reply_to`).
    reply_to: Option<String>,
    /// Rows of buttons under it, where the channel has any: each `{"label","url"}` or `{"label","data"}`.
    #[serde(default)]
    #[schema(value_type = Vec<Vec<Object>>)]
    buttons: Vec<Vec<Button>>,
    /// Asks for the customer's phone number with a button, where the channel has one.
    #[serde(default)]
    request_phone: bool,
    /// Whether the signature of operator and line is put under it, on channels with address fields.
    #[serde(default = "yes")]
    signature: bool,
}

/// An address to send to: alone, or with a name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
enum AddressIn {
    /// Alone.
    Plain(String),
    /// With a name.
    Named {
        /// The name beside it.
        name: Option<String>,
        /// The address.
        address: String,
    },
}

impl From<AddressIn> for Typed {
    fn from(given: AddressIn) -> Self {
        match given {
            AddressIn::Plain(address) => Self { name: None, address },
            AddressIn::Named { name, address } => Self { name, address },
        }
    }
}

fn yes() -> bool {
    true
}

fn reply_kind() -> MessageKind {
    MessageKind::Reply
}

/// Writes a reply or a note. The same `client_id` twice answers 200 with the first message.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/messages", tag = "messages",
    params(("id" = String, Path, description = "`cnv_…`")), request_body = MessageIn,
    responses((status = 201, body = MessageView), (status = 200, description = "known already", body = MessageView)))]
async fn create_message(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::Edit>,
    Path(id): Path<String>,
    Json(body): Json<MessageIn>,
) -> Result<(StatusCode, Json<MessageView>)> {
    reached(&app, &caller.scope, Action::Edit, &id).await?;
    if body
        .client_id
        .as_ref()
        .is_some_and(|key| key.is_empty() || key.chars().count() > MAX_CLIENT_ID)
    {
        return Err(Problem::invalid(
            "client_id",
            format!("is 1 to {MAX_CLIENT_ID} characters"),
        ));
    }
    let draft = reply::Draft {
        kind: body.kind,
        text: body.text,
        client_id: body.client_id,
        attachment_ids: body.attachments,
        mail: Mail {
            mode: body.mode,
            to: body.to.into_iter().map(Typed::from).collect(),
            cc: body.cc.into_iter().map(Typed::from).collect(),
            bcc: body.bcc.into_iter().map(Typed::from).collect(),
            html: body.html,
            forward_of: body.forward_of,
            unsigned: !body.signature,
        },
        reply_to: body.reply_to,
        extra: Extra {
            buttons: body.buttons,
            request_phone: body.request_phone,
            ..Extra::default()
        },
    };
    let mut write = app.db.write().await?;
    let now = app.clock.now();
    let (row, new) = reply::post(&mut write, &app.views, &id, &caller.operator, draft, now)
        .await
        .map_err(problem)?;
    if new {
        write.commit().await?;
    }
    let view = view(&app, row).await?;
    Ok((if new { StatusCode::CREATED } else { StatusCode::OK }, Json(view)))
}

fn problem(error: reply::Error) -> Problem {
    match error {
        reply::Error::Missing => Problem::not_found("conversation"),
        reply::Error::Invalid { field, message } => Problem::invalid(field, message),
        reply::Error::CannotReply => Problem::invalid("kind", error.to_string()),
        reply::Error::QueueGives => Problem::forbidden(error.to_string()),
        reply::Error::Db(error) => error.into(),
    }
}

/// Sends a failed or uncertain message once more.
#[utoipa::path(post, path = "/api/v1/messages/{id}/retry", tag = "messages",
    params(("id" = String, Path, description = "`msg_…`")), responses((status = 200, body = MessageView)))]
async fn retry_message(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::Edit>,
    Path(id): Path<String>,
) -> Result<Json<MessageView>> {
    let found = message::Entity::find_by_id(&id).one(app.db.read()).await?;
    let found = found.ok_or_else(|| Problem::not_found("message"))?;
    reached(&app, &caller.scope, Action::Edit, &found.conversation_id)
        .await
        .map_err(|problem| problem.about("message"))?;
    let mut write = app.db.write().await?;
    let row = outbound::retry(&mut write, &id, app.clock.now())
        .await
        .map_err(|error| match error {
            RetryError::Db(error) => Problem::from(error),
            other => Problem::conflict(other.to_string()),
        })?;
    write.commit().await?;
    Ok(Json(view(&app, row).await?))
}

/// How much of an original.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct OriginalQuery {
    /// Only the first so many bytes; all of them when absent.
    #[param(minimum = 1)]
    first: Option<u64>,
}

/// The mail as it came, byte for byte, for whoever sees its conversation. Always a file to keep, never a page to show:
/// it may hold anything.
#[utoipa::path(get, path = "/api/v1/messages/{id}/original", tag = "messages",
    params(("id" = String, Path, description = "`msg_…`"), OriginalQuery),
    responses((status = 200, description = "the mail", content_type = "message/rfc822", body = Vec<u8>),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "Not a mail, or not kept")))]
async fn get_original(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::View>,
    Path(id): Path<String>,
    Query(query): Query<OriginalQuery>,
) -> Result<Response> {
    let found = message::Entity::find_by_id(&id).one(app.db.read()).await?;
    let found = found.ok_or_else(|| Problem::not_found("message"))?;
    visible(&app, &caller.scope, &found.conversation_id)
        .await
        .map_err(|_| Problem::not_found("message"))?;
    let key = found.original_key.ok_or_else(|| Problem::not_found("original"))?;
    let body = match query.first {
        Some(0) => return Err(Problem::bad_request("first must be 1 or more")),
        Some(first) => {
            let beginning = app.storage.get_first(&key, first).await;
            beginning
                .map_err(|error| file::problem(error, "original"))?
                .into_response()
        }
        None => file::stored(&app.storage, &key, "original").await?,
    };
    let headers = [
        (header::CONTENT_TYPE, "message/rfc822".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{id}.eml\""),
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; sandbox".to_owned(),
        ),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    Ok((headers, body).into_response())
}

async fn view(app: &App, row: message::Model) -> Result<MessageView> {
    let mut views = app.views.messages(app.db.read(), vec![row]).await?;
    views.pop().ok_or_else(|| Problem::not_found("message"))
}
