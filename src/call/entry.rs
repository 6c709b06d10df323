//! A call as one entry of its conversation, written anew as the call goes on.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, Set, sea_query::Expr,
};

use crate::{
    conversation::{
        call::{CallEntry, CallEntryRecording},
        extra::Extra,
        message::{self, NewMessage, preview},
    },
    db::{
        WriteTx,
        entity::{attachment, call, call_recording, conversation, message as message_row},
    },
    event::{EventType, NewEvent},
};

/// The entry of a call. Pure.
pub fn of(row: &call::Model, recordings: &[call_recording::Model], operator: Option<&str>) -> CallEntry {
    CallEntry {
        id: row.id.clone(),
        direction: row.direction.clone(),
        state: row.state.clone(),
        disposition: row.disposition.clone(),
        number: row.client.clone().filter(|number| !number.is_empty()),
        own_number: row.own_number.clone(),
        own_label: row.own_label.clone(),
        operator_id: row.operator_id.clone(),
        operator_name: operator.map(str::to_owned),
        extension: row.extension.clone(),
        started_at: row.started_at,
        answered_at: row.answered_at,
        ended_at: row.ended_at,
        ring_secs: row.ring_secs,
        talk_secs: row.talk_secs,
        attempt: if row.withdrawn_at.is_some() {
            0
        } else {
            row.attempt
        },
        recordings: recordings
            .iter()
            .filter(|recording| recording.call_id == row.id)
            .map(|recording| CallEntryRecording {
                attachment_id: recording.attachment_id.clone(),
                kind: recording.kind.clone(),
                state: recording.state.clone(),
                secs: recording.secs,
                error: recording.error.clone(),
            })
            .collect(),
        transcript: row.transcript.clone(),
    }
}

/// The same in words, for lists, search and programs. Pure.
pub fn words(entry: &CallEntry) -> String {
    let outbound = entry.direction.as_deref() == Some("outbound");
    let number = entry.number.as_deref().unwrap_or("a hidden number");
    let who = entry.operator_name.as_deref().or(entry.extension.as_deref());
    let by = |verb: &str| who.map_or_else(String::new, |who| format!(", {verb} {who}"));
    let talked = entry.talk_secs.map(|secs| format!(", {}", clock(secs)));
    match (entry.state.as_str(), entry.disposition.as_deref()) {
        ("ringing", _) if outbound => format!("Calling {number}{}", by("by")),
        ("ringing", _) => format!("{number} is calling"),
        ("answered", _) if outbound => format!("On the phone with {number}{}", by("by")),
        ("answered", _) => format!("On the phone with {number}{}", by("answered by")),
        (_, Some("answered")) => {
            let way = if outbound { "Outgoing call to" } else { "Call from" };
            let verb = if outbound { "by" } else { "answered by" };
            format!("{way} {number}{}{}", by(verb), talked.unwrap_or_default())
        }
        (_, Some("voicemail")) => format!("Voicemail from {number}"),
        (_, Some("missed")) if !outbound => match entry.attempt {
            attempt if attempt > 1 => format!("Missed call from {number} (attempt {attempt})"),
            _ => format!("Missed call from {number}"),
        },
        (_, Some("busy")) => format!("Outgoing call to {number}{}: busy", by("by")),
        (_, Some("canceled")) => format!("Outgoing call to {number}{}: canceled", by("by")),
        (_, Some("failed")) => format!("Outgoing call to {number}{}: failed", by("by")),
        _ => format!("Outgoing call to {number}{}: no answer", by("by")),
    }
}

fn clock(secs: i64) -> String {
    format!("{}:{:02}", secs / 60, secs % 60)
}

/// Writes the entry of a call that has a conversation.
pub(super) async fn write(
    write: &mut WriteTx,
    row: &mut call::Model,
    entry: CallEntry,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let Some(conversation_id) = row.conversation_id.clone() else {
        return Ok(());
    };
    let text = words(&entry);
    let extra = Extra {
        call: Some(Box::new(entry)),
        ..Extra::default()
    };
    let known = match &row.message_id {
        Some(id) => message_row::Entity::find_by_id(id).one(write.tx()).await?,
        None => None,
    };
    let found = message::lock(write, &conversation_id).await?;
    let Some(mut conversation) = found else {
        return Ok(());
    };
    let Some(known) = known else {
        let line = NewMessage {
            extra,
            ..NewMessage::system(text.clone())
        };
        let stored = message::append(write, &mut conversation, line, now).await?;
        row.message_id = Some(stored.id.clone());
        if link_files(write, &row.id, &stored.id).await? > 0 {
            message_row::Entity::update_many()
                .col_expr(message_row::Column::HasAttachments, Expr::value(true))
                .filter(message_row::Column::Id.eq(&stored.id))
                .exec(write.tx())
                .await?;
        }
        return show(write, &conversation, &stored.id, &text, now).await;
    };
    link_files(write, &row.id, &known.id).await?;
    let files = attachment::Entity::find()
        .filter(attachment::Column::MessageId.eq(&known.id))
        .count(write.tx())
        .await?
        > 0;
    let stored = extra.stored();
    if known.body == text && known.extra == stored && known.has_attachments == files {
        return Ok(());
    }
    message_row::ActiveModel {
        id: Set(known.id.clone()),
        body: Set(text.clone()),
        extra: Set(stored),
        has_attachments: Set(files),
        ..Default::default()
    }
    .update_without_returning(write.tx())
    .await?;
    let changed = NewEvent::message(EventType::MessageUpdated, &known.id, &known.conversation_id, now);
    write.record(changed);
    if conversation.last_message_id.as_ref() == Some(&known.id) {
        show(write, &conversation, &known.id, &text, now).await?;
    }
    Ok(())
}

/// Files that were fetched before the call had its entry. Answers how many.
async fn link_files(write: &WriteTx, call_id: &str, message_id: &str) -> Result<u64, DbErr> {
    let linked = attachment::Entity::update_many()
        .col_expr(attachment::Column::MessageId, Expr::value(message_id))
        .filter(attachment::Column::Owner.eq(owner(call_id)))
        .filter(attachment::Column::MessageId.is_null())
        .exec(write.tx())
        .await?;
    Ok(linked.rows_affected)
}

/// The owner of a call's files.
pub fn owner(call_id: &str) -> String {
    format!("call:{call_id}")
}

/// Unlike what the server says about itself, a call is news: the list shows it.
async fn show(
    write: &mut WriteTx,
    conversation: &conversation::Model,
    message_id: &str,
    text: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    conversation::ActiveModel {
        id: Set(conversation.id.clone()),
        last_message_id: Set(Some(message_id.to_owned())),
        last_message_kind: Set(Some("system".to_owned())),
        last_message_text: Set(Some(preview(text))),
        last_message_at: Set(Some(now)),
        version: Set(conversation.version + 1),
        updated_at: Set(now),
        ..Default::default()
    }
    .update_without_returning(write.tx())
    .await?;
    write.record(NewEvent::conversation(&conversation.id, now));
    Ok(())
}

/// The entry of a call that turned out to be part of another.
pub(super) async fn retire(write: &mut WriteTx, message_id: &str, now: DateTime<Utc>) -> Result<(), DbErr> {
    let Some(known) = message_row::Entity::find_by_id(message_id)
        .one(write.tx())
        .await?
    else {
        return Ok(());
    };
    message_row::ActiveModel {
        id: Set(known.id.clone()),
        body: Set("The same call as above".to_owned()),
        extra: Set(None),
        has_attachments: Set(false),
        ..Default::default()
    }
    .update_without_returning(write.tx())
    .await?;
    let changed = NewEvent::message(EventType::MessageUpdated, &known.id, &known.conversation_id, now);
    write.record(changed);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{CallEntry, words};

    #[test]
    fn a_call_in_words_says_with_whom_by_whom_and_what_became_of_it() {
        let call = |direction: &str, state: &str, disposition: Option<&str>, attempt| CallEntry {
            direction: Some(direction.to_owned()),
            state: state.to_owned(),
            disposition: disposition.map(str::to_owned),
            number: Some("+99890".to_owned()),
            operator_name: Some("Anna".to_owned()),
            talk_secs: (disposition == Some("answered")).then_some(125),
            attempt,
            ..CallEntry::default()
        };
        let table = [
            (call("inbound", "ringing", None, 0), "+99890 is calling"),
            (
                call("inbound", "answered", None, 0),
                "On the phone with +99890, answered by Anna",
            ),
            (
                call("inbound", "ended", Some("answered"), 0),
                "Call from +99890, answered by Anna, 2:05",
            ),
            (
                call("inbound", "ended", Some("missed"), 1),
                "Missed call from +99890",
            ),
            (
                call("inbound", "ended", Some("missed"), 3),
                "Missed call from +99890 (attempt 3)",
            ),
            (
                call("inbound", "ended", Some("voicemail"), 1),
                "Voicemail from +99890",
            ),
            (
                call("outbound", "ended", Some("missed"), 0),
                "Outgoing call to +99890, by Anna: no answer",
            ),
            (
                call("outbound", "ended", Some("answered"), 0),
                "Outgoing call to +99890, by Anna, 2:05",
            ),
        ];
        for (entry, expected) in table {
            assert_eq!(words(&entry), expected);
        }
    }
}
