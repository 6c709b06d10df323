//! What is noted in a CRM of a lead: what was said in a session, a call, a colleague's words. Plain text.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use switchboard_crm::{Note, NoteKind};

use crate::db::{
    bulk,
    entity::{attachment, call, channel, contact, conversation, crm_job, message, operator, session},
};

/// The languages of notes.
pub const LANGUAGES: [&str; 2] = ["en", "ru"];
/// Characters an adapter takes.
const MAX_CHARS: usize = 60_000;
/// Messages of one session; a longer one is told without its middle.
const MAX_MESSAGES: u64 = 2_000;

/// The words of one language.
struct Words {
    files: &'static str,
    left_out: &'static str,
    inbound: &'static str,
    outbound: &'static str,
    internal: &'static str,
    talked: &'static str,
    rang: &'static str,
    seconds: &'static str,
    recording: &'static str,
    colleague: &'static str,
    client: &'static str,
    answered: &'static str,
    missed: &'static str,
    voicemail: &'static str,
    busy: &'static str,
    failed: &'static str,
    canceled: &'static str,
}

const ENGLISH: Words = Words {
    files: "files",
    left_out: "… the rest is in Switchboard …",
    inbound: "Inbound call",
    outbound: "Outbound call",
    internal: "Internal call",
    talked: "talked",
    rang: "rang",
    seconds: "s",
    recording: "Recording",
    colleague: "Note",
    client: "Client",
    answered: "answered",
    missed: "missed",
    voicemail: "voicemail",
    busy: "busy",
    failed: "failed",
    canceled: "canceled",
};

const RUSSIAN: Words = Words {
    files: "файлы",
    left_out: "… остальное в Switchboard …",
    inbound: "Входящий звонок",
    outbound: "Исходящий звонок",
    internal: "Внутренний звонок",
    talked: "разговор",
    rang: "ожидание",
    seconds: "с",
    recording: "Запись",
    colleague: "Заметка",
    client: "Клиент",
    answered: "отвечен",
    missed: "пропущен",
    voicemail: "голосовая почта",
    busy: "занято",
    failed: "не состоялся",
    canceled: "отменён",
};

fn words(language: &str) -> &'static Words {
    if language == "ru" { &RUSSIAN } else { &ENGLISH }
}

/// The note of a step; `None` when there is nothing to tell any more.
pub async fn of(
    db: &impl ConnectionTrait,
    job: &crm_job::Model,
    language: &str,
    public_url: &str,
) -> Result<Option<Note>, DbErr> {
    let words = words(language);
    let note = match job.kind.as_str() {
        "conversation" => of_session(db, &job.subject, words, public_url).await?,
        "call" => of_call(db, &job.subject, words, public_url).await?,
        _ => of_remark(db, &job.subject, words, public_url).await?,
    };
    Ok(note.map(|mut note| {
        note.text = bounded(&note.text, words.left_out);
        note
    }))
}

async fn of_session(
    db: &impl ConnectionTrait,
    id: &str,
    words: &Words,
    public_url: &str,
) -> Result<Option<Note>, DbErr> {
    let Some(session) = session::Entity::find_by_id(id).one(db).await? else {
        return Ok(None);
    };
    let conversation = conversation::Entity::find_by_id(&session.conversation_id)
        .one(db)
        .await?;
    let (Some(conversation), Some(closed_at)) = (conversation, session.closed_at) else {
        return Ok(None);
    };
    // What the client may read: never notes, nor what hidden participants wrote.
    let messages = message::Entity::find()
        .filter(message::Column::SessionId.eq(id))
        .filter(message::Column::Kind.is_in(["inbound", "reply"]))
        .filter(message::Column::Hidden.eq(false))
        .filter(message::Column::DeletedAt.is_null())
        .order_by_asc(message::Column::Seq)
        .limit(MAX_MESSAGES)
        .all(db)
        .await?;
    if messages.is_empty() {
        return Ok(None);
    }
    let names = names(db, &messages).await?;
    let contact = contact::Entity::find_by_id(&conversation.contact_id)
        .one(db)
        .await?;
    let client = contact
        .and_then(|row| row.name)
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| words.client.to_owned());
    let files = files(db, &messages).await?;
    let channel = channel::Entity::find_by_id(&conversation.channel_id)
        .one(db)
        .await?;
    let mut text = format!(
        "{} · #{}\n",
        channel.map_or_else(|| conversation.channel_kind.clone(), |row| row.name),
        conversation.number
    );
    if let Some(subject) = conversation
        .subject
        .as_deref()
        .filter(|subject| !subject.is_empty())
    {
        text.push_str(subject);
        text.push('\n');
    }
    for message in &messages {
        let author = match (message.kind.as_str(), &message.author_id) {
            ("inbound", _) => message.author_name.clone().unwrap_or_else(|| client.clone()),
            (_, Some(id)) => names.get(id).cloned().unwrap_or_default(),
            (_, None) => message.author_name.clone().unwrap_or_default(),
        };
        text.push_str(&format!(
            "\n[{}] {author}: {}",
            moment(message.created_at),
            message.body.trim()
        ));
        if let Some(names) = files.get(&message.id) {
            text.push_str(&format!(" ({}: {})", words.files, names.join(", ")));
        }
    }
    Ok(Some(Note {
        id: session.id,
        at: closed_at,
        kind: NoteKind::Conversation,
        text,
        url: Some(format!("{public_url}/inbox/all/{}", conversation.id)),
    }))
}

async fn of_call(
    db: &impl ConnectionTrait,
    id: &str,
    words: &Words,
    public_url: &str,
) -> Result<Option<Note>, DbErr> {
    let row = call::Entity::find_by_id(id).one(db).await?;
    let Some(row) = row.filter(|row| row.merged_into.is_none() && row.ended_at.is_some()) else {
        return Ok(None);
    };
    let view = crate::call::view::by_id(db, std::slice::from_ref(&row.id))
        .await?
        .pop();
    let direction = match row.direction.as_deref() {
        Some("outbound") => words.outbound,
        Some("internal") => words.internal,
        _ => words.inbound,
    };
    let became = match row.disposition.as_deref() {
        Some("answered") => words.answered,
        Some("missed") => words.missed,
        Some("voicemail") => words.voicemail,
        Some("busy") => words.busy,
        Some("failed") => words.failed,
        Some("canceled") => words.canceled,
        _ => "",
    };
    let mut text = format!("{direction}: {became}")
        .trim_end_matches([' ', ':'])
        .to_owned();
    let mut parts: Vec<String> = [
        row.client.clone(),
        row.own_label.clone().or(row.own_number.clone()),
    ]
    .into_iter()
    .flatten()
    .collect();
    if let Some(secs) = row.talk_secs.filter(|secs| *secs > 0) {
        parts.push(format!("{} {}", words.talked, length(secs, words)));
    } else if let Some(secs) = row.ring_secs.filter(|secs| *secs > 0) {
        parts.push(format!("{} {}", words.rang, length(secs, words)));
    }
    if let Some(name) = view.as_ref().and_then(|view| view.operator_name.clone()) {
        parts.push(name);
    }
    for part in parts {
        text.push_str(" · ");
        text.push_str(&part);
    }
    if let Some(recording) = view.as_ref().and_then(|view| view.recording.as_ref()) {
        text.push_str(&format!(
            "\n{}: {public_url}/api/v1/attachments/{}",
            words.recording, recording.attachment_id
        ));
    }
    if let Some(transcript) = row.transcript.as_deref().filter(|text| !text.trim().is_empty()) {
        text.push_str("\n\n");
        text.push_str(transcript.trim());
    }
    Ok(Some(Note {
        id: row.id.clone(),
        at: row.ended_at.unwrap_or(row.started_at),
        kind: NoteKind::Call,
        text,
        url: Some(match &row.conversation_id {
            Some(conversation_id) => format!("{public_url}/inbox/all/{conversation_id}"),
            None => format!("{public_url}/calls"),
        }),
    }))
}

async fn of_remark(
    db: &impl ConnectionTrait,
    id: &str,
    words: &Words,
    public_url: &str,
) -> Result<Option<Note>, DbErr> {
    let row = message::Entity::find_by_id(id).one(db).await?;
    let Some(row) = row.filter(|row| row.deleted_at.is_none() && !row.body.trim().is_empty()) else {
        return Ok(None);
    };
    let rows = [row];
    let names = names(db, &rows).await?;
    let [row] = rows;
    let author = row.author_id.as_ref().and_then(|id| names.get(id)).cloned();
    let author = author.or(row.author_name).unwrap_or_default();
    Ok(Some(Note {
        id: row.id,
        at: row.created_at,
        kind: NoteKind::Remark,
        text: format!("{} · {author}\n{}", words.colleague, row.body.trim()),
        url: Some(format!("{public_url}/inbox/all/{}", row.conversation_id)),
    }))
}

/// The names of operators who wrote.
async fn names(
    db: &impl ConnectionTrait,
    messages: &[message::Model],
) -> Result<HashMap<String, String>, DbErr> {
    let ids = bulk::padded(messages.iter().filter_map(|row| row.author_id.clone()));
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(String, String)> = operator::Entity::find()
        .select_only()
        .columns([operator::Column::Id, operator::Column::Name])
        .filter(operator::Column::Id.is_in(ids))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}

async fn files(
    db: &impl ConnectionTrait,
    messages: &[message::Model],
) -> Result<HashMap<String, Vec<String>>, DbErr> {
    let with = messages.iter().filter(|row| row.has_attachments);
    let ids = bulk::padded(with.map(|row| row.id.clone()));
    let mut files: HashMap<String, Vec<String>> = HashMap::new();
    if ids.is_empty() {
        return Ok(files);
    }
    let rows = attachment::Entity::find()
        .filter(attachment::Column::MessageId.is_in(ids))
        .order_by_asc(attachment::Column::Position)
        .all(db)
        .await?;
    for row in rows {
        if let Some(message_id) = row.message_id {
            files.entry(message_id).or_default().push(row.name);
        }
    }
    Ok(files)
}

fn moment(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

fn length(secs: i64, words: &Words) -> String {
    if secs < 60 {
        return format!("{secs} {}", words.seconds);
    }
    format!("{}:{:02}", secs / 60, secs % 60)
}

/// The beginning and the end of what is too long.
fn bounded(text: &str, left_out: &str) -> String {
    let clean = text.replace('\0', "");
    let count = clean.chars().count();
    if count <= MAX_CHARS {
        return clean;
    }
    let half = (MAX_CHARS - left_out.chars().count() - 4) / 2;
    let begin: String = clean.chars().take(half).collect();
    let end: String = clean.chars().skip(count - half).collect();
    format!("{begin}\n\n{left_out}\n\n{end}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_note_is_never_longer_than_an_adapter_takes(text in "\\PC{0,40}", times in 1_usize..4_000) {
            let long = text.repeat(times);
            let note = bounded(&long, ENGLISH.left_out);
            prop_assert!(note.chars().count() <= MAX_CHARS);
            prop_assert!(long.chars().count() > MAX_CHARS || note == long.replace('\0', ""));
        }
    }

    #[test]
    fn lengths_read_as_people_say_them() {
        assert_eq!(
            (length(5, &ENGLISH), length(65, &RUSSIAN)),
            ("5 s".to_owned(), "1:05".to_owned())
        );
    }
}
