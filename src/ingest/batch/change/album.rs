//! Albums: one message that its provider hands over part by part, and never says which part is the last.
//!
//! The first part makes the message, under the album's name as well as its own; each further one adds its files and
//! words to it. Nothing is held back to wait for more: a kill between two parts loses nothing, two nodes may take a
//! part each, and a part that comes a minute later is where it belongs.

use switchboard_sdk::Outcome;

use super::{Found, Name, World};
use crate::{
    conversation::{extra::Extra, message::preview},
    event::{EventType, NewEvent},
    ingest::{
        batch::world::Channel,
        prepare::{Prepared, PreparedMessage},
    },
};

impl World {
    /// The message an album was stored as before this batch.
    pub fn album_message(&self, channel_id: &str, album: &str) -> Option<String> {
        let name = (channel_id.to_owned(), album.to_owned());
        self.changes.known.get(&name).map(|(id, _)| id.clone())
    }

    /// Adds a further part to its album; none when it is the first.
    pub(in crate::ingest::batch) fn add_to_album(
        &mut self,
        channel: &Channel,
        event: &Prepared,
        message: &PreparedMessage,
    ) -> Option<Outcome> {
        let name: Name = (channel.id.clone(), message.album.clone()?);
        let found = match self.changes.fresh.get(&name) {
            Some(place) => Found::Fresh(*place),
            None => Found::Known(self.changes.known.get(&name)?.0.clone()),
        };
        let row = match &found {
            Found::Fresh(place) => self.messages.get_mut(*place)?,
            Found::Known(id) => self.changes.rows.get_mut(id)?,
        };
        add_words(&mut row.body, &mut row.html, message);
        let mut extra = Extra::read(row.extra.as_ref());
        extra
            .missing_files
            .extend(message.extra.missing_files.iter().cloned());
        row.extra = extra.stored();
        row.has_attachments |= !message.files.is_empty();
        let (id, conversation_id, seq) = (row.id.clone(), row.conversation_id.clone(), row.seq);
        let body = row.body.clone();
        self.add_part_files(&id, message);
        if let Found::Known(id) = found {
            self.changes.changed.insert(id);
        }
        self.remember(channel, &event.external_id, &conversation_id, &id);
        if let Some(thread) = self.threads.get_mut(&conversation_id) {
            thread.conversation.version += 1;
            thread.conversation.updated_at = self.now;
            let is_last = thread.conversation.last_message_id.as_deref() == Some(&id);
            if is_last && !body.trim().is_empty() {
                thread.conversation.last_message_text = Some(preview(&body));
            }
            thread.changed = true;
        }
        self.events.push(NewEvent::message(
            EventType::MessageUpdated,
            &id,
            &conversation_id,
            self.now,
        ));
        Some(Outcome::Stored {
            message_id: Some(id),
            seq: Some(seq),
            conversation_id: Some(conversation_id),
            submission_id: None,
        })
    }

    /// Its files stand behind those of earlier parts.
    fn add_part_files(&mut self, id: &str, message: &PreparedMessage) {
        let of_it = |file: &&crate::db::entity::attachment::Model| file.message_id.as_deref() == Some(id);
        let known = self.changes.files.get(id).map_or(0, Vec::len);
        let before = known + self.attachments.iter().filter(of_it).count();
        let from = self.attachments.len();
        self.add_files(id, &message.files);
        let before = i64::try_from(before).unwrap_or(i64::MAX);
        for file in self.attachments.iter_mut().skip(from) {
            file.position = file.position.saturating_add(before);
        }
    }
}

/// Words of a part stand below those of the parts before it.
fn add_words(body: &mut String, html: &mut Option<String>, part: &PreparedMessage) {
    if part.text.is_empty() {
        return;
    }
    if body.is_empty() {
        body.clone_from(&part.text);
        html.clone_from(&part.html);
        return;
    }
    if html.is_some() || part.html.is_some() {
        let rich = |html: &Option<String>, text: &str| html.clone().unwrap_or_else(|| paragraphs(text));
        *html = Some(format!(
            "{}<br>{}",
            rich(html, body),
            rich(&part.html, &part.text)
        ));
    }
    body.push('\n');
    body.push_str(&part.text);
}

/// Plain words as HTML.
fn paragraphs(text: &str) -> String {
    ammonia::clean_text(text)
        .replace("&#10;", "<br>")
        .replace('\n', "<br>")
}
