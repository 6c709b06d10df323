//! Reading what a batch is about: as few questions as possible, and at the same time those that do not
//! wait for each other's answers.

use std::{
    collections::{BTreeSet, HashMap, HashSet, hash_map::Entry},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use futures_util::future::try_join_all;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QueryResult, QuerySelect,
    Statement, Value,
};
use serde_json::{Value as Json, json};
use switchboard_sdk::{IdentityKind, Person, Thread};

use super::{
    Repeats, Work,
    dedupe::{Place, Told},
    mail::Mails,
    world::{
        Channel, NamedLine, OpenThread, World, thread_key_of_contact, thread_key_of_mail, thread_key_of_name,
        thread_key_of_sender,
    },
};
use crate::{
    company::keys::NO_KEYS,
    contact::identify::Known,
    db::{
        BatchTx, bulk,
        entity::{company, contact, conversation, line, operator, session, thread_ref},
    },
    id,
    ingest::prepare::PreparedBody,
    lead::rule::OpenDeal,
    line::{
        Rules,
        due::Promise,
        rules::{CreateLead, RepeatLead},
    },
};

impl World {
    /// Reads everything the events may touch: channels, identities, contacts, conversations, sessions,
    /// leads. Answers what became of the events that were stored before.
    pub async fn load(
        now: DateTime<Utc>,
        write: &BatchTx,
        works: &[Work],
        told: &Told<'_>,
        repeats: Repeats,
    ) -> Result<(Self, HashMap<Place, switchboard_sdk::Outcome>), DbErr> {
        let mut people: Vec<Person> = Vec::new();
        let mut mails = Mails::default();
        let mut refs: HashMap<&str, HashSet<String>> = HashMap::new();
        let mut senders: HashMap<&str, HashSet<String>> = HashMap::new();
        let mut named: BTreeSet<&str> = BTreeSet::new();
        for &(w, e) in &told.first {
            let channel_id = works[w].channel_id.as_str();
            match &works[w].events[e].body {
                PreparedBody::Message(message) => {
                    people.push(message.from.clone());
                    people.extend(message.card.clone());
                    mails.add(message);
                    named.extend(message.line.as_deref());
                    match &message.thread {
                        Thread::Messages { own, earlier } => {
                            let refs = refs.entry(channel_id).or_default();
                            refs.extend(earlier.iter().cloned());
                            refs.extend(super::forward::names(message));
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
                        Thread::Named(name) => {
                            senders
                                .entry(channel_id)
                                .or_default()
                                .insert(thread_key_of_name(name));
                        }
                        Thread::Contact => {}
                    }
                }
                PreparedBody::Submission(submission) => people.push(submission.content.person()),
                PreparedBody::Reachability(reach) => {
                    people.push(Person {
                        identities: vec![reach.identity.clone()],
                        ..Person::default()
                    });
                    let keys = senders.entry(channel_id).or_default();
                    keys.insert(thread_key_of_sender(&reach.identity));
                    if let Thread::Named(name) = &reach.thread {
                        keys.insert(thread_key_of_name(name));
                    }
                }
                PreparedBody::Receipt(_)
                | PreparedBody::Change(_)
                | PreparedBody::Call(_)
                | PreparedBody::Poison { .. } => {}
            }
        }
        people.append(&mut mails.clients);
        let known = async {
            match repeats {
                Repeats::Expected => told.known(write).await,
                Repeats::Unexpected => Ok(HashMap::new()),
            }
        };
        let (known, (channels, mut promises), lines, identities, (companies, new_companies)) = tokio::try_join!(
            known,
            channels(write, works),
            lines(write, named),
            identities(write, &people),
            companies(write, &people, now),
        )?;
        let named = lines.values().map(|line| (line.id.clone(), line.promise.clone()));
        promises.extend(named);
        let mut world = Self {
            contacts: contacts(write, &identities).await?,
            now,
            channels,
            promises,
            lines,
            identities,
            companies,
            new_companies,
            ..Self::default()
        };
        world.load_mails(write, mails).await?;
        world
            .load_threads(write, works, &told.first, refs, senders)
            .await?;
        world.load_changes(write, works, &told.first).await?;
        world.load_members(write).await?;
        world.load_leads(write).await?;
        world.load_responsible(write, works, &told.first).await?;
        Ok((world, known))
    }

    /// A form may name somebody who is gone since.
    async fn load_responsible(
        &mut self,
        write: &BatchTx,
        works: &[Work],
        events: &[Place],
    ) -> Result<(), DbErr> {
        let named: BTreeSet<&str> = events
            .iter()
            .filter_map(|&(w, e)| match &works[w].events[e].body {
                PreparedBody::Submission(submission) => submission.content.makes.operator.as_deref(),
                _ => None,
            })
            .collect();
        if named.is_empty() {
            return Ok(());
        }
        let rows: Vec<String> = operator::Entity::find()
            .select_only()
            .column(operator::Column::Id)
            .filter(operator::Column::Id.is_in(bulk::padded(named)))
            .filter(operator::Column::Enabled.eq(true))
            .into_tuple()
            .all(&write.read())
            .await?;
        self.responsible.extend(rows);
        Ok(())
    }

    async fn load_threads(
        &mut self,
        write: &BatchTx,
        works: &[Work],
        events: &[Place],
        refs: HashMap<&str, HashSet<String>>,
        mut keys: HashMap<&str, HashSet<String>>,
    ) -> Result<(), DbErr> {
        let mut ids: BTreeSet<String> = self.by_token.values().cloned().collect();
        for (channel_id, refs) in refs {
            if refs.is_empty() {
                continue;
            }
            let rows = thread_ref::Entity::find()
                .filter(thread_ref::Column::ChannelId.eq(channel_id))
                .filter(thread_ref::Column::ExternalId.is_in(bulk::padded(refs)))
                .all(&write.read())
                .await?;
            for row in rows {
                ids.insert(row.conversation_id.clone());
                self.by_ref
                    .insert((row.channel_id, row.external_id), row.conversation_id);
            }
        }
        // Conversations per contact: any contact the batch may resolve to, on the channels it came by.
        let contacts: Vec<String> = self.contacts.keys().cloned().collect();
        for &(w, e) in events {
            let per_contact = match &works[w].events[e].body {
                PreparedBody::Message(message) => message.thread == Thread::Contact,
                PreparedBody::Submission(_) | PreparedBody::Reachability(_) => true,
                PreparedBody::Receipt(_)
                | PreparedBody::Change(_)
                | PreparedBody::Call(_)
                | PreparedBody::Poison { .. } => false,
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
            for row in ask(write, &sql, values).await? {
                ids.insert(row.try_get("", "id")?);
            }
        }
        if ids.is_empty() {
            return Ok(());
        }
        let rows = conversation::Entity::find()
            .filter(conversation::Column::Id.is_in(bulk::padded(&ids)))
            .order_by_asc(conversation::Column::Id)
            .lock_exclusive()
            .all(&write.read())
            .await?;
        let sessions: Vec<&String> = rows.iter().map(|row| &row.session_id).collect();
        let mut sessions: HashMap<String, session::Model> = session::Entity::find()
            .filter(session::Column::Id.is_in(bulk::padded(sessions)))
            .all(&write.read())
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
                session_is_new: false,
                owed: false,
            };
            self.threads.insert(id, thread);
        }
        self.load_promises(write).await?;
        if !strangers.is_empty() {
            let found = contact::Entity::find()
                .filter(contact::Column::Id.is_in(bulk::padded(strangers)))
                .all(&write.read())
                .await?;
            self.contacts
                .extend(found.into_iter().map(|row| (row.id.clone(), row)));
        }
        Ok(())
    }

    /// Conversations that were moved away from their channel's line keep the promise of the line they are on.
    async fn load_promises(&mut self, write: &BatchTx) -> Result<(), DbErr> {
        let on = self.threads.values().map(|thread| &thread.session.line_id);
        let others: BTreeSet<&String> = on.filter(|id| !self.promises.contains_key(*id)).collect();
        if others.is_empty() {
            return Ok(());
        }
        let rows: Vec<(String, Json)> = line::Entity::find()
            .select_only()
            .columns([line::Column::Id, line::Column::Rules])
            .filter(line::Column::Id.is_in(others))
            .into_tuple()
            .all(&write.read())
            .await?;
        let promised = rows
            .into_iter()
            .map(|(id, rules)| (id, Promise::of(&readable(&rules))));
        self.promises.extend(promised);
        Ok(())
    }

    async fn load_leads(&mut self, write: &BatchTx) -> Result<(), DbErr> {
        if self.contacts.is_empty() {
            return Ok(());
        }
        let ids: Vec<Value> = self.contacts.keys().cloned().map(Value::from).collect();
        let (list, values) = bulk::in_list(1, ids);
        let sql = format!("SELECT id, contact_id, status FROM lead WHERE contact_id IN {list}");
        for row in ask(write, &sql, values).await? {
            let contact_id: String = row.try_get("", "contact_id")?;
            let status: String = row.try_get("", "status")?;
            let history = self.leads.entry(contact_id).or_default();
            history.any = true;
            if status == "new" || status == "in_progress" {
                history.open = Some(row.try_get("", "id")?);
            }
        }
        self.load_deals(write).await
    }

    /// Deals of those who have no open lead, where a line's rule asks for them.
    async fn load_deals(&mut self, write: &BatchTx) -> Result<(), DbErr> {
        let channels = self.channels.values().map(|channel| &channel.crm);
        let named = self.lines.values().map(|line| &line.crm);
        let asked = channels.chain(named).any(|crm| {
            crm.create_lead == CreateLead::Unknown
                || (crm.create_lead == CreateLead::Always && crm.repeat == RepeatLead::JoinDeal)
        });
        let ids: Vec<Value> = self
            .contacts
            .keys()
            .filter(|id| self.leads.get(*id).is_none_or(|history| history.open.is_none()))
            .cloned()
            .map(Value::from)
            .collect();
        if !asked || ids.is_empty() {
            return Ok(());
        }
        let (list, values) = bulk::in_list(1, ids);
        let sql = format!(
            "SELECT contact_id, lead_id, title, state FROM deal WHERE contact_id IN {list} ORDER BY created_at, id"
        );
        for row in ask(write, &sql, values).await? {
            let contact_id: String = row.try_get("", "contact_id")?;
            let state: String = row.try_get("", "state")?;
            let history = self.leads.entry(contact_id).or_default();
            history.any = true;
            if state == "open" {
                history.deal = Some(OpenDeal {
                    title: row.try_get("", "title")?,
                    lead_id: row.try_get("", "lead_id")?,
                });
            }
        }
        Ok(())
    }
}

async fn ask(write: &BatchTx, sql: &str, values: Vec<Value>) -> Result<Vec<QueryResult>, DbErr> {
    let statement = Statement::from_sql_and_values(write.backend(), sql, values);
    write.read().query_all_raw(statement).await
}

/// Channels, and the rules of their lines that ingest asks.
async fn channels(
    write: &BatchTx,
    works: &[Work],
) -> Result<(HashMap<String, Arc<Channel>>, HashMap<String, Promise>), DbErr> {
    let ids: BTreeSet<&str> = works.iter().map(|work| work.channel_id.as_str()).collect();
    let (list, values) = bulk::in_list(1, ids.into_iter().map(Value::from).collect());
    let sql = format!(
        "SELECT c.id, c.kind, c.name, c.line_id, l.rules, \
         EXISTS (SELECT 1 FROM waiting_change w WHERE w.channel_id = c.id) AS changes_wait \
         FROM channel c JOIN line l ON l.id = c.line_id WHERE c.id IN {list}"
    );
    let (mut channels, mut promises) = (HashMap::new(), HashMap::new());
    for row in ask(write, &sql, values).await? {
        let rules = readable(&row.try_get("", "rules")?);
        let channel = Channel {
            id: row.try_get("", "id")?,
            kind: row.try_get("", "kind")?,
            name: row.try_get("", "name")?,
            line_id: row.try_get("", "line_id")?,
            crm: rules.crm.clone(),
            changes_wait: row.try_get("", "changes_wait")?,
        };
        promises.insert(channel.line_id.clone(), Promise::of(&rules));
        channels.insert(channel.id.clone(), Arc::new(channel));
    }
    Ok((channels, promises))
}

/// What a customer wrote is stored whatever a line's rules look like: unreadable ones count as the defaults.
fn readable(stored: &Json) -> Rules {
    Rules::from_stored(stored).unwrap_or_default()
}

/// The lines that messages name, by what they are named by.
async fn lines(write: &BatchTx, named: BTreeSet<&str>) -> Result<HashMap<String, NamedLine>, DbErr> {
    if named.is_empty() {
        return Ok(HashMap::new());
    }
    let values: Vec<Value> = named.iter().copied().map(Value::from).collect();
    let (ids, mut all) = bulk::in_list(1, values.clone());
    let (keys, more) = bulk::in_list(1 + all.len(), values);
    all.extend(more);
    let sql = format!("SELECT id, key, rules FROM line WHERE id IN {ids} OR key IN {keys}");
    let mut found = HashMap::new();
    for row in ask(write, &sql, all).await? {
        let rules = readable(&row.try_get("", "rules")?);
        let line = NamedLine {
            id: row.try_get("", "id")?,
            crm: rules.crm.clone(),
            promise: Promise::of(&rules),
        };
        let key: String = row.try_get("", "key")?;
        found.insert(line.id.clone(), line.clone());
        found.insert(key, line);
    }
    Ok(found)
}

async fn identities(write: &BatchTx, people: &[Person]) -> Result<HashMap<(String, String), Known>, DbErr> {
    let mut values: HashMap<IdentityKind, BTreeSet<&str>> = HashMap::new();
    for identity in people.iter().flat_map(|person| &person.identities) {
        values.entry(identity.kind).or_default().insert(&identity.value);
    }
    let asked = values.into_iter().map(|(kind, values)| async move {
        let (list, mut values) = bulk::in_list(2, values.into_iter().map(Value::from).collect());
        values.insert(0, kind.as_str().into());
        let sql = format!(
            "SELECT kind, value, contact_id, verified FROM identity WHERE kind = $1 AND value IN {list}"
        );
        ask(write, &sql, values).await
    });
    try_join_all(asked)
        .await?
        .iter()
        .flatten()
        .map(|row| {
            let key = (row.try_get("", "kind")?, row.try_get("", "value")?);
            let known = Known {
                contact_id: row.try_get("", "contact_id")?,
                verified: row.try_get("", "verified")?,
            };
            Ok((key, known))
        })
        .collect()
}

async fn contacts(
    write: &BatchTx,
    identities: &HashMap<(String, String), Known>,
) -> Result<HashMap<String, contact::Model>, DbErr> {
    let ids: BTreeSet<&str> = identities
        .values()
        .map(|known| known.contact_id.as_str())
        .collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    // Locked: an operator may be changing or merging them at this moment.
    let contacts = contact::Entity::find()
        .filter(contact::Column::Id.is_in(bulk::padded(ids)))
        .order_by_asc(contact::Column::Id)
        .lock_exclusive()
        .all(&write.read())
        .await?;
    Ok(contacts.into_iter().map(|row| (row.id.clone(), row)).collect())
}

/// Companies named by the people, by the key of their name; and those of them that are made now.
async fn companies(
    write: &BatchTx,
    people: &[Person],
    now: DateTime<Utc>,
) -> Result<(HashMap<String, String>, Vec<company::Model>), DbErr> {
    let names: HashMap<String, &str> = people
        .iter()
        .filter_map(|person| person.company.as_deref())
        .map(|name| (name.to_lowercase(), name))
        .collect();
    let (mut ids, mut new) = (HashMap::new(), Vec::new());
    if names.is_empty() {
        return Ok((ids, new));
    }
    let known = company::Entity::find()
        .filter(company::Column::NameKey.is_in(bulk::padded(names.keys())))
        .all(&write.read())
        .await?;
    ids.extend(known.into_iter().map(|row| (row.name_key, row.id)));
    for (name_key, name) in names {
        if let Entry::Vacant(place) = ids.entry(name_key) {
            let row = company::Model {
                id: id::new(id::Kind::Company, now),
                name: name.to_owned(),
                name_key: place.key().clone(),
                created_at: now,
                phones: json!([]),
                emails: json!([]),
                website: None,
                tax_number: None,
                fields: json!({}),
                operator_id: None,
                version: 1,
                updated_at: now,
                keyed_version: NO_KEYS,
            };
            place.insert(row.id.clone());
            new.push(row);
        }
    }
    Ok((ids, new))
}
