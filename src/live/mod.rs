//! From the log to the sockets.
//!
//! One task reads what is new, loads the objects once and hands the finished frames to everybody who
//! listens. A listener that falls behind, or comes back after a break, reads the log itself with
//! [`replay`]; both give the same frames, so a client cannot tell them apart.

mod hydrate;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use sea_orm::DbErr;
use serde::Serialize;
use switchboard_sdk::CancellationToken;
use tokio::sync::broadcast;

pub use self::hydrate::Hydrator;
use crate::{
    contact::sight::Sight,
    conversation::view::{ConversationView, MessageView},
    db::Db,
    event::{self, EventType},
    operator::rights::{self, Scope},
};

/// Frames a listener may lag behind before it must read the log.
const BUFFER: usize = 4096;
/// Events loaded at once.
const BATCH: u64 = 256;
/// Other nodes write without waking this one: look this often anyway.
const LOOK_ANYWAY: Duration = Duration::from_secs(1);
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(500);

/// What listeners get.
#[derive(Debug, Clone)]
pub enum Item {
    /// Something of the log.
    Event(Arc<LiveEvent>),
    /// Somebody is typing; never stored.
    Typing(Arc<Typing>),
}

/// An event with its object.
#[derive(Debug)]
pub struct LiveEvent {
    /// Its number.
    pub seq: i64,
    /// What happened.
    pub kind: EventType,
    /// Who may know.
    pub audience: Audience,
    /// Where the conversation was before it moved.
    pub was: Option<event::Was>,
    /// The finished frame of API.md: `{"seq","type","at","data"}`.
    pub frame: Arc<str>,
    /// The object, for listeners that draw their own frames.
    pub object: Object,
}

/// The object of an event.
#[derive(Debug)]
pub enum Object {
    /// A message, and the conversation it belongs to.
    Message(Box<MessageView>),
    /// A conversation.
    Conversation(Arc<ConversationView>),
    /// Something else; the frame has it. By its id.
    Other(String),
}

/// Who may know of an event.
#[derive(Debug, Clone)]
pub enum Audience {
    /// All staff.
    Staff,
    /// Supervisors and admins.
    Supervisors,
    /// Those who see all objects of a kind.
    All(rights::Object),
    /// Those who see this conversation.
    Conversation(Arc<ConversationView>),
    /// This operator, and those who see all conversations.
    Operator(String),
    /// Those who see tasks of one of these operators.
    Operators(Vec<String>),
    /// Those who see calls of this line, or whose telephone rings, or who answered.
    Call {
        /// The line.
        line_id: String,
        /// These operators, whatever lines they stand in.
        operators: Vec<String>,
    },
    /// Those who see this contact.
    Contact(Sight),
    /// Those who see leads and deals of this line or own it.
    Lead {
        /// Which of the two it is.
        object: rights::Object,
        /// The line.
        line_id: Option<String>,
        /// The responsible operator.
        operator_id: Option<String>,
    },
}

impl Audience {
    /// Whether somebody is in it.
    pub fn includes(&self, scope: &Scope) -> bool {
        let sees_all = |object| scope.view(object).is_all();
        match self {
            Self::Staff => true,
            Self::Supervisors => scope.supervises(),
            Self::All(object) => sees_all(*object),
            Self::Conversation(view) => scope.sees(&view.line_id, view.owner.as_deref(), view.people()),
            Self::Operator(id) => *id == scope.operator_id || sees_all(rights::Object::Conversation),
            Self::Operators(ids) => {
                let extent = scope.view(rights::Object::Task);
                extent.is_all() || ids.iter().any(|id| extent.owns(id))
            }
            Self::Call { line_id, operators } => {
                let extent = scope.view(rights::Object::Call);
                extent.holds(Some(line_id), None, std::iter::empty())
                    || operators.iter().any(|id| extent.owns(id))
            }
            Self::Contact(sight) => sight.includes(scope),
            Self::Lead {
                object,
                line_id,
                operator_id,
            } => scope
                .view(*object)
                .holds(line_id.as_deref(), operator_id.as_deref(), std::iter::empty()),
        }
    }
}

/// Somebody is typing in a conversation.
#[derive(Debug, Clone)]
pub struct Typing {
    /// Where.
    pub conversation_id: String,
    /// `contact` or `operator`.
    pub author_type: &'static str,
    /// Who.
    pub author_id: String,
    /// Their name.
    pub author_name: Option<String>,
    /// What stands in the field so far; operators only ever see it.
    pub text: Option<String>,
}

/// The bus of this process.
#[derive(Debug, Clone)]
pub struct Live {
    items: broadcast::Sender<Item>,
    hydrator: Hydrator,
}

impl Live {
    /// A bus without listeners.
    pub fn new(hydrator: Hydrator) -> Self {
        Self {
            items: broadcast::Sender::new(BUFFER),
            hydrator,
        }
    }

    /// Everything from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Item> {
        self.items.subscribe()
    }

    /// Tells that somebody is typing.
    pub fn typing(&self, typing: Typing) {
        // Nobody listening is fine.
        drop(self.items.send(Item::Typing(Arc::new(typing))));
    }

    /// Up to one batch of events after `seq`, loaded as they are now, and the number up to which the
    /// log was read. An empty answer with the same number means there is no more.
    pub async fn replay(&self, db: &Db, seq: i64) -> Result<(Vec<Arc<LiveEvent>>, i64), DbErr> {
        let events = event::after(db.read(), seq, BATCH).await?;
        let last = events.last().map_or(seq, |event| event.seq);
        Ok((self.hydrator.load(db, events).await?, last))
    }
}

/// Reads the log from its present end and feeds the bus until `stop`.
pub async fn run(live: Live, db: Db, stop: CancellationToken) {
    let mut head = db.head();
    let mut seq = *head.borrow_and_update();
    loop {
        match live.replay(&db, seq).await {
            Ok((events, last)) => {
                for event in events {
                    drop(live.items.send(Item::Event(event)));
                }
                // Numbers have no gaps.
                let full = last - seq >= BATCH.cast_signed();
                seq = last;
                if full || *head.borrow_and_update() > seq {
                    continue;
                }
            }
            Err(error) => {
                tracing::error!(%error, "the log could not be read for the sockets; it will be tried again");
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(PAUSE_AFTER_FAILURE) => continue,
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            _ = head.changed() => {}
            () = tokio::time::sleep(LOOK_ANYWAY) => {}
        }
    }
}

/// A frame as API.md fixes it.
#[derive(Serialize)]
struct Frame<'a, T: Serialize> {
    seq: i64,
    r#type: &'a str,
    at: DateTime<Utc>,
    /// Nobody's attention is called to it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    quiet: bool,
    data: &'a T,
}

pub(crate) fn frame<T: Serialize>(
    seq: i64,
    kind: &str,
    at: DateTime<Utc>,
    quiet: bool,
    data: &T,
) -> Arc<str> {
    serde_json::to_string(&Frame {
        seq,
        r#type: kind,
        at,
        quiet,
        data,
    })
    .unwrap_or_default()
    .into()
}
