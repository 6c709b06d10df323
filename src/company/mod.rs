//! Where people outside work.

pub mod keys;
pub mod likeness;
pub mod list;
pub mod store;
