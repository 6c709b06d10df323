//! How conversations hang together: split, merged, begun by a mail that answers another one.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder};
use serde::Serialize;
use utoipa::ToSchema;

use crate::db::{
    bulk,
    entity::{conversation, conversation_link, identity},
};

/// Another conversation that one hangs together with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ConversationLink)]
pub struct LinkView {
    /// `lnk_…`: splits and merges are undone by it.
    pub id: String,
    /// From here: `split_from` and `split_to`, `merged_into` and `merged_from`, `continues` and `continued_by`.
    pub kind: String,
    /// The other conversation.
    pub conversation_id: String,
    /// Its number.
    pub number: i64,
    /// Why a mail that answers another one began a conversation: `stranger`, `old` or `subject`.
    pub reason: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// The links of conversations that hold now, the oldest first, as each of them sees them.
pub async fn of(
    db: &impl ConnectionTrait,
    ids: Vec<String>,
) -> Result<HashMap<String, Vec<LinkView>>, DbErr> {
    let rows = conversation_link::Entity::find()
        .filter(
            Condition::any()
                .add(conversation_link::Column::FromId.is_in(bulk::padded(&ids)))
                .add(conversation_link::Column::ToId.is_in(bulk::padded(&ids))),
        )
        .filter(conversation_link::Column::UndoneAt.is_null())
        .order_by_asc(conversation_link::Column::Id)
        .all(db)
        .await?;
    let mut links: HashMap<String, Vec<LinkView>> = HashMap::new();
    if rows.is_empty() {
        return Ok(links);
    }
    let others = rows.iter().flat_map(|row| [&row.from_id, &row.to_id]);
    let numbers: HashMap<String, i64> = conversation::Entity::find()
        .filter(conversation::Column::Id.is_in(others))
        .all(db)
        .await?
        .into_iter()
        .map(|row| (row.id, row.number))
        .collect();
    for row in rows {
        let sides = [
            (&row.from_id, &row.to_id, true),
            (&row.to_id, &row.from_id, false),
        ];
        for (of, other, later) in sides {
            if !ids.contains(of) {
                continue;
            }
            links.entry(of.clone()).or_default().push(LinkView {
                id: row.id.clone(),
                kind: seen(&row.kind, later).to_owned(),
                conversation_id: other.clone(),
                number: numbers.get(other).copied().unwrap_or_default(),
                reason: row.reason.clone(),
                at: row.at,
            });
        }
    }
    Ok(links)
}

/// A kind of link as the later or the earlier of both sees it.
fn seen(kind: &str, later: bool) -> &'static str {
    match (kind, later) {
        ("split", true) => "split_from",
        ("split", false) => "split_to",
        ("merged", true) => "merged_into",
        ("merged", false) => "merged_from",
        (_, true) => "continues",
        (_, false) => "continued_by",
    }
}

/// Those of these e-mail addresses that nothing reaches any more, with the reason.
pub async fn unreachable(
    db: &impl ConnectionTrait,
    addresses: Vec<String>,
) -> Result<HashMap<String, String>, DbErr> {
    if addresses.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = identity::Entity::find()
        .filter(identity::Column::Kind.eq("email"))
        .filter(identity::Column::Value.is_in(bulk::padded(addresses)))
        .filter(identity::Column::UnreachableSince.is_not_null())
        .all(db)
        .await?;
    let said = |row: identity::Model| (row.value, row.unreachable_reason.unwrap_or_default());
    Ok(rows.into_iter().map(said).collect())
}
