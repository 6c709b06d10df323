//! How soon customers are answered: until the first answer, until the end, by whom. Counting is pure; reading goes
//! through the sessions once, page by page.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde::{Deserialize, Serialize};
use switchboard_exchange::sheet;
use utoipa::ToSchema;

use crate::{
    db::entity::session,
    operator::rights::{Extent, Object, Scope},
};

/// Sessions that are read at once.
const PAGE: u64 = 5_000;
/// Most rows of a report: what has fewest sessions is left out.
const MOST_ROWS: usize = 1_000;

/// What sessions are counted by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ResponsesBy)]
pub enum By {
    /// Who has the session, or had it at its end.
    #[default]
    Operator,
    /// The line.
    Line,
    /// The kind of channel.
    Channel,
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// Sessions that began from this moment on,
    pub from: DateTime<Utc>,
    /// until before this one.
    pub to: DateTime<Utc>,
    /// Days are days of this zone.
    pub zone: Tz,
    /// What they are counted by.
    pub by: By,
    /// Of one line.
    pub line_id: Option<String>,
    /// Of one operator.
    pub operator_id: Option<String>,
}

/// How soon, in seconds by the clock: nights count.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
#[schema(as = ResponsesFigures)]
pub struct Figures {
    /// Sessions that began.
    pub sessions: u64,
    /// Of them answered by somebody.
    pub answered: u64,
    /// Of them closed without an answer.
    pub unanswered: u64,
    /// From the beginning to the first answer, in the middle: half waited longer.
    pub median_first_secs: Option<i64>,
    /// Nine of ten were answered sooner.
    pub p90_first_secs: Option<i64>,
    /// From the beginning to the end, in the middle, of those that have ended.
    pub median_close_secs: Option<i64>,
    /// Ratings that were given.
    pub ratings: u64,
    /// Their mean.
    pub mean_rating: Option<f64>,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = ResponsesRow)]
pub struct Row {
    /// The operator's or the line's id, or the kind of channel; null for sessions that nobody took.
    pub id: Option<String>,
    /// Of these sessions.
    #[serde(flatten)]
    pub figures: Figures,
}

/// One day.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = ResponsesDay)]
pub struct Day {
    /// `YYYY-MM-DD`.
    pub date: String,
    /// Of the sessions that began on it.
    #[serde(flatten)]
    pub figures: Figures,
}

/// The answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
#[schema(as = Responses)]
pub struct Report {
    /// Of all sessions.
    pub all: Figures,
    /// The most sessions first.
    pub rows: Vec<Row>,
    /// Days with sessions, in order.
    pub days: Vec<Day>,
}

/// What of a session counts.
#[derive(Debug, Clone, Default)]
pub struct Counted {
    /// What it is counted under.
    pub key: Option<String>,
    /// When it began.
    pub opened_at: DateTime<Utc>,
    /// When somebody answered first.
    pub first_reply_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub closed_at: Option<DateTime<Utc>>,
    /// What the customer gave it.
    pub rating: Option<i64>,
}

#[derive(Debug, Default)]
struct Group {
    sessions: u64,
    unanswered: u64,
    first: Vec<i64>,
    close: Vec<i64>,
    ratings: (u64, i64),
}

impl Group {
    fn count(&mut self, session: &Counted) {
        let after = |at: DateTime<Utc>| (at - session.opened_at).num_seconds().max(0);
        self.sessions += 1;
        self.first.extend(session.first_reply_at.map(after));
        self.close.extend(session.closed_at.map(after));
        self.unanswered += u64::from(session.closed_at.is_some() && session.first_reply_at.is_none());
        if let Some(rating) = session.rating {
            self.ratings = (self.ratings.0 + 1, self.ratings.1 + rating);
        }
    }

    fn figures(mut self) -> Figures {
        let (ratings, sum) = self.ratings;
        Figures {
            sessions: self.sessions,
            answered: self.first.len() as u64,
            unanswered: self.unanswered,
            median_first_secs: quantile(&mut self.first, 0.5),
            p90_first_secs: quantile(&mut self.first, 0.9),
            median_close_secs: quantile(&mut self.close, 0.5),
            ratings,
            mean_rating: (ratings > 0).then(|| sum as f64 / ratings as f64),
        }
    }
}

/// The nearest rank: a value that was there.
fn quantile(values: &mut [i64], part: f64) -> Option<i64> {
    values.sort_unstable();
    let rank = (values.len() as f64 * part).ceil() as usize;
    values.get(rank.saturating_sub(1)).copied()
}

/// Counts sessions as they are read.
#[derive(Debug)]
pub struct Tally {
    zone: Tz,
    all: Group,
    rows: BTreeMap<Option<String>, Group>,
    days: BTreeMap<String, Group>,
}

impl Tally {
    /// Nothing counted yet.
    pub fn new(zone: Tz) -> Self {
        Self {
            zone,
            all: Group::default(),
            rows: BTreeMap::new(),
            days: BTreeMap::new(),
        }
    }

    /// Counts one session.
    pub fn count(&mut self, session: &Counted) {
        self.all.count(session);
        self.rows.entry(session.key.clone()).or_default().count(session);
        let day = session.opened_at.with_timezone(&self.zone).format("%Y-%m-%d");
        self.days.entry(day.to_string()).or_default().count(session);
    }

    /// The report.
    pub fn report(self) -> Report {
        let mut rows: Vec<Row> = self
            .rows
            .into_iter()
            .map(|(id, group)| Row {
                id,
                figures: group.figures(),
            })
            .collect();
        // Stable: rows of one size stay in the order of their ids.
        rows.sort_by_key(|row| std::cmp::Reverse(row.figures.sessions));
        rows.truncate(MOST_ROWS);
        let day = |(date, group): (String, Group)| Day {
            date,
            figures: group.figures(),
        };
        Report {
            all: self.all.figures(),
            rows,
            days: self.days.into_iter().map(day).collect(),
        }
    }
}

/// What is read of a session.
type Read = (
    String,
    Option<String>,
    DateTime<Utc>,
    Option<DateTime<Utc>>,
    Option<DateTime<Utc>>,
    Option<i64>,
);

/// The sessions that a right reaches.
fn reached(extent: &Extent<'_>) -> Condition {
    if extent.is_all() {
        return Condition::all();
    }
    Condition::any()
        .add(session::Column::OperatorId.is_in(extent.owners()))
        .add(session::Column::LineId.is_in(extent.lines()))
}

/// Reads and counts the sessions that the reader's right to figures reaches.
pub async fn read(db: &impl ConnectionTrait, scope: &Scope, question: &Question) -> Result<Report, DbErr> {
    let mut tally = Tally::new(question.zone);
    let mut after = String::new();
    let key = match question.by {
        By::Operator => session::Column::OperatorId,
        By::Line => session::Column::LineId,
        By::Channel => session::Column::ChannelKind,
    };
    loop {
        let mut query = session::Entity::find()
            .select_only()
            .column(session::Column::Id)
            .column_as(key, "key")
            .columns([
                session::Column::OpenedAt,
                session::Column::FirstReplyAt,
                session::Column::ClosedAt,
                session::Column::Rating,
            ])
            .filter(reached(&scope.view(Object::Report)))
            .filter(session::Column::Id.gt(&after))
            .filter(session::Column::OpenedAt.gte(question.from))
            .filter(session::Column::OpenedAt.lt(question.to));
        for (column, value) in [
            (session::Column::LineId, &question.line_id),
            (session::Column::OperatorId, &question.operator_id),
        ] {
            if let Some(value) = value {
                query = query.filter(column.eq(value));
            }
        }
        // By id: each page goes on where the last one ended, so that no index of times is kept for this alone.
        let page: Vec<Read> = query
            .order_by_asc(session::Column::Id)
            .limit(PAGE)
            .into_tuple()
            .all(db)
            .await?;
        let more = page.len() as u64 == PAGE;
        for (id, key, opened_at, first_reply_at, closed_at, rating) in page {
            tally.count(&Counted {
                key,
                opened_at,
                first_reply_at,
                closed_at,
                rating,
            });
            after = id;
        }
        if !more {
            return Ok(tally.report());
        }
    }
}

/// The rows as CSV (RFC 4180), with names.
pub fn csv(report: &Report, by: By, name_of: impl Fn(&str) -> String) -> String {
    let heading = match by {
        By::Operator => "operator",
        By::Line => "line",
        By::Channel => "channel",
    };
    let mut table = sheet::line([
        heading,
        "sessions",
        "answered",
        "unanswered",
        "median_first_secs",
        "p90_first_secs",
        "median_close_secs",
        "ratings",
        "mean_rating",
    ]);
    for Row { id, figures } in &report.rows {
        let secs = |secs: Option<i64>| secs.map_or_else(String::new, |secs| secs.to_string());
        table.push_str(&sheet::line([
            id.as_deref().map(&name_of).unwrap_or_default(),
            figures.sessions.to_string(),
            figures.answered.to_string(),
            figures.unanswered.to_string(),
            secs(figures.median_first_secs),
            secs(figures.p90_first_secs),
            secs(figures.median_close_secs),
            figures.ratings.to_string(),
            figures
                .mean_rating
                .map_or_else(String::new, |mean| format!("{mean:.2}")),
        ]));
    }
    table
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    fn session(key: Option<&str>, opened: &str, first: Option<i64>, closed: Option<i64>) -> Counted {
        let opened_at: DateTime<Utc> = opened.parse().unwrap_or_default();
        let after = |secs| opened_at + TimeDelta::seconds(secs);
        Counted {
            key: key.map(str::to_owned),
            opened_at,
            first_reply_at: first.map(after),
            closed_at: closed.map(after),
            rating: None,
        }
    }

    #[test]
    fn sessions_are_counted_by_whom_and_by_the_day_of_the_zone() {
        let mut tally = Tally::new(chrono_tz::Asia::Tashkent);
        for one in [
            session(Some("opr_1"), "2026-11-20T20:30:00Z", Some(10), Some(100)),
            session(Some("opr_1"), "2026-11-20T12:00:00Z", Some(30), None),
            session(Some("opr_1"), "2026-11-20T12:00:00Z", Some(50), Some(60)),
            session(None, "2026-11-20T12:00:00Z", None, Some(900)),
        ] {
            tally.count(&one);
        }
        let report = tally.report();
        let of_all = &report.all;
        assert_eq!((of_all.sessions, of_all.answered, of_all.unanswered), (4, 3, 1));
        let rows: Vec<_> = report
            .rows
            .iter()
            .map(|row| {
                (
                    row.id.as_deref(),
                    row.figures.sessions,
                    row.figures.median_first_secs,
                    row.figures.p90_first_secs,
                    row.figures.median_close_secs,
                )
            })
            .collect();
        assert_eq!(
            rows,
            [
                (Some("opr_1"), 3, Some(30), Some(50), Some(60)),
                (None, 1, None, None, Some(900))
            ]
        );
        let days: Vec<_> = report
            .days
            .iter()
            .map(|day| (day.date.as_str(), day.figures.sessions))
            .collect();
        assert_eq!(days, [("2026-11-20", 3), ("2026-11-21", 1)]);
    }

    #[test]
    fn a_name_that_begins_like_a_formula_is_none_in_a_spreadsheet() {
        let mut tally = Tally::new(chrono_tz::UTC);
        tally.count(&session(Some("opr_1"), "2026-11-20T12:00:00Z", Some(10), None));
        let table = csv(&tally.report(), By::Operator, |_| "=1+1".to_owned());
        assert!(table.contains("'=1+1,1,1,0,10,10,,0,"), "{table}");
    }

    proptest! {
        #[test]
        fn rows_and_days_each_add_up_to_all(sessions in proptest::collection::vec((0..4u8, 0..200_000i64, proptest::option::of(0..9_000i64), proptest::option::of(0..9_000i64)), 0..60)) {
            let mut tally = Tally::new(chrono_tz::Europe::Berlin);
            for (key, opened, first, closed) in sessions {
                let opened_at = DateTime::UNIX_EPOCH + TimeDelta::seconds(opened);
                tally.count(&Counted {
                    key: (key > 0).then(|| key.to_string()),
                    opened_at,
                    first_reply_at: first.map(|secs| opened_at + TimeDelta::seconds(secs)),
                    closed_at: closed.map(|secs| opened_at + TimeDelta::seconds(secs)),
                    rating: first.map(|secs| secs % 5 + 1),
                });
            }
            let report = tally.report();
            let sums = |figures: &mut dyn Iterator<Item = &Figures>| figures.fold((0, 0, 0, 0), |sum, one| {
                (sum.0 + one.sessions, sum.1 + one.answered, sum.2 + one.unanswered, sum.3 + one.ratings)
            });
            let all = sums(&mut std::iter::once(&report.all));
            prop_assert_eq!(sums(&mut report.rows.iter().map(|row| &row.figures)), all);
            prop_assert_eq!(sums(&mut report.days.iter().map(|day| &day.figures)), all);
            for row in &report.rows {
                prop_assert!(row.figures.median_first_secs <= row.figures.p90_first_secs);
            }
        }
    }
}
