//! Where leads come from: how many, by what brought them. Counting is pure; reading goes page by page.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use switchboard_exchange::sheet;
use switchboard_sdk::Attribution;
use utoipa::ToSchema;

use super::source;
use crate::{
    db::{entity::lead, keyset},
    operator::rights::{Object, Scope},
};

/// Leads that are read at once.
const PAGE: u64 = 2_000;
/// Most rows of a report; the smallest make one row together.
const MOST_ROWS: usize = 1_000;
/// What stands where nothing is known.
const NONE: &str = "";

/// Which touch counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LeadTouch)]
pub enum Which {
    /// What brought them the first time.
    First,
    /// What brought them this time.
    #[default]
    Last,
}

/// What leads are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// Where they came from, in a word.
    Source,
    /// `utm_medium`.
    Medium,
    /// `utm_campaign`.
    Campaign,
    /// The channel they came by: a form, a chat.
    Channel,
    /// The line they came into.
    Line,
    /// The company's number that was called.
    Number,
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// From this moment on.
    pub from: DateTime<Utc>,
    /// Until before this one.
    pub to: DateTime<Utc>,
    /// Days are days of this zone.
    pub zone: Tz,
    /// Which touch counts.
    pub touch: Which,
    /// What they are counted by; at least one.
    pub by: Vec<By>,
    /// Of one line.
    pub line_id: Option<String>,
    /// Of one channel.
    pub channel_id: Option<String>,
}

/// One row: leads of one origin.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = LeadsReportRow)]
pub struct Row {
    /// Where they came from; absent when it is not counted by, empty when it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// `utm_medium`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub medium: Option<String>,
    /// `utm_campaign`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
    /// The channel they came by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<String>,
    /// The line they came into.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line_id: Option<String>,
    /// The company's number that was called, as E.164.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub called_number: Option<String>,
    /// How many leads.
    pub leads: u64,
    /// Of them converted.
    pub converted: u64,
    /// Of them junk.
    pub junk: u64,
}

/// A day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = LeadsReportDay)]
pub struct Day {
    /// `YYYY-MM-DD`.
    pub date: String,
    /// Leads of that day.
    pub leads: u64,
}

/// The answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = LeadsReport)]
pub struct Report {
    /// The most first.
    pub rows: Vec<Row>,
    /// Days with leads, in order.
    pub days: Vec<Day>,
    /// All leads of the time.
    pub leads: u64,
    /// Leads whose rows are left out because there are too many rows.
    pub left_out: u64,
}

/// What of a lead counts.
type Read = (
    String,
    DateTime<Utc>,
    String,
    String,
    Option<String>,
    Option<String>,
    Value,
);

/// A lead, as far as it counts.
#[derive(Debug, Clone, Copy)]
pub struct Counted<'a> {
    /// When it was made.
    pub at: DateTime<Utc>,
    /// Where it stands.
    pub status: &'a str,
    /// Its own word for where it came from.
    pub source: &'a str,
    /// The channel it came by.
    pub channel_id: Option<&'a str>,
    /// The line it came into.
    pub line_id: Option<&'a str>,
    /// What brought them, as it is stored.
    pub attribution: &'a Value,
}

/// Counts leads as they are read.
#[derive(Debug)]
pub struct Tally<'a> {
    question: &'a Question,
    rows: BTreeMap<Vec<String>, Row>,
    days: BTreeMap<String, u64>,
    leads: u64,
}

impl<'a> Tally<'a> {
    /// Nothing counted yet.
    pub fn new(question: &'a Question) -> Self {
        Self {
            question,
            rows: BTreeMap::new(),
            days: BTreeMap::new(),
            leads: 0,
        }
    }

    /// Counts one lead.
    pub fn count(&mut self, lead: Counted<'_>) {
        let Counted { status, source, .. } = lead;
        let attribution: Attribution = serde_json::from_value(lead.attribution.clone()).unwrap_or_default();
        let touch = match self.question.touch {
            Which::First => &attribution.first,
            Which::Last => &attribution.last,
        };
        let mark = |name: &str| touch.get(name).map_or(NONE, |value| value.trim()).to_owned();
        let value = |by: &By| match by {
            // The lead's own word is that of the last touch, and may have been corrected by hand.
            By::Source if self.question.touch == Which::First => {
                source::of_touch(touch).unwrap_or_else(|| source.to_owned())
            }
            By::Source => source.to_owned(),
            By::Medium => mark("utm_medium"),
            By::Campaign => mark("utm_campaign"),
            By::Channel => lead.channel_id.unwrap_or(NONE).to_owned(),
            By::Line => lead.line_id.unwrap_or(NONE).to_owned(),
            By::Number => mark("called_number"),
        };
        let key: Vec<String> = self.question.by.iter().map(value).collect();
        let row = self.rows.entry(key).or_default();
        row.leads += 1;
        row.converted += u64::from(status == "converted");
        row.junk += u64::from(status == "junk");
        let day = lead
            .at
            .with_timezone(&self.question.zone)
            .format("%Y-%m-%d")
            .to_string();
        *self.days.entry(day).or_default() += 1;
        self.leads += 1;
    }

    /// The report.
    pub fn report(self) -> Report {
        let named = |(key, mut row): (Vec<String>, Row)| {
            for (by, value) in self.question.by.iter().zip(key) {
                match by {
                    By::Source => row.source = Some(value),
                    By::Medium => row.medium = Some(value),
                    By::Campaign => row.campaign = Some(value),
                    By::Channel => row.channel_id = Some(value),
                    By::Line => row.line_id = Some(value),
                    By::Number => row.called_number = Some(value),
                }
            }
            row
        };
        let mut rows: Vec<Row> = self.rows.into_iter().map(named).collect();
        // Stable: rows of one size stay in the order of their words.
        rows.sort_by_key(|row| std::cmp::Reverse(row.leads));
        let left_out = rows.iter().skip(MOST_ROWS).map(|row| row.leads).sum();
        rows.truncate(MOST_ROWS);
        Report {
            rows,
            days: self
                .days
                .into_iter()
                .map(|(date, leads)| Day { date, leads })
                .collect(),
            leads: self.leads,
            left_out,
        }
    }
}

/// Reads and counts the leads that the reader's right to figures reaches.
pub async fn read(db: &impl ConnectionTrait, scope: &Scope, question: &Question) -> Result<Report, DbErr> {
    let mut tally = Tally::new(question);
    let mut after: Option<(DateTime<Utc>, String)> = None;
    let (backend, extent) = (db.get_database_backend(), scope.view(Object::Report));
    loop {
        let from = after.as_ref().map_or(question.from, |(at, _)| *at);
        let mut query = lead::Entity::find()
            .select_only()
            .columns([
                lead::Column::Id,
                lead::Column::CreatedAt,
                lead::Column::Status,
                lead::Column::Source,
                lead::Column::ChannelId,
                lead::Column::LineId,
                lead::Column::Attribution,
            ])
            .filter(super::list::compared(backend, &extent))
            .filter(keyset::led(
                backend,
                [
                    (lead::Column::ChannelId, question.channel_id.clone()),
                    (lead::Column::LineId, question.line_id.clone()),
                ],
            ))
            .filter(lead::Column::CreatedAt.gte(from))
            .filter(lead::Column::CreatedAt.lt(question.to));
        if let Some((at, id)) = &after {
            query = query.filter(
                Condition::any().add(lead::Column::CreatedAt.gt(*at)).add(
                    Condition::all()
                        .add(lead::Column::CreatedAt.eq(*at))
                        .add(lead::Column::Id.gt(id)),
                ),
            );
        }
        let page: Vec<Read> = query
            .order_by_asc(lead::Column::CreatedAt)
            .order_by_asc(lead::Column::Id)
            .limit(PAGE)
            .into_tuple()
            .all(db)
            .await?;
        for (_, at, status, source, channel_id, line_id, attribution) in &page {
            tally.count(Counted {
                at: *at,
                status,
                source,
                channel_id: channel_id.as_deref(),
                line_id: line_id.as_deref(),
                attribution,
            });
        }
        match page.last() {
            Some((id, at, ..)) if page.len() as u64 == PAGE => after = Some((*at, id.clone())),
            _ => return Ok(tally.report()),
        }
    }
}

/// The rows as CSV (RFC 4180), with the names of channels and lines.
pub fn csv(report: &Report, by: &[By], name_of: impl Fn(&str) -> String) -> String {
    let heading = |by: &By| match by {
        By::Source => "source",
        By::Medium => "medium",
        By::Campaign => "campaign",
        By::Channel => "channel",
        By::Line => "line",
        By::Number => "called_number",
    };
    let mut table = sheet::line(by.iter().map(heading).chain(["leads", "converted", "junk"]));
    for row in &report.rows {
        let value = |by: &By| match by {
            By::Source => row.source.clone(),
            By::Medium => row.medium.clone(),
            By::Campaign => row.campaign.clone(),
            By::Channel => row.channel_id.as_deref().map(&name_of),
            By::Line => row.line_id.as_deref().map(&name_of),
            By::Number => row.called_number.clone(),
        };
        let named = by.iter().map(|by| value(by).unwrap_or_default());
        let counts = [row.leads, row.converted, row.junk].map(|count| count.to_string());
        table.push_str(&sheet::line(named.chain(counts)));
    }
    table
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn question(touch: Which, by: &[By]) -> Question {
        Question {
            from: DateTime::UNIX_EPOCH,
            to: DateTime::<Utc>::MAX_UTC,
            zone: chrono_tz::Asia::Tashkent,
            touch,
            by: by.to_vec(),
            line_id: None,
            channel_id: None,
        }
    }

    fn lead<'a>(at: &str, status: &'a str, source: &'a str, attribution: &'a Value) -> Counted<'a> {
        Counted {
            at: at.parse().unwrap_or_default(),
            status,
            source,
            channel_id: None,
            line_id: Some("lin_1"),
            attribution,
        }
    }

    #[test]
    fn leads_are_counted_by_what_is_asked_and_by_day_of_the_zone() {
        let first = json!({"first": {"utm_source": "Ads", "utm_medium": "cpc"}, "last": {"utm_medium": "email", "utm_campaign": "spring"}});
        let direct = json!({"first": {}, "last": {}});
        let question = question(Which::Last, &[By::Source, By::Medium]);
        let mut tally = Tally::new(&question);
        tally.count(lead("2026-11-20T20:30:00Z", "new", "newsletter", &first));
        tally.count(lead("2026-11-20T12:00:00Z", "converted", "newsletter", &first));
        tally.count(lead("2026-11-21T12:00:00Z", "junk", "webform", &direct));
        let report = tally.report();
        let rows: Vec<_> = report
            .rows
            .iter()
            .map(|row| {
                (
                    row.source.as_deref(),
                    row.medium.as_deref(),
                    row.leads,
                    row.converted,
                    row.junk,
                )
            })
            .collect();
        assert_eq!(
            rows,
            [
                (Some("newsletter"), Some("email"), 2, 1, 0),
                (Some("webform"), Some(""), 1, 0, 1)
            ]
        );
        let days: Vec<_> = report
            .days
            .iter()
            .map(|day| (day.date.as_str(), day.leads))
            .collect();
        assert_eq!(days, [("2026-11-20", 1), ("2026-11-21", 2)]);
    }

    #[test]
    fn the_first_touch_is_another_report() {
        let both = json!({"first": {"utm_source": "Ads"}, "last": {"utm_source": "mail"}});
        let question = question(Which::First, &[By::Source]);
        let mut tally = Tally::new(&question);
        tally.count(lead("2026-11-20T12:00:00Z", "new", "mail", &both));
        assert_eq!(
            tally
                .report()
                .rows
                .first()
                .and_then(|row| row.source.clone())
                .as_deref(),
            Some("ads")
        );
    }

    #[test]
    fn leads_of_calls_are_counted_by_line_and_by_the_number_that_was_called() {
        let called =
            json!({"first": {}, "last": {"called_number": "+998712000001", "utm_source": "billboard"}});
        let question = question(Which::Last, &[By::Line, By::Number]);
        let mut tally = Tally::new(&question);
        tally.count(lead("2026-11-20T12:00:00Z", "new", "billboard", &called));
        let report = tally.report();
        let table = csv(&report, &question.by, |id| format!("={id}"));
        assert_eq!(
            table,
            "line,called_number,leads,converted,junk\r\n'=lin_1,+998712000001,1,0,0\r\n"
        );
    }
}
