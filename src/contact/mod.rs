//! People outside: who they are, how they are recognised, and when two of them turn out to be one.

pub mod address;
pub mod change;
pub mod consent;
pub mod identify;
pub mod list;
pub mod merge;
pub mod merging;
pub mod sight;
pub mod store;
