//! Putting a mail into a folder.

use std::time::Duration;

use async_imap::imap_proto::{MailboxDatum, NameAttribute, Response, Status};
use tokio::{io::AsyncWriteExt, time::timeout};

use super::{
    Imap, ImapError, SLOWEST,
    wire::{COMMAND, cut, finish, run, said, send, slow, unreadable},
};

/// What the folder is called where the server does not mark it, as the last part of its name.
const SENT_NAMES: [&str; 8] = [
    "sent",
    "sent items",
    "sent messages",
    "sent mail",
    "gesendet",
    "gesendete elemente",
    "enviados",
    "&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-",
];

/// A folder as it is listed.
struct Folder {
    /// As it stands on the wire.
    name: String,
    delimiter: Option<String>,
    marked: bool,
    selectable: bool,
}

impl Imap {
    /// Whether the server is known to put what is sent by its SMTP server into the mailbox.
    pub fn keeps_sent(&self) -> bool {
        self.capabilities.iter().any(|name| name == "X-GM-EXT-1")
    }

    /// The folder for sent mail, as it stands on the wire: the marked one (RFC 6154), or one that is called so.
    pub async fn sent_folder(&mut self) -> Result<Option<String>, ImapError> {
        let can = |name: &str| self.capabilities.iter().any(|known| known == name);
        let marks = can("SPECIAL-USE") && (can("LIST-EXTENDED") || can("IMAP4REV2"));
        let command = if marks {
            "LIST \"\" \"*\" RETURN (SPECIAL-USE)"
        } else {
            "LIST \"\" \"*\""
        };
        let mut folders = Vec::new();
        run(&mut self.session, command, COMMAND, |response| {
            let Response::MailboxData(MailboxDatum::List(listed)) = response else {
                return;
            };
            folders.push(Folder {
                name: listed.name.to_string(),
                delimiter: listed.delimiter.as_ref().map(ToString::to_string),
                marked: listed.name_attributes.contains(&NameAttribute::Sent),
                selectable: !listed.name_attributes.contains(&NameAttribute::NoSelect),
            });
        })
        .await?;
        Ok(chosen(&folders))
    }

    /// Puts a mail into a folder, as read.
    pub async fn append(&mut self, folder: &str, mail: &[u8]) -> Result<(), ImapError> {
        let escaped = folder.replace('\\', "\\\\").replace('"', "\\\"");
        let command = format!("APPEND \"{escaped}\" (\\Seen) {{{}}}", mail.len());
        let time = COMMAND + Duration::from_secs(mail.len() as u64 / SLOWEST);
        let work = async {
            let tag = send(&mut self.session, &command).await?;
            // The mail goes out only when the server asks for it; what it says before that is its own business.
            loop {
                let response = self
                    .session
                    .read_response()
                    .await
                    .map_err(unreadable)?
                    .ok_or_else(cut)?;
                match response.parsed() {
                    Response::Continue(_) => break,
                    Response::Done {
                        tag: done, outcome, ..
                    } if *done == tag => {
                        return Err(ImapError::Answer(said("APPEND", outcome)));
                    }
                    Response::Data {
                        status: Status::Bye,
                        outcome,
                    } => return Err(ImapError::Lost(said("bye", outcome))),
                    _ => {}
                }
            }
            let stream = self.session.get_mut();
            let written = async {
                stream.write_all(mail).await?;
                stream.write_all(b"\r\n").await?;
                stream.flush().await
            };
            written.await.map_err(unreadable)?;
            finish(&mut self.session, &tag, "APPEND", &mut |_: &Response<'_>| ()).await
        };
        timeout(time, work).await.map_err(|_| slow("APPEND"))?
    }
}

fn chosen(folders: &[Folder]) -> Option<String> {
    let usable = || folders.iter().filter(|folder| folder.selectable);
    let called = |folder: &&Folder| {
        let last = match folder.delimiter.as_deref() {
            Some(delimiter) if !delimiter.is_empty() => {
                folder.name.rsplit(delimiter).next().unwrap_or_default()
            }
            _ => &folder.name,
        };
        SENT_NAMES.iter().any(|name| last.eq_ignore_ascii_case(name))
    };
    usable()
        .find(|folder| folder.marked)
        .or_else(|| usable().find(called))
        .map(|folder| folder.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str, marked: bool) -> Folder {
        Folder {
            name: name.to_owned(),
            delimiter: Some(".".to_owned()),
            marked,
            selectable: true,
        }
    }

    #[test]
    fn the_marked_folder_comes_before_one_that_is_only_called_so() {
        let folders = [
            folder("INBOX", false),
            folder("INBOX.Sent", false),
            folder("Archive.2026", true),
        ];
        assert_eq!(chosen(&folders).as_deref(), Some("Archive.2026"));
        assert_eq!(chosen(&folders[..2]).as_deref(), Some("INBOX.Sent"));
        assert_eq!(chosen(&folders[..1]), None);
        let closed = Folder {
            selectable: false,
            ..folder("Sent", false)
        };
        assert_eq!(chosen(&[closed]), None);
    }
}
