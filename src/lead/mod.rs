//! Leads: a sales interest of a contact, made once, with its source.

pub mod callback;
pub mod follow;
pub mod report;
pub mod rule;
pub mod source;
pub mod store;
