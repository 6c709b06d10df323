//! The adapters of this process: which there are, and one built for each connection.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use serde_json::Value;
use switchboard_crm::{Adapter, AtOnce, BuildContext, Descriptor, SyncError};
use switchboard_sdk::{Http, SettingsError};

use super::{Bell, pace::Turns, secrets::ConnectionSecrets, settings_with_secrets};
use crate::{
    clock::SharedClock,
    db::{Db, entity::crm_connection},
    secret::Vault,
};

/// How long an admin waits for an answer of a CRM.
pub const LIVE_LIMIT: Duration = Duration::from_secs(20);

/// What the engine is made of.
#[derive(Clone)]
pub struct Parts {
    /// The adapters of this build, or fakes.
    pub adapters: Vec<&'static Descriptor>,
    /// The store.
    pub db: Db,
    /// Opens the connections' secrets.
    pub vault: Vault,
    /// Time.
    pub clock: SharedClock,
    /// Who this process is among the nodes.
    pub node: String,
    /// The server's address as the world sees it.
    pub public_url: String,
    /// Asks over HTTP for adapters.
    pub http: Arc<dyn Http>,
}

/// All adapters of this process. Cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    parts: Parts,
    bell: Bell,
    built: Mutex<HashMap<String, Built>>,
    turns: Mutex<HashMap<String, Arc<Turns>>>,
}

/// What was built of one version of a connection.
struct Built {
    version: i64,
    updated_at: DateTime<Utc>,
    adapter: Result<Arc<dyn Adapter>, SettingsError>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Engine")
    }
}

impl Engine {
    /// Without adapters yet: each is built when it is first needed.
    pub fn new(mut parts: Parts) -> Self {
        parts.public_url = parts.public_url.trim_end_matches('/').to_owned();
        Self(Arc::new(Inner {
            parts,
            bell: Bell::default(),
            built: Mutex::default(),
            turns: Mutex::default(),
        }))
    }

    /// What it is made of.
    pub fn parts(&self) -> &Parts {
        &self.0.parts
    }

    /// Wakes the worker of this process.
    pub fn bell(&self) -> &Bell {
        &self.0.bell
    }

    /// The adapter of a kind.
    pub fn descriptor(&self, kind: &str) -> Option<&'static Descriptor> {
        let mut known = self.0.parts.adapters.iter().copied();
        known.find(|descriptor| descriptor.kind == kind)
    }

    /// Builds an adapter and throws it away: to see whether settings can work.
    pub fn try_build(&self, row: &crm_connection::Model, settings: Value) -> Result<(), SettingsError> {
        self.build(row, settings, Arc::new(AtOnce)).map(drop)
    }

    /// The adapter of a connection as it is set now.
    pub fn adapter(&self, row: &crm_connection::Model) -> Result<Arc<dyn Adapter>, SettingsError> {
        let mut built = self.0.built.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = built.get(&row.id)
            && (known.version, known.updated_at) == (row.version, row.updated_at)
        {
            return known.adapter.clone();
        }
        let adapter = settings_with_secrets(row, &self.0.parts.vault)
            .map_err(|error| SettingsError::new("", error.to_string()))
            .and_then(|settings| self.build(row, settings, self.turns(row)));
        built.insert(
            row.id.clone(),
            Built {
                version: row.version,
                updated_at: row.updated_at,
                adapter: adapter.clone(),
            },
        );
        adapter
    }

    /// Forgets connections that are not among these.
    pub fn keep(&self, rows: &[crm_connection::Model]) {
        let there = |id: &String| rows.iter().any(|row| row.id == *id);
        let mut built = self.0.built.lock().unwrap_or_else(PoisonError::into_inner);
        built.retain(|id, _| there(id));
        drop(built);
        let mut turns = self.0.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|id, _| there(id));
    }

    /// One bucket for as long as the connection is there: new settings are no new patience of the CRM.
    fn turns(&self, row: &crm_connection::Model) -> Arc<Turns> {
        let pace = self.descriptor(&row.kind).map(|descriptor| descriptor.pace);
        let pace = pace.unwrap_or(switchboard_crm::Pace {
            burst: 1,
            per_second: 1.0,
        });
        let mut turns = self.0.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let known = turns
            .entry(row.id.clone())
            .or_insert_with(|| Arc::new(Turns::new(pace)));
        Arc::clone(known)
    }

    fn build(
        &self,
        row: &crm_connection::Model,
        settings: Value,
        turn: Arc<dyn switchboard_crm::Turn>,
    ) -> Result<Arc<dyn Adapter>, SettingsError> {
        let descriptor = self.descriptor(&row.kind).ok_or_else(|| {
            SettingsError::new(
                "kind",
                format!("this build has no adapter of the kind {:?}", row.kind),
            )
        })?;
        let parts = &self.0.parts;
        let context = BuildContext {
            connection_id: row.id.clone(),
            public_url: parts.public_url.clone(),
            clock: parts.clock.clone(),
            secrets: Arc::new(ConnectionSecrets::new(&parts.db, &parts.vault, &row.id)),
            http: Arc::clone(&parts.http),
            turn,
        };
        catch_unwind(AssertUnwindSafe(|| (descriptor.build)(settings, context)))
            .unwrap_or_else(|_panic| Err(SettingsError::new("", "the adapter crashed on these settings")))
    }
}

/// Runs one question to a CRM for at most `limit`. A crash of the adapter is a value here, and so is silence: both may
/// have done what they were asked.
pub async fn guarded<T>(
    asking: impl Future<Output = Result<T, SyncError>>,
    limit: Duration,
) -> Result<T, SyncError> {
    match tokio::time::timeout(limit, AssertUnwindSafe(asking).catch_unwind()).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_panic)) => Err(SyncError::Unknown("the adapter crashed".to_owned())),
        Err(_late) => Err(SyncError::Unknown(format!(
            "no answer within {} seconds",
            limit.as_secs()
        ))),
    }
}
