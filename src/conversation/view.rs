//! Conversations and messages as the world sees them (API.md), loaded many at a time.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder};
use serde::Serialize;
use serde_json::Value;
use switchboard_sdk::{Button, Capabilities, Recipient, RecipientRole};
use utoipa::ToSchema;

use super::{
    call::CallEntry,
    change,
    extra::{Extra, MissingFile, Origin, Place},
    link::{self, LinkView},
    mail::MailView,
    message::preview,
};
use crate::db::{
    bulk,
    entity::{attachment, channel, contact, conversation, line, message, offer, participant, session},
};

/// A conversation with its current session.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Conversation)]
pub struct ConversationView {
    /// `cnv_…`
    pub id: String,
    /// The number people use.
    pub number: i64,
    /// Its line.
    pub line_id: String,
    /// The line's name.
    pub line_name: String,
    /// Its channel.
    pub channel_id: String,
    /// The channel's name.
    pub channel_name: String,
    /// The channel's kind.
    pub channel_kind: String,
    /// Whom it is with.
    pub contact: ContactRef,
    /// The contact was recognised by a claim only.
    pub contact_claimed: bool,
    /// The lead it belongs to.
    pub lead_id: Option<String>,
    /// The subject, on channels that have one.
    pub subject: Option<String>,
    /// Higher comes first.
    pub priority: i64,
    /// Labels.
    pub tags: Vec<String>,
    /// Inbound messages that no operator has read.
    pub unread: i64,
    /// For optimistic changes.
    pub version: i64,
    /// The current or last session.
    pub session: SessionView,
    /// Operators who joined somebody else's session.
    pub participants: Vec<ParticipantView>,
    /// The newest message.
    pub last_message: Option<LastMessage>,
    /// The highest message number.
    pub last_seq: i64,
    /// Up to which number operators have read.
    pub read_seq: i64,
    /// Up to which number the customer has read.
    pub client_read_seq: i64,
    /// Up to which number messages arrived at the customer.
    pub client_delivered_seq: i64,
    /// Whether operators may make it theirs while nobody has it; supervisors always may.
    pub may_pull: bool,
    /// Whether an answer can be sent on this channel.
    pub can_reply: bool,
    /// Longest answer in characters; none is unlimited.
    pub max_text_chars: Option<u32>,
    /// Whether messages have address fields: they can be answered to all and forwarded.
    pub recipients: bool,
    /// Whether answers may be rich text.
    pub rich_text: bool,
    /// Whether what was sent can be changed at the customer's side.
    pub can_edit: bool,
    /// Whether what was sent can be taken back from the customer's side.
    pub can_delete: bool,
    /// Whether an answer can name the message it answers.
    pub can_reply_to: bool,
    /// Whether buttons can stand under an answer, the one that asks for a phone number among them.
    pub can_have_buttons: bool,
    /// Largest message with all its files in bytes, as the provider counts it; none is unlimited.
    pub max_message_bytes: Option<u64>,
    /// Out of sight until then.
    pub snoozed_until: Option<DateTime<Utc>>,
    /// Nothing reaches the address answers go to: why, in words.
    pub address_problem: Option<String>,
    /// The conversation this one was merged into: it is empty, and in no list.
    pub merged_into: Option<String>,
    /// Conversations it hangs together with.
    pub links: Vec<LinkView>,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When anything about it last changed.
    pub updated_at: DateTime<Utc>,
    /// Nobody outside the staff sees this: kept for scoping.
    #[serde(skip)]
    pub owner: Option<String>,
}

impl ConversationView {
    /// Who takes part in it or is asked to take it.
    pub fn people(&self) -> impl Iterator<Item = &str> {
        let joined = self.participants.iter().map(|one| one.operator_id.as_str());
        joined.chain(self.session.offered_to.iter().map(String::as_str))
    }
}

/// A contact, in short.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ContactRef {
    /// `cnt_…`
    pub id: String,
    /// The name, or the address while no name is known.
    pub name: Option<String>,
}

/// One life of a conversation, from opened to closed.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionView {
    /// `ses_…`
    pub id: String,
    /// `waiting`, `offered`, `assigned` or `closed`.
    pub state: String,
    /// Who owns it.
    pub operator_id: Option<String>,
    /// Who is asked to take it.
    pub offered_to: Vec<String>,
    /// Until when.
    pub offer_expires_at: Option<DateTime<Utc>>,
    /// When it began.
    pub opened_at: DateTime<Utc>,
    /// Since when it waits for an operator.
    pub waiting_since: DateTime<Utc>,
    /// When the answer is due that is owed; null when none is owed or promised.
    pub due_at: Option<DateTime<Utc>>,
    /// When an operator first answered.
    pub first_reply_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub closed_at: Option<DateTime<Utc>>,
    /// Why it ended.
    pub close_reason: Option<String>,
    /// What the customer gave it, 1 to 5.
    pub rating: Option<i64>,
}

/// An operator who joined.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Participant)]
pub struct ParticipantView {
    /// `opr_…`
    pub operator_id: String,
    /// The customer sees neither them nor what they write.
    pub hidden: bool,
}

/// The newest message, in short.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LastMessage {
    /// `msg_…`
    pub id: String,
    /// Its beginning.
    pub text: String,
    /// `inbound`, `reply`, `note` or `system`.
    pub kind: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// A message.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Message)]
pub struct MessageView {
    /// `msg_…`
    pub id: String,
    /// Its conversation.
    pub conversation_id: String,
    /// Its number in the conversation.
    pub seq: i64,
    /// `inbound`, `reply`, `note` or `system`.
    pub kind: String,
    /// Who wrote it.
    pub author: AuthorView,
    /// Plain text.
    pub text: String,
    /// Sanitised rich text.
    pub html: Option<String>,
    /// Files.
    pub attachments: Vec<AttachmentView>,
    /// The provider's id.
    pub external_id: Option<String>,
    /// The writer's own idempotency key.
    pub client_id: Option<String>,
    /// What became of an answer; none for what is not sent.
    pub delivery: Option<DeliveryView>,
    /// What the mail says beside its text; none on what is no mail.
    pub mail: Option<MailView>,
    /// Who stands in its address fields, on channels that have any.
    pub recipients: Vec<RecipientView>,
    /// `reply`, `reply_all` or `forward`, where there was a choice.
    pub mode: Option<String>,
    /// Written by a machine (a vacation reply, a list): nobody has to answer it.
    pub automatic: bool,
    /// Written by somebody who was not part of the conversation before: look who it is.
    pub new_participant: bool,
    /// The message of this conversation that it answers.
    pub reply_to: Option<RepliedView>,
    /// Words of an earlier message it is about.
    pub quote: Option<String>,
    /// Where it was first, when it was passed on.
    pub origin: Option<Origin>,
    /// The place it shows.
    pub location: Option<Place>,
    /// Files that came and were not taken.
    pub missing_files: Vec<MissingFile>,
    /// Rows of buttons under it: each `{"label","url"}` or `{"label","data"}`.
    #[schema(value_type = Vec<Vec<Object>>)]
    pub buttons: Vec<Vec<Button>>,
    /// The telephone call it stands for; it changes as the call goes on.
    pub call: Option<Box<CallEntry>>,
    /// When its words were last changed; its versions are at `/messages/{id}/versions`.
    pub edited_at: Option<DateTime<Utc>>,
    /// When and by whom it was taken back; the words stay, for the staff.
    pub deleted: Option<DeletedView>,
    /// What people feel about it now.
    pub reactions: Vec<ReactionView>,
    /// A change of a sent answer that the customer does not have yet.
    pub change: Option<ChangeView>,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Written by a hidden participant: stays inside.
    #[serde(skip)]
    pub hidden: bool,
}

/// The message another answers, in short.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = RepliedMessage)]
pub struct RepliedView {
    /// `msg_…`
    pub id: String,
    /// Who wrote it.
    pub author_name: Option<String>,
    /// How it begins.
    pub text: String,
    /// Notes and what hidden participants wrote: stays inside.
    #[serde(skip)]
    pub inside: bool,
    /// It was taken back.
    #[serde(skip)]
    pub deleted: bool,
    /// It came by mail.
    #[serde(skip)]
    pub mail: bool,
}

/// That a message was taken back.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = MessageDeleted)]
pub struct DeletedView {
    /// When.
    pub at: DateTime<Utc>,
    /// `contact` or `operator`.
    pub by: String,
}

/// What somebody feels about a message.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Reaction)]
pub struct ReactionView {
    /// Who, when known.
    pub name: Option<String>,
    /// All their reactions.
    pub emoji: Vec<String>,
}

/// Where a change of a sent answer is.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = MessageChange)]
pub struct ChangeView {
    /// `queued`, `sending` or `failed`.
    pub state: String,
    /// Why it failed last.
    pub error: Option<String>,
}

/// Somebody in an address field.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Recipient)]
pub struct RecipientView {
    /// `from`, `reply_to`, `to`, `cc` or `bcc`.
    #[schema(value_type = String)]
    pub role: RecipientRole,
    /// The name beside the address.
    pub name: Option<String>,
    /// The address.
    pub address: String,
}

impl From<Recipient> for RecipientView {
    fn from(recipient: Recipient) -> Self {
        Self {
            role: recipient.role,
            name: recipient.name,
            address: recipient.address,
        }
    }
}

/// Who wrote.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Author)]
pub struct AuthorView {
    /// `contact`, `operator` or `system`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Their id.
    pub id: Option<String>,
    /// Their name at that time.
    pub name: Option<String>,
}

/// A file.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Attachment)]
pub struct AttachmentView {
    /// `att_…`
    pub id: String,
    /// File name.
    pub name: String,
    /// Media type.
    pub content_type: String,
    /// Bytes.
    pub size: i64,
    /// Where staff get it.
    pub url: String,
    /// `Content-ID`, when the message's HTML shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_id: Option<String>,
}

/// What became of an answer.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Delivery)]
pub struct DeliveryView {
    /// `queued`, `sending`, `sent`, `delayed`, `delivered`, `read`, `failed` or `uncertain`.
    pub state: String,
    /// How often it was tried.
    pub attempts: i64,
    /// Why it failed last, or is delayed.
    pub error: Option<String>,
}

impl From<attachment::Model> for AttachmentView {
    fn from(row: attachment::Model) -> Self {
        Self {
            url: format!("/api/v1/attachments/{}", row.id),
            id: row.id,
            name: row.name,
            content_type: row.content_type,
            size: row.size,
            content_id: row.content_id,
        }
    }
}

impl MessageView {
    /// A message with its files.
    pub fn new(row: message::Model, attachments: Vec<AttachmentView>) -> Self {
        let delivery = row.delivery_state.map(|state| DeliveryView {
            state,
            attempts: row.delivery_attempts,
            error: row.delivery_error,
        });
        let extra = Extra::read(row.extra.as_ref());
        let reactions = change::reactions(row.reactions.as_ref())
            .into_iter()
            .filter(|reacting| !reacting.emoji.is_empty())
            .map(|reacting| ReactionView {
                name: reacting.name,
                emoji: reacting.emoji,
            });
        let change_error = row.change_error;
        Self {
            reply_to: None,
            quote: extra.quote,
            origin: extra.origin,
            location: extra.location,
            missing_files: extra.missing_files,
            buttons: extra.buttons,
            call: extra.call,
            edited_at: row.edited_at,
            deleted: row.deleted_at.map(|at| DeletedView {
                at,
                by: row.deleted_by.unwrap_or_default(),
            }),
            reactions: reactions.collect(),
            change: row.change_state.map(|state| ChangeView {
                state,
                error: change_error,
            }),
            id: row.id,
            conversation_id: row.conversation_id,
            seq: row.seq,
            kind: row.kind,
            author: AuthorView {
                kind: row.author_type,
                id: row.author_id,
                name: row.author_name,
            },
            text: row.body,
            html: row.html,
            attachments,
            external_id: row.external_id,
            client_id: row.client_id,
            delivery,
            mail: row.mail.and_then(MailView::read),
            recipients: super::message::recipients(row.recipients.as_ref())
                .into_iter()
                .map(RecipientView::from)
                .collect(),
            mode: row.mode,
            automatic: row.automatic,
            new_participant: row.new_participant,
            created_at: row.created_at,
            hidden: row.hidden,
        }
    }
}

/// Loads views; knows what each kind of channel can do.
#[derive(Debug, Clone)]
pub struct Views {
    capabilities: Arc<HashMap<&'static str, Capabilities>>,
}

impl Views {
    /// With the capabilities of all kinds of channels.
    pub fn new(capabilities: impl IntoIterator<Item = (&'static str, Capabilities)>) -> Self {
        Self {
            capabilities: Arc::new(capabilities.into_iter().collect()),
        }
    }

    /// What a kind of channel can do.
    pub fn capabilities(&self, kind: &str) -> Option<Capabilities> {
        self.capabilities.get(kind).copied()
    }

    /// Conversations by id, in the order asked; unknown ids are left out. Ten queries at most, however many.
    pub async fn conversations(
        &self,
        db: &impl ConnectionTrait,
        ids: &[String],
    ) -> Result<Vec<ConversationView>, DbErr> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows = conversation::Entity::find()
            .filter(conversation::Column::Id.is_in(bulk::padded(ids)))
            .all(db)
            .await?;
        let mut by_id: HashMap<String, ConversationView> = self
            .of_rows(db, rows)
            .await?
            .into_iter()
            .map(|view| (view.id.clone(), view))
            .collect();
        Ok(ids.iter().filter_map(|id| by_id.remove(id)).collect())
    }

    /// One conversation.
    pub async fn conversation(
        &self,
        db: &impl ConnectionTrait,
        id: &str,
    ) -> Result<Option<ConversationView>, DbErr> {
        Ok(self.conversations(db, &[id.to_owned()]).await?.pop())
    }

    /// Views of rows that were read already, in their order.
    pub async fn of_rows(
        &self,
        db: &impl ConnectionTrait,
        rows: Vec<conversation::Model>,
    ) -> Result<Vec<ConversationView>, DbErr> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let ids = |pick: fn(&conversation::Model) -> &String| {
            let mut ids: Vec<String> = rows.iter().map(pick).cloned().collect();
            ids.sort_unstable();
            ids.dedup();
            ids
        };
        let letters = rows.iter().filter(|row| row.channel_kind == "email");
        let letters: Vec<String> = letters.map(|row| row.address.clone()).collect();
        // None waits for another's answer.
        let (sessions, contacts, channels, lines, participants, mut links, problems) = tokio::try_join!(
            session::Entity::find()
                .filter(session::Column::Id.is_in(bulk::padded(ids(|row| &row.session_id))))
                .all(db),
            contact::Entity::find()
                .filter(contact::Column::Id.is_in(bulk::padded(ids(|row| &row.contact_id))))
                .all(db),
            channel::Entity::find()
                .filter(channel::Column::Id.is_in(bulk::padded(ids(|row| &row.channel_id))))
                .all(db),
            line::Entity::find()
                .filter(line::Column::Id.is_in(bulk::padded(ids(|row| &row.line_id))))
                .all(db),
            participant::Entity::find()
                .filter(participant::Column::ConversationId.is_in(bulk::padded(ids(|row| &row.id))))
                .order_by_asc(participant::Column::JoinedAt)
                .all(db),
            link::of(db, ids(|row| &row.id)),
            link::unreachable(db, letters),
        )?;
        let sessions: HashMap<String, session::Model> =
            sessions.into_iter().map(|row| (row.id.clone(), row)).collect();
        let contacts: HashMap<String, contact::Model> =
            contacts.into_iter().map(|row| (row.id.clone(), row)).collect();
        let channels: HashMap<String, channel::Model> =
            channels.into_iter().map(|row| (row.id.clone(), row)).collect();
        let lines: HashMap<String, line::Model> =
            lines.into_iter().map(|row| (row.id.clone(), row)).collect();
        let offered = sessions.values().filter(|row| row.state == "offered");
        let offered: Vec<&str> = offered.map(|row| row.id.as_str()).collect();
        let mut offers: HashMap<String, Vec<offer::Model>> = HashMap::new();
        if !offered.is_empty() {
            for row in super::offer::of_sessions(db, offered).await? {
                offers.entry(row.session_id.clone()).or_default().push(row);
            }
        }
        let mut people: HashMap<String, Vec<ParticipantView>> = HashMap::new();
        for row in participants {
            let view = ParticipantView {
                operator_id: row.operator_id,
                hidden: row.hidden,
            };
            people.entry(row.conversation_id).or_default().push(view);
        }

        let mut views = Vec::with_capacity(rows.len());
        for row in rows {
            let links = links.remove(&row.id).unwrap_or_default();
            let letters = row.channel_kind == "email";
            let address_problem = problems.get(&row.address).filter(|_| letters).cloned();
            let blocked = row
                .unreachable_since
                .map(|_| row.unreachable_reason.unwrap_or_default());
            let address_problem = address_problem.or(blocked);
            let session = sessions.get(&row.session_id).cloned().ok_or_else(|| {
                DbErr::RecordNotFound(format!(
                    "conversation {} without its session {}",
                    row.id, row.session_id
                ))
            })?;
            let capabilities = self.capabilities(&row.channel_kind);
            let name = contacts
                .get(&row.contact_id)
                .and_then(|contact| contact.name.clone());
            views.push(ConversationView {
                contact: ContactRef {
                    name: shown_name(name, &row.channel_kind, &row.address),
                    id: row.contact_id,
                },
                line_name: lines
                    .get(&row.line_id)
                    .map(|line| line.name.clone())
                    .unwrap_or_default(),
                channel_name: channels
                    .get(&row.channel_id)
                    .map(|channel| channel.name.clone())
                    .unwrap_or_default(),
                may_pull: lines
                    .get(&row.line_id)
                    .and_then(|line| line.rules.get("may_pull"))
                    .and_then(Value::as_bool)
                    .unwrap_or(true),
                can_reply: capabilities.is_some_and(|capabilities| capabilities.outbound),
                max_text_chars: capabilities.and_then(|capabilities| capabilities.max_text_chars),
                recipients: capabilities.is_some_and(|capabilities| capabilities.recipients),
                rich_text: capabilities.is_some_and(|capabilities| capabilities.rich_text),
                can_edit: capabilities.is_some_and(|capabilities| capabilities.edit),
                can_delete: capabilities.is_some_and(|capabilities| capabilities.delete),
                can_reply_to: capabilities.is_some_and(|capabilities| capabilities.reply_to),
                can_have_buttons: capabilities.is_some_and(|capabilities| capabilities.buttons),
                max_message_bytes: capabilities
                    .zip(channels.get(&row.channel_id))
                    .and_then(|(capabilities, channel)| message_limit(&capabilities, channel)),
                participants: people.get(&row.id).cloned().unwrap_or_default(),
                owner: session.operator_id.clone(),
                session: SessionView::new(session, offers.get(&row.session_id).map_or(&[], Vec::as_slice)),
                last_message: row.last_message_id.map(|id| LastMessage {
                    id,
                    text: row.last_message_text.unwrap_or_default(),
                    kind: row.last_message_kind.unwrap_or_default(),
                    at: row.last_message_at.unwrap_or(row.created_at),
                }),
                id: row.id,
                number: row.number,
                line_id: row.line_id,
                channel_id: row.channel_id,
                channel_kind: row.channel_kind,
                contact_claimed: row.claimed,
                lead_id: row.lead_id,
                subject: row.subject,
                priority: row.priority,
                tags: strings(&row.tags),
                unread: row.unread,
                version: row.version,
                last_seq: row.last_seq,
                read_seq: row.read_seq,
                client_read_seq: row.client_read_seq,
                client_delivered_seq: row.client_delivered_seq,
                snoozed_until: row.snoozed_until,
                address_problem,
                merged_into: links
                    .iter()
                    .find(|link| link.kind == "merged_into")
                    .map(|link| link.conversation_id.clone()),
                links,
                created_at: row.created_at,
                updated_at: row.updated_at,
            });
        }
        Ok(views)
    }

    /// Messages that were read already, with their files and what they answer, in their order. Two queries at most.
    pub async fn messages(
        &self,
        db: &impl ConnectionTrait,
        rows: Vec<message::Model>,
    ) -> Result<Vec<MessageView>, DbErr> {
        let with_files: Vec<&String> = rows
            .iter()
            .filter(|row| row.has_attachments)
            .map(|row| &row.id)
            .collect();
        let mut files: HashMap<String, Vec<AttachmentView>> = HashMap::new();
        if !with_files.is_empty() {
            let attachments = attachment::Entity::find()
                .filter(attachment::Column::MessageId.is_in(bulk::padded(with_files)))
                .filter(attachment::Column::Replaced.eq(false))
                .order_by_asc(attachment::Column::Position)
                .all(db)
                .await?;
            for mut row in attachments {
                if let Some(message_id) = row.message_id.take() {
                    files.entry(message_id).or_default().push(row.into());
                }
            }
        }
        let answered = replied(db, &rows).await?;
        Ok(rows
            .into_iter()
            .map(|mut row| {
                let attachments = files.remove(&row.id).unwrap_or_default();
                let reply_to = row.reply_to.take().and_then(|id| answered.get(&id).cloned());
                MessageView {
                    reply_to,
                    ..MessageView::new(row, attachments)
                }
            })
            .collect())
    }

    /// Messages by id, in no particular order.
    pub async fn messages_by_id(
        &self,
        db: &impl ConnectionTrait,
        ids: &[String],
    ) -> Result<Vec<MessageView>, DbErr> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows = message::Entity::find()
            .filter(message::Column::Id.is_in(bulk::padded(ids)))
            .all(db)
            .await?;
        self.messages(db, rows).await
    }
}

/// The messages that these answer, by id.
async fn replied(
    db: &impl ConnectionTrait,
    rows: &[message::Model],
) -> Result<HashMap<String, RepliedView>, DbErr> {
    let ids: Vec<&String> = rows.iter().filter_map(|row| row.reply_to.as_ref()).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = message::Entity::find()
        .filter(message::Column::Id.is_in(ids))
        .all(db)
        .await?;
    let view = |row: message::Model| RepliedView {
        inside: row.hidden || row.kind == "note",
        deleted: row.deleted_at.is_some(),
        mail: row.mail.is_some(),
        text: preview(&row.body),
        author_name: row.author_name,
        id: row.id,
    };
    Ok(rows.into_iter().map(|row| (row.id.clone(), view(row))).collect())
}

impl SessionView {
    /// A session with its open offers.
    fn new(row: session::Model, offers: &[offer::Model]) -> Self {
        Self {
            id: row.id,
            state: row.state,
            operator_id: row.operator_id,
            offered_to: offers.iter().map(|offer| offer.operator_id.clone()).collect(),
            offer_expires_at: offers.iter().map(|offer| offer.expires_at).max(),
            opened_at: row.opened_at,
            waiting_since: row.waiting_since,
            due_at: row.due_at,
            first_reply_at: row.first_reply_at,
            closed_at: row.closed_at,
            close_reason: row.close_reason,
            rating: row.rating,
        }
    }
}

/// The largest message a channel carries: what its settings say, else what its kind can.
pub fn message_limit(capabilities: &Capabilities, channel: &channel::Model) -> Option<u64> {
    let set = channel.settings.get("max_message_mb").and_then(Value::as_u64);
    capabilities
        .max_message_bytes
        .map(|usual| set.map_or(usual, |megabytes| megabytes.saturating_mul(1024 * 1024)))
}

/// What stands for a name while none is known: an address people can read.
fn shown_address(channel_kind: &str, address: &str) -> Option<String> {
    (channel_kind == "email" || channel_kind == "voip").then(|| address.to_owned())
}

/// What a contact is called: by name, or by address while no name is known.
pub fn shown_name(name: Option<String>, channel_kind: &str, address: &str) -> Option<String> {
    name.or_else(|| shown_address(channel_kind, address))
}

/// A JSON array of strings; anything else in it is passed over.
pub fn strings(value: &Value) -> Vec<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}
