//! What becomes of messages after they were written: changed, taken back, and what they said before.

use axum::extract::State;
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::conversations::reached;
use crate::{
    api::{
        Json, Path,
        auth::Caller,
        page::Page,
        problem::{Problem, Result},
        right::{May, on, to},
    },
    app::App,
    conversation::view::{AttachmentView, MessageView, strings},
    db::entity::{attachment, message, message_version},
    operator::rights::Action,
    outbound::change::{self, Wish},
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(change_message, delete_message))
        .routes(routes!(list_versions))
}

/// What a message shall say.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = MessageChangeIn)]
#[serde(deny_unknown_fields)]
struct MessageChangeIn {
    /// The whole text as it shall be.
    text: String,
}

/// Changes the words of a message you wrote. What was sent is changed at the customer's side too, through the outbox:
/// `change` says where that is, and a failure of it is tried again with `retry`. Notes and what is not out yet are
/// changed at once.
#[utoipa::path(patch, path = "/api/v1/messages/{id}", tag = "messages", operation_id = "change_message",
    params(("id" = String, Path, description = "`msg_…`")), request_body = MessageChangeIn,
    responses((status = 200, body = MessageView),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Not on this channel, or not now")))]
async fn change_message(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::Edit>,
    Path(id): Path<String>,
    Json(body): Json<MessageChangeIn>,
) -> Result<Json<MessageView>> {
    wish(&app, &caller, &id, Wish::Edit { text: body.text }).await
}

/// Takes back a message you wrote, at the customer's side too. The staff still sees it, marked as deleted.
#[utoipa::path(delete, path = "/api/v1/messages/{id}", tag = "messages", operation_id = "delete_message",
    params(("id" = String, Path, description = "`msg_…`")),
    responses((status = 200, body = MessageView),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Not on this channel, or not now")))]
async fn delete_message(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::Edit>,
    Path(id): Path<String>,
) -> Result<Json<MessageView>> {
    wish(&app, &caller, &id, Wish::Delete).await
}

async fn wish(app: &App, caller: &Caller, id: &str, wish: Wish) -> Result<Json<MessageView>> {
    seen(app, caller, Action::Edit, id).await?;
    let mut write = app.db.write().await?;
    let done = change::apply(
        &mut write,
        &app.views,
        id,
        &caller.operator,
        wish,
        app.clock.now(),
    );
    let row = done.await.map_err(|error| match error {
        change::Error::Missing => Problem::not_found("message"),
        change::Error::NotYours => Problem::forbidden(error.to_string()),
        change::Error::Refused(why) => Problem::conflict(why),
        change::Error::Text(why) => Problem::invalid("text", why),
        change::Error::Db(error) => error.into(),
    })?;
    write.commit().await?;
    let mut views = app.views.messages(app.db.read(), vec![row]).await?;
    views.pop().map(Json).ok_or_else(|| Problem::not_found("message"))
}

async fn seen(app: &App, caller: &Caller, action: Action, id: &str) -> Result<message::Model> {
    let found = message::Entity::find_by_id(id).one(app.db.read()).await?;
    let found = found.ok_or_else(|| Problem::not_found("message"))?;
    reached(app, &caller.scope, action, &found.conversation_id)
        .await
        .map_err(|problem| problem.about("message"))?;
    Ok(found)
}

/// What a message said at some time.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessageVersion {
    /// Plain text.
    pub text: String,
    /// Sanitised rich text.
    pub html: Option<String>,
    /// Its files, where they were others than now.
    pub attachments: Vec<AttachmentView>,
    /// From when on.
    pub at: DateTime<Utc>,
}

/// What a message said before, the oldest first; what it says now is not among them.
#[utoipa::path(get, path = "/api/v1/messages/{id}/versions", tag = "messages", operation_id = "list_message_versions",
    params(("id" = String, Path, description = "`msg_…`")), responses((status = 200, body = Page<MessageVersion>)))]
async fn list_versions(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::View>,
    Path(id): Path<String>,
) -> Result<Json<Page<MessageVersion>>> {
    seen(&app, &caller, Action::View, &id).await?;
    let db = app.db.read();
    let mut rows = message_version::Entity::find()
        .filter(message_version::Column::MessageId.eq(&id))
        .all(db)
        .await?;
    // The first words are the first, whatever the provider's clock says of a change that was quick.
    rows.sort_by_key(|row| (row.number > 0, row.at, row.number));
    let files = attachment::Entity::find()
        .filter(attachment::Column::MessageId.eq(&id))
        .filter(attachment::Column::Replaced.eq(true))
        .order_by_asc(attachment::Column::Position)
        .all(db)
        .await?;
    let version = |row: message_version::Model| {
        let ids = row.files.as_ref().map(strings).unwrap_or_default();
        let of_then = files.iter().filter(|file| ids.contains(&file.id));
        MessageVersion {
            text: row.body,
            html: row.html,
            attachments: of_then.cloned().map(AttachmentView::from).collect(),
            at: row.at,
        }
    };
    Ok(Json(Page::whole(rows.into_iter().map(version).collect())))
}
