//! Files that are taken in.

use axum::{
    extract::{DefaultBodyLimit, Multipart, State, multipart::MultipartRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use sea_orm::EntityTrait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use switchboard_exchange::{Head, Layout, Mapping, Reading, Record, Wrong, sheet};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::attachments::read_upload;
use crate::{
    api::{
        Json, Path, Query,
        auth::Supervisor,
        page::{Cursor, Page, PageQuery},
        problem::{Problem, Result},
    },
    app::App,
    db::{
        entity::{import, import_mapping, line, operator},
        is_unique_violation,
    },
    id,
    import::{
        ImportView, Kind, Options, TargetShape, WrongRow, new, run, store,
        store::{Change, Place},
    },
    ingest::clean_line,
    storage,
};

/// Rows of the preview.
const PREVIEW: usize = 20;
/// Wrong rows read at once for the report.
const REPORT_PAGE: u64 = 1_000;

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    // The limit is the server's setting, held while the body is read.
    OpenApiRouter::new()
        .routes(routes!(create_import))
        .layer(DefaultBodyLimit::disable())
        .routes(routes!(list_imports))
        .routes(routes!(get_import, update_import, delete_import))
        .routes(routes!(preview_import))
        .routes(routes!(check_import))
        .routes(routes!(start_import))
        .routes(routes!(cancel_import))
        .routes(routes!(undo_import))
        .routes(routes!(list_import_errors))
        .routes(routes!(export_import_errors))
        .routes(routes!(list_import_mappings, create_import_mapping))
        .routes(routes!(delete_import_mapping))
}

/// The form of an upload.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the multipart body in the OpenAPI document")]
struct ImportForm {
    /// The file: CSV, XLSX or vCard.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Uploads a file and recognises it: format, encoding, separator, columns, and which field each column may be.
#[utoipa::path(post, path = "/api/v1/imports", tag = "imports",
    request_body(content = ImportForm, content_type = "multipart/form-data"),
    responses((status = 201, body = ImportView)))]
async fn create_import(
    State(app): State<App>,
    Supervisor(caller): Supervisor,
    multipart: std::result::Result<Multipart, MultipartRejection>,
) -> Result<(StatusCode, Json<ImportView>)> {
    let multipart = multipart
        .map_err(|_| Problem::unsupported_media_type("send multipart/form-data with the part \"file\""))?;
    let upload = read_upload(multipart, app.config.limits.upload_bytes()).await?;
    let file = new::File::read(upload.name, upload.data.clone())
        .await
        .map_err(|error| Problem::invalid("file", error.to_string()))?;
    let mut row = file.row(Kind::Leads, app.clock.now());
    row.operator_id = Some(caller.operator.id);
    keep(&app, &row, upload.data).await?;
    Ok((StatusCode::CREATED, Json(row.into())))
}

async fn keep(app: &App, row: &import::Model, data: Bytes) -> Result<()> {
    if let Some(key) = &row.storage_key {
        app.storage
            .put(key, data)
            .await
            .map_err(|error| Problem::from_cause(&error))?;
    }
    let write = app.db.write().await?;
    store::create(&write, row.clone()).await?;
    write.commit().await?;
    Ok(())
}

/// Imports, the newest first.
#[utoipa::path(get, path = "/api/v1/imports", tag = "imports", params(PageQuery),
    responses((status = 200, body = Page<ImportView>)))]
async fn list_imports(
    State(app): State<App>,
    Supervisor(_caller): Supervisor,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<ImportView>>> {
    let limit = page.limit()?;
    let after: Option<Place> = page.after()?;
    let rows = store::list(app.db.read(), after.as_ref(), limit).await?;
    let place = |row: &import::Model| Place {
        at: row.created_at,
        id: row.id.clone(),
    };
    Ok(Json(Page::of_rows(rows, limit, place).map(ImportView::from)))
}

/// One import.
#[utoipa::path(get, path = "/api/v1/imports/{id}", tag = "imports",
    params(("id" = String, Path, description = "`imp_…`")), responses((status = 200, body = ImportView)))]
async fn get_import(
    State(app): State<App>,
    Supervisor(_caller): Supervisor,
    Path(id): Path<String>,
) -> Result<Json<ImportView>> {
    one(&app, &id).await.map(Json)
}

async fn one(app: &App, id: &str) -> Result<ImportView> {
    let row = store::find(app.db.read(), id).await.map_err(problem)?;
    Ok(row.into())
}

/// What to change before it begins; what is absent stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = ImportPatch)]
#[serde(default, deny_unknown_fields)]
struct ImportPatch {
    /// `leads` or `contacts`.
    kind: Option<Kind>,
    /// How the file is read: `format`, `encoding`, `delimiter`, `header`, `sheet`.
    #[schema(value_type = Option<Object>)]
    layout: Option<Value>,
    /// Which column fills which field; a field may stand for several columns.
    #[schema(value_type = Option<Vec<TargetShape>>)]
    mapping: Option<Value>,
    /// How rows are taken in.
    options: Option<Options>,
    /// The version the change was made from; 409 when it is not the present one.
    version: Option<i64>,
}

/// Changes an import that has not begun: how the file is read, its mapping, what happens to known people. What was
/// checked before is to be checked anew.
#[utoipa::path(patch, path = "/api/v1/imports/{id}", tag = "imports",
    params(("id" = String, Path, description = "`imp_…`")), request_body = ImportPatch,
    responses((status = 200, body = ImportView)))]
async fn update_import(
    State(app): State<App>,
    Supervisor(_caller): Supervisor,
    Path(id): Path<String>,
    Json(body): Json<ImportPatch>,
) -> Result<Json<ImportView>> {
    let row = store::find(app.db.read(), &id).await.map_err(problem)?;
    let mut change = Change {
        kind: body.kind,
        version: body.version,
        ..Change::default()
    };
    let mut columns: Vec<String> = serde_json::from_value(row.columns.clone()).unwrap_or_default();
    if let Some(layout) = body.layout {
        let layout: Layout =
            serde_json::from_value(layout).map_err(|error| Problem::invalid("layout", error.to_string()))?;
        let bytes = file_of(&app, &row).await?;
        let (head, total) = new::look(bytes, layout.clone())
            .await
            .map_err(|error| Problem::invalid("layout", error.to_string()))?;
        columns = head.columns;
        change.layout = Some((layout, columns.clone(), total));
        change.mapping = Some(Mapping::guess(&columns));
    }
    if let Some(mapping) = body.mapping {
        let mapping: Mapping = serde_json::from_value(mapping)
            .map_err(|error| Problem::invalid("mapping", error.to_string()))?;
        mapping.resolve(&columns).map_err(|missing| {
            Problem::invalid(
                "mapping",
                format!("the file has no column {}", missing.join(", ")),
            )
        })?;
        change.mapping = Some(mapping);
    }
    if let Some(options) = body.options {
        check_options(&app, &options).await?;
        change.options = Some(options);
    }
    let write = app.db.write().await?;
    store::change(&write, &id, change, app.clock.now())
        .await
        .map_err(problem)?;
    write.commit().await?;
    one(&app, &id).await.map(Json)
}

async fn check_options(app: &App, options: &Options) -> Result<()> {
    let db = app.db.read();
    if let Some(region) = &options.region
        && !new::is_region(region)
    {
        return Err(Problem::invalid(
            "options.region",
            "is a country's two letters, as RU",
        ));
    }
    if let Some(id) = &options.line_id
        && line::Entity::find_by_id(id).one(db).await?.is_none()
    {
        return Err(Problem::invalid("options.line_id", "there is no such line"));
    }
    if let Some(id) = &options.operator_id
        && operator::Entity::find_by_id(id).one(db).await?.is_none()
    {
        return Err(Problem::invalid("options.operator_id", "there is no such user"));
    }
    Ok(())
}

async fn file_of(app: &App, row: &import::Model) -> Result<Bytes> {
    let key = row
        .storage_key
        .as_ref()
        .ok_or_else(|| Problem::conflict("this import is over; its file is gone"))?;
    app.storage.get(key).await.map_err(|error| match error {
        storage::Error::Missing => Problem::conflict("the file is gone"),
        other => Problem::from_cause(&other),
    })
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
    let (mapping, reading) = (view.mapping, view.options.reading());
    let preview = tokio::task::spawn_blocking(move || {
        let head = layout.head(&bytes, PREVIEW)?;
        let sheets = layout.sheets(&bytes)?;
        Ok::<_, switchboard_exchange::Unreadable>(preview(head, sheets, &mapping, &reading))
    });
    let preview = preview.await.map_err(|error| Problem::from_cause(&error))?;
    preview
        .map(Json)
        .map_err(|error| Problem::conflict(error.to_string()))
}

fn preview(head: Head, sheets: Vec<String>, mapping: &Mapping, reading: &Reading) -> Preview {
    let places = mapping.resolve(&head.columns).unwrap_or_default();
    let row = |row: switchboard_exchange::Row| PreviewRow {
        line: row.number,
        errors: Record::read(&row, &places, reading).err().unwrap_or_default(),
        cells: row.cells,
    };
    Preview {
        rows: head.rows.into_iter().map(row).collect(),
        columns: head.columns,
        sheets,
    }
}

/// Looks at what would happen and writes nothing; ends in the state `checked`.
#[utoipa::path(post, path = "/api/v1/imports/{id}/check", tag = "imports",
    params(("id" = String, Path, description = "`imp_…`")), responses((status = 200, body = ImportView)))]
async fn check_import(
    State(app): State<App>,
    Supervisor(_caller): Supervisor,
    Path(id): Path<String>,
) -> Result<Json<ImportView>> {
    ready(&app, &id).await?;
    let write = app.db.write().await?;
    store::check(&write, &id, app.clock.now())
        .await
        .map_err(problem)?;
    write.commit().await?;
    run::wake();
    one(&app, &id).await.map(Json)
}

/// A mapping must tell who people are.
async fn ready(app: &App, id: &str) -> Result<()> {
    let view = one(app, id).await?;
    let places = view.mapping.resolve(&view.columns).map_err(|missing| {
        Problem::invalid(
            "mapping",
            format!("the file has no column {}", missing.join(", ")),
        )
    })?;
    if places.has_person() {
        Ok(())
    } else {
        Err(Problem::invalid(
            "mapping",
            "names no column for a name, an e-mail address, a phone or an external id",
        ))
    }
}

/// How it begins.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = ImportStart)]
#[serde(default, deny_unknown_fields)]
struct Start {
    /// Even when this very file was taken in before.
    again: bool,
}

/// Takes the file in. 409 when this very file was taken in before and `again` is not said.
#[utoipa::path(post, path = "/api/v1/imports/{id}/start", tag = "imports",
    params(("id" = String, Path, description = "`imp_…`")), request_body = Start,
    responses((status = 200, body = ImportView)))]
async fn start_import(
    State(app): State<App>,
    Supervisor(_caller): Supervisor,
    Path(id): Path<String>,
    Json(body): Json<Start>,
) -> Result<Json<ImportView>> {
    ready(&app, &id).await?;
    let write = app.db.write().await?;
    store::start(&write, &id, body.again, app.clock.now())
        .await
        .map_err(problem)?;
    write.commit().await?;
    run::wake();
    one(&app, &id).await.map(Json)
}

/// Stops it where it is; what is in stays, and can be taken back.
#[utoipa::path(post, path = "/api/v1/imports/{id}/cancel", tag = "imports",
    params(("id" = String, Path, description = "`imp_…`")), responses((status = 200, body = ImportView)))]
async fn cancel_import(
    State(app): State<App>,
    Supervisor(_caller): Supervisor,
    Path(id): Path<String>,
) -> Result<Json<ImportView>> {
    let write = app.db.write().await?;
    store::cancel(&write, &id, app.clock.now())
        .await
        .map_err(problem)?;
    write.commit().await?;
    one(&app, &id).await.map(Json)
}

/// Takes back what it made, except what was touched since or has something hanging on it.
#[utoipa::path(post, path = "/api/v1/imports/{id}/undo", tag = "imports",
    params(("id" = String, Path, description = "`imp_…`")), responses((status = 200, body = ImportView)))]
async fn undo_import(
    State(app): State<App>,
    Supervisor(_caller): Supervisor,
    Path(id): Path<String>,
) -> Result<Json<ImportView>> {
    let write = app.db.write().await?;
    store::undo(&write, &id, app.clock.now()).await.map_err(problem)?;
    write.commit().await?;
    run::wake();
    one(&app, &id).await.map(Json)
}

/// Forgets an import and its file; what it took in stays.
#[utoipa::path(delete, path = "/api/v1/imports/{id}", tag = "imports",
    params(("id" = String, Path, description = "`imp_…`")), responses((status = 204)))]
async fn delete_import(
    State(app): State<App>,
    Supervisor(_caller): Supervisor,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    let write = app.db.write().await?;
    let file = store::delete(&write, &id).await.map_err(problem)?;
    write.commit().await?;
    if let Some(key) = file {
        app.storage
            .delete(&key)
            .await
            .map_err(|error| Problem::from_cause(&error))?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The rows that are wrong, in order.
#[utoipa::path(get, path = "/api/v1/imports/{id}/errors", tag = "imports",
    params(("id" = String, Path, description = "`imp_…`"), PageQuery),
    responses((status = 200, body = Page<WrongRow>)))]
async fn list_import_errors(
    State(app): State<App>,
    Supervisor(_caller): Supervisor,
    Path(id): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<WrongRow>>> {
    let limit = page.limit()?;
    let after: Option<i64> = page.after()?;
    store::find(app.db.read(), &id).await.map_err(problem)?;
    let mut rows = store::wrong_rows(app.db.read(), &id, after.unwrap_or(0), limit).await?;
    let more = rows.len() as u64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next_cursor = rows.last().filter(|_| more).map(|row| Cursor::encode(&row.row));
    Ok(Json(Page {
        items: rows,
        next_cursor,
    }))
}

/// The same as a table for spreadsheets (CSV, UTF-8).
#[utoipa::path(get, path = "/api/v1/imports/{id}/errors/export", tag = "imports",
    params(("id" = String, Path, description = "`imp_…`")),
    responses((status = 200, description = "the table", content_type = "text/csv", body = String)))]
async fn export_import_errors(
    State(app): State<App>,
    Supervisor(_caller): Supervisor,
    Path(id): Path<String>,
) -> Result<Response> {
    store::find(app.db.read(), &id).await.map_err(problem)?;
    let mut table = String::from(sheet::MARK);
    table.push_str(&sheet::line([
        "line", "field", "column", "code", "reason", "value",
    ]));
    let mut after = 0;
    loop {
        let rows = store::wrong_rows(app.db.read(), &id, after, REPORT_PAGE).await?;
        let more = rows.len() as u64 > REPORT_PAGE;
        for row in rows
            .into_iter()
            .take(usize::try_from(REPORT_PAGE).unwrap_or(usize::MAX))
        {
            after = row.row;
            for wrong in row.errors {
                let cells = [
                    row.line.to_string(),
                    wrong.field,
                    wrong.column.unwrap_or_default(),
                    wrong.code,
                    wrong.reason,
                    wrong.value,
                ];
                table.push_str(&sheet::line(cells));
            }
        }
        if !more {
            break;
        }
    }
    let mut response = table.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/csv; charset=utf-8"),
    );
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment; filename=\"errors.csv\""),
    );
    Ok(response)
}

/// A mapping that is kept.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportMapping)]
struct MappingView {
    /// `imm_…`
    id: String,
    /// Its name.
    name: String,
    /// `leads` or `contacts`.
    kind: String,
    /// Which column fills which field.
    #[schema(value_type = Vec<TargetShape>)]
    mapping: Value,
    /// How rows are taken in.
    #[schema(value_type = Options)]
    options: Value,
}

impl From<import_mapping::Model> for MappingView {
    fn from(row: import_mapping::Model) -> Self {
        Self {
            id: row.id,
            name: row.name,
            kind: row.kind,
            mapping: row.mapping,
            options: row.options,
        }
    }
}

/// Mappings that are kept, by name.
#[utoipa::path(get, path = "/api/v1/import-mappings", tag = "imports", responses((status = 200, body = Page<MappingView>)))]
async fn list_import_mappings(
    State(app): State<App>,
    Supervisor(_caller): Supervisor,
) -> Result<Json<Page<MappingView>>> {
    let rows = store::mappings(app.db.read()).await?;
    Ok(Json(Page::whole(
        rows.into_iter().map(MappingView::from).collect(),
    )))
}

/// A mapping to keep.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ImportMappingIn)]
#[serde(deny_unknown_fields)]
struct MappingIn {
    /// Its name; one of that name is replaced.
    name: String,
    /// `leads` or `contacts`.
    #[serde(default)]
    kind: Kind,
    /// Which column fills which field.
    #[schema(value_type = Vec<TargetShape>)]
    mapping: Value,
    /// How rows are taken in.
    #[serde(default)]
    options: Options,
}

/// Keeps a mapping under a name.
#[utoipa::path(post, path = "/api/v1/import-mappings", tag = "imports", request_body = MappingIn,
    responses((status = 201, body = MappingView)))]
async fn create_import_mapping(
    State(app): State<App>,
    Supervisor(caller): Supervisor,
    Json(body): Json<MappingIn>,
) -> Result<(StatusCode, Json<MappingView>)> {
    let name = clean_line(&body.name, 100);
    if name.is_empty() {
        return Err(Problem::invalid("name", "is empty"));
    }
    let mapping: Mapping = serde_json::from_value(body.mapping)
        .map_err(|error| Problem::invalid("mapping", error.to_string()))?;
    check_options(&app, &body.options).await?;
    let now = app.clock.now();
    let row = import_mapping::Model {
        id: id::new(id::Kind::ImportMapping, now),
        name: name.clone(),
        kind: body.kind.as_str().to_owned(),
        mapping: json!(mapping),
        options: json!(body.options),
        operator_id: Some(caller.operator.id),
        created_at: now,
    };
    let write = app.db.write().await?;
    store::keep_mapping(&write, row.clone()).await.map_err(|error| {
        if is_unique_violation(&error) {
            Problem::conflict("a mapping of this name was made in this moment")
        } else {
            error.into()
        }
    })?;
    write.commit().await?;
    Ok((StatusCode::CREATED, Json(row.into())))
}

/// Forgets a mapping.
#[utoipa::path(delete, path = "/api/v1/import-mappings/{id}", tag = "imports",
    params(("id" = String, Path, description = "`imm_…`")), responses((status = 204)))]
async fn delete_import_mapping(
    State(app): State<App>,
    Supervisor(_caller): Supervisor,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    let write = app.db.write().await?;
    let gone = store::drop_mapping(&write, &id).await?;
    write.commit().await?;
    if !gone {
        return Err(Problem::not_found("import mapping"));
    }
    Ok(StatusCode::NO_CONTENT)
}

fn problem(error: store::Error) -> Problem {
    match error {
        store::Error::Missing => Problem::not_found("import"),
        store::Error::Db(error) => error.into(),
        other => Problem::conflict(other.to_string()),
    }
}
