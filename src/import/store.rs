//! Reading and changing imports and kept mappings.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect, Set,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use switchboard_exchange::{Layout, Mapping};

use super::{
    Counts, Kind, Options, State, WrongRow,
    new::{self, Own},
    read_json,
};
use crate::{
    custom_field,
    db::{
        Db, WriteTx,
        entity::{import, import_mapping, import_row, line, operator, pipeline},
    },
    storage::Storage,
};

/// A file that nobody takes in is forgotten after this.
const LEFT: TimeDelta = TimeDelta::days(2);

/// A place in the list: the newest stand first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// When the last row was made.
    pub at: DateTime<Utc>,
    /// The row.
    pub id: String,
}

/// Why an import was not changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such import.
    #[error("no such import")]
    Missing,
    /// Somebody changed it meanwhile.
    #[error("somebody else changed this import meanwhile; load it again")]
    Stale,
    /// It is not where this can be done.
    #[error("this import is {0}; that cannot be done now")]
    State(&'static str),
    /// The same file was taken in before.
    #[error("this very file was taken in before, on {0}; say so if it is meant to be taken in again")]
    Again(String),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbErr),
}

/// Imports, the newest first, and one row more when there are more.
pub async fn list(
    db: &impl ConnectionTrait,
    after: Option<&Place>,
    limit: u64,
) -> Result<Vec<import::Model>, DbErr> {
    let mut query = import::Entity::find();
    if let Some(place) = after {
        query = query.filter(
            Condition::any().add(import::Column::CreatedAt.lt(place.at)).add(
                Condition::all()
                    .add(import::Column::CreatedAt.eq(place.at))
                    .add(import::Column::Id.lt(&place.id)),
            ),
        );
    }
    query
        .order_by_desc(import::Column::CreatedAt)
        .order_by_desc(import::Column::Id)
        .limit(limit + 1)
        .all(db)
        .await
}

/// One import.
pub async fn find(db: &impl ConnectionTrait, id: &str) -> Result<import::Model, Error> {
    import::Entity::find_by_id(id)
        .one(db)
        .await?
        .ok_or(Error::Missing)
}

/// One import, locked until the end of the write.
pub async fn lock(write: &WriteTx, id: &str) -> Result<import::Model, Error> {
    let row = import::Entity::find_by_id(id)
        .lock_exclusive()
        .one(write.tx())
        .await?;
    row.ok_or(Error::Missing)
}

/// Keeps a new import.
pub async fn create(write: &WriteTx, row: import::Model) -> Result<(), DbErr> {
    import::Entity::insert(row.into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    Ok(())
}

/// What may be changed before it begins.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// What rows become.
    pub kind: Option<Kind>,
    /// How the file is read, with its columns and the number of its rows then.
    pub layout: Option<(Layout, Vec<String>, i64)>,
    /// Which column fills which field.
    pub mapping: Option<Mapping>,
    /// How rows are taken in.
    pub options: Option<Options>,
    /// The version the change was made from.
    pub version: Option<i64>,
}

/// Changes an import that has not begun. What was checked before is no longer true.
pub async fn change(write: &WriteTx, id: &str, change: Change, now: DateTime<Utc>) -> Result<(), Error> {
    let row = lock(write, id).await?;
    if change.version.is_some_and(|version| version != row.version) {
        return Err(Error::Stale);
    }
    let state = State::parse(&row.state);
    if !state.is_open() {
        return Err(Error::State(state.as_str()));
    }
    let mut update = moved(&row, State::Draft, now);
    update.counts = Set(json!(Counts::default()));
    update.cursor = Set(0);
    if let Some(kind) = change.kind {
        update.kind = Set(kind.as_str().to_owned());
    }
    if let Some((layout, columns, total)) = change.layout {
        update.layout = Set(json!(layout));
        update.columns = Set(json!(columns));
        update.total = Set(total);
    }
    if let Some(mapping) = change.mapping {
        update.mapping = Set(json!(mapping));
    }
    if let Some(options) = change.options {
        update.options = Set(json!(options));
    }
    forget_rows(write, id).await?;
    update.update_without_returning(write.tx()).await?;
    Ok(())
}

fn moved(row: &import::Model, state: State, now: DateTime<Utc>) -> import::ActiveModel {
    import::ActiveModel {
        id: Set(row.id.clone()),
        state: Set(state.as_str().to_owned()),
        version: Set(row.version + 1),
        updated_at: Set(now),
        ..Default::default()
    }
}

async fn forget_rows(write: &WriteTx, id: &str) -> Result<(), DbErr> {
    import_row::Entity::delete_many()
        .filter(import_row::Column::ImportId.eq(id))
        .exec(write.tx())
        .await?;
    Ok(())
}

/// Has it looked at what would happen.
pub async fn check(write: &WriteTx, id: &str, now: DateTime<Utc>) -> Result<(), Error> {
    let row = lock(write, id).await?;
    begin(write, &row, State::Checking, now).await
}

/// Has it taken in. `again`: even when the very file was taken in before.
pub async fn start(write: &WriteTx, id: &str, again: bool, now: DateTime<Utc>) -> Result<(), Error> {
    let row = lock(write, id).await?;
    if !again && let Some(before) = same_file(write.tx(), &row.hash).await? {
        return Err(Error::Again(before.created_at.format("%Y-%m-%d").to_string()));
    }
    begin(write, &row, State::Running, now).await
}

/// An import that took in, or takes in, a file of this hash.
pub async fn same_file(db: &impl ConnectionTrait, hash: &str) -> Result<Option<import::Model>, DbErr> {
    import::Entity::find()
        .filter(import::Column::Hash.eq(hash))
        .filter(import::Column::State.is_in([State::Running.as_str(), State::Done.as_str()]))
        .order_by_desc(import::Column::CreatedAt)
        .limit(1)
        .one(db)
        .await
}

async fn begin(write: &WriteTx, row: &import::Model, state: State, now: DateTime<Utc>) -> Result<(), Error> {
    let present = State::parse(&row.state);
    if !present.is_open() {
        return Err(Error::State(present.as_str()));
    }
    forget_rows(write, &row.id).await?;
    let mut update = moved(row, state, now);
    update.cursor = Set(0);
    update.counts = Set(json!(Counts::default()));
    update.started_at = Set(Some(now));
    update.ended_at = Set(None);
    update.error = Set(None);
    update.update_without_returning(write.tx()).await?;
    Ok(())
}

/// Stops it where it is.
pub async fn cancel(write: &WriteTx, id: &str, now: DateTime<Utc>) -> Result<(), Error> {
    let row = lock(write, id).await?;
    let state = match State::parse(&row.state) {
        State::Running => State::Cancelled,
        State::Checking => State::Draft,
        other => return Err(Error::State(other.as_str())),
    };
    let mut update = moved(&row, state, now);
    update.ended_at = Set(Some(now));
    update.update_without_returning(write.tx()).await?;
    Ok(())
}

/// Has what it made taken back.
pub async fn undo(write: &WriteTx, id: &str, now: DateTime<Utc>) -> Result<(), Error> {
    let row = lock(write, id).await?;
    let state = State::parse(&row.state);
    if !matches!(state, State::Done | State::Cancelled | State::Failed) {
        return Err(Error::State(state.as_str()));
    }
    let mut update = moved(&row, State::Undoing, now);
    // Backwards: a later row may hang on what an earlier one made.
    update.cursor = Set(i64::MAX);
    update.update_without_returning(write.tx()).await?;
    Ok(())
}

/// Forgets an import that is not being worked on; what it took in stays. Answers its file.
pub async fn delete(write: &WriteTx, id: &str) -> Result<Option<String>, Error> {
    let row = lock(write, id).await?;
    let state = State::parse(&row.state);
    if state.is_busy() {
        return Err(Error::State(state.as_str()));
    }
    import::Entity::delete_by_id(id).exec(write.tx()).await?;
    Ok(row.storage_key)
}

/// Wrong rows after a row, in order, and one more when there are more.
pub async fn wrong_rows(
    db: &impl ConnectionTrait,
    id: &str,
    after: i64,
    limit: u64,
) -> Result<Vec<WrongRow>, DbErr> {
    let rows = import_row::Entity::find()
        .filter(import_row::Column::ImportId.eq(id))
        .filter(import_row::Column::Outcome.eq("failed"))
        .filter(import_row::Column::RowNo.gt(after))
        .order_by_asc(import_row::Column::RowNo)
        .limit(limit + 1)
        .all(db)
        .await?;
    let view = |row: import_row::Model| WrongRow {
        row: row.row_no,
        line: row.line,
        errors: row.errors.map(read_json).unwrap_or_default(),
    };
    Ok(rows.into_iter().map(view).collect())
}

/// The imports somebody waits for, the oldest first.
pub async fn work(db: &impl ConnectionTrait) -> Result<Vec<import::Model>, DbErr> {
    let busy = [State::Checking, State::Running, State::Undoing].map(State::as_str);
    import::Entity::find()
        .filter(import::Column::State.is_in(busy))
        .order_by_asc(import::Column::UpdatedAt)
        .limit(20)
        .all(db)
        .await
}

/// Forgets files that nobody took in: an upload is somebody's address book.
pub async fn sweep(db: &Db, storage: &Storage, now: DateTime<Utc>) -> Result<(), DbErr> {
    let open = [State::Draft, State::Checked].map(State::as_str);
    let left = import::Entity::find()
        .filter(import::Column::State.is_in(open))
        .filter(import::Column::UpdatedAt.lt(now - LEFT))
        .limit(100)
        .all(db.read())
        .await?;
    for row in left {
        let write = db.write().await?;
        import::Entity::delete_by_id(&row.id).exec(write.tx()).await?;
        write.commit().await?;
        if let Some(key) = row.storage_key
            && let Err(error) = storage.delete(&key).await
        {
            tracing::warn!(import.id = row.id, %error, "the file of a forgotten import could not be removed");
        }
    }
    Ok(())
}

/// The custom fields that columns can fill.
pub async fn own_fields(db: &impl ConnectionTrait) -> Result<Vec<Own>, DbErr> {
    let defined = custom_field::store::list(db, None).await?;
    let own = defined
        .iter()
        .filter_map(|one| Own::new(&one.object, &one.key, &one.label));
    Ok(own.collect())
}

/// What of the options cannot be: the field, and what is wrong.
pub async fn option_fault(
    db: &impl ConnectionTrait,
    options: &Options,
) -> Result<Option<(&'static str, &'static str)>, DbErr> {
    if options
        .region
        .as_ref()
        .is_some_and(|region| !new::is_region(region))
    {
        return Ok(Some(("region", "is a country's two letters, as RU")));
    }
    if let Some(id) = &options.line_id
        && line::Entity::find_by_id(id).one(db).await?.is_none()
    {
        return Ok(Some(("line_id", "there is no such line")));
    }
    if let Some(id) = &options.operator_id
        && operator::Entity::find_by_id(id).one(db).await?.is_none()
    {
        return Ok(Some(("operator_id", "there is no such user")));
    }
    if let Some(id) = &options.pipeline_id {
        let found = pipeline::Entity::find_by_id(id).one(db).await?;
        if found.is_none_or(|row| row.removed_at.is_some()) {
            return Ok(Some(("pipeline_id", "there is no such pipeline")));
        }
    }
    Ok(None)
}

/// Kept mappings by their name.
pub async fn mappings(db: &impl ConnectionTrait) -> Result<Vec<import_mapping::Model>, DbErr> {
    import_mapping::Entity::find()
        .order_by_asc(import_mapping::Column::Name)
        .limit(500)
        .all(db)
        .await
}

/// Begins a check anew that was cut short.
pub async fn check_again(write: &WriteTx, id: &str, now: DateTime<Utc>) -> Result<(), DbErr> {
    forget_rows(write, id).await?;
    let update = import::ActiveModel {
        id: Set(id.to_owned()),
        cursor: Set(0),
        counts: Set(json!(Counts::default())),
        updated_at: Set(now),
        ..Default::default()
    };
    update.update_without_returning(write.tx()).await?;
    Ok(())
}

/// Ends an import that is where it was left; answers whether it was there.
pub async fn end(
    write: &WriteTx,
    was: &import::Model,
    cursor: i64,
    state: State,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let row = import::Entity::find_by_id(&was.id)
        .lock_exclusive()
        .one(write.tx())
        .await?;
    let Some(row) = row.filter(|row| row.state == was.state && row.cursor == cursor) else {
        return Ok(false);
    };
    let mut update = moved(&row, state, now);
    update.ended_at = Set(Some(now));
    if state != State::Checked {
        update.storage_key = Set(None);
    }
    update.update_without_returning(write.tx()).await?;
    Ok(true)
}

/// Keeps a mapping in the place of the one that had its name.
pub async fn keep_mapping(write: &WriteTx, row: import_mapping::Model) -> Result<(), DbErr> {
    import_mapping::Entity::delete_many()
        .filter(import_mapping::Column::Name.eq(&row.name))
        .exec(write.tx())
        .await?;
    import_mapping::Entity::insert(row.into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    Ok(())
}

/// Forgets a mapping; false when there is none.
pub async fn drop_mapping(write: &WriteTx, id: &str) -> Result<bool, DbErr> {
    let gone = import_mapping::Entity::delete_by_id(id).exec(write.tx()).await?;
    Ok(gone.rows_affected > 0)
}

/// It cannot go on.
pub async fn fail(write: &WriteTx, id: &str, reason: &str, now: DateTime<Utc>) -> Result<(), DbErr> {
    let Some(row) = import::Entity::find_by_id(id)
        .lock_exclusive()
        .one(write.tx())
        .await?
    else {
        return Ok(());
    };
    let mut update = moved(&row, State::Failed, now);
    update.error = Set(Some(reason.to_owned()));
    update.ended_at = Set(Some(now));
    update.update_without_returning(write.tx()).await?;
    Ok(())
}
