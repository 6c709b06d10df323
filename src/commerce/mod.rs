//! Orders and counterparties that 1C sends by CommerceML: orders become deals, counterparties companies and contacts.
//!
//! For 1C we are "the site": it signs in, sends a file in parts and asks us to take it in. [`receive`] keeps each part
//! before it says so, [`run`] takes whole files in by lease, some things a transaction that also moves the file's
//! cursor: killed at any moment it goes on where it was. What a file says is read by the crate `switchboard_exchange`;
//! what an order means for its deal is [`judge`], which is pure; [`orders`] and [`parties`] write it. Nothing is told
//! to 1C but answers.

pub mod answer;
mod change;
mod companies;
pub mod judge;
mod orders;
mod parties;
mod read;
pub mod receive;
pub mod run;
pub mod store;
mod turn;
mod unpack;
pub mod view;

use std::{collections::BTreeMap, fmt, sync::Arc};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::{Notify, futures::Notified};
use utoipa::ToSchema;

pub use self::change::{Error, MAX_EXCHANGES, New, Patch, create, delete, renew_password, update};
use crate::{clock::SharedClock, db::Db, storage::Storage};

/// Wakes who works on files, and who waits for them.
#[derive(Debug, Clone, Default)]
pub struct Bell(Arc<Rings>);

#[derive(Debug, Default)]
struct Rings {
    asked: Notify,
    moved: Notify,
}

impl Bell {
    /// A file is to be taken in: no need to wait for the next look.
    pub fn ask(&self) {
        self.0.asked.notify_one();
    }

    /// Until a file is to be taken in.
    async fn asked(&self) {
        self.0.asked.notified().await;
    }

    /// Something of a file was taken in.
    fn moved(&self) {
        self.0.moved.notify_waiters();
    }

    /// Until something of a file is taken in, by this process. Counts from the call, not from the first wait.
    pub fn until_moved(&self) -> Notified<'_> {
        self.0.moved.notified()
    }
}

/// What files are taken in with.
#[derive(Clone)]
pub struct Tools {
    /// The store.
    pub db: Db,
    /// Where the parts are.
    pub storage: Storage,
    /// Time.
    pub clock: SharedClock,
    /// Who holds the leases of this process.
    pub node: String,
    /// Who is woken.
    pub bell: Bell,
}

impl fmt::Debug for Tools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tools")
    }
}

/// When an order is won.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CommerceWon)]
pub enum Won {
    /// When an operator says so, or its status does.
    Never,
    /// When it is paid.
    Paid,
    /// When it is sent.
    Shipped,
    /// When it is both.
    #[default]
    PaidAndShipped,
}

/// The language of what 1C is told, and of words that are made here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CommerceLanguage)]
pub enum Language {
    /// Russian.
    #[default]
    Ru,
    /// English.
    En,
}

/// What is taken, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = CommerceOptions)]
pub struct Options {
    /// Orders become deals.
    pub orders: bool,
    /// Counterparties outside of orders become companies and contacts.
    pub parties: bool,
    /// The pipeline of the deals; the first one when null.
    pub pipeline_id: Option<String>,
    /// Who is responsible for the deals, and for those who are new; nobody when null.
    pub operator_id: Option<String>,
    /// What a deal is called: `{number}` and `{date}` stand for those of the order.
    pub title: String,
    /// Which stage a status of 1C means, by the words of the status; case does not matter.
    pub stages: BTreeMap<String, String>,
    /// When an order is won.
    pub won: Won,
    /// The country of telephone numbers without a country code, as `RU`.
    pub region: Option<String>,
    /// The language of what 1C is told.
    pub language: Language,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            orders: true,
            parties: true,
            pipeline_id: None,
            operator_id: None,
            title: "Заказ {number}".to_owned(),
            stages: BTreeMap::new(),
            won: Won::default(),
            region: Some("RU".to_owned()),
            language: Language::default(),
        }
    }
}

impl Options {
    /// As they are stored.
    pub fn read(stored: &Value) -> Self {
        serde_json::from_value(stored.clone()).unwrap_or_default()
    }
}

/// What became of the things of a file so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = CommerceCounts)]
pub struct Counts {
    /// Orders it has.
    pub orders: u64,
    /// Counterparties it has outside of orders.
    pub parties: u64,
    /// Things that made something here.
    pub created: u64,
    /// Things that changed something here.
    pub updated: u64,
    /// Things that say what they said before.
    pub unchanged: u64,
    /// Things that are not wanted: other documents, what was removed here, what this exchange does not take.
    pub skipped: u64,
    /// Things that cannot be taken; each is listed.
    pub failed: u64,
    /// Deals made.
    pub deals: u64,
    /// Companies made.
    pub companies: u64,
    /// Contacts made.
    pub contacts: u64,
}

impl Counts {
    /// As they are stored.
    pub fn read(stored: &Value) -> Self {
        serde_json::from_value(stored.clone()).unwrap_or_default()
    }
}

/// Where a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CommerceFileState)]
pub enum State {
    /// Parts of it still come.
    Receiving,
    /// All of it is here; it is being taken in, or waits for that.
    Waiting,
    /// It was an archive: its files stand for themselves.
    Unpacked,
    /// All of it is in that could be.
    Done,
    /// It cannot be read.
    Failed,
}

impl State {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Receiving, "receiving"),
        (Self::Waiting, "waiting"),
        (Self::Unpacked, "unpacked"),
        (Self::Done, "done"),
        (Self::Failed, "failed"),
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

    /// Whether nothing more will happen to it.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Unpacked | Self::Done | Self::Failed)
    }
}

/// The words of what a link is of.
pub(crate) mod kind {
    /// A deal.
    pub const ORDER: &str = "order";
    /// A company or a contact.
    pub const PARTY: &str = "party";
}

/// Notes that 1C signed in.
pub(crate) async fn seen(db: &Db, exchange_id: &str, now: DateTime<Utc>) -> Result<(), sea_orm::DbErr> {
    let mut write = db.write().await?;
    store::seen(&mut write, exchange_id, now).await?;
    write.commit().await
}
