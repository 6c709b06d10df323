//! The first rows of a file, as they would be taken in.

use axum::extract::State;
use serde::Serialize;
use switchboard_exchange::{Head, Layout, Mapping, Reading, Record, Row, Unreadable, Wrong};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{file_of, problem};
use crate::{
    api::{
        Json, Path,
        auth::Supervisor,
        problem::{Problem, Result},
    },
    app::App,
    import::{ImportView, Kind, Rules, store},
};

/// Rows of the preview.
const PREVIEW: usize = 20;

/// The routes.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(preview_import))
}

/// The first rows of a file, and what they tell under the present mapping.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportPreview)]
struct Preview {
    /// The names of the columns.
    columns: Vec<String>,
    /// The sheets of a spreadsheet.
    sheets: Vec<String>,
    /// The rows.
    rows: Vec<PreviewRow>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportPreviewRow)]
struct PreviewRow {
    /// The line of the file.
    line: u64,
    /// Its cells.
    cells: Vec<String>,
    /// What is wrong with it: `field`, `column`, `code`, `reason`, `value`.
    #[schema(value_type = Vec<Object>)]
    errors: Vec<Wrong>,
}

/// The first 20 rows, with what is wrong with them under the present mapping.
#[utoipa::path(get, path = "/api/v1/imports/{id}/preview", tag = "imports",
    params(("id" = String, Path, description = "`imp_…`")), responses((status = 200, body = Preview)))]
async fn preview_import(
    State(app): State<App>,
    Supervisor(_caller): Supervisor,
    Path(id): Path<String>,
) -> Result<Json<Preview>> {
    let row = store::find(app.db.read(), &id).await.map_err(problem)?;
    let bytes = file_of(&app, &row).await?;
    let view = ImportView::from(row);
    let layout: Layout = serde_json::from_value(view.layout).map_err(|error| Problem::from_cause(&error))?;
    let kind = Kind::parse(&view.kind).unwrap_or_default();
    let (mapping, reading) = (view.mapping, view.options.reading(kind));
    let rules = Rules::load(app.db.read(), kind, &view.options, &mapping).await?;
    let preview = tokio::task::spawn_blocking(move || {
        let head = layout.head(&bytes, PREVIEW)?;
        let sheets = layout.sheets(&bytes)?;
        Ok::<_, Unreadable>(preview(head, sheets, &mapping, &reading, &rules))
    });
    let preview = preview.await.map_err(|error| Problem::from_cause(&error))?;
    preview
        .map(Json)
        .map_err(|error| Problem::conflict(error.to_string()))
}

fn preview(head: Head, sheets: Vec<String>, mapping: &Mapping, reading: &Reading, rules: &Rules) -> Preview {
    let places = mapping.resolve(&head.columns).unwrap_or_default();
    let row = |row: Row| {
        let (record, wrong) = Record::parse(&row, &places, reading);
        PreviewRow {
            line: row.number,
            errors: rules.judge(&record, wrong).err().unwrap_or_default(),
            cells: row.cells,
        }
    };
    Preview {
        rows: head.rows.into_iter().map(row).collect(),
        columns: head.columns,
        sheets,
    }
}
