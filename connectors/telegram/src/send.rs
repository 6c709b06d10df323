//! The sending half: an answer goes out within Telegram's limits, and it is known whether it did.
//!
//! An answer may be several messages. Before the first of them leaves, waiting and trying again are the outbox's
//! business; after it, they are done here, and what cannot be finished is said to be half sent: a repeat would send
//! the first half twice. What Telegram will not format goes out as plain words.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use switchboard_sdk::{Addressee, OutboundDeletion, OutboundEdit, OutboundMessage, SendError, Sent};
use teloxide_core::{
    payloads::{EditMessageCaption, EditMessageText},
    requests::JsonRequest,
    types::{BusinessConnectionId, ChatId, MessageId, Recipient, ReplyMarkup},
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};

use crate::{
    address::{Address, message_id, number_of},
    api::Api,
    calls::{self, Frame},
    entities::utf16_len,
    limit::{Pace, Place, Whole},
    markup::Rich,
    menu,
    plan::{self, Kind, Part},
    settings::Settings,
    split::{CAPTION, TEXT},
    trouble::Trouble,
};

/// How long an answer of several messages is tried to be finished.
const FINISH: Duration = Duration::from_secs(240);
/// The pause after a failure in the middle of one.
const AGAIN: Duration = Duration::from_secs(2);

/// The way out of one channel.
pub struct Outlet {
    api: Api,
    settings: Arc<Settings>,
    pace: Mutex<Pace>,
    /// One of those who hold a place was answered.
    answered: Notify,
    /// Groups that were given another number.
    moved: Mutex<HashMap<i64, i64>>,
    /// Limits go by a clock that nobody sets.
    since: Instant,
}

/// A place in the bot's pace, until Telegram has answered what was sent from it.
struct Placed<'a> {
    outlet: &'a Outlet,
    place: Place,
}

impl Drop for Placed<'_> {
    fn drop(&mut self) {
        lock(&self.outlet.pace).answered(&self.place, self.outlet.now());
        self.outlet.answered.notify_waiters();
    }
}

impl std::fmt::Debug for Outlet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Outlet")
    }
}

impl Outlet {
    /// By these settings.
    pub fn new(api: Api, settings: Arc<Settings>) -> Self {
        Self {
            api,
            settings,
            pace: Mutex::default(),
            answered: Notify::new(),
            moved: Mutex::default(),
            since: Instant::now(),
        }
    }

    /// Sends one answer.
    pub async fn send(&self, message: &OutboundMessage) -> Result<Sent, SendError> {
        let address = self.address(&message.to)?;
        let parts =
            plan::plan(message, self.settings.is_cloud()).map_err(|reason| SendError::Refused { reason })?;
        let mut frame = Frame {
            address,
            reply_to: message.reply_to.as_deref().and_then(number_of),
            markup: None,
        };
        let mut numbers = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            frame.markup = part.last.then(|| self.markup(message)).flatten();
            let sent = if index == 0 {
                let placed = self.place(&frame.address, part.count()).await?;
                let sent = self.part(&mut frame, message, part).await;
                drop(placed);
                sent.map_err(|trouble| self.judged(trouble))?
            } else {
                self.finish(&mut frame, message, part)
                    .await
                    .map_err(|reason| SendError::Unknown {
                        reason: format!(
                            "{index} of {} messages of this answer went out, and the next did not: {reason}",
                            parts.len()
                        ),
                    })?
            };
            numbers.extend(sent);
            frame.reply_to = None;
        }
        let mut ids = numbers.into_iter().map(|number| self.id(&frame.address, number));
        Ok(Sent {
            external_id: ids.next(),
            parts: ids.collect(),
            ..Sent::default()
        })
    }

    /// A later message of an answer: the first is out already.
    async fn finish(
        &self,
        frame: &mut Frame,
        message: &OutboundMessage,
        part: &Part,
    ) -> Result<Vec<i32>, String> {
        let until = Instant::now() + FINISH;
        loop {
            let (pause, reason) = match self.place(&frame.address, part.count()).await {
                Ok(_placed) => match self.part(frame, message, part).await {
                    Ok(numbers) => return Ok(numbers),
                    Err(trouble) => {
                        self.freeze_if_told(&trouble);
                        match trouble {
                            Trouble::Later(pause) => (pause, trouble.to_string()),
                            Trouble::NotSent(_) => (AGAIN, trouble.to_string()),
                            _ => return Err(trouble.to_string()),
                        }
                    }
                },
                Err(SendError::Wait { after, reason } | SendError::Hold { after, reason }) => (after, reason),
                Err(error) => return Err(error.to_string()),
            };
            if Instant::now() + pause > until {
                return Err(reason);
            }
            sleep(pause).await;
        }
    }

    /// Sends one message, and once more without what Telegram does not take of it.
    async fn part(
        &self,
        frame: &mut Frame,
        message: &OutboundMessage,
        part: &Part,
    ) -> Result<Vec<i32>, Trouble> {
        let first = self.try_part(frame, message, part).await;
        let again = match &first {
            Err(Trouble::Migrated(chat)) => {
                lock(&self.moved).insert(frame.address.chat, *chat);
                frame.address.chat = *chat;
                part.clone()
            }
            // Certainly not sent: the words go out as they stand, rather than not at all.
            Err(Trouble::Markup(reason)) => {
                tracing::warn!(message.id, reason, "sent without formatting");
                frame.markup = None;
                Part {
                    rich: Rich::plain(&part.rich.text),
                    ..part.clone()
                }
            }
            Err(Trouble::Refused(words))
                if words.contains("thread not found") && frame.address.topic.is_some() =>
            {
                frame.address.topic = None;
                part.clone()
            }
            Err(Trouble::Refused(words)) if is_no_picture(words) && part.files.iter().any(is_photo) => Part {
                files: part
                    .files
                    .iter()
                    .map(|(index, _)| (*index, Kind::Document))
                    .collect(),
                ..part.clone()
            },
            _ => return first,
        };
        self.try_part(frame, message, &again).await
    }

    async fn try_part(
        &self,
        frame: &Frame,
        message: &OutboundMessage,
        part: &Part,
    ) -> Result<Vec<i32>, Trouble> {
        let files: Vec<_> = part
            .files
            .iter()
            .filter_map(|(index, kind)| Some((message.attachments.get(*index)?, *kind)))
            .collect();
        match files.as_slice() {
            [] => calls::text(&self.api, frame, &part.rich).await,
            [(file, kind)] => calls::file(&self.api, frame, file, *kind, &part.rich).await,
            files => calls::album(&self.api, frame, files, &part.rich).await,
        }
    }

    /// Waits for a place that is near; who has to wait longer is put back. It is held until Telegram has answered.
    async fn place(&self, address: &Address, count: usize) -> Result<Placed<'_>, SendError> {
        let taken = lock(&self.pace).take(address.chat, count, self.now());
        match taken {
            Ok(place) => {
                let placed = Placed { outlet: self, place };
                loop {
                    let answered = self.answered.notified();
                    let now = self.now();
                    let due = lock(&self.pace).due(&place, now);
                    let Ok(rest) = (due - now).to_std() else { break };
                    if rest.is_zero() {
                        break;
                    }
                    tokio::select! {
                        () = sleep(rest) => {}
                        () = answered => {}
                    }
                }
                Ok(placed)
            }
            Err(full) if full.whole == Whole::Chat => Err(SendError::Hold {
                after: full.after,
                reason: full.reason.to_owned(),
            }),
            Err(full) => Err(SendError::Wait {
                after: full.after,
                reason: full.reason.to_owned(),
            }),
        }
    }

    /// Changes what was sent. The words stand in the first message that has any; what is too long for it says so.
    pub async fn edit(&self, edit: &OutboundEdit) -> Result<(), SendError> {
        let address = self.address(&edit.message.to)?;
        let numbers: Vec<i32> = edit.external_ids.iter().filter_map(|id| number_of(id)).collect();
        let parts = plan::plan(&edit.message, self.settings.is_cloud())
            .map_err(|reason| SendError::Refused { reason })?;
        // Which of the messages say something: as many numbers as it took messages.
        let mut at = 0;
        let mut said = Vec::new();
        for part in &parts {
            if let Some(number) = numbers.get(at).filter(|_| !part.rich.text.is_empty()) {
                said.push((*number, part));
            }
            at += part.count();
        }
        if at != numbers.len() || said.is_empty() {
            return Err(SendError::Refused {
                reason: "the new text takes another number of messages on Telegram than the old one: write a new message instead"
                    .to_owned(),
            });
        }
        for (number, part) in said {
            let _placed = self.place(&address, 1).await?;
            let markup = part.last.then(|| calls::buttons(&edit.message.buttons)).flatten();
            let done = self
                .change(&address, number, part, &part.rich, markup.as_ref())
                .await;
            let done = match done {
                Err(Trouble::Markup(_)) => {
                    self.change(&address, number, part, &Rich::plain(&part.rich.text), None)
                        .await
                }
                done => done,
            };
            match done {
                // Said before the answer was lost.
                Err(Trouble::Refused(words)) if words.contains("message is not modified") => {}
                done => done.map_err(|trouble| self.judged(trouble))?,
            }
        }
        Ok(())
    }

    async fn change(
        &self,
        address: &Address,
        number: i32,
        part: &Part,
        rich: &Rich,
        markup: Option<&ReplyMarkup>,
    ) -> Result<(), Trouble> {
        let (chat, number) = (Recipient::Id(ChatId(address.chat)), MessageId(number));
        let business_connection_id = address.business.clone().map(BusinessConnectionId);
        let reply_markup = match markup {
            Some(ReplyMarkup::InlineKeyboard(rows)) => Some(rows.clone()),
            _ => None,
        };
        let limit = if part.files.is_empty() { TEXT } else { CAPTION };
        if utf16_len(&rich.text) > limit {
            return Err(Trouble::Refused(format!(
                "the text is longer than {limit} characters"
            )));
        }
        let done = if part.files.is_empty() {
            let call = EditMessageText {
                entities: calls::parts(rich),
                business_connection_id,
                reply_markup,
                ..EditMessageText::new(chat, number, rich.text.clone())
            };
            self.api.send(|bot| JsonRequest::new(bot, call), false).await
        } else {
            let call = EditMessageCaption {
                caption: Some(rich.text.clone()),
                caption_entities: calls::parts(rich),
                business_connection_id,
                reply_markup,
                ..EditMessageCaption::new(chat, number)
            };
            self.api.send(|bot| JsonRequest::new(bot, call), false).await
        };
        done.map(drop)
    }

    /// Takes back what was sent.
    pub async fn delete(&self, deletion: &OutboundDeletion) -> Result<(), SendError> {
        let address = self.address(&deletion.to.to)?;
        let numbers: Vec<i32> = deletion
            .external_ids
            .iter()
            .filter_map(|id| number_of(id))
            .collect();
        if numbers.is_empty() {
            return Err(SendError::Refused {
                reason: "nobody knows its number on Telegram".to_owned(),
            });
        }
        let _placed = self.place(&address, 1).await?;
        let done = self
            .api
            .delete(address.business.as_deref(), address.chat, &numbers)
            .await;
        match done {
            Err(Trouble::Refused(words)) if words.contains("not found") => Ok(()),
            Err(Trouble::Refused(words)) if words.contains("can't be deleted") => Err(SendError::Refused {
                reason: "Telegram takes messages back for 48 hours only".to_owned(),
            }),
            done => done.map_err(|trouble| self.judged(trouble)),
        }
    }

    /// Shows that somebody types.
    pub async fn typing(&self, to: &Addressee) -> Result<(), SendError> {
        let address = self.address(&to.to)?;
        let mut question = json!({"chat_id": address.chat, "action": "typing"});
        if let Some(fields) = question.as_object_mut() {
            if let Some(topic) = address.topic {
                fields.insert("message_thread_id".to_owned(), json!(topic));
            }
            if let Some(business) = &address.business {
                fields.insert("business_connection_id".to_owned(), json!(business));
            }
        }
        self.api
            .typing(question)
            .await
            .map_err(|trouble| self.judged(trouble))
    }

    /// What stands under the last message of an answer.
    fn markup(&self, message: &OutboundMessage) -> Option<ReplyMarkup> {
        if message.request_phone {
            return Some(calls::share_phone(&self.settings.share_phone));
        }
        // What the line says by itself offers the menu.
        let menu = menu::buttons(&self.settings.menu);
        let offered = message.automatic && message.buttons.is_empty();
        calls::buttons(if offered { &menu } else { &message.buttons })
    }

    /// What a failure of the first message means to the outbox.
    fn judged(&self, trouble: Trouble) -> SendError {
        self.freeze_if_told(&trouble);
        let reason = trouble.to_string();
        match trouble {
            // Not an attempt: nobody tries anything on this bot meanwhile.
            Trouble::Later(after) => SendError::Wait { after, reason },
            Trouble::Unreachable(_) => SendError::Unreachable { reason },
            Trouble::Refused(_) | Trouble::Markup(_) | Trouble::Migrated(_) => SendError::Refused { reason },
            Trouble::Token => SendError::Retry {
                after: Some(Duration::from_secs(300)),
                reason,
            },
            Trouble::NotSent(_) | Trouble::Conflict(_) => SendError::Retry { after: None, reason },
            Trouble::Unknown(_) => SendError::Unknown { reason },
        }
    }

    fn freeze_if_told(&self, trouble: &Trouble) {
        if let Trouble::Later(pause) = trouble {
            let pause = TimeDelta::from_std(*pause).unwrap_or(TimeDelta::MAX);
            lock(&self.pace).freeze(self.now() + pause);
        }
    }

    fn address(&self, to: &str) -> Result<Address, SendError> {
        let mut address = Address::parse(to).ok_or_else(|| SendError::Refused {
            reason: format!("{to:?} is no chat on Telegram"),
        })?;
        if let Some(chat) = lock(&self.moved).get(&address.chat) {
            address.chat = *chat;
        }
        Ok(address)
    }

    fn id(&self, address: &Address, number: i32) -> String {
        message_id(self.settings.bot_id(), address, i64::from(number))
    }

    fn now(&self) -> DateTime<Utc> {
        let age = TimeDelta::from_std(self.since.elapsed()).unwrap_or(TimeDelta::MAX);
        DateTime::<Utc>::UNIX_EPOCH + age
    }
}

fn is_photo((_, kind): &(usize, Kind)) -> bool {
    *kind == Kind::Photo
}

/// Telegram refuses pictures that are too long, too large or none; files it takes whatever they are.
fn is_no_picture(words: &str) -> bool {
    ["PHOTO_", "IMAGE_PROCESS_FAILED", "photo", "MEDIA_INVALID"]
        .iter()
        .any(|sign| words.contains(sign))
}

/// What is held never waits for anything, so that a crash while it is held leaves it whole.
fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}
