//! Connections and links in the database; what waits is [`super::queue`]'s.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Set, Unchanged,
    sea_query::{Expr, LockType, OnConflict},
};
use switchboard_crm::RemoteLead;

use crate::db::{
    WriteTx, bulk,
    entity::{crm_connection, crm_link},
};

/// All connections, in the order they were made.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<crm_connection::Model>, DbErr> {
    crm_connection::Entity::find()
        .order_by_asc(crm_connection::Column::Id)
        .all(db)
        .await
}

/// One connection.
pub async fn find(db: &impl ConnectionTrait, id: &str) -> Result<Option<crm_connection::Model>, DbErr> {
    // Out of an address anything may come: PostgreSQL takes a NUL for an error.
    if id.contains('\0') {
        return Ok(None);
    }
    crm_connection::Entity::find_by_id(id).one(db).await
}

/// How many there are.
pub async fn count(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    crm_connection::Entity::find().count(db).await
}

/// One connection, held until the end of this write.
pub async fn hold(write: &WriteTx, id: &str) -> Result<Option<crm_connection::Model>, DbErr> {
    if id.contains('\0') {
        return Ok(None);
    }
    // Not against inserts of jobs and links, which only need the connection to be there.
    crm_connection::Entity::find_by_id(id)
        .lock(LockType::NoKeyUpdate)
        .one(write.tx())
        .await
}

/// Adds a connection.
pub async fn insert(write: &WriteTx, row: crm_connection::Model) -> Result<(), DbErr> {
    crm_connection::Entity::insert(row.into_active_model())
        .exec_without_returning(write.tx())
        .await
        .map(drop)
}

/// Writes all columns of a connection that is held.
pub async fn replace(write: &WriteTx, row: crm_connection::Model) -> Result<(), DbErr> {
    row.into_active_model()
        .reset_all()
        .update_without_returning(write.tx())
        .await
        .map(drop)
}

/// Removes a connection with what it knows and what waits for it; answers whether there was one.
pub async fn delete(write: &WriteTx, id: &str) -> Result<bool, DbErr> {
    if id.contains('\0') {
        return Ok(false);
    }
    let gone = crm_connection::Entity::delete_by_id(id).exec(write.tx()).await?;
    Ok(gone.rows_affected > 0)
}

/// What a connection has of a lead.
pub async fn link(
    db: &impl ConnectionTrait,
    connection_id: &str,
    lead_id: &str,
) -> Result<Option<crm_link::Model>, DbErr> {
    crm_link::Entity::find_by_id((connection_id.to_owned(), lead_id.to_owned()))
        .one(db)
        .await
}

/// The links of a record there: one, unless the CRM joined several leads of ours.
pub async fn links_of_remote(
    db: &impl ConnectionTrait,
    connection_id: &str,
    remote_id: &str,
) -> Result<Vec<crm_link::Model>, DbErr> {
    crm_link::Entity::find()
        .filter(crm_link::Column::ConnectionId.eq(connection_id))
        .filter(crm_link::Column::RemoteId.eq(remote_id))
        .filter(crm_link::Column::GoneAt.is_null())
        .all(db)
        .await
}

/// The links of a lead, with their connections.
pub async fn links_of_lead(
    db: &impl ConnectionTrait,
    lead_id: &str,
) -> Result<Vec<(crm_link::Model, crm_connection::Model)>, DbErr> {
    let links = crm_link::Entity::find()
        .filter(crm_link::Column::LeadId.eq(lead_id))
        .order_by_asc(crm_link::Column::ConnectionId)
        .all(db)
        .await?;
    let ids = bulk::padded(links.iter().map(|link| link.connection_id.clone()));
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let connections = crm_connection::Entity::find()
        .filter(crm_connection::Column::Id.is_in(ids))
        .all(db)
        .await?;
    Ok(links
        .into_iter()
        .filter_map(|link| {
            let connection = connections.iter().find(|row| row.id == link.connection_id)?;
            Some((link, connection.clone()))
        })
        .collect())
}

/// What was written there.
#[derive(Debug, Clone)]
pub struct Written {
    /// A digest of it.
    pub fingerprint: String,
    /// Our status in it; none when both sides were of one mind and nothing was said of it.
    pub status: Option<String>,
    /// Their state, where it was said.
    pub status_id: Option<String>,
}

/// Keeps which record a lead is; one that is known stays.
pub async fn put_link(
    write: &WriteTx,
    connection_id: &str,
    lead_id: &str,
    remote: &RemoteLead,
    written: Option<&Written>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let row = crm_link::ActiveModel {
        connection_id: Set(connection_id.to_owned()),
        lead_id: Set(lead_id.to_owned()),
        remote_id: Set(remote.id.clone()),
        person_id: Set(remote.person_id.clone()),
        company_id: Set(remote.company_id.clone()),
        url: Set(remote.url.clone()),
        merged: Set(remote.merged),
        fingerprint: Set(written.map(|written| written.fingerprint.clone())),
        agreed_status: Set(written.and_then(|written| written.status.clone())),
        status_id: Set(written.and_then(|written| written.status_id.clone())),
        synced_at: Set(written.map(|_| now)),
        gone_at: Set(None),
        created_at: Set(now),
    };
    crm_link::Entity::insert(row)
        .on_conflict(
            OnConflict::columns([crm_link::Column::ConnectionId, crm_link::Column::LeadId])
                .do_nothing()
                .to_owned(),
        )
        .exec_without_returning(write.tx())
        .await
        .map(drop)
}

/// Keeps what was written there.
pub async fn written(
    write: &WriteTx,
    connection_id: &str,
    lead_id: &str,
    written: &Written,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let mut change = crm_link::ActiveModel {
        fingerprint: Set(Some(written.fingerprint.clone())),
        synced_at: Set(Some(now)),
        ..Default::default()
    };
    // What came from there meanwhile is not forgotten for what was not said.
    if let Some(status) = &written.status {
        change.agreed_status = Set(Some(status.clone()));
    }
    if let Some(id) = &written.status_id {
        change.status_id = Set(Some(id.clone()));
    }
    crm_link::Entity::update_many()
        .set(change)
        .filter(crm_link::Column::ConnectionId.eq(connection_id))
        .filter(crm_link::Column::LeadId.eq(lead_id))
        .exec(write.tx())
        .await
        .map(drop)
}

/// Keeps that both sides are of one mind about the status, and which state that is there.
pub async fn agreed(
    write: &WriteTx,
    link: &crm_link::Model,
    status: Option<&str>,
    status_id: Option<&str>,
) -> Result<(), DbErr> {
    let mut change = crm_link::ActiveModel {
        connection_id: Unchanged(link.connection_id.clone()),
        lead_id: Unchanged(link.lead_id.clone()),
        ..Default::default()
    };
    if let Some(status) = status {
        change.agreed_status = Set(Some(status.to_owned()));
    }
    if let Some(id) = status_id {
        change.status_id = Set(Some(id.to_owned()));
    }
    if status.is_none() && status_id.is_none() {
        return Ok(());
    }
    change.update_without_returning(write.tx()).await.map(drop)
}

/// The record was deleted there: it is let go.
pub async fn unlink(
    write: &WriteTx,
    connection_id: &str,
    lead_id: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    crm_link::Entity::update_many()
        .col_expr(crm_link::Column::GoneAt, Expr::value(Some(now)))
        .filter(crm_link::Column::ConnectionId.eq(connection_id))
        .filter(crm_link::Column::LeadId.eq(lead_id))
        .filter(crm_link::Column::GoneAt.is_null())
        .exec(write.tx())
        .await
        .map(drop)
}

/// A step went well: what failed before is forgotten.
pub async fn reached(write: &WriteTx, connection_id: &str, now: DateTime<Utc>) -> Result<(), DbErr> {
    crm_connection::Entity::update_many()
        .col_expr(crm_connection::Column::LastSuccessAt, Expr::value(Some(now)))
        .col_expr(crm_connection::Column::Failures, Expr::value(0_i64))
        .filter(crm_connection::Column::Id.eq(connection_id))
        .exec(write.tx())
        .await
        .map(drop)
}
