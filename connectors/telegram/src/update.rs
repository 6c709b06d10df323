//! Updates as they are read: what is needed of them, and nothing that could fail the rest.
//!
//! teloxide's own types refuse a whole message over one word they do not know (a new kind of sticker, a new
//! state of a member); Telegram adds such words several times a year. Here a part that cannot be read is as if
//! it were not there, and the raw update is kept by whoever cannot do without it.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Map, Value};

/// Reads a part, or takes it for missing.
fn soft<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(from: D) -> Result<T, D::Error> {
    let value = Value::deserialize(from)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

/// Reads the items that can be read.
fn soft_list<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Vec<T>, D::Error> {
    let value = Value::deserialize(from)?;
    let items = value.as_array().cloned().unwrap_or_default();
    Ok(items
        .into_iter()
        .filter_map(|item| serde_json::from_value(item).ok())
        .collect())
}

/// A person or a bot.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct User {
    /// Telegram's number of them.
    pub id: i64,
    /// A program.
    #[serde(default, deserialize_with = "soft")]
    pub is_bot: bool,
    /// The first name.
    #[serde(default, deserialize_with = "soft")]
    pub first_name: String,
    /// The last name.
    #[serde(default, deserialize_with = "soft")]
    pub last_name: Option<String>,
    /// The public name.
    #[serde(default, deserialize_with = "soft")]
    pub username: Option<String>,
    /// The language of their app.
    #[serde(default, deserialize_with = "soft")]
    pub language_code: Option<String>,
}

impl User {
    /// The name they go by.
    pub fn name(&self) -> Option<String> {
        let name = [Some(self.first_name.as_str()), self.last_name.as_deref()]
            .into_iter()
            .flatten()
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ");
        Some(name)
            .filter(|name| !name.is_empty())
            .or_else(|| self.username.clone())
    }
}

/// A chat.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Chat {
    /// Its number.
    pub id: i64,
    /// `private`, `group`, `supergroup`, `channel`.
    #[serde(default, rename = "type", deserialize_with = "soft")]
    pub kind: String,
    /// Its title, of groups and channels.
    #[serde(default, deserialize_with = "soft")]
    pub title: Option<String>,
    /// The first name of the other side, of private ones.
    #[serde(default, deserialize_with = "soft")]
    pub first_name: String,
    /// Their last name.
    #[serde(default, deserialize_with = "soft")]
    pub last_name: Option<String>,
    /// The public name.
    #[serde(default, deserialize_with = "soft")]
    pub username: Option<String>,
}

impl Chat {
    /// A chat of one person with the bot.
    pub fn is_private(&self) -> bool {
        self.kind == "private"
    }

    /// The other side of a private chat.
    pub fn person(&self) -> User {
        User {
            id: self.id,
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            username: self.username.clone(),
            ..User::default()
        }
    }
}

/// A special part of a text; offsets are in UTF-16 code units.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Entity {
    /// `bold`, `text_link`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it begins.
    pub offset: usize,
    /// How long it is.
    pub length: usize,
    /// Where a `text_link` leads.
    #[serde(default, deserialize_with = "soft")]
    pub url: Option<String>,
    /// The language of a `pre`.
    #[serde(default, deserialize_with = "soft")]
    pub language: Option<String>,
}

/// Any file.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct File {
    /// By what the bot gets it.
    pub file_id: String,
    /// Its size, when known.
    #[serde(default, deserialize_with = "soft")]
    pub file_size: Option<u64>,
    /// Its name, of documents.
    #[serde(default, deserialize_with = "soft")]
    pub file_name: Option<String>,
    /// Its media type.
    #[serde(default, deserialize_with = "soft")]
    pub mime_type: Option<String>,
    /// The size of a picture,
    #[serde(default, deserialize_with = "soft")]
    pub width: u64,
    /// in both directions.
    #[serde(default, deserialize_with = "soft")]
    pub height: u64,
    /// Seconds, of sound and film.
    #[serde(default, deserialize_with = "soft")]
    pub duration: Option<u64>,
    /// Who plays, of music.
    #[serde(default, deserialize_with = "soft")]
    pub performer: Option<String>,
    /// What is played.
    #[serde(default, deserialize_with = "soft")]
    pub title: Option<String>,
    /// What a sticker stands for.
    #[serde(default, deserialize_with = "soft")]
    pub emoji: Option<String>,
    /// A sticker that moves as vectors do,
    #[serde(default, deserialize_with = "soft")]
    pub is_animated: bool,
    /// or as a film.
    #[serde(default, deserialize_with = "soft")]
    pub is_video: bool,
}

/// A shared contact.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Contact {
    /// The number as Telegram has it, with or without a plus.
    pub phone_number: String,
    /// The first name.
    #[serde(default, deserialize_with = "soft")]
    pub first_name: String,
    /// The last name.
    #[serde(default, deserialize_with = "soft")]
    pub last_name: Option<String>,
    /// Whose it is, of people who are on Telegram.
    #[serde(default, deserialize_with = "soft")]
    pub user_id: Option<i64>,
}

/// A place.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Place {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
}

/// A place with a name.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Venue {
    /// Where.
    pub location: Place,
    /// What is there.
    #[serde(default, deserialize_with = "soft")]
    pub title: String,
    /// Its address.
    #[serde(default, deserialize_with = "soft")]
    pub address: String,
}

/// A question with answers to choose from.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Poll {
    /// The question.
    #[serde(default, deserialize_with = "soft")]
    pub question: String,
    /// The answers.
    #[serde(default, deserialize_with = "soft_list")]
    pub options: Vec<PollOption>,
}

/// An answer of a poll.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct PollOption {
    /// Its text.
    pub text: String,
}

/// A die, a dart, a slot machine.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Dice {
    /// Which.
    pub emoji: String,
    /// What came.
    pub value: i64,
}

/// Where a forwarded message was first.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Origin {
    /// When it was sent there.
    #[serde(default, deserialize_with = "soft")]
    pub date: Option<i64>,
    /// Who wrote it.
    #[serde(default, deserialize_with = "soft")]
    pub sender_user: Option<User>,
    /// Their name, of those who hide themselves.
    #[serde(default, deserialize_with = "soft")]
    pub sender_user_name: Option<String>,
    /// In whose name an admin wrote it.
    #[serde(default, deserialize_with = "soft")]
    pub sender_chat: Option<Chat>,
    /// The channel.
    #[serde(default, deserialize_with = "soft")]
    pub chat: Option<Chat>,
}

/// The words of a message that another one is about.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Quote {
    /// They.
    pub text: String,
}

/// A message.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Message {
    /// Its number in the chat.
    pub message_id: i64,
    /// When it was sent, in seconds; 0 of one that the bot may not see any more.
    #[serde(default)]
    pub date: i64,
    /// Where.
    pub chat: Chat,
    /// Who wrote it; nobody in channels and of admins without a name.
    #[serde(default, deserialize_with = "soft")]
    pub from: Option<User>,
    /// In whose name.
    #[serde(default, deserialize_with = "soft")]
    pub sender_chat: Option<Chat>,
    /// The topic,
    #[serde(default, deserialize_with = "soft")]
    pub message_thread_id: Option<i32>,
    /// when it is one and not only a chain of answers.
    #[serde(default, deserialize_with = "soft")]
    pub is_topic_message: bool,
    /// When it was changed.
    #[serde(default, deserialize_with = "soft")]
    pub edit_date: Option<i64>,
    /// The account the bot works for, of its chats.
    #[serde(default, deserialize_with = "soft")]
    pub business_connection_id: Option<String>,
    /// The bot that wrote it in the account's name.
    #[serde(default, deserialize_with = "soft")]
    pub sender_business_bot: Option<User>,
    /// What the parts of an album share.
    #[serde(default, deserialize_with = "soft")]
    pub media_group_id: Option<String>,
    /// The text,
    #[serde(default, deserialize_with = "soft")]
    pub text: Option<String>,
    /// its special parts,
    #[serde(default, deserialize_with = "soft_list")]
    pub entities: Vec<Entity>,
    /// or the text under a file
    #[serde(default, deserialize_with = "soft")]
    pub caption: Option<String>,
    /// and its special parts.
    #[serde(default, deserialize_with = "soft_list")]
    pub caption_entities: Vec<Entity>,
    /// A photo in all its sizes.
    #[serde(default, deserialize_with = "soft_list")]
    pub photo: Vec<File>,
    /// A file.
    #[serde(default, deserialize_with = "soft")]
    pub document: Option<File>,
    /// Music.
    #[serde(default, deserialize_with = "soft")]
    pub audio: Option<File>,
    /// A voice message.
    #[serde(default, deserialize_with = "soft")]
    pub voice: Option<File>,
    /// A film.
    #[serde(default, deserialize_with = "soft")]
    pub video: Option<File>,
    /// A round film.
    #[serde(default, deserialize_with = "soft")]
    pub video_note: Option<File>,
    /// A film without sound; stands in `document` as well.
    #[serde(default, deserialize_with = "soft")]
    pub animation: Option<File>,
    /// A sticker.
    #[serde(default, deserialize_with = "soft")]
    pub sticker: Option<File>,
    /// A shared contact.
    #[serde(default, deserialize_with = "soft")]
    pub contact: Option<Contact>,
    /// A place.
    #[serde(default, deserialize_with = "soft")]
    pub location: Option<Place>,
    /// A place with a name; stands in `location` as well.
    #[serde(default, deserialize_with = "soft")]
    pub venue: Option<Venue>,
    /// A question.
    #[serde(default, deserialize_with = "soft")]
    pub poll: Option<Poll>,
    /// A throw.
    #[serde(default, deserialize_with = "soft")]
    pub dice: Option<Dice>,
    /// Where it was first, of forwarded ones.
    #[serde(default, deserialize_with = "soft")]
    pub forward_origin: Option<Origin>,
    /// A channel's post that Telegram puts into its group by itself.
    #[serde(default, deserialize_with = "soft")]
    pub is_automatic_forward: bool,
    /// What it answers.
    #[serde(default, deserialize_with = "soft")]
    pub reply_to_message: Option<Box<Message>>,
    /// The words of that it is about.
    #[serde(default, deserialize_with = "soft")]
    pub quote: Option<Quote>,
    /// What the group is called from now on, when it became a larger kind of group.
    #[serde(default, deserialize_with = "soft")]
    pub migrate_to_chat_id: Option<i64>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A pressed button.
#[derive(Debug, Clone, Deserialize)]
pub struct CallbackQuery {
    /// By what it is answered.
    pub id: String,
    /// Who pressed it.
    pub from: User,
    /// Under which message; not of inline ones.
    #[serde(default, deserialize_with = "soft")]
    pub message: Option<Message>,
    /// What the button carries.
    #[serde(default, deserialize_with = "soft")]
    pub data: Option<String>,
}

/// Somebody's reactions to a message.
#[derive(Debug, Clone, Deserialize)]
pub struct Reaction {
    /// Where.
    pub chat: Chat,
    /// To which message.
    pub message_id: i64,
    /// Who; nobody of admins without a name.
    #[serde(default, deserialize_with = "soft")]
    pub user: Option<User>,
    /// In whose name.
    #[serde(default, deserialize_with = "soft")]
    pub actor_chat: Option<Chat>,
    /// When.
    #[serde(default)]
    pub date: i64,
    /// All their reactions now.
    #[serde(default, deserialize_with = "soft_list")]
    pub new_reaction: Vec<ReactionKind>,
}

/// One reaction.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ReactionKind {
    /// The emoji; none of custom and paid ones.
    #[serde(default, deserialize_with = "soft")]
    pub emoji: Option<String>,
    /// `emoji`, `custom_emoji`, `paid`.
    #[serde(default, rename = "type", deserialize_with = "soft")]
    pub kind: String,
}

/// The bot's place in a chat changed.
#[derive(Debug, Clone, Deserialize)]
pub struct Membership {
    /// Where.
    pub chat: Chat,
    /// Who changed it: in a private chat the person themselves.
    pub from: User,
    /// When.
    #[serde(default)]
    pub date: i64,
    /// What it is now.
    pub new_chat_member: Member,
}

/// A place in a chat.
#[derive(Debug, Clone, Deserialize)]
pub struct Member {
    /// `member`, `kicked`, `left`, …
    pub status: String,
}

/// Messages that were taken back in a chat of a business account.
#[derive(Debug, Clone, Deserialize)]
pub struct DeletedMessages {
    /// The account.
    pub business_connection_id: String,
    /// Where.
    pub chat: Chat,
    /// Which.
    pub message_ids: Vec<i64>,
}
