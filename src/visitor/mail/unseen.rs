//! Replies that a visitor has not seen go out by mail when they stay away.
//!
//! A follower of the log notes chats with a new reply (`chat_absence`); each process marks those whose visitor it
//! sees on the site, and the one that finds a visitor away for long enough mails them what they have not seen.
//! That this happens once is held by the conversation's lock and by the replies that were mailed, whatever races.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::DbErr;
use switchboard_sdk::CancellationToken;

use super::{
    ChatMail, Kind, Parcel,
    due::{Unseen, due_at},
    has_room, store,
};
use crate::{
    clock::SharedClock,
    connector::Host,
    conversation::message,
    db::{Db, WriteTx, entity::chat_absence},
    event::{Event, EventType, consumer::Consumer},
    visitor::store as visitors,
};

/// How often it is looked who is away.
const TICK: Duration = Duration::from_secs(15);
/// That a visitor is there is written down no more often than this.
const NOTED: TimeDelta = TimeDelta::seconds(30);
/// How long before their visitor was last there the replies of one mail may have been written.
const WINDOW: TimeDelta = TimeDelta::days(2);
/// What was written longer ago is not mailed any more: the log may be read anew, for the first time even.
const LATE: TimeDelta = TimeDelta::hours(6);

/// Follows the log for replies to visitors.
#[derive(Debug)]
pub struct Watch {
    host: Host,
}

impl Watch {
    /// Of the chats of this host.
    pub fn new(host: Host) -> Self {
        Self { host }
    }

    fn goes_on(&self, channel_id: &str) -> bool {
        let served = self.host.served(channel_id);
        let connector = served.as_ref().and_then(|served| served.connector.as_ref().ok());
        connector
            .and_then(|it| it.visitor_desk())
            .is_some_and(|desk| desk.by_mail().after.is_some())
    }
}

#[async_trait]
impl Consumer for Watch {
    /// Conversations, and when the first reply was written.
    type Work = Vec<(String, DateTime<Utc>)>;

    fn name(&self) -> &'static str {
        "visitor.unseen"
    }

    fn wants(&self, event: &Event) -> bool {
        event.kind == Some(EventType::MessageCreated)
    }

    async fn look(&self, db: &Db, events: &[Event]) -> Result<Option<Self::Work>, DbErr> {
        let ids: Vec<&String> = events.iter().map(|event| &event.object_id).collect();
        if ids.is_empty() {
            return Ok(None);
        }
        let since = self.host.parts().clock.now() - LATE;
        let mut found: Self::Work = Vec::new();
        for (conversation_id, channel_id, at) in store::replies(db.read(), &ids).await? {
            let known = found.iter().any(|(id, _)| *id == conversation_id);
            if !known && at > since && self.goes_on(&channel_id) {
                found.push((conversation_id, at));
            }
        }
        Ok((!found.is_empty()).then_some(found))
    }

    async fn handle(&self, write: &mut WriteTx, work: Self::Work) -> Result<(), DbErr> {
        for (conversation_id, at) in work {
            store::begin(write, conversation_id, at).await?;
        }
        Ok(())
    }
}

impl ChatMail {
    /// Looks who is away until `stop`.
    pub async fn run(&self, clock: SharedClock, stop: CancellationToken) {
        loop {
            if let Err(error) = self.look(clock.now()).await {
                tracing::error!(%error, "chats whose visitors are away cannot be read; it will be tried again");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    /// Mails what is due at `now`; answers how many mails. What fails for one chat does not hold up the others.
    pub async fn look(&self, now: DateTime<Utc>) -> Result<usize, DbErr> {
        let mut mailed = 0;
        for absence in store::absences(self.host.parts().db.read()).await? {
            match self.consider(&absence, now).await {
                Ok(done) => mailed += usize::from(done),
                Err(error) => {
                    let id = &absence.conversation_id;
                    tracing::warn!(conversation.id = id, %error, "what a visitor has not seen cannot be mailed; it will be tried again");
                }
            }
        }
        Ok(mailed)
    }

    async fn consider(&self, absence: &chat_absence::Model, now: DateTime<Utc>) -> Result<bool, DbErr> {
        let db = &self.host.parts().db;
        let id = &absence.conversation_id;
        if self.hub.whereabouts(id).online {
            if now - absence.here_at >= NOTED {
                let write = db.write().await?;
                match visitors::conversation_by_id(write.tx(), id).await? {
                    Some(row)
                        if !store::unseen(write.tx(), &row, absence.here_at - WINDOW)
                            .await?
                            .is_empty() =>
                    {
                        store::here(&write, id, now).await?;
                    }
                    _ => store::end(&write, id).await?,
                }
                write.commit().await?;
            }
            return Ok(false);
        }
        let Some(row) = visitors::conversation_by_id(db.read(), id).await? else {
            return Ok(false);
        };
        let carrier = self.carrier(&row.channel_id);
        let after = carrier.as_ref().and_then(|(rules, _)| rules.after);
        let after = after.and_then(|after| TimeDelta::from_std(after).ok());
        if after.is_some_and(|after| now < absence.here_at + after) {
            return Ok(false);
        }
        let mut write = db.write().await?;
        let Some(mut conversation) = message::lock(&write, id).await? else {
            return Ok(false);
        };
        // Another process may have seen them, or have mailed them.
        let Some(absence) = store::absence(write.tx(), id).await? else {
            return Ok(false);
        };
        let unseen = store::unseen(write.tx(), &conversation, absence.here_at - WINDOW).await?;
        let visitor = visitors::latest_of_conversation(write.tx(), &conversation).await?;
        let address = match &visitor {
            Some(visitor) => self.known_address(write.tx(), visitor, &conversation).await?,
            None => None,
        };
        let (Some(first), Some(last), Some(after), Some((_, carrier)), Some(address)) =
            (unseen.first(), unseen.last(), after, carrier, address)
        else {
            store::end(&write, id).await?;
            write.commit().await?;
            return Ok(false);
        };
        let waits = Unseen {
            first_at: first.created_at,
            last_at: last.created_at,
            here_at: absence.here_at,
        };
        if now < due_at(&waits, after) || !has_room(write.tx(), &address, now).await? {
            return Ok(false);
        }
        let line = match unseen.len() {
            1 => format!("The visitor left before they saw the reply: it is sent to {address} by e-mail"),
            count => format!(
                "The visitor left before they saw {count} replies: they are sent to {address} by e-mail"
            ),
        };
        let parcel = Parcel {
            kind: Kind::Replies,
            carrier: &carrier,
            address: &address,
            asked_by: None,
            line,
            replies: unseen.iter().map(|row| row.id.clone()).collect(),
        };
        self.put(&mut write, &mut conversation, parcel, unseen, now)
            .await?;
        store::end(&write, id).await?;
        write.commit().await?;
        Ok(true)
    }
}
