//! Switchboard: an omnichannel inbox and lead-capture gateway in one binary.
//!
//! The modules stand in the order a message travels; ARCHITECTURE.md tells the way.

pub mod api;
pub mod app;
pub mod apply;
pub mod auth;
pub mod automation;
pub mod call;
pub mod channel;
pub mod cli;
pub mod clock;
pub mod config;
pub mod connector;
pub mod contact;
pub mod conversation;
pub mod db;
pub mod event;
pub mod form;
pub mod id;
pub mod ingest;
pub mod lead;
pub mod line;
pub mod live;
pub mod master_key;
pub mod operator;
pub mod outbound;
pub mod outgoing;
pub mod retention;
pub mod routing;
pub mod search;
pub mod secret;
pub mod setting;
pub mod storage;
pub mod telemetry;
pub mod template;
pub mod visitor;
pub mod wall;
