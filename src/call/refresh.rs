//! One call brought up to date: folded anew, and everything that follows from it, in one transaction.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, Set, sea_query::Expr,
};
use serde_json::{Value, json};
use switchboard_sdk::{PartyKind, RecordingKind, RecordingState};

use super::{
    Setup, entry,
    fold::{self, Call, Disposition, State},
    missed, place,
    store::{self, lock},
};
use crate::{
    db::{
        WriteTx,
        entity::{call, call_recording, lead, operator},
    },
    event::{EventType, NewEvent},
    id::{self, Kind},
    lead::store as leads,
};

/// Brings a call up to date. Intake must be locked: it may make contacts and conversations.
pub(super) async fn refresh(
    write: &mut WriteTx,
    setup: &Setup,
    call_id: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let Some(known) = lock(write, call_id).await? else {
        return Ok(());
    };
    if known.merged_into.is_some() {
        return Ok(());
    }
    let reports = store::reports(write.tx(), call_id).await?;
    let Some(call) = fold::fold(&reports, now) else {
        return Ok(());
    };
    store::name(write, &known.channel_id, call_id, &call.names).await?;
    let people = people(write, setup, &call).await?;
    let mut row = described(&known, &call, setup, &people);
    if row.shown && row.conversation_id.is_none() && row.direction.as_deref() != Some("internal") {
        if let Some(client) = call
            .client
            .as_ref()
            .filter(|client| client.kind == PartyKind::Number)
        {
            place::place(write, setup, &mut row, &client.address, now).await?;
        }
    }
    follow_up(write, setup, &known, &mut row, &call, now).await?;
    let recordings = recordings(write, &row, &call, now).await?;
    let entry = entry::of(&row, &recordings, people.name_of(row.operator_id.as_deref()));
    if row.shown {
        entry::write(write, &mut row, entry, now).await?;
    }
    let seen = call::Model {
        check_at: known.check_at,
        ..row.clone()
    };
    let visible = seen != known;
    if visible {
        row.version += 1;
        row.updated_at = now;
    }
    if row != known {
        save(write, &row).await?;
    }
    if visible && (row.shown || known.shown) {
        write.record(NewEvent::new(EventType::CallUpdated, call_id, now));
    }
    Ok(())
}

async fn save(write: &WriteTx, row: &call::Model) -> Result<(), DbErr> {
    let id = row.id.clone();
    let changes = row.clone().into_active_model().reset_all();
    call::Entity::update_many()
        .set(changes)
        .filter(call::Column::Id.eq(id))
        .exec(write.tx())
        .await?;
    Ok(())
}

/// Operators that the extensions of a call belong to; an extension of nobody who exists is nobody's.
struct People(Vec<(String, String)>);

impl People {
    fn name_of(&self, id: Option<&str>) -> Option<&str> {
        let id = id?;
        self.0
            .iter()
            .find(|(known, _)| known == id)
            .map(|(_, name)| name.as_str())
    }
}

async fn people(write: &WriteTx, setup: &Setup, call: &Call) -> Result<People, DbErr> {
    let extensions = call.ringing.iter().chain(&call.extension);
    let ids: BTreeSet<&str> = extensions
        .filter_map(|extension| setup.operator(extension))
        .collect();
    if ids.is_empty() {
        return Ok(People(Vec::new()));
    }
    let rows = operator::Entity::find()
        .filter(operator::Column::Id.is_in(ids))
        .all(write.tx())
        .await?;
    Ok(People(rows.into_iter().map(|row| (row.id, row.name)).collect()))
}

/// The row as the fold says it.
fn described(known: &call::Model, call: &Call, setup: &Setup, people: &People) -> call::Model {
    let there = |extension: &str| {
        let owner = setup.operator(extension)?;
        people.name_of(Some(owner)).map(|_| owner.to_owned())
    };
    let ringing: Vec<Value> = call
        .ringing
        .iter()
        .map(|extension| json!({"extension": extension, "operator_id": there(extension)}))
        .collect();
    call::Model {
        shown: call.shown,
        direction: call.direction.map(word),
        client_kind: call.client.as_ref().map(|client| word(client.kind)),
        client: call.client.as_ref().map(|client| client.address.clone()),
        own_label: setup.label(call.own_number.as_deref()),
        touch: json!(setup.touch(call.own_number.as_deref())),
        own_number: call.own_number.clone(),
        caller_name: call.caller_name.clone(),
        state: call.state.as_str().to_owned(),
        disposition: call
            .disposition
            .map(|disposition| disposition.as_str().to_owned()),
        reason: call.reason.map(word),
        cause: call.cause.clone(),
        started_at: call.started_at,
        answered_at: call.answered_at,
        ended_at: call.ended_at,
        ring_secs: call.ring_secs,
        talk_secs: call.talk_secs,
        operator_id: call
            .extension
            .as_deref()
            .and_then(there)
            .or_else(|| known.operator_id.clone()),
        extension: call.extension.clone(),
        ringing: Value::Array(ringing),
        legs: json!(call.legs),
        transcript: call.transcript.clone(),
        stale: call.stale,
        ..known.clone()
    }
}

/// The word of a value that the contract writes as one.
fn word(value: impl serde::Serialize) -> String {
    json!(value).as_str().unwrap_or_default().to_owned()
}

/// What follows: a lead that somebody works on, a caller who waits, or one who waits no longer. And when to look again.
async fn follow_up(
    write: &mut WriteTx,
    setup: &Setup,
    known: &call::Model,
    row: &mut call::Model,
    call: &Call,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    row.check_at = call.stale_at;
    if row.conversation_id.is_none() {
        return Ok(());
    }
    let talked = call.state == State::Answered || call.disposition == Some(Disposition::Answered);
    let waits = row.missed_at.is_some() && row.withdrawn_at.is_none();
    if talked && (waits || known.answered_at.is_none() || known.conversation_id.is_none()) {
        missed::answered(write, row, now).await?;
    }
    if talked && row.operator_id.is_some() && known.operator_id.is_none() {
        take_lead(write, row, now).await?;
    }
    let lost = matches!(
        call.disposition,
        Some(Disposition::Missed | Disposition::Voicemail)
    );
    if lost && row.direction.as_deref() == Some("inbound") && row.missed_at.is_none() {
        let due = settled_at(call, setup.settle, now);
        if due <= now {
            missed::wait(write, row, now).await?;
        } else {
            row.check_at = Some(due);
        }
    }
    Ok(())
}

fn settled_at(call: &Call, settle: TimeDelta, now: DateTime<Utc>) -> DateTime<Utc> {
    call.over_since.unwrap_or(now) + settle
}

/// Who talked to the client first is responsible.
async fn take_lead(write: &mut WriteTx, row: &call::Model, now: DateTime<Utc>) -> Result<(), DbErr> {
    let Some(lead_id) = &row.lead_id else {
        return Ok(());
    };
    let Some(lead) = lead::Entity::find_by_id(lead_id).one(write.tx()).await? else {
        return Ok(());
    };
    let change = leads::Change {
        status: (lead.status == "new").then_some(leads::Status::InProgress),
        operator_id: lead.operator_id.is_none().then(|| row.operator_id.clone()),
        ..leads::Change::default()
    };
    if change.status.is_none() && change.operator_id.is_none() {
        return Ok(());
    }
    match leads::change(write, lead_id, change, now).await {
        Err(leads::ChangeError::Db(error)) => Err(error),
        _ => Ok(()),
    }
}

/// Notes what was recorded, and that it is to be fetched. Answers all recordings of the call.
async fn recordings(
    write: &WriteTx,
    row: &call::Model,
    call: &Call,
    now: DateTime<Utc>,
) -> Result<Vec<call_recording::Model>, DbErr> {
    let all = store::recordings(write.tx(), std::slice::from_ref(&row.id)).await?;
    for said in &call.recordings {
        let source = json!(said);
        let known = all.iter().find(|known| known.key == said.key);
        let (state, next) = match said.state {
            RecordingState::Announced => ("announced", None),
            RecordingState::Absent => ("absent", None),
            RecordingState::Ready => ("fetching", Some(now)),
        };
        let kind = match said.kind {
            RecordingKind::Voicemail => "voicemail",
            RecordingKind::Conversation => "conversation",
        };
        let Some(known) = known else {
            let new = call_recording::Model {
                id: id::new(Kind::CallRecording, now),
                channel_id: row.channel_id.clone(),
                key: said.key.clone(),
                call_id: row.id.clone(),
                source,
                kind: kind.to_owned(),
                state: state.to_owned(),
                secs: said.secs.map(i64::from),
                attempts: 0,
                next_attempt_at: next,
                leased_until: None,
                error: None,
                attachment_id: None,
                created_at: now,
            };
            // A key that another call has already is that call's.
            call_recording::Entity::insert(new.into_active_model())
                .on_conflict(
                    sea_orm::sea_query::OnConflict::columns([
                        call_recording::Column::ChannelId,
                        call_recording::Column::Key,
                    ])
                    .do_nothing()
                    .to_owned(),
                )
                .exec_without_returning(write.tx())
                .await?;
            continue;
        };
        let same = known.source == source;
        let begins = said.state == RecordingState::Ready
            && (known.state == "announced" || known.state == "absent" || (known.state == "failed" && !same));
        let ends = said.state == RecordingState::Absent && known.state == "announced";
        let mut change = call_recording::ActiveModel {
            id: Set(known.id.clone()),
            source: Set(source),
            kind: Set(kind.to_owned()),
            ..Default::default()
        };
        if said.secs.is_some() && known.state != "stored" {
            change.secs = Set(said.secs.map(i64::from));
        }
        if begins || ends {
            change.state = Set(state.to_owned());
            change.next_attempt_at = Set(next);
            change.attempts = Set(0);
            change.error = Set(None);
        }
        if !same || begins || ends {
            change.update_without_returning(write.tx()).await?;
        }
    }
    store::recordings(write.tx(), std::slice::from_ref(&row.id)).await
}

/// Takes the younger of two calls that turned out to be one into the older.
pub(super) async fn merge(
    write: &mut WriteTx,
    older: &str,
    younger: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let (Some(mut to), Some(mut from)) = (lock(write, older).await?, lock(write, younger).await?) else {
        return Ok(());
    };
    store::move_all(write, younger, older).await?;
    let owner = crate::db::entity::attachment::Column::Owner;
    crate::db::entity::attachment::Entity::update_many()
        .col_expr(owner, Expr::value(entry::owner(older)))
        .col_expr(
            crate::db::entity::attachment::Column::MessageId,
            Expr::value(to.message_id.clone().or_else(|| from.message_id.clone())),
        )
        .filter(owner.eq(entry::owner(younger)))
        .exec(write.tx())
        .await?;
    if to.conversation_id.is_none() {
        to.contact_id = from.contact_id.take();
        to.conversation_id = from.conversation_id.take();
        to.lead_id = from.lead_id.take();
        to.message_id = from.message_id.take();
    }
    if to.missed_at.is_none() {
        to.missed_at = from.missed_at;
        to.withdrawn_at = from.withdrawn_at;
        to.session_id = from.session_id.take();
        to.opened = from.opened;
        to.attempt = from.attempt;
    }
    // A session that was opened for the younger is known by the older one from now on.
    to.opened = to.opened || (from.opened && from.session_id == to.session_id);
    if let Some(message_id) = &from.message_id {
        entry::retire(write, message_id, now).await?;
    }
    from.merged_into = Some(older.to_owned());
    from.shown = false;
    from.state = State::Ended.as_str().to_owned();
    from.ringing = json!([]);
    from.check_at = None;
    from.version += 1;
    from.updated_at = now;
    save(write, &from).await?;
    save(write, &to).await?;
    write.record(NewEvent::new(EventType::CallUpdated, younger, now));
    Ok(())
}
