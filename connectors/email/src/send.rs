//! The sending half: an answer goes out, and it is known whether it did.

use std::time::Duration;

use lettre::{
    address::Envelope,
    transport::smtp::{
        client::{AsyncSmtpConnection, TlsParameters},
        commands::Noop,
    },
};
use switchboard_sdk::{OutboundMessage, SendError, Sent};
use tokio::{
    sync::{Mutex, OnceCell},
    time::{Instant, timeout},
};

use crate::{
    compose,
    settings::Settings,
    smtp::{self, Failure},
};

/// Connections kept open between answers.
const KEPT: usize = 4;
/// How long one may rest: servers close it after a minute or more.
const RESTS: Duration = Duration::from_secs(30);
/// How long a rested connection may take to show that it lives.
const ALIVE: Duration = Duration::from_secs(5);
/// A refused login is tried again after this long: more often would lock the account.
const AFTER_REFUSED_LOGIN: Duration = Duration::from_secs(300);

/// The way out of one channel.
#[derive(Default)]
pub struct Outlet {
    rested: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
    tls: OnceCell<Option<TlsParameters>>,
}

impl std::fmt::Debug for Outlet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Outlet")
    }
}

impl Outlet {
    /// Sends one answer.
    pub async fn send(&self, message: &OutboundMessage, settings: &Settings) -> Result<Sent, SendError> {
        let mail = compose::compose(message, settings)?;
        let (mut envelope, bytes) = (mail.envelope().clone(), mail.formatted());
        if let Some(from) = compose::return_path(message, settings) {
            envelope = Envelope::new(Some(from), envelope.to().to_vec()).unwrap_or(envelope);
        }
        let mut connection = match self.rested().await {
            Some(connection) => connection,
            None => self.connect(settings).await.map_err(before_sending)?,
        };
        match smtp::send(&mut connection, &envelope, &bytes).await {
            Ok(()) => {
                self.keep(connection).await;
                Ok(Sent {
                    external_id: Some(compose::external_id(message, settings)),
                })
            }
            Err(failure) => {
                drop(timeout(ALIVE, connection.abort()).await);
                Err(in_sending(failure))
            }
        }
    }

    async fn connect(&self, settings: &Settings) -> Result<AsyncSmtpConnection, Failure> {
        let tls = self
            .tls
            .get_or_try_init(|| async { smtp::tls_parameters(settings) })
            .await?;
        smtp::connect(settings, tls.as_ref()).await
    }

    /// A connection of before that still answers.
    async fn rested(&self) -> Option<AsyncSmtpConnection> {
        loop {
            let (mut connection, since) = self.rested.lock().await.pop()?;
            if since.elapsed() > RESTS {
                continue;
            }
            if let Ok(Ok(_)) = timeout(ALIVE, connection.command(Noop)).await {
                return Some(connection);
            }
        }
    }

    async fn keep(&self, connection: AsyncSmtpConnection) {
        let mut rested = self.rested.lock().await;
        rested.retain(|(_, since)| since.elapsed() <= RESTS);
        if rested.len() < KEPT {
            rested.push((connection, Instant::now()));
        }
    }
}

/// Nothing of the mail went out: whatever is wrong is about the channel, and the mail waits for it. A wrong
/// password or setting shows as the reason until somebody corrects it.
fn before_sending(failure: Failure) -> SendError {
    match failure {
        Failure::Login(reason) | Failure::Settings(reason) => SendError::Retry {
            after: Some(AFTER_REFUSED_LOGIN),
            reason,
        },
        Failure::Refused(reason)
        | Failure::Later(reason)
        | Failure::Unreachable(reason)
        | Failure::Unknown(reason) => SendError::Retry { after: None, reason },
    }
}

fn in_sending(failure: Failure) -> SendError {
    match failure {
        Failure::Refused(reason) => SendError::Refused { reason },
        Failure::Unknown(reason) => SendError::Unknown { reason },
        Failure::Unreachable(reason)
        | Failure::Login(reason)
        | Failure::Settings(reason)
        | Failure::Later(reason) => SendError::Retry { after: None, reason },
    }
}
