//! What a line says when a client writes: the welcome, and that it is closed.
//!
//! It follows the log, so that the client hears it about a tenth of a second after the message was
//! stored, whichever node took it in, and what a crash interrupts is looked at again. That a text is said
//! once is not the cursor's promise but the notice's, which is written in the transaction of the message
//! (see `store::once`): events may come twice and to several nodes at once. Each session has a short
//! transaction of its own, so that a surge of clients at night does not keep ingest waiting.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter};

use super::{
    closed,
    store::{self, Notice},
    voice::{Form, Voice},
};
use crate::{
    clock::SharedClock,
    conversation::session::{Error, hold},
    db::{
        Db, WriteTx, bulk,
        entity::{conversation, message, session},
        fixed::is,
    },
    event::{Event, EventType, consumer::Consumer},
    line::{language::Said, rules::OffHoursAction},
    routing::timers::{self, Timed},
};

/// Who was greeted less than this ago is not greeted again.
const GREETED: TimeDelta = TimeDelta::hours(1);
/// What began longer ago is not greeted any more: events come again after a restart.
const LATE: TimeDelta = TimeDelta::minutes(10);
/// A session that ended longer ago is not rated any more.
const ENDED: TimeDelta = TimeDelta::hours(1);

/// Follows the log for what clients write and for sessions that end.
pub struct Greeter {
    voice: Voice,
    clock: SharedClock,
}

impl Greeter {
    /// With this voice.
    pub fn new(voice: Voice, clock: SharedClock) -> Self {
        Self { voice, clock }
    }
}

#[async_trait]
impl Consumer for Greeter {
    /// All is done in `look`, see above.
    type Work = ();

    fn name(&self) -> &'static str {
        "automation.texts"
    }

    fn wants(&self, event: &Event) -> bool {
        matches!(
            event.kind,
            Some(EventType::MessageCreated | EventType::ConversationUpdated)
        )
    }

    async fn look(&self, db: &Db, events: &[Event]) -> Result<Option<()>, DbErr> {
        let now = self.clock.now();
        let ids = |kind: EventType| -> Vec<&String> {
            let events = events.iter().filter(|event| event.kind == Some(kind));
            events.map(|event| &event.object_id).collect()
        };
        let lines = timers::lines(db).await?;
        written(db, &self.voice, &lines, &ids(EventType::MessageCreated), now).await?;
        ended(db, &self.voice, &lines, &ids(EventType::ConversationUpdated), now).await?;
        Ok(None)
    }

    async fn handle(&self, _: &mut WriteTx, (): ()) -> Result<(), DbErr> {
        Ok(())
    }
}

/// Says what these messages ask for. Answers how many texts were said.
pub async fn written(
    db: &Db,
    voice: &Voice,
    lines: &[Timed],
    message_ids: &[&String],
    now: DateTime<Utc>,
) -> Result<usize, DbErr> {
    let speaks =
        |line: &Timed| line.rules.says(Said::Welcome) || line.rules.off_hours.action != OffHoursAction::None;
    let speaking: Vec<&String> = lines
        .iter()
        .filter(|line| speaks(line))
        .map(|line| &line.id)
        .collect();
    if speaking.is_empty() || message_ids.is_empty() {
        return Ok(0);
    }
    let messages = message::Entity::find()
        .filter(message::Column::Id.is_in(bulk::padded(message_ids.iter().copied())))
        .filter(is(message::Column::Kind, "inbound"))
        .all(db.read())
        .await?;
    let session_ids: Vec<&String> = messages
        .iter()
        .filter_map(|row| row.session_id.as_ref())
        .collect();
    if session_ids.is_empty() {
        return Ok(0);
    }
    let sessions = session::Entity::find()
        .filter(session::Column::Id.is_in(bulk::padded(session_ids)))
        .filter(session::Column::LineId.is_in(speaking))
        .filter(session::Column::ClosedAt.is_null())
        .all(db.read())
        .await?;
    let mut said = 0;
    for seen in sessions {
        // Only what a client wrote begins a session at the moment of a message of theirs.
        let begins = messages
            .iter()
            .any(|row| row.session_id.as_ref() == Some(&seen.id) && row.created_at <= seen.opened_at);
        let line = lines.iter().find(|line| line.id == seen.line_id);
        if let Some(line) = line.filter(|_| begins) {
            said += usize::from(settled(welcome(db, voice, line, &seen, now).await)?);
        }
        said += usize::from(settled(closed::tell(db, voice, lines, &seen.id, now).await)?);
    }
    Ok(said)
}

/// What was closed, taken or moved in this very moment leaves nothing to be said.
fn settled(result: Result<bool, Error>) -> Result<bool, DbErr> {
    match result {
        Ok(done) => Ok(done),
        Err(Error::Db(error)) => Err(error),
        Err(_) => Ok(false),
    }
}

/// Greets the client of a session that they began, on a chat, unless somebody answered already or they
/// were greeted a little while ago. A machine's message begins no session.
async fn welcome(
    db: &Db,
    voice: &Voice,
    line: &Timed,
    seen: &session::Model,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let late = now - seen.opened_at > LATE;
    if late || !line.rules.says(Said::Welcome) || !voice.is_chat(&seen.channel_kind) {
        return Ok(false);
    }
    let mut write = db.write().await?;
    let mut held = hold(&write, &seen.conversation_id).await?;
    let session = &held.session;
    let open = session.id == seen.id && session.closed_at.is_none() && session.first_reply_at.is_none();
    if !open
        || store::told_since(write.tx(), &seen.conversation_id, Notice::Welcome, now - GREETED).await?
        || !store::once(&write, &seen.id, Notice::Welcome, "", now).await?
    {
        return Ok(false);
    }
    let said = voice
        .say(&mut write, &mut held, line, Said::Welcome, Form::Plain, now)
        .await?;
    write.commit().await?;
    Ok(said)
}

/// Asks clients of sessions that ended for a rating, where it is asked by a message. A web chat asks in its
/// own panel; spam is not asked, nor who was never answered.
async fn ended(
    db: &Db,
    voice: &Voice,
    lines: &[Timed],
    conversation_ids: &[&String],
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let asking: Vec<&String> = lines
        .iter()
        .filter(|line| line.rules.rating.enabled && line.rules.says(Said::Rating))
        .map(|line| &line.id)
        .collect();
    if asking.is_empty() || conversation_ids.is_empty() {
        return Ok(());
    }
    let sessions: Vec<String> = conversation::Entity::find()
        .filter(conversation::Column::Id.is_in(bulk::padded(conversation_ids.iter().copied())))
        .all(db.read())
        .await?
        .into_iter()
        .filter(|row| voice.rates_by_message(&row.channel_kind))
        .map(|row| row.session_id)
        .collect();
    if sessions.is_empty() {
        return Ok(());
    }
    let ended = session::Entity::find()
        .filter(session::Column::Id.is_in(bulk::padded(sessions)))
        .filter(session::Column::LineId.is_in(asking))
        .filter(session::Column::ClosedAt.gte(now - ENDED))
        .filter(session::Column::FirstReplyAt.is_not_null())
        .all(db.read())
        .await?;
    for seen in ended {
        if seen.close_reason.as_deref() == Some("spam") {
            continue;
        }
        if let Some(line) = lines.iter().find(|line| line.id == seen.line_id) {
            settled(ask(db, voice, line, &seen, now).await)?;
        }
    }
    Ok(())
}

async fn ask(
    db: &Db,
    voice: &Voice,
    line: &Timed,
    seen: &session::Model,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let mut write = db.write().await?;
    let mut held = hold(&write, &seen.conversation_id).await?;
    if held.session != *seen || !store::once(&write, &seen.id, Notice::Rating, "", now).await? {
        return Ok(false);
    }
    let said = voice
        .say(&mut write, &mut held, line, Said::Rating, Form::Plain, now)
        .await?;
    write.commit().await?;
    Ok(said)
}
