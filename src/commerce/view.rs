//! Exchanges, their files and orders as the API shows them.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde::Serialize;
use switchboard_exchange::commerce::{Good, Order};
use utoipa::ToSchema;

use super::{Counts, Options, State};
use crate::db::entity::{commerce_exchange, commerce_fault, commerce_file, commerce_link};

/// A 1C that sends orders and counterparties.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CommerceExchange)]
pub struct ExchangeView {
    /// `exc_…`
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The address to enter in 1C.
    pub url: String,
    /// What 1C signs in as.
    pub user_name: String,
    /// Whether it is at work; else 1C is told that it is switched off.
    pub enabled: bool,
    /// What is taken.
    pub options: Options,
    /// When 1C last signed in.
    pub seen_at: Option<DateTime<Utc>>,
    /// When a file was last taken in.
    pub last_success_at: Option<DateTime<Utc>>,
    /// Why a file was last not taken in.
    pub last_error: Option<String>,
    /// When that was.
    pub last_error_at: Option<DateTime<Utc>>,
    /// For optimistic changes.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl ExchangeView {
    /// An exchange of a server that is reached at `public_url`.
    pub fn new(row: commerce_exchange::Model, public_url: &str) -> Self {
        Self {
            url: format!("{}/hooks/1c/{}", public_url.trim_end_matches('/'), row.key),
            options: Options::read(&row.options),
            id: row.id,
            name: row.name,
            user_name: row.user_name,
            enabled: row.enabled,
            seen_at: row.seen_at,
            last_success_at: row.last_success_at,
            last_error: row.last_error,
            last_error_at: row.last_error_at,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// A file that 1C sent.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CommerceFile)]
pub struct FileView {
    /// `exf_…`
    pub id: String,
    /// Its name there.
    pub name: String,
    /// Where it is.
    pub state: State,
    /// Its bytes.
    pub size: i64,
    /// What became of what it says, so far.
    pub counts: Counts,
    /// Why it cannot be read.
    pub error: Option<String>,
    /// When its first part came.
    pub created_at: DateTime<Utc>,
    /// When it was over.
    pub finished_at: Option<DateTime<Utc>>,
}

impl From<commerce_file::Model> for FileView {
    fn from(row: commerce_file::Model) -> Self {
        Self {
            state: State::parse(&row.state),
            counts: Counts::read(&row.counts),
            id: row.id,
            name: row.name,
            size: row.size,
            error: row.error,
            created_at: row.created_at,
            finished_at: row.finished_at,
        }
    }
}

/// What of a file could not be taken.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CommerceFault)]
pub struct FaultView {
    /// Which thing of the file it is, from 1.
    pub number: i64,
    /// The number of an order, the id of a counterparty.
    pub known_as: String,
    /// Why.
    pub reason: String,
}

impl From<commerce_fault::Model> for FaultView {
    fn from(row: commerce_fault::Model) -> Self {
        Self {
            number: row.number,
            known_as: row.known_as,
            reason: row.reason,
        }
    }
}

/// An order of 1C that is a deal.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CommerceOrder)]
pub struct OrderView {
    /// What the exchange is called.
    pub exchange: Option<String>,
    /// Its number.
    pub number: Option<String>,
    /// When it was made, in the zone of 1C.
    pub at: Option<NaiveDateTime>,
    /// What it is worth, as a decimal text.
    pub amount: Option<String>,
    /// The currency.
    pub currency: Option<String>,
    /// What its status is called in 1C.
    pub status: Option<String>,
    /// Called off there.
    pub cancelled: bool,
    /// When it was paid.
    pub paid_on: Option<NaiveDate>,
    /// When it was sent.
    pub shipped_on: Option<NaiveDate>,
    /// What the customer wished.
    pub comment: Option<String>,
    /// What was ordered, the first 200 of it.
    pub goods: Vec<GoodView>,
    /// How many positions it has.
    pub positions: usize,
    /// When 1C last changed it.
    pub updated_at: DateTime<Utc>,
}

/// One position of an order.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CommerceGood)]
pub struct GoodView {
    /// What it is.
    pub name: String,
    /// The seller's number of it.
    pub article: Option<String>,
    /// How much of it.
    pub quantity: Option<String>,
    /// Of what.
    pub unit: Option<String>,
    /// What one costs.
    pub price: Option<String>,
    /// What all of it costs.
    pub amount: Option<String>,
}

impl From<Good> for GoodView {
    fn from(good: Good) -> Self {
        Self {
            name: good.name,
            article: good.article,
            quantity: good.quantity,
            unit: good.unit,
            price: good.price,
            amount: good.amount,
        }
    }
}

impl OrderView {
    /// An order as it was last said; none when what it said was erased with its customer.
    pub fn new(link: commerce_link::Model, exchange: Option<commerce_exchange::Model>) -> Option<Self> {
        let order: Order = serde_json::from_value(link.document?).ok()?;
        Some(Self {
            exchange: exchange.map(|exchange| exchange.name),
            number: order.number,
            at: order.at,
            amount: order.amount,
            currency: order.currency,
            status: order.status,
            cancelled: order.cancelled,
            paid_on: order.paid_on,
            shipped_on: order.shipped_on,
            comment: order.comment,
            goods: order.goods.into_iter().map(GoodView::from).collect(),
            positions: order.positions,
            updated_at: link.updated_at,
        })
    }
}
