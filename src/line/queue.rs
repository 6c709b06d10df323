//! Who stands in a line's queue: operators directly and through teams, in order, nobody twice.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::entity::{line_queue, team_member};

/// An entry of a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Entry {
    /// One operator.
    Operator {
        /// Their id.
        operator_id: String,
    },
    /// All of a team, in its order.
    Team {
        /// Its id.
        team_id: String,
    },
}

/// The entries of these lines as they were defined, by line.
pub async fn entries(
    db: &impl ConnectionTrait,
    line_ids: &[String],
) -> Result<BTreeMap<String, Vec<Entry>>, DbErr> {
    let mut queues: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    if line_ids.is_empty() {
        return Ok(queues);
    }
    let rows = line_queue::Entity::find()
        .filter(line_queue::Column::LineId.is_in(line_ids))
        .order_by_asc(line_queue::Column::LineId)
        .order_by_asc(line_queue::Column::Position)
        .all(db)
        .await?;
    for row in rows {
        let entry = match (row.operator_id, row.team_id) {
            (Some(operator_id), _) => Entry::Operator { operator_id },
            (None, Some(team_id)) => Entry::Team { team_id },
            (None, None) => continue,
        };
        queues.entry(row.line_id).or_default().push(entry);
    }
    Ok(queues)
}

/// The operators of these lines' queues, by line.
pub async fn resolved(
    db: &impl ConnectionTrait,
    line_ids: &[String],
) -> Result<BTreeMap<String, Vec<String>>, DbErr> {
    let queues = entries(db, line_ids).await?;
    let teams: BTreeSet<&String> = queues
        .values()
        .flatten()
        .filter_map(|entry| match entry {
            Entry::Team { team_id } => Some(team_id),
            Entry::Operator { .. } => None,
        })
        .collect();
    let mut members: BTreeMap<String, Vec<String>> = BTreeMap::new();
    if !teams.is_empty() {
        let rows = team_member::Entity::find()
            .filter(team_member::Column::TeamId.is_in(teams))
            .order_by_asc(team_member::Column::TeamId)
            .order_by_asc(team_member::Column::Position)
            .all(db)
            .await?;
        for row in rows {
            members.entry(row.team_id).or_default().push(row.operator_id);
        }
    }
    Ok(queues
        .into_iter()
        .map(|(line, entries)| (line, flatten(&entries, &members)))
        .collect())
}

/// Teams replaced by their members; whoever appears twice keeps the first place.
fn flatten(entries: &[Entry], members: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut people = Vec::new();
    for entry in entries {
        let of_entry = match entry {
            Entry::Operator { operator_id } => std::slice::from_ref(operator_id),
            Entry::Team { team_id } => members.get(team_id).map_or(&[][..], Vec::as_slice),
        };
        people.extend(of_entry.iter().filter(|id| seen.insert((*id).clone())).cloned());
    }
    people
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Entry, flatten};

    #[test]
    fn teams_become_their_members_and_nobody_stands_twice() {
        let members = BTreeMap::from([(
            "t".to_owned(),
            vec!["b".to_owned(), "a".to_owned(), "c".to_owned()],
        )]);
        let entries = [
            Entry::Operator {
                operator_id: "a".to_owned(),
            },
            Entry::Team {
                team_id: "t".to_owned(),
            },
            Entry::Operator {
                operator_id: "c".to_owned(),
            },
            Entry::Team {
                team_id: "gone".to_owned(),
            },
        ];
        assert_eq!(flatten(&entries, &members), ["a", "b", "c"]);
    }
}
