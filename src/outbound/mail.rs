//! What an operator writes where a message is more than its words: address fields, rich text, a signature,
//! an earlier message that is passed on.

use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use switchboard_sdk::{Capabilities, Recipient, RecipientRole};
use utoipa::ToSchema;

use super::{
    address::{self, Typed},
    reply::{Draft, Error},
    rich::{self, Original, Text},
    writing::{self, Words},
};
use crate::{
    conversation::{
        message::{MAX_TEXT_CHARS, MessageKind, recipients},
        view::{Views, message_limit},
    },
    db::{
        WriteTx,
        entity::{attachment, channel, conversation, message, operator},
    },
    id::{self, Kind},
};

/// What an answer is to what came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MessageMode)]
pub enum Mode {
    /// To whoever wrote last.
    Reply,
    /// To all who got the last message.
    ReplyAll,
    /// To somebody else.
    Forward,
}

impl Mode {
    /// The word in the API and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reply => "reply",
            Self::ReplyAll => "reply_all",
            Self::Forward => "forward",
        }
    }
}

/// The part of a draft that only some channels carry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mail {
    /// What it is; a reply to the customer when nothing is said.
    pub mode: Option<Mode>,
    /// Whom it is for; by the mode when empty.
    pub to: Vec<Typed>,
    /// Who is to know of it; by the mode when `to` is empty as well.
    pub cc: Vec<Typed>,
    /// Who gets it without the others knowing.
    pub bcc: Vec<Typed>,
    /// The text as rich text.
    pub html: Option<String>,
    /// The message that is passed on under it, with its files.
    pub forward_of: Option<String>,
    /// Leaves the signature away.
    pub unsigned: bool,
}

impl Mail {
    fn is_addressed(&self) -> bool {
        let lists = [&self.to, &self.cc, &self.bcc];
        lists.iter().any(|list| !list.is_empty()) || self.mode.is_some() || self.forward_of.is_some()
    }
}

/// A draft as it is stored and sent.
#[derive(Debug)]
pub(super) struct Written {
    pub text: Text,
    pub recipients: Vec<Recipient>,
    pub mode: Option<Mode>,
    /// Copies of the files that are passed on.
    pub copies: Vec<attachment::Model>,
}

/// What everything of this needs.
pub(super) struct Place<'a> {
    pub write: &'a WriteTx,
    pub views: &'a Views,
    pub conversation: &'a conversation::Model,
    pub author: &'a operator::Model,
}

/// Makes of a draft what goes out. `inside` stays as it was written: nobody outside gets it.
pub(super) async fn written(place: &Place<'_>, draft: &Draft, inside: bool) -> Result<Written, Error> {
    let can = place.views.capabilities(&place.conversation.channel_kind);
    let mail = &draft.mail;
    let mut text = Text {
        plain: draft.text.trim_end().to_owned(),
        html: rich_text(mail, can)?,
    };
    let addressed = can.is_some_and(|can| can.recipients) && draft.kind == MessageKind::Reply;
    if !addressed && mail.is_addressed() {
        return Err(Error::invalid("mode", "this message has no address fields"));
    }
    if !addressed || inside {
        return Ok(Written {
            text,
            recipients: Vec::new(),
            mode: None,
            copies: Vec::new(),
        });
    }
    let db = place.write.tx();
    let words = Words::load(db, place.conversation, place.author).await?;
    let recipients = addresses(place, mail, &words).await?;
    if !mail.unsigned
        && let Some(signature) = writing::signature(db, place.conversation, place.author, &words).await?
    {
        text.sign(&signature);
    }
    let copies = match &mail.forward_of {
        Some(original) => pass_on(place, original, &mut text).await?,
        None => Vec::new(),
    };
    Ok(Written {
        text,
        recipients,
        mode: Some(mail.mode.unwrap_or(Mode::Reply)),
        copies,
    })
}

fn rich_text(mail: &Mail, can: Option<Capabilities>) -> Result<Option<String>, Error> {
    let Some(html) = mail.html.as_deref().filter(|html| !html.trim().is_empty()) else {
        return Ok(None);
    };
    if !can.is_some_and(|can| can.rich_text) {
        return Err(Error::invalid("html", "this channel carries plain text alone"));
    }
    if html.len() > rich::MAX_HTML {
        return Err(Error::invalid(
            "html",
            format!("at most {} KB", rich::MAX_HTML / 1024),
        ));
    }
    let clean = rich::sanitise(html);
    Ok(Some(clean).filter(|clean| !clean.trim().is_empty()))
}

async fn addresses(place: &Place<'_>, mail: &Mail, words: &Words) -> Result<Vec<Recipient>, Error> {
    let db = place.write.tx();
    let own = writing::own_addresses(db, place.views).await?;
    let fields = [
        (RecipientRole::To, "to", mail.to.as_slice()),
        (RecipientRole::Cc, "cc", mail.cc.as_slice()),
        (RecipientRole::Bcc, "bcc", mail.bcc.as_slice()),
    ];
    let given = address::checked(fields, &own).map_err(|(field, message)| Error::invalid(field, message))?;
    if given.iter().any(|one| one.role == RecipientRole::To) {
        return Ok(given);
    }
    let customer = writing::customer(place.conversation, words);
    let mut found = match mail.mode {
        Some(Mode::Forward) => return Err(Error::invalid("to", "say whom it is passed on to")),
        Some(mode) => {
            let last = writing::last_recipients(db, &place.conversation.id).await?;
            // Whoever typed a CC meant that one, and no other.
            let all = mode == Mode::ReplyAll && mail.cc.is_empty();
            address::answering(&last, &customer, &own, all)
        }
        None => vec![customer],
    };
    if let Some(first) = found.first()
        && (address::is_machine(&first.address) || address::is_own(&first.address, &own))
    {
        let message = format!(
            "nobody reads what is sent to {}: give another address, or write a note",
            first.address
        );
        return Err(Error::invalid("to", message));
    }
    found.extend(given);
    Ok(found)
}

/// Puts the original under the text and copies the rows of its files: their bytes are stored once.
async fn pass_on(
    place: &Place<'_>,
    original_id: &str,
    text: &mut Text,
) -> Result<Vec<attachment::Model>, Error> {
    let db = place.write.tx();
    let found = message::Entity::find_by_id(original_id)
        .filter(message::Column::ConversationId.eq(&place.conversation.id))
        .filter(message::Column::Kind.is_in(["inbound", "reply"]))
        .filter(message::Column::Hidden.eq(false))
        .one(db)
        .await?;
    let original = found.ok_or_else(|| Error::invalid("forward_of", "there is no such message here"))?;
    let room = MAX_TEXT_CHARS.saturating_sub(text.plain.chars().count() + 2_000);
    let body: String = original.body.chars().take(room).collect();
    text.quote(&Original {
        recipients: &recipients(original.recipients.as_ref()),
        author: original.author_name.as_deref().unwrap_or_default(),
        at: original.created_at,
        subject: place.conversation.subject.as_deref(),
        text: &body,
        html: original.html.as_deref(),
    });
    let rows = attachment::Entity::find()
        .filter(attachment::Column::MessageId.eq(original_id))
        .filter(attachment::Column::Replaced.eq(false))
        .order_by_asc(attachment::Column::Position)
        .all(db)
        .await?;
    Ok(rows)
}

/// Stores the copies; their message is told by whoever appends it.
pub(super) async fn keep_copies(
    place: &Place<'_>,
    copies: Vec<attachment::Model>,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Vec<String>, Error> {
    let mut ids = Vec::with_capacity(copies.len());
    for copy in copies {
        let row = attachment::Model {
            id: id::new(Kind::Attachment, now),
            message_id: None,
            owner: format!("operator:{}", place.author.id),
            created_at: now,
            ..copy
        };
        ids.push(row.id.clone());
        attachment::Entity::insert(row.into_active_model())
            .exec_without_returning(place.write.tx())
            .await?;
    }
    Ok(ids)
}

/// Says before it is sent what the provider would not take.
pub(super) async fn check_size(
    place: &Place<'_>,
    text: &Text,
    files: impl Iterator<Item = i64>,
) -> Result<(), Error> {
    let Some(can) = place.views.capabilities(&place.conversation.channel_kind) else {
        return Ok(());
    };
    let channel = channel::Entity::find_by_id(&place.conversation.channel_id)
        .one(place.write.tx())
        .await?;
    let Some(limit) = channel.and_then(|channel| message_limit(&can, &channel)) else {
        return Ok(());
    };
    let files: u64 = files.map(|size| u64::try_from(size).unwrap_or(0)).sum();
    let words = text.plain.len() + text.html.as_ref().map_or(0, String::len);
    let size = rich::on_the_way(files + words as u64);
    if size <= limit {
        return Ok(());
    }
    let megabytes = |bytes: u64| format!("{}.{}", bytes / 1_048_576, bytes % 1_048_576 * 10 / 1_048_576);
    Err(Error::invalid(
        "attachments",
        format!(
            "{} MB on the way, and this channel carries {} MB: files grow by a third when they are mailed",
            megabytes(size),
            megabytes(limit)
        ),
    ))
}
