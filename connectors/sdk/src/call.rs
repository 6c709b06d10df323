//! What a telephone system says about calls, and what it can be asked.
//!
//! Providers repeat, reorder and lose what they say of a call; one call has many legs and sometimes several
//! names. A connector therefore translates each report by itself and folds nothing: the server stores every
//! [`CallEvent`] and computes the call anew from all of them.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Fault, HttpRequest, Rejection, SendError, WebhookRequest, WebhookResponse};

/// One report about one call. [`InboundEvent::at`](crate::InboundEvent::at) is when it happened by the
/// provider's word, or when it came where the provider gives no time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallEvent {
    /// What the provider calls the whole call: the same in all its reports, as far as this one knows.
    pub call: String,
    /// Other names of the same call (the id it had before a transfer, the id of its first leg). A call that
    /// two reports know under two names becomes one as soon as a third has both.
    pub aliases: Vec<String>,
    /// What happened.
    pub kind: CallEventKind,
    /// The provider's own order among its reports of one call.
    pub sequence: Option<i64>,
    /// Who rang whom, seen from the company.
    pub direction: Option<CallDirection>,
    /// Who rings.
    pub from: Option<CallParty>,
    /// Who is rung.
    pub to: Option<CallParty>,
    /// The company's own number: the one that was dialled, or the one shown to the client. E.164 where it is one.
    pub own_number: Option<String>,
    /// The name the telephone network gives for the caller.
    pub caller_name: Option<String>,
    /// The leg it is about; `None` when it is about the whole call.
    pub leg: Option<CallLeg>,
    /// When the call (or the leg) began, where the report says so itself.
    pub started_at: Option<DateTime<Utc>>,
    /// When a person began to talk.
    pub answered_at: Option<DateTime<Utc>>,
    /// When it was over.
    pub ended_at: Option<DateTime<Utc>>,
    /// Seconds it rang.
    pub ring_secs: Option<u32>,
    /// Seconds that people talked.
    pub talk_secs: Option<u32>,
    /// How it ended, where the provider says so.
    pub end: Option<CallEnd>,
    /// Why, in the provider's words.
    pub cause: Option<String>,
    /// The recording it is about.
    pub recording: Option<CallRecording>,
    /// What was said, as text.
    pub transcript: Option<String>,
}

/// Kinds of reports about a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallEventKind {
    /// The call is there. A robot that picks up changes nothing about that.
    #[default]
    Started,
    /// It waits in a queue of the telephone system.
    Queued,
    /// A person's telephone rings: an operator's, or on an outbound call the client's.
    Ringing,
    /// Two people talk: an operator picked up, or on an outbound call the client did.
    Answered,
    /// One leg is over.
    LegEnded,
    /// All of it is over.
    Ended,
    /// There is a recording, or will be, or will be none.
    Recording,
    /// There is a text of what was said.
    Transcript,
    /// Nothing but that its names belong together.
    Linked,
}

/// Who rang whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallDirection {
    /// A client rang the company.
    Inbound,
    /// The company rang a client.
    Outbound,
    /// Colleagues among themselves: kept, but no conversation of a client.
    Internal,
}

/// One end of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallParty {
    /// What kind of address it is.
    pub kind: PartyKind,
    /// E.164 for [`PartyKind::Number`]; the extension, SIP address or name else; empty when hidden.
    pub address: String,
}

/// Kinds of ends of a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartyKind {
    /// A number of the public network, in E.164.
    Number,
    /// A number too short to be anybody's own (an emergency or service number).
    ShortCode,
    /// A SIP address without a number.
    Sip,
    /// A telephone in a browser or an app.
    Client,
    /// A telephone of the company.
    Extension,
    /// Somebody who does not show their number: nobody in particular, and never the same person twice.
    #[default]
    Hidden,
}

/// One part of a call: one telephone, robot or queue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallLeg {
    /// The provider's id of the leg, unique within the call.
    pub key: String,
    /// What is at its end.
    pub role: LegRole,
    /// The operator's extension, where one is at its end.
    pub extension: Option<String>,
}

/// What is at the end of a leg.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegRole {
    /// The client.
    Client,
    /// Somebody of the company.
    Operator,
    /// A robot that speaks.
    Ivr,
    /// A robot that records.
    Voicemail,
    /// A queue of the telephone system.
    Queue,
    /// Something else.
    #[default]
    Other,
}

/// How a provider says that a call ended. What became of it is the server's to judge, from all reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallEnd {
    /// People talked.
    Answered,
    /// Nobody picked up.
    NoAnswer,
    /// The telephone was in use.
    Busy,
    /// The caller gave up.
    Canceled,
    /// Who was rung did not want to.
    Rejected,
    /// It could not be brought about.
    Failed,
    /// The caller spoke to a recorder.
    Voicemail,
}

/// A recording of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecording {
    /// The provider's id of the recording, unique within the channel.
    pub key: String,
    /// Where it is; `None` when it has to be asked for by its key.
    pub url: Option<String>,
    /// What was recorded.
    pub kind: RecordingKind,
    /// Whether it can be fetched.
    pub state: RecordingState,
    /// How long it is, in seconds.
    pub secs: Option<u32>,
    /// Until when the address works.
    pub expires_at: Option<DateTime<Utc>>,
}

/// What a recording holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordingKind {
    /// What people said to each other.
    #[default]
    Conversation,
    /// What a caller left.
    Voicemail,
}

/// How far a recording is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordingState {
    /// It is being made.
    Announced,
    /// It can be fetched (some providers need a few seconds more).
    #[default]
    Ready,
    /// There is none and will be none.
    Absent,
}

/// What an admin says of one of the company's own numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OwnNumber {
    /// What people call it ("Ad: search").
    pub label: String,
    /// `utm_source` of whoever rings it.
    pub source: Option<String>,
    /// `utm_medium`.
    pub medium: Option<String>,
    /// `utm_campaign`.
    pub campaign: Option<String>,
}

/// What a telephone system asks before it rings anybody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RouteQuestion {
    /// Who rings.
    pub from: CallParty,
    /// The company's number that was dialled, when it says so.
    pub own_number: Option<String>,
}

/// Who should get a caller.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RouteAnswer {
    /// Extensions to ring, the best first; empty leaves it to the telephone system.
    pub extensions: Vec<String>,
    /// The contact's name, for the telephone's display.
    pub caller_name: Option<String>,
    /// Seconds to ring before the telephone system goes on by itself.
    pub ring_secs: u32,
}

/// An address of this channel that an admin enters at the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookAddress {
    /// Where it goes there, in the provider's words ("Voice URL of the number").
    pub label: String,
    /// The method to choose there.
    pub method: String,
    /// The address, whole.
    pub url: String,
}

/// The half of a connector that knows telephones.
#[async_trait]
pub trait Telephony: Send + Sync {
    /// How long after its end a call is left to settle before it counts as missed.
    fn settle(&self) -> Duration;

    /// The company's own numbers, by E.164.
    fn numbers(&self) -> &BTreeMap<String, OwnNumber>;

    /// Operators' ids (`opr_…`) by extension.
    fn operators(&self) -> &BTreeMap<String, String>;

    /// How to ask for a recording: address and credentials. The server sends it through its guard for outside
    /// addresses, follows redirects without the credentials, tries again and keeps the answer within its limits.
    async fn recording(&self, recording: &CallRecording) -> Result<HttpRequest, Fault>;

    /// Reads "who should get this caller?" (`GET /hooks/voip/{key}/route`, or the provider's own request);
    /// verifies it like any push.
    fn question(&self, request: &WebhookRequest, now: DateTime<Utc>) -> Result<RouteQuestion, Rejection>;

    /// Whether a push that [`Webhook::accept`](crate::Webhook::accept) took is a question at the same time
    /// (Twilio's voice URL, Zadarma's `NOTIFY_START`): the caller is then told [`Self::answer`] in the place of
    /// [`Webhook::reply`](crate::Webhook::reply). A POST to `…/route` is such a push too: what it reports is to be stored.
    fn asks(&self, _request: &WebhookRequest) -> bool {
        false
    }

    /// The addresses to enter at the provider, for the wizard; nothing in them is secret but what their label says.
    fn addresses(&self) -> Vec<HookAddress> {
        Vec::new()
    }

    /// Answers it in the provider's words.
    fn answer(&self, request: &WebhookRequest, answer: &RouteAnswer) -> WebhookResponse;

    /// Whether [`Self::dial`] works with this provider and these settings.
    fn dials(&self) -> bool {
        false
    }

    /// Rings the operator's telephone first and then the client's ("click to call"). `id` is stable over repeats.
    async fn dial(&self, _extension: &str, _number: &str, _id: &str) -> Result<(), SendError> {
        Err(SendError::Refused {
            reason: "this telephone system cannot be asked to dial".to_owned(),
        })
    }

    /// The next step of a dialogue that a push is part of (Telnyx: the operator picked up after a click, now the
    /// client is to be rung). Called once what the push reports is stored and before the provider is answered: one that
    /// did not reach the provider is told as an outage, and its repetition tries again. A step therefore carries an
    /// id that the provider knows repetitions by.
    async fn go_on(&self, _request: &WebhookRequest) -> Result<(), SendError> {
        Ok(())
    }
}
