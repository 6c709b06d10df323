//! Contacts as the world sees them.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::sight;
pub use super::{
    change::{Change, ChangeError, change},
    list::{Filter, Place, list},
};
use crate::{
    db::{
        bulk,
        entity::{company, contact, contact_distinct, contact_suggestion, identity},
    },
    tag,
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
    /// What that is called.
    pub company_name: Option<String>,
    /// The responsible operator.
    pub operator_id: Option<String>,
    /// Custom fields.
    pub fields: Value,
    /// Words stuck on them.
    pub tags: Vec<String>,
    /// The contact this one was merged into, at the end of all merges.
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
    /// How it came to be known: the kind of the channel that brought it, `hand`, or null when nobody noted.
    #[serde(default)]
    pub via: Option<String>,
    /// The operator who typed it.
    #[serde(default)]
    pub added_by: Option<String>,
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
    /// Since when it is suggested.
    pub created_at: DateTime<Utc>,
}

/// Views of contacts, in their order. Seven queries at most, and some more for those that were merged.
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
            via: row.via,
            added_by: row.added_by,
        };
        identities.entry(row.contact_id).or_default().push(view);
    }
    let ids: Vec<String> = ids.into_iter().cloned().collect();
    let mut suggestions = suggestions(db, &ids).await?;
    let mut tags = tag::of(db, &ids).await?;
    let companies = company_names(db, &rows).await?;
    let mut ends: HashMap<String, String> = HashMap::new();
    for row in &rows {
        if row.merged_into.is_some() {
            ends.insert(row.id.clone(), sight::end_of_chain(db, row).await?);
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
                name: row.name,
                language: row.language,
                tags: tags.remove(&row.id).unwrap_or_default(),
                company_name: row.company_id.as_ref().and_then(|id| companies.get(id)).cloned(),
                merged_into: ends.remove(&row.id),
                company_id: row.company_id,
                operator_id: row.operator_id,
                fields: row.fields,
                version: row.version,
                created_at: row.created_at,
                updated_at: row.updated_at,
                id: row.id,
            }
        })
        .collect())
}

/// One contact.
pub async fn view(db: &impl ConnectionTrait, id: &str) -> Result<Option<ContactView>, DbErr> {
    let rows = contact::Entity::find_by_id(id).all(db).await?;
    Ok(views(db, rows).await?.pop())
}

async fn company_names(
    db: &impl ConnectionTrait,
    rows: &[contact::Model],
) -> Result<HashMap<String, String>, DbErr> {
    let ids: BTreeSet<&String> = rows.iter().filter_map(|row| row.company_id.as_ref()).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found = company::Entity::find()
        .filter(company::Column::Id.is_in(bulk::padded(ids)))
        .all(db)
        .await?;
    Ok(found.into_iter().map(|row| (row.id, row.name)).collect())
}

/// Whom each of these contacts may be too, on whichever side of the pair they stand: neither those that were merged,
/// nor those of whom somebody said that they are not.
async fn suggestions(
    db: &impl ConnectionTrait,
    ids: &[String],
) -> Result<HashMap<String, Vec<SuggestionView>>, DbErr> {
    let mut suggestions: HashMap<String, Vec<SuggestionView>> = HashMap::new();
    let padded = || bulk::padded(ids);
    let found = contact_suggestion::Entity::find()
        .filter(
            Condition::any()
                .add(contact_suggestion::Column::ContactId.is_in(padded()))
                .add(contact_suggestion::Column::OtherId.is_in(padded())),
        )
        .order_by_asc(contact_suggestion::Column::CreatedAt)
        .all(db)
        .await?;
    if found.is_empty() {
        return Ok(suggestions);
    }
    let distinct: BTreeSet<(String, String)> = contact_distinct::Entity::find()
        .filter(
            Condition::any()
                .add(contact_distinct::Column::ContactId.is_in(padded()))
                .add(contact_distinct::Column::OtherId.is_in(padded())),
        )
        .all(db)
        .await?
        .into_iter()
        .map(|row| (row.contact_id, row.other_id))
        .collect();
    let people: BTreeSet<&String> = found
        .iter()
        .flat_map(|row| [&row.contact_id, &row.other_id])
        .collect();
    let people: HashMap<String, contact::Model> = contact::Entity::find()
        .filter(contact::Column::Id.is_in(bulk::padded(people)))
        .all(db)
        .await?
        .into_iter()
        .map(|row| (row.id.clone(), row))
        .collect();
    for row in &found {
        if distinct.contains(&pair(&row.contact_id, &row.other_id)) {
            continue;
        }
        for (one, other) in [(&row.contact_id, &row.other_id), (&row.other_id, &row.contact_id)] {
            let known = people.get(other).filter(|other| other.merged_into.is_none());
            let Some(known) = known.filter(|_| ids.contains(one)) else {
                continue;
            };
            let listed = suggestions.entry(one.clone()).or_default();
            if !listed.iter().any(|listed| listed.contact_id == *other) {
                listed.push(SuggestionView {
                    contact_id: other.clone(),
                    name: known.name.clone(),
                    reason: row.reason.clone(),
                    created_at: row.created_at,
                });
            }
        }
    }
    Ok(suggestions)
}

/// Two contacts in the order in which [`contact_distinct`] keeps them. Pure.
pub fn pair(one: &str, other: &str) -> (String, String) {
    let (small, great) = if one <= other { (one, other) } else { (other, one) };
    (small.to_owned(), great.to_owned())
}
