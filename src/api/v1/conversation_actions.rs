//! What is done with a conversation: `POST /api/v1/conversations/{id}/…`. Each answers the whole
//! conversation.

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, Request, State},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, de::DeserializeOwned};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::conversations::reached;
use crate::{
    api::{
        Json, Path,
        auth::Caller,
        extract::body_problem,
        problem::{Problem, Result},
        right::{May, on, to},
    },
    app::App,
    conversation::{
        label, participant,
        session::{self, Error},
        state::Refusal,
        view::ConversationView,
    },
    operator::rights::{Action, Object, Role},
    routing::{
        hand::{self, Transfer},
        offer,
    },
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(accept_conversation))
        .routes(routes!(decline_conversation))
        .routes(routes!(take_conversation))
        .routes(routes!(return_conversation))
        .routes(routes!(transfer_conversation))
        .routes(routes!(close_conversation))
        .routes(routes!(reopen_conversation))
        .routes(routes!(spam_conversation))
        .routes(routes!(snooze_conversation))
        .routes(routes!(add_conversation_participant))
        .routes(routes!(remove_conversation_participant))
        .routes(routes!(tag_conversation))
        .routes(routes!(prioritise_conversation))
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::not_found("conversation"),
            Error::Refused(Refusal::QueueGives) => Self::forbidden(Refusal::QueueGives.to_string()),
            Error::Refused(refusal) => Self::conflict(refusal.to_string()),
            Error::AtCapacity => Self::at_capacity(),
            Error::Invalid(errors) => Self::validation(errors),
            Error::Db(error) => error.into(),
        }
    }
}

/// A JSON body that may be missing: then everything has its default.
struct Optional<T>(T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for Optional<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let (parts, body) = request.into_parts();
        let request = Request::from_parts(parts.clone(), body);
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| body_problem(&rejection))?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        let Json(value) = Json::from_request(Request::from_parts(parts, Body::from(bytes)), state).await?;
        Ok(Self(value))
    }
}

/// The conversation, if the caller sees it and it is theirs to act on: their own, nobody's, one they participate in, that
/// of a member of their teams if their role reaches so far, or any for who reaches everything.
pub(super) async fn to_act_on(app: &App, caller: &Caller, id: &str) -> Result<ConversationView> {
    let view = reached(app, &caller.scope, Action::Edit, id).await?;
    let me = caller.operator.id.as_str();
    let extent = caller.scope.extent(Object::Conversation, Action::Edit);
    let open = view.session.state != "closed";
    let mine = !open
        || view.owner.as_deref().is_none_or(|owner| extent.owns(owner))
        || view
            .participants
            .iter()
            .any(|participant| participant.operator_id == me);
    if mine {
        return Ok(view);
    }
    Err(Problem::forbidden(
        "this conversation belongs to another operator; join it first, or ask a supervisor",
    ))
}

/// The conversation as it is now. Whoever just gave it away is answered too.
pub(super) async fn answer(app: &App, id: &str) -> Result<Json<ConversationView>> {
    let view = app.views.conversation(app.db.read(), id).await?;
    view.map(Json).ok_or_else(|| Problem::not_found("conversation"))
}

/// Accepts an offer: the session is the caller's. Accepting what one has already changes nothing.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/accept", tag = "conversations",
    operation_id = "accept_conversation", params(("id" = String, Path, description = "`cnv_…`")),
    responses((status = 200, body = ConversationView),
        (status = 409, description = "Not offered to the caller, or no longer; or the caller is at capacity")))]
async fn accept_conversation(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::Edit>,
    Path(id): Path<String>,
) -> Result<Json<ConversationView>> {
    reached(&app, &caller.scope, Action::Edit, &id).await?;
    let counting = &app.counting.get();
    let mut write = app.db.write().await?;
    offer::accept(&mut write, &id, &caller.operator, counting, app.clock.now()).await?;
    write.commit().await?;
    answer(&app, &id).await
}

/// What is said with a no.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
struct DeclineIn {
    /// Why, at most 200 characters; kept with the decision.
    reason: Option<String>,
}

/// Declines an offer: others are asked, and the caller not again in this round.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/decline", tag = "conversations",
    operation_id = "decline_conversation", params(("id" = String, Path, description = "`cnv_…`")),
    request_body = DeclineIn, responses((status = 200, body = ConversationView),
        (status = 409, description = "Not offered to the caller, or no longer")))]
async fn decline_conversation(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::Edit>,
    Path(id): Path<String>,
    Optional(input): Optional<DeclineIn>,
) -> Result<Json<ConversationView>> {
    reached(&app, &caller.scope, Action::Edit, &id).await?;
    let mut write = app.db.write().await?;
    let reason = input.reason.as_deref();
    offer::decline(&mut write, &id, &caller.operator, reason, app.clock.now()).await?;
    write.commit().await?;
    answer(&app, &id).await
}

/// How it is taken.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
struct TakeIn {
    /// Another's, and above one's capacity; for supervisors.
    force: bool,
}

/// Makes the caller the owner. It works while paused and respects the capacity.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/take", tag = "conversations",
    operation_id = "take_conversation", params(("id" = String, Path, description = "`cnv_…`")),
    request_body = TakeIn, responses((status = 200, body = ConversationView),
        (status = 409, description = "Somebody else was first, or the caller is at capacity")))]
async fn take_conversation(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::Edit>,
    Path(id): Path<String>,
    Optional(input): Optional<TakeIn>,
) -> Result<Json<ConversationView>> {
    reached(&app, &caller.scope, Action::Edit, &id).await?;
    if input.force && caller.role() < Role::Supervisor {
        return Err(Problem::forbidden("only a supervisor may force this"));
    }
    let counting = &app.counting.get();
    let mut write = app.db.write().await?;
    hand::take(
        &mut write,
        &id,
        &caller.operator,
        input.force,
        counting,
        app.clock.now(),
    )
    .await?;
    write.commit().await?;
    answer(&app, &id).await
}

/// Gives the conversation back to the queue.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/return", tag = "conversations",
    operation_id = "return_conversation", params(("id" = String, Path, description = "`cnv_…`")),
    responses((status = 200, body = ConversationView)))]
async fn return_conversation(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::Edit>,
    Path(id): Path<String>,
) -> Result<Json<ConversationView>> {
    to_act_on(&app, &caller, &id).await?;
    let mut write = app.db.write().await?;
    hand::give_back(&mut write, &id, &caller.operator, app.clock.now()).await?;
    write.commit().await?;
    answer(&app, &id).await
}

/// Where it goes: exactly one of both.
#[derive(Deserialize, ToSchema)]
struct TransferIn {
    /// An operator, `opr_…`.
    to_operator: Option<String>,
    /// A line, by id or key.
    to_line: Option<String>,
    /// The client is not told.
    #[serde(default)]
    silent: bool,
    /// A note for whoever gets it.
    comment: Option<String>,
}

/// Hands the conversation to another operator or to the queue of a line.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/transfer", tag = "conversations",
    operation_id = "transfer_conversation", params(("id" = String, Path, description = "`cnv_…`")),
    request_body = TransferIn, responses((status = 200, body = ConversationView),
        (status = 409, description = "The operator is at capacity")))]
async fn transfer_conversation(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::Edit>,
    Path(id): Path<String>,
    Json(input): Json<TransferIn>,
) -> Result<Json<ConversationView>> {
    to_act_on(&app, &caller, &id).await?;
    let how = Transfer {
        silent: input.silent,
        comment: input.comment,
    };
    let now = app.clock.now();
    let mut write = app.db.write().await?;
    match (input.to_operator, input.to_line) {
        (Some(to), None) => {
            let counting = &app.counting.get();
            hand::transfer_to_operator(&mut write, &id, &caller.operator, &to, &how, counting, now).await?;
        }
        (None, Some(to)) => hand::transfer_to_line(&mut write, &id, &caller.operator, &to, &how, now).await?,
        (Some(_), Some(_)) | (None, None) => {
            return Err(Problem::invalid(
                "to_operator",
                "give either to_operator or to_line",
            ));
        }
    }
    write.commit().await?;
    answer(&app, &id).await
}

/// Why it is closed.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
struct CloseIn {
    /// In a few words.
    reason: Option<String>,
}

/// Ends the session. The client who writes again begins a new one.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/close", tag = "conversations",
    operation_id = "close_conversation", params(("id" = String, Path, description = "`cnv_…`")),
    request_body = CloseIn, responses((status = 200, body = ConversationView)))]
async fn close_conversation(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::Edit>,
    Path(id): Path<String>,
    Optional(input): Optional<CloseIn>,
) -> Result<Json<ConversationView>> {
    to_act_on(&app, &caller, &id).await?;
    let mut write = app.db.write().await?;
    session::close(&mut write, &id, &caller.operator, input.reason, app.clock.now()).await?;
    write.commit().await?;
    answer(&app, &id).await
}

/// Begins a new session. It is the caller's if they stand in the line's queue and have room.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/reopen", tag = "conversations",
    operation_id = "reopen_conversation", params(("id" = String, Path, description = "`cnv_…`")),
    responses((status = 200, body = ConversationView), (status = 409, description = "It is open")))]
async fn reopen_conversation(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::Edit>,
    Path(id): Path<String>,
) -> Result<Json<ConversationView>> {
    let view = reached(&app, &caller.scope, Action::Edit, &id).await?;
    let in_queue = caller.scope.stands_in(&view.line_id);
    let counting = &app.counting.get();
    let mut write = app.db.write().await?;
    hand::reopen(
        &mut write,
        &id,
        &caller.operator,
        in_queue,
        counting,
        app.clock.now(),
    )
    .await?;
    write.commit().await?;
    answer(&app, &id).await
}

/// Ends the session as spam.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/spam", tag = "conversations",
    operation_id = "spam_conversation", params(("id" = String, Path, description = "`cnv_…`")),
    responses((status = 200, body = ConversationView)))]
async fn spam_conversation(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::Edit>,
    Path(id): Path<String>,
) -> Result<Json<ConversationView>> {
    to_act_on(&app, &caller, &id).await?;
    let mut write = app.db.write().await?;
    session::spam(&mut write, &id, &caller.operator, app.clock.now()).await?;
    write.commit().await?;
    answer(&app, &id).await
}

/// Until when it is out of sight.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
struct SnoozeIn {
    /// In the future; null brings it back.
    until: Option<DateTime<Utc>>,
}

/// Puts the conversation out of sight for a while. It keeps its owner and its place in their load.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/snooze", tag = "conversations",
    operation_id = "snooze_conversation", params(("id" = String, Path, description = "`cnv_…`")),
    request_body = SnoozeIn, responses((status = 200, body = ConversationView)))]
async fn snooze_conversation(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::Edit>,
    Path(id): Path<String>,
    Optional(input): Optional<SnoozeIn>,
) -> Result<Json<ConversationView>> {
    to_act_on(&app, &caller, &id).await?;
    let mut write = app.db.write().await?;
    label::snooze(&mut write, &id, input.until, app.clock.now()).await?;
    write.commit().await?;
    answer(&app, &id).await
}

/// Who joins.
#[derive(Deserialize, ToSchema)]
struct ParticipantIn {
    /// An operator; the caller when absent.
    operator_id: Option<String>,
    /// The client sees neither them nor what they write; for supervisors.
    #[serde(default)]
    hidden: bool,
}

/// Lets an operator join, or changes how they are seen.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/participants", tag = "conversations",
    operation_id = "add_conversation_participant", params(("id" = String, Path, description = "`cnv_…`")),
    request_body = ParticipantIn, responses((status = 200, body = ConversationView)))]
async fn add_conversation_participant(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::Edit>,
    Path(id): Path<String>,
    Json(input): Json<ParticipantIn>,
) -> Result<Json<ConversationView>> {
    reached(&app, &caller.scope, Action::Edit, &id).await?;
    if input.hidden && caller.role() < Role::Supervisor {
        return Err(Problem::forbidden("only a supervisor may join hidden"));
    }
    let who = input.operator_id.unwrap_or_else(|| caller.operator.id.clone());
    let mut write = app.db.write().await?;
    participant::join(&mut write, &id, &who, input.hidden, app.clock.now()).await?;
    write.commit().await?;
    answer(&app, &id).await
}

/// Lets a participant leave.
#[utoipa::path(delete, path = "/api/v1/conversations/{id}/participants/{operator_id}", tag = "conversations",
    operation_id = "remove_conversation_participant",
    params(("id" = String, Path, description = "`cnv_…`"), ("operator_id" = String, Path, description = "`opr_…`")),
    responses((status = 200, body = ConversationView)))]
async fn remove_conversation_participant(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::Edit>,
    Path((id, operator_id)): Path<(String, String)>,
) -> Result<Json<ConversationView>> {
    reached(&app, &caller.scope, Action::Edit, &id).await?;
    if operator_id != caller.operator.id {
        to_act_on(&app, &caller, &id).await?;
    }
    let mut write = app.db.write().await?;
    participant::leave(&mut write, &id, &operator_id, app.clock.now()).await?;
    write.commit().await?;
    answer(&app, &id).await
}

/// Which tags come and go.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
struct TagsIn {
    /// These come.
    add: Vec<String>,
    /// These go.
    remove: Vec<String>,
}

/// Adds and removes tags.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/tags", tag = "conversations",
    operation_id = "tag_conversation", params(("id" = String, Path, description = "`cnv_…`")),
    request_body = TagsIn, responses((status = 200, body = ConversationView)))]
async fn tag_conversation(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::Edit>,
    Path(id): Path<String>,
    Json(input): Json<TagsIn>,
) -> Result<Json<ConversationView>> {
    reached(&app, &caller.scope, Action::Edit, &id).await?;
    let mut write = app.db.write().await?;
    label::tag(&mut write, &id, &input.add, &input.remove, app.clock.now()).await?;
    write.commit().await?;
    answer(&app, &id).await
}

/// How urgent it is.
#[derive(Deserialize, ToSchema)]
struct PriorityIn {
    /// Higher goes first; 0 is usual.
    #[schema(minimum = -1000, maximum = 1000)]
    priority: i64,
}

/// Sets the priority.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/priority", tag = "conversations",
    operation_id = "prioritise_conversation", params(("id" = String, Path, description = "`cnv_…`")),
    request_body = PriorityIn, responses((status = 200, body = ConversationView)))]
async fn prioritise_conversation(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::Edit>,
    Path(id): Path<String>,
    Json(input): Json<PriorityIn>,
) -> Result<Json<ConversationView>> {
    reached(&app, &caller.scope, Action::Edit, &id).await?;
    let mut write = app.db.write().await?;
    label::prioritise(&mut write, &id, input.priority, app.clock.now()).await?;
    write.commit().await?;
    answer(&app, &id).await
}
