//! What a rule of retention would remove, before it is saved.

use axum::extract::State;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        Json, Path,
        auth::Admin,
        problem::{Problem, Result},
    },
    app::App,
    erase::aging::{self, Due},
    line::{Retention, store},
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(preview_retention))
}

/// How many files, recordings, conversations and contacts this rule would remove from the line if it were saved now.
/// Nothing is removed.
#[utoipa::path(post, path = "/api/v1/lines/{id}/retention", tag = "privacy",
    params(("id" = String, Path, description = "`lin_…` or its key")), request_body = Retention,
    responses((status = 200, body = Due)))]
async fn preview_retention(
    State(app): State<App>,
    _: Admin,
    Path(id): Path<String>,
    Json(rule): Json<Retention>,
) -> Result<Json<Due>> {
    let row = store::find(app.db.read(), &id).await?;
    let errors = rule.errors();
    if !errors.is_empty() {
        return Err(Problem::validation(errors));
    }
    Ok(Json(aging::due(&app.db, &row.id, &rule, app.clock.now()).await?))
}
