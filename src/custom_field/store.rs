//! Reading and changing what admins defined, and judging values by it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, Set,
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{Choice, Definition, Object, Type, value};
use crate::{
    db::{
        WriteTx,
        entity::{custom_field, operator},
        is_unique_violation,
    },
    id::{self, Kind},
};

/// Fields of one kind of object, options of one field.
const FIELDS: usize = 100;
const OPTIONS: usize = 200;

/// A field as the world sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CustomField)]
pub struct CustomFieldView {
    /// `cfd_…`
    pub id: String,
    /// `contact`, `company`, `lead` or `deal`.
    pub object: String,
    /// Under which its values stand in `fields`; never changes.
    pub key: String,
    /// What people read.
    pub label: String,
    /// What it holds; never changes.
    pub r#type: Type,
    /// What may be chosen.
    pub options: Vec<Choice>,
    /// New objects must have it, and it cannot be emptied.
    pub required: bool,
    /// Its place among the fields of its object, from 0.
    pub position: i64,
    /// For optimistic changes.
    pub version: i64,
    /// When it was defined.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<custom_field::Model> for CustomFieldView {
    fn from(row: custom_field::Model) -> Self {
        Self {
            options: options(&row.options),
            r#type: Type::parse(&row.r#type),
            id: row.id,
            object: row.object,
            key: row.key,
            label: row.label,
            required: row.required,
            position: row.position,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl From<custom_field::Model> for Definition {
    fn from(row: custom_field::Model) -> Self {
        Self {
            options: options(&row.options),
            kind: Type::parse(&row.r#type),
            key: row.key,
            required: row.required,
        }
    }
}

fn options(stored: &Value) -> Vec<Choice> {
    serde_json::from_value(stored.clone()).unwrap_or_default()
}

/// Why a field was not defined or changed, or a value not kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such field.
    #[error("no such field")]
    Missing,
    /// Somebody changed it meanwhile.
    #[error("somebody else changed this field meanwhile; load it again")]
    Stale,
    /// These are wrong.
    #[error("some fields are not right")]
    Invalid(Vec<(String, String)>),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbErr),
}

impl Error {
    fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![(field.to_owned(), message.into())])
    }
}

/// The fields of an object, or of all, in their order.
pub async fn list(
    db: &impl ConnectionTrait,
    object: Option<Object>,
) -> Result<Vec<custom_field::Model>, DbErr> {
    let mut query = custom_field::Entity::find();
    if let Some(object) = object {
        query = query.filter(custom_field::Column::Object.eq(object.as_str()));
    }
    query
        .order_by_asc(custom_field::Column::Object)
        .order_by_asc(custom_field::Column::Position)
        .order_by_asc(custom_field::Column::Id)
        .all(db)
        .await
}

/// What values of an object are judged by.
pub async fn definitions(db: &impl ConnectionTrait, object: Object) -> Result<Vec<Definition>, DbErr> {
    Ok(list(db, Some(object))
        .await?
        .into_iter()
        .map(Definition::from)
        .collect())
}

/// The fields of an object after a change, judged by what admins defined; see [`value::changed`].
pub async fn changed(
    db: &impl ConnectionTrait,
    object: Object,
    before: &Map<String, Value>,
    given: &Map<String, Value>,
    begins: bool,
) -> Result<Map<String, Value>, Error> {
    let definitions = definitions(db, object).await?;
    let named: BTreeSet<&str> = definitions
        .iter()
        .filter(|one| one.kind == Type::User)
        .filter_map(|one| given.get(&one.key)?.as_str())
        .filter(|id| !id.contains('\0'))
        .collect();
    let users = if named.is_empty() {
        BTreeSet::new()
    } else {
        let ids: Vec<String> = operator::Entity::find()
            .select_only()
            .column(operator::Column::Id)
            .filter(operator::Column::Id.is_in(named))
            .into_tuple()
            .all(db)
            .await?;
        ids.into_iter().collect()
    };
    value::changed(&definitions, before, given, &users, begins).map_err(Error::Invalid)
}

/// A field about to be defined.
#[derive(Debug, Clone)]
pub struct New {
    /// What has it.
    pub object: Object,
    /// Under which its values stand.
    pub key: String,
    /// What people read.
    pub label: String,
    /// What it holds.
    pub kind: Type,
    /// What may be chosen.
    pub options: Vec<Choice>,
    /// It may not be left empty.
    pub required: bool,
}

/// Defines a field, as the last of its object.
pub async fn create(write: &WriteTx, new: New, now: DateTime<Utc>) -> Result<custom_field::Model, Error> {
    let begins_well = new.key.starts_with(|char: char| char.is_ascii_lowercase());
    let plain = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_';
    if !begins_well || new.key.len() > 50 || !new.key.chars().all(plain) {
        return Err(Error::invalid(
            "key",
            "1 to 50 of a to z, 0 to 9 and _, a letter first",
        ));
    }
    let options = checked_options(new.kind, new.options)?;
    let known = list(write.tx(), Some(new.object)).await?;
    if known.len() >= FIELDS {
        return Err(Error::invalid("object", format!("at most {FIELDS} fields")));
    }
    let row = custom_field::Model {
        id: id::new(Kind::CustomField, now),
        object: new.object.as_str().to_owned(),
        key: new.key,
        label: checked_label(&new.label)?,
        r#type: new.kind.as_str().to_owned(),
        options: json!(options),
        required: new.required,
        position: known.last().map_or(0, |last| last.position + 1),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    custom_field::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(write.tx())
        .await
        .map_err(|error| {
            if is_unique_violation(&error) {
                Error::invalid("key", "another field has it")
            } else {
                error.into()
            }
        })?;
    Ok(row)
}

/// What may be changed of a field; `None` leaves it. Its key and its type stay: values hang on them.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// What people read.
    pub label: Option<String>,
    /// What may be chosen; values chosen before stay where they are.
    pub options: Option<Vec<Choice>>,
    /// It may not be left empty.
    pub required: Option<bool>,
    /// Its place, from 0.
    pub position: Option<i64>,
    /// The version the change was made from.
    pub version: Option<i64>,
}

/// Changes a field.
pub async fn change(write: &WriteTx, id: &str, change: Change, now: DateTime<Utc>) -> Result<(), Error> {
    let row = custom_field::Entity::find_by_id(id)
        .lock_exclusive()
        .one(write.tx())
        .await?
        .ok_or(Error::Missing)?;
    if change.version.is_some_and(|version| version != row.version) {
        return Err(Error::Stale);
    }
    let mut update = custom_field::ActiveModel {
        id: Set(row.id.clone()),
        version: Set(row.version + 1),
        updated_at: Set(now),
        ..Default::default()
    };
    if let Some(label) = change.label {
        update.label = Set(checked_label(&label)?);
    }
    if let Some(options) = change.options {
        update.options = Set(json!(checked_options(Type::parse(&row.r#type), options)?));
    }
    if let Some(required) = change.required {
        update.required = Set(required);
    }
    update.update_without_returning(write.tx()).await?;
    if let Some(position) = change.position {
        put(write, &row, position).await?;
    }
    Ok(())
}

/// Puts a field at a place among those of its object; the others close up.
async fn put(write: &WriteTx, row: &custom_field::Model, position: i64) -> Result<(), Error> {
    let object = custom_field::Column::Object.eq(&row.object);
    let mut ids: Vec<String> = custom_field::Entity::find()
        .select_only()
        .column(custom_field::Column::Id)
        .filter(object)
        .filter(custom_field::Column::Id.ne(&row.id))
        .order_by_asc(custom_field::Column::Position)
        .order_by_asc(custom_field::Column::Id)
        .into_tuple()
        .all(write.tx())
        .await?;
    let place = usize::try_from(position).map_err(|_| Error::invalid("position", "must be 0 or more"))?;
    ids.insert(place.min(ids.len()), row.id.clone());
    for (position, id) in (0..).zip(ids) {
        let update = custom_field::ActiveModel {
            id: Set(id),
            position: Set(position),
            ..Default::default()
        };
        update.update_without_returning(write.tx()).await?;
    }
    Ok(())
}

/// Forgets a field. Its values stay in the objects, as fields nobody defined.
pub async fn remove(write: &WriteTx, id: &str) -> Result<(), Error> {
    let gone = custom_field::Entity::delete_by_id(id).exec(write.tx()).await?;
    if gone.rows_affected == 0 {
        return Err(Error::Missing);
    }
    Ok(())
}

fn checked_label(label: &str) -> Result<String, Error> {
    let label = label.trim().replace(char::is_control, " ");
    if label.is_empty() || label.chars().count() > 100 {
        return Err(Error::invalid("label", "1 to 100 characters"));
    }
    Ok(label)
}

fn checked_options(kind: Type, options: Vec<Choice>) -> Result<Vec<Choice>, Error> {
    if !kind.has_options() {
        return if options.is_empty() {
            Ok(options)
        } else {
            Err(Error::invalid("options", "only a select has options"))
        };
    }
    if options.is_empty() || options.len() > OPTIONS {
        return Err(Error::invalid("options", format!("1 to {OPTIONS} options")));
    }
    let mut seen = BTreeSet::new();
    for (position, option) in options.iter().enumerate() {
        let fits = |text: &str| {
            !text.trim().is_empty() && text.chars().count() <= 100 && !text.chars().any(char::is_control)
        };
        if !fits(&option.value) || !fits(&option.label) {
            return Err(Error::invalid(
                &format!("options.{position}"),
                "value and label have 1 to 100 characters",
            ));
        }
        if !seen.insert(option.value.clone()) {
            return Err(Error::invalid(
                &format!("options.{position}.value"),
                "stands here twice",
            ));
        }
    }
    Ok(options)
}
