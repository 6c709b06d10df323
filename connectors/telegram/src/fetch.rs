//! Files of a message, fetched at once: what Telegram keeps for an hour is kept for good before the message is
//! taken. What is too large or gone says so in the file's place and stops nothing.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use switchboard_sdk::{InboundAttachment, InboundEvent};
use tokio::time::sleep;

use crate::{
    api::{Api, CLOUD_DOWNLOAD},
    content::Wanted,
    map::Draft,
    settings::Settings,
    trouble::Trouble,
};

/// How often a file is asked for in a row,
const TRIES: u32 = 3;
/// and the pause between.
const PAUSE: Duration = Duration::from_millis(700);
/// A message waits this long for a file that cannot be had now, and with it what came after; then it comes without.
const PATIENCE: TimeDelta = TimeDelta::minutes(3);

/// The largest file that is taken.
pub fn limit(settings: &Settings, max_upload_bytes: u64) -> u64 {
    if settings.is_cloud() {
        max_upload_bytes.min(CLOUD_DOWNLOAD)
    } else {
        max_upload_bytes
    }
}

/// Gets the files of an event.
///
/// # Errors
/// When one cannot be had now and it is worth waiting for.
pub async fn complete(
    api: &Api,
    draft: Draft,
    limit: u64,
    now: DateTime<Utc>,
) -> Result<InboundEvent, Trouble> {
    let young = now - draft.event.at < PATIENCE;
    let got = join_all(draft.files.iter().map(|file| one(api, file, limit))).await;
    let mut files = Vec::with_capacity(got.len());
    for (file, got) in draft.files.iter().zip(got) {
        let mut attachment = InboundAttachment {
            name: file.name.clone(),
            content_type: file.content_type.clone(),
            ..InboundAttachment::default()
        };
        match got {
            Ok(data) => attachment.data = data.into(),
            Err(trouble) if trouble.is_passing() && young => return Err(trouble),
            Err(trouble) => attachment.missing = Some(trouble.to_string()),
        }
        files.push(attachment);
    }
    Ok(draft.with_files(files))
}

async fn one(api: &Api, file: &Wanted, limit: u64) -> Result<bytes::Bytes, Trouble> {
    if let Some(size) = file.size.filter(|size| *size > limit) {
        return Err(too_large(size, limit));
    }
    let mut tries = 1;
    loop {
        match api.file(&file.file_id, limit).await {
            Err(Trouble::Later(pause)) if tries < TRIES => sleep(pause.min(PAUSE * 4)).await,
            Err(trouble) if trouble.is_passing() && tries < TRIES => sleep(PAUSE).await,
            // The cloud's word for it, of files whose size it did not say.
            Err(Trouble::Refused(words)) if words.contains("file is too big") => {
                return Err(too_large(limit + 1, limit));
            }
            got => return got,
        }
        tries += 1;
    }
}

fn too_large(size: u64, limit: u64) -> Trouble {
    let megabytes = |bytes: u64| bytes.div_ceil(1_000_000);
    Trouble::Refused(format!(
        "{} MB, and at most {} MB can be taken: ask for a smaller file or a link",
        megabytes(size),
        limit / 1_000_000
    ))
}
