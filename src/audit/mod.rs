//! Who saw, changed, exported and erased what, and who signed in. Ids and names of operations, never what was in them.

pub mod judge;
pub mod store;

pub use judge::{Action, Judged};
