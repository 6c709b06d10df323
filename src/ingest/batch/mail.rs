//! What mails add to a batch: whom reply addresses name, who is on a thread, what colleagues file.

use std::collections::BTreeSet;

use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, Statement, Value};
use serde_json::json;
use switchboard_sdk::{Capture, Outcome, Person, Thread, ThreadFacts};

use super::world::{Channel, World, thread_key_of_mail};
use crate::{
    conversation::message::{preview, stored_recipients},
    db::{
        BatchTx, bulk,
        entity::{conversation_link, conversation_member, message, operator, thread_ref},
    },
    event::{EventType, NewEvent},
    id::{self, Kind},
    ingest::{
        prepare::{Prepared, PreparedMessage},
        threading::{self, Answered, Letter, Place, Why},
    },
};

/// Why a session that was never open is closed.
const FILED: &str = "filed";

/// What the mails of a batch ask to be looked up.
#[derive(Debug, Default)]
pub(super) struct Mails {
    tokens: BTreeSet<String>,
    senders: BTreeSet<String>,
    /// The clients of mails that colleagues file.
    pub clients: Vec<Person>,
}

impl Mails {
    pub fn add(&mut self, message: &PreparedMessage) {
        let Some(facts) = &message.threading else { return };
        self.tokens.extend(facts.token.clone());
        if let Capture::Filed { to, .. } = &facts.capture {
            self.clients.extend(to.first().cloned());
            self.senders.extend(address(&message.from).map(str::to_owned));
            self.clients
                .extend(facts.forwarded.as_ref().map(|mail| mail.from.clone()));
        }
    }
}

/// Where a message is put.
pub(super) struct Found {
    pub conversation_id: Option<String>,
    /// Its writer was not on the thread.
    pub new_participant: bool,
    /// The conversation it answers without joining it.
    pub link: Option<(String, Why)>,
}

impl World {
    /// Reads what reply addresses name and who the colleagues are.
    pub async fn load_mails(&mut self, write: &BatchTx, mails: Mails) -> Result<(), DbErr> {
        if !mails.tokens.is_empty() {
            let (list, values) = bulk::in_list(1, mails.tokens.into_iter().map(Value::from).collect());
            let sql = format!(
                "SELECT m.id, m.conversation_id, c.channel_id FROM message m \
                 LEFT JOIN chat_mail c ON c.message_id = m.id WHERE m.id IN {list}"
            );
            let statement = Statement::from_sql_and_values(write.backend(), sql, values);
            for row in write.read().query_all_raw(statement).await? {
                let id: String = row.try_get("", "id")?;
                if let Some(channel_id) = row.try_get("", "channel_id")? {
                    self.mailed.insert(id.clone(), channel_id);
                }
                self.by_token.insert(id, row.try_get("", "conversation_id")?);
            }
        }
        if !mails.senders.is_empty() {
            let rows = operator::Entity::find()
                .filter(operator::Column::Email.is_in(bulk::padded(mails.senders)))
                .filter(operator::Column::Enabled.eq(true))
                .all(&write.read())
                .await?;
            let by_address = |row: operator::Model| Some((row.email?, (row.id, row.name)));
            self.colleagues = rows.into_iter().filter_map(by_address).collect();
        }
        Ok(())
    }

    /// Reads who is on the threads that were loaded.
    pub async fn load_members(&mut self, write: &BatchTx) -> Result<(), DbErr> {
        // Threads of mails, and chats that went on by mail.
        let named: BTreeSet<&String> = self.by_ref.values().chain(self.by_token.values()).collect();
        let threaded = self.threads.values().filter(|thread| {
            thread.conversation.thread_key.starts_with("m:") || named.contains(&thread.conversation.id)
        });
        let ids: Vec<&String> = threaded.map(|thread| &thread.conversation.id).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let rows = conversation_member::Entity::find()
            .filter(conversation_member::Column::ConversationId.is_in(bulk::padded(ids)))
            .all(&write.read())
            .await?;
        for row in rows {
            self.members
                .entry(row.conversation_id)
                .or_default()
                .insert(row.address);
        }
        Ok(())
    }

    /// The conversation a message goes to: what it answers, by the rule, or the one of its key.
    pub fn find_thread(
        &self,
        channel: &Channel,
        message: &PreparedMessage,
        contact_id: &str,
        key: &str,
    ) -> Found {
        let by_key = || self.by_key.get(&(channel.id.clone(), key.to_owned())).cloned();
        let joins = |conversation_id| Found {
            conversation_id,
            new_participant: false,
            link: None,
        };
        let Thread::Messages { earlier, .. } = &message.thread else {
            return joins(by_key());
        };
        let by_token = message.threading.as_ref().and_then(|facts| {
            let token = facts.token.as_ref()?;
            let id = self.by_token.get(token)?;
            // A message of another channel is none of this mailbox, unless it went out by it.
            let here = self
                .threads
                .get(id)
                .is_some_and(|thread| thread.conversation.channel_id == channel.id);
            (here || self.mailed.get(token) == Some(&channel.id)).then_some(id)
        });
        let by_ref = || {
            earlier
                .iter()
                .find_map(|reference| self.by_ref.get(&(channel.id.clone(), reference.clone())))
        };
        let Some(id) = by_token.or_else(by_ref) else {
            return joins(by_key());
        };
        let (Some(facts), Some(thread)) = (&message.threading, self.threads.get(id)) else {
            return joins(Some(id.clone()));
        };
        let row = &thread.conversation;
        let answered = Answered {
            contact_id: &row.contact_id,
            address: &row.address,
            members: self.members.get(id),
            subject: row.subject.as_deref(),
            closed_at: thread
                .session
                .closed_at
                .filter(|_| thread.session.state == "closed"),
            by_token: by_token.is_some(),
        };
        let letter = Letter {
            contact_id,
            from: address(&message.from).unwrap_or_default(),
            subject: message.subject.as_deref(),
            automatic: message.automatic,
            rules: facts.rules,
        };
        match threading::place(&answered, &letter, self.now) {
            Place::Join => joins(Some(id.clone())),
            Place::JoinForReview => Found {
                conversation_id: Some(id.clone()),
                new_participant: true,
                link: None,
            },
            Place::Own(why) => Found {
                conversation_id: by_key(),
                new_participant: false,
                link: Some((id.clone(), why)),
            },
        }
    }

    /// After a mail was stored: who is on the thread now, what it hangs on, who was heard.
    pub fn add_facts(
        &mut self,
        conversation_id: &str,
        message: &PreparedMessage,
        link: Option<(String, Why)>,
    ) {
        let Some(facts) = &message.threading else { return };
        if !message.automatic {
            self.heard.extend(address(&message.from).map(str::to_owned));
            self.add_members(conversation_id, message, facts);
        }
        let began = self
            .threads
            .get(conversation_id)
            .is_some_and(|thread| thread.is_new && thread.conversation.last_seq == 1);
        if let Some((to_id, why)) = link.filter(|(to_id, _)| began && to_id != conversation_id) {
            self.links.push(conversation_link::Model {
                id: id::new(Kind::Link, self.now),
                kind: "continues".to_owned(),
                from_id: conversation_id.to_owned(),
                to_id: to_id.clone(),
                reason: Some(why.as_str().to_owned()),
                operator_id: None,
                moved: json!([]),
                at: self.now,
                undone_at: None,
            });
            self.events.push(NewEvent::conversation(to_id, self.now));
        }
    }

    fn add_members(&mut self, conversation_id: &str, message: &PreparedMessage, facts: &ThreadFacts) {
        let members = self.members.entry(conversation_id.to_owned()).or_default();
        for address in address(&message.from)
            .into_iter()
            .chain(facts.others.iter().map(String::as_str))
        {
            if members.len() < MAX_MEMBERS && members.insert(address.to_owned()) {
                self.new_members.push(conversation_member::Model {
                    conversation_id: conversation_id.to_owned(),
                    address: address.to_owned(),
                    created_at: self.now,
                });
            }
        }
    }

    /// Files a colleague's mail as their reply to whom they wrote. `None` when it is not for filing: then it
    /// is a mail like any other.
    pub fn file(
        &mut self,
        channel: &Channel,
        event: &Prepared,
        message: &PreparedMessage,
    ) -> Option<Outcome> {
        let facts = message.threading.as_ref()?;
        let Capture::Filed {
            to, trusted: true, ..
        } = &facts.capture
        else {
            return None;
        };
        let client = to.first()?;
        let (operator_id, name) = self.colleagues.get(address(&message.from)?)?.clone();
        let Thread::Messages { own, earlier } = &message.thread else {
            return None;
        };
        let (contact_id, claimed) = self.identify(client, true);
        let key = thread_key_of_mail(own);
        let place = |reference: &String| (channel.id.clone(), reference.clone());
        let found = earlier
            .iter()
            .find_map(|reference| self.by_ref.get(&place(reference)))
            .or_else(|| self.by_key.get(&place(&key)))
            .cloned();
        let conversation_id = found.unwrap_or_else(|| {
            self.open_closed(
                channel,
                key,
                &contact_id,
                claimed,
                client,
                message.subject.as_deref(),
                FILED,
            )
        });
        let now = self.now;
        let thread = self.threads.get_mut(&conversation_id)?;
        thread.changed = true;
        let row = &mut thread.conversation;
        row.last_seq += 1;
        row.version += 1;
        row.updated_at = now;
        row.last_message_id = Some(message.id.clone());
        row.last_message_kind = Some("reply".to_owned());
        row.last_message_text = Some(preview(&message.text));
        row.last_message_at = Some(now);
        let seq = row.last_seq;
        self.messages.push(message::Model {
            id: message.id.clone(),
            conversation_id: conversation_id.clone(),
            session_id: Some(thread.session.id.clone()),
            seq,
            kind: "reply".to_owned(),
            author_type: "operator".to_owned(),
            author_id: Some(operator_id),
            author_name: Some(name),
            body: message.text.clone(),
            html: message.html.clone(),
            external_id: Some(event.external_id.clone()),
            client_id: None,
            has_attachments: !message.files.is_empty(),
            hidden: false,
            // It went out by the colleague's own program: nothing is known of its delivery.
            delivery_state: None,
            delivery_attempts: 0,
            delivery_error: None,
            created_at: now,
            automatic: false,
            new_participant: false,
            no_auto_reply: false,
            mail: message.mail.clone(),
            original_key: message.original_key.clone(),
            recipients: stored_recipients(&message.recipients),
            mode: None,
            ..message::Model::default()
        });
        self.add_files(&message.id, &message.files);
        self.events.push(NewEvent::message(
            EventType::MessageCreated,
            &message.id,
            &conversation_id,
            now,
        ));
        self.remember(channel, own, &conversation_id, &message.id);
        self.add_members(&conversation_id, message, facts);
        Some(Outcome::Stored {
            message_id: Some(message.id.clone()),
            seq: Some(seq),
            conversation_id: Some(conversation_id),
            submission_id: None,
        })
    }

    /// Keeps the id by which a later mail finds the conversation.
    pub fn remember(&mut self, channel: &Channel, own: &str, conversation_id: &str, message_id: &str) {
        let place = (channel.id.clone(), own.to_owned());
        if let std::collections::hash_map::Entry::Vacant(slot) = self.by_ref.entry(place) {
            slot.insert(conversation_id.to_owned());
            self.refs.push(thread_ref::Model {
                channel_id: channel.id.clone(),
                external_id: own.to_owned(),
                conversation_id: conversation_id.to_owned(),
                message_id: Some(message_id.to_owned()),
                created_at: self.now,
            });
        }
    }
}

/// Most people of one thread.
const MAX_MEMBERS: usize = 200;

/// Whether a message asks nobody for an answer, though a person wrote it: a customer's mail that came by the
/// capture address alone.
pub(super) fn only_filed(message: &PreparedMessage) -> bool {
    let capture = message.threading.as_ref().map(|facts| &facts.capture);
    matches!(capture, Some(Capture::Filed { only: true, .. }))
}

pub(super) fn address(person: &Person) -> Option<&str> {
    person.identities.first().map(|identity| identity.value.as_str())
}
