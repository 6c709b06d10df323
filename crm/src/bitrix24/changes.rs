//! Leads of ours that changed there, by polling: webhooks cannot subscribe to events without gaps, and events
//! are not repeated when they were missed.
//!
//! A deleted lead is not in the list; it is noticed at the next step that is to be done with it.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::{Bitrix, LEAD, lead};
use crate::{
    Changes, SyncError,
    shared::{client::Effect, origin::SOURCE, poll, value},
};

/// How many the portal answers with.
const PAGE: usize = 50;

pub(super) async fn poll(bitrix: &Bitrix, cursor: Option<Value>) -> Result<Changes, SyncError> {
    let place = match poll::place(cursor, bitrix.api.client.now())? {
        Ok(place) => place,
        Err(first) => return Ok(first),
    };
    let asked = json!({
        "entityTypeId": LEAD,
        "filter": {
            "=originatorId": SOURCE,
            ">=updatedTime": place.at.to_rfc3339_opts(SecondsFormat::Secs, true),
        },
        "select": ["id", "stageId", "stageSemanticId", "updatedTime", "createdTime", "originatorId"],
        "order": {"updatedTime": "ASC", "id": "ASC"},
        "start": place.start,
    });
    let found = bitrix.api.call("crm.item.list", &asked, Effect::Reads).await?;
    let items = found.get("items").map(value::items).unwrap_or_default();
    let full = items.len() >= PAGE;
    let rows = items.into_iter().filter_map(row).collect();
    Ok(poll::step(place, rows, full, &bitrix.written))
}

fn row(item: &Value) -> Option<poll::Row> {
    let status = Some(value::text(item, "stageId")).filter(|status| !status.is_empty());
    Some(poll::Row {
        id: item.get("id").and_then(value::id)?,
        modified: time(item, "updatedTime")?,
        status: status.map(str::to_owned),
        stage: Some(lead::stage(value::text(item, "stageSemanticId"))),
        gone: false,
        untouched: item.get("updatedTime") == item.get("createdTime"),
    })
}

fn time(item: &Value, name: &str) -> Option<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(value::text(item, name)).ok()?;
    Some(time.with_timezone(&Utc))
}
