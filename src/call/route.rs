//! Who should get this caller? The telephone system asks before it rings anybody.
//!
//! The same rule that hands out chats decides ([`decide_with_candidates`]), on the present world and without storing anything: the
//! responsible operator first where the line says so, then the others in the line's own order. Only operators with an
//! extension are named, and only those who could take a session now.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use switchboard_sdk::{CallParty, PartyKind, RouteAnswer, RouteQuestion};

use super::Setup;
use crate::{
    db::entity::{contact, identity, lead},
    operator::Counting,
    routing::{
        decide::{Candidate, Decision},
        plan::decide_with_candidates,
        snapshot,
        world::{Round, Waiting},
    },
};

/// How long operators' telephones ring where the line does not ask first.
const USUAL_RING_SECS: u32 = 25;

/// What is known of a caller.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Caller {
    name: Option<String>,
    language: Option<String>,
    responsible: Option<String>,
}

/// Answers from the database as it is now.
pub async fn answer(
    db: &impl ConnectionTrait,
    setup: &Setup,
    line_id: &str,
    question: &RouteQuestion,
    counting: &Counting,
    now: DateTime<Utc>,
) -> Result<RouteAnswer, DbErr> {
    let lines = BTreeSet::from([line_id.to_owned()]);
    // Neither waits for the other's answer: a caller hears it ring meanwhile.
    let (caller, mut world) = tokio::try_join!(
        caller(db, &question.from),
        snapshot::world(db, &lines, counting, now)
    )?;
    let stranger: BTreeSet<String> = caller
        .responsible
        .iter()
        .filter(|id| !world.operators.contains_key(*id))
        .cloned()
        .collect();
    let strangers = snapshot::operators(db, &stranger, counting, now).await?;
    world.operators.extend(strangers);
    let waiting = Waiting {
        session_id: String::new(),
        version: 0,
        conversation_id: String::new(),
        line_id: line_id.to_owned(),
        weight: counting.weight_of("voip"),
        priority: 0,
        due_at: None,
        waiting_since: now,
        language: caller.language,
        responsible: caller.responsible,
        declined: BTreeSet::new(),
        lapsed: BTreeSet::new(),
        round: Round::default(),
    };
    let first = decide_with_candidates(&world, &waiting, now);
    // A call cannot be kept for the responsible operator: after them, or without them, come the others.
    let others = Waiting {
        responsible: None,
        ..waiting
    };
    let others = decide_with_candidates(&world, &others, now);
    let ring_secs = world
        .lines
        .get(line_id)
        .filter(|line| line.rules.acceptance == crate::line::rules::Acceptance::Offer)
        .map_or(USUAL_RING_SECS, |line| line.rules.offer_timeout_secs);
    Ok(RouteAnswer {
        extensions: extensions(&[first, others], &by_operator(setup)),
        caller_name: caller.name,
        ring_secs,
    })
}

/// The extensions to ring for these decisions, the best first. Pure.
fn extensions(
    decisions: &[(Decision, Vec<Candidate>)],
    by_operator: &BTreeMap<&str, Vec<&str>>,
) -> Vec<String> {
    let named = decisions.iter().flat_map(|(decision, candidates)| {
        let taken = decision.operator_id.iter().chain(&decision.offered_to);
        let able = candidates
            .iter()
            .filter(|candidate| candidate.rejected_by.is_none())
            .map(|candidate| &candidate.operator_id);
        taken.chain(able)
    });
    let mut seen = BTreeSet::new();
    named
        .filter(|id| seen.insert(id.as_str()))
        .filter_map(|id| by_operator.get(id.as_str()))
        .flatten()
        .map(|extension| (*extension).to_owned())
        .collect()
}

fn by_operator(setup: &Setup) -> BTreeMap<&str, Vec<&str>> {
    let mut by_operator: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (extension, operator) in &setup.operators {
        by_operator.entry(operator).or_default().push(extension);
    }
    by_operator
}

async fn caller(db: &impl ConnectionTrait, from: &CallParty) -> Result<Caller, DbErr> {
    if from.kind != PartyKind::Number {
        return Ok(Caller::default());
    }
    let known = identity::Entity::find_by_id(("phone".to_owned(), from.address.clone()))
        .one(db)
        .await?;
    let Some(known) = known else {
        return Ok(Caller::default());
    };
    let (contact, lead) = tokio::try_join!(
        contact::Entity::find_by_id(&known.contact_id).one(db),
        lead::Entity::find()
            .filter(lead::Column::ContactId.eq(&known.contact_id))
            .filter(lead::Column::Status.is_in(["new", "in_progress"]))
            .one(db),
    )?;
    let Some(contact) = contact else {
        return Ok(Caller::default());
    };
    Ok(Caller {
        responsible: lead.and_then(|lead| lead.operator_id).or(contact.operator_id),
        name: contact.name,
        language: contact.language,
    })
}
