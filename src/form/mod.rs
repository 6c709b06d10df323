//! Submissions: what came by forms, and what waits for a moderator; how far visitors come with a form.

pub mod store;
pub mod usage;
