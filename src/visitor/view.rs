//! Messages as visitors see them: no notes, nothing hidden, no internal fields.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::files;
use crate::{conversation::view::MessageView, secret::Vault};

/// A message of the visitor's conversation.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct VisitorMessage {
    /// `msg_…`
    pub id: String,
    /// Its number: grows, but may skip.
    pub seq: i64,
    /// `inbound`, `reply` or `system`.
    pub kind: String,
    /// Who wrote it.
    pub author: VisitorAuthor,
    /// Plain text.
    pub text: String,
    /// Sanitised rich text.
    pub html: Option<String>,
    /// Files.
    pub attachments: Vec<VisitorFile>,
    /// The widget's own key, on the visitor's messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Its words were changed since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<DateTime<Utc>>,
    /// It was taken back: nothing of it is told.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// They wrote it by e-mail. Its words are told only to visitors whom the site's own server vouched for: whoever
    /// merely typed an address here does not read what its owner writes.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub by_mail: bool,
    /// The message it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<VisitorReplied>,
    /// Whether the staff has read it, on the visitor's messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read: Option<bool>,
}

/// The message another answers, in short.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct VisitorReplied {
    /// `msg_…`
    pub id: String,
    /// Who wrote it.
    pub name: Option<String>,
    /// How it begins.
    pub text: String,
}

/// Who wrote, by kind and name alone.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct VisitorAuthor {
    /// `contact`, `operator` or `system`.
    pub r#type: String,
    /// The name shown.
    pub name: Option<String>,
}

/// A file with an address that opens in the visitor's browser.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct VisitorFile {
    /// `att_…`
    pub id: String,
    /// File name.
    pub name: String,
    /// Media type.
    pub content_type: String,
    /// Bytes.
    pub size: i64,
    /// Where it opens, relative to the server.
    pub url: String,
}

/// Whether a visitor may see a message at all.
pub fn is_visible(message: &MessageView) -> bool {
    !message.hidden && matches!(message.kind.as_str(), "inbound" | "reply" | "system")
}

/// How the staff is called before visitors: by their names, or all by one.
#[derive(Debug, Clone, Default)]
pub struct Mask(Option<Masked>);

#[derive(Debug, Clone)]
struct Masked {
    name: String,
    /// What it hides.
    names: Vec<String>,
}

impl Mask {
    /// One name for all of these, the longest first.
    pub fn new(name: String, names: Vec<String>) -> Self {
        Self(Some(Masked { name, names }))
    }

    /// The name shown for this one of an operator.
    pub fn name(&self, name: Option<String>) -> Option<String> {
        match &self.0 {
            Some(masked) => Some(masked.name.clone()),
            None => name,
        }
    }

    /// What the server says, without names that are not to be known.
    fn line(&self, text: &str) -> String {
        let mut text = text.to_owned();
        if let Some(masked) = &self.0 {
            for name in &masked.names {
                text = text.replace(name.as_str(), &masked.name);
            }
        }
        text
    }
}

/// Whether a message came by mail, and was not written on the site.
pub(super) fn is_mail(message: &MessageView) -> bool {
    message.kind == "inbound" && message.mail.is_some()
}

/// What is new in a mail: its visitor knows what it answers.
fn without_quotation(message: &MessageView) -> String {
    let ends = message.mail.as_ref().and_then(|mail| mail.quoted_text_at);
    let own: String = message.text.chars().take(ends.unwrap_or(usize::MAX)).collect();
    own.trim_end().to_owned()
}

/// The visitor's view of a message; `None` when they may not see it. `read_seq` is how far the staff has read,
/// `proven` whether the site's own server vouched for the visitor.
pub fn message(
    message: &MessageView,
    read_seq: i64,
    mask: &Mask,
    proven: bool,
    vault: &Vault,
    channel_key: &str,
    now: DateTime<Utc>,
) -> Option<VisitorMessage> {
    if !is_visible(message) {
        return None;
    }
    let inbound = message.kind == "inbound";
    let deleted = message.deleted.is_some();
    let by_mail = is_mail(message);
    let silent = deleted || (by_mail && !proven);
    let replied = message
        .reply_to
        .as_ref()
        .filter(|replied| !replied.inside && !replied.deleted && (proven || !replied.mail));
    let file = |file: &crate::conversation::view::AttachmentView| VisitorFile {
        url: files::url(vault, channel_key, &file.id, now),
        id: file.id.clone(),
        name: file.name.clone(),
        content_type: file.content_type.clone(),
        size: file.size,
    };
    Some(VisitorMessage {
        id: message.id.clone(),
        seq: message.seq,
        kind: message.kind.clone(),
        author: VisitorAuthor {
            r#type: message.author.kind.clone(),
            name: if message.author.kind == "operator" {
                mask.name(message.author.name.clone())
            } else {
                message.author.name.clone()
            },
        },
        text: match message.kind.as_str() {
            _ if silent => String::new(),
            "system" => mask.line(&message.text),
            _ if by_mail => without_quotation(message),
            _ => message.text.clone(),
        },
        html: message.html.clone().filter(|_| !silent && !by_mail),
        attachments: message.attachments.iter().filter(|_| !silent).map(file).collect(),
        edited_at: message.edited_at.filter(|_| !deleted),
        deleted,
        by_mail,
        reply_to: replied.filter(|_| !silent).map(|replied| VisitorReplied {
            id: replied.id.clone(),
            name: replied.author_name.as_deref().map(|name| mask.line(name)),
            text: replied.text.clone(),
        }),
        client_id: message.client_id.clone().filter(|_| inbound),
        created_at: message.created_at,
        read: inbound.then_some(message.seq <= read_seq),
    })
}
