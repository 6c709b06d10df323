//! What 1C does, step by step: it signs in, sends a file in parts, asks for it to be taken in.
//!
//! The protocol is that of <https://dev.1c-bitrix.ru/api_help/sale/algorithms/doc_from_site.php>. Some versions never ask
//! for files of orders to be taken in: a file of which nothing more came for [`SILENCE`] is taken for whole.

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::DbErr;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{State, Tools, answer::Why, store};
use crate::{
    db::{
        entity::{commerce_exchange, commerce_file},
        is_unique_violation,
    },
    id::{self, Kind},
    secret::{Vault, hash_token},
    storage,
};

/// What a sitting is signed for.
const PURPOSE: &str = "commerce-sitting";
/// The cookie 1C is given.
pub const COOKIE: &str = "switchboard_exchange";
/// How long one sign-in lasts; the files of large companies take hours.
const SITTING: TimeDelta = TimeDelta::hours(24);
/// Bytes of one part.
pub const PART_BYTES: u64 = 4 << 20;
/// Bytes of one file.
const FILE_BYTES: i64 = 512 << 20;
/// After this a file of which nothing more came is taken for whole.
pub const SILENCE: TimeDelta = TimeDelta::seconds(60);
/// Characters of a file's name.
const NAME_CHARS: usize = 200;

/// Why a request of 1C failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is to be told so.
    #[error("{0:?}")]
    Told(Why),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbErr),
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] storage::Error),
}

/// Whether this name and password are the exchange's.
pub fn is_allowed(exchange: &commerce_exchange::Model, user_name: &str, password: &str) -> bool {
    let known = hash_token(password);
    let same_password = known.as_bytes().ct_eq(exchange.password_hash.as_bytes());
    let same_name = user_name.as_bytes().ct_eq(exchange.user_name.as_bytes());
    bool::from(same_password & same_name)
}

/// A token for a sitting that begins now.
pub fn begin(vault: &Vault, exchange: &commerce_exchange::Model, now: DateTime<Utc>) -> String {
    let sitting = id::word();
    let until = (now + SITTING).timestamp();
    let signature = vault.sign(PURPOSE, &signed(exchange, &sitting, until));
    format!("{sitting}.{until}.{signature}")
}

/// The sitting of a token, while it lasts.
pub fn sitting(
    vault: &Vault,
    exchange: &commerce_exchange::Model,
    token: &str,
    now: DateTime<Utc>,
) -> Option<String> {
    let (sitting, rest) = token.split_once('.')?;
    let (until, signature) = rest.split_once('.')?;
    let until: i64 = until.parse().ok()?;
    let genuine = vault.verify(PURPOSE, &signed(exchange, sitting, until), signature);
    (genuine && now.timestamp() < until).then(|| sitting.to_owned())
}

/// With the password: a new one ends what was begun with the old one.
fn signed(exchange: &commerce_exchange::Model, sitting: &str, until: i64) -> Vec<u8> {
    format!("{}\n{sitting}\n{until}\n{}", exchange.id, exchange.password_hash).into_bytes()
}

/// The name of a file without the folders it lay in, on whichever system.
pub fn bare_name(name: &str) -> Option<String> {
    let name = name.rsplit(['/', '\\']).next()?.trim();
    let name: String = name
        .chars()
        .filter(|char| !char.is_control())
        .take(NAME_CHARS)
        .collect();
    let is_name = !name.is_empty() && name.chars().any(|char| char != '.');
    is_name.then_some(name)
}

/// Keeps a part of a file, durably. The same bytes once more right after are a request that was repeated because our
/// answer was lost.
pub async fn part(
    tools: &Tools,
    exchange_id: &str,
    sitting: &str,
    name: &str,
    bytes: Bytes,
) -> Result<(), Error> {
    if bytes.len() as u64 > PART_BYTES {
        return Err(Error::Told(Why::PartTooLarge));
    }
    let now = tools.clock.now();
    let hash = hex::encode(Sha256::digest(&bytes));
    let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    let key = storage::key(&id::new(Kind::CommerceFile, now));
    tools.storage.put(&key, bytes).await?;
    let mut tries = 0;
    let kept = loop {
        match keep(tools, (exchange_id, sitting, name), &key, (size, &hash), now).await {
            // Its other half came at the same moment by another connection.
            Err(Error::Db(error)) if is_unique_violation(&error) && tries < 3 => tries += 1,
            kept => break kept,
        }
    };
    match kept {
        Ok(true) => Ok(()),
        Ok(false) => {
            tools.storage.delete(&key).await?;
            Ok(())
        }
        Err(error) => {
            // Of a failed commit nobody knows whether it happened: then the bytes may have their row.
            if matches!(error, Error::Told(_)) {
                store::forget_bytes(&tools.storage, &[key]).await;
            }
            Err(error)
        }
    }
}

/// Whether the part is new.
async fn keep(
    tools: &Tools,
    (exchange_id, sitting, name): (&str, &str, &str),
    key: &str,
    (size, hash): (i64, &str),
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let write = tools.db.write().await?;
    let known = store::file_named(write.tx(), exchange_id, sitting, name).await?;
    let known = match known {
        Some(row) => store::hold_file(&write, &row.id).await?,
        None => None,
    };
    let (mut row, is_new) = match known {
        Some(row) if State::parse(&row.state).is_over() => {
            free_name(&write, row).await?;
            (fresh(exchange_id, sitting, name, now), true)
        }
        Some(row) => (row, false),
        None => (fresh(exchange_id, sitting, name, now), true),
    };
    let is_repeated = row.last_hash.as_deref() == Some(hash);
    if row.state == State::Waiting.as_str() && !is_repeated {
        return Err(Error::Told(Why::Busy));
    }
    if is_repeated {
        return Ok(false);
    }
    row.size += size;
    if row.size > FILE_BYTES {
        return Err(Error::Told(Why::FileTooLarge));
    }
    row.parts += 1;
    row.last_hash = Some(hash.to_owned());
    row.due_at = Some(now + SILENCE);
    let (id, number) = (row.id.clone(), row.parts);
    if is_new {
        store::insert_file(&write, row).await?;
    } else {
        store::replace_file(&write, row).await?;
    }
    store::insert_part(&write, &id, number, key).await?;
    write.commit().await?;
    Ok(true)
}

fn fresh(exchange_id: &str, sitting: &str, name: &str, now: DateTime<Utc>) -> commerce_file::Model {
    store::begun(id::new(Kind::CommerceFile, now), exchange_id, sitting, name, now)
}

/// A file that is over gives its name to the next one.
async fn free_name(write: &crate::db::WriteTx, mut row: commerce_file::Model) -> Result<(), DbErr> {
    row.sitting = row.id.clone();
    store::replace_file(write, row).await
}

/// 1C says that a file is whole. Answers it; of one that lies in an archive, the archive until it is unpacked.
pub async fn whole(
    tools: &Tools,
    exchange_id: &str,
    sitting: &str,
    name: &str,
) -> Result<commerce_file::Model, Error> {
    let found = store::file_named(tools.db.read(), exchange_id, sitting, name).await?;
    let found = match found {
        Some(row) => vec![row],
        None => store::archives(tools.db.read(), exchange_id, sitting).await?,
    };
    let mut answer = None;
    for row in found {
        let row = waiting(tools, row).await?;
        answer.get_or_insert(row);
    }
    tools.bell.ask();
    answer.ok_or(Error::Told(Why::NoFile))
}

/// A file that is whole waits to be taken in.
async fn waiting(tools: &Tools, row: commerce_file::Model) -> Result<commerce_file::Model, Error> {
    if row.state != State::Receiving.as_str() {
        return Ok(row);
    }
    let write = tools.db.write().await?;
    let Some(mut row) = store::hold_file(&write, &row.id).await? else {
        return Err(Error::Told(Why::NoFile));
    };
    if row.state == State::Receiving.as_str() {
        row.state = State::Waiting.as_str().to_owned();
        row.due_at = None;
        store::replace_file(&write, row.clone()).await?;
    }
    write.commit().await?;
    Ok(row)
}
