//! The funnel: how far deals come.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{period::period, pipelines::problem};
use crate::{
    api::{
        Json, Query,
        problem::{Problem, Result},
        right::{May, on, to},
    },
    app::App,
    deal::{
        funnel::{self, Question, Report},
        pipeline,
    },
    operator::rights::{Action, Object, Scope},
};

/// Days a report is about when nothing is said.
const USUAL: TimeDelta = TimeDelta::days(90);

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(report_funnel))
        .routes(routes!(report_funnel_csv))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct FunnelQuery {
    /// The pipeline; the first one when absent.
    pipeline: Option<String>,
    /// Deals made from this moment on; 90 days before `to` when absent.
    from: Option<DateTime<Utc>>,
    /// Deals made until before this moment; now when absent.
    to: Option<DateTime<Utc>>,
    /// Of one operator, by id.
    operator: Option<String>,
    /// Of one line, by id.
    line: Option<String>,
}

async fn read(app: &App, scope: &Scope, query: FunnelQuery) -> Result<Report> {
    let now = app.clock.now();
    let (from, to) = period(query.from, query.to, USUAL, now)?;
    let pipeline = match query.pipeline.filter(|id| !id.is_empty()) {
        Some(id) => pipeline::find(app.db.read(), &id)
            .await
            .map_err(|error| problem(error, "pipeline"))?,
        None => {
            let all = pipeline::list(app.db.read()).await?;
            all.into_iter()
                .next()
                .ok_or_else(|| Problem::not_found("pipeline"))?
        }
    };
    let question = Question {
        from,
        to,
        operator_id: query.operator.filter(|id| !id.is_empty()),
        line_id: query.line.filter(|id| !id.is_empty()),
    };
    Ok(funnel::read(app.db.read(), scope, &pipeline, &question, now).await?)
}

/// How far the deals come that were made in a time: how many reach each stage, what share goes on, how long they stay.
#[utoipa::path(get, path = "/api/v1/reports/funnel", tag = "reports", params(FunnelQuery),
    responses((status = 200, body = Report)))]
async fn report_funnel(
    State(app): State<App>,
    May(caller, _): May<on::Report, to::View>,
    Query(query): Query<FunnelQuery>,
) -> Result<Json<Report>> {
    read(&app, &caller.scope, query).await.map(Json)
}

/// The same as a table for spreadsheets. What one of them would take for a formula has an apostrophe before it.
#[utoipa::path(get, path = "/api/v1/reports/funnel.csv", tag = "reports", params(FunnelQuery),
    responses((status = 200, content_type = "text/csv", body = String)))]
async fn report_funnel_csv(
    State(app): State<App>,
    May(caller, _): May<on::Report, to::Export>,
    Query(query): Query<FunnelQuery>,
) -> Result<Response> {
    let report = read(
        &app,
        &caller.scope.narrowed(Object::Report, Action::Export),
        query,
    )
    .await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"funnel.csv\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, funnel::csv(&report)).into_response())
}
