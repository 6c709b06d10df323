//! A chat goes on by e-mail: replies that its visitor had not seen when they left, and transcripts.
//!
//! A mail hangs on a line of the conversation that only the staff reads and that carries the state of its delivery
//! (`chat_mail`); it goes out through the outbox by an e-mail channel. What the visitor answers finds the
//! conversation as any mail does. What is mailed is what the visitor may read in the chat, and no more of it
//! than the mail is about: an address that was merely typed opens no history.

pub mod due;
mod store;
pub mod transcript;
pub mod unseen;
mod words;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use sea_orm::{ConnectionTrait, DbErr};
use switchboard_sdk::{ByMail, fields};

use self::words::{Said, Speech};
use super::{hub::Hub, profile::Profile, view::Mask};
use crate::{
    connector::{Host, Served},
    conversation::{
        message::{self, NewMessage},
        view::{MessageView, Views},
    },
    db::{
        WriteTx,
        entity::{chat_mail, conversation, message as row, visitor},
    },
    outbound::{self, address, link, writing},
    routing::timers,
};

/// Mails of unseen replies to one address, in an hour and in a day.
const HOURLY: u64 = 6;
const DAILY: u64 = 30;
/// Transcripts that visitors ask for, to one address in a day.
const TRANSCRIPTS_DAILY: u64 = 3;

/// Why a chat is not mailed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No channel carries it.
    #[error("no e-mail channel of this line can send it")]
    NoChannel,
    /// Nothing was written.
    #[error("there is no conversation yet: nothing was written")]
    NoConversation,
    /// The talk goes on.
    #[error("the chat goes on: its transcript can be had when it has ended")]
    NotEnded,
    /// Nobody answered.
    #[error("nobody has answered in this chat")]
    NotAnswered,
    /// It was asked for before.
    #[error("the transcript of this chat was asked for before, and one is sent")]
    Asked,
    /// Too many mails to this address.
    #[error("too many mails went to this address; try again later")]
    Spent,
    /// This cannot be written to.
    #[error("{0}")]
    Address(String),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbErr),
}

/// What a mail is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Replies,
    Transcript,
}

impl Kind {
    /// The word in the database.
    fn as_str(self) -> &'static str {
        match self {
            Self::Replies => "replies",
            Self::Transcript => "transcript",
        }
    }
}

/// Who asked for a transcript without being an operator.
const VISITOR: &str = "visitor";

/// Mails what was said in chats. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ChatMail {
    host: Host,
    views: Views,
    hub: Hub,
}

/// A mail to be.
struct Parcel<'a> {
    kind: Kind,
    carrier: &'a Served,
    address: &'a str,
    asked_by: Option<&'a str>,
    /// What the staff reads of it.
    line: String,
    /// Replies that it brings.
    replies: Vec<String>,
}

impl ChatMail {
    /// For the channels of this host, whose visitors are seen in `hub`.
    pub fn new(host: Host, views: Views, hub: Hub) -> Self {
        Self { host, views, hub }
    }

    /// What a chat's channel says about mails, and the channel that carries them: the one it names, or the oldest of
    /// its line that can.
    fn carrier(&self, channel_id: &str) -> Option<(ByMail, Arc<Served>)> {
        let chat = self.host.served(channel_id)?;
        let rules = chat.active()?.visitor_desk()?.by_mail();
        let found = match &rules.channel_id {
            Some(id) => self.host.served(id).filter(carries),
            None => {
                let on_line = |it: &Arc<Served>| it.channel.line_id == chat.channel.line_id && carries(it);
                let all = self.host.all().into_iter().filter(on_line);
                all.min_by(|one, other| one.channel.id.cmp(&other.channel.id))
            }
        };
        Some((rules, found?))
    }

    /// The address a visitor gave, or, where the site vouches for them, the proven one of their contact; none that
    /// is known to reach nobody.
    async fn known_address(
        &self,
        db: &impl ConnectionTrait,
        visitor: &visitor::Model,
        conversation: &conversation::Model,
    ) -> Result<Option<String>, DbErr> {
        let given = Profile::of(visitor).email().map(str::to_owned);
        let known = match given {
            Some(given) => Some(given),
            None if super::store::is_proven(visitor) => {
                store::proven_email(db, &conversation.contact_id).await?
            }
            None => None,
        };
        let Some(known) = known else { return Ok(None) };
        match self.usable(db, &known).await {
            Ok(address) if store::is_dead(db, &address).await? => Ok(None),
            Ok(address) => Ok(Some(address)),
            Err(Error::Db(error)) => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// An address that a person may read: no machine's, and none of our own mailboxes.
    async fn usable(&self, db: &impl ConnectionTrait, given: &str) -> Result<String, Error> {
        let address = fields::email(given)
            .filter(|address| address::is_address(address))
            .ok_or_else(|| Error::Address("is no e-mail address".to_owned()))?;
        let own = writing::own_addresses(db, &self.views).await?;
        if address::is_machine(&address) || address::is_own(&address, &own) {
            return Err(Error::Address("nobody reads what is sent there".to_owned()));
        }
        Ok(address)
    }

    /// Puts a mail on its way, in a locked conversation.
    async fn put(
        &self,
        write: &mut WriteTx,
        conversation: &mut conversation::Model,
        parcel: Parcel<'_>,
        messages: Vec<row::Model>,
        now: DateTime<Utc>,
    ) -> Result<row::Model, DbErr> {
        let visitor = super::store::latest_of_conversation(write.tx(), conversation).await?;
        let views = self.views.messages(write.tx(), messages).await?;
        let speech = self.speech(write, conversation, visitor.as_ref(), now).await?;
        let proven = visitor.as_ref().is_some_and(super::store::is_proven);
        let mask = self.mask(write, conversation).await?;
        let said: Vec<Said> = views
            .iter()
            .filter(|view| proven || !super::view::is_mail(view))
            .map(|view| self.said(view, &mask, &speech, now))
            .collect();
        let (subject, body) = match parcel.kind {
            Kind::Replies => speech.replies(&said),
            Kind::Transcript => speech.transcript(&said),
        };
        let line = NewMessage {
            hidden: true,
            delivery_state: Some(outbound::first_state(false)),
            ..NewMessage::system(parcel.line)
        };
        let stored = message::append(write, conversation, line, now).await?;
        let mail = chat_mail::Model {
            message_id: stored.id.clone(),
            channel_id: parcel.carrier.channel.id.clone(),
            kind: parcel.kind.as_str().to_owned(),
            address: parcel.address.to_owned(),
            subject,
            body,
            asked_by: parcel.asked_by.map(str::to_owned),
            created_at: now,
        };
        store::keep(write, mail, parcel.replies, &conversation.id, now).await?;
        outbound::enqueue_on(write, &stored, &parcel.carrier.channel.id, now).await?;
        Ok(stored)
    }

    /// The language, the name and the time of a mail.
    async fn speech(
        &self,
        write: &WriteTx,
        conversation: &conversation::Model,
        visitor: Option<&visitor::Model>,
        now: DateTime<Utc>,
    ) -> Result<Speech, DbErr> {
        let line = timers::line_of(write.tx(), &conversation.line_id).await?;
        let profile = visitor.map(Profile::of).unwrap_or_default();
        let hours = line.as_ref().and_then(|line| line.rules.hours.as_ref());
        let zone: Tz = hours
            .and_then(|hours| hours.time_zone.parse().ok())
            .unwrap_or(Tz::UTC);
        let name = line.map(|line| line.name).unwrap_or_default();
        Ok(Speech::new(profile.language(), &name, zone, now))
    }

    async fn mask(&self, write: &WriteTx, conversation: &conversation::Model) -> Result<Mask, DbErr> {
        let served = self.host.served(&conversation.channel_id);
        let connector = served.as_ref().and_then(|served| served.connector.as_ref().ok());
        let name = connector
            .and_then(|it| it.visitor_desk())
            .and_then(|desk| desk.staff_name().map(str::to_owned));
        Ok(match name {
            Some(name) => Mask::new(name, super::store::staff_names(write.tx()).await?),
            None => Mask::default(),
        })
    }

    fn said(&self, view: &MessageView, mask: &Mask, speech: &Speech, now: DateTime<Utc>) -> Said {
        let parts = self.host.parts();
        let who = match view.author.kind.as_str() {
            "contact" => speech.you().to_owned(),
            "operator" => mask
                .name(view.author.name.clone())
                .unwrap_or_else(|| speech.staff().to_owned()),
            _ => speech.staff().to_owned(),
        };
        let url = |id: &str| link::url(&parts.vault, &parts.public_url, id, now);
        Said {
            who,
            at: view.created_at,
            text: view.text.clone(),
            files: view
                .attachments
                .iter()
                .map(|file| (file.name.clone(), url(&file.id)))
                .collect(),
        }
    }
}

fn carries(served: &Arc<Served>) -> bool {
    served.descriptor.is_some_and(|it| it.capabilities.recipients)
        && served.active().is_some_and(|it| it.sender().is_some())
}

/// Whether one more mail of unseen replies may go to an address that so many went to.
async fn has_room(db: &impl ConnectionTrait, address: &str, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let hour = store::sent_since(db, address, Kind::Replies, None, now - TimeDelta::hours(1)).await?;
    let day = store::sent_since(db, address, Kind::Replies, None, now - TimeDelta::days(1)).await?;
    Ok(hour < HOURLY && day < DAILY)
}
