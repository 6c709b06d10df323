//! Sending one claimed message.

use std::{sync::Arc, time::Duration};

use switchboard_sdk::{
    Addressee, Connector, OutboundAttachment, OutboundDeletion, OutboundEdit, OutboundMessage, Recipient,
    RecipientRole, SendError, Sent,
};

use super::{link, record, store::Letter};
use crate::{
    connector::Host,
    conversation::{extra::Extra, message::recipients, store::thread_name, view::strings},
    db::entity::{attachment, outbox},
    storage,
    telemetry::metrics::Counter,
};

/// A send that takes longer has lost its provider; whether the bytes arrived is unknown then.
const SEND_LIMIT: Duration = Duration::from_mins(10);
/// The pause before a result that could not be recorded is recorded again.
const RECORD_AGAIN: Duration = Duration::from_secs(1);

/// A claimed message with all that sending it needs.
#[derive(Debug)]
pub(super) struct Flight {
    /// Its row as claimed.
    pub row: outbox::Model,
    /// What is to be done with it.
    pub task: Task,
    /// Why it is not even tried: nothing reaches the customer.
    pub doomed: Option<String>,
    /// The message, its files still without their bytes.
    pub outbound: OutboundMessage,
    /// Its files.
    pub attachments: Vec<attachment::Model>,
    /// Sends it.
    pub connector: Arc<dyn Connector>,
    /// The channel's kind.
    pub kind: String,
    /// The provider drops repeats.
    pub idempotent: bool,
}

/// What a row asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Task {
    /// The message goes out.
    Send,
    /// What was sent says something else now.
    Edit {
        external_ids: Vec<String>,
        revision: i64,
    },
    /// What was sent is taken back.
    Delete {
        external_ids: Vec<String>,
        revision: i64,
    },
}

impl Task {
    /// By the row's word, with what the provider calls the message.
    pub fn of(row: &outbox::Model, letter: &Letter) -> Self {
        let message = &letter.message;
        let parts = message.parts.as_ref().map(strings).unwrap_or_default();
        let external_ids = message.external_id.iter().cloned().chain(parts).collect();
        let revision = message.revision;
        match row.kind.as_str() {
            "edit" => Self::Edit {
                external_ids,
                revision,
            },
            "delete" => Self::Delete {
                external_ids,
                revision,
            },
            _ => Self::Send,
        }
    }
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The provider has it.
    Sent(Sent),
    /// Was not tried: the channel's limit is reached.
    Wait { after: Duration, reason: String },
    /// Was not tried: the limit of this conversation is reached.
    Hold { after: Duration, reason: String },
    /// Certainly not sent; may work later.
    Again { after: Option<Duration>, reason: String },
    /// Will never work like this.
    Refused(String),
    /// Nothing reaches this customer.
    Unreachable(String),
    /// May have gone out.
    Unknown(String),
}

impl Outcome {
    fn word(&self) -> &'static str {
        match self {
            Self::Sent(_) => "sent",
            Self::Wait { .. } => "wait",
            Self::Hold { .. } => "hold",
            Self::Again { .. } => "again",
            Self::Refused(_) => "refused",
            Self::Unreachable(_) => "unreachable",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// The message for the connector, without its files' bytes.
pub(super) fn outbound(letter: &Letter) -> OutboundMessage {
    let whole = of_message(letter);
    let Some(mail) = &letter.mail else {
        return whole;
    };
    OutboundMessage {
        to: mail.address.clone(),
        recipients: vec![Recipient {
            role: RecipientRole::To,
            name: letter.contact_name.clone(),
            address: mail.address.clone(),
        }],
        text: mail.body.clone(),
        subject: Some(mail.subject.clone()),
        // What operators wrote is theirs; a transcript is a machine's, and no machine is to answer it.
        automatic: mail.kind == "transcript",
        ..whole
    }
}

fn of_message(letter: &Letter) -> OutboundMessage {
    let (message, conversation) = (&letter.message, &letter.conversation);
    let extra = Extra::read(message.extra.as_ref());
    OutboundMessage {
        reply_to: letter.reply_to.clone(),
        buttons: extra.buttons,
        request_phone: extra.request_phone,
        id: message.id.clone(),
        conversation_id: conversation.id.clone(),
        conversation_number: conversation.number,
        to: conversation.address.clone(),
        thread: thread_name(conversation),
        to_name: letter.contact_name.clone(),
        recipients: recipients(message.recipients.as_ref()),
        forward: message.mode.as_deref() == Some("forward"),
        text: message.body.clone(),
        html: message.html.clone(),
        subject: conversation.subject.clone(),
        references: letter.references.clone(),
        author_name: message.author_name.clone(),
        attachments: Vec::new(),
        created_at: message.created_at,
        attempt: u32::try_from(message.delivery_attempts + 1).unwrap_or(u32::MAX),
        automatic: message.author_type == "system",
    }
}

/// Sends a message and records what became of it. Ends only when that is recorded: an answer that was
/// sent must not be taken for uncertain because the store was away for a moment.
/// Answers how long nothing more is to be tried on this channel.
pub(super) async fn run(host: Host, mut flight: Flight) -> Option<Duration> {
    let outcome = attempt(&host, &mut flight).await;
    let row = &flight.row;
    let word = outcome.word();
    Counter::OutboundAttempts.add(1, &[("kind", flight.kind.clone()), ("outcome", word.to_owned())]);
    match &outcome {
        Outcome::Sent(_) => tracing::debug!(message.id = row.message_id, attempt = row.attempts, "sent"),
        Outcome::Wait { after, reason } | Outcome::Hold { after, reason } => {
            tracing::debug!(
                channel.id = row.channel_id,
                ?after,
                reason,
                "a message waits its turn"
            )
        }
        Outcome::Again { reason, .. }
        | Outcome::Refused(reason)
        | Outcome::Unreachable(reason)
        | Outcome::Unknown(reason) => {
            tracing::warn!(
                message.id = row.message_id,
                conversation.id = row.conversation_id,
                channel.id = row.channel_id,
                attempt = row.attempts,
                outcome = word,
                reason,
                "a message was not sent"
            )
        }
    }
    if let Outcome::Again { reason, .. } | Outcome::Unknown(reason) = &outcome {
        host.sending_fails(&row.channel_id, reason);
    }
    let parts = host.parts();
    loop {
        let done = record::outcome(&parts.db, row, &outcome, flight.idempotent, parts.clock.now()).await;
        match done {
            Ok(()) => {
                return match outcome {
                    Outcome::Wait { after, .. } => Some(after),
                    _ => None,
                };
            }
            Err(error) => {
                tracing::error!(message.id = row.message_id, %error, "what became of a message cannot be recorded; trying again")
            }
        }
        tokio::time::sleep(RECORD_AGAIN).await;
    }
}

async fn attempt(host: &Host, flight: &mut Flight) -> Outcome {
    if let Some(reason) = &flight.doomed {
        return Outcome::Unreachable(reason.clone());
    }
    let now = host.parts().clock.now();
    for file in &flight.attachments {
        match host.parts().storage.get(&file.storage_key).await {
            Ok(data) => flight.outbound.attachments.push(OutboundAttachment {
                name: file.name.clone(),
                content_type: file.content_type.clone(),
                content_id: file.content_id.clone(),
                data,
                url: link::url(&host.parts().vault, &host.parts().public_url, &file.id, now),
            }),
            Err(storage::Error::Missing) => {
                return Outcome::Refused(format!("the file {:?} is gone from the storage", file.name));
            }
            Err(error) => {
                return Outcome::Again {
                    after: None,
                    reason: format!("a file cannot be read: {error}"),
                };
            }
        }
    }
    // Spawned, so that a connector that crashes leaves an outcome behind.
    let (connector, message) = (Arc::clone(&flight.connector), flight.outbound.clone());
    let what = flight.task.clone();
    let mut task = tokio::spawn(async move {
        match connector.sender() {
            Some(sender) => perform(sender, what, message).await,
            None => Err(SendError::Refused {
                reason: "this channel cannot send".to_owned(),
            }),
        }
    });
    match tokio::time::timeout(SEND_LIMIT, &mut task).await {
        Ok(Ok(Ok(sent))) => Outcome::Sent(sent),
        Ok(Ok(Err(SendError::Wait { after, reason }))) => Outcome::Wait { after, reason },
        Ok(Ok(Err(SendError::Hold { after, reason }))) => Outcome::Hold { after, reason },
        Ok(Ok(Err(SendError::Retry { after, reason }))) => Outcome::Again { after, reason },
        Ok(Ok(Err(SendError::Refused { reason }))) => Outcome::Refused(reason),
        Ok(Ok(Err(SendError::Unreachable { reason }))) => Outcome::Unreachable(reason),
        Ok(Ok(Err(SendError::Unknown { reason }))) => Outcome::Unknown(reason),
        Ok(Err(_crash)) => Outcome::Unknown("the connector crashed while it was sending".to_owned()),
        Err(_late) => {
            task.abort();
            Outcome::Unknown(format!("no answer within {} minutes", SEND_LIMIT.as_secs() / 60))
        }
    }
}

/// Asks the connector for what the row says.
async fn perform(
    sender: &dyn switchboard_sdk::Sender,
    task: Task,
    message: OutboundMessage,
) -> Result<Sent, SendError> {
    match task {
        Task::Send => return sender.send(&message).await,
        Task::Edit {
            external_ids,
            revision,
        } => {
            let edit = OutboundEdit {
                external_ids,
                message,
                revision,
            };
            sender.edit(&edit).await?;
        }
        Task::Delete {
            external_ids,
            revision,
        } => {
            let deletion = OutboundDeletion {
                to: Addressee {
                    conversation_id: message.conversation_id,
                    conversation_number: message.conversation_number,
                    to: message.to,
                    thread: message.thread,
                },
                id: message.id,
                external_ids,
                sent_at: message.created_at,
                revision,
            };
            sender.delete(&deletion).await?;
        }
    }
    Ok(Sent::default())
}
