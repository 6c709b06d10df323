//! Why a conversation went where it went.

use axum::extract::State;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::conversations::visible;
use crate::{
    api::{
        Json, Path, Query,
        auth::Staff,
        page::{Cursor, Page, PageQuery},
        problem::Result,
    },
    app::App,
    routing::explain::{self, Explanation},
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_conversation_routing))
}

/// The decisions about a conversation, the newest first, each with everybody looked at and the first
/// check that failed.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/routing", tag = "conversations",
    operation_id = "list_conversation_routing",
    params(("id" = String, Path, description = "`cnv_…`"), PageQuery),
    responses((status = 200, body = Page<Explanation>)))]
async fn list_conversation_routing(
    State(app): State<App>,
    Staff(caller): Staff,
    Path(id): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Explanation>>> {
    let limit = page.limit()?;
    let after: Option<explain::Place> = page.after()?;
    visible(&app, &caller.scope, &id).await?;
    let (items, next) = explain::list(app.db.read(), &id, after.as_ref(), limit).await?;
    Ok(Json(Page {
        items,
        next_cursor: next.as_ref().map(Cursor::encode),
    }))
}
