//! What is remembered between requests, and never for longer than it is likely to be true.

use std::{
    collections::HashMap,
    fmt,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};

use crate::SyncError;

/// How long fields, pipelines and users are taken for what they were.
const LASTS: TimeDelta = TimeDelta::minutes(10);

/// Something that changes seldom.
pub(crate) struct Kept<T>(Mutex<Option<(DateTime<Utc>, Arc<T>)>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> fmt::Debug for Kept<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept")
    }
}

impl<T> Kept<T> {
    /// What is kept while it is fresh, else what `load` brings.
    pub(crate) async fn get<F>(&self, now: DateTime<Utc>, load: F) -> Result<Arc<T>, SyncError>
    where
        F: Future<Output = Result<T, SyncError>> + Send,
    {
        if let Some((until, kept)) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner)
            && now < *until
        {
            return Ok(kept.clone());
        }
        let loaded = Arc::new(load.await?);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now + LASTS, loaded.clone()));
        Ok(loaded)
    }

    /// It turned out to be old.
    pub(crate) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// In which state we left records: a change to that state is our own coming back. Lost at a restart, when the
/// same change comes once more and changes nothing.
#[derive(Debug, Default)]
pub(crate) struct Written(Mutex<HashMap<String, String>>);

/// So many are remembered; then it begins anew.
const MAX_WRITTEN: usize = 20_000;

impl Written {
    /// We left the record in this state.
    pub(crate) fn note(&self, id: &str, status: &str) {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if written.len() >= MAX_WRITTEN {
            written.clear();
        }
        written.insert(id.to_owned(), status.to_owned());
    }

    /// Whether the record stands where we left it; `None` when we know of no such place. When it does not,
    /// somebody moved it, and what they do from now on is theirs.
    pub(crate) fn is_ours(&self, id: &str, status: Option<&str>) -> Option<bool> {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ours = Some(written.get(id)?.as_str()) == status;
        if !ours {
            written.remove(id);
        }
        Some(ours)
    }
}
