//! How far visitors come with a form: seen, begun, sent, or left at which field. Counts by day, and no visitors.
//!
//! Counts gather in memory and are written every few seconds, so that a busy form costs one write however many look
//! at it. A crash loses the last of them: they are statistics.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use switchboard_sdk::CancellationToken;
use utoipa::ToSchema;

use crate::db::{
    Db,
    entity::{channel, form_use},
};

/// How often counts are written.
const WRITTEN_EVERY: Duration = Duration::from_secs(5);
/// Counts that gather at most; further ones are dropped.
const GATHERED: usize = 20_000;
/// The fields of a form whose settings name none.
const USUAL: [&str; 4] = ["name", "phone", "email", "comment"];

/// What happened with a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// It came into sight.
    View,
    /// Somebody began to fill it in.
    Start,
    /// It was sent and taken.
    Done,
    /// Who had begun left the page.
    Left,
}

impl What {
    /// The word in the database.
    fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Start => "start",
            Self::Done => "done",
            Self::Left => "left",
        }
    }
}

type Key = (String, NaiveDate, What, String);

/// Counts that are not written yet. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Usage(Arc<Mutex<HashMap<Key, i64>>>);

impl Usage {
    /// Counts one; `field` only where the form has it.
    pub fn count(&self, form: &channel::Model, what: What, field: Option<&str>, now: DateTime<Utc>) {
        let field = field.filter(|name| what == What::Left && has_field(&form.settings, name));
        let key = (
            form.id.clone(),
            now.date_naive(),
            what,
            field.unwrap_or_default().to_owned(),
        );
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() < GATHERED || counts.contains_key(&key) {
            *counts.entry(key).or_default() += 1;
        }
    }

    /// Writes until `stop`, and then what is left.
    pub async fn run(&self, db: Db, stop: CancellationToken) {
        loop {
            let last = tokio::select! {
                () = stop.cancelled() => true,
                () = tokio::time::sleep(WRITTEN_EVERY) => false,
            };
            if let Err(error) = self.write(&db).await {
                tracing::warn!(%error, "how forms are used could not be written down; it will be tried again");
            }
            if last {
                return;
            }
        }
    }

    /// Writes what has gathered.
    pub async fn write(&self, db: &Db) -> Result<(), DbErr> {
        let counts = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if counts.is_empty() {
            return Ok(());
        }
        let written = add(db, &counts).await;
        if written.is_err() {
            let mut again = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            for (key, count) in counts {
                *again.entry(key).or_default() += count;
            }
        }
        written
    }
}

async fn add(db: &Db, counts: &HashMap<Key, i64>) -> Result<(), DbErr> {
    let write = db.write().await?;
    let mut there: HashMap<&str, bool> = HashMap::new();
    let mut keys: Vec<&Key> = counts.keys().collect();
    // In one order, whoever writes: two processes never wait for each other in a circle.
    keys.sort_by(|one, other| {
        (&one.0, one.1, one.2.as_str(), &one.3).cmp(&(&other.0, other.1, other.2.as_str(), &other.3))
    });
    for key in keys {
        let (channel_id, day, what, field) = key;
        if !there.contains_key(channel_id.as_str()) {
            let known = channel::Entity::find_by_id(channel_id).one(write.tx()).await?;
            there.insert(channel_id, known.is_some());
        }
        if there.get(channel_id.as_str()) != Some(&true) {
            continue;
        }
        let count = counts.get(key).copied().unwrap_or_default();
        let row = form_use::Model {
            channel_id: channel_id.clone(),
            day: day.to_string(),
            what: what.as_str().to_owned(),
            field: field.clone(),
            count,
        };
        let more = Expr::col((form_use::Entity, form_use::Column::Count)).add(count);
        let known = OnConflict::columns([
            form_use::Column::ChannelId,
            form_use::Column::Day,
            form_use::Column::What,
            form_use::Column::Field,
        ])
        .value(form_use::Column::Count, more)
        .to_owned();
        form_use::Entity::insert(row.into_active_model())
            .on_conflict(known)
            .exec_without_returning(write.tx())
            .await?;
    }
    write.commit().await
}

fn has_field(settings: &Value, name: &str) -> bool {
    match settings.get("fields").and_then(Value::as_array) {
        Some(fields) => fields
            .iter()
            .any(|field| field.get("name").and_then(Value::as_str) == Some(name)),
        None => USUAL.contains(&name),
    }
}

/// Counts of a time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = FormUseCounts)]
pub struct Counts {
    /// It came into sight.
    pub views: i64,
    /// Visitors began to fill it in.
    pub starts: i64,
    /// It was sent and taken.
    pub completions: i64,
    /// Visitors left who had begun.
    pub left: i64,
}

/// A day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = FormUseDay)]
pub struct DayView {
    /// In UTC.
    pub day: String,
    /// Its counts.
    #[serde(flatten)]
    pub counts: Counts,
}

/// Where visitors left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = FormUseLeft)]
pub struct LeftView {
    /// The field they were at; empty when it is none of the form’s today.
    pub field: String,
    /// How many.
    pub count: i64,
}

/// How a form is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = FormUse)]
pub struct UsageView {
    /// All days together.
    #[serde(flatten)]
    pub total: Counts,
    /// Days on which anything happened, in order.
    pub days: Vec<DayView>,
    /// Where visitors left, the most first.
    pub left_at: Vec<LeftView>,
}

/// How a form was used in the last days.
pub async fn report(
    db: &impl ConnectionTrait,
    channel_id: &str,
    days: i64,
    now: DateTime<Utc>,
) -> Result<UsageView, DbErr> {
    let first = (now - TimeDelta::days(days - 1)).date_naive();
    let rows = form_use::Entity::find()
        .filter(form_use::Column::ChannelId.eq(channel_id))
        .filter(form_use::Column::Day.gte(first.to_string()))
        .order_by_asc(form_use::Column::Day)
        .all(db)
        .await?;
    Ok(view(&rows))
}

/// Adds up. Pure.
fn view(rows: &[form_use::Model]) -> UsageView {
    let mut total = Counts::default();
    let mut days: Vec<DayView> = Vec::new();
    let mut left: HashMap<&str, i64> = HashMap::new();
    for row in rows {
        if days.last().is_none_or(|last| last.day != row.day) {
            days.push(DayView {
                day: row.day.clone(),
                counts: Counts::default(),
            });
        }
        let day = days.last_mut().map(|last| &mut last.counts);
        for counts in [Some(&mut total), day].into_iter().flatten() {
            match row.what.as_str() {
                "view" => counts.views += row.count,
                "start" => counts.starts += row.count,
                "done" => counts.completions += row.count,
                _ => counts.left += row.count,
            }
        }
        if row.what == "left" {
            *left.entry(&row.field).or_default() += row.count;
        }
    }
    let mut left_at: Vec<LeftView> = left
        .into_iter()
        .map(|(field, count)| LeftView {
            field: field.to_owned(),
            count,
        })
        .collect();
    left_at.sort_by(|one, other| {
        other
            .count
            .cmp(&one.count)
            .then_with(|| one.field.cmp(&other.field))
    });
    UsageView { total, days, left_at }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(day: &str, what: &str, field: &str, count: i64) -> form_use::Model {
        form_use::Model {
            channel_id: "chn_1".to_owned(),
            day: day.to_owned(),
            what: what.to_owned(),
            field: field.to_owned(),
            count,
        }
    }

    #[test]
    fn days_and_fields_are_added_up() {
        let seen = view(&[
            row("2026-11-01", "view", "", 10),
            row("2026-11-01", "left", "phone", 2),
            row("2026-11-02", "view", "", 5),
            row("2026-11-02", "start", "", 4),
            row("2026-11-02", "done", "", 1),
            row("2026-11-02", "left", "phone", 1),
            row("2026-11-02", "left", "name", 1),
        ]);
        let total = Counts {
            views: 15,
            starts: 4,
            completions: 1,
            left: 4,
        };
        assert_eq!((seen.total, seen.days.len()), (total, 2));
        assert_eq!(seen.days[0].counts.views, 10);
        let at: Vec<(&str, i64)> = seen
            .left_at
            .iter()
            .map(|left| (left.field.as_str(), left.count))
            .collect();
        assert_eq!(at, [("phone", 3), ("name", 1)]);
    }

    #[test]
    fn only_fields_of_the_form_are_counted_by_name() {
        let settings = json!({"fields": [{"name": "phone"}]});
        assert!(has_field(&settings, "phone") && !has_field(&settings, "<script>"));
        assert!(has_field(&json!({}), "comment") && !has_field(&json!({}), "topic"));
    }
}
