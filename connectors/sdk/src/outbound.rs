//! What operators answer, on its way out.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::Recipient;

/// One message to one customer.
#[derive(Debug, Clone)]
pub struct OutboundMessage {
    /// `msg_…`: stable over repeated attempts, the idempotency key.
    pub id: String,
    /// `cnv_…`
    pub conversation_id: String,
    /// The number people know the conversation by.
    pub conversation_number: i64,
    /// The customer's address on this channel (identity value).
    pub to: String,
    /// The customer's name, when known.
    pub to_name: Option<String>,
    /// All address fields as the operator left them, on channels that have any; empty: `to` alone.
    pub recipients: Vec<Recipient>,
    /// Passes an earlier message on to somebody, rather than answering it.
    pub forward: bool,
    /// Plain text.
    pub text: String,
    /// Rich text, when the operator wrote any.
    pub html: Option<String>,
    /// The conversation's subject, on channels that have one.
    pub subject: Option<String>,
    /// Ids of the conversation's earlier messages as the channel knows them, oldest first.
    pub references: Vec<String>,
    /// The name shown as the author.
    pub author_name: Option<String>,
    /// Files.
    pub attachments: Vec<OutboundAttachment>,
    /// When the operator sent it.
    pub created_at: DateTime<Utc>,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// Nobody wrote it: a text that a line says by itself. Protocols that can mark it do.
    pub automatic: bool,
}

/// A file to send.
#[derive(Debug, Clone)]
pub struct OutboundAttachment {
    /// File name.
    pub name: String,
    /// Media type.
    pub content_type: String,
    /// `Content-ID` without angle brackets, for images the rich text shows.
    pub content_id: Option<String>,
    /// The bytes.
    pub data: Bytes,
}

/// The provider has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sent {
    /// The provider's id of the message, for receipts and threading.
    pub external_id: Option<String>,
    /// Who will not get it although others do, each as `address: the provider's words`.
    pub refused: Vec<String>,
}

/// Why it was not sent, or may not have been.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Certainly not sent; may work later.
    #[error("{reason}")]
    Retry {
        /// Not before this long, when the provider said so.
        after: Option<Duration>,
        /// What happened.
        reason: String,
    },
    /// Was not tried, because the channel's limit is reached: waits, which is no attempt, and all of the
    /// channel with it.
    #[error("{reason}")]
    Wait {
        /// Until there is room.
        after: Duration,
        /// Which limit.
        reason: String,
    },
    /// Will never work like this: a person must look.
    #[error("{reason}")]
    Refused {
        /// What the provider said.
        reason: String,
    },
    /// The bytes may have gone out: becomes `uncertain` unless the provider de-duplicates.
    #[error("{reason}")]
    Unknown {
        /// What happened.
        reason: String,
    },
}
