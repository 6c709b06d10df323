//! The sending half: an answer goes out, and it is known whether it did.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use lettre::{
    address::Envelope,
    transport::smtp::{
        client::{AsyncSmtpConnection, TlsParameters},
        commands::Noop,
    },
};
use switchboard_sdk::{OutboundMessage, SendError, Sent};
use tokio::{
    sync::{OnceCell, Semaphore},
    time::{Instant, timeout},
};

use crate::{
    compose,
    limit::Budget,
    sent::Filer,
    settings::Settings,
    smtp::{self, Failure, Parcel},
};

/// How long a connection may rest: servers close it after a minute or more.
const RESTS: Duration = Duration::from_secs(30);
/// How long a rested connection may take to show that it lives.
const ALIVE: Duration = Duration::from_secs(5);
/// A refused login is tried again after this long: more often would lock the account.
const AFTER_REFUSED_LOGIN: Duration = Duration::from_secs(300);
/// From this attempt on a mail to several goes out without those who cannot get it now.
const PATIENCE: u32 = 5;

/// The way out of one channel.
pub struct Outlet {
    settings: Arc<Settings>,
    rested: Arc<Mutex<Vec<Open>>>,
    /// One permit a connection.
    room: Semaphore,
    tls: OnceCell<Option<TlsParameters>>,
    budget: Mutex<Budget>,
    filer: Filer,
}

/// A connection that is logged in.
struct Open {
    connection: AsyncSmtpConnection,
    size_limit: Option<u64>,
    since: Instant,
}

impl std::fmt::Debug for Outlet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Outlet")
    }
}

impl Outlet {
    /// By these settings.
    pub fn new(settings: Arc<Settings>) -> Self {
        Self {
            rested: Arc::default(),
            room: Semaphore::new(settings.smtp.max_connections as usize),
            tls: OnceCell::new(),
            budget: Mutex::default(),
            filer: Filer::new(Arc::clone(&settings)),
            settings,
        }
    }

    /// Sends one answer.
    pub async fn send(&self, message: &OutboundMessage, now: DateTime<Utc>) -> Result<Sent, SendError> {
        let mail = compose::compose(message, &self.settings)?;
        let (mut envelope, bytes) = (mail.envelope().clone(), mail.formatted());
        if let Some(from) = compose::return_path(message, &self.settings) {
            envelope = Envelope::new(Some(from), envelope.to().to_vec()).unwrap_or(envelope);
        }
        let first = envelope.to().first().ok_or_else(|| SendError::Refused {
            reason: "it is addressed to nobody".to_owned(),
        })?;
        let _permit = self.room.acquire().await;
        let mut open = match self.rested().await {
            Some(open) => open,
            None => self.connect().await.map_err(before_sending)?,
        };
        // Only a server that is there costs a place.
        let place = lock(&self.budget).take(&self.settings.smtp, now);
        if let Err((after, reason)) = place {
            self.keep(open);
            return Err(SendError::Wait { after, reason });
        }
        let parcel = Parcel {
            envelope: &envelope,
            mail: &bytes,
            first,
            size_limit: open.size_limit,
            patient: message.attempt < PATIENCE,
        };
        match smtp::send(&mut open.connection, &parcel).await {
            Ok(refused) => {
                self.keep(open);
                self.filer.file(bytes);
                Ok(Sent {
                    external_id: Some(compose::external_id(message, &self.settings)),
                    refused,
                    ..Sent::default()
                })
            }
            Err(failure) => {
                drop(timeout(ALIVE, open.connection.abort()).await);
                Err(in_sending(failure))
            }
        }
    }

    async fn connect(&self) -> Result<Open, Failure> {
        let tls = self
            .tls
            .get_or_try_init(|| async { smtp::tls_parameters(&self.settings) })
            .await?;
        let mut connection = smtp::connect(&self.settings, tls.as_ref()).await?;
        let size_limit = smtp::size_limit(&mut connection).await;
        Ok(Open {
            connection,
            size_limit,
            since: Instant::now(),
        })
    }

    /// A connection of before that still answers.
    async fn rested(&self) -> Option<Open> {
        loop {
            let mut open = lock(&self.rested).pop()?;
            if open.since.elapsed() > RESTS {
                continue;
            }
            if let Ok(Ok(_)) = timeout(ALIVE, open.connection.command(Noop)).await {
                return Some(open);
            }
        }
    }

    /// Puts a connection aside for the next answer, and closes it when none comes.
    fn keep(&self, mut open: Open) {
        open.since = Instant::now();
        lock(&self.rested).push(open);
        let rested = Arc::clone(&self.rested);
        tokio::spawn(async move {
            tokio::time::sleep(RESTS + Duration::from_secs(1)).await;
            let tired: Vec<Open> = lock(&rested)
                .extract_if(.., |open| open.since.elapsed() > RESTS)
                .collect();
            for mut open in tired {
                drop(timeout(ALIVE, open.connection.quit()).await);
            }
        });
    }
}

/// What is held never waits for anything, so that a crash while it is held leaves it whole.
fn lock<T>(held: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Nothing of the mail went out: whatever is wrong is about the channel, and the mail waits for it. A wrong
/// password or setting shows as the reason until somebody corrects it.
fn before_sending(failure: Failure) -> SendError {
    match failure {
        Failure::Login(reason) | Failure::Settings(reason) => SendError::Retry {
            after: Some(AFTER_REFUSED_LOGIN),
            reason,
        },
        Failure::Busy(reason, after) => SendError::Retry {
            after: Some(after),
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
        Failure::Login(reason) | Failure::Settings(reason) => SendError::Retry {
            after: Some(AFTER_REFUSED_LOGIN),
            reason,
        },
        Failure::Busy(reason, after) => SendError::Retry {
            after: Some(after),
            reason,
        },
        Failure::Unreachable(reason) | Failure::Later(reason) => SendError::Retry { after: None, reason },
    }
}
