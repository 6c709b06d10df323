//! One sending through a channel's own way out, and what it came to.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use switchboard_sdk::{Connector, OutboundMessage, SendError};

use crate::connector::Host;

/// How long one sending may take; shorter than the lease.
const LIMIT: Duration = Duration::from_secs(90);

/// What is sent, and where to.
#[derive(Debug, Clone)]
pub struct Letter<'a> {
    /// The idempotency key.
    pub id: &'a str,
    /// The kind of channel it needs.
    pub kind: &'static str,
    /// The channel.
    pub channel_id: Option<&'a str>,
    /// An address, or a chat.
    pub target: &'a str,
    /// Its subject, where there is one.
    pub subject: &'a str,
    /// Its text.
    pub body: &'a str,
    /// 1 for the first.
    pub attempt: u32,
    /// When it was written.
    pub at: DateTime<Utc>,
}

/// What it came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The provider has it.
    Sent,
    /// It was not tried: the channel's limit is reached.
    Wait(Duration),
    /// Certainly not sent, and may work later.
    Again(Option<Duration>, String),
    /// Will never work like this.
    Failed(String),
    /// It may have gone out.
    Unknown(String),
}

/// Sends. What is missing is said in words for an admin.
pub async fn send(host: &Host, letter: Letter<'_>) -> Outcome {
    let connector = match way_out(host, &letter) {
        Ok(connector) => connector,
        Err(outcome) => return outcome,
    };
    let message = OutboundMessage {
        id: letter.id.to_owned(),
        to: letter.target.to_owned(),
        subject: Some(letter.subject.to_owned()).filter(|_| letter.kind == "email"),
        text: letter.body.to_owned(),
        created_at: letter.at,
        attempt: letter.attempt,
        // Nobody wrote it: answering machines leave it alone.
        automatic: true,
        ..OutboundMessage::default()
    };
    // Spawned, so that a connector that crashes leaves an outcome behind.
    let mut task = tokio::spawn(async move {
        match connector.sender() {
            Some(sender) => sender.send(&message).await.map(drop),
            None => Err(SendError::Refused {
                reason: "this channel cannot send".to_owned(),
            }),
        }
    });
    match tokio::time::timeout(LIMIT, &mut task).await {
        Ok(Ok(Ok(()))) => Outcome::Sent,
        Ok(Ok(Err(SendError::Wait { after, .. } | SendError::Hold { after, .. }))) => Outcome::Wait(after),
        Ok(Ok(Err(SendError::Retry { after, reason }))) => Outcome::Again(after, reason),
        Ok(Ok(Err(SendError::Refused { reason } | SendError::Unreachable { reason }))) => {
            Outcome::Failed(reason)
        }
        Ok(Ok(Err(SendError::Unknown { reason }))) => Outcome::Unknown(reason),
        Ok(Err(_crash)) => Outcome::Unknown("the connector crashed while it was sending".to_owned()),
        Err(_late) => {
            task.abort();
            Outcome::Unknown("no answer in time".to_owned())
        }
    }
}

fn way_out(host: &Host, letter: &Letter<'_>) -> Result<Arc<dyn Connector>, Outcome> {
    let gone = || {
        Outcome::Failed(
            "the channel it was to go out by is gone: choose another one in the form's settings".to_owned(),
        )
    };
    let served = letter
        .channel_id
        .and_then(|id| host.served(id))
        .ok_or_else(gone)?;
    let name = &served.channel.name;
    if served.channel.kind != letter.kind {
        let reason = format!(
            "the channel {name:?} is of another kind: it must be {}",
            letter.kind
        );
        return Err(Outcome::Failed(reason));
    }
    if !served.channel.enabled {
        let reason = format!("the channel {name:?} is switched off");
        return Err(Outcome::Again(None, reason));
    }
    match served.active() {
        Some(connector) => Ok(Arc::clone(connector)),
        None => Err(Outcome::Again(
            None,
            format!("the settings of the channel {name:?} do not work"),
        )),
    }
}
