//! Where people outside work.

pub mod store;
