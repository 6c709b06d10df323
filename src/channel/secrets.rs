//! Secrets that a running channel changes by itself: a provider hands out a new refresh token with each use,
//! and the old one is worth nothing from then on.
//!
//! Not a change of the settings: neither version nor `updated_at` move, so the channel goes on running.

use async_trait::async_trait;
use sea_orm::{ActiveModelTrait, DbErr, EntityTrait, QuerySelect, Set, Unchanged};
use serde_json::{Map, Value, json};
use switchboard_sdk::{Fault, SecretKeeper};

use crate::{
    db::{Db, entity::channel},
    secret::{self, Vault},
};

/// The secrets of one channel.
#[derive(Debug, Clone)]
pub struct ChannelSecrets {
    db: Db,
    vault: Vault,
    channel_id: String,
}

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
        Self {
            db: db.clone(),
            vault: vault.clone(),
            channel_id: channel_id.to_owned(),
        }
    }

    fn open(&self, row: &channel::Model) -> Result<Value, Error> {
        let Some(sealed) = &row.secrets else {
            return Ok(json!({}));
        };
        let plain = self.vault.open(sealed)?;
        Ok(serde_json::from_slice(&plain).map_err(|_| secret::Error::Unreadable)?)
    }

    async fn read(&self, path: &[&str]) -> Result<Option<String>, Error> {
        let row = channel::Entity::find_by_id(&self.channel_id)
            .one(self.db.read())
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(at(&self.open(&row)?, path).map(str::to_owned))
    }

    /// In one transaction that holds the row: an admin who saves settings at this moment waits or comes first.
    async fn swap(&self, path: &[&str], old: Option<&str>, new: &str) -> Result<bool, Error> {
        let write = self.db.write().await?;
        let row = channel::Entity::find_by_id(&self.channel_id)
            .lock_exclusive()
            .one(write.tx())
            .await?;
        let Some(row) = row else { return Ok(false) };
        let mut secrets = self.open(&row)?;
        if at(&secrets, path) != old {
            return Ok(false);
        }
        put(&mut secrets, path, new);
        let sealed = self
            .vault
            .seal(&serde_json::to_vec(&secrets).unwrap_or_default())?;
        let change = channel::ActiveModel {
            id: Unchanged(row.id),
            secrets: Set(Some(sealed)),
            ..Default::default()
        };
        change.update(write.tx()).await?;
        write.commit().await?;
        Ok(true)
    }
}

#[async_trait]
impl SecretKeeper for ChannelSecrets {
    async fn load(&self, path: &[&str]) -> Result<Option<String>, Fault> {
        let read = self.read(path).await;
        read.map_err(|error| Fault::temporary(format!("a secret of the channel cannot be read: {error}")))
    }

    async fn replace(&self, path: &[&str], old: Option<&str>, new: &str) -> Result<bool, Fault> {
        let swapped = self.swap(path, old, new).await;
        swapped
            .map_err(|error| Fault::temporary(format!("a secret of the channel cannot be stored: {error}")))
    }
}

/// The secret at a path.
pub(crate) fn at<'a>(secrets: &'a Value, path: &[&str]) -> Option<&'a str> {
    path.iter()
        .try_fold(secrets, |value, name| value.get(name))?
        .as_str()
}

/// Puts a secret at a path.
pub(crate) fn put(secrets: &mut Value, path: &[&str], new: &str) {
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
