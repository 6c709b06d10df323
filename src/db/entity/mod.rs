//! The tables as they are: shapes without behaviour, one file a table. What a column means stands in
//! the migration that made it.

#![expect(missing_docs, reason = "columns are explained in the migration")]

pub mod api_key;
pub mod attachment;
pub mod auth_session;
pub mod call;
pub mod call_event;
pub mod call_name;
pub mod call_recording;
pub mod channel;
pub mod channel_cursor;
pub mod company;
pub mod consumer_cursor;
pub mod contact;
pub mod contact_suggestion;
pub mod conversation;
pub mod conversation_link;
pub mod conversation_member;
pub mod counter;
pub mod event;
pub mod identity;
pub mod inbound_event;
pub mod lead;
pub mod lease;
pub mod line;
pub mod line_queue;
pub mod line_turn;
pub mod line_version;
pub mod message;
pub mod message_version;
pub mod offer;
pub mod operator;
pub mod operator_schedule;
pub mod operator_signature;
pub mod outbox;
pub mod participant;
pub mod presence_lease;
pub mod quarantine;
pub mod routing_decision;
pub mod search_document;
pub mod session;
pub mod session_notice;
pub mod session_rating;
pub mod setting;
pub mod submission;
pub mod team;
pub mod team_member;
pub mod template;
pub mod thread_ref;
pub mod visitor;
pub mod visitor_block;
pub mod waiting_change;
