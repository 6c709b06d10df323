//! Visitors of a web site: a browser that opened the chat.
//!
//! A visitor is known by a secret token, kept as its hash, and writes as one identity: its own
//! (`webchat`), or the one its site's server signed (`external`). The conversation is the one of that
//! identity on that channel: an e-mail that somebody merely typed joins the contact on the operators'
//! side and never opens somebody's history here. Who wrote nothing has no conversation and no contact.

pub mod block;
pub mod files;
pub mod hub;
pub mod mail;
pub mod profile;
pub mod standing;
pub mod store;
pub mod view;
pub mod work;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ActiveModelTrait, DbErr, IntoActiveModel};
use serde_json::Value;
use switchboard_sdk::{
    Batch, IdentityKind, InboundAttachment, InboundBody, Outcome, PostedMessage, Rejection, SessionRequest,
    Thread, VisitorDesk,
};

use self::profile::Profile;
use crate::{
    conversation::{
        message::{self, Author, MessageKind, NewMessage},
        session,
    },
    db::{
        Db,
        entity::{conversation, visitor},
    },
    id::{self, Kind},
    ingest::{self, Ingest},
    secret::hash_token,
};

/// A session opened again sooner than this, with nothing new, is not written down.
const SEEN_AGAIN: TimeDelta = TimeDelta::minutes(5);
/// A rating may be changed for so long.
const RATING_STANDS: TimeDelta = TimeDelta::minutes(15);
/// Why a session was closed that its visitor ended.
const ENDED: &str = "visitor";
/// Longest comment of a rating, in characters.
pub const MAX_COMMENT_CHARS: usize = 2000;

/// Why a visitor is not served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The channel's rules say no.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// There is no conversation yet.
    #[error("there is no conversation yet")]
    NoConversation,
    /// The session was rated a while ago.
    #[error("this conversation was rated already")]
    Rated,
    /// It could not be stored.
    #[error(transparent)]
    Ingest(#[from] ingest::Error),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbErr),
}

/// An open session.
#[derive(Debug)]
pub struct Opened {
    /// The visitor's token: new, or the one that was shown.
    pub token: String,
    /// Who it is.
    pub visitor: visitor::Model,
}

/// Opens a session: the visitor of the token that is shown, or a new one.
///
/// A signed identity makes the visitor that user: an anonymous conversation of before goes along, unless
/// the user has one already. A token of another user is not continued: somebody else sits there now.
///
/// `known` is the visitor of the token that was shown, `origin` where the request comes from.
pub async fn open(
    db: &Db,
    desk: &dyn VisitorDesk,
    channel_id: &str,
    request: &SessionRequest,
    origin: Option<String>,
    known: Option<(String, visitor::Model)>,
    now: DateTime<Utc>,
) -> Result<Opened, Error> {
    let opening = desk.open(request, now)?;
    let somebody_else = |visitor: &visitor::Model| {
        opening.verified.as_ref().is_some_and(|proven| {
            visitor.identity_kind != IdentityKind::Webchat.as_str()
                && !is_identity(visitor, proven.kind, &proven.value)
        })
    };
    let (token, before) = match known.filter(|(_, visitor)| !somebody_else(visitor)) {
        Some((token, visitor)) => (token, Some(visitor)),
        None => (id::token(), None),
    };
    let mut visitor = before.clone().unwrap_or_else(|| {
        let id = id::new(Kind::Visitor, now);
        visitor::Model {
            channel_id: channel_id.to_owned(),
            token_hash: hash_token(&token),
            identity_kind: IdentityKind::Webchat.as_str().to_owned(),
            identity_value: id.clone(),
            person: Value::Null,
            attribution: Value::Null,
            page: Value::Null,
            created_at: now,
            last_seen_at: now,
            origin: origin.clone(),
            id,
        }
    });
    let mut profile = Profile::of(&visitor);
    profile.learn(&opening);
    profile.write(&mut visitor);
    if !request.page.is_empty() {
        visitor.page = Value::Object(request.page.clone());
    }
    if origin.is_some() {
        visitor.origin = origin;
    }
    let old_key = store::thread_key(&visitor);
    if let Some(proven) = &opening.verified {
        visitor.identity_kind = proven.kind.as_str().to_owned();
        visitor.identity_value.clone_from(&proven.value);
    }
    let moved = old_key != store::thread_key(&visitor);
    match before {
        Some(before) if before == visitor && now - before.last_seen_at < SEEN_AGAIN => {}
        before => {
            visitor.last_seen_at = now;
            let mut write = db.write().await?;
            let row = visitor.clone().into_active_model();
            if before.is_some() {
                row.reset_all().update(write.tx()).await?;
            } else {
                row.insert(write.tx()).await?;
            }
            if moved {
                store::move_conversation(&mut write, &visitor, &old_key, now).await?;
            }
            write.commit().await?;
        }
    }
    Ok(Opened { token, visitor })
}

fn is_identity(visitor: &visitor::Model, kind: IdentityKind, value: &str) -> bool {
    visitor.identity_kind == kind.as_str() && visitor.identity_value == value
}

/// What a visitor posts.
#[derive(Debug, Clone, Default)]
pub struct Posted {
    /// The widget's own key of the message.
    pub client_id: String,
    /// The text.
    pub text: String,
    /// Files uploaded before.
    pub attachment_ids: Vec<String>,
}

/// A stored message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// `msg_…`
    pub id: String,
    /// Its number.
    pub seq: i64,
    /// Its conversation.
    pub conversation_id: String,
    /// Stored now, rather than known from before.
    pub is_new: bool,
}

/// Stores a message of a visitor; resolves after the commit.
pub async fn post(
    db: &Db,
    ingest: &Ingest,
    desk: &dyn VisitorDesk,
    visitor: &visitor::Model,
    posted: Posted,
    now: DateTime<Utc>,
) -> Result<Accepted, Error> {
    let mut attachments = Vec::with_capacity(posted.attachment_ids.len());
    for id in &posted.attachment_ids {
        let row = store::attachable(db.read(), visitor, id, &posted.client_id)
            .await?
            .ok_or_else(|| {
                let message =
                    format!("{id} is not a file that was uploaded in this chat, or it was sent already");
                Rejection::Invalid(vec![("attachments".to_owned(), message)])
            })?;
        attachments.push(InboundAttachment {
            name: row.name,
            content_type: row.content_type,
            stored_id: Some(row.id),
            ..InboundAttachment::default()
        });
    }
    let profile = Profile::of(visitor);
    if desk.asks_consent() && !profile.consented() {
        let missing = (
            "consent".to_owned(),
            "the visitor has not agreed yet; open a session with it".to_owned(),
        );
        return Err(Rejection::Invalid(vec![missing]).into());
    }
    let message = PostedMessage {
        client_id: posted.client_id.clone(),
        text: posted.text,
        attachments,
        attribution: profile.attribution(),
    };
    let mut event = desk.message(profile.person(visitor), message, now)?;
    // The visitor's own key, whoever it proved to be meanwhile: a repeat after signing in is a repeat.
    event.external_id = format!("{}:{}", visitor.id, posted.client_id);
    if let InboundBody::Message(message) = &mut event.body {
        message.thread = Thread::Sender;
    }
    let external_id = event.external_id.clone();
    let receipt = ingest.deliver(&visitor.channel_id, Batch::one(event)).await?;
    let outcome = receipt.outcomes.into_iter().next();
    let is_new = outcome.as_ref().is_some_and(|outcome| !outcome.is_duplicate());
    if let Some(
        Outcome::Stored {
            message_id,
            seq,
            conversation_id,
            ..
        }
        | Outcome::Duplicate {
            message_id,
            seq,
            conversation_id,
            ..
        },
    ) = outcome
        && let (Some(id), Some(seq), Some(conversation_id)) = (message_id, seq, conversation_id)
    {
        return Ok(Accepted {
            id,
            seq,
            conversation_id,
            is_new,
        });
    }
    // Known, but from the same batch: its number is in the row.
    let row = store::message_of_event(db.read(), &visitor.channel_id, &external_id).await?;
    let row = row.ok_or_else(|| DbErr::RecordNotFound("the message of a visitor's post".to_owned()))?;
    Ok(Accepted {
        id: row.id,
        seq: row.seq,
        conversation_id: row.conversation_id,
        is_new,
    })
}

/// The visitor ends the talk; one that is over stays so.
pub async fn end(db: &Db, conversation: &conversation::Model, now: DateTime<Utc>) -> Result<(), Error> {
    let mut write = db.write().await?;
    let mut held = match session::hold(&write, &conversation.id).await {
        Ok(held) => held,
        Err(session::Error::Db(error)) => return Err(error.into()),
        Err(_) => return Err(Error::NoConversation),
    };
    match session::end(&mut write, &mut held, Some(ENDED.to_owned()), now).await {
        Ok(()) => {}
        Err(session::Error::Db(error)) => return Err(error.into()),
        // It is over.
        Err(_) => return Ok(()),
    }
    held.say(&mut write, "The visitor ended the chat".to_owned(), true, now)
        .await?;
    write.commit().await?;
    Ok(())
}

/// Rates the last session, 1 (bad) to 5 (good), and may change that for a while. Score and comment become a
/// line that only the staff reads; the same again changes nothing.
pub async fn rate(
    db: &Db,
    conversation: &conversation::Model,
    score: i64,
    comment: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    if !(1..=5).contains(&score) {
        let problem = ("score".to_owned(), "must be 1 to 5".to_owned());
        return Err(Rejection::Invalid(vec![problem]).into());
    }
    let comment = comment.map(str::trim).filter(|comment| !comment.is_empty());
    if comment.is_some_and(|comment| comment.chars().count() > MAX_COMMENT_CHARS) {
        let problem = (
            "comment".to_owned(),
            format!("may have at most {MAX_COMMENT_CHARS} characters"),
        );
        return Err(Rejection::Invalid(vec![problem]).into());
    }
    let comment = comment.map(|comment| comment.replace('\0', ""));
    let mut write = db.write().await?;
    let mut locked = message::lock(&write, &conversation.id)
        .await?
        .ok_or(Error::NoConversation)?;
    if !store::keep_rating(&write, &locked.session_id, score, comment.as_deref(), now).await? {
        return Ok(());
    }
    let text = match comment {
        Some(comment) => format!("The visitor rated this conversation {score} of 5: {comment}"),
        None => format!("The visitor rated this conversation {score} of 5"),
    };
    let line = NewMessage {
        kind: MessageKind::System,
        author: Author::System,
        hidden: true,
        ..NewMessage::system(text)
    };
    message::append(&mut write, &mut locked, line, now).await?;
    write.commit().await?;
    Ok(())
}
