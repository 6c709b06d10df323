//! Why a conversation went where it went, where it would go now, and why an operator gets what they get.

use axum::extract::State;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::conversations::visible;
use crate::{
    api::{
        Json, Path, Query,
        auth::Staff,
        page::{Cursor, Page, PageQuery},
        problem::{Problem, Result},
        right::{May, on, to},
    },
    app::App,
    operator,
    routing::{
        explain::{self, Explanation},
        explain_operator::{self, OperatorRouting},
        preview,
    },
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_conversation_routing))
        .routes(routes!(preview_conversation_routing))
        .routes(routes!(get_user_routing))
}

/// The decisions about a conversation, the newest first, each with everybody looked at and the first
/// check that failed.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/routing", tag = "conversations",
    operation_id = "list_conversation_routing",
    params(("id" = String, Path, description = "`cnv_…`"), PageQuery),
    responses((status = 200, body = Page<Explanation>)))]
async fn list_conversation_routing(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::View>,
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

/// Who would get the conversation now: the router's own rule on the present state, as if the session
/// waited; nothing is stored and nobody is assigned. `trigger` is `preview`. 409 when it is closed.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/routing/preview", tag = "conversations",
    operation_id = "preview_conversation_routing",
    params(("id" = String, Path, description = "`cnv_…`")),
    responses((status = 200, body = Explanation), (status = 409, description = "It is closed")))]
async fn preview_conversation_routing(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::View>,
    Path(id): Path<String>,
) -> Result<Json<Explanation>> {
    let view = visible(&app, &caller.scope, &id).await?;
    let counting = &app.counting.get();
    let found = preview::preview(
        app.db.read(),
        &id,
        &view.line_id,
        view.owner.as_deref(),
        counting,
        app.clock.now(),
    )
    .await?;
    let closed = || Problem::conflict("the conversation is closed: nobody is sought for it");
    found.ok_or_else(closed).map(Json)
}

/// Why somebody gets nothing, or what they would get: each line whose queue they stand in with the first
/// check that fails now, and the sessions at the head of those queues. Oneself, supervisors and admins.
#[utoipa::path(get, path = "/api/v1/users/{id}/routing", tag = "users", operation_id = "get_user_routing",
    params(("id" = String, Path, description = "`opr_…`")), responses((status = 200, body = OperatorRouting)))]
async fn get_user_routing(
    State(app): State<App>,
    Staff(caller): Staff,
    Path(id): Path<String>,
) -> Result<Json<OperatorRouting>> {
    if id != caller.operator.id && !caller.scope.supervises() {
        return Err(Problem::forbidden(
            "this is told to the user themselves and to supervisors",
        ));
    }
    let row = operator::store::find(app.db.read(), &id).await?;
    let counting = &app.counting.get();
    let found = explain_operator::of_operator(app.db.read(), &row, counting, app.clock.now()).await?;
    Ok(Json(found))
}
