//! Leads in the CRM that a company has: told of what happens here, and heard when their state changes there.
//!
//! [`follow`] turns events of the log into steps, durable rows made in the transaction that moves its cursor;
//! [`worker`] does them by lease, one at a time for each contact; [`step`] is one of them: it finds the record by our
//! lead's id before it makes one, so that no retry doubles. [`changes`] asks what happened there, [`backfill`] takes
//! leads that were there before. When to try again is [`schedule`], which field fills which is [`mapping`]; both are
//! pure. What an adapter owes is the crate `switchboard_crm`; nothing is ever deleted in a CRM.

pub mod backfill;
pub mod changes;
pub mod engine;
pub mod follow;
pub mod mapping;
pub mod notes;
pub mod pace;
pub mod queue;
pub mod schedule;
pub mod secrets;
pub mod snapshot;
pub mod step;
pub mod store;
pub mod view;
pub mod worker;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sea_orm::DbErr;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use switchboard_crm::Descriptor;
use switchboard_sdk::secret_paths;
use tokio::sync::Notify;
use utoipa::ToSchema;

use self::{engine::Engine, mapping::Mapping};
use crate::{
    channel::{settings, store as channels, without_nulls},
    db::{WriteTx, entity::crm_connection},
    event::{EventType, NewEvent},
    id::{self, Kind},
    secret::{self, Vault},
};

/// Connections of one installation.
pub const MAX_CONNECTIONS: u64 = 20;
const MAX_NAME_CHARS: usize = 200;
const MAX_LINES: usize = 200;

/// Wakes this process' worker: there is something to tell, or a connection changed.
#[derive(Debug, Clone, Default)]
pub struct Bell(Arc<Notify>);

impl Bell {
    /// Wakes it, also when it is not asleep yet.
    pub fn ring(&self) {
        self.0.notify_one();
    }

    /// Until it rings.
    pub async fn rung(&self) {
        self.0.notified().await;
    }
}

/// The words of a connection's state.
pub mod state {
    /// It is at work.
    pub const RUNNING: &str = "running";
    /// An admin holds it; what happens waits.
    pub const PAUSED: &str = "paused";
    /// The CRM refuses it until its settings change; what happens waits.
    pub const STOPPED: &str = "stopped";
}

/// What goes to a CRM, and what comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = CrmOptions)]
pub struct Options {
    /// Leads of these lines alone; of all, and of none, when empty.
    pub lines: Vec<String>,
    /// What was said in a session is noted when it was closed.
    pub transcripts: bool,
    /// Calls that ended are noted.
    pub calls: bool,
    /// What colleagues write to each other is noted.
    pub remarks: bool,
    /// A state that a lead comes into there changes its status here.
    pub two_way: bool,
    /// The language of notes: `en` or `ru`.
    pub language: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lines: Vec::new(),
            transcripts: true,
            calls: true,
            remarks: false,
            two_way: true,
            language: "en".to_owned(),
        }
    }
}

impl Options {
    /// As they are stored.
    pub fn read(stored: &Value) -> Self {
        serde_json::from_value(stored.clone()).unwrap_or_default()
    }

    /// Whether leads of this line go there.
    pub fn takes(&self, line_id: Option<&str>) -> bool {
        self.lines.is_empty() || line_id.is_some_and(|id| self.lines.iter().any(|line| line == id))
    }
}

/// Why a connection cannot be made or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none of this id.
    #[error("there is no such connection")]
    NotFound,
    /// Somebody else changed it meanwhile.
    #[error("the connection was changed meanwhile; look again and repeat")]
    Stale,
    /// It is not in the state this needs.
    #[error("{0}")]
    Conflict(&'static str),
    /// Fields that do not fit, each with its message.
    #[error("some fields are not right")]
    Invalid(Vec<(String, String)>),
    /// There are as many as there may be.
    #[error("there are {} connections already: remove one first", MAX_CONNECTIONS)]
    TooMany,
    /// Its secrets cannot be sealed or opened.
    #[error(transparent)]
    Secret(#[from] secret::Error),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// A connection about to be made.
#[derive(Debug, Clone)]
pub struct New {
    /// Which adapter.
    pub kind: String,
    /// What people call it; the adapter's label when nothing is said.
    pub name: Option<String>,
    /// With secrets.
    pub settings: Value,
    /// What fills what.
    pub mapping: Mapping,
    /// What goes there.
    pub options: Options,
    /// Whether it works at once.
    pub enabled: bool,
}

/// What changes; `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Patch {
    /// New name.
    pub name: Option<String>,
    /// Fields of its settings; a secret that is null stays.
    pub settings: Option<Value>,
    /// A whole new mapping.
    pub mapping: Option<Mapping>,
    /// New options.
    pub options: Option<Options>,
    /// Paused, or at work again.
    pub enabled: Option<bool>,
    /// The version the caller read.
    pub version: Option<i64>,
}

/// The settings as the adapter needs them.
pub fn settings_with_secrets(row: &crm_connection::Model, vault: &Vault) -> Result<Value, secret::Error> {
    let Some(sealed) = &row.secrets else {
        return Ok(row.settings.clone());
    };
    let secrets: Value =
        serde_json::from_slice(&vault.open(sealed)?).map_err(|_| secret::Error::Unreadable)?;
    Ok(settings::join(row.settings.clone(), &secrets))
}

/// Makes a connection. It takes leads that are made from now on.
pub async fn create(
    write: &mut WriteTx,
    engine: &Engine,
    new: New,
    by: &str,
    now: DateTime<Utc>,
) -> Result<crm_connection::Model, Error> {
    let Some(descriptor) = engine.descriptor(&new.kind) else {
        let known: Vec<&str> = engine.parts().adapters.iter().map(|known| known.kind).collect();
        let message = format!("must be one of {}", known.join(", "));
        return Err(Error::Invalid(vec![("kind".to_owned(), message)]));
    };
    if store::count(write.tx()).await? >= MAX_CONNECTIONS {
        return Err(Error::TooMany);
    }
    let mut wrong = new.mapping.faults();
    check_options(write, &new.options, &mut wrong).await?;
    let mut row = crm_connection::Model {
        id: id::new(Kind::CrmConnection, now),
        kind: descriptor.kind.to_owned(),
        name: name(new.name.as_deref().unwrap_or(descriptor.label), &mut wrong),
        settings: json!({}),
        secrets: None,
        mapping: json!(new.mapping),
        options: json!(new.options),
        state: if new.enabled {
            state::RUNNING
        } else {
            state::PAUSED
        }
        .to_owned(),
        stopped_because: None,
        stopped_at: None,
        failures: 0,
        blocked_until: None,
        last_success_at: None,
        last_error: None,
        last_error_at: None,
        since_at: now,
        // Those made while this is being written are found by looking, once.
        backfill_from: Some(now),
        backfill_after: None,
        backfill_total: 0,
        backfill_done: 0,
        change_cursor: None,
        looked_at: None,
        created_by: Some(by.to_owned()),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let settings = without_nulls(new.settings);
    check_settings(engine, &row, &settings, &mut wrong);
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    (row.settings, row.secrets) = seal(&engine.parts().vault, descriptor, settings)?;
    store::insert(write, row.clone()).await?;
    write.record(NewEvent::new(EventType::CrmUpdated, &row.id, now));
    Ok(row)
}

/// Changes a connection. Changed settings start one that the CRM refused.
pub async fn update(
    write: &mut WriteTx,
    engine: &Engine,
    id: &str,
    patch: Patch,
    now: DateTime<Utc>,
) -> Result<crm_connection::Model, Error> {
    let mut row = store::hold(write, id).await?.ok_or(Error::NotFound)?;
    if patch.version.is_some_and(|version| version != row.version) {
        return Err(Error::Stale);
    }
    let mut wrong = Vec::new();
    if let Some(text) = &patch.name {
        row.name = name(text, &mut wrong);
    }
    if let Some(mapping) = &patch.mapping {
        wrong.extend(mapping.faults());
        row.mapping = json!(mapping);
    }
    if let Some(options) = &patch.options {
        check_options(write, options, &mut wrong).await?;
        row.options = json!(options);
    }
    let mut changed = false;
    if let Some(given) = patch.settings {
        let descriptor = engine
            .descriptor(&row.kind)
            .ok_or(Error::Conflict("this build has no adapter of this kind"))?;
        let schema = (descriptor.settings_schema)();
        let current = settings_with_secrets(&row, &engine.parts().vault)?;
        let settings = settings::patched(&current, &given, &schema, &secret_paths(&schema));
        check_settings(engine, &row, &settings, &mut wrong);
        changed = settings != current;
        (row.settings, row.secrets) = seal(&engine.parts().vault, descriptor, settings)?;
    }
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    match patch.enabled {
        Some(false) => row.state = state::PAUSED.to_owned(),
        // One that was refused needs other settings first, unless it was held by hand meanwhile.
        Some(true) if row.state == state::PAUSED => start(&mut row),
        _ => {}
    }
    if changed {
        if row.state == state::STOPPED {
            start(&mut row);
        }
        row.failures = 0;
        row.blocked_until = None;
    }
    save(write, row, now).await
}

/// Takes the leads that were made since a moment too. What is there already is not made twice.
pub async fn take_earlier(
    write: &mut WriteTx,
    id: &str,
    from: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<crm_connection::Model, Error> {
    let mut row = store::hold(write, id).await?.ok_or(Error::NotFound)?;
    if from > now {
        return Err(Error::Invalid(vec![(
            "from".to_owned(),
            "must be in the past: newer leads go by themselves".to_owned(),
        )]));
    }
    row.backfill_from = Some(from);
    row.backfill_after = None;
    row.backfill_done = 0;
    row.backfill_total = backfill::count(write.tx(), &row, from).await?;
    save(write, row, now).await
}

/// Gives up taking earlier leads; those that wait already are still told.
pub async fn stop_earlier(
    write: &mut WriteTx,
    id: &str,
    now: DateTime<Utc>,
) -> Result<crm_connection::Model, Error> {
    let mut row = store::hold(write, id).await?.ok_or(Error::NotFound)?;
    row.backfill_from = None;
    row.backfill_after = None;
    save(write, row, now).await
}

/// Removes a connection with what it knows and what waits for it. What is in the CRM stays there.
pub async fn delete(write: &mut WriteTx, id: &str, now: DateTime<Utc>) -> Result<(), Error> {
    if !store::delete(write, id).await? {
        return Err(Error::NotFound);
    }
    write.record(NewEvent::new(EventType::CrmUpdated, id, now));
    Ok(())
}

fn start(row: &mut crm_connection::Model) {
    row.state = state::RUNNING.to_owned();
    row.stopped_because = None;
    row.stopped_at = None;
    row.failures = 0;
    row.blocked_until = None;
}

async fn save(
    write: &mut WriteTx,
    mut row: crm_connection::Model,
    now: DateTime<Utc>,
) -> Result<crm_connection::Model, Error> {
    row.version += 1;
    row.updated_at = now;
    store::replace(write, row.clone()).await?;
    write.record(NewEvent::new(EventType::CrmUpdated, &row.id, now));
    Ok(row)
}

fn seal(
    vault: &Vault,
    descriptor: &Descriptor,
    settings: Value,
) -> Result<(Value, Option<Vec<u8>>), secret::Error> {
    let paths = secret_paths(&(descriptor.settings_schema)());
    if paths.is_empty() {
        return Ok((settings, None));
    }
    let (shown, secrets) = settings::split(settings, &paths);
    let sealed = vault.seal(&serde_json::to_vec(&secrets).unwrap_or_default())?;
    Ok((shown, Some(sealed)))
}

fn check_settings(
    engine: &Engine,
    row: &crm_connection::Model,
    settings: &Value,
    wrong: &mut Vec<(String, String)>,
) {
    if !settings.is_object() {
        wrong.push(("settings".to_owned(), "must be an object".to_owned()));
    } else if let Err(error) = engine.try_build(row, settings.clone()) {
        let field = if error.field.is_empty() {
            "settings".to_owned()
        } else {
            format!("settings.{}", error.field)
        };
        wrong.push((field, error.message));
    }
}

async fn check_options(
    write: &WriteTx,
    options: &Options,
    wrong: &mut Vec<(String, String)>,
) -> Result<(), DbErr> {
    if options.lines.len() > MAX_LINES {
        wrong.push(("options.lines".to_owned(), format!("at most {MAX_LINES}")));
        return Ok(());
    }
    for (place, line) in options.lines.iter().enumerate() {
        if line.contains('\0') || !channels::line_exists(write.tx(), line).await? {
            wrong.push((
                format!("options.lines[{place}]"),
                "there is no such line".to_owned(),
            ));
        }
    }
    if !notes::LANGUAGES.contains(&options.language.as_str()) {
        let known = notes::LANGUAGES.join(", ");
        wrong.push(("options.language".to_owned(), format!("must be one of {known}")));
    }
    Ok(())
}

fn name(text: &str, wrong: &mut Vec<(String, String)>) -> String {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > MAX_NAME_CHARS || text.chars().any(char::is_control) {
        wrong.push((
            "name".to_owned(),
            format!("must be one line of 1 to {MAX_NAME_CHARS} characters"),
        ));
    }
    text.to_owned()
}
