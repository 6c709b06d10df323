//! What customers send, normalised: the shapes every connector fills and ingest understands.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    CallEvent, Content, Forwarded, InboundDeletion, InboundEdit, InboundReachability, InboundReaction,
    Location, MailFacts, Recipient, ThreadFacts,
};

/// Events that are stored in one transaction, with the cursor that covers them.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// In the order they happened.
    pub events: Vec<InboundEvent>,
    /// Where to go on after these events; committed together with them.
    pub cursor: Option<Cursor>,
}

impl Batch {
    /// A batch of one, without a cursor: what a webhook has.
    pub fn one(event: InboundEvent) -> Self {
        Self {
            events: vec![event],
            cursor: None,
        }
    }
}

/// A place in the provider's stream, for example `{"uid_validity":1,"last_uid":42}` of `INBOX`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Which stream of the channel.
    pub name: String,
    /// The connector's own shape.
    pub value: Value,
}

/// One thing that came in.
#[derive(Debug, Clone)]
pub struct InboundEvent {
    /// Unique within the channel, the same each time the provider repeats the event: the key of
    /// de-duplication.
    pub external_id: String,
    /// When it happened, by the provider's word.
    pub at: DateTime<Utc>,
    /// What it is.
    pub body: InboundBody,
}

/// The kinds of things that come in.
#[derive(Debug, Clone)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all of them are messages: a box each would cost more than the room"
)]
pub enum InboundBody {
    /// A customer wrote.
    Message(InboundMessage),
    /// A customer filled a form.
    Submission(Submission),
    /// The provider says what became of a message we sent.
    Receipt(DeliveryReceipt),
    /// A message was changed.
    Edit(InboundEdit),
    /// A message was taken back.
    Deletion(InboundDeletion),
    /// Somebody reacted to a message.
    Reaction(InboundReaction),
    /// Somebody can be reached no longer, or again.
    Reachability(InboundReachability),
    /// A telephone system says something about a call.
    Call(Box<CallEvent>),
    /// It could not be understood: kept raw in quarantine, with a replay button; the cursor moves on.
    Poison {
        /// Why, for the admin.
        reason: String,
        /// What came, byte for byte.
        raw: Content,
    },
}

/// A customer's message.
#[derive(Debug, Clone, Default)]
pub struct InboundMessage {
    /// Who wrote.
    pub from: Person,
    /// Which conversation it belongs to.
    pub thread: Thread,
    /// Plain text; empty when there are only files.
    pub text: String,
    /// Rich text as it came; the server sanitises it before anyone sees it.
    pub html: Option<String>,
    /// The subject, on channels that have one.
    pub subject: Option<String>,
    /// Files.
    pub attachments: Vec<InboundAttachment>,
    /// Where the customer came from, when the channel knows.
    pub attribution: Attribution,
    /// The sender's own idempotency key, shown back to it (web chat).
    pub client_id: Option<String>,
    /// Written by a machine (RFC 3834): stored, but opens no session and is never answered by one.
    pub automatic: bool,
    /// What the mail says beside its text, on channels that carry mail.
    pub mail: Option<Box<MailFacts>>,
    /// What the writers say of themselves on a card of their own. It fills what nobody knows yet, and
    /// unlike [`InboundMessage::from`] it never recognises anybody.
    pub card: Option<Person>,
    /// Who stands in its address fields, the author too, on channels that have any.
    pub recipients: Vec<Recipient>,
    /// What else helps a mail to find its conversation; none on channels without threads.
    pub threading: Option<Box<ThreadFacts>>,
    /// The line its conversation is opened in, by id or key, when the message itself says so (a tag in the
    /// address). One that is not there means the channel's own line.
    pub line: Option<String>,
    /// Taken in afterwards, for the record: stored, but opens no session, makes no lead and wakes nobody.
    pub history: bool,
    /// Ids by which the provider names the message later (in edits, deletions, reactions, answers), when the
    /// event's own is not one of them. An album has one for each of its parts.
    pub ids: Vec<String>,
    /// What the parts of an album share, where the provider hands them over one by one and never says which is
    /// the last. The first makes the message; each further one adds its files, its words and its ids to it.
    pub album: Option<String>,
    /// Any id of the message of this conversation that it answers. One that is not known is passed over.
    pub reply_to: Option<String>,
    /// The words of that message it is about, when the writer chose some, or all of it when it is none of ours.
    pub quote: Option<String>,
    /// Where it was first, when it was passed on.
    pub origin: Option<Forwarded>,
    /// The place it shows.
    pub location: Option<Location>,
    /// Not the customer's: somebody of the company wrote it to the customer outside Switchboard (from a phone
    /// beside the bot). [`InboundMessage::from`] is the customer it went to; it is stored as an answer, opens
    /// no session and is not sent again. Inside is the name shown as its author; empty is the channel's.
    pub own: Option<String>,
}

/// How a message finds its conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Thread {
    /// One conversation per contact and channel.
    #[default]
    Contact,
    /// One conversation per thread, found by the ids of earlier messages (RFC 5322 §3.6.4).
    Messages {
        /// The id of this message, without angle brackets.
        own: String,
        /// Ids of earlier messages, the nearest first (`In-Reply-To`, then `References` from right to left).
        earlier: Vec<String>,
    },
    /// One conversation per sender and channel, the sender being the first identity of
    /// [`InboundMessage::from`]. Unlike [`Thread::Contact`] a claimed e-mail or phone, which joins the
    /// contact on the operators' side, never opens that contact's earlier conversation to the sender.
    Sender,
    /// One conversation per name on the channel, whoever writes in it: a chat, a group, a topic. The name comes
    /// back with what is sent there ([`OutboundMessage::thread`](crate::OutboundMessage::thread)).
    Named(String),
}

/// Somebody outside, as one message shows them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// The name they go by, when known.
    pub name: Option<String>,
    /// What they can be recognised by; the first is the one they wrote from.
    pub identities: Vec<Identity>,
    /// Their language as a BCP 47 tag, when known.
    pub language: Option<String>,
    /// Company, when said.
    pub company: Option<String>,
}

/// One address of a person.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity {
    /// What kind of address.
    pub kind: IdentityKind,
    /// The address in its normal form: e-mail in lower case, phone as E.164, else the provider's stable id.
    pub value: String,
    /// Proven, not merely typed. An unproven identity is a claim: it joins on the operators' side only.
    pub verified: bool,
}

/// Kinds of identities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityKind {
    /// An e-mail address.
    Email,
    /// A phone number in E.164.
    Phone,
    /// A Telegram user id.
    Telegram,
    /// A visitor of one web chat channel.
    Webchat,
    /// A user id of the company's own site or system.
    External,
}

impl IdentityKind {
    /// The word used in the API and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Telegram => "telegram",
            Self::Webchat => "webchat",
            Self::External => "external",
        }
    }
}

/// A file that came with a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InboundAttachment {
    /// File name as sent; the server cleans it.
    pub name: String,
    /// Declared media type.
    pub content_type: String,
    /// The bytes.
    pub data: Content,
    /// `Content-ID` without angle brackets, for images the HTML shows.
    pub content_id: Option<String>,
    /// `att_…` when the file was uploaded to the server before; `data` is empty then.
    pub stored_id: Option<String>,
    /// Where the server fetches it, guarded and within limits, before the event is stored; `data` is empty
    /// then. For pushes, whose parsing does no I/O.
    pub url: Option<String>,
    /// Why there are no bytes ("34 MB, at most 20 MB are taken"): shown in the file's place.
    pub missing: Option<String>,
}

/// A filled form.
#[derive(Debug, Clone, Default)]
pub struct Submission {
    /// Who filled it, from the fields that map to the contact. All identities are claims.
    pub from: Person,
    /// All accepted values by field name, as JSON.
    pub values: BTreeMap<String, Value>,
    /// The same for people: what the operator reads as the message.
    pub text: String,
    /// Files.
    pub attachments: Vec<InboundAttachment>,
    /// What the fields say about the lead.
    pub lead: LeadHints,
    /// Where the visitor came from.
    pub attribution: Attribution,
    /// The consent given, when the form asks for one.
    pub consent: Option<Consent>,
    /// 0 (surely a person) to 1 (surely a machine).
    pub spam_score: f64,
    /// Why, one word each.
    pub spam_reasons: Vec<String>,
    /// Waits for a moderator before it makes a lead.
    pub held: bool,
    /// What was sent beside the fields of the form: by a page that was made when the form had others.
    pub extra: BTreeMap<String, Value>,
    /// What it makes, and for whom.
    pub makes: SubmissionMakes,
}

/// What an accepted submission makes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SubmissionMakes {
    /// How much of it.
    pub what: Makes,
    /// Responsible for the lead: an operator, by id. Nobody: whoever answers first.
    pub operator: Option<String>,
}

/// How much a submission makes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Makes {
    /// Contact, conversation and, by the line's rule, a lead.
    #[default]
    Lead,
    /// Contact and conversation.
    Conversation,
    /// The contact alone.
    Contact,
}

/// What a form says about the lead it makes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LeadHints {
    /// `lead.title`.
    pub title: Option<String>,
    /// `lead.fields.X` by X; `lead.comment` is the field `comment`.
    pub fields: BTreeMap<String, Value>,
}

/// A consent, as it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Ticked.
    pub given: bool,
    /// The text that was agreed to.
    pub text: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Which version of the text: the admin's own word, or a short hash of the text and its link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The language it was shown in, as a BCP 47 tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// What the provider reports about an outbound message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryReceipt {
    /// The provider's id of the outbound message, or our own (`msg_…`).
    pub external_id: String,
    /// What happened.
    pub state: ReceiptState,
    /// The provider's words, when it failed or is delayed.
    pub error: Option<String>,
    /// The address that does not exist, when the provider is sure of it: nothing reaches it any more.
    pub dead_address: Option<String>,
    /// What the provider calls the message from now on, when it says so only now.
    pub known_as: Option<String>,
}

/// What can happen to a sent message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReceiptState {
    /// It went on to a server that reports nothing more: what was delayed is not any longer.
    Relayed,
    /// It arrived.
    Delivered,
    /// It was read.
    Read,
    /// It did not arrive yet: the receiving side could not take it, and it is being tried again.
    Delayed,
    /// It did not arrive after all.
    Failed,
}

/// Where a customer came from: the first and the last touch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attribution {
    /// What brought them the first time.
    pub first: Touch,
    /// What brought them this time.
    pub last: Touch,
}

/// One touch, by key: `utm_source`, `utm_medium`, `utm_campaign`, `utm_term`, `utm_content`, `gclid`,
/// `fbclid`, `yclid`, `referrer`, `landing_page`, `called_number`, `start_payload`. Other keys are kept.
pub type Touch = BTreeMap<String, String>;
