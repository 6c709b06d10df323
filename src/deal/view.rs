//! Deals as the API shows them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::money;
use crate::{
    db::{
        bulk,
        entity::{company, contact, deal, deal_move, task},
    },
    tag,
};

/// A deal as the world sees it (API.md).
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Deal)]
pub struct DealView {
    /// `dea_…`
    pub id: String,
    /// What it is about.
    pub title: String,
    /// What it is worth, as a decimal text with the digits of its currency ("1500.00"); null when it is not known.
    pub amount: Option<String>,
    /// The currency (ISO 4217).
    pub currency: String,
    /// The pipeline it goes through.
    pub pipeline_id: String,
    /// The stage it is in.
    pub stage_id: String,
    /// `open`, `won` or `lost`: the kind of its stage.
    pub state: String,
    /// Since when it is there.
    pub stage_since: DateTime<Utc>,
    /// Whom it is made with.
    pub contact_id: Option<String>,
    /// Their name.
    pub contact_name: Option<String>,
    /// Which company it is made with.
    pub company_id: Option<String>,
    /// Its name.
    pub company_name: Option<String>,
    /// The lead it came of.
    pub lead_id: Option<String>,
    /// The line that lead came by.
    pub line_id: Option<String>,
    /// The responsible operator.
    pub operator_id: Option<String>,
    /// Why it was lost.
    pub loss_reason: Option<String>,
    /// Custom fields.
    pub fields: Value,
    /// Words it is found by.
    pub tags: Vec<String>,
    /// What is to be done next for it.
    pub next_task: Option<NextTask>,
    /// For optimistic changes.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// When it was won or lost.
    pub closed_at: Option<DateTime<Utc>>,
    /// Its number in the system it was imported from.
    pub external_id: Option<String>,
}

/// The task of a deal that is due first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NextTask {
    /// `tsk_…`
    pub id: String,
    /// What is to be done.
    pub title: String,
    /// Until when.
    pub due_at: Option<DateTime<Utc>>,
}

/// A deal that came into a stage.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DealMove)]
pub struct MoveView {
    /// The stage before; null when the deal was made.
    pub from_stage_id: Option<String>,
    /// The stage it came into.
    pub stage_id: String,
    /// The pipeline of that stage.
    pub pipeline_id: String,
    /// Who moved it; null when nobody did by hand.
    pub operator_id: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

impl From<deal_move::Model> for MoveView {
    fn from(row: deal_move::Model) -> Self {
        Self {
            from_stage_id: row.from_stage_id,
            stage_id: row.stage_id,
            pipeline_id: row.pipeline_id,
            operator_id: row.operator_id,
            at: row.at,
        }
    }
}

/// Views of deals, in their order.
pub async fn views(db: &impl ConnectionTrait, rows: Vec<deal::Model>) -> Result<Vec<DealView>, DbErr> {
    let contacts: Vec<&String> = rows.iter().filter_map(|row| row.contact_id.as_ref()).collect();
    let names: HashMap<String, Option<String>> = if contacts.is_empty() {
        HashMap::new()
    } else {
        let found = contact::Entity::find().filter(contact::Column::Id.is_in(bulk::padded(contacts)));
        let found = found.all(db).await?;
        found.into_iter().map(|row| (row.id, row.name)).collect()
    };
    let companies: Vec<&String> = rows.iter().filter_map(|row| row.company_id.as_ref()).collect();
    let companies: HashMap<String, String> = if companies.is_empty() {
        HashMap::new()
    } else {
        let found = company::Entity::find().filter(company::Column::Id.is_in(bulk::padded(companies)));
        let found = found.all(db).await?;
        found.into_iter().map(|row| (row.id, row.name)).collect()
    };
    let mut tasks = next_tasks(db, &rows).await?;
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let mut tags = tag::of(db, &ids).await?;
    let view = |row: deal::Model| DealView {
        amount: row.amount.map(|amount| money::show(amount.into(), &row.currency)),
        contact_name: row
            .contact_id
            .as_ref()
            .and_then(|id| names.get(id).cloned())
            .flatten(),
        company_name: row.company_id.as_ref().and_then(|id| companies.get(id).cloned()),
        next_task: tasks.remove(&row.id),
        tags: tags.remove(&row.id).unwrap_or_default(),
        id: row.id,
        title: row.title,
        currency: row.currency,
        pipeline_id: row.pipeline_id,
        stage_id: row.stage_id,
        state: row.state,
        stage_since: row.stage_since,
        contact_id: row.contact_id,
        company_id: row.company_id,
        lead_id: row.lead_id,
        line_id: row.line_id,
        operator_id: row.operator_id,
        loss_reason: row.loss_reason,
        fields: row.fields,
        version: row.version,
        created_at: row.created_at,
        updated_at: row.updated_at,
        closed_at: row.closed_at,
        external_id: row.external_id,
    };
    Ok(rows.into_iter().map(view).collect())
}

/// The open task of each deal that is due first; those without a time come last.
async fn next_tasks(
    db: &impl ConnectionTrait,
    deals: &[deal::Model],
) -> Result<HashMap<String, NextTask>, DbErr> {
    let mut next: HashMap<String, NextTask> = HashMap::new();
    if deals.is_empty() {
        return Ok(next);
    }
    let rows = task::Entity::find()
        .filter(task::Column::DealId.is_in(bulk::padded(deals.iter().map(|row| &row.id))))
        .filter(task::Column::DoneAt.is_null())
        .all(db)
        .await?;
    for row in rows {
        let Some(deal_id) = row.deal_id else { continue };
        let found = NextTask {
            id: row.id,
            title: row.title,
            due_at: row.due_at,
        };
        let order = |task: &NextTask| (task.due_at.is_none(), task.due_at, task.id.clone());
        let later = next
            .get(&deal_id)
            .is_some_and(|known| order(known) <= order(&found));
        if !later {
            next.insert(deal_id, found);
        }
    }
    Ok(next)
}

/// Deals by id, as views.
pub async fn by_id(db: &impl ConnectionTrait, ids: &[String]) -> Result<Vec<DealView>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = deal::Entity::find()
        .filter(deal::Column::Id.is_in(bulk::padded(ids)))
        .all(db)
        .await?;
    views(db, rows).await
}
