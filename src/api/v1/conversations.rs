//! Conversations: lists, one, counts, read marks.

use axum::extract::State;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        Json, Path, Query,
        page::{Cursor, Page, PageQuery},
        problem::{Problem, Result},
        right::{May, on, to},
    },
    app::App,
    channel,
    conversation::{
        read,
        store::{self, Counts, Filter, Place, View},
        view::ConversationView,
    },
    line,
    operator::rights::{Action, Object, Scope},
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_conversations))
        .routes(routes!(count_conversations))
        .routes(routes!(get_conversation))
        .routes(routes!(mark_conversation_read))
}

/// What a list is narrowed to. Lines and channels by id or key.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct ListQuery {
    /// `mine`, `queue`, `all` (open) or `closed`.
    #[param(inline)]
    view: View,
    /// A line.
    line: Option<String>,
    /// A channel.
    channel: Option<String>,
    /// An owner; `me` is the caller.
    operator: Option<String>,
    /// A session state.
    status: Option<String>,
    /// A contact.
    contact: Option<String>,
    /// Part of the contact's name, the subject or the address.
    q: Option<String>,
}

/// Conversations, as far as the caller sees them: the queue in its own order, the rest by last change.
#[utoipa::path(get, path = "/api/v1/conversations", tag = "conversations", params(ListQuery, PageQuery),
    responses((status = 200, body = Page<ConversationView>)))]
async fn list_conversations(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::View>,
    Query(query): Query<ListQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<ConversationView>>> {
    let limit = page.limit()?;
    let after: Option<Place> = page.after()?;
    let Some(filter) = filter(&app, &caller.scope, query).await? else {
        return Ok(Json(Page::whole(Vec::new())));
    };
    let (rows, next) = store::list(app.db.read(), &caller.scope, &filter, after.as_ref(), limit).await?;
    let items = app.views.of_rows(app.db.read(), rows).await?;
    Ok(Json(Page {
        items,
        next_cursor: next.as_ref().map(Cursor::encode),
    }))
}

/// The filter of a query; `None` when it names something that does not exist, so nothing matches.
async fn filter(app: &App, scope: &Scope, query: ListQuery) -> Result<Option<Filter>> {
    let line_id = match query.line {
        Some(word) => match line::store::find(app.db.read(), &word).await {
            Ok(row) => Some(row.id),
            Err(_) => return Ok(None),
        },
        None => None,
    };
    let channel_id = match query.channel {
        Some(word) if word.starts_with("chn_") => Some(word),
        Some(word) => match channel::store::by_key(app.db.read(), &word).await? {
            Some(row) => Some(row.id),
            None => return Ok(None),
        },
        None => None,
    };
    let me = |word: String| {
        if word == "me" {
            scope.operator_id.clone()
        } else {
            word
        }
    };
    // Asking for closed ones by status is asking for the view.
    let view = if query.status.as_deref() == Some("closed") {
        View::Closed
    } else {
        query.view
    };
    Ok(Some(Filter {
        view,
        line_id,
        channel_id,
        operator_id: query.operator.map(me),
        status: query.status,
        contact_id: query.contact,
        text: query.q.filter(|text| !text.trim().is_empty()),
    }))
}

/// How many conversations each view holds.
#[utoipa::path(get, path = "/api/v1/conversations/counts", tag = "conversations", responses((status = 200, body = Counts)))]
async fn count_conversations(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::View>,
) -> Result<Json<Counts>> {
    Ok(Json(store::counts(app.db.read(), &caller.scope).await?))
}

/// One conversation.
#[utoipa::path(get, path = "/api/v1/conversations/{id}", tag = "conversations",
    params(("id" = String, Path, description = "`cnv_…`")), responses((status = 200, body = ConversationView)))]
async fn get_conversation(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::View>,
    Path(id): Path<String>,
) -> Result<Json<ConversationView>> {
    visible(&app, &caller.scope, &id).await.map(Json)
}

/// Up to which message it was read.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ReadIn)]
struct ReadIn {
    /// The number of the last message read.
    seq: i64,
}

/// Marks inbound messages up to a number as read by the staff.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/read", tag = "conversations",
    params(("id" = String, Path, description = "`cnv_…`")), request_body = ReadIn,
    responses((status = 200, body = ConversationView)))]
async fn mark_conversation_read(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::Edit>,
    Path(id): Path<String>,
    Json(body): Json<ReadIn>,
) -> Result<Json<ConversationView>> {
    let view = reached(&app, &caller.scope, Action::Edit, &id).await?;
    if body.seq <= view.read_seq {
        return Ok(Json(view));
    }
    let mut write = app.db.write().await?;
    read::by_staff(&mut write, &id, body.seq, app.clock.now()).await?;
    write.commit().await?;
    visible(&app, &caller.scope, &id).await.map(Json)
}

/// A conversation the caller sees, or 404: what one may not see does not exist.
pub(crate) async fn visible(app: &App, scope: &Scope, id: &str) -> Result<ConversationView> {
    let view = app
        .views
        .conversation(app.db.read(), id)
        .await?
        .ok_or_else(|| Problem::not_found("conversation"))?;
    if scope.sees(&view.line_id, view.owner.as_deref(), view.people()) {
        Ok(view)
    } else {
        Err(Problem::not_found("conversation"))
    }
}

/// A conversation the caller sees and may do this to; 404 when it is out of sight.
pub(crate) async fn reached(app: &App, scope: &Scope, action: Action, id: &str) -> Result<ConversationView> {
    let view = visible(app, scope, id).await?;
    let extent = scope.extent(Object::Conversation, action);
    if extent.holds(Some(&view.line_id), view.owner.as_deref(), view.people()) {
        Ok(view)
    } else {
        Err(Problem::no_right(Object::Conversation, action))
    }
}
