//! Files: attachments and raw bytes of what could not be understood.

use std::{
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::{Stream, TryStreamExt};
use object_store::{
    GetOptions, GetRange, MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload, local::LocalFileSystem,
    path::Path as Key,
};
use switchboard_sdk::{Content, Spool};

/// Where files are kept. `STORAGE__URL` names it; a local folder is the only kind yet.
#[derive(Debug, Clone)]
pub struct Storage {
    store: Arc<dyn ObjectStore>,
    folder: PathBuf,
}

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
    /// The folder cannot be made, or a temporary file cannot be read or written.
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
        Ok(Self {
            store: Arc::new(store),
            folder: folder.into(),
        })
    }

    /// Where temporary files may lie: on the same disk.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps bytes under a key, durably. What is in a temporary file is copied in pieces.
    pub async fn put(&self, key: &str, data: impl Into<Content>) -> Result<(), Error> {
        let (key, data) = (Key::from(key), data.into());
        if let Some(bytes) = data.in_memory() {
            self.store
                .put(&key, PutPayload::from_bytes(bytes.clone()))
                .await?;
            return Ok(());
        }
        let mut upload = self.store.put_multipart(&key).await?;
        match copy(&data, upload.as_mut()).await {
            Ok(()) => Ok(()),
            Err(error) => {
                if let Err(left) = upload.abort().await {
                    tracing::warn!(error = %left, "half a file is left in the storage");
                }
                Err(error)
            }
        }
    }

    /// The bytes of a key.
    pub async fn get(&self, key: &str) -> Result<Bytes, Error> {
        Ok(self.store.get(&Key::from(key)).await?.bytes().await?)
    }

    /// The size of a key and its bytes piece by piece.
    pub async fn stream(
        &self,
        key: &str,
    ) -> Result<(u64, impl Stream<Item = Result<Bytes, Error>> + Send + 'static), Error> {
        let found = self.store.get(&Key::from(key)).await?;
        Ok((found.meta.size, found.into_stream().map_err(Error::from)))
    }

    /// The size of a key.
    pub async fn size(&self, key: &str) -> Result<u64, Error> {
        Ok(self.store.head(&Key::from(key)).await?.size)
    }

    /// A part of a key, piece by piece.
    pub async fn part(
        &self,
        key: &str,
        range: Range<u64>,
    ) -> Result<impl Stream<Item = Result<Bytes, Error>> + Send + 'static, Error> {
        let options = GetOptions {
            range: Some(GetRange::Bounded(range)),
            ..GetOptions::default()
        };
        let found = self.store.get_opts(&Key::from(key), options).await?;
        Ok(found.into_stream().map_err(Error::from))
    }

    /// The bytes of a key: in memory when they are few, else in a temporary file.
    pub async fn content(&self, key: &str) -> Result<Content, Error> {
        let (size, pieces) = self.stream(key).await?;
        if size <= Content::PIECE as u64 {
            return Ok(self.get(key).await?.into());
        }
        let spool = Spool::new(&self.folder)?;
        let spool = pieces
            .try_fold(spool, |mut spool, piece| async move {
                tokio::task::spawn_blocking(move || spool.write(&piece).map(|()| spool))
                    .await
                    .map_err(std::io::Error::other)?
                    .map_err(Error::from)
            })
            .await?;
        Ok(spool.finish())
    }

    /// The first bytes of a key, or all of them when they are fewer.
    pub async fn get_first(&self, key: &str, bytes: u64) -> Result<Bytes, Error> {
        let key = Key::from(key);
        let size = self.store.head(&key).await?.size;
        Ok(self.store.get_range(&key, 0..bytes.min(size)).await?)
    }

    /// Whether something is kept under a key.
    pub async fn has(&self, key: &str) -> Result<bool, Error> {
        match self.store.head(&Key::from(key)).await.map_err(Error::from) {
            Ok(_) => Ok(true),
            Err(Error::Missing) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The keys of files that were last written before this.
    pub async fn older_than(&self, before: DateTime<Utc>) -> Result<Vec<String>, Error> {
        let keys = self.store.list(None).try_filter_map(|found| async move {
            Ok((found.last_modified < before).then(|| found.location.to_string()))
        });
        Ok(keys.try_collect().await?)
    }

    /// Forgets a key; forgetting what is gone is fine.
    pub async fn delete(&self, key: &str) -> Result<(), Error> {
        match self.store.delete(&Key::from(key)).await.map_err(Error::from) {
            Err(Error::Missing) | Ok(()) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

async fn copy(data: &Content, upload: &mut dyn MultipartUpload) -> Result<(), Error> {
    let mut at = 0;
    while at < data.len() {
        let piece = data.piece(at, Content::PIECE).await?;
        at += piece.len() as u64;
        upload.put_part(PutPayload::from_bytes(piece)).await?;
    }
    upload.complete().await?;
    Ok(())
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

    #[tokio::test]
    async fn a_large_file_goes_in_and_out_in_pieces() {
        let folder = tempfile::tempdir().unwrap();
        let storage = Storage::open(&format!("file://{}", folder.path().display())).unwrap();
        let piece: Vec<u8> = (0..=255).cycle().take(700_000).collect();
        let mut spool = switchboard_sdk::Spool::new(storage.folder()).unwrap();
        for _ in 0..3 {
            spool.write(&piece).unwrap();
        }
        storage.put("ab/org_1", spool.finish()).await.unwrap();
        let whole = piece.repeat(3);
        assert_eq!(storage.get("ab/org_1").await.unwrap(), whole);
        let content = storage.content("ab/org_1").await.unwrap();
        assert!(content.in_memory().is_none());
        assert_eq!(content.read_all().unwrap(), whole);
        storage.put("ab/att_1", b"few".to_vec()).await.unwrap();
        assert!(storage.content("ab/att_1").await.unwrap().in_memory().is_some());
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "only the folder of the keys: {left:?}");
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
