//! The adapter contract: what an adapter to a CRM says, gets and owes.
//!
//! An adapter speaks the protocol of one CRM and nothing else. The server's sync engine owns the queue, the
//! order, the pace, the retries, the mapping of fields and the table of which lead of ours is which of theirs;
//! an adapter translates single steps. It never deletes anything in a CRM.
//!
//! No step may double what it makes: each is told our id ([`LeadSnapshot::id`], [`Note::id`]) and leaves it in
//! the CRM as the record's origin, and [`Adapter::find`] looks for it. After [`SyncError::Unknown`] the
//! engine calls `find` before it tries again.

mod amocrm;
mod bitrix24;
mod hubspot;
mod pipedrive;
mod salesforce;
mod shared;
mod snapshot;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
pub use snapshot::{Company, LeadSnapshot, Note, NoteKind, Person, Stage};
use switchboard_sdk::{Clock, Http, SecretKeeper, SettingsError};

/// All adapters of this crate, in the order in which the admin app lists them.
pub static ADAPTERS: &[&Descriptor] = &[
    &bitrix24::DESCRIPTOR,
    &amocrm::DESCRIPTOR,
    &hubspot::DESCRIPTOR,
    &pipedrive::DESCRIPTOR,
    &salesforce::DESCRIPTOR,
];

/// One adapter, described.
pub struct Descriptor {
    /// The kind in the API: `bitrix24`, `amocrm`, `hubspot`, `pipedrive`, `salesforce`.
    pub kind: &'static str,
    /// What the admin app calls it.
    pub label: &'static str,
    /// JSON Schema of the settings. A secret carries `"x-secret": true`, is encrypted at rest and never read back.
    pub settings_schema: fn() -> Value,
    /// Settings that pass the schema and [`Descriptor::build`].
    pub example: fn() -> Value,
    /// Checks settings and makes the adapter of one connection. No I/O.
    pub build: fn(Value, BuildContext) -> Result<Arc<dyn Adapter>, SettingsError>,
    /// How fast the CRM may be asked.
    pub pace: Pace,
    /// [`Adapter::changes`] tells what became of leads there.
    pub two_way: bool,
}

impl fmt::Debug for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Descriptor")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// A bucket of requests: full at the start, refilled evenly.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Pace {
    /// Requests that may go at once.
    pub burst: u32,
    /// Requests each second after that.
    pub per_second: f64,
}

/// What the server lends one connection.
#[derive(Clone)]
pub struct BuildContext {
    /// `crm_…`, for spans.
    pub connection_id: String,
    /// The server's own address as the world sees it, without a trailing slash: for links back.
    pub public_url: String,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Keeps tokens that change while the connection lives (a refresh token that works once).
    pub secrets: Arc<dyn SecretKeeper>,
    /// Asks over HTTP, within the server's rules for addresses.
    pub http: Arc<dyn Http>,
    /// Called before each request to the CRM: waits until the pace allows it.
    pub turn: Arc<dyn Turn>,
}

impl fmt::Debug for BuildContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BuildContext")
            .field("connection_id", &self.connection_id)
            .finish_non_exhaustive()
    }
}

/// Whose turn it is to ask the CRM.
#[async_trait]
pub trait Turn: Send + Sync {
    /// Resolves when one more request may go.
    async fn wait(&self);
}

/// For tests and checks that need no pace.
#[derive(Debug, Clone, Copy, Default)]
pub struct AtOnce;

#[async_trait]
impl Turn for AtOnce {
    async fn wait(&self) {}
}

/// One connection to a CRM.
#[async_trait]
pub trait Adapter: Send + Sync {
    /// "Test connection": says in words an admin understands what was reached and with which rights, in the
    /// good case too. Changes nothing there.
    async fn check(&self) -> Result<String, SyncError>;

    /// The fields of a lead there that the mapping can fill.
    async fn fields(&self) -> Result<Vec<RemoteField>, SyncError>;

    /// The states a lead can have there, for the mapping of statuses; empty when the CRM's leads have none.
    async fn statuses(&self) -> Result<Vec<RemoteStatus>, SyncError>;

    /// The people there who may be responsible for leads, by name; `None` where they cannot be listed, so that an
    /// admin types ids.
    async fn users(&self) -> Result<Option<Vec<RemoteUser>>, SyncError> {
        Ok(None)
    }

    /// The record that carries our lead's id as its origin.
    async fn find(&self, lead_id: &str) -> Result<Option<RemoteLead>, SyncError>;

    /// Makes the lead, with its person and company where the CRM wants them: joined to those the CRM already
    /// knows by phone or mail, else made.
    async fn create(&self, lead: &LeadSnapshot) -> Result<RemoteLead, SyncError>;

    /// Brings an existing record up to date with what the mapping fills. [`SyncError::Gone`] when a person
    /// deleted it there: it is not made again.
    async fn update(&self, remote: &RemoteLead, lead: &LeadSnapshot) -> Result<(), SyncError>;

    /// Writes one note (a conversation's transcript, a call, a colleague's words) on the record's timeline, unless a note
    /// with its id is there; answers the CRM's id of it.
    async fn note(&self, remote: &RemoteLead, note: &Note) -> Result<String, SyncError>;

    /// What happened to leads there since the cursor (`None`: from now on); what came from us is left out.
    async fn changes(&self, _cursor: Option<Value>) -> Result<Changes, SyncError> {
        Ok(Changes::default())
    }
}

/// A lead as the CRM holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteLead {
    /// The CRM's id of the record.
    pub id: String,
    /// The CRM's ids of the person and the company it belongs to.
    pub person_id: Option<String>,
    /// See [`RemoteLead::person_id`].
    pub company_id: Option<String>,
    /// Where a person opens it in a browser.
    pub url: Option<String>,
    /// The CRM joined it to a record that was there before (a duplicate by its own rules).
    pub merged: bool,
}

/// A field that can be filled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RemoteField {
    /// The CRM's name of it, as `LeadSnapshot::fields` wants it.
    pub id: String,
    /// What people there call it.
    pub label: String,
    /// What it takes.
    pub kind: FieldKind,
    /// The CRM refuses leads without it.
    pub required: bool,
    /// Of a list: the values it takes, id and label.
    pub options: Vec<(String, String)>,
}

/// What a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// Words.
    Text,
    /// A JSON number, or a text that is one.
    Number,
    /// A JSON boolean.
    Boolean,
    /// `YYYY-MM-DD`.
    Date,
    /// RFC 3339.
    DateTime,
    /// One of `options`, by id.
    Choice,
    /// Several of `options`, by id.
    Choices,
    /// A web address.
    Url,
}

/// A state of leads there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RemoteStatus {
    /// What `LeadSnapshot::status_id` and [`RemoteChange::status_id`] hold.
    pub id: String,
    /// What people there call it.
    pub label: String,
    /// What the state means, when the CRM says so.
    pub stage: Option<Stage>,
}

/// Somebody there who may be responsible for leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RemoteUser {
    /// What [`LeadSnapshot::owner_id`] holds.
    pub id: String,
    /// What people there call them; their address or id when they have no name.
    pub name: String,
    /// Their address, in lower case.
    pub email: Option<String>,
}

/// What happened there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// Oldest first.
    pub changes: Vec<RemoteChange>,
    /// Given to the next call; stored in the transaction that applies the changes.
    pub cursor: Option<Value>,
    /// Ask again at once.
    pub more: bool,
}

/// One record as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteChange {
    /// The CRM's id of the record.
    pub id: String,
    /// The [`RemoteStatus::id`] it stands at.
    pub status_id: Option<String>,
    /// What that state means, when the CRM says so.
    pub stage: Option<Stage>,
    /// Deleted there.
    pub gone: bool,
}

/// Why a step was not done; decides what the engine does next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SyncError {
    /// The connection is refused until an admin signs in anew or changes settings: it stops, with an alarm.
    #[error("{0}")]
    Auth(String),
    /// This step cannot succeed as it is (a required field is empty, a value is refused); a person must look.
    #[error("{message}")]
    Refused {
        /// What is wrong and what would be right.
        message: String,
        /// The CRM's name of the field, when it says which.
        field: Option<String>,
    },
    /// Too much was asked; nothing was done. Again after this time (`None`: the engine's own schedule).
    #[error("{message}")]
    Limited {
        /// Which limit it was.
        message: String,
        /// From now on.
        after: Option<Duration>,
    },
    /// Certainly nothing was done, and it may pass by itself.
    #[error("{0}")]
    Temporary(String),
    /// The step may have been done: look before trying again.
    #[error("{0}")]
    Unknown(String),
    /// The record was deleted there.
    #[error("{0}")]
    Gone(String),
}
