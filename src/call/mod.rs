//! Telephone calls: what telephone systems report becomes one call, one entry in a conversation, and work when
//! nobody picked up.
//!
//! Reports are stored by ingest as they come (`call_event`), and only then acknowledged. [`follow`] takes what is
//! new to the call it belongs to, computes that call anew from all its reports ([`fold`], pure), and writes what
//! follows from it in the same transaction: the entry, the lead, the missed call that waits in the queue. A report
//! that was stored and not folded yet is found again after a crash, and so is whatever time has to do (`check_at`).

pub mod csv;
pub mod entry;
pub mod fold;
pub mod follow;
mod missed;
mod place;
pub mod recording;
mod recordings;
mod refresh;
pub mod retry;
pub mod route;
pub mod setup;
pub mod store;
pub mod view;
pub mod wishes;

pub use self::{setup::Setup, view::CallView};
