//! Erasing a person: everywhere, for good, in small steps that survive a crash.
//!
//! A person is a contact with all that were merged into it. The work is a row of `erasure` with four states:
//! [`rows`] removes what is theirs, [`mentions`] cuts their addresses out of what is not, [`files`] removes files, and
//! `disk` has the database give up the bytes ([`crate::db::Db::truncate_log`]). What each column of the schema holds, and
//! what becomes of it, stands in [`register`].

pub mod aging;
pub mod needles;
pub mod register;
pub mod run;
pub mod store;

mod files;
mod mentions;
mod rows;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use self::needles::Needles;
use crate::{clock::SharedClock, db::Db, secret::Vault, storage::Storage};

/// What erasing needs.
#[derive(Clone)]
pub struct Tools {
    /// The store.
    pub db: Db,
    /// Files.
    pub storage: Storage,
    /// Time.
    pub clock: SharedClock,
    /// Seals whom it is about while it lasts.
    pub vault: Vault,
    /// This process, for leases.
    pub node: String,
}

impl std::fmt::Debug for Tools {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tools")
    }
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ErasureState)]
pub enum State {
    /// What is theirs is being removed.
    Rows,
    /// Their addresses are being cut out of what is not theirs.
    Mentions,
    /// Their files are being removed.
    Files,
    /// The database is giving up the bytes.
    Disk,
    /// Nothing is left.
    Done,
}

impl State {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Mentions => "mentions",
            Self::Files => "files",
            Self::Disk => "disk",
            Self::Done => "done",
        }
    }

    /// The state of a word. What a newer version wrote is begun anew: each step may be done twice.
    pub fn parse(word: &str) -> Self {
        [Self::Mentions, Self::Files, Self::Disk, Self::Done]
            .into_iter()
            .find(|state| state.as_str() == word)
            .unwrap_or(Self::Rows)
    }
}

/// Whom it is about; sealed while it lasts, forgotten when it is done.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Person {
    /// The contact and all that were merged into it.
    contacts: Vec<String>,
    /// Their addresses.
    needles: Needles,
    /// Ids of what is theirs and others may still be told of.
    objects: Vec<String>,
}

/// What went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = ErasureCounts)]
pub struct Counts {
    /// Contacts: the person and those merged into them.
    pub contacts: u64,
    /// Conversations.
    pub conversations: u64,
    /// Messages, theirs in others' conversations too.
    pub messages: u64,
    /// Files: attachments, recordings, originals of mails.
    pub files: u64,
    /// Calls.
    pub calls: u64,
    /// Filled forms.
    pub submissions: u64,
    /// Leads.
    pub leads: u64,
    /// Tasks.
    pub tasks: u64,
    /// Deals that stay in the figures, without the person.
    pub deals_kept: u64,
    /// Places elsewhere that held one of their addresses.
    pub mentions: u64,
}
