//! Splitting and merging conversations, and taking that back.

use axum::extract::State;
use sea_orm::EntityTrait;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::conversation_actions::{answer, to_act_on};
use crate::{
    api::{
        Json, Path,
        problem::{Problem, Result},
        right::{May, on, to},
    },
    app::App,
    conversation::{rearrange, view::ConversationView},
    db::entity::conversation_link,
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(split_conversation))
        .routes(routes!(merge_conversation))
        .routes(routes!(undo_conversation_link))
}

/// Where it is split.
#[derive(Deserialize, ToSchema)]
struct SplitIn {
    /// The first message of the new conversation, `msg_…`: a mail or an answer, not the very first.
    message_id: String,
}

/// Takes a message and what follows into a new conversation. Answers the new one, which links to this one.
/// It has the same owner, or waits at the same place. Only on channels with threads (mail).
#[utoipa::path(post, path = "/api/v1/conversations/{id}/split", tag = "conversations",
    operation_id = "split_conversation", params(("id" = String, Path, description = "`cnv_…`")),
    request_body = SplitIn, responses((status = 200, body = ConversationView)))]
async fn split_conversation(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::Edit>,
    Path(id): Path<String>,
    Json(input): Json<SplitIn>,
) -> Result<Json<ConversationView>> {
    to_act_on(&app, &caller, &id).await?;
    let (by, now) = (&caller.operator, app.clock.now());
    let mut write = app.db.write().await?;
    let apart = rearrange::split(&mut write, &app.views, &id, &input.message_id, by, now).await?;
    write.commit().await?;
    answer(&app, &apart).await
}

/// Into which.
#[derive(Deserialize, ToSchema)]
struct MergeIn {
    /// The conversation that stays, `cnv_…`, of the same channel.
    into: String,
}

/// Takes all of this conversation into another one, in the order of time. Answers the other one; this one is
/// closed, empty and in no list. Only on channels with threads (mail).
#[utoipa::path(post, path = "/api/v1/conversations/{id}/merge", tag = "conversations",
    operation_id = "merge_conversation", params(("id" = String, Path, description = "`cnv_…`")),
    request_body = MergeIn, responses((status = 200, body = ConversationView)))]
async fn merge_conversation(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::Edit>,
    Path(id): Path<String>,
    Json(input): Json<MergeIn>,
) -> Result<Json<ConversationView>> {
    to_act_on(&app, &caller, &id).await?;
    to_act_on(&app, &caller, &input.into)
        .await
        .map_err(|_| Problem::invalid("into", "there is no such conversation, or it is not yours"))?;
    let (by, now) = (&caller.operator, app.clock.now());
    let mut write = app.db.write().await?;
    rearrange::merge(&mut write, &app.views, &id, &input.into, by, now).await?;
    write.commit().await?;
    answer(&app, &input.into).await
}

/// Takes back a split or a merge. Answers the conversation that has its messages back.
#[utoipa::path(post, path = "/api/v1/conversations/links/{link_id}/undo", tag = "conversations",
    operation_id = "undo_conversation_link", params(("link_id" = String, Path, description = "`lnk_…`")),
    responses((status = 200, body = ConversationView)))]
async fn undo_conversation_link(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::Edit>,
    Path(link_id): Path<String>,
) -> Result<Json<ConversationView>> {
    let link = conversation_link::Entity::find_by_id(&link_id)
        .one(app.db.read())
        .await?;
    let link = link.ok_or_else(|| Problem::not_found("link"))?;
    to_act_on(&app, &caller, &link.to_id).await?;
    let (by, now) = (&caller.operator, app.clock.now());
    let mut write = app.db.write().await?;
    let back = rearrange::undo(&mut write, &app.views, &link_id, by, now).await?;
    write.commit().await?;
    answer(&app, &back).await
}
