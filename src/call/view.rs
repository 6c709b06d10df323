//! Calls as the world sees them (API.md), loaded many at a time.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::store;
use crate::{
    conversation::{call::CallEntryRecording, view::ContactRef},
    db::{
        bulk,
        entity::{call, call_recording, contact, lead, operator},
    },
};

/// A call (API.md).
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Call)]
pub struct CallView {
    /// `cal_…`
    pub id: String,
    /// By which channel.
    pub channel_id: String,
    /// The line of that channel when it began.
    pub line_id: String,
    /// The client's conversation; null for callers who are nobody in particular.
    pub conversation_id: Option<String>,
    /// Who the client is.
    pub contact_id: Option<String>,
    /// The same with the name.
    pub contact: Option<ContactRef>,
    /// The lead it belongs to.
    pub lead_id: Option<String>,
    /// What that lead is about.
    pub lead_title: Option<String>,
    /// `inbound`, `outbound` or `internal`; null while no report says.
    pub direction: Option<String>,
    /// Who rings; null when hidden.
    pub from: Option<String>,
    /// Who is rung.
    pub to: Option<String>,
    /// The client's number or address.
    pub number: Option<String>,
    /// What that is: `number`, `short_code`, `sip`, `client`, `extension` or `hidden`.
    pub number_kind: Option<String>,
    /// The network's name for the caller.
    pub caller_name: Option<String>,
    /// The company's number.
    pub own_number: Option<String>,
    /// What that number stands for, in the admin's words.
    pub own_label: Option<String>,
    /// The touch it is for whoever rings it: `utm_source`, `utm_medium`, `utm_campaign`, `called_number`.
    #[schema(value_type = Object)]
    pub touch: Value,
    /// `ringing`, `answered` or `ended`.
    pub state: String,
    /// What became of it: `answered`, `missed`, `voicemail`, `busy`, `failed` or `canceled`; null while it goes on.
    pub disposition: Option<String>,
    /// How the telephone system says that it ended.
    pub reason: Option<String>,
    /// Why, in its words.
    pub cause: Option<String>,
    /// Its end was never reported.
    pub stale: bool,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When people began to talk.
    pub answered_at: Option<DateTime<Utc>>,
    /// When it was over.
    pub ended_at: Option<DateTime<Utc>>,
    /// Seconds from its beginning to its end.
    pub duration_secs: Option<i64>,
    /// Seconds it rang.
    pub ring_secs: Option<i64>,
    /// Seconds people talked.
    pub talk_secs: Option<i64>,
    /// Who answered, or rang the client.
    pub operator_id: Option<String>,
    /// Their name.
    pub operator_name: Option<String>,
    /// The extension.
    pub extension: Option<String>,
    /// Operators whose telephones ring now.
    pub ringing_for: Vec<String>,
    /// What was said at the telephones: who took part, and when.
    #[schema(value_type = Vec<Object>)]
    pub legs: Value,
    /// The first recording that is here.
    pub recording: Option<RecordingRef>,
    /// All of them.
    pub recordings: Vec<CallEntryRecording>,
    /// What was said, as text.
    pub transcript: Option<String>,
    /// Which attempt of this caller it was since somebody has to call back, from 1; 0 where nobody has to.
    pub attempt: i64,
    /// The session in which the caller waits for that.
    pub session_id: Option<String>,
    /// The call this one turned out to be.
    pub merged_into: Option<String>,
    /// Grows with each change.
    pub version: i64,
}

/// A recording that is here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CallRecording)]
pub struct RecordingRef {
    /// The file.
    pub attachment_id: String,
    /// Its length, when known.
    pub duration_secs: Option<i64>,
    /// `conversation` or `voicemail`.
    pub kind: String,
}

/// Operators that a stored list of ringing extensions names.
pub fn rings_for(ringing: &Value) -> BTreeSet<String> {
    let owner = |entry: &Value| entry.get("operator_id")?.as_str().map(str::to_owned);
    ringing
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(owner)
        .collect()
}

/// Views of calls, in their order. Four queries at most.
pub async fn views(db: &impl ConnectionTrait, rows: Vec<call::Model>) -> Result<Vec<CallView>, DbErr> {
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let mut recordings: HashMap<String, Vec<call_recording::Model>> = HashMap::new();
    for recording in store::recordings(db, &ids).await? {
        recordings
            .entry(recording.call_id.clone())
            .or_default()
            .push(recording);
    }
    let contacts: BTreeSet<&String> = rows.iter().filter_map(|row| row.contact_id.as_ref()).collect();
    let mut names: HashMap<String, Option<String>> = HashMap::new();
    if !contacts.is_empty() {
        let found = contact::Entity::find().filter(contact::Column::Id.is_in(bulk::padded(contacts)));
        names.extend(found.all(db).await?.into_iter().map(|row| (row.id, row.name)));
    }
    let leads: BTreeSet<&String> = rows.iter().filter_map(|row| row.lead_id.as_ref()).collect();
    let mut titles: HashMap<String, String> = HashMap::new();
    if !leads.is_empty() {
        let found = lead::Entity::find().filter(lead::Column::Id.is_in(bulk::padded(leads)));
        titles.extend(found.all(db).await?.into_iter().map(|row| (row.id, row.title)));
    }
    let operators: BTreeSet<&String> = rows.iter().filter_map(|row| row.operator_id.as_ref()).collect();
    let mut people: HashMap<String, String> = HashMap::new();
    if !operators.is_empty() {
        let found = operator::Entity::find().filter(operator::Column::Id.is_in(bulk::padded(operators)));
        people.extend(found.all(db).await?.into_iter().map(|row| (row.id, row.name)));
    }
    let view = |row: call::Model| {
        let recordings = recordings.remove(&row.id).unwrap_or_default();
        let name = row
            .contact_id
            .as_ref()
            .and_then(|id| names.get(id).cloned().flatten());
        let title = row.lead_id.as_ref().and_then(|id| titles.get(id).cloned());
        let person = row.operator_id.as_ref().and_then(|id| people.get(id).cloned());
        of(row, recordings, name, title, person)
    };
    Ok(rows.into_iter().map(view).collect())
}

/// Calls by id, as views.
pub async fn by_id(db: &impl ConnectionTrait, ids: &[String]) -> Result<Vec<CallView>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = call::Entity::find()
        .filter(call::Column::Id.is_in(bulk::padded(ids)))
        .all(db)
        .await?;
    views(db, rows).await
}

fn of(
    row: call::Model,
    recordings: Vec<call_recording::Model>,
    contact_name: Option<String>,
    lead_title: Option<String>,
    operator_name: Option<String>,
) -> CallView {
    let client = row.client.clone().filter(|client| !client.is_empty());
    let ours = row.own_number.clone().or_else(|| row.extension.clone());
    let (from, to) = if row.direction.as_deref() == Some("outbound") {
        (ours, client.clone())
    } else {
        (client.clone(), ours)
    };
    let here = recordings.iter().find_map(|recording| {
        Some(RecordingRef {
            attachment_id: recording.attachment_id.clone()?,
            duration_secs: recording.secs,
            kind: recording.kind.clone(),
        })
    });
    CallView {
        contact: row.contact_id.clone().map(|id| ContactRef {
            id,
            name: contact_name.or_else(|| client.clone()),
        }),
        duration_secs: row
            .ended_at
            .map(|ended| (ended - row.started_at).num_seconds().max(0)),
        ringing_for: rings_for(&row.ringing).into_iter().collect(),
        recording: here,
        recordings: recordings
            .into_iter()
            .map(|recording| CallEntryRecording {
                attachment_id: recording.attachment_id,
                kind: recording.kind,
                state: recording.state,
                secs: recording.secs,
                error: recording.error,
            })
            .collect(),
        attempt: if row.withdrawn_at.is_some() {
            0
        } else {
            row.attempt
        },
        id: row.id,
        channel_id: row.channel_id,
        line_id: row.line_id,
        conversation_id: row.conversation_id,
        contact_id: row.contact_id,
        lead_id: row.lead_id,
        lead_title,
        direction: row.direction,
        from,
        to,
        number: client,
        number_kind: row.client_kind,
        caller_name: row.caller_name,
        own_number: row.own_number,
        own_label: row.own_label,
        touch: row.touch,
        state: row.state,
        disposition: row.disposition,
        reason: row.reason,
        cause: row.cause,
        stale: row.stale,
        started_at: row.started_at,
        answered_at: row.answered_at,
        ended_at: row.ended_at,
        ring_secs: row.ring_secs,
        talk_secs: row.talk_secs,
        operator_id: row.operator_id,
        operator_name,
        extension: row.extension,
        legs: row.legs,
        transcript: row.transcript,
        session_id: row.session_id,
        merged_into: row.merged_into,
        version: row.version,
    }
}
