//! The worker that sends deliveries.
//!
//! It wakes by the bell of this process, by the next due time, and looks now and then anyway: other nodes make
//! deliveries too. What came back is recorded and what is due is claimed in one transaction. A process that dies
//! between sending and recording leaves a lease to lapse; the delivery then goes out again under the same id.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{Method, header};
use sea_orm::DbErr;
use switchboard_sdk::{CancellationToken, HttpError};
use tokio::task::{Id, JoinSet};

use super::{
    Bell, queue,
    record::{self, Answer, Landing},
    schedule, secrets,
    sign::{self, Secrets},
    store,
};
use crate::{
    clock::SharedClock,
    db::{
        Db,
        entity::{webhook, webhook_delivery},
    },
    outgoing::Outgoing,
    secret::Vault,
};

/// How long the program at the other end may take.
const LIMIT: Duration = Duration::from_secs(20);
/// How much of its answer is kept.
const KEEP_ANSWER: usize = 1024;
/// Other nodes write without waking this one: look this often anyway.
const LOOK_ANYWAY: Duration = Duration::from_secs(2);
/// Answers that come at the same time are recorded together.
const GATHER: Duration = Duration::from_millis(10);
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// How long a stop waits for answers. What has none by then goes out again with the next start.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// What the dispatcher is made of.
#[derive(Clone)]
pub struct Dispatcher {
    /// The store.
    pub db: Db,
    /// Time.
    pub clock: SharedClock,
    /// Opens the secrets.
    pub vault: Vault,
    /// The way out.
    pub outgoing: Outgoing,
    /// Wakes it.
    pub bell: Bell,
    /// Who this process is among the nodes.
    pub node: String,
}

impl std::fmt::Debug for Dispatcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dispatcher")
    }
}

/// One attempt about to be made.
struct Flight {
    delivery: webhook_delivery::Model,
    url: String,
    secrets: Secrets,
}

/// What is on its way, by task: the webhook of each.
type Flying = HashMap<Id, String>;

impl Dispatcher {
    /// Sends until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut tasks: JoinSet<Landing> = JoinSet::new();
        let mut flying = Flying::new();
        let mut landed: Vec<Landing> = Vec::new();
        let mut fresh = true;
        loop {
            let pause = match self.turn(&mut tasks, &mut flying, &mut landed, fresh).await {
                Ok(pause) => {
                    fresh = false;
                    pause
                }
                Err(error) => {
                    tracing::error!(%error, "webhooks cannot be served now; trying again");
                    AFTER_FAILURE
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                Some(done) = tasks.join_next_with_id() => {
                    take(&mut flying, &mut landed, done);
                    tokio::time::sleep(GATHER).await;
                }
                () = self.bell.rung() => {}
                () = tokio::time::sleep(pause) => {}
            }
            while let Some(done) = tasks.try_join_next_with_id() {
                take(&mut flying, &mut landed, done);
            }
        }
        let last = async {
            while let Some(done) = tasks.join_next_with_id().await {
                take(&mut flying, &mut landed, done);
            }
        };
        drop(tokio::time::timeout(LAST_ANSWERS, last).await);
        if let Err(error) = self.record(&mut landed).await {
            tracing::warn!(%error, "what became of some webhooks' deliveries is lost; they go out again");
        }
    }

    /// Records what came back, claims what is due and starts sending it. Answers how long there is nothing to do.
    async fn turn(
        &self,
        tasks: &mut JoinSet<Landing>,
        flying: &mut Flying,
        landed: &mut Vec<Landing>,
        fresh: bool,
    ) -> Result<Duration, DbErr> {
        self.record(landed).await?;
        let now = self.clock.now();
        queue::recover(&self.db, fresh.then_some(self.node.as_str()), now).await?;
        let mut next: Option<DateTime<Utc>> = None;
        let mut ready = Vec::new();
        let due = queue::due(self.db.read()).await?;
        if due.is_empty() {
            return Ok(LOOK_ANYWAY);
        }
        for row in store::all(self.db.read()).await? {
            let Some(due) = due.get(&row.id) else { continue };
            let begins = row
                .paused_until
                .filter(|_| row.enabled)
                .map_or(*due, |until| until.max(*due));
            let busy = flying.values().filter(|id| **id == row.id).count();
            let free = schedule::together(row.failures).saturating_sub(busy);
            if begins > now {
                next = Some(next.map_or(begins, |next| next.min(begins)));
            } else if free > 0 {
                ready.push((row, free));
            }
        }
        if !ready.is_empty() {
            self.send(tasks, flying, ready, now).await?;
        }
        let until = next.map_or(LOOK_ANYWAY, |next| (next - now).to_std().unwrap_or_default());
        Ok(until.clamp(Duration::from_millis(1), LOOK_ANYWAY))
    }

    async fn send(
        &self,
        tasks: &mut JoinSet<Landing>,
        flying: &mut Flying,
        ready: Vec<(webhook::Model, usize)>,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let write = self.db.write().await?;
        let mut flights = Vec::new();
        for (row, free) in ready {
            let Ok(secrets) = secrets(&self.vault, &row) else {
                tracing::error!(
                    webhook.id = row.id,
                    "the secrets of a webhook cannot be opened: its deliveries wait"
                );
                continue;
            };
            for delivery in queue::claim(&write, &row, free, &self.node, now).await? {
                flights.push(Flight {
                    delivery,
                    url: row.url.clone(),
                    secrets: secrets.clone(),
                });
            }
        }
        write.commit().await?;
        for flight in flights {
            let webhook_id = flight.delivery.webhook_id.clone();
            let me = self.clone();
            let handle = tasks.spawn(async move { me.fly(flight).await });
            flying.insert(handle.id(), webhook_id);
        }
        Ok(())
    }

    async fn record(&self, landed: &mut Vec<Landing>) -> Result<(), DbErr> {
        if landed.is_empty() {
            return Ok(());
        }
        let mut write = self.db.write().await?;
        record::landed(&mut write, landed, &self.node, self.clock.now()).await?;
        write.commit().await?;
        landed.clear();
        Ok(())
    }

    async fn fly(&self, flight: Flight) -> Landing {
        let began = Instant::now();
        let answer = self.ask(&flight).await;
        Landing {
            delivery: flight.delivery,
            took: began.elapsed(),
            answer,
        }
    }

    async fn ask(&self, flight: &Flight) -> Answer {
        let now = self.clock.now();
        let delivery = &flight.delivery;
        let body = delivery.body.clone();
        let request = http::Request::builder()
            .method(Method::POST)
            .uri(&flight.url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(sign::ID, &delivery.id)
            .header(sign::TIMESTAMP, now.timestamp().to_string())
            .header(
                sign::SIGNATURE,
                flight.secrets.sign(&delivery.id, now, body.as_bytes()),
            )
            .body(Bytes::from(body));
        let Ok(request) = request else {
            return Answer::none("the address is none".to_owned(), false);
        };
        match self.outgoing.tell(request, LIMIT, KEEP_ANSWER).await {
            Ok(told) => Answer {
                retry_after: told
                    .retry_after
                    .as_deref()
                    .and_then(|value| schedule::retry_after(value, now)),
                error: (!(200..300).contains(&told.status)).then(|| refused(told.status)),
                status: Some(told.status),
                text: Some(told.text).filter(|text| !text.is_empty()),
                passing: true,
            },
            Err(HttpError::Forbidden(reason)) => Answer::none(reason, false),
            Err(HttpError::NotSent(reason) | HttpError::Unknown(reason)) => Answer::none(reason, true),
        }
    }
}

fn refused(status: u16) -> String {
    if (300..400).contains(&status) {
        return format!("answered {status}: redirects are not followed; enter the address it leads to");
    }
    format!("answered {status}")
}

fn take(flying: &mut Flying, landed: &mut Vec<Landing>, done: Result<(Id, Landing), tokio::task::JoinError>) {
    match done {
        Ok((id, landing)) => {
            flying.remove(&id);
            landed.push(landing);
        }
        // Its lease lapses, and then it goes out again.
        Err(error) => {
            flying.remove(&error.id());
            tracing::error!(%error, "sending to a webhook crashed");
        }
    }
}
