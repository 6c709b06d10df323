//! What people see of a mail: its text, its HTML, its files, and what is to be said about them. Pure.

use mail_parser::Message;
use switchboard_sdk::{Authentication, InboundAttachment, MailFacts, Original, ProtectionKind};

use crate::{
    attachment::{self, Files},
    body, inline, invitation,
    map::Raw,
    plain, protection, quote, tnef,
};

/// More files than this in one mail are not taken apart: the whole mail is attached as one file.
const MAX_ATTACHMENTS: usize = 100;

/// The content of a mail.
#[derive(Debug, Default)]
pub struct Content {
    /// Plain text, quotes and signature included.
    pub text: String,
    /// HTML as it came; dangerous until sanitised.
    pub html: Option<String>,
    /// Its files.
    pub files: Vec<InboundAttachment>,
    /// What is known beside.
    pub facts: MailFacts,
    /// Nobody wrote a word: the text is what a calendar answered.
    pub says_nothing: bool,
}

/// Takes the content out of a mail.
///
/// `is_read` is false when its parts are not known.
pub fn of(
    message: &mut Message<'_>,
    raw: &Raw,
    is_read: bool,
    authentication: Option<Authentication>,
) -> Content {
    let mut read = body::of(message);
    let mut files = Files::of(message, raw);
    files.complete &= is_read;
    for (kind, content) in files.shown(message) {
        read.goes_on(kind, content);
    }
    let is_whole = raw.cut_from.is_none() && read.overlong.is_empty();
    let protection = protection::of(message, &read.text);
    let calendar = invitation::of(message);
    let mut content = Content {
        text: read.text,
        html: read.html,
        files: read.overlong,
        ..Content::default()
    };
    content.add_files(message, raw, &files);
    if let Some(invitation) = calendar.as_ref().filter(|_| content.text.trim().is_empty()) {
        content.text = invitation::text(invitation);
        content.says_nothing = invitation.method == "reply";
    }
    // What is encrypted has no words to fold; of what is not whole the end is no end.
    let foldable = is_whole && !protection.is_some_and(|found| found.kind == ProtectionKind::Encrypted);
    content.facts = MailFacts {
        quoted_text_at: quote::in_text(&content.text).filter(|_| foldable),
        quoted_html_at: content
            .html
            .as_deref()
            .and_then(quote::in_html)
            .filter(|_| foldable),
        protection,
        authentication,
        calendar,
        original: Some(Original {
            data: raw.whole(),
            complete: raw.cut_from.is_none(),
        }),
    };
    content
}

impl Content {
    fn add_files(&mut self, message: &mut Message<'_>, raw: &Raw, files: &Files) {
        if let Some(size) = raw.cut_from {
            // What was cut off may be half a file: better none than a broken one.
            let mark = format!(
                "[This mail is too large ({} MB): only its beginning is shown and its files are left in the mailbox.]",
                size.div_ceil(1024 * 1024)
            );
            self.text = if self.text.is_empty() {
                mark
            } else {
                format!("{}\n\n{mark}", self.text)
            };
        } else if message.attachment_count() > MAX_ATTACHMENTS || !files.complete {
            self.files.push(InboundAttachment {
                name: "original.eml".to_owned(),
                content_type: "message/rfc822".to_owned(),
                data: raw.whole(),
                ..InboundAttachment::default()
            });
        } else {
            let shown = self.html.take().map(|html| inline::resolve(message, &html));
            let (html, shown) = shown.map_or_else(Default::default, |(html, shown)| (Some(html), shown));
            self.html = html;
            for file in attachment::all(message, files, &shown) {
                match is_tnef(&file).then(|| tnef::unpack(&file.data)).flatten() {
                    Some(unpacked) => self.add_unpacked(unpacked),
                    None => self.files.push(file),
                }
            }
        }
    }

    /// What was in `winmail.dat`, in its place.
    fn add_unpacked(&mut self, unpacked: tnef::Unpacked) {
        let html = unpacked.html.filter(|html| !html.trim().is_empty());
        if self.text.trim().is_empty() {
            let text = unpacked.text.or_else(|| html.as_deref().map(plain::of_html));
            self.text = plain::tidy(&text.unwrap_or_default());
        }
        let is_new = self.html.is_none();
        if is_new {
            self.html = html;
        }
        let room = MAX_ATTACHMENTS.saturating_sub(self.files.len());
        for (index, file) in unpacked.files.into_iter().take(room).enumerate() {
            let html = self.html.as_ref().filter(|_| is_new);
            self.files.push(attachment::unpacked(file, index, html));
        }
    }
}

fn is_tnef(file: &InboundAttachment) -> bool {
    ["application/ms-tnef", "application/vnd.ms-tnef"].contains(&file.content_type.as_str())
        || file.name.eq_ignore_ascii_case("winmail.dat")
}
