//! Users and keys without a browser.

use std::{io::BufRead, process::ExitCode};

use anyhow::{Context as _, bail};

use super::{open, say};
use crate::{
    auth::{
        apikey,
        password::{self, Passwords},
    },
    clock::SharedClock,
    config::Config,
    id,
    operator::{
        Error,
        rights::Role,
        store::{self, NewOperator},
    },
};

pub(super) async fn create_user(
    config: &Config,
    clock: SharedClock,
    email: String,
    name: String,
    role: Role,
    from_stdin: bool,
) -> anyhow::Result<ExitCode> {
    let password = if from_stdin {
        read_password()?
    } else {
        format!("{}-{}", id::word(), id::word())
    };
    if let Some(message) = password::refusal(&password) {
        bail!("the password {message}");
    }
    let hash = Passwords::default().hash(&password).await?;
    let db = open(config).await?;
    let mut write = db.write().await?;
    let new = NewOperator {
        email: Some(email.clone()),
        name,
        role: Some(role),
        role_id: None,
        password_hash: Some(hash),
        languages: Vec::new(),
        skills: Vec::new(),
        capacity: None,
        service: false,
    };
    let user = store::create(&mut write, new, clock.now())
        .await
        .map_err(in_words)?;
    write.commit().await?;
    db.close().await?;
    say(&format!("{} {}", user.id, user.email.unwrap_or_default()))?;
    if !from_stdin {
        say(&format!("password: {password}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn create_apikey(
    config: &Config,
    clock: SharedClock,
    name: &str,
    role: Role,
) -> anyhow::Result<ExitCode> {
    let db = open(config).await?;
    let mut write = db.write().await?;
    let made = apikey::create(&mut write, name, Some(role), None, clock.now())
        .await
        .map_err(in_words)?;
    write.commit().await?;
    db.close().await?;
    say(&made.key)?;
    Ok(ExitCode::SUCCESS)
}

fn read_password() -> anyhow::Result<String> {
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .context("the password cannot be read from standard input")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn in_words(error: Error) -> anyhow::Error {
    match error {
        Error::Invalid(errors) => {
            let words: Vec<String> = errors
                .into_iter()
                .map(|(field, message)| format!("{field} {message}"))
                .collect();
            anyhow::anyhow!("{}", words.join("; "))
        }
        other => other.into(),
    }
}
