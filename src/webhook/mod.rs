//! Outgoing webhooks: programs elsewhere that are told of events, by Standard Webhooks.
//!
//! [`follow`] turns events of the log into deliveries, durable rows made in the transaction that moves its cursor;
//! [`dispatch`] sends them, by lease, in order for each object, side by side for different objects and webhooks;
//! [`record`] writes what became of each attempt. When to try again, whom to spare and whom to switch off is
//! [`schedule`], what is sent [`payload`], signed by [`sign`], chosen by [`select`]; those four are pure.
//!
//! Webhooks are made by admins and tell what an admin sees: notes and hidden participants too.

pub mod dispatch;
pub mod follow;
pub mod payload;
pub mod queue;
pub mod record;
pub mod schedule;
pub mod select;
pub mod sign;
pub mod store;
pub mod view;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::DbErr;
use tokio::sync::Notify;
use url::Url;

use self::sign::Secrets;
use crate::{
    db::{WriteTx, entity::webhook},
    event::{EventType, NewEvent},
    id::{self, Kind},
    outgoing::Outgoing,
    secret::{self, Vault},
};

/// Webhooks of one installation. Each has room of its own on the way, so that none holds up another.
pub const MAX_WEBHOOKS: u64 = 50;
const MAX_NAME_CHARS: usize = 200;
const MAX_URL_CHARS: usize = 2_000;
/// How long an old secret signs beside the new one when nothing is said, in seconds; and at most.
pub const OVERLAP_SECS: u32 = 24 * 3600;
/// The longest.
pub const MAX_OVERLAP_SECS: u32 = 30 * 24 * 3600;
/// The word of a delivery that only tries the way.
pub const TEST: &str = "webhook.test";

/// Wakes this process' dispatcher: there is something to send, or a webhook changed.
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

/// Why a webhook cannot be made or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none of this id.
    #[error("there is no such webhook")]
    NotFound,
    /// Somebody else changed it meanwhile.
    #[error("the webhook was changed meanwhile; look again and repeat")]
    Stale,
    /// Fields that do not fit, each with its message.
    #[error("some fields are not right")]
    Invalid(Vec<(String, String)>),
    /// There are as many as there may be.
    #[error("there are {} webhooks already: remove one first", MAX_WEBHOOKS)]
    TooMany,
    /// Its secrets cannot be sealed or opened.
    #[error(transparent)]
    Secret(#[from] secret::Error),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// A webhook about to be made.
#[derive(Debug, Clone)]
pub struct New {
    /// What people call it; the address' host when nothing is said.
    pub name: Option<String>,
    /// Where it is.
    pub url: String,
    /// Which events; none: it serves forms only.
    pub events: Vec<String>,
    /// Made up when absent.
    pub secret: Option<String>,
    /// Whether it is told of anything.
    pub enabled: bool,
}

/// The fields that change; `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Patch {
    /// New name.
    pub name: Option<String>,
    /// New address.
    pub url: Option<String>,
    /// New choice.
    pub events: Option<Vec<String>>,
    /// On or off.
    pub enabled: Option<bool>,
    /// New secret; the old one signs beside it for a day.
    pub secret: Option<String>,
    /// The version the caller read.
    pub version: Option<i64>,
}

/// Makes a webhook; answers it and its secret, which is shown this once.
pub async fn create(
    write: &mut WriteTx,
    parts: (&Vault, &Outgoing),
    new: New,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(webhook::Model, String), Error> {
    let (vault, outgoing) = parts;
    let mut wrong = Vec::new();
    let url = url(&new.url, outgoing, &mut wrong);
    let host = Url::parse(&url)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned));
    let name = match &new.name {
        Some(text) if !text.trim().is_empty() => name(text, &mut wrong),
        _ => host.unwrap_or_default(),
    };
    let events = events(new.events, &mut wrong);
    let secret = new.secret.map(|text| text.trim().to_owned());
    if let Some(problem) = secret.as_deref().and_then(sign::secret_problem) {
        wrong.push(("secret".to_owned(), problem));
    }
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    if store::count(write.tx()).await? >= MAX_WEBHOOKS {
        return Err(Error::TooMany);
    }
    let secret = secret.unwrap_or_else(sign::new_secret);
    let row = webhook::Model {
        id: id::new(Kind::Webhook, now),
        name,
        url,
        events: events.into(),
        enabled: new.enabled,
        secrets: sealed(vault, &Secrets::new(secret.clone()))?,
        since_seq: store::head(write.tx()).await?,
        disabled_because: None,
        disabled_at: None,
        failures: 0,
        failing_since: None,
        paused_until: None,
        last_success_at: None,
        last_error: None,
        last_error_at: None,
        created_by: Some(by.to_owned()),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    store::insert(write, row.clone()).await?;
    write.record(NewEvent::new(EventType::WebhookUpdated, &row.id, now));
    Ok((row, secret))
}

/// Changes a webhook.
pub async fn update(
    write: &mut WriteTx,
    parts: (&Vault, &Outgoing),
    id: &str,
    patch: Patch,
    now: DateTime<Utc>,
) -> Result<webhook::Model, Error> {
    let (vault, outgoing) = parts;
    let mut row = held(write, id).await?;
    if patch.version.is_some_and(|version| version != row.version) {
        return Err(Error::Stale);
    }
    let mut wrong = Vec::new();
    if let Some(text) = &patch.name {
        row.name = name(text, &mut wrong);
    }
    if let Some(text) = &patch.url {
        let url = url(text, outgoing, &mut wrong);
        if url != row.url {
            row.url = url;
            forget_trouble(&mut row);
        }
    }
    if let Some(list) = patch.events {
        row.events = events(list, &mut wrong).into();
    }
    if let Some(text) = &patch.secret {
        match sign::secret_problem(text.trim()) {
            Some(problem) => wrong.push(("secret".to_owned(), problem)),
            None => change_secret(&mut row, vault, text.trim().to_owned(), OVERLAP_SECS, now)?,
        }
    }
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    if let Some(enabled) = patch.enabled {
        if enabled && !row.enabled {
            row.since_seq = store::head(write.tx()).await?;
            forget_trouble(&mut row);
        }
        row.enabled = enabled;
        row.disabled_because = None;
        row.disabled_at = (!enabled).then_some(now);
    }
    save(write, row, now).await
}

/// Gives a webhook another secret; the one before it signs too for `overlap_secs`. Answers the secret, this once.
pub async fn rotate(
    write: &mut WriteTx,
    vault: &Vault,
    id: &str,
    secret: Option<String>,
    overlap_secs: u32,
    now: DateTime<Utc>,
) -> Result<(webhook::Model, String), Error> {
    let mut row = held(write, id).await?;
    let secret = secret.map(|text| text.trim().to_owned());
    let mut wrong = Vec::new();
    if let Some(problem) = secret.as_deref().and_then(sign::secret_problem) {
        wrong.push(("secret".to_owned(), problem));
    }
    if overlap_secs > MAX_OVERLAP_SECS {
        wrong.push((
            "overlap_secs".to_owned(),
            format!("at most {MAX_OVERLAP_SECS} (30 days)"),
        ));
    }
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    let secret = secret.unwrap_or_else(sign::new_secret);
    change_secret(&mut row, vault, secret.clone(), overlap_secs, now)?;
    Ok((save(write, row, now).await?, secret))
}

/// Removes a webhook with its deliveries.
pub async fn delete(write: &mut WriteTx, id: &str, now: DateTime<Utc>) -> Result<(), Error> {
    if !store::delete(write, id).await? {
        return Err(Error::NotFound);
    }
    write.record(NewEvent::new(EventType::WebhookUpdated, id, now));
    Ok(())
}

/// The secrets of a webhook.
pub fn secrets(vault: &Vault, row: &webhook::Model) -> Result<Secrets, secret::Error> {
    serde_json::from_slice(&vault.open(&row.secrets)?).map_err(|_| secret::Error::Unreadable)
}

async fn held(write: &WriteTx, id: &str) -> Result<webhook::Model, Error> {
    store::hold(write, id).await?.ok_or(Error::NotFound)
}

async fn save(
    write: &mut WriteTx,
    mut row: webhook::Model,
    now: DateTime<Utc>,
) -> Result<webhook::Model, Error> {
    row.version += 1;
    row.updated_at = now;
    store::replace(write, row.clone()).await?;
    write.record(NewEvent::new(EventType::WebhookUpdated, &row.id, now));
    Ok(row)
}

/// What was tried at another address, or before somebody looked, says nothing now.
fn forget_trouble(row: &mut webhook::Model) {
    row.failures = 0;
    row.failing_since = None;
    row.paused_until = None;
}

fn sealed(vault: &Vault, secrets: &Secrets) -> Result<Vec<u8>, secret::Error> {
    vault.seal(&serde_json::to_vec(secrets).unwrap_or_default())
}

fn change_secret(
    row: &mut webhook::Model,
    vault: &Vault,
    secret: String,
    overlap_secs: u32,
    now: DateTime<Utc>,
) -> Result<(), secret::Error> {
    let until = now + TimeDelta::seconds(i64::from(overlap_secs));
    let changed = secrets(vault, row)?.changed(secret, until, now);
    row.secrets = sealed(vault, &changed)?;
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

fn events(list: Vec<String>, wrong: &mut Vec<(String, String)>) -> Vec<String> {
    select::checked(list).unwrap_or_else(|problems| {
        wrong.extend(problems);
        Vec::new()
    })
}

/// As the library writes it, with names and paths in ASCII: that is how it is asked.
fn url(text: &str, outgoing: &Outgoing, wrong: &mut Vec<(String, String)>) -> String {
    let text = text.trim();
    let parsed = Url::parse(text);
    let problem = match &parsed {
        _ if text.chars().count() > MAX_URL_CHARS => Some(format!("at most {MAX_URL_CHARS} characters")),
        Err(_) => Some("must be a whole web address: https://…".to_owned()),
        Ok(url) => outgoing.refusal(url),
    };
    match (problem, parsed) {
        (None, Ok(url)) => url.into(),
        (problem, _) => {
            wrong.push(("url".to_owned(), problem.unwrap_or_default()));
            String::new()
        }
    }
}
