//! What somebody of the company wrote to a customer outside Switchboard, from a phone beside the bot.

use switchboard_sdk::Outcome;

use super::world::{Channel, World};
use crate::{
    conversation::message::preview,
    db::entity::message,
    event::{EventType, NewEvent},
    ingest::prepare::{Prepared, PreparedMessage},
};

/// Why a session that was never open is closed.
const OWN: &str = "own";

/// Whom an own message went to.
pub(super) struct Own<'a> {
    /// The name it was written under; empty is the channel's.
    pub author: &'a str,
    pub contact_id: String,
    pub claimed: bool,
    /// The key of the conversation, and the one there is.
    pub key: String,
    pub found: Option<String>,
}

impl World {
    /// Stores it as an answer that was sent. Nobody is woken, no session opens, and what the customer was owed
    /// they have got.
    pub(super) fn apply_own(
        &mut self,
        channel: &Channel,
        event: &Prepared,
        message: &PreparedMessage,
        own: Own<'_>,
    ) -> Outcome {
        let conversation_id = own.found.unwrap_or_else(|| {
            self.open_closed(
                channel,
                own.key,
                &own.contact_id,
                own.claimed,
                &message.from,
                message.subject.as_deref(),
                OWN,
            )
        });
        let reply_to = self.answered(channel, message.reply_to.as_deref(), &conversation_id);
        let nothing = Outcome::Stored {
            message_id: None,
            seq: None,
            conversation_id: Some(conversation_id.clone()),
            submission_id: None,
        };
        let Some(thread) = self.threads.get_mut(&conversation_id) else {
            return nothing;
        };
        let now = self.now;
        thread.changed = true;
        if thread.session.owed_since.take().is_some() {
            thread.session.due_at = None;
            thread.session.answered_at = Some(now);
            thread.owed = false;
            if !thread.session_is_new {
                self.answered.insert(thread.session.id.clone());
            }
        }
        let row = &mut thread.conversation;
        row.last_seq += 1;
        row.version += 1;
        row.updated_at = now;
        row.last_message_id = Some(message.id.clone());
        row.last_message_kind = Some("reply".to_owned());
        row.last_message_text = Some(match (message.text.trim(), message.files.first()) {
            ("", Some(file)) => file.name.clone(),
            (text, _) => preview(text),
        });
        row.last_message_at = Some(now);
        let seq = row.last_seq;
        let author = Some(own.author).filter(|name| !name.is_empty());
        self.messages.push(message::Model {
            id: message.id.clone(),
            conversation_id: conversation_id.clone(),
            session_id: Some(thread.session.id.clone()),
            seq,
            kind: "reply".to_owned(),
            author_type: "operator".to_owned(),
            author_name: Some(author.unwrap_or(&channel.name).to_owned()),
            body: message.text.clone(),
            html: message.html.clone(),
            external_id: Some(event.external_id.clone()),
            has_attachments: !message.files.is_empty(),
            delivery_state: Some("sent".to_owned()),
            created_at: now,
            extra: message.extra.stored(),
            reply_to,
            ..message::Model::default()
        });
        self.add_files(&message.id, &message.files);
        self.events.push(NewEvent::message(
            EventType::MessageCreated,
            &message.id,
            &conversation_id,
            now,
        ));
        self.name(channel, message, &conversation_id);
        // What the provider reports of it later names it by the event's id.
        self.remember(channel, &event.external_id, &conversation_id, &message.id);
        self.arrived(channel, event, message);
        Outcome::Stored {
            message_id: Some(message.id.clone()),
            seq: Some(seq),
            conversation_id: Some(conversation_id),
            submission_id: None,
        }
    }

    /// Keeps the further ids by which the provider names a message later.
    pub(super) fn name(&mut self, channel: &Channel, message: &PreparedMessage, conversation_id: &str) {
        for id in &message.ids {
            self.remember(channel, id, conversation_id, &message.id);
        }
    }
}
