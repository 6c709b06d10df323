//! A line as the API shows it.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Rules, hours, queue};
use crate::db::entity::line;

/// A line.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Line {
    /// `lin_…`.
    pub id: String,
    /// A word for URLs, settings and filters; unique.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// A line that is not enabled assigns nothing.
    pub enabled: bool,
    /// Grows with each change.
    pub version: i64,
    /// Who stands in it, in order.
    pub queue: Vec<queue::Entry>,
    /// Its rules.
    #[serde(flatten)]
    pub rules: Rules,
    /// Whether its hours say that it is open now.
    pub open: bool,
    /// When it opens next, if it is closed.
    pub opens_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
}

/// These lines as the API shows them.
pub async fn views(
    db: &impl ConnectionTrait,
    rows: Vec<line::Model>,
    now: DateTime<Utc>,
) -> Result<Vec<Line>, DbErr> {
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let mut queues = queue::entries(db, &ids).await?;
    rows.into_iter()
        .map(|row| {
            let rules = Rules::from_stored(&row.rules)?;
            let opening = hours::opening(rules.hours.as_ref(), now);
            Ok(Line {
                queue: queues.remove(&row.id).unwrap_or_default(),
                id: row.id,
                key: row.key,
                name: row.name,
                enabled: row.enabled,
                version: row.version,
                rules,
                open: opening.open,
                opens_at: opening.opens_at,
                created_at: row.created_at,
                updated_at: row.updated_at,
            })
        })
        .collect()
}

/// One line as the API shows it.
pub async fn view(db: &impl ConnectionTrait, row: line::Model, now: DateTime<Utc>) -> Result<Line, DbErr> {
    let mut views = views(db, vec![row], now).await?;
    views
        .pop()
        .ok_or_else(|| DbErr::RecordNotFound("the line that was just read".to_owned()))
}
