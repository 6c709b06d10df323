//! The thread of one contact on one channel, and its sessions.

pub mod call;
pub mod change;
pub mod extra;
pub mod label;
pub mod link;
pub mod mail;
pub mod member;
pub mod message;
pub mod offer;
pub mod participant;
pub mod reach;
pub mod read;
pub mod rearrange;
pub mod responses;
pub mod session;
pub mod state;
pub mod store;
pub mod view;
