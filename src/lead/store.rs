//! Reading and changing leads.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QuerySelect, Set,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::assignment;
pub use super::list::{Filter, Place, list};
use crate::{
    custom_field::{self, Object},
    db::{
        WriteTx, bulk,
        entity::{contact, conversation, lead, lead_outcome},
        is_unique_violation,
    },
    event::{EventType, NewEvent},
    history::{self, Changes},
    operator::rights::{self, Extent, Scope},
    tag,
};

/// The status of a lead that another one took in when their contacts were merged: it is in no list and no figure,
/// and comes back when that is undone.
pub const MERGED: &str = crate::contact::merge::MERGED;

/// Where a lead stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nobody has answered yet.
    New,
    /// Somebody is at it.
    InProgress,
    /// It became a deal.
    Converted,
    /// It was none.
    Junk,
}

impl Status {
    /// The word in the API and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::InProgress => "in_progress",
            Self::Converted => "converted",
            Self::Junk => "junk",
        }
    }

    /// Reads the word; an unknown one is in progress, where nothing is lost.
    pub fn parse(word: &str) -> Self {
        match word {
            "new" => Self::New,
            "converted" => Self::Converted,
            "junk" => Self::Junk,
            _ => Self::InProgress,
        }
    }
}

/// A lead as the world sees it (API.md).
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Lead)]
pub struct LeadView {
    /// `led_…`
    pub id: String,
    /// What it is about.
    pub title: String,
    /// `new`, `in_progress`, `converted` or `junk`.
    pub status: String,
    /// Whose it is.
    pub contact_id: String,
    /// The contact's name.
    pub contact_name: Option<String>,
    /// The conversation it began with.
    pub conversation_id: Option<String>,
    /// The line it came by.
    pub line_id: Option<String>,
    /// The channel it came by.
    pub channel_id: Option<String>,
    /// The kind of that channel.
    pub channel_kind: Option<String>,
    /// The responsible operator.
    pub operator_id: Option<String>,
    /// Where it came from, in a word.
    pub source: String,
    /// First and last touch.
    pub attribution: Value,
    /// Custom fields.
    pub fields: Value,
    /// Words stuck on it.
    pub tags: Vec<String>,
    /// The deal it was converted into.
    pub deal_id: Option<String>,
    /// Why it is junk, in words.
    pub loss_reason: Option<String>,
    /// For optimistic changes.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Leads this scope sees, as far as the role reaches.
pub fn visible_to(scope: &Scope) -> Condition {
    reached(&scope.view(rights::Object::Lead))
}

/// Leads that are reached, as a condition on a query of them.
pub fn reached(extent: &Extent<'_>) -> Condition {
    if extent.is_all() {
        return Condition::all();
    }
    Condition::any()
        .add(lead::Column::OperatorId.is_in(extent.owners()))
        .add(lead::Column::LineId.is_in(extent.lines()))
}

/// One lead, when this scope sees it.
pub async fn find(db: &impl ConnectionTrait, scope: &Scope, id: &str) -> Result<Option<lead::Model>, DbErr> {
    lead::Entity::find_by_id(id)
        .filter(visible_to(scope))
        .one(db)
        .await
}

/// Views of leads, in their order.
pub async fn views(db: &impl ConnectionTrait, rows: Vec<lead::Model>) -> Result<Vec<LeadView>, DbErr> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let contacts: Vec<&String> = rows.iter().map(|row| &row.contact_id).collect();
    let names: std::collections::HashMap<String, Option<String>> = contact::Entity::find()
        .filter(contact::Column::Id.is_in(bulk::padded(contacts)))
        .all(db)
        .await?
        .into_iter()
        .map(|row| (row.id, row.name))
        .collect();
    let ended: Vec<&String> = rows
        .iter()
        .filter(|row| row.status == "converted" || row.status == "junk")
        .map(|row| &row.id)
        .collect();
    let mut outcomes: std::collections::HashMap<String, lead_outcome::Model> = if ended.is_empty() {
        std::collections::HashMap::new()
    } else {
        let found = lead_outcome::Entity::find()
            .filter(lead_outcome::Column::LeadId.is_in(bulk::padded(ended)))
            .all(db)
            .await?;
        found.into_iter().map(|row| (row.lead_id.clone(), row)).collect()
    };
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let mut tags = tag::of(db, &ids).await?;
    let mut with_outcome = |row: lead::Model| {
        let outcome = outcomes.remove(&row.id);
        let (deal_id, loss_reason) = outcome.map_or((None, None), |row| (row.deal_id, row.loss_reason));
        (row, deal_id, loss_reason)
    };
    Ok(rows
        .into_iter()
        .map(&mut with_outcome)
        .map(|(row, deal_id, loss_reason)| LeadView {
            deal_id,
            loss_reason,
            contact_name: names.get(&row.contact_id).cloned().flatten(),
            tags: tags.remove(&row.id).unwrap_or_default(),
            id: row.id,
            title: row.title,
            status: row.status,
            contact_id: row.contact_id,
            conversation_id: row.conversation_id,
            line_id: row.line_id,
            channel_id: row.channel_id,
            channel_kind: row.channel_kind,
            operator_id: row.operator_id,
            source: row.source,
            attribution: row.attribution,
            fields: row.fields,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
        .collect())
}

/// Leads by id, as views.
pub async fn views_by_id(db: &impl ConnectionTrait, ids: &[String]) -> Result<Vec<LeadView>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    views(
        db,
        lead::Entity::find()
            .filter(lead::Column::Id.is_in(bulk::padded(ids)))
            .all(db)
            .await?,
    )
    .await
}

/// What may be changed of a lead by hand; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// What it is about.
    pub title: Option<String>,
    /// Where it stands.
    pub status: Option<Status>,
    /// The responsible operator; the inner `None` clears it.
    pub operator_id: Option<Option<String>>,
    /// Where it came from.
    pub source: Option<String>,
    /// Custom fields, replacing those of the same names; a null removes.
    pub fields: Option<serde_json::Map<String, Value>>,
    /// All tags, in their normal form.
    pub tags: Option<Vec<String>>,
    /// Why it is junk; the inner `None` clears it. A lead that is not junk has none.
    pub loss_reason: Option<Option<String>>,
    /// The version the change was made from.
    pub version: Option<i64>,
    /// Who changes it; none when nobody does it by hand.
    pub by: Option<String>,
}

/// Why a lead was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// No such lead.
    #[error("no such lead")]
    Missing,
    /// Somebody changed it meanwhile.
    #[error("somebody else changed this lead meanwhile; load it again")]
    Stale,
    /// The contact has an open lead.
    #[error("this contact has an open lead already; close that one first")]
    SecondOpen,
    /// Another lead took it in.
    #[error("this lead was joined with another one when their contacts were merged; change that one")]
    Merged,
    /// These are wrong.
    #[error("some fields are not right")]
    Invalid(Vec<(String, String)>),
    /// The database failed.
    #[error(transparent)]
    Db(DbErr),
}

impl From<custom_field::store::Error> for ChangeError {
    fn from(error: custom_field::store::Error) -> Self {
        match error {
            custom_field::store::Error::Invalid(faults) => Self::Invalid(faults),
            custom_field::store::Error::Db(error) => Self::Db(error),
            other => Self::Invalid(vec![("fields".to_owned(), other.to_string())]),
        }
    }
}

impl From<DbErr> for ChangeError {
    fn from(error: DbErr) -> Self {
        if is_unique_violation(&error) {
            Self::SecondOpen
        } else {
            Self::Db(error)
        }
    }
}

/// Makes a lead. One that nobody has yet is given to whom the rules name.
pub async fn create(write: &mut WriteTx, mut row: lead::Model) -> Result<(), ChangeError> {
    assignment::give(write.tx(), std::slice::from_mut(&mut row)).await?;
    let (id, at) = (row.id.clone(), row.created_at);
    lead::Entity::insert(row.into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    write.record(NewEvent::new(EventType::LeadCreated, id, at));
    Ok(())
}

/// Keeps what became of a lead.
pub(super) async fn put_outcome(write: &WriteTx, outcome: lead_outcome::Model) -> Result<(), DbErr> {
    lead_outcome::Entity::delete_by_id(&outcome.lead_id)
        .exec(write.tx())
        .await?;
    lead_outcome::Entity::insert(outcome.into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    Ok(())
}

/// Changes a lead.
pub async fn change(
    write: &mut WriteTx,
    id: &str,
    change: Change,
    now: DateTime<Utc>,
) -> Result<(), ChangeError> {
    let row = lead::Entity::find_by_id(id)
        .lock_exclusive()
        .one(write.tx())
        .await?
        .ok_or(ChangeError::Missing)?;
    if change.version.is_some_and(|version| version != row.version) {
        return Err(ChangeError::Stale);
    }
    if row.status == MERGED {
        return Err(ChangeError::Merged);
    }
    let mut changes = Changes::new();
    let mut update = lead::ActiveModel {
        id: Set(row.id.clone()),
        version: Set(row.version + 1),
        updated_at: Set(now),
        ..Default::default()
    };
    if let Some(title) = change.title {
        changes.note("title", row.title, title.as_str());
        update.title = Set(title);
    }
    if let Some(status) = change.status {
        changes.note("status", row.status.as_str(), status.as_str());
        update.status = Set(status.as_str().to_owned());
    }
    if let Some(operator_id) = change.operator_id {
        changes.note("operator_id", json!(row.operator_id), json!(operator_id));
        update.operator_id = Set(operator_id);
    }
    if let Some(source) = change.source {
        changes.note("source", row.source, source.as_str());
        update.source = Set(source);
    }
    if let Some(given) = change.fields {
        let before = row.fields.as_object().cloned().unwrap_or_default();
        let after = custom_field::store::changed(write.tx(), Object::Lead, &before, &given, false).await?;
        changes.note_fields(&before, &after);
        update.fields = Set(Value::Object(after));
    }
    if let Some(tags) = change.tags {
        let before = tag::replace(write, id, &tags).await?;
        changes.note("tags", json!(before), json!(tags));
    }
    history::record(write, id, change.by.as_deref(), &changes, now).await?;
    update.update_without_returning(write.tx()).await?;
    let status = change.status.unwrap_or(Status::parse(&row.status));
    if let Some(loss_reason) = change.loss_reason
        && status == Status::Junk
    {
        let known = lead_outcome::Entity::find_by_id(id).one(write.tx()).await?;
        let was = Some(row.status.clone()).filter(|was| was != "junk");
        let outcome = lead_outcome::Model {
            lead_id: row.id.clone(),
            deal_id: known.as_ref().and_then(|known| known.deal_id.clone()),
            company_id: known.as_ref().and_then(|known| known.company_id.clone()),
            was: was.or_else(|| known.as_ref().and_then(|known| known.was.clone())),
            operator_id: known.and_then(|known| known.operator_id),
            loss_reason,
            at: now,
        };
        put_outcome(write, outcome).await?;
    } else if row.status == "junk" && status != Status::Junk {
        lead_outcome::Entity::delete_by_id(id).exec(write.tx()).await?;
    }
    write.record(NewEvent::new(EventType::LeadUpdated, id, now));
    // The card beside each of its conversations shows the lead.
    let conversations: Vec<String> = conversation::Entity::find()
        .select_only()
        .column(conversation::Column::Id)
        .filter(conversation::Column::LeadId.eq(id))
        .into_tuple()
        .all(write.tx())
        .await?;
    for conversation_id in conversations {
        write.record(NewEvent::conversation(conversation_id, now));
    }
    Ok(())
}
