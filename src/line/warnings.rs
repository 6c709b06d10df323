//! Reading what [`super::check`] looks at: a fixed number of queries, however many lines.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect};

use super::{
    Rules,
    check::{self, Attached, Facts, Member, Other, Warning},
    queue,
};
use crate::{
    db::entity::{channel, line, operator},
    operator::{Counting, store::words},
};

/// What is wrong with each of these lines, in their order.
pub async fn of_lines(
    db: &impl ConnectionTrait,
    rows: &[line::Model],
    counting: &Counting,
    now: DateTime<Utc>,
) -> Result<Vec<Vec<Warning>>, DbErr> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let entries = queue::entries(db, &ids).await?;
    let queues = queue::resolved(db, &ids).await?;
    let people: BTreeSet<&String> = queues.values().flatten().collect();
    let members = members(db, &people).await?;
    let channels = channels(db, &ids).await?;
    let lines = others(db).await?;
    rows.iter()
        .map(|row| {
            let rules = Rules::from_stored(&row.rules)?;
            let in_queue = queues.get(&row.id).map_or(&[][..], Vec::as_slice);
            let members: Vec<Member> = in_queue
                .iter()
                .filter_map(|id| members.get(id).cloned())
                .collect();
            let facts = Facts {
                id: &row.id,
                enabled: row.enabled,
                rules: &rules,
                entries: entries.get(&row.id).map_or(0, Vec::len),
                members: &members,
                channels: channels.get(&row.id).map_or(&[][..], Vec::as_slice),
                lines: &lines,
                counting,
            };
            Ok(check::warnings(&facts, now))
        })
        .collect()
}

async fn members(
    db: &impl ConnectionTrait,
    ids: &BTreeSet<&String>,
) -> Result<BTreeMap<String, Member>, DbErr> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = operator::Entity::find()
        .filter(operator::Column::Id.is_in(ids.iter().copied()))
        .all(db)
        .await?;
    let member = |row: operator::Model| {
        let member = Member {
            enabled: row.enabled,
            capacity: row.capacity,
            skills: words(&row.skills),
        };
        (row.id, member)
    };
    Ok(rows.into_iter().map(member).collect())
}

/// The channels of these lines, by line; never their settings.
pub async fn channels(
    db: &impl ConnectionTrait,
    line_ids: &[String],
) -> Result<BTreeMap<String, Vec<Attached>>, DbErr> {
    let rows: Vec<(String, String, bool)> = channel::Entity::find()
        .select_only()
        .columns([
            channel::Column::LineId,
            channel::Column::Kind,
            channel::Column::Enabled,
        ])
        .filter(channel::Column::LineId.is_in(line_ids))
        .into_tuple()
        .all(db)
        .await?;
    let mut channels: BTreeMap<String, Vec<Attached>> = BTreeMap::new();
    for (line_id, kind, enabled) in rows {
        channels
            .entry(line_id)
            .or_default()
            .push(Attached { kind, enabled });
    }
    Ok(channels)
}

/// All lines: an overflow may lead from any to any.
async fn others(db: &impl ConnectionTrait) -> Result<BTreeMap<String, Other>, DbErr> {
    let rows = line::Entity::find().all(db).await?;
    rows.into_iter()
        .map(|row| {
            let other = Other {
                name: row.name,
                enabled: row.enabled,
                overflow: Rules::from_stored(&row.rules)?.overflow,
            };
            Ok((row.id, other))
        })
        .collect()
}
