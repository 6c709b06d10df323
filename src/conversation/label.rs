//! What people stick on a conversation: tags, a priority, a time to look at it again.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QuerySelect};
use serde_json::json;

use super::{
    session::{Error, hold},
    state::Refusal,
    view::strings,
};
use crate::db::{Db, WriteTx, entity::conversation};

/// Tags of one conversation, and characters of one.
const TAG_LIMIT: usize = 50;
const TAG_CHARS: usize = 50;
/// Priorities go from minus this to this.
const PRIORITY_LIMIT: i64 = 1_000;

/// Adds and removes tags.
pub async fn tag(
    write: &mut WriteTx,
    id: &str,
    add: &[String],
    remove: &[String],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let mut held = hold(write, id).await?;
    let before = strings(&held.conversation.tags);
    let removed: BTreeSet<String> = remove.iter().map(|tag| tag.trim().to_lowercase()).collect();
    let mut tags: Vec<String> = before
        .iter()
        .filter(|tag| !removed.contains(&tag.to_lowercase()))
        .cloned()
        .collect();
    for tag in add.iter().map(|tag| tag.trim()) {
        if tag.is_empty() || tag.chars().count() > TAG_CHARS {
            return Err(Error::invalid(
                "add",
                format!("a tag has 1 to {TAG_CHARS} characters"),
            ));
        }
        if !tags
            .iter()
            .any(|known| known.to_lowercase() == tag.to_lowercase())
        {
            tags.push(tag.to_owned());
        }
    }
    if tags.len() > TAG_LIMIT {
        return Err(Error::invalid("add", format!("at most {TAG_LIMIT} tags")));
    }
    if tags != before {
        held.conversation.tags = json!(tags);
        held.changed(write, now).await?;
    }
    Ok(())
}

/// Sets the priority: higher goes first.
pub async fn prioritise(
    write: &mut WriteTx,
    id: &str,
    priority: i64,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    if !(-PRIORITY_LIMIT..=PRIORITY_LIMIT).contains(&priority) {
        return Err(Error::invalid(
            "priority",
            format!("must be from -{PRIORITY_LIMIT} to {PRIORITY_LIMIT}"),
        ));
    }
    let mut held = hold(write, id).await?;
    if held.conversation.priority != priority {
        held.conversation.priority = priority;
        held.changed(write, now).await?;
    }
    Ok(())
}

/// Puts the conversation out of sight until then; `None` brings it back.
pub async fn snooze(
    write: &mut WriteTx,
    id: &str,
    until: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    if until.is_some_and(|until| until <= now) {
        return Err(Error::invalid("until", "must lie in the future"));
    }
    let mut held = hold(write, id).await?;
    if held.stage().as_str() == "closed" {
        return Err(Refusal::Closed.into());
    }
    if held.conversation.snoozed_until != until {
        held.conversation.snoozed_until = until;
        held.changed(write, now).await?;
    }
    Ok(())
}

/// Brings back conversations whose time has come. Answers how many.
pub async fn wake(db: &Db, now: DateTime<Utc>) -> Result<usize, DbErr> {
    let due: Vec<String> = conversation::Entity::find()
        .select_only()
        .column(conversation::Column::Id)
        .filter(conversation::Column::SnoozedUntil.lte(now))
        .limit(500)
        .into_tuple()
        .all(db.read())
        .await?;
    for id in &due {
        let mut write = db.write().await?;
        let mut held = match hold(&write, id).await {
            Ok(held) => held,
            Err(Error::Db(error)) => return Err(error),
            Err(_) => continue,
        };
        if held.conversation.snoozed_until.is_some_and(|until| until <= now) {
            held.conversation.snoozed_until = None;
            held.changed(&mut write, now).await?;
            write.commit().await?;
        }
    }
    Ok(due.len())
}
