//! The connector contract: what a connector says, gets and owes.
//!
//! A connector speaks one outside protocol and nothing else. It knows neither the database nor the
//! server's HTTP routes nor other connectors. It hands over normalised [`InboundEvent`]s and is told
//! **after the durable commit**; only then does it acknowledge to its provider. What it is asked to
//! send arrives as an [`OutboundMessage`] whose `id` is the idempotency key.
//!
//! A connector crate exports one `pub static DESCRIPTOR: Descriptor`. The server lists it in its
//! registry; nothing else in the server names the crate.

mod backfill;
mod call;
mod change;
mod check;
mod clock;
mod content;
mod descriptor;
mod event;
mod fault;
pub mod fields;
mod http_client;
mod intake;
mod mail;
mod origin;
mod outbound;
mod recipient;
mod secrets;
mod sign_in;
mod subject;
mod threading;
mod visitor;
mod webhook;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
pub use backfill::{Backfill, BackfillOrder};
pub use call::{
    CallDirection, CallEnd, CallEvent, CallEventKind, CallLeg, CallParty, CallRecording, HookAddress,
    LegRole, OwnNumber, PartyKind, RecordingKind, RecordingState, RouteAnswer, RouteQuestion, Telephony,
};
pub use change::{
    Forwarded, InboundDeletion, InboundEdit, InboundReachability, InboundReaction, Location, Typing,
};
pub use check::CheckStep;
pub use clock::{Clock, SystemClock};
pub use content::{Content, Spool};
pub use descriptor::{BuildContext, Capabilities, Descriptor, SettingsError, secret_paths};
pub use event::{
    Attribution, Batch, Consent, Cursor, DeliveryReceipt, Identity, IdentityKind, InboundAttachment,
    InboundBody, InboundEvent, InboundMessage, LeadHints, Makes, Person, ReceiptState, Submission,
    SubmissionMakes, Thread, Touch,
};
pub use fault::Fault;
pub use http_client::{Http, HttpError, HttpRequest, HttpResponse, NoHttp};
pub use intake::{Intake, Outcome, Receipt};
pub use mail::{
    Authentication, Invitation, MailFacts, Original, Protection, ProtectionKind, ProtectionMeans, Verdict,
};
pub use origin::{origin_allowed, origin_problem};
pub use outbound::{
    Addressee, Button, ButtonAction, OutboundAttachment, OutboundDeletion, OutboundEdit, OutboundMessage,
    SendError, Sent,
};
pub use recipient::{Recipient, RecipientRole};
pub use secrets::{NoSecrets, SecretKeeper};
pub use sign_in::{SecretChange, SignIn, SignInRequest};
pub use subject::{base_subject, is_forward, without_answer_marks};
pub use threading::{Capture, ForwardedMail, SigningKey, ThreadFacts, ThreadRules};
pub use tokio_util::sync::CancellationToken;
pub use visitor::{ByMail, CONSENT, Opening, PostedMessage, SessionRequest, SignedIdentity, VisitorDesk};
pub use webhook::{HostedPage, Page, PageRequest, Rejection, Webhook, WebhookRequest, WebhookResponse};

/// One configured channel, built from its settings by [`Descriptor::build`].
///
/// The optional parts say what the connector can do: it pulls ([`Receiver`]), is pushed to
/// ([`Webhook`]), sends ([`Sender`]), or serves visitors of a site ([`VisitorDesk`]).
#[async_trait]
pub trait Connector: Send + Sync {
    /// "Test connection": imitates the real operation without side effects and answers in words an
    /// admin understands, in the good case too ("Logged in; INBOX holds 12 messages").
    async fn check(&self) -> Result<String, Fault>;

    /// The same test step by step, in their order; what cannot be tried because an earlier step failed is
    /// missing. One step for the whole unless the connector knows better.
    async fn check_steps(&self) -> Vec<CheckStep> {
        let outcome = self.check().await;
        vec![CheckStep {
            step: "connection",
            outcome,
        }]
    }

    /// Signing in at a provider in the admin's browser (OAuth 2.0), when the settings ask for it.
    fn sign_in(&self) -> Option<&dyn SignIn> {
        None
    }

    /// The pulling half (IMAP, long polling), when there is one.
    fn receiver(&self) -> Option<&dyn Receiver> {
        None
    }

    /// The half that accepts pushes over HTTP, when there is one.
    fn webhook(&self) -> Option<&dyn Webhook> {
        None
    }

    /// The half that serves a page to strangers (a hosted form), when there is one.
    fn page(&self) -> Option<&dyn HostedPage> {
        None
    }

    /// The sending half, when there is one. A connector whose capabilities say `hosted` needs none:
    /// its customers read the conversation from the server itself.
    fn sender(&self) -> Option<&dyn Sender> {
        None
    }

    /// The half that answers visitors of a web site, when there is one.
    fn visitor_desk(&self) -> Option<&dyn VisitorDesk> {
        None
    }

    /// The half that knows telephones, when there is one.
    fn telephony(&self) -> Option<&dyn Telephony> {
        None
    }

    /// Reads once more what went to quarantine as [`InboundBody::Poison`]: an admin presses "replay",
    /// after an update that may understand it. `None` when this connector cannot read raw events apart
    /// from their request; [`InboundBody::Poison`] again when it still does not understand them.
    fn reparse(&self, _external_id: &str, _raw: Content) -> Option<InboundEvent> {
        None
    }
}

impl fmt::Debug for dyn Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector") // settings hold secrets
    }
}

/// A connector that goes and gets what customers sent.
#[async_trait]
pub trait Receiver: Send + Sync {
    /// Runs until `stop` fires; returns `Ok` only then. A [`Fault`] restarts it with back-off
    /// ([`Fault::Temporary`]) or parks the channel with a visible alarm ([`Fault::Permanent`]).
    ///
    /// The provider is told (flag, cursor, offset) only in the lines after `intake.deliver(..).await?`.
    async fn run(&self, intake: Arc<dyn Intake>, stop: CancellationToken) -> Result<(), Fault>;

    /// Whether it can go back to what came before it was connected, see [`BackfillOrder`].
    fn takes_earlier(&self) -> bool {
        false
    }
}

/// A connector that brings an operator's answer to the customer.
#[async_trait]
pub trait Sender: Send + Sync {
    /// Sends one message. Called in order per conversation; a call may be repeated with the same
    /// `message.id` after a crash, and says so in `message.attempt`.
    async fn send(&self, message: &OutboundMessage) -> Result<Sent, SendError>;

    /// The id the provider will know the message by, when the connector chooses it (a Message-ID).
    /// It is stored before the send, so that an answer to it finds its conversation even when the
    /// server dies between the send and its record.
    fn external_id(&self, _message: &OutboundMessage) -> Option<String> {
        None
    }

    /// Changes a message that was sent, when the capabilities say `edit`. A repeat changes nothing further,
    /// so that [`SendError::Unknown`] is tried again.
    async fn edit(&self, _edit: &OutboundEdit) -> Result<(), SendError> {
        Err(not_supported("this channel cannot change what was sent"))
    }

    /// Takes a sent message back, when the capabilities say `delete`. What is gone already is taken back.
    async fn delete(&self, _deletion: &OutboundDeletion) -> Result<(), SendError> {
        Err(not_supported("this channel cannot take back what was sent"))
    }

    /// An operator is typing. Called every few seconds at most; a failure is nobody's business.
    async fn typing(&self, _to: &Addressee) -> Result<(), SendError> {
        Ok(())
    }

    /// The session with this customer was closed. Tried again a few times when it fails; then forgotten.
    async fn closed(&self, _to: &Addressee) -> Result<(), SendError> {
        Ok(())
    }
}

fn not_supported(reason: &str) -> SendError {
    SendError::Refused {
        reason: reason.to_owned(),
    }
}
