//! What people do themselves: take, give back, transfer, reopen. The same locks and the same check of
//! capacity as the router's; no second way to become an owner.
//!
//! People know more than the router: they may take while paused and hand over to somebody who is not
//! there. The stored decision says in spite of what, and that alone never sends the session back.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    commit,
    decide::{Candidate, Outcome, Rejection, next_turn, unavailable},
    explain::{self, GIVEN_BACK, NO_REPLY, OFFER_LAPSED, Record, TIMER},
    snapshot,
};
use crate::{
    conversation::{
        message::{self, Author, MessageKind, NewMessage},
        session::{self, Error, Held, hold},
        state::{self, Refusal, Stage},
    },
    db::{
        WriteTx,
        entity::{line, line_turn, operator},
    },
    line::{Rules, store::may_pull},
    operator::{Counting, load::fits, role},
};

/// Characters of a transfer's comment.
const COMMENT_CHARS: usize = 4_000;

/// How an assignment by hand is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct How<'a> {
    /// The word kept with the decision.
    pub trigger: &'static str,
    /// Above capacity too.
    pub force: bool,
    /// It counts as their turn.
    pub takes_turn: bool,
    /// What sessions weigh.
    pub counting: &'a Counting,
}

/// The operator takes a session: one that waits, and by force another's or one above capacity.
///
/// # Errors
/// [`Error::Refused`] when somebody else owns it or it is closed, [`Error::AtCapacity`].
pub async fn take(
    write: &mut WriteTx,
    id: &str,
    by: &operator::Model,
    force: bool,
    counting: &Counting,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let mut held = hold(write, id).await?;
    pulls(write, &held, by).await?;
    let stage = state::take(&held.stage(), &by.id, force, now)?;
    if give(
        write,
        &mut held,
        &stage,
        &by.id,
        How {
            trigger: "take",
            force,
            takes_turn: true,
            counting,
        },
        now,
    )
    .await?
    {
        held.say(write, format!("{} took the conversation", by.name), true, now)
            .await?;
    }
    Ok(())
}

/// Refuses who takes a session that nobody has, for themselves or for another, past a queue that gives.
async fn pulls(write: &WriteTx, held: &Held, by: &operator::Model) -> Result<(), Error> {
    let nobodys = matches!(held.stage(), Stage::Waiting { .. } | Stage::Offered { .. });
    if nobodys && !may_pull(write.tx(), &held.conversation.line_id, by).await? {
        return Err(Refusal::QueueGives.into());
    }
    Ok(())
}

/// The session goes back to the queue, and in this round not to the one who gave it back.
pub async fn give_back(
    write: &mut WriteTx,
    id: &str,
    by: &operator::Model,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let mut held = hold(write, id).await?;
    to_queue(write, &mut held, GIVEN_BACK, Rejection::Declined, 0.0, now).await?;
    held.say(
        write,
        format!("{} returned the conversation to the queue", by.name),
        true,
        now,
    )
    .await?;
    Ok(())
}

/// Takes a held session from its owner and lets it wait, with the reason kept. Closed or waiting ones
/// are refused.
pub(super) async fn to_queue(
    write: &mut WriteTx,
    held: &mut Held,
    trigger: &'static str,
    why: Rejection,
    load: f64,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let owner = held.stage().owner().map(str::to_owned);
    let stage = state::give_back(&held.stage(), held.answered(), held.session.waiting_since, now)?;
    let line = held.conversation.line_id.clone();
    held.write(write, &stage, &line, now).await?;
    let candidate = owner.clone().map(|operator_id| Candidate {
        operator_id,
        load,
        rank: 1,
        rejected_by: Some(why),
    });
    record(write, held, trigger, Outcome::Waiting, owner, candidate, now).await
}

/// How a transfer is made.
#[derive(Debug, Clone, Default)]
pub struct Transfer {
    /// The client is not told.
    pub silent: bool,
    /// A note for whoever gets it.
    pub comment: Option<String>,
}

/// Hands the session to another operator.
///
/// # Errors
/// [`Error::Invalid`] when there is no such operator, [`Error::AtCapacity`].
pub async fn transfer_to_operator(
    write: &mut WriteTx,
    id: &str,
    by: &operator::Model,
    to: &str,
    how: &Transfer,
    counting: &Counting,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let mut held = hold(write, id).await?;
    let who = operator::Entity::find_by_id(to).one(write.tx()).await?;
    let Some(who) = who.filter(|who| who.enabled) else {
        return Err(Error::invalid(
            "to_operator",
            "there is no such operator, or they are disabled",
        ));
    };
    let rights = role::rights_of(write.tx(), std::slice::from_ref(&who)).await?;
    if !role::rights_among(&rights, &who).takes_conversations() {
        return Err(Error::invalid(
            "to_operator",
            "their role does not let them answer conversations",
        ));
    }
    pulls(write, &held, by).await?;
    let stage = state::hand_over(&held.stage(), to, now)?;
    comment(write, &mut held, by, how, now).await?;
    if give(
        write,
        &mut held,
        &stage,
        to,
        How {
            trigger: "transfer",
            force: false,
            takes_turn: true,
            counting,
        },
        now,
    )
    .await?
    {
        held.say(
            write,
            format!("{} transferred the conversation to {}", by.name, who.name),
            how.silent,
            now,
        )
        .await?;
    }
    Ok(())
}

/// Moves the session to the queue of another line, or of its own.
///
/// # Errors
/// [`Error::Invalid`] when there is no such line.
pub async fn transfer_to_line(
    write: &mut WriteTx,
    id: &str,
    by: &operator::Model,
    to: &str,
    how: &Transfer,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let mut held = hold(write, id).await?;
    let found = line::Entity::find()
        .filter(
            sea_orm::Condition::any()
                .add(line::Column::Id.eq(to))
                .add(line::Column::Key.eq(to)),
        )
        .one(write.tx())
        .await?;
    let Some(target) = found else {
        return Err(Error::invalid("to_line", "there is no such line"));
    };
    let stage = state::move_to_line(&held.stage(), held.answered(), held.session.waiting_since, now)?;
    comment(write, &mut held, by, how, now).await?;
    if held.write(write, &stage, &target.id, now).await? {
        held.say(
            write,
            format!("{} transferred the conversation to {}", by.name, target.name),
            how.silent,
            now,
        )
        .await?;
    }
    Ok(())
}

/// Begins a new session. Whoever reopens gets it when they stand in the line's queue and have room;
/// otherwise it waits for the router.
pub async fn reopen(
    write: &mut WriteTx,
    id: &str,
    by: &operator::Model,
    in_queue: bool,
    counting: &Counting,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let mut held = session::reopen(write, id, by, now).await?;
    if in_queue {
        let stage = state::assign(&held.stage(), &by.id, now)?;
        match give(
            write,
            &mut held,
            &stage,
            &by.id,
            How {
                trigger: "reopen",
                force: false,
                takes_turn: true,
                counting,
            },
            now,
        )
        .await
        {
            Ok(_) | Err(Error::AtCapacity) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Makes `to` the owner, if there is room. Answers whether anything changed; nothing is written when
/// there is no room.
pub(super) async fn give(
    write: &mut WriteTx,
    held: &mut Held,
    stage: &state::Stage,
    to: &str,
    how: How<'_>,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    if *stage == held.stage() {
        return Ok(false);
    }
    let row = operator::Entity::find_by_id(to)
        .lock_exclusive()
        .one(write.tx())
        .await?;
    let row = row.filter(|row| row.enabled).ok_or(Error::NotFound)?;
    let states = snapshot::states(write.tx(), vec![row], how.counting, now).await?;
    let operator = states.get(to).ok_or(Error::NotFound)?;
    let line_id = held.conversation.line_id.clone();
    let line = line::Entity::find_by_id(&line_id)
        .one(write.tx())
        .await?
        .ok_or(Error::NotFound)?;
    let rules = Rules::from_stored(&line.rules)?;
    let weight = how.counting.weight_of(&held.session.channel_kind);
    let rejected_by = if !fits(operator.load.total, weight, operator.capacity) {
        Some(Rejection::AtCapacity)
    } else if rules
        .limit_per_operator
        .is_some_and(|limit| operator.load.of_line(&line_id) >= limit)
    {
        Some(Rejection::LineLimit)
    } else {
        None
    };
    if rejected_by.is_some() && !how.force {
        return Err(Error::AtCapacity);
    }
    let candidate = Candidate {
        operator_id: to.to_owned(),
        load: operator.load.total,
        rank: 1,
        rejected_by: unavailable(operator, true, false).or(rejected_by),
    };
    held.write(write, stage, &line_id, now).await?;
    if how.takes_turn {
        let last = line_turn::Entity::find()
            .filter(line_turn::Column::LineId.eq(&line_id))
            .order_by_desc(line_turn::Column::LastAssignedAt)
            .one(write.tx())
            .await?;
        let turn = next_turn(last.map(|row| row.last_assigned_at), now);
        commit::take_turns(write, BTreeMap::from([((line_id, to.to_owned()), turn)])).await?;
    }
    record(
        write,
        held,
        how.trigger,
        Outcome::Assigned,
        Some(to.to_owned()),
        Some(candidate),
        now,
    )
    .await?;
    Ok(true)
}

/// Stores what was done by hand, or by a line's timer, beside the router's decisions.
pub(super) async fn record(
    write: &WriteTx,
    held: &Held,
    trigger: &'static str,
    outcome: Outcome,
    operator_id: Option<String>,
    candidate: Option<Candidate>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let record = Record {
        operator_id,
        candidates: candidate.into_iter().collect(),
        ..record_of(write, held, trigger, outcome).await?
    };
    explain::store(write, vec![record], now).await?;
    Ok(())
}

/// A decision about a held session that nobody was looked at for.
pub(super) async fn record_of(
    write: &WriteTx,
    held: &Held,
    trigger: &'static str,
    outcome: Outcome,
) -> Result<Record, Error> {
    let line_id = held.conversation.line_id.clone();
    let version: Option<i64> = line::Entity::find_by_id(&line_id)
        .select_only()
        .column(line::Column::Version)
        .into_tuple()
        .one(write.tx())
        .await?;
    let by_time = matches!(trigger, NO_REPLY | OFFER_LAPSED | TIMER);
    Ok(Record {
        conversation_id: held.conversation.id.clone(),
        session_id: held.session.id.clone(),
        line_id,
        line_version: version.unwrap_or_default(),
        trigger,
        algorithm: if by_time { "timer" } else { "hand" },
        outcome,
        operator_id: None,
        candidates: Vec::new(),
        reason: None,
    })
}

async fn comment(
    write: &mut WriteTx,
    held: &mut Held,
    by: &operator::Model,
    how: &Transfer,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let Some(text) = how
        .comment
        .as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty())
    else {
        return Ok(());
    };
    if text.chars().count() > COMMENT_CHARS {
        return Err(Error::invalid(
            "comment",
            format!("at most {COMMENT_CHARS} characters"),
        ));
    }
    let note = NewMessage {
        kind: MessageKind::Note,
        author: Author::Operator {
            id: by.id.clone(),
            name: by.name.clone(),
        },
        hidden: true,
        ..NewMessage::system(text)
    };
    message::append(write, &mut held.conversation, note, now).await?;
    Ok(())
}
