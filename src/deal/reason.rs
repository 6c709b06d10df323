//! Why deals are lost, as admins word it: what operators are offered to choose from. A deal keeps the words it
//! was given, so a reason that is reworded or removed changes no past.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryOrder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    db::{WriteTx, entity::loss_reason},
    id::{self, Kind},
};

/// Most reasons.
pub const MOST: usize = 50;
/// Characters a reason may have.
pub const LIMIT: usize = 200;

/// A reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LossReason {
    /// `rsn_…`
    pub id: String,
    /// In words.
    pub name: String,
}

/// All of them, in their order.
pub async fn list(db: &impl ConnectionTrait) -> Result<Vec<LossReason>, DbErr> {
    let rows = loss_reason::Entity::find()
        .order_by_asc(loss_reason::Column::Position)
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| LossReason {
            id: row.id,
            name: row.name,
        })
        .collect())
}

/// Replaces them; those with an id that is known stay who they are.
pub async fn replace(
    write: &WriteTx,
    wanted: Vec<(Option<String>, String)>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let known = list(write.tx()).await?;
    loss_reason::Entity::delete_many().exec(write.tx()).await?;
    let mut used = std::collections::BTreeSet::new();
    let rows: Vec<loss_reason::ActiveModel> = (0..)
        .zip(wanted)
        .map(|(position, (id, name))| {
            let kept = id.filter(|id| known.iter().any(|row| row.id == *id) && used.insert(id.clone()));
            loss_reason::Model {
                id: kept.unwrap_or_else(|| id::new(Kind::LossReason, now)),
                name,
                position,
            }
            .into_active_model()
        })
        .collect();
    if !rows.is_empty() {
        loss_reason::Entity::insert_many(rows)
            .exec_without_returning(write.tx())
            .await?;
    }
    Ok(())
}

/// The words of a reason that is named by its id, or the words given.
pub async fn words(db: &impl ConnectionTrait, given: &str) -> Result<String, DbErr> {
    if given.starts_with(Kind::LossReason.prefix())
        && let Some(row) = loss_reason::Entity::find_by_id(given).one(db).await?
    {
        return Ok(row.name);
    }
    Ok(given.to_owned())
}
