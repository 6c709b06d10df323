//! Pipelines and their stages in the database. What goes is only marked as gone: the journal of deals names it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, Set,
    sea_query::{Expr, ExprTrait},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Error, invalid,
    money::is_currency,
    stages::{self, Present, StageKind, Wanted},
    store::journal,
};
use crate::{
    db::{
        WriteTx,
        entity::{deal, pipeline, stage},
    },
    event::{EventType, NewEvent},
    id::{self, Kind},
};

/// Most pipelines.
const MOST: usize = 30;
/// Characters a name may have.
const NAME_LIMIT: usize = 60;
/// Deals that are moved at once when their stage goes.
const CHUNK: u64 = 1_000;

/// A pipeline as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Pipeline {
    /// `pip_…`
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Currency of its deals when nothing else is said (ISO 4217).
    pub currency: String,
    /// Its stages in their order.
    pub stages: Vec<Stage>,
    /// For optimistic changes.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// A stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Stage {
    /// `stg_…`
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What being in it means.
    pub kind: StageKind,
    /// A colour of the app; null for none.
    pub color: Option<String>,
}

impl Pipeline {
    /// One of its stages.
    pub fn stage(&self, id: &str) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.id == id)
    }

    /// Where deals begin.
    pub fn first_stage(&self) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.kind == StageKind::Open)
    }
}

/// A pipeline about to be made or changed; `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// What people call it.
    pub name: Option<String>,
    /// Currency of its deals.
    pub currency: Option<String>,
    /// Its place among the pipelines, from 0.
    pub position: Option<i64>,
    /// All its stages in their order.
    pub stages: Option<Vec<Wanted>>,
    /// Where the deals of stages go that are left out, by stage.
    pub move_deals: BTreeMap<String, String>,
    /// The version the caller read.
    pub version: Option<i64>,
}

/// All pipelines in their order.
pub async fn list(db: &impl ConnectionTrait) -> Result<Vec<Pipeline>, DbErr> {
    let rows = pipeline::Entity::find()
        .filter(pipeline::Column::RemovedAt.is_null())
        .order_by_asc(pipeline::Column::Position)
        .order_by_asc(pipeline::Column::Id)
        .all(db)
        .await?;
    let stages = stage::Entity::find()
        .filter(stage::Column::RemovedAt.is_null())
        .order_by_asc(stage::Column::PipelineId)
        .order_by_asc(stage::Column::Position)
        .all(db)
        .await?;
    let mut of: BTreeMap<String, Vec<Stage>> = BTreeMap::new();
    for row in stages {
        of.entry(row.pipeline_id.clone()).or_default().push(row.into());
    }
    let view = |row: pipeline::Model| Pipeline {
        stages: of.remove(&row.id).unwrap_or_default(),
        id: row.id,
        name: row.name,
        currency: row.currency,
        version: row.version,
        created_at: row.created_at,
        updated_at: row.updated_at,
    };
    Ok(rows.into_iter().map(view).collect())
}

impl From<stage::Model> for Stage {
    fn from(row: stage::Model) -> Self {
        Self {
            id: row.id,
            name: row.name,
            kind: StageKind::parse(&row.kind),
            color: row.color,
        }
    }
}

/// One pipeline.
pub async fn find(db: &impl ConnectionTrait, id: &str) -> Result<Pipeline, Error> {
    let all = list(db).await?;
    all.into_iter()
        .find(|pipeline| pipeline.id == id)
        .ok_or(Error::NotFound)
}

/// Makes a pipeline; answers its id.
///
/// # Errors
/// [`Error::Invalid`] with each field that cannot be.
pub async fn create(write: &mut WriteTx, change: Change, now: DateTime<Utc>) -> Result<String, Error> {
    let others = list(write.tx()).await?;
    if others.len() >= MOST {
        return Err(Error::Conflict("there are as many pipelines as there can be"));
    }
    let row = pipeline::Model {
        id: id::new(Kind::Pipeline, now),
        name: name(change.name.as_deref().unwrap_or_default(), None, &others)?,
        position: change
            .position
            .unwrap_or_else(|| i64::try_from(others.len()).unwrap_or(i64::MAX)),
        currency: currency(change.currency.as_deref().unwrap_or("USD"))?,
        version: 1,
        created_at: now,
        updated_at: now,
        removed_at: None,
    };
    let wanted = change.stages.unwrap_or_default();
    let planned = stages::plan(&[], wanted, &BTreeMap::new()).map_err(Error::Invalid)?;
    let pipeline_id = row.id.clone();
    pipeline::Entity::insert(row.into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    put_stages(write, &pipeline_id, planned.stages, now).await?;
    write.record(NewEvent::new(EventType::PipelineUpdated, &pipeline_id, now));
    Ok(pipeline_id)
}

/// Changes a pipeline. Deals of stages that go are moved, each with its entry in the journal.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`], and [`Error::Invalid`] with each field that cannot be.
pub async fn change(
    write: &mut WriteTx,
    id: &str,
    change: Change,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let row = locked(write, id).await?;
    if change.version.is_some_and(|version| version != row.version) {
        return Err(Error::Stale);
    }
    let others = list(write.tx()).await?;
    let mut update = pipeline::ActiveModel {
        id: Set(row.id.clone()),
        version: Set(row.version + 1),
        updated_at: Set(now),
        ..Default::default()
    };
    if let Some(given) = &change.name {
        update.name = Set(name(given, Some(id), &others)?);
    }
    if let Some(given) = &change.currency {
        update.currency = Set(currency(given)?);
    }
    if let Some(position) = change.position {
        update.position = Set(position);
    }
    update.update_without_returning(write.tx()).await?;
    if let Some(wanted) = change.stages {
        let present = present(write, id).await?;
        let planned = stages::plan(&present, wanted, &change.move_deals).map_err(Error::Invalid)?;
        put_stages(write, id, planned.stages, now).await?;
        for (stage_id, to) in planned.removed {
            if let Some(to) = to {
                move_all(write, &stage_id, &to, by, now).await?;
            }
            stage::Entity::update_many()
                .col_expr(stage::Column::RemovedAt, Expr::value(now))
                .filter(stage::Column::Id.eq(&stage_id))
                .exec(write.tx())
                .await?;
        }
    }
    write.record(NewEvent::new(EventType::PipelineUpdated, id, now));
    Ok(())
}

/// Removes a pipeline that has no deals; one always stays.
///
/// # Errors
/// [`Error::NotFound`], and [`Error::Conflict`] while it is needed.
pub async fn remove(write: &mut WriteTx, id: &str, now: DateTime<Utc>) -> Result<(), Error> {
    locked(write, id).await?;
    if list(write.tx()).await?.len() < 2 {
        return Err(Error::Conflict("one pipeline must stay"));
    }
    let used = deal::Entity::find()
        .filter(deal::Column::PipelineId.eq(id))
        .one(write.tx())
        .await?;
    if used.is_some() {
        return Err(Error::Conflict(
            "there are deals in this pipeline; move them to another one first",
        ));
    }
    pipeline::Entity::update_many()
        .col_expr(pipeline::Column::RemovedAt, Expr::value(now))
        .filter(pipeline::Column::Id.eq(id))
        .exec(write.tx())
        .await?;
    write.record(NewEvent::new(EventType::PipelineUpdated, id, now));
    Ok(())
}

/// Locks a pipeline for the rest of the write. Whoever makes or moves a deal shares the lock, so that no deal comes
/// into a stage that goes in this very moment.
async fn locked(write: &WriteTx, id: &str) -> Result<pipeline::Model, Error> {
    pipeline::Entity::find_by_id(id)
        .filter(pipeline::Column::RemovedAt.is_null())
        .lock_exclusive()
        .one(write.tx())
        .await?
        .ok_or(Error::NotFound)
}

/// Reads a pipeline that stays as it is until the end of the write.
pub(super) async fn held(write: &WriteTx, id: &str) -> Result<Option<Pipeline>, DbErr> {
    let row = pipeline::Entity::find_by_id(id)
        .lock_shared()
        .one(write.tx())
        .await?;
    if row.is_none_or(|row| row.removed_at.is_some()) {
        return Ok(None);
    }
    let all = list(write.tx()).await?;
    Ok(all.into_iter().find(|pipeline| pipeline.id == id))
}

async fn present(write: &WriteTx, id: &str) -> Result<Vec<Present>, DbErr> {
    let rows = stage::Entity::find()
        .filter(stage::Column::PipelineId.eq(id))
        .filter(stage::Column::RemovedAt.is_null())
        .order_by_asc(stage::Column::Position)
        .all(write.tx())
        .await?;
    let mut present = Vec::new();
    for row in rows {
        let used = deal::Entity::find()
            .filter(deal::Column::StageId.eq(&row.id))
            .limit(1)
            .all(write.tx())
            .await?;
        present.push(Present {
            kind: StageKind::parse(&row.kind),
            id: row.id,
            in_use: !used.is_empty(),
        });
    }
    Ok(present)
}

async fn put_stages(
    write: &WriteTx,
    pipeline_id: &str,
    stages: Vec<Wanted>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    for (position, wanted) in (0..).zip(stages) {
        let known = wanted.id.is_some();
        let row = stage::ActiveModel {
            id: Set(wanted.id.unwrap_or_else(|| id::new(Kind::Stage, now))),
            pipeline_id: Set(pipeline_id.to_owned()),
            position: Set(position),
            name: Set(wanted.name),
            kind: Set(wanted.kind.as_str().to_owned()),
            color: Set(wanted.color),
            removed_at: Set(None),
        };
        if known {
            row.update_without_returning(write.tx()).await?;
        } else {
            stage::Entity::insert(row)
                .exec_without_returning(write.tx())
                .await?;
        }
    }
    Ok(())
}

/// Moves all deals of a stage to another one of the same kind.
async fn move_all(
    write: &mut WriteTx,
    from: &str,
    to: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    loop {
        let some = deal::Entity::find()
            .filter(deal::Column::StageId.eq(from))
            .order_by_asc(deal::Column::Id)
            .limit(CHUNK)
            .all(write.tx())
            .await?;
        if some.is_empty() {
            return Ok(());
        }
        let ids: BTreeSet<&String> = some.iter().map(|row| &row.id).collect();
        deal::Entity::update_many()
            .col_expr(deal::Column::StageId, Expr::value(to))
            .col_expr(deal::Column::StageSince, Expr::value(now))
            .col_expr(deal::Column::UpdatedAt, Expr::value(now))
            .col_expr(deal::Column::Version, Expr::col(deal::Column::Version).add(1))
            .filter(deal::Column::Id.is_in(ids))
            .exec(write.tx())
            .await?;
        let moves = some
            .iter()
            .map(|row| journal(row, Some(from), to, Some(by), now))
            .collect::<Vec<_>>();
        crate::db::entity::deal_move::Entity::insert_many(moves)
            .exec_without_returning(write.tx())
            .await?;
        for row in &some {
            write.record(NewEvent::new(EventType::DealUpdated, &row.id, now));
        }
    }
}

fn name(given: &str, own: Option<&str>, others: &[Pipeline]) -> Result<String, Error> {
    let name = given.trim().to_owned();
    if !(1..=NAME_LIMIT).contains(&name.chars().count()) || name.contains(char::is_control) {
        return Err(invalid("name", "must have 1 to 60 characters"));
    }
    let taken = others
        .iter()
        .any(|other| Some(other.id.as_str()) != own && other.name.to_lowercase() == name.to_lowercase());
    if taken {
        return Err(invalid("name", "another pipeline has this name"));
    }
    Ok(name)
}

fn currency(given: &str) -> Result<String, Error> {
    if is_currency(given) {
        Ok(given.to_owned())
    } else {
        Err(invalid(
            "currency",
            "is a code of three capital letters, like USD",
        ))
    }
}
