//! The worker that empties the outbox.
//!
//! It wakes by the log (a reply was queued), by the next due time, and looks now and then anyway. A
//! claim is one transaction: rows get a lease, messages become `sending`, and the id the provider will
//! know a message by is stored, so that an answer to it finds its conversation even when this process
//! dies right after the send.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};
use sea_orm::{DbErr, EntityTrait, Set, Unchanged, sea_query::OnConflict};
use switchboard_sdk::{CancellationToken, Connector, OutboundMessage};
use tokio::task::{Id, JoinSet};

use super::{
    record,
    send::{self, Flight, Task},
    store,
};
use crate::{
    clock::SharedClock,
    connector::{Host, Served},
    db::{
        Db, WriteTx,
        entity::{message, outbox, thread_ref},
    },
    event::{EventType, NewEvent},
};

/// Messages being sent at once, over all channels.
const IN_FLIGHT: usize = 32;
/// Messages being sent at once on one channel, so that a slow one leaves room for others.
const IN_FLIGHT_PER_CHANNEL: usize = 4;
/// Other nodes write without waking this one: look this often anyway.
const LOOK_ANYWAY: Duration = Duration::from_secs(2);
/// Under load many commits are looked at together; a reply waits this long at most.
const GATHER: Duration = Duration::from_millis(10);
/// The pause after the store failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Sends what is queued.
#[derive(Debug, Clone)]
pub struct Dispatcher {
    host: Host,
}

/// What is on its way now, by task.
type Flying = HashMap<Id, (String, String)>;
/// Channels whose limit is reached, and until when. Each node counts what it sends itself.
type Paused = HashMap<String, DateTime<Utc>>;
/// Each answers how long its channel is to be left alone.
type Tasks = JoinSet<Option<Duration>>;

impl Dispatcher {
    /// Sends through the channels of this host.
    pub fn new(host: Host) -> Self {
        Self { host }
    }

    /// Sends until `stop`, then waits for what is on its way.
    pub async fn run(&self, stop: CancellationToken) {
        let mut head = self.db().head();
        let mut channels = self.host.changes();
        let mut tasks = Tasks::new();
        let mut flying = Flying::new();
        let mut paused = Paused::new();
        let mut renew = tokio::time::interval(store::LEASE / 3);
        let mut fresh = true;
        loop {
            if fresh {
                // What carries our name from before is nobody's now (see `node_name`).
                fresh = !self.or_log(
                    "the outbox cannot be recovered",
                    self.recover(true, &flying).await,
                );
            }
            self.or_log(
                "the outbox cannot be read",
                self.take(&mut tasks, &mut flying, &mut paused).await,
            );
            let pause = self.until_next_due().await;
            tokio::select! {
                () = stop.cancelled() => break,
                Some(done) = tasks.join_next_with_id() => self.landed(&mut flying, &mut paused, done),
                _ = renew.tick() => self.keep_leases(&flying).await,
                _ = head.changed() => tokio::time::sleep(GATHER).await,
                _ = channels.changed() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        while !tasks.is_empty() {
            tokio::select! {
                Some(done) = tasks.join_next_with_id() => self.landed(&mut flying, &mut paused, done),
                _ = renew.tick() => self.keep_leases(&flying).await,
            }
        }
    }

    /// Claims what may be sent and starts sending it.
    async fn take(&self, tasks: &mut Tasks, flying: &mut Flying, paused: &mut Paused) -> Result<(), DbErr> {
        let room = IN_FLIGHT.saturating_sub(flying.len());
        if room == 0 {
            return Ok(());
        }
        let now = self.clock().now();
        paused.retain(|_, until| *until > now);
        let mut ready = Vec::new();
        for channel_id in store::waiting_channels(self.db(), now).await? {
            if paused.contains_key(&channel_id) {
                continue;
            }
            let busy = flying
                .values()
                .filter(|(channel, _)| *channel == channel_id)
                .count();
            let free = IN_FLIGHT_PER_CHANNEL.saturating_sub(busy);
            let served = self.host.served(&channel_id);
            let sender = served
                .as_ref()
                .and_then(|served| served.active().filter(|it| it.sender().is_some()).cloned());
            // A channel that is off or broken keeps its messages; its health says why.
            if let (Some(served), Some(connector), true) = (served, sender, free > 0) {
                ready.push((served, connector, free));
            }
        }
        if ready.is_empty() {
            return Ok(());
        }
        let mut write = self.db().write().await?;
        let mut flights = Vec::new();
        for (served, connector, free) in ready {
            let free = free.min(room - flights.len());
            flights.extend(self.claim(&mut write, &served, &connector, free).await?);
        }
        write.commit().await?;
        for flight in flights {
            let place = (flight.row.channel_id.clone(), flight.row.message_id.clone());
            let handle = tasks.spawn(send::run(self.host.clone(), flight));
            flying.insert(handle.id(), place);
        }
        Ok(())
    }

    async fn claim(
        &self,
        write: &mut WriteTx,
        served: &Arc<Served>,
        connector: &Arc<dyn Connector>,
        limit: usize,
    ) -> Result<Vec<Flight>, DbErr> {
        let now = self.clock().now();
        let mut flights = Vec::new();
        for row in store::claim(write, &served.channel.id, limit, &self.host.parts().node, now).await? {
            let Some(letter) = store::letter(write.tx(), &row.message_id).await? else {
                continue;
            };
            if let Some(mail) = &letter.mail
                && store::is_seen(write.tx(), mail, letter.conversation.client_read_seq).await?
            {
                record::spared(write, &row, now).await?;
                continue;
            }
            let mut change = message::ActiveModel {
                id: Unchanged(row.message_id.clone()),
                delivery_state: Set(Some("sending".to_owned())),
                delivery_attempts: Set(letter.message.delivery_attempts + 1),
                ..Default::default()
            };
            let outbound = send::outbound(&letter);
            let task = Task::of(&row, &letter);
            if task != Task::Send {
                change = message::ActiveModel {
                    id: Unchanged(row.message_id.clone()),
                    change_state: Set(Some("sending".to_owned())),
                    ..Default::default()
                };
            } else if let Some(external_id) = chosen_id(connector, &outbound) {
                remember(write, &row, &external_id, now).await?;
                change.external_id = Set(Some(external_id));
            }
            message::Entity::update(change)
                .exec_without_returning(write.tx())
                .await?;
            write.record(NewEvent::message(
                EventType::MessageUpdated,
                &row.message_id,
                &row.conversation_id,
                now,
            ));
            flights.push(Flight {
                row,
                task,
                doomed: unreachable_since(&letter).map(|_| {
                    letter
                        .conversation
                        .unreachable_reason
                        .clone()
                        .unwrap_or_else(|| "nothing reaches this customer on this channel".to_owned())
                }),
                outbound,
                attachments: letter.attachments,
                connector: Arc::clone(connector),
                kind: served.channel.kind.clone(),
                idempotent: served
                    .descriptor
                    .is_some_and(|descriptor| descriptor.capabilities.idempotent_send),
            });
        }
        Ok(flights)
    }

    /// Gives what a dead process was sending its honest state.
    async fn recover(&self, own_too: bool, flying: &Flying) -> Result<(), DbErr> {
        let node = &self.host.parts().node;
        let own = own_too.then_some(node.as_str());
        for row in store::abandoned(self.db().read(), own, self.clock().now()).await? {
            if flying
                .values()
                .any(|(_, message_id)| *message_id == row.message_id)
            {
                continue;
            }
            let idempotent = self
                .host
                .served(&row.channel_id)
                .and_then(|served| served.descriptor);
            let idempotent = idempotent.is_some_and(|descriptor| descriptor.capabilities.idempotent_send);
            // A change that was made twice was made.
            let idempotent = idempotent || row.kind != "send";
            record::abandoned(self.db(), &row, idempotent, self.clock().now()).await?;
        }
        Ok(())
    }

    async fn keep_leases(&self, flying: &Flying) {
        let ids = flying
            .values()
            .map(|(_, message_id)| message_id.clone())
            .collect();
        let node = &self.host.parts().node;
        self.or_log(
            "leases cannot be renewed",
            store::renew(self.db(), ids, node, self.clock().now()).await,
        );
        self.or_log(
            "the outbox cannot be recovered",
            self.recover(false, flying).await,
        );
    }

    async fn until_next_due(&self) -> Duration {
        let now = self.clock().now();
        match store::next_due(self.db(), now).await {
            Ok(Some(due)) => (due - now)
                .to_std()
                .unwrap_or_default()
                .clamp(Duration::from_millis(1), LOOK_ANYWAY),
            Ok(None) => LOOK_ANYWAY,
            Err(_) => AFTER_FAILURE,
        }
    }

    fn or_log(&self, what: &str, result: Result<(), DbErr>) -> bool {
        if let Err(error) = &result {
            tracing::error!(%error, "{what}; trying again");
        }
        result.is_ok()
    }

    fn landed(
        &self,
        flying: &mut Flying,
        paused: &mut Paused,
        done: Result<(Id, Option<Duration>), tokio::task::JoinError>,
    ) {
        let id = match &done {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        let Some((channel_id, message_id)) = flying.remove(&id) else {
            return;
        };
        match done {
            Ok((_, Some(pause))) => {
                paused.insert(channel_id, self.clock().now() + pause);
            }
            Ok((_, None)) => {}
            // Its lease ends, and then it is uncertain.
            Err(error) => tracing::error!(message.id = message_id, %error, "sending a message crashed"),
        }
    }

    fn db(&self) -> &Db {
        &self.host.parts().db
    }

    fn clock(&self) -> &SharedClock {
        &self.host.parts().clock
    }
}

/// The id the connector gives the message before it is sent; a connector that crashes over it gives none.
fn chosen_id(connector: &Arc<dyn Connector>, outbound: &OutboundMessage) -> Option<String> {
    let ask = AssertUnwindSafe(|| connector.sender().and_then(|sender| sender.external_id(outbound)));
    catch_unwind(ask).unwrap_or(None)
}

/// Since when nothing reaches the customer by the channel of the conversation; a mail of a chat goes by another.
fn unreachable_since(letter: &store::Letter) -> Option<DateTime<Utc>> {
    letter
        .conversation
        .unreachable_since
        .filter(|_| letter.mail.is_none())
}

/// Stores an id under which the channel knows the message, so that answers to it are threaded.
pub(super) async fn remember(
    write: &WriteTx,
    row: &outbox::Model,
    external_id: &str,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<(), DbErr> {
    let known = thread_ref::ActiveModel {
        channel_id: Set(row.channel_id.clone()),
        external_id: Set(external_id.to_owned()),
        conversation_id: Set(row.conversation_id.clone()),
        message_id: Set(Some(row.message_id.clone())),
        created_at: Set(now),
    };
    let twice = OnConflict::columns([thread_ref::Column::ChannelId, thread_ref::Column::ExternalId])
        .do_nothing()
        .to_owned();
    thread_ref::Entity::insert(known)
        .on_conflict(twice)
        .exec_without_returning(write.tx())
        .await?;
    Ok(())
}
