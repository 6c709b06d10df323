//! Reading and changing contacts.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Set,
    sea_query::{Expr, OnConflict, Query},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    db::{
        WriteTx, bulk,
        entity::{contact, contact_suggestion, identity},
        text::contains,
    },
    event::{EventType, NewEvent},
};

/// A contact as the world sees it (API.md).
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Contact)]
pub struct ContactView {
    /// `cnt_…`
    pub id: String,
    /// The name, when known.
    pub name: Option<String>,
    /// E-mail addresses, proven ones first.
    pub emails: Vec<String>,
    /// Phones in E.164, proven ones first.
    pub phones: Vec<String>,
    /// Everything they are recognised by.
    pub identities: Vec<IdentityView>,
    /// BCP 47.
    pub language: Option<String>,
    /// Where they work.
    pub company_id: Option<String>,
    /// The responsible operator.
    pub operator_id: Option<String>,
    /// Custom fields.
    pub fields: Value,
    /// The contact this one was merged into.
    pub merged_into: Option<String>,
    /// Contacts that may be the same person.
    pub suggestions: Vec<SuggestionView>,
    /// For optimistic changes.
    pub version: i64,
    /// When they first wrote.
    pub created_at: DateTime<Utc>,
    /// When anything about them last changed.
    pub updated_at: DateTime<Utc>,
}

/// One identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Identity)]
pub struct IdentityView {
    /// `email`, `phone`, `telegram`, `webchat` or `external`.
    pub kind: String,
    /// The address.
    pub value: String,
    /// Proven, not merely claimed.
    pub verified: bool,
    /// Since when nothing reaches it any more.
    #[serde(default)]
    pub unreachable_since: Option<DateTime<Utc>>,
    /// Why, in words.
    #[serde(default)]
    pub unreachable_reason: Option<String>,
}

/// A contact that may be the same person.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Suggestion)]
pub struct SuggestionView {
    /// The other contact.
    pub contact_id: String,
    /// Its name.
    pub name: Option<String>,
    /// Why, in words.
    pub reason: String,
}

/// A place in the list of contacts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Last change.
    pub at: DateTime<Utc>,
    /// The row.
    pub id: String,
}

/// Contacts, the last changed first; `text` finds part of a name or of an address.
pub async fn list(
    db: &impl ConnectionTrait,
    text: Option<&str>,
    after: Option<&Place>,
    limit: u64,
) -> Result<(Vec<contact::Model>, Option<Place>), DbErr> {
    let mut query = contact::Entity::find().filter(contact::Column::MergedInto.is_null());
    if let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) {
        let backend = db.get_database_backend();
        let by_address = Query::select()
            .column(identity::Column::ContactId)
            .from(identity::Entity)
            .and_where(identity::Column::Kind.ne("webchat"))
            .and_where(contains(backend, Expr::col(identity::Column::Value), text))
            .to_owned();
        query = query.filter(
            Condition::any()
                .add(contains(backend, Expr::col(contact::Column::Name), text))
                .add(contact::Column::Id.in_subquery(by_address)),
        );
    }
    if let Some(place) = after {
        query = query.filter(
            Condition::any().add(contact::Column::UpdatedAt.lt(place.at)).add(
                Condition::all()
                    .add(contact::Column::UpdatedAt.eq(place.at))
                    .add(contact::Column::Id.lt(&place.id)),
            ),
        );
    }
    let mut rows = query
        .order_by_desc(contact::Column::UpdatedAt)
        .order_by_desc(contact::Column::Id)
        .limit(limit + 1)
        .all(db)
        .await?;
    let more = rows.len() as u64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = rows.last().filter(|_| more).map(|row| Place {
        at: row.updated_at,
        id: row.id.clone(),
    });
    Ok((rows, next))
}

/// Views of contacts, in their order. Three queries at most.
pub async fn views(db: &impl ConnectionTrait, rows: Vec<contact::Model>) -> Result<Vec<ContactView>, DbErr> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<&String> = rows.iter().map(|row| &row.id).collect();
    let mut identities: HashMap<String, Vec<IdentityView>> = HashMap::new();
    let found = identity::Entity::find()
        .filter(identity::Column::ContactId.is_in(bulk::padded(ids.clone())))
        .order_by_desc(identity::Column::Verified)
        .order_by_asc(identity::Column::CreatedAt)
        .all(db)
        .await?;
    for row in found {
        let view = IdentityView {
            kind: row.kind,
            value: row.value,
            verified: row.verified,
            unreachable_since: row.unreachable_since,
            unreachable_reason: row.unreachable_reason,
        };
        identities.entry(row.contact_id).or_default().push(view);
    }
    let mut suggestions: HashMap<String, Vec<SuggestionView>> = HashMap::new();
    let found = contact_suggestion::Entity::find()
        .filter(contact_suggestion::Column::ContactId.is_in(bulk::padded(ids)))
        .all(db)
        .await?;
    if !found.is_empty() {
        let others: Vec<&String> = found.iter().map(|row| &row.other_id).collect();
        let names: HashMap<String, Option<String>> = contact::Entity::find()
            .filter(contact::Column::Id.is_in(others))
            .all(db)
            .await?
            .into_iter()
            .map(|row| (row.id, row.name))
            .collect();
        for row in found {
            let view = SuggestionView {
                name: names.get(&row.other_id).cloned().flatten(),
                contact_id: row.other_id,
                reason: row.reason,
            };
            suggestions.entry(row.contact_id).or_default().push(view);
        }
    }
    Ok(rows
        .into_iter()
        .map(|row| {
            let identities = identities.remove(&row.id).unwrap_or_default();
            let of_kind = |kind: &str| {
                identities
                    .iter()
                    .filter(|identity| identity.kind == kind)
                    .map(|identity| identity.value.clone())
                    .collect()
            };
            ContactView {
                emails: of_kind("email"),
                phones: of_kind("phone"),
                suggestions: suggestions.remove(&row.id).unwrap_or_default(),
                identities,
                id: row.id,
                name: row.name,
                language: row.language,
                company_id: row.company_id,
                operator_id: row.operator_id,
                fields: row.fields,
                merged_into: row.merged_into,
                version: row.version,
                created_at: row.created_at,
                updated_at: row.updated_at,
            }
        })
        .collect())
}

/// One contact.
pub async fn view(db: &impl ConnectionTrait, id: &str) -> Result<Option<ContactView>, DbErr> {
    let rows = contact::Entity::find_by_id(id).all(db).await?;
    Ok(views(db, rows).await?.pop())
}

/// What may be changed of a contact by hand; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// The name; the inner `None` clears it.
    pub name: Option<Option<String>>,
    /// The responsible operator.
    pub operator_id: Option<Option<String>>,
    /// Custom fields, replacing those of the same names.
    pub fields: Option<serde_json::Map<String, Value>>,
    /// All e-mail addresses, in their normal form.
    pub emails: Option<Vec<String>>,
    /// All phones in E.164.
    pub phones: Option<Vec<String>>,
    /// The version the change was made from.
    pub version: Option<i64>,
}

/// Why a contact was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// No such contact.
    #[error("no such contact")]
    Missing,
    /// Somebody changed it meanwhile.
    #[error("somebody else changed this contact meanwhile; load it again")]
    Stale,
    /// The address belongs to another contact.
    #[error("{value} belongs to another contact")]
    Taken {
        /// `emails` or `phones`.
        field: &'static str,
        /// The address.
        value: String,
    },
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbErr),
}

/// Changes a contact.
pub async fn change(
    write: &mut WriteTx,
    id: &str,
    change: Change,
    now: DateTime<Utc>,
) -> Result<(), ChangeError> {
    let row = contact::Entity::find_by_id(id)
        .lock_exclusive()
        .one(write.tx())
        .await?
        .ok_or(ChangeError::Missing)?;
    if change.version.is_some_and(|version| version != row.version) {
        return Err(ChangeError::Stale);
    }
    if let Some(emails) = change.emails {
        replace_identities(write, id, "email", "emails", emails, now).await?;
    }
    if let Some(phones) = change.phones {
        replace_identities(write, id, "phone", "phones", phones, now).await?;
    }
    let mut update = contact::ActiveModel {
        id: Set(row.id.clone()),
        version: Set(row.version + 1),
        updated_at: Set(now),
        ..Default::default()
    };
    if let Some(name) = change.name {
        update.name = Set(name);
    }
    if let Some(operator_id) = change.operator_id {
        update.operator_id = Set(operator_id);
    }
    if let Some(fields) = change.fields {
        let mut all = row.fields.as_object().cloned().unwrap_or_default();
        all.extend(fields);
        all.retain(|_, value| *value != Value::Null);
        update.fields = Set(Value::Object(all));
    }
    update.update_without_returning(write.tx()).await?;
    write.record(NewEvent::new(EventType::ContactUpdated, id, now));
    Ok(())
}

/// Addresses typed by an operator are claims until they prove themselves; those that stay keep what
/// is known of them.
async fn replace_identities(
    write: &WriteTx,
    contact_id: &str,
    kind: &'static str,
    field: &'static str,
    values: Vec<String>,
    now: DateTime<Utc>,
) -> Result<(), ChangeError> {
    identity::Entity::delete_many()
        .filter(identity::Column::ContactId.eq(contact_id))
        .filter(identity::Column::Kind.eq(kind))
        .filter(identity::Column::Value.is_not_in(&values))
        .exec(write.tx())
        .await?;
    for value in values {
        let row = identity::ActiveModel {
            kind: Set(kind.to_owned()),
            value: Set(value.clone()),
            contact_id: Set(contact_id.to_owned()),
            verified: Set(false),
            created_at: Set(now),
            ..Default::default()
        };
        identity::Entity::insert(row)
            .on_conflict(
                OnConflict::columns([identity::Column::Kind, identity::Column::Value])
                    .do_nothing()
                    .to_owned(),
            )
            .exec_without_returning(write.tx())
            .await?;
        let owner = identity::Entity::find_by_id((kind.to_owned(), value.clone()))
            .one(write.tx())
            .await?;
        if owner.is_none_or(|owner| owner.contact_id != contact_id) {
            return Err(ChangeError::Taken { field, value });
        }
    }
    Ok(())
}
