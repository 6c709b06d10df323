//! Where people outside work.

pub mod list;
pub mod store;
