//! The contract suite every connector runs, and the fakes it runs against.
//!
//! A connector's `tests/contract.rs` is usually one line for the general rules, and a fixture for each
//! half the connector has:
//!
//! ```text
//! use switchboard_testkit::{contract, contract::Options};
//!
//! contract!(switchboard_webform::DESCRIPTOR, Options::default().webhook(sample()));
//! ```
//!
//! [`MemoryIntake`] stands in for the server: it stores, de-duplicates and keeps cursors as the server
//! does, and fails when told to. [`ManualClock`] stands still until it is moved.

mod clock;
mod context;
pub mod contract;
mod http;
mod intake;
pub mod schema;
#[cfg(feature = "telegram")]
pub mod telegram;

pub use self::http::FakeHttp;
pub use clock::ManualClock;
pub use context::{context, context_at};
pub use intake::{Hold, MemoryIntake, Step};

/// How long the suite waits for something that must happen before it calls it missing.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);
