//! Changes of messages: of those in this very batch, of those stored before, and of those that are still
//! to come.
//!
//! A change finds its message by any id the provider knows it by. One that comes before its message (or
//! whose message never was ours) waits in `waiting_change`, with an entry in quarantine that says so; the
//! message folds it in when it comes.

mod album;

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Set,
    Statement, Value,
    sea_query::{Expr, ExprTrait},
};
use serde_json::json;
use switchboard_sdk::{InboundReachability, Outcome, Thread};

use super::{
    Work,
    dedupe::Place,
    world::{Channel, World, thread_key_of_contact, thread_key_of_name, thread_key_of_sender},
};
use crate::{
    conversation::{
        change::{self, Edited, Reacting, Words},
        extra::Extra,
        message::preview,
    },
    db::{
        BatchTx, bulk,
        entity::{attachment, conversation, message, message_version, quarantine, waiting_change},
    },
    event::{EventType, NewEvent},
    id::{self, Kind},
    ingest::{
        change::{Change, PreparedChange},
        prepare::{KeptFile, Prepared, PreparedBody, PreparedMessage},
        rows,
    },
};

/// Names a message as its provider does: the channel and the id.
pub(super) type Name = (String, String);

/// What a batch knows of messages that are changed or answered.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Names that this batch asks for.
    asked: HashSet<Name>,
    /// Messages that were stored before, by the names asked for: id and conversation.
    known: HashMap<Name, (String, String)>,
    /// Messages of this batch by the names asked for: their place in `World::messages`.
    fresh: HashMap<Name, usize>,
    /// Rows of known messages that are changed.
    rows: HashMap<String, message::Model>,
    /// Files of known messages that are replaced, by message.
    files: HashMap<String, Vec<String>>,
    changed: BTreeSet<String>,
    versions: Vec<message_version::Model>,
    /// Changes that wait for messages of this batch.
    waiting: HashMap<Name, Vec<waiting_change::Model>>,
    new_waiting: Vec<waiting_change::Model>,
    /// Those that were folded in and had been stored.
    folded: Vec<waiting_change::Model>,
    replaced_files: Vec<String>,
}

/// Where a message to be changed is.
enum Found {
    Fresh(usize),
    Known(String),
}

impl World {
    /// Reads the messages that changes and answers of the batch name, and the changes that wait for its
    /// messages.
    pub async fn load_changes(
        &mut self,
        write: &BatchTx,
        works: &[Work],
        events: &[Place],
    ) -> Result<(), DbErr> {
        let mut arriving: HashMap<&str, HashSet<&str>> = HashMap::new();
        for &(w, e) in events {
            let (channel_id, event) = (&works[w].channel_id, &works[w].events[e]);
            let name = |id: &String| (channel_id.clone(), id.clone());
            match &event.body {
                PreparedBody::Change(change) => {
                    self.changes.asked.insert(name(&change.message));
                }
                PreparedBody::Message(message) => {
                    self.changes.asked.extend(message.reply_to.as_ref().map(name));
                    self.changes.asked.extend(message.album.as_ref().map(name));
                    if self
                        .channels
                        .get(channel_id)
                        .is_some_and(|channel| channel.changes_wait)
                    {
                        let ids = std::iter::once(&event.external_id).chain(&message.ids);
                        arriving
                            .entry(channel_id)
                            .or_default()
                            .extend(ids.map(String::as_str));
                    }
                }
                _ => {}
            }
        }
        self.find_named(write).await?;
        for (channel_id, ids) in arriving {
            let rows = waiting_change::Entity::find()
                .filter(waiting_change::Column::ChannelId.eq(channel_id))
                .filter(waiting_change::Column::Message.is_in(ids))
                .order_by_asc(waiting_change::Column::At)
                .all(&write.read())
                .await?;
            for row in rows {
                let name = (row.channel_id.clone(), row.message.clone());
                self.changes.waiting.entry(name).or_default().push(row);
            }
        }
        let edited = events.iter().any(|&(w, e)| match &works[w].events[e].body {
            PreparedBody::Change(_) => true,
            PreparedBody::Message(message) => message.album.is_some(),
            _ => false,
        });
        if edited && !self.changes.known.is_empty() {
            self.load_changed(write).await?;
        }
        Ok(())
    }

    async fn find_named(&mut self, write: &BatchTx) -> Result<(), DbErr> {
        let mut by_channel: HashMap<&String, Vec<Value>> = HashMap::new();
        for (channel_id, id) in &self.changes.asked {
            by_channel.entry(channel_id).or_default().push(id.clone().into());
        }
        let mut known = HashMap::new();
        for (channel_id, ids) in by_channel {
            let (list, mut values) = bulk::in_list(2, ids);
            values.insert(0, channel_id.clone().into());
            // What the provider calls our answers and the parts of an album, and what events were called.
            let sql = format!(
                "SELECT n.external_id, m.id, m.conversation_id FROM ( \
                 SELECT external_id, message_id FROM thread_ref WHERE channel_id = $1 AND external_id IN {list} \
                 UNION ALL \
                 SELECT external_id, message_id FROM inbound_event WHERE channel_id = $1 AND external_id IN {list} \
                 ) n JOIN message m ON m.id = n.message_id"
            );
            let statement = Statement::from_sql_and_values(write.backend(), sql, values);
            for row in write.read().query_all_raw(statement).await? {
                let name = (channel_id.clone(), row.try_get("", "external_id")?);
                let place = (row.try_get("", "id")?, row.try_get("", "conversation_id")?);
                known.entry(name).or_insert(place);
            }
        }
        self.changes.known = known;
        Ok(())
    }

    async fn load_changed(&mut self, write: &BatchTx) -> Result<(), DbErr> {
        let ids: BTreeSet<&String> = self.changes.known.values().map(|(id, _)| id).collect();
        // Locked: an operator may be changing it at this moment. The conversation first, as everybody does.
        let places: BTreeSet<&String> = self.changes.known.values().map(|(_, place)| place).collect();
        conversation::Entity::find()
            .filter(conversation::Column::Id.is_in(places))
            .order_by_asc(conversation::Column::Id)
            .lock_exclusive()
            .all(&write.read())
            .await?;
        let rows = message::Entity::find()
            .filter(message::Column::Id.is_in(ids.iter().copied()))
            .order_by_asc(message::Column::Id)
            .lock_exclusive()
            .all(&write.read())
            .await?;
        let files = attachment::Entity::find()
            .filter(attachment::Column::MessageId.is_in(ids))
            .filter(attachment::Column::Replaced.eq(false))
            .all(&write.read())
            .await?;
        for file in files {
            if let Some(message_id) = file.message_id {
                self.changes.files.entry(message_id).or_default().push(file.id);
            }
        }
        self.changes.rows = rows.into_iter().map(|row| (row.id.clone(), row)).collect();
        Ok(())
    }

    /// The message a change is of, for the ledger: a repeat is answered with it.
    pub fn changed_message(&self, channel_id: &str, body: &PreparedBody) -> Option<String> {
        let PreparedBody::Change(change) = body else {
            return None;
        };
        let name = (channel_id.to_owned(), change.message.clone());
        self.changes.known.get(&name).map(|(id, _)| id.clone())
    }

    /// The message of this conversation that another answers.
    pub(super) fn answered(
        &self,
        channel: &Channel,
        reply_to: Option<&str>,
        conversation_id: &str,
    ) -> Option<String> {
        let name = (channel.id.clone(), reply_to?.to_owned());
        if let Some((id, _)) = self
            .changes
            .known
            .get(&name)
            .filter(|(_, place)| place == conversation_id)
        {
            return Some(id.clone());
        }
        let row = self.messages.get(*self.changes.fresh.get(&name)?)?;
        (row.conversation_id == conversation_id).then(|| row.id.clone())
    }

    /// Takes note of a message that was just appended, and folds in what waited for it.
    pub(super) fn arrived(&mut self, channel: &Channel, event: &Prepared, message: &PreparedMessage) {
        let place = self.messages.len().saturating_sub(1);
        let ids = std::iter::once(&event.external_id).chain(&message.ids);
        for id in ids {
            let name = (channel.id.clone(), id.clone());
            if self.changes.asked.contains(&name) {
                self.changes.fresh.insert(name.clone(), place);
            }
            for waiting in self.changes.waiting.remove(&name).unwrap_or_default() {
                self.fold(place, waiting);
            }
        }
    }

    fn fold(&mut self, place: usize, waiting: waiting_change::Model) {
        match serde_json::from_value::<Change>(waiting.change.clone()) {
            Ok(change) => {
                self.change(Found::Fresh(place), change, waiting.at);
            }
            Err(error) => {
                tracing::warn!(channel.id = waiting.channel_id, %error, "a change that waited cannot be read");
                return;
            }
        }
        let of_this_batch = |row: &&mut quarantine::Model| row.id == waiting.quarantine_id;
        if let Some(row) = self.quarantined.iter_mut().find(of_this_batch) {
            row.replayed_at = Some(self.now);
            self.changes
                .new_waiting
                .retain(|new| new.quarantine_id != waiting.quarantine_id);
        } else {
            self.events.push(NewEvent::new(
                EventType::QuarantineUpdated,
                &waiting.quarantine_id,
                self.now,
            ));
            self.changes.folded.push(waiting);
        }
    }

    /// Applies a change to its message, or lets it wait for it.
    pub(super) fn apply_change(
        &mut self,
        channel: &Channel,
        event: &Prepared,
        change: &PreparedChange,
    ) -> Outcome {
        let name = (channel.id.clone(), change.message.clone());
        let found = if let Some(place) = self.changes.fresh.get(&name) {
            Found::Fresh(*place)
        } else if let Some((id, _)) = self.changes.known.get(&name) {
            Found::Known(id.clone())
        } else {
            return self.wait(name, event, change);
        };
        let at = std::cmp::Ord::min(event.at, self.now);
        let Some((message_id, conversation_id, seq)) = self.change(found, change.change.clone(), at) else {
            return self.wait(name, event, change);
        };
        Outcome::Stored {
            message_id: Some(message_id),
            seq: Some(seq),
            conversation_id: Some(conversation_id),
            submission_id: None,
        }
    }

    fn change(&mut self, found: Found, what: Change, at: DateTime<Utc>) -> Option<(String, String, i64)> {
        let fresh = matches!(found, Found::Fresh(_));
        let row = match &found {
            Found::Fresh(place) => self.messages.get_mut(*place)?,
            Found::Known(id) => self.changes.rows.get_mut(id)?,
        };
        let (id, conversation_id, seq) = (row.id.clone(), row.conversation_id.clone(), row.seq);
        let mut files = None;
        let news = match what {
            Change::Deletion => change::delete(row, "contact", at),
            Change::Reaction { who, name, emoji } => change::react(row, Reacting { who, name, emoji, at }),
            Change::Edit {
                text,
                html,
                files: new,
                missing,
                location,
            } => {
                let mut extra = Extra::read(row.extra.as_ref());
                if new.is_some() {
                    extra.missing_files = missing;
                }
                let late = row.edited_at.is_some_and(|known| at < known);
                extra.location = location.or(extra.location);
                let moved = extra.stored() != row.extra && !late;
                if moved {
                    row.extra = extra.stored();
                }
                let old = if fresh {
                    self.attachments
                        .iter()
                        .filter(|file| file.message_id.as_deref() == Some(&id) && !file.replaced)
                        .map(|file| file.id.clone())
                        .collect()
                } else {
                    self.changes.files.get(&id).cloned().unwrap_or_default()
                };
                let same_files = new.as_ref().is_none_or(|new| new.is_empty() && old.is_empty());
                let words = Words {
                    text,
                    html,
                    has_files: new.as_ref().is_some_and(|new| !new.is_empty()),
                    replaced_files: (!same_files).then_some(old),
                };
                match change::edit(row, words, at) {
                    Edited::Same => moved,
                    Edited::Late(version) => {
                        self.changes.versions.push(version);
                        true
                    }
                    Edited::Changed(version) => {
                        files = new.filter(|_| !same_files);
                        self.changes.versions.push(version);
                        true
                    }
                }
            }
        };
        if !news {
            return Some((id, conversation_id, seq));
        }
        let body = row.body.clone();
        if let Some(files) = files {
            self.replace_files(&id, &files);
        }
        if let Some(thread) = self.threads.get_mut(&conversation_id)
            && thread.conversation.last_message_id.as_deref() == Some(&id)
        {
            thread.conversation.last_message_text = Some(preview(&body));
            thread.changed = true;
        }
        if !fresh {
            self.changes.changed.insert(id.clone());
        }
        self.events.push(NewEvent::message(
            EventType::MessageUpdated,
            &id,
            &conversation_id,
            self.now,
        ));
        Some((id, conversation_id, seq))
    }

    fn replace_files(&mut self, message_id: &str, files: &[KeptFile]) {
        for file in &mut self.attachments {
            if file.message_id.as_deref() == Some(message_id) {
                file.replaced = true;
            }
        }
        self.changes
            .replaced_files
            .extend(self.changes.files.remove(message_id).unwrap_or_default());
        self.add_files(message_id, files);
        let ids = files.iter().map(|file| file.id.clone()).collect();
        self.changes.files.insert(message_id.to_owned(), ids);
    }

    fn wait(&mut self, name: Name, event: &Prepared, change: &PreparedChange) -> Outcome {
        let stored = json!(change.change);
        let id = id::new(Kind::Quarantine, self.now);
        self.quarantined.push(quarantine::Model {
            id: id.clone(),
            channel_id: name.0.clone(),
            external_id: event.external_id.clone(),
            reason: format!(
                "{} of a message that is not known here ({}); it is applied by itself should the message still come",
                change.change.word(),
                change.message
            ),
            size: i64::try_from(stored.to_string().len()).unwrap_or(i64::MAX),
            // Nothing lies in the storage: the change itself is in `waiting_change`.
            storage_key: String::new(),
            created_at: self.now,
            replayed_at: None,
        });
        self.events
            .push(NewEvent::new(EventType::QuarantineUpdated, &id, self.now));
        let row = waiting_change::Model {
            channel_id: name.0.clone(),
            message: name.1.clone(),
            event: event.external_id.clone(),
            change: stored,
            at: std::cmp::Ord::min(event.at, self.now),
            quarantine_id: id.clone(),
        };
        self.changes.new_waiting.push(row.clone());
        self.changes.waiting.entry(name).or_default().push(row);
        Outcome::Quarantined { id }
    }

    /// Whether a customer can be reached on a channel. Of somebody who never wrote nothing is kept.
    pub(super) fn apply_reachability(&mut self, channel: &Channel, reach: &InboundReachability) -> Outcome {
        let identity = &reach.identity;
        let known = (identity.kind.as_str().to_owned(), identity.value.clone());
        let contact_id = self.identities.get(&known).map(|known| known.contact_id.clone());
        let keys: Vec<String> = match &reach.thread {
            Thread::Named(name) => vec![thread_key_of_name(name)],
            _ => contact_id
                .map(|id| thread_key_of_contact(&id))
                .into_iter()
                .chain([thread_key_of_sender(identity)])
                .collect(),
        };
        let places: Vec<Name> = keys.into_iter().map(|key| (channel.id.clone(), key)).collect();
        let mut told = None;
        for id in places
            .iter()
            .filter_map(|place| self.by_key.get(place))
            .cloned()
            .collect::<Vec<_>>()
        {
            let now = self.now;
            let Some(thread) = self.threads.get_mut(&id) else {
                continue;
            };
            let row = &mut thread.conversation;
            told = Some(id);
            if reach.reachable == row.unreachable_since.is_none() {
                continue;
            }
            row.unreachable_since = (!reach.reachable).then_some(now);
            row.unreachable_reason = reach.reason.clone().filter(|_| !reach.reachable);
            row.version += 1;
            row.updated_at = now;
            thread.changed = true;
        }
        Outcome::Stored {
            message_id: None,
            seq: None,
            conversation_id: told,
            submission_id: None,
        }
    }

    /// Writes what changed.
    pub async fn flush_changes(&mut self, write: &mut BatchTx) -> Result<(), DbErr> {
        let backend = write.backend();
        let changes = std::mem::take(&mut self.changes);
        for id in &changes.changed {
            let Some(row) = changes.rows.get(id) else { continue };
            let update = message::Entity::update_many()
                .set(message::ActiveModel {
                    body: Set(row.body.clone()),
                    html: Set(row.html.clone()),
                    has_attachments: Set(row.has_attachments),
                    extra: Set(row.extra.clone()),
                    edited_at: Set(row.edited_at),
                    deleted_at: Set(row.deleted_at),
                    deleted_by: Set(row.deleted_by.clone()),
                    reactions: Set(row.reactions.clone()),
                    revision: Set(row.revision),
                    ..Default::default()
                })
                .filter(message::Column::Id.eq(id));
            write.execute(update.build(backend)).await?;
            // Of a message without words it shows the first file.
            if row.body.trim().is_empty() {
                continue;
            }
            // The list shows how the newest message begins.
            let update = conversation::Entity::update_many()
                .col_expr(
                    conversation::Column::LastMessageText,
                    Expr::value(preview(&row.body)),
                )
                .col_expr(
                    conversation::Column::Version,
                    Expr::col(conversation::Column::Version).add(1),
                )
                .col_expr(conversation::Column::UpdatedAt, Expr::value(self.now))
                .filter(conversation::Column::Id.eq(&row.conversation_id))
                .filter(conversation::Column::LastMessageId.eq(id))
                .filter(conversation::Column::LastMessageText.ne(preview(&row.body)));
            if write.execute(update.build(backend)).await? > 0 {
                self.events
                    .push(NewEvent::conversation(&row.conversation_id, self.now));
            }
        }
        let versions = changes.versions.into_iter().map(rows::version);
        write
            .insert("message_version", rows::VERSION, versions, "")
            .await?;
        if !changes.replaced_files.is_empty() {
            let update = attachment::Entity::update_many()
                .col_expr(attachment::Column::Replaced, Expr::value(true))
                .filter(attachment::Column::Id.is_in(changes.replaced_files));
            write.execute(update.build(backend)).await?;
        }
        let waiting = changes.new_waiting.into_iter().map(rows::waiting);
        write
            .insert("waiting_change", rows::WAITING, waiting, "ON CONFLICT DO NOTHING")
            .await?;
        for row in changes.folded {
            let update = quarantine::Entity::update_many()
                .col_expr(quarantine::Column::ReplayedAt, Expr::value(self.now))
                .filter(quarantine::Column::Id.eq(&row.quarantine_id));
            write.execute(update.build(backend)).await?;
            let delete = waiting_change::Entity::delete_many()
                .filter(waiting_change::Column::QuarantineId.eq(&row.quarantine_id));
            write.execute(delete.build(backend)).await?;
        }
        Ok(())
    }
}
