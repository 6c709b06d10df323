//! Files that are taken in.

mod mappings;
mod preview;

use axum::{
    extract::{DefaultBodyLimit, Multipart, State, multipart::MultipartRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use switchboard_exchange::{Layout, Mapping, sheet};
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
    db::entity::import,
    import::{
        ImportView, Kind, Options, TargetShape, WrongRow, new, run, store,
        store::{Change, Place},
    },
    storage,
};

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
        .merge(preview::router())
        .routes(routes!(check_import))
        .routes(routes!(start_import))
        .routes(routes!(cancel_import))
        .routes(routes!(undo_import))
        .routes(routes!(list_import_errors))
        .routes(routes!(export_import_errors))
        .merge(mappings::router())
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
    let own = store::own_fields(app.db.read()).await?;
    let mut row = file.row(file.suggested_kind(), &own, app.clock.now());
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
    /// `leads`, `contacts` or `deals`; a mapping nobody touched becomes what suits it.
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
    let own = store::own_fields(app.db.read()).await?;
    let was = Kind::parse(&row.kind).unwrap_or_default();
    let kind = body.kind.unwrap_or(was);
    if kind != was {
        let mapping: Mapping = serde_json::from_value(row.mapping.clone()).unwrap_or_default();
        change.mapping = Some(new::remapped(mapping, was, kind, &columns, &own));
    }
    if let Some(layout) = body.layout {
        let layout: Layout =
            serde_json::from_value(layout).map_err(|error| Problem::invalid("layout", error.to_string()))?;
        let bytes = file_of(&app, &row).await?;
        let (head, total) = new::look(bytes, layout.clone())
            .await
            .map_err(|error| Problem::invalid("layout", error.to_string()))?;
        columns = head.columns;
        change.layout = Some((layout, columns.clone(), total));
        change.mapping = Some(new::guess(kind, &columns, &own));
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
    match store::option_fault(app.db.read(), options).await? {
        Some((field, message)) => Err(Problem::invalid(format!("options.{field}"), message)),
        None => Ok(()),
    }
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
    let kind = Kind::parse(&view.kind).unwrap_or_default();
    if let Some(stray) = view
        .mapping
        .0
        .iter()
        .find(|target| !new::suits(&target.field, kind))
    {
        return Err(Problem::invalid(
            "mapping",
            format!(
                "{} cannot be filled where rows become {}; leave out the column {}",
                stray.field,
                kind.as_str(),
                stray.column
            ),
        ));
    }
    let message = match kind {
        Kind::Deals if places.has_deal() => return Ok(()),
        Kind::Deals => "names no column for the deal's title, a person or a company",
        Kind::Leads | Kind::Contacts if places.has_person() => return Ok(()),
        Kind::Leads | Kind::Contacts => {
            "names no column for a name, an e-mail address, a phone or an external id"
        }
    };
    Err(Problem::invalid("mapping", message))
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

fn problem(error: store::Error) -> Problem {
    match error {
        store::Error::Missing => Problem::not_found("import"),
        store::Error::Db(error) => error.into(),
        other => Problem::conflict(other.to_string()),
    }
}
