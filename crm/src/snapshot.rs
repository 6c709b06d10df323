//! What an adapter is given: plain facts, already mapped.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A lead of ours as it is now, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeadSnapshot {
    /// `lea_…`: left in the CRM as the record's origin.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// When it was made, with us.
    pub created_at: DateTime<Utc>,
    /// Where our own pipeline has it.
    pub stage: Stage,
    /// The CRM's state it belongs in by the admin's mapping; `None` leaves the CRM's default or what is there.
    pub status_id: Option<String>,
    /// Our word for where it came from: a channel's kind and name, a form, a called number.
    pub source: String,
    /// `utm_source`, `utm_medium`, `utm_campaign`, `utm_term`, `utm_content`, `landing_page`, `referrer`, click ids.
    pub attribution: BTreeMap<String, String>,
    /// Whose interest it is.
    pub person: Person,
    /// Whom they work for, when that is known.
    pub company: Option<Company>,
    /// The operator's mail address, to find the same person there.
    pub owner_email: Option<String>,
    /// The CRM's user id by the admin's mapping; goes before `owner_email`.
    pub owner_id: Option<String>,
    /// What the mapping fills, by the CRM's field names.
    pub fields: BTreeMap<String, Value>,
    /// Our page of this lead.
    pub url: String,
}

/// Where a lead stands, in words that every CRM knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Being worked on.
    Open,
    /// Became a deal, or was sold.
    Won,
    /// Lost or junk.
    Lost,
}

/// Who it is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// `con_…`.
    pub id: String,
    /// As it is shown; may be empty.
    pub name: String,
    /// E.164, verified ones first.
    pub phones: Vec<String>,
    /// Lower case, verified ones first.
    pub emails: Vec<String>,
    /// BCP 47.
    pub language: Option<String>,
}

/// The company the person belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Company {
    /// `cmp_…`.
    pub id: String,
    /// As it is shown.
    pub name: String,
}

/// Something for the record's timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Ours, stable: left in the note so that it is found again.
    pub id: String,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What it tells about.
    pub kind: NoteKind,
    /// Plain text, at most 60,000 characters.
    pub text: String,
    /// Our page of what it tells about.
    pub url: Option<String>,
}

/// What a note tells about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// A session's transcript, when it was closed.
    Conversation,
    /// A call: direction, length, outcome, address of the recording.
    Call,
    /// A colleague's note.
    Remark,
}
