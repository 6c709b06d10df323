//! The log: one append-only table, written in the transaction of the change.
//!
//! A row says what happened to which object; whoever needs the object reads it as it is now. Numbers
//! are dense and in commit order (see [`crate::db::WriteTx`]), so "everything after N" is exact.
//! Realtime, search, leads and later webhooks and CRM sync are [`consumer`]s, each with its own cursor.

pub mod consumer;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, QueryOrder, Statement, Value};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::db::entity::event;

/// What can happen. The word is the `type` of API.md's realtime frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventType {
    /// A message was stored, in either direction.
    MessageCreated,
    /// Its text or its delivery changed.
    MessageUpdated,
    /// Anything about a conversation or its session changed; opening it included.
    ConversationUpdated,
    /// A lead was made.
    LeadCreated,
    /// It changed.
    LeadUpdated,
    /// A contact was made or changed.
    ContactUpdated,
    /// A company was made, changed or removed; only those who keep what it is found by care.
    CompanyUpdated,
    /// A form was filled.
    SubmissionCreated,
    /// It was approved or rejected.
    SubmissionUpdated,
    /// Somebody inside changed: rights, presence, availability, load.
    OperatorUpdated,
    /// A line's rules or queue changed.
    LineUpdated,
    /// A channel was made, changed or removed.
    ChannelUpdated,
    /// A channel's health changed.
    ChannelHealth,
    /// Something came that could not be understood.
    QuarantineUpdated,
    /// An operator is asked to take a session.
    OfferCreated,
    /// They answered, or the time is up, or it is out of their hands.
    OfferEnded,
    /// What counts toward the operators' load changed.
    RoutingUpdated,
    /// A telephone system said something about a call; nobody but the folding of calls cares.
    CallReported,
    /// A call was made or changed.
    CallUpdated,
    /// An outgoing webhook was made, changed, removed or switched off.
    WebhookUpdated,
    /// A connection to a CRM was made, changed, removed, stopped or runs again.
    CrmUpdated,
    /// A deal was made.
    DealCreated,
    /// It changed.
    DealUpdated,
    /// It was removed.
    DealRemoved,
    /// A pipeline or its stages changed.
    PipelineUpdated,
    /// A task was made, changed or done.
    TaskUpdated,
    /// It was removed.
    TaskRemoved,
    /// It is time to be reminded of it.
    TaskDue,
    /// A person was erased, with everything of theirs.
    ContactErased,
    /// A conversation went with its person.
    ConversationRemoved,
    /// A 1C that sends orders was set up, changed, or sent something.
    CommerceUpdated,
}

impl EventType {
    const ALL: [(Self, &'static str); 31] = [
        (Self::MessageCreated, "message.created"),
        (Self::MessageUpdated, "message.updated"),
        (Self::ConversationUpdated, "conversation.updated"),
        (Self::LeadCreated, "lead.created"),
        (Self::LeadUpdated, "lead.updated"),
        (Self::ContactUpdated, "contact.updated"),
        (Self::CompanyUpdated, "company.updated"),
        (Self::SubmissionCreated, "submission.created"),
        (Self::SubmissionUpdated, "submission.updated"),
        (Self::OperatorUpdated, "operator.updated"),
        (Self::LineUpdated, "line.updated"),
        (Self::ChannelUpdated, "channel.updated"),
        (Self::ChannelHealth, "channel.health"),
        (Self::QuarantineUpdated, "quarantine.updated"),
        (Self::OfferCreated, "offer.created"),
        (Self::OfferEnded, "offer.ended"),
        (Self::RoutingUpdated, "routing.updated"),
        (Self::CallReported, "call.reported"),
        (Self::CallUpdated, "call.updated"),
        (Self::WebhookUpdated, "webhook.updated"),
        (Self::CrmUpdated, "crm.updated"),
        (Self::DealCreated, "deal.created"),
        (Self::DealUpdated, "deal.updated"),
        (Self::DealRemoved, "deal.removed"),
        (Self::PipelineUpdated, "pipeline.updated"),
        (Self::TaskUpdated, "task.updated"),
        (Self::TaskRemoved, "task.removed"),
        (Self::TaskDue, "task.due"),
        (Self::ContactErased, "contact.erased"),
        (Self::ConversationRemoved, "conversation.removed"),
        (Self::CommerceUpdated, "commerce.updated"),
    ];

    /// Those that programs elsewhere may be told of by a webhook: all but what is only of use in here. What tells
    /// of webhooks themselves could go round in a circle.
    pub fn outgoing() -> impl Iterator<Item = Self> {
        let inner = [
            Self::CallReported,
            Self::CompanyUpdated,
            Self::RoutingUpdated,
            Self::WebhookUpdated,
            Self::CrmUpdated,
            Self::CommerceUpdated,
        ];
        Self::ALL
            .into_iter()
            .map(|(kind, _)| kind)
            .filter(move |kind| !inner.contains(kind))
    }

    /// The word.
    pub fn as_str(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(kind, _)| *kind == self)
            .map_or("", |(_, word)| word)
    }

    /// The type of a word; `None` for one that a newer version wrote.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, known)| *known == word)
            .map(|(kind, _)| *kind)
    }
}

/// Who is not to make a noise about an event: whatever follows the log still sees it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hush {
    /// Operators' screens show it, and call nobody's attention to it.
    pub operators: bool,
    /// Neither webhooks nor CRMs are told.
    pub outside: bool,
}

impl Hush {
    /// Everybody is told.
    pub const NONE: Self = Self {
        operators: false,
        outside: false,
    };
}

/// An event about to be appended.
#[derive(Debug, Clone)]
pub struct NewEvent {
    kind: EventType,
    object_id: String,
    conversation_id: Option<String>,
    was: Option<Was>,
    hush: Hush,
    at: DateTime<Utc>,
}

/// Where a conversation was before it moved: those who lose sight of it must be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Was {
    /// Its line.
    pub line_id: String,
    /// Its owner.
    pub operator_id: Option<String>,
}

impl NewEvent {
    /// The columns of [`NewEvent::row`], in order.
    pub const COLUMNS: [&'static str; 6] = ["seq", "type", "object_id", "conversation_id", "data", "at"];

    /// Something happened to the object of this id.
    pub fn new(kind: EventType, object_id: impl Into<String>, at: DateTime<Utc>) -> Self {
        Self {
            kind,
            object_id: object_id.into(),
            conversation_id: None,
            was: None,
            hush: Hush::NONE,
            at,
        }
    }

    /// A conversation changed.
    pub fn conversation(conversation_id: impl Into<String>, at: DateTime<Utc>) -> Self {
        let id = conversation_id.into();
        Self {
            kind: EventType::ConversationUpdated,
            object_id: id.clone(),
            conversation_id: Some(id),
            was: None,
            hush: Hush::NONE,
            at,
        }
    }

    /// A message of a conversation was made or changed.
    pub fn message(
        kind: EventType,
        message_id: impl Into<String>,
        conversation_id: impl Into<String>,
        at: DateTime<Utc>,
    ) -> Self {
        Self {
            kind,
            object_id: message_id.into(),
            conversation_id: Some(conversation_id.into()),
            was: None,
            hush: Hush::NONE,
            at,
        }
    }

    /// The conversation left this line or owner with this change.
    #[must_use]
    pub fn moved_from(mut self, was: Was) -> Self {
        self.was = Some(was);
        self
    }

    /// Told of as quietly as this says.
    #[must_use]
    pub fn hushed(mut self, hush: Hush) -> Self {
        self.hush = hush;
        self
    }

    pub(crate) fn row(&self, seq: i64) -> Vec<Value> {
        let was = self
            .was
            .as_ref()
            .map(|was| json!({"line_id": was.line_id, "operator_id": was.operator_id}));
        let hush = (self.hush != Hush::NONE).then(|| json!({"hush": self.hush}));
        let data = was.or(hush);
        vec![
            seq.into(),
            self.kind.as_str().into(),
            self.object_id.clone().into(),
            self.conversation_id.clone().into(),
            Value::Json(data.map(Box::new)),
            self.at.into(),
        ]
    }
}

/// An event of the log.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its number.
    pub seq: i64,
    /// What happened; `None` when a newer version of the server wrote it.
    pub kind: Option<EventType>,
    /// To which object.
    pub object_id: String,
    /// In which conversation.
    pub conversation_id: Option<String>,
    /// Where the conversation was before.
    pub was: Option<Was>,
    /// Who is not to make a noise about it.
    pub hush: Hush,
    /// When.
    pub at: DateTime<Utc>,
}

impl From<event::Model> for Event {
    fn from(row: event::Model) -> Self {
        let was = row.data.as_ref().and_then(|data| {
            Some(Was {
                line_id: data.get("line_id")?.as_str()?.to_owned(),
                operator_id: data
                    .get("operator_id")
                    .and_then(|id| id.as_str())
                    .map(str::to_owned),
            })
        });
        let hush = row.data.as_ref().and_then(|data| data.get("hush"));
        Self {
            seq: row.seq,
            hush: hush
                .and_then(|hush| Hush::deserialize(hush).ok())
                .unwrap_or_default(),
            kind: EventType::parse(&row.r#type),
            object_id: row.object_id,
            conversation_id: row.conversation_id,
            was,
            at: row.at,
        }
    }
}

/// Up to `limit` events after `seq`, in order.
pub async fn after(db: &impl ConnectionTrait, seq: i64, limit: u64) -> Result<Vec<Event>, DbErr> {
    // The limit stands in the text: see `db::fixed`.
    let sql = format!(
        "SELECT seq, type, object_id, conversation_id, data, at FROM event WHERE seq > $1 ORDER BY seq LIMIT {limit}"
    );
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [seq.into()]);
    let rows = event::Entity::find().from_raw_sql(statement).all(db).await?;
    Ok(rows.into_iter().map(Event::from).collect())
}

/// The oldest number still kept, or `None` when the log is empty.
pub async fn oldest(db: &impl ConnectionTrait) -> Result<Option<i64>, DbErr> {
    let row = event::Entity::find()
        .order_by_asc(event::Column::Seq)
        .one(db)
        .await?;
    Ok(row.map(|row| row.seq))
}
