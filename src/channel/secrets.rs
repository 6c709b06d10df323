//! Secrets that something running changes by itself: a provider hands out a new refresh token with each use, and the old
//! one is worth nothing from then on.
//!
//! Not a change of the settings: neither version nor `updated_at` move, so the channel goes on running. What keeps
//! such secrets elsewhere says where by a [`Shelf`].

use async_trait::async_trait;
use sea_orm::{ActiveModelTrait, DbErr, EntityTrait, QuerySelect, Set, Unchanged};
use serde_json::{Map, Value, json};
use switchboard_sdk::{Fault, SecretKeeper};

use crate::{
    db::{Db, WriteTx, entity::channel},
    secret::{self, Vault},
};

/// Where the sealed secrets of one thing stand. Those of a thing that has none are empty.
#[async_trait]
pub trait Shelf: Send + Sync {
    /// What the thing is called in an error.
    const OF: &'static str;

    /// The sealed secrets as they are; `None` when there is no such thing.
    async fn read(&self, db: &Db) -> Result<Option<Vec<u8>>, DbErr>;

    /// The same, held until the end of this write.
    async fn hold(&self, write: &WriteTx) -> Result<Option<Vec<u8>>, DbErr>;

    /// Puts others in their place.
    async fn put(&self, write: &WriteTx, sealed: Vec<u8>) -> Result<(), DbErr>;
}

/// The secrets of one thing.
#[derive(Debug, Clone)]
pub struct Secrets<S> {
    db: Db,
    vault: Vault,
    shelf: S,
}

/// The secrets of one channel.
pub type ChannelSecrets = Secrets<ChannelShelf>;

/// The row of one channel.
#[derive(Debug, Clone)]
pub struct ChannelShelf(String);

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Sealed(#[from] secret::Error),
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl ChannelSecrets {
    /// Of the channel of this id.
    pub fn new(db: &Db, vault: &Vault, channel_id: &str) -> Self {
        Self::on(db, vault, ChannelShelf(channel_id.to_owned()))
    }
}

impl<S: Shelf> Secrets<S> {
    /// On this shelf.
    pub(crate) fn on(db: &Db, vault: &Vault, shelf: S) -> Self {
        Self {
            db: db.clone(),
            vault: vault.clone(),
            shelf,
        }
    }

    fn open(&self, sealed: &[u8]) -> Result<Value, Error> {
        if sealed.is_empty() {
            return Ok(json!({}));
        }
        let plain = self.vault.open(sealed)?;
        Ok(serde_json::from_slice(&plain).map_err(|_| secret::Error::Unreadable)?)
    }

    async fn read(&self, path: &[&str]) -> Result<Option<String>, Error> {
        let Some(sealed) = self.shelf.read(&self.db).await? else {
            return Ok(None);
        };
        Ok(at(&self.open(&sealed)?, path).map(str::to_owned))
    }

    /// In one transaction that holds the row: an admin who saves settings at this moment waits or comes first.
    async fn swap(&self, path: &[&str], old: Option<&str>, new: &str) -> Result<bool, Error> {
        let write = self.db.write().await?;
        let Some(sealed) = self.shelf.hold(&write).await? else {
            return Ok(false);
        };
        let mut secrets = self.open(&sealed)?;
        if at(&secrets, path) != old {
            return Ok(false);
        }
        put(&mut secrets, path, new);
        let plain = serde_json::to_vec(&secrets).unwrap_or_default();
        self.shelf.put(&write, self.vault.seal(&plain)?).await?;
        write.commit().await?;
        Ok(true)
    }
}

#[async_trait]
impl<S: Shelf> SecretKeeper for Secrets<S> {
    async fn load(&self, path: &[&str]) -> Result<Option<String>, Fault> {
        let read = self.read(path).await;
        read.map_err(|error| Fault::temporary(format!("a secret of the {} cannot be read: {error}", S::OF)))
    }

    async fn replace(&self, path: &[&str], old: Option<&str>, new: &str) -> Result<bool, Fault> {
        let swapped = self.swap(path, old, new).await;
        swapped
            .map_err(|error| Fault::temporary(format!("a secret of the {} cannot be stored: {error}", S::OF)))
    }
}

#[async_trait]
impl Shelf for ChannelShelf {
    const OF: &'static str = "channel";

    async fn read(&self, db: &Db) -> Result<Option<Vec<u8>>, DbErr> {
        let row = channel::Entity::find_by_id(&self.0).one(db.read()).await?;
        Ok(row.map(|row| row.secrets.unwrap_or_default()))
    }

    async fn hold(&self, write: &WriteTx) -> Result<Option<Vec<u8>>, DbErr> {
        let row = channel::Entity::find_by_id(&self.0)
            .lock_exclusive()
            .one(write.tx())
            .await?;
        Ok(row.map(|row| row.secrets.unwrap_or_default()))
    }

    async fn put(&self, write: &WriteTx, sealed: Vec<u8>) -> Result<(), DbErr> {
        let change = channel::ActiveModel {
            id: Unchanged(self.0.clone()),
            secrets: Set(Some(sealed)),
            ..Default::default()
        };
        change.update(write.tx()).await.map(drop)
    }
}

/// The secret at a path.
fn at<'a>(secrets: &'a Value, path: &[&str]) -> Option<&'a str> {
    path.iter()
        .try_fold(secrets, |value, name| value.get(name))?
        .as_str()
}

/// Puts a secret at a path.
fn put(secrets: &mut Value, path: &[&str], new: &str) {
    let Some((name, parents)) = path.split_last() else {
        return;
    };
    let mut place = secrets;
    for parent in parents {
        if !place.get(*parent).is_some_and(Value::is_object) {
            place[*parent] = Value::Object(Map::new());
        }
        place = &mut place[*parent];
    }
    place[*name] = json!(new);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{at, put};

    #[test]
    fn a_secret_is_found_and_put_at_its_path_and_its_neighbours_stay() {
        let mut secrets = json!({"imap": {"password": "p"}, "auth": null});
        assert_eq!(at(&secrets, &["auth", "refresh_token"]), None);
        put(&mut secrets, &["auth", "refresh_token"], "r");
        assert_eq!(at(&secrets, &["auth", "refresh_token"]), Some("r"));
        assert_eq!(at(&secrets, &["imap", "password"]), Some("p"));
    }
}
