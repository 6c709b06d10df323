//! What a conversation shows of a telephone call: one entry, written anew as the call goes on.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A call in its conversation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CallEntry {
    /// `cal_…`
    pub id: String,
    /// `inbound`, `outbound` or `internal`; null while it is not known.
    pub direction: Option<String>,
    /// `ringing`, `answered` or `ended`.
    pub state: String,
    /// `answered`, `missed`, `voicemail`, `busy`, `failed` or `canceled`; null while it goes on.
    pub disposition: Option<String>,
    /// The client's number.
    pub number: Option<String>,
    /// The company's number.
    pub own_number: Option<String>,
    /// What that number stands for.
    pub own_label: Option<String>,
    /// Who answered, or rang the client.
    pub operator_id: Option<String>,
    /// Their name.
    pub operator_name: Option<String>,
    /// The extension.
    pub extension: Option<String>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When people began to talk.
    pub answered_at: Option<DateTime<Utc>>,
    /// When it was over.
    pub ended_at: Option<DateTime<Utc>>,
    /// Seconds it rang.
    pub ring_secs: Option<i64>,
    /// Seconds people talked.
    pub talk_secs: Option<i64>,
    /// Which attempt of this caller it was since somebody has to call back, from 1; 0 where nobody has to.
    pub attempt: i64,
    /// What was recorded.
    pub recordings: Vec<CallEntryRecording>,
    /// What was said.
    pub transcript: Option<String>,
}

/// A recording in such an entry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CallEntryRecording {
    /// The file, once it is here.
    pub attachment_id: Option<String>,
    /// `conversation` or `voicemail`.
    pub kind: String,
    /// `announced`, `fetching`, `stored`, `failed` or `absent`.
    pub state: String,
    /// Its length in seconds, when known.
    pub secs: Option<i64>,
    /// Why it is not here.
    pub error: Option<String>,
}
