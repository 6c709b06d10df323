//! What happens to messages after they were written: edits, deletions, reactions; and to those who write
//! them: that they cannot be reached any more, that they are typing.
//!
//! A message is named by any id the channel knows it by: the [`InboundEvent::external_id`] it came under,
//! one of its own [`InboundMessage::ids`], or what [`Sent`] said of one of ours. A change of a message that
//! is not known (yet) waits for it, shown in quarantine meanwhile; the connector does nothing about it.
//!
//! [`InboundEvent::external_id`]: crate::InboundEvent::external_id
//! [`InboundMessage::ids`]: crate::InboundMessage::ids
//! [`Sent`]: crate::Sent

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Identity, InboundAttachment, Person, Thread};

/// A message says something else now. [`InboundEvent::at`](crate::InboundEvent::at) is when it was changed:
/// an older edit that comes late never undoes a newer one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InboundEdit {
    /// The provider's id of the message.
    pub message: String,
    /// The whole text as it is now.
    pub text: String,
    /// The same as rich text as it came; the server sanitises it.
    pub html: Option<String>,
    /// All files as they are now; `None` when they stayed as they were.
    pub attachments: Option<Vec<InboundAttachment>>,
    /// Where somebody is now, when the message is a place (a live location).
    pub location: Option<Location>,
}

/// Its writer took a message back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InboundDeletion {
    /// The provider's id of the message.
    pub message: String,
}

/// What somebody feels about a message: the state now, not what changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InboundReaction {
    /// The provider's id of the message.
    pub message: String,
    /// Who; their first identity tells them from others.
    pub from: Person,
    /// All their reactions now, each an emoji; empty when they took them back.
    pub emoji: Vec<String>,
}

/// Whether somebody can be reached on this channel. A message from them says by itself that they can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundReachability {
    /// Whom answers go to.
    pub identity: Identity,
    /// In which conversation, as for a message.
    pub thread: Thread,
    /// They can be reached.
    pub reachable: bool,
    /// Why not, for the operator ("blocked the bot").
    pub reason: Option<String>,
}

/// The customer is typing: passed on at once, never stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typing {
    /// Who.
    pub from: Identity,
    /// In which conversation, as for a message.
    pub thread: Thread,
    /// Their name, when known.
    pub name: Option<String>,
    /// What stands in their field so far, when the channel shows it.
    pub text: Option<String>,
}

/// Where a message was first, before it was passed on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forwarded {
    /// Who wrote it, or the channel or chat it comes from; not the sender.
    pub from: Option<String>,
    /// When.
    pub at: Option<DateTime<Utc>>,
}

/// A place.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Location {
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// What is there (a venue's name).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// Degrees are never NaN: what a connector cannot read it leaves out.
impl Eq for Location {}
