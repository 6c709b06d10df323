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
mod calls;
mod changes;
mod chat_mail;
mod cli;
mod commerce;
mod counting;
mod crm;
mod custom;
mod due;
mod fake;
mod form_life;
mod forms;
mod imports;
mod ingest;
mod journeys;
mod lead_hooks;
mod log;
mod mail_content;
mod mail_corpora;
mod mail_filed;
mod mail_intake;
mod mail_loops;
mod mail_sign_in;
mod mail_threads;
mod notifications;
mod offers;
mod openapi;
mod outbox;
mod people;
mod privacy;
mod pull;
mod realtime;
mod rearrange;
mod retention;
mod roles;
mod routing;
mod scale;
mod schema;
mod shifts;
mod simulate;
mod simulation;
mod supervision;
mod tag_moving;
mod telegram;
mod texts;
mod timers;
mod two_processes;
mod visits;
mod webhooks;
mod widget;
mod writing;
