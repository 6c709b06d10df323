//! People outside: who they are and how they are recognised.

pub mod identify;
pub mod store;
