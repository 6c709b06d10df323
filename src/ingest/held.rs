//! Approving a submission that waited for a moderator.

use chrono::{DateTime, Utc};
use sea_orm::EntityTrait;
use switchboard_sdk::Receipt;

use super::{
    Error, Ingest,
    prepare::{Prepared, PreparedBody, PreparedSubmission},
};
use crate::{
    conversation::view::strings,
    db::{Db, entity::submission},
    id::{self, Kind},
};

/// Sends a held submission the way an accepted one goes: contact, lead, conversation. Approving twice
/// is the same as once. `None` when there is nothing held under this id.
pub async fn approve(
    ingest: &Ingest,
    db: &Db,
    submission_id: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Option<Receipt>, Error> {
    let Some(row) = submission::Entity::find_by_id(submission_id)
        .one(db.read())
        .await?
    else {
        return Ok(None);
    };
    let Some(held) = row.held else { return Ok(None) };
    let content = serde_json::from_value(held)
        .map_err(|error| Error::File(format!("the held submission cannot be read: {error}")))?;
    let body = PreparedBody::Submission(PreparedSubmission {
        id: row.id.clone(),
        message_id: id::new(Kind::Message, now),
        approved: true,
        held: false,
        values: row.body,
        consent: row
            .consent
            .and_then(|consent| serde_json::from_value(consent).ok()),
        spam_score: row.spam_score,
        spam_reasons: strings(&row.spam_reasons),
        extra: row.extra,
        approved_by: Some(by.to_owned()),
        content,
    });
    let event = Prepared {
        external_id: format!("approve:{}", row.id),
        at: row.created_at,
        body,
    };
    ingest.enqueue(&row.channel_id, vec![event], None).await.map(Some)
}
