//! Visitors of a web site, as a web chat connector judges them.
//!
//! The server keeps tokens, sockets and storage; the connector keeps the rules: which sites may embed
//! the chat, what a signed identity proves, and how a visitor's words become an [`InboundEvent`].

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{Attribution, Identity, InboundAttachment, InboundEvent, Person, Rejection};

/// The rules of one web chat channel. Pure.
pub trait VisitorDesk: Send + Sync {
    /// May a page of this origin use the channel? A request without `Origin` is judged by its token alone.
    fn admit(&self, origin: Option<&str>) -> Result<(), Rejection>;

    /// Origins that may embed the channel, as written in the settings (`https://*.shop.example`, `*`).
    fn allowed_origins(&self) -> &[String];

    /// Reads what the visitor says about themselves; verifies a signed identity.
    fn open(&self, request: &SessionRequest, now: DateTime<Utc>) -> Result<Opening, Rejection>;

    /// Turns a posted message into an event. `person` is what is known of the visitor from [`Self::open`],
    /// the first identity being the visitor's own.
    fn message(
        &self,
        person: Person,
        posted: PostedMessage,
        now: DateTime<Utc>,
    ) -> Result<InboundEvent, Rejection>;

    /// What the widget may know of the settings (title, colour, locale, pre-chat fields).
    fn public_settings(&self) -> Value;

    /// When visitors who have not opened the chat are invited to it: a list for the widget.
    fn invitations(&self) -> Value {
        Value::Array(Vec::new())
    }

    /// The name visitors see in place of the operators' names, if they are not to be known.
    fn staff_name(&self) -> Option<&str> {
        None
    }

    /// May operators see what a visitor writes before it is sent?
    fn shows_typing(&self) -> bool {
        false
    }

    /// What a visitor must have agreed to before the first message (`answers` of the opening then have
    /// [`CONSENT`]).
    fn asks_consent(&self) -> bool {
        false
    }

    /// How the chat goes on by e-mail.
    fn by_mail(&self) -> ByMail {
        ByMail::default()
    }
}

/// How a chat goes on by e-mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ByMail {
    /// The e-mail channel that carries it; one of the chat's line when nothing is said.
    pub channel_id: Option<String>,
    /// Replies that a visitor has not seen are mailed when they have been away for so long; never, when nothing is said.
    pub after: Option<Duration>,
    /// Visitors may have the transcript mailed to them.
    pub transcript: bool,
}

/// The answer that says what a visitor agreed to, and when.
pub const CONSENT: &str = "consent";

/// `POST sessions`, as it came (API.md, "Visitors").
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct SessionRequest {
    /// The token of an earlier session.
    pub visitor_token: Option<String>,
    /// The page the visitor is on.
    pub page: Map<String, Value>,
    /// What the visitor typed about themselves: claims.
    pub contact: Option<Map<String, Value>>,
    /// An identity signed by the site's own server.
    pub identity: Option<SignedIdentity>,
    /// Which questions `contact` answers: those of a closed line (`closed`), else those before the chat.
    pub form: Option<String>,
    /// First and last touch, kept by the loader.
    pub attribution: Option<Attribution>,
}

/// `hex HMAC-SHA256(identity_secret, "{user_id}.{exp}")`, `exp` in unix seconds.
#[derive(Debug, Clone, Deserialize)]
pub struct SignedIdentity {
    /// The site's own id of its user.
    pub user_id: String,
    /// Until when the signature holds, in unix seconds.
    pub exp: i64,
    /// The signature in hex.
    pub signature: String,
}

/// What a session request says, judged.
#[derive(Debug, Clone, Default)]
pub struct Opening {
    /// Name and claimed identities.
    pub person: Person,
    /// The proven identity, when a signature was given and holds.
    pub verified: Option<Identity>,
    /// Where the visitor came from.
    pub attribution: Attribution,
    /// Answers to pre-chat questions that say nothing about the person, by field name.
    pub answers: BTreeMap<String, Value>,
}

/// `POST messages`, with its files already read.
#[derive(Debug, Clone, Default)]
pub struct PostedMessage {
    /// The widget's own key of the message (a UUID).
    pub client_id: String,
    /// What was typed.
    pub text: String,
    /// Files uploaded before.
    pub attachments: Vec<InboundAttachment>,
    /// Where the visitor came from.
    pub attribution: Attribution,
}
