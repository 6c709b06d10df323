//! Everything that is known of a person, as a file.

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::contacts::seen;
use crate::{
    api::{
        Json, Path, file,
        page::Page,
        problem::{Problem, Result},
        right::{May, on, to},
    },
    app::App,
    contact::sight,
    export::person::{self, PersonExport},
    operator::rights::Action,
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(export_person))
        .routes(routes!(list_person_exports))
        .routes(routes!(get_person_export))
        .routes(routes!(download_person_export))
}

/// Has everything that is known of a person made into an archive: JSON, readable conversations, files and recordings.
/// It is made in the background and kept for a week.
#[utoipa::path(post, path = "/api/v1/contacts/{id}/export", tag = "privacy",
    params(("id" = String, Path, description = "`cnt_…`")), responses((status = 202, body = PersonExport)))]
async fn export_person(
    State(app): State<App>,
    May(caller, _): May<on::Contact, to::Export>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<PersonExport>)> {
    let row = seen(&app, &caller.scope, Action::Export, &id).await?;
    let id = sight::end_of_chain(app.db.read(), &row).await?;
    let write = app.db.write().await?;
    let asked = person::ask(&write, &id, &caller.operator.id, app.clock.now()).await?;
    write.commit().await?;
    person::run::wake();
    Ok((StatusCode::ACCEPTED, Json(asked)))
}

/// The archives that were asked for, the newest first.
#[utoipa::path(get, path = "/api/v1/contacts/{id}/exports", tag = "privacy",
    params(("id" = String, Path, description = "`cnt_…`")), responses((status = 200, body = Page<PersonExport>)))]
async fn list_person_exports(
    State(app): State<App>,
    May(caller, _): May<on::Contact, to::Export>,
    Path(id): Path<String>,
) -> Result<Json<Page<PersonExport>>> {
    seen(&app, &caller.scope, Action::Export, &id).await?;
    Ok(Json(Page {
        items: person::of_contact(app.db.read(), &id).await?,
        next_cursor: None,
    }))
}

/// Whether an archive is done.
#[utoipa::path(get, path = "/api/v1/contacts/{id}/exports/{export_id}", tag = "privacy",
    params(("id" = String, Path, description = "`cnt_…`"), ("export_id" = String, Path, description = "`pex_…`")),
    responses((status = 200, body = PersonExport)))]
async fn get_person_export(
    State(app): State<App>,
    May(caller, _): May<on::Contact, to::Export>,
    Path((id, export_id)): Path<(String, String)>,
) -> Result<Json<PersonExport>> {
    seen(&app, &caller.scope, Action::Export, &id).await?;
    let found = person::find(app.db.read(), &id, &export_id).await?;
    found
        .map(|(view, _)| Json(view))
        .ok_or_else(|| Problem::not_found("export"))
}

/// The archive.
#[utoipa::path(get, path = "/api/v1/contacts/{id}/exports/{export_id}/file", tag = "privacy",
    params(("id" = String, Path, description = "`cnt_…`"), ("export_id" = String, Path, description = "`pex_…`")),
    responses((status = 200, content_type = "application/zip", body = Vec<u8>)))]
async fn download_person_export(
    State(app): State<App>,
    May(caller, _): May<on::Contact, to::Export>,
    Path((id, export_id)): Path<(String, String)>,
) -> Result<Response> {
    seen(&app, &caller.scope, Action::Export, &id).await?;
    let found = person::find(app.db.read(), &id, &export_id).await?;
    let key = found
        .and_then(|(_, key)| key)
        .ok_or_else(|| Problem::not_found("export"))?;
    let mut response = file::stored(&app.storage, &key, "export").await?;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{id}.zip\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
