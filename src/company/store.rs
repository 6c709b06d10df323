//! Reading and changing companies.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, IntoActiveModel,
    QueryFilter, QuerySelect, Set, Statement,
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::keys::NO_KEYS;
pub use super::list::{Filter, Place, list};
use crate::{
    contact::sight,
    conversation::view::strings,
    custom_field::{self, Object},
    db::{
        WriteTx, bulk,
        entity::{company, contact, object_tag},
        is_unique_violation,
    },
    event::{EventType, NewEvent},
    history::{self, Changes},
    id::{self, Kind},
    operator::rights::Scope,
    tag,
    task::{On, OnKind, store as tasks},
};

/// A company as the world sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Company)]
pub struct CompanyView {
    /// `cmp_…`
    pub id: String,
    /// What it is called; no two are called the same.
    pub name: String,
    /// Phones in E.164.
    pub phones: Vec<String>,
    /// E-mail addresses.
    pub emails: Vec<String>,
    /// Where it is on the web.
    pub website: Option<String>,
    /// The number the state knows it by.
    pub tax_number: Option<String>,
    /// The responsible operator.
    pub operator_id: Option<String>,
    /// Custom fields.
    pub fields: Value,
    /// Words stuck on it.
    pub tags: Vec<String>,
    /// How many contacts work there.
    pub contact_count: i64,
    /// For optimistic changes.
    pub version: i64,
    /// When it was first named.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// One company, when this scope sees it.
pub async fn find(
    db: &impl ConnectionTrait,
    scope: &Scope,
    id: &str,
) -> Result<Option<company::Model>, DbErr> {
    if id.contains('\0') {
        return Ok(None);
    }
    company::Entity::find_by_id(id)
        .filter(sight::companies(scope))
        .one(db)
        .await
}

#[derive(FromQueryResult)]
struct Count {
    company_id: String,
    count: i64,
}

/// Views of companies, in their order. Two queries.
pub async fn views(db: &impl ConnectionTrait, rows: Vec<company::Model>) -> Result<Vec<CompanyView>, DbErr> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let mut tags = tag::of(db, &ids).await?;
    let (list, values) = bulk::in_list(1, ids.into_iter().map(Into::into).collect());
    let sql = format!(
        "SELECT company_id, COUNT(*) AS count FROM contact WHERE merged_into IS NULL AND company_id IN {list} GROUP BY company_id"
    );
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let counts: HashMap<String, i64> = Count::find_by_statement(statement)
        .all(db)
        .await?
        .into_iter()
        .map(|row| (row.company_id, row.count))
        .collect();
    Ok(rows
        .into_iter()
        .map(|row| CompanyView {
            phones: strings(&row.phones),
            emails: strings(&row.emails),
            tags: tags.remove(&row.id).unwrap_or_default(),
            contact_count: counts.get(&row.id).copied().unwrap_or_default(),
            id: row.id,
            name: row.name,
            website: row.website,
            tax_number: row.tax_number,
            operator_id: row.operator_id,
            fields: row.fields,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
        .collect())
}

/// What may be said of a company; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// What it is called.
    pub name: Option<String>,
    /// All phones in E.164.
    pub phones: Option<Vec<String>>,
    /// All e-mail addresses, in their normal form.
    pub emails: Option<Vec<String>>,
    /// Where it is on the web; the inner `None` clears it.
    pub website: Option<Option<String>>,
    /// The number the state knows it by.
    pub tax_number: Option<Option<String>>,
    /// The responsible operator.
    pub operator_id: Option<Option<String>>,
    /// Custom fields, replacing those of the same names; a null removes.
    pub fields: Option<Map<String, Value>>,
    /// All tags, in their normal form.
    pub tags: Option<Vec<String>>,
    /// The version the change was made from.
    pub version: Option<i64>,
    /// Who changes it; none when nobody does it by hand.
    pub by: Option<String>,
}

/// Why a company was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such company.
    #[error("no such company")]
    Missing,
    /// Somebody changed it meanwhile.
    #[error("somebody else changed this company meanwhile; load it again")]
    Stale,
    /// These are wrong.
    #[error("some fields are not right")]
    Invalid(Vec<(String, String)>),
    /// The database failed.
    #[error(transparent)]
    Db(DbErr),
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        if is_unique_violation(&error) {
            let fault = ("name".to_owned(), "another company is called so".to_owned());
            Self::Invalid(vec![fault])
        } else {
            Self::Db(error)
        }
    }
}

impl From<custom_field::store::Error> for Error {
    fn from(error: custom_field::store::Error) -> Self {
        match error {
            custom_field::store::Error::Invalid(faults) => Self::Invalid(faults),
            custom_field::store::Error::Db(error) => Self::Db(error),
            other => Self::Invalid(vec![("fields".to_owned(), other.to_string())]),
        }
    }
}

/// Makes a company. Answers its id.
pub async fn create(write: &mut WriteTx, said: Change, now: DateTime<Utc>) -> Result<String, Error> {
    let name = named(said.name.as_deref().unwrap_or_default())?;
    let row = company::Model {
        id: id::new(Kind::Company, now),
        name_key: name.to_lowercase(),
        name,
        created_at: now,
        phones: json!([]),
        emails: json!([]),
        website: None,
        tax_number: None,
        fields: json!({}),
        operator_id: None,
        version: 0,
        updated_at: now,
        keyed_version: NO_KEYS,
    };
    let id = row.id.clone();
    company::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    let said = Change {
        fields: custom_field::asked_of(said.by.as_deref(), said.fields),
        name: None,
        ..said
    };
    put(write, row, said, true, now).await?;
    Ok(id)
}

/// Changes a company.
pub async fn change(write: &mut WriteTx, id: &str, change: Change, now: DateTime<Utc>) -> Result<(), Error> {
    let row = company::Entity::find_by_id(id)
        .lock_exclusive()
        .one(write.tx())
        .await?
        .ok_or(Error::Missing)?;
    if change.version.is_some_and(|version| version != row.version) {
        return Err(Error::Stale);
    }
    put(write, row, change, false, now).await
}

async fn put(
    write: &mut WriteTx,
    row: company::Model,
    change: Change,
    begins: bool,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let mut changes = Changes::new();
    let mut update = company::ActiveModel {
        id: Set(row.id.clone()),
        version: Set(row.version + 1),
        updated_at: Set(now),
        ..Default::default()
    };
    if let Some(name) = change.name {
        let name = named(&name)?;
        changes.note("name", json!(row.name), json!(name));
        update.name_key = Set(name.to_lowercase());
        update.name = Set(name);
    }
    if let Some(phones) = change.phones {
        changes.note("phones", row.phones, json!(phones));
        update.phones = Set(json!(phones));
    }
    if let Some(emails) = change.emails {
        changes.note("emails", row.emails, json!(emails));
        update.emails = Set(json!(emails));
    }
    if let Some(website) = change.website {
        changes.note("website", json!(row.website), json!(website));
        update.website = Set(website);
    }
    if let Some(tax_number) = change.tax_number {
        changes.note("tax_number", json!(row.tax_number), json!(tax_number));
        update.tax_number = Set(tax_number);
    }
    if let Some(operator_id) = change.operator_id {
        changes.note("operator_id", json!(row.operator_id), json!(operator_id));
        update.operator_id = Set(operator_id);
    }
    if let Some(given) = change.fields {
        let before = row.fields.as_object().cloned().unwrap_or_default();
        let after =
            custom_field::store::changed(write.tx(), Object::Company, &before, &given, begins).await?;
        changes.note_fields(&before, &after);
        update.fields = Set(Value::Object(after));
    }
    if let Some(tags) = change.tags {
        let before = tag::replace(write, &row.id, &tags).await?;
        changes.note("tags", json!(before), json!(tags));
    }
    update.update_without_returning(write.tx()).await?;
    write.record(NewEvent::new(EventType::CompanyUpdated, &row.id, now));
    if !begins {
        history::record(write, &row.id, change.by.as_deref(), &changes, now).await?;
    }
    Ok(())
}

fn named(name: &str) -> Result<String, Error> {
    let name: String = name
        .chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .collect();
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 200 {
        let fault = ("name".to_owned(), "1 to 200 characters".to_owned());
        return Err(Error::Invalid(vec![fault]));
    }
    Ok(name.to_owned())
}

/// Forgets a company with its tasks. Its contacts stay and work nowhere.
pub async fn remove(write: &mut WriteTx, id: &str, now: DateTime<Utc>) -> Result<(), Error> {
    company::Entity::find_by_id(id)
        .lock_exclusive()
        .one(write.tx())
        .await?
        .ok_or(Error::Missing)?;
    let contacts: Vec<String> = contact::Entity::find()
        .select_only()
        .column(contact::Column::Id)
        .filter(contact::Column::CompanyId.eq(id))
        .into_tuple()
        .all(write.tx())
        .await?;
    object_tag::Entity::delete_many()
        .filter(object_tag::Column::ObjectId.eq(id))
        .exec(write.tx())
        .await?;
    let on = On {
        r#type: OnKind::Company,
        id: id.to_owned(),
    };
    tasks::go_with(write, &on, now).await?;
    company::Entity::delete_by_id(id).exec(write.tx()).await?;
    write.record(NewEvent::new(EventType::CompanyUpdated, id, now));
    for contact in contacts {
        write.record(NewEvent::new(EventType::ContactUpdated, contact, now));
    }
    Ok(())
}
