//! Files that are taken in: leads, contacts and deals from tables and address books.
//!
//! A file is uploaded and recognised, its columns are mapped, a check says what would happen, and then it is taken in by
//! batches, each one transaction that also moves the cursor: killed at any moment it goes on where it was. Which row
//! becomes what is decided in `plan`, which is pure.

mod judge;
mod load;
pub mod new;
mod plan;
mod read;
pub mod run;
pub mod store;
mod tools;
mod undo;
mod write;

use chrono::{DateTime, Utc};
pub use judge::Rules;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use switchboard_exchange::{Layout, Mapping, Reading, Wrong};
pub use tools::Tools;
use utoipa::ToSchema;

use crate::{db::entity::import, event::Hush};

/// What each row becomes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ImportKind)]
pub enum Kind {
    /// A person and their interest.
    #[default]
    Leads,
    /// A person.
    Contacts,
    /// A deal, with its person and company.
    Deals,
}

impl Kind {
    /// The word in the API and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Leads => "leads",
            Self::Contacts => "contacts",
            Self::Deals => "deals",
        }
    }

    /// The kind of a word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Leads, Self::Contacts, Self::Deals]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
}

/// Where an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ImportState)]
pub enum State {
    /// Uploaded; its mapping may be changed.
    Draft,
    /// It is being looked at what would happen.
    Checking,
    /// It is known what would happen; its mapping may be changed.
    Checked,
    /// It is being taken in.
    Running,
    /// All rows are in that could be.
    Done,
    /// It cannot go on.
    Failed,
    /// Somebody stopped it; what is in stays.
    Cancelled,
    /// What it made is being taken back.
    Undoing,
    /// What it made is gone, except what was touched since.
    Undone,
}

impl State {
    const ALL: [(Self, &'static str); 9] = [
        (Self::Draft, "draft"),
        (Self::Checking, "checking"),
        (Self::Checked, "checked"),
        (Self::Running, "running"),
        (Self::Done, "done"),
        (Self::Failed, "failed"),
        (Self::Cancelled, "cancelled"),
        (Self::Undoing, "undoing"),
        (Self::Undone, "undone"),
    ];

    /// The word in the API and in the database.
    pub fn as_str(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(state, _)| *state == self)
            .map_or("", |(_, word)| word)
    }

    /// The state of a word; what a newer version wrote is failed to this one.
    pub fn parse(word: &str) -> Self {
        Self::ALL
            .iter()
            .find(|(_, known)| *known == word)
            .map_or(Self::Failed, |(state, _)| *state)
    }

    /// Whether its mapping may still be changed.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Draft | Self::Checked)
    }

    /// Whether somebody works on it.
    pub fn is_busy(self) -> bool {
        matches!(self, Self::Checking | Self::Running | Self::Undoing)
    }
}

/// What happens to a row about somebody who is known already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ImportOnDuplicate)]
pub enum OnDuplicate {
    /// Nothing.
    #[default]
    Skip,
    /// What is empty is filled.
    Fill,
    /// What the row says replaces what is there.
    Update,
    /// A lead or deal of its own; beside a contact with an open lead a new contact, which is suggested as a duplicate.
    Create,
}

/// How a file is taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = ImportOptions)]
pub struct Options {
    /// What happens to a row about somebody who is known already.
    pub on_duplicate: OnDuplicate,
    /// The country of telephone numbers without a country code, as `RU`.
    pub region: Option<String>,
    /// How `03/04/2026` is read: `day_first` or `month_first`.
    #[schema(value_type = String)]
    pub date_order: switchboard_exchange::value::DateOrder,
    /// The source of leads that name none; `import` when absent.
    pub source: Option<String>,
    /// The line of the leads or deals.
    pub line_id: Option<String>,
    /// The responsible operator of leads or deals that name none.
    pub operator_id: Option<String>,
    /// The pipeline of deals that name none.
    pub pipeline_id: Option<String>,
    /// Operators' screens call attention to what the import makes, as to any new lead.
    pub notify: bool,
    /// Webhooks and CRMs are told of what the import makes and changes.
    pub send_out: bool,
}

impl Default for Options {
    /// Quiet inside; outside nothing is kept from those who mirror us.
    fn default() -> Self {
        Self {
            on_duplicate: OnDuplicate::default(),
            region: None,
            date_order: switchboard_exchange::value::DateOrder::default(),
            source: None,
            line_id: None,
            operator_id: None,
            pipeline_id: None,
            notify: false,
            send_out: true,
        }
    }
}

impl Options {
    /// How cells are read.
    pub fn reading(&self, kind: Kind) -> Reading {
        Reading {
            region: self.region.clone(),
            date_order: self.date_order,
            deals: kind == Kind::Deals,
        }
    }

    /// Who is not to make a noise about what comes of it.
    pub fn hush(&self) -> Hush {
        Hush {
            operators: !self.notify,
            outside: !self.send_out,
        }
    }
}

/// What became of the rows so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = ImportCounts)]
pub struct Counts {
    /// Rows that were looked at.
    pub rows: u64,
    /// Rows that made something.
    pub created: u64,
    /// Rows that changed something known.
    pub updated: u64,
    /// Rows about somebody known, left alone.
    pub skipped: u64,
    /// Rows that are wrong.
    pub failed: u64,
    /// Contacts made.
    pub contacts: u64,
    /// Leads made.
    pub leads: u64,
    /// Companies made.
    pub companies: u64,
    /// Deals made.
    pub deals: u64,
    /// Objects an undo removed.
    pub removed: u64,
    /// Objects an undo left, because they were touched since.
    pub kept: u64,
}

/// An import as the world sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Import)]
pub struct ImportView {
    /// `imp_…`
    pub id: String,
    /// `leads`, `contacts` or `deals`.
    pub kind: String,
    /// Where it is.
    pub state: State,
    /// The file's name.
    pub file_name: String,
    /// Its bytes.
    pub size: i64,
    /// Its rows.
    pub total: i64,
    /// What kind of file it is, and how it is read: `format`, `encoding`, `delimiter`, `header`, `sheet`.
    #[schema(value_type = Object)]
    pub layout: Value,
    /// The names of its columns.
    pub columns: Vec<String>,
    /// Which column fills which field.
    #[schema(value_type = Vec<TargetShape>)]
    pub mapping: Mapping,
    /// How it is taken in.
    pub options: Options,
    /// What became of the rows so far; of a checked one, what would become of them.
    pub counts: Counts,
    /// Why it failed.
    pub error: Option<String>,
    /// Who began it.
    pub operator_id: Option<String>,
    /// For optimistic changes.
    pub version: i64,
    /// When it was uploaded.
    pub created_at: DateTime<Utc>,
    /// When it was begun.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// A column and the field it fills.
#[derive(Debug, ToSchema)]
#[schema(as = ImportTarget)]
#[expect(dead_code, reason = "describes a shape in the OpenAPI document")]
pub struct TargetShape {
    /// The column, by its name.
    column: String,
    /// The field, as `contact.email`.
    field: String,
}

impl From<import::Model> for ImportView {
    fn from(row: import::Model) -> Self {
        Self {
            state: State::parse(&row.state),
            columns: read_json(row.columns),
            mapping: read_json(row.mapping),
            options: read_json(row.options),
            counts: read_json(row.counts),
            id: row.id,
            kind: row.kind,
            file_name: row.file_name,
            size: row.size,
            total: row.total,
            layout: row.layout,
            error: row.error,
            operator_id: row.operator_id,
            version: row.version,
            created_at: row.created_at,
            started_at: row.started_at,
            ended_at: row.ended_at,
        }
    }
}

/// A wrong row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ImportError)]
pub struct WrongRow {
    /// Its number, without the one that names the columns.
    pub row: i64,
    /// Its line in the file.
    pub line: i64,
    /// What is wrong: `field`, `column`, `code`, `reason`, `value`.
    #[schema(value_type = Vec<Object>)]
    pub errors: Vec<Wrong>,
}

/// What is stored as JSON was written by us; of another version what is missing has its default.
pub(crate) fn read_json<T: serde::de::DeserializeOwned + Default>(value: Value) -> T {
    serde_json::from_value(value).unwrap_or_default()
}

/// The layout of a row.
pub(crate) fn layout_of(row: &import::Model) -> Option<Layout> {
    serde_json::from_value(row.layout.clone()).ok()
}
