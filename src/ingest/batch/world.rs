//! The part of the store a batch is about, in memory.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use switchboard_sdk::{DeliveryReceipt, Identity};

use super::change::Changes;
use crate::{
    contact::identify::Known,
    conversation::store::NAMED,
    db::entity::{
        attachment, call_event, company, contact, contact_suggestion, conversation, conversation_link,
        conversation_member, identity, lead, message, quarantine, session, submission, thread_ref,
    },
    event::NewEvent,
    ingest::prepare::clean_external_id,
    lead::rule::History,
    line::{due::Promise, rules::Crm},
};

/// What ingest needs to know of a channel.
#[derive(Debug, Clone)]
pub(super) struct Channel {
    pub id: String,
    pub kind: String,
    pub name: String,
    pub line_id: String,
    pub crm: Crm,
    /// Changes wait for messages of this channel.
    pub changes_wait: bool,
}

/// A line that messages name.
#[derive(Debug, Clone)]
pub(super) struct NamedLine {
    pub id: String,
    pub crm: Crm,
    pub promise: Promise,
}

/// A conversation with its current session, and what of it must be written.
#[derive(Debug, Clone)]
pub(super) struct OpenThread {
    pub conversation: conversation::Model,
    pub session: session::Model,
    pub is_new: bool,
    pub changed: bool,
    pub session_is_new: bool,
    /// The client waits for an answer from now on, due at `session.due_at`.
    pub owed: bool,
}

/// What a new session adds to the open lead it joins.
#[derive(Debug, Clone)]
pub(super) struct JoinedLead {
    pub lead_id: String,
    pub fields: std::collections::BTreeMap<String, serde_json::Value>,
    pub last: switchboard_sdk::Touch,
}

/// Everything a batch reads and writes.
#[derive(Debug, Default)]
pub(super) struct World {
    pub now: DateTime<Utc>,
    pub channels: HashMap<String, Arc<Channel>>,
    /// What the lines promise, by id.
    pub promises: HashMap<String, Promise>,
    /// By the id or key they were named by.
    pub lines: HashMap<String, NamedLine>,
    pub identities: HashMap<(String, String), Known>,
    pub contacts: HashMap<String, contact::Model>,
    pub threads: HashMap<String, OpenThread>,
    pub by_key: HashMap<(String, String), String>,
    pub by_ref: HashMap<(String, String), String>,
    /// Conversations of the messages that reply addresses name, by message.
    pub by_token: HashMap<String, String>,
    /// Of those messages, the mails of chats: the channel that each went out by.
    pub mailed: HashMap<String, String>,
    /// Everybody on the mails of a conversation.
    pub members: HashMap<String, BTreeSet<String>>,
    /// Colleagues whose mail is filed, by address: their id and name.
    pub colleagues: HashMap<String, (String, String)>,
    pub leads: HashMap<String, History>,
    /// Those of the operators that forms name who are there.
    pub responsible: BTreeSet<String>,

    // What is new, in the order of its making.
    pub new_companies: Vec<company::Model>,
    pub new_contacts: Vec<String>,
    pub changed_contacts: BTreeSet<String>,
    pub new_identities: Vec<identity::Model>,
    pub proven: Vec<Identity>,
    pub suggestions: Vec<contact_suggestion::Model>,
    pub new_threads: Vec<String>,
    pub messages: Vec<message::Model>,
    pub attachments: Vec<attachment::Model>,
    pub uploaded: Vec<(String, String, i64)>,
    pub refs: Vec<thread_ref::Model>,
    pub new_members: Vec<conversation_member::Model>,
    pub links: Vec<conversation_link::Model>,
    /// Addresses that people wrote from: they are reached there.
    pub heard: BTreeSet<String>,
    pub new_leads: Vec<lead::Model>,
    pub joined_leads: Vec<JoinedLead>,
    pub submissions: Vec<submission::Model>,
    pub quarantined: Vec<quarantine::Model>,
    pub receipts: Vec<(String, DeliveryReceipt)>,
    pub companies: HashMap<String, String>,
    /// The kind of the channel that brings what is applied now: how new identities came to be known.
    pub via: Option<String>,
    /// Sessions whose client was answered outside Switchboard.
    pub answered: BTreeSet<String>,
    pub changes: Changes,
    /// What telephone systems said, to be folded into calls afterwards.
    pub calls: Vec<call_event::Model>,
    pub events: Vec<NewEvent>,
}

impl World {
    pub fn channel(&self, id: &str) -> Option<Arc<Channel>> {
        self.channels.get(id).cloned()
    }
}

/// The key of the one conversation of a contact on a channel.
pub(super) fn thread_key_of_contact(contact_id: &str) -> String {
    format!("c:{contact_id}")
}

/// The key of the one conversation of a sender on a channel.
pub(super) fn thread_key_of_sender(sender: &Identity) -> String {
    format!("i:{}:{}", sender.kind.as_str(), sender.value)
}

/// The key of a conversation that the provider has a name for.
pub(super) fn thread_key_of_name(name: &str) -> String {
    format!("{NAMED}{}", clean_external_id(name))
}

/// The key of a mail thread: the id of its first message.
pub(super) fn thread_key_of_mail(own: &str) -> String {
    format!("m:{own}")
}
