//! All that happened with a contact, a company, a lead or a deal, in one order: what was said on every channel, calls,
//! forms, notes, tasks, what was changed, where leads came from and how deals moved.

mod circle;
mod load;
mod read;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

pub use self::{
    circle::Of,
    read::{Reader, page},
};
use crate::{
    call::CallView,
    conversation::view::{ContactRef, MessageView},
    form::store::SubmissionView,
    lead::store::LeadView,
    task::Task,
};

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TimelineKind)]
pub enum Kind {
    /// What the contact or an operator said.
    Message,
    /// What operators wrote to each other.
    Note,
    /// What Switchboard noted in a conversation.
    System,
    /// A telephone call.
    Call,
    /// A form they filled.
    Form,
    /// A field of the contact, the company, a lead or a deal that was changed.
    Change,
    /// A lead was made: where it came from.
    Lead,
    /// A deal was made, or came into another stage.
    Deal,
    /// A task was made.
    Task,
    /// A task was done.
    TaskDone,
    /// Another contact was taken into this one, or this one into another.
    Merge,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Message,
        Self::Note,
        Self::System,
        Self::Call,
        Self::Form,
        Self::Change,
        Self::Lead,
        Self::Deal,
        Self::Task,
        Self::TaskDone,
        Self::Merge,
    ];

    /// The word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Note => "note",
            Self::System => "system",
            Self::Call => "call",
            Self::Form => "form",
            Self::Change => "change",
            Self::Lead => "lead",
            Self::Deal => "deal",
            Self::Task => "task",
            Self::TaskDone => "task_done",
            Self::Merge => "merge",
        }
    }

    /// Reads `message,call`; an unknown word is answered.
    pub fn parse_list(words: &str) -> Result<Vec<Self>, String> {
        words
            .split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty())
            .map(|word| {
                let kind = Self::ALL.iter().find(|kind| kind.as_str() == word);
                kind.copied().ok_or_else(|| word.to_owned())
            })
            .collect()
    }
}

/// An entry; what its kind says is filled, the rest is null.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = TimelineEntry)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// The id of the message, call, submission, change, lead, move, task or merge; of a task that was done with an
    /// ending, for the task has an entry of its own.
    pub id: String,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// The conversation it is part of.
    pub conversation: Option<ThreadRef>,
    /// What was said.
    pub message: Option<MessageView>,
    /// The call, with its recordings.
    pub call: Option<CallView>,
    /// The form.
    pub submission: Option<SubmissionView>,
    /// The change.
    pub change: Option<ChangeView>,
    /// The lead, with its source and touches.
    pub lead: Option<LeadView>,
    /// The merge.
    pub merge: Option<MergeView>,
    /// The deal, and the stage it came into.
    pub deal: Option<MoveView>,
    /// The task, as it is now.
    pub task: Option<Task>,
}

/// A conversation, as far as an entry shows it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = TimelineThread)]
pub struct ThreadRef {
    /// `cnv_…`
    pub id: String,
    /// The number people use.
    pub number: i64,
    /// The kind of its channel.
    pub channel_kind: String,
    /// The subject, on channels that have one.
    pub subject: Option<String>,
    /// Whose it is.
    pub contact: ContactRef,
}

/// A change of one field.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = FieldChange)]
pub struct ChangeView {
    /// The contact, the company, the lead or the deal.
    pub object_id: String,
    /// What it is called now.
    pub object_title: Option<String>,
    /// Which field: a name, or `fields.KEY`.
    pub field: String,
    /// What it was.
    pub old: Option<Value>,
    /// What the contact or company is called that it was.
    pub old_title: Option<String>,
    /// What it became.
    pub new: Option<Value>,
    /// What the contact or company is called that it became.
    pub new_title: Option<String>,
    /// Who changed it; null when nobody did by hand.
    pub operator_id: Option<String>,
    /// Their name.
    pub operator_name: Option<String>,
}

/// A deal that was made in a stage or came into it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = TimelineMove)]
pub struct MoveView {
    /// `dea_…`
    pub deal_id: String,
    /// What the deal is about.
    pub title: String,
    /// The stage before; null when the deal was made.
    pub from_stage_id: Option<String>,
    /// Its name.
    pub from_stage_name: Option<String>,
    /// The stage it came into.
    pub stage_id: String,
    /// Its name.
    pub stage_name: String,
    /// The kind of that stage: `open`, `won` or `lost`.
    pub state: String,
    /// Who moved it; null when nobody did by hand.
    pub operator_id: Option<String>,
    /// Their name.
    pub operator_name: Option<String>,
}

/// Two contacts that became one.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ContactMerge)]
pub struct MergeView {
    /// `mrg_…`
    pub id: String,
    /// Who was taken in.
    pub from: ContactRef,
    /// Who survived.
    pub into: ContactRef,
    /// Who merged them.
    pub operator_id: Option<String>,
    /// Their name.
    pub operator_name: Option<String>,
    /// When.
    pub created_at: DateTime<Utc>,
    /// When it was undone.
    pub undone_at: Option<DateTime<Utc>>,
    /// Who did.
    pub undone_by: Option<String>,
}

/// A place in the timeline, which stands newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// When the last entry happened.
    pub at: DateTime<Utc>,
    /// Its id.
    pub id: String,
}

/// What follows the id of a task in the id of the entry that says that it is done.
const DONE: &str = ".done";

fn done_id(task: &str) -> String {
    format!("{task}{DONE}")
}

/// The task of an entry.
fn task_of(id: &str) -> &str {
    id.strip_suffix(DONE).unwrap_or(id)
}

/// Where an entry stands, before it is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    kind: Kind,
    id: String,
    at: DateTime<Utc>,
}

/// The newest of what was found in several places, each newest first. Pure.
fn newest(mut found: Vec<Found>, limit: usize) -> Vec<Found> {
    found.sort_by(|one, other| (other.at, &other.id).cmp(&(one.at, &one.id)));
    found.truncate(limit);
    found
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::{Found, Kind, newest};

    proptest! {
        /// Reading page by page, each source giving no more than a page, shows everything once and in order.
        #[test]
        fn pages_of_several_sources_show_everything_once(
            sources in proptest::collection::vec(proptest::collection::vec(0_i64..20, 0..12), 1..5),
            limit in 1_usize..6,
        ) {
            let all: Vec<Vec<Found>> = sources.iter().enumerate().map(|(source, times)| {
                times.iter().enumerate().map(|(index, time)| Found {
                    kind: Kind::Message, id: format!("{source}_{index:02}"), at: DateTime::from_timestamp(*time, 0).unwrap(),
                }).collect()
            }).collect();
            let everything = newest(all.iter().flatten().cloned().collect(), usize::MAX);
            let (mut seen, mut place): (Vec<Found>, Option<Found>) = (Vec::new(), None);
            loop {
                let after = |found: &&Found| place.as_ref().is_none_or(|place| (found.at, &found.id) < (place.at, &place.id));
                let page: Vec<Found> = all.iter()
                    .flat_map(|source| newest(source.iter().filter(after).cloned().collect(), limit + 1))
                    .collect();
                let page = newest(page, limit + 1);
                let more = page.len() > limit;
                seen.extend(page.into_iter().take(limit));
                if !more { break }
                place = seen.last().cloned();
            }
            prop_assert_eq!(seen, everything);
        }
    }

    #[test]
    fn kinds_are_read_from_a_list_and_an_unknown_one_is_named() {
        assert_eq!(Kind::parse_list("call, form"), Ok(vec![Kind::Call, Kind::Form]));
        assert_eq!(Kind::parse_list("call,fax"), Err("fax".to_owned()));
        assert_eq!(Kind::parse_list(""), Ok(vec![]));
    }
}
