//! Erasures at work: whoever finds one that waits holds its lease and goes on where it was left.

use std::time::{Duration, Instant};

use sea_orm::{DbErr, EntityTrait};
use switchboard_sdk::CancellationToken;

use super::{
    State, Tools, files, mentions,
    rows::{self, Strewn},
    store,
};
use crate::{
    connector::lease,
    db::{entity::erasure, is_conflict},
    secret,
};

/// Another node may have been told to begin one, and what was in the way may be gone: look this often.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often a piece is tried that others were in the way of.
const TRIES: u32 = 8;

/// Why it stopped; it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbErr),
    /// Files are in the way.
    #[error("{0}")]
    Files(String),
    /// The master key is not the one it was begun under.
    #[error(transparent)]
    Sealed(#[from] secret::Error),
    /// Readers hold the database's log.
    #[error("the database's log is in use; it is emptied when its readers have ended")]
    Busy,
}

impl From<files::Error> for Error {
    fn from(error: files::Error) -> Self {
        match error {
            files::Error::Db(error) => Self::Db(error),
            other => Self::Files(other.to_string()),
        }
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Db(error) => Self::Db(error),
            store::Error::Sealed(error) => Self::Sealed(error),
            store::Error::Missing => Self::Files("no such contact".to_owned()),
        }
    }
}

/// Told when one was begun in this process.
static ASKED: tokio::sync::Notify = tokio::sync::Notify::const_new();

/// One was begun: no need to wait for the next look.
pub fn wake() {
    ASKED.notify_one();
}

/// Erases until `stop`.
pub async fn run(tools: Tools, stop: CancellationToken) {
    loop {
        if let Err(error) = look(&tools, &stop).await {
            tracing::warn!(%error, "erasures could not be looked for; they will be again");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = ASKED.notified() => {}
        }
    }
}

/// Goes on with all that wait.
async fn look(tools: &Tools, stop: &CancellationToken) -> Result<(), DbErr> {
    for row in store::work(tools.db.read()).await? {
        if stop.is_cancelled() {
            return Ok(());
        }
        let name = lease_name(&row.id);
        if !lease::hold(&tools.db, &name, &tools.node, tools.clock.now()).await? {
            continue;
        }
        let worked = work(tools, &row.id, stop, usize::MAX).await;
        lease::release(&tools.db, &name, &tools.node).await?;
        if let Err(error) = worked {
            tracing::warn!(erasure.id = row.id, %error, "an erasure is held up; it will be tried again");
            let write = tools.db.write().await?;
            store::held_up(&write, &row.id, &error.to_string(), tools.clock.now()).await?;
            write.commit().await?;
        }
    }
    Ok(())
}

fn lease_name(id: &str) -> String {
    format!("erasure:{id}")
}

/// Takes an erasure to its end, or `pieces` further; answers whether it is done. Whoever calls holds its lease.
pub async fn work(
    tools: &Tools,
    id: &str,
    stop: &CancellationToken,
    mut pieces: usize,
) -> Result<bool, Error> {
    let Some(mut row) = erasure::Entity::find_by_id(id).one(tools.db.read()).await? else {
        return Ok(true);
    };
    let Some(person) = store::person(tools, &row)? else {
        return Ok(true);
    };
    let mut counts = store::counts(&row);
    let mut strewn: Option<Strewn> = None;
    let mut renewed = Instant::now();
    let mut tries = 0;
    loop {
        let state = State::parse(&row.state);
        if state == State::Done {
            return Ok(true);
        }
        if pieces == 0 || stop.is_cancelled() {
            return Ok(false);
        }
        pieces -= 1;
        if renewed.elapsed() > lease::RENEW_EVERY {
            renewed = Instant::now();
            if !lease::hold(&tools.db, &lease_name(id), &tools.node, tools.clock.now()).await? {
                return Ok(false);
            }
        }
        let before = (row.clone(), counts);
        let done = match state {
            State::Rows => {
                if strewn.is_none() {
                    strewn = Some(Strewn::read(tools, &person).await?);
                }
                let strewn = strewn.get_or_insert_default();
                rows::step(tools, &mut row, (&person, strewn), &mut counts)
                    .await
                    .map(drop)
            }
            State::Mentions => mentions::step(tools, &mut row, &person, &mut counts)
                .await
                .map(drop),
            State::Files => match files::all(tools, &mut row, &person, &mut counts).await {
                Ok(()) => Ok(()),
                Err(files::Error::Db(error)) => Err(error),
                Err(error) => return Err(error.into()),
            },
            State::Disk => match disk(tools, &mut row, &person, &counts).await {
                Ok(()) => Ok(()),
                Err(Error::Db(error)) => Err(error),
                Err(error) => return Err(error),
            },
            State::Done => Ok(()),
        };
        match done {
            Ok(()) => tries = 0,
            Err(error) if is_conflict(&error) && tries < TRIES => {
                tries += 1;
                // What was taken off the list is looked for anew.
                strewn = None;
                (row, counts) = before;
            }
            // Somebody else has it now.
            Err(DbErr::RecordNotUpdated) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Has the database give up the bytes, and makes sure that it did.
async fn disk(
    tools: &Tools,
    row: &mut erasure::Model,
    person: &super::Person,
    counts: &super::Counts,
) -> Result<(), Error> {
    let write = tools.db.write().await?;
    mentions::late(&write, person).await?;
    write.commit().await?;
    let addresses: Vec<String> = person
        .needles
        .emails
        .iter()
        .chain(&person.needles.phones)
        .cloned()
        .collect();
    if !tools.db.give_up_bytes(&addresses).await? {
        return Err(Error::Busy);
    }
    let write = tools.db.write().await?;
    store::advance(&write, row, (State::Done, 0), counts, tools.clock.now()).await?;
    write.commit().await?;
    Ok(())
}
