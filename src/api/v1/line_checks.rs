//! Looking at lines before something goes wrong: warnings, and what drawn hours come to.

use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        Json, Path, Query,
        auth::{Admin, Supervisor},
        page::{Page, PageQuery},
        problem::{Problem, Result},
    },
    app::App,
    line::{Hours, check::Warning, hours, store, warnings},
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_lines_warnings))
        .routes(routes!(list_line_warnings))
        .routes(routes!(preview_opening))
}

/// What is wrong with one line.
#[derive(Debug, Serialize, ToSchema)]
pub struct LineWarnings {
    /// `lin_…`
    pub line_id: String,
    /// What is wrong, the worst first; empty when nothing is.
    pub warnings: Vec<Warning>,
}

/// What is wrong with the lines, in the order they were made.
#[utoipa::path(get, path = "/api/v1/lines/warnings", tag = "lines", operation_id = "list_lines_warnings",
    params(PageQuery), responses((status = 200, body = Page<LineWarnings>)))]
async fn list_lines_warnings(
    State(app): State<App>,
    Supervisor(_caller): Supervisor,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<LineWarnings>>> {
    let limit = page.limit()?;
    let after: Option<String> = page.after()?;
    let rows = store::list(app.db.read(), after.as_deref(), limit + 1).await?;
    let page = Page::of_rows(rows, limit, |row| row.id.clone());
    let counting = &app.counting.get();
    let found = warnings::of_lines(app.db.read(), &page.items, counting, app.clock.now()).await?;
    let items = page.items.into_iter().zip(found);
    Ok(Json(Page {
        items: items
            .map(|(row, warnings)| LineWarnings {
                line_id: row.id,
                warnings,
            })
            .collect(),
        next_cursor: page.next_cursor,
    }))
}

/// Why a line would serve nobody, or not as it reads: the worst first, empty when nothing is wrong.
#[utoipa::path(get, path = "/api/v1/lines/{id}/warnings", tag = "lines", operation_id = "list_line_warnings",
    params(("id" = String, Path, description = "`lin_…` or its key")),
    responses((status = 200, body = Page<Warning>)))]
async fn list_line_warnings(
    State(app): State<App>,
    Supervisor(_caller): Supervisor,
    Path(id): Path<String>,
) -> Result<Json<Page<Warning>>> {
    let row = store::find(app.db.read(), &id).await?;
    let counting = &app.counting.get();
    let found = warnings::of_lines(app.db.read(), &[row], counting, app.clock.now()).await?;
    Ok(Json(Page::whole(found.into_iter().flatten().collect())))
}

/// Hours that are looked at before they are saved.
#[derive(Debug, Deserialize, ToSchema)]
struct OpeningIn {
    /// As in a line; null: always open.
    #[serde(default)]
    hours: Option<Hours>,
    /// The moment asked about; now when absent.
    #[serde(default)]
    at: Option<DateTime<Utc>>,
}

/// Whether hours say open.
#[derive(Debug, Serialize, ToSchema)]
pub struct OpeningPreview {
    /// The moment asked about.
    pub at: DateTime<Utc>,
    /// Open then.
    pub open: bool,
    /// Until when, when it is open; null when that has no end within about a year.
    pub closes_at: Option<DateTime<Utc>>,
    /// From when, when it is closed; null when it does not open within about a year.
    pub opens_at: Option<DateTime<Utc>>,
}

/// What hours come to, by the rule the router goes by; nothing is stored.
#[utoipa::path(post, path = "/api/v1/lines/opening-preview", tag = "lines", operation_id = "preview_opening",
    request_body = OpeningIn, responses((status = 200, body = OpeningPreview)))]
async fn preview_opening(
    State(app): State<App>,
    Admin(_caller): Admin,
    Json(input): Json<OpeningIn>,
) -> Result<Json<OpeningPreview>> {
    let given = input.hours.as_ref();
    let errors: Vec<(String, String)> = given.map(Hours::errors).unwrap_or_default();
    if !errors.is_empty() {
        let named = |(field, message): (String, String)| (format!("hours.{field}"), message);
        return Err(Problem::validation(errors.into_iter().map(named).collect()));
    }
    let at = input.at.unwrap_or_else(|| app.clock.now());
    let opening = hours::opening(given, at);
    Ok(Json(OpeningPreview {
        at,
        open: opening.open,
        closes_at: hours::closing(given, at),
        opens_at: opening.opens_at,
    }))
}
