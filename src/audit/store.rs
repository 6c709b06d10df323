//! The audit log in the database.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::ExprTrait,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Action, Judged};
use crate::{
    db::{Db, bulk, entity::audit},
    id::{self, Kind},
};

/// Entries are kept this long.
const KEPT: TimeDelta = TimeDelta::days(730);
/// Rows removed at once.
const CHUNK: u64 = 1_000;

/// Something somebody did.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub struct Entry {
    /// `aud_…`
    pub id: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub operator_id: String,
    /// What: `seen`, `changed`, `exported`, `erased` or `signed_in`.
    pub action: String,
    /// With what kind of object, as paths name it.
    pub object: String,
    /// With which one.
    pub object_id: Option<String>,
    /// By which operation of the API.
    pub operation: String,
}

impl From<audit::Model> for Entry {
    fn from(row: audit::Model) -> Self {
        Self {
            id: row.id,
            at: row.at,
            operator_id: row.operator_id,
            action: row.action,
            object: row.object,
            object_id: row.object_id,
            operation: row.operation,
        }
    }
}

/// What the list is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// By this operator.
    pub operator_id: Option<String>,
    /// Of this action.
    pub action: Option<Action>,
    /// About this object.
    pub object_id: Option<String>,
    /// From then on.
    pub since: Option<DateTime<Utc>>,
    /// Before.
    pub until: Option<DateTime<Utc>>,
}

/// Where a page ends.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Place {
    at: DateTime<Utc>,
    id: String,
}

/// Writes down what an operator did.
pub async fn note(db: &Db, operator_id: &str, what: Judged, now: DateTime<Utc>) -> Result<(), DbErr> {
    const COLUMNS: [&str; 8] = [
        "id",
        "at",
        "operator_id",
        "action",
        "object",
        "object_id",
        "operation",
        "once",
    ];
    let once = (what.action == Action::Seen).then(|| {
        let object_id = what.object_id.as_deref().unwrap_or_default();
        format!("{operator_id}:{object_id}:{}", now.format("%Y-%m-%dT%H"))
    });
    if let Some(once) = &once {
        // Reading is cheaper than waiting for the writer.
        let known = audit::Entity::find()
            .filter(audit::Column::Once.eq(once))
            .one(db.read())
            .await?;
        if known.is_some() {
            return Ok(());
        }
    }
    let row = vec![
        id::new(Kind::Audit, now).into(),
        now.into(),
        operator_id.to_owned().into(),
        what.action.as_str().into(),
        what.object.into(),
        what.object_id.into(),
        what.operation.into(),
        once.into(),
    ];
    let write = db.write().await?;
    bulk::insert(write.tx(), "audit", &COLUMNS, vec![row], "ON CONFLICT DO NOTHING").await?;
    write.commit().await
}

/// Entries, the newest first.
pub async fn list(
    db: &impl ConnectionTrait,
    filter: &Filter,
    after: Option<&Place>,
    limit: u64,
) -> Result<(Vec<Entry>, Option<Place>), DbErr> {
    let mut query = audit::Entity::find()
        .order_by_desc(audit::Column::At)
        .order_by_desc(audit::Column::Id)
        .limit(limit + 1);
    if let Some(operator_id) = &filter.operator_id {
        query = query.filter(audit::Column::OperatorId.eq(operator_id));
    }
    if let Some(action) = filter.action {
        query = query.filter(audit::Column::Action.eq(action.as_str()));
    }
    if let Some(object_id) = &filter.object_id {
        query = query.filter(audit::Column::ObjectId.eq(object_id));
    }
    if let Some(since) = filter.since {
        query = query.filter(audit::Column::At.gte(since));
    }
    if let Some(until) = filter.until {
        query = query.filter(audit::Column::At.lt(until));
    }
    if let Some(place) = after {
        query = query.filter(
            audit::Column::At.lt(place.at).or(audit::Column::At
                .eq(place.at)
                .and(audit::Column::Id.lt(&place.id))),
        );
    }
    let mut rows = query.all(db).await?;
    let full = rows.len() as u64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = rows.last().filter(|_| full).map(|row| Place {
        at: row.at,
        id: row.id.clone(),
    });
    Ok((rows.into_iter().map(Entry::from).collect(), next))
}

/// Removes what is too old, a chunk at a time.
pub async fn sweep(db: &Db, now: DateTime<Utc>) -> Result<(), DbErr> {
    let old: Vec<String> = audit::Entity::find()
        .select_only()
        .column(audit::Column::Id)
        .filter(audit::Column::At.lt(now - KEPT))
        .limit(CHUNK)
        .into_tuple()
        .all(db.read())
        .await?;
    if old.is_empty() {
        return Ok(());
    }
    let write = db.write().await?;
    audit::Entity::delete_many()
        .filter(audit::Column::Id.is_in(old))
        .exec(write.tx())
        .await?;
    write.commit().await
}
