//! From an update to events. Pure: no files are fetched and nobody is asked.
//!
//! What a message is known by is made of the bot, the chat and the message's number, not of the update: a message
//! that comes once more under another number of an update is still the same one. Everything else is known by its
//! update. An update of a kind that nobody knew when this was written is kept raw; one that has nothing in it for
//! an operator is passed over and says why.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::Value;
use switchboard_sdk::{
    Forwarded, Identity, IdentityKind, InboundAttachment, InboundBody, InboundDeletion, InboundEdit,
    InboundEvent, InboundMessage, InboundReachability, InboundReaction, Person, Thread,
};

use crate::{
    address::{Address, album_id, message_id},
    content::{self, Content, Wanted},
    entities, menu,
    settings::{Groups, Settings},
    start,
    update::{CallbackQuery, DeletedMessages, Membership, Message, Origin, Reaction, User},
};

/// The kinds of updates that are asked for. What Telegram sends of others is kept or passed over.
pub const KINDS: [&str; 9] = [
    "message",
    "edited_message",
    "callback_query",
    "my_chat_member",
    "message_reaction",
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
];

/// Kinds that are known and have nothing in them for an operator.
const IDLE: [&str; 18] = [
    "business_connection",
    "channel_post",
    "edited_channel_post",
    "message_reaction_count",
    "inline_query",
    "chosen_inline_result",
    "shipping_query",
    "pre_checkout_query",
    "purchased_paid_media",
    "poll",
    "poll_answer",
    "chat_member",
    "chat_join_request",
    "chat_boost",
    "removed_chat_boost",
    "guest_message",
    "managed_bot",
    "story",
];

/// The bot, as far as mapping has to know it.
#[derive(Debug, Clone)]
pub struct Bot {
    /// Its number.
    pub id: i64,
    /// Its public name.
    pub username: String,
}

/// What an update is.
#[derive(Debug, Clone, Default)]
pub struct Taken {
    /// Its events, each with the files that are to be fetched for it.
    pub drafts: Vec<Draft>,
    /// The press of a button that waits to be answered.
    pub pressed: Option<Pressed>,
    /// Why there are no events.
    pub passed_over: Option<&'static str>,
}

/// A pressed button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pressed {
    /// By what it is answered.
    pub id: String,
}

/// An event whose files are still at Telegram's.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The event.
    pub event: InboundEvent,
    /// Its files.
    pub files: Vec<Wanted>,
}

impl Draft {
    /// Gives the event its files.
    pub fn with_files(mut self, files: Vec<InboundAttachment>) -> InboundEvent {
        match &mut self.event.body {
            InboundBody::Message(message) => message.attachments = files,
            InboundBody::Edit(edit) if !self.files.is_empty() => edit.attachments = Some(files),
            _ => {}
        }
        self.event
    }
}

/// The number of an update; `None` when it is none at all.
pub fn update_id(raw: &Value) -> Option<i64> {
    raw.get("update_id")?.as_i64()
}

/// What an update says.
pub fn map(raw: &Value, bot: &Bot, settings: &Settings, now: DateTime<Utc>) -> Taken {
    let scene = Scene {
        bot,
        settings,
        now,
        update: update_id(raw).unwrap_or_default(),
    };
    let kind = raw
        .as_object()
        .and_then(|fields| fields.keys().find(|key| *key != "update_id"));
    let Some(kind) = kind else {
        return scene.poison(raw, "an update without content");
    };
    let body = raw.get(kind).unwrap_or(&Value::Null);
    let taken = match kind.as_str() {
        "message" | "business_message" => read(body).map(|message| scene.message(&message)),
        "edited_message" | "edited_business_message" => read(body).map(|message| scene.edit(&message)),
        "callback_query" => read(body).map(|query| scene.press(&query, body)),
        "message_reaction" => read(body).map(|reaction| scene.reaction(&reaction)),
        "my_chat_member" => read(body).map(|change| scene.membership(&change)),
        "deleted_business_messages" => read(body).map(|deleted| scene.deletions(&deleted)),
        idle if IDLE.contains(&idle) => Ok(Taken::nothing("nobody reads this kind of update")),
        unknown => {
            return scene.poison(
                raw,
                &format!("an update of a kind that is not known here: {unknown}"),
            );
        }
    };
    taken.unwrap_or_else(|error| {
        scene.poison(raw, &format!("an update that cannot be read ({kind}: {error})"))
    })
}

fn read<T: DeserializeOwned>(body: &Value) -> Result<T, serde_json::Error> {
    T::deserialize(body)
}

impl Taken {
    fn nothing(why: &'static str) -> Self {
        Self {
            passed_over: Some(why),
            ..Self::default()
        }
    }

    fn one(event: InboundEvent, files: Vec<Wanted>) -> Self {
        Self {
            drafts: vec![Draft { event, files }],
            ..Self::default()
        }
    }
}

/// What an update is seen against.
struct Scene<'a> {
    bot: &'a Bot,
    settings: &'a Settings,
    now: DateTime<Utc>,
    update: i64,
}

impl Scene<'_> {
    fn message(&self, message: &Message) -> Taken {
        if content::is_service(message) {
            return Taken::nothing("a message about the chat itself");
        }
        if message.is_automatic_forward {
            return Taken::nothing("a post that Telegram copied from the group's channel");
        }
        if message.sender_business_bot.is_some() {
            return Taken::nothing("an answer of our own");
        }
        if !self.concerns_us(message) {
            return Taken::nothing("a message of a group that is not for the bot");
        }
        let address = address(message);
        let (from, author) = who(message, &address);
        let Content {
            mut text,
            mut html,
            files,
            location,
        } = content::read(message);
        let mut inbound = InboundMessage {
            thread: Thread::Sender,
            location,
            reply_to: message
                .reply_to_message
                .as_ref()
                .map(|earlier| self.id(&address, earlier.message_id)),
            quote: message.quote.as_ref().map(|quote| quote.text.clone()),
            origin: message.forward_origin.as_ref().map(forwarded),
            album: message
                .media_group_id
                .as_ref()
                .map(|group| album_id(self.bot.id, &address, group)),
            ..InboundMessage::default()
        };
        if is_own(message) {
            inbound.own = Some(author.unwrap_or_default());
        } else {
            if let Some(start) = start::read(&text, &self.settings.links) {
                inbound.attribution = start.attribution;
                inbound.line = start.line;
            }
            if let Some(line) = menu::line(&self.settings.menu, &text) {
                inbound.line = Some(line);
            }
            if let Some(author) = author {
                html = html.map(|html| format!("<b>{}:</b> {html}", entities::escaped(&author)));
                text = format!("{author}: {text}");
            }
        }
        inbound.from = from;
        self.add_own_number(message, &mut inbound.from);
        inbound.text = text;
        inbound.html = html;
        let event = InboundEvent {
            external_id: self.id(&address, message.message_id),
            at: self.at(message.date),
            body: InboundBody::Message(inbound),
        };
        Taken::one(event, files)
    }

    fn edit(&self, message: &Message) -> Taken {
        if message.sender_business_bot.is_some() || !self.concerns_us(message) {
            return Taken::nothing("a change of a message that is not stored");
        }
        let address = address(message);
        let content = content::read(message);
        let (_, author) = who(message, &address);
        let named = |text: String| match &author {
            Some(author) if !is_own(message) => format!("{author}: {text}"),
            _ => text,
        };
        let edit = InboundEdit {
            message: self.id(&address, message.message_id),
            text: named(content.text),
            html: content.html,
            attachments: None,
            location: content.location,
        };
        // Of an album one part alone is said to have changed: its file would take the place of all.
        let files = match message.media_group_id {
            None => content.files,
            Some(_) => Vec::new(),
        };
        let event = InboundEvent {
            external_id: self.of_update(),
            at: self.at(message.edit_date.unwrap_or(message.date)),
            body: InboundBody::Edit(edit),
        };
        Taken::one(event, files)
    }

    /// A pressed button is a message that says what stands on the button.
    fn press(&self, query: &CallbackQuery, raw: &Value) -> Taken {
        let pressed = Some(Pressed { id: query.id.clone() });
        let Some(message) = &query.message else {
            return Taken {
                pressed,
                ..Taken::nothing("a button that stands in no chat of the bot")
            };
        };
        let address = address(message);
        let data = query.data.clone().unwrap_or_default();
        let text = label(raw, &data).unwrap_or_else(|| data.clone());
        let (mut from, mut words) = (of_user(&query.from, &address), text.clone());
        if !message.chat.is_private() {
            from = of_chat(message, &address);
            words = format!("{}: {text}", query.from.name().unwrap_or_default());
        }
        let inbound = InboundMessage {
            from,
            thread: Thread::Sender,
            text: words,
            reply_to: Some(self.id(&address, message.message_id)),
            line: menu::line(&self.settings.menu, &text),
            ..InboundMessage::default()
        };
        let event = InboundEvent {
            external_id: self.of_update(),
            at: self.now,
            body: InboundBody::Message(inbound),
        };
        Taken {
            pressed,
            ..Taken::one(event, Vec::new())
        }
    }

    fn reaction(&self, reaction: &Reaction) -> Taken {
        let address = Address::chat(reaction.chat.id);
        let from = match (&reaction.user, &reaction.actor_chat) {
            (Some(user), _) => of_user(user, &Address::chat(user.id)),
            (None, Some(chat)) => Person {
                name: chat.title.clone(),
                identities: vec![identity(&Address::chat(chat.id))],
                ..Person::default()
            },
            (None, None) => return Taken::nothing("a reaction of nobody"),
        };
        let emoji = |kind: &crate::update::ReactionKind| match &kind.emoji {
            Some(emoji) => emoji.clone(),
            None if kind.kind == "paid" => "⭐".to_owned(),
            None => "❓".to_owned(),
        };
        let body = InboundBody::Reaction(InboundReaction {
            message: self.id(&address, reaction.message_id),
            from,
            emoji: reaction.new_reaction.iter().map(emoji).collect(),
        });
        Taken::one(self.changed(reaction.date, body), Vec::new())
    }

    fn membership(&self, change: &Membership) -> Taken {
        let private = change.chat.is_private();
        let (reachable, reason) = match change.new_chat_member.status.as_str() {
            "kicked" if private => (false, "blocked the bot"),
            "kicked" | "left" => (false, "removed the bot from the group"),
            _ => (true, ""),
        };
        if change.chat.kind == "channel" {
            return Taken::nothing("channels are not read");
        }
        let body = InboundBody::Reachability(InboundReachability {
            identity: identity(&Address::chat(change.chat.id)),
            thread: Thread::Sender,
            reachable,
            reason: Some(reason.to_owned()).filter(|reason| !reason.is_empty()),
        });
        Taken::one(self.changed(change.date, body), Vec::new())
    }

    fn deletions(&self, deleted: &DeletedMessages) -> Taken {
        let address = Address {
            business: Some(deleted.business_connection_id.clone()),
            ..Address::chat(deleted.chat.id)
        };
        let drafts = deleted.message_ids.iter().map(|number| {
            let message = self.id(&address, *number);
            Draft {
                event: InboundEvent {
                    external_id: format!("{}:{number}", self.of_update()),
                    at: self.now,
                    body: InboundBody::Deletion(InboundDeletion { message }),
                },
                files: Vec::new(),
            }
        });
        Taken {
            drafts: drafts.collect(),
            ..Taken::default()
        }
    }

    fn poison(&self, raw: &Value, reason: &str) -> Taken {
        let raw = raw.to_string().into();
        let body = InboundBody::Poison {
            reason: reason.to_owned(),
            raw,
        };
        Taken::one(
            InboundEvent {
                external_id: self.of_update(),
                at: self.now,
                body,
            },
            Vec::new(),
        )
    }

    fn changed(&self, date: i64, body: InboundBody) -> InboundEvent {
        InboundEvent {
            external_id: self.of_update(),
            at: self.at(date),
            body,
        }
    }

    /// In groups the bot is one of many: by choice everything, nothing, or what is said to it.
    fn concerns_us(&self, message: &Message) -> bool {
        if message.chat.is_private() {
            return true;
        }
        if !matches!(message.chat.kind.as_str(), "group" | "supergroup") {
            return false;
        }
        match self.settings.groups {
            Groups::Ignore => false,
            Groups::All => true,
            Groups::Addressed => self.is_addressed(message),
        }
    }

    fn is_addressed(&self, message: &Message) -> bool {
        let answers = message
            .reply_to_message
            .as_ref()
            .and_then(|earlier| earlier.from.as_ref())
            .is_some_and(|author| author.id == self.bot.id);
        let texts = [
            (&message.text, &message.entities),
            (&message.caption, &message.caption_entities),
        ];
        let name = format!("@{}", self.bot.username).to_lowercase();
        let named = texts.into_iter().any(|(text, entities)| {
            let text = text.as_deref().unwrap_or_default();
            entities.iter().any(|entity| {
                let words = entities::slice(text, entity.offset, entity.offset.saturating_add(entity.length));
                let words = words.to_lowercase();
                match entity.kind.as_str() {
                    "mention" => words == name,
                    "bot_command" => words.ends_with(&name),
                    _ => false,
                }
            })
        });
        answers || named
    }

    /// A number that people share of themselves is theirs: Telegram proves it. Of anybody else it is a card.
    fn add_own_number(&self, message: &Message, from: &mut Person) {
        let (Some(contact), Some(writer)) = (&message.contact, &message.from) else {
            return;
        };
        if contact.user_id != Some(writer.id)
            || !message.chat.is_private()
            || message.forward_origin.is_some()
        {
            return;
        }
        if let Ok(number) = switchboard_sdk::fields::phone(&content::phone(contact), None) {
            from.identities.push(Identity {
                kind: IdentityKind::Phone,
                value: number,
                verified: true,
            });
        }
    }

    fn id(&self, address: &Address, message: i64) -> String {
        message_id(self.bot.id, address, message)
    }

    /// What an event is known by that is no message.
    fn of_update(&self) -> String {
        format!("{}:update {}", self.bot.id, self.update)
    }

    fn at(&self, date: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(date, 0)
            .filter(|_| date > 0)
            .unwrap_or(self.now)
    }
}

fn address(message: &Message) -> Address {
    let topic = message.message_thread_id.filter(|_| message.is_topic_message);
    Address {
        chat: message.chat.id,
        topic: topic.filter(|_| !message.chat.is_private()),
        business: message.business_connection_id.clone(),
    }
}

/// In the chats of a business account its owner's words arrive too. A private chat has the number of the other
/// side, so that whoever else writes there is the owner.
fn is_own(message: &Message) -> bool {
    let writer = message.from.as_ref().map(|from| from.id);
    message.business_connection_id.is_some() && writer.is_some_and(|writer| writer != message.chat.id)
}

/// The customer, and the name before their words where those of several stand in one conversation.
fn who(message: &Message, address: &Address) -> (Person, Option<String>) {
    if is_own(message) {
        let owner = message.from.as_ref().and_then(User::name);
        return (of_user(&message.chat.person(), address), owner);
    }
    match &message.from {
        Some(from) if message.chat.is_private() => (of_user(from, address), None),
        from => {
            let named = message.sender_chat.as_ref().and_then(|chat| chat.title.clone());
            let author = named.or_else(|| from.as_ref().and_then(User::name));
            (of_chat(message, address), Some(author.unwrap_or_default()))
        }
    }
}

/// A group is a customer as a whole: it has one conversation, and the answer goes to all of it.
fn of_chat(message: &Message, address: &Address) -> Person {
    Person {
        name: message.chat.title.clone(),
        identities: vec![identity(address)],
        ..Person::default()
    }
}

fn of_user(user: &User, address: &Address) -> Person {
    let mut identities = vec![identity(address)];
    if address.business.is_some() {
        // The same person as in the bot's own chat, in another conversation.
        identities.push(identity(&Address::chat(user.id)));
    }
    Person {
        name: user.name(),
        identities,
        language: user.language_code.clone(),
        ..Person::default()
    }
}

fn identity(address: &Address) -> Identity {
    Identity {
        kind: IdentityKind::Telegram,
        value: address.to_string(),
        verified: true,
    }
}

fn forwarded(origin: &Origin) -> Forwarded {
    let chat = origin.chat.as_ref().or(origin.sender_chat.as_ref());
    let from = origin
        .sender_user
        .as_ref()
        .and_then(User::name)
        .or_else(|| origin.sender_user_name.clone())
        .or_else(|| chat.and_then(|chat| chat.title.clone()));
    Forwarded {
        from,
        at: origin.date.and_then(|date| DateTime::from_timestamp(date, 0)),
    }
}

/// What stands on the button that carries this.
fn label(query: &Value, data: &str) -> Option<String> {
    let rows = query
        .pointer("/message/reply_markup/inline_keyboard")?
        .as_array()?;
    let mut buttons = rows.iter().filter_map(Value::as_array).flatten();
    let button = buttons.find(|button| button.get("callback_data").and_then(Value::as_str) == Some(data))?;
    button.get("text")?.as_str().map(str::to_owned)
}
