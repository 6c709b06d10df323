//! Leads: a sales interest of a contact, made once, with its source.

pub mod assign;
pub mod assignment;
pub mod callback;
pub mod convert;
pub mod follow;
pub mod list;
pub mod report;
pub mod rule;
pub mod source;
pub mod store;
