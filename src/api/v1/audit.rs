//! The audit log, for admins.

use async_trait::async_trait;
use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, SecondsFormat, Utc};
use sea_orm::DbErr;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        Json, Query,
        auth::Admin,
        page::{Cursor, Page, PageQuery},
        problem::{Problem, Result},
    },
    app::App,
    audit::{
        Action,
        store::{self, Entry, Filter, Place},
    },
    db::Db,
    export::{self, Table},
};

/// Entries read at once for a file.
const PAGE: u64 = 500;

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_audit))
        .routes(routes!(export_audit))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct AuditQuery {
    /// By this operator.
    operator: Option<String>,
    /// `seen`, `changed`, `exported`, `erased` or `signed_in`.
    action: Option<String>,
    /// About the object of this id.
    object: Option<String>,
    /// From then on.
    since: Option<DateTime<Utc>>,
    /// Before.
    until: Option<DateTime<Utc>>,
}

impl AuditQuery {
    fn filter(self) -> Result<Filter> {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty() && !text.contains('\0'));
        let action = given(self.action)
            .map(|word| {
                Action::parse(&word).ok_or_else(|| {
                    let words = Action::ALL.map(Action::as_str).join(", ");
                    Problem::invalid("action", format!("one of {words}"))
                })
            })
            .transpose()?;
        Ok(Filter {
            operator_id: given(self.operator),
            action,
            object_id: given(self.object),
            since: self.since,
            until: self.until,
        })
    }
}

/// Who saw, changed, exported and erased what, and who signed in: the newest first. Openings of a card are told once an
/// hour for each operator. Entries are kept for two years.
#[utoipa::path(get, path = "/api/v1/audit", tag = "privacy", params(AuditQuery, PageQuery),
    responses((status = 200, body = Page<Entry>)))]
async fn list_audit(
    State(app): State<App>,
    _: Admin,
    Query(query): Query<AuditQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Entry>>> {
    let (limit, after): (u64, Option<Place>) = (page.limit()?, page.after()?);
    let filter = query.filter()?;
    let (items, next) = store::list(app.db.read(), &filter, after.as_ref(), limit).await?;
    Ok(Json(Page {
        items,
        next_cursor: next.as_ref().map(Cursor::encode),
    }))
}

/// The audit log as CSV, narrowed as the list is.
#[utoipa::path(get, path = "/api/v1/audit/export", tag = "privacy", params(AuditQuery),
    responses((status = 200, content_type = "text/csv", body = String)))]
async fn export_audit(State(app): State<App>, _: Admin, Query(query): Query<AuditQuery>) -> Result<Response> {
    let table = Entries {
        db: app.db.clone(),
        filter: query.filter()?,
        after: None,
        ended: false,
    };
    let mut response = Body::from_stream(export::csv(Box::new(table))).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/csv; charset=utf-8"),
    );
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment; filename=\"audit.csv\""),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The entries on their way into a file.
struct Entries {
    db: Db,
    filter: Filter,
    after: Option<Place>,
    ended: bool,
}

#[async_trait]
impl Table for Entries {
    async fn columns(&mut self) -> std::result::Result<Vec<String>, DbErr> {
        let columns = ["at", "operator_id", "action", "object", "object_id", "operation"];
        Ok(columns.map(str::to_owned).to_vec())
    }

    async fn next(&mut self) -> std::result::Result<Option<Vec<Vec<String>>>, DbErr> {
        if self.ended {
            return Ok(None);
        }
        let (entries, next) = store::list(self.db.read(), &self.filter, self.after.as_ref(), PAGE).await?;
        self.ended = next.is_none();
        self.after = next;
        let rows = entries.into_iter().map(|entry| {
            vec![
                entry.at.to_rfc3339_opts(SecondsFormat::Secs, true),
                entry.operator_id,
                entry.action,
                entry.object,
                entry.object_id.unwrap_or_default(),
                entry.operation,
            ]
        });
        Ok(Some(rows.collect()))
    }
}
