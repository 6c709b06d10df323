//! Commands and answers of one connection, each followed to its tagged end.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use async_imap::{
    Connection,
    imap_proto::{AttributeValue, MailboxDatum, Outcome, RequestId, Response, Status},
};
use chrono::{DateTime, Utc};
use switchboard_sdk::Fault;
use tokio::{io::AsyncWriteExt, time::timeout};

use crate::net;

/// Longest wait for the answer to a small command.
pub(super) const COMMAND: Duration = Duration::from_secs(60);

/// What went wrong on the connection, and at which step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImapError {
    /// The server cannot be reached, or the connection broke.
    #[error("{0}")]
    Lost(String),
    /// The server refused the login: trying again would lock the account.
    #[error("{0}")]
    Login(String),
    /// The settings cannot work with this server.
    #[error("{0}")]
    Settings(String),
    /// Our own disk failed.
    #[error("{0}")]
    Disk(String),
    /// The server said NO or BAD, or something that is not IMAP.
    #[error("{0}")]
    Answer(String),
}

impl From<ImapError> for Fault {
    fn from(error: ImapError) -> Self {
        match error {
            ImapError::Login(text) | ImapError::Settings(text) => Self::Permanent(text),
            ImapError::Lost(text) | ImapError::Disk(text) | ImapError::Answer(text) => Self::Temporary(text),
        }
    }
}

/// Runs a command to its tagged end, showing every answer on the way.
pub(super) async fn run<T: net::Io>(
    connection: &mut Connection<T>,
    command: &str,
    time: Duration,
    mut each: impl FnMut(&Response<'_>),
) -> Result<(), ImapError> {
    let name = command.split(' ').take(2).collect::<Vec<_>>().join(" ");
    let work = async {
        let tag = send(connection, command).await?;
        finish(connection, &tag, &name, &mut each).await
    };
    timeout(time, work).await.map_err(|_| slow(&name))?
}

pub(super) async fn finish<T: net::Io>(
    connection: &mut Connection<T>,
    tag: &RequestId,
    name: &str,
    each: &mut impl FnMut(&Response<'_>),
) -> Result<(), ImapError> {
    loop {
        let response = connection
            .read_response()
            .await
            .map_err(unreadable)?
            .ok_or_else(cut)?;
        match response.parsed() {
            Response::Done {
                tag: done,
                status: Status::Ok,
                ..
            } if done == tag => return Ok(()),
            Response::Done {
                tag: done, outcome, ..
            } if done == tag => return Err(ImapError::Answer(said(name, outcome))),
            Response::Data {
                status: Status::Bye,
                outcome,
            } if name != "LOGOUT" => return Err(ImapError::Lost(said("bye", outcome))),
            other => each(other),
        }
    }
}

/// Sends a command under a tag of its own. Written straight to the stream: the library's method for it is
/// there only after the login.
pub(super) async fn send<T: net::Io>(
    connection: &mut Connection<T>,
    command: &str,
) -> Result<RequestId, ImapError> {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let tag = format!("S{}", NEXT.fetch_add(1, Ordering::Relaxed));
    send_line(connection, &format!("{tag} {command}")).await?;
    Ok(RequestId(tag))
}

pub(super) async fn send_line<T: net::Io>(
    connection: &mut Connection<T>,
    line: &str,
) -> Result<(), ImapError> {
    let stream = connection.get_mut();
    let written = async {
        stream.write_all(line.as_bytes()).await?;
        stream.write_all(b"\r\n").await?;
        stream.flush().await
    };
    written.await.map_err(unreadable)
}

pub(super) fn announces(response: &Response<'_>) -> bool {
    matches!(
        response,
        Response::MailboxData(MailboxDatum::Exists(_) | MailboxDatum::Recent(_))
    )
}

pub(super) fn uid(values: &[AttributeValue<'_>]) -> Option<u32> {
    values.iter().find_map(|value| {
        if let AttributeValue::Uid(uid) = value {
            Some(*uid)
        } else {
            None
        }
    })
}

pub(super) fn size(values: &[AttributeValue<'_>]) -> Option<u32> {
    values.iter().find_map(|value| {
        if let AttributeValue::Rfc822Size(size) = value {
            Some(*size)
        } else {
            None
        }
    })
}

pub(super) fn internal_date(values: &[AttributeValue<'_>]) -> Option<DateTime<Utc>> {
    let text = values.iter().find_map(|value| {
        if let AttributeValue::InternalDate(text) = value {
            Some(text)
        } else {
            None
        }
    })?;
    let date = DateTime::parse_from_str(text.trim(), "%d-%b-%Y %H:%M:%S %z").ok()?;
    Some(date.with_timezone(&Utc))
}

/// `1:3,7`: short even for thousands of mails in a row.
pub(super) fn uid_set(uids: &[u32]) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for uid in uids {
        match ranges.last_mut() {
            Some((_, last)) if last.saturating_add(1) == *uid => *last = *uid,
            _ => ranges.push((*uid, *uid)),
        }
    }
    let text = |(first, last): &(u32, u32)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}:{last}")
        }
    };
    ranges.iter().map(text).collect::<Vec<_>>().join(",")
}

pub(super) fn said(what: &str, outcome: &Outcome<'_>) -> String {
    let code = outcome
        .code
        .as_ref()
        .map(|code| format!(" ({code:?})"))
        .unwrap_or_default();
    format!(
        "the IMAP server answered {what} with: {}{code}",
        outcome.information.as_deref().unwrap_or("no reason given")
    )
}

/// The server's words out of the library's error text (`code: None, info: Some("…")`).
pub(super) fn human(text: &str) -> String {
    text.split_once("Some(\"")
        .and_then(|(_, rest)| rest.rsplit_once("\")"))
        .map_or(text, |(words, _)| words)
        .to_owned()
}

pub(super) fn cut() -> ImapError {
    ImapError::Lost("the IMAP server closed the connection".to_owned())
}

pub(super) fn slow(what: &str) -> ImapError {
    ImapError::Lost(format!("the IMAP server did not answer {what} in time"))
}

/// The library's text of a parse error quotes what it could not parse, which may be somebody's mail.
pub(super) fn unreadable(error: std::io::Error) -> ImapError {
    if error.kind() == std::io::ErrorKind::Other {
        ImapError::Answer("the IMAP server said something that is not IMAP".to_owned())
    } else {
        ImapError::Lost(format!("the connection to the IMAP server broke: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uids_in_a_row_are_written_as_a_range() {
        assert_eq!(uid_set(&[1, 2, 3, 7, 9, 10]), "1:3,7,9:10");
        assert_eq!(uid_set(&[u32::MAX]), "4294967295");
    }
}
