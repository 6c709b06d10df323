//! One message as teloxide sends it.

use switchboard_sdk::{Button, ButtonAction, OutboundAttachment};
use teloxide_core::{
    Bot,
    payloads::{
        SendAnimation, SendAudio, SendDocument, SendMediaGroup, SendMessage, SendPhoto, SendVideo, SendVoice,
    },
    requests::{JsonRequest, MultipartRequest},
    types::{
        BusinessConnectionId, ButtonRequest, ChatId, InlineKeyboardButton, InputFile, InputMedia,
        InputMediaAudio, InputMediaDocument, InputMediaPhoto, InputMediaVideo, KeyboardButton,
        KeyboardMarkup, MessageEntity, MessageEntityKind, MessageId, Recipient, ReplyMarkup, ReplyParameters,
        ThreadId,
    },
};

use crate::{
    address::Address,
    api::Api,
    markup::{Rich, SpanKind},
    plan::Kind,
    trouble::Trouble,
};

/// Most bytes a button carries.
const DATA: usize = 64;

/// Where a message goes and what hangs on it.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The chat.
    pub address: Address,
    /// The message it answers.
    pub reply_to: Option<i32>,
    /// What stands under it.
    pub markup: Option<ReplyMarkup>,
}

impl Frame {
    fn chat(&self) -> Recipient {
        Recipient::Id(ChatId(self.address.chat))
    }

    fn business(&self) -> Option<BusinessConnectionId> {
        self.address.business.clone().map(BusinessConnectionId)
    }

    fn topic(&self) -> Option<ThreadId> {
        self.address.topic.map(|topic| ThreadId(MessageId(topic)))
    }

    /// An answer to what is gone is still an answer.
    fn reply(&self) -> Option<ReplyParameters> {
        let number = self.reply_to?;
        Some(ReplyParameters::new(MessageId(number)).allow_sending_without_reply())
    }
}

/// Sends words.
pub async fn text(api: &Api, frame: &Frame, rich: &Rich) -> Result<Vec<i32>, Trouble> {
    let call = SendMessage {
        entities: parts(rich),
        business_connection_id: frame.business(),
        message_thread_id: frame.topic(),
        reply_parameters: frame.reply(),
        reply_markup: frame.markup.clone(),
        ..SendMessage::new(frame.chat(), rich.text.clone())
    };
    api.send(|bot| JsonRequest::new(bot, call), false).await
}

/// Sends a file with words under it.
pub async fn file(
    api: &Api,
    frame: &Frame,
    attachment: &OutboundAttachment,
    kind: Kind,
    rich: &Rich,
) -> Result<Vec<i32>, Trouble> {
    let data = input(attachment);
    let caption = caption(rich);
    /// Fills what all kinds have alike.
    macro_rules! send {
        ($call:ident) => {{
            let call = $call {
                caption,
                caption_entities: parts(rich),
                business_connection_id: frame.business(),
                message_thread_id: frame.topic(),
                reply_parameters: frame.reply(),
                reply_markup: frame.markup.clone(),
                ..$call::new(frame.chat(), data)
            };
            api.send(|bot: Bot| MultipartRequest::new(bot, call), true).await
        }};
    }
    match kind {
        Kind::Photo => send!(SendPhoto),
        Kind::Video => send!(SendVideo),
        Kind::Animation => send!(SendAnimation),
        Kind::Audio => send!(SendAudio),
        Kind::Voice => send!(SendVoice),
        Kind::Document => send!(SendDocument),
    }
}

/// Sends an album; the words stand under its first file.
pub async fn album(
    api: &Api,
    frame: &Frame,
    files: &[(&OutboundAttachment, Kind)],
    rich: &Rich,
) -> Result<Vec<i32>, Trouble> {
    let media = files.iter().enumerate().map(|(index, (attachment, kind))| {
        let first = index == 0;
        let words = caption(rich).filter(|_| first);
        let special = parts(rich).filter(|_| first);
        /// Fills what all kinds have alike.
        macro_rules! item {
            ($variant:ident, $media:ident) => {
                InputMedia::$variant($media {
                    caption: words,
                    caption_entities: special,
                    ..$media::new(input(attachment))
                })
            };
        }
        match kind {
            Kind::Photo => item!(Photo, InputMediaPhoto),
            Kind::Video => item!(Video, InputMediaVideo),
            Kind::Audio => item!(Audio, InputMediaAudio),
            Kind::Document | Kind::Animation | Kind::Voice => item!(Document, InputMediaDocument),
        }
    });
    let call = SendMediaGroup {
        business_connection_id: frame.business(),
        message_thread_id: frame.topic(),
        reply_parameters: frame.reply(),
        ..SendMediaGroup::new(frame.chat(), media.collect::<Vec<_>>())
    };
    api.send(|bot| MultipartRequest::new(bot, call), true).await
}

fn input(attachment: &OutboundAttachment) -> InputFile {
    InputFile::memory(attachment.data.clone()).file_name(attachment.name.clone())
}

fn caption(rich: &Rich) -> Option<String> {
    Some(rich.text.clone()).filter(|text| !text.is_empty())
}

/// The special parts, as teloxide writes them; none is left out, so that nothing empty is sent.
pub fn parts(rich: &Rich) -> Option<Vec<MessageEntity>> {
    let parts: Vec<MessageEntity> = rich
        .spans
        .iter()
        .filter_map(|span| {
            let kind = match &span.kind {
                SpanKind::Bold => MessageEntityKind::Bold,
                SpanKind::Italic => MessageEntityKind::Italic,
                SpanKind::Underline => MessageEntityKind::Underline,
                SpanKind::Strike => MessageEntityKind::Strikethrough,
                SpanKind::Code => MessageEntityKind::Code,
                SpanKind::Pre => MessageEntityKind::Pre { language: None },
                SpanKind::Quote => MessageEntityKind::Blockquote,
                SpanKind::Link(url) => MessageEntityKind::TextLink {
                    url: url.parse().ok()?,
                },
            };
            Some(MessageEntity::new(kind, span.offset, span.length))
        })
        .collect();
    Some(parts).filter(|parts| !parts.is_empty())
}

/// The buttons under an answer.
pub fn buttons(rows: &[Vec<Button>]) -> Option<ReplyMarkup> {
    let rows: Vec<Vec<InlineKeyboardButton>> = rows
        .iter()
        .map(|row| row.iter().filter_map(button).collect::<Vec<_>>())
        .filter(|row| !row.is_empty())
        .collect();
    (!rows.is_empty()).then(|| ReplyMarkup::inline_kb(rows))
}

fn button(button: &Button) -> Option<InlineKeyboardButton> {
    Some(match &button.action {
        ButtonAction::Url(url) => InlineKeyboardButton::url(button.label.clone(), url.parse().ok()?),
        ButtonAction::Data(data) => InlineKeyboardButton::callback(button.label.clone(), short(data)),
    })
}

/// What a button carries: the words on it come back anyhow.
fn short(data: &str) -> String {
    let mut end = data.len().min(DATA);
    while !data.is_char_boundary(end) {
        end -= 1;
    }
    let kept = data.get(..end).unwrap_or_default();
    if kept.is_empty() {
        "-".to_owned()
    } else {
        kept.to_owned()
    }
}

/// The button by which people give their own number.
pub fn share_phone(label: &str) -> ReplyMarkup {
    let button = KeyboardButton::new(label.to_owned()).request(ButtonRequest::Contact);
    let mut keyboard = KeyboardMarkup::new([[button]]);
    keyboard.resize_keyboard = true;
    keyboard.one_time_keyboard = true;
    ReplyMarkup::Keyboard(keyboard)
}
