//! Mirrors `src/api/v1`.
mod apikeys;
mod attachments;
mod auth;
mod channels;
mod contacts;
mod conventions;
mod conversation_actions;
mod conversations;
mod errors;
mod leads;
mod lines;
mod messages;
mod quarantine;
mod search;
mod setup;
mod submissions;
mod users;
