//! Files: attachments and raw bytes of what could not be understood.

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload, local::LocalFileSystem, path::Path as Key};

/// Where files are kept. `STORAGE__URL` names it; a local folder is the only kind yet.
#[derive(Debug, Clone)]
pub struct Storage(Arc<dyn ObjectStore>);

/// A file that could not be kept or found.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The setting is not one we understand.
    #[error("storage.url {0:?}: write file://FOLDER")]
    Url(String),
    /// No such file.
    #[error("the file is gone from the storage")]
    Missing,
    /// The storage failed.
    #[error("storage: {0}")]
    Store(object_store::Error),
    /// The folder cannot be made.
    #[error("storage folder: {0}")]
    Folder(#[from] std::io::Error),
}

impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::Missing,
            other => Self::Store(other),
        }
    }
}

impl Storage {
    /// Opens `file://folder` (relative to the working directory), making the folder.
    pub fn open(url: &str) -> Result<Self, Error> {
        let folder = url
            .strip_prefix("file://")
            .ok_or_else(|| Error::Url(url.to_owned()))?;
        std::fs::create_dir_all(folder)?;
        // What a message refers to must be as durable as the message.
        let store = LocalFileSystem::new_with_prefix(Path::new(folder))?.with_fsync(true);
        Ok(Self(Arc::new(store)))
    }

    /// Keeps bytes under a key, durably.
    pub async fn put(&self, key: &str, data: Bytes) -> Result<(), Error> {
        self.0.put(&Key::from(key), PutPayload::from_bytes(data)).await?;
        Ok(())
    }

    /// The bytes of a key.
    pub async fn get(&self, key: &str) -> Result<Bytes, Error> {
        Ok(self.0.get(&Key::from(key)).await?.bytes().await?)
    }

    /// The first bytes of a key, or all of them when they are fewer.
    pub async fn get_first(&self, key: &str, bytes: u64) -> Result<Bytes, Error> {
        let key = Key::from(key);
        let size = self.0.head(&key).await?.size;
        Ok(self.0.get_range(&key, 0..bytes.min(size)).await?)
    }

    /// Whether something is kept under a key.
    pub async fn has(&self, key: &str) -> Result<bool, Error> {
        match self.0.head(&Key::from(key)).await.map_err(Error::from) {
            Ok(_) => Ok(true),
            Err(Error::Missing) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Forgets a key; forgetting what is gone is fine.
    pub async fn delete(&self, key: &str) -> Result<(), Error> {
        match self.0.delete(&Key::from(key)).await.map_err(Error::from) {
            Err(Error::Missing) | Ok(()) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// The key of a new file: grouped by the two characters of its id that differ between neighbours.
pub fn key(id: &str) -> String {
    let group = id.get(id.len().saturating_sub(2)..).unwrap_or("00");
    format!("{group}/{id}")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{Error, Storage};

    #[tokio::test]
    async fn what_was_put_is_got_and_what_was_deleted_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let storage = Storage::open(&format!("file://{}", folder.path().display())).unwrap();
        storage
            .put("ab/att_1", Bytes::from_static(b"hello"))
            .await
            .unwrap();
        assert_eq!(storage.get("ab/att_1").await.unwrap(), "hello");
        assert_eq!(storage.get_first("ab/att_1", 2).await.unwrap(), "he");
        assert!(storage.has("ab/att_1").await.unwrap() && !storage.has("ab/att_2").await.unwrap());
        assert_eq!(storage.get_first("ab/att_1", 99).await.unwrap(), "hello");
        storage.delete("ab/att_1").await.unwrap();
        storage.delete("ab/att_1").await.unwrap();
        assert!(matches!(storage.get("ab/att_1").await, Err(Error::Missing)));
    }

    #[test]
    fn another_scheme_is_refused_by_name() {
        assert!(
            Storage::open("ftp://x")
                .unwrap_err()
                .to_string()
                .contains("ftp://x")
        );
    }
}
