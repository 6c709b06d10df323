//! The server as a whole, in one test binary: `api/` mirrors `src/api/v1`, `journeys/` are sentences.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it cannot go on"
)]

#[macro_use]
mod support;

mod api;
mod apply;
mod architecture;
mod cli;
mod fake;
mod forms;
mod ingest;
mod journeys;
mod log;
mod openapi;
mod outbox;
mod realtime;
mod retention;
mod routing;
mod schema;
mod simulate;
mod supervision;
mod timers;
mod widget;
