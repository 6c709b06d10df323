//! Submissions: what came by forms, and what waits for a moderator.

pub mod store;
