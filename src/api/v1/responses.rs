//! The report of responses: how soon customers are answered, and by whom.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::period::{period, zone};
use crate::{
    api::{
        Json, Query,
        problem::Result,
        right::{May, on, to},
    },
    app::App,
    conversation::responses::{self, By, Question, Report},
    line::store as lines,
    operator::{
        rights::{Action, Object},
        store as operators,
    },
};

/// Days a report is about when nothing is said.
const USUAL: TimeDelta = TimeDelta::days(30);

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(report_responses))
        .routes(routes!(report_responses_csv))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct ResponsesQuery {
    /// Sessions that began from this moment on; 30 days before `to` when absent.
    from: Option<DateTime<Utc>>,
    /// Sessions that began until before this moment; now when absent.
    to: Option<DateTime<Utc>>,
    /// Days are days of this time zone; UTC when absent.
    time_zone: Option<String>,
    /// `operator` (default), `line` or `channel`: what the rows are.
    #[param(inline)]
    by: Option<By>,
    /// Of one line, by id.
    line: Option<String>,
    /// Of one operator, by id.
    operator: Option<String>,
}

impl ResponsesQuery {
    fn question(self, now: DateTime<Utc>) -> Result<Question> {
        let (from, to) = period(self.from, self.to, USUAL, now)?;
        Ok(Question {
            from,
            to,
            zone: zone(self.time_zone.as_deref())?,
            by: self.by.unwrap_or_default(),
            line_id: self.line.filter(|id| !id.is_empty()),
            operator_id: self.operator.filter(|id| !id.is_empty()),
        })
    }
}

/// How soon sessions were answered and ended, as a whole, by operator, line or channel, and by day.
#[utoipa::path(get, path = "/api/v1/reports/responses", tag = "reports", params(ResponsesQuery),
    responses((status = 200, body = Report)))]
async fn report_responses(
    State(app): State<App>,
    May(caller, _): May<on::Report, to::View>,
    Query(query): Query<ResponsesQuery>,
) -> Result<Json<Report>> {
    let question = query.question(app.clock.now())?;
    Ok(Json(
        responses::read(app.db.read(), &caller.scope, &question).await?,
    ))
}

/// The same as a table for spreadsheets. What one of them would take for a formula has an apostrophe before it.
#[utoipa::path(get, path = "/api/v1/reports/responses.csv", tag = "reports", params(ResponsesQuery),
    responses((status = 200, content_type = "text/csv", body = String)))]
async fn report_responses_csv(
    State(app): State<App>,
    May(caller, _): May<on::Report, to::Export>,
    Query(query): Query<ResponsesQuery>,
) -> Result<Response> {
    let question = query.question(app.clock.now())?;
    let scope = caller.scope.narrowed(Object::Report, Action::Export);
    let report = responses::read(app.db.read(), &scope, &question).await?;
    let names = match question.by {
        By::Operator => operators::names(app.db.read()).await?,
        By::Line => lines::names(app.db.read()).await?,
        By::Channel => Default::default(),
    };
    let table = responses::csv(&report, question.by, |id| {
        names.get(id).cloned().unwrap_or_else(|| id.to_owned())
    });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"responses.csv\"",
        ),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, table).into_response())
}
