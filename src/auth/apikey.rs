//! API keys: `sb_…`, shown once, kept as a hash; each has a service user of its own.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, Set};

use crate::{
    db::{
        WriteTx,
        entity::{api_key, operator},
    },
    event::{EventType, NewEvent},
    id,
    operator::{self as people, rights::Role, store::NewOperator},
    secret,
};

/// How every key begins.
pub const PREFIX: &str = "sb_";
/// Characters of a key that are kept readable, to tell keys apart in a list.
const SHOWN_CHARS: usize = 11;

/// A key that was just made.
#[derive(Clone)]
pub struct NewKey {
    /// Its entry.
    pub row: api_key::Model,
    /// Its service user.
    pub user: operator::Model,
    /// The key itself; not kept anywhere else.
    pub key: String,
}

impl std::fmt::Debug for NewKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewKey")
            .field("id", &self.row.id)
            .finish_non_exhaustive()
    }
}

/// Makes a key and its service user.
pub async fn create(
    write: &mut WriteTx,
    name: &str,
    role: Option<Role>,
    role_id: Option<String>,
    now: DateTime<Utc>,
) -> Result<NewKey, people::Error> {
    let account = NewOperator {
        email: None,
        name: name.to_owned(),
        role,
        role_id,
        password_hash: None,
        languages: Vec::new(),
        skills: Vec::new(),
        capacity: None,
        service: true,
    };
    let user = people::store::create(write, account, now).await?;
    let key = format!("{PREFIX}{}", id::token());
    let row = api_key::ActiveModel {
        id: Set(id::new(id::Kind::ApiKey, now)),
        operator_id: Set(user.id.clone()),
        name: Set(user.name.clone()),
        prefix: Set(key.chars().take(SHOWN_CHARS).collect()),
        key_hash: Set(secret::hash_token(&key)),
        created_at: Set(now),
    }
    .insert(write.tx())
    .await?;
    Ok(NewKey { row, user, key })
}

/// The user a key stands for, when the key is known and the user enabled.
pub async fn find(db: &impl ConnectionTrait, key: &str) -> Result<Option<operator::Model>, DbErr> {
    if !key.starts_with(PREFIX) {
        return Ok(None);
    }
    let row = api_key::Entity::find()
        .filter(api_key::Column::KeyHash.eq(secret::hash_token(key)))
        .one(db)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let user = operator::Entity::find_by_id(row.operator_id).one(db).await?;
    Ok(user.filter(|user| user.enabled))
}

/// Revokes a key and disables its service user, who stays as the author of what it wrote. `false`
/// when there is no such key.
pub async fn revoke(write: &mut WriteTx, key_id: &str, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let Some(row) = api_key::Entity::find_by_id(key_id).one(write.tx()).await? else {
        return Ok(false);
    };
    api_key::Entity::delete_by_id(key_id).exec(write.tx()).await?;
    let user = operator::Entity::find_by_id(&row.operator_id)
        .one(write.tx())
        .await?;
    if let Some(user) = user.filter(|user| user.service) {
        let version = user.version;
        let mut user: operator::ActiveModel = user.into();
        user.enabled = Set(false);
        user.version = Set(version + 1);
        user.update(write.tx()).await?;
        write.record(NewEvent::new(EventType::OperatorUpdated, row.operator_id, now));
    }
    Ok(true)
}
