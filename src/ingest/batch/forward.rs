//! A customer's mail that a colleague passes on to the capture address: filed as the customer's, with what the colleague
//! wrote above it as a note.

use switchboard_sdk::{Capture, ForwardedMail, Outcome, Thread, ThreadFacts};

use super::{
    mail::address,
    world::{Channel, World},
};
use crate::{
    db::entity::message,
    event::{EventType, NewEvent},
    id::{self, Kind},
    ingest::prepare::PreparedMessage,
};

/// Who passed a mail on: their id and name.
pub(super) type Colleague = (String, String);

/// The mail that was passed on, when it may be taken for what it says it is: whoever passes it on can change every word.
fn believed(message: &PreparedMessage) -> Option<&ForwardedMail> {
    let facts = message.threading.as_deref()?;
    match &facts.capture {
        Capture::Filed {
            to, trusted: true, ..
        } if to.is_empty() && !message.automatic => facts.forwarded.as_deref(),
        _ => None,
    }
}

/// The ids by which its conversation may be known.
pub(super) fn names(message: &PreparedMessage) -> Vec<String> {
    believed(message).map(ids).unwrap_or_default()
}

fn ids(forwarded: &ForwardedMail) -> Vec<String> {
    forwarded.id.iter().chain(&forwarded.earlier).cloned().collect()
}

impl World {
    /// The message as the customer's, and the colleague who passed it on. `None` when no colleague did.
    pub(super) fn passed_on(&self, message: &PreparedMessage) -> Option<(PreparedMessage, Colleague)> {
        let forwarded = believed(message)?;
        let colleague = self.colleagues.get(address(&message.from)?)?.clone();
        let Thread::Messages { own, .. } = &message.thread else {
            return None;
        };
        let facts = message.threading.as_deref()?;
        let mut mail = message.mail.clone();
        if let Some(serde_json::Value::Object(fields)) = &mut mail {
            // Places in a text that is not shown, and what proves the colleague rather than the customer.
            fields.retain(|name, _| !name.starts_with("quoted_") && name != "authentication");
        }
        let theirs = PreparedMessage {
            from: forwarded.from.clone(),
            thread: Thread::Messages {
                own: own.clone(),
                earlier: ids(forwarded),
            },
            text: forwarded.text.clone(),
            html: None,
            subject: forwarded.subject.clone().or_else(|| message.subject.clone()),
            mail,
            card: None,
            recipients: Vec::new(),
            threading: Some(Box::new(ThreadFacts {
                capture: Capture::Filed {
                    to: Vec::new(),
                    trusted: false,
                    only: true,
                },
                rules: facts.rules,
                ..ThreadFacts::default()
            })),
            ..message.clone()
        };
        Some((theirs, colleague))
    }

    /// What the colleague wrote, behind the message that was made of the mail they passed on; answers to that mail find
    /// it from now on.
    pub(super) fn add_note(
        &mut self,
        channel: &Channel,
        outcome: &Outcome,
        message: &PreparedMessage,
        (operator_id, name): Colleague,
    ) {
        let Outcome::Stored {
            message_id: Some(message_id),
            conversation_id: Some(conversation_id),
            ..
        } = outcome
        else {
            return;
        };
        let Some(forwarded) = believed(message) else {
            return;
        };
        if let Some(id) = &forwarded.id {
            self.remember(channel, id, conversation_id, message_id);
        }
        let note = forwarded.note.clone();
        if note.is_empty() {
            return;
        }
        let now = self.now;
        let Some(thread) = self.threads.get_mut(conversation_id) else {
            return;
        };
        thread.changed = true;
        thread.conversation.last_seq += 1;
        let id = id::new(Kind::Message, now);
        self.messages.push(message::Model {
            id: id.clone(),
            conversation_id: conversation_id.clone(),
            session_id: Some(thread.session.id.clone()),
            seq: thread.conversation.last_seq,
            kind: "note".to_owned(),
            author_type: "operator".to_owned(),
            author_id: Some(operator_id),
            author_name: Some(name),
            body: note,
            created_at: now,
            ..message::Model::default()
        });
        self.events.push(NewEvent::message(
            EventType::MessageCreated,
            &id,
            conversation_id,
            now,
        ));
    }
}
