//! Lines as code, from a file.

use std::{path::Path, process::ExitCode};

use anyhow::Context as _;
use serde_json::Value;
use switchboard_sdk::{BuildContext, SettingsError, SigningKey};

use super::{open, say};
use crate::{
    apply::{
        Error, Trouble,
        format::Document,
        write::{self, Tools},
    },
    clock::SharedClock,
    config::Config,
    connector::registry,
    db::entity::channel,
    master_key,
};

/// Reads a file of lines; what is wrong with it is told as `file:line: field: message`.
pub(super) fn read(file: &Path) -> anyhow::Result<Document> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    Document::read(&text).map_err(|troubles| in_file(file, &troubles))
}

pub(super) async fn run(
    config: &Config,
    clock: SharedClock,
    file: &Path,
    dry_run: bool,
) -> anyhow::Result<ExitCode> {
    let mut document = read(file)?;
    document
        .reveal(&|name| std::env::var(name).ok())
        .map_err(|troubles| in_file(file, &troubles))?;
    // Connectors that are built on trial may speak TLS.
    drop(rustls::crypto::ring::default_provider().install_default());
    let db = open(config).await?;
    let vault = master_key::vault(config, &db).await?;
    let try_build = |row: &channel::Model, settings: Value| build(config, &clock, row, settings);
    let tools = Tools {
        descriptors: &registry::ALL,
        try_build: &try_build,
        vault: &vault,
    };
    let mut write = db.write().await?;
    let plan = write::apply(&mut write, &document, tools, clock.now())
        .await
        .map_err(|error| match error {
            Error::Invalid(troubles) => in_file(file, &troubles),
            other => other.into(),
        })?;
    let (created, changed, _) = plan.counts();
    if dry_run || created + changed == 0 {
        drop(write);
    } else {
        write.commit().await?;
    }
    db.close().await?;
    say(&plan.render(!dry_run))?;
    Ok(ExitCode::SUCCESS)
}

fn build(
    config: &Config,
    clock: &SharedClock,
    row: &channel::Model,
    settings: Value,
) -> Result<(), SettingsError> {
    let known = registry::ALL.iter().find(|known| known.kind == row.kind);
    let descriptor = known.ok_or_else(|| SettingsError::new("kind", "there is no such connector"))?;
    let context = BuildContext {
        channel_id: row.id.clone(),
        channel_key: row.key.clone(),
        channel_name: row.name.clone(),
        public_url: config.server.public_url.clone(),
        max_upload_bytes: config.limits.upload_bytes(),
        clock: clock.clone(),
        scratch: std::env::temp_dir(),
        // Nothing is signed by settings that are only looked at.
        signing_key: SigningKey::default(),
        secrets: std::sync::Arc::new(switchboard_sdk::NoSecrets),
        http: switchboard_sdk::NoHttp::shared(),
    };
    (descriptor.build)(settings, context).map(drop)
}

fn in_file(file: &Path, troubles: &[Trouble]) -> anyhow::Error {
    let said: Vec<String> = troubles
        .iter()
        .map(|trouble| format!("{}: {trouble}", file.display()))
        .collect();
    match said.as_slice() {
        [one] => anyhow::anyhow!("{one}"),
        many => anyhow::anyhow!(
            "{} things are wrong, nothing was done\n{}",
            many.len(),
            many.join("\n")
        ),
    }
}
