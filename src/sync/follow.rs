//! From the log to steps.
//!
//! Steps are made in the transaction that moves the cursor. Several nodes may follow at once and a crash may make one
//! begin again: a note is told once by its unique index, and telling a lead once more tells what it is then.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, sea_query::Query};

use super::{
    Options,
    engine::Engine,
    queue::{self, LIVE, Wish},
    store,
};
use crate::{
    db::{
        Db, WriteTx, bulk,
        entity::{call, conversation, crm_connection, crm_job, lead, message, session},
    },
    event::{Event, EventType, consumer::Consumer},
    lead::store::MERGED,
};

/// A call is noted when its recording has had time to come.
const RECORDING: TimeDelta = TimeDelta::seconds(60);

/// Makes steps of events.
#[derive(Debug)]
pub struct Follower {
    engine: Engine,
}

impl Follower {
    /// Of this process' connections.
    pub fn new(engine: Engine) -> Self {
        Self { engine }
    }
}

/// Something to note of a lead.
struct Noted {
    lead_id: String,
    kind: &'static str,
    subject: String,
    at: DateTime<Utc>,
}

#[async_trait]
impl Consumer for Follower {
    type Work = Vec<Wish>;

    fn name(&self) -> &'static str {
        "crm"
    }

    fn wants(&self, event: &Event) -> bool {
        !event.hush.outside
            && matches!(
                event.kind,
                Some(
                    EventType::LeadCreated
                        | EventType::LeadUpdated
                        | EventType::ContactUpdated
                        | EventType::ConversationUpdated
                        | EventType::CallUpdated
                        | EventType::MessageCreated
                )
            )
    }

    async fn look(&self, db: &Db, events: &[Event]) -> Result<Option<Vec<Wish>>, DbErr> {
        let connections: Vec<(crm_connection::Model, Options)> = store::all(db.read())
            .await?
            .into_iter()
            .map(|row| {
                let options = Options::read(&row.options);
                (row, options)
            })
            .collect();
        if connections.is_empty() {
            return Ok(None);
        }
        let mut changed: BTreeSet<String> =
            objects(events, &[EventType::LeadCreated, EventType::LeadUpdated])
                .into_iter()
                .collect();
        changed.extend(told_of(db, objects(events, &[EventType::ContactUpdated])).await?);
        let notes = notes(db, events, &connections).await?;
        let mut ids = changed.clone();
        ids.extend(notes.iter().map(|note| note.lead_id.clone()));
        if ids.is_empty() {
            return Ok(None);
        }
        let ids: Vec<String> = ids.into_iter().collect();
        let leads: BTreeMap<String, lead::Model> = lead::Entity::find()
            .filter(lead::Column::Id.is_in(bulk::padded(ids.clone())))
            .all(db.read())
            .await?
            .into_iter()
            .map(|row| (row.id.clone(), row))
            .collect();
        let known: HashSet<(String, String)> = queue::known(db.read(), &ids).await?.into_iter().collect();
        let now = self.engine.parts().clock.now();
        let mut wishes = Vec::new();
        for (connection, options) in &connections {
            let concerned = |lead_id: &str| {
                let is_known = known.contains(&(connection.id.clone(), lead_id.to_owned()));
                leads.get(lead_id).is_some_and(|lead| {
                    lead.status != MERGED && (is_known || is_for(connection, options, lead))
                })
            };
            for lead_id in changed.iter().filter(|id| concerned(id)) {
                wishes.push(Wish {
                    connection_id: connection.id.clone(),
                    lead_id: lead_id.clone(),
                    kind: "lead",
                    subject: lead_id.clone(),
                    rank: LIVE,
                    due_at: now,
                });
            }
            for note in notes.iter().filter(|note| wanted(connection, options, note)) {
                if concerned(&note.lead_id) {
                    let delay = if note.kind == "call" {
                        RECORDING
                    } else {
                        TimeDelta::zero()
                    };
                    wishes.push(Wish {
                        connection_id: connection.id.clone(),
                        lead_id: note.lead_id.clone(),
                        kind: note.kind,
                        subject: note.subject.clone(),
                        rank: LIVE,
                        due_at: now + delay,
                    });
                }
            }
        }
        Ok((!wishes.is_empty()).then_some(wishes))
    }

    async fn handle(&self, write: &mut WriteTx, wishes: Vec<Wish>) -> Result<(), DbErr> {
        let now = self.engine.parts().clock.now();
        // A connection, or a lead, may have been removed since it was read.
        let wishes = there(write, wishes).await?;
        queue::add(write, wishes, now).await
    }

    fn handled(&self) {
        self.engine.bell().ring();
    }
}

/// Whether a lead goes to a connection by itself.
pub fn is_for(connection: &crm_connection::Model, options: &Options, lead: &lead::Model) -> bool {
    lead.created_at >= connection.since_at && options.takes(lead.line_id.as_deref())
}

fn wanted(connection: &crm_connection::Model, options: &Options, note: &Noted) -> bool {
    note.at >= connection.since_at
        && match note.kind {
            "conversation" => options.transcripts,
            "call" => options.calls,
            _ => options.remarks,
        }
}

fn objects(events: &[Event], kinds: &[EventType]) -> Vec<String> {
    let ids: BTreeSet<&String> = events
        .iter()
        .filter(|event| event.kind.is_some_and(|kind| kinds.contains(&kind)))
        .map(|event| &event.object_id)
        .collect();
    ids.into_iter().cloned().collect()
}

/// The leads of these contacts that a CRM was told of.
async fn told_of(db: &Db, contacts: Vec<String>) -> Result<Vec<String>, DbErr> {
    if contacts.is_empty() {
        return Ok(Vec::new());
    }
    let told = Query::select()
        .column(crm_job::Column::LeadId)
        .from(crm_job::Entity)
        .to_owned();
    lead::Entity::find()
        .select_only()
        .column(lead::Column::Id)
        .filter(lead::Column::ContactId.is_in(bulk::padded(contacts)))
        .filter(lead::Column::Id.in_subquery(told))
        .into_tuple()
        .all(db.read())
        .await
}

async fn notes(
    db: &Db,
    events: &[Event],
    connections: &[(crm_connection::Model, Options)],
) -> Result<Vec<Noted>, DbErr> {
    let mut notes = Vec::new();
    let Some(since) = connections.iter().map(|(row, _)| row.since_at).min() else {
        return Ok(notes);
    };
    if connections.iter().any(|(_, options)| options.transcripts) {
        let ids = objects(events, &[EventType::ConversationUpdated]);
        notes.extend(closed_sessions(db, ids, since).await?);
    }
    if connections.iter().any(|(_, options)| options.calls) {
        let ids = objects(events, &[EventType::CallUpdated]);
        if !ids.is_empty() {
            let rows = call::Entity::find()
                .filter(call::Column::Id.is_in(bulk::padded(ids)))
                .filter(call::Column::LeadId.is_not_null())
                .filter(call::Column::EndedAt.is_not_null())
                .filter(call::Column::MergedInto.is_null())
                .all(db.read())
                .await?;
            notes.extend(rows.into_iter().filter_map(|row| {
                Some(Noted {
                    lead_id: row.lead_id?,
                    kind: "call",
                    subject: row.id,
                    at: row.ended_at?,
                })
            }));
        }
    }
    if connections.iter().any(|(_, options)| options.remarks) {
        let ids = objects(events, &[EventType::MessageCreated]);
        if !ids.is_empty() {
            let rows: Vec<(String, DateTime<Utc>, Option<String>)> = message::Entity::find()
                .select_only()
                .column(message::Column::Id)
                .column(message::Column::CreatedAt)
                .column(message::Column::ConversationId)
                .filter(message::Column::Id.is_in(bulk::padded(ids)))
                .filter(message::Column::Kind.eq("note"))
                .into_tuple()
                .all(db.read())
                .await?;
            let of: BTreeSet<String> = rows.iter().filter_map(|(_, _, id)| id.clone()).collect();
            let leads = leads_of(db, of.into_iter().collect()).await?;
            notes.extend(rows.into_iter().filter_map(|(id, at, conversation_id)| {
                Some(Noted {
                    lead_id: leads.get(&conversation_id?)?.clone(),
                    kind: "remark",
                    subject: id,
                    at,
                })
            }));
        }
    }
    Ok(notes)
}

/// The sessions of conversations that were closed since, but for those that were nothing.
async fn closed_sessions(
    db: &Db,
    conversations: Vec<String>,
    since: DateTime<Utc>,
) -> Result<Vec<Noted>, DbErr> {
    if conversations.is_empty() {
        return Ok(Vec::new());
    }
    let rows = session::Entity::find()
        .filter(session::Column::ConversationId.is_in(bulk::padded(conversations)))
        .filter(session::Column::State.eq("closed"))
        .filter(session::Column::ClosedAt.gte(since))
        .all(db.read())
        .await?;
    let rows: Vec<session::Model> = rows
        .into_iter()
        .filter(|row| row.close_reason.as_deref() != Some("spam"))
        .collect();
    let of: BTreeSet<String> = rows.iter().map(|row| row.conversation_id.clone()).collect();
    let leads = leads_of(db, of.into_iter().collect()).await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            Some(Noted {
                lead_id: leads.get(&row.conversation_id)?.clone(),
                kind: "conversation",
                subject: row.id,
                at: row.closed_at?,
            })
        })
        .collect())
}

/// The lead of each conversation that has one.
async fn leads_of(db: &Db, conversations: Vec<String>) -> Result<BTreeMap<String, String>, DbErr> {
    if conversations.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<(String, Option<String>)> = conversation::Entity::find()
        .select_only()
        .columns([conversation::Column::Id, conversation::Column::LeadId])
        .filter(conversation::Column::Id.is_in(bulk::padded(conversations)))
        .into_tuple()
        .all(db.read())
        .await?;
    Ok(rows
        .into_iter()
        .filter_map(|(id, lead)| Some((id, lead?)))
        .collect())
}

/// Wishes whose connection and lead are still there, held until the end of this write.
async fn there(write: &WriteTx, wishes: Vec<Wish>) -> Result<Vec<Wish>, DbErr> {
    use sea_orm::sea_query::LockType;
    let connections: BTreeSet<String> = wishes.iter().map(|wish| wish.connection_id.clone()).collect();
    let leads: BTreeSet<String> = wishes.iter().map(|wish| wish.lead_id.clone()).collect();
    let connections: HashSet<String> = crm_connection::Entity::find()
        .filter(crm_connection::Column::Id.is_in(bulk::padded(connections)))
        .lock(LockType::KeyShare)
        .all(write.tx())
        .await?
        .into_iter()
        .map(|row| row.id)
        .collect();
    let leads: HashSet<String> = lead::Entity::find()
        .filter(lead::Column::Id.is_in(bulk::padded(leads)))
        .lock(LockType::KeyShare)
        .all(write.tx())
        .await?
        .into_iter()
        .map(|row| row.id)
        .collect();
    let mut wishes = wishes;
    wishes.retain(|wish| connections.contains(&wish.connection_id) && leads.contains(&wish.lead_id));
    Ok(wishes)
}
