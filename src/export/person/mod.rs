//! Everything that is known of one person, as a file to be handed to them: an archive of JSON, readable conversations,
//! files and recordings. Made in the background, kept for some days.

mod gather;
mod pack;
pub mod run;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, Set,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    clock::SharedClock,
    conversation::view::Views,
    db::{Db, WriteTx, entity::person_export},
    id::{self, Kind},
    storage::Storage,
};

/// A file is kept this long.
const KEPT: TimeDelta = TimeDelta::days(7);

/// What making them needs.
#[derive(Clone)]
pub struct Tools {
    /// The store.
    pub db: Db,
    /// Files.
    pub storage: Storage,
    /// Time.
    pub clock: SharedClock,
    /// How conversations look.
    pub views: Views,
    /// This process, for leases.
    pub node: String,
}

impl std::fmt::Debug for Tools {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tools")
    }
}

/// A file with everything that is known of a person.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PersonExport)]
pub struct PersonExport {
    /// `pex_…`
    pub id: String,
    /// The contact.
    pub contact_id: String,
    /// `waiting`, `done` or `failed`.
    pub state: String,
    /// Its bytes, when it is done.
    pub size: Option<i64>,
    /// Why it failed.
    pub error: Option<String>,
    /// Who asked for it.
    pub operator_id: Option<String>,
    /// When.
    pub created_at: DateTime<Utc>,
    /// When it was done.
    pub finished_at: Option<DateTime<Utc>>,
    /// When the file goes.
    pub expires_at: Option<DateTime<Utc>>,
}

impl From<person_export::Model> for PersonExport {
    fn from(row: person_export::Model) -> Self {
        Self {
            id: row.id,
            contact_id: row.person_id,
            state: row.state,
            size: row.size,
            error: row.error,
            operator_id: row.operator_id,
            created_at: row.created_at,
            finished_at: row.finished_at,
            expires_at: row.expires_at,
        }
    }
}

/// Asks for one. One that waits already is answered.
pub async fn ask(
    write: &WriteTx,
    contact_id: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<PersonExport, DbErr> {
    let waiting = person_export::Entity::find()
        .filter(person_export::Column::PersonId.eq(contact_id))
        .filter(person_export::Column::State.eq("waiting"))
        .one(write.tx())
        .await?;
    if let Some(row) = waiting {
        return Ok(row.into());
    }
    let row = person_export::Model {
        id: id::new(Kind::PersonExport, now),
        person_id: contact_id.to_owned(),
        state: "waiting".to_owned(),
        storage_key: None,
        size: None,
        error: None,
        operator_id: Some(by.to_owned()),
        created_at: now,
        finished_at: None,
        expires_at: None,
    };
    person_export::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    Ok(row.into())
}

/// Those of a contact, the newest first.
pub async fn of_contact(db: &impl ConnectionTrait, contact_id: &str) -> Result<Vec<PersonExport>, DbErr> {
    let rows = person_export::Entity::find()
        .filter(person_export::Column::PersonId.eq(contact_id))
        .order_by_desc(person_export::Column::CreatedAt)
        .limit(20)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(PersonExport::from).collect())
}

/// One of a contact, with the key of its file when there is one.
pub async fn find(
    db: &impl ConnectionTrait,
    contact_id: &str,
    id: &str,
) -> Result<Option<(PersonExport, Option<String>)>, DbErr> {
    if id.contains('\0') || contact_id.contains('\0') {
        return Ok(None);
    }
    let row = person_export::Entity::find_by_id(id).one(db).await?;
    Ok(row
        .filter(|row| row.person_id == contact_id)
        .map(|row| (row.clone().into(), row.storage_key)))
}

/// Ends one.
async fn end(
    write: &WriteTx,
    id: &str,
    outcome: Result<(String, u64), String>,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let mut change = person_export::ActiveModel {
        finished_at: Set(Some(now)),
        expires_at: Set(Some(now + KEPT)),
        ..Default::default()
    };
    match outcome {
        Ok((key, size)) => {
            change.state = Set("done".to_owned());
            change.storage_key = Set(Some(key));
            change.size = Set(Some(i64::try_from(size).unwrap_or(i64::MAX)));
        }
        Err(why) => {
            change.state = Set("failed".to_owned());
            change.error = Set(Some(why));
        }
    }
    let done = person_export::Entity::update_many()
        .set(change)
        .filter(person_export::Column::Id.eq(id))
        .filter(person_export::Column::State.eq("waiting"))
        .exec(write.tx())
        .await?;
    Ok(done.rows_affected > 0)
}

/// Removes files whose time is over. The row goes last: a file without a row would be found by nobody.
async fn sweep(tools: &Tools) -> Result<(), DbErr> {
    let old = person_export::Entity::find()
        .filter(person_export::Column::ExpiresAt.lte(tools.clock.now()))
        .limit(100)
        .all(tools.db.read())
        .await?;
    for row in old {
        if let Some(key) = &row.storage_key
            && let Err(error) = tools.storage.delete(key).await
        {
            tracing::warn!(person_export.id = row.id, %error, "a file whose time is over could not be removed");
            continue;
        }
        let write = tools.db.write().await?;
        row.into_active_model().delete(write.tx()).await?;
        write.commit().await?;
    }
    Ok(())
}
