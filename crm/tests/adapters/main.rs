//! Every adapter against a CRM in memory that behaves as its documentation says: one suite for all of them
//! (`support/rules.rs`), and what is each one's own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it cannot go on"
)]

mod amocrm;
mod bitrix24;
mod hubspot;
mod pipedrive;
mod salesforce;
mod support;
