//! What becomes of an offer: accepted, declined, lapsed, or withdrawn because the operator has left.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sea_orm::DbErr;

use super::{
    decide::{Candidate, Outcome, Rejection, unavailable},
    explain::{self, ACCEPTED, DECLINED, OFFER_LAPSED, Record},
    hand::{self, How},
    snapshot,
};
pub use crate::conversation::offer::next_deadline;
use crate::{
    conversation::{
        offer::{self, Ending},
        session::{Error, Held, hold},
        state::{self, Refusal},
    },
    db::{
        Db, WriteTx,
        entity::{self, operator},
    },
    operator::Counting,
};

/// Characters of the reason for a no.
const REASON_CHARS: usize = 200;

/// The operator says yes: the session is theirs.
///
/// # Errors
/// [`Error::Refused`] when it is not offered to them, or no longer; [`Error::AtCapacity`] when they took
/// something else meanwhile.
pub async fn accept(
    write: &mut WriteTx,
    id: &str,
    by: &operator::Model,
    counting: &Counting,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let mut held = hold(write, id).await?;
    let stage = state::accept(&held.stage(), &by.id, now)?;
    if stage == held.stage() {
        return Ok(());
    }
    let offer = own(write, &held, by).await?;
    if offer.expires_at <= now {
        return Err(Refusal::NotOffered.into());
    }
    // The room that was kept for it is the room it takes.
    offer::end(write, std::slice::from_ref(&offer), Ending::Accepted, None, now).await?;
    let how = How {
        trigger: ACCEPTED,
        force: false,
        // An offer to one was their turn.
        takes_turn: offer.broadcast,
        counting,
    };
    hand::give(write, &mut held, &stage, &by.id, how, now).await?;
    Ok(())
}

/// The operator says no, perhaps why.
///
/// # Errors
/// [`Error::Refused`] when it is not offered to them, or no longer; [`Error::Invalid`] for a long reason.
pub async fn decline(
    write: &mut WriteTx,
    id: &str,
    by: &operator::Model,
    reason: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
    if reason.is_some_and(|reason| reason.chars().count() > REASON_CHARS) {
        return Err(Error::invalid(
            "reason",
            format!("at most {REASON_CHARS} characters"),
        ));
    }
    let mut held = hold(write, id).await?;
    let offers = [own(write, &held, by).await?];
    offer::end(write, &offers, Ending::Declined, reason, now).await?;
    over(write, &mut held, &offers, Some(Rejection::Declined), reason, now).await
}

/// The open offer of this session to this operator.
async fn own(write: &WriteTx, held: &Held, by: &operator::Model) -> Result<entity::offer::Model, Error> {
    let offers = offer::of_session(write.tx(), &held.session.id).await?;
    let own = offers.into_iter().find(|offer| offer.operator_id == by.id);
    own.ok_or_else(|| Refusal::NotOffered.into())
}

/// Ends the offers whose deadline has passed. Answers how many.
pub async fn lapse(db: &Db, now: DateTime<Utc>) -> Result<usize, DbErr> {
    let mut ended = 0;
    loop {
        let due = offer::due(db.read(), now).await?;
        if due.is_empty() {
            return Ok(ended);
        }
        let found = due.len();
        let done = end_each(db, due, Ending::Lapsed, Some(Rejection::Lapsed), now).await?;
        ended += done;
        if done < found {
            // Another node is at it, or somebody answered in this very moment.
            return Ok(ended);
        }
    }
}

/// Takes back the offers to operators who are not there any more, of these or of all. Answers how many.
pub async fn withdraw(
    db: &Db,
    operators: Option<&BTreeSet<String>>,
    counting: &Counting,
    now: DateTime<Utc>,
) -> Result<usize, DbErr> {
    let mut ended = 0;
    let mut after: Option<String> = None;
    loop {
        let offers = match operators {
            Some(ids) if ids.is_empty() => return Ok(0),
            Some(ids) => offer::of_operators(db.read(), ids.iter().map(String::as_str)).await?,
            None => offer::standing(db.read(), after.as_deref()).await?,
        };
        after = offers.last().map(|offer| offer.id.clone());
        if offers.is_empty() {
            return Ok(ended);
        }
        let asked: BTreeSet<String> = offers.iter().map(|offer| offer.operator_id.clone()).collect();
        let people = snapshot::operators(db.read(), &asked, counting, now).await?;
        let gone = |offer: &entity::offer::Model| {
            let operator = people.get(&offer.operator_id);
            operator.is_none_or(|operator| unavailable(operator, true, false).is_some())
        };
        let offers: Vec<entity::offer::Model> = offers.into_iter().filter(gone).collect();
        ended += end_each(db, offers, Ending::Withdrawn, None, now).await?;
        if operators.is_some() {
            return Ok(ended);
        }
    }
}

/// Ends offers, one transaction a session.
async fn end_each(
    db: &Db,
    offers: Vec<entity::offer::Model>,
    how: Ending,
    why: Option<Rejection>,
    now: DateTime<Utc>,
) -> Result<usize, DbErr> {
    let mut of_session: BTreeMap<String, Vec<entity::offer::Model>> = BTreeMap::new();
    for offer in offers {
        of_session
            .entry(offer.conversation_id.clone())
            .or_default()
            .push(offer);
    }
    let mut ended = 0;
    for (conversation_id, seen) in of_session {
        match end_some(db, &conversation_id, &seen, how, why, now).await {
            Ok(count) => ended += count,
            Err(Error::Db(error)) => return Err(error),
            // Accepted, closed or moved in this very moment.
            Err(Error::NotFound | Error::Refused(_) | Error::AtCapacity | Error::Invalid(_)) => {}
        }
    }
    Ok(ended)
}

async fn end_some(
    db: &Db,
    conversation_id: &str,
    seen: &[entity::offer::Model],
    how: Ending,
    why: Option<Rejection>,
    now: DateTime<Utc>,
) -> Result<usize, Error> {
    let mut write = db.write().await?;
    let mut held = hold(&write, conversation_id).await?;
    let mut open = offer::of_session(write.tx(), &held.session.id).await?;
    open.retain(|offer| seen.iter().any(|one| one.id == offer.id));
    if open.is_empty() {
        return Ok(0);
    }
    offer::end(&mut write, &open, how, None, now).await?;
    over(&mut write, &mut held, &open, why, None, now).await?;
    write.commit().await?;
    Ok(open.len())
}

/// After these offers ended without a yes: the reason is kept, and the session waits again when nobody
/// is asked any more.
async fn over(
    write: &mut WriteTx,
    held: &mut Held,
    offers: &[entity::offer::Model],
    why: Option<Rejection>,
    reason: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    if let Some(why) = why {
        let candidate = |(rank, offer): (u32, &entity::offer::Model)| Candidate {
            operator_id: offer.operator_id.clone(),
            load: 0.0,
            rank,
            rejected_by: Some(why),
        };
        let trigger = if why == Rejection::Declined {
            DECLINED
        } else {
            OFFER_LAPSED
        };
        let record = Record {
            operator_id: match offers {
                [only] => Some(only.operator_id.clone()),
                _ => None,
            },
            candidates: (1..).zip(offers).map(candidate).collect(),
            reason: reason.map(str::to_owned),
            ..hand::record_of(write, held, trigger, Outcome::Waiting).await?
        };
        explain::store(write, vec![record], now).await?;
    }
    if offer::of_session(write.tx(), &held.session.id).await?.is_empty() {
        let stage = state::unanswered(&held.stage())?;
        let line = held.session.line_id.clone();
        held.write(write, &stage, &line, now).await?;
    } else {
        held.changed(write, now).await?;
    }
    Ok(())
}
