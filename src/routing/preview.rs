//! Who would get this session now: the rule of [`super::decide`] on the present world, without storing.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr};

use super::{
    explain::Explanation,
    plan::decide_with_candidates,
    snapshot::{self, Which},
    world::{Waiting, World},
};
use crate::{conversation::offer, operator::Counting};

/// The trigger in an answer that was never stored.
pub const PREVIEW: &str = "preview";

/// What the router would decide about the open session of this conversation, as if it waited: whoever has
/// it is looked at without it. None, when the session is not open.
pub async fn preview(
    db: &impl ConnectionTrait,
    conversation_id: &str,
    line_id: &str,
    owner: Option<&str>,
    counting: &Counting,
    now: DateTime<Utc>,
) -> Result<Option<Explanation>, DbErr> {
    let lines = BTreeSet::from([line_id.to_owned()]);
    let conversations = BTreeSet::from([conversation_id.to_owned()]);
    let which = Which::AsIfWaiting(&conversations);
    let (waiting, _) = snapshot::waiting(db, &lines, which, counting, now).await?;
    let Some(session) = waiting.into_iter().next() else {
        return Ok(None);
    };
    let mut world = snapshot::world(db, &lines, counting, now).await?;
    let stranger: BTreeSet<String> = session
        .responsible
        .iter()
        .filter(|id| !world.operators.contains_key(*id))
        .cloned()
        .collect();
    let strangers = snapshot::operators(db, &stranger, counting, now).await?;
    world.operators.extend(strangers);
    // Whoever is alone asked keeps room for it.
    let asked = offer::of_session(db, &session.session_id).await?;
    let asked = asked.iter().find(|offer| !offer.broadcast);
    let holder = owner.or(asked.map(|offer| offer.operator_id.as_str()));
    Ok(Some(explained(world, &session, holder, now)))
}

/// The decision about one session in a world where `holder` does not have it. Pure.
fn explained(mut world: World, session: &Waiting, holder: Option<&str>, now: DateTime<Utc>) -> Explanation {
    if let Some(operator) = holder.and_then(|id| world.operators.get_mut(id)) {
        operator.load.remove(&session.line_id, session.weight);
    }
    let (decision, candidates) = decide_with_candidates(&world, session, now);
    let operator_id = decision.taker().map(str::to_owned);
    Explanation {
        at: now,
        trigger: PREVIEW.to_owned(),
        algorithm: decision.algorithm.to_owned(),
        line_id: session.line_id.clone(),
        line_version: world.lines.get(&session.line_id).map_or(0, |line| line.version),
        outcome: decision.outcome.as_str().to_owned(),
        operator_id,
        candidates,
        reason: None,
    }
}
