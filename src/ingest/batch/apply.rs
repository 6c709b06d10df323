//! One event, applied to the world in memory.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use switchboard_sdk::{Attribution, CallEvent, LeadHints, Makes, Outcome, Person, Recipient, Thread};

use super::{
    mail::only_filed,
    own::Own,
    world::{
        Channel, JoinedLead, OpenThread, World, thread_key_of_contact, thread_key_of_mail,
        thread_key_of_name, thread_key_of_sender,
    },
};
use crate::{
    contact::identify::{self, Known},
    conversation::{
        message::{preview, stored_recipients},
        session::opened,
    },
    db::entity::{
        attachment, call_event, contact, contact_suggestion, conversation, identity, lead, message,
        quarantine, submission,
    },
    event::{EventType, NewEvent},
    id::{self, Kind},
    ingest::prepare::{KeptFile, Prepared, PreparedBody, PreparedMessage, PreparedSubmission},
    lead::{
        rule::{self, Effect},
        source,
    },
    line::rules::{CreateLead, Crm},
};

/// What a message needs beside its conversation.
struct Incoming<'a> {
    id: String,
    from: &'a Person,
    text: String,
    html: Option<String>,
    mail: Option<Value>,
    original_key: Option<String>,
    subject: Option<&'a str>,
    files: &'a [KeptFile],
    client_id: Option<String>,
    external_id: &'a str,
    /// A machine wrote it.
    automatic: bool,
    recipients: &'a [Recipient],
    /// It opens no session and nobody has to answer it.
    quiet: bool,
    new_participant: bool,
    no_auto_reply: bool,
    /// When it happened, of what is taken in afterwards for the record.
    history: Option<DateTime<Utc>>,
    attribution: &'a Attribution,
    hints: LeadHints,
    /// Responsible for the lead it makes, when the channel says who.
    responsible: Option<&'a str>,
    /// The provider's id of the message it answers.
    reply_to: Option<&'a str>,
    extra: Option<Value>,
}

impl World {
    /// Applies one event and says what became of it.
    pub fn apply(&mut self, channel: &Channel, event: &Prepared) -> Outcome {
        self.via = Some(channel.kind.clone());
        match &event.body {
            PreparedBody::Message(message) => self.apply_message(channel, event, message),
            PreparedBody::Submission(submission) => self.apply_submission(channel, event, submission),
            PreparedBody::Receipt(receipt) => {
                self.receipts.push((channel.id.clone(), receipt.clone()));
                Outcome::Stored {
                    message_id: None,
                    seq: None,
                    conversation_id: None,
                    submission_id: None,
                }
            }
            PreparedBody::Change(change) => self.apply_change(channel, event, change),
            PreparedBody::Reachability(reach) => self.apply_reachability(channel, reach),
            PreparedBody::Call(call) => self.apply_call(channel, event, call),
            PreparedBody::Poison {
                reason,
                size,
                storage_key,
            } => {
                let id = id::new(Kind::Quarantine, self.now);
                self.quarantined.push(quarantine::Model {
                    id: id.clone(),
                    channel_id: channel.id.clone(),
                    external_id: event.external_id.clone(),
                    reason: reason.clone(),
                    size: *size,
                    storage_key: storage_key.clone(),
                    created_at: self.now,
                    replayed_at: None,
                });
                self.events
                    .push(NewEvent::new(EventType::QuarantineUpdated, &id, self.now));
                Outcome::Quarantined { id }
            }
        }
    }

    /// Only keeps what was said: the call itself is folded afterwards, from all that is kept.
    fn apply_call(&mut self, channel: &Channel, event: &Prepared, call: &CallEvent) -> Outcome {
        let id = id::new(Kind::CallEvent, self.now);
        self.events
            .push(NewEvent::new(EventType::CallReported, &id, self.now));
        self.calls.push(call_event::Model {
            id,
            channel_id: channel.id.clone(),
            external_id: event.external_id.clone(),
            call_id: None,
            event: json!(call),
            at: event.at,
            received_at: self.now,
        });
        Outcome::Stored {
            message_id: None,
            seq: None,
            conversation_id: None,
            submission_id: None,
        }
    }

    fn apply_message(&mut self, channel: &Channel, event: &Prepared, message: &PreparedMessage) -> Outcome {
        if let Some(added) = self.add_to_album(channel, event, message) {
            return added;
        }
        let channel = &self.routed(channel, message.line.as_deref());
        if let Some(filed) = self.file(channel, event, message) {
            return filed;
        }
        if let Some((forwarded, colleague)) = self.passed_on(message) {
            let outcome = self.apply_message(channel, event, &forwarded);
            self.add_note(channel, &outcome, message, colleague);
            return outcome;
        }
        let (contact_id, claimed) = self.identify(&message.from, !message.disproved);
        if let Some(card) = message.card.as_ref().filter(|_| !message.disproved) {
            self.fill_from_card(&contact_id, card);
        }
        let key = match &message.thread {
            Thread::Contact => thread_key_of_contact(&contact_id),
            Thread::Sender => message
                .from
                .identities
                .first()
                .map_or_else(|| thread_key_of_contact(&contact_id), thread_key_of_sender),
            Thread::Named(name) => thread_key_of_name(name),
            Thread::Messages { own, .. } => thread_key_of_mail(own),
        };
        let found = self.find_thread(channel, message, &contact_id, &key);
        if let Some(author) = &message.own {
            return self.apply_own(
                channel,
                event,
                message,
                Own {
                    author,
                    contact_id,
                    claimed,
                    key,
                    found: found.conversation_id,
                },
            );
        }
        let incoming = Incoming {
            id: message.id.clone(),
            from: &message.from,
            text: message.text.clone(),
            html: message.html.clone(),
            mail: message.mail.clone(),
            original_key: message.original_key.clone(),
            subject: message.subject.as_deref(),
            files: &message.files,
            client_id: message.client_id.clone(),
            external_id: &event.external_id,
            automatic: message.automatic,
            recipients: &message.recipients,
            quiet: message.automatic || message.history || only_filed(message),
            new_participant: found.new_participant,
            no_auto_reply: message
                .threading
                .as_ref()
                .is_some_and(|facts| facts.no_auto_reply),
            history: message.history.then(|| event.at.min(self.now)),
            attribution: &message.attribution,
            hints: LeadHints::default(),
            responsible: None,
            reply_to: message.reply_to.as_deref(),
            extra: message.extra.stored(),
        };
        let (conversation_id, seq) = self.add_inbound(
            channel,
            found.conversation_id,
            key,
            &contact_id,
            claimed,
            incoming,
        );
        if let Thread::Messages { own, .. } = &message.thread {
            self.remember(channel, own, &conversation_id, &message.id);
        }
        self.name(channel, message, &conversation_id);
        self.add_facts(&conversation_id, message, found.link);
        self.arrived(channel, event, message);
        Outcome::Stored {
            message_id: Some(message.id.clone()),
            seq: Some(seq),
            conversation_id: Some(conversation_id),
            submission_id: None,
        }
    }

    fn apply_submission(
        &mut self,
        channel: &Channel,
        event: &Prepared,
        submission: &PreparedSubmission,
    ) -> Outcome {
        let content = &submission.content;
        let mut row = submission::Model {
            id: submission.id.clone(),
            channel_id: channel.id.clone(),
            state: "held".to_owned(),
            contact_id: None,
            lead_id: None,
            conversation_id: None,
            body: submission.values.clone(),
            consent: submission.consent.as_ref().map(|consent| json!(consent)),
            spam_score: submission.spam_score,
            spam_reasons: json!(submission.spam_reasons),
            held: Some(json!(content)),
            created_at: event.at,
            extra: submission.extra.clone(),
            verdict: submission.approved.then(|| "approved".to_owned()),
            judged_by: submission.approved_by.clone(),
            judged_at: submission.approved.then_some(self.now),
        };
        let happened = if submission.approved {
            EventType::SubmissionUpdated
        } else {
            EventType::SubmissionCreated
        };
        if submission.held {
            self.keep_loose_files(&format!("submission:{}", submission.id), &content.files);
            self.submissions.push(row);
            self.events
                .push(NewEvent::new(happened, &submission.id, self.now));
            return Outcome::Stored {
                message_id: None,
                seq: None,
                conversation_id: None,
                submission_id: Some(submission.id.clone()),
            };
        }
        let person = content.person();
        let (contact_id, claimed) = self.identify(&person, true);
        let channel = &match content.makes.what {
            Makes::Lead => channel.clone(),
            Makes::Conversation => Channel {
                crm: Crm {
                    create_lead: CreateLead::Never,
                    ..Crm::default()
                },
                ..channel.clone()
            },
            Makes::Contact => return self.accept_quietly(submission, row, contact_id, happened),
        };
        let key = thread_key_of_contact(&contact_id);
        let found = self.by_key.get(&(channel.id.clone(), key.clone())).cloned();
        let incoming = Incoming {
            id: submission.message_id.clone(),
            from: &person,
            text: content.text.clone(),
            html: None,
            mail: None,
            original_key: None,
            subject: None,
            files: &content.files,
            client_id: None,
            external_id: &event.external_id,
            automatic: false,
            recipients: &[],
            quiet: false,
            new_participant: false,
            no_auto_reply: false,
            history: None,
            attribution: &content.attribution,
            hints: content.hints(),
            responsible: content
                .makes
                .operator
                .as_deref()
                .filter(|id| self.responsible.contains(*id)),
            reply_to: None,
            extra: None,
        };
        let (conversation_id, seq) = self.add_inbound(channel, found, key, &contact_id, claimed, incoming);
        row.state = "accepted".to_owned();
        row.held = None;
        row.contact_id = Some(contact_id);
        row.lead_id = self
            .threads
            .get(&conversation_id)
            .and_then(|thread| thread.conversation.lead_id.clone());
        row.conversation_id = Some(conversation_id.clone());
        self.submissions.push(row);
        self.events
            .push(NewEvent::new(happened, &submission.id, self.now));
        Outcome::Stored {
            message_id: Some(submission.message_id.clone()),
            seq: Some(seq),
            conversation_id: Some(conversation_id),
            submission_id: Some(submission.id.clone()),
        }
    }

    /// A form that makes contacts alone: nobody has to answer, and its files stay with the submission.
    fn accept_quietly(
        &mut self,
        submission: &PreparedSubmission,
        mut row: submission::Model,
        contact_id: String,
        happened: EventType,
    ) -> Outcome {
        if !submission.approved {
            self.keep_loose_files(
                &format!("submission:{}", submission.id),
                &submission.content.files,
            );
        }
        row.state = "accepted".to_owned();
        row.held = None;
        row.contact_id = Some(contact_id);
        self.submissions.push(row);
        self.events
            .push(NewEvent::new(happened, &submission.id, self.now));
        Outcome::Stored {
            message_id: None,
            seq: None,
            conversation_id: None,
            submission_id: Some(submission.id.clone()),
        }
    }

    /// The contact a person is, made when nobody knows them, and whether only a claim says so. What a known
    /// contact lacks is filled only when `believed`.
    pub(super) fn identify(&mut self, person: &Person, believed: bool) -> (String, bool) {
        let resolution = identify::resolve(person, |identity| {
            self.identities
                .get(&(identity.kind.as_str().to_owned(), identity.value.clone()))
                .cloned()
        });
        let contact_id = match resolution.contact_id {
            Some(id) => {
                if believed {
                    self.complete_contact(&id, person);
                }
                id
            }
            None => self.new_contact(person),
        };
        for identity in resolution.add {
            let key = (identity.kind.as_str().to_owned(), identity.value.clone());
            if self.identities.contains_key(&key) {
                continue;
            }
            self.identities.insert(
                key,
                Known {
                    contact_id: contact_id.clone(),
                    verified: identity.verified,
                },
            );
            self.new_identities.push(identity::Model {
                kind: identity.kind.as_str().to_owned(),
                value: identity.value,
                contact_id: contact_id.clone(),
                verified: identity.verified,
                created_at: self.now,
                unreachable_since: None,
                unreachable_reason: None,
                via: self.via.clone(),
                added_by: None,
            });
        }
        for identity in resolution.prove {
            let key = (identity.kind.as_str().to_owned(), identity.value.clone());
            if let Some(known) = self.identities.get_mut(&key) {
                known.verified = true;
            }
            self.proven.push(identity);
        }
        for (other_id, identity) in resolution.suggest {
            self.suggestions.push(contact_suggestion::Model {
                contact_id: contact_id.clone(),
                other_id,
                reason: identify::reason(&identity),
                created_at: self.now,
            });
        }
        (contact_id, resolution.claimed)
    }

    fn new_contact(&mut self, person: &Person) -> String {
        let id = id::new(Kind::Contact, self.now);
        let company_id = person
            .company
            .as_ref()
            .and_then(|name| self.companies.get(&name.to_lowercase()))
            .cloned();
        let row = contact::Model {
            id: id.clone(),
            name: person.name.clone(),
            language: person.language.clone(),
            company_id,
            operator_id: None,
            fields: json!({}),
            merged_into: None,
            version: 1,
            created_at: self.now,
            updated_at: self.now,
        };
        self.contacts.insert(id.clone(), row);
        self.new_contacts.push(id.clone());
        self.events
            .push(NewEvent::new(EventType::ContactUpdated, &id, self.now));
        id
    }

    /// Fills what is not known yet; what an operator or the customer said before stays.
    fn complete_contact(&mut self, id: &str, person: &Person) {
        let company_id = person
            .company
            .as_ref()
            .and_then(|name| self.companies.get(&name.to_lowercase()))
            .cloned();
        let now = self.now;
        let Some(row) = self.contacts.get_mut(id) else {
            return;
        };
        let mut changed = false;
        for (known, said) in [
            (&mut row.name, &person.name),
            (&mut row.language, &person.language),
            (&mut row.company_id, &company_id),
        ] {
            if known.is_none() && said.is_some() {
                known.clone_from(said);
                changed = true;
            }
        }
        if changed {
            row.version += 1;
            row.updated_at = now;
            if self.changed_contacts.insert(id.to_owned()) {
                self.events
                    .push(NewEvent::new(EventType::ContactUpdated, id, now));
            }
        }
    }

    /// What people say of themselves on their own card: it fills what is empty, and what somebody else has
    /// already is only suggested.
    fn fill_from_card(&mut self, contact_id: &str, card: &Person) {
        self.complete_contact(contact_id, card);
        for identity in &card.identities {
            let key = (identity.kind.as_str().to_owned(), identity.value.clone());
            match self.identities.get(&key) {
                Some(known) if known.contact_id == contact_id => {}
                Some(known) => self.suggestions.push(contact_suggestion::Model {
                    contact_id: contact_id.to_owned(),
                    other_id: known.contact_id.clone(),
                    reason: identify::reason(identity),
                    created_at: self.now,
                }),
                None => {
                    self.new_identities.push(identity::Model {
                        kind: key.0.clone(),
                        value: key.1.clone(),
                        contact_id: contact_id.to_owned(),
                        verified: false,
                        created_at: self.now,
                        unreachable_since: None,
                        unreachable_reason: None,
                        via: self.via.clone(),
                        added_by: None,
                    });
                    let claimed = Known {
                        contact_id: contact_id.to_owned(),
                        verified: false,
                    };
                    self.identities.insert(key, claimed);
                }
            }
        }
    }

    /// The channel as it is for a message that names a line of its own; one that is not there is not asked for.
    fn routed(&self, channel: &Channel, line: Option<&str>) -> Channel {
        let mut channel = channel.clone();
        if let Some(line) = line.and_then(|line| self.lines.get(line)) {
            channel.line_id.clone_from(&line.id);
            channel.crm = line.crm.clone();
        }
        channel
    }

    /// Appends an inbound message to its conversation, opening what needs to be opened.
    fn add_inbound(
        &mut self,
        channel: &Channel,
        found: Option<String>,
        key: String,
        contact_id: &str,
        claimed: bool,
        incoming: Incoming<'_>,
    ) -> (String, i64) {
        let now = self.now;
        let at = incoming.history.unwrap_or(now);
        let conversation_id = match found {
            Some(id) => id,
            None => self.open_conversation(channel, key, contact_id, claimed, &incoming),
        };
        let reopens = self
            .threads
            .get(&conversation_id)
            .is_some_and(|thread| thread.session.state == "closed" && !thread.is_new && !incoming.quiet);
        if reopens {
            self.open_session(&conversation_id);
        }
        let starts = reopens
            || self
                .threads
                .get(&conversation_id)
                .is_some_and(|thread| thread.is_new && !thread.changed);
        if starts && !incoming.quiet {
            self.apply_lead_rule(channel, &conversation_id, &incoming);
        }
        let author_name = incoming.from.name.clone().or_else(|| {
            self.contacts
                .get(contact_id)
                .and_then(|contact| contact.name.clone())
        });
        let reply_to = self.answered(channel, incoming.reply_to, &conversation_id);
        let Some(thread) = self.threads.get_mut(&conversation_id) else {
            return (conversation_id, 0);
        };
        thread.changed = true;
        // Nobody has to answer a machine.
        if !incoming.quiet && thread.session.owed_since.is_none() {
            thread.session.owed_since = Some(now);
            thread.owed = true;
            let promise = self.promises.get(&thread.session.line_id);
            let answered = thread.session.first_reply_at.is_some();
            thread.session.due_at = promise.and_then(|promise| promise.due_at(Some(now), answered));
        }
        let row = &mut thread.conversation;
        row.last_seq += 1;
        row.last_inbound_seq = row.last_seq;
        if incoming.history.is_none() {
            row.unread += 1;
        }
        // Who snoozed it wanted to be woken by exactly this.
        row.snoozed_until = None;
        // Who writes can be written to.
        row.unreachable_since = None;
        row.unreachable_reason = None;
        row.version += 1;
        row.updated_at = now;
        row.last_message_id = Some(incoming.id.clone());
        row.last_message_kind = Some("inbound".to_owned());
        row.last_message_text = Some(match (incoming.text.trim(), incoming.files.first()) {
            ("", Some(file)) => file.name.clone(),
            (text, _) => preview(text),
        });
        row.last_message_at = row.last_message_at.max(Some(at));
        let seq = row.last_seq;
        self.messages.push(message::Model {
            id: incoming.id.clone(),
            conversation_id: conversation_id.clone(),
            session_id: Some(thread.session.id.clone()),
            seq,
            kind: "inbound".to_owned(),
            author_type: "contact".to_owned(),
            author_id: Some(contact_id.to_owned()),
            author_name,
            body: incoming.text,
            html: incoming.html,
            external_id: Some(incoming.external_id.to_owned()),
            client_id: incoming.client_id,
            has_attachments: !incoming.files.is_empty(),
            hidden: false,
            delivery_state: None,
            delivery_attempts: 0,
            delivery_error: None,
            created_at: at,
            mail: incoming.mail,
            original_key: incoming.original_key,
            recipients: stored_recipients(incoming.recipients),
            mode: None,
            automatic: incoming.automatic,
            new_participant: incoming.new_participant,
            no_auto_reply: incoming.no_auto_reply,
            extra: incoming.extra,
            reply_to,
            ..message::Model::default()
        });
        self.add_files(&incoming.id, incoming.files);
        self.events.push(NewEvent::message(
            EventType::MessageCreated,
            &incoming.id,
            &conversation_id,
            now,
        ));
        (conversation_id, seq)
    }

    fn open_conversation(
        &mut self,
        channel: &Channel,
        key: String,
        contact_id: &str,
        claimed: bool,
        incoming: &Incoming<'_>,
    ) -> String {
        // A machine's mail is kept where people find it, but nobody has to answer it.
        let ended = if incoming.history.is_some() {
            Some("history")
        } else if incoming.automatic {
            Some("automatic")
        } else {
            incoming.quiet.then_some("filed")
        };
        self.open_thread(
            channel,
            key,
            contact_id,
            claimed,
            incoming.from,
            incoming.subject,
            ended,
        )
    }

    /// A conversation that begins closed, for this reason.
    #[expect(clippy::too_many_arguments, reason = "a conversation is made of them")]
    pub(super) fn open_closed(
        &mut self,
        channel: &Channel,
        key: String,
        contact_id: &str,
        claimed: bool,
        with: &Person,
        subject: Option<&str>,
        reason: &'static str,
    ) -> String {
        self.open_thread(channel, key, contact_id, claimed, with, subject, Some(reason))
    }

    #[expect(clippy::too_many_arguments, reason = "a conversation is made of them")]
    fn open_thread(
        &mut self,
        channel: &Channel,
        key: String,
        contact_id: &str,
        claimed: bool,
        with: &Person,
        subject: Option<&str>,
        ended: Option<&str>,
    ) -> String {
        let id = id::new(Kind::Conversation, self.now);
        let mut session = opened(&id, &channel.line_id, &channel.kind, self.now);
        if let Some(reason) = ended {
            session.state = "closed".to_owned();
            session.closed_at = Some(self.now);
            session.close_reason = Some(reason.to_owned());
        }
        let address = with
            .identities
            .first()
            .map(|identity| identity.value.clone())
            .unwrap_or_default();
        let conversation = conversation::Model {
            id: id.clone(),
            number: 0, // taken from the counter when the batch is written
            channel_id: channel.id.clone(),
            channel_kind: channel.kind.clone(),
            line_id: channel.line_id.clone(),
            contact_id: contact_id.to_owned(),
            address,
            claimed,
            lead_id: None,
            session_id: session.id.clone(),
            thread_key: key.clone(),
            subject: subject.map(str::to_owned),
            priority: 0,
            tags: json!([]),
            last_seq: 0,
            last_inbound_seq: 0,
            unread: 0,
            read_seq: 0,
            client_read_seq: 0,
            client_delivered_seq: 0,
            last_message_id: None,
            last_message_kind: None,
            last_message_text: None,
            last_message_at: None,
            snoozed_until: None,
            version: 0,
            created_at: self.now,
            updated_at: self.now,
            unreachable_since: None,
            unreachable_reason: None,
        };
        self.by_key.insert((channel.id.clone(), key), id.clone());
        let thread = OpenThread {
            conversation,
            session,
            is_new: true,
            changed: false,
            session_is_new: true,
            owed: false,
        };
        self.threads.insert(id.clone(), thread);
        self.new_threads.push(id.clone());
        id
    }

    /// The customer is back: a new session of the same conversation, in the line of its channel.
    fn open_session(&mut self, conversation_id: &str) {
        let Some(thread) = self.threads.get(conversation_id) else {
            return;
        };
        let (line_id, kind) = (
            thread.conversation.line_id.clone(),
            thread.conversation.channel_kind.clone(),
        );
        let session = opened(conversation_id, &line_id, &kind, self.now);
        let Some(thread) = self.threads.get_mut(conversation_id) else {
            return;
        };
        thread.conversation.session_id = session.id.clone();
        thread.conversation.snoozed_until = None;
        thread.session = session;
        thread.session_is_new = true;
        thread.changed = true;
    }

    fn apply_lead_rule(&mut self, channel: &Channel, conversation_id: &str, incoming: &Incoming<'_>) {
        let Some(thread) = self.threads.get_mut(conversation_id) else {
            return;
        };
        let contact_id = thread.conversation.contact_id.clone();
        let history = self.leads.entry(contact_id.clone()).or_default();
        match rule::at_session_start(&channel.crm, history) {
            Effect::Leave => {}
            Effect::Join(lead_id) => {
                thread.conversation.lead_id = Some(lead_id.clone());
                let last = incoming.attribution.last.clone();
                if !(last.is_empty() && incoming.hints.fields.is_empty()) {
                    self.joined_leads.push(JoinedLead {
                        lead_id,
                        fields: incoming.hints.fields.clone(),
                        last,
                    });
                }
            }
            Effect::JoinDeal(deal) => {
                thread.conversation.lead_id.clone_from(&deal.lead_id);
                self.note_deal(conversation_id, rule::deal_note(&deal));
            }
            Effect::Create => {
                let lead_id = id::new(Kind::Lead, self.now);
                thread.conversation.lead_id = Some(lead_id.clone());
                history.any = true;
                history.open = Some(lead_id.clone());
                let attribution = source::complete(incoming.attribution.clone());
                let name = self
                    .contacts
                    .get(&contact_id)
                    .and_then(|contact| contact.name.clone());
                let who = name
                    .or_else(|| incoming.subject.map(str::to_owned))
                    .unwrap_or_else(|| {
                        incoming
                            .from
                            .identities
                            .iter()
                            .find(|i| i.kind != switchboard_sdk::IdentityKind::Webchat)
                            .map_or_else(|| "New visitor".to_owned(), |identity| identity.value.clone())
                    });
                self.events
                    .push(NewEvent::new(EventType::LeadCreated, &lead_id, self.now));
                self.new_leads.push(lead::Model {
                    id: lead_id,
                    title: incoming
                        .hints
                        .title
                        .clone()
                        .unwrap_or_else(|| format!("{who} · {}", channel.name)),
                    status: "new".to_owned(),
                    contact_id,
                    conversation_id: Some(conversation_id.to_owned()),
                    line_id: Some(channel.line_id.clone()),
                    channel_id: Some(channel.id.clone()),
                    channel_kind: Some(channel.kind.clone()),
                    operator_id: incoming.responsible.map(str::to_owned),
                    source: source::of(&attribution, &channel.kind),
                    attribution: json!(attribution),
                    fields: Value::Object(incoming.hints.fields.clone().into_iter().collect()),
                    version: 1,
                    created_at: self.now,
                    updated_at: self.now,
                });
            }
        }
    }

    /// A word of the server for the staff alone.
    fn note_deal(&mut self, conversation_id: &str, text: String) {
        let Some(thread) = self.threads.get_mut(conversation_id) else {
            return;
        };
        let row = &mut thread.conversation;
        row.last_seq += 1;
        row.version += 1;
        let message_id = id::new(Kind::Message, self.now);
        self.messages.push(message::Model {
            id: message_id.clone(),
            conversation_id: conversation_id.to_owned(),
            session_id: Some(thread.session.id.clone()),
            seq: row.last_seq,
            kind: "note".to_owned(),
            author_type: "system".to_owned(),
            body: text,
            hidden: true,
            created_at: self.now,
            ..message::Model::default()
        });
        self.events.push(NewEvent::message(
            EventType::MessageCreated,
            message_id,
            conversation_id,
            self.now,
        ));
    }

    pub(super) fn add_files(&mut self, message_id: &str, files: &[KeptFile]) {
        for (position, file) in (0..).zip(files) {
            if file.uploaded {
                self.uploaded
                    .push((file.id.clone(), message_id.to_owned(), position));
            } else {
                self.attachments.push(attachment_row(
                    file,
                    Some(message_id.to_owned()),
                    "inbound",
                    position,
                    self.now,
                ));
            }
        }
    }

    fn keep_loose_files(&mut self, owner: &str, files: &[KeptFile]) {
        for (position, file) in (0..).zip(files) {
            self.attachments
                .push(attachment_row(file, None, owner, position, self.now));
        }
    }
}

fn attachment_row(
    file: &KeptFile,
    message_id: Option<String>,
    owner: &str,
    position: i64,
    now: DateTime<Utc>,
) -> attachment::Model {
    attachment::Model {
        id: file.id.clone(),
        message_id,
        owner: owner.to_owned(),
        position,
        name: file.name.clone(),
        content_type: file.content_type.clone(),
        size: file.size,
        storage_key: file.storage_key.clone(),
        content_id: file.content_id.clone(),
        created_at: now,
        replaced: false,
    }
}
