//! Asterisk's manager interface (AMI), read over TCP.
//!
//! It replays nothing: what is said while the connection is away is lost. Therefore what is read is kept until it
//! is committed, and a new connection asks which channels are there and ends the calls that are not.

mod calls;
mod wire;

use std::{sync::Arc, time::Duration};

use bytes::BytesMut;
use switchboard_sdk::{Batch, CancellationToken, Clock, Cursor, Fault, InboundEvent, Intake, SendError};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, interval, sleep_until, timeout},
};

use crate::{
    proof,
    rules::Rules,
    settings::{Ami, Secret},
};
use calls::Calls;
use wire::{Message, action};

/// Longest wait for a connection and for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is asked whether it is there,
const PING: Duration = Duration::from_secs(20);
/// and how long it may say nothing.
const SILENCE: Duration = Duration::from_secs(60);
/// The pause before a commit that failed is tried again.
const AGAIN: Duration = Duration::from_millis(500);
/// Most reports that are kept while nothing can be stored.
const MAX_PENDING: usize = 20_000;
/// The name of the cursor.
const CURSOR: &str = "ami";

/// A manager interface with its secrets.
pub struct Manager<'a> {
    pub ami: &'a Ami,
    pub secret: &'a Secret,
    pub rules: &'a Rules,
    pub recordings: Option<&'a str>,
    pub clock: &'a dyn Clock,
}

/// A connection somebody is logged in at.
struct Session {
    stream: TcpStream,
    buffer: BytesMut,
}

impl Session {
    async fn next(&mut self) -> Result<Message, Fault> {
        loop {
            if let Some(message) = wire::next(&mut self.buffer)
                .map_err(|what| Fault::temporary(format!("the manager interface sent {what}")))?
            {
                return Ok(message);
            }
            let read = self.stream.read_buf(&mut self.buffer).await;
            match read {
                Ok(0) => return Err(Fault::temporary("the manager interface closed the connection")),
                Ok(_) => {}
                Err(error) => return Err(Fault::temporary(format!("the manager interface: {error}"))),
            }
        }
    }

    async fn say(&mut self, text: &str) -> Result<(), Fault> {
        let written = timeout(PATIENCE, self.stream.write_all(text.as_bytes())).await;
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Fault::temporary(format!("the manager interface: {error}"))),
            Err(_) => Err(Fault::temporary("the manager interface takes nothing")),
        }
    }

    /// Asks, and answers what is answered to that; events in between are passed over.
    async fn ask(&mut self, name: &str, id: &str, fields: &[(&str, &str)]) -> Result<Message, Fault> {
        let mut all = vec![("ActionID", id)];
        all.extend_from_slice(fields);
        self.say(&action(name, &all)).await?;
        let answered = timeout(PATIENCE, async {
            loop {
                let message = self.next().await?;
                if message.get("Response").is_some()
                    && message.get("ActionID").is_none_or(|known| known == id)
                {
                    return Ok(message);
                }
            }
        });
        answered
            .await
            .map_err(|_| Fault::temporary(format!("the manager interface did not answer to {name}")))?
    }
}

impl Manager<'_> {
    /// Connects and logs in; the secret itself is never sent.
    async fn log_in(&self, events: &str) -> Result<Session, Fault> {
        let mut last = Fault::permanent("set the secret of the manager's user");
        for secret in self.secret.all() {
            match self.try_log_in(secret, events).await {
                // Perhaps the next one: a secret is being changed.
                Err(Fault::Permanent(reason)) => last = Fault::Permanent(reason),
                other => return other,
            }
        }
        Err(last)
    }

    async fn try_log_in(&self, secret: &str, events: &str) -> Result<Session, Fault> {
        let Ami {
            host, port, username, ..
        } = self.ami;
        let away = |what: &str| {
            Fault::temporary(format!(
                "the manager interface at {host}:{port} cannot be reached: {what}"
            ))
        };
        let stream = timeout(PATIENCE, TcpStream::connect((host.as_str(), *port))).await;
        let stream = stream
            .map_err(|_| away("no answer"))?
            .map_err(|error| away(&error.to_string()))?;
        let mut session = Session {
            stream,
            buffer: BytesMut::with_capacity(16 << 10),
        };
        let challenge = session
            .ask("Challenge", "sb-challenge", &[("AuthType", "MD5")])
            .await?;
        let Some(challenge) = challenge.get("Challenge") else {
            return Err(Fault::temporary("the manager interface gave no challenge"));
        };
        let key = proof::md5_hex(&format!("{challenge}{secret}"));
        let fields = [
            ("AuthType", "MD5"),
            ("Username", username.as_str()),
            ("Key", key.as_str()),
            ("Events", events),
        ];
        let answer = session.ask("Login", "sb-login", &fields).await?;
        if answer.get("Response") != Some("Success") {
            return Err(Fault::permanent(format!(
                "the manager interface refuses the user {username:?}: {}. Look at manager.conf: the secret, and permit for this server's address",
                answer.get("Message").unwrap_or("no reason given")
            )));
        }
        Ok(session)
    }

    /// "Test connection".
    pub async fn check(&self) -> Result<String, Fault> {
        self.log_in("off").await?;
        Ok(format!(
            "Logged in at the manager interface as {:?}.",
            self.ami.username
        ))
    }

    /// Runs until stopped.
    pub async fn run(&self, intake: &Arc<dyn Intake>, stop: &CancellationToken) -> Result<(), Fault> {
        tokio::select! {
            () = stop.cancelled() => Ok(()),
            result = self.read(intake) => result,
        }
    }

    async fn read(&self, intake: &Arc<dyn Intake>) -> Result<(), Fault> {
        let before = intake.cursor(CURSOR).await?;
        let mut session = self.log_in("call,dialplan,agent").await?;
        let mut calls = Calls::new(self.rules, self.recordings, before.as_ref());
        session
            .say(&action("CoreShowChannels", &[("ActionID", "sb-channels")]))
            .await?;
        let mut pending: Vec<InboundEvent> = Vec::new();
        let mut ping = interval(PING);
        let mut heard = Instant::now();
        let mut retry_at = Instant::now();
        loop {
            let waits = !pending.is_empty();
            tokio::select! {
                message = session.next() => {
                    let message = message?;
                    heard = Instant::now();
                    if message.event() == Some("Shutdown") {
                        return Err(Fault::temporary("Asterisk is shutting down"));
                    }
                    pending.extend(calls.read(&message, self.clock.now()));
                    // All that has come goes into one commit.
                    while let Some(message) = wire::next(&mut session.buffer).map_err(|what| Fault::temporary(format!("the manager interface sent {what}")))? {
                        pending.extend(calls.read(&message, self.clock.now()));
                    }
                    if pending.is_empty() {
                        intake.alive();
                    }
                }
                () = sleep_until(retry_at), if waits => {}
                _ = ping.tick() => {
                    if heard.elapsed() > SILENCE {
                        return Err(Fault::temporary("the manager interface says nothing any more"));
                    }
                    session.say(&action("Ping", &[("ActionID", "sb-ping")])).await?;
                }
            }
            if pending.is_empty() || Instant::now() < retry_at {
                continue;
            }
            let batch = Batch {
                events: pending.clone(),
                cursor: Some(Cursor {
                    name: CURSOR.to_owned(),
                    value: calls.cursor(),
                }),
            };
            match intake.deliver(batch).await {
                Ok(_) => pending.clear(),
                // Nobody says it a second time: it is kept here until it can be stored.
                Err(fault) if pending.len() < MAX_PENDING => {
                    tracing::warn!(%fault, waiting = pending.len(), "reports of calls could not be stored and are kept");
                    retry_at = Instant::now() + AGAIN;
                }
                Err(fault) => return Err(fault),
            }
        }
    }

    /// Rings an operator's telephone, and then whom they want to talk to.
    pub async fn dial(&self, extension: &str, number: &str, id: &str) -> Result<(), SendError> {
        let retry = |fault: Fault| match fault {
            Fault::Temporary(reason) => SendError::Retry { after: None, reason },
            Fault::Permanent(reason) => SendError::Refused { reason },
        };
        let mut session = self.log_in("off").await.map_err(retry)?;
        let channel = self
            .rules
            .telephone(extension)
            .unwrap_or_else(|| format!("{}/{extension}", self.ami.technology));
        let shown = format!("<{number}>");
        let fields = [
            ("Channel", channel.as_str()),
            ("Context", self.ami.context.as_str()),
            ("Exten", number),
            ("Priority", "1"),
            ("CallerID", shown.as_str()),
            ("Timeout", "30000"),
            ("Async", "true"),
        ];
        // From here on it may ring.
        let answer = session
            .ask("Originate", id, &fields)
            .await
            .map_err(|fault| SendError::Unknown {
                reason: fault.to_string(),
            })?;
        match answer.get("Response") {
            Some("Success") => Ok(()),
            _ => Err(SendError::Refused {
                reason: format!(
                    "Asterisk does not dial: {}",
                    answer.get("Message").unwrap_or("no reason given")
                ),
            }),
        }
    }
}
