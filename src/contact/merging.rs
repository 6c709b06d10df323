//! Merging two contacts and undoing it: the rows. What is to be done is decided in [`super::merge`].
//!
//! While it lasts nothing is taken in ([`INTAKE`]), so that a message finds its contact on one side or the other.

mod rows;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect, Set,
};
use serde_json::json;

pub use self::rows::{HOLDERS, NAMERS};
use super::merge::{self, Journal};
use crate::{
    conversation::rearrange::INTAKE,
    db::{
        WriteTx,
        entity::{contact, contact_merge, conversation, lead},
    },
    event::{EventType, NewEvent},
    id::{self, Kind},
};

/// Why two contacts were not merged, or that not undone.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such contact, or no such merge of it.
    #[error("no such {0}")]
    Missing(&'static str),
    /// A contact is itself already.
    #[error("is the same contact")]
    Same,
    /// One of the two is part of another contact.
    #[error("{id} was merged into {into} already; merge with that one, or undo that merge first")]
    Merged {
        /// The one that was merged away.
        id: String,
        /// Where it is.
        into: String,
    },
    /// There is nothing to undo.
    #[error("this contact is in no merge that could be undone")]
    NotMerged,
    /// It was undone already.
    #[error("this merge was undone already")]
    Undone,
    /// A later merge rests on this one.
    #[error("{0} was merged later and rests on this merge; undo that merge first")]
    RestsOn(String),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbErr),
}

/// Takes one contact into another. Answers the id of the merge.
pub async fn merge(
    write: &mut WriteTx,
    from: &str,
    into: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<String, Error> {
    if from == into {
        return Err(Error::Same);
    }
    write.lock(INTAKE).await?;
    let [from, into] = hold(write, from, into).await?;
    for row in [&from, &into] {
        if let Some(into) = &row.merged_into {
            return Err(Error::Merged {
                id: row.id.clone(),
                into: into.clone(),
            });
        }
    }
    let (left, right) = (rows::side(write, &from).await?, rows::side(write, &into).await?);
    let journal = merge::plan(&left, &right);
    rows::carry_out(write, &from, &into, &journal, now).await?;
    let id = id::new(Kind::Merge, now);
    let row = contact_merge::Model {
        id: id.clone(),
        into_id: into.id.clone(),
        from_id: from.id.clone(),
        operator_id: Some(by.to_owned()),
        journal: json!(journal),
        created_at: now,
        undone_at: None,
        undone_by: None,
    };
    contact_merge::Entity::insert(row.into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    tell(write, [&from.id, &into.id], &journal, now);
    Ok(id)
}

/// A merge that was undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    /// The merge.
    pub merge_id: String,
    /// The contact that is one of its own again.
    pub from_id: String,
    /// The contact that survived the merge.
    pub into_id: String,
}

/// The merge that [`unmerge`] would undo: the one named, or the standing one of a contact that was merged away, or
/// the latest that a survivor took in.
pub async fn find(
    db: &impl ConnectionTrait,
    contact_id: &str,
    merge_id: Option<&str>,
) -> Result<contact_merge::Model, Error> {
    let theirs = Condition::any()
        .add(contact_merge::Column::FromId.eq(contact_id))
        .add(contact_merge::Column::IntoId.eq(contact_id));
    if let Some(merge_id) = merge_id {
        return contact_merge::Entity::find_by_id(merge_id)
            .filter(theirs)
            .one(db)
            .await?
            .ok_or(Error::Missing("merge"));
    }
    let standing = |column: contact_merge::Column| {
        contact_merge::Entity::find()
            .filter(column.eq(contact_id))
            .filter(contact_merge::Column::UndoneAt.is_null())
            .order_by_desc(contact_merge::Column::CreatedAt)
            .order_by_desc(contact_merge::Column::Id)
            .limit(1)
            .one(db)
    };
    if let Some(row) = standing(contact_merge::Column::FromId).await? {
        return Ok(row);
    }
    let latest = standing(contact_merge::Column::IntoId).await?;
    latest.ok_or(Error::NotMerged)
}

/// Undoes a merge: what was the other's goes back as it is now, what came since stays with the survivor.
pub async fn unmerge(
    write: &mut WriteTx,
    merge_id: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Undone, Error> {
    write.lock(INTAKE).await?;
    let row = contact_merge::Entity::find_by_id(merge_id)
        .lock_exclusive()
        .one(write.tx())
        .await?
        .ok_or(Error::Missing("merge"))?;
    if row.undone_at.is_some() {
        return Err(Error::Undone);
    }
    let [from, into] = hold(write, &row.from_id, &row.into_id).await?;
    if let Some(further) = &into.merged_into {
        return Err(Error::Merged {
            id: into.id.clone(),
            into: further.clone(),
        });
    }
    let journal: Journal = serde_json::from_value(row.journal.clone())
        .map_err(|error| DbErr::Custom(format!("merge {merge_id} cannot be read: {error}")))?;
    if let Some(later) = resting_on(write, &row, &journal).await? {
        return Err(Error::RestsOn(later));
    }
    rows::take_back(write, &from, &into, &journal, now).await?;
    let update = contact_merge::ActiveModel {
        id: Set(row.id.clone()),
        undone_at: Set(Some(now)),
        undone_by: Set(Some(by.to_owned())),
        ..Default::default()
    };
    update.update_without_returning(write.tx()).await?;
    tell(write, [&from.id, &into.id], &journal, now);
    Ok(Undone {
        merge_id: row.id,
        from_id: row.from_id,
        into_id: row.into_id,
    })
}

/// The contact whose open lead waits in a lead that would go back: it would be left without one.
async fn resting_on(
    write: &WriteTx,
    row: &contact_merge::Model,
    journal: &Journal,
) -> Result<Option<String>, DbErr> {
    let Some(leads) = journal.moved.get("lead") else {
        return Ok(None);
    };
    let others = contact_merge::Entity::find()
        .filter(contact_merge::Column::IntoId.eq(&row.into_id))
        .filter(contact_merge::Column::UndoneAt.is_null())
        .filter(contact_merge::Column::Id.ne(&row.id))
        .all(write.tx())
        .await?;
    let rests = |other: &contact_merge::Model| {
        let journal: Option<Journal> = serde_json::from_value(other.journal.clone()).ok();
        journal
            .and_then(|journal| journal.folded)
            .is_some_and(|folded| leads.contains(&folded.into))
    };
    Ok(others
        .iter()
        .find(|other| rests(other))
        .map(|other| other.from_id.clone()))
}

/// Both contacts with what hangs on them, locked: conversations first, as everybody does.
async fn hold(write: &WriteTx, from: &str, into: &str) -> Result<[contact::Model; 2], Error> {
    let both = [from, into];
    conversation::Entity::find()
        .select_only()
        .column(conversation::Column::Id)
        .filter(conversation::Column::ContactId.is_in(both))
        .order_by_asc(conversation::Column::Id)
        .lock_exclusive()
        .into_tuple::<String>()
        .all(write.tx())
        .await?;
    let mut rows = contact::Entity::find()
        .filter(contact::Column::Id.is_in(both))
        .order_by_asc(contact::Column::Id)
        .lock_exclusive()
        .all(write.tx())
        .await?;
    lead::Entity::find()
        .select_only()
        .column(lead::Column::Id)
        .filter(lead::Column::ContactId.is_in(both))
        .order_by_asc(lead::Column::Id)
        .lock_exclusive()
        .into_tuple::<String>()
        .all(write.tx())
        .await?;
    let mut take = |id: &str| {
        let place = rows.iter().position(|row| row.id == id);
        place
            .map(|place| rows.swap_remove(place))
            .ok_or(Error::Missing("contact"))
    };
    Ok([take(from)?, take(into)?])
}

/// Everybody who shows one of the two, or what moved between them.
fn tell(write: &mut WriteTx, contacts: [&String; 2], journal: &Journal, now: DateTime<Utc>) {
    for id in contacts {
        write.record(NewEvent::new(EventType::ContactUpdated, id, now));
    }
    let none = Vec::new();
    let moved = |table: &str| journal.moved.get(table).unwrap_or(&none).iter();
    for id in moved("conversation") {
        write.record(NewEvent::conversation(id, now));
    }
    let grown = journal.folded.as_ref().map(|folded| &folded.into);
    for id in moved("lead").chain(grown) {
        write.record(NewEvent::new(EventType::LeadUpdated, id, now));
    }
}
