//! Files: those whose rows are gone, those nobody's row names, and those that hold an address and wait for somebody.

use std::{
    collections::HashSet,
    io::{Cursor, Read as _},
};

use chrono::TimeDelta;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Statement,
};

use super::{Counts, Person, State, Tools, needles::Needles, rows::Rows, store};
use crate::{
    commerce as exchanges,
    db::{
        bulk,
        entity::{erasure, erasure_file, import, quarantine},
    },
    import as imports,
    storage::{self, Storage},
};

/// Files removed before it is written down.
const FILES: u64 = 200;
/// Rows of quarantine looked at in one go.
const PAGE: u64 = 100;
/// A file this young may be one whose row is about to be written.
const YOUNG: TimeDelta = TimeDelta::hours(1);
/// Bytes of a part that are looked at together with the next one.
const SEAM: usize = 4 << 10;
/// A file unpacked from a spreadsheet is looked at so far.
const UNPACKED: u64 = 256 << 20;

/// Why it cannot go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbErr),
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// An import that is being taken in holds the person.
    #[error("a file with this person in it is being taken in; it goes on when that has ended")]
    Import,
}

/// Removes everything; may be begun anew at any time.
pub(super) async fn all(
    tools: &Tools,
    row: &mut erasure::Model,
    person: &Person,
    counts: &mut Counts,
) -> Result<(), Error> {
    uploads(tools, row, &person.needles, counts).await?;
    exchanged(tools, row, &person.needles, counts).await?;
    raw(tools, row, &person.needles, counts).await?;
    strays(tools, row, counts).await?;
    named(tools, row).await?;
    let write = tools.db.write().await?;
    store::advance(&write, row, (State::Disk, 0), counts, tools.clock.now()).await?;
    write.commit().await?;
    Ok(())
}

/// Files that were noted when their rows went.
async fn named(tools: &Tools, row: &erasure::Model) -> Result<(), Error> {
    loop {
        let keys: Vec<String> = erasure_file::Entity::find()
            .select_only()
            .column(erasure_file::Column::StorageKey)
            .filter(erasure_file::Column::ErasureId.eq(&row.id))
            .limit(FILES)
            .into_tuple()
            .all(tools.db.read())
            .await?;
        if keys.is_empty() {
            return Ok(());
        }
        let in_use = used(tools, &keys).await?;
        for key in keys.iter().filter(|key| !in_use.contains(*key)) {
            tools.storage.delete(key).await?;
        }
        let write = tools.db.write().await?;
        erasure_file::Entity::delete_many()
            .filter(erasure_file::Column::ErasureId.eq(&row.id))
            .filter(erasure_file::Column::StorageKey.is_in(bulk::padded(keys)))
            .exec(write.tx())
            .await?;
        write.commit().await?;
    }
}

/// Which of these some row still names: one mail may have come to two of our mailboxes.
pub(super) async fn used(tools: &Tools, keys: &[String]) -> Result<HashSet<String>, DbErr> {
    if keys.is_empty() {
        return Ok(HashSet::new());
    }
    let (list, values) = store::listed(keys);
    let sql = format!(
        "SELECT storage_key FROM attachment WHERE storage_key IN {list} \
         UNION SELECT original_key FROM message WHERE original_key IN {list} \
         UNION SELECT storage_key FROM quarantine WHERE storage_key IN {list} \
         UNION SELECT storage_key FROM import WHERE storage_key IN {list} \
         UNION SELECT storage_key FROM person_export WHERE storage_key IN {list} \
         UNION SELECT storage_key FROM commerce_part WHERE storage_key IN {list}"
    );
    let statement = Statement::from_sql_and_values(tools.db.backend(), sql, values);
    let rows = tools.db.read().query_all_raw(statement).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// What a crash left: files that no row names. They may be anybody's.
async fn strays(tools: &Tools, row: &erasure::Model, counts: &mut Counts) -> Result<(), Error> {
    let before = tools.clock.now() - YOUNG;
    let mut keys = tools.storage.older_than(before).await?;
    keys.retain(|key| is_ours(key));
    while !keys.is_empty() {
        let rest = keys.split_off(keys.len().min(500));
        let in_use = used(tools, &keys).await?;
        let mut stray: Vec<String> = keys.into_iter().filter(|key| !in_use.contains(key)).collect();
        if !stray.is_empty() {
            let waiting = waiting(tools).await?;
            stray.retain(|key| !waiting.iter().any(|text| text.contains(key.as_str())));
        }
        if !stray.is_empty() {
            let mut write = tools.db.write().await?;
            Rows::new(&mut write, &row.id, tools.clock.now())
                .files(stray, counts)
                .await?;
            write.commit().await?;
        }
        keys = rest;
    }
    Ok(())
}

/// Whether a key is one that we give: the folder may be shared with other things.
fn is_ours(key: &str) -> bool {
    key.split_once('/').is_some_and(|(_, name)| {
        ["att_", "org_", "qrt_", "imp_", "exf_"]
            .iter()
            .any(|kind| name.starts_with(kind))
            && storage::key(name) == key
    })
}

/// Texts that name files which have no rows yet.
async fn waiting(tools: &Tools) -> Result<Vec<String>, DbErr> {
    let sql = "SELECT CAST(change AS TEXT) FROM waiting_change \
               UNION ALL SELECT CAST(held AS TEXT) FROM submission WHERE held IS NOT NULL";
    let statement = Statement::from_string(tools.db.backend(), sql);
    let rows = tools.db.read().query_all_raw(statement).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// What could not be understood when it came, and is about them.
async fn raw(
    tools: &Tools,
    row: &erasure::Model,
    needles: &Needles,
    counts: &mut Counts,
) -> Result<(), Error> {
    let mut after = String::new();
    loop {
        let page = quarantine::Entity::find()
            .filter(quarantine::Column::Id.gt(&after))
            .order_by_asc(quarantine::Column::Id)
            .limit(PAGE)
            .all(tools.db.read())
            .await?;
        let Some(last) = page.last() else { return Ok(()) };
        after.clone_from(&last.id);
        let mut theirs = Vec::new();
        for kept in page {
            if holds(&tools.storage, &kept.storage_key, needles).await? {
                theirs.push(kept);
            }
        }
        if theirs.is_empty() {
            continue;
        }
        let (ids, keys): (Vec<String>, Vec<String>) =
            theirs.into_iter().map(|kept| (kept.id, kept.storage_key)).unzip();
        let mut write = tools.db.write().await?;
        let mut rows = Rows::new(&mut write, &row.id, tools.clock.now());
        rows.files(keys, counts).await?;
        rows.run("DELETE FROM quarantine WHERE id IN {list}", &ids)
            .await?;
        write.commit().await?;
    }
}

/// Uploaded tables and cards that somebody may take in yet.
async fn uploads(
    tools: &Tools,
    row: &erasure::Model,
    needles: &Needles,
    counts: &mut Counts,
) -> Result<(), Error> {
    let uploads = import::Entity::find()
        .filter(import::Column::StorageKey.is_not_null())
        .all(tools.db.read())
        .await?;
    for upload in uploads {
        let Some(key) = &upload.storage_key else { continue };
        if !holds(&tools.storage, key, needles).await? {
            continue;
        }
        if imports::State::parse(&upload.state).is_busy() {
            return Err(Error::Import);
        }
        let now = tools.clock.now();
        let mut write = tools.db.write().await?;
        let why = "the file held a person who was erased since: upload it again without them";
        imports::store::fail(&write, &upload.id, why, now).await?;
        let mut rows = Rows::new(&mut write, &row.id, now);
        rows.files(vec![key.clone()], counts).await?;
        let ids = [upload.id.clone()];
        rows.run("UPDATE import SET storage_key = NULL WHERE id IN {list}", &ids)
            .await?;
        write.commit().await?;
    }
    Ok(())
}

/// Files of 1C of which more may come. An address may stand where one part ends and the next begins; in an archive it
/// cannot be seen before all of it is here.
async fn exchanged(
    tools: &Tools,
    row: &erasure::Model,
    needles: &Needles,
    counts: &mut Counts,
) -> Result<(), Error> {
    for file in exchanges::store::open_files(tools.db.read()).await? {
        let (mut theirs, mut seam) = (false, Vec::new());
        for key in exchanges::store::parts(tools.db.read(), &file.id).await? {
            let part = match tools.storage.get(&key).await {
                Ok(part) => part,
                Err(storage::Error::Missing) => continue,
                Err(error) => return Err(error.into()),
            };
            theirs |= seam.is_empty() && part.starts_with(b"PK");
            seam.extend_from_slice(&part);
            theirs |= needles.in_bytes(&seam);
            seam.drain(..seam.len().saturating_sub(SEAM));
        }
        if !theirs {
            continue;
        }
        if file.state == exchanges::State::Waiting.as_str() {
            return Err(Error::Import);
        }
        let now = tools.clock.now();
        let mut write = tools.db.write().await?;
        let why = "the file held a person who was erased since: begin the exchange again";
        let keys = exchanges::store::fail(&mut write, &file.id, why, now).await?;
        Rows::new(&mut write, &row.id, now).files(keys, counts).await?;
        write.commit().await?;
    }
    Ok(())
}

async fn holds(storage: &Storage, key: &str, needles: &Needles) -> Result<bool, storage::Error> {
    let bytes = match storage.get(key).await {
        Ok(bytes) => bytes,
        Err(storage::Error::Missing) => return Ok(false),
        Err(error) => return Err(error),
    };
    let needles = needles.clone();
    let looked = tokio::task::spawn_blocking(move || {
        needles.in_bytes(&bytes) || (bytes.starts_with(b"PK") && in_archive(&bytes, &needles))
    });
    looked.await.map_err(|error| std::io::Error::other(error).into())
}

/// Whether a spreadsheet holds an address.
fn in_archive(bytes: &[u8], needles: &Needles) -> bool {
    let Ok(mut archive) = zip::ZipArchive::new(Cursor::new(bytes)) else {
        return false;
    };
    (0..archive.len()).any(|place| {
        let Ok(file) = archive.by_index(place) else {
            return false;
        };
        let mut text = Vec::new();
        // What could be read of a damaged one is looked at.
        let _damaged = file.take(UNPACKED).read_to_end(&mut text);
        needles.in_bytes(&text)
    })
}
