//! One archive with everything an installation on SQLite is: the database and the files. The master
//! key is not in it: whoever finds the archive alone reads no mailbox password.

use std::{
    fs::{self, File, OpenOptions},
    io::Read,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail, ensure};
use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};

use super::{open, say};
use crate::{
    config::Config,
    db::{Db, sqlite_path},
    id, master_key,
};

/// The archive's parts, in their order.
const MANIFEST: &str = "manifest.json";
const DATABASE: &str = "switchboard.db";
const FILES: &str = "attachments";
const FORMAT: u32 = 1;

/// What an archive says of itself.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    version: String,
    made_at: DateTime<Utc>,
    key_fingerprint: Option<String>,
}

pub(super) async fn write(config: &Config, target: &Path, now: DateTime<Utc>) -> anyhow::Result<ExitCode> {
    let (database, files) = places(config)?;
    ensure!(
        database.exists(),
        "there is no database at {}",
        database.display()
    );
    ensure!(!target.exists(), "{} exists already", target.display());
    let db = open(config).await?;
    // The database first: every file it refers to was kept before its row was written.
    let copy = database.with_extension(format!("{}.backup", id::word()));
    let _gone = Removed(copy.clone());
    snapshot(&db, &copy)
        .await
        .context("the database cannot be copied")?;
    let manifest = Manifest {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: now,
        key_fingerprint: master_key::fingerprint(&db).await?,
    };
    db.close().await?;
    let draft = target.with_extension(format!("{}.part", id::word()));
    let _draft_gone = Removed(draft.clone());
    let packed = {
        let draft = draft.clone();
        tokio::task::spawn_blocking(move || pack(&draft, &manifest, &copy, &files)).await?
    };
    packed.with_context(|| format!("{} cannot be written", draft.display()))?;
    fs::rename(&draft, target).with_context(|| format!("{} cannot be written", target.display()))?;
    say(&format!(
        "wrote {}; keep the master key ({}) apart from it",
        target.display(),
        master_key::source(config)
    ))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn read(config: &Config, source: &Path) -> anyhow::Result<ExitCode> {
    let (database, files) = places(config)?;
    ensure!(
        !database.exists(),
        "{} exists already: restore into an empty place",
        database.display()
    );
    let is_empty = fs::read_dir(&files).map_or(true, |mut entries| entries.next().is_none());
    ensure!(
        is_empty,
        "{} is not empty: restore into an empty place",
        files.display()
    );
    let manifest = manifest(source).with_context(|| format!("{} is no archive of ours", source.display()))?;
    ensure!(
        manifest.format == FORMAT,
        "the archive has the format {}, this version reads {FORMAT}",
        manifest.format
    );
    match (master_key::configured(config)?, &manifest.key_fingerprint) {
        (Some(vault), Some(known)) if vault.fingerprint() != *known => {
            bail!(
                "{} is not the master key of this archive",
                master_key::source(config)
            )
        }
        (None, Some(_)) => bail!(
            "the archive needs the master key it was made with: give it as security.master_key, or put it into {}",
            database.with_file_name("master.key").display()
        ),
        _ => {}
    }
    let draft = database.with_extension(format!("{}.restore", id::word()));
    let _gone = Removed(draft.clone());
    let unpacked = {
        let (source, draft) = (source.to_owned(), draft.clone());
        tokio::task::spawn_blocking(move || unpack(&source, &draft, &files)).await?
    };
    unpacked.with_context(|| format!("{} cannot be unpacked", source.display()))?;
    // The database last: until then the place still counts as empty of one.
    fs::rename(&draft, &database)?;
    let db = open(config).await?;
    master_key::vault(config, &db).await?;
    db.close().await?;
    say(&format!(
        "restored what was saved at {} with version {}",
        manifest.made_at, manifest.version
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// The database file and the folder of files.
fn places(config: &Config) -> anyhow::Result<(PathBuf, PathBuf)> {
    let Some(database) = sqlite_path(config.database.url.reveal()) else {
        bail!("this is for SQLite; on PostgreSQL use pg_dump and pg_restore, and copy the storage's folder");
    };
    let files = config
        .storage
        .url
        .strip_prefix("file://")
        .context("the storage is no folder")?;
    Ok((PathBuf::from(database), PathBuf::from(files)))
}

fn pack(target: &Path, manifest: &Manifest, snapshot: &Path, files: &Path) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut archive = tar::Builder::new(options.open(target)?);
    let text = serde_json::to_vec_pretty(manifest)?;
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o600);
    archive.append_data(&mut header, MANIFEST, text.as_slice())?;
    archive.append_path_with_name(snapshot, DATABASE)?;
    if files.exists() {
        pack_folder(&mut archive, files, Path::new(FILES))?;
    }
    archive.into_inner()?.sync_all()?;
    Ok(())
}

/// Files come and go while the server runs; one that is gone by now belongs to nothing that was saved.
fn pack_folder(archive: &mut tar::Builder<File>, folder: &Path, name: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, name) = (entry.path(), name.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            pack_folder(archive, &path, &name)?;
            continue;
        }
        match File::open(&path) {
            Ok(mut file) => archive.append_file(&name, &mut file)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        }
    }
    Ok(())
}

fn manifest(source: &Path) -> anyhow::Result<Manifest> {
    let mut archive = tar::Archive::new(File::open(source)?);
    let first = archive.entries()?.next().context("it is empty")??;
    ensure!(
        first.path()?.as_ref() == Path::new(MANIFEST),
        "it does not begin with a manifest"
    );
    let mut text = String::new();
    first.take(64 * 1024).read_to_string(&mut text)?;
    Ok(serde_json::from_str(&text)?)
}

fn unpack(source: &Path, database: &Path, files: &Path) -> anyhow::Result<()> {
    let mut archive = tar::Archive::new(File::open(source)?);
    let mut has_database = false;
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        if path == Path::new(DATABASE) {
            if let Some(folder) = database.parent() {
                fs::create_dir_all(folder)?;
            }
            let mut file = File::create_new(database)?;
            std::io::copy(&mut entry, &mut file)?;
            file.sync_all()?;
            has_database = true;
        } else if let Ok(name) = path.strip_prefix(FILES) {
            // A name that leads elsewhere is refused: the archive may come from anywhere.
            ensure!(
                name.components()
                    .all(|part| matches!(part, std::path::Component::Normal(_))),
                "{}",
                path.display()
            );
            let target = files.join(name);
            if let Some(folder) = target.parent() {
                fs::create_dir_all(folder)?;
            }
            let mut file = File::create_new(target)?;
            std::io::copy(&mut entry, &mut file)?;
            file.sync_all()?;
        }
    }
    ensure!(has_database, "there is no database in it");
    Ok(())
}

/// A file that is gone when this is.
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}

/// Writes a copy of a SQLite database as it is at this moment, beside whoever reads and writes.
async fn snapshot(db: &Db, target: &Path) -> Result<(), sea_orm::DbErr> {
    let target = target.display().to_string().replace('\'', "''");
    db.read()
        .execute_unprepared(&format!("VACUUM INTO '{target}'"))
        .await
        .map(|_| ())
}
