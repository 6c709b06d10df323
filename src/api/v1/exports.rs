//! Lists as files. A file goes where no right of ours reaches: to take one is a right of its own, and what lies beyond its
//! reach is not in the file.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use sea_orm::EntityTrait;
use serde::Deserialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{calls, companies, contacts, leads, submissions};
use crate::{
    api::{
        Query,
        problem::{Problem, Result},
        right::{May, on, to},
    },
    app::App,
    db::entity::channel,
    export::{self, Calls, Cards, Companies, Contacts, Leads, Rows, Submissions},
    operator::rights::{Action, Object},
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(export_contacts))
        .routes(routes!(export_companies))
        .routes(routes!(export_leads))
        .routes(routes!(export_submissions))
        .routes(routes!(export_calls))
}

/// A kind of file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ExportFormat)]
enum Format {
    /// Text with commas, UTF-8.
    #[default]
    Csv,
    /// A spreadsheet of Excel.
    Xlsx,
    /// Cards for an address book; contacts only.
    Vcf,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct FormatQuery {
    /// `csv`, `xlsx`, and of contacts `vcf`.
    #[param(inline)]
    format: Format,
}

fn file(body: Body, kind: &'static str, name: &str, extension: &str) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}.{extension}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

fn table(rows: Rows, name: &str, format: Format) -> Result<Response> {
    match format {
        Format::Csv => Ok(file(
            Body::from_stream(export::csv(rows)),
            "text/csv; charset=utf-8",
            name,
            "csv",
        )),
        Format::Xlsx => {
            let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
            Ok(file(Body::from_stream(export::xlsx(rows)), kind, name, "xlsx"))
        }
        Format::Vcf => Err(Problem::invalid("format", "only contacts are cards; csv or xlsx")),
    }
}

/// Contacts as a file: CSV, XLSX or vCard, narrowed as the list is.
#[utoipa::path(get, path = "/api/v1/contacts/export", tag = "contacts", params(contacts::ListQuery, FormatQuery),
    responses((status = 200, description = "the file", content_type = "text/csv", body = String)))]
async fn export_contacts(
    State(app): State<App>,
    May(caller, _): May<on::Contact, to::Export>,
    Query(query): Query<contacts::ListQuery>,
    Query(FormatQuery { format }): Query<FormatQuery>,
) -> Result<Response> {
    let filter = contacts::filter(query, &caller);
    let contacts = Contacts::new(
        app.db.clone(),
        caller.scope.narrowed(Object::Contact, Action::Export),
        filter,
    );
    if format == Format::Vcf {
        let body = Body::from_stream(Cards::new(contacts).stream());
        return Ok(file(body, "text/vcard; charset=utf-8", "contacts", "vcf"));
    }
    table(Box::new(contacts), "contacts", format)
}

/// Companies as a file: CSV or XLSX, narrowed as the list is.
#[utoipa::path(get, path = "/api/v1/companies/export", tag = "companies", params(companies::ListQuery, FormatQuery),
    responses((status = 200, description = "the file", content_type = "text/csv", body = String)))]
async fn export_companies(
    State(app): State<App>,
    May(caller, _): May<on::Company, to::Export>,
    Query(query): Query<companies::ListQuery>,
    Query(FormatQuery { format }): Query<FormatQuery>,
) -> Result<Response> {
    let filter = companies::filter(query, &caller);
    table(
        Box::new(Companies::new(
            app.db.clone(),
            caller.scope.narrowed(Object::Company, Action::Export),
            filter,
        )),
        "companies",
        format,
    )
}

/// Leads as a file, with whose they are: CSV or XLSX, narrowed as the list is.
#[utoipa::path(get, path = "/api/v1/leads/export", tag = "leads", params(leads::ListQuery, FormatQuery),
    responses((status = 200, description = "the file", content_type = "text/csv", body = String)))]
async fn export_leads(
    State(app): State<App>,
    May(caller, _): May<on::Lead, to::Export>,
    Query(query): Query<leads::ListQuery>,
    Query(FormatQuery { format }): Query<FormatQuery>,
) -> Result<Response> {
    // A line that does not exist has no leads: an id that nothing has says the same.
    let filter = leads::filter(&app, &caller, query)
        .await?
        .unwrap_or_else(|| crate::lead::store::Filter {
            line_id: Some(String::new()),
            ..crate::lead::store::Filter::default()
        });
    table(
        Box::new(Leads::new(
            app.db.clone(),
            caller.scope.narrowed(Object::Lead, Action::Export),
            filter,
        )),
        "leads",
        format,
    )
}

/// Submissions as a file: CSV or XLSX, narrowed as the list is. Of one form its fields are columns.
#[utoipa::path(get, path = "/api/v1/submissions/export", tag = "submissions", params(submissions::ListQuery, FormatQuery),
    responses((status = 200, description = "the file", content_type = "text/csv", body = String)))]
async fn export_submissions(
    State(app): State<App>,
    May(caller, _): May<on::Submission, to::Export>,
    Query(query): Query<submissions::ListQuery>,
    Query(FormatQuery { format }): Query<FormatQuery>,
) -> Result<Response> {
    let filter = submissions::filter(&app, query).await?;
    let fields = match &filter.channel_id {
        Some(id) => fields_of(&app, id).await?,
        None => Vec::new(),
    };
    let scope = caller.scope.narrowed(Object::Submission, Action::Export);
    table(
        Box::new(Submissions::new(app.db.clone(), scope, filter, fields)),
        "submissions",
        format,
    )
}

/// The names of a form's fields.
async fn fields_of(app: &App, channel_id: &str) -> Result<Vec<String>> {
    let row = channel::Entity::find_by_id(channel_id).one(app.db.read()).await?;
    let fields = row.and_then(|row| row.settings.get("fields").and_then(Value::as_array).cloned());
    let name = |field: &Value| field.get("name").and_then(Value::as_str).map(str::to_owned);
    Ok(fields.unwrap_or_default().iter().filter_map(name).collect())
}

/// Calls as a file: CSV or XLSX, narrowed as the list is.
#[utoipa::path(get, path = "/api/v1/calls/export", tag = "calls", params(calls::ListQuery, FormatQuery),
    responses((status = 200, description = "the file", content_type = "text/csv", body = String)))]
async fn export_calls(
    State(app): State<App>,
    May(caller, _): May<on::Call, to::Export>,
    Query(query): Query<calls::ListQuery>,
    Query(FormatQuery { format }): Query<FormatQuery>,
) -> Result<Response> {
    let filter = calls::filter(&app, &caller, query).await?;
    table(
        Box::new(Calls::new(
            app.db.clone(),
            caller.scope.narrowed(Object::Call, Action::Export),
            filter,
        )),
        "calls",
        format,
    )
}
