//! Secrets that a connection changes by itself while it lives: a CRM hands out a new refresh token with each use.
//!
//! Not a change of the settings: the version does not move, so the connection goes on as it is.

use async_trait::async_trait;
use sea_orm::{DbErr, EntityTrait};
use serde_json::{Value, json};
use switchboard_sdk::{Fault, SecretKeeper};

use super::store;
use crate::{
    channel::secrets::{at, put},
    db::{Db, entity::crm_connection},
    secret::{self, Vault},
};

/// The secrets of one connection.
#[derive(Debug, Clone)]
pub struct ConnectionSecrets {
    db: Db,
    vault: Vault,
    connection_id: String,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Sealed(#[from] secret::Error),
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl ConnectionSecrets {
    /// Of the connection of this id.
    pub fn new(db: &Db, vault: &Vault, connection_id: &str) -> Self {
        Self {
            db: db.clone(),
            vault: vault.clone(),
            connection_id: connection_id.to_owned(),
        }
    }

    fn open(&self, row: &crm_connection::Model) -> Result<Value, Error> {
        let Some(sealed) = &row.secrets else {
            return Ok(json!({}));
        };
        let plain = self.vault.open(sealed)?;
        Ok(serde_json::from_slice(&plain).map_err(|_| secret::Error::Unreadable)?)
    }

    async fn read(&self, path: &[&str]) -> Result<Option<String>, Error> {
        let row = crm_connection::Entity::find_by_id(&self.connection_id)
            .one(self.db.read())
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(at(&self.open(&row)?, path).map(str::to_owned))
    }

    /// In one transaction that holds the row: an admin who saves settings at this moment waits or comes first.
    async fn swap(&self, path: &[&str], old: Option<&str>, new: &str) -> Result<bool, Error> {
        let write = self.db.write().await?;
        let Some(mut row) = store::hold(&write, &self.connection_id).await? else {
            return Ok(false);
        };
        let mut secrets = self.open(&row)?;
        if at(&secrets, path) != old {
            return Ok(false);
        }
        put(&mut secrets, path, new);
        let plain = serde_json::to_vec(&secrets).unwrap_or_default();
        row.secrets = Some(self.vault.seal(&plain)?);
        store::replace(&write, row).await?;
        write.commit().await?;
        Ok(true)
    }
}

#[async_trait]
impl SecretKeeper for ConnectionSecrets {
    async fn load(&self, path: &[&str]) -> Result<Option<String>, Fault> {
        let read = self.read(path).await;
        read.map_err(|error| Fault::temporary(format!("a secret of the connection cannot be read: {error}")))
    }

    async fn replace(&self, path: &[&str], old: Option<&str>, new: &str) -> Result<bool, Fault> {
        let swapped = self.swap(path, old, new).await;
        swapped.map_err(|error| {
            Fault::temporary(format!("a secret of the connection cannot be stored: {error}"))
        })
    }
}
