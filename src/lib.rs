//! Switchboard: an omnichannel inbox and lead-capture gateway in one binary.
//!
//! The modules stand in the order a message travels; ARCHITECTURE.md tells the way.

pub mod channel;
pub mod connector;
pub mod ingest;
pub mod contact;
pub mod conversation;
pub mod line;
pub mod routing;
pub mod operator;
pub mod outbound;
pub mod lead;
pub mod search;
pub mod event;
pub mod live;
pub mod db;
pub mod storage;
pub mod setting;
pub mod secret;
pub mod master_key;
pub mod auth;
pub mod config;
pub mod telemetry;
pub mod id;
pub mod clock;
pub mod app;
pub mod api;
pub mod cli;
pub mod form;
pub mod visitor;
pub mod retention;
