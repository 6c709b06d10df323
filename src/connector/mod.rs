//! The server's side of the connector boundary: which connectors there are, the channels built from
//! them, and their supervision.
//!
//! [`Host`] holds one built connector for each channel row and follows the log, so that a change made
//! by another process arrives too. [`supervisor`] runs the pulling ones; one broken channel never stops
//! another.

pub mod backoff;
mod follow;
pub mod health;
pub mod intake;
pub mod lease;
pub mod pushes;
pub mod registry;
pub mod replay;
pub mod supervisor;

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{DbErr, EntityTrait};
use serde_json::Value;
use switchboard_sdk::{
    BuildContext, CancellationToken, CheckStep, Connector, Descriptor, Http, SettingsError, SigningKey,
};
use tokio::sync::watch;

use crate::{
    channel::{secrets::ChannelSecrets, store},
    clock::SharedClock,
    db::{Db, entity::channel},
    id,
    ingest::Ingest,
    live::Live,
    secret::Vault,
    storage::Storage,
};

/// How long "test connection" may take.
pub const CHECK_LIMIT: Duration = Duration::from_secs(20);

/// The success of a channel that is pushed to is written down this often at most.
const REACHED_EVERY: TimeDelta = TimeDelta::minutes(1);

/// What a host is made of.
#[derive(Clone)]
pub struct Parts {
    /// The connectors of this build ([`registry::ALL`]), or fakes.
    pub descriptors: Vec<&'static Descriptor>,
    /// The store.
    pub db: Db,
    /// Where quarantined bytes are.
    pub storage: Storage,
    /// Opens the channels' secrets.
    pub vault: Vault,
    /// Where events go.
    pub ingest: Ingest,
    /// Time.
    pub clock: SharedClock,
    /// Who this process is among the nodes, see [`node_name`].
    pub node: String,
    /// The server's address as the world sees it, without a trailing slash.
    pub public_url: String,
    /// Largest accepted upload, in bytes.
    pub max_upload_bytes: u64,
    /// Asks over HTTP for connectors.
    pub http: Arc<dyn Http>,
    /// Tells the sockets what is not stored.
    pub live: Live,
}

/// The name a process holds its leases under.
///
/// A SQLite installation is one node: after a crash the next process is the same owner and goes on at
/// once. On PostgreSQL each process is a node of its own and waits for the dead one's leases to lapse.
pub fn node_name(db: &Db) -> String {
    if db.is_postgres() {
        format!("node-{}", id::word())
    } else {
        "node".to_owned()
    }
}

/// A random number in `0.0..1.0`, for jitter.
pub(crate) fn dice() -> f64 {
    let mut bytes = [0_u8; 4];
    id::fill_random(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
}

/// A channel as this process serves it.
#[derive(Debug)]
pub struct Served {
    /// Its row, without the secrets.
    pub channel: channel::Model,
    /// Its connector's description; `None` when this build has no such kind.
    pub descriptor: Option<&'static Descriptor>,
    /// The connector, or what is wrong with its settings.
    pub connector: Result<Arc<dyn Connector>, SettingsError>,
}

impl Served {
    /// The connector, when it can be used now: enabled, and settings that work.
    pub fn active(&self) -> Option<&Arc<dyn Connector>> {
        self.connector.as_ref().ok().filter(|_| self.channel.enabled)
    }
}

/// The answer of "test connection".
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Check {
    /// It would work.
    pub ok: bool,
    /// What was found, in words for an admin.
    pub detail: String,
    /// The same step by step, in their order; what cannot be tried after a failure is missing.
    pub steps: Vec<Step>,
}

/// One step of "test connection".
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[schema(as = CheckStep)]
pub struct Step {
    /// A stable word, such as `imap_login`; `connection` for the whole.
    pub step: String,
    /// It went well.
    pub ok: bool,
    /// What was found, or what failed and what to do.
    pub detail: String,
}

impl Check {
    /// What the steps say as a whole.
    fn of(steps: Vec<CheckStep>) -> Self {
        let shown = steps
            .iter()
            .map(|step| Step {
                step: step.step.to_owned(),
                ok: step.outcome.is_ok(),
                detail: step.outcome.clone().unwrap_or_else(|fault| fault.to_string()),
            })
            .collect();
        let whole = CheckStep::summary(steps);
        Self {
            ok: whole.is_ok(),
            detail: whole.unwrap_or_else(|fault| fault.to_string()),
            steps: shown,
        }
    }

    /// Failed before the first step, or in no step.
    fn failed(detail: String) -> Self {
        Self {
            ok: false,
            detail,
            steps: Vec::new(),
        }
    }
}

/// All channels of this process. Cheap to clone.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    parts: Parts,
    channels: RwLock<HashMap<String, Arc<Served>>>,
    changes: watch::Sender<u64>,
    /// When the last success of a channel that is pushed to was written down.
    reached: Mutex<HashMap<String, DateTime<Utc>>>,
    pushes: pushes::Pushes,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Host")
    }
}

impl Host {
    /// A host without channels yet; see [`Host::load`] and [`Host::run`].
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Inner {
            parts,
            channels: RwLock::default(),
            changes: watch::Sender::new(0),
            reached: Mutex::default(),
            pushes: pushes::Pushes::default(),
        }))
    }

    /// What was pushed lately to channels that are watched.
    pub fn pushes(&self) -> &pushes::Pushes {
        &self.0.pushes
    }

    /// Every connector of this build.
    pub fn descriptors(&self) -> &[&'static Descriptor] {
        &self.0.parts.descriptors
    }

    /// The connector of a kind.
    pub fn descriptor(&self, kind: &str) -> Option<&'static Descriptor> {
        self.descriptors()
            .iter()
            .copied()
            .find(|descriptor| descriptor.kind == kind)
    }

    /// A channel by its id.
    pub fn served(&self, channel_id: &str) -> Option<Arc<Served>> {
        self.0
            .channels
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(channel_id)
            .cloned()
    }

    /// A channel by its key. One that another process made a moment ago is found too.
    pub async fn served_by_key(&self, key: &str) -> Result<Option<Arc<Served>>, DbErr> {
        let by_key = |served: &&Arc<Served>| served.channel.key == key;
        let known = self
            .0
            .channels
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .find(by_key)
            .cloned();
        if known.is_some() {
            return Ok(known);
        }
        let row = store::by_key(self.0.parts.db.read(), key).await?;
        let Some(row) = row else { return Ok(None) };
        let id = row.id.clone();
        self.put(row);
        Ok(self.served(&id))
    }

    /// The built connector of a channel, enabled or not.
    pub fn connector(&self, channel_id: &str) -> Option<Arc<dyn Connector>> {
        self.served(channel_id)?.connector.as_ref().ok().cloned()
    }

    /// All channels.
    pub fn all(&self) -> Vec<Arc<Served>> {
        self.0
            .channels
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect()
    }

    /// Changes whenever a channel was built anew or removed.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// Makes a connector of a channel row and its settings with secrets; for checking settings before
    /// they are stored, too. A connector that panics is one whose settings cannot work.
    pub fn build(
        &self,
        channel: &channel::Model,
        settings: Value,
    ) -> Result<Arc<dyn Connector>, SettingsError> {
        let descriptor = self.descriptor(&channel.kind).ok_or_else(|| {
            SettingsError::new(
                "kind",
                format!("this build has no connector of the kind {:?}", channel.kind),
            )
        })?;
        let parts = &self.0.parts;
        let context = BuildContext {
            channel_id: channel.id.clone(),
            channel_key: channel.key.clone(),
            channel_name: channel.name.clone(),
            public_url: parts.public_url.clone(),
            max_upload_bytes: parts.max_upload_bytes,
            clock: parts.clock.clone(),
            signing_key: SigningKey::new(parts.vault.key_of_channel(&channel.id)),
            scratch: parts.storage.folder().to_owned(),
            secrets: Arc::new(ChannelSecrets::new(&parts.db, &parts.vault, &channel.id)),
            http: Arc::clone(&parts.http),
        };
        catch_unwind(AssertUnwindSafe(|| (descriptor.build)(settings, context)))
            .unwrap_or_else(|_panic| Err(SettingsError::new("", "the connector crashed on these settings")))
    }

    /// Builds all channels as they are in the database. Called before anything is served, and now and
    /// then as a safety net.
    pub async fn load(&self) -> Result<(), DbErr> {
        let rows = channel::Entity::find().all(self.0.parts.db.read()).await?;
        let gone: Vec<String> = self
            .all()
            .iter()
            .map(|served| served.channel.id.clone())
            .filter(|id| !rows.iter().any(|row| row.id == *id))
            .collect();
        // A channel made after the rows were read is not gone: look at each again.
        for id in gone {
            self.reload(&id).await?;
        }
        for row in rows {
            self.put(row);
        }
        Ok(())
    }

    /// Takes up what the database now says of a channel, a removal included. Whoever changes a channel
    /// calls this after the commit, so that the next request sees the change; other processes learn it
    /// from the log.
    pub async fn reload(&self, channel_id: &str) -> Result<(), DbErr> {
        match channel::Entity::find_by_id(channel_id)
            .one(self.0.parts.db.read())
            .await?
        {
            Some(row) => self.put(row),
            None => {
                let mut channels = self.0.channels.write().unwrap_or_else(PoisonError::into_inner);
                if channels.remove(channel_id).is_some() {
                    drop(channels);
                    self.0.changes.send_modify(|count| *count += 1);
                }
            }
        }
        Ok(())
    }

    /// Serves a row, unless what is served is as new. Health is not part of what is served.
    fn put(&self, mut row: channel::Model) {
        let newer = |served: &Arc<Served>| {
            let known = &served.channel;
            row.version > known.version || row.updated_at > known.updated_at
        };
        if !self.served(&row.id).as_ref().is_none_or(newer) {
            return;
        }
        let connector = self.open(&row).and_then(|settings| self.build(&row, settings));
        if let Err(error) = &connector {
            tracing::warn!(channel.id = row.id, channel.kind = row.kind, %error, "a channel has settings that cannot work");
        }
        row.secrets = None;
        let served = Arc::new(Served {
            descriptor: self.descriptor(&row.kind),
            connector,
            channel: row,
        });
        let mut channels = self.0.channels.write().unwrap_or_else(PoisonError::into_inner);
        // Somebody may have been faster with a newer row.
        let stale = |known: &Arc<Served>| known.channel.version > served.channel.version;
        if channels.get(&served.channel.id).is_some_and(stale) {
            return;
        }
        channels.insert(served.channel.id.clone(), served);
        drop(channels);
        self.0.changes.send_modify(|count| *count += 1);
    }

    fn open(&self, row: &channel::Model) -> Result<Value, SettingsError> {
        crate::channel::settings_with_secrets(row, &self.0.parts.vault)
            .map_err(|error| SettingsError::new("", error.to_string()))
    }

    /// "Test connection": asks the connector, for at most [`CHECK_LIMIT`]. `None` when there is no such channel.
    pub async fn check(&self, channel_id: &str) -> Result<Option<Check>, DbErr> {
        self.reload(channel_id).await?;
        let Some(served) = self.served(channel_id) else {
            return Ok(None);
        };
        let connector = match &served.connector {
            Ok(connector) => Arc::clone(connector),
            Err(error) => return Ok(Some(Check::failed(settings_trouble(error)))),
        };
        // Spawned, so that a crash is a value here and not the end of the request.
        let mut task = tokio::spawn(async move { connector.check_steps().await });
        let answer = match tokio::time::timeout(CHECK_LIMIT, &mut task).await {
            Ok(Ok(steps)) => Check::of(steps),
            Ok(Err(_panic)) => Check::failed("the connector crashed during the test".to_owned()),
            Err(_late) => {
                task.abort();
                Check::failed(format!("no answer within {} seconds", CHECK_LIMIT.as_secs()))
            }
        };
        Ok(Some(answer))
    }

    /// A push to this channel was stored: feeds its health, now and then, beside the request.
    pub fn reached(&self, channel_id: &str) {
        let now = self.0.parts.clock.now();
        let mut reached = self.0.reached.lock().unwrap_or_else(PoisonError::into_inner);
        match reached.get_mut(channel_id) {
            Some(told) if now - *told < REACHED_EVERY => return,
            Some(told) => *told = now,
            None => {
                reached.insert(channel_id.to_owned(), now);
            }
        }
        drop(reached);
        let report = health::Report {
            state: None,
            error: health::ErrorReport::Keep,
            success_at: Some(now),
            looked: None,
        };
        self.report(channel_id, report);
    }

    /// Sending on this channel fails for a reason that is not the message's own: an admin should read it.
    /// Whether the channel works as a whole its receiver knows.
    pub fn sending_fails(&self, channel_id: &str, reason: &str) {
        let error = health::ErrorReport::Set(format!("sending: {reason}"));
        self.report(
            channel_id,
            health::Report {
                state: None,
                error,
                success_at: None,
                looked: None,
            },
        );
    }

    fn report(&self, channel_id: &str, report: health::Report) {
        let (host, channel_id) = (self.clone(), channel_id.to_owned());
        tokio::spawn(async move {
            let parts = &host.0.parts;
            if let Err(error) = health::report(&parts.db, &channel_id, &report, parts.clock.now()).await {
                tracing::warn!(channel.id = channel_id, %error, "a channel's health could not be written");
            }
        });
    }

    /// Follows changes and keeps every channel running until `stop`; returns when all have ended.
    pub async fn run(&self, stop: CancellationToken) {
        tokio::join!(
            follow::run(self.clone(), stop.clone()),
            supervisor::run(self.clone(), stop)
        );
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.0.parts
    }
}

/// A settings error as the channel's health shows it.
pub(crate) fn settings_trouble(error: &SettingsError) -> String {
    if error.field.is_empty() {
        error.message.clone()
    } else {
        error.to_string()
    }
}
