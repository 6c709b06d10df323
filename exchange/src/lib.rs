//! Files that go in and out: tables (CSV, XLSX), cards (vCard) and the documents of 1C (CommerceML).
//!
//! Everything here is a function of bytes: no database, no HTTP, no clock. Files come from strangers, so every size is
//! bounded and no bytes make it panic.

pub mod card;
pub mod commerce;
pub mod dialect;
pub mod field;
pub mod guess;
pub mod layout;
pub mod money;
pub mod record;
pub mod sheet;
pub mod text;
pub mod value;

mod xlsx;

pub use field::Field;
pub use layout::{Format, Head, Layout, Row, Unreadable};
pub use record::{Mapping, Reading, Record, Wrong};
