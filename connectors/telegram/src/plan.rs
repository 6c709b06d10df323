//! What an answer becomes on Telegram: one message or several, in their order. Pure.
//!
//! Words of up to 1,024 units stand under a file, longer ones follow it. Pictures and films make albums together,
//! other files each with their like; what cannot be in an album goes by itself. Buttons stand under the last
//! message that can have any.

use switchboard_sdk::{OutboundAttachment, OutboundMessage};

use crate::{
    api::CLOUD_UPLOAD,
    entities::utf16_len,
    markup::{self, Rich},
    split::{self, CAPTION, TEXT},
};

/// Most files of an album.
const ALBUM: usize = 10;
/// Larger pictures go as files.
const PHOTO_BYTES: usize = 10_000_000;

/// How a file is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A picture.
    Photo,
    /// A film.
    Video,
    /// A film without sound that plays by itself.
    Animation,
    /// Music.
    Audio,
    /// Somebody speaks.
    Voice,
    /// Anything.
    Document,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its words, under its files if it has any.
    pub rich: Rich,
    /// Its files, by their place among those of the answer; more than one is an album.
    pub files: Vec<(usize, Kind)>,
    /// The buttons stand here.
    pub last: bool,
}

impl Part {
    /// How many messages Telegram counts it as.
    pub fn count(&self) -> usize {
        self.files.len().max(1)
    }
}

/// Plans an answer.
///
/// # Errors
/// In words, when it can never be sent.
pub fn plan(message: &OutboundMessage, cloud: bool) -> Result<Vec<Part>, String> {
    if let Some(file) = message
        .attachments
        .iter()
        .find(|file| cloud && file.data.len() as u64 > CLOUD_UPLOAD)
    {
        return Err(format!(
            "the file {:?} is larger than the {} MB Telegram takes of bots",
            file.name,
            CLOUD_UPLOAD / 1_000_000
        ));
    }
    let rich = words(message);
    let mut parts: Vec<Part> = groups(&message.attachments)
        .into_iter()
        .map(|files| Part {
            rich: Rich::default(),
            files,
            last: false,
        })
        .collect();
    let has_buttons = !message.buttons.is_empty() || message.request_phone;
    let fits = utf16_len(&rich.text) <= CAPTION && rich.spans.len() <= split::SPANS;
    // An album has no place for buttons: its words stand below it then.
    let caption = parts
        .first_mut()
        .filter(|first| fits && !(has_buttons && first.files.len() > 1));
    match caption {
        Some(first) => first.rich = rich,
        None => parts.extend(split::split(&rich, TEXT).into_iter().map(|rich| Part {
            rich,
            files: Vec::new(),
            last: false,
        })),
    }
    if parts.is_empty() {
        return Err("there is nothing in it to send".to_owned());
    }
    if let Some(part) = parts.iter_mut().rev().find(|part| part.files.len() < 2) {
        part.last = true;
    }
    Ok(parts)
}

/// The words of an answer.
pub fn words(message: &OutboundMessage) -> Rich {
    let rich = message.html.as_deref().map(markup::read);
    rich.filter(|rich| !rich.text.is_empty())
        .unwrap_or_else(|| Rich::plain(&message.text))
}

fn groups(files: &[OutboundAttachment]) -> Vec<Vec<(usize, Kind)>> {
    let mut groups: Vec<Vec<(usize, Kind)>> = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let kind = kind(file);
        match groups.last_mut() {
            Some(group)
                if group.len() < ALBUM
                    && family(kind).is_some()
                    && group.iter().all(|(_, other)| family(*other) == family(kind)) =>
            {
                group.push((index, kind));
            }
            _ => groups.push(vec![(index, kind)]),
        }
    }
    groups
}

/// What stands in an album together; none stands alone.
fn family(kind: Kind) -> Option<u8> {
    match kind {
        Kind::Photo | Kind::Video => Some(0),
        Kind::Audio => Some(1),
        Kind::Document => Some(2),
        Kind::Animation | Kind::Voice => None,
    }
}

fn kind(file: &OutboundAttachment) -> Kind {
    match file.content_type.as_str() {
        "image/jpeg" | "image/png" | "image/webp" if file.data.len() <= PHOTO_BYTES => Kind::Photo,
        "image/gif" => Kind::Animation,
        "video/mp4" => Kind::Video,
        "audio/mpeg" | "audio/mp4" | "audio/x-m4a" | "audio/m4a" => Kind::Audio,
        "audio/ogg" => Kind::Voice,
        _ => Kind::Document,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn file(content_type: &str) -> OutboundAttachment {
        OutboundAttachment {
            name: "file".to_owned(),
            content_type: content_type.to_owned(),
            data: Bytes::from_static(b"x"),
            ..OutboundAttachment::default()
        }
    }

    fn shape(message: &OutboundMessage) -> Vec<(String, usize, bool)> {
        let parts = plan(message, true).unwrap();
        parts
            .into_iter()
            .map(|part| (part.rich.text, part.files.len(), part.last))
            .collect()
    }

    #[test]
    fn words_stand_under_files_where_they_fit() {
        let mut message = OutboundMessage {
            text: "look".to_owned(),
            attachments: vec![file("image/png"), file("video/mp4"), file("application/pdf")],
            ..OutboundMessage::default()
        };
        assert_eq!(
            shape(&message),
            [("look".to_owned(), 2, false), (String::new(), 1, true)]
        );
        message.text = "x".repeat(1025);
        assert_eq!(
            shape(&message),
            [
                (String::new(), 2, false),
                (String::new(), 1, false),
                ("x".repeat(1025), 0, true)
            ]
        );
    }

    #[test]
    fn an_album_has_at_most_ten_and_voices_and_animations_go_alone() {
        let message = OutboundMessage {
            attachments: (0..12).map(|_| file("image/jpeg")).collect(),
            ..OutboundMessage::default()
        };
        let counts: Vec<usize> = shape(&message).iter().map(|part| part.1).collect();
        assert_eq!(counts, [10, 2]);
        let message = OutboundMessage {
            attachments: vec![
                file("image/gif"),
                file("audio/ogg"),
                file("audio/ogg"),
                file("image/png"),
            ],
            ..OutboundMessage::default()
        };
        let counts: Vec<usize> = shape(&message).iter().map(|part| part.1).collect();
        assert_eq!(counts, [1, 1, 1, 1]);
    }

    #[test]
    fn buttons_stand_below_an_album() {
        let message = OutboundMessage {
            text: "choose".to_owned(),
            attachments: vec![file("image/png"), file("image/png")],
            request_phone: true,
            ..OutboundMessage::default()
        };
        assert_eq!(
            shape(&message),
            [(String::new(), 2, false), ("choose".to_owned(), 0, true)]
        );
    }

    #[test]
    fn what_can_never_be_sent_is_refused_in_words() {
        assert!(plan(&OutboundMessage::default(), true).is_err());
        let mut large = file("application/zip");
        large.data = Bytes::from(vec![0; 50_000_001]);
        let message = OutboundMessage {
            attachments: vec![large],
            ..OutboundMessage::default()
        };
        assert!(plan(&message, true).unwrap_err().contains("50 MB"));
        assert!(plan(&message, false).is_ok());
    }
}
