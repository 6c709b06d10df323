//! The part of the store a batch is about, in memory.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Statement, Value,
};
use switchboard_sdk::{DeliveryReceipt, Identity, IdentityKind, Person, Thread};

use super::Work;
use crate::{
    contact::identify::Known,
    db::{
        WriteTx, bulk,
        entity::{
            attachment, channel, contact, contact_suggestion, conversation, identity, lead, line, message,
            quarantine, session, submission, thread_ref,
        },
    },
    event::NewEvent,
    ingest::prepare::PreparedBody,
    lead::rule::{CreateLead, History},
};

/// What ingest needs to know of a channel.
#[derive(Debug, Clone)]
pub(super) struct Channel {
    pub id: String,
    pub kind: String,
    pub name: String,
    pub line_id: String,
    pub create_lead: CreateLead,
}

/// A conversation with its current session, and what of it must be written.
#[derive(Debug, Clone)]
pub(super) struct OpenThread {
    pub conversation: conversation::Model,
    pub session: session::Model,
    pub is_new: bool,
    pub changed: bool,
    pub session_changed: bool,
}

/// What a new session adds to the open lead it joins.
#[derive(Debug, Clone)]
pub(super) struct JoinedLead {
    pub lead_id: String,
    pub fields: std::collections::BTreeMap<String, serde_json::Value>,
    pub last: switchboard_sdk::Touch,
}

/// Everything a batch reads and writes.
#[derive(Debug, Default)]
pub(super) struct World {
    pub now: DateTime<Utc>,
    channels: HashMap<String, Channel>,
    pub identities: HashMap<(String, String), Known>,
    pub contacts: HashMap<String, contact::Model>,
    pub threads: HashMap<String, OpenThread>,
    pub by_key: HashMap<(String, String), String>,
    pub by_ref: HashMap<(String, String), String>,
    pub leads: HashMap<String, History>,

    // What is new, in the order of its making.
    pub new_contacts: Vec<String>,
    pub changed_contacts: BTreeSet<String>,
    pub new_identities: Vec<identity::Model>,
    pub proven: Vec<Identity>,
    pub suggestions: Vec<contact_suggestion::Model>,
    pub new_threads: Vec<String>,
    pub messages: Vec<message::Model>,
    pub attachments: Vec<attachment::Model>,
    pub uploaded: Vec<(String, String, i64)>,
    pub refs: Vec<thread_ref::Model>,
    pub new_leads: Vec<lead::Model>,
    pub joined_leads: Vec<JoinedLead>,
    pub submissions: Vec<submission::Model>,
    pub quarantined: Vec<quarantine::Model>,
    pub receipts: Vec<(String, DeliveryReceipt)>,
    pub companies: HashMap<String, String>,
    pub events: Vec<NewEvent>,
}

impl World {
    pub fn new(now: DateTime<Utc>) -> Self {
        Self {
            now,
            ..Self::default()
        }
    }

    pub fn channel(&self, id: &str) -> Option<Channel> {
        self.channels.get(id).cloned()
    }

    /// Channels and their lines' CRM rules.
    pub async fn load_channels(&mut self, write: &WriteTx, works: &[Work]) -> Result<(), DbErr> {
        let ids: BTreeSet<&str> = works.iter().map(|work| work.channel_id.as_str()).collect();
        let channels = channel::Entity::find()
            .filter(channel::Column::Id.is_in(ids))
            .all(write.tx())
            .await?;
        let lines: BTreeSet<&str> = channels.iter().map(|channel| channel.line_id.as_str()).collect();
        let rules: HashMap<String, CreateLead> = line::Entity::find()
            .filter(line::Column::Id.is_in(lines))
            .all(write.tx())
            .await?
            .into_iter()
            .map(|line| {
                let rule = line.rules.pointer("/crm/create_lead").cloned();
                (
                    line.id,
                    rule.and_then(|rule| serde_json::from_value(rule).ok())
                        .unwrap_or_default(),
                )
            })
            .collect();
        for row in channels {
            let create_lead = rules.get(&row.line_id).copied().unwrap_or_default();
            let channel = Channel {
                id: row.id.clone(),
                kind: row.kind,
                name: row.name,
                line_id: row.line_id,
                create_lead,
            };
            self.channels.insert(row.id, channel);
        }
        Ok(())
    }

    /// Everything the fresh events may touch: identities, contacts, conversations, sessions, leads.
    pub async fn load(
        &mut self,
        write: &WriteTx,
        works: &[Work],
        fresh: &[(usize, usize)],
    ) -> Result<(), DbErr> {
        let mut people: Vec<Person> = Vec::new();
        let mut refs: HashMap<&str, HashSet<String>> = HashMap::new();
        let mut senders: HashMap<&str, HashSet<String>> = HashMap::new();
        for &(w, e) in fresh {
            let channel_id = works[w].channel_id.as_str();
            match &works[w].events[e].body {
                PreparedBody::Message(message) => {
                    people.push(message.from.clone());
                    match &message.thread {
                        Thread::Messages { own, earlier } => {
                            refs.entry(channel_id)
                                .or_default()
                                .extend(earlier.iter().cloned());
                            senders
                                .entry(channel_id)
                                .or_default()
                                .insert(thread_key_of_mail(own));
                        }
                        Thread::Sender => {
                            if let Some(first) = message.from.identities.first() {
                                senders
                                    .entry(channel_id)
                                    .or_default()
                                    .insert(thread_key_of_sender(first));
                            }
                        }
                        Thread::Contact => {}
                    }
                }
                PreparedBody::Submission(submission) => people.push(submission.content.person()),
                PreparedBody::Receipt(_) | PreparedBody::Poison { .. } => {}
            }
        }
        self.load_people(write, &people).await?;
        self.load_companies(write, &people).await?;
        self.load_threads(write, works, fresh, refs, senders).await?;
        self.load_leads(write).await
    }

    async fn load_people(&mut self, write: &WriteTx, people: &[Person]) -> Result<(), DbErr> {
        let mut values: HashMap<IdentityKind, BTreeSet<&str>> = HashMap::new();
        for identity in people.iter().flat_map(|person| &person.identities) {
            values.entry(identity.kind).or_default().insert(&identity.value);
        }
        for (kind, values) in values {
            let values: Vec<Value> = values.into_iter().map(Value::from).collect();
            let (list, mut values) = bulk::in_list(2, values);
            values.insert(0, kind.as_str().into());
            let sql = format!(
                "SELECT kind, value, contact_id, verified FROM identity WHERE kind = $1 AND value IN {list}"
            );
            let rows = write
                .tx()
                .query_all_raw(Statement::from_sql_and_values(write.backend(), sql, values))
                .await?;
            for row in rows {
                let key = (row.try_get("", "kind")?, row.try_get("", "value")?);
                let known = Known {
                    contact_id: row.try_get("", "contact_id")?,
                    verified: row.try_get("", "verified")?,
                };
                self.identities.insert(key, known);
            }
        }
        let ids: BTreeSet<&str> = self
            .identities
            .values()
            .map(|known| known.contact_id.as_str())
            .collect();
        if ids.is_empty() {
            return Ok(());
        }
        // Locked: an operator may be changing or merging them at this moment.
        let contacts = contact::Entity::find()
            .filter(contact::Column::Id.is_in(ids))
            .order_by_asc(contact::Column::Id)
            .lock_exclusive()
            .all(write.tx())
            .await?;
        self.contacts = contacts.into_iter().map(|row| (row.id.clone(), row)).collect();
        Ok(())
    }

    /// Companies named by the people, made when they are new. Rare: one statement each.
    async fn load_companies(&mut self, write: &WriteTx, people: &[Person]) -> Result<(), DbErr> {
        let names: BTreeSet<&str> = people
            .iter()
            .filter_map(|person| person.company.as_deref())
            .collect();
        for name in names {
            let key = name.to_lowercase();
            let id = crate::id::new(crate::id::Kind::Company, self.now);
            let sql = "INSERT INTO company (id, name, name_key, created_at) VALUES ($1, $2, $3, $4) \
                       ON CONFLICT (name_key) DO UPDATE SET name_key = excluded.name_key RETURNING id";
            let values: [Value; 4] = [id.into(), name.into(), key.clone().into(), self.now.into()];
            let row = write
                .tx()
                .query_one_raw(Statement::from_sql_and_values(write.backend(), sql, values))
                .await?;
            if let Some(row) = row {
                self.companies.insert(key, row.try_get("", "id")?);
            }
        }
        Ok(())
    }

    async fn load_threads(
        &mut self,
        write: &WriteTx,
        works: &[Work],
        fresh: &[(usize, usize)],
        refs: HashMap<&str, HashSet<String>>,
        mut keys: HashMap<&str, HashSet<String>>,
    ) -> Result<(), DbErr> {
        let mut ids: BTreeSet<String> = BTreeSet::new();
        for (channel_id, refs) in refs {
            if refs.is_empty() {
                continue;
            }
            let rows = thread_ref::Entity::find()
                .filter(thread_ref::Column::ChannelId.eq(channel_id))
                .filter(thread_ref::Column::ExternalId.is_in(refs))
                .all(write.tx())
                .await?;
            for row in rows {
                ids.insert(row.conversation_id.clone());
                self.by_ref
                    .insert((row.channel_id, row.external_id), row.conversation_id);
            }
        }
        // Conversations per contact: any contact the batch may resolve to, on the channels it came by.
        let contacts: Vec<String> = self.contacts.keys().cloned().collect();
        for &(w, e) in fresh {
            let per_contact = match &works[w].events[e].body {
                PreparedBody::Message(message) => message.thread == Thread::Contact,
                PreparedBody::Submission(_) => true,
                PreparedBody::Receipt(_) | PreparedBody::Poison { .. } => false,
            };
            if per_contact && !contacts.is_empty() {
                let keys = keys.entry(works[w].channel_id.as_str()).or_default();
                keys.extend(contacts.iter().map(|id| thread_key_of_contact(id)));
            }
        }
        for (channel_id, keys) in keys {
            if keys.is_empty() {
                continue;
            }
            let keys: Vec<Value> = keys.into_iter().map(Value::from).collect();
            let (list, mut values) = bulk::in_list(2, keys);
            values.insert(0, channel_id.into());
            let sql = format!("SELECT id FROM conversation WHERE channel_id = $1 AND thread_key IN {list}");
            let rows = write
                .tx()
                .query_all_raw(Statement::from_sql_and_values(write.backend(), sql, values))
                .await?;
            for row in rows {
                ids.insert(row.try_get("", "id")?);
            }
        }
        if ids.is_empty() {
            return Ok(());
        }
        let rows = conversation::Entity::find()
            .filter(conversation::Column::Id.is_in(&ids))
            .order_by_asc(conversation::Column::Id)
            .lock_exclusive()
            .all(write.tx())
            .await?;
        let sessions: Vec<&String> = rows.iter().map(|row| &row.session_id).collect();
        let mut sessions: HashMap<String, session::Model> = session::Entity::find()
            .filter(session::Column::Id.is_in(sessions))
            .all(write.tx())
            .await?
            .into_iter()
            .map(|row| (row.id.clone(), row))
            .collect();
        let strangers: BTreeSet<String> = rows
            .iter()
            .map(|row| row.contact_id.clone())
            .filter(|id| !self.contacts.contains_key(id))
            .collect();
        for row in rows {
            let session = sessions.remove(&row.session_id).ok_or_else(|| {
                DbErr::RecordNotFound(format!(
                    "conversation {} without its session {}",
                    row.id, row.session_id
                ))
            })?;
            self.by_key
                .insert((row.channel_id.clone(), row.thread_key.clone()), row.id.clone());
            let id = row.id.clone();
            let thread = OpenThread {
                conversation: row,
                session,
                is_new: false,
                changed: false,
                session_changed: false,
            };
            self.threads.insert(id, thread);
        }
        if !strangers.is_empty() {
            let found = contact::Entity::find()
                .filter(contact::Column::Id.is_in(strangers))
                .all(write.tx())
                .await?;
            self.contacts
                .extend(found.into_iter().map(|row| (row.id.clone(), row)));
        }
        Ok(())
    }

    async fn load_leads(&mut self, write: &WriteTx) -> Result<(), DbErr> {
        if self.contacts.is_empty() {
            return Ok(());
        }
        let ids: Vec<Value> = self.contacts.keys().cloned().map(Value::from).collect();
        let (list, values) = bulk::in_list(1, ids);
        let sql = format!("SELECT id, contact_id, status FROM lead WHERE contact_id IN {list}");
        let rows = write
            .tx()
            .query_all_raw(Statement::from_sql_and_values(write.backend(), sql, values))
            .await?;
        for row in rows {
            let contact_id: String = row.try_get("", "contact_id")?;
            let status: String = row.try_get("", "status")?;
            let history = self.leads.entry(contact_id).or_default();
            history.any = true;
            if status == "new" || status == "in_progress" {
                history.open = Some(row.try_get("", "id")?);
            }
        }
        Ok(())
    }
}

/// The key of the one conversation of a contact on a channel.
pub(super) fn thread_key_of_contact(contact_id: &str) -> String {
    format!("c:{contact_id}")
}

/// The key of the one conversation of a sender on a channel.
pub(super) fn thread_key_of_sender(sender: &Identity) -> String {
    format!("i:{}:{}", sender.kind.as_str(), sender.value)
}

/// The key of a mail thread: the id of its first message.
pub(super) fn thread_key_of_mail(own: &str) -> String {
    format!("m:{own}")
}
