//! What a message holds: words, files, places. Pure.
//!
//! Of what Switchboard has no picture (a poll, a throw of dice) the operator reads a line that says it; a kind
//! of message that nobody knew when this was written is named, so that it is never silently lost.

use switchboard_sdk::Location;

use crate::{
    entities,
    update::{Contact, File, Message, Place, Poll, Venue},
};

/// A file that is still at Telegram's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// By what it is got.
    pub file_id: String,
    /// Its name.
    pub name: String,
    /// Its media type.
    pub content_type: String,
    /// Its size, when Telegram says it.
    pub size: Option<u64>,
}

/// What a message says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Content {
    /// As plain text.
    pub text: String,
    /// As HTML, when that says more.
    pub html: Option<String>,
    /// Its files.
    pub files: Vec<Wanted>,
    /// The place it shows.
    pub location: Option<Location>,
}

/// Fields of a message that say nothing an operator reads.
const FRAME: [&str; 30] = [
    "via_bot",
    "author_signature",
    "reply_markup",
    "has_protected_content",
    "has_media_spoiler",
    "show_caption_above_media",
    "link_preview_options",
    "is_from_offline",
    "effect_id",
    "sender_boost_count",
    "sender_tag",
    "external_reply",
    "reply_to_story",
    "reply_to_checklist_task_id",
    "direct_messages_topic",
    "paid_star_count",
    "is_paid_post",
    "suggested_post_info",
    "guest_query_id",
    "guest_bot_caller_user",
    "guest_bot_caller_chat",
    "reply_to_poll_option_id",
    // The older words for a forward, which stand beside `forward_origin`.
    "forward_from",
    "forward_from_chat",
    "forward_from_message_id",
    "forward_signature",
    "forward_sender_name",
    "forward_date",
    "live_period",
    "sender_chat",
];

/// Messages about the chat itself: there is nothing to answer.
const SERVICE: [&str; 30] = [
    "new_chat_members",
    "new_chat_member",
    "new_chat_participant",
    "left_chat_member",
    "left_chat_participant",
    "new_chat_title",
    "new_chat_photo",
    "delete_chat_photo",
    "group_chat_created",
    "supergroup_chat_created",
    "channel_chat_created",
    "message_auto_delete_timer_changed",
    "migrate_from_chat_id",
    "pinned_message",
    "forum_topic_created",
    "forum_topic_edited",
    "forum_topic_closed",
    "forum_topic_reopened",
    "general_forum_topic_hidden",
    "general_forum_topic_unhidden",
    "video_chat_scheduled",
    "video_chat_started",
    "video_chat_ended",
    "video_chat_participants_invited",
    "write_access_allowed",
    "boost_added",
    "chat_background_set",
    "connected_website",
    "proximity_alert_triggered",
    "users_shared",
];

/// Whether a message is about the chat itself.
pub fn is_service(message: &Message) -> bool {
    message.migrate_to_chat_id.is_some() || SERVICE.iter().any(|key| message.rest.contains_key(*key))
}

/// Reads a message.
pub fn read(message: &Message) -> Content {
    let files = files(message);
    let (text, html) = match (&message.text, &message.caption) {
        (Some(text), _) => (text.clone(), entities::html(text, &message.entities)),
        (None, Some(text)) => (text.clone(), entities::html(text, &message.caption_entities)),
        (None, None) => (String::new(), None),
    };
    let mut content = Content {
        text,
        html,
        files,
        location: location(message),
    };
    if content.text.is_empty() {
        content.text = in_words(message, content.files.is_empty());
    }
    content
}

fn location(message: &Message) -> Option<Location> {
    let place = |place: &Place| Location {
        lat: place.latitude,
        lon: place.longitude,
        ..Location::default()
    };
    if let Some(venue) = &message.venue {
        return Some(Location {
            title: Some(venue.title.clone()).filter(|title| !title.is_empty()),
            address: Some(venue.address.clone()).filter(|address| !address.is_empty()),
            ..place(&venue.location)
        });
    }
    message.location.as_ref().map(place)
}

fn in_words(message: &Message, nothing_else: bool) -> String {
    if let Some(contact) = &message.contact {
        return of_contact(contact);
    }
    if let Some(venue) = &message.venue {
        return of_venue(venue);
    }
    if let Some(place) = &message.location {
        return format!("Location: {}, {}", place.latitude, place.longitude);
    }
    if let Some(poll) = &message.poll {
        return of_poll(poll);
    }
    if let Some(dice) = &message.dice {
        return format!("{} {}", dice.emoji, dice.value);
    }
    if let Some(emoji) = message
        .sticker
        .as_ref()
        .and_then(|sticker| sticker.emoji.as_ref())
    {
        return emoji.clone();
    }
    let unknown = message.rest.keys().find(|key| !FRAME.contains(&key.as_str()));
    match unknown {
        Some(kind) if nothing_else => {
            format!(
                "(a message that can be read in Telegram alone: {})",
                kind.replace('_', " ")
            )
        }
        _ => String::new(),
    }
}

fn of_contact(contact: &Contact) -> String {
    let name = [Some(contact.first_name.as_str()), contact.last_name.as_deref()]
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let number = phone(contact);
    if name.is_empty() {
        format!("Contact: {number}")
    } else {
        format!("Contact: {name}, {number}")
    }
}

/// A contact's number. Telegram leaves out the plus now and then, and knows international numbers alone.
pub fn phone(contact: &Contact) -> String {
    let digits: String = contact
        .phone_number
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    format!("+{digits}")
}

fn of_venue(venue: &Venue) -> String {
    let place = format!("{}, {}", venue.location.latitude, venue.location.longitude);
    [venue.title.as_str(), venue.address.as_str(), place.as_str()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(", ")
}

fn of_poll(poll: &Poll) -> String {
    let mut text = format!("Poll: {}", poll.question);
    for option in &poll.options {
        text.push_str("\n• ");
        text.push_str(&option.text);
    }
    text
}

fn files(message: &Message) -> Vec<Wanted> {
    let mut files = Vec::new();
    // The largest; sizes come smallest first, and nobody promises it.
    let photo = message.photo.iter().max_by_key(|size| size.width * size.height);
    let kinds: [(Option<&File>, &str, &str); 8] = [
        (photo, "photo.jpg", "image/jpeg"),
        (message.animation.as_ref(), "animation.mp4", "video/mp4"),
        (message.video.as_ref(), "video.mp4", "video/mp4"),
        (message.video_note.as_ref(), "video_message.mp4", "video/mp4"),
        (message.voice.as_ref(), "voice_message.ogg", "audio/ogg"),
        (message.audio.as_ref(), "audio.mp3", "audio/mpeg"),
        (message.sticker.as_ref(), "sticker.webp", "image/webp"),
        // An animation stands here as well.
        (
            message.document.as_ref().filter(|_| message.animation.is_none()),
            "file",
            "application/octet-stream",
        ),
    ];
    for (file, name, content_type) in kinds {
        let Some(file) = file else { continue };
        let (name, content_type) = match (file.is_animated, file.is_video) {
            (true, _) => ("sticker.tgs", "application/x-tgsticker"),
            (_, true) => ("sticker.webm", "video/webm"),
            _ => (name, content_type),
        };
        let played = match (&file.performer, &file.title) {
            (Some(performer), Some(title)) => Some(format!("{performer} - {title}.mp3")),
            (None, Some(title)) => Some(format!("{title}.mp3")),
            _ => None,
        };
        files.push(Wanted {
            file_id: file.file_id.clone(),
            name: file
                .file_name
                .clone()
                .or(played)
                .unwrap_or_else(|| name.to_owned()),
            content_type: file.mime_type.clone().unwrap_or_else(|| content_type.to_owned()),
            size: file.file_size,
        });
    }
    files
}
