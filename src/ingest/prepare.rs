//! What can be done before the transaction: cleaning texts, keeping files.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use switchboard_sdk::{
    Attribution, CallEvent, Capture, Consent, Content, DeliveryReceipt, InboundAttachment, InboundBody,
    InboundEvent, InboundMessage, InboundReachability, LeadHints, MailFacts, Person, Recipient,
    SubmissionMakes, Thread, ThreadFacts, Verdict,
};

use super::{
    Error, call,
    change::{self, PreparedChange},
    html,
};
use crate::{
    conversation::{
        extra::{Extra, MissingFile},
        mail::MailView,
    },
    id::{self, Kind},
    storage::{self, Storage},
};

/// Longest stored text, in bytes; what is longer is cut with a mark (the file still has it all).
const MAX_TEXT: usize = 512 * 1024;
/// Longest quotation, in bytes.
const MAX_QUOTE: usize = 8 * 1024;
/// Longest external id, in bytes; longer ones are replaced by their hash.
const MAX_EXTERNAL_ID: usize = 512;

/// An event whose texts are clean and whose files are kept.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    pub external_id: String,
    pub at: DateTime<Utc>,
    pub body: PreparedBody,
}

#[derive(Debug, Clone)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all of them are messages: a box each would cost more than the room"
)]
pub(super) enum PreparedBody {
    Message(PreparedMessage),
    Submission(PreparedSubmission),
    Receipt(DeliveryReceipt),
    Change(PreparedChange),
    Reachability(InboundReachability),
    Call(Box<CallEvent>),
    Poison {
        reason: String,
        size: i64,
        storage_key: String,
    },
}

#[derive(Debug, Clone)]
pub(super) struct PreparedMessage {
    pub id: String,
    pub from: Person,
    pub thread: Thread,
    pub text: String,
    pub html: Option<String>,
    pub subject: Option<String>,
    pub files: Vec<KeptFile>,
    pub attribution: Attribution,
    pub client_id: Option<String>,
    pub automatic: bool,
    pub mail: Option<serde_json::Value>,
    pub original_key: Option<String>,
    pub card: Option<Person>,
    /// Our own mail server disproved the sender: nothing they say changes what is known.
    pub disproved: bool,
    pub recipients: Vec<Recipient>,
    pub threading: Option<Box<ThreadFacts>>,
    /// The line its conversation is opened in, when it names one.
    pub line: Option<String>,
    /// Kept for the record only.
    pub history: bool,
    /// Further ids the provider names it by.
    pub ids: Vec<String>,
    /// What the parts of its album share; one of its ids as well.
    pub album: Option<String>,
    /// The id of the message it answers.
    pub reply_to: Option<String>,
    pub extra: Extra,
    /// Somebody of the company wrote it outside Switchboard, under this name.
    pub own: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct PreparedSubmission {
    pub id: String,
    pub message_id: String,
    /// The submission's row exists already: it was held and is approved now.
    pub approved: bool,
    pub held: bool,
    pub values: serde_json::Value,
    pub consent: Option<Consent>,
    pub spam_score: f64,
    pub spam_reasons: Vec<String>,
    /// What was sent beside the form's fields; none: nothing.
    pub extra: Option<serde_json::Value>,
    /// Who let it through, when somebody did.
    pub approved_by: Option<String>,
    pub content: SubmissionContent,
}

/// The part of a submission that makes contact, lead and message; kept in the row while it is held.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct SubmissionContent {
    pub name: Option<String>,
    pub identities: Vec<StoredIdentity>,
    pub language: Option<String>,
    pub company: Option<String>,
    pub text: String,
    pub lead_title: Option<String>,
    pub lead_fields: std::collections::BTreeMap<String, serde_json::Value>,
    pub attribution: Attribution,
    pub files: Vec<KeptFile>,
    #[serde(default)]
    pub makes: SubmissionMakes,
}

/// An identity in storable form.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct StoredIdentity {
    pub kind: switchboard_sdk::IdentityKind,
    pub value: String,
    pub verified: bool,
}

/// A file that lies in the storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptFile {
    pub id: String,
    pub name: String,
    pub content_type: String,
    pub size: i64,
    pub storage_key: String,
    pub content_id: Option<String>,
    /// Its row exists already: a visitor uploaded it before.
    pub uploaded: bool,
}

impl SubmissionContent {
    pub fn person(&self) -> Person {
        Person {
            name: self.name.clone(),
            identities: self
                .identities
                .iter()
                .map(|identity| switchboard_sdk::Identity {
                    kind: identity.kind,
                    value: identity.value.clone(),
                    verified: identity.verified,
                })
                .collect(),
            language: self.language.clone(),
            company: self.company.clone(),
        }
    }

    pub fn hints(&self) -> LeadHints {
        LeadHints {
            title: self.lead_title.clone(),
            fields: self.lead_fields.clone(),
        }
    }
}

/// Cleans an event and keeps its files. Files are durable before the rows that name them; a crash in
/// between leaves a file without a row, never a row without its file.
pub(super) async fn prepare(
    storage: &Storage,
    event: InboundEvent,
    now: DateTime<Utc>,
) -> Result<Prepared, Error> {
    let body = match event.body {
        InboundBody::Message(message) => {
            let id = id::new(Kind::Message, now);
            let mut message = message;
            let extra = extra(&mut message);
            let files = keep_files(storage, message.attachments, now).await?;
            let text = clean_text(&message.text);
            let quoted_html_at = message.mail.as_deref().and_then(|mail| mail.quoted_html_at);
            let html = message
                .html
                .map(|html| html::sanitise(&html, quoted_html_at, &files))
                .filter(|html| !html.page.trim().is_empty());
            let quoted_text_at = message
                .mail
                .as_deref()
                .and_then(|mail| mail.quoted_text_at)
                .and_then(|at| characters_before(at, &message.text, &text));
            let kept = match message.mail {
                Some(mail) => keep_mail(storage, *mail, &event.external_id).await?,
                None => KeptMail::default(),
            };
            PreparedBody::Message(PreparedMessage {
                id,
                from: clean_person(message.from),
                thread: message.thread,
                mail: kept.view.map(|view| {
                    let quoted_html_at = html.as_ref().and_then(|html| html.quoted_at);
                    json!(view.quoted(quoted_text_at, quoted_html_at))
                }),
                text,
                html: html.map(|html| html.page),
                subject: message
                    .subject
                    .map(|subject| clean_line(&subject, 500))
                    .filter(|subject| !subject.is_empty()),
                files,
                attribution: clean_attribution(message.attribution),
                client_id: message.client_id,
                automatic: message.automatic,
                original_key: kept.original_key,
                card: message.card.map(clean_person),
                disproved: kept.disproved,
                recipients: message.recipients.into_iter().map(clean_recipient).collect(),
                threading: message.threading.map(clean_facts),
                line: message.line.map(|line| clean_line(&line, 200)),
                history: message.history,
                ids: message
                    .ids
                    .iter()
                    .chain(&message.album)
                    .map(|id| clean_external_id(id))
                    .collect(),
                album: message.album.as_deref().map(clean_external_id),
                reply_to: message.reply_to.as_deref().map(clean_external_id),
                extra,
                own: message.own.map(|name| clean_line(&name, 200)),
            })
        }
        InboundBody::Submission(submission) => {
            let from = clean_person(submission.from);
            PreparedBody::Submission(PreparedSubmission {
                id: id::new(Kind::Submission, now),
                message_id: id::new(Kind::Message, now),
                approved: false,
                held: submission.held,
                values: clean_json(serde_json::Value::Object(submission.values.into_iter().collect())),
                consent: submission.consent,
                spam_score: submission.spam_score,
                spam_reasons: submission.spam_reasons,
                extra: (!submission.extra.is_empty())
                    .then(|| clean_json(serde_json::Value::Object(submission.extra.into_iter().collect()))),
                approved_by: None,
                content: SubmissionContent {
                    name: from.name,
                    identities: from
                        .identities
                        .into_iter()
                        .map(|identity| StoredIdentity {
                            kind: identity.kind,
                            value: identity.value,
                            verified: identity.verified,
                        })
                        .collect(),
                    language: from.language,
                    company: from.company,
                    text: clean_text(&submission.text),
                    lead_title: submission.lead.title.map(|title| clean_line(&title, 300)),
                    lead_fields: submission
                        .lead
                        .fields
                        .into_iter()
                        .map(|(name, value)| (clean_line(&name, 100), clean_json(value)))
                        .collect(),
                    attribution: clean_attribution(submission.attribution),
                    makes: submission.makes,
                    files: keep_files(storage, submission.attachments, now).await?,
                },
            })
        }
        InboundBody::Receipt(receipt) => PreparedBody::Receipt(receipt),
        InboundBody::Edit(edit) => PreparedBody::Change(change::edit(storage, edit, now).await?),
        InboundBody::Deletion(deletion) => PreparedBody::Change(change::deletion(&deletion)),
        InboundBody::Reaction(reaction) => PreparedBody::Change(change::reaction(reaction)),
        InboundBody::Reachability(mut reach) => {
            reach.identity.value = clean_line(&reach.identity.value, 320);
            reach.reason = reach.reason.map(|reason| clean_line(&reason, 500));
            PreparedBody::Reachability(reach)
        }
        InboundBody::Call(call) => PreparedBody::Call(Box::new(call::clean(*call, &event.external_id))),
        InboundBody::Poison { reason, raw } => keep_poison(storage, &reason, raw, now).await?,
    };
    Ok(Prepared {
        external_id: clean_external_id(&event.external_id),
        at: event.at,
        body,
    })
}

/// What a message says beside its text; takes the files out of it that are not there.
fn extra(message: &mut InboundMessage) -> Extra {
    Extra {
        quote: message
            .quote
            .take()
            .map(|quote| cut(clean_text(&quote).trim(), MAX_QUOTE))
            .filter(|quote| !quote.is_empty()),
        origin: message.origin.take().map(|mut origin| {
            origin.from = origin
                .from
                .map(|from| clean_line(&from, 200))
                .filter(|from| !from.is_empty());
            origin.into()
        }),
        location: message.location.take().map(change::clean_location),
        missing_files: missing_files(&mut message.attachments),
        ..Extra::default()
    }
}

/// Takes out the files that came without their bytes.
pub(super) fn missing_files(files: &mut Vec<InboundAttachment>) -> Vec<MissingFile> {
    let mut missing = Vec::new();
    files.retain(|file| {
        // A connector whose file nobody fetched must not lose it silently.
        let unfetched = file.url.as_ref().filter(|_| file.data.is_empty());
        let reason = file
            .missing
            .clone()
            .or_else(|| unfetched.map(|_| "it was not fetched".to_owned()));
        if let Some(reason) = &reason {
            missing.push(MissingFile {
                name: clean_file_name(&file.name),
                reason: clean_line(reason, 300),
            });
        }
        reason.is_none()
    });
    missing
}

#[derive(Default)]
struct KeptMail {
    view: Option<MailView>,
    original_key: Option<String>,
    disproved: bool,
}

/// Keeps the original of a mail. It stands beside the files that were taken out of it: what shows a mail may be
/// wrong about it, the original never is.
///
/// The key is made of the mail, not of the message: a mailbox that is read again writes no second file.
async fn keep_mail(storage: &Storage, mail: MailFacts, external_id: &str) -> Result<KeptMail, Error> {
    let disproved = mail
        .authentication
        .as_ref()
        .is_some_and(|found| found.verdict == Verdict::Fail);
    let view = MailView::of(&mail);
    let mut original_key = None;
    if let Some(original) = mail.original {
        let failed = |error: storage::Error| Error::File(error.to_string());
        let hash = hash_of(external_id, &original.data).await?;
        let key = storage::key(&format!("org_{hash}"));
        if !storage.has(&key).await.map_err(failed)? {
            storage.put(&key, original.data).await.map_err(failed)?;
        }
        original_key = Some(key);
    }
    Ok(KeptMail {
        view: Some(view),
        original_key,
        disproved,
    })
}

async fn hash_of(external_id: &str, data: &Content) -> Result<String, Error> {
    let mut hash = Sha256::new().chain_update(external_id).chain_update([0]);
    let mut at = 0;
    while at < data.len() {
        let piece = data.piece(at, Content::PIECE).await;
        let piece = piece.map_err(|error| Error::File(error.to_string()))?;
        at += piece.len() as u64;
        hash.update(&piece);
    }
    Ok(hex::encode(hash.finalize()))
}

/// How many characters of the cleaned text stand before a byte of the text as it came; none when cleaning moved it.
fn characters_before(at: usize, came: &str, cleaned: &str) -> Option<usize> {
    let before = came.get(..at)?.replace('\0', "").replace("\r\n", "\n");
    (cleaned.len() > before.len() && cleaned.starts_with(&before)).then(|| before.chars().count())
}

/// Keeps raw bytes for the quarantine.
pub(super) async fn keep_poison(
    storage: &Storage,
    reason: &str,
    raw: Content,
    now: DateTime<Utc>,
) -> Result<PreparedBody, Error> {
    let storage_key = storage::key(&id::new(Kind::Quarantine, now));
    let size = i64::try_from(raw.len()).unwrap_or(i64::MAX);
    storage
        .put(&storage_key, raw)
        .await
        .map_err(|error| Error::File(error.to_string()))?;
    Ok(PreparedBody::Poison {
        reason: clean_line(reason, 1000),
        size,
        storage_key,
    })
}

pub(super) async fn keep_files(
    storage: &Storage,
    files: Vec<InboundAttachment>,
    now: DateTime<Utc>,
) -> Result<Vec<KeptFile>, Error> {
    let mut kept = Vec::with_capacity(files.len());
    for file in files {
        let uploaded = file.stored_id.is_some();
        let id = file.stored_id.unwrap_or_else(|| id::new(Kind::Attachment, now));
        let storage_key = storage::key(&id);
        let size = i64::try_from(file.data.len()).unwrap_or(i64::MAX);
        if !uploaded {
            storage
                .put(&storage_key, file.data)
                .await
                .map_err(|error| Error::File(error.to_string()))?;
        }
        kept.push(KeptFile {
            id,
            name: clean_file_name(&file.name),
            content_type: clean_content_type(&file.content_type),
            size,
            storage_key,
            content_id: file.content_id.map(|id| clean_line(&id, 300)),
            uploaded,
        });
    }
    Ok(kept)
}

/// An address field without what a database or a screen cannot hold.
fn clean_recipient(recipient: Recipient) -> Recipient {
    Recipient {
        role: recipient.role,
        name: recipient
            .name
            .map(|name| clean_line(&name, 200))
            .filter(|name| !name.is_empty()),
        address: clean_line(&recipient.address, 254),
    }
}

/// A file name that is one: no path, no control or direction marks, not too long.
pub fn clean_file_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let clean: String = last
        .chars()
        .filter(|char| {
            !char.is_control() && !matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        })
        .take(200)
        .collect();
    let clean = clean.trim().trim_start_matches('.').to_owned();
    if clean.is_empty() {
        "file".to_owned()
    } else {
        clean
    }
}

/// A media type that is one.
pub fn clean_content_type(declared: &str) -> String {
    let essence = declared
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let valid = essence.split_once('/').is_some_and(|(kind, sub)| {
        let token = |word: &str| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
        };
        token(kind) && token(sub) && essence.len() <= 100
    });
    if valid {
        essence
    } else {
        "application/octet-stream".to_owned()
    }
}

pub(super) fn clean_person(mut person: Person) -> Person {
    person.name = person
        .name
        .map(|name| clean_line(&name, 200))
        .filter(|name| !name.is_empty());
    person.company = person
        .company
        .map(|name| clean_line(&name, 200))
        .filter(|name| !name.is_empty());
    person.language = person
        .language
        .map(|tag| clean_line(&tag, 35))
        .filter(|tag| !tag.is_empty());
    for identity in &mut person.identities {
        identity.value = clean_line(&identity.value, 320);
    }
    person.identities.retain(|identity| !identity.value.is_empty());
    person.identities.truncate(10);
    person
}

fn clean_facts(mut facts: Box<ThreadFacts>) -> Box<ThreadFacts> {
    for address in &mut facts.others {
        *address = clean_line(address, 320).to_lowercase();
    }
    facts.others.retain(|address| !address.is_empty());
    if let Capture::Filed { to, .. } = &mut facts.capture {
        *to = std::mem::take(to).into_iter().map(clean_person).collect();
    }
    if let Some(forwarded) = &mut facts.forwarded {
        forwarded.from = clean_person(std::mem::take(&mut forwarded.from));
        forwarded.subject = forwarded.subject.take().map(|subject| clean_line(&subject, 500));
        forwarded.text = clean_text(&forwarded.text);
        forwarded.note = clean_text(&forwarded.note);
    }
    facts
}

fn clean_attribution(attribution: Attribution) -> Attribution {
    let clean = |touch: switchboard_sdk::Touch| {
        touch
            .into_iter()
            .take(40)
            .map(|(key, value)| (clean_line(&key, 60), clean_line(&value, 2000)))
            .filter(|(key, value)| !key.is_empty() && !value.is_empty())
            .collect()
    };
    Attribution {
        first: clean(attribution.first),
        last: clean(attribution.last),
    }
}

/// PostgreSQL takes no NUL in text or JSON.
pub(super) fn clean_text(text: &str) -> String {
    let text = text.replace('\0', "").replace("\r\n", "\n");
    cut(text.trim_end(), MAX_TEXT)
}

/// Without NULs, at most so many bytes, cut between characters and marked.
pub(super) fn cut(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let mut end = max;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", text.get(..end).unwrap_or_default())
}

/// One line without control characters, at most so many characters.
pub fn clean_line(text: &str, max_chars: usize) -> String {
    let line: String = text
        .chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .take(max_chars)
        .collect();
    line.trim().to_owned()
}

fn clean_json(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::String(text) => Value::String(text.replace('\0', "")),
        Value::Array(items) => Value::Array(items.into_iter().map(clean_json).collect()),
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(name, value)| (name.replace('\0', ""), clean_json(value)))
                .collect(),
        ),
        other => other,
    }
}

pub(super) fn clean_external_id(id: &str) -> String {
    if id.len() <= MAX_EXTERNAL_ID && !id.contains('\0') {
        id.to_owned()
    } else {
        format!("sha256:{}", hex::encode(Sha256::digest(id.as_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{characters_before, clean_content_type, clean_file_name, clean_line, cut};

    #[test]
    fn a_file_name_loses_its_path_and_its_tricks() {
        assert_eq!(clean_file_name("C:\\Users\\a\\отчёт.pdf"), "отчёт.pdf");
        assert_eq!(clean_file_name("../../etc/passwd"), "passwd");
        assert_eq!(clean_file_name("photo\u{202e}gpj.exe"), "photogpj.exe");
        assert_eq!(clean_file_name("..."), "file");
    }

    #[test]
    fn a_media_type_that_is_none_is_bytes() {
        assert_eq!(clean_content_type("Image/PNG; name=x"), "image/png");
        assert_eq!(
            clean_content_type("text/html\r\nX: y"),
            "application/octet-stream"
        );
        assert_eq!(clean_content_type(""), "application/octet-stream");
    }

    #[test]
    fn the_place_of_the_quotation_is_counted_in_characters_of_the_clean_text() {
        assert_eq!(
            characters_before(6, "Да!\r\n> x", "Да!\n> x"),
            None,
            "not between characters"
        );
        assert_eq!(characters_before(7, "Да!\r\n> x", "Да!\n> x"), Some(4));
        assert_eq!(
            characters_before(3, "abc", "abc"),
            None,
            "nothing would be folded"
        );
    }

    proptest! {
        #[test]
        fn cleaning_never_panics_and_keeps_its_limits(text in ".*", max in 4_usize..50) {
            prop_assert!(cut(&text, max).len() <= max + '…'.len_utf8());
            prop_assert!(clean_line(&text, max).chars().count() <= max);
            prop_assert!(!clean_file_name(&text).is_empty());
        }
    }
}
