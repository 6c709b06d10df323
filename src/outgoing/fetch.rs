//! Fetching the files that pushes name by their address, before anything of the push is stored.
//!
//! A file that cannot be had does not lose its message: its place says why. What may pass (the other
//! server is busy) is tried once more.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Method, header};
use switchboard_sdk::{Batch, HttpError, InboundAttachment, InboundBody};

use super::{Outgoing, Typed};

/// How long one file may take.
const FILE_LIMIT: Duration = Duration::from_secs(20);
/// Files fetched at the same time for one push.
const TOGETHER: usize = 4;
/// The pause before the second try.
const AGAIN: Duration = Duration::from_secs(1);

impl Outgoing {
    /// Fetches all files of a batch that are there by address only, each within `max_bytes`.
    pub async fn fetch_files(&self, batch: &mut Batch, max_bytes: u64) {
        let mut files: Vec<&mut InboundAttachment> = Vec::new();
        for event in &mut batch.events {
            match &mut event.body {
                InboundBody::Message(message) => files.extend(&mut message.attachments),
                InboundBody::Edit(edit) => files.extend(edit.attachments.iter_mut().flatten()),
                _ => {}
            }
        }
        let wanted = files
            .into_iter()
            .filter(|file| file.url.is_some() && file.missing.is_none());
        stream::iter(wanted)
            .for_each_concurrent(TOGETHER, |file| self.fetch_file(file, max_bytes))
            .await;
    }

    async fn fetch_file(&self, file: &mut InboundAttachment, max_bytes: u64) {
        let Some(url) = file.url.clone() else { return };
        let mut got = self.fetch(&url, max_bytes).await;
        if let Err((_, true)) = got {
            tokio::time::sleep(AGAIN).await;
            got = self.fetch(&url, max_bytes).await;
        }
        match got {
            Ok((content_type, data)) => {
                if file.content_type.is_empty() {
                    file.content_type = content_type;
                }
                file.data = data.into();
            }
            Err((reason, _)) => file.missing = Some(reason),
        }
    }

    /// The media type and the bytes, or why not and whether that may pass.
    async fn fetch(&self, url: &str, max_bytes: u64) -> Result<(String, Bytes), (String, bool)> {
        let request = http::Request::builder()
            .method(Method::GET)
            .uri(url)
            .body(Bytes::new());
        let request = request.map_err(|_| ("its address is none".to_owned(), false))?;
        let most = usize::try_from(max_bytes).unwrap_or(usize::MAX);
        let answer = self.send(Typed::Outside, request, FILE_LIMIT, most).await;
        let answer = answer.map_err(|error| match error {
            HttpError::Forbidden(reason) => (reason, false),
            HttpError::Unknown(reason) if reason.starts_with("the answer is larger") => {
                (format!("too large: more than {} MB", max_bytes >> 20), false)
            }
            HttpError::NotSent(reason) | HttpError::Unknown(reason) => {
                (format!("it could not be fetched: {reason}"), true)
            }
        })?;
        let status = answer.status();
        if status.as_u16() != 200 {
            let passing = status.is_server_error() || status.as_u16() == 429;
            return Err((
                format!("it could not be fetched: the server answered {status}"),
                passing,
            ));
        }
        let content_type = answer
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("application/octet-stream")
            .to_owned();
        Ok((content_type, answer.into_body()))
    }
}
