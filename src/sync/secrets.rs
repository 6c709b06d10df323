//! Secrets that a connection changes by itself while it lives: a CRM hands out a new refresh token with each use.

use async_trait::async_trait;
use sea_orm::{ActiveModelTrait, DbErr, EntityTrait, Set, Unchanged};

use super::store;
use crate::{
    channel::secrets::{Secrets, Shelf},
    db::{Db, WriteTx, entity::crm_connection},
    secret::Vault,
};

/// The secrets of one connection.
pub type ConnectionSecrets = Secrets<ConnectionShelf>;

/// The row of one connection.
#[derive(Debug, Clone)]
pub struct ConnectionShelf(String);

impl ConnectionSecrets {
    /// Of the connection of this id.
    pub fn new(db: &Db, vault: &Vault, connection_id: &str) -> Self {
        Self::on(db, vault, ConnectionShelf(connection_id.to_owned()))
    }
}

#[async_trait]
impl Shelf for ConnectionShelf {
    const OF: &'static str = "connection";

    async fn read(&self, db: &Db) -> Result<Option<Vec<u8>>, DbErr> {
        let row = crm_connection::Entity::find_by_id(&self.0).one(db.read()).await?;
        Ok(row.map(|row| row.secrets.unwrap_or_default()))
    }

    async fn hold(&self, write: &WriteTx) -> Result<Option<Vec<u8>>, DbErr> {
        let row = store::hold(write, &self.0).await?;
        Ok(row.map(|row| row.secrets.unwrap_or_default()))
    }

    async fn put(&self, write: &WriteTx, sealed: Vec<u8>) -> Result<(), DbErr> {
        let change = crm_connection::ActiveModel {
            id: Unchanged(self.0.clone()),
            secrets: Set(Some(sealed)),
            ..Default::default()
        };
        change.update(write.tx()).await.map(drop)
    }
}
