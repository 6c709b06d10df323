//! Visitors' files: what they upload, and addresses that open without a header.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use sea_orm::{ActiveModelTrait, DbErr, IntoActiveModel};

use super::store;
use crate::{
    db::{
        Db,
        entity::{attachment, visitor},
    },
    id::{self, Kind},
    secret::Vault,
    storage::{self, Storage},
};

/// What a signature on an address is for.
const PURPOSE: &str = "visitor-attachment";
/// An address opens for at least a day; its end is at a fixed hour, so that a reload on the same day
/// gives the same address and the browser's copy is used.
const DAY_SECS: i64 = 86_400;
/// Longest file name, in characters.
const MAX_NAME_CHARS: usize = 200;

/// Why a file is not kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbErr),
}

/// Keeps an uploaded file until a message takes it.
pub async fn keep(
    db: &Db,
    storage: &Storage,
    visitor: &visitor::Model,
    name: &str,
    content_type: Option<&str>,
    data: Bytes,
    now: DateTime<Utc>,
) -> Result<attachment::Model, Error> {
    let id = id::new(Kind::Attachment, now);
    let row = attachment::Model {
        message_id: None,
        owner: store::owner(visitor),
        position: 0,
        name: clean_name(name),
        content_type: judged_type(content_type, &data),
        size: i64::try_from(data.len()).unwrap_or(i64::MAX),
        storage_key: storage::key(&id),
        content_id: None,
        created_at: now,
        replaced: false,
        id,
    };
    // The bytes first: a row without its file would be a broken promise, a file without a row is litter.
    storage.put(&row.storage_key, data).await?;
    let write = db.write().await?;
    row.clone().into_active_model().insert(write.tx()).await?;
    write.commit().await?;
    Ok(row)
}

/// The address of a file for the visitors of a channel, relative to the server.
pub fn url(vault: &Vault, channel_key: &str, attachment_id: &str, now: DateTime<Utc>) -> String {
    let ends = (now.timestamp() / DAY_SECS + 2) * DAY_SECS;
    let signature = vault.sign(PURPOSE, signed(attachment_id, ends).as_bytes());
    format!("/widget/v1/{channel_key}/attachments/{attachment_id}?token={ends}.{signature}")
}

/// Whether a token of [`url`] opens this file now.
pub fn opens(vault: &Vault, attachment_id: &str, token: &str, now: DateTime<Utc>) -> bool {
    let Some((ends, signature)) = token.split_once('.') else {
        return false;
    };
    let Ok(ends) = ends.parse::<i64>() else {
        return false;
    };
    now.timestamp() < ends && vault.verify(PURPOSE, signed(attachment_id, ends).as_bytes(), signature)
}

fn signed(attachment_id: &str, ends: i64) -> String {
    format!("{attachment_id}.{ends}")
}

/// Pictures that a browser draws and that cannot carry a program, by their first bytes.
pub fn picture(data: &[u8]) -> Option<&'static str> {
    match data {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

/// The media type of an upload: what its bytes say if they are a picture, else what was declared, but
/// never a picture that it is not.
fn judged_type(declared: Option<&str>, data: &[u8]) -> String {
    if let Some(picture) = picture(data) {
        return picture.to_owned();
    }
    let essence = declared
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let token = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    let valid = essence.len() <= 100
        && essence
            .split_once('/')
            .is_some_and(|(kind, sub)| token(kind) && token(sub));
    let drawn = ["image/png", "image/jpeg", "image/gif", "image/webp"].contains(&essence.as_str());
    if valid && !drawn {
        essence
    } else {
        "application/octet-stream".to_owned()
    }
}

/// A file name that is one: no path, no control or direction marks, not too long.
fn clean_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let shown = |char: &char| {
        !char.is_control() && !matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let clean: String = last.chars().filter(shown).take(MAX_NAME_CHARS).collect();
    let clean = clean.trim().trim_start_matches('.');
    if clean.is_empty() {
        "file".to_owned()
    } else {
        clean.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::{clean_name, judged_type, opens, url};
    use crate::secret::Vault;

    #[test]
    fn an_address_opens_its_own_file_for_a_day_at_least_and_two_at_most() {
        let vault = Vault::new("a master key of enough length");
        let now = DateTime::from_timestamp(1_800_000_123, 0).unwrap();
        let address = url(&vault, "chat", "att_1", now);
        let token = address.rsplit_once("token=").unwrap().1.to_owned();
        assert!(opens(&vault, "att_1", &token, now + TimeDelta::hours(23)));
        assert!(!opens(&vault, "att_1", &token, now + TimeDelta::hours(49)));
        assert!(!opens(&vault, "att_2", &token, now));
        assert!(!opens(&vault, "att_1", "9999999999.00", now));
        assert_eq!(url(&vault, "chat", "att_1", now + TimeDelta::minutes(1)), address);
    }

    #[test]
    fn a_type_is_what_the_bytes_say_or_at_least_not_a_false_picture() {
        let png = b"\x89PNG\r\n\x1a\nrest";
        for (declared, data, expected) in [
            (Some("text/html"), png.as_slice(), "image/png"),
            (
                Some("image/png"),
                b"<script>".as_slice(),
                "application/octet-stream",
            ),
            (
                Some("Application/PDF; x=y"),
                b"%PDF-1.7".as_slice(),
                "application/pdf",
            ),
            (Some("rubbish"), b"x".as_slice(), "application/octet-stream"),
            (None, b"x".as_slice(), "application/octet-stream"),
        ] {
            assert_eq!(judged_type(declared, data), expected, "{declared:?}");
        }
    }

    #[test]
    fn a_file_name_has_no_path_and_no_tricks() {
        for (name, expected) in [
            ("../../etc/passwd", "passwd"),
            ("C:\\a\\b.txt", "b.txt"),
            (".htaccess", "htaccess"),
            ("a\u{202e}gpj.exe", "agpj.exe"),
            ("", "file"),
        ] {
            assert_eq!(clean_name(name), expected);
        }
    }
}
