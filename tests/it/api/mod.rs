//! Mirrors `src/api/v1`.
mod conversation_actions;
mod lines;
mod users;
