//! What becomes of a file beside what it says: it is taken up, unpacked, put off, or has failed.

use chrono::TimeDelta;
use sea_orm::DbErr;
use tokio::runtime::Handle;

use super::{State, Tools, read::Parts, run::Error, store, unpack};
use crate::{
    db::entity::commerce_file,
    id::{self, Kind},
};

/// How long the rest of a file is waited for that nobody said was whole.
const PATIENCE: TimeDelta = TimeDelta::hours(1);
const LOOK_AGAIN: TimeDelta = TimeDelta::minutes(5);

/// A file whose parts stopped coming is taken for whole; none when it is not to be worked on any more.
pub(super) async fn claim(tools: &Tools, id: &str) -> Result<Option<commerce_file::Model>, DbErr> {
    let write = tools.db.write().await?;
    let Some(mut row) = store::hold_file(&write, id).await? else {
        return Ok(None);
    };
    let now = tools.clock.now();
    match State::parse(&row.state) {
        State::Waiting => Ok(Some(row)),
        State::Receiving if row.due_at.is_some_and(|due| due <= now) => {
            row.state = State::Waiting.as_str().to_owned();
            store::replace_file(&write, row.clone()).await?;
            write.commit().await?;
            Ok(Some(row))
        }
        _ => Ok(None),
    }
}

/// Puts the files of an archive in its place.
pub(super) async fn unpacked(
    tools: &Tools,
    file: &commerce_file::Model,
    keys: Vec<String>,
) -> Result<(), Error> {
    let now = tools.clock.now();
    let parts = Parts::new(tools.storage.clone(), keys);
    let (storage, handle) = (tools.storage.clone(), Handle::current());
    let done = tokio::task::spawn_blocking(move || unpack::unpack(parts, &storage, &handle, now)).await?;
    let files = match done {
        Ok(files) => files,
        Err(unpack::Error::Io(error)) => return Err(error.into()),
        // Half an archive: the rest of it may still come.
        Err(unpack::Error::Archive(_)) if file.due_at.is_some() => return Err(Error::Unfinished),
        Err(error) => return Err(Error::File(error.to_string())),
    };
    let write = tools.db.write().await?;
    let mut forgotten = Vec::new();
    let row = store::hold_file(&write, &file.id).await?;
    if let Some(mut row) = row.filter(|row| row.state == State::Waiting.as_str()) {
        for unpacked in files {
            let name = &unpacked.name;
            if store::file_named(write.tx(), &row.exchange_id, &row.sitting, name)
                .await?
                .is_some()
            {
                forgotten.extend(unpacked.keys);
                continue;
            }
            let mut child = store::begun(
                id::new(Kind::CommerceFile, now),
                &row.exchange_id,
                &row.sitting,
                name,
                now,
            );
            child.size = unpacked.size;
            child.parts = i64::try_from(unpacked.keys.len()).unwrap_or(i64::MAX);
            // They are whole, and taken in also when nobody asks for them one by one.
            child.state = State::Waiting.as_str().to_owned();
            let child_id = child.id.clone();
            store::insert_file(&write, child).await?;
            for (number, key) in (1..).zip(&unpacked.keys) {
                store::insert_part(&write, &child_id, number, key).await?;
            }
        }
        forgotten.extend(store::forget_parts(&write, &row.id).await?);
        row.state = State::Unpacked.as_str().to_owned();
        row.finished_at = Some(now);
        row.due_at = None;
        store::replace_file(&write, row).await?;
    } else {
        forgotten.extend(files.into_iter().flat_map(|file| file.keys));
    }
    write.commit().await?;
    store::forget_bytes(&tools.storage, &forgotten).await;
    Ok(())
}

/// Waits for the rest of a file that nobody said was whole; one that was, or that is old, has failed. Answers whether.
pub(super) async fn put_off(tools: &Tools, id: &str) -> Result<bool, DbErr> {
    let now = tools.clock.now();
    let write = tools.db.write().await?;
    if let Some(mut row) = store::hold_file(&write, id).await?
        && row.due_at.is_some()
        && now - row.created_at < PATIENCE
    {
        row.state = State::Receiving.as_str().to_owned();
        row.due_at = Some(now + LOOK_AGAIN);
        store::replace_file(&write, row).await?;
        write.commit().await?;
        return Ok(false);
    }
    drop(write);
    fail(tools, id, "the file is cut off").await?;
    Ok(true)
}

pub(super) async fn fail(tools: &Tools, id: &str, reason: &str) -> Result<(), DbErr> {
    let mut write = tools.db.write().await?;
    let keys = store::fail(&mut write, id, reason, tools.clock.now()).await?;
    write.commit().await?;
    store::forget_bytes(&tools.storage, &keys).await;
    Ok(())
}
