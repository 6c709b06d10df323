//! Open lines. Everybody inside reads them (one transfers to a line by its name); admins change them.

use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        Json, Path, Query,
        auth::{Admin, Staff},
        page::{Page, PageQuery},
        problem::Result,
    },
    app::App,
    db::entity::line_version,
    line::{
        Rules,
        queue::Entry,
        store::{self, Change},
        view::{self, Line},
    },
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_lines, create_line))
        .routes(routes!(get_line, update_line))
        .routes(routes!(list_line_versions))
}

/// A line about to be made or changed. To make one only the name is required, the rest has its
/// defaults; a change takes the fields given and keeps the others.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes what `Change` reads")]
struct LineIn {
    /// What people call it.
    name: Option<String>,
    /// A word for URLs, settings and filters; made from the name when absent.
    key: Option<String>,
    /// A line that is not enabled assigns nothing.
    enabled: Option<bool>,
    /// Who stands in it, in order.
    queue: Option<Vec<Entry>>,
    /// The version that was read; a stale one answers 409.
    version: Option<i64>,
    /// Its rules.
    #[serde(flatten)]
    rules: Rules,
}

/// What a line was at one of its versions.
#[derive(Debug, Serialize, ToSchema)]
pub struct LineVersion {
    /// The version.
    pub version: i64,
    /// Who made it; null when it was made by a command.
    pub operator_id: Option<String>,
    /// The line's fields: `key`, `name`, `enabled`, `queue`, and `rules` with the rest.
    #[schema(value_type = Object)]
    pub body: Value,
    /// When.
    pub created_at: DateTime<Utc>,
}

impl From<line_version::Model> for LineVersion {
    fn from(row: line_version::Model) -> Self {
        Self {
            version: row.version,
            operator_id: row.operator_id,
            body: row.body,
            created_at: row.created_at,
        }
    }
}

/// Lists lines in the order they were made.
#[utoipa::path(get, path = "/api/v1/lines", tag = "lines", operation_id = "list_lines", params(PageQuery),
    responses((status = 200, body = Page<Line>)))]
async fn list_lines(
    State(app): State<App>,
    Staff(_caller): Staff,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Line>>> {
    let limit = page.limit()?;
    let after: Option<String> = page.after()?;
    let rows = store::list(app.db.read(), after.as_deref(), limit + 1).await?;
    let page = Page::of_rows(rows, limit, |row| row.id.clone());
    let items = view::views(app.db.read(), page.items, app.clock.now()).await?;
    Ok(Json(Page {
        items,
        next_cursor: page.next_cursor,
    }))
}

/// Makes a line.
#[utoipa::path(post, path = "/api/v1/lines", tag = "lines", operation_id = "create_line", request_body = LineIn,
    responses((status = 201, body = Line)))]
async fn create_line(
    State(app): State<App>,
    Admin(caller): Admin,
    Json(change): Json<Change>,
) -> Result<(StatusCode, Json<Line>)> {
    let now = app.clock.now();
    let mut write = app.db.write().await?;
    let row = store::create(&mut write, change, Some(&caller.operator.id), now).await?;
    write.commit().await?;
    Ok((
        StatusCode::CREATED,
        Json(view::view(app.db.read(), row, now).await?),
    ))
}

/// One line, by id or key.
#[utoipa::path(get, path = "/api/v1/lines/{id}", tag = "lines", operation_id = "get_line",
    params(("id" = String, Path, description = "`lin_…`")), responses((status = 200, body = Line)))]
async fn get_line(
    State(app): State<App>,
    Staff(_caller): Staff,
    Path(id): Path<String>,
) -> Result<Json<Line>> {
    let row = store::find(app.db.read(), &id).await?;
    Ok(Json(view::view(app.db.read(), row, app.clock.now()).await?))
}

/// Changes the fields given; groups such as `sticky` field by field, `queue` and `hours` as a whole.
#[utoipa::path(patch, path = "/api/v1/lines/{id}", tag = "lines", operation_id = "update_line",
    params(("id" = String, Path, description = "`lin_…`")), request_body = LineIn,
    responses((status = 200, body = Line)))]
async fn update_line(
    State(app): State<App>,
    Admin(caller): Admin,
    Path(id): Path<String>,
    Json(change): Json<Change>,
) -> Result<Json<Line>> {
    let now = app.clock.now();
    let mut write = app.db.write().await?;
    let row = store::update(&mut write, &id, change, Some(&caller.operator.id), now).await?;
    write.commit().await?;
    Ok(Json(view::view(app.db.read(), row, now).await?))
}

/// The versions of a line, the newest first.
#[utoipa::path(get, path = "/api/v1/lines/{id}/versions", tag = "lines", operation_id = "list_line_versions",
    params(("id" = String, Path, description = "`lin_…`"), PageQuery),
    responses((status = 200, body = Page<LineVersion>)))]
async fn list_line_versions(
    State(app): State<App>,
    Staff(_caller): Staff,
    Path(id): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<LineVersion>>> {
    let limit = page.limit()?;
    let before: Option<i64> = page.after()?;
    let line = store::find(app.db.read(), &id).await?;
    let rows = store::versions(app.db.read(), &line.id, before, limit + 1).await?;
    Ok(Json(
        Page::of_rows(rows, limit, |row| row.version).map(LineVersion::from),
    ))
}
