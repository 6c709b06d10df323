//! Fetching recordings: at once, with the provider's credentials, past the guard for addresses from outside, and again
//! for about a day when they are not there yet.

use std::{collections::HashSet, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::DbErr;
use switchboard_sdk::{CallRecording, CancellationToken, Fault};
use tokio::task::JoinSet;

use super::{
    entry, follow, recordings,
    retry::{self, Next},
};
use crate::{
    clock::SharedClock,
    connector::Host,
    db::{
        Db,
        entity::{attachment, call_recording},
    },
    id::{self, Kind},
    ingest::clean_content_type,
    outgoing::{
        Outgoing,
        download::{Download, DownloadError},
    },
    storage::{self, Storage},
};

/// Whoever is fetching holds the row for so long, and says again and again that it still is.
const LEASE: TimeDelta = TimeDelta::seconds(30);
const RENEW: Duration = Duration::from_secs(10);
/// Recordings fetched at the same time.
const TOGETHER: usize = 4;
const TICK: Duration = Duration::from_millis(250);

/// What fetching needs. Cheap to clone.
#[derive(Clone)]
pub struct Fetcher {
    /// The store.
    pub db: Db,
    /// Where files go.
    pub storage: Storage,
    /// Time.
    pub clock: SharedClock,
    /// The channels, whose connectors know how to ask.
    pub host: Host,
    /// The way out.
    pub outgoing: Outgoing,
    /// Largest recording kept, in bytes.
    pub max_bytes: u64,
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fetcher")
    }
}

/// Why a recording is not here after a try.
enum Failure {
    /// Nothing will change that.
    Final(String),
    /// It may pass.
    Passing(String, Option<u32>),
}

impl Fetcher {
    /// Runs until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let me = Arc::new(self);
        let mut flying: JoinSet<String> = JoinSet::new();
        let mut busy: HashSet<String> = HashSet::new();
        loop {
            if let Err(error) = me.begin(&mut flying, &mut busy).await {
                tracing::error!(%error, "recordings could not be looked for; it will be tried again");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                Some(done) = flying.join_next(), if !flying.is_empty() => match done {
                    Ok(id) => { busy.remove(&id); }
                    // A crash leaves its lease to lapse.
                    Err(_panic) => { busy.clear(); }
                },
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    async fn begin(
        self: &Arc<Self>,
        flying: &mut JoinSet<String>,
        busy: &mut HashSet<String>,
    ) -> Result<(), DbErr> {
        let free = TOGETHER.saturating_sub(flying.len());
        if free == 0 {
            return Ok(());
        }
        let now = self.clock.now();
        for row in recordings::due(self.db.read(), now, free as u64).await? {
            if !busy.contains(&row.id) && recordings::claim(&self.db, &row.id, now, now + LEASE).await? {
                busy.insert(row.id.clone());
                let me = Arc::clone(self);
                flying.spawn(async move {
                    let id = row.id.clone();
                    me.fetch(row).await;
                    id
                });
            }
        }
        Ok(())
    }

    async fn renew(&self, id: &str) {
        loop {
            tokio::time::sleep(RENEW).await;
            let until = self.clock.now() + LEASE;
            if let Err(error) = recordings::renew(&self.db, id, until).await {
                tracing::warn!(%error, "the lease of a recording could not be renewed");
            }
        }
    }

    /// One try, and what comes of it.
    async fn fetch(&self, row: call_recording::Model) {
        let attempts = u32::try_from(row.attempts + 1).unwrap_or(u32::MAX);
        let source: CallRecording = serde_json::from_value(row.source.clone()).unwrap_or_default();
        let got = tokio::select! {
            got = self.get(&row, &source) => got,
            () = self.renew(&row.id) => return,
        };
        let now = self.clock.now();
        let recorded = match got {
            Ok(download) => self.keep(&row, download, now).await,
            Err(failure) => self.failed(&row, failure, attempts, &source, now).await,
        };
        if let Err(error) = recorded {
            tracing::error!(recording.id = row.id, %error, "what became of a recording could not be written; it will be tried again");
        }
    }

    async fn get(&self, row: &call_recording::Model, source: &CallRecording) -> Result<Download, Failure> {
        let connector = self.host.connector(&row.channel_id);
        let Some(connector) = connector.filter(|connector| connector.telephony().is_some()) else {
            return Err(Failure::Passing(
                "the channel's settings do not work".to_owned(),
                None,
            ));
        };
        let Some(telephony) = connector.telephony() else {
            return Err(Failure::Final("the channel knows no recordings".to_owned()));
        };
        if source.expires_at.is_some_and(|until| until <= self.clock.now()) {
            return Err(Failure::Final("its address has run out".to_owned()));
        }
        let request = telephony.recording(source).await.map_err(|fault| match fault {
            Fault::Temporary(reason) => Failure::Passing(reason, None),
            Fault::Permanent(reason) => Failure::Final(reason),
        })?;
        let got = self
            .outgoing
            .download(request, self.max_bytes, self.storage.folder())
            .await;
        let got = got.map_err(|error| match error {
            DownloadError::Later { reason, after } => Failure::Passing(reason, after),
            other => Failure::Final(other.to_string()),
        })?;
        let head = got.content.piece(0, 64).await.unwrap_or_default();
        if is_page(&sound(&got.content_type, &head)) {
            let reason = "the server sent a page in its place".to_owned();
            return Err(Failure::Passing(reason, None));
        }
        Ok(got)
    }

    /// The file first, then the rows that name it.
    async fn keep(
        &self,
        row: &call_recording::Model,
        download: Download,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let id = id::new(Kind::Attachment, now);
        let storage_key = storage::key(&id);
        let size = i64::try_from(download.content.len()).unwrap_or(i64::MAX);
        let head = download.content.piece(0, 64).await.unwrap_or_default();
        let content_type = sound(&download.content_type, &head);
        if let Err(error) = self.storage.put(&storage_key, download.content).await {
            return Err(DbErr::Custom(error.to_string()));
        }
        let write = self.db.write().await?;
        let Some((known, call)) = recordings::with_call(write.tx(), &row.id).await? else {
            return Ok(());
        };
        let began = call.as_ref().map_or(now, |call| call.started_at);
        let file = attachment::Model {
            id: id.clone(),
            message_id: call.and_then(|call| call.message_id),
            owner: entry::owner(&known.call_id),
            position: 0,
            name: format!(
                "call-{}.{}",
                began.format("%Y-%m-%d-%H%M%S"),
                ending(&content_type)
            ),
            content_type,
            size,
            storage_key,
            content_id: None,
            created_at: now,
            replaced: false,
        };
        recordings::stored(&write, &known.id, file).await?;
        recordings::look_soon(&write, &known.call_id, now).await?;
        write.commit().await?;
        follow::look_again(&self.db, &self.host, &known.channel_id, &known.call_id, now).await
    }

    async fn failed(
        &self,
        row: &call_recording::Model,
        failure: Failure,
        attempts: u32,
        source: &CallRecording,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let (reason, next) = match failure {
            Failure::Final(reason) => (reason, Next::GiveUp),
            Failure::Passing(reason, asked) => {
                let next = retry::next(attempts, asked, source.expires_at, now);
                (reason, next)
            }
        };
        tracing::debug!(
            recording.id = row.id,
            reason,
            attempts,
            "a recording is not here yet"
        );
        let again = match next {
            Next::At(at) => Some(at),
            Next::GiveUp => None,
        };
        let write = self.db.write().await?;
        recordings::missed(&write, &row.id, reason, again).await?;
        recordings::look_soon(&write, &row.call_id, now).await?;
        write.commit().await?;
        follow::look_again(&self.db, &self.host, &row.channel_id, &row.call_id, now).await
    }
}

/// The media type of a recording: what its first bytes say, where the server says nothing of use. Pure.
fn sound(said: &str, head: &[u8]) -> String {
    let found = if head.starts_with(b"ID3") || (head.len() > 1 && head[0] == 0xff && head[1] & 0xe0 == 0xe0) {
        Some("audio/mpeg")
    } else if head.starts_with(b"RIFF") {
        Some("audio/wav")
    } else if head.starts_with(b"OggS") {
        Some("audio/ogg")
    } else if head.get(4..8) == Some(b"ftyp") {
        Some("audio/mp4")
    } else {
        None
    };
    let said = clean_content_type(said);
    match found {
        Some(found) => found.to_owned(),
        None if said == "audio/x-wav" || said == "audio/wave" => "audio/wav".to_owned(),
        None if said == "audio/mp3" || said == "audio/x-mpeg" => "audio/mpeg".to_owned(),
        None => said,
    }
}

/// Providers show a page where a recording is not ready, or a sign-in is missing. Pure.
fn is_page(content_type: &str) -> bool {
    content_type.starts_with("text/")
        || matches!(
            content_type,
            "application/json" | "application/xml" | "application/problem+json"
        )
}

fn ending(content_type: &str) -> &'static str {
    match content_type {
        "audio/mpeg" => "mp3",
        "audio/wav" => "wav",
        "audio/ogg" => "ogg",
        "audio/mp4" => "m4a",
        _ => "bin",
    }
}

#[cfg(test)]
mod tests {
    use super::{ending, sound};

    #[test]
    fn a_recording_is_what_its_first_bytes_say() {
        let table: [(&str, &[u8], &str); 5] = [
            ("application/octet-stream", b"ID3\x04", "audio/mpeg"),
            ("text/html", b"RIFF....WAVE", "audio/wav"),
            ("audio/x-wav", b"", "audio/wav"),
            ("", b"\0\0\0\x20ftypM4A ", "audio/mp4"),
            ("text/html", b"<html>", "text/html"),
        ];
        for (said, head, expected) in table {
            assert_eq!(sound(said, head), expected);
        }
        assert_eq!(ending("text/html"), "bin");
    }
}
