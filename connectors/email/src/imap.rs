//! One IMAP connection with a mailbox open, read-only.
//!
//! The library frames and parses; commands are run here, because each answer must be checked to its tagged
//! end: a connection cut in the middle of a FETCH must not look like "those mails are gone".

mod append;
mod login;
mod wire;

use std::{fmt, path::Path, time::Duration};

use async_imap::{
    Session,
    imap_proto::{AttributeValue, MailboxDatum, Outcome, Response, ResponseCode, Status},
};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use switchboard_sdk::{CancellationToken, Content, Spool};
use tokio::time::{Instant, timeout, timeout_at};

pub use wire::ImapError;
use wire::{
    COMMAND, announces, cut, finish, internal_date, run, said, send, send_line, size, slow, uid, uid_set,
    unreadable,
};

use crate::{cursor::Opened, mailbox_name, net, settings::Settings, trace::Trace};

/// Slowest line on which mail is still fetched, in bytes a second: decides how long a fetch may take.
const SLOWEST: u64 = 16 * 1024;

/// A larger mail is fetched in pieces of this size: the library keeps a whole answer in its buffer.
pub const PIECE: u32 = 1024 * 1024;

/// A mail as the mailbox lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Its UID.
    pub uid: u32,
    /// `RFC822.SIZE`, in bytes.
    pub size: u64,
    /// `INTERNALDATE`.
    pub arrived: Option<DateTime<Utc>>,
}

/// Why a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// The server announced something.
    Announced,
    /// The time was up.
    Time,
    /// We are to stop.
    Stop,
}

/// The connection.
pub struct Imap {
    session: Session<net::Stream>,
    capabilities: Vec<String>,
    /// The server spoke of new mail since [`Self::search`] last ran.
    announced: bool,
}

impl fmt::Debug for Imap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Imap")
            .field("capabilities", &self.capabilities)
            .finish_non_exhaustive()
    }
}

impl Imap {
    /// Connects and logs in.
    pub async fn connect(settings: &Settings) -> Result<Self, ImapError> {
        Self::connect_noting(settings, &mut Trace::default()).await
    }

    /// The same, noting each step.
    pub async fn connect_noting(settings: &Settings, trace: &mut Trace) -> Result<Self, ImapError> {
        let (session, capabilities) = login::open(settings, trace).await?;
        Ok(Self {
            session,
            capabilities,
            announced: false,
        })
    }

    /// Whether the server announces new mail by itself.
    pub fn can_idle(&self) -> bool {
        self.capabilities.iter().any(|name| name == "IDLE")
    }

    /// Opens the mailbox read-only: nothing done here can mark a mail as seen.
    pub async fn examine(&mut self, mailbox: &str) -> Result<Opened, ImapError> {
        self.open("EXAMINE", mailbox).await
    }

    /// Opens the mailbox so that mails can be marked; fetching still marks none.
    pub async fn select(&mut self, mailbox: &str) -> Result<Opened, ImapError> {
        self.open("SELECT", mailbox).await
    }

    async fn open(&mut self, how: &str, mailbox: &str) -> Result<Opened, ImapError> {
        let mut opened = Opened {
            uid_validity: 0,
            uid_next: 0,
            exists: 0,
        };
        let command = format!("{how} {}", mailbox_name::quoted(mailbox));
        let answer = run(&mut self.session, &command, COMMAND, |response| match response {
            Response::MailboxData(MailboxDatum::Exists(count)) => opened.exists = *count,
            Response::Data {
                status: Status::Ok,
                outcome:
                    Outcome {
                        code: Some(ResponseCode::UidValidity(value)),
                        ..
                    },
            } => opened.uid_validity = *value,
            Response::Data {
                status: Status::Ok,
                outcome:
                    Outcome {
                        code: Some(ResponseCode::UidNext(value)),
                        ..
                    },
            } => opened.uid_next = *value,
            _ => {}
        });
        answer.await.map_err(|error| match error {
            ImapError::Answer(text) if is_missing(&text) => {
                ImapError::Settings(format!("the mailbox has no folder \"{mailbox}\": {text}"))
            }
            ImapError::Answer(text) => {
                ImapError::Answer(format!("the folder \"{mailbox}\" cannot be opened: {text}"))
            }
            error => error,
        })?;
        if opened.uid_next == 0 {
            // Old servers do not say it: one more than the newest. `*` finds it even in a range.
            let newest = if opened.exists == 0 {
                0
            } else {
                self.search("UID *").await?.into_iter().max().unwrap_or(0)
            };
            opened.uid_next = newest.saturating_add(1);
        }
        Ok(opened)
    }

    /// UIDs that match.
    pub async fn search(&mut self, query: &str) -> Result<Vec<u32>, ImapError> {
        let mut found = Vec::new();
        self.announced = false;
        let mut announced = false;
        run(
            &mut self.session,
            &format!("UID SEARCH {query}"),
            COMMAND,
            |response| match response {
                Response::MailboxData(MailboxDatum::Search(uids)) => found.extend_from_slice(uids),
                other => announced |= announces(other),
            },
        )
        .await?;
        self.announced |= announced;
        Ok(found)
    }

    /// Size and date of mails; those that are gone are missing.
    pub async fn list(&mut self, uids: &[u32]) -> Result<Vec<Listed>, ImapError> {
        let mut found = Vec::new();
        let mut announced = false;
        let command = format!("UID FETCH {} (UID RFC822.SIZE INTERNALDATE)", uid_set(uids));
        run(&mut self.session, &command, COMMAND, |response| {
            announced |= announces(response);
            let Response::Fetch(_, values) = response else {
                return;
            };
            if let (Some(uid), Some(size)) = (uid(values), size(values)) {
                found.push(Listed {
                    uid,
                    size: u64::from(size),
                    arrived: internal_date(values),
                });
            }
        })
        .await?;
        self.announced |= announced;
        found.sort_unstable_by_key(|mail| mail.uid);
        found.dedup_by_key(|mail| mail.uid);
        found.retain(|mail| uids.contains(&mail.uid)); // other clients' flag changes come unasked
        Ok(found)
    }

    /// The bytes of mails; those that are gone are missing.
    pub async fn fetch(&mut self, uids: &[u32], bytes: u64) -> Result<Vec<(u32, Bytes)>, ImapError> {
        self.fetch_part(uids, bytes, None).await
    }

    /// At most the first `limit` bytes of one mail, piece by piece into a temporary file; `None` when it is gone.
    pub async fn fetch_long(
        &mut self,
        uid: u32,
        limit: u64,
        scratch: &Path,
    ) -> Result<Option<Content>, ImapError> {
        let folder = scratch.to_owned();
        let mut spool = off_the_loop(move || Spool::new(&folder)).await?;
        while spool.len() < limit {
            let rest = u32::try_from(limit - spool.len()).unwrap_or(u32::MAX).min(PIECE);
            let from = u32::try_from(spool.len()).unwrap_or(u32::MAX);
            let piece = self
                .fetch_part(&[uid], u64::from(rest), Some((from, rest)))
                .await?;
            let Some((_, piece)) = piece.into_iter().next() else {
                return Ok(None);
            };
            let is_last = piece.len() < rest as usize;
            spool = off_the_loop(move || spool.write(&piece).map(|()| spool)).await?;
            if is_last {
                break;
            }
        }
        Ok(Some(spool.finish()))
    }

    /// Marks mails as seen.
    pub async fn mark_seen(&mut self, uids: &[u32]) -> Result<(), ImapError> {
        let command = format!("UID STORE {} +FLAGS.SILENT (\\Seen)", uid_set(uids));
        let mut announced = false;
        run(&mut self.session, &command, COMMAND, |response| {
            announced |= announces(response);
        })
        .await?;
        self.announced |= announced;
        Ok(())
    }

    async fn fetch_part(
        &mut self,
        uids: &[u32],
        bytes: u64,
        part: Option<(u32, u32)>,
    ) -> Result<Vec<(u32, Bytes)>, ImapError> {
        let mut found = Vec::new();
        let mut announced = false;
        // PEEK: without it the server would mark the mail as seen.
        let part = part.map_or_else(
            || "BODY.PEEK[]".to_owned(),
            |(from, length)| format!("BODY.PEEK[]<{from}.{length}>"),
        );
        let time = COMMAND + Duration::from_secs(bytes / SLOWEST);
        run(
            &mut self.session,
            &format!("UID FETCH {} (UID {part})", uid_set(uids)),
            time,
            |response| {
                announced |= announces(response);
                let Response::Fetch(_, values) = response else {
                    return;
                };
                let body = values.iter().find_map(|value| match value {
                    AttributeValue::BodySection {
                        section: None, data, ..
                    }
                    | AttributeValue::Rfc822(data) => Some(data.as_deref().unwrap_or_default()),
                    _ => None,
                });
                if let (Some(uid), Some(body)) = (uid(values), body) {
                    found.push((uid, Bytes::copy_from_slice(body)));
                }
            },
        )
        .await?;
        self.announced |= announced;
        found.retain(|(uid, _)| uids.contains(uid));
        found.sort_by_key(|(uid, _)| *uid);
        found.dedup_by_key(|(uid, _)| *uid);
        Ok(found)
    }

    /// Waits until the server announces something (RFC 2177), at most `time`.
    pub async fn idle(&mut self, time: Duration, stop: &CancellationToken) -> Result<Wake, ImapError> {
        if std::mem::take(&mut self.announced) {
            return Ok(Wake::Announced);
        }
        let deadline = Instant::now() + time;
        let tag = timeout(COMMAND, send(&mut self.session, "IDLE"))
            .await
            .map_err(|_| slow("IDLE"))??;
        let mut started = false;
        let start_by = Instant::now() + COMMAND;
        let wake = loop {
            let response = tokio::select! {
                biased;
                () = stop.cancelled(), if started => break Wake::Stop,
                response = timeout_at(if started { deadline } else { start_by }, self.session.read_response()) => response,
            };
            let Ok(response) = response else {
                if started {
                    break Wake::Time;
                }
                return Err(slow("IDLE"));
            };
            let response = response.map_err(unreadable)?.ok_or_else(cut)?;
            match response.parsed() {
                Response::Continue(_) => {
                    started = true;
                    if self.announced {
                        break Wake::Announced;
                    }
                }
                Response::Done {
                    tag: done, outcome, ..
                } if *done == tag => return Err(ImapError::Answer(said("IDLE", outcome))),
                Response::Data {
                    status: Status::Bye,
                    outcome,
                } => return Err(ImapError::Lost(said("bye", outcome))),
                other if announces(other) => {
                    if started {
                        break Wake::Announced;
                    }
                    self.announced = true;
                }
                _ => {}
            }
        };
        self.announced = false;
        timeout(COMMAND, send_line(&mut self.session, "DONE"))
            .await
            .map_err(|_| slow("DONE"))??;
        let mut announced = false;
        let mut each = |response: &Response<'_>| announced |= announces(response);
        timeout(COMMAND, finish(&mut self.session, &tag, "IDLE", &mut each))
            .await
            .map_err(|_| slow("DONE"))??;
        self.announced |= announced;
        Ok(wake)
    }

    /// Keeps the connection open and lets the server announce what is new.
    pub async fn noop(&mut self) -> Result<(), ImapError> {
        run(&mut self.session, "NOOP", COMMAND, |_| ()).await
    }

    /// Says goodbye; whether the server still hears it is all the same.
    pub async fn logout(mut self) {
        drop(
            timeout(
                Duration::from_millis(300),
                run(&mut self.session, "LOGOUT", COMMAND, |_| ()),
            )
            .await,
        );
    }
}

/// Work on a temporary file, where it holds up nobody.
async fn off_the_loop<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, ImapError> {
    let done = tokio::task::spawn_blocking(work)
        .await
        .map_err(std::io::Error::other);
    done.and_then(|done| done).map_err(|error| {
        ImapError::Disk(format!(
            "a large mail cannot be put into a temporary file: {error}"
        ))
    })
}

fn is_missing(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    [
        "nonexistent",
        "doesn't exist",
        "does not exist",
        "no such mailbox",
        "unknown mailbox",
        "mailbox not found",
        "invalid mailbox",
    ]
    .iter()
    .any(|sign| words.contains(sign))
}
