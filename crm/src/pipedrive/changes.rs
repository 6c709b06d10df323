//! Records that changed there, by polling.

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};
use serde_json::Value;

use super::{Pipedrive, api, record, settings::Record};
use crate::{
    Stage, SyncError,
    shared::{poll, value},
};

/// Records in an answer.
const PAGE: usize = 100;
/// So many pages are read in one look for changes.
const PAGES: usize = 5;

impl Pipedrive {
    /// Leads can be ordered by their change, not asked for by it: newest first, until they are known.
    pub(super) async fn changed_leads(&self, at: DateTime<Utc>) -> Result<(Vec<poll::Row>, bool), SyncError> {
        let mut rows = Vec::new();
        for page in 0..PAGES * 4 {
            let start = (page * PAGE).to_string();
            let query = [
                ("sort", "update_time DESC"),
                ("limit", "100"),
                ("start", start.as_str()),
            ];
            let found = self.read("api/v1/leads", &query).await?;
            let found = api::data(&found);
            let count = found.len();
            let before = rows.len();
            rows.extend(
                found
                    .iter()
                    .filter_map(|found| self.row(found))
                    .filter(|row| row.modified >= at),
            );
            if count < PAGE || rows.len() < before + count {
                break;
            }
        }
        rows.sort_by_key(|row| row.modified);
        Ok((rows, false))
    }

    pub(super) async fn changed_deals(&self, at: DateTime<Utc>) -> Result<(Vec<poll::Row>, bool), SyncError> {
        let since = at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let (mut rows, mut cursor) = (Vec::new(), None::<String>);
        for _ in 0..PAGES {
            let mut query = vec![
                ("updated_since", since.as_str()),
                ("sort_by", "update_time"),
                ("sort_direction", "asc"),
                ("status", "open,won,lost,deleted"),
                ("limit", "100"),
            ];
            if let Some(cursor) = &cursor {
                query.push(("cursor", cursor));
            }
            let found = self.read("api/v2/deals", &query).await?;
            rows.extend(api::data(&found).iter().filter_map(|found| self.row(found)));
            cursor = api::next(&found);
            if cursor.is_none() {
                return Ok((rows, false));
            }
        }
        // So many at one second do not occur; should they, the rest comes with their next change.
        let moved = rows.last().is_some_and(|last| last.modified > at);
        Ok((rows, moved))
    }

    fn row(&self, found: &Value) -> Option<poll::Row> {
        let modified = time(value::text(found, "update_time"))?;
        let status = record::status(self.record, found);
        let stage = match (self.record, status.as_deref()) {
            (Record::Lead, Some("archived")) | (Record::Deal, Some("lost")) => Stage::Lost,
            (Record::Deal, Some("won")) => Stage::Won,
            _ => Stage::Open,
        };
        Some(poll::Row {
            id: found.get("id").and_then(value::id)?,
            modified,
            status,
            stage: Some(stage),
            gone: value::text(found, "status") == "deleted"
                || found.get("is_deleted").is_some_and(value::truth),
            untouched: time(value::text(found, "add_time")) == Some(modified),
        })
    }
}

/// Times of v2 are RFC 3339, those of v1 are in UTC without saying so.
fn time(text: &str) -> Option<DateTime<Utc>> {
    let stated = DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|time| time.with_timezone(&Utc));
    let plain = || {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S")
            .ok()
            .map(|time| time.and_utc())
    };
    stated.or_else(plain)
}
