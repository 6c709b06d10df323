//! One step: a lead made or brought up to date in a CRM, or a note written there. What became of it is stored at once.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::{DbErr, EntityTrait};
use switchboard_crm::{Adapter, RemoteLead, SyncError};

use super::{
    Options,
    engine::{Engine, guarded},
    mapping::Mapping,
    notes,
    queue::{self, End},
    schedule::{self, Next},
    snapshot::{self, fingerprint},
    state,
    store::{self, Written},
};
use crate::{
    connector::dice,
    db::{
        WriteTx,
        entity::{crm_connection, crm_job, crm_link, lead},
    },
    event::{EventType, NewEvent},
    lead::store::MERGED,
};

/// How long one question to a CRM may take, with its place in the queue for it.
const LIMIT: Duration = Duration::from_secs(60);

/// How a step came out.
enum Done {
    /// It was done; what there is to write with it.
    Yes(Box<Outcome>),
    /// The CRM has it so already.
    Unchanged,
    /// There is nothing to do any more.
    Nothing(&'static str),
    /// The CRM did not do it.
    No(SyncError),
}

/// What is stored with a step that was done.
enum Outcome {
    Linked(RemoteLead, Written),
    Updated(Written),
    Noted,
}

/// Does a claimed step and stores what became of it. When the store fails, its lease lapses and it is looked for.
pub async fn run(engine: &Engine, job: crm_job::Model) -> Result<(), DbErr> {
    let db = &engine.parts().db;
    let Some(connection) = store::find(db.read(), &job.connection_id).await? else {
        return Ok(());
    };
    let done = match engine.adapter(&connection) {
        Ok(adapter) => attempt(engine, &connection, adapter.as_ref(), &job).await?,
        Err(error) => Done::No(SyncError::Auth(format!("its settings cannot work: {error}"))),
    };
    finish(engine, &job, done).await
}

async fn attempt(
    engine: &Engine,
    connection: &crm_connection::Model,
    adapter: &dyn Adapter,
    job: &crm_job::Model,
) -> Result<Done, DbErr> {
    let db = engine.parts().db.read();
    let Some(lead) = lead::Entity::find_by_id(&job.lead_id).one(db).await? else {
        return Ok(Done::Nothing("the lead is gone"));
    };
    if lead.status == MERGED {
        return Ok(Done::Nothing("the lead was joined with another one"));
    }
    let link = store::link(db, &connection.id, &lead.id).await?;
    if link.as_ref().is_some_and(|link| link.gone_at.is_some()) {
        return Ok(Done::Nothing(DELETED));
    }
    if job.kind == "lead" {
        return tell(engine, connection, adapter, lead, link).await;
    }
    let Some(link) = link else {
        return Ok(Done::Nothing("the lead has no record there"));
    };
    let options = Options::read(&connection.options);
    let Some(note) = notes::of(db, job, &options.language, &engine.parts().public_url).await? else {
        return Ok(Done::Nothing("there is nothing to note any more"));
    };
    let remote = remote_of(&link);
    Ok(match guarded(adapter.note(&remote, &note), LIMIT).await {
        Ok(_id) => Done::Yes(Box::new(Outcome::Noted)),
        Err(error) => Done::No(error),
    })
}

/// Why what waits for a deleted record is skipped.
pub const DELETED: &str = "its record was deleted there";

async fn tell(
    engine: &Engine,
    connection: &crm_connection::Model,
    adapter: &dyn Adapter,
    lead: lead::Model,
    link: Option<crm_link::Model>,
) -> Result<Done, DbErr> {
    let parts = engine.parts();
    let mapping = Mapping::read(&connection.mapping);
    let ours = snapshot::read(parts.db.read(), lead).await?;
    let told = ours.snapshot(&mapping, link.as_ref(), &parts.public_url);
    let status = ours.lead.status.as_str();
    let agreed = link.as_ref().and_then(|link| link.agreed_status.as_deref()) == Some(status);
    let written = Written {
        fingerprint: fingerprint(&told),
        status: (!agreed).then(|| status.to_owned()),
        status_id: told.status_id.clone(),
    };
    let remote = match &link {
        Some(link) => {
            if agreed && link.fingerprint.as_deref() == Some(written.fingerprint.as_str()) {
                return Ok(Done::Unchanged);
            }
            remote_of(link)
        }
        None => match guarded(adapter.find(&ours.lead.id), LIMIT).await {
            Ok(Some(found)) => {
                // At once: a crash during the update must not lose what was found.
                let write = parts.db.write().await?;
                let now = parts.clock.now();
                store::put_link(&write, &connection.id, &ours.lead.id, &found, None, now).await?;
                write.commit().await?;
                found
            }
            // Nothing was made yet: to have looked and not heard is no reason to look again.
            Err(SyncError::Unknown(reason)) => return Ok(Done::No(SyncError::Temporary(reason))),
            Err(error) => return Ok(Done::No(error)),
            Ok(None) => {
                return Ok(match guarded(adapter.create(&told), LIMIT).await {
                    Ok(made) => Done::Yes(Box::new(Outcome::Linked(made, written))),
                    Err(error) => Done::No(error),
                });
            }
        },
    };
    Ok(match guarded(adapter.update(&remote, &told), LIMIT).await {
        Ok(()) => Done::Yes(Box::new(Outcome::Updated(written))),
        Err(error) => Done::No(error),
    })
}

fn remote_of(link: &crm_link::Model) -> RemoteLead {
    RemoteLead {
        id: link.remote_id.clone(),
        person_id: link.person_id.clone(),
        company_id: link.company_id.clone(),
        url: link.url.clone(),
        merged: link.merged,
    }
}

async fn finish(engine: &Engine, job: &crm_job::Model, done: Done) -> Result<(), DbErr> {
    let parts = engine.parts();
    let now = parts.clock.now();
    let mut write = parts.db.write().await?;
    let (connection_id, lead_id) = (&job.connection_id, &job.lead_id);
    match done {
        Done::Yes(outcome) => {
            match *outcome {
                Outcome::Linked(remote, written) => {
                    store::put_link(&write, connection_id, lead_id, &remote, Some(&written), now).await?;
                }
                Outcome::Updated(written) => {
                    store::written(&write, connection_id, lead_id, &written, now).await?;
                }
                Outcome::Noted => {}
            }
            queue::end(&write, job, End::Done, now).await?;
            went_well(&write, connection_id, now).await?;
        }
        Done::Unchanged => queue::end(&write, job, End::Done, now).await?,
        Done::Nothing(why) => queue::end(&write, job, End::Skipped(why.to_owned()), now).await?,
        Done::No(error) => failed(&mut write, job, &error, now).await?,
    }
    write.commit().await
}

/// The CRM answers: nothing that failed before is held against it.
pub async fn went_well(write: &WriteTx, connection_id: &str, now: DateTime<Utc>) -> Result<(), DbErr> {
    let row = store::hold(write, connection_id).await?;
    let troubled = row.is_some_and(|row| row.failures > 0);
    store::reached(write, connection_id, now).await?;
    if troubled {
        queue::hurry(write, connection_id, now).await?;
    }
    Ok(())
}

async fn failed(
    write: &mut WriteTx,
    job: &crm_job::Model,
    error: &SyncError,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let text = error.to_string();
    match schedule::after(error, job.attempts, dice(), now) {
        Next::Stop => {
            queue::put_back(write, job, None, now).await?;
            stop(write, &job.connection_id, &text, now).await?;
        }
        Next::Unlink => let_go(write, job, now).await?,
        Next::Dead => {
            let field = match error {
                SyncError::Refused { field, .. } => field.clone(),
                _ => None,
            };
            let end = End::Failed {
                again: None,
                uncertain: false,
                reason: schedule::reason(error),
                error: text,
                field,
            };
            queue::end(write, job, end, now).await?;
        }
        Next::Again { at, uncertain, hold } => {
            let end = End::Failed {
                again: Some(at),
                uncertain,
                reason: schedule::reason(error),
                error: text.clone(),
                field: None,
            };
            queue::end(write, job, end, now).await?;
            trouble(write, &job.connection_id, &text, hold, now).await?;
        }
    }
    Ok(())
}

/// The record was deleted there: the lead is let go, and what waits for it with it.
async fn let_go(write: &mut WriteTx, job: &crm_job::Model, now: DateTime<Utc>) -> Result<(), DbErr> {
    store::unlink(write, &job.connection_id, &job.lead_id, now).await?;
    queue::end(write, job, End::Skipped(DELETED.to_owned()), now).await?;
    queue::skip_lead(write, &job.connection_id, &job.lead_id, DELETED, now).await
}

/// The CRM failed: it rests when it does so again and again, or says how long.
pub async fn trouble(
    write: &mut WriteTx,
    connection_id: &str,
    error: &str,
    hold: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let Some(mut row) = store::hold(write, connection_id).await? else {
        return Ok(());
    };
    // Who is only asked to be slower does not fail.
    if hold.is_none() {
        row.failures += 1;
    }
    let rest = schedule::rest(row.failures, dice(), now).filter(|_| hold.is_none());
    row.blocked_until = row.blocked_until.max(rest).max(hold);
    let first = row.failures == schedule::TROUBLED && hold.is_none();
    row.last_error = Some(error.chars().take(1_000).collect());
    row.last_error_at = Some(now);
    store::replace(write, row).await?;
    if first {
        write.record(NewEvent::new(EventType::CrmUpdated, connection_id, now));
    }
    Ok(())
}

/// The CRM refuses the connection: it stops, with an alarm.
pub async fn stop(
    write: &mut WriteTx,
    connection_id: &str,
    why: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let Some(mut row) = store::hold(write, connection_id).await? else {
        return Ok(());
    };
    if row.state != state::RUNNING {
        return Ok(());
    }
    let why: String = why.chars().take(1_000).collect();
    tracing::error!(
        crm.id = connection_id,
        "a CRM refuses the connection: it stops until its settings change"
    );
    row.state = state::STOPPED.to_owned();
    row.stopped_because = Some(why.clone());
    row.stopped_at = Some(now);
    row.last_error = Some(why);
    row.last_error_at = Some(now);
    store::replace(write, row).await?;
    write.record(NewEvent::new(EventType::CrmUpdated, connection_id, now));
    Ok(())
}
