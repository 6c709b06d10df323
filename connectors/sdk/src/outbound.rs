//! What operators answer, on its way out.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::Recipient;

/// One message to one customer.
#[derive(Debug, Clone, Default)]
pub struct OutboundMessage {
    /// `msg_…`: stable over repeated attempts, the idempotency key.
    pub id: String,
    /// `cnv_…`
    pub conversation_id: String,
    /// The number people know the conversation by.
    pub conversation_number: i64,
    /// The customer's address on this channel (identity value).
    pub to: String,
    /// The name of the conversation at the provider, when its messages came with [`Thread::Named`](crate::Thread::Named).
    pub thread: Option<String>,
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
    /// The provider's id of the message it answers, on channels that can show that.
    pub reply_to: Option<String>,
    /// Rows of buttons under it, on channels that have any.
    pub buttons: Vec<Vec<Button>>,
    /// Asks for the customer's phone number with a button of its own, on channels that have one.
    pub request_phone: bool,
}

/// A button under a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    /// What stands on it.
    pub label: String,
    /// What pressing it does.
    #[serde(flatten)]
    pub action: ButtonAction,
}

/// What a button does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ButtonAction {
    /// Opens a page.
    Url(String),
    /// Comes back as a message of the customer.
    Data(String),
}

/// Whom something that is no message goes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addressee {
    /// `cnv_…`
    pub conversation_id: String,
    /// The number people know the conversation by.
    pub conversation_number: i64,
    /// The customer's address on this channel (identity value).
    pub to: String,
    /// The name of the conversation at the provider, when it has one.
    pub thread: Option<String>,
}

/// A sent message says something else now.
#[derive(Debug, Clone, Default)]
pub struct OutboundEdit {
    /// The provider's ids of the message, as [`Sent`] said them: its own, then its parts in order.
    pub external_ids: Vec<String>,
    /// The whole message as it is now; its `id` and the number of the change make the idempotency key.
    pub message: OutboundMessage,
    /// Which change of the message it is, growing.
    pub revision: i64,
}

/// A sent message is to be taken back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutboundDeletion {
    /// `msg_…`
    pub id: String,
    /// Where it was sent.
    pub to: Addressee,
    /// The provider's ids of the message, as [`Sent`] said them: its own, then its parts in order.
    pub external_ids: Vec<String>,
    /// When it was sent: some providers take back only what is young.
    pub sent_at: DateTime<Utc>,
    /// Which change of the message it is, growing.
    pub revision: i64,
}

/// A file to send.
#[derive(Debug, Clone, Default)]
pub struct OutboundAttachment {
    /// File name.
    pub name: String,
    /// Media type.
    pub content_type: String,
    /// `Content-ID` without angle brackets, for images the rich text shows.
    pub content_id: Option<String>,
    /// The bytes.
    pub data: Bytes,
    /// Where the bytes can be fetched without a login for a day, for channels that hand on addresses.
    pub url: String,
}

/// The provider has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sent {
    /// The provider's id of the message, for receipts and threading.
    pub external_id: Option<String>,
    /// Who will not get it although others do, each as `address: the provider's words`.
    pub refused: Vec<String>,
    /// Further ids in order, when the provider made several messages of it (a long text, an album).
    pub parts: Vec<String>,
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
    /// Was not tried, because the limit of this one conversation is reached: waits, which is no attempt. Others of
    /// the channel go on meanwhile.
    #[error("{reason}")]
    Hold {
        /// Until there is room.
        after: Duration,
        /// Which limit.
        reason: String,
    },
    /// Nothing reaches this customer on this channel any more (they blocked the bot): remembered, so that the
    /// next one is not even tried, until they write again.
    #[error("{reason}")]
    Unreachable {
        /// What the provider said, for the operator.
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
