//! Setting exchanges up.

use chrono::{DateTime, Utc};
use sea_orm::{DbErr, EntityTrait};
use serde_json::json;

use super::{Options, store};
use crate::{
    db::{
        WriteTx,
        entity::{commerce_exchange, operator},
    },
    deal::pipeline,
    event::{EventType, NewEvent},
    id::{self, Kind},
    secret::hash_token,
};

/// Exchanges of one installation.
pub const MAX_EXCHANGES: u64 = 20;
const MAX_NAME_CHARS: usize = 200;
const MAX_STAGES: usize = 100;
/// What 1C signs in as when nothing is said.
const USER_NAME: &str = "1c";

/// Why an exchange cannot be made or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none of this id.
    #[error("there is no such exchange")]
    NotFound,
    /// Somebody else changed it meanwhile.
    #[error("the exchange was changed meanwhile; look again and repeat")]
    Stale,
    /// Fields that do not fit, each with its message.
    #[error("some fields are not right")]
    Invalid(Vec<(String, String)>),
    /// There are as many as there may be.
    #[error("there are {} exchanges already: remove one first", MAX_EXCHANGES)]
    TooMany,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// An exchange about to be made.
#[derive(Debug, Clone)]
pub struct New {
    /// What people call it.
    pub name: Option<String>,
    /// What is taken.
    pub options: Options,
}

/// What changes; `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Patch {
    /// New name.
    pub name: Option<String>,
    /// All new options.
    pub options: Option<Options>,
    /// Held, or at work again.
    pub enabled: Option<bool>,
    /// The version the caller read.
    pub version: Option<i64>,
}

/// Makes an exchange. Answers it with its password, which nobody can read again.
pub async fn create(
    write: &mut WriteTx,
    new: New,
    by: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(commerce_exchange::Model, String), Error> {
    if store::count(write.tx()).await? >= MAX_EXCHANGES {
        return Err(Error::TooMany);
    }
    let mut wrong = Vec::new();
    let options = checked(write, new.options, &mut wrong).await?;
    let password = id::token();
    let row = commerce_exchange::Model {
        id: id::new(Kind::CommerceExchange, now),
        name: name(new.name.as_deref().unwrap_or("1C"), &mut wrong),
        key: id::word(),
        user_name: USER_NAME.to_owned(),
        password_hash: hash_token(&password),
        enabled: true,
        options: json!(options),
        seen_at: None,
        last_success_at: None,
        last_error: None,
        last_error_at: None,
        created_by: by.map(str::to_owned),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    store::insert(write, row.clone()).await?;
    write.record(NewEvent::new(EventType::CommerceUpdated, &row.id, now));
    Ok((row, password))
}

/// Changes an exchange.
pub async fn update(
    write: &mut WriteTx,
    id: &str,
    patch: Patch,
    now: DateTime<Utc>,
) -> Result<commerce_exchange::Model, Error> {
    let mut row = store::hold(write, id).await?.ok_or(Error::NotFound)?;
    if patch.version.is_some_and(|version| version != row.version) {
        return Err(Error::Stale);
    }
    let mut wrong = Vec::new();
    if let Some(text) = &patch.name {
        row.name = name(text, &mut wrong);
    }
    if let Some(options) = patch.options {
        row.options = json!(checked(write, options, &mut wrong).await?);
    }
    if let Some(enabled) = patch.enabled {
        row.enabled = enabled;
    }
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    save(write, row, now).await
}

/// Makes a new password; the old one, and who signed in with it, is worth nothing from now on.
pub async fn renew_password(
    write: &mut WriteTx,
    id: &str,
    now: DateTime<Utc>,
) -> Result<(commerce_exchange::Model, String), Error> {
    let mut row = store::hold(write, id).await?.ok_or(Error::NotFound)?;
    let password = id::token();
    row.password_hash = hash_token(&password);
    Ok((save(write, row, now).await?, password))
}

/// Removes an exchange; answers where parts of files were that were not taken in yet. The deals, companies and contacts
/// stay.
pub async fn delete(write: &mut WriteTx, id: &str, now: DateTime<Utc>) -> Result<Vec<String>, Error> {
    let keys = store::delete(write, id).await?.ok_or(Error::NotFound)?;
    write.record(NewEvent::new(EventType::CommerceUpdated, id, now));
    Ok(keys)
}

async fn save(
    write: &mut WriteTx,
    mut row: commerce_exchange::Model,
    now: DateTime<Utc>,
) -> Result<commerce_exchange::Model, Error> {
    row.version += 1;
    row.updated_at = now;
    store::replace(write, row.clone()).await?;
    write.record(NewEvent::new(EventType::CommerceUpdated, &row.id, now));
    Ok(row)
}

fn name(text: &str, wrong: &mut Vec<(String, String)>) -> String {
    let text = text.trim();
    if !(1..=MAX_NAME_CHARS).contains(&text.chars().count()) || text.contains(char::is_control) {
        wrong.push((
            "name".to_owned(),
            format!("must have 1 to {MAX_NAME_CHARS} characters"),
        ));
    }
    text.to_owned()
}

/// The options as they are kept, and what is wrong with them.
async fn checked(
    write: &WriteTx,
    mut options: Options,
    wrong: &mut Vec<(String, String)>,
) -> Result<Options, DbErr> {
    let mut say = |field: &str, message: &str| wrong.push((format!("options.{field}"), message.to_owned()));
    options.title = options.title.trim().to_owned();
    if !(1..=MAX_NAME_CHARS).contains(&options.title.chars().count())
        || options.title.contains(char::is_control)
    {
        say("title", "must have 1 to 200 characters");
    }
    if let Some(region) = &mut options.region {
        *region = region.trim().to_uppercase();
        if region.len() != 2 || !region.bytes().all(|byte| byte.is_ascii_uppercase()) {
            say("region", "is a country of two letters, like RU");
        }
    }
    if let Some(id) = &options.operator_id {
        let known = !id.contains('\0') && operator::Entity::find_by_id(id).one(write.tx()).await?.is_some();
        if !known {
            say("operator_id", "there is no such user");
        }
    }
    let pipelines = pipeline::list(write.tx()).await?;
    let pipeline = match &options.pipeline_id {
        Some(id) => pipelines.iter().find(|pipeline| pipeline.id == *id),
        None => pipelines.first(),
    };
    if options.pipeline_id.is_some() && pipeline.is_none() {
        say("pipeline_id", "there is no such pipeline");
    }
    if options.stages.len() > MAX_STAGES {
        say("stages", "at most 100 statuses");
    }
    for (words, stage) in &options.stages {
        if words.trim().is_empty() || words.chars().count() > MAX_NAME_CHARS {
            say("stages", "a status has 1 to 200 characters");
        } else if pipeline.is_some_and(|pipeline| pipeline.stage(stage).is_none()) {
            say(
                &format!("stages.{words}"),
                "there is no such stage in this pipeline",
            );
        }
    }
    Ok(options)
}
