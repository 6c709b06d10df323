//! One keeper for each enabled channel that pulls: it holds the channel's lease, runs the receiver, and
//! starts it again when it fails.
//!
//! A crash is a value here (the receiver runs in a task of its own), a temporary fault is retried with
//! back-off, a permanent one parks the channel until its settings change. What a keeper sees goes to
//! the channel's health; no keeper can stop another.

use std::{collections::HashMap, sync::Arc, time::Duration};

use switchboard_sdk::{CancellationToken, Connector, Fault};
use tokio::task::{JoinError, JoinHandle};

use super::{
    Host, Served, backoff, dice,
    health::{self, ErrorReport, Looked, Pulse, Report, State},
    intake::ChannelIntake,
    lease, settings_trouble,
};
use crate::telemetry::metrics::Counter;

/// How long a receiver may take to end after `stop` before it is cut off.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// A later success is written to the row this often at most.
const SUCCESS_EVERY: Duration = Duration::from_secs(15);
/// Keepers are compared with the channels this often even when nothing changed.
const COMPARE_EVERY: Duration = Duration::from_secs(30);

struct Running {
    version: i64,
    /// Runs the channel, rather than only waiting for the end of a run to say that it is off.
    keeps: bool,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// Keeps every channel until `stop`; returns when all keepers have ended.
pub async fn run(host: Host, stop: CancellationToken) {
    let mut changes = host.changes();
    let mut running: HashMap<String, Running> = HashMap::new();
    while !stop.is_cancelled() {
        compare(&host, &mut running, &stop).await;
        tokio::select! {
            () = stop.cancelled() => {}
            _ = changes.changed() => {}
            () = tokio::time::sleep(COMPARE_EVERY) => {}
        }
    }
    for (channel_id, keeper) in running {
        keeper.stop.cancel();
        ended(&channel_id, keeper.task.await);
    }
}

/// Starts, replaces and ends keepers so that they fit the channels as they are.
async fn compare(host: &Host, running: &mut HashMap<String, Running>, stop: &CancellationToken) {
    let wanted = host.all();
    running.retain(|id, keeper| {
        let known = wanted.iter().any(|served| served.channel.id == *id);
        if !known {
            keeper.stop.cancel();
        }
        known
    });
    for served in wanted {
        let id = served.channel.id.clone();
        let version = served.channel.version;
        let previous = running.remove(&id).filter(|keeper| !keeper.task.is_finished());
        let receiving = served
            .active()
            .filter(|connector| connector.receiver().is_some())
            .cloned();
        let Some(connector) = receiving else {
            match previous {
                None => settle(host, &served).await,
                Some(waiting) if !waiting.keeps => {
                    running.insert(id, waiting);
                }
                Some(keeper) => {
                    // Its last words come before "disabled", not after.
                    keeper.stop.cancel();
                    let (host, stop) = (host.clone(), keeper.stop);
                    let task = tokio::spawn(async move {
                        ended(&served.channel.id, keeper.task.await);
                        settle(&host, &served).await;
                    });
                    running.insert(
                        id,
                        Running {
                            version,
                            keeps: false,
                            stop,
                            task,
                        },
                    );
                }
            }
            continue;
        };
        let previous = match previous {
            Some(keeper) if keeper.keeps && keeper.version == version => {
                running.insert(id, keeper);
                continue;
            }
            Some(keeper) => {
                keeper.stop.cancel();
                Some(keeper.task)
            }
            None => None,
        };
        let own = stop.child_token();
        let keeper = Keeper {
            host: host.clone(),
            served: Arc::clone(&served),
            connector,
            stop: own.clone(),
        };
        let task = tokio::spawn(async move {
            // The same channel never runs twice: the old settings' receiver ends first.
            if let Some(task) = previous {
                ended(&keeper.served.channel.id, task.await);
            }
            keeper.keep().await;
        });
        running.insert(
            id,
            Running {
                version,
                keeps: true,
                stop: own,
                task,
            },
        );
    }
}

fn ended(channel_id: &str, result: Result<(), JoinError>) {
    if let Err(error) = result {
        tracing::error!(channel.id = channel_id, %error, "a keeper crashed");
    }
}

/// Says how a channel without a receiver is doing: there is nothing to run.
async fn settle(host: &Host, served: &Served) {
    let report = match &served.connector {
        _ if !served.channel.enabled => Report::state(State::Disabled),
        Err(error) => Report::trouble(State::Failed, settings_trouble(error)),
        Ok(_) => Report {
            state: Some(State::Ok),
            error: ErrorReport::Clear,
            success_at: None,
            looked: None,
        },
    };
    tell(host, &served.channel.id, &report).await;
}

async fn tell(host: &Host, channel_id: &str, report: &Report) {
    let parts = host.parts();
    if let Err(error) = health::report(&parts.db, channel_id, report, parts.clock.now()).await {
        tracing::warn!(channel.id = channel_id, %error, "a channel's health could not be written");
    }
}

/// How a run of a receiver ended.
enum End {
    /// It was asked to.
    Stopped,
    /// Another node has the channel now.
    LeaseLost,
    /// By itself.
    Failed(Fault),
}

/// What was last written of a running channel.
#[derive(Debug, Default)]
struct Told {
    at: Option<chrono::DateTime<chrono::Utc>>,
    behind_since: Option<chrono::DateTime<chrono::Utc>>,
}

struct Keeper {
    host: Host,
    served: Arc<Served>,
    connector: Arc<dyn Connector>,
    stop: CancellationToken,
}

impl Keeper {
    async fn keep(self) {
        let mut failures = 0;
        let mut first = true;
        while self.wait_for_lease().await {
            if std::mem::take(&mut first) {
                let report = Report {
                    state: Some(State::Starting),
                    error: ErrorReport::Clear,
                    success_at: None,
                    looked: None,
                };
                self.tell(&report).await;
            }
            let pulse = Arc::new(Pulse::default());
            let started = self.now();
            let fault = match self.run_once(&pulse).await {
                End::Stopped => break,
                End::LeaseLost => continue,
                End::Failed(fault) => fault,
            };
            let ran_for = (self.now() - started).to_std().unwrap_or_default();
            failures = backoff::count(failures, ran_for, pulse.had_success());
            let channel = &self.served.channel;
            match fault {
                Fault::Permanent(reason) => {
                    tracing::error!(
                        channel.id = channel.id,
                        channel.kind = channel.kind,
                        reason,
                        "a channel is parked"
                    );
                    self.tell(&Report::trouble(State::Failed, reason)).await;
                    // Held while parked, so that no other node tries the same wrong password.
                    self.rest(None).await;
                }
                Fault::Temporary(reason) => {
                    let pause = backoff::pause(failures, dice());
                    Counter::ChannelRestarts.add(1, &[("kind", channel.kind.clone())]);
                    tracing::warn!(
                        channel.id = channel.id,
                        channel.kind = channel.kind,
                        reason,
                        failures,
                        pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
                        "a channel failed and will be started again"
                    );
                    self.tell(&Report::trouble(State::Degraded, reason)).await;
                    self.rest(Some(pause)).await;
                }
            }
        }
        if let Err(error) =
            lease::release(&self.host.parts().db, &self.lease_name(), &self.host.parts().node).await
        {
            tracing::debug!(%error, "a lease was left to lapse");
        }
    }

    /// Runs the receiver until it ends, is stopped, or the lease is gone.
    async fn run_once(&self, pulse: &Arc<Pulse>) -> End {
        let stop = self.stop.child_token();
        let parts = self.host.parts();
        let intake = Arc::new(ChannelIntake {
            channel_id: self.served.channel.id.clone(),
            db: parts.db.clone(),
            ingest: parts.ingest.clone(),
            pulse: Arc::clone(pulse),
            clock: parts.clock.clone(),
            live: parts.live.clone(),
        });
        let mut task = tokio::spawn({
            let (connector, stop) = (Arc::clone(&self.connector), stop.clone());
            async move {
                match connector.receiver() {
                    Some(receiver) => receiver.run(intake, stop).await,
                    None => Err(Fault::permanent("the connector has nothing to receive with")),
                }
            }
        });
        let mut renew = tokio::time::interval(lease::RENEW_EVERY);
        let mut told = Told::default();
        let mut lost = false;
        let result = loop {
            tokio::select! {
                result = &mut task => break result,
                () = self.stop.cancelled() => break end_task(task).await,
                _ = renew.tick() => {
                    if !self.hold_lease().await {
                        lost = true;
                        stop.cancel();
                        break end_task(task).await;
                    }
                }
                () = pulse.news() => self.hear(pulse, &mut told).await,
            }
        };
        self.hear(pulse, &mut told).await;
        match result {
            _ if self.stop.is_cancelled() => End::Stopped,
            _ if lost => End::LeaseLost,
            Ok(Ok(())) => End::Failed(Fault::temporary(
                "the connector stopped receiving without a reason",
            )),
            Ok(Err(fault)) => End::Failed(fault),
            Err(error) => End::Failed(crashed(error)),
        }
    }

    /// Writes what the connector said, a repeated success only now and then.
    async fn hear(&self, pulse: &Pulse, told: &mut Told) {
        let (success, warning) = pulse.take();
        if let Some(message) = warning {
            tracing::warn!(channel.id = self.served.channel.id, message, "a channel warns");
            self.tell(&Report {
                state: None,
                error: ErrorReport::Set(message),
                success_at: None,
                looked: None,
            })
            .await;
        }
        let behind_since = pulse.behind_since();
        let now = self.now();
        let moved = told.behind_since != behind_since;
        let caught_up = moved && behind_since.is_none();
        let Some(at) = success.or(moved.then_some(now)) else {
            return;
        };
        let recently =
            |told: &chrono::DateTime<chrono::Utc>| (at - *told).to_std().is_ok_and(|age| age < SUCCESS_EVERY);
        if told.at.as_ref().is_some_and(recently) && !caught_up {
            return;
        }
        *told = Told {
            at: Some(at),
            behind_since,
        };
        self.tell(&Report {
            state: Some(State::Ok),
            error: ErrorReport::Keep,
            success_at: Some(at),
            looked: Some(Looked { at, behind_since }),
        })
        .await;
    }

    /// Waits until this node may run the channel; false when stopped first.
    async fn wait_for_lease(&self) -> bool {
        while !self.stop.is_cancelled() {
            if self.hold_lease().await {
                return true;
            }
            self.pause(lease::RENEW_EVERY).await;
        }
        false
    }

    /// Waits this long (or until stopped), keeping the lease.
    async fn rest(&self, pause: Option<Duration>) {
        let mut left = pause;
        while !self.stop.is_cancelled() && left != Some(Duration::ZERO) {
            let part = left.map_or(lease::RENEW_EVERY, |left| left.min(lease::RENEW_EVERY));
            self.pause(part).await;
            left = left.map(|left| left - part);
            if left != Some(Duration::ZERO) && !self.hold_lease().await {
                return;
            }
        }
    }

    async fn pause(&self, pause: Duration) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }

    /// Takes or renews the lease. A store that cannot be asked counts as "not ours": running without a
    /// lease could run the channel twice.
    async fn hold_lease(&self) -> bool {
        let parts = self.host.parts();
        let held = lease::hold(&parts.db, &self.lease_name(), &parts.node, parts.clock.now()).await;
        held.unwrap_or_else(|error| {
            tracing::warn!(channel.id = self.served.channel.id, %error, "a channel's lease could not be renewed");
            false
        })
    }

    fn lease_name(&self) -> String {
        format!("channel:{}", self.served.channel.id)
    }

    fn now(&self) -> chrono::DateTime<chrono::Utc> {
        self.host.parts().clock.now()
    }

    async fn tell(&self, report: &Report) {
        tell(&self.host, &self.served.channel.id, report).await;
    }
}

type RunResult = Result<Result<(), Fault>, JoinError>;

/// Waits for a receiver that was told to stop; cuts it off when it does not.
async fn end_task(mut task: JoinHandle<Result<(), Fault>>) -> RunResult {
    if let Ok(result) = tokio::time::timeout(STOP_LIMIT, &mut task).await {
        return result;
    }
    task.abort();
    task.await
}

fn crashed(error: JoinError) -> Fault {
    let what = error.try_into_panic().ok().and_then(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| panic.downcast_ref::<String>().cloned())
    });
    Fault::Temporary(what.map_or_else(
        || "the connector crashed".to_owned(),
        |what| format!("the connector crashed: {what}"),
    ))
}
