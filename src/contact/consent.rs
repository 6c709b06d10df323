//! What a person agreed to, and took back. Only added to: what was once agreed to stays to be shown.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    db::{
        Db, WriteTx, bulk,
        entity::{consent, contact, conversation, identity, message, submission, visitor},
    },
    event::{Event, EventType, consumer::Consumer},
    id::{self, Kind},
};

/// Those of one contact that are shown.
const SHOWN: u64 = 200;

/// Something a person agreed to, or took back.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Consent)]
pub struct ConsentView {
    /// `cns_…`
    pub id: String,
    /// Agreed; false: taken back.
    pub given: bool,
    /// To which words.
    pub text: String,
    /// Which version of the words, when there is one.
    pub version: Option<String>,
    /// Where it was said: `form`, `chat`, `mail`, or `operator`: somebody wrote it down.
    pub source: String,
    /// The submission or browser it was said in.
    pub source_id: Option<String>,
    /// Who wrote it down.
    pub operator_id: Option<String>,
    /// When it was said.
    pub at: DateTime<Utc>,
}

impl From<consent::Model> for ConsentView {
    fn from(row: consent::Model) -> Self {
        Self {
            id: row.id,
            given: row.given,
            text: row.text,
            version: row.text_version,
            source: row.source,
            source_id: row.source_id,
            operator_id: row.operator_id,
            at: row.at,
        }
    }
}

/// Those of these contacts, the newest first.
pub async fn of_contacts(
    db: &impl ConnectionTrait,
    contact_ids: &[String],
) -> Result<Vec<ConsentView>, DbErr> {
    if contact_ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = consent::Entity::find()
        .filter(consent::Column::ContactId.is_in(bulk::padded(contact_ids.iter().cloned())))
        .order_by_desc(consent::Column::At)
        .order_by_desc(consent::Column::Id)
        .limit(SHOWN)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(ConsentView::from).collect())
}

/// Something to be written down.
#[derive(Debug, Clone)]
pub struct Said {
    /// Who said it.
    pub contact_id: String,
    /// Agreed, or taken back.
    pub given: bool,
    /// To which words.
    pub text: String,
    /// Which version of them.
    pub version: Option<String>,
    /// `form`, `chat`, `mail` or `operator`.
    pub source: &'static str,
    /// What it was said in; the same one is written down once.
    pub source_id: Option<String>,
    /// Who wrote it down.
    pub operator_id: Option<String>,
    /// When it was said.
    pub at: DateTime<Utc>,
}

/// Writes down what was said, each once.
pub async fn note(write: &WriteTx, said: Vec<Said>, now: DateTime<Utc>) -> Result<Vec<String>, DbErr> {
    const COLUMNS: [&str; 9] = [
        "id",
        "contact_id",
        "given",
        "text",
        "text_version",
        "source",
        "source_id",
        "operator_id",
        "at",
    ];
    let mut ids = Vec::with_capacity(said.len());
    let rows = said
        .into_iter()
        .map(|one| {
            let id = id::new(Kind::Consent, now);
            ids.push(id.clone());
            vec![
                id.into(),
                one.contact_id.into(),
                one.given.into(),
                one.text.into(),
                one.version.into(),
                one.source.into(),
                one.source_id.into(),
                one.operator_id.into(),
                one.at.into(),
            ]
        })
        .collect();
    bulk::insert(write.tx(), "consent", &COLUMNS, rows, "ON CONFLICT DO NOTHING").await?;
    Ok(ids)
}

/// Writes down what forms and chats were told, as it comes.
#[derive(Debug, Clone, Copy)]
pub struct Log;

#[async_trait]
impl Consumer for Log {
    type Work = Vec<Said>;

    fn name(&self) -> &'static str {
        "contact.consent"
    }

    fn wants(&self, event: &Event) -> bool {
        matches!(
            event.kind,
            Some(EventType::SubmissionCreated | EventType::SubmissionUpdated | EventType::MessageCreated)
        )
    }

    async fn look(&self, db: &Db, events: &[Event]) -> Result<Option<Vec<Said>>, DbErr> {
        let (messages, forms): (Vec<&Event>, Vec<&Event>) = events
            .iter()
            .partition(|event| event.kind == Some(EventType::MessageCreated));
        let mut said = in_forms(db, &forms).await?;
        said.extend(in_chats(db, &messages).await?);
        Ok((!said.is_empty()).then_some(said))
    }

    async fn handle(&self, write: &mut WriteTx, said: Vec<Said>) -> Result<(), DbErr> {
        // Who was erased in the meantime has agreed to nothing.
        let ids: Vec<String> = said.iter().map(|one| one.contact_id.clone()).collect();
        let there: Vec<String> = contact::Entity::find()
            .select_only()
            .column(contact::Column::Id)
            .filter(contact::Column::Id.is_in(bulk::padded(ids)))
            .into_tuple()
            .all(write.tx())
            .await?;
        let said: Vec<Said> = said
            .into_iter()
            .filter(|one| there.contains(&one.contact_id))
            .collect();
        let Some(latest) = said.iter().map(|one| one.at).max() else {
            return Ok(());
        };
        note(write, said, latest).await.map(drop)
    }
}

async fn in_forms(db: &Db, events: &[&Event]) -> Result<Vec<Said>, DbErr> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let ids = bulk::padded(events.iter().map(|event| event.object_id.clone()));
    let rows = submission::Entity::find()
        .filter(submission::Column::Id.is_in(ids))
        .filter(submission::Column::ContactId.is_not_null())
        .filter(submission::Column::Consent.is_not_null())
        .all(db.read())
        .await?;
    let word = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let consent = row.consent?;
            Some(Said {
                contact_id: row.contact_id?,
                given: consent.get("given").and_then(Value::as_bool).unwrap_or_default(),
                text: word(&consent, "text").unwrap_or_default(),
                version: word(&consent, "version"),
                source: "form",
                source_id: Some(row.id),
                operator_id: None,
                at: word(&consent, "at")
                    .and_then(|at| at.parse().ok())
                    .unwrap_or(row.created_at),
            })
        })
        .collect())
}

/// What was agreed to before a chat is in the browser's own row.
async fn in_chats(db: &Db, events: &[&Event]) -> Result<Vec<Said>, DbErr> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let ids = bulk::padded(events.iter().map(|event| event.object_id.clone()));
    let conversations: Vec<String> = message::Entity::find()
        .select_only()
        .column(message::Column::ConversationId)
        .filter(message::Column::Id.is_in(ids))
        .filter(message::Column::Kind.eq("inbound"))
        .into_tuple()
        .all(db.read())
        .await?;
    if conversations.is_empty() {
        return Ok(Vec::new());
    }
    let people: Vec<String> = conversation::Entity::find()
        .select_only()
        .column(conversation::Column::ContactId)
        .filter(conversation::Column::Id.is_in(bulk::padded(conversations)))
        .filter(conversation::Column::ChannelKind.eq("webchat"))
        .into_tuple()
        .all(db.read())
        .await?;
    if people.is_empty() {
        return Ok(Vec::new());
    }
    let browsers: HashMap<String, String> = identity::Entity::find()
        .filter(identity::Column::ContactId.is_in(bulk::padded(people)))
        .filter(identity::Column::Kind.eq("webchat"))
        .all(db.read())
        .await?
        .into_iter()
        .map(|row| (row.value, row.contact_id))
        .collect();
    if browsers.is_empty() {
        return Ok(Vec::new());
    }
    let rows = visitor::Entity::find()
        .filter(visitor::Column::Id.is_in(bulk::padded(browsers.keys().cloned())))
        .all(db.read())
        .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let agreed = row.person.pointer("/answers/consent")?;
            let text = agreed.as_str().map_or_else(|| agreed.to_string(), str::to_owned);
            Some(Said {
                contact_id: browsers.get(&row.id)?.clone(),
                given: true,
                text,
                version: None,
                source: "chat",
                source_id: Some(row.id),
                operator_id: None,
                at: row.created_at,
            })
        })
        .collect())
}
