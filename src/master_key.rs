//! Where the master key comes from, and whether it is the one this database was written with.

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use crate::{
    config::Config,
    db::{Db, sqlite_path},
    id,
    secret::{MIN_KEY_CHARS, Vault},
    setting,
};

/// The file it is kept in when it is not configured.
const FILE: &str = "master.key";
/// The setting that recognises it.
const SETTING: &str = "master_key_fingerprint";
/// Names the lock under which it is first written down.
const LOCK: i64 = 0x5e71;

/// Why there is no vault.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read or made.
    #[error("the master key file {path}: {cause}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The file holds no key.
    #[error("the master key file {0} holds fewer than 16 characters; restore it from a backup")]
    Short(PathBuf),
    /// The database was written with a key that is not there.
    #[error(
        "this database was started with a master key, and its file {0} is gone: restore the file, or give the key as the \
         setting security.master_key"
    )]
    Lost(PathBuf),
    /// The database was written with another key.
    #[error(
        "this is not the master key of this database ({0}). Give the key it was first started with: without it the stored \
         passwords of mailboxes and other secrets cannot be read"
    )]
    Wrong(String),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sea_orm::DbErr),
}

/// The vault of this database. Makes a key when none is configured and the database knows of none.
pub async fn vault(config: &Config, db: &Db) -> Result<Vault, Error> {
    let known = fingerprint(db).await?;
    let vault = match (configured(config)?, &known) {
        (Some(vault), _) => vault,
        (None, Some(_)) => return Err(Error::Lost(file(config))),
        (None, None) => Vault::new(&make(&file(config))?),
    };
    let known = match known {
        Some(known) => known,
        None => remember(db, &vault.fingerprint()).await?,
    };
    if known == vault.fingerprint() {
        Ok(vault)
    } else {
        Err(Error::Wrong(source(config)))
    }
}

/// The vault of the key that is configured or lies in its file; `None` when there is no key.
pub fn configured(config: &Config) -> Result<Option<Vault>, Error> {
    let key = match config.security.master_key.get() {
        Some(key) => Some(key.to_owned()),
        None => read(&file(config))?,
    };
    Ok(key.map(|key| Vault::new(&key)))
}

/// The fingerprint of the key a database was first started with.
pub async fn fingerprint(db: &Db) -> Result<Option<String>, sea_orm::DbErr> {
    setting::get(db.read(), SETTING).await
}

/// Where the key is taken from, in words.
pub fn source(config: &Config) -> String {
    match config.security.master_key.get() {
        Some(_) => "the setting security.master_key".to_owned(),
        None => format!("the file {}", file(config).display()),
    }
}

/// Writes down which key this database belongs to; of two first starts the slower one is told what the
/// faster one wrote.
async fn remember(db: &Db, fingerprint: &str) -> Result<String, sea_orm::DbErr> {
    let write = db.write().await?;
    write.lock(LOCK).await?;
    if let Some(known) = setting::get(write.tx(), SETTING).await? {
        return Ok(known);
    }
    setting::put(write.tx(), SETTING, fingerprint).await?;
    write.commit().await?;
    Ok(fingerprint.to_owned())
}

/// Beside the SQLite file, or beside the storage.
fn file(config: &Config) -> PathBuf {
    let beside = sqlite_path(config.database.url.reveal());
    let beside = beside
        .or_else(|| config.storage.url.strip_prefix("file://"))
        .unwrap_or("data/x");
    Path::new(beside).with_file_name(FILE)
}

fn read(path: &Path) -> Result<Option<String>, Error> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(cause) => {
            return Err(Error::File {
                path: path.to_owned(),
                cause,
            });
        }
    };
    let key = text.trim();
    if key.chars().count() < MIN_KEY_CHARS {
        Err(Error::Short(path.to_owned()))
    } else {
        Ok(Some(key.to_owned()))
    }
}

fn make(path: &Path) -> Result<String, Error> {
    let failed = |cause| Error::File {
        path: path.to_owned(),
        cause,
    };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let key = id::token();
    // Written whole under another name first: nobody reads half a key.
    let draft = path.with_extension(format!("{}.tmp", id::word()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft).map_err(failed)?;
    file.write_all(format!("{key}\n").as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(failed)?;
    // A link fails when the name exists: of two first starts one wins, and both use its key.
    let linked = std::fs::hard_link(&draft, path);
    drop(std::fs::remove_file(&draft));
    match linked {
        Ok(()) => {
            tracing::warn!(
                path = %path.display(),
                "a master key was made; keep a copy of this file: without it stored secrets cannot be read"
            );
            Ok(key)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            read(path)?.ok_or_else(|| Error::Lost(path.to_owned()))
        }
        Err(error) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::{make, read};

    #[test]
    fn a_key_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/master.key");
        assert!(read(&path).unwrap().is_none());
        let key = make(&path).unwrap();
        assert_eq!(key.len(), 64);
        assert_eq!(read(&path).unwrap().as_deref(), Some(key.as_str()));
        assert_eq!(
            make(&path).unwrap(),
            key,
            "a second first start uses the key of the first"
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(
                std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        std::fs::write(&path, "short").unwrap();
        assert!(read(&path).is_err());
    }
}
