//! The visitor behind a web chat's conversation: where they are, and keeping them out.

use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use sea_orm::EntityTrait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{channels::find, conversation_actions::to_act_on, conversations::visible};
use crate::{
    api::{
        Json, Path,
        auth::Supervisor,
        page::Page,
        problem::{Problem, Result},
        right::{May, on, to},
    },
    app::App,
    db::entity::conversation,
    visitor::{
        block::{self, BlockView},
        hub::OnPage,
        store,
    },
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_conversation_visitor))
        .routes(routes!(block_conversation_visitor))
        .routes(routes!(unblock_conversation_visitor))
        .routes(routes!(list_channel_blocks))
        .routes(routes!(remove_channel_block))
}

/// The visitor of a conversation.
#[derive(Debug, Serialize, ToSchema)]
pub struct VisitorView {
    /// They have the chat on a page that is open now, as far as this node knows.
    pub online: bool,
    /// The page they are on, or were on when they last opened the chat.
    pub page: Option<OnPage>,
    /// When they last opened the chat.
    pub last_seen_at: DateTime<Utc>,
    /// The site's own server vouched for who they are.
    pub proven: bool,
    /// They may not write any more.
    pub blocked: bool,
}

/// Whom to block.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BlockInput {
    /// Also everybody who comes from the visitor's address, for seven days; an office shares one. Those whom the
    /// site's server vouched for are let in all the same.
    pub address: bool,
}

async fn row(app: &App, id: &str) -> Result<conversation::Model> {
    let row = conversation::Entity::find_by_id(id).one(app.db.read()).await?;
    row.filter(|row| row.channel_kind == "webchat")
        .ok_or_else(|| Problem::not_found("visitor"))
}

async fn view(app: &App, row: &conversation::Model) -> Result<Json<VisitorView>> {
    let visitor = store::latest_of_conversation(app.db.read(), row).await?;
    let visitor = visitor.ok_or_else(|| Problem::not_found("visitor"))?;
    let now = app.visitors.whereabouts(&row.id);
    let opened_at = || serde_json::from_value::<OnPage>(visitor.page.clone()).ok();
    Ok(Json(VisitorView {
        online: now.online,
        page: now
            .page
            .or_else(opened_at)
            .filter(|page| !page.url.is_empty())
            .map(OnPage::cut),
        last_seen_at: visitor.last_seen_at,
        proven: store::is_proven(&visitor),
        blocked: block::of_conversation(app.db.read(), row).await?,
    }))
}

/// Where the visitor of a web chat's conversation is. The operators' socket tells of changes to who sends `watch`.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/visitor", tag = "conversations",
    operation_id = "get_conversation_visitor", params(("id" = String, Path, description = "`cnv_…`")),
    responses((status = 200, body = VisitorView), (status = 404, description = "No such conversation, or none of a web chat")))]
async fn get_conversation_visitor(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::View>,
    Path(id): Path<String>,
) -> Result<Json<VisitorView>> {
    visible(&app, &caller.scope, &id).await?;
    view(&app, &row(&app, &id).await?).await
}

/// Keeps the visitor of a conversation out of the chat: they cannot write any more, nor open it anew with what they
/// have. What they wrote stays.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/visitor/block", tag = "conversations",
    operation_id = "block_conversation_visitor", params(("id" = String, Path, description = "`cnv_…`")),
    request_body = BlockInput, responses((status = 200, body = VisitorView)))]
async fn block_conversation_visitor(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::Edit>,
    Path(id): Path<String>,
    Json(input): Json<BlockInput>,
) -> Result<Json<VisitorView>> {
    to_act_on(&app, &caller, &id).await?;
    let row = row(&app, &id).await?;
    block::block(&app.db, &row, input.address, &caller.operator.id, app.clock.now()).await?;
    view(&app, &row).await
}

/// Lets the visitor of a conversation in again, and the address that was blocked with them.
#[utoipa::path(delete, path = "/api/v1/conversations/{id}/visitor/block", tag = "conversations",
    operation_id = "unblock_conversation_visitor", params(("id" = String, Path, description = "`cnv_…`")),
    responses((status = 200, body = VisitorView)))]
async fn unblock_conversation_visitor(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::Edit>,
    Path(id): Path<String>,
) -> Result<Json<VisitorView>> {
    to_act_on(&app, &caller, &id).await?;
    let row = row(&app, &id).await?;
    block::unblock(&app.db, &row).await?;
    view(&app, &row).await
}

/// Who may not use a chat, the newest first; at most 500.
#[utoipa::path(get, path = "/api/v1/channels/{id}/blocks", tag = "channels", operation_id = "list_channel_blocks",
    params(("id" = String, Path, description = "`chn_…` or the key")), responses((status = 200, body = Page<BlockView>)))]
async fn list_channel_blocks(
    State(app): State<App>,
    Supervisor(_caller): Supervisor,
    Path(id): Path<String>,
) -> Result<Json<Page<BlockView>>> {
    let channel = find(&app, &id).await?;
    Ok(Json(Page::whole(block::list(app.db.read(), &channel.id).await?)))
}

/// Lets somebody in again.
#[utoipa::path(delete, path = "/api/v1/channels/{id}/blocks/{block}", tag = "channels",
    operation_id = "remove_channel_block",
    params(("id" = String, Path, description = "`chn_…` or the key"), ("block" = String, Path, description = "`blk_…`")),
    responses((status = 204)))]
async fn remove_channel_block(
    State(app): State<App>,
    Supervisor(_caller): Supervisor,
    Path((id, block)): Path<(String, String)>,
) -> Result<StatusCode> {
    let channel = find(&app, &id).await?;
    if block::remove(&app.db, &channel.id, &block).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found("block"))
    }
}
