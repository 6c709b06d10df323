//! Reports: figures over a time.

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
        problem::{Problem, Result},
        right::{May, on, to},
    },
    app::App,
    channel::store as channels,
    lead::report::{self, By, Question, Report, Which},
    line::store as lines,
    operator::rights::{Action, Object},
};

/// Days a report is about when nothing is said.
const USUAL: TimeDelta = TimeDelta::days(30);

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(report_leads))
        .routes(routes!(report_leads_csv))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct LeadsQuery {
    /// From this moment on; 30 days before `to` when absent.
    from: Option<DateTime<Utc>>,
    /// Until before this moment; now when absent.
    to: Option<DateTime<Utc>>,
    /// Days are days of this time zone; UTC when absent.
    time_zone: Option<String>,
    /// `last` (default) or `first`: which touch counts.
    #[param(inline)]
    touch: Option<Which>,
    /// Separated by commas, four at most: `source`, `medium`, `campaign`, `channel` (a form is one), `line`,
    /// `number` (the company's number that was called). The first three when absent.
    by: Option<String>,
    /// One line, by id.
    line: Option<String>,
    /// One channel, by id.
    channel: Option<String>,
}

impl LeadsQuery {
    fn question(self, now: DateTime<Utc>) -> Result<Question> {
        let (from, to) = period(self.from, self.to, USUAL, now)?;
        let words = self.by.unwrap_or_else(|| "source,medium,campaign".to_owned());
        let mut by = words
            .split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty())
            .map(read_by)
            .collect::<Result<Vec<By>>>()?;
        by.dedup();
        if by.is_empty() || by.len() > 4 {
            return Err(Problem::invalid("by", "name one to four"));
        }
        Ok(Question {
            from,
            to,
            zone: zone(self.time_zone.as_deref())?,
            touch: self.touch.unwrap_or_default(),
            by,
            line_id: self.line.filter(|id| !id.is_empty()),
            channel_id: self.channel.filter(|id| !id.is_empty()),
        })
    }
}

fn read_by(word: &str) -> Result<By> {
    Ok(match word {
        "source" => By::Source,
        "medium" => By::Medium,
        "campaign" => By::Campaign,
        "channel" => By::Channel,
        "line" => By::Line,
        "number" => By::Number,
        other => {
            return Err(Problem::invalid(
                "by",
                format!("{other:?} is none of source, medium, campaign, channel, line, number"),
            ));
        }
    })
}

/// Leads of a time, by where they came from.
#[utoipa::path(get, path = "/api/v1/reports/leads", tag = "reports", params(LeadsQuery),
    responses((status = 200, body = Report)))]
async fn report_leads(
    State(app): State<App>,
    May(caller, _): May<on::Report, to::View>,
    Query(query): Query<LeadsQuery>,
) -> Result<Json<Report>> {
    let question = query.question(app.clock.now())?;
    Ok(Json(report::read(app.db.read(), &caller.scope, &question).await?))
}

/// The same as a table for spreadsheets. What one of them would take for a formula has an apostrophe before it.
#[utoipa::path(get, path = "/api/v1/reports/leads.csv", tag = "reports", params(LeadsQuery),
    responses((status = 200, content_type = "text/csv", body = String)))]
async fn report_leads_csv(
    State(app): State<App>,
    May(caller, _): May<on::Report, to::Export>,
    Query(query): Query<LeadsQuery>,
) -> Result<Response> {
    let question = query.question(app.clock.now())?;
    let report = report::read(
        app.db.read(),
        &caller.scope.narrowed(Object::Report, Action::Export),
        &question,
    )
    .await?;
    let mut names = channels::names(app.db.read()).await?;
    names.extend(lines::names(app.db.read()).await?);
    let table = report::csv(&report, &question.by, |id| {
        names.get(id).cloned().unwrap_or_else(|| id.to_owned())
    });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"leads.csv\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, table).into_response())
}
