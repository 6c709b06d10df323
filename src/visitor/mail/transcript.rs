//! What was said in a session, by mail: asked for by its visitor when it has ended, or sent by an operator.
//!
//! A visitor names an address, and a mail goes there in our name: so nobody can make us write to others with words
//! of their own alone, a person must have answered in the session; each session is sent once, to one address; and
//! to one address only a few are sent in a day, whoever asks.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::DbErr;
use serde::Serialize;
use utoipa::ToSchema;

use super::{ChatMail, Error, Kind, Parcel, TRANSCRIPTS_DAILY, VISITOR, store};
use crate::{
    conversation::message,
    db::entity::{conversation, message as row, operator, visitor},
    visitor::store as visitors,
};

/// That a visitor may have the session that ended sent to them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Offered {
    /// The address they gave before.
    pub email: Option<String>,
}

impl ChatMail {
    /// Whether the transcript of a session that ended is offered: the channel says so, a channel carries it, and it
    /// was not asked for yet.
    pub async fn offered(
        &self,
        visitor: &visitor::Model,
        conversation: &conversation::Model,
    ) -> Result<Option<Offered>, DbErr> {
        let offers = |channel_id: &str| self.carrier(channel_id).filter(|(rules, _)| rules.transcript);
        if offers(&conversation.channel_id).is_none() {
            return Ok(None);
        }
        let db = self.host.parts().db.read();
        if store::asked(db, &conversation.session_id, &conversation.id)
            .await?
            .is_some()
        {
            return Ok(None);
        }
        let email = self.known_address(db, visitor, conversation).await?;
        Ok(Some(Offered { email }))
    }

    /// Whether an operator can send a chat's transcript, and the address that is known.
    pub async fn sendable(&self, conversation_id: &str) -> Result<Option<Offered>, DbErr> {
        let db = self.host.parts().db.read();
        let Some(row) = visitors::conversation_by_id(db, conversation_id).await? else {
            return Ok(None);
        };
        if self.carrier(&row.channel_id).is_none() {
            return Ok(None);
        }
        let email = match visitors::latest_of_conversation(db, &row).await? {
            Some(visitor) => self.known_address(db, &visitor, &row).await?,
            None => None,
        };
        Ok(Some(Offered { email }))
    }

    /// Sends the session that ended to its visitor: to the address they give now, or gave before. The same again
    /// changes nothing.
    pub async fn ask(
        &self,
        visitor: &visitor::Model,
        conversation_id: &str,
        email: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let db = &self.host.parts().db;
        let mut write = db.write().await?;
        let found = message::lock(&write, conversation_id).await?;
        let mut conversation = found.ok_or(Error::NoConversation)?;
        let (_, carrier) = self
            .carrier(&conversation.channel_id)
            .filter(|(rules, _)| rules.transcript)
            .ok_or(Error::NoChannel)?;
        let address = match email.map(str::trim).filter(|email| !email.is_empty()) {
            Some(email) => self.usable(write.tx(), email).await?,
            None => self
                .known_address(write.tx(), visitor, &conversation)
                .await?
                .ok_or_else(|| Error::Address("say where to send it".to_owned()))?,
        };
        if store::is_dead(write.tx(), &address).await? {
            return Err(Error::Address("nothing reaches this address".to_owned()));
        }
        let session = store::session(write.tx(), &conversation.session_id).await?;
        let session = session.ok_or(Error::NoConversation)?;
        if session.first_reply_at.is_none() {
            return Err(Error::NotAnswered);
        }
        if session.closed_at.is_none() {
            return Err(Error::NotEnded);
        }
        if let Some(known) = store::asked(write.tx(), &session.id, &conversation.id).await? {
            return if known.address == address {
                Ok(())
            } else {
                Err(Error::Asked)
            };
        }
        let day = now - TimeDelta::days(1);
        let kind = Kind::Transcript;
        if store::sent_since(write.tx(), &address, kind, Some(VISITOR), day).await? >= TRANSCRIPTS_DAILY {
            return Err(Error::Spent);
        }
        let messages = store::of_session(write.tx(), &session.id, &conversation.id).await?;
        let parcel = Parcel {
            kind,
            carrier: &carrier,
            address: &address,
            asked_by: Some(VISITOR),
            line: format!("The visitor asked for the transcript: it is sent to {address} by e-mail"),
            replies: Vec::new(),
        };
        self.put(&mut write, &mut conversation, parcel, messages, now)
            .await?;
        write.commit().await?;
        Ok(())
    }

    /// An operator sends the present session of a chat, or the last one, to its visitor; answers the line that says so.
    pub async fn send(
        &self,
        conversation_id: &str,
        by: &operator::Model,
        email: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<row::Model, Error> {
        let db = &self.host.parts().db;
        let mut write = db.write().await?;
        let found = message::lock(&write, conversation_id).await?;
        let mut conversation = found.ok_or(Error::NoConversation)?;
        let (_, carrier) = self.carrier(&conversation.channel_id).ok_or(Error::NoChannel)?;
        let visitor = visitors::latest_of_conversation(write.tx(), &conversation).await?;
        let address = match (email.map(str::trim).filter(|email| !email.is_empty()), &visitor) {
            (Some(email), _) => self.usable(write.tx(), email).await?,
            (None, Some(visitor)) => self
                .known_address(write.tx(), visitor, &conversation)
                .await?
                .ok_or_else(|| {
                    Error::Address("the visitor gave no address: say where to send it".to_owned())
                })?,
            (None, None) => return Err(Error::Address("say where to send it".to_owned())),
        };
        let day = now - TimeDelta::days(1);
        if store::sent_since(write.tx(), &address, Kind::Transcript, None, day).await? >= super::DAILY {
            return Err(Error::Spent);
        }
        let messages = store::of_session(write.tx(), &conversation.session_id, &conversation.id).await?;
        let parcel = Parcel {
            kind: Kind::Transcript,
            carrier: &carrier,
            address: &address,
            asked_by: Some(&by.id),
            line: format!("{} sends the transcript to {address} by e-mail", by.name),
            replies: Vec::new(),
        };
        let stored = self
            .put(&mut write, &mut conversation, parcel, messages, now)
            .await?;
        write.commit().await?;
        Ok(stored)
    }
}
