//! Making contacts by hand and changing them.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, Set, sea_query::OnConflict,
};
use serde_json::{Map, Value, json};

use super::store::pair;
use crate::{
    custom_field::{self, Object},
    db::{
        WriteTx,
        entity::{company, contact, contact_distinct, contact_suggestion, identity},
    },
    event::{EventType, NewEvent},
    history::{self, Changes},
    id::{self, Kind},
    tag,
};

/// How what an operator typed came to be known.
const HAND: &str = "hand";

/// What may be changed of a contact by hand; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// The name; the inner `None` clears it.
    pub name: Option<Option<String>>,
    /// The responsible operator.
    pub operator_id: Option<Option<String>>,
    /// Where they work.
    pub company_id: Option<Option<String>>,
    /// BCP 47.
    pub language: Option<Option<String>>,
    /// Custom fields, replacing those of the same names; a null removes.
    pub fields: Option<Map<String, Value>>,
    /// All tags, in their normal form.
    pub tags: Option<Vec<String>>,
    /// All e-mail addresses, in their normal form.
    pub emails: Option<Vec<String>>,
    /// All phones in E.164.
    pub phones: Option<Vec<String>>,
    /// The version the change was made from.
    pub version: Option<i64>,
    /// Who changes it; none when nobody does it by hand.
    pub by: Option<String>,
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
    /// It is another one now.
    #[error("this contact was merged into {0}; change that one, or undo the merge")]
    Merged(String),
    /// The address belongs to another contact.
    #[error("{value} belongs to another contact")]
    Taken {
        /// `emails` or `phones`.
        field: &'static str,
        /// The address.
        value: String,
    },
    /// These are wrong.
    #[error("some fields are not right")]
    Invalid(Vec<(String, String)>),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbErr),
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

/// Makes a contact. What is not said stays empty; answers its id.
pub async fn create(write: &mut WriteTx, said: Change, now: DateTime<Utc>) -> Result<String, ChangeError> {
    let row = contact::Model {
        id: id::new(Kind::Contact, now),
        name: None,
        language: None,
        company_id: None,
        operator_id: None,
        fields: json!({}),
        merged_into: None,
        version: 0,
        created_at: now,
        updated_at: now,
    };
    let id = row.id.clone();
    contact::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    let said = Change {
        fields: custom_field::asked_of(said.by.as_deref(), said.fields),
        version: None,
        ..said
    };
    put(write, row, said, true, now).await?;
    Ok(id)
}

/// Changes a contact.
pub async fn change(
    write: &mut WriteTx,
    id: &str,
    change: Change,
    now: DateTime<Utc>,
) -> Result<(), ChangeError> {
    let row = standing(write, id).await?;
    if change.version.is_some_and(|version| version != row.version) {
        return Err(ChangeError::Stale);
    }
    put(write, row, change, false, now).await
}

/// The row of a contact that was not merged away, locked.
async fn standing(write: &WriteTx, id: &str) -> Result<contact::Model, ChangeError> {
    let row = contact::Entity::find_by_id(id)
        .lock_exclusive()
        .one(write.tx())
        .await?
        .ok_or(ChangeError::Missing)?;
    match &row.merged_into {
        Some(into) => Err(ChangeError::Merged(into.clone())),
        None => Ok(row),
    }
}

async fn put(
    write: &mut WriteTx,
    row: contact::Model,
    change: Change,
    begins: bool,
    now: DateTime<Utc>,
) -> Result<(), ChangeError> {
    let by = change.by.as_deref();
    let mut changes = Changes::new();
    for (kind, field, values) in [
        ("email", "emails", change.emails),
        ("phone", "phones", change.phones),
    ] {
        if let Some(values) = values {
            let before = replace_identities(write, &row.id, (kind, field), &values, by, now).await?;
            changes.note(field, json!(before), json!(values));
        }
    }
    let mut update = contact::ActiveModel {
        id: Set(row.id.clone()),
        version: Set(row.version + 1),
        updated_at: Set(now),
        ..Default::default()
    };
    if let Some(name) = change.name {
        changes.note("name", json!(row.name), json!(name));
        update.name = Set(name);
    }
    if let Some(language) = change.language {
        changes.note("language", json!(row.language), json!(language));
        update.language = Set(language);
    }
    if let Some(operator_id) = change.operator_id {
        changes.note("operator_id", json!(row.operator_id), json!(operator_id));
        update.operator_id = Set(operator_id);
    }
    if let Some(company_id) = change.company_id {
        known_company(write.tx(), company_id.as_deref()).await?;
        changes.note("company_id", json!(row.company_id), json!(company_id));
        update.company_id = Set(company_id);
    }
    if let Some(given) = change.fields {
        let before = row.fields.as_object().cloned().unwrap_or_default();
        let after =
            custom_field::store::changed(write.tx(), Object::Contact, &before, &given, begins).await?;
        changes.note_fields(&before, &after);
        update.fields = Set(Value::Object(after));
    }
    if let Some(tags) = change.tags {
        let before = tag::replace(write, &row.id, &tags).await?;
        changes.note("tags", json!(before), json!(tags));
    }
    update.update_without_returning(write.tx()).await?;
    if !begins {
        history::record(write, &row.id, by, &changes, now).await?;
    }
    write.record(NewEvent::new(EventType::ContactUpdated, &row.id, now));
    Ok(())
}

async fn known_company(db: &impl ConnectionTrait, id: Option<&str>) -> Result<(), ChangeError> {
    let Some(id) = id else { return Ok(()) };
    let known = !id.contains('\0') && company::Entity::find_by_id(id).one(db).await?.is_some();
    if known {
        Ok(())
    } else {
        let fault = ("company_id".to_owned(), "there is no such company".to_owned());
        Err(ChangeError::Invalid(vec![fault]))
    }
}

/// Addresses typed by an operator are claims until they prove themselves; those that stay keep what
/// is known of them. Answers those that were.
async fn replace_identities(
    write: &WriteTx,
    contact_id: &str,
    (kind, field): (&'static str, &'static str),
    values: &[String],
    by: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Vec<String>, ChangeError> {
    let before: Vec<String> = identity::Entity::find()
        .select_only()
        .column(identity::Column::Value)
        .filter(identity::Column::ContactId.eq(contact_id))
        .filter(identity::Column::Kind.eq(kind))
        .order_by_desc(identity::Column::Verified)
        .order_by_asc(identity::Column::CreatedAt)
        .into_tuple()
        .all(write.tx())
        .await?;
    identity::Entity::delete_many()
        .filter(identity::Column::ContactId.eq(contact_id))
        .filter(identity::Column::Kind.eq(kind))
        .filter(identity::Column::Value.is_not_in(values))
        .exec(write.tx())
        .await?;
    for value in values {
        if !add_identity(write, contact_id, kind, value, by, now).await? {
            return Err(ChangeError::Taken {
                field,
                value: value.clone(),
            });
        }
    }
    Ok(before)
}

/// Whether it is theirs now: it may be somebody else's.
async fn add_identity(
    write: &WriteTx,
    contact_id: &str,
    kind: &str,
    value: &str,
    by: Option<&str>,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let row = identity::ActiveModel {
        kind: Set(kind.to_owned()),
        value: Set(value.to_owned()),
        contact_id: Set(contact_id.to_owned()),
        verified: Set(false),
        created_at: Set(now),
        via: Set(by.map(|_| HAND.to_owned())),
        added_by: Set(by.map(str::to_owned)),
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
    let owner = identity::Entity::find_by_id((kind.to_owned(), value.to_owned()))
        .one(write.tx())
        .await?;
    Ok(owner.is_some_and(|owner| owner.contact_id == contact_id))
}

/// Adds one address of a kind, as a claim.
pub async fn give_identity(
    write: &mut WriteTx,
    id: &str,
    (kind, value): (&str, &str),
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), ChangeError> {
    let row = standing(write, id).await?;
    if !add_identity(write, id, kind, value, Some(by), now).await? {
        return Err(ChangeError::Taken {
            field: "value",
            value: value.to_owned(),
        });
    }
    let mut changes = Changes::new();
    changes.note("identity", Value::Null, json!({"kind": kind, "value": value}));
    touched(write, row, by, &changes, now).await
}

/// Takes one address away from a contact: whoever writes from it next is somebody new.
pub async fn take_identity(
    write: &mut WriteTx,
    id: &str,
    (kind, value): (&str, &str),
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), ChangeError> {
    let row = standing(write, id).await?;
    let gone = identity::Entity::delete_many()
        .filter(identity::Column::ContactId.eq(id))
        .filter(identity::Column::Kind.eq(kind))
        .filter(identity::Column::Value.eq(value))
        .exec(write.tx())
        .await?;
    if gone.rows_affected == 0 {
        return Err(ChangeError::Missing);
    }
    let mut changes = Changes::new();
    changes.note("identity", json!({"kind": kind, "value": value}), Value::Null);
    touched(write, row, by, &changes, now).await
}

async fn touched(
    write: &mut WriteTx,
    row: contact::Model,
    by: &str,
    changes: &Changes,
    now: DateTime<Utc>,
) -> Result<(), ChangeError> {
    let update = contact::ActiveModel {
        id: Set(row.id.clone()),
        version: Set(row.version + 1),
        updated_at: Set(now),
        ..Default::default()
    };
    update.update_without_returning(write.tx()).await?;
    history::record(write, &row.id, Some(by), changes, now).await?;
    write.record(NewEvent::new(EventType::ContactUpdated, row.id, now));
    Ok(())
}

/// Two contacts are not the same person: nobody suggests it again.
pub async fn set_apart(
    write: &mut WriteTx,
    id: &str,
    other_id: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), ChangeError> {
    let (one, other) = pair(id, other_id);
    let row = contact_distinct::ActiveModel {
        contact_id: Set(one.clone()),
        other_id: Set(other.clone()),
        operator_id: Set(Some(by.to_owned())),
        created_at: Set(now),
    };
    let columns = [
        contact_distinct::Column::ContactId,
        contact_distinct::Column::OtherId,
    ];
    contact_distinct::Entity::insert(row)
        .on_conflict(OnConflict::columns(columns).do_nothing().to_owned())
        .exec_without_returning(write.tx())
        .await?;
    for (one, other) in [(&one, &other), (&other, &one)] {
        contact_suggestion::Entity::delete_many()
            .filter(contact_suggestion::Column::ContactId.eq(one))
            .filter(contact_suggestion::Column::OtherId.eq(other))
            .exec(write.tx())
            .await?;
    }
    for id in [one, other] {
        write.record(NewEvent::new(EventType::ContactUpdated, id, now));
    }
    Ok(())
}
