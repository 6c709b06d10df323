//! Users in the database.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::{Value, json};

use super::{Availability, Error, Presence, rights::Role, role, roster, schedule::standing};
use crate::{
    db::{WriteTx, entity::operator},
    event::{EventType, NewEvent},
    id::{self, Kind},
};

/// The capacity of a user who is given none.
pub const DEFAULT_CAPACITY: f64 = 5.0;
/// The most a capacity may be.
const CAPACITY_LIMIT: f64 = 1000.0;
/// Languages and skills a user may have.
const WORD_LIMIT: usize = 50;
/// Characters of a reason for a pause.
pub const REASON_CHARS: usize = 200;

/// A user about to be made.
#[derive(Debug, Clone)]
pub struct NewOperator {
    /// Signs in with it; a service user has none.
    pub email: Option<String>,
    /// What people call them.
    pub name: String,
    /// What they may do; an operator when neither this nor `role_id` is given.
    pub role: Option<Role>,
    /// A role by its id; what is said of both must agree.
    pub role_id: Option<String>,
    /// The argon2id hash of the password; without one nobody can sign in as this user.
    pub password_hash: Option<String>,
    /// Languages they answer in.
    pub languages: Vec<String>,
    /// What they know.
    pub skills: Vec<String>,
    /// The weighted load they may have; [`DEFAULT_CAPACITY`] when not given.
    pub capacity: Option<f64>,
    /// Made for an API key.
    pub service: bool,
}

/// The fields of a user that change; `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Patch {
    /// New address.
    pub email: Option<String>,
    /// New name.
    pub name: Option<String>,
    /// New role.
    pub role: Option<Role>,
    /// New role by its id; what is said of both must agree.
    pub role_id: Option<String>,
    /// New hash of the password.
    pub password_hash: Option<String>,
    /// New languages.
    pub languages: Option<Vec<String>>,
    /// New skills.
    pub skills: Option<Vec<String>>,
    /// New capacity.
    pub capacity: Option<f64>,
    /// Whether they may sign in and be given work.
    pub enabled: Option<bool>,
    /// The version the caller read.
    pub version: Option<i64>,
}

/// A user by id.
pub async fn find(db: &impl ConnectionTrait, id: &str) -> Result<operator::Model, Error> {
    operator::Entity::find_by_id(id)
        .one(db)
        .await?
        .ok_or(Error::NotFound)
}

/// A user by address, however it is capitalised.
pub async fn find_by_email(db: &impl ConnectionTrait, email: &str) -> Result<Option<operator::Model>, DbErr> {
    operator::Entity::find()
        .filter(operator::Column::Email.eq(normal_email(email)))
        .one(db)
        .await
}

/// The names of all users, by id.
pub async fn names(db: &impl ConnectionTrait) -> Result<HashMap<String, String>, DbErr> {
    crate::db::names::<operator::Entity>(db, operator::Column::Id, operator::Column::Name).await
}

/// Up to `limit` users in the order they were made, after the user of this id.
pub async fn list(
    db: &impl ConnectionTrait,
    after: Option<&str>,
    limit: u64,
) -> Result<Vec<operator::Model>, DbErr> {
    let mut query = operator::Entity::find()
        .order_by_asc(operator::Column::Id)
        .limit(limit);
    if let Some(after) = after {
        query = query.filter(operator::Column::Id.gt(after));
    }
    query.all(db).await
}

/// How many people (not programs) there are; none: the installation is new.
pub async fn count_people(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    operator::Entity::find()
        .filter(operator::Column::Service.eq(false))
        .count(db)
        .await
}

/// Makes a user.
///
/// # Errors
/// [`Error::Invalid`] with each field that cannot be.
pub async fn create(
    write: &mut WriteTx,
    new: NewOperator,
    now: DateTime<Utc>,
) -> Result<operator::Model, Error> {
    let id = id::new(Kind::Operator, now);
    let mut errors = Vec::new();
    let email = match &new.email {
        Some(email) => Some(checked_email(write, email, &id, &mut errors).await?),
        None if new.service => None,
        None => {
            errors.push(("email".to_owned(), "is required".to_owned()));
            None
        }
    };
    let given = role::given(write, new.role, new.role_id.as_deref()).await;
    let (role, role_id) = gathered(given, &mut errors)?.unwrap_or((Role::Operator, None));
    let row = operator::Model {
        id,
        email,
        name: checked_name(&new.name, &mut errors),
        role: role.as_str().to_owned(),
        role_id,
        password_hash: new.password_hash,
        languages: checked_words("languages", &new.languages, &mut errors),
        skills: checked_words("skills", &new.skills, &mut errors),
        capacity: checked_capacity(new.capacity.unwrap_or(DEFAULT_CAPACITY), &mut errors),
        enabled: true,
        availability: Availability::Accepting.as_str().to_owned(),
        availability_reason: None,
        availability_since: Some(now),
        presence: Presence::Offline.as_str().to_owned(),
        service: new.service,
        version: 1,
        created_at: now,
        said_at: None,
        unavailable_since: None,
        changes_at: None,
    };
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    operator::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    write.record(NewEvent::new(EventType::OperatorUpdated, &row.id, now));
    Ok(row)
}

/// Changes the fields given.
///
/// # Errors
/// [`Error::Stale`], [`Error::Invalid`], and [`Error::LastAdmin`] when nobody who can sign in would
/// be an admin any more.
pub async fn update(
    write: &mut WriteTx,
    id: &str,
    patch: Patch,
    now: DateTime<Utc>,
) -> Result<operator::Model, Error> {
    let current = lock(write, id).await?;
    if patch.version.is_some_and(|version| version != current.version) {
        return Err(Error::Stale);
    }
    let mut errors = Vec::new();
    let mut row = current.clone();
    if let Some(email) = &patch.email {
        row.email = Some(checked_email(write, email, id, &mut errors).await?);
    }
    if let Some(name) = &patch.name {
        row.name = checked_name(name, &mut errors);
    }
    let given = role::given(write, patch.role, patch.role_id.as_deref()).await;
    if let Some((role, role_id)) = gathered(given, &mut errors)? {
        row.role = role.as_str().to_owned();
        row.role_id = role_id;
    }
    if let Some(hash) = patch.password_hash {
        row.password_hash = Some(hash);
    }
    if let Some(languages) = &patch.languages {
        row.languages = checked_words("languages", languages, &mut errors);
    }
    if let Some(skills) = &patch.skills {
        row.skills = checked_words("skills", skills, &mut errors);
    }
    if let Some(capacity) = patch.capacity {
        row.capacity = checked_capacity(capacity, &mut errors);
    }
    row.enabled = patch.enabled.unwrap_or(row.enabled);
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    if rules_the_house(&current) && !rules_the_house(&row) && !another_rules(write, id).await? {
        return Err(Error::LastAdmin);
    }
    save(write, current, row, now).await
}

/// Sets what the operator says of themselves. To say the same again changes nothing, unless the schedule
/// says otherwise meanwhile.
pub async fn set_availability(
    write: &mut WriteTx,
    id: &str,
    state: Availability,
    reason: Option<String>,
    now: DateTime<Utc>,
) -> Result<operator::Model, Error> {
    let current = lock(write, id).await?;
    let reason = reason
        .map(|reason| reason.trim().to_owned())
        .filter(|reason| !reason.is_empty());
    if reason
        .as_ref()
        .is_some_and(|reason| reason.chars().count() > REASON_CHARS)
    {
        return Err(Error::Invalid(vec![(
            "reason".to_owned(),
            format!("at most {REASON_CHARS} characters"),
        )]));
    }
    let mut row = current.clone();
    row.availability = state.as_str().to_owned();
    row.availability_reason = reason.filter(|_| state != Availability::Accepting);
    row.said_at = Some(now);
    if row.availability != current.availability {
        row.availability_since = Some(now);
    }
    let plan = roster::plans(write.tx(), &[id.to_owned()]).await?.remove(id);
    let same = current.availability == row.availability
        && current.availability_reason == row.availability_reason
        && standing(roster::said(&current), plan.as_ref(), now)
            == standing(roster::said(&row), plan.as_ref(), now);
    if same {
        return Ok(current);
    }
    roster::note(&mut row, plan.as_ref(), now, now);
    save(write, current, row, now).await
}

/// The words of a JSON list: languages, skills, tags.
pub fn words(list: &Value) -> Vec<String> {
    let items = list.as_array().map_or(&[][..], Vec::as_slice);
    items
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// What is wrong joins the other fields that are.
fn gathered<T>(
    given: Result<Option<T>, Error>,
    errors: &mut Vec<(String, String)>,
) -> Result<Option<T>, Error> {
    match given {
        Err(Error::Invalid(more)) => {
            errors.extend(more);
            Ok(None)
        }
        other => other,
    }
}

async fn lock(write: &WriteTx, id: &str) -> Result<operator::Model, Error> {
    operator::Entity::find_by_id(id)
        .lock_exclusive()
        .one(write.tx())
        .await?
        .ok_or(Error::NotFound)
}

async fn save(
    write: &mut WriteTx,
    current: operator::Model,
    mut row: operator::Model,
    now: DateTime<Utc>,
) -> Result<operator::Model, Error> {
    if row == current {
        return Ok(current);
    }
    row.version += 1;
    row.clone()
        .into_active_model()
        .reset_all()
        .update(write.tx())
        .await?;
    write.record(NewEvent::new(EventType::OperatorUpdated, &row.id, now));
    Ok(row)
}

/// An admin who can sign in and let others in.
fn rules_the_house(user: &operator::Model) -> bool {
    user.enabled && Role::parse(&user.role) == Role::Admin && user.password_hash.is_some()
}

async fn another_rules(write: &WriteTx, id: &str) -> Result<bool, DbErr> {
    let others = operator::Entity::find()
        .filter(operator::Column::Role.eq(Role::Admin.as_str()))
        .filter(operator::Column::Enabled.eq(true))
        .filter(operator::Column::PasswordHash.is_not_null())
        .filter(operator::Column::Id.ne(id))
        .count(write.tx())
        .await?;
    Ok(others > 0)
}

fn normal_email(email: &str) -> String {
    email.trim().to_lowercase()
}

async fn checked_email(
    write: &WriteTx,
    email: &str,
    id: &str,
    errors: &mut Vec<(String, String)>,
) -> Result<String, DbErr> {
    let email = normal_email(email);
    let plausible = email.len() <= 254
        && !email.contains(char::is_whitespace)
        && email
            .split_once('@')
            .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'));
    if !plausible {
        errors.push(("email".to_owned(), "is not an e-mail address".to_owned()));
    } else if find_by_email(write.tx(), &email)
        .await?
        .is_some_and(|other| other.id != id)
    {
        errors.push(("email".to_owned(), "belongs to another user".to_owned()));
    }
    Ok(email)
}

fn checked_name(name: &str, errors: &mut Vec<(String, String)>) -> String {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 200 {
        errors.push(("name".to_owned(), "must have 1 to 200 characters".to_owned()));
    }
    name.to_owned()
}

fn checked_capacity(capacity: f64, errors: &mut Vec<(String, String)>) -> f64 {
    if !(0.0..=CAPACITY_LIMIT).contains(&capacity) {
        errors.push((
            "capacity".to_owned(),
            format!("must be from 0 to {CAPACITY_LIMIT}"),
        ));
    }
    capacity
}

fn checked_words(field: &str, words: &[String], errors: &mut Vec<(String, String)>) -> Value {
    let mut seen = BTreeSet::new();
    let words: Vec<&str> = words
        .iter()
        .map(|word| word.trim())
        .filter(|word| seen.insert(word.to_lowercase()))
        .collect();
    if words.len() > WORD_LIMIT {
        errors.push((field.to_owned(), format!("at most {WORD_LIMIT}")));
    }
    if words
        .iter()
        .any(|word| word.is_empty() || word.chars().count() > 100)
    {
        errors.push((field.to_owned(), "each must have 1 to 100 characters".to_owned()));
    }
    json!(words)
}
