//! Roles: those that everybody has, and those that admins define beside them.
//!
//! Who has a role that an admin defined is an operator with other rights: settings and what supervisors do stay with
//! the built-in roles.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, FromQueryResult,
    IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Statement,
    sea_query::{Expr, ExprTrait},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Error,
    rights::{
        Rights, Role,
        rule::{Action, Grid, Object, Reach},
    },
};
use crate::{
    db::{
        WriteTx, bulk,
        entity::{operator, role},
    },
    event::{EventType, NewEvent},
    id::{self, Kind},
};

/// Roles that admins may define.
pub const LIMIT: u64 = 100;
const NAME_CHARS: usize = 100;

/// The built-in roles, in the order they are shown.
pub const BUILT_IN: [Role; 3] = [Role::Admin, Role::Supervisor, Role::Operator];

/// A role as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RoleView {
    /// `rol_…`; of a built-in one `admin`, `supervisor` or `operator`.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Whether it is one of those that stay as they are.
    pub built_in: bool,
    /// How far each action reaches, by object. Nothing goes further than `view`.
    #[schema(value_type = BTreeMap<String, BTreeMap<String, Reach>>)]
    pub rights: Grid,
    /// How many users have it, programs among them.
    pub user_count: u64,
    /// Grows with each change.
    pub version: i64,
    /// When it was made; null of a built-in one.
    pub created_at: Option<DateTime<Utc>>,
    /// When it was changed last; null of a built-in one.
    pub updated_at: Option<DateTime<Utc>>,
}

/// What is said of a role; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// What people call it.
    pub name: Option<String>,
    /// All its rights; what is not named is not given.
    pub rights: Option<Grid>,
    /// The version the change was made from.
    pub version: Option<i64>,
}

/// The built-in role of this id.
pub fn built_in(id: &str) -> Option<Role> {
    BUILT_IN.into_iter().find(|role| role.as_str() == id)
}

/// The id of a user's role.
pub fn id_of(user: &operator::Model) -> String {
    user.role_id.clone().unwrap_or_else(|| user.role.clone())
}

/// What somebody with this role, defined by an admin, may do. One that is gone gives nothing.
pub async fn rights(db: &impl ConnectionTrait, role_id: &str) -> Result<Rights, DbErr> {
    let row = role::Entity::find_by_id(role_id).one(db).await?;
    Ok(row.map_or(Rights::NONE, |row| stored(&row)))
}

/// What users may do, by their roles that admins defined; nothing is asked when nobody has one.
pub async fn rights_of(
    db: &impl ConnectionTrait,
    users: &[operator::Model],
) -> Result<HashMap<String, Rights>, DbErr> {
    let mut ids: Vec<&String> = users.iter().filter_map(|user| user.role_id.as_ref()).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = role::Entity::find()
        .filter(role::Column::Id.is_in(bulk::padded(ids)))
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.id.clone(), stored(&row)))
        .collect())
}

/// What one user may do, out of [`rights_of`].
pub fn rights_among(found: &HashMap<String, Rights>, user: &operator::Model) -> Rights {
    match &user.role_id {
        Some(id) => found.get(id).copied().unwrap_or(Rights::NONE),
        None => Rights::of(Role::parse(&user.role)),
    }
}

fn stored(row: &role::Model) -> Rights {
    let objects = row.rights.as_object().into_iter().flatten();
    // A word of another version says nothing, and hides nothing of the others.
    let read = |(object, actions): (&String, &serde_json::Value)| {
        let object: Object = serde_json::from_value(object.as_str().into()).ok()?;
        let actions: BTreeMap<Action, Reach> = serde_json::from_value(actions.clone()).ok()?;
        Some((object, actions))
    };
    Rights::lenient(&objects.filter_map(read).collect())
}

#[derive(FromQueryResult)]
struct Count {
    id: String,
    count: i64,
}

async fn user_counts(db: &impl ConnectionTrait) -> Result<HashMap<String, u64>, DbErr> {
    let sql = "SELECT COALESCE(role_id, role) AS id, COUNT(*) AS count FROM operator WHERE enabled OR NOT service GROUP BY COALESCE(role_id, role)";
    let statement = Statement::from_string(db.get_database_backend(), sql.to_owned());
    let rows = Count::find_by_statement(statement).all(db).await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.id, row.count.unsigned_abs()))
        .collect())
}

/// All roles: the built-in ones, then those of admins by name.
pub async fn list(db: &impl ConnectionTrait) -> Result<Vec<RoleView>, DbErr> {
    let counts = user_counts(db).await?;
    let count = |id: &str| counts.get(id).copied().unwrap_or_default();
    let rows = role::Entity::find()
        .order_by_asc(role::Column::NameKey)
        .limit(LIMIT)
        .all(db)
        .await?;
    let of_house = BUILT_IN.into_iter().map(|role| RoleView {
        id: role.as_str().to_owned(),
        name: role.as_str().to_owned(),
        built_in: true,
        rights: Rights::of(role).grid(),
        user_count: count(role.as_str()),
        version: 1,
        created_at: None,
        updated_at: None,
    });
    let of_admins = rows.into_iter().map(|row| RoleView {
        rights: stored(&row).grid(),
        user_count: count(&row.id),
        id: row.id,
        name: row.name,
        built_in: false,
        version: row.version,
        created_at: Some(row.created_at),
        updated_at: Some(row.updated_at),
    });
    Ok(of_house.chain(of_admins).collect())
}

/// A role by id.
pub async fn find(db: &impl ConnectionTrait, id: &str) -> Result<RoleView, Error> {
    let mut roles = list(db).await?.into_iter();
    roles.find(|role| role.id == id).ok_or(Error::NotFound)
}

/// Makes a role; answers its id.
///
/// # Errors
/// [`Error::Invalid`] with each field that cannot be.
pub async fn create(write: &WriteTx, new: Change, now: DateTime<Utc>) -> Result<String, Error> {
    let row = role::Model {
        id: id::new(Kind::Role, now),
        name: String::new(),
        name_key: String::new(),
        rights: serde_json::json!({}),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let name = Some(new.name.unwrap_or_default());
    let row = changed(write, row, Change { name, ..new }).await?;
    if role::Entity::find().count(write.tx()).await? >= LIMIT {
        let message = format!("there are {LIMIT} roles already; remove one that nobody has");
        return Err(Error::Invalid(vec![(String::new(), message)]));
    }
    let id = row.id.clone();
    role::Entity::insert(row.into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    Ok(id)
}

/// Changes a role. It holds for those who have it from their next request on, and on their open sockets.
///
/// # Errors
/// [`Error::Stale`], [`Error::BuiltIn`], [`Error::Invalid`] with each field that cannot be.
pub async fn update(write: &mut WriteTx, id: &str, change: Change, now: DateTime<Utc>) -> Result<(), Error> {
    let current = lock(write, id).await?;
    if change.version.is_some_and(|version| version != current.version) {
        return Err(Error::Stale);
    }
    let mut row = changed(write, current.clone(), change).await?;
    if row == current {
        return Ok(());
    }
    row.version += 1;
    row.updated_at = now;
    row.into_active_model().reset_all().update(write.tx()).await?;
    let users = operator::Entity::find()
        .filter(operator::Column::RoleId.eq(id))
        .all(write.tx())
        .await?;
    operator::Entity::update_many()
        .col_expr(
            operator::Column::Version,
            Expr::col(operator::Column::Version).add(1),
        )
        .filter(operator::Column::RoleId.eq(id))
        .exec(write.tx())
        .await?;
    for user in users {
        write.record(NewEvent::new(EventType::OperatorUpdated, &user.id, now));
    }
    Ok(())
}

/// Removes a role that nobody has.
///
/// # Errors
/// [`Error::RoleInUse`], [`Error::BuiltIn`].
pub async fn delete(write: &WriteTx, id: &str) -> Result<(), Error> {
    lock(write, id).await?;
    // The users of revoked keys stay as authors of what they wrote, and never come back.
    let revoked = Condition::all()
        .add(operator::Column::Service.eq(true))
        .add(operator::Column::Enabled.eq(false));
    let users = operator::Entity::find()
        .filter(operator::Column::RoleId.eq(id))
        .filter(revoked.clone().not())
        .count(write.tx())
        .await?;
    if users > 0 {
        return Err(Error::RoleInUse(users));
    }
    operator::Entity::update_many()
        .col_expr(operator::Column::RoleId, Expr::value(None::<String>))
        .filter(operator::Column::RoleId.eq(id))
        .filter(revoked)
        .exec(write.tx())
        .await?;
    role::Entity::delete_by_id(id).exec(write.tx()).await?;
    Ok(())
}

/// What a user's row says who is given this role: the built-in role, and the id of an admin's.
///
/// # Errors
/// [`Error::Invalid`] when there is no such role, or `said` is another one.
pub async fn given(
    write: &WriteTx,
    said: Option<Role>,
    role_id: Option<&str>,
) -> Result<Option<(Role, Option<String>)>, Error> {
    let wrong = |message: &str| Err(Error::Invalid(vec![("role_id".to_owned(), message.to_owned())]));
    let Some(id) = role_id else {
        return Ok(said.map(|role| (role, None)));
    };
    let found = match built_in(id) {
        Some(role) => (role, None),
        None if id.contains('\0') => return wrong("there is no such role"),
        // Locked, so that nobody removes it meanwhile.
        None => match role::Entity::find_by_id(id).lock_shared().one(write.tx()).await? {
            Some(row) => (Role::Operator, Some(row.id)),
            None => return wrong("there is no such role"),
        },
    };
    if said.is_some_and(|said| said != found.0) {
        return wrong("is another role than `role` says; name one of the two");
    }
    Ok(Some(found))
}

async fn lock(write: &WriteTx, id: &str) -> Result<role::Model, Error> {
    if built_in(id).is_some() {
        return Err(Error::BuiltIn);
    }
    role::Entity::find_by_id(id)
        .lock_exclusive()
        .one(write.tx())
        .await?
        .ok_or(Error::NotFound)
}

async fn changed(write: &WriteTx, mut row: role::Model, change: Change) -> Result<role::Model, Error> {
    let mut errors = Vec::new();
    if let Some(name) = change.name {
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        if !(1..=NAME_CHARS).contains(&name.chars().count()) || name.contains(char::is_control) {
            errors.push((
                "name".to_owned(),
                format!("must have 1 to {NAME_CHARS} characters"),
            ));
        } else {
            let key = name.to_lowercase();
            let other = role::Entity::find()
                .filter(role::Column::NameKey.eq(&key))
                .filter(role::Column::Id.ne(&row.id))
                .one(write.tx())
                .await?;
            if other.is_some() || built_in(&key).is_some() {
                errors.push(("name".to_owned(), "another role is called so".to_owned()));
            }
            (row.name, row.name_key) = (name, key);
        }
    }
    if let Some(grid) = change.rights {
        match Rights::read(&grid) {
            Ok(rights) => row.rights = serde_json::json!(rights.grid()),
            Err(wrong) => errors.extend(wrong),
        }
    }
    if errors.is_empty() {
        Ok(row)
    } else {
        Err(Error::Invalid(errors))
    }
}
