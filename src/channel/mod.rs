//! A configured connector on a line: this mailbox, that form. Its settings, its secrets, its name in
//! URLs. What runs it is [`crate::connector`].

pub mod backfill;
pub mod secrets;
pub mod settings;
pub mod sign_in;
pub mod store;
pub mod view;

use chrono::{DateTime, Utc};
use sea_orm::{DbErr, EntityTrait, QuerySelect};
use serde_json::{Value, json};
use switchboard_sdk::{Descriptor, SettingsError, secret_paths};

use crate::{
    db::{WriteTx, entity::channel},
    id,
    secret::{self, Vault},
};

/// Longest name, in characters.
const MAX_NAME_CHARS: usize = 200;
/// Longest key, in characters.
const MAX_KEY_CHARS: usize = 64;

/// Why a channel cannot be made or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none of this id.
    #[error("there is no such channel")]
    NotFound,
    /// Fields that do not fit, each with its message.
    #[error("some fields are not right")]
    Invalid(Vec<(String, String)>),
    /// Another channel has this key.
    #[error("another channel has this key")]
    KeyTaken,
    /// Somebody else changed it meanwhile.
    #[error("the channel was changed meanwhile")]
    Stale,
    /// Conversations hang on it.
    #[error("the channel has conversations")]
    InUse,
    /// Its secrets cannot be sealed or opened.
    #[error(transparent)]
    Secret(#[from] secret::Error),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Builds a connector of a row and its settings with secrets, to see whether they can work.
pub type TryBuild<'a> = &'a (dyn Fn(&channel::Model, Value) -> Result<(), SettingsError> + Send + Sync);

/// A channel about to be made.
#[derive(Debug, Clone)]
pub struct NewChannel {
    /// The key in URLs; made up when absent.
    pub key: Option<String>,
    /// Its line.
    pub line_id: String,
    /// What people call it.
    pub name: String,
    /// Whether it runs.
    pub enabled: bool,
    /// With secrets.
    pub settings: Value,
}

/// What changes; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// The key in URLs.
    pub key: Option<String>,
    /// Its line; conversations that are there stay where they are.
    pub line_id: Option<String>,
    /// What people call it.
    pub name: Option<String>,
    /// Whether it runs.
    pub enabled: Option<bool>,
    /// Fields of its settings, see [`settings::patched`].
    pub settings: Option<Value>,
    /// The version the change was made on.
    pub version: Option<i64>,
}

/// The settings as the connector needs them.
pub fn settings_with_secrets(row: &channel::Model, vault: &Vault) -> Result<Value, secret::Error> {
    let Some(sealed) = &row.secrets else {
        return Ok(row.settings.clone());
    };
    let secrets: Value =
        serde_json::from_slice(&vault.open(sealed)?).map_err(|_| secret::Error::Unreadable)?;
    Ok(settings::join(row.settings.clone(), &secrets))
}

/// The settings as they may be shown: a `null` stands for each secret.
pub fn public_settings(row: &channel::Model) -> Value {
    row.settings.clone()
}

/// Makes a channel.
pub async fn create(
    write: &mut WriteTx,
    vault: &Vault,
    descriptor: &Descriptor,
    try_build: TryBuild<'_>,
    new: NewChannel,
    now: DateTime<Utc>,
) -> Result<channel::Model, Error> {
    let mut errors = Vec::new();
    let name = checked(name(&new.name), "name", &mut errors);
    let key = new.key.as_deref().map_or_else(|| Ok(id::word()), key);
    let key = checked(key, "key", &mut errors);
    if !store::line_exists(write.tx(), &new.line_id).await? {
        errors.push(("line_id".to_owned(), "there is no such line".to_owned()));
    }
    let mut row = channel::Model {
        id: id::new(id::Kind::Channel, now),
        key,
        kind: descriptor.kind.to_owned(),
        line_id: new.line_id,
        name,
        enabled: new.enabled,
        settings: json!({}),
        secrets: None,
        version: 1,
        health_state: if new.enabled { "starting" } else { "disabled" }.to_owned(),
        last_success_at: None,
        last_error: None,
        last_error_at: None,
        looked_at: None,
        behind_since: None,
        created_at: now,
        updated_at: now,
    };
    let settings = without_nulls(new.settings);
    check_settings(try_build, &row, settings.clone(), &mut errors);
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    (row.settings, row.secrets) = seal(vault, descriptor, settings)?;
    store::insert(write, row, now).await
}

/// Changes a channel.
pub async fn update(
    write: &mut WriteTx,
    vault: &Vault,
    descriptor: &Descriptor,
    try_build: TryBuild<'_>,
    id: &str,
    changes: Changes,
    now: DateTime<Utc>,
) -> Result<channel::Model, Error> {
    let row = channel::Entity::find_by_id(id)
        .lock_exclusive()
        .one(write.tx())
        .await?;
    let mut row = row.ok_or(Error::NotFound)?;
    if changes.version.is_some_and(|version| version != row.version) {
        return Err(Error::Stale);
    }
    let mut errors = Vec::new();
    if let Some(text) = &changes.name {
        row.name = checked(name(text), "name", &mut errors);
    }
    if let Some(text) = &changes.key {
        row.key = checked(key(text), "key", &mut errors);
    }
    if let Some(line_id) = changes.line_id {
        if !store::line_exists(write.tx(), &line_id).await? {
            errors.push(("line_id".to_owned(), "there is no such line".to_owned()));
        }
        row.line_id = line_id;
    }
    row.enabled = changes.enabled.unwrap_or(row.enabled);
    if let Some(patch) = changes.settings {
        let schema = (descriptor.settings_schema)();
        let current = settings_with_secrets(&row, vault)?;
        let settings = settings::patched(&current, &patch, &schema, &secret_paths(&schema));
        check_settings(try_build, &row, settings.clone(), &mut errors);
        (row.settings, row.secrets) = seal(vault, descriptor, settings)?;
    }
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    store::update(write, row, now).await
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
    try_build: TryBuild<'_>,
    row: &channel::Model,
    settings: Value,
    errors: &mut Vec<(String, String)>,
) {
    if !settings.is_object() {
        errors.push(("settings".to_owned(), "must be an object".to_owned()));
    } else if let Err(error) = try_build(row, settings) {
        let field = if error.field.is_empty() {
            "settings".to_owned()
        } else {
            format!("settings.{}", error.field)
        };
        errors.push((field, error.message));
    }
}

/// A new channel has nothing that a null could keep or reset.
pub(crate) fn without_nulls(settings: Value) -> Value {
    match settings {
        Value::Object(fields) => {
            let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(fields.map(|(name, value)| (name, without_nulls(value))).collect())
        }
        other => other,
    }
}

fn checked(read: Result<String, String>, field: &str, errors: &mut Vec<(String, String)>) -> String {
    read.unwrap_or_else(|message| {
        errors.push((field.to_owned(), message));
        String::new()
    })
}

fn name(text: &str) -> Result<String, String> {
    let name = text.trim();
    if name.is_empty() {
        return Err("must not be empty".to_owned());
    }
    if name.chars().count() > MAX_NAME_CHARS || name.chars().any(char::is_control) {
        return Err(format!("must be one line of at most {MAX_NAME_CHARS} characters"));
    }
    Ok(name.to_owned())
}

fn key(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if text.is_empty() || text.len() > MAX_KEY_CHARS || !text.chars().all(fits) {
        return Err(format!(
            "must be 1 to {MAX_KEY_CHARS} lower-case letters, digits, hyphens and underscores"
        ));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{key, name};

    #[test]
    fn a_key_fits_into_a_url_as_it_is() {
        assert!(key("support-chat_2").is_ok());
        for wrong in ["", "Support", "a b", "ключ", "a/b", &"x".repeat(65)] {
            assert!(key(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_name_says_something() {
        assert_eq!(name("  Поддержка ").as_deref(), Ok("Поддержка"));
        assert!(name(" ").is_err());
    }
}
