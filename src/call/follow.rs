//! From stored reports to calls, and what time does to calls.
//!
//! What is to be done is always in the rows: reports without a call, calls whose `check_at` has come, recordings whose
//! `next_attempt_at` has. So nothing is forgotten by whoever dies between two steps, and a report that cannot be
//! folded holds up no other call.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chrono::{DateTime, Utc};
use sea_orm::{DbErr, EntityTrait, IntoActiveModel};
use serde_json::json;
use switchboard_sdk::{CallEvent, CancellationToken};
use tokio::sync::watch;

use super::{
    Setup,
    refresh::{merge, refresh},
    store,
};
use crate::{
    clock::SharedClock,
    connector::Host,
    conversation::rearrange::INTAKE,
    db::{
        Db, WriteTx,
        entity::{call, call_event, channel},
    },
    id::{self, Kind},
};

/// Reports looked at in one go.
const BATCH: u64 = 256;
/// Calls looked at in one go because their time has come.
const DUE: u64 = 64;
/// How often the clock is looked at; what is reported wakes at once.
const TICK: Duration = Duration::from_millis(500);
/// How long is gathered then: under load the log grows all the time, and mostly by something else.
const GATHER: Duration = Duration::from_millis(20);

/// Runs until `stop`.
pub async fn run(db: Db, clock: SharedClock, host: Host, stop: CancellationToken) {
    let mut head = db.head();
    loop {
        head.mark_unchanged();
        let more = match step(&db, &host, clock.now()).await {
            Ok(more) => more,
            Err(error) => {
                tracing::error!(%error, "calls could not be read; it will be tried again");
                false
            }
        };
        if more && !stop.is_cancelled() {
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = grown(&mut head) => {}
            () = tokio::time::sleep(TICK) => {}
        }
    }
}

/// The log has grown, and what came with it within a blink.
async fn grown(head: &mut watch::Receiver<i64>) {
    // Of a database that is closed nothing more is heard.
    match head.changed().await {
        Ok(()) => tokio::time::sleep(GATHER).await,
        Err(_closed) => std::future::pending().await,
    }
}

/// Folds what is new and does what is due. Answers whether there may be more.
pub async fn step(db: &Db, host: &Host, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let mut after = None;
    // Page by page to the end: reports that cannot be folded stay pending and must not hide those behind them.
    loop {
        let new = store::pending(db.read(), after.as_ref(), BATCH).await?;
        let full = new.len() as u64 == BATCH;
        after = new.last().cloned();
        for ((channel_id, name), reports) in by_call(new) {
            if let Err(error) = take(db, host, &channel_id, &reports, now).await {
                tracing::error!(channel.id = channel_id, call = name, %error, "reports of a call could not be folded; it will be tried again");
            }
        }
        if !full {
            break;
        }
    }
    let mut done = 0;
    let due = store::due(db.read(), now, DUE).await?;
    for (call_id, channel_id) in &due {
        if let Err(error) = look_again(db, host, channel_id, call_id, now).await {
            tracing::error!(call.id = call_id, %error, "a call could not be looked at; it will be tried again");
        } else {
            done += 1;
        }
    }
    Ok(done > 0 && due.len() as u64 == DUE)
}

/// Reports by channel and the call's name, in the order the first of each came.
fn by_call(rows: Vec<call_event::Model>) -> Vec<((String, String), Vec<String>)> {
    let mut calls: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let mut order = Vec::new();
    for row in rows {
        let name = row.event.get("call").and_then(|name| name.as_str());
        let key = (row.channel_id, name.unwrap_or_default().to_owned());
        let reports = calls.entry(key.clone()).or_default();
        if reports.is_empty() {
            order.push(key);
        }
        reports.push(row.id);
    }
    let with = |key: (String, String)| {
        let reports = calls.remove(&key).unwrap_or_default();
        (key, reports)
    };
    order.into_iter().map(with).collect()
}

/// Takes reports that name the same call to it, making one of calls that they join.
async fn take(
    db: &Db,
    host: &Host,
    channel_id: &str,
    reports: &[String],
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let setup = Setup::of(host, channel_id);
    let mut write = db.write().await?;
    write.lock(INTAKE).await?;
    // Another node may have been faster.
    let fresh = store::still_pending(write.tx(), reports).await?;
    let Some(first) = fresh.first() else { return Ok(()) };
    let mut names = BTreeSet::new();
    for row in &fresh {
        match serde_json::from_value::<CallEvent>(row.event.clone()) {
            Ok(event) => names.extend(std::iter::once(event.call).chain(event.aliases)),
            Err(error) => {
                tracing::warn!(call_event.id = row.id, %error, "a report of a newer version is kept and passed over");
            }
        }
    }
    let known = store::named(write.tx(), channel_id, &names).await?;
    let call_id = match known.split_first() {
        Some((older, others)) => {
            for younger in others {
                merge(&mut write, &older.id, &younger.id, now).await?;
            }
            older.id.clone()
        }
        None => begin(&write, first, &names, now).await?,
    };
    store::name(&write, channel_id, &call_id, &names).await?;
    let ids: Vec<String> = fresh.into_iter().map(|row| row.id).collect();
    store::adopt(&write, &call_id, &ids).await?;
    refresh(&mut write, &setup, &call_id, now).await?;
    write.commit().await
}

/// The row of a call that nothing was heard of before.
async fn begin(
    write: &WriteTx,
    first: &call_event::Model,
    names: &BTreeSet<String>,
    now: DateTime<Utc>,
) -> Result<String, DbErr> {
    let channel = channel::Entity::find_by_id(&first.channel_id)
        .one(write.tx())
        .await?
        .ok_or_else(|| DbErr::RecordNotFound(format!("channel {}", first.channel_id)))?;
    let name = first.event.get("call").and_then(|name| name.as_str());
    let key = name.map(str::to_owned).or_else(|| names.first().cloned());
    let row = call::Model {
        id: id::new(Kind::Call, now),
        channel_id: channel.id,
        line_id: channel.line_id,
        key: key.unwrap_or_default(),
        shown: false,
        merged_into: None,
        contact_id: None,
        conversation_id: None,
        lead_id: None,
        message_id: None,
        direction: None,
        client_kind: None,
        client: None,
        own_number: None,
        own_label: None,
        touch: json!({}),
        caller_name: None,
        state: "ringing".to_owned(),
        disposition: None,
        reason: None,
        cause: None,
        started_at: first.at,
        answered_at: None,
        ended_at: None,
        ring_secs: None,
        talk_secs: None,
        operator_id: None,
        extension: None,
        ringing: json!([]),
        legs: json!([]),
        transcript: None,
        stale: false,
        session_id: None,
        opened: false,
        attempt: 0,
        missed_at: None,
        withdrawn_at: None,
        check_at: None,
        version: 0,
        created_at: now,
        updated_at: now,
    };
    let id = row.id.clone();
    call::Entity::insert(row.into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    Ok(id)
}

/// Brings a call up to date without a new report: its time has come, or its recording.
pub(super) async fn look_again(
    db: &Db,
    host: &Host,
    channel_id: &str,
    call_id: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let setup = Setup::of(host, channel_id);
    let mut write = db.write().await?;
    write.lock(INTAKE).await?;
    refresh(&mut write, &setup, call_id, now).await?;
    write.commit().await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{by_call, call_event};

    #[test]
    fn reports_are_taken_call_by_call_in_the_order_calls_began() {
        let row = |id: &str, call: &str| call_event::Model {
            id: id.to_owned(),
            channel_id: "chn_1".to_owned(),
            external_id: id.to_owned(),
            call_id: None,
            event: json!({"call": call}),
            at: chrono::DateTime::UNIX_EPOCH,
            received_at: chrono::DateTime::UNIX_EPOCH,
        };
        let taken = by_call(vec![row("1", "b"), row("2", "a"), row("3", "b")]);
        let names: Vec<(&str, usize)> = taken
            .iter()
            .map(|((_, name), reports)| (name.as_str(), reports.len()))
            .collect();
        assert_eq!(names, [("b", 2), ("a", 1)]);
    }
}
