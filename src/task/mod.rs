//! Tasks: what operators have to do, by when, and about whom. They are reminded of it in time.

pub mod about;
pub mod remind;
pub mod store;
pub mod time;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a task is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TaskOnKind)]
pub enum OnKind {
    /// A person outside.
    Contact,
    /// A sales interest.
    Lead,
    /// A sale in the making.
    Deal,
    /// A thread.
    Conversation,
    /// Whom somebody works for.
    Company,
}

/// The object a task is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TaskOn)]
pub struct On {
    /// What it is.
    pub r#type: OnKind,
    /// Its id.
    pub id: String,
}

/// A task as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Task {
    /// `tsk_…`
    pub id: String,
    /// What is to be done.
    pub title: String,
    /// Until when.
    pub due_at: Option<DateTime<Utc>>,
    /// When it was done; null while it is open.
    pub done_at: Option<DateTime<Utc>>,
    /// Who said so.
    pub done_by: Option<String>,
    /// When its operator is reminded.
    pub remind_at: Option<DateTime<Utc>>,
    /// When they were.
    pub reminded_at: Option<DateTime<Utc>>,
    /// Who does it.
    pub operator_id: Option<String>,
    /// Who made it.
    pub created_by: Option<String>,
    /// What it is about.
    pub on: Option<On>,
    /// The name or title of that.
    pub on_title: Option<String>,
    /// For optimistic changes.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}
